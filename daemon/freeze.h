/*
 * daemon/freeze.h - while a long copy goes on in slices, what it may read does not change.
 *
 * A deep copy, a dump or a large read is taken at one instant. One that is not done in its first slice goes on as a job,
 * and from that instant until its end the containers that exist are frozen: a request that would change one waits, as
 * if it had come later. Everything else goes on: reading, names, handles, weak references, deaths, making new objects
 * and changing those. docs/adr/0014-writes-wait-for-a-long-copy.md
 *
 * Who waits has changed nothing: its frame is kept and run again when nothing is frozen any more. Long copies that come
 * while somebody waits to write wait behind them, so that none waits for ever.
 */
#ifndef HEAPD_DAEMON_FREEZE_H
#define HEAPD_DAEMON_FREEZE_H

#include "daemon/call.h"

/* A long copy begins, ends; there may be several at once. */
void freeze_begin(struct hub *hub);
void freeze_end(struct hub *hub);

/* Whether a change of `o` has to wait. */
static inline bool freeze_holds(const struct heap *heap, const struct obj *o)
{
    return o->id < heap->frozen_below;
}

/* Whether somebody waits to write: a copy that would become long has to wait for that. */
bool freeze_has_writers(const struct hub *hub);

/* For a handler that has done nothing yet: it returns this at once, and is called again later. Not in a batch. */
enum hd_err freeze_wait_to_write(struct call *call);
enum hd_err freeze_wait_to_copy(struct call *call);

/* If the request has asked for that, keeps its frame until then: false without memory. */
bool freeze_keep(struct session *session, const struct envelope *envelope);

#endif
