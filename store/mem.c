/* mem.c - the C library as a source of memory. */
#include "store/mem.h"

#include <stdlib.h>

static void *libc_resize(void *context, void *old, size_t old_size, size_t size)
{
    (void)context;
    (void)old_size;
    return realloc(old, size);
}

static void *libc_zero(void *context, size_t size)
{
    (void)context;
    return calloc(1, size);
}

static void libc_release(void *context, void *block, size_t size)
{
    (void)context;
    (void)size;
    free(block);
}

const struct mem mem_libc = {libc_resize, libc_zero, libc_release, NULL};
