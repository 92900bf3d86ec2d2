/* settings.c - see settings.h. */
#include "daemon/settings.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/limits.h"
#include "protocol/pack.h"

static const char *const admin_from_words[] = {"unix", "loopback", "none", NULL};
static const char *const log_level_words[] = {"error", "warning", "info", "debug", NULL};
static const char *const log_format_words[] = {"text", "json", NULL};

/* How the kinds of config.def unfold: the kind, and the words of a choice. */
#define LIST .kind = KIND_LIST
#define FLAG .kind = KIND_FLAG
#define SIZE .kind = KIND_SIZE
#define COUNT .kind = KIND_COUNT
#define SECONDS .kind = KIND_SECONDS
#define CHOICE_admin_from .kind = KIND_CHOICE, .words = admin_from_words
#define CHOICE_log_level .kind = KIND_CHOICE, .words = log_level_words
#define CHOICE_log_format .kind = KIND_CHOICE, .words = log_format_words
#define LIVE true
#define FIXED false

static const struct setting settings[] = {
#define SETTING(row, its_kind, field, text, from, to, reload, value, meaning)                                          \
    {.name = row, its_kind, .offset = offsetof(struct config, field), .preset = text, .least = from, .most = to,       \
     .is_live = reload, .argument = value, .description = meaning},
#define HUB_SETTING(row, its_kind, field, preset_number, from, to, value, meaning)                                     \
    {.name = row, its_kind, .offset = offsetof(struct config, hub.field), .preset = "", .number = preset_number,       \
     .least = from, .most = to, .is_live = LIVE, .is_hubs = true, .argument = value, .description = meaning},
#include "daemon/config.def"
#undef SETTING
#undef HUB_SETTING
};

#define SETTING_COUNT (sizeof(settings) / sizeof(settings[0]))

const struct setting *settings_rows(size_t *count)
{
    *count = SETTING_COUNT;
    return settings;
}

const void *setting_field(const struct setting *setting, const struct config *config)
{
    return (const char *)config + setting->offset;
}

const struct setting *settings_find(const char *name)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (strcmp(settings[i].name, name) == 0)
            return &settings[i];
    }
    return NULL;
}

bool config_fail(struct config_error *error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return false;
}

/* -- Values -------------------------------------------------------------------------------------------------------- */

void text_list_clear(struct text_list *list)
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
        return config_fail(error, "no memory");
    list->items = items;
    items[list->count] = strdup(value);
    if (items[list->count] == NULL)
        return config_fail(error, "no memory");
    list->count++;
    return true;
}

/* "64M" -> bytes. False if it is no such number or does not fit. */
static bool parse_number(const char *value, uint64_t *number)
{
    static const char units[] = "KMG";
    const char *unit;
    uint64_t factor = 1;
    char *end;

    if (!isdigit((unsigned char)value[0])) /* strtoull would take blanks and a sign */
        return false;
    errno = 0;
    *number = strtoull(value, &end, 10);
    if (errno != 0)
        return false;
    unit = *end == '\0' ? NULL : strchr(units, toupper((unsigned char)*end));
    if (unit != NULL) {
        factor = UINT64_C(1) << (10 * (unit - units + 1));
        end++;
    }
    return *end == '\0' && !__builtin_mul_overflow(*number, factor, number);
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

bool setting_read(const struct setting *setting, struct config *config, const char *value, struct config_error *error)
{
    void *field = (char *)config + setting->offset;
    const char *unit = setting->kind == KIND_SECONDS ? " ms" : "";
    bool is_parsed = false;

    if (setting->kind == KIND_LIST)
        return append_text(field, value, error);
    if (parse_into(setting, field, value, &is_parsed))
        return true;
    if (is_parsed)
        return config_fail(error, "%s: '%s' is out of range (%llu%s to %llu%s)", setting->name, value,
                    (unsigned long long)setting->least, unit, (unsigned long long)setting->most, unit);
    if (setting->kind == KIND_CHOICE)
        return config_fail(error, "%s: '%s' is none of %s", setting->name, value, setting->argument);
    return config_fail(error, "%s: '%s' is no %s", setting->name, value,
                setting->kind == KIND_FLAG      ? "yes or no"
                : setting->kind == KIND_SECONDS ? "number of seconds"
                : setting->kind == KIND_SIZE    ? "size like 64M"
                                                : "number like 1000 or 64K");
}

static void pack_list(struct buf *out, const struct text_list *list)
{
    pack_array(out, list->count);
    for (size_t i = 0; i < list->count; i++)
        pack_cstr(out, list->items[i]);
}

static void pack_seconds(struct buf *out, uint64_t ms)
{
    if (ms % 1000 == 0)
        pack_uint(out, ms / 1000);
    else
        pack_float(out, (double)ms / 1000);
}

void setting_pack(const struct setting *setting, const struct config *config, struct buf *out)
{
    const void *field = setting_field(setting, config);
    int choice;

    switch (setting->kind) {
    case KIND_LIST:
        pack_list(out, field);
        break;
    case KIND_FLAG:
        pack_bool(out, *(const bool *)field);
        break;
    case KIND_CHOICE:
        memcpy(&choice, field, sizeof choice);
        pack_cstr(out, setting->words[choice]);
        break;
    case KIND_SECONDS:
        pack_seconds(out, *(const uint64_t *)field);
        break;
    default:
        pack_uint(out, *(const uint64_t *)field);
        break;
    }
}
