/*
 * session_end.c - what an ended session held is dropped, in slices: its watches, its names in order of binding, its
 * handles by number, its waiting calls, then all that thereby died.
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

/* A part of the end that drops about `budget` references. */
static bool end_part(void *arg, size_t budget)
{
    struct session *session = arg;
    struct heap *heap = session->hub->heap;
    struct step *step = &session->step;

    heap->step = step;
    if (session->end == END_WATCHES && events_drop_names(session, &budget) && watch_drop(session, &budget))
        session->end = END_NAMES;
    if (session->end == END_NAMES && names_drop(heap, &space_of(session->own)->names, &budget))
        session->end = END_HANDLES;
    if (session->end == END_HANDLES && handles_drop(heap, &session->handles, &budget) &&
        takers_drop(session, &budget)) {
        drop_rest(session);
        session->end = END_DYING;
    }
    heap->step = NULL;
    if (session->end == END_DYING && step_run(heap, step, budget > 0 ? budget : 1))
        session->end = END_DONE;
    return session->end == END_DONE;
}

bool session_end_some(struct session *session)
{
    session->step.cause = WEAK_SESSION;
    if (!hub_slice(session->hub, session->hub->settings.slice_us, end_part, session))
        return false;
    events_publish(session->hub, &session->step);
    return true;
}
