/*
 * client/cli/repl.h - the conversation at a terminal.
 *
 * A line editor with history and completion, events as they come, a new connection when the old one is lost. Ctrl-C
 * abandons a line or the request that runs, Ctrl-D leaves.
 */
#ifndef HEAPD_CLIENT_CLI_REPL_H
#define HEAPD_CLIENT_CLI_REPL_H

#include "client/cli/console.h"

/* Until Ctrl-D. HD_OK, or why there is no connection any more. */
enum hd_status repl_run(struct console *console);

#endif
