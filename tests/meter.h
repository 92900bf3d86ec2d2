/*
 * tests/meter.h - a source of memory that counts what is asked of it and fails when told to.
 */
#ifndef HEAPD_TESTS_METER_H
#define HEAPD_TESTS_METER_H

#include <stdbool.h>
#include <stdint.h>

#include "store/mem.h"

struct meter {
    struct mem mem;       /* give this to who is tested; its context is the meter */
    uint64_t allocations; /* asked for so far: every call but a release */
    uint64_t fail_at;     /* the allocation of this number fails; 0: none */
    bool fails_on;        /* and every one after it */
    uint64_t bytes;       /* held now */
};

void meter_init(struct meter *meter);

/* The k-th allocation from now on fails (1: the next), and, with `on`, all after it; 0: none any more. */
void meter_fail(struct meter *meter, uint64_t k, bool on);

#endif
