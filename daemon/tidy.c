/* daemon/tidy.c - see tidy.h. */
#include "daemon/tidy.h"

#include "daemon/state.h"

#define QUIET_NS (UINT64_C(1000000) * FAIR_CLOCK_TICK_MS)
#define LEAST_PAGES 16u                     /* of 16 KiB: what a small daemon uses again and again stays */
#define LEAST_FREED (UINT64_C(256) << 10)   /* bytes given back to the C library for which it is asked */
#define MOST_PIECES 10000u                  /* blocks that may stand between pieces of its heap */
#define SLICE_ENTRIES 16384u                /* of a table that one slice looks at, */
#define SLICE_PAGES 128u                    /* and pages that it gives back */

/* Memory of other sources is not the C library's business. */
static bool libc_has_some(const struct hub *hub)
{
    return hub->mem == &mem_libc && mem_libc_freed() - hub->tidy.freed_done >= LEAST_FREED;
}

static bool libc_is_in_pieces(const struct hub *hub)
{
    struct pool_stats stats;

    pool_stats(hub->heap->pool, &stats);
    return stats.large > MOST_PIECES;
}

bool tidy_wants_tick(const struct hub *hub)
{
    struct pool *pool = hub->heap->pool;

    return pool_loose(pool) >= LEAST_PAGES || table_any_noted(pool) || (libc_has_some(hub) && !libc_is_in_pieces(hub));
}

void tidy_tick(struct hub *hub)
{
    struct tidy *tidy = &hub->tidy;
    uint64_t now_ns = hub->ops.now_ns(hub->ops.context);

    if (now_ns - tidy->looked_ns < QUIET_NS)
        return;
    tidy->looked_ns = now_ns;
    tidy->has_tables = tidy->had_tables && table_any_noted(hub->heap->pool);
    tidy->had_tables = table_any_noted(hub->heap->pool);
    tidy->pages = pool_unneeded(hub->heap->pool);
    if (tidy->pages < LEAST_PAGES)
        tidy->pages = 0;
    tidy->is_libc_due = libc_has_some(hub) && mem_libc_freed() == tidy->freed_then && !libc_is_in_pieces(hub);
    tidy->freed_then = mem_libc_freed();
}

/* Not while requests go on in slices: what they go through stays where it is. */
static bool shrinks_tables(const struct hub *hub)
{
    return hub->tidy.has_tables && hub->working == NULL;
}

bool tidy_has_work(const struct hub *hub)
{
    return shrinks_tables(hub) || hub->tidy.pages > 0 || hub->tidy.is_libc_due;
}

void tidy_work(struct hub *hub)
{
    struct tidy *tidy = &hub->tidy;

    if (shrinks_tables(hub)) {
        tidy->has_tables = table_shrink(hub->heap->pool, SLICE_ENTRIES);
        return;
    }
    if (tidy->pages > 0) {
        uint64_t given = pool_trim(hub->heap->pool, tidy->pages < SLICE_PAGES ? tidy->pages : SLICE_PAGES);

        tidy->pages = given == 0 || given >= tidy->pages ? 0 : tidy->pages - given;
        return;
    }
    tidy->is_libc_due = false;
    tidy->freed_done = mem_libc_freed();
    mem_libc_trim();
}
