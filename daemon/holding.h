/*
 * daemon/holding.h - the request that looks for all that holds one object: `referrers`, and `info` with holders. A job
 * (job.h).
 *
 * What it tells held at the moment of the answer, and is all that held then: as many as the object's count, less the
 * request's own (store/why.c says why that proves it). While the numbers differ it looks again; after HOLDING_TRIES
 * times, on an object whose holders change without an end, it tells what it knows. Of an immortal object, which has no
 * count, it tells what it met.
 */
#ifndef HEAPD_DAEMON_HOLDING_H
#define HEAPD_DAEMON_HOLDING_H

#include "daemon/call.h"
#include "daemon/sight.h"

#define HOLDING_TRIES 8

struct holding_job {
    struct obj *target;       /* owned: the request's pin */
    struct holders holders;
    struct root_walk roots;
    struct sight sight;
    enum { HOLDING_CONTAINERS, HOLDING_ROOTS, HOLDING_SIGHT, HOLDING_COUNT } stage;
    uint64_t limit;           /* references told at most */
    bool needs_sight;         /* containers are told */
    bool hides_pin;           /* the request's own does not count */
    unsigned tries;
    enum hd_err err;
};

/* Makes the request a job that ends with `answer`, whose state is a struct holding_job. `limit` 1 ... */
enum hd_err holding_begin(struct call *call, struct obj *target, uint64_t limit, bool needs_sight,
                          const struct job_kind *kind);

/* The functions of such a job's kind, but its answer. */
bool holding_slice(struct session *session, void *state);
void holding_drop(struct session *session, void *state);
void holding_roots(void *state, void (*visit)(void *arg, struct obj *o), void *arg);

/* One reference: a slot of `container`, or, if that is NULL, a handle (0: a pin) of `session`,
 * which is NULL for a pin of none. False ends the walk. */
typedef bool held_fn(void *arg, struct obj *container, const struct slot *slot, bool is_seen,
                     struct session *session, uint64_t handle);

/* All that hold the target now, `limit` at most: how many. */
uint64_t holding_each_now(struct hub *hub, struct holding_job *job, held_fn *visit, void *arg);

#endif
