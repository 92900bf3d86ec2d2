/*
 * daemon/session.h - one client: its names, handles, settings, input and output. No socket.
 */
#ifndef HEAPD_DAEMON_SESSION_H
#define HEAPD_DAEMON_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/hub.h"
#include "daemon/peer.h"

enum session_state {
    SESSION_READY,   /* wants bytes */
    SESSION_PENDING, /* has whole requests left to run, or events to tell: call session_run again, others first */
    SESSION_PAUSED,  /* waits for a slice of its own request (hub_work), or for its output to be taken: read no more */
    SESSION_OVER     /* write what session_output holds, then close the connection and call session_close */
};

/* Opens a session; NULL without memory. At limits.sessions the session it gives is over at once, with a `bye` to be
 * written. */
struct session *session_open(struct hub *hub, const struct peer *peer);

/* The connection is gone or is to be closed. The session lingers, if that was promised and it is not over; else its
 * handles and private names are dropped, in slices, by hub_work. The pointer is invalid afterwards. */
void session_close(struct session *session);

/*
 * Bytes from the client. By a request among them the connection may go over to another session, and this one end: see
 * `moved` of struct hub_ops. Whole requests are run in place, at most `most` of them; what is left over is copied and
 * kept. Never fails: trouble ends the session, with the reason in its output.
 */
enum session_state session_feed(struct session *session, const char *bytes, size_t len, unsigned most);

/* Runs kept requests, at most `most`. */
enum session_state session_run(struct session *session, unsigned most);

/* The client will send no more (half-close): what arrived whole still runs, then the session is over. */
enum session_state session_eof(struct session *session);

/* Where it stands now. */
enum session_state session_state(const struct session *session);

/* Does the client wait for the answer of a call that waits? */
bool session_is_waiting(const struct session *session);

/* Will it outlive its connection, if it is not over? */
bool session_may_linger(const struct session *session);

/* Has a frame begun to arrive that is not complete? Then *frame is its number in this session: two calls tell two
 * frames apart, for the deadline that a request has. */
bool session_is_midway(const struct session *session, uint64_t *frame);

/* Bytes for the client: buf_pending() of them at bytes + sent; say buf_taken() as they are written, then session_run.
 * */
struct buf *session_output(struct session *session);

/* Ends it from the server's side: every event it is owed, then `bye` with the reason; the state is SESSION_OVER after.
 * */
void session_bye(struct session *session, const char *reason);

/* Something for the connection's owner (daemon/conn.c) to hang on the session. */
void session_set_user(struct session *session, void *user);
void *session_user(const struct session *session);

/* The session's number, from 1, for logs. */
uint64_t session_number(const struct session *session);

#endif
