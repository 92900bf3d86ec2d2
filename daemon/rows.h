/*
 * daemon/rows.h - the rows of `referrers` and `path`: one reference each, told so far as the asker may see it.
 *
 * Of a container `type` and `id` are its own, of a name, handle or pin those of the object that it refers to.
 */
#ifndef HEAPD_DAEMON_ROWS_H
#define HEAPD_DAEMON_ROWS_H

#include "daemon/call.h"
#include "daemon/roots.h"
#include "store/kind.h"

/* The session of this number, from `*at` on, where an earlier call with a higher number ended (at first hub->sessions, whose
 * numbers fall); NULL if it is gone. */
struct session *rows_session(struct session **at, uint64_t number);

/* Whether the handle still refers to `o`; for 0, whether a pin of the session does. */
bool rows_root_holds(struct session *session, uint64_t handle, const struct obj *o);

/* A slot of a container. Opens a handle of it, and of a key that is no scalar, if `is_seen`: LIMIT, NO_MEMORY. */
enum hd_err rows_pack_slot(struct call *call, struct obj *container, const struct slot *slot, bool is_seen);

/* A handle of a session, or for 0 a pin. */
void rows_pack_root(struct call *call, const struct session *session, uint64_t handle, const struct obj *o);

/* What the server itself keeps for ever. */
void rows_pack_immortal(struct call *call, const struct obj *o);

#endif
