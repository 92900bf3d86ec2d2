/*
 * daemon/watch.h - who is told when names are bound, unbound, or expire.
 *
 * A namespace that somebody watches has a table of what is watched in it, names and globs, each with its watchers;
 * one that nobody watches has none (struct space, `watches` NULL), so that a change of a name costs one test there.
 * A watched namespace stays, empty or not.
 */
#ifndef HEAPD_DAEMON_WATCH_H
#define HEAPD_DAEMON_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/err.h"
#include "store/kinds/namespace.h"

struct hub;
struct session;
struct watch;

/* Globs of one session: each is tried at every change in its namespace. */
#define WATCH_GLOBS_MAX 1000
/* Bytes of a glob. */
#define WATCH_GLOB_BYTES 1024

enum name_change { NAME_BOUND, NAME_UNBOUND, NAME_EXPIRED };

/* "bound", "unbound", "expired" */
const char *name_change_text(enum name_change change);

/* What one session watches. */
struct session_watches {
    struct watch *first;
    uint64_t count, globs; /* watches, and how many of them are globs */
};

/* Tells the session of this name, or of all that match the glob; once, however often it is asked for. LIMIT at
 * limits.names watches or WATCH_GLOBS_MAX globs, NO_MEMORY. */
enum hd_err watch_add(struct session *session, struct space *space, const char *name, size_t len, bool is_glob);

/* Ends the session's watch of this name and that of this glob; whether there was one. */
bool watch_remove(struct session *session, struct space *space, const char *name, size_t len);

/* Ends the session's watches, at most *budget of them (counting down); true when none is left. */
bool watch_drop(struct session *session, size_t *budget);

/* Tells all who watch the name. */
void watch_tell_all(struct hub *hub, struct space *space, const char *name, size_t len, enum name_change change,
                    uint64_t id);

/* heap->name_expired of a hub, `context`: told at once, so that what becomes of the name next is told after it. */
void watch_expired(void *context, struct obj *space, const struct name *name, uint64_t id);

/* A name has changed: `id` is of the object that it is bound to now, or was bound to. */
static inline void watch_tell(struct hub *hub, struct space *space, const char *name, size_t len,
                              enum name_change change, uint64_t id)
{
    if (space->watches != NULL)
        watch_tell_all(hub, space, name, len, change, id);
}

#endif
