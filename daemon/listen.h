/*
 * daemon/listen.h - listeners: TCP addresses and Unix sockets on which connections are accepted.
 *
 * A listener that cannot accept because no descriptor is left is closed and opened again by a timer: libuv would spin
 * on it. One whose connection finds no room leaves it in the system's queue; polling stops until listeners_resume takes
 * it.
 */
#ifndef HEAPD_DAEMON_LISTEN_H
#define HEAPD_DAEMON_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <uv.h>

#include "daemon/config.h"
#include "daemon/conn.h"

struct listener;

struct listeners {
    uv_loop_t *loop;
    struct conns *conns;
    struct pace *pace;
    uv_timer_t retry;
    struct listener **items; /* owned */
    size_t count;
    struct log_limit log_limit;
};

/* Zeroes it; listeners_close is fine from then on. */
void listeners_init(struct listeners *listeners, uv_loop_t *loop, struct conns *conns, struct pace *pace);

/* Opens all that the configuration asks for, or the default ones. False: `error` says why; then listeners_close. */
bool listeners_open(struct listeners *listeners, const struct config *config, struct config_error *error);

/* Prints "heapd VERSION ready on ..." for each, with the real port. */
void listeners_announce(const struct listeners *listeners, FILE *out);

/* There may be room for connections that wait. */
void listeners_resume(struct listeners *listeners);

/* Stops accepting. The loop must run once more, then listeners_fini. */
void listeners_close(struct listeners *listeners);
void listeners_fini(struct listeners *listeners);

#endif
