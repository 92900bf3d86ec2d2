/*
 * client/cli/options.h - the command line of heap-cli.
 */
#ifndef HEAPD_CLIENT_CLI_OPTIONS_H
#define HEAPD_CLIENT_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

enum task {
    TASK_TALK,        /* the REPL, or statements from standard input if it is no terminal */
    TASK_EXPRESSIONS, /* -e */
    TASK_ONESHOT,     /* one method */
    TASK_HELP,
    TASK_VERSION,
    TASK_WRONG        /* `error` says why */
};

struct options {
    enum task task;
    char *address;      /* owned; NULL: the default, which minds HEAPD_URL */
    char **expressions; /* owned array; the texts are argv's */
    int expression_count;
    char **words;       /* of a one-shot: the rest of argv, NULL behind it */
    int timeout_ms;
    bool is_json;
    bool keeps_going;
    char error[200];
};

/* Fills all of *options; options_fini is due in any case. */
void options_parse(struct options *options, int argc, char **argv);
void options_fini(struct options *options);

void options_help(FILE *out);

#endif
