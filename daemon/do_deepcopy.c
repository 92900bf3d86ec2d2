/* do_deepcopy.c - a deep copy: at once if one slice will do, else as a job (job.h) over a frozen graph (freeze.h). */
#include "daemon/freeze.h"
#include "daemon/job.h"
#include "store/copy.h"

static bool part(void *arg, size_t budget)
{
    return deepcopy_run(arg, budget);
}

static bool slice(struct session *session, void *state)
{
    struct hub *hub = session->hub;
    bool has_quota = hub->settings.limit_session_bytes != 0;
    bool is_done;

    if (has_quota)
        quota_begin(session);
    is_done = hub_slice(hub, hub->settings.slice_us, part, state);
    if (has_quota)
        quota_end(session);
    return is_done;
}

static enum hd_err answer(struct call *call, void *state)
{
    struct obj *copy = NULL;
    enum hd_err err = deepcopy_result(state, &copy);

    return err == HD_OK ? reply_object_take(call, &copy) : err;
}

static void drop(struct session *session, void *state)
{
    deepcopy_close(state);
    freeze_end(session->hub);
}

static void roots(void *state, void (*visit)(void *arg, struct obj *o), void *arg)
{
    deepcopy_roots(state, visit, arg);
}

static const struct job_kind kind = {slice, answer, drop, roots};

/* A copy with a cycle in it would not die of an answer that cannot be sent: so the answer is tried with the
 * original. */
static enum hd_err try_answer(struct call *call)
{
    uint64_t first = call->session->handles.next;
    enum hd_err err = reply_object(call, call->args[0].o);

    if (err == HD_OK)
        reply_undo(call, first);
    return err;
}

/* The first slice was not enough. */
static enum hd_err go_on(struct call *call, struct deepcopy *d)
{
    if (freeze_has_writers(call->hub)) {
        deepcopy_cancel(d);
        return freeze_wait_to_copy(call);
    }
    freeze_begin(call->hub);
    return job_begin(call, &kind, d);
}

enum hd_err do_deepcopy(struct call *call)
{
    struct deepcopy *d;
    enum hd_err err = try_answer(call);

    if (err == HD_OK)
        err = deepcopy_open(call->heap, call->args[0].o, &d);
    if (err != HD_OK)
        return err;
    if (call->is_step)
        while (!deepcopy_run(d, SIZE_MAX))
            continue;
    else if (!hub_slice(call->hub, call->hub->settings.slice_us, part, d))
        return go_on(call, d);
    err = answer(call, d);
    deepcopy_close(d);
    return err;
}
