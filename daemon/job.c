/* job.c - see job.h. */
#include "daemon/job.h"

enum hd_err job_begin(struct call *call, const struct job_kind *kind, void *state)
{
    if (call->is_step) {
        if (kind->drop != NULL)
            kind->drop(call->session, state);
        return heap_fail(call->heap, HD_BAD_ARGS, "%s: what takes slices may not stand in a batch", call->method->name);
    }
    call->session->job = (struct job){.kind = kind, .state = state, .number = call->number, .msgid = call->msgid,
                                      .is_request = call->is_request, .result = (uint8_t)call->opts.result,
                                      .into = call->opts.into, .manner = call->session->manner};
    return HD_OK;
}

/* A request means what it meant when it came, and its answer is of one piece: a resume may have changed the session's
 * manner since. */
static void write_as(struct session *session, const struct manner *manner)
{
    session->manner.refs = manner->refs;
    session->manner.raw_bytes = manner->raw_bytes;
    session->manner.depth = manner->depth;
}

static void drop_state(struct session *session, const struct job *job)
{
    if (job->kind->drop != NULL)
        job->kind->drop(session, job->state);
}

static void answer(struct session *session, const struct job *job)
{
    struct call call;
    enum hd_err err;

    call_init(&call, session);
    call_set_method(&call, (enum rpc_number)job->number);
    call.is_request = job->is_request;
    call.msgid = job->msgid;
    call.opts.result = (enum result_mode)job->result;
    call.opts.into = job->into;
    heap_work_start(call.heap);
    err = job->kind->answer(&call, job->state);
    drop_state(session, job);
    if (job_is_running(session)) /* it was a request that has waited (freeze.h), and goes on as a job of its own */
        session->is_paused = true;
    else
        dispatch_finish(&call, err);
}

bool job_work(struct session *session)
{
    struct heap *heap = session->hub->heap;
    struct job job = session->job;
    struct manner now = session->manner;
    bool is_done;

    write_as(session, &job.manner);
    heap->step = &session->step;
    is_done = job.kind->slice(session, job.state);
    if (is_done) {
        session->job.kind = NULL;
        session->is_paused = false;
        answer(session, &job);
    }
    heap->step = NULL;
    write_as(session, &now);
    if (is_done) {
        session_check_output(session);
        session_wake(session);
    }
    return is_done;
}

void job_drop(struct session *session)
{
    struct heap *heap = session->hub->heap;
    struct step *step = heap->step; /* of another session's request, if that ends this one */
    struct job job = session->job;

    if (job.kind == NULL)
        return;
    session->job.kind = NULL;
    session->is_paused = false;
    heap->step = &session->step;
    drop_state(session, &job);
    heap->step = step;
}

void job_roots(const struct session *session, void (*visit)(void *arg, struct obj *o), void *arg)
{
    const struct job *job = &session->job;

    if (job->kind != NULL && job->kind->roots != NULL)
        job->kind->roots(job->state, visit, arg);
}
