/* do_gc.c - the collector of cycles, as clients see it. */
#include "daemon/call.h"
#include "daemon/job.h"
#include "store/kinds/atoms.h"
#include "store/kinds/sequence.h"

static void pack_types(struct buf *out, const uint64_t by_type[OBJ_TYPES])
{
    uint32_t count = 0;

    for (unsigned type = 0; type < OBJ_TYPES; type++)
        count += by_type[type] > 0;
    pack_cstr(out, "types");
    pack_map(out, count);
    for (unsigned type = 0; type < OBJ_TYPES; type++)
        if (by_type[type] > 0) {
            pack_cstr(out, obj_type_name(type));
            pack_uint(out, by_type[type]);
        }
}

/* -- gc ----------------------------------------------------------------------------------------------------------- */

/* A request's wait for the end of a collection. */
struct wait {
    uint64_t goal;      /* collections ended */
    uint64_t collected; /* before */
    uint64_t begun_ns;
};

static bool wait_slice(struct session *session, void *state)
{
    const struct wait *wait = state;

    return collector_work_for(session->hub, wait->goal);
}

static enum hd_err wait_answer(struct call *call, void *state)
{
    const struct wait *wait = state;
    const struct gc_stats *stats = gc_stats(call->hub->collector.gc);
    struct buf *out = reply_begin(call);

    if (out == NULL)
        return HD_OK;
    pack_map(out, 4);
    pack_entry_uint(out, "collected", stats->collected - wait->collected);
    pack_entry_uint(out, "uncollectable", 0); /* nothing can refuse: there are no finalizers yet */
    pack_entry_uint(out, "ns", call->hub->ops.now_ns(call->hub->ops.context) - wait->begun_ns);
    pack_types(out, stats->by_type);
    return HD_OK;
}

static void wait_drop(struct session *session, void *state)
{
    hub_free(session->hub, state, sizeof(struct wait));
}

static const struct job_kind wait_kind = {wait_slice, wait_answer, wait_drop, NULL};

enum hd_err do_gc(struct call *call)
{
    const struct gc_stats *stats = gc_stats(call->hub->collector.gc);
    struct wait *wait = hub_alloc(call->hub, sizeof *wait);

    if (wait == NULL)
        return heap_no_memory(call->heap);
    wait->goal = stats->started + 1; /* a whole one: not the rest of one that runs */
    wait->collected = stats->collected;
    wait->begun_ns = call->hub->ops.now_ns(call->hub->ops.context);
    return job_begin(call, &wait_kind, wait);
}

/* -- settings ----------------------------------------------------------------------------------------------------- */

static void pack_settings(struct buf *out, const struct hub_settings *settings)
{
    pack_cstr(out, "enabled");
    pack_bool(out, settings->gc_enabled != 0);
    pack_cstr(out, "thresholds");
    pack_array(out, 2);
    pack_uint(out, settings->gc_growth);
    pack_uint(out, settings->gc_percent);
    pack_entry_uint(out, "slice_us", settings->slice_us);
}

enum hd_err do_gc_info(struct call *call)
{
    const struct collector *c = &call->hub->collector;
    const struct gc_stats *stats = gc_stats(c->gc);
    struct buf *out = reply_begin(call);

    if (out == NULL)
        return HD_OK;
    pack_map(out, 10);
    pack_settings(out, &call->hub->settings);
    pack_cstr(out, "generations"); /* one: all containers */
    pack_array(out, 1);
    pack_map(out, 3);
    pack_entry_uint(out, "collections", stats->ended);
    pack_entry_uint(out, "collected", stats->collected);
    pack_entry_uint(out, "containers", call->heap->containers);
    pack_entry_uint(out, "collections", stats->ended);
    pack_entry_uint(out, "collected", stats->collected);
    pack_cstr(out, "running");
    pack_bool(out, gc_is_running(c->gc));
    pack_entry_uint(out, "longest_slice_us", c->longest_slice_ns / 1000);
    pack_entry_uint(out, "ns", c->work_ns);
    pack_types(out, stats->by_type);
    return HD_OK;
}

static enum hd_err bad_thresholds(struct call *call)
{
    return heap_fail(call->heap, HD_BAD_ARGS,
                     "gc_config: option 'thresholds' takes [containers, percent]: 1 or more, and "
                     "0 ... 1000");
}

static enum hd_err read_thresholds(struct call *call, struct hub_settings *settings)
{
    struct obj *o = call->opts.v[RPC_OPTION_THRESHOLDS].o;
    const struct list *list = list_of(o);
    int64_t growth, percent;

    if (o->type != OBJ_LIST || list->len != 2 || !obj_as_int(call->heap, list->items[0], &growth) ||
        !obj_as_int(call->heap, list->items[1], &percent) || growth < 1 || percent < 0 || percent > 1000)
        return bad_thresholds(call);
    settings->gc_growth = (uint64_t)growth;
    settings->gc_percent = (uint64_t)percent;
    return HD_OK;
}

enum hd_err do_gc_config(struct call *call)
{
    struct hub_settings settings = call->hub->settings;
    struct buf *out;
    enum hd_err err = HD_OK;

    if (opts_has(&call->opts, RPC_OPTION_ENABLED))
        settings.gc_enabled = opts_flag(&call->opts, RPC_OPTION_ENABLED);
    settings.slice_us = opts_number(&call->opts, RPC_OPTION_SLICE_US, settings.slice_us);
    if (settings.slice_us < 1 || settings.slice_us > 1000000)
        err = heap_fail(call->heap, HD_BAD_ARGS, "gc_config: option 'slice_us' takes 1 ... 1000000");
    if (err == HD_OK && opts_has(&call->opts, RPC_OPTION_THRESHOLDS))
        err = read_thresholds(call, &settings);
    if (err != HD_OK)
        return err;
    call->hub->settings = settings;
    out = reply_begin(call);
    if (out == NULL)
        return HD_OK;
    pack_map(out, 3);
    pack_settings(out, &settings);
    return HD_OK;
}
