/*
 * pool_trim.c - what is free goes back to the system, when nobody has needed it for a while: not on the path of what
 * dies, nor of what is made next.
 */
#ifndef HD_POOL_MALLOC

#include <sys/mman.h>

#include "store/pool_page.h"

struct pool_sparse *pool_sparse(struct pool *pool)
{
    return &pool->sparse;
}

uint64_t pool_unneeded(struct pool *pool)
{
    uint64_t unneeded = pool->unneeded;

    pool->unneeded = pool->loose;
    return unneeded;
}

uint64_t pool_loose(const struct pool *pool)
{
    return pool->loose;
}

/* Loose pages that stand side by side go in one call. */
static void release_pages(const struct arena *arena)
{
    uint64_t left = arena->loose;

    while (left != 0) {
        unsigned first = (unsigned)__builtin_ctzll(left);
        uint64_t run = left & ~(left + (UINT64_C(1) << first)); /* the carry ends behind the last of them */

        (void)madvise(arena->base + first * POOL_PAGE, (unsigned)__builtin_popcountll(run) * POOL_PAGE, MADV_DONTNEED);
        left &= ~run;
    }
}

static void trim_arena(struct pool *pool, struct arena *arena)
{
    if (arena->taken == FRONT_TAKEN) {
        pool_close_arena(pool, arena);
        return;
    }
    release_pages(arena);
    pool_forget_loose(pool, arena, arena->loose);
    TAILQ_REMOVE(&pool->free_arenas, arena, link); /* behind those that have loose pages */
    TAILQ_INSERT_TAIL(&pool->free_arenas, arena, link);
}

uint64_t pool_trim(struct pool *pool, uint64_t pages)
{
    uint64_t before = pool->loose;
    struct arena *arena;

    while (before - pool->loose < pages && (arena = TAILQ_FIRST(&pool->free_arenas)) != NULL && arena->loose != 0)
        trim_arena(pool, arena);
    return before - pool->loose;
}

#endif
