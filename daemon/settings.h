/*
 * daemon/settings.h - the values of settings: the rows of config.def, and the one way to read what is written for them.
 */
#ifndef HEAPD_DAEMON_SETTINGS_H
#define HEAPD_DAEMON_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/hub.h"
#include "daemon/log.h"

enum admin_from { ADMIN_UNIX, ADMIN_LOOPBACK, ADMIN_NONE };

struct text_list {
    char **items; /* owned, each of them too */
    size_t count;
};

struct config {
    struct text_list listen;     /* HOST:PORT; with unix_paths empty too: the default listeners */
    struct text_list unix_paths;
    bool insecure_listen;
    enum admin_from admin_from;
    enum log_level log_level;
    enum log_format log_format;
    uint64_t idle_ms; /* 0: off */
    uint64_t request_ms;
    uint64_t output_ms;
    uint64_t busy_poll_us; /* 0: off */
    struct hub_settings hub;
};

/* One sentence about what is wrong, without a newline. */
struct config_error {
    char text[512];
};

/* One row of config.def. */
enum setting_kind { KIND_LIST, KIND_FLAG, KIND_CHOICE, KIND_SIZE, KIND_COUNT, KIND_SECONDS };

struct setting {
    const char *name;
    const char *const *words; /* of KIND_CHOICE, NULL at the end, in the order of its enum */
    size_t offset;            /* of the field in struct config */
    const char *preset;       /* the default as text, or "" */
    uint64_t number;          /* the default of a hub's setting, or 0 */
    uint64_t least, most;
    const char *argument;
    const char *description;
    enum setting_kind kind;
    bool is_live;
    bool is_hubs;             /* the hub's own: a number */
};

/* The rows, in the order of config.def. */
const struct setting *settings_rows(size_t *count);

/* The row of that name, or NULL. */
const struct setting *settings_find(const char *name);

/* Its field in a configuration. */
const void *setting_field(const struct setting *setting, const struct config *config);

/* Reads a value as it stands in the file, on the command line or in config_set; a list gets one more item. False:
 * `error` says why, and nothing is changed. */
bool setting_read(const struct setting *setting, struct config *config, const char *value, struct config_error *error);

/* Packs its value: bytes and counts as int, seconds as int or float, a flag as bool, a list as an array of str. */
struct buf;
void setting_pack(const struct setting *setting, const struct config *config, struct buf *out);

/* Writes a sentence into `error`; false. */
bool config_fail(struct config_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Frees what the items are made of; the list is empty then. */
void text_list_clear(struct text_list *list);

#endif
