/*
 * dispatch.c - one frame: row, checks, handler, reply.
 *
 * The response is packed straight into the output. If the request told deaths, or doomed more than one slice frees, the
 * response is moved: behind the events it caused, or into `held` until its step is done.
 */
#include <stdio.h>

#include "daemon/args.h"
#include "daemon/call.h"
#include "daemon/freeze.h"
#include "daemon/job.h"
#include "store/bytes.h"
#include "store/kinds/utf8.h"

/* Bytes: an error, or an answer but for read-only ones and objects, which check by themselves. */
#define REPLY_ROOM QUOTA_REPLY_ROOM

typedef enum hd_err handler_fn(struct call *call);

static handler_fn *const handlers[RPC_METHODS] = {
#define METHOD(name, since, flags, args, options, result, errors, summary) [RPC_##name] = do_##name,
#include "protocol/methods.def"
#undef METHOD
};

/* -- errors ------------------------------------------------------------------------------------------------------- */

/* A cut text, or one with bytes that a stranger chose, may not be UTF-8: what leaves is. */
static void clean_utf8(char *text, size_t len)
{
    bool ascii;

    if (utf8_valid(text, len, &ascii))
        return;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] >= 0x80)
            text[i] = '?';
}

void dispatch_pack_error(const struct session *session, struct buf *out, uint32_t msgid, const char *text, size_t len)
{
    pack_array(out, 4);
    pack_uint(out, 1);
    pack_uint(out, msgid);
    if (session->manner.errors_as_pair) {
        pack_array(out, 2);
        pack_uint(out, 0);
    }
    pack_str(out, text, len);
    pack_nil(out);
}

void dispatch_error(struct call *call, enum hd_err err)
{
    struct buf *out = &call->session->out;
    char text[HEAP_ERROR_TEXT + 32];
    int len;

    call->hub->counters.errors++;
    call->hub->counters.codes[err]++;
    if (call->method != NULL)
        call->hub->timing.methods[call->number].errors++;
    buf_rewind(out, call->reply_at);
    if (!call->is_request)
        return;
    len = snprintf(text, sizeof text, "%s %s", hd_err_code(err), call->heap->error_text);
    clean_utf8(text, (size_t)len);
    dispatch_pack_error(call->session, out, call->msgid, text, (size_t)len);
}

/* -- after the handler -------------------------------------------------------------------------------------------- */

/* Moves the response from the output into `to`. */
static void cut_response(struct call *call, struct buf *to)
{
    struct buf *out = &call->session->out;

    buf_clear(to);
    buf_append(to, out->bytes + call->reply_at, out->len - call->reply_at);
    if (!out->failed)
        buf_rewind(out, call->reply_at);
    if (to->failed)
        out->failed = true;
}

/* What the request doomed dies: at once if one slice will do, else the session waits for it. */
static void finish_step(struct call *call)
{
    struct session *session = call->session;
    struct hub *hub = call->hub;
    struct step *step = &session->step;

    if (!hub_run_step(hub, step)) {
        cut_response(call, &session->held);
        session->is_paused = true;
        hub_add_working(hub, session);
        return;
    }
    if (!step_has_news(step) && !events_wait(session))
        return;
    cut_response(call, &hub->scratch);
    events_publish(hub, step);
    events_flush(session);
    call->reply_at = session->out.len;
    buf_append(&session->out, hub->scratch.bytes, hub->scratch.len);
    buf_taken(&hub->scratch, hub->scratch.len);
}

/* Calls that wait for what the request put are answered before it is. */
static void serve_takers(struct call *call)
{
    struct buf *out = &call->session->out;
    struct buf *scratch = &call->hub->scratch;

    cut_response(call, scratch);
    takers_serve(call->hub);
    call->reply_at = out->len;
    buf_append(out, scratch->bytes, scratch->len);
    buf_taken(scratch, scratch->len);
}

/* Whether a request is over with its answer: nothing died, nothing is to be told, nobody waits for it. */
static inline __attribute__((always_inline)) bool is_quiet(const struct call *call)
{
    const struct session *session = call->session;
    const struct step *step = &session->step;

    return call->hub->takers.served == NULL && step_is_empty(step) && !step_has_news(step) && !events_wait(session);
}

/* What comes before the answer of a request that is not quiet. */
__attribute__((noinline)) static void settle(struct call *call)
{
    if (call->hub->takers.served != NULL)
        serve_takers(call);
    finish_step(call);
}

/* Its answer is an error; or nothing was wrong but that the output could not hold it. */
__attribute__((cold)) static void fail(struct call *call, enum hd_err err)
{
    dispatch_error(call, err != HD_OK ? err : reply_check(call));
}

static inline __attribute__((always_inline)) void finish(struct call *call, enum hd_err err)
{
    struct session *session = call->session;

    if (err != HD_OK || session->out.failed)
        fail(call, err);
    if (!is_quiet(call))
        settle(call);
    session->last_response = call->reply_at < session->out.len ? session->out.len - call->reply_at : 0;
    if (session->last_response > 0)
        session_answered(session, call->reply_at, call->kept);
    else if (session->is_paused && session->linger != NULL)
        session->linger->held_into = call->kept;
}

void dispatch_finish(struct call *call, enum hd_err err)
{
    finish(call, err);
}

/* -- one frame ---------------------------------------------------------------------------------------------------- */

static enum hd_err no_method(struct call *call, const struct envelope *envelope)
{
    return heap_fail(call->heap, HD_NO_METHOD, "there is no method '%.*s'",
                     (int)(envelope->method_len < 100 ? envelope->method_len : 100), envelope->method);
}

static void refuse_method(struct call *call, const struct envelope *envelope)
{
    dispatch_finish(call, no_method(call, envelope));
}

/* Room for a handle that the answer did not need. */
static void unreserve(struct call *call)
{
    if (call->kept == 0 && !job_is_running(call->session))
        handles_unreserve(call->heap, &call->session->handles, call->opts.into);
    call->is_reserved = false;
}

/* Decodes the parameters and runs the method's handler. */
static inline __attribute__((always_inline)) enum hd_err run_method(struct call *call,
                                                                    const struct envelope *envelope)
{
    enum hd_err err;

    call->reader = (struct reader){envelope->params, envelope->end};
    err = args_read(call, envelope->param_count);
    if (err != HD_OK)
        return err;
    if ((call->method->flags & RPC_ADMIN) != 0 && !call->session->peer.is_admin)
        err = heap_fail(call->heap, HD_DENIED, "%s is for administrators", call->method->name);
    else
        err = handlers[call->number](call);
    if (call->is_reserved)
        unreserve(call);
    args_release(call);
    return err;
}

/* Sets the method that the envelope names; false: there is none. */
static bool find_method(struct call *call, const struct envelope *envelope)
{
    unsigned number = rpc_index_find(&call->hub->methods, envelope->method, envelope->method_len);

    if (number == RPC_METHODS) {
        call->method = NULL;
        return false;
    }
    call_set_method(call, (enum rpc_number)number);
    return true;
}

/* The same, where the one that the call was for before is a good guess: requests that come together are often alike. */
static inline bool guess_method(struct call *call, const struct envelope *envelope)
{
    const struct rpc_method *last = call->method;

    return (last != NULL && last->name_len == envelope->method_len &&
            bytes_are_same(last->name, envelope->method, envelope->method_len)) ||
           find_method(call, envelope);
}

enum hd_err dispatch_step(struct call *call, const struct envelope *envelope)
{
    if (!find_method(call, envelope))
        return no_method(call, envelope);
    if ((call->method->flags & RPC_ALONE) != 0)
        return heap_fail(call->heap, HD_BAD_ARGS, "%s may not stand in a batch", call->method->name);
    call->hub->timing.calls[call->number]++;
    return run_method(call, envelope);
}

/* The same within limits.session_bytes. Most sessions have no such limit: for them it is one comparison. */
static inline __attribute__((always_inline)) enum hd_err run_in_quota(struct call *call,
                                                                      const struct envelope *envelope)
{
    bool has_quota = call->hub->settings.limit_session_bytes != 0 && quota_begin(call->session);
    enum hd_err err = run_method(call, envelope);

    if (has_quota)
        quota_end(call->session);
    return err;
}

enum hd_err dispatch_again(struct call *call, const struct envelope *envelope)
{
    return run_in_quota(call, envelope);
}

/* The request goes on in slices, or waits to be run again. */
static void pause_for_job(struct call *call, const struct envelope *envelope)
{
    if (!freeze_keep(call->session, envelope)) {
        finish(call, heap_no_memory(call->heap));
        return;
    }
    call->session->is_paused = true;
    hub_add_working(call->hub, call->session);
}

/* Most requests are neither timed nor large: they pay for these comparisons. */
static inline void end_timing(const struct call *call, const struct envelope *envelope)
{
    struct session *session = call->session;
    uint64_t objects = call->heap->work_limit - call->heap->work_left;
    bool is_large = timing_is_large(objects, (size_t)(envelope->end - envelope->params), session->last_response);

    if (call->hub->timing.begun_ns != 0 || is_large || session->is_paused)
        timing_end(session, (enum rpc_number)call->number, objects, is_large);
}

/* A request for a method that there is. */
static inline void run_call(struct call *call, const struct envelope *envelope)
{
    struct hub *hub = call->hub;
    uint64_t bytes = *hub->heap_bytes;
    enum hd_err err;

    timing_begin(hub, &hub->timing, (enum rpc_number)call->number);
    err = run_in_quota(call, envelope);
    if (job_is_running(call->session))
        pause_for_job(call, envelope);
    else
        finish(call, err);
    call->session->grown += (int64_t)(*hub->heap_bytes - bytes);
    end_timing(call, envelope);
}

/* What the request before has left. */
static inline void begin_call(struct call *call, const struct envelope *envelope)
{
    call->is_request = envelope->type == 0;
    call->msgid = envelope->msgid;
    call->reply_at = call->session->out.len;
    call->kept = 0;
    call->opts.result = RESULT_AUTO;
}

void dispatch_frame(struct call *call, const struct envelope *envelope)
{
    struct session *session = call->session;
    struct hub *hub = call->hub;

    if (envelope->type == 1) {
        hub->counters.responses++;
        return;
    }
    session->requests++;
    hub->counters.requests++;
    if (envelope->type == 2)
        hub->counters.notifications++;
    if (!buf_reserve(&session->out, REPLY_ROOM))
        return; /* no request is run that could not say what it did: the session ends */
    begin_call(call, envelope);
    heap_work_start(call->heap);
    if (guess_method(call, envelope))
        run_call(call, envelope);
    else
        refuse_method(call, envelope);
}
