/*
 * client/cli/top.h - `heap-cli top`: a live table of the server's objects by type, its memory, sessions and requests.
 *
 * On a terminal a new one every second until q, Ctrl-C or the end of the connection; elsewhere one, and that is all.
 * Sessions are listed for administrators.
 */
#ifndef HEAPD_CLIENT_CLI_TOP_H
#define HEAPD_CLIENT_CLI_TOP_H

#include "client/cli/console.h"

/* Whether `word` is "top". */
bool top_knows(const char *word);

/* Runs it; `words` ends with NULL. False: the server says why. */
bool top_run(struct console *console, char **words);

#endif
