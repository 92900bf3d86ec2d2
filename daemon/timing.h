/*
 * daemon/timing.h - how long requests take: a histogram for each method, and the slowest ones.
 *
 * A look at the clock costs a tenth of what a quick request does, so not every request pays for two (docs/adr/0011).
 * The clock is read once for each turn of a session. Of every method the first request and each TIMING_STRIDE-th after
 * it are timed from their beginning to their end; and every one that turns out to be large, that is one that did much
 * work, took or gave many bytes, or was done in slices. A large one that was not timed from its beginning counts from
 * the last look at the clock, in the same turn: a few microseconds too much at most. So every slow request is known by
 * itself, and how the quick ones spread is known from a sample of them.
 *
 * If slowlog_us asks for requests that may be quick, every request is timed.
 */
#ifndef HEAPD_DAEMON_TIMING_H
#define HEAPD_DAEMON_TIMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/rpc.h"

struct buf;
struct hub;
struct session;

#define TIMING_STRIDE 32         /* a power of two */
#define TIMING_LARGE_UNITS 1000  /* of work */
#define TIMING_LARGE_BYTES 32768 /* of the frame or the response */
#define TIMING_ALL_BELOW_US 4000 /* with a slowlog_us below it every request is timed */
#define TIMING_BUCKETS 32        /* bucket 0: less than 1 us; bucket n: less than 2^n us, and 2^(n-1) or more */

#define SLOW_KEPT 128 /* slow requests, the latest */

struct method_times {
    uint64_t errors;
    uint64_t longest_us;
    uint64_t quick[TIMING_BUCKETS]; /* timed as a sample */
    uint64_t large[TIMING_BUCKETS]; /* each of them */
};

struct slow_request {
    uint64_t us;
    uint64_t objects; /* units of work */
    uint64_t session;
    int64_t at;       /* seconds since 1970 */
    enum rpc_number method;
};

struct timing {
    uint64_t lap_ns;   /* the last look at the clock in this turn */
    uint64_t begun_ns; /* of the request that runs, if it is timed from there; else 0 */
    uint64_t mask;     /* a request is timed if the number of its method's calls has none of these bits */
    uint64_t slow_count; /* slow requests since the start; those kept are the last ones, number n at n % SLOW_KEPT */
    struct slow_request slow[SLOW_KEPT];
    uint64_t calls[RPC_METHODS]; /* of each method; apart, for they are what every request counts */
    struct method_times methods[RPC_METHODS];
};

/* A request that is answered in slices, from its pause to its answer. */
struct timed_pause {
    uint64_t begun_ns;
    uint64_t objects;
    enum rpc_number method;
};

/* slowlog_us was set. */
void timing_configure(struct hub *hub);

/* A turn of a session begins: requests follow. */
void timing_turn(struct hub *hub);

/* The request that runs is timed from here. */
void timing_start(struct hub *hub);

/* Before the handler of a method: counts the call, and times it if it is its turn. `timing` is the hub's. */
static inline void timing_begin(struct hub *hub, struct timing *timing, enum rpc_number method)
{
    if ((timing->calls[method]++ & timing->mask) == 0)
        timing_start(hub);
}

/* Whether a request is large, by its units of work and the bytes of frame and response. Nearly all are so small that
 * the sum of the three tells. */
static inline bool timing_is_large(uint64_t objects, size_t frame, size_t response)
{
    if (objects + frame + response <= TIMING_LARGE_UNITS)
        return false;
    return objects > TIMING_LARGE_UNITS || frame > TIMING_LARGE_BYTES || response > TIMING_LARGE_BYTES;
}

/* A request that was timed or is large is answered, or has become a pause of its session. */
void timing_end(struct session *session, enum rpc_number method, uint64_t objects, bool is_large);

/* The request that paused the session is answered. */
void timing_answered(struct session *session);

/* The map `methods` of stats("requests"): those that were called. The counts of a histogram are as many as the calls:
 * quick ones, of which some were timed, are spread as those were. */
void timing_pack_methods(const struct hub *hub, struct buf *out);

#endif
