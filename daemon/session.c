/*
 * session.c - one client's life: bytes in, requests one after another, bytes out.
 *
 * Requests are read in place from the bytes that just came; only what is left over is copied. A request whose step
 * cannot be finished at once pauses its own session: its response waits in `held` until hub_work has done the rest.
 */
#include "daemon/session.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "daemon/call.h"
#include "daemon/foresee.h"
#include "daemon/job.h"
#include "daemon/state.h"
#include "daemon/stranger.h"
#include "protocol/quick.h"

#define TURN_WORK 16u      /* units of limits.work that count as a request in a turn */
#define PLAIN_ROOM 65536u /* bytes in or out beyond what limits name */

static size_t partial_size(const struct feed *feed)
{
    return sizeof(struct partial) + feed->depth * sizeof(uint64_t);
}

void session_free_partial(struct session *session)
{
    if (session->partial != NULL)
        hub_free(session->hub, session->partial, partial_size(&session->partial->feed));
    session->partial = NULL;
}

/* -- opening ------------------------------------------------------------------------------------------------------ */

static bool fill_session(struct session *session)
{
    struct heap *heap = session->hub->heap;

    if (space_new(heap, "session", 7, &session->own) != HD_OK)
        return false;
    space_of(session->own)->is_private = true;
    session->space = obj_ref(session->own);
    return true;
}

static void link_session(struct session *session)
{
    struct hub *hub = session->hub;

    session->next = hub->sessions;
    if (hub->sessions != NULL)
        hub->sessions->prev = session;
    hub->sessions = session;
    hub->session_count++;
    hub->counters.sessions++;
}

void session_configure(struct session *session)
{
    const struct hub_settings *settings = &session->hub->settings;

    session->in.limit = settings->limit_frame + PLAIN_ROOM;
    session->out.limit = settings->limit_output + settings->limit_read + PLAIN_ROOM;
}

struct session *session_open(struct hub *hub, const struct peer *peer)
{
    struct session *session = hub->mem->zero(hub->mem->context, sizeof *session);

    if (session == NULL)
        return NULL;
    session->magic = SESSION_MAGIC;
    session->hub = hub;
    session->peer = *peer;
    session->number = hub->next_number++;
    session->manner.depth = HD_DEPTH_SENT;
    handles_init(&session->handles);
    TAILQ_INIT(&session->takers);
    step_init(&session->step, WEAK_COUNT);
    buf_init(&session->in, 0, &hub->streams);
    buf_init(&session->out, 0, &hub->streams);
    buf_init(&session->held, SIZE_MAX / 2, &hub->streams);
    session_configure(session);
    if (!fill_session(session)) {
        hub_free(hub, session, sizeof *session);
        return NULL;
    }
    link_session(session);
    if (hub->session_count - hub->lingerings.detached > hub->settings.limit_sessions) {
        hub->counters.refused++;
        session_bye(session, "limits.sessions is reached: try again later");
    }
    return session;
}

void session_free(struct session *session)
{
    struct hub *hub = session->hub;

    assert(session->magic == SESSION_MAGIC && session->end == END_DONE);
    roots_forget(hub, session);
    if (session->prev != NULL)
        session->prev->next = session->next;
    else
        hub->sessions = session->next;
    if (session->next != NULL)
        session->next->prev = session->prev;
    hub->session_count--;
    buf_fini(&session->in);
    buf_fini(&session->out);
    buf_fini(&session->held);
    session_free_partial(session);
    name_free(hub->heap, session->client);
    session->magic = 0;
    hub_free(hub, session, sizeof *session);
}

void session_end(struct session *session)
{
    assert(session->magic == SESSION_MAGIC && !session->is_closed);
    linger_end(session);
    session->is_closed = session->is_over = true;
    job_drop(session);
    session->user = NULL;
    if (session->mailbox != NULL)
        session->mailbox->owner = NULL;
    while (weak_queue_pop(&session->deaths) != NULL)
        continue;
    buf_fini(&session->in);
    buf_fini(&session->out);
    buf_fini(&session->held);
    session->end = END_WATCHES;
    hub_add_working(session->hub, session);
}

void session_close(struct session *session)
{
    assert(session->magic == SESSION_MAGIC && !session->is_closed);
    if (!linger_detach(session))
        session_end(session);
}

/* -- state -------------------------------------------------------------------------------------------------------- */

void session_wake(struct session *session)
{
    const struct hub_ops *ops = &session->hub->ops;

    if (session->is_woken || session->is_closed || session->is_detached || ops->wake == NULL)
        return;
    session->is_woken = true;
    ops->wake(ops->context, session);
}

/* Reading stops at a quarter of limits.output. */
static bool output_is_high(const struct session *session)
{
    return buf_pending(&session->out) > session->hub->settings.limit_output / 4;
}

enum session_state session_state(const struct session *session)
{
    if (session->is_over)
        return SESSION_OVER;
    if (session->is_paused || output_is_high(session))
        return SESSION_PAUSED;
    if (session->in.len > session->in.sent && session->partial == NULL && !session->is_stranger)
        return SESSION_PENDING;
    if (events_wait(session)) /* that the output had no room for, and now has */
        return SESSION_PENDING;
    return SESSION_READY;
}

struct buf *session_output(struct session *session)
{
    session->is_woken = false;
    return &session->out;
}

void session_set_user(struct session *session, void *user)
{
    session->user = user;
}

void *session_user(const struct session *session)
{
    return session->user;
}

uint64_t session_number(const struct session *session)
{
    return session->number;
}

bool session_may_linger(const struct session *session)
{
    return session->linger != NULL;
}

bool session_is_waiting(const struct session *session)
{
    return session->waiting > 0;
}

bool session_is_midway(const struct session *session, uint64_t *frame)
{
    *frame = session->requests;
    return session->partial != NULL || session->is_stranger;
}

/* -- ends --------------------------------------------------------------------------------------------------------- */

void session_bye(struct session *session, const char *reason)
{
    if (session->is_detached) {
        session_end(session); /* there is nobody to be told */
        return;
    }
    if (session->is_over)
        return;
    events_flush(session);
    events_begin(session, EVENT_bye, 1); /* the last one: it is kept for nobody */
    pack_cstr(&session->out, reason);
    session->is_over = true;
    session_wake(session);
}

/* A frame that cannot be read: answered by its msgid if that could be read, else by `bye`. */
static void refuse_frame(struct session *session, const char *bytes, size_t len, const char *reason)
{
    char text[160];
    uint32_t msgid;

    session->hub->counters.bad_frames++;
    session->hub->counters.codes[HD_BAD_FRAME]++;
    snprintf(text, sizeof text, "BAD_FRAME %s", reason);
    if (!feed_msgid(bytes, len, &msgid)) {
        session_bye(session, text);
        return;
    }
    events_flush(session);
    dispatch_pack_error(session, &session->out, msgid, text, strlen(text));
    session->is_over = true;
    session_wake(session);
}

__attribute__((cold)) static void end_for_output(struct session *session)
{
    if (session->is_over)
        return;
    if (session->out.failed) {
        buf_rewind(&session->out, session->out.sent);
        session_bye(session, "the output could not be kept in memory");
    } else {
        session_bye(session, "more output is pending than limits.output");
    }
}

void session_check_output(struct session *session)
{
    const struct buf *out = &session->out;

    if (out->failed || buf_pending(out) > session->hub->settings.limit_output + session->last_response)
        end_for_output(session);
}

/* -- requests ----------------------------------------------------------------------------------------------------- */

static inline bool is_free(const struct session *session)
{
    return !session->is_over && session->successor == NULL && !session->is_paused;
}

static bool may_run(const struct session *session)
{
    return is_free(session) && !output_is_high(session);
}

/* After a request: whether the next one may run, or the session ends. */
static inline bool goes_on(struct session *session)
{
    if (session->out.failed || output_is_high(session)) {
        session_check_output(session);
        return false;
    }
    return is_free(session);
}

/* Goes on with the scan of the frame at bytes[0], where an earlier call left it. */
static enum feed_status scan(struct session *session, struct feed *feed, const char *bytes, size_t len)
{
    struct hub *hub = session->hub;
    struct feed_limits limits = {hub->settings.limit_frame, (uint32_t)hub->settings.limit_depth};

    feed_start(feed, hub->scan_stack);
    if (session->partial != NULL) {
        *feed = session->partial->feed;
        feed->left = hub->scan_stack;
        memcpy(hub->scan_stack, session->partial->stack, feed->depth * sizeof *hub->scan_stack);
        session_free_partial(session);
    }
    return feed_scan(feed, &limits, bytes, len);
}

/* Keeps where the scan of an incomplete frame stands. */
static void keep_scan(struct session *session, const struct feed *feed)
{
    struct partial *partial = hub_alloc(session->hub, partial_size(feed));

    if (partial == NULL) {
        session_bye(session, "no memory for an incomplete request");
        return;
    }
    partial->feed = *feed;
    memcpy(partial->stack, feed->left, feed->depth * sizeof partial->stack[0]);
    session->partial = partial;
}

static void refuse(struct session *session, const struct feed *feed, const char *bytes, size_t len)
{
    if (session->requests == 0 && stranger_begins(bytes, len)) {
        session->is_stranger = true;
        session->hub->counters.strangers++;
        return;
    }
    refuse_frame(session, bytes, len, feed->reason);
}

/* The long way to the frame at bytes[0]: FEED_FRAME gives its envelope. Else no more can be run: *taken bytes are done
 * with, the others kept. */
__attribute__((noinline)) static enum feed_status scan_frame(struct session *session, const char *bytes, size_t len,
                                                             struct envelope *envelope, size_t *taken)
{
    struct feed feed;
    enum feed_status status = scan(session, &feed, bytes, len);

    *taken = 0;
    if (status == FEED_FRAME) {
        feed_open(bytes, feed.pos, envelope);
    } else if (status == FEED_MORE) {
        keep_scan(session, &feed);
    } else {
        refuse(session, &feed, bytes, len);
        *taken = session->is_stranger ? 0 : len;
    }
    return status;
}

/* The short way to those that stand at `at` one after another, at most `most`: how many they are. */
static unsigned open_frames(const struct session *session, const char *at, const char *end, unsigned most,
                            struct envelope frames[FORESEE_MOST])
{
    uint64_t limit = session->hub->settings.limit_frame;
    unsigned count = 0;

    most = most < FORESEE_MOST ? most : FORESEE_MOST;
    for (; count < most && quick_open(at, (size_t)(end - at), limit, &frames[count]); count++)
        at = frames[count].end;
    return count;
}

/* What the latest request counts for in a turn: more than one if it was large. */
static unsigned measure_work(const struct heap *heap)
{
    return 1 + (unsigned)((heap->work_limit - heap->work_left) / TURN_WORK);
}

/* Runs frames that stand at *at one after another, as far as each leaves the next one to be run and they count for less
 * than `most`: what they count for. *at moves behind them. */
static unsigned run_group(struct call *call, const struct envelope *frames, unsigned count, unsigned most,
                          const char **at)
{
    struct session *session = call->session;
    const struct hub_settings *settings = &session->hub->settings;
    uint64_t limit = settings->limit_frame; /* by which they were opened: a request may change it */
    unsigned ran = 0, counted = 0;

    if (count > 1)
        foresee(session, frames, count);
    call->heap->step = &session->step;
    do {
        dispatch_frame(call, &frames[ran]);
        *at = frames[ran++].end;
        counted += measure_work(call->heap);
    } while (goes_on(session) && ran < count && counted < most && settings->limit_frame == limit);
    call->heap->step = NULL;
    return counted;
}

/* Runs whole frames at the front of bytes, as many as count for `most`; returns how many bytes they took. */
static size_t run_frames(struct session *session, const char *bytes, size_t len, unsigned most)
{
    const char *at = bytes, *end = bytes + len;
    struct envelope frames[FORESEE_MOST];
    struct call call;
    size_t taken;

    timing_turn(session->hub);
    buf_compact(&session->out);
    call_init(&call, session);
    while (at < end && most > 0 && may_run(session)) {
        unsigned count = session->partial == NULL ? open_frames(session, at, end, most, frames) : 0;

        if (count == 0) {
            if (scan_frame(session, at, (size_t)(end - at), &frames[0], &taken) != FEED_FRAME)
                return (size_t)(at - bytes) + taken;
            count = 1;
        }
        count = run_group(&call, frames, count, most, &at);
        most -= count < most ? count : most;
    }
    return (size_t)(at - bytes);
}

/* The client speaks something else: its first words are gathered until they tell what. */
static void run_stranger(struct session *session)
{
    const char *bytes = session->in.bytes + session->in.sent;
    size_t len = buf_pending(&session->in);

    if (!stranger_is_clear(bytes, len) && !session->is_eof)
        return;
    stranger_answer(bytes, len, &session->out);
    session->is_over = true;
    session_wake(session);
}

/* Another session is resumed on the connection of this one, which ends. */
static enum session_state hand_over(struct session *session)
{
    struct session *to = session->successor;

    linger_move(session, to);
    return session_run(to, 0);
}

enum session_state session_run(struct session *session, unsigned most)
{
    session->is_woken = false;
    if (session->is_over)
        return SESSION_OVER;
    if (buf_pending(&session->in) > 0 && !session->is_stranger)
        buf_taken(&session->in,
                  run_frames(session, session->in.bytes + session->in.sent, buf_pending(&session->in), most));
    if (session->successor != NULL)
        return hand_over(session);
    if (session->is_stranger)
        run_stranger(session);
    events_flush(session);
    /* after a half-close the session is over when nothing that came whole is left to run */
    if (session->is_eof && may_run(session) && (buf_pending(&session->in) == 0 || session->partial != NULL))
        session->is_over = session->is_cut = true;
    if (session->out.len == 0) /* nothing was said: what there was room for stays unsaid */
        buf_leave(&session->out);
    return session_state(session);
}

static bool keep_input(struct session *session, const char *bytes, size_t len)
{
    buf_compact(&session->in);
    buf_append(&session->in, bytes, len);
    if (!session->in.failed)
        return true;
    session_bye(session, "the input could not be kept in memory");
    return false;
}

enum session_state session_feed(struct session *session, const char *bytes, size_t len, unsigned most)
{
    session->hub->counters.bytes_in += len;
    if (session->is_over)
        return SESSION_OVER;
    if (buf_pending(&session->in) == 0 && !session->is_stranger) {
        size_t taken = run_frames(session, bytes, len, most);

        bytes += taken;
        len -= taken;
        most = 0;
    }
    if (session->is_over || (len > 0 && !keep_input(session, bytes, len)))
        return SESSION_OVER;
    return session_run(session, most);
}

enum session_state session_eof(struct session *session)
{
    session->is_eof = true;
    takers_cancel(session);
    return session_run(session, 1);
}

void session_step_done(struct session *session)
{
    struct hub *hub = session->hub;

    events_publish(hub, &session->step);
    if (!session->is_paused)
        return;
    session->is_paused = false;
    if (!session->is_closed) {
        size_t at;

        events_flush(session);
        at = session->out.len;
        buf_append(&session->out, session->held.bytes, session->held.len);
        session->last_response = session->held.len;
        if (session->held.len > 0)
            session_answered(session, at, session->linger != NULL ? session->linger->held_into : 0);
        session_check_output(session);
    }
    buf_fini(&session->held);
    session_wake(session);
}
