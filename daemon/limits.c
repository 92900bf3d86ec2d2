/* limits.c - which settings are limits. */
#include "daemon/limits.h"

#include <string.h>

#include "daemon/state.h"

#define PREFIX "limits."

/* Its name among the limits; NULL if it is none. */
static const char *limit_name(const struct setting *setting)
{
    static const char *const others[] = {"idle_timeout", "request_timeout", "output_timeout", "memory_limit"};

    if (strncmp(setting->name, PREFIX, strlen(PREFIX)) == 0)
        return setting->name + strlen(PREFIX);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strcmp(setting->name, others[i]) == 0)
            return setting->name;
    return NULL;
}

/* Of a limit that may be 0 that is no limit. */
static void pack_limit(struct buf *out, const struct setting *setting, const struct config *config)
{
    if (*(const uint64_t *)setting_field(setting, config) == 0 && setting->kind != KIND_COUNT)
        pack_nil(out);
    else
        setting_pack(setting, config, out);
}

void limits_pack(const struct hub *hub, struct buf *out)
{
    struct config config;
    size_t count, limits = 0;
    const struct setting *rows = settings_rows(&count);

    (void)hub_config(hub, &config);
    for (size_t i = 0; i < count; i++)
        limits += limit_name(&rows[i]) != NULL;
    pack_map(out, limits);
    for (size_t i = 0; i < count; i++) {
        const char *name = limit_name(&rows[i]);

        if (name == NULL)
            continue;
        pack_cstr(out, name);
        pack_limit(out, &rows[i], &config);
    }
}
