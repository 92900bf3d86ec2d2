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

/* A root as it is remembered: the session's number and the handle. 0 for the handle: a pin; and for the session: of
 * none. */
struct held_root {
    uint64_t session, handle;
};

/* Whether the root still holds `o`; *session gets its session, NULL for what belongs to none. The search for it begins
 * at *at, where an earlier call with a higher number ended, at first hub->sessions: their numbers fall. */
bool rows_root_holds(struct hub *hub, struct session **at, const struct held_root *root, const struct obj *o,
                     struct session **session);

/* The kind of a slot, as a row tells it, and whether a row tells its index. */
const char *rows_kind(const struct obj *container, const struct slot *slot);
bool rows_has_index(const struct obj *container, const struct slot *slot);

/* A slot of a container. Opens a handle of it, and of a key that is no scalar, if `is_seen`: LIMIT, NO_MEMORY. */
enum hd_err rows_pack_slot(struct call *call, struct obj *container, const struct slot *slot, bool is_seen);

/* A handle of a session, or for 0 a pin; `session` may be NULL for a pin. */
void rows_pack_root(struct call *call, const struct session *session, uint64_t handle, const struct obj *o);

/* What the server itself keeps for ever. */
void rows_pack_immortal(struct call *call, const struct obj *o);

#endif
