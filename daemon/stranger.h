/*
 * daemon/stranger.h - somebody who speaks something else on the port (HTTP, TLS, Redis, a person with telnet) is told
 * in their own tongue, in one sentence, what this is.
 */
#ifndef HEAPD_DAEMON_STRANGER_H
#define HEAPD_DAEMON_STRANGER_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* True if these first bytes of a connection, which are no frame, may be another protocol's. */
bool stranger_begins(const char *bytes, size_t len);

/* True if enough has come to tell which. */
bool stranger_is_clear(const char *bytes, size_t len);

/* Packs the sentence. */
void stranger_answer(const char *bytes, size_t len, struct buf *out);

#endif
