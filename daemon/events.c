/*
 * events.c - what the server tells without being asked.
 *
 * A death that waits to be told lives in its weak reference: the session's queue runs through these records, so a
 * million deaths need no memory, and nothing is packed for a client that does not read.
 */
#include <string.h>

#include "daemon/convert.h"
#include "daemon/state.h"
#include "store/kinds/sequence.h"

static const char *const event_names[EVENTS] = {
#define EVENT(name, params, meaning) #name,
#include "protocol/events.def"
#undef EVENT
};

/* [2, method, [prefix..., [event, params...]]], or [2, event, params]. The dress has been checked to be scalars. */
void events_pack_front(struct buf *out, const struct manner *manner, enum event event, uint32_t params, uint64_t seq)
{
    struct list *dress = manner->event_dress != NULL ? list_of(manner->event_dress) : NULL;

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
    pack_uint(out, seq);
}

struct told events_begin(struct session *session, enum event event, uint32_t params)
{
    struct told told = {.at = session->out.len, .event = event, .params = params};

    session->hub->counters.events[event]++;
    events_pack_front(&session->out, &session->manner, event, params, ++session->seq);
    told.params_at = session->out.len;
    return told;
}

void events_end(struct session *session, const struct told *told)
{
    if (session->linger != NULL)
        linger_keep_event(session, told);
}

/* -- names -------------------------------------------------------------------------------------------------------- */

struct kept_name {
    struct kept_name *next;
    uint64_t id;          /* of the object */
    uint32_t batch;       /* that of the deaths it comes before, if they are told in the same or a later step */
    uint32_t space_len, name_len;
    enum name_change change;
    char bytes[];         /* the namespace's name, the name */
};

static size_t kept_size(const struct kept_name *kept)
{
    return sizeof *kept + kept->space_len + kept->name_len;
}

uint64_t events_kept_bytes(const struct session *session)
{
    return session->names.count * sizeof(struct kept_name) + session->names.bytes;
}

/* NULL without memory, or beyond the limits. */
static struct kept_name *make_kept(const struct session *session, size_t bytes)
{
    const struct hub_settings *settings = &session->hub->settings;
    const struct kept_names *names = &session->names;
    bool is_full = names->lost > 0 || names->count >= settings->limit_events ||
                   names->bytes + bytes > settings->limit_output ||
                   !quota_allows(session, sizeof(struct kept_name) + bytes);

    return is_full ? NULL : hub_alloc(session->hub, sizeof(struct kept_name) + bytes);
}

static void append_kept(struct kept_names *names, struct kept_name *kept)
{
    if (names->first == NULL)
        names->first = kept;
    else
        names->last->next = kept;
    names->last = kept;
    names->count++;
    names->bytes += kept->space_len + kept->name_len;
}

static void pop_kept(struct session *session)
{
    struct kept_names *names = &session->names;
    struct kept_name *kept = names->first;

    names->first = kept->next;
    names->count--;
    names->bytes -= kept->space_len + kept->name_len;
    hub_free(session->hub, kept, kept_size(kept));
}

void events_keep_name(struct session *session, const struct name *space, const char *name, size_t len,
                      enum name_change change, uint64_t id)
{
    struct kept_name *kept;

    if (session->is_over)
        return;
    kept = make_kept(session, space->len + len);
    session_wake(session);
    if (kept == NULL) {
        session->names.lost++;
        return;
    }
    *kept = (struct kept_name){.id = id, .batch = (uint32_t)session->hub->next_batch, .space_len = space->len,
                               .name_len = (uint32_t)len, .change = change};
    memcpy(kept->bytes, space->bytes, space->len);
    if (len > 0)
        memcpy(kept->bytes + space->len, name, len);
    append_kept(&session->names, kept);
    if (session->is_detached)
        events_flush(session); /* nobody else does before it is resumed */
}

bool events_drop_names(struct session *session, size_t *budget)
{
    while (session->names.first != NULL && *budget > 0) {
        pop_kept(session);
        (*budget)--;
    }
    session->names.lost = 0;
    return session->names.first == NULL;
}

static void tell_name(struct session *session)
{
    const struct kept_name *kept = session->names.first;
    struct told told = events_begin(session, EVENT_name, 4);
    struct buf *out = &session->out;

    pack_str(out, kept->bytes, kept->space_len);
    pack_str(out, kept->bytes + kept->space_len, kept->name_len);
    pack_cstr(out, name_change_text(kept->change));
    pack_uint(out, kept->id);
    events_end(session, &told);
    pop_kept(session);
}

/* Lost events have numbers too: the frame carries that of the last one. */
static void tell_lost(struct session *session)
{
    uint64_t lost = session->names.lost;
    struct told told;

    session->seq += lost - 1;
    session->names.lost = 0;
    told = events_begin(session, EVENT_lost, 1);
    pack_uint(&session->out, lost);
    events_end(session, &told);
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
        if (owner->is_detached && owner->deaths.first != NULL && owner->deaths.first->batch != batch)
            events_flush(owner);
        weak->link.batch = batch;
        weak_queue_append(&owner->deaths, weak);
        session_wake(owner);
    }
}

/* Frees weak bindings whose objects died. A namespace of no more use goes: it is empty, so it is freed here and now. */
static void forget_expired(struct hub *hub, struct step *step)
{
    struct step *outer = hub->heap->step;

    hub->heap->step = step;
    while (step->expired != NULL) {
        struct obj *space = step->expired->holder;
        bool is_last = space->count == 1;

        obj_unref(hub->heap, &(struct obj *){weak_name_forget(hub->heap, step)});
        if (!is_last)
            hub_drop_unused_space(hub, space_of(space));
    }
    while (!step_run(hub->heap, step, SIZE_MAX))
        continue;
    hub->heap->step = outer;
}

void events_publish(struct hub *hub, struct step *step)
{
    if (step->expired != NULL)
        forget_expired(hub, step);
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
    struct told told;

    if (count == 0)
        return;
    told = events_begin(session, EVENT_dead, 2);
    pack_cstr(&session->out, weak_cause_name(cause));
    pack_array(&session->out, count);
    for (uint32_t i = 0; i < count; i++)
        pack_uint(&session->out, handles[i]);
    events_end(session, &told);
}

/* Takes notices of one batch off the queue, as many as one frame may hold, and packs them. */
static void tell_some(struct session *session)
{
    uint64_t *handles = session->hub->told; /* on the stack, its 32 KiB would be probed page by page */
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

/* -- both --------------------------------------------------------------------------------------------------------- */

/* Whether the change of a name that waits longest came before the deaths that wait longest. */
static bool name_comes_first(const struct session *session)
{
    const struct kept_name *kept = session->names.first;
    const struct weak_link *dead = session->deaths.first;

    return kept != NULL && (dead == NULL || (int32_t)(kept->batch - dead->batch) <= 0);
}

static void tell_next(struct session *session)
{
    if (name_comes_first(session))
        tell_name(session);
    else if (session->names.first == NULL && session->names.lost > 0)
        tell_lost(session);
    else
        tell_some(session);
}

void events_flush(struct session *session)
{
    while (events_wait(session) && !session->is_over && !session->out.failed &&
           buf_pending(&session->out) <= session->hub->settings.limit_output / 4)
        tell_next(session);
}
