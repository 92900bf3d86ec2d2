/* timing.c - see timing.h. */
#include "daemon/timing.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon/call.h"
#include "store/kinds/atoms.h"

#define SLOW_TOLD 10 /* by slowlog() */

static uint64_t now(const struct hub *hub)
{
    return hub->ops.now_ns(hub->ops.context);
}

void timing_configure(struct hub *hub)
{
    hub->timing.mask = hub->settings.slowlog_us < TIMING_ALL_BELOW_US ? 0 : TIMING_STRIDE - 1;
}

/* -- measuring ---------------------------------------------------------------------------------------------------- */

void timing_turn(struct hub *hub)
{
    hub->timing.lap_ns = now(hub);
}

void timing_start(struct hub *hub)
{
    hub->timing.begun_ns = now(hub);
}

static unsigned bucket_of(uint64_t us)
{
    unsigned bucket = us == 0 ? 0 : 64 - (unsigned)__builtin_clzll(us);

    return bucket < TIMING_BUCKETS ? bucket : TIMING_BUCKETS - 1;
}

static void keep_slow(struct hub *hub, enum rpc_number method, uint64_t session, uint64_t us, uint64_t objects)
{
    struct timing *timing = &hub->timing;
    struct slow_request *slow = &timing->slow[timing->slow_count++ % SLOW_KEPT];

    *slow = (struct slow_request){us, objects, session, (int64_t)time(NULL), method};
}

static void record(struct session *session, const struct timed_pause *timed, bool is_large)
{
    struct hub *hub = session->hub;
    struct method_times *times = &hub->timing.methods[timed->method];
    uint64_t end_ns = now(hub);
    uint64_t us = (end_ns - timed->begun_ns) / 1000;

    (is_large ? times->large : times->quick)[bucket_of(us)]++;
    if (us > times->longest_us)
        times->longest_us = us;
    if (us >= hub->settings.slowlog_us)
        keep_slow(hub, timed->method, session->number, us, timed->objects);
    hub->timing.lap_ns = end_ns;
}

void timing_end(struct session *session, enum rpc_number method, uint64_t objects, bool is_large)
{
    const struct timing *timing = &session->hub->timing;
    uint64_t begun_ns = timing->begun_ns != 0 ? timing->begun_ns : timing->lap_ns;
    struct timed_pause timed = {begun_ns, objects, method};

    session->hub->timing.begun_ns = 0;
    if (session->is_paused)
        session->timed = timed;
    else
        record(session, &timed, is_large);
}

void timing_answered(struct session *session)
{
    record(session, &session->timed, true);
}

/* -- telling ------------------------------------------------------------------------------------------------------ */

static uint64_t sum_of(const uint64_t buckets[TIMING_BUCKETS])
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < TIMING_BUCKETS; i++)
        sum += buckets[i];
    return sum;
}

/* The sample of quick requests stands for all of them; what rounding leaves over is put where most are. */
static void spread_quick(const struct method_times *times, uint64_t calls, uint64_t told[TIMING_BUCKETS])
{
    uint64_t large = sum_of(times->large), sample = sum_of(times->quick);
    uint64_t quick = calls > large ? calls - large : 0, left = quick;
    unsigned most = 0;

    memcpy(told, times->large, TIMING_BUCKETS * sizeof told[0]);
    if (sample == 0)
        return;
    for (unsigned i = 0; i < TIMING_BUCKETS; i++) {
        uint64_t share = (uint64_t)((double)times->quick[i] / (double)sample * (double)quick);

        share = share < left ? share : left;
        told[i] += share;
        left -= share;
        if (times->quick[i] > times->quick[most])
            most = i;
    }
    told[most] += left;
}

/* {"1": n, "2": n, "4": n...}: requests that took less than so many microseconds, and not less than half of it. */
static void pack_histogram(struct buf *out, const struct method_times *times, uint64_t calls)
{
    uint64_t told[TIMING_BUCKETS];
    unsigned filled = 0;

    spread_quick(times, calls, told);
    for (unsigned i = 0; i < TIMING_BUCKETS; i++)
        filled += told[i] > 0;
    pack_map(out, filled);
    for (unsigned i = 0; i < TIMING_BUCKETS; i++)
        if (told[i] > 0) {
            char key[24];

            snprintf(key, sizeof key, "%llu", 1ull << i);
            pack_cstr(out, key);
            pack_uint(out, told[i]);
        }
}

static void pack_method(struct buf *out, const char *name, const struct method_times *times, uint64_t calls)
{
    pack_cstr(out, name);
    pack_map(out, 4);
    pack_cstr(out, "calls");
    pack_uint(out, calls);
    pack_cstr(out, "errors");
    pack_uint(out, times->errors);
    pack_cstr(out, "longest_us");
    pack_uint(out, times->longest_us);
    pack_cstr(out, "us");
    pack_histogram(out, times, calls);
}

void timing_pack_methods(const struct hub *hub, struct buf *out)
{
    const struct timing *timing = &hub->timing;
    size_t called = 0;

    for (unsigned i = 0; i < RPC_METHODS; i++)
        called += timing->calls[i] > 0;
    pack_map(out, called);
    for (unsigned i = 0; i < RPC_METHODS; i++)
        if (timing->calls[i] > 0)
            pack_method(out, rpc_methods[i].name, &timing->methods[i], timing->calls[i]);
}

/* -- slowlog ------------------------------------------------------------------------------------------------------ */

/* The kept ones in order: slowest first, of equally slow ones the latest. Returns how many there are. */
static size_t sort_slow(const struct timing *timing, const struct slow_request *sorted[SLOW_KEPT])
{
    size_t kept = timing->slow_count < SLOW_KEPT ? (size_t)timing->slow_count : SLOW_KEPT;

    for (size_t i = 0; i < kept; i++) {
        const struct slow_request *slow = &timing->slow[(timing->slow_count - 1 - i) % SLOW_KEPT];
        size_t place = i;

        for (; place > 0 && sorted[place - 1]->us < slow->us; place--)
            sorted[place] = sorted[place - 1];
        sorted[place] = slow;
    }
    return kept;
}

static void pack_slow(struct buf *out, const struct slow_request *slow)
{
    pack_map(out, 5);
    pack_cstr(out, "method");
    pack_cstr(out, rpc_methods[slow->method].name);
    pack_cstr(out, "session");
    pack_uint(out, slow->session);
    pack_cstr(out, "objects");
    pack_uint(out, slow->objects);
    pack_cstr(out, "us");
    pack_uint(out, slow->us);
    pack_cstr(out, "at");
    pack_int(out, slow->at);
}

enum hd_err do_slowlog(struct call *call)
{
    const struct slow_request *sorted[SLOW_KEPT];
    struct obj *n = call->args[0].o;
    size_t wanted = SLOW_TOLD, kept;
    struct buf *out;

    if (call->args[0].is_given) {
        if (n->type != OBJ_INT || int_value(n) < 0)
            return heap_fail(call->heap, HD_BAD_ARGS, "slowlog: 'n' is an int, 0 or more");
        wanted = (uint64_t)int_value(n) < SLOW_KEPT ? (size_t)int_value(n) : SLOW_KEPT;
    }
    out = reply_begin(call);
    if (out == NULL)
        return HD_OK;
    kept = sort_slow(&call->hub->timing, sorted);
    wanted = wanted < kept ? wanted : kept;
    pack_array(out, wanted);
    for (size_t i = 0; i < wanted; i++)
        pack_slow(out, sorted[i]);
    return HD_OK;
}
