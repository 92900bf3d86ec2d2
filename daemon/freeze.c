/* freeze.c - see freeze.h. */
#include "daemon/freeze.h"

#include <assert.h>
#include <string.h>

#include "daemon/job.h"

/* -- waiting: jobs that only look whether their time has come; whom they wait for has work to do meanwhile -------- */

/* A request that waits to be run. */
struct waiting {
    struct envelope envelope; /* of what is in `frame` */
    size_t size;              /* of this, with the frame */
    char frame[];
};

static void drop(struct session *session, void *state)
{
    struct waiting *waiting = state;

    if (waiting != NULL)
        hub_free(session->hub, waiting, waiting->size);
}

static void drop_writer(struct session *session, void *state)
{
    session->hub->frozen_writers--;
    drop(session, state);
}

static bool may_write(struct session *session, void *state)
{
    (void)state;
    return session->hub->freezes == 0;
}

static bool may_copy(struct session *session, void *state)
{
    return may_write(session, state) && session->hub->frozen_writers == 0;
}

static enum hd_err run_again(struct call *call, void *state)
{
    const struct waiting *waiting = state;

    return dispatch_again(call, &waiting->envelope);
}

static const struct job_kind writer = {may_write, run_again, drop_writer, NULL};
static const struct job_kind copier = {may_copy, run_again, drop, NULL};

enum hd_err freeze_wait_to_write(struct call *call)
{
    call->hub->frozen_writers++;
    return job_begin(call, &writer, NULL);
}

/* For one who has found out that he will take long. */
static enum hd_err wait_to_copy(struct call *call)
{
    return job_begin(call, &copier, NULL);
}

bool freeze_keep(struct session *session, const struct envelope *envelope)
{
    size_t len = (size_t)(envelope->end - envelope->params);
    struct waiting *waiting;

    if (session->job.kind != &writer && session->job.kind != &copier)
        return true;
    waiting = hub_alloc(session->hub, sizeof *waiting + len);
    if (waiting == NULL) {
        job_drop(session);
        return false;
    }
    waiting->envelope = *envelope;
    waiting->envelope.params = waiting->frame;
    waiting->envelope.end = waiting->frame + len;
    waiting->size = sizeof *waiting + len;
    memcpy(waiting->frame, envelope->params, len);
    session->job.state = waiting;
    return true;
}

/* -- long work ---------------------------------------------------------------------------------------------------- */

/* Work under way. */
struct going {
    const struct long_work *work;
    void *state;
};

static void freeze(struct hub *hub)
{
    hub->freezes++;
    hub->heap->frozen_below = hub->heap->next_id;
}

static void thaw(struct hub *hub)
{
    assert(hub->freezes > 0);
    if (--hub->freezes == 0)
        hub->heap->frozen_below = 0;
}

static bool part(void *arg, size_t budget)
{
    const struct going *going = arg;

    return going->work->run(going->state, budget);
}

/* What is left of limits.session_bytes holds for slices as for requests. */
static bool long_slice(struct session *session, void *state)
{
    struct hub *hub = session->hub;
    bool has_quota = quota_begin(session);
    bool is_done;

    is_done = hub_slice(hub, hub->settings.slice_us, part, state);
    if (has_quota)
        quota_end(session);
    return is_done;
}

static enum hd_err long_answer(struct call *call, void *state)
{
    const struct going *going = state;
    bool has_quota = quota_begin(call->session);
    enum hd_err err;

    err = going->work->answer(call, going->state);
    if (has_quota)
        quota_end(call->session);
    return err;
}

static void long_drop(struct session *session, void *state)
{
    struct going *going = state;

    going->work->close(going->state);
    session->hub->long_works--;
    if (going->work->freezes)
        thaw(session->hub);
    hub_free(session->hub, going, sizeof *going);
}

static void long_roots(void *state, void (*visit)(void *arg, struct obj *o), void *arg)
{
    const struct going *going = state;

    going->work->roots(going->state, visit, arg);
}

static const struct job_kind long_job = {long_slice, long_answer, long_drop, long_roots};

/* The first slice was not enough. */
static enum hd_err go_on(struct call *call, const struct going *begun)
{
    struct going *going;

    if (call->hub->frozen_writers > 0) {
        begun->work->cancel(begun->state);
        return wait_to_copy(call);
    }
    going = hub_alloc(call->hub, sizeof *going);
    if (going == NULL) {
        begun->work->cancel(begun->state);
        return heap_no_memory(call->heap);
    }
    *going = *begun;
    call->hub->long_works++;
    if (begun->work->freezes)
        freeze(call->hub);
    return job_begin(call, &long_job, going);
}

enum hd_err freeze_run(struct call *call, const struct long_work *work, void *state)
{
    struct going going = {work, state};
    enum hd_err err;

    if (call->is_step)
        while (!work->run(state, SIZE_MAX))
            continue;
    else if (!hub_slice(call->hub, call->hub->settings.slice_us, part, &going))
        return go_on(call, &going);
    err = work->answer(call, state);
    work->close(state);
    return err;
}
