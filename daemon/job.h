/*
 * daemon/job.h - a request that takes slices: what goes on while its session waits.
 *
 * A handler that cannot answer at once calls job_begin and returns HD_OK without a reply. Its session is paused,
 * hub_work calls `slice` round robin with all other work of the hub, and when that answers true, `answer` replies as a
 * handler does. A handler reserves what its job needs before job_begin, so that slices do not fail for want of memory.
 */
#ifndef HEAPD_DAEMON_JOB_H
#define HEAPD_DAEMON_JOB_H

#include "daemon/call.h"

struct job_kind {
    /* One slice; true when it is done. What dies in it is told before the answer. */
    bool (*slice)(struct session *session, void *state);
    /* The reply, by exactly one reply function; or an error. `call` has no arguments, and of the options those that say
     * how an object travels. */
    enum hd_err (*answer)(struct call *call, void *state);
    /* Frees the state: after the answer, or when the session ends before it. NULL: nothing to free. */
    void (*drop)(struct session *session, void *state);
    /* Shows every reference that the state holds, to the collector and to the verifier. NULL: none. */
    void (*roots)(void *state, void (*visit)(void *arg, struct obj *o), void *arg);
};

/* Makes the request a job; `state` is the job's from here on. HD_OK; BAD_ARGS in a batch, and `state` is dropped. */
enum hd_err job_begin(struct call *call, const struct job_kind *kind, void *state);

static inline bool job_is_running(const struct session *session)
{
    return session->job.kind != NULL;
}

/* One slice of the session's job; when it is done also its answer, and then true. */
bool job_work(struct session *session);

/* The session ends: its job goes without an answer. */
void job_drop(struct session *session);

/* The references that the session's job holds, if it has one. */
void job_roots(const struct session *session, void (*visit)(void *arg, struct obj *o), void *arg);

#endif
