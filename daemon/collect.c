/* collect.c - see collect.h. */
#include "daemon/collect.h"

#include "daemon/state.h"

#define COST_SHARE 100 /* a collection that nothing but time asks for takes at most this part of it */

static uint64_t now_ns(const struct hub *hub)
{
    return hub->ops.now_ns(hub->ops.context);
}

/* -- roots -------------------------------------------------------------------------------------------------------- */

static void begin(void *context)
{
    struct hub *hub = context;

    roots_begin(hub, &hub->collector.roots, NULL);
}

static void show(void *arg, const struct root *root)
{
    gc_root(arg, root->o);
}

static bool some(void *context, size_t *budget)
{
    struct hub *hub = context;

    return roots_some(hub, &hub->collector.roots, budget, show, hub->collector.gc);
}

/* All whose step holds something are in the ring. */
static void drain(void *context)
{
    struct hub *hub = context;
    struct session *session = hub->working;

    hub->collector.undrained = 0;
    if (session == NULL)
        return;
    do {
        session->is_drained_for = !step_is_empty(&session->step);
        hub->collector.undrained += session->is_drained_for;
        session = session->next_working;
    } while (session != hub->working);
}

static bool is_drained(void *context)
{
    const struct hub *hub = context;

    return hub->collector.undrained == 0 && step_is_empty(&hub->step);
}

void collector_drained(struct hub *hub, struct session *session)
{
    hub->collector.undrained -= session->is_drained_for;
    session->is_drained_for = false;
}

bool collector_open(struct hub *hub)
{
    struct gc_roots roots = {begin, some, drain, is_drained, hub};

    hub->collector.gc = gc_open(hub->heap, &roots);
    hub->collector.ended_ns = hub->started_ns;
    return hub->collector.gc != NULL;
}

void collector_close(struct hub *hub)
{
    roots_end(hub, &hub->collector.roots);
    gc_close(hub->collector.gc);
    hub->collector.gc = NULL;
}

/* -- slices ------------------------------------------------------------------------------------------------------- */

static bool run_part(void *arg, size_t budget)
{
    return gc_run(arg, budget);
}

static void end_collection(struct hub *hub)
{
    struct collector *c = &hub->collector;

    events_publish(hub, gc_step(c->gc));
    c->ended_ns = c->slice_ended_ns;
    c->made = hub->heap->made;
}

static void run_slice(struct hub *hub, uint64_t us)
{
    struct collector *c = &hub->collector;
    uint64_t begun_ns = now_ns(hub);
    uint64_t took_ns;
    bool has_ended = hub_slice(hub, us, run_part, c->gc);

    c->slice_ended_ns = now_ns(hub);
    took_ns = c->slice_ended_ns - begun_ns;
    c->work_ns += took_ns;
    if (took_ns > c->longest_slice_ns)
        c->longest_slice_ns = took_ns;
    if (has_ended)
        end_collection(hub);
}

static void start(struct hub *hub)
{
    hub->collector.work_ns = 0;
    gc_start(hub->collector.gc);
}

/* As many containers more than the last collection left as gc.growth and gc.percent say. */
static bool has_grown(const struct hub *hub)
{
    uint64_t left = gc_stats(hub->collector.gc)->containers;
    uint64_t part = left / 100 * hub->settings.gc_percent;
    uint64_t growth = hub->settings.gc_growth > part ? hub->settings.gc_growth : part;

    return hub->heap->containers > left + growth;
}

bool collector_has_work(struct hub *hub)
{
    struct gc *gc = hub->collector.gc;

    if (!gc_is_running(gc)) {
        if (hub->settings.gc_enabled == 0 || !has_grown(hub))
            return false;
        start(hub);
    }
    return !gc_is_waiting(gc);
}

void collector_work(struct hub *hub)
{
    uint64_t since_us = (now_ns(hub) - hub->collector.slice_ended_ns) / 1000;
    uint64_t us = since_us / 2 < hub->settings.slice_us ? since_us / 2 : hub->settings.slice_us;

    run_slice(hub, us);
}

bool collector_work_for(struct hub *hub, uint64_t goal)
{
    struct gc *gc = hub->collector.gc;

    if (!gc_is_running(gc))
        start(hub);
    if (!gc_is_waiting(gc))
        run_slice(hub, hub->settings.slice_us);
    return gc_stats(gc)->ended >= goal;
}

/* -- the passing of time ------------------------------------------------------------------------------------------ */

bool collector_wants_tick(const struct hub *hub)
{
    return hub->settings.gc_enabled != 0 && !gc_is_running(hub->collector.gc) &&
           hub->heap->made != hub->collector.made;
}

void collector_tick(struct hub *hub)
{
    const struct collector *c = &hub->collector;

    if (collector_wants_tick(hub) && (now_ns(hub) - c->ended_ns) / COST_SHARE >= c->work_ns)
        start(hub);
}
