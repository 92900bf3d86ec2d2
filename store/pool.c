/*
 * pool.c - slabs: arenas of 1 MiB, pages of 16 KiB, blocks of one size class and use.
 *
 * Invariants:
 * - a page in use is on its class's list if and only if it has a free block; a page with no block in use is its
 *   arena's.
 * - of each class and use one block may be spare: given back, ready to be handed out, but in use as far as its page
 *   knows. So what small requests free and make by turns costs no list. Its page has another block in use: a spare one
 *   keeps no page.
 * - an arena is on the list of arenas with free pages if and only if it has one.
 * - a page that is free is loose, and its memory the process's, until pool_trim; those are the first to be used again.
 * - reserved = POOL_PAGE for every page in use + every large block, those that leave too.
 */
#ifndef HD_POOL_MALLOC

#include "store/pool_page.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>

/* The class of blocks for `size` bytes, and what they take. */
static inline unsigned class_for(size_t size, size_t *rounded)
{
    if (size <= 128) {
        *rounded = (size + 7) / 8 * 8;
        return (unsigned)((size + 7) / 8 - 1);
    }
    if (size <= 256) {
        *rounded = (size + 15) / 16 * 16;
        return (unsigned)(16 + (size - 128 + 15) / 16 - 1);
    }
    *rounded = (size + 63) / 64 * 64;
    return (unsigned)(24 + (size - 256 + 63) / 64 - 1);
}

size_t pool_rounded(size_t size)
{
    if (size <= POOL_SMALL_MAX)
        (void)class_for(size, &size);
    return size;
}

/* -- arenas ------------------------------------------------------------------------------------------------------- */

/* POOL_ARENA bytes aligned to POOL_ARENA, so that a block's page is found by masking its address. */
static char *map_aligned(void)
{
    char *wide = mmap(NULL, 2 * POOL_ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t before;

    if (wide == MAP_FAILED)
        return NULL;
    before = (size_t)(-(uintptr_t)wide & (POOL_ARENA - 1));
    if (before > 0)
        munmap(wide, before);
    munmap(wide + before + POOL_ARENA, POOL_ARENA - before);
    return wide + before;
}

static struct arena *arena_open(struct pool *pool)
{
    struct arena *arena = pool->mem->zero(pool->mem->context, sizeof *arena);

    if (arena == NULL)
        return NULL;
    arena->base = map_aligned();
    if (arena->base == NULL) {
        pool->mem->release(pool->mem->context, arena, sizeof *arena);
        return NULL;
    }
    arena->taken = FRONT_TAKEN;
    arena->next = pool->arenas;
    if (pool->arenas != NULL)
        pool->arenas->prev = arena;
    pool->arenas = arena;
    TAILQ_INSERT_TAIL(&pool->free_arenas, arena, link);
    pool->stats.arenas++;
    return arena;
}

void pool_close_arena(struct pool *pool, struct arena *arena)
{
    pool_walks_leave_arena(pool, arena);
    pool_forget_loose(pool, arena, arena->loose);
    if (arena->taken != UINT64_MAX)
        TAILQ_REMOVE(&pool->free_arenas, arena, link);
    if (arena->prev != NULL)
        arena->prev->next = arena->next;
    else
        pool->arenas = arena->next;
    if (arena->next != NULL)
        arena->next->prev = arena->prev;
    munmap(arena->base, POOL_ARENA);
    pool->mem->release(pool->mem->context, arena, sizeof *arena);
    pool->stats.arenas--;
}

/* -- pages -------------------------------------------------------------------------------------------------------- */

static void link_page(struct pool *pool, struct page *page)
{
    struct page **list = &pool->pages[page->use][page->class];

    page->prev = NULL;
    page->next = *list;
    if (*list != NULL)
        (*list)->prev = page;
    *list = page;
}

static void unlink_page(struct pool *pool, struct page *page)
{
    if (page->prev != NULL)
        page->prev->next = page->next;
    else
        pool->pages[page->use][page->class] = page->next;
    if (page->next != NULL)
        page->next->prev = page->prev;
}

/* -- large blocks that leave --------------------------------------------------------------------------------------- */

#define LEAVE_PART ((size_t)2 << 20)

bool pool_is_leaving(const struct pool *pool)
{
    return pool->leaving != NULL;
}

void pool_leave_some(struct pool *pool)
{
    const struct mem *mem = pool->mem;
    struct leaving *block = pool->leaving;
    size_t size = block->size;
    struct leaving *rest = size > LEAVE_PART ? mem->resize(mem->context, block, size, size - LEAVE_PART) : NULL;

    if (rest != NULL) {
        rest->size -= LEAVE_PART;
        pool->leaving = rest;
        pool->stats.reserved -= LEAVE_PART;
        return;
    }
    pool->leaving = block->next;
    pool->stats.reserved -= size;
    mem->release(mem->context, block, size);
}

static void leave(struct pool *pool, void *block, size_t size)
{
    struct leaving *leaving = block;

    *leaving = (struct leaving){pool->leaving, size};
    pool->leaving = leaving;
    if (size <= LEAVE_PART)
        pool_leave_some(pool);
}

/* -- limits -------------------------------------------------------------------------------------------------------- */

/* Whether the ceiling lets so many bytes be handed out. */
static bool below_ceiling(struct pool *pool, size_t more)
{
    if (more <= pool->ceiling - pool->stats.used)
        return true;
    pool->was_stopped = true;
    return false;
}

/* Whether the limit does, once all that is to leave has left. */
static bool within_limit(struct pool *pool, size_t more)
{
    while (pool->leaving != NULL && (more > pool->stats.limit || pool->stats.reserved > pool->stats.limit - more))
        pool_leave_some(pool);
    return more <= pool->stats.limit && pool->stats.reserved <= pool->stats.limit - more;
}

/* Loose pages are no reason to take more memory than the limit: they go, as many as `more` bytes of another kind ask
 * for. */
static bool make_way(struct pool *pool, size_t more)
{
    uint64_t taken = pool->loose * POOL_PAGE;

    if (!within_limit(pool, more))
        return false;
    taken += pool->stats.reserved + more;
    if (taken > pool->stats.limit)
        (void)pool_trim(pool, (taken - pool->stats.limit) / POOL_PAGE + 1);
    return true;
}

static struct page *page_open(struct pool *pool, unsigned class, enum pool_use use)
{
    struct arena *arena;
    struct page *page;
    unsigned slot;

    if (!within_limit(pool, POOL_PAGE))
        return NULL;
    arena = TAILQ_EMPTY(&pool->free_arenas) ? arena_open(pool) : TAILQ_FIRST(&pool->free_arenas);
    if (arena == NULL)
        return NULL;
    slot = (unsigned)__builtin_ctzll(arena->loose != 0 ? arena->loose : ~arena->taken);
    pool_forget_loose(pool, arena, arena->loose & UINT64_C(1) << slot);
    arena->taken |= UINT64_C(1) << slot;
    if (arena->taken == UINT64_MAX)
        TAILQ_REMOVE(&pool->free_arenas, arena, link);
    page = &front_of(arena->base)->pages[slot];
    *page = (struct page){.arena = arena, .reciprocal = reciprocal_of(class_size(class)), .magic = POOL_MAGIC,
                          .class = (uint8_t)class, .use = (uint8_t)use};
    link_page(pool, page);
    pool->stats.reserved += POOL_PAGE;
    return page;
}

static void page_close(struct pool *pool, struct page *page)
{
    struct arena *arena = page->arena;
    uint64_t bit = UINT64_C(1) << page_number(page);

    unlink_page(pool, page);
    pool_walks_leave_page(pool, page);
    pool->flagged -= page->is_flagged;
    page->magic = 0;
    if (arena->loose == 0) {
        if (arena->taken != UINT64_MAX)
            TAILQ_REMOVE(&pool->free_arenas, arena, link);
        TAILQ_INSERT_HEAD(&pool->free_arenas, arena, link);
    }
    arena->taken &= ~bit;
    arena->loose |= bit;
    pool->loose++;
    pool->stats.reserved -= POOL_PAGE;
}

static bool page_is_full(const struct page *page, size_t size)
{
    return page->free == NULL && page->fresh + size > POOL_PAGE;
}

/* -- blocks ------------------------------------------------------------------------------------------------------- */

/* Where a free block names the next one: behind the type, which containers keep; data at its beginning, so that blocks
 * may be as small as that. */
static void **link_of(const struct page *page, void *block)
{
    return (void **)block + (page->use == POOL_CONTAINER ? 1 : 0);
}

static __attribute__((noinline)) void *mark_new(const struct pool *pool, void *block)
{
    struct page *page = page_of(block);

    set_mark(pool, page, number_of(page, block));
    return block;
}

static inline void *hand_out(struct pool *pool, void *block, size_t size, enum pool_use use)
{
    pool->stats.used += size;
    return pool->is_marking && use == POOL_CONTAINER ? mark_new(pool, block) : block;
}

/* A block of a page on the list of its class, or of a new page. Out of line: so that what hands out a spare block is no
 * more than that. */
static __attribute__((noinline)) void *take_block(struct pool *pool, unsigned class, enum pool_use use)
{
    struct page *page = pool->pages[use][class];
    size_t size = class_size(class);
    void *block;

    if (page == NULL)
        page = page_open(pool, class, use);
    if (page == NULL)
        return NULL;
    if (page->free != NULL) {
        block = page->free;
        page->free = *link_of(page, block);
    } else {
        block = page_blocks(page) + page->fresh;
        page->fresh = (uint16_t)(page->fresh + size);
    }
    page->in_use++;
    if (page_is_full(page, size))
        unlink_page(pool, page);
    return hand_out(pool, block, size, use);
}

static void return_block(struct pool *pool, struct page *page, void *block)
{
    if (page_is_full(page, class_size(page->class)))
        link_page(pool, page);
    *link_of(page, block) = page->free;
    page->free = block;
    page->in_use--;
}

static __attribute__((noinline)) void *large_alloc(struct pool *pool, size_t size, bool zeroed)
{
    void *block;

    if (!make_way(pool, size) || !below_ceiling(pool, size))
        return NULL;
    block = zeroed ? pool->mem->zero(pool->mem->context, size)
                   : pool->mem->resize(pool->mem->context, NULL, 0, size);
    if (block == NULL)
        return NULL;
    pool->stats.reserved += size;
    pool->stats.used += size;
    return block;
}

void *pool_alloc(struct pool *pool, size_t size, enum pool_use use)
{
    unsigned class;
    void *block;

    assert(size > 0);
    if (size > POOL_SMALL_MAX) {
        assert(use == POOL_DATA); /* a container's own block is small: what it holds lies in a vector or table */
        return large_alloc(pool, size, false);
    }
    class = class_for(size, &size);
    if (!below_ceiling(pool, size))
        return NULL;
    block = pool->spare[use][class];
    if (block == NULL)
        return take_block(pool, class, use);
    pool->spare[use][class] = NULL;
    return hand_out(pool, block, size, use);
}

void *pool_zero(struct pool *pool, size_t size)
{
    void *block;

    if (size > POOL_SMALL_MAX)
        return large_alloc(pool, size, true);
    block = pool_alloc(pool, size, POOL_DATA);
    return block == NULL ? NULL : memset(block, 0, size);
}

static __attribute__((noinline)) void large_free(struct pool *pool, void *block, size_t size)
{
    pool->stats.used -= size;
    leave(pool, block, size);
}

/* For a block that is not to be spare. */
static __attribute__((noinline)) void free_block(struct pool *pool, struct page *page, void *block)
{
    void **spare = &pool->spare[page->use][page->class];

    return_block(pool, page, block);
    if (page->in_use == 1 && *spare != NULL && page_of(*spare) == page) {
        return_block(pool, page, *spare);
        *spare = NULL;
    }
    if (page->in_use == 0)
        page_close(pool, page);
}

void pool_free(struct pool *pool, void *block, size_t size, enum pool_use use)
{
    struct page *page;
    unsigned class;

    if (block == NULL)
        return;
    if (size > POOL_SMALL_MAX) {
        large_free(pool, block, size);
        return;
    }
    class = class_for(size, &size);
    page = page_of(block);
    assert(page->use == use && page->class == class);
    if (use == POOL_CONTAINER)
        *(struct free_container *)block = (struct free_container){.type = POOL_FREE};
    pool->stats.used -= size;
    if (pool->spare[use][class] == NULL && page->in_use > 1)
        pool->spare[use][class] = block;
    else
        free_block(pool, page, block);
}

static void *large_resize(struct pool *pool, void *block, size_t old_size, size_t size)
{
    void *moved;

    if (size > old_size && (!make_way(pool, size - old_size) || !below_ceiling(pool, size - old_size)))
        return NULL;
    moved = pool->mem->resize(pool->mem->context, block, old_size, size);
    if (moved == NULL)
        return NULL;
    pool->stats.reserved += size - old_size;
    pool->stats.used += size - old_size;
    return moved;
}

void *pool_resize(struct pool *pool, void *block, size_t old_size, size_t size)
{
    void *moved;

    if (block == NULL)
        return pool_alloc(pool, size, POOL_DATA);
    if (old_size > POOL_SMALL_MAX && size > POOL_SMALL_MAX)
        return large_resize(pool, block, old_size, size);
    if (pool_rounded(old_size) == pool_rounded(size))
        return block;
    moved = pool_alloc(pool, size, POOL_DATA);
    if (moved == NULL)
        return NULL;
    memcpy(moved, block, old_size < size ? old_size : size);
    pool_free(pool, block, old_size, POOL_DATA);
    return moved;
}

/* -- the whole ---------------------------------------------------------------------------------------------------- */

struct pool *pool_open(const struct mem *mem, uint64_t limit)
{
    struct pool *pool = mem->zero(mem->context, sizeof *pool);

    if (pool == NULL)
        return NULL;
    pool->mem = mem;
    pool->stats.limit = limit;
    pool->ceiling = UINT64_MAX;
    TAILQ_INIT(&pool->free_arenas);
    pool_link_walk(pool, &pool->sweep);
    pool_link_walk(pool, &pool->revisit);
    return pool;
}

void pool_close(struct pool *pool)
{
    if (pool == NULL)
        return;
    while (pool->leaving != NULL)
        pool_leave_some(pool);
    while (pool->arenas != NULL)
        pool_close_arena(pool, pool->arenas);
    pool->mem->release(pool->mem->context, pool, sizeof *pool);
}

void pool_stats(const struct pool *pool, struct pool_stats *stats)
{
    *stats = pool->stats;
}

void pool_set_limit(struct pool *pool, uint64_t limit)
{
    pool->stats.limit = limit;
}

const uint64_t *pool_used(const struct pool *pool)
{
    return &pool->stats.used;
}

void pool_set_ceiling(struct pool *pool, uint64_t more)
{
    bool is_none = __builtin_add_overflow(pool->stats.used, more, &pool->ceiling);

    if (is_none)
        pool->ceiling = UINT64_MAX;
    pool->was_stopped = false;
}

void pool_end_ceiling(struct pool *pool)
{
    pool->ceiling = UINT64_MAX;
    pool->was_stopped = false;
}

bool pool_was_stopped(const struct pool *pool)
{
    return pool->was_stopped;
}

#endif
