/*
 * store/mem.h - where a heap takes memory from: a table of functions, so that tests can fail any allocation.
 */
#ifndef HEAPD_STORE_MEM_H
#define HEAPD_STORE_MEM_H

#include <stddef.h>
#include <stdint.h>

struct mem {
    /* As realloc: old NULL allocates; never called with size 0. NULL: no memory, `old` stands. */
    void *(*resize)(void *context, void *old, size_t old_size, size_t size);
    /* As calloc(1, size): large blocks come zeroed from the system, without touching them. */
    void *(*zero)(void *context, size_t size);
    void (*release)(void *context, void *block, size_t size);
    void *context;
};

/* The C library's allocator. */
extern const struct mem mem_libc;

/* By how many bytes those in use that came from mem_libc are fewer than they were at most since mem_libc_trim: what was
 * given back, and not needed again since. */
uint64_t mem_libc_slack(void);

/* It gives what is free within its own heap back to the system. Takes time for each free piece of a page or more, and
 * for each page that goes. */
void mem_libc_trim(void);

#endif
