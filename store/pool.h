/*
 * store/pool.h - memory of one heap: small blocks in pages of one size, large ones from store/mem.h, under one limit.
 *
 * Blocks of up to POOL_SMALL_MAX bytes come from 16 KiB pages that hold blocks of one size class (steps of 8 up to 128,
 * of 16 up to 256, of 64 up to 1024) and one use; pages come from 1 MiB arenas. A page that becomes empty can serve any
 * class again; pool_trim gives it back to the system. Nobody stores a block's size: who frees it knows.
 * The scheme is that of slabs (J. Bonwick, "The Slab Allocator", USENIX 1994) without constructors.
 *
 * Containers live in pages of their own, so that all of them can be enumerated without links between them.
 *
 * pool_malloc.c is a twin with the same interface that gives every block to malloc, for sanitizers (HD_POOL_MALLOC).
 */
#ifndef HEAPD_STORE_POOL_H
#define HEAPD_STORE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/mem.h"

#define POOL_SMALL_MAX 1024

enum pool_use {
    POOL_DATA,      /* vectors, tables, objects that refer to nothing */
    POOL_CONTAINER, /* objects that refer to others: enumerable */
    POOL_USES
};

struct pool;
struct table;

/* NULL without memory. `limit`: most bytes that pages in use and large blocks may take together. */
struct pool *pool_open(const struct mem *mem, uint64_t limit);

/* Frees everything, blocks in use too. */
void pool_close(struct pool *pool);

/* A block of at least `size` >= 1 bytes, aligned to 8; NULL at the limit or without memory. Contents undefined. */
void *pool_alloc(struct pool *pool, size_t size, enum pool_use use);

/* The same with all bytes zero; large blocks are not touched for it. */
void *pool_zero(struct pool *pool, size_t size);

/* `size` and `use` as allocated. NULL is fine. Never allocates. */
void pool_free(struct pool *pool, void *block, size_t size, enum pool_use use);

/*
 * Giving back many pages takes the system milliseconds: a large block that was freed leaves in parts. `reserved` counts
 * it until then; `used` does not. An allocation that finds no room sends all of them away first.
 *
 * pool_is_leaving: whether some have not left. pool_leave_some: gives a part back, some 0.2 ms.
 */
bool pool_is_leaving(const struct pool *pool);
void pool_leave_some(struct pool *pool);

/* A POOL_DATA block of another size with the old contents; NULL leaves `block` as it is. Shrinking may fail too. */
void *pool_resize(struct pool *pool, void *block, size_t old_size, size_t size);

/* Room for one more item in a vector of `len` items of `item` bytes: the vector, moved if *capacity had to grow; NULL
 * without memory. A vector begins as NULL with capacity 0. */
static inline void *pool_grow(struct pool *pool, void *vector, size_t len, size_t *capacity, size_t item)
{
    size_t grown = *capacity == 0 ? 16 : *capacity * 2;

    if (len < *capacity)
        return vector;
    vector = pool_resize(pool, vector, *capacity * item, grown * item);
    if (vector != NULL)
        *capacity = grown;
    return vector;
}

/*
 * Memory of pages that became free stays with the process at first: what makes and drops objects by turns makes no
 * system calls. pool_unneeded is how many such pages there have been all the time since it was asked last; pool_trim
 * gives them back, about `pages` of them in a call, and tells how many (0: there are none).
 */
uint64_t pool_unneeded(struct pool *pool);
uint64_t pool_loose(const struct pool *pool); /* how many such pages there are now */
uint64_t pool_trim(struct pool *pool, uint64_t pages);

/* Tables whose storage is far larger than what is in them, for whoever has time: kept by store/table.c. When there is
 * no place, one is not noted, and shrinks with a later insertion. */
struct pool_sparse {
    struct table *tables[32];
    unsigned count;
};
struct pool_sparse *pool_sparse(struct pool *pool);

/* What a block of `size` bytes really takes. */
size_t pool_rounded(size_t size);

/* Bytes handed out (rounded), bytes that count against the limit, and the limit. */
struct pool_stats {
    uint64_t used;
    uint64_t reserved;
    uint64_t limit;
    uint64_t arenas;
};
void pool_stats(const struct pool *pool, struct pool_stats *stats);
void pool_set_limit(struct pool *pool, uint64_t limit);

/* Where the bytes handed out are counted, for those who look often; stays as long as the pool. */
const uint64_t *pool_used(const struct pool *pool);

/* From here on until pool_end_ceiling at most `more` bytes may be handed out beyond those of now, whatever the limit.
 * pool_was_stopped: whether an allocation has failed because of it. */
void pool_set_ceiling(struct pool *pool, uint64_t more);
void pool_end_ceiling(struct pool *pool);
bool pool_was_stopped(const struct pool *pool);

/*
 * One pointer beside a block, for what few blocks have and their own bytes have no room for; NULL at first. All those
 * of a page lie together, and exist while one of them is in use.
 *
 * pool_side_open: where the pointer is; it and its neighbours stay until pool_side_close. NULL without memory, or for a
 * block that lies in no page (pool_has_side): large ones, and all of the twin on malloc.
 * pool_side: the same for a block that has been opened. pool_side_close sets it to NULL and lets go of it.
 */
bool pool_has_side(size_t size);
void **pool_side_open(struct pool *pool, void *block);
void **pool_side(const void *block);
void pool_side_close(struct pool *pool, void *block);

/*
 * Marks of containers, for the collector: one bit a block, in its page, so that looking at a mark touches no object and
 * taking all marks away is one addition. Blocks made while marking is on are marked.
 */
void pool_marks_begin(struct pool *pool); /* no block is marked; marking is on */
void pool_marks_end(struct pool *pool);   /* marking is off; marks no longer mean anything */

/* Marks a block, whatever its use; true if it is a container that was not marked before. Marking is on. */
bool pool_mark(struct pool *pool, const void *block);

/* True if it is a container without a mark, while marking is on. */
bool pool_is_unmarked(const struct pool *pool, const void *block);

/* Remembers that something in the block's page must be looked at again, for pool_revisit. */
void pool_flag_page(struct pool *pool, const void *block);
bool pool_has_flagged(const struct pool *pool);

/* Takes the flag off one page and calls `visit` for its marked blocks in use. Looks at about *budget pages (counting
 * down); false when there was no flagged page among them. */
bool pool_revisit(struct pool *pool, size_t *budget, void (*visit)(void *arg, void *block), void *arg);

/*
 * Goes through all unmarked containers in use, a few pages at a time: pool_sweep_begin, then pool_sweep, which looks at
 * *budget pages at most (counting down) and answers true at the end. `visit` may make and free no container; between
 * two calls everything is allowed.
 */
void pool_sweep_begin(struct pool *pool);
bool pool_sweep(struct pool *pool, size_t *budget, void (*visit)(void *arg, void *block), void *arg);

/*
 * A walk over all containers in use that stops and goes on: what is in use throughout is met exactly once, what is made
 * or freed meanwhile at most once. Any number of them may be under way; between two calls everything is allowed. A
 * container's fifth byte (its type) is POOL_FREE while the block is free.
 */
#define POOL_FREE 0xff
struct pool_walk {
    void *at;         /* the pool's own; NULL at the end */
    unsigned page;
    bool is_inside;   /* of the page; then */
    uint32_t offset;  /* how far */
    struct pool_walk *next; /* of the pool's walks */
};
void pool_walk_begin(struct pool *pool, struct pool_walk *walk);
/* The next block. NULL at the end (pool_walk_is_over), or when *budget steps are spent (counting down). */
void *pool_walk_next(struct pool *pool, struct pool_walk *walk, size_t *budget);
/* After it the walk may be forgotten. Fine for one of zeroes. */
void pool_walk_end(struct pool *pool, struct pool_walk *walk);

static inline bool pool_walk_is_over(const struct pool_walk *walk)
{
    return walk->at == NULL;
}

/* The same in one go: stops when `visit` answers false. Blocks must not be allocated or freed meanwhile. */
static inline void pool_each_container(struct pool *pool, bool (*visit)(void *arg, void *block), void *arg)
{
    struct pool_walk walk;
    size_t all = SIZE_MAX;
    void *block;

    pool_walk_begin(pool, &walk);
    while ((block = pool_walk_next(pool, &walk, &all)) != NULL && visit(arg, block))
        continue;
    pool_walk_end(pool, &walk);
}

#endif
