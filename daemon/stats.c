/* stats.c - stats(): the table of counters, by section. */
#include <string.h>
#include <unistd.h>

#include "daemon/call.h"

/* What has to be added up first. */
struct gauges {
    struct pool_stats memory;
    uint64_t live, handles, names, working;
};

enum section { SECTION_server, SECTION_objects, SECTION_sessions, SECTION_memory, SECTION_gc, SECTION_requests,
               SECTION_events, SECTIONS };

static const char *const section_names[SECTIONS] = {"server", "objects", "sessions", "memory", "gc", "requests",
                                                    "events"};

static const struct {
    enum section section;
    const char *name;
} rows[] = {
#define STAT(section, name, expression, meaning) {SECTION_##section, #name},
#include "daemon/stats.def"
#undef STAT
};

#define ROWS (sizeof rows / sizeof rows[0])

static void add_up(const struct hub *hub, struct gauges *gauges)
{
    const struct name *name;
    struct obj *space;

    *gauges = (struct gauges){0};
    gauges->working = !step_is_empty(&hub->step);
    pool_stats(hub->heap->pool, &gauges->memory);
    for (unsigned type = 0; type < OBJ_TYPES; type++)
        gauges->live += hub->heap->live[type];
    for (const struct session *session = hub->sessions; session != NULL; session = session->next) {
        gauges->handles += session->handles.count;
        gauges->working += session->is_working;
        if (session->own != NULL)
            gauges->names += names_count(&space_of(session->own)->names);
    }
    for (uint32_t at = 0; names_next(&hub->spaces, &at, &name, &space);)
        if (!space_of(space)->is_readonly)
            gauges->names += names_count(&space_of(space)->names);
}

static void read_values(const struct hub *hub, const struct gauges *gauges, uint64_t values[ROWS])
{
    const uint64_t all[ROWS] = {
#define STAT(section, name, expression, meaning) (expression),
#include "daemon/stats.def"
#undef STAT
    };

    memcpy(values, all, sizeof all);
}

/* Objects by type stand in the section `objects`, in a map of their own. */
static void pack_types(struct buf *out, const struct heap *heap)
{
    pack_cstr(out, "types");
    pack_map(out, OBJ_TYPES);
    for (unsigned type = 0; type < OBJ_TYPES; type++) {
        pack_cstr(out, obj_type_name(type));
        pack_uint(out, heap->live[type]);
    }
}

/* How often each code was answered, in the section `requests`. */
static void pack_codes(struct buf *out, const uint64_t counts[HD_ERR_COUNT])
{
    size_t met = 0;

    for (int err = HD_OK + 1; err < HD_ERR_COUNT; err++)
        met += counts[err] > 0;
    pack_cstr(out, "codes");
    pack_map(out, met);
    for (int err = HD_OK + 1; err < HD_ERR_COUNT; err++)
        if (counts[err] > 0) {
            pack_cstr(out, hd_err_code((enum hd_err)err));
            pack_uint(out, counts[err]);
        }
}

static void pack_section(struct buf *out, const struct hub *hub, enum section section, const uint64_t values[ROWS])
{
    size_t count = section == SECTION_objects ? 1 : section == SECTION_requests ? 2 : 0; /* maps */

    for (size_t i = 0; i < ROWS; i++)
        count += rows[i].section == section;
    pack_cstr(out, section_names[section]);
    pack_map(out, count);
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].section == section) {
            pack_cstr(out, rows[i].name);
            pack_uint(out, values[i]);
        }
    if (section == SECTION_objects)
        pack_types(out, hub->heap);
    if (section == SECTION_requests) {
        pack_codes(out, hub->counters.codes);
        pack_cstr(out, "methods");
        timing_pack_methods(hub, out);
    }
}

/* The section that was asked for; SECTIONS for all. */
static enum hd_err find_section(struct call *call, enum section *section)
{
    const struct arg *arg = &call->args[0];

    *section = SECTIONS;
    if (!arg->is_given)
        return HD_OK;
    for (unsigned i = 0; i < SECTIONS; i++)
        if (strlen(section_names[i]) == arg->text_len && memcmp(section_names[i], arg->text, arg->text_len) == 0) {
            *section = (enum section)i;
            return HD_OK;
        }
    return heap_fail(call->heap, HD_VALUE, "stats has no section '%.*s'",
                     (int)(arg->text_len < 60 ? arg->text_len : 60), arg->text);
}

enum hd_err do_stats(struct call *call)
{
    struct gauges gauges;
    uint64_t values[ROWS];
    enum section wanted;
    struct buf *out;
    enum hd_err err = find_section(call, &wanted);

    if (err != HD_OK)
        return err;
    out = reply_begin(call);
    if (out == NULL)
        return HD_OK;
    add_up(call->hub, &gauges);
    read_values(call->hub, &gauges, values);
    pack_map(out, wanted == SECTIONS ? SECTIONS : 1);
    for (unsigned i = 0; i < SECTIONS; i++)
        if (wanted == SECTIONS || wanted == i)
            pack_section(out, call->hub, (enum section)i, values);
    return HD_OK;
}
