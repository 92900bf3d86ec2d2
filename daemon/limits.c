/* limits.c - the table of limits. */
#include "daemon/limits.h"

#include <stddef.h>

#include "daemon/hub.h"
#include "protocol/pack.h"

#define NO_FIELD SIZE_MAX

static const struct {
    const char *name;
    size_t field; /* of struct hub_settings, a uint64_t; NO_FIELD: unlimited */
} rows[] = {
    {"frame", offsetof(struct hub_settings, limit_frame)},
    {"depth", offsetof(struct hub_settings, limit_depth)},
    {"work", offsetof(struct hub_settings, limit_work)},
    {"read", offsetof(struct hub_settings, limit_read)},
    {"handles", offsetof(struct hub_settings, limit_handles)},
    {"names", offsetof(struct hub_settings, limit_names)},
    {"session_bytes", NO_FIELD},
    {"output", offsetof(struct hub_settings, limit_output)},
    {"events", offsetof(struct hub_settings, limit_events)},
    {"sessions", offsetof(struct hub_settings, limit_sessions)},
    {"lingering", offsetof(struct hub_settings, limit_lingering)},
    {"offers", offsetof(struct hub_settings, limit_offers)},
    {"waiting", offsetof(struct hub_settings, limit_waiting)},
    {"idle_timeout", NO_FIELD},
    {"memory_limit", offsetof(struct hub_settings, memory_limit)},
};

#define ROWS (sizeof rows / sizeof rows[0])

void limits_pack(const struct hub_settings *settings, struct buf *out)
{
    pack_map(out, ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        pack_cstr(out, rows[i].name);
        if (rows[i].field == NO_FIELD)
            pack_nil(out);
        else
            pack_uint(out, *(const uint64_t *)(const void *)((const char *)settings + rows[i].field));
    }
}
