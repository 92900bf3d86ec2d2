/* linger.c - see linger.h. */
#include "daemon/linger.h"

#include <string.h>

#include "daemon/job.h"
#include "daemon/state.h"
#include "protocol/read.h"

#define RECORDS_LEAST 1000 /* that a session may have when its address has no bytes left */
#define RESPONSES_MOST 100000
#define REFUSAL_ROOM 160 /* bytes of the answer for a response that was not kept, or for a call that waited */

void lingerings_init(struct hub *hub)
{
    LIST_INIT(&hub->lingerings.list);
    LIST_INIT(&hub->lingerings.lingerers);
}

/* -- the promise -------------------------------------------------------------------------------------------------- */

/* The entry of the address, made if it is missing; NULL without memory. */
static struct lingerer *find_lingerer(struct hub *hub, const struct peer *peer)
{
    struct lingerer *lingerer;

    LIST_FOREACH(lingerer, &hub->lingerings.lingerers, link)
        if (peer_has_host_of(&lingerer->peer, peer))
            return lingerer;
    lingerer = hub_alloc(hub, sizeof *lingerer);
    if (lingerer == NULL)
        return NULL;
    *lingerer = (struct lingerer){.peer = *peer};
    LIST_INSERT_HEAD(&hub->lingerings.lingerers, lingerer, link);
    return lingerer;
}

static void leave_lingerer(struct hub *hub, struct lingerer *lingerer)
{
    if (lingerer->sessions > 0)
        return;
    LIST_REMOVE(lingerer, link);
    hub_free(hub, lingerer, sizeof *lingerer);
}

uint64_t linger_size(const struct session *session)
{
    const struct linger *linger = session->linger;

    return linger != NULL ? keep_size(&linger->events) + keep_size(&linger->responses) : 0;
}

static enum hd_err begin(struct session *session, struct lingerer *lingerer, uint64_t ms)
{
    struct hub *hub = session->hub;
    struct linger *linger = hub_alloc(hub, sizeof *linger);

    if (linger == NULL)
        return heap_no_memory(hub->heap);
    *linger = (struct linger){.session = session, .lingerer = lingerer, .ms = ms, .given_next = session->handles.next};
    if (!token_make(&linger->token)) {
        hub_free(hub, linger, sizeof *linger);
        return heap_fail(hub->heap, HD_INTERNAL, "the system has no random bytes");
    }
    keep_init(&linger->events, session->seq + 1, &hub->buffers);
    keep_init(&linger->responses, session->answers + 1, &hub->buffers);
    LIST_INSERT_HEAD(&hub->lingerings.list, linger, link);
    hub->lingerings.count++;
    lingerer->sessions++;
    session->linger = linger;
    return HD_OK;
}

enum hd_err linger_begin(struct session *session, double seconds)
{
    struct hub *hub = session->hub;
    const struct hub_settings *settings = &hub->settings;
    uint64_t ms = settings->linger_max_s * 1000;
    struct lingerer *lingerer;
    enum hd_err err = HD_OK;

    if (seconds * 1000 < (double)ms)
        ms = (uint64_t)(seconds * 1000);
    if (ms == 0 || hub->lingerings.count >= settings->limit_lingering)
        return HD_OK;
    lingerer = find_lingerer(hub, &session->peer);
    if (lingerer == NULL)
        return heap_no_memory(hub->heap);
    if (lingerer->sessions < settings->limit_lingering_address)
        err = begin(session, lingerer, ms);
    leave_lingerer(hub, lingerer);
    return err;
}

void linger_end(struct session *session)
{
    struct linger *linger = session->linger;
    struct hub *hub = session->hub;

    if (linger == NULL)
        return;
    hub->lingerings.count--;
    hub->lingerings.detached -= session->is_detached;
    session->is_detached = false;
    linger->lingerer->sessions--;
    linger->lingerer->bytes -= linger_size(session);
    session->linger = NULL;
    leave_lingerer(hub, linger->lingerer);
    LIST_REMOVE(linger, link);
    keep_fini(&linger->events);
    keep_fini(&linger->responses);
    hub_free(hub, linger, sizeof *linger);
}

/* Nothing more is read from it, and not only because nothing comes. */
static bool has_ended(const struct session *session)
{
    return session->is_over && !session->is_cut;
}

struct session *linger_find(const struct hub *hub, const struct token *token)
{
    struct linger *linger;

    LIST_FOREACH(linger, &hub->lingerings.list, link)
        if (token_equals(&linger->token, token))
            return has_ended(linger->session) ? NULL : linger->session;
    return NULL;
}

/* -- connections come and go -------------------------------------------------------------------------------------- */

/* What belongs to the connection, but for who is at its other end, is as in a new session. */
static void drop_connection(struct session *session)
{
    buf_fini(&session->in);
    buf_fini(&session->out);
    session_free_partial(session);
    session->user = NULL;
    session->last_response = 0;
    session->wrong_tokens = 0;
    session->is_over = session->is_cut = session->is_eof = session->is_woken = false;
}

static void detach(struct session *session)
{
    struct hub *hub = session->hub;

    drop_connection(session);
    session->is_detached = true;
    hub->lingerings.detached++;
    session->linger->end_ms = hub_now_ms(hub) + session->linger->ms;
    takers_cancel(session);
}

bool linger_detach(struct session *session)
{
    if (session->linger == NULL || has_ended(session))
        return false;
    detach(session);
    return true;
}

void linger_move(struct session *from, struct session *to)
{
    struct hub *hub = from->hub;
    void *user = to->user;

    if (!to->is_detached)
        detach(to);
    to->user = user;
    hub->lingerings.detached--;
    to->is_detached = false;
    buf_fini(&to->in);
    buf_fini(&to->out);
    to->in = from->in;
    to->out = from->out;
    buf_init(&from->in, 0, &hub->streams);
    buf_init(&from->out, 0, &hub->streams);
    to->peer = from->peer;
    to->is_eof = from->is_eof;
    to->wrong_tokens = from->wrong_tokens;
    to->last_response = from->last_response;
    if (hub->ops.moved != NULL)
        hub->ops.moved(hub->ops.context, from, to);
    session_end(from);
}

void linger_tick(struct hub *hub)
{
    struct linger *linger, *next;
    uint64_t now_ms;

    if (hub->lingerings.detached == 0)
        return;
    now_ms = hub_now_ms(hub);
    for (linger = LIST_FIRST(&hub->lingerings.list); linger != NULL; linger = next) {
        next = LIST_NEXT(linger, link);
        if (linger->session->is_detached && linger->end_ms <= now_ms)
            session_end(linger->session);
    }
}

/* -- recording ---------------------------------------------------------------------------------------------------- */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Bytes that one of the session's two records may have: its own, if that is not more than what is left of the
 * address's, nor than a part of limits.session_bytes that leaves the requests something. */
static uint64_t most_bytes(const struct session *session, const struct keep *keep)
{
    const struct hub_settings *settings = &session->hub->settings;
    uint64_t others = session->linger->lingerer->bytes - keep_size(keep);
    uint64_t left = settings->limit_kept_address > others ? settings->limit_kept_address - others : 0;

    if (settings->limit_session_bytes != 0)
        left = least(left, settings->limit_session_bytes / 8);
    return least(left, settings->limit_kept);
}

/* Records with their bytes at `at` in the output, or without if the output failed. */
static void add(struct session *session, struct keep *keep, const struct kept *kept, size_t at, uint64_t most)
{
    const struct buf *out = &session->out;
    struct lingerer *lingerer = session->linger->lingerer;
    uint64_t bytes = most_bytes(session, keep);
    uint64_t records = RECORDS_LEAST + bytes / sizeof(struct kept); /* these take memory too */

    lingerer->bytes -= keep_size(keep);
    keep_add(keep, kept, out->failed ? NULL : out->bytes + at, least(records, most), bytes);
    lingerer->bytes += keep_size(keep);
}

void linger_keep_event(struct session *session, const struct told *told)
{
    struct keep *keep = &session->linger->events;
    struct buf *out = &session->out;
    struct kept kept = {.event = (uint8_t)told->event, .params = (uint8_t)told->params};
    uint64_t most = session->hub->settings.limit_events;

    if (told->event == EVENT_lost) {
        keep_lose(keep, session->seq + 1 - keep->next, most);
    } else {
        if (!out->failed)
            kept.len = (uint32_t)(out->len - told->params_at);
        add(session, keep, &kept, told->params_at, most);
    }
    if (session->is_detached)
        buf_rewind(out, told->at);
}

/* The msgid of a response. */
static uint32_t read_msgid(const struct buf *out, size_t at)
{
    struct reader reader = {out->bytes + at, out->bytes + out->len};

    read_next(&reader);
    read_next(&reader);
    return (uint32_t)read_next(&reader).uint;
}

void linger_keep_response(struct session *session, size_t at, uint64_t into)
{
    struct linger *linger = session->linger;
    struct buf *out = &session->out;
    struct kept kept = {.into = into <= (uint64_t)HD_HANDLE_CLIENT_MAX ? (uint32_t)into : 0,
                        .given_first = linger->given_next,
                        .given_count = (uint32_t)(session->handles.next - linger->given_next)};

    linger->given_next = session->handles.next;
    if (!out->failed) {
        kept.len = (uint32_t)(out->len - at);
        kept.msgid = read_msgid(out, at);
    }
    add(session, &linger->responses, &kept, at, RESPONSES_MOST);
    if (session->is_detached)
        buf_rewind(out, at);
}

/* -- replaying ---------------------------------------------------------------------------------------------------- */

/* The front of an event's frame: [2, method, [prefix..., [event, seq, ... 0 without memory. */
static size_t measure_front(struct session *session)
{
    struct buf front;
    size_t size;

    buf_init(&front, SIZE_MAX / 2, &session->hub->buffers);
    events_pack_front(&front, &session->manner, EVENT_dead, 1, UINT64_MAX);
    size = front.failed ? 0 : front.len;
    buf_fini(&front);
    return size;
}

enum hd_err linger_reserve(struct session *session, struct buf *out, size_t more)
{
    const struct linger *linger = session->linger;
    struct heap *heap = session->hub->heap;
    size_t front = measure_front(session);
    size_t fronts = (size_t)(linger->events.next - linger->events.first + 1) * (front + 16);
    size_t refusals = (size_t)(linger->responses.next - linger->responses.first) * REFUSAL_ROOM;
    size_t cancels = (size_t)session->waiting * REFUSAL_ROOM;
    size_t bytes = buf_pending(&linger->events.bytes) + buf_pending(&linger->responses.bytes);
    size_t size = more + cancels + bytes + fronts + refusals;
    size_t len = out->len;
    bool over_limit;

    if (front == 0)
        return heap_no_memory(heap);
    if (buf_reserve(out, size))
        return HD_OK;
    over_limit = out->over_limit;
    buf_rewind(out, len);
    return over_limit ? heap_fail(heap, HD_LIMIT, "what was kept for the session is more than may be pending")
                      : heap_no_memory(heap);
}

static void tell_lost(struct session *session, struct buf *out, uint64_t last, uint64_t count)
{
    if (count == 0)
        return;
    session->hub->counters.events[EVENT_lost]++;
    events_pack_front(out, &session->manner, EVENT_lost, 1, last);
    pack_uint(out, count);
}

void linger_replay_events(struct session *session, uint64_t seen, struct buf *out)
{
    const struct keep *keep = &session->linger->events;
    struct keep_walk walk = {0};
    uint64_t lost = keep->first > seen + 1 ? keep->first - 1 - seen : 0; /* in a row, up to the one before */
    const struct kept *kept;

    while ((kept = keep_next(keep, &walk)) != NULL) {
        if (walk.number <= seen)
            continue;
        if (!kept->is_whole) {
            lost++;
            continue;
        }
        tell_lost(session, out, walk.number - 1, lost);
        lost = 0;
        events_pack_front(out, &session->manner, (enum event)kept->event, kept->params, walk.number);
        buf_append(out, walk.bytes, kept->len);
    }
    tell_lost(session, out, keep->next - 1, lost);
}

void linger_seen(struct session *session, uint64_t seen)
{
    struct linger *linger = session->linger;

    linger->seen = seen;
    linger->lingerer->bytes -= keep_size(&linger->events);
    keep_forget(&linger->events, seen + 1);
    linger->lingerer->bytes += keep_size(&linger->events);
}

void linger_answered(struct session *session, uint64_t answered)
{
    struct linger *linger = session->linger;

    linger->lingerer->bytes -= keep_size(&linger->responses);
    keep_forget(&linger->responses, answered + 1);
    linger->lingerer->bytes += keep_size(&linger->responses);
}

static void release(struct session *session, uint64_t number)
{
    struct hub *hub = session->hub;
    struct step *step = hub->heap->step;
    struct obj *o;

    hub->heap->step = &hub->step; /* the session's own may be at work */
    o = handles_remove(hub->heap, &session->handles, number);
    obj_unref(hub->heap, &o);
    hub->heap->step = step;
}

/* Answers a response that is not there any more. */
static void refuse(struct session *session, struct buf *out, const struct kept *kept)
{
    static const char text[] = "LIMIT this response was not kept; its handles are released";

    if (kept->into != 0)
        release(session, kept->into);
    for (uint32_t i = 0; i < kept->given_count; i++)
        release(session, kept->given_first + i);
    dispatch_pack_error(session, out, kept->msgid, text, sizeof text - 1);
}

void linger_replay_responses(struct session *session, uint64_t answered, struct buf *out)
{
    struct keep_walk walk = {0};
    const struct kept *kept;

    while ((kept = keep_next(&session->linger->responses, &walk)) != NULL) {
        if (walk.number <= answered)
            continue;
        if (kept->is_whole)
            buf_append(out, walk.bytes, kept->len);
        else
            refuse(session, out, kept);
    }
}
