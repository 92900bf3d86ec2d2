/* daemon/deadline.c - see deadline.h. */
#include "daemon/deadline.h"

static void tick(uv_timer_t *timer);

/* Winds the clock to the loop's time. */
static uint64_t wind(struct deadlines *deadlines)
{
    return fair_clock_wind(&deadlines->fair, uv_now(deadlines->timer.loop));
}

/* Milliseconds until the first deadline of this kind ends; FAIR_CLOCK_TICK_MS if that is later, UINT64_MAX if there is
 * none. */
static uint64_t measure_wait(const struct deadlines *deadlines, enum deadline_kind kind)
{
    const struct deadline *first = TAILQ_FIRST(&deadlines->lists[kind]);
    uint64_t limit = deadlines->limit_ms[kind], waited;

    if (first == NULL || limit == 0)
        return UINT64_MAX;
    waited = deadlines->fair.ms - first->since;
    if (waited >= limit)
        return 0;
    return limit - waited < FAIR_CLOCK_TICK_MS ? limit - waited : FAIR_CLOCK_TICK_MS;
}

static void arm(struct deadlines *deadlines)
{
    uint64_t soonest = UINT64_MAX;

    for (enum deadline_kind kind = 0; kind < DEADLINE_KINDS; kind++) {
        uint64_t wait = measure_wait(deadlines, kind);
        soonest = wait < soonest ? wait : soonest;
    }
    if (soonest != UINT64_MAX)
        uv_timer_start(&deadlines->timer, tick, soonest, 0);
}

static void tick(uv_timer_t *timer)
{
    struct deadlines *deadlines = timer->data;

    wind(deadlines);
    for (enum deadline_kind kind = 0; kind < DEADLINE_KINDS; kind++) {
        while (measure_wait(deadlines, kind) == 0) {
            struct deadline *first = TAILQ_FIRST(&deadlines->lists[kind]);
            deadline_clear(deadlines, first, kind);
            deadlines->expired(deadlines->context, first, kind);
        }
    }
    if (!uv_is_closing((uv_handle_t *)timer))
        arm(deadlines);
}

void deadlines_open(struct deadlines *deadlines, uv_loop_t *loop,
                    void (*expired)(void *context, struct deadline *deadline, enum deadline_kind kind), void *context)
{
    uv_timer_init(loop, &deadlines->timer);
    deadlines->timer.data = deadlines;
    for (enum deadline_kind kind = 0; kind < DEADLINE_KINDS; kind++) {
        TAILQ_INIT(&deadlines->lists[kind]);
        deadlines->limit_ms[kind] = 0;
    }
    deadlines->fair = (struct fair_clock){.seen_ms = uv_now(loop)};
    deadlines->expired = expired;
    deadlines->context = context;
}

void deadlines_close(struct deadlines *deadlines)
{
    if (!uv_is_closing((uv_handle_t *)&deadlines->timer))
        uv_close((uv_handle_t *)&deadlines->timer, NULL);
}

void deadline_set(struct deadlines *deadlines, struct deadline *deadline, enum deadline_kind kind)
{
    deadline_clear(deadlines, deadline, kind);
    deadline->since = wind(deadlines);
    deadline->is_set = true;
    TAILQ_INSERT_TAIL(&deadlines->lists[kind], deadline, link);
    /* A timer that is armed fires within FAIR_CLOCK_TICK_MS and finds this one then. */
    if (!uv_is_active((uv_handle_t *)&deadlines->timer) && !uv_is_closing((uv_handle_t *)&deadlines->timer))
        arm(deadlines);
}

void deadline_clear(struct deadlines *deadlines, struct deadline *deadline, enum deadline_kind kind)
{
    if (!deadline->is_set)
        return;
    TAILQ_REMOVE(&deadlines->lists[kind], deadline, link);
    deadline->is_set = false;
}
