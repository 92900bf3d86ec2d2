/*
 * client/cli/script.h - statements from -e and from a stream.
 */
#ifndef HEAPD_CLIENT_CLI_SCRIPT_H
#define HEAPD_CLIENT_CLI_SCRIPT_H

#include "client/cli/console.h"

struct script {
    struct console *console;
    bool keeps_going;         /* after a statement that failed */
    enum hd_status status;    /* of the first that failed */
};

/* Runs one text, an error being told behind `prefix`. False: stop. */
bool script_run(struct script *script, const char *text, size_t len, const char *prefix);

/* Runs the descriptor's lines as they come; one with open brackets goes on in the next. Errors name the line. Events
 * are told as they come, too. */
void script_run_stream(struct script *script, int fd);

#endif
