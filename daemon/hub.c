/* hub.c - one heap, its shared namespaces, and the ring of sessions whose steps have work left. */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/job.h"
#include "daemon/state.h"
#include "store/check.h"
#include "store/kinds/object.h"

/* -- settings ----------------------------------------------------------------------------------------------------- */

/* The number in a file of the control group, or `otherwise`. */
static uint64_t number_in_file(const char *path, uint64_t otherwise)
{
    FILE *file = fopen(path, "re");
    unsigned long long number;
    uint64_t found = otherwise;

    if (file == NULL)
        return otherwise;
    if (fscanf(file, "%llu", &number) == 1)
        found = number;
    fclose(file);
    return found;
}

static uint64_t three_quarters_of_memory(void)
{
    uint64_t ram = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t group = number_in_file("/sys/fs/cgroup/memory.max", ram);

    return (group < ram ? group : ram) / 4 * 3;
}

void hub_settings_default(struct hub_settings *settings)
{
    *settings = (struct hub_settings){
#define SETTING(name, kind, field, preset, least, most, reload, argument, description)
#define HUB_SETTING(name, kind, field, preset, least, most, argument, description) .field = preset,
#include "daemon/config.def"
#undef SETTING
#undef HUB_SETTING
    };
    settings->memory_limit = three_quarters_of_memory();
}

/* -- opening ------------------------------------------------------------------------------------------------------ */

static void *resize_buffer(void *context, void *old, size_t old_size, size_t size)
{
    const struct mem *mem = context;

    if (size > 0)
        return mem->resize(mem->context, old, old_size, size);
    mem->release(mem->context, old, old_size);
    return NULL;
}

void *hub_alloc(const struct hub *hub, size_t size)
{
    return hub->mem->resize(hub->mem->context, NULL, 0, size);
}

void hub_free(const struct hub *hub, void *block, size_t size)
{
    if (block != NULL)
        hub->mem->release(hub->mem->context, block, size);
}

static uint64_t clock_ns(void *context)
{
    struct timespec now;

    (void)context;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* A shared namespace for good; borrowed, NULL without memory. */
static struct obj *add_space(struct hub *hub, const char *name)
{
    struct obj *space;
    struct obj *old;
    enum hd_err err = space_new(hub->heap, name, strlen(name), &space);

    if (err != HD_OK)
        return NULL;
    err = names_bind(hub->heap, &hub->spaces, name, strlen(name), space, &old);
    obj_unref(hub->heap, &space); /* the table holds it */
    return err != HD_OK ? NULL : names_peek(hub->heap, &hub->spaces, name, strlen(name));
}

/* The builtin classes that make something, by their names. */
static bool fill_builtins(struct hub *hub)
{
    static const enum obj_type makers[] = {OBJ_LIST, OBJ_TUPLE, OBJ_DICT, OBJ_SET, OBJ_OBJECT,
                                           OBJ_BOOL, OBJ_INT, OBJ_FLOAT, OBJ_STR, OBJ_BYTES,
                                           OBJ_WEAKDICT, OBJ_WEAKKEYDICT, OBJ_WEAKSET, OBJ_QUEUE};

    for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++) {
        struct class *class = hub->heap->classes[makers[i]];
        struct obj *old;

        if (names_bind(hub->heap, &space_of(hub->builtins)->names, class->name->bytes, class->name->len, &class->head,
                       &old) != HD_OK)
            return false;
    }
    space_of(hub->builtins)->is_readonly = true;
    return true;
}

static bool make_spaces(struct hub *hub)
{
    struct step step;
    bool is_made;

    step_init(&step, WEAK_COUNT);
    hub->heap->step = &step;
    names_init(&hub->spaces);
    hub->global = add_space(hub, "global");
    hub->builtins = add_space(hub, "builtins");
    is_made = hub->global != NULL && hub->builtins != NULL && fill_builtins(hub);
    while (!step_run(hub->heap, &step, SIZE_MAX))
        continue;
    hub->heap->step = NULL;
    return is_made;
}

struct hub *hub_open(const struct hub_settings *settings, const struct hub_ops *ops)
{
    const struct mem *mem = ops != NULL && ops->mem != NULL ? ops->mem : &mem_libc;
    struct hub *hub = mem->zero(mem->context, sizeof *hub);
    struct heap_config config = {
        .mem = mem, .memory_limit = settings->memory_limit, .work_limit = settings->limit_work};

    if (hub == NULL)
        return NULL;
    hub->mem = mem;
    hub->buffers = (struct buf_memory){resize_buffer, (void *)(uintptr_t)mem, NULL};
    hub->streams = (struct buf_memory){resize_buffer, (void *)(uintptr_t)mem, &hub->spare};
    hub->settings = *settings;
    if (ops != NULL)
        hub->ops = *ops;
    if (hub->ops.now_ns == NULL)
        hub->ops.now_ns = clock_ns;
    config.now_ns = hub->ops.now_ns;
    config.now_context = hub->ops.context;
    rpc_index_init(&hub->methods);
    hub->next_number = 1;
    timing_configure(hub);
    hub->started_ns = hub->ops.now_ns(hub->ops.context);
    step_init(&hub->step, WEAK_COUNT);
    tidy_init(hub);
    offers_init(hub);
    lingerings_init(hub);
    buf_init(&hub->scratch, SIZE_MAX / 2, &hub->buffers);
    hub->heap = heap_open(&config);
    if (hub->heap != NULL)
        hub->heap_bytes = pool_used(hub->heap->pool);
    if (hub->heap != NULL) {
        hub->heap->name_expired = watch_expired;
        hub->heap->expired_context = hub;
    }
    if (hub->heap == NULL || !make_spaces(hub) || !collector_open(hub)) {
        hub_close(hub);
        return NULL;
    }
    return hub;
}

void hub_drop_unused_space(struct hub *hub, struct space *space)
{
    bool stays = space->is_private || space->watches != NULL || &space->head == hub->global ||
                 &space->head == hub->builtins;
    struct obj *o;

    if (stays || names_count(&space->names) > 0 || space->head.count > 1) /* the one is the table's */
        return;
    o = names_unbind(hub->heap, &hub->spaces, space->name->bytes, space->name->len);
    obj_unref(hub->heap, &o);
}

/* Drops the offers, the shared namespaces and all that only they held. */
static void drop_roots(struct hub *hub)
{
    struct step step;
    size_t all = SIZE_MAX;

    step_init(&step, WEAK_COUNT);
    while (!step_run(hub->heap, &hub->step, SIZE_MAX))
        continue;
    hub->heap->step = &step;
    offers_fini(hub);
    events_publish(hub, &step); /* weak bindings that expired keep their namespaces until then */
    events_publish(hub, &hub->step);
    if (hub->collector.gc != NULL)
        events_publish(hub, gc_step(hub->collector.gc));
    names_drop(hub->heap, &hub->spaces, &all);
    while (!step_run(hub->heap, &step, SIZE_MAX))
        continue;
    hub->heap->step = NULL;
}

void hub_close(struct hub *hub)
{
    if (hub == NULL)
        return;
    while (hub->sessions != NULL) {
        struct session *session = hub->sessions;

        if (!session->is_closed)
            session_end(session);
        while (hub->sessions == session)
            hub_work(hub);
    }
    if (hub->heap != NULL) {
        drop_roots(hub);
        collector_close(hub);
        heap_close(hub->heap);
    }
    takers_fini(hub);
    buf_fini(&hub->scratch);
    buf_spare_fini(&hub->streams);
    hub_free(hub, hub, sizeof *hub);
}

void hub_configure(struct hub *hub, const struct hub_settings *settings)
{
    hub->settings = *settings;
    hub->heap->work_limit = settings->limit_work;
    pool_set_limit(hub->heap->pool, settings->memory_limit);
    timing_configure(hub);
    for (struct session *session = hub->sessions; session != NULL; session = session->next)
        session_configure(session);
}

/* -- the ring ----------------------------------------------------------------------------------------------------- */

void hub_add_working(struct hub *hub, struct session *session)
{
    if (session->is_working)
        return;
    session->is_working = true;
    session->joined = ++hub->joined;
    if (hub->working == NULL) {
        session->next_working = session->prev_working = session;
        hub->working = session;
        return;
    }
    session->next_working = hub->working; /* before the one whose turn it is: the last */
    session->prev_working = hub->working->prev_working;
    session->prev_working->next_working = session;
    session->next_working->prev_working = session;
}

static void remove_working(struct hub *hub, struct session *session)
{
    session->is_working = false;
    if (session->next_working == session) {
        hub->working = NULL;
        return;
    }
    session->prev_working->next_working = session->next_working;
    session->next_working->prev_working = session->prev_working;
    if (hub->working == session)
        hub->working = session->next_working;
}

/* A queue that is not empty is its session's of the ring, or the collector's; the latter is empty while it marks. */
bool hub_is_drained(const struct hub *hub, uint64_t since)
{
    const struct session *session = hub->working;

    if (!step_is_empty(gc_step(hub->collector.gc)))
        return false;
    if (session == NULL)
        return true;
    do {
        if (session->joined <= since && !step_is_empty(&session->step))
            return false;
        session = session->next_working;
    } while (session != hub->working);
    return true;
}

/* -- slices ------------------------------------------------------------------------------------------------------- */

#define SLICE_PART ((size_t)256) /* references between two looks at the clock */

bool hub_slice(struct hub *hub, uint64_t us, bool (*part)(void *arg, size_t budget), void *arg)
{
    uint64_t left = hub->settings.slice_objects;
    uint64_t end_ns = 0; /* most work is done in one part: the clock is asked when it was not */

    for (;;) {
        size_t budget = left < SLICE_PART ? (size_t)left : SLICE_PART;
        uint64_t now_ns;

        if (part(arg, budget))
            return true;
        left -= budget;
        if (left == 0)
            return false;
        now_ns = hub->ops.now_ns(hub->ops.context);
        if (end_ns == 0)
            end_ns = now_ns + us * 1000;
        else if (now_ns >= end_ns)
            return false;
    }
}

struct dying {
    struct heap *heap;
    struct step *step;
};

static bool run_part(void *arg, size_t budget)
{
    const struct dying *dying = arg;

    return step_run(dying->heap, dying->step, budget);
}

bool hub_run_step(struct hub *hub, struct step *step)
{
    struct dying dying = {hub->heap, step};

    return step_is_empty(step) || hub_slice(hub, hub->settings.slice_us, run_part, &dying);
}

/* A slice of what a paused session waits for; true when its request is answered. */
static bool work_on_request(struct session *session)
{
    if (!hub_run_step(session->hub, &session->step))
        return false;
    collector_drained(session->hub, session);
    if (job_is_running(session))
        return job_work(session) && !session->is_paused; /* what it doomed may need slices of its own */
    session_step_done(session);
    return true;
}

static void work_on_session(struct hub *hub, struct session *session)
{
    uint64_t bytes = *hub->heap_bytes;

    hub->working = session->next_working; /* the next one's turn, whatever becomes of this one */
    if (session->is_paused) {
        bool is_answered = work_on_request(session);

        session->grown += (int64_t)(*hub->heap_bytes - bytes);
        if (!is_answered)
            return;
        timing_answered(session);
        if (session->end == END_NOT)
            remove_working(hub, session);
    } else if (session_end_some(session)) {
        collector_drained(hub, session);
        remove_working(hub, session);
        session_free(session);
    }
}

bool hub_has_work(struct hub *hub)
{
    return hub->working != NULL || !step_is_empty(&hub->step) || pool_is_leaving(hub->heap->pool) ||
           tidy_has_work(hub) || collector_has_work(hub);
}

/* The collector's turn comes after each round of the ring. */
void hub_work(struct hub *hub)
{
    if (pool_is_leaving(hub->heap->pool))
        pool_leave_some(hub->heap->pool);
    else if (tidy_has_work(hub))
        tidy_work(hub);
    if (!step_is_empty(&hub->step) && hub_run_step(hub, &hub->step))
        events_publish(hub, &hub->step);
    if (collector_has_work(hub) && (hub->working == NULL || hub->is_collectors_turn)) {
        hub->is_collectors_turn = false;
        collector_work(hub);
        return;
    }
    hub->is_collectors_turn = true;
    if (hub->working != NULL)
        work_on_session(hub, hub->working);
}

uint64_t hub_cpu_ns(void)
{
    struct timespec used;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}

void hub_note_round(struct hub *hub, uint64_t ns)
{
    if (ns > hub->longest_round_ns)
        hub->longest_round_ns = ns;
}

uint64_t hub_tick_ms(struct hub *hub)
{
    uint64_t takers_ms = takers_wait_ms(hub);

    if (takers_ms < FAIR_CLOCK_TICK_MS)
        return takers_ms;
    if (takers_ms < UINT64_MAX || hub->offers.open_count > 0 || hub->lingerings.detached > 0 ||
        collector_wants_tick(hub) || tidy_wants_tick(hub))
        return FAIR_CLOCK_TICK_MS;
    return UINT64_MAX;
}

void hub_tick(struct hub *hub)
{
    takers_tick(hub);
    offers_tick(hub);
    linger_tick(hub);
    collector_tick(hub);
    tidy_tick(hub);
}

uint64_t hub_now_ms(struct hub *hub)
{
    return fair_clock_wind(&hub->fair, hub->ops.now_ns(hub->ops.context) / 1000000);
}

/* -- looking ------------------------------------------------------------------------------------------------------ */

uint64_t hub_session_count(const struct hub *hub)
{
    return hub->session_count;
}

static void check_one(void *arg, const struct root *root)
{
    check_root(arg, root->o);
}

uint64_t hub_check(struct hub *hub, void (*line)(void *context, const char *text), void *context)
{
    struct check *check = check_begin(hub->heap);
    struct root_walk walk = {0};
    size_t all = SIZE_MAX;

    if (check == NULL)
        return UINT64_MAX;
    roots_begin(hub, &walk, NULL);
    (void)roots_some(hub, &walk, &all, check_one, check);
    roots_end(hub, &walk);
    for (const struct session *session = hub->sessions; session != NULL; session = session->next)
        check_step(check, &session->step);
    check_step(check, gc_step(hub->collector.gc));
    check_step(check, &hub->step);
    return check_end(check, line, context);
}

void hub_dump(struct hub *hub, void (*line)(void *context, const char *text), void *context)
{
    char who[PEER_TEXT], text[256];
    struct pool_stats memory;
    uint64_t live = 0;

    pool_stats(hub->heap->pool, &memory);
    for (unsigned type = 0; type < OBJ_TYPES; type++)
        live += hub->heap->live[type];
    snprintf(text, sizeof text, "objects live=%llu made=%llu died=%llu memory used=%llu reserved=%llu limit=%llu",
             (unsigned long long)live, (unsigned long long)hub->heap->made, (unsigned long long)hub->heap->died,
             (unsigned long long)memory.used, (unsigned long long)memory.reserved, (unsigned long long)memory.limit);
    line(context, text);
    for (const struct session *session = hub->sessions; session != NULL; session = session->next) {
        peer_text(&session->peer, who);
        snprintf(text, sizeof text, "session %llu %s handles=%llu names=%u in=%zu out=%zu requests=%llu%s%s",
                 (unsigned long long)session->number, who,
                 (unsigned long long)session->handles.count,
                 session->own != NULL ? names_count(&space_of(session->own)->names) : 0, session->in.len,
                 buf_pending(&session->out), (unsigned long long)session->requests,
                 session->is_detached ? " lingering" : session->is_paused ? " paused" : "",
                 session->end != END_NOT ? " ending" : "");
        line(context, text);
    }
}
