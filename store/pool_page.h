/*
 * store/pool_page.h - what arenas and pages consist of: for pool.c, which makes them, pool_walk.c, which goes
 * through them, and step.c, which looks ahead.
 *
 * What the pool knows of a page does not lie in the page, but at the front of its arena, beside that of the others: who
 * frees what lies scattered finds most of it in the caches, which at the beginnings of pages, 16 KiB apart, it would
 * have to share few places of.
 */
#ifndef HEAPD_STORE_POOL_PAGE_H
#define HEAPD_STORE_POOL_PAGE_H

#include <assert.h>
#include <stddef.h>
#include <string.h>
#include <sys/queue.h>

#include "store/pool.h"

#define POOL_PAGE ((size_t)16384)
#define POOL_ARENA ((size_t)1 << 20)
#define POOL_ARENA_PAGES (POOL_ARENA / POOL_PAGE)
#define POOL_CLASSES 36
#define POOL_MAGIC 0x6c70

struct free_container {
    uint32_t zero;
    uint8_t type; /* POOL_FREE */
    void *next;
};

struct page {
    void *free;           /* blocks given back */
    struct page *next, *prev; /* pages of the class with a free block */
    struct arena *arena;
    void **side;          /* a pointer for each block; NULL while no block has one open */
    uint64_t epoch;       /* POOL_CONTAINER: of the marks; those of an earlier one mean nothing */
    uint32_t reciprocal;  /* of the blocks' size, for block_at */
    uint16_t in_use;      /* blocks handed out */
    uint16_t fresh;       /* offset of the first block never handed out */
    uint16_t side_open;
    uint16_t magic;       /* POOL_MAGIC while it is in use */
    uint8_t class;
    uint8_t use;
    bool is_flagged;      /* pool_flag_page */
};

_Static_assert(sizeof(struct page) <= 64, "a cache line has all that handing out and giving back touch");

#define MARK_WORDS 8 /* of 64 blocks */
#define CONTAINER_MIN 32 /* bytes of the smallest container */
_Static_assert(POOL_PAGE / CONTAINER_MIN <= (size_t)64 * MARK_WORDS, "a bit for each block");

/* In place of an arena's first page. */
struct front {
    struct page pages[POOL_ARENA_PAGES];
    uint64_t marks[POOL_ARENA_PAGES][MARK_WORDS];
};

_Static_assert(sizeof(struct front) <= POOL_PAGE && offsetof(struct front, pages) == 0, "it has the room of a page");
#define FRONT_TAKEN UINT64_C(1) /* its bit in `taken` is always set */

struct arena {
    char *base;               /* struct front, then pages */
    uint64_t taken;           /* bit i: page i is in use */
    uint64_t loose;           /* bit i: it is not any more, and still takes memory */
    struct arena *next, *prev;         /* all arenas of the pool */
    TAILQ_ENTRY(arena) link;  /* of those with a free page */
};

TAILQ_HEAD(arena_list, arena);

/* At the front of a large block that was freed and leaves in parts. */
struct leaving {
    struct leaving *next;
    size_t size;
};

struct pool {
    const struct mem *mem;
    struct leaving *leaving;
    struct arena *arenas;
    struct arena_list free_arenas; /* with a free page: first those that have loose ones */
    struct page *pages[POOL_USES][POOL_CLASSES];
    void *spare[POOL_USES][POOL_CLASSES]; /* a block given back that its page does not know of yet; NULL: none */
    struct pool_stats stats;
    uint64_t ceiling;  /* of stats.used; UINT64_MAX but while pool_set_ceiling holds */
    bool was_stopped;  /* by it */
    struct pool_sparse sparse;
    uint64_t loose;   /* pages, */
    uint64_t unneeded; /* and the least that there have been of them since pool_unneeded */
    bool is_marking;
    uint64_t epoch;   /* of marks */
    uint64_t flagged; /* pages */
    struct pool_walk *walks;         /* all that are under way; an arena or page that is closed moves them on */
    struct pool_walk sweep, revisit; /* these two stand between pages */
};

static inline size_t class_size(unsigned class)
{
    if (class < 16)
        return ((size_t)class + 1) * 8;
    if (class < 24)
        return 128 + ((size_t)class - 15) * 16;
    return 256 + ((size_t)class - 23) * 64;
}

/* Of anything in an arena. */
static inline struct front *front_of(const void *inside)
{
    return (struct front *)((uintptr_t)inside & ~(uintptr_t)(POOL_ARENA - 1));
}

/* Where the page of a block is described; for NULL, and for a block that lies in no page, some address. */
static inline struct page *page_beside(const void *block)
{
    uintptr_t within = (uintptr_t)block % POOL_ARENA;

    return (struct page *)((uintptr_t)block - within + within / POOL_PAGE * sizeof(struct page));
}

static inline struct page *page_of(const void *block)
{
    struct page *page = page_beside(block);

    assert(page->magic == POOL_MAGIC);
    return page;
}

/* Which one of its arena it is. */
static inline size_t page_number(const struct page *page)
{
    return (size_t)(page - front_of(page)->pages);
}

/* Where its blocks lie. */
static inline char *page_blocks(const struct page *page)
{
    return (char *)front_of(page) + page_number(page) * POOL_PAGE;
}

/* Divides an offset in the page by the size of its blocks. Exact: the reciprocal is 2^32 / size, rounded up, and
 * offset times size is less than 2^32 (Granlund and Montgomery, "Division by invariant integers using multiplication",
 * 1994). */
static inline unsigned block_at(const struct page *page, size_t offset)
{
    return (unsigned)((uint64_t)offset * page->reciprocal >> 32);
}

static inline uint32_t reciprocal_of(size_t size)
{
    return (uint32_t)(((UINT64_C(1) << 32) + size - 1) / size);
}

/* The place of a block among those of its page: which bit of the marks is its, which pointer beside the blocks. */
static inline unsigned number_of(const struct page *page, const void *block)
{
    return block_at(page, (uintptr_t)block % POOL_PAGE);
}

static inline uint64_t *marks_of(const struct page *page)
{
    return front_of(page)->marks[page_number(page)];
}

static inline bool is_marked(const struct pool *pool, const struct page *page, unsigned bit)
{
    return page->epoch == pool->epoch && (marks_of(page)[bit / 64] >> bit % 64 & 1) != 0;
}

static inline void set_mark(const struct pool *pool, struct page *page, unsigned bit)
{
    uint64_t *marks = marks_of(page);

    if (page->epoch != pool->epoch) {
        memset(marks, 0, MARK_WORDS * sizeof *marks);
        page->epoch = pool->epoch;
    }
    marks[bit / 64] |= UINT64_C(1) << bit % 64;
}

/* An arena without a page in use goes back to the system. pool.c */
void pool_close_arena(struct pool *pool, struct arena *arena);

/* These loose pages are in use again, or their memory has gone. */
static inline void pool_forget_loose(struct pool *pool, struct arena *arena, uint64_t pages)
{
    arena->loose &= ~pages;
    pool->loose -= (unsigned)__builtin_popcountll(pages);
    if (pool->unneeded > pool->loose)
        pool->unneeded = pool->loose;
}

/* Makes a walk known to the pool. pool_walk.c */
void pool_link_walk(struct pool *pool, struct pool_walk *walk);

/* An arena or a page goes: walks that stand in it move on. pool_walk.c */
void pool_walks_leave_arena(struct pool *pool, const struct arena *arena);
void pool_walks_leave_page(struct pool *pool, const struct page *page);

#endif
