/*
 * pool.c - slabs: arenas of 1 MiB, pages of 16 KiB, blocks of one size class and use.
 *
 * Invariants:
 * - a page in use is on its class's list if and only if it has a free block; a page with no block in use is its arena's.
 * - an arena is on the list of arenas with free pages if and only if it has one; an arena with none in use is unmapped,
 *   but for one that is kept against thrashing.
 * - reserved = POOL_PAGE for every page in use + every large block.
 */
#ifndef HD_POOL_MALLOC

#include "store/pool.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>

#define POOL_PAGE ((size_t)16384)
#define POOL_ARENA ((size_t)1 << 20)
#define POOL_ARENA_PAGES (POOL_ARENA / POOL_PAGE)
#define POOL_CLASSES 36
#define POOL_MAGIC UINT32_C(0x706f6f6c)

struct block {
    uint32_t zero;
    uint8_t type; /* POOL_FREE */
    struct block *next;
};

#define MARK_WORDS 8 /* of 64 blocks: a page of the smallest containers has fewer than 512 */

struct page {
    uint32_t magic;
    uint16_t class;
    uint8_t use;
    bool is_flagged;      /* pool_flag_page */
    uint32_t in_use;      /* blocks handed out */
    uint32_t fresh;       /* offset of the first block never handed out */
    struct block *free;   /* blocks given back */
    struct page *next, *prev; /* pages of the class with a free block */
    struct arena *arena;
    void **side;          /* a pointer for each block; NULL while no block has one open */
    uint32_t side_open;
    /* from here on of POOL_CONTAINER only */
    uint64_t epoch;       /* of the marks: those of an earlier one mean nothing */
    uint64_t marks[MARK_WORDS];
};

#define CONTAINER_MIN 32 /* bytes of the smallest container */
_Static_assert((POOL_PAGE - sizeof(struct page)) / CONTAINER_MIN <= 64 * MARK_WORDS, "a bit for each block");

struct arena {
    char *base;
    uint64_t taken;           /* bit i: page i is in use */
    struct arena *next, *prev;         /* all arenas of the pool */
    struct arena *next_free, *prev_free; /* those with a free page */
};

struct pool {
    const struct mem *mem;
    struct arena *arenas, *free_arenas;
    struct page *pages[POOL_USES][POOL_CLASSES];
    struct pool_stats stats;
    uint64_t ceiling;  /* of stats.used; UINT64_MAX but while pool_set_ceiling holds */
    bool was_stopped;  /* by it */
    bool keeps_spare; /* one arena without a page in use is kept */
    bool is_marking;
    uint64_t epoch;   /* of marks */
    uint64_t flagged; /* pages */
    struct pool_walk *walks;         /* all that are under way; an arena or page that is closed moves them on */
    struct pool_walk sweep, revisit; /* these two stand between pages */
};

static size_t class_size(unsigned class)
{
    if (class < 16)
        return ((size_t)class + 1) * 8;
    if (class < 24)
        return 128 + ((size_t)class - 15) * 16;
    return 256 + ((size_t)class - 23) * 64;
}

/* The smallest block is 16 bytes: a free one holds a link behind its type. */
static unsigned class_for(size_t size)
{
    if (size <= 16)
        return 1;
    if (size <= 128)
        return (unsigned)((size + 7) / 8 - 1);
    if (size <= 256)
        return (unsigned)(16 + (size - 128 + 15) / 16 - 1);
    return (unsigned)(24 + (size - 256 + 63) / 64 - 1);
}

size_t pool_rounded(size_t size)
{
    return size <= POOL_SMALL_MAX ? class_size(class_for(size)) : size;
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

static void link_free_arena(struct pool *pool, struct arena *arena)
{
    arena->prev_free = NULL;
    arena->next_free = pool->free_arenas;
    if (pool->free_arenas != NULL)
        pool->free_arenas->prev_free = arena;
    pool->free_arenas = arena;
}

static void unlink_free_arena(struct pool *pool, struct arena *arena)
{
    if (arena->prev_free != NULL)
        arena->prev_free->next_free = arena->next_free;
    else
        pool->free_arenas = arena->next_free;
    if (arena->next_free != NULL)
        arena->next_free->prev_free = arena->prev_free;
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
    arena->next = pool->arenas;
    if (pool->arenas != NULL)
        pool->arenas->prev = arena;
    pool->arenas = arena;
    link_free_arena(pool, arena);
    pool->stats.arenas++;
    return arena;
}

/* -- walks -------------------------------------------------------------------------------------------------------- */

static void link_walk(struct pool *pool, struct pool_walk *walk)
{
    walk->next = pool->walks;
    pool->walks = walk;
}

static void to_arena(struct pool_walk *walk, struct arena *arena)
{
    walk->at = arena;
    walk->page = 0;
    walk->offset = 0;
}

static void to_next_page(struct pool_walk *walk)
{
    const struct arena *arena = walk->at;

    walk->offset = 0;
    if (++walk->page == POOL_ARENA_PAGES)
        to_arena(walk, arena->next);
}

static struct page *page_at(const struct pool_walk *walk)
{
    const struct arena *arena = walk->at;

    return (struct page *)(void *)(arena->base + walk->page * POOL_PAGE);
}

static bool is_in_use(const struct pool_walk *walk)
{
    const struct arena *arena = walk->at;

    return (arena->taken >> walk->page & 1) != 0;
}

static void walks_leave_arena(struct pool *pool, const struct arena *arena)
{
    for (struct pool_walk *walk = pool->walks; walk != NULL; walk = walk->next)
        if (walk->at == arena)
            to_arena(walk, arena->next);
}

/* The page may come back with blocks of another size. */
static void walks_leave_page(struct pool *pool, const struct page *page)
{
    for (struct pool_walk *walk = pool->walks; walk != NULL; walk = walk->next)
        if (walk->at == page->arena && page_at(walk) == page && walk->offset > 0)
            to_next_page(walk);
}

void pool_walk_begin(struct pool *pool, struct pool_walk *walk)
{
    to_arena(walk, pool->arenas);
    link_walk(pool, walk);
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
        struct block *block = (struct block *)(void *)((char *)page + walk->offset);

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

        if (walk->offset == 0 && is_in_use(walk) && page_at(walk)->use == POOL_CONTAINER)
            walk->offset = sizeof(struct page);
        block = walk->offset > 0 ? next_in_page(walk) : NULL;
        if (block != NULL)
            return block;
        to_next_page(walk);
    }
    return NULL;
}

static void arena_close(struct pool *pool, struct arena *arena)
{
    walks_leave_arena(pool, arena);
    unlink_free_arena(pool, arena);
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

/* Where a page's blocks begin: marks take room in pages of containers only. */
static uint32_t first_block(enum pool_use use)
{
    return use == POOL_CONTAINER ? sizeof(struct page) : offsetof(struct page, epoch);
}

static struct page *page_open(struct pool *pool, unsigned class, enum pool_use use)
{
    struct arena *arena;
    struct page *page;
    unsigned slot;

    if (!within_limit(pool, POOL_PAGE))
        return NULL;
    arena = pool->free_arenas != NULL ? pool->free_arenas : arena_open(pool);
    if (arena == NULL)
        return NULL;
    if (arena->taken == 0)
        pool->keeps_spare = false;
    slot = (unsigned)__builtin_ctzll(~arena->taken);
    arena->taken |= UINT64_C(1) << slot;
    if (arena->taken == UINT64_MAX)
        unlink_free_arena(pool, arena);
    page = (struct page *)(void *)(arena->base + slot * POOL_PAGE);
    memset(page, 0, first_block(use));
    page->magic = POOL_MAGIC;
    page->class = (uint16_t)class;
    page->use = (uint8_t)use;
    page->fresh = first_block(use);
    page->arena = arena;
    link_page(pool, page);
    pool->stats.reserved += POOL_PAGE;
    return page;
}

static void page_close(struct pool *pool, struct page *page)
{
    struct arena *arena = page->arena;
    unsigned slot = (unsigned)(((char *)page - arena->base) / (ptrdiff_t)POOL_PAGE);

    unlink_page(pool, page);
    walks_leave_page(pool, page);
    pool->flagged -= page->is_flagged;
    page->magic = 0;
    if (arena->taken == UINT64_MAX)
        link_free_arena(pool, arena);
    arena->taken &= ~(UINT64_C(1) << slot);
    pool->stats.reserved -= POOL_PAGE;
    if (arena->taken != 0)
        return;
    if (pool->keeps_spare)
        arena_close(pool, arena);
    else
        pool->keeps_spare = true;
}

static bool page_is_full(const struct page *page, size_t size)
{
    return page->free == NULL && page->fresh + size > POOL_PAGE;
}

static struct page *page_of(const void *block)
{
    struct page *page = (struct page *)((uintptr_t)block & ~(uintptr_t)(POOL_PAGE - 1));

    assert(page->magic == POOL_MAGIC);
    return page;
}

/* -- pointers beside blocks --------------------------------------------------------------------------------------- */

bool pool_has_side(size_t size)
{
    return size <= POOL_SMALL_MAX;
}

static size_t block_number(const struct page *page, const void *block)
{
    return (size_t)((const char *)block - (const char *)page) / class_size(page->class);
}

/* By the distance from the page's beginning, so that its header takes some numbers: few. */
static size_t side_size(const struct page *page)
{
    return (POOL_PAGE / class_size(page->class) + 1) * sizeof *page->side;
}

void **pool_side_open(struct pool *pool, void *block)
{
    struct page *page = page_of(block);

    if (page->side == NULL)
        page->side = pool_zero(pool, side_size(page));
    if (page->side == NULL)
        return NULL;
    page->side_open++;
    return &page->side[block_number(page, block)];
}

void **pool_side(const void *block)
{
    const struct page *page = page_of(block);

    return &page->side[block_number(page, block)];
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

/* Which bit of `marks` is a block's. */
static unsigned mark_of(const struct page *page, const void *block)
{
    return (unsigned)((size_t)((const char *)block - (const char *)page) - sizeof *page) /
           (unsigned)class_size(page->class);
}

static bool is_marked(const struct pool *pool, const struct page *page, unsigned bit)
{
    return page->epoch == pool->epoch && (page->marks[bit / 64] >> bit % 64 & 1) != 0;
}

static void set_mark(const struct pool *pool, struct page *page, unsigned bit)
{
    if (page->epoch != pool->epoch) {
        memset(page->marks, 0, sizeof page->marks);
        page->epoch = pool->epoch;
    }
    page->marks[bit / 64] |= UINT64_C(1) << bit % 64;
}

bool pool_mark(struct pool *pool, const void *block)
{
    struct page *page = page_of(block);
    unsigned bit;

    if (page->use != POOL_CONTAINER)
        return false;
    bit = mark_of(page, block);
    if (is_marked(pool, page, bit))
        return false;
    set_mark(pool, page, bit);
    return true;
}

bool pool_is_unmarked(const struct pool *pool, const void *block)
{
    const struct page *page = page_of(block);

    return pool->is_marking && page->use == POOL_CONTAINER && !is_marked(pool, page, mark_of(page, block));
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

/* Calls `visit` for the blocks in use that are marked, or for those that are not. */
static void visit_marked(struct pool *pool, struct page *page, bool wanted, void (*visit)(void *arg, void *block),
                         void *arg)
{
    size_t size = class_size(page->class);
    unsigned bit = 0;

    for (size_t at = sizeof *page; at < page->fresh; at += size, bit++) {
        struct block *block = (struct block *)(void *)((char *)page + at);

        if (is_marked(pool, page, bit) == wanted && block->type != POOL_FREE)
            visit(arg, block);
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

/* -- blocks ------------------------------------------------------------------------------------------------------- */

static void *take_block(struct pool *pool, struct page *page, size_t size)
{
    void *block;

    if (page->free != NULL) {
        block = page->free;
        page->free = page->free->next;
    } else {
        block = (char *)page + page->fresh;
        page->fresh += (uint32_t)size;
    }
    page->in_use++;
    if (pool->is_marking && page->use == POOL_CONTAINER)
        set_mark(pool, page, mark_of(page, block));
    if (page_is_full(page, size))
        unlink_page(pool, page);
    pool->stats.used += size;
    return block;
}

static void *large_alloc(struct pool *pool, size_t size, bool zeroed)
{
    void *block;

    if (!within_limit(pool, size) || !below_ceiling(pool, size))
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
    struct page *page;

    assert(size > 0);
    if (size > POOL_SMALL_MAX) {
        assert(use == POOL_DATA); /* a container's own block is small: what it holds lies in a vector or table */
        return large_alloc(pool, size, false);
    }
    class = class_for(size);
    size = class_size(class);
    if (!below_ceiling(pool, size))
        return NULL;
    page = pool->pages[use][class];
    if (page == NULL)
        page = page_open(pool, class, use);
    return page == NULL ? NULL : take_block(pool, page, size);
}

void *pool_zero(struct pool *pool, size_t size)
{
    void *block;

    if (size > POOL_SMALL_MAX)
        return large_alloc(pool, size, true);
    block = pool_alloc(pool, size, POOL_DATA);
    return block == NULL ? NULL : memset(block, 0, size);
}

static void large_free(struct pool *pool, void *block, size_t size)
{
    pool->mem->release(pool->mem->context, block, size);
    pool->stats.reserved -= size;
    pool->stats.used -= size;
}

void pool_free(struct pool *pool, void *block, size_t size, enum pool_use use)
{
    struct page *page;
    struct block *given = block;
    size_t rounded;

    if (block == NULL)
        return;
    if (size > POOL_SMALL_MAX) {
        large_free(pool, block, size);
        return;
    }
    page = page_of(block);
    rounded = class_size(page->class);
    assert(page->use == use && page->class == class_for(size));
    (void)use;
    if (page_is_full(page, rounded))
        link_page(pool, page);
    given->zero = 0;
    given->type = POOL_FREE;
    given->next = page->free;
    page->free = given;
    page->in_use--;
    pool->stats.used -= rounded;
    if (page->in_use == 0)
        page_close(pool, page);
}

static void *large_resize(struct pool *pool, void *block, size_t old_size, size_t size)
{
    void *moved;

    if (size > old_size && (!within_limit(pool, size - old_size) || !below_ceiling(pool, size - old_size)))
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
    link_walk(pool, &pool->sweep);
    link_walk(pool, &pool->revisit);
    return pool;
}

void pool_close(struct pool *pool)
{
    if (pool == NULL)
        return;
    while (pool->arenas != NULL) {
        struct arena *arena = pool->arenas;

        if (arena->taken == UINT64_MAX)
            link_free_arena(pool, arena);
        arena_close(pool, arena);
    }
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

bool pool_end_ceiling(struct pool *pool)
{
    pool->ceiling = UINT64_MAX;
    return pool->was_stopped;
}

#endif
