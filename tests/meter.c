/* meter.c - a source of memory that counts and fails. */
#include "tests/meter.h"

#include <stdlib.h>

static bool fails(struct meter *meter)
{
    meter->allocations++;
    if (meter->fail_at == 0)
        return false;
    return meter->fails_on ? meter->allocations >= meter->fail_at : meter->allocations == meter->fail_at;
}

static void *meter_resize(void *context, void *old, size_t old_size, size_t size)
{
    struct meter *meter = context;
    void *block = fails(meter) ? NULL : realloc(old, size);

    if (block != NULL)
        meter->bytes += size - old_size;
    return block;
}

static void *meter_zero(void *context, size_t size)
{
    struct meter *meter = context;
    void *block = fails(meter) ? NULL : calloc(1, size);

    if (block != NULL)
        meter->bytes += size;
    return block;
}

static void meter_release(void *context, void *block, size_t size)
{
    struct meter *meter = context;

    meter->bytes -= size;
    free(block);
}

void meter_init(struct meter *meter)
{
    *meter = (struct meter){.mem = {meter_resize, meter_zero, meter_release, meter}};
}

void meter_fail(struct meter *meter, uint64_t k, bool on)
{
    meter->fail_at = k == 0 ? 0 : meter->allocations + k;
    meter->fails_on = on;
}
