/* freeze.c - see freeze.h. */
#include "daemon/freeze.h"

#include <assert.h>
#include <string.h>

#include "daemon/job.h"

void freeze_begin(struct hub *hub)
{
    hub->freezes++;
    hub->heap->frozen_below = hub->heap->next_id;
}

void freeze_end(struct hub *hub)
{
    assert(hub->freezes > 0);
    if (--hub->freezes == 0)
        hub->heap->frozen_below = 0;
}

bool freeze_has_writers(const struct hub *hub)
{
    return hub->frozen_writers > 0;
}

/* -- waiting: jobs that only look whether their time has come; whom they wait for has work to do meanwhile ---------- */

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
    return may_write(session, state) && !freeze_has_writers(session->hub);
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

enum hd_err freeze_wait_to_copy(struct call *call)
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
