/*
 * pool_walk.c - going through the blocks of a pool, a few pages at a time, while pages come and go; the marks of
 * containers and the pointers beside blocks.
 */
#ifndef HD_POOL_MALLOC

#include "store/pool_page.h"

/* -- walks -------------------------------------------------------------------------------------------------------- */

void pool_link_walk(struct pool *pool, struct pool_walk *walk)
{
    walk->next = pool->walks;
    pool->walks = walk;
}

static void to_arena(struct pool_walk *walk, struct arena *arena)
{
    walk->at = arena;
    walk->page = 1; /* behind the front */
    walk->is_inside = false;
}

static void to_next_page(struct pool_walk *walk)
{
    const struct arena *arena = walk->at;

    walk->is_inside = false;
    if (++walk->page == POOL_ARENA_PAGES)
        to_arena(walk, arena->next);
}

static struct page *page_at(const struct pool_walk *walk)
{
    const struct arena *arena = walk->at;

    return &front_of(arena->base)->pages[walk->page];
}

static bool is_in_use(const struct pool_walk *walk)
{
    const struct arena *arena = walk->at;

    return (arena->taken >> walk->page & 1) != 0;
}

void pool_walks_leave_arena(struct pool *pool, const struct arena *arena)
{
    for (struct pool_walk *walk = pool->walks; walk != NULL; walk = walk->next)
        if (walk->at == arena)
            to_arena(walk, arena->next);
}

/* The page may come back with blocks of another size. */
void pool_walks_leave_page(struct pool *pool, const struct page *page)
{
    for (struct pool_walk *walk = pool->walks; walk != NULL; walk = walk->next)
        if (walk->at == page->arena && page_at(walk) == page && walk->is_inside)
            to_next_page(walk);
}

void pool_walk_begin(struct pool *pool, struct pool_walk *walk)
{
    to_arena(walk, pool->arenas);
    pool_link_walk(pool, walk);
}

void pool_walk_end(struct pool *pool, struct pool_walk *walk)
{
    struct pool_walk **at = &pool->walks;

    while (*at != NULL && *at != walk)
        at = &(*at)->next;
    if (*at != NULL)
        *at = walk->next;
}

/* The next block in use of the page that the walk is in; NULL if there is none. */
static void *next_in_page(struct pool_walk *walk)
{
    struct page *page = page_at(walk);
    size_t size = class_size(page->class);

    while (walk->offset < page->fresh) {
        struct free_container *block = (struct free_container *)(void *)(page_blocks(page) + walk->offset);

        walk->offset += (uint32_t)size;
        if (block->type != POOL_FREE)
            return block;
    }
    return NULL;
}

void *pool_walk_next(struct pool *pool, struct pool_walk *walk, size_t *budget)
{
    (void)pool;
    for (; walk->at != NULL && *budget > 0; (*budget)--) {
        void *block;

        if (!walk->is_inside && is_in_use(walk) && page_at(walk)->use == POOL_CONTAINER) {
            walk->is_inside = true;
            walk->offset = 0;
        }
        block = walk->is_inside ? next_in_page(walk) : NULL;
        if (block != NULL)
            return block;
        to_next_page(walk);
    }
    return NULL;
}

/* -- pointers beside blocks --------------------------------------------------------------------------------------- */

bool pool_has_side(size_t size)
{
    return size <= POOL_SMALL_MAX;
}

static size_t side_size(const struct page *page)
{
    return POOL_PAGE / class_size(page->class) * sizeof *page->side;
}

void **pool_side_open(struct pool *pool, void *block)
{
    struct page *page = page_of(block);

    if (page->side == NULL)
        page->side = pool_zero(pool, side_size(page));
    if (page->side == NULL)
        return NULL;
    page->side_open++;
    return &page->side[number_of(page, block)];
}

void **pool_side(const void *block)
{
    const struct page *page = page_of(block);

    return &page->side[number_of(page, block)];
}

void pool_side_close(struct pool *pool, void *block)
{
    struct page *page = page_of(block);

    *pool_side(block) = NULL;
    if (--page->side_open > 0)
        return;
    pool_free(pool, page->side, side_size(page), POOL_DATA);
    page->side = NULL;
}

/* -- marks -------------------------------------------------------------------------------------------------------- */

void pool_marks_begin(struct pool *pool)
{
    pool->epoch++;
    pool->is_marking = true;
}

void pool_marks_end(struct pool *pool)
{
    pool->is_marking = false;
}

bool pool_mark(struct pool *pool, const void *block)
{
    struct page *page = page_of(block);
    unsigned bit;

    if (page->use != POOL_CONTAINER)
        return false;
    bit = number_of(page, block);
    if (is_marked(pool, page, bit))
        return false;
    set_mark(pool, page, bit);
    return true;
}

bool pool_is_unmarked(const struct pool *pool, const void *block)
{
    const struct page *page = page_of(block);

    return pool->is_marking && page->use == POOL_CONTAINER && !is_marked(pool, page, number_of(page, block));
}

void pool_flag_page(struct pool *pool, const void *block)
{
    struct page *page = page_of(block);

    pool->flagged += !page->is_flagged;
    page->is_flagged = true;
}

bool pool_has_flagged(const struct pool *pool)
{
    return pool->flagged > 0;
}

/* The next page of containers in use; NULL at the end, or when *budget pages were looked at. */
static struct page *next_page(struct pool_walk *walk, size_t *budget)
{
    for (; walk->at != NULL && *budget > 0; (*budget)--) {
        struct page *page = page_at(walk);
        bool is_taken = is_in_use(walk);

        to_next_page(walk);
        if (is_taken && page->use == POOL_CONTAINER) {
            (*budget)--;
            return page;
        }
    }
    return NULL;
}

/* Calls `visit` for the blocks in use that are marked, or for those that are not. 64 at a time, so that nothing is done
 * for those that are not wanted. */
static void visit_marked(struct pool *pool, struct page *page, bool wanted, void (*visit)(void *arg, void *block),
                         void *arg)
{
    size_t size = class_size(page->class);
    unsigned blocks = block_at(page, page->fresh);
    const uint64_t *marks = marks_of(page);
    char *first = page_blocks(page);
    uint64_t flip = wanted ? 0 : UINT64_MAX;

    for (unsigned from = 0; from < blocks; from += 64) {
        uint64_t bits = (page->epoch == pool->epoch ? marks[from / 64] : 0) ^ flip;

        if (blocks - from < 64)
            bits &= (UINT64_C(1) << (blocks - from)) - 1;
        for (; bits != 0; bits &= bits - 1) {
            size_t at = (from + (unsigned)__builtin_ctzll(bits)) * size;
            struct free_container *block = (struct free_container *)(void *)(first + at);

            if (block->type != POOL_FREE)
                visit(arg, block);
        }
    }
}

bool pool_revisit(struct pool *pool, size_t *budget, void (*visit)(void *arg, void *block), void *arg)
{
    struct page *page;

    if (pool->revisit.at == NULL)
        to_arena(&pool->revisit, pool->arenas);
    while ((page = next_page(&pool->revisit, budget)) != NULL)
        if (page->is_flagged) {
            page->is_flagged = false;
            pool->flagged--;
            visit_marked(pool, page, true, visit, arg);
            return true;
        }
    return false;
}

void pool_sweep_begin(struct pool *pool)
{
    to_arena(&pool->sweep, pool->arenas);
}

bool pool_sweep(struct pool *pool, size_t *budget, void (*visit)(void *arg, void *block), void *arg)
{
    struct page *page;

    while ((page = next_page(&pool->sweep, budget)) != NULL)
        visit_marked(pool, page, false, visit, arg);
    return pool->sweep.at == NULL;
}

#endif
