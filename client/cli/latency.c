/* latency.c - see latency.h. */
#include "client/cli/latency.h"

#include <math.h>

/* The power of two that begins at 64 ns is the first in steps: each is 2 ns wide there. */
static unsigned bucket_of(uint64_t ns)
{
    unsigned power;

    if (ns < LATENCY_FINE)
        return (unsigned)ns;
    power = 63u - (unsigned)__builtin_clzll(ns);
    return LATENCY_FINE + (power - 6) * LATENCY_STEPS + (unsigned)(ns >> (power - 5) & (LATENCY_STEPS - 1));
}

/* The longest time that belongs in it. */
static uint64_t end_of(unsigned bucket)
{
    unsigned power, step;

    if (bucket < LATENCY_FINE)
        return bucket;
    power = 6 + (bucket - LATENCY_FINE) / LATENCY_STEPS;
    step = (bucket - LATENCY_FINE) % LATENCY_STEPS;
    return (UINT64_C(1) << power) + ((uint64_t)(step + 1) << (power - 5)) - 1;
}

void latency_add(struct latency *latency, uint64_t ns)
{
    latency->buckets[bucket_of(ns)]++;
    latency->count++;
    if (ns > latency->longest_ns)
        latency->longest_ns = ns;
}

uint64_t latency_within(const struct latency *latency, double part)
{
    uint64_t wanted = (uint64_t)ceil((double)latency->count * part);
    uint64_t seen = 0;

    for (unsigned bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
        seen += latency->buckets[bucket];
        if (seen >= wanted && seen > 0)
            return end_of(bucket) < latency->longest_ns ? end_of(bucket) : latency->longest_ns;
    }
    return 0;
}
