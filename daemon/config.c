/* daemon/config.c - see config.h. Presets, the configuration file, and what the command line says. */
#include "daemon/config.h"

#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

/* -- The file ------------------------------------------------------------------------------------------------------ */

/* What libinih hands back to us. It neither says the line of a value nor notices a line that it cut. */
struct reading {
    const char *path;
    FILE *file;
    int line;
    struct config *config;
    struct config_error *error; /* the first one */
    bool failed;
};

static void fail_line(struct reading *reading, const char *text)
{
    if (!reading->failed)
        config_fail(reading->error, "%s:%d: %s", reading->path, reading->line, text);
    reading->failed = true;
}

/* fgets for libinih. Indented lines lose their indentation, else it would take them to continue the line above. */
static char *read_line(char *out, int size, void *context)
{
    struct reading *reading = context;
    char *line = NULL;
    const char *start;
    size_t capacity = 0;
    ssize_t len = getline(&line, &capacity, reading->file);

    if (len < 0) {
        free(line);
        return NULL;
    }
    reading->line++;
    start = line + strspn(line, " \t");
    if (strlen(line) != (size_t)len)
        fail_line(reading, "a zero byte");
    else if (strlen(start) >= (size_t)size)
        fail_line(reading, "the line is too long");
    snprintf(out, (size_t)size, "%s", start);
    free(line);
    return out;
}

/* A `name = value`; the name is SECTION.NAME or, outside a section, may be written so. */
static int take_value(void *context, const char *section, const char *name, const char *value)
{
    struct reading *reading = context;
    struct config_error error = {""};
    char whole[128];
    const struct setting *setting;

    snprintf(whole, sizeof(whole), "%s%s%s", section, section[0] != '\0' ? "." : "", name);
    setting = settings_find(whole);
    if (setting == NULL)
        config_fail(&error, "there is no setting '%s'", whole);
    else if (setting_read(setting, reading->config, value, &error))
        return 1;
    fail_line(reading, error.text);
    return 0;
}

static bool read_file(struct config *config, const char *path, struct config_error *error)
{
    struct reading reading = {.path = path, .config = config, .error = error};
    int status;

    reading.file = fopen(path, "re");
    if (reading.file == NULL)
        return config_fail(error, "%s: %s", path, strerror(errno));
    errno = 0;
    status = ini_parse_stream(read_line, &reading, take_value, &reading);
    if (ferror(reading.file)) {
        reading.failed = true;
        config_fail(error, "%s: %s", path, strerror(errno));
    }
    fclose(reading.file);
    if (status != 0 && !reading.failed)
        return config_fail(error, "%s:%d: neither 'name = value' nor '[section]'", path, status);
    return !reading.failed;
}

/* -- All of it ----------------------------------------------------------------------------------------------------- */

static bool load_presets(struct config *config, struct config_error *error)
{
    size_t count;
    const struct setting *rows = settings_rows(&count);

    hub_settings_default(&config->hub);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].preset[0] != '\0' && !setting_read(&rows[i], config, rows[i].preset, error))
            return false;
    }
    return true;
}

/* Listeners on the command line replace those of the file, of both kinds. */
static bool load_overrides(struct config *config, const struct command_line *line, struct config_error *error)
{
    for (size_t i = 0; i < line->count; i++) {
        if (line->overrides[i].setting->kind == KIND_LIST) {
            text_list_clear(&config->listen);
            text_list_clear(&config->unix_paths);
            break;
        }
    }
    for (size_t i = 0; i < line->count; i++) {
        if (!setting_read(line->overrides[i].setting, config, line->overrides[i].value, error))
            return false;
    }
    return true;
}

bool config_load(struct config *config, const struct command_line *line, struct config_error *error)
{
    *config = (struct config){0};
    if (load_presets(config, error) && (line->file == NULL || read_file(config, line->file, error)) &&
        load_overrides(config, line, error))
        return true;
    config_fini(config);
    return false;
}

void config_fini(struct config *config)
{
    text_list_clear(&config->listen);
    text_list_clear(&config->unix_paths);
}

static bool lists_equal(const struct text_list *a, const struct text_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    }
    return true;
}

static bool fields_equal(const struct setting *setting, const void *a, const void *b)
{
    switch (setting->kind) {
    case KIND_LIST:
        return lists_equal(a, b);
    case KIND_FLAG:
        return *(const bool *)a == *(const bool *)b;
    case KIND_CHOICE:
        return memcmp(a, b, sizeof(int)) == 0;
    default:
        return memcmp(a, b, sizeof(uint64_t)) == 0;
    }
}

const char *config_fixed_difference(const struct config *a, const struct config *b)
{
    size_t count;
    const struct setting *rows = settings_rows(&count);

    for (size_t i = 0; i < count; i++) {
        const struct setting *row = &rows[i];

        if (!row->is_live && !fields_equal(row, setting_field(row, a), setting_field(row, b)))
            return row->name;
    }
    return NULL;
}
