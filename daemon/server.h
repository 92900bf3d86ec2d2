/*
 * daemon/server.h - the daemon: a loop, its listeners and connections, and the hub behind them, from start to end.
 *
 * Two servers can live in one process (the signals reach both, until one is closed).
 */
#ifndef HEAPD_DAEMON_SERVER_H
#define HEAPD_DAEMON_SERVER_H

#include "daemon/config.h"

struct server;

/*
 * Opens the listeners and everything behind them. `line` is read again on SIGHUP and must outlive the server; `config`
 * is taken over, also on failure. NULL: `error` says why.
 */
struct server *server_open(const struct command_line *line, struct config *config, struct config_error *error);

/* Says on standard output where it listens, and serves until SIGTERM or SIGINT has been obeyed. */
void server_run(struct server *server);

/* Frees everything, for the end of the process: its signals stay blocked, so that none of them can spoil its status. */
void server_close(struct server *server);

#endif
