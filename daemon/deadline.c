/* daemon/deadline.c - see deadline.h. */
#include "daemon/deadline.h"

/* While a deadline is set the timer fires at least this often, so that the clock can tell waiting from standing still. */
#define TICK_MAX_MS 500
#define CHARGE_MAX_MS 1000

static void tick(uv_timer_t *timer);

/* Winds the clock to the loop's time. */
static uint64_t wind(struct deadlines *deadlines)
{
    uint64_t now = uv_now(deadlines->timer.loop);
    uint64_t passed = now - deadlines->seen_ms;

    deadlines->clock_ms += passed < CHARGE_MAX_MS ? passed : CHARGE_MAX_MS;
    deadlines->seen_ms = now;
    return deadlines->clock_ms;
}

/* Milliseconds until the first deadline of this kind ends; TICK_MAX_MS if that is later, UINT64_MAX if there is none. */
static uint64_t measure_wait(const struct deadlines *deadlines, enum deadline_kind kind)
{
    const struct deadline *first = TAILQ_FIRST(&deadlines->lists[kind]);
    uint64_t limit = deadlines->limit_ms[kind], waited;

    if (first == NULL || limit == 0)
        return UINT64_MAX;
    waited = deadlines->clock_ms - first->since;
    if (waited >= limit)
        return 0;
    return limit - waited < TICK_MAX_MS ? limit - waited : TICK_MAX_MS;
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
    deadlines->clock_ms = 0;
    deadlines->seen_ms = uv_now(loop);
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
    /* A timer that is armed fires within TICK_MAX_MS and finds this one then. */
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
