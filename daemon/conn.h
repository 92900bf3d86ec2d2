/*
 * daemon/conn.h - connections: the only code that moves bytes of libuv's streams.
 *
 * A connection carries bytes between a socket and a session. It reads while the session wants bytes, gives it at most
 * CONN_TURN_REQUESTS requests a turn, and writes what it has to say once per read or round: at once as far as the
 * socket takes it, then as the socket has room. It never holds more of the output than a few bytes of its own, so that
 * the session's limit of output is all that a slow reader can cost.
 *
 * A connection's life: open (session != NULL) -> over, its last output being written -> lingering (session gone, our
 * side shut, the client's bytes thrown away so that it can read the last of ours) -> closed by one uv_close -> freed.
 */
#ifndef HEAPD_DAEMON_CONN_H
#define HEAPD_DAEMON_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

#include "daemon/config.h"
#include "daemon/deadline.h"
#include "daemon/log.h"
#include "daemon/pace.h"

struct conn;
struct hub;
struct session;

#define CONN_READ_SIZE 65536
#define CONN_TURN_REQUESTS 64

TAILQ_HEAD(conn_list, conn);

/* All connections of a server, and what they share. */
struct conns {
    uv_loop_t *loop;
    struct hub *hub;
    struct pace *pace;
    const struct config *config;
    struct deadlines deadlines;
    struct conn_list list;
    uint64_t count;    /* not yet freed */
    uint64_t most;     /* beyond it connections wait in the listener's queue */
    uint64_t accepted; /* since the start */
    bool is_stopping;
    struct log_limit refused_limit, ended_limit;
    void (*on_room)(void *context); /* one was freed */
    void *context;
    char read_buffer[CONN_READ_SIZE]; /* of whichever is being read: its session copies what it keeps */
};

/* Fills everything; `hub` may be set later, before the first accept. */
void conns_open(struct conns *conns, uv_loop_t *loop, struct hub *hub, struct pace *pace, const struct config *config);

/* The time-outs of the configuration have changed. */
void conns_configure(struct conns *conns);

enum accept_status { ACCEPT_DONE, ACCEPT_LATER };

/* Takes the connection that waits at `listener`. ACCEPT_LATER: there is no room, it still waits there. */
enum accept_status conns_accept(struct conns *conns, uv_stream_t *listener);

/* hub_ops.wake: this session has something to write or to run, or is over. */
void conn_wake(void *context, struct session *session);

/* hub_ops.moved: the connection of a session carries another one from now on. */
void conn_moved(void *context, struct session *from, struct session *to);

/* Says bye to every session, writes what they are owed and closes; what is left after a while is cut off. */
void conns_stop(struct conns *conns, const char *reason);

/* Cuts off all connections now. */
void conns_abort(struct conns *conns);

/* Closes the timer, when no connection is left. */
void conns_close(struct conns *conns);

#endif
