/*
 * daemon/freeze.h - while a long copy goes on in slices, what it may read does not change.
 *
 * A deep copy, a dump or a large read is taken at one instant. One that is not done in its first slice goes on as a
 * job, and from that instant until its end the containers that exist are frozen: a request that would change one waits,
 * as if it had come later. Everything else goes on: reading, names, handles, weak references, deaths, making new
 * objects and changing those. docs/adr/0014-writes-wait-for-a-long-copy.md
 *
 * A load, too, is long work, but nobody else comes to what it makes: it freezes nothing.
 *
 * Who waits has changed nothing: its frame is kept and run again when nothing is frozen any more. Long copies that come
 * while somebody waits to write wait behind them, so that none waits for ever; loads do, too.
 */
#ifndef HEAPD_DAEMON_FREEZE_H
#define HEAPD_DAEMON_FREEZE_H

#include "daemon/call.h"

/* What a method does in slices. */
struct long_work {
    bool freezes; /* it reads what others may write to */
    bool (*run)(void *state, size_t budget); /* about `budget` references; true at the end */
    enum hd_err (*answer)(struct call *call, void *state);
    void (*close)(void *state);
    void (*cancel)(void *state); /* the same before the end, and nothing is left over; small as yet */
    void (*roots)(void *state, void (*visit)(void *arg, struct obj *o), void *arg);
};

/* Does it: at once if one slice will do, or in a batch; else the request becomes a job, or waits. `state` is closed in
 * any case. */
enum hd_err freeze_run(struct call *call, const struct long_work *work, void *state);

/* Whether a change of `o` has to wait. */
static inline bool freeze_holds(const struct heap *heap, const struct obj *o)
{
    return o->id < heap->frozen_below;
}

/* For a handler that would write and has done nothing yet: it returns this at once, and is called again later. Not in a
 * batch. */
enum hd_err freeze_wait_to_write(struct call *call);

/* If the request has asked for that, keeps its frame until then: false without memory. */
bool freeze_keep(struct session *session, const struct envelope *envelope);

#endif
