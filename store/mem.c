/* mem.c - the C library as a source of memory. */
#include "store/mem.h"

#include <malloc.h>
#include <stdlib.h>

static uint64_t freed;

static void *libc_resize(void *context, void *old, size_t old_size, size_t size)
{
    void *block = realloc(old, size);

    (void)context;
    if (block != NULL)
        freed += old_size;
    return block;
}

static void *libc_zero(void *context, size_t size)
{
    (void)context;
    return calloc(1, size);
}

static void libc_release(void *context, void *block, size_t size)
{
    (void)context;
    freed += size;
    free(block);
}

uint64_t mem_libc_freed(void)
{
    return freed;
}

void mem_libc_trim(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

const struct mem mem_libc = {libc_resize, libc_zero, libc_release, NULL};
