/*
 * daemon/fair_clock.h - milliseconds by which clients are measured: they pass while the process runs.
 *
 * When it stood still (stopped, swapped out, or busy with one long request) a small part of that is charged at most, as
 * a client's bytes may wait to be read. So whoever waits for a time on this clock winds it every FAIR_CLOCK_TICK_MS.
 */
#ifndef HEAPD_DAEMON_FAIR_CLOCK_H
#define HEAPD_DAEMON_FAIR_CLOCK_H

#include <stdint.h>

#define FAIR_CLOCK_TICK_MS 250
#define FAIR_CLOCK_CHARGE_MAX_MS 500

struct fair_clock {
    uint64_t ms;      /* what it shows */
    uint64_t seen_ms; /* the monotonic clock when it was last wound */
};

/* Winds it to what a monotonic clock shows now; returns what it shows itself. */
static inline uint64_t fair_clock_wind(struct fair_clock *fair, uint64_t now_ms)
{
    uint64_t passed = now_ms - fair->seen_ms;

    fair->ms += passed < FAIR_CLOCK_CHARGE_MAX_MS ? passed : FAIR_CLOCK_CHARGE_MAX_MS;
    fair->seen_ms = now_ms;
    return fair->ms;
}

#endif
