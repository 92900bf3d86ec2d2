/*
 * pool_malloc.c - the pool's twin for sanitizers: every block is malloc's own, so that each overrun, use after free and
 * leak shows where it happens. Containers are linked to be enumerated.
 */
#ifdef HD_POOL_MALLOC

#include "store/pool.h"

#include <assert.h>
#include <string.h>

struct link {
    struct link *next, *prev;
    uint64_t epoch; /* of the mark: marked if it is the pool's */
    bool is_flagged;
};

/* A container's type is its fifth byte; what has no link must not be asked for one. */
static const bool is_container[] = {
#define TYPE(code, NAME, name, is_container, meaning) [code] = is_container,
#include "protocol/types.def"
#undef TYPE
};

struct pool {
    const struct mem *mem;
    struct link containers;
    struct link *sweep, *revisit; /* where they go on */
    struct pool_walk *walks;      /* those under way */
    uint64_t epoch, flagged;
    bool is_marking;
    struct pool_sparse sparse;
    struct pool_stats stats;
    uint64_t ceiling;  /* of stats.used; UINT64_MAX but while pool_set_ceiling holds */
    bool was_stopped;  /* by it */
};

size_t pool_rounded(size_t size)
{
    return (size + 7) / 8 * 8;
}

/* Whether the ceiling lets so many bytes be handed out. */
static bool below_ceiling(struct pool *pool, size_t more)
{
    if (more <= pool->ceiling - pool->stats.used)
        return true;
    pool->was_stopped = true;
    return false;
}

static bool within_limit(const struct pool *pool, size_t more)
{
    return more <= pool->stats.limit && pool->stats.reserved <= pool->stats.limit - more;
}

static void count(struct pool *pool, size_t old_size, size_t size)
{
    size_t change = size - old_size; /* wraps as the counters do */

    pool->stats.used += change;
    pool->stats.reserved += change;
}

static void *alloc_container(struct pool *pool, size_t size)
{
    struct link *link = pool->mem->resize(pool->mem->context, NULL, 0, sizeof *link + size);

    if (link == NULL)
        return NULL;
    link->next = pool->containers.next;
    link->prev = &pool->containers;
    link->epoch = pool->is_marking ? pool->epoch : 0;
    link->is_flagged = false;
    link->next->prev = link;
    pool->containers.next = link;
    return link + 1;
}

void *pool_alloc(struct pool *pool, size_t size, enum pool_use use)
{
    void *block;

    assert(size > 0 && (use == POOL_DATA || size <= POOL_SMALL_MAX));
    if (!within_limit(pool, pool_rounded(size)) || !below_ceiling(pool, pool_rounded(size)))
        return NULL;
    block = use == POOL_CONTAINER ? alloc_container(pool, size)
                                  : pool->mem->resize(pool->mem->context, NULL, 0, size);
    if (block != NULL)
        count(pool, 0, pool_rounded(size));
    return block;
}

void *pool_zero(struct pool *pool, size_t size)
{
    void *block;

    if (!within_limit(pool, pool_rounded(size)) || !below_ceiling(pool, pool_rounded(size)))
        return NULL;
    block = pool->mem->zero(pool->mem->context, size);
    if (block != NULL)
        count(pool, 0, pool_rounded(size));
    return block;
}

/* A sanitizer is to see every free where it happens. */
bool pool_is_leaving(const struct pool *pool)
{
    (void)pool;
    return false;
}

void pool_leave_some(struct pool *pool)
{
    (void)pool;
}

/* -- walks -------------------------------------------------------------------------------------------------------- */

static void walk_to(const struct pool *pool, struct pool_walk *walk, struct link *link)
{
    walk->at = link == &pool->containers ? NULL : link;
}

static void walks_leave(struct pool *pool, const struct link *link)
{
    for (struct pool_walk *walk = pool->walks; walk != NULL; walk = walk->next)
        if (walk->at == link)
            walk_to(pool, walk, link->next);
}

void pool_walk_begin(struct pool *pool, struct pool_walk *walk)
{
    walk_to(pool, walk, pool->containers.next);
    walk->next = pool->walks;
    pool->walks = walk;
}

void pool_walk_end(struct pool *pool, struct pool_walk *walk)
{
    struct pool_walk **at = &pool->walks;

    while (*at != NULL && *at != walk)
        at = &(*at)->next;
    if (*at != NULL)
        *at = walk->next;
}

void *pool_walk_next(struct pool *pool, struct pool_walk *walk, size_t *budget)
{
    struct link *link = walk->at;

    if (link == NULL || *budget == 0)
        return NULL;
    (*budget)--;
    walk_to(pool, walk, link->next);
    return link + 1;
}

/* -- blocks ------------------------------------------------------------------------------------------------------- */

void pool_free(struct pool *pool, void *block, size_t size, enum pool_use use)
{
    if (block == NULL)
        return;
    count(pool, pool_rounded(size), 0);
    if (use == POOL_CONTAINER) {
        struct link *link = (struct link *)block - 1;

        pool->flagged -= link->is_flagged;
        if (pool->sweep == link)
            pool->sweep = link->next;
        if (pool->revisit == link)
            pool->revisit = link->next;
        walks_leave(pool, link);
        link->next->prev = link->prev;
        link->prev->next = link->next;
        block = link;
        size += sizeof *link;
    }
    pool->mem->release(pool->mem->context, block, size);
}

void *pool_resize(struct pool *pool, void *block, size_t old_size, size_t size)
{
    void *moved;

    if (block == NULL)
        return pool_alloc(pool, size, POOL_DATA);
    if (size > old_size && (!within_limit(pool, pool_rounded(size) - pool_rounded(old_size)) ||
                            !below_ceiling(pool, pool_rounded(size) - pool_rounded(old_size))))
        return NULL;
    moved = pool->mem->resize(pool->mem->context, block, old_size, size);
    if (moved != NULL)
        count(pool, pool_rounded(old_size), pool_rounded(size));
    return moved;
}

struct pool *pool_open(const struct mem *mem, uint64_t limit)
{
    struct pool *pool = mem->zero(mem->context, sizeof *pool);

    if (pool == NULL)
        return NULL;
    pool->mem = mem;
    pool->stats.limit = limit;
    pool->ceiling = UINT64_MAX;
    pool->containers.next = pool->containers.prev = &pool->containers;
    pool->sweep = pool->revisit = &pool->containers;
    return pool;
}

/* Blocks still in use are leaked on purpose: LeakSanitizer then tells who made them. */
void pool_close(struct pool *pool)
{
    if (pool != NULL)
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

/* -- pointers beside blocks: none ---------------------------------------------------------------------------------- */

bool pool_has_side(size_t size)
{
    (void)size;
    return false;
}

void **pool_side_open(struct pool *pool, void *block)
{
    (void)pool;
    (void)block;
    return NULL;
}

void **pool_side(const void *block)
{
    (void)block;
    return NULL;
}

void pool_side_close(struct pool *pool, void *block)
{
    (void)pool;
    (void)block;
}

/* -- marks: a page is one container ------------------------------------------------------------------------------- */

void pool_marks_begin(struct pool *pool)
{
    pool->epoch++;
    pool->is_marking = true;
}

void pool_marks_end(struct pool *pool)
{
    pool->is_marking = false;
}

static struct link *link_of(const void *block)
{
    return is_container[((const uint8_t *)block)[4]] ? (struct link *)(uintptr_t)block - 1 : NULL;
}

bool pool_mark(struct pool *pool, const void *block)
{
    struct link *link = link_of(block);

    if (link == NULL || link->epoch == pool->epoch)
        return false;
    link->epoch = pool->epoch;
    return true;
}

bool pool_is_unmarked(const struct pool *pool, const void *block)
{
    const struct link *link = pool->is_marking ? link_of(block) : NULL;

    return link != NULL && link->epoch != pool->epoch;
}

void pool_flag_page(struct pool *pool, const void *block)
{
    struct link *link = link_of(block);

    pool->flagged += !link->is_flagged;
    link->is_flagged = true;
}

bool pool_has_flagged(const struct pool *pool)
{
    return pool->flagged > 0;
}

bool pool_revisit(struct pool *pool, size_t *budget, void (*visit)(void *arg, void *block), void *arg)
{
    if (pool->revisit == &pool->containers)
        pool->revisit = pool->containers.next;
    for (; pool->revisit != &pool->containers && *budget > 0; (*budget)--) {
        struct link *link = pool->revisit;

        pool->revisit = link->next;
        if (link->is_flagged) {
            link->is_flagged = false;
            pool->flagged--;
            visit(arg, link + 1);
            return true;
        }
    }
    return false;
}

void pool_sweep_begin(struct pool *pool)
{
    pool->sweep = pool->containers.next;
}

bool pool_sweep(struct pool *pool, size_t *budget, void (*visit)(void *arg, void *block), void *arg)
{
    for (; pool->sweep != &pool->containers && *budget > 0; (*budget)--) {
        struct link *link = pool->sweep;

        pool->sweep = link->next;
        if (link->epoch != pool->epoch)
            visit(arg, link + 1);
    }
    return pool->sweep == &pool->containers;
}

/* -- giving back: free() has done it ------------------------------------------------------------------------------ */

struct pool_sparse *pool_sparse(struct pool *pool)
{
    return &pool->sparse;
}

uint64_t pool_unneeded(struct pool *pool)
{
    (void)pool;
    return 0;
}

uint64_t pool_loose(const struct pool *pool)
{
    (void)pool;
    return 0;
}

uint64_t pool_trim(struct pool *pool, uint64_t pages)
{
    (void)pool;
    (void)pages;
    return 0;
}

#endif
