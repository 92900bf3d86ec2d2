/* daemon/pace.c - see pace.h. */
#include "daemon/pace.h"

#include "daemon/hub.h"

static void stay_awake(uv_idle_t *idle)
{
    (void)idle; /* an active idle handle is what keeps the loop from sleeping */
}

/* Turns queued during the round wait for the next one: a mark at the end of the list keeps them apart. */
static void take_turns(struct pace *pace)
{
    struct turn mark = {.is_queued = true};
    struct turn *first;

    TAILQ_INSERT_TAIL(&pace->waiting, &mark, link);
    while ((first = TAILQ_FIRST(&pace->waiting)) != &mark) {
        pace_forget(pace, first);
        first->take(first);
    }
    pace_forget(pace, &mark);
}

static void on_tick(uv_timer_t *tick)
{
    const struct pace *pace = tick->data;

    if (pace->hub != NULL)
        hub_tick(pace->hub);
}

static void start_tick(struct pace *pace)
{
    uint64_t ms = pace->hub != NULL ? hub_tick_ms(pace->hub) : UINT64_MAX;

    if (ms != UINT64_MAX && (!uv_is_active((uv_handle_t *)&pace->tick) || uv_timer_get_due_in(&pace->tick) > ms))
        uv_timer_start(&pace->tick, on_tick, ms, 0);
}

/* Whether bytes came so lately that the loop waits for more without sleeping. */
static bool spins(struct pace *pace)
{
    uint64_t now_ns;

    if (pace->spin_ns == 0)
        return false;
    now_ns = uv_hrtime();
    if (pace->has_come)
        pace->came_ns = now_ns;
    pace->has_come = false;
    return now_ns - pace->came_ns < pace->spin_ns;
}

/* Rounds are timed, in CPU time, while there is more to do in the next one: an idle loop does not pay for it. */
static void time_round(struct pace *pace, bool has_more)
{
    uint64_t now_ns = pace->began_ns != 0 || has_more ? hub_cpu_ns() : 0;

    if (pace->began_ns != 0 && pace->hub != NULL)
        hub_note_round(pace->hub, now_ns - pace->began_ns);
    pace->began_ns = has_more ? now_ns : 0;
}

static void run_round(uv_prepare_t *prepare)
{
    struct pace *pace = prepare->data;
    bool has_more;

    pace->round++;
    if (pace->hub != NULL && hub_has_work(pace->hub))
        hub_work(pace->hub);
    take_turns(pace);
    has_more = !TAILQ_EMPTY(&pace->waiting) || (pace->hub != NULL && hub_has_work(pace->hub));
    time_round(pace, has_more);
    if (uv_is_closing((uv_handle_t *)&pace->idle))
        return;
    start_tick(pace);
    if (has_more || spins(pace))
        uv_idle_start(&pace->idle, stay_awake);
    else
        uv_idle_stop(&pace->idle);
}

void pace_open(struct pace *pace, uv_loop_t *loop)
{
    TAILQ_INIT(&pace->waiting);
    pace->hub = NULL;
    pace->round = pace->began_ns = 0;
    pace->spin_ns = pace->came_ns = 0;
    pace->has_come = false;
    uv_prepare_init(loop, &pace->prepare);
    uv_idle_init(loop, &pace->idle);
    uv_timer_init(loop, &pace->tick);
    pace->prepare.data = pace->tick.data = pace;
    uv_prepare_start(&pace->prepare, run_round);
}

void pace_configure(struct pace *pace, uint64_t busy_poll_us)
{
    pace->spin_ns = busy_poll_us * 1000;
}

void pace_close(struct pace *pace)
{
    if (uv_is_closing((uv_handle_t *)&pace->prepare))
        return;
    uv_close((uv_handle_t *)&pace->prepare, NULL);
    uv_close((uv_handle_t *)&pace->idle, NULL);
    uv_close((uv_handle_t *)&pace->tick, NULL);
}

void pace_queue(struct pace *pace, struct turn *turn)
{
    if (turn->is_queued)
        return;
    turn->is_queued = true;
    TAILQ_INSERT_TAIL(&pace->waiting, turn, link);
}

void pace_forget(struct pace *pace, struct turn *turn)
{
    if (!turn->is_queued)
        return;
    TAILQ_REMOVE(&pace->waiting, turn, link);
    turn->is_queued = false;
}
