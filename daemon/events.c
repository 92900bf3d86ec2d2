/*
 * events.c - what the server tells without being asked.
 *
 * A death that waits to be told lives in its weak reference: the session's queue runs through these records, so a million
 * deaths need no memory, and nothing is packed for a client that does not read.
 */
#include "daemon/convert.h"
#include "daemon/state.h"
#include "store/kinds/sequence.h"

static const char *const event_names[EVENTS] = {
#define EVENT(name, params, meaning) #name,
#include "protocol/events.def"
#undef EVENT
};

/* [2, method, [prefix..., [event, params...]]], or [2, event, params]. The dress has been checked to be scalars. */
void events_begin(struct session *session, enum event event, uint32_t params)
{
    struct buf *out = &session->out;
    struct list *dress = session->manner.event_dress != NULL ? list_of(session->manner.event_dress) : NULL;

    session->hub->counters.events[event]++;
    pack_array(out, 3);
    pack_uint(out, 2);
    if (dress == NULL) {
        pack_cstr(out, event_names[event]);
        pack_array(out, (size_t)params + 1);
    } else {
        convert_pack_scalar(out, dress->items[0]);
        pack_array(out, dress->len);
        for (uint32_t i = 1; i < dress->len; i++)
            convert_pack_scalar(out, dress->items[i]);
        pack_array(out, (size_t)params + 2);
        pack_cstr(out, event_names[event]);
    }
    pack_uint(out, ++session->seq);
}

/* -- deaths ------------------------------------------------------------------------------------------------------- */

/* Hands the notices of one cause to their receivers, in order of death. */
static void deliver(struct weak_queue *told, uint32_t batch)
{
    struct weak *weak;

    while ((weak = weak_queue_pop(told)) != NULL) {
        struct session *owner = weak->mailbox->owner;

        if (owner == NULL)
            continue;
        weak->link.batch = batch;
        weak_queue_append(&owner->deaths, weak);
        session_wake(owner);
    }
}

void events_publish(struct hub *hub, struct step *step)
{
    for (unsigned cause = 0; cause < WEAK_CAUSES; cause++)
        if (step->told[cause].first != NULL)
            deliver(&step->told[cause], (uint32_t)hub->next_batch++);
}

/* Whether the session still holds, under its number, the weakref that is to be told. */
static bool is_held(struct session *session, const struct weak *weak)
{
    return weak->number != 0 && handles_peek(&session->handles, weak->number) == &weak->head;
}

static void tell_frame(struct session *session, const uint64_t *handles, uint32_t count, enum weak_cause cause)
{
    if (count == 0)
        return;
    events_begin(session, EVENT_dead, 2);
    pack_cstr(&session->out, weak_cause_name(cause));
    pack_array(&session->out, count);
    for (uint32_t i = 0; i < count; i++)
        pack_uint(&session->out, handles[i]);
}

/* Takes notices of one batch off the queue, as many as one frame may hold, and packs them. */
static void tell_some(struct session *session)
{
    uint64_t handles[HD_DEAD_FRAME_MAX];
    uint32_t count = 0;
    uint32_t batch = session->deaths.first->batch;
    enum weak_cause cause = (enum weak_cause)session->deaths.first->cause;

    while (session->deaths.first != NULL && session->deaths.first->batch == batch && count < HD_DEAD_FRAME_MAX) {
        struct weak *weak = weak_queue_pop(&session->deaths);

        if (is_held(session, weak))
            handles[count++] = weak->number;
    }
    tell_frame(session, handles, count, cause);
}

void events_flush(struct session *session)
{
    while (session->deaths.first != NULL && !session->is_over && !session->out.failed &&
           buf_pending(&session->out) <= session->hub->settings.limit_output / 4)
        tell_some(session);
}
