/*
 * daemon/collect.h - the collector of cycles in the hub: what its roots are, when it begins, how long its slices are.
 *
 * It begins by itself when the number of containers has grown by gc.growth and by gc.percent since the last collection;
 * and, when anything was made since, as soon as a collection as long as the last one takes at most a hundredth of the
 * time between the two. While sessions are busy its slices take at most a third of the time; a client that asked (`gc`)
 * pays with its own waiting.
 */
#ifndef HEAPD_DAEMON_COLLECT_H
#define HEAPD_DAEMON_COLLECT_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/roots.h"
#include "store/gc.h"

struct hub;
struct session;

struct collector {
    struct gc *gc;
    struct root_walk roots;    /* how far they are shown */
    uint64_t undrained;        /* sessions whose step the collection waits for */
    uint64_t slice_ended_ns;   /* when the last slice did */
    uint64_t work_ns;          /* of the collection under way, or of the last one */
    uint64_t longest_slice_ns; /* of all */
    uint64_t ended_ns;         /* when the last collection did */
    uint64_t made;             /* heap->made at its end */
};

/* False without memory. */
bool collector_open(struct hub *hub);
void collector_close(struct hub *hub);

/* True while a slice would get on; begins a collection when one is due. */
bool collector_has_work(struct hub *hub);

/* A slice in the background. */
void collector_work(struct hub *hub);

/* A slice for a session that waits for the end of the `goal`-th collection, beginning one if need be; true when it has
 * ended. */
bool collector_work_for(struct hub *hub, uint64_t goal);

/* The session's step is empty. */
void collector_drained(struct hub *hub, struct session *session);

/* True if collector_tick should be called some seconds from now. */
bool collector_wants_tick(const struct hub *hub);

/* Begins a collection if so long a time has passed that one costs little. */
void collector_tick(struct hub *hub);

#endif
