/*
 * client/cli/latency.h - how long many things took: counted by size, so that any number of them takes no more memory.
 *
 * Buckets are those of HdrHistogram (G. Tene): 32 to each power of two, so that what is told is at most 3 % too much.
 */
#ifndef HEAPD_CLIENT_CLI_LATENCY_H
#define HEAPD_CLIENT_CLI_LATENCY_H

#include <stdint.h>

#define LATENCY_FINE 64u /* below it each nanosecond has a bucket */
#define LATENCY_STEPS 32u /* buckets of each power of two from there on */
#define LATENCY_BUCKETS (LATENCY_FINE + 58 * LATENCY_STEPS)

/* All zero: nothing counted yet. */
struct latency {
    uint64_t count;
    uint64_t longest_ns; /* exactly */
    uint64_t buckets[LATENCY_BUCKETS];
};

void latency_add(struct latency *latency, uint64_t ns);

/* The time within which this part of them, 0 ... 1, was done; 0 if there were none. */
uint64_t latency_within(const struct latency *latency, double part);

#endif
