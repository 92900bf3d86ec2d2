/* daemon/tidy.c - see tidy.h. */
#include "daemon/tidy.h"

#include "daemon/state.h"

#define QUIET_NS (UINT64_C(1000000) * FAIR_CLOCK_TICK_MS)
#define LEAST_PAGES 16u                     /* of 16 KiB: what a small daemon uses again and again stays */
#define LEAST_SLACK (UINT64_C(256) << 10)   /* bytes for which the C library is asked, if things are quiet, */
#define STEP_SLACK (UINT64_C(4) << 20)      /* and if they are not, */
#define STEP_MAX (UINT64_C(1) << 30)        /* at most, */
#define LONG_NS UINT64_C(1000000)           /* unless it takes so long: then twice as many each time */
#define SLICE_ENTRIES 16384u                /* of a table that one slice looks at, */
#define SLICE_PAGES 128u                    /* and pages that it gives back */

void tidy_init(struct hub *hub)
{
    hub->tidy.slack_step = STEP_SLACK;
}

/* Bytes that the C library may have to give. Memory of other sources is not its business. */
static uint64_t slack(const struct hub *hub)
{
    return hub->mem == &mem_libc ? mem_libc_slack() : 0;
}

bool tidy_wants_tick(const struct hub *hub)
{
    struct pool *pool = hub->heap->pool;

    return pool_loose(pool) >= LEAST_PAGES || table_any_noted(pool) || slack(hub) >= LEAST_SLACK;
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
    tidy->is_libc_quiet = slack(hub) >= LEAST_SLACK && slack(hub) == tidy->slack_then;
    tidy->slack_then = slack(hub);
}

/* Not while requests go on in slices: what they go through stays where it is. */
static bool shrinks_tables(const struct hub *hub)
{
    return hub->tidy.has_tables && hub->working == NULL;
}

bool tidy_has_work(const struct hub *hub)
{
    return shrinks_tables(hub) || hub->tidy.pages > 0 || hub->tidy.is_libc_quiet || slack(hub) >= hub->tidy.slack_step;
}

static void trim_libc(struct hub *hub)
{
    struct tidy *tidy = &hub->tidy;
    uint64_t begun_ns = hub_cpu_ns();

    tidy->is_libc_quiet = false;
    mem_libc_trim();
    if (hub_cpu_ns() - begun_ns < LONG_NS)
        tidy->slack_step = STEP_SLACK;
    else if (tidy->slack_step < STEP_MAX)
        tidy->slack_step *= 2;
}

static void trim_pages(struct hub *hub)
{
    struct tidy *tidy = &hub->tidy;
    uint64_t given = pool_trim(hub->heap->pool, tidy->pages < SLICE_PAGES ? tidy->pages : SLICE_PAGES);

    tidy->pages = given == 0 || given >= tidy->pages ? 0 : tidy->pages - given;
}

void tidy_work(struct hub *hub)
{
    if (shrinks_tables(hub))
        hub->tidy.has_tables = table_shrink(hub->heap->pool, SLICE_ENTRIES);
    else if (hub->tidy.pages > 0)
        trim_pages(hub);
    else
        trim_libc(hub);
}
