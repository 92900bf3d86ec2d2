/*
 * session_end.c - what an ended session held is dropped, in slices: its names in order of binding, its handles by number,
 * then all that thereby died.
 */
#include "daemon/state.h"

/* Drops what the session itself refers to beside names and handles. */
static void drop_rest(struct session *session)
{
    struct heap *heap = session->hub->heap;

    obj_unref(heap, &session->own);
    obj_unref(heap, &session->space);
    obj_unref(heap, &session->manner.event_dress);
    mailbox_unref(heap, &session->mailbox);
}

/* A shared namespace that is empty and that nobody works in goes. */
static void drop_unused_space(struct session *session)
{
    struct hub *hub = session->hub;
    struct space *space = session->space != NULL ? space_of(session->space) : NULL;
    struct obj *o = NULL;

    if (space == NULL || space->is_private || session->space == hub->global)
        return;
    if (names_count(&space->names) == 0 && space->head.count == 2) /* the table's and this session's */
        o = names_unbind(hub->heap, &hub->spaces, space->name->bytes, space->name->len);
    obj_unref(hub->heap, &o);
}

bool session_end_some(struct session *session, size_t budget)
{
    struct hub *hub = session->hub;
    struct heap *heap = hub->heap;
    uint64_t died = session->step.died;

    heap->step = &session->step;
    session->step.cause = WEAK_SESSION;
    if (session->end == END_NAMES && names_drop(heap, &space_of(session->own)->names, &budget))
        session->end = END_HANDLES;
    if (session->end == END_HANDLES && handles_drop(heap, &session->handles, &budget)) {
        drop_unused_space(session);
        drop_rest(session);
        session->end = END_DYING;
    }
    heap->step = NULL;
    if (session->end == END_DYING && step_run(heap, &session->step, budget > 0 ? budget : 1)) {
        events_publish(hub, &session->step);
        session->end = END_DONE;
    }
    hub->counters.died += session->step.died - died;
    return session->end == END_DONE;
}
