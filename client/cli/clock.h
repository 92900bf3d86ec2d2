/*
 * client/cli/clock.h - time that only goes forward, for how long something took.
 */
#ifndef HEAPD_CLIENT_CLI_CLOCK_H
#define HEAPD_CLIENT_CLI_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

#endif
