/*
 * daemon/config.h - the settings of the daemon: defaults, then the configuration file, then the command line.
 *
 * daemon/config.def names them. A configuration is read whole into a fresh struct config or not at all, so that a daemon
 * that reads its file again either runs with all of it or goes on with what it had.
 */
#ifndef HEAPD_DAEMON_CONFIG_H
#define HEAPD_DAEMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

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
    struct hub_settings hub;
};

/* One sentence about what is wrong, without a newline. */
struct config_error {
    char text[512];
};

struct setting;

/* What the command line says: kept for as long as the file may be read again. Refers to argv. */
struct command_line {
    const char *file; /* --config, or NULL */
    struct override {
        const struct setting *setting;
        const char *value;
    } *overrides;     /* owned, in order */
    size_t count;
};

enum command { COMMAND_SERVE, COMMAND_HELP, COMMAND_VERSION, COMMAND_WRONG };

/* Reads argv. COMMAND_WRONG comes with an error. Whatever the answer: command_line_fini. Uses getopt's globals. */
enum command command_line_parse(struct command_line *line, int argc, char **argv, struct config_error *error);
void command_line_fini(struct command_line *line);

/* Prints --help, made of the table of settings. */
void command_line_help(FILE *out);

/* A whole configuration. False: `error` says why, and there is nothing to free. Else config_fini. */
bool config_load(struct config *config, const struct command_line *line, struct config_error *error);
void config_fini(struct config *config);

/* The name of a setting that needs a restart and differs between the two; NULL if there is none. */
const char *config_fixed_difference(const struct config *a, const struct config *b);

/* One row of config.def, for the command line and the help. */
enum setting_kind { KIND_LIST, KIND_FLAG, KIND_CHOICE, KIND_SIZE, KIND_COUNT, KIND_SECONDS };

struct setting {
    const char *name;
    enum setting_kind kind;
    const char *const *words; /* of KIND_CHOICE, NULL at the end, in the order of its enum */
    size_t offset;            /* of the field in struct config */
    const char *preset;       /* the default as text, or "" */
    uint64_t number;          /* the default of a hub's setting, or 0 */
    uint64_t least, most;
    bool is_live;
    const char *argument;
    const char *description;
};

/* The rows, in the order of config.def. */
const struct setting *config_settings(size_t *count);

/* The row of that name, or NULL. */
const struct setting *config_find(const char *name);

#endif
