/*
 * daemon/foresee.h - what the requests of one read will look up, before the first of them runs.
 *
 * With a million names each look-up waits for memory several times. The requests of a pipeline are all there: so their
 * names are hashed and looked for together, and they wait together (store/ahead.h). A guess that turns out wrong
 * changes no answer: nothing of it is kept.
 */
#ifndef HEAPD_DAEMON_FORESEE_H
#define HEAPD_DAEMON_FORESEE_H

#include "daemon/session.h"
#include "protocol/feed.h"
#include "store/heap.h"

#define FORESEE_MOST 16u /* requests: with 32, more memory is asked for than the processor waits for at once */

/* Looks ahead for `count` <= FORESEE_MOST requests, if that is worth while. */
void foresee(const struct session *session, const struct envelope *requests, unsigned count);

#endif
