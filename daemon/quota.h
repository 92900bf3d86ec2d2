/*
 * daemon/quota.h - limits.session_bytes: what one session may cost.
 *
 * A session costs what waits in its buffers, its kept events and responses, and the bytes by which the heap grew in its
 * own steps:
 * handles, names and objects that its requests made, less what died by them. Objects have no owner: one that another
 * session lets die, or the collector, is not taken off the account.
 *
 * The growth is counted always (session->grown); a limit is kept by giving the pool a ceiling while a request runs, so
 * that what would cost too much fails as it does at the memory limit, changes nothing, and answers LIMIT. What needs no
 * memory (release, unbind, an answer of up to QUOTA_REPLY_ROOM bytes) works beyond the limit too.
 */
#ifndef HEAPD_DAEMON_QUOTA_H
#define HEAPD_DAEMON_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct session;

#define QUOTA_REPLY_ROOM 1024u

/* Bytes that the session costs now. */
uint64_t quota_cost(const struct session *session);

/* Whether it may cost so many more. */
bool quota_allows(const struct session *session, uint64_t more);

/* Around what a session's request does: what limits.session_bytes stops there is LIMIT (heap_no_memory). False: the
 * session has no such limit, and quota_end is not to be called. */
bool quota_begin(struct session *session);
void quota_end(struct session *session);

#endif
