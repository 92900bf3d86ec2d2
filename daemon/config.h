/*
 * daemon/config.h - the settings of the daemon: defaults, then the configuration file, then the command line.
 *
 * daemon/config.def names them, daemon/settings.h reads their values. A configuration is read whole into a fresh struct
 * config or not at all, so that a daemon that reads its file again either runs with all of it or goes on with what it
 * had.
 */
#ifndef HEAPD_DAEMON_CONFIG_H
#define HEAPD_DAEMON_CONFIG_H

#include <stdio.h>

#include "daemon/settings.h"

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

#endif
