/* daemon/config.c - see config.h. The values of settings and the configuration file. */
#include "daemon/config.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/limits.h"

static const char *const admin_from_words[] = {"unix", "loopback", "none", NULL};
static const char *const log_level_words[] = {"error", "warning", "info", "debug", NULL};
static const char *const log_format_words[] = {"text", "json", NULL};

/* How the kinds of config.def unfold: the kind, and the words of a choice. */
#define LIST KIND_LIST, NULL
#define FLAG KIND_FLAG, NULL
#define SIZE KIND_SIZE, NULL
#define COUNT KIND_COUNT, NULL
#define SECONDS KIND_SECONDS, NULL
#define CHOICE_admin_from KIND_CHOICE, admin_from_words
#define CHOICE_log_level KIND_CHOICE, log_level_words
#define CHOICE_log_format KIND_CHOICE, log_format_words
#define LIVE true
#define FIXED false

static const struct setting settings[] = {
#define SETTING(name, kind, field, preset, least, most, reload, argument, description)                                 \
    {name, kind, offsetof(struct config, field), preset, 0, least, most, reload, argument, description},
#define HUB_SETTING(name, kind, field, preset, least, most, argument, description)                                     \
    {name, kind, offsetof(struct config, hub.field), "", preset, least, most, LIVE, argument, description},
#include "daemon/config.def"
#undef SETTING
#undef HUB_SETTING
};

#define SETTING_COUNT (sizeof(settings) / sizeof(settings[0]))

const struct setting *config_settings(size_t *count)
{
    *count = SETTING_COUNT;
    return settings;
}

const struct setting *config_find(const char *name)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (strcmp(settings[i].name, name) == 0)
            return &settings[i];
    }
    return NULL;
}

static bool fail(struct config_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool fail(struct config_error *error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return false;
}

/* -- Values -------------------------------------------------------------------------------------------------------- */

static void clear_list(struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct text_list){0};
}

static bool append_text(struct text_list *list, const char *value, struct config_error *error)
{
    char **items = realloc(list->items, (list->count + 1) * sizeof(items[0]));

    if (items == NULL)
        return fail(error, "no memory");
    list->items = items;
    items[list->count] = strdup(value);
    if (items[list->count] == NULL)
        return fail(error, "no memory");
    list->count++;
    return true;
}

/* "64M" -> bytes. False if it is no such number or does not fit. */
static bool parse_number(const char *value, uint64_t *number)
{
    uint64_t unit = 1;
    char *end;

    if (!isdigit((unsigned char)value[0])) /* strtoull would take blanks and a sign */
        return false;
    errno = 0;
    *number = strtoull(value, &end, 10);
    if (errno != 0)
        return false;
    switch (*end) {
    case 'G':
    case 'g':
        unit *= 1024;
        /* fall through */
    case 'M':
    case 'm':
        unit *= 1024;
        /* fall through */
    case 'K':
    case 'k':
        unit *= 1024;
        end++;
        break;
    default:
        break;
    }
    return *end == '\0' && !__builtin_mul_overflow(*number, unit, number);
}

/* "0.25" -> 250 milliseconds; finer digits are dropped. */
static bool parse_seconds(const char *value, uint64_t *ms)
{
    uint64_t unit = 100, seconds;
    char *end;

    if (!isdigit((unsigned char)value[0]))
        return false;
    errno = 0;
    seconds = strtoull(value, &end, 10);
    if (errno != 0 || __builtin_mul_overflow(seconds, 1000, ms))
        return false;
    if (*end != '.')
        return *end == '\0';
    for (end++; isdigit((unsigned char)*end); end++) {
        if (__builtin_add_overflow(*ms, (uint64_t)(*end - '0') * unit, ms))
            return false;
        unit /= 10;
    }
    return *end == '\0';
}

static bool parse_flag(const char *value, bool *flag)
{
    static const char *const yes[] = {"yes", "true", "on", "1"}, *const no[] = {"no", "false", "off", "0"};

    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (strcasecmp(value, yes[i]) == 0 || strcasecmp(value, no[i]) == 0) {
            *flag = strcasecmp(value, yes[i]) == 0;
            return true;
        }
    }
    return false;
}

static bool parse_choice(const char *value, const char *const *words, int *choice)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(value, words[i]) == 0) {
            *choice = i;
            return true;
        }
    }
    return false;
}

static bool parse_into(const struct setting *setting, void *field, const char *value, bool *is_parsed)
{
    uint64_t number = 0;
    int choice = 0;

    switch (setting->kind) {
    case KIND_FLAG:
        *is_parsed = parse_flag(value, field);
        return *is_parsed;
    case KIND_CHOICE:
        *is_parsed = parse_choice(value, setting->words, &choice);
        if (*is_parsed)
            memcpy(field, &choice, sizeof(choice)); /* every enum of C11 with these values is an int's size */
        return *is_parsed;
    case KIND_SECONDS:
        *is_parsed = parse_seconds(value, &number);
        break;
    default:
        *is_parsed = parse_number(value, &number);
        break;
    }
    if (!*is_parsed || number < setting->least || number > setting->most)
        return false;
    memcpy(field, &number, sizeof(number));
    return true;
}

static bool set(struct config *config, const struct setting *setting, const char *value, struct config_error *error)
{
    void *field = (char *)config + setting->offset;
    const char *unit = setting->kind == KIND_SECONDS ? " ms" : "";
    bool is_parsed = false;

    if (setting->kind == KIND_LIST)
        return append_text(field, value, error);
    if (parse_into(setting, field, value, &is_parsed))
        return true;
    if (is_parsed)
        return fail(error, "%s: '%s' is out of range (%llu%s to %llu%s)", setting->name, value,
                    (unsigned long long)setting->least, unit, (unsigned long long)setting->most, unit);
    if (setting->kind == KIND_CHOICE)
        return fail(error, "%s: '%s' is none of %s", setting->name, value, setting->argument);
    return fail(error, "%s: '%s' is no %s", setting->name, value,
                setting->kind == KIND_FLAG      ? "yes or no"
                : setting->kind == KIND_SECONDS ? "number of seconds"
                : setting->kind == KIND_SIZE    ? "size like 64M"
                                                : "number like 1000 or 64K");
}

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
        fail(reading->error, "%s:%d: %s", reading->path, reading->line, text);
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
    struct config_error error;
    char whole[128];
    const struct setting *setting;

    snprintf(whole, sizeof(whole), "%s%s%s", section, section[0] != '\0' ? "." : "", name);
    setting = config_find(whole);
    if (setting == NULL)
        fail(&error, "there is no setting '%s'", whole);
    else if (set(reading->config, setting, value, &error))
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
        return fail(error, "%s: %s", path, strerror(errno));
    errno = 0;
    status = ini_parse_stream(read_line, &reading, take_value, &reading);
    if (ferror(reading.file)) {
        reading.failed = true;
        fail(error, "%s: %s", path, strerror(errno));
    }
    fclose(reading.file);
    if (status != 0 && !reading.failed)
        return fail(error, "%s:%d: neither 'name = value' nor '[section]'", path, status);
    return !reading.failed;
}

/* -- All of it ----------------------------------------------------------------------------------------------------- */

static bool load_presets(struct config *config, struct config_error *error)
{
    hub_settings_default(&config->hub);
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (settings[i].preset[0] != '\0' && !set(config, &settings[i], settings[i].preset, error))
            return false;
    }
    return true;
}

/* Listeners on the command line replace those of the file, of both kinds. */
static bool load_overrides(struct config *config, const struct command_line *line, struct config_error *error)
{
    for (size_t i = 0; i < line->count; i++) {
        if (line->overrides[i].setting->kind == KIND_LIST) {
            clear_list(&config->listen);
            clear_list(&config->unix_paths);
            break;
        }
    }
    for (size_t i = 0; i < line->count; i++) {
        if (!set(config, line->overrides[i].setting, line->overrides[i].value, error))
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
    clear_list(&config->listen);
    clear_list(&config->unix_paths);
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
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        size_t at = settings[i].offset;
        if (!settings[i].is_live && !fields_equal(&settings[i], (const char *)a + at, (const char *)b + at))
            return settings[i].name;
    }
    return NULL;
}
