/*
 * session_end.c - what an ended session held is dropped, in slices: its names in order of binding, its handles by number,
 * then all that thereby died.
 */
#include "daemon/state.h"

/* Drops what the session itself refers to beside names and handles. */
static void drop_rest(struct session *session)
{
    struct heap *heap = session->hub->heap;
    struct obj *space = session->space; /* of no use any more if it is the session's own */

    obj_unref(heap, &session->space);
    if (space != NULL && space != session->own)
        hub_drop_unused_space(session->hub, space_of(space));
    obj_unref(heap, &session->own);
    obj_unref(heap, &session->manner.event_dress);
    mailbox_unref(heap, &session->mailbox);
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
