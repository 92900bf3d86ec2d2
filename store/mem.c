/* mem.c - the C library as a source of memory. */
#include "store/mem.h"

#include <malloc.h>
#include <stdlib.h>

static uint64_t used, most_used; /* bytes, and how many there were at most since mem_libc_trim */

static void count(uint64_t change)
{
    used += change;
    if (used > most_used)
        most_used = used;
}

static void *libc_resize(void *context, void *old, size_t old_size, size_t size)
{
    void *block = realloc(old, size);

    (void)context;
    if (block != NULL)
        count(size - old_size);
    return block;
}

static void *libc_zero(void *context, size_t size)
{
    void *block = calloc(1, size);

    (void)context;
    if (block != NULL)
        count(size);
    return block;
}

static void libc_release(void *context, void *block, size_t size)
{
    (void)context;
    used -= size;
    free(block);
}

uint64_t mem_libc_slack(void)
{
    return most_used - used;
}

void mem_libc_trim(void)
{
    most_used = used;
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

const struct mem mem_libc = {libc_resize, libc_zero, libc_release, NULL};
