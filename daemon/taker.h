/*
 * daemon/taker.h - calls that wait: `take` of a queue that is empty.
 *
 * A waiting call has left its connection's order: other requests run, and its response is written when it is done.
 * Takers wait in their queue, longest first, over all sessions. What is put while somebody waits is handed over at
 * the end of the request that put it (takers_serve), so that nobody ever sees an item that waits beside a taker.
 *
 * A taker pins its queue and its argument. It is cancelled without effect when its session ends; then, or when its
 * answer cannot be sent, the item stays for the next one.
 */
#ifndef HEAPD_DAEMON_TAKER_H
#define HEAPD_DAEMON_TAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "protocol/err.h"
#include "store/kinds/queue.h"

struct call;
struct hub;
struct session;

/* All that wait, and what is to be done for them. */
struct takers {
    uint64_t count;
    struct queue *served, *served_last; /* queues that were put into, or closed, while somebody waits */
    struct taker **due;    /* a heap (J. W. J. Williams, 1964) of those with a time-out, the soonest first */
    size_t due_count, due_capacity;
};

/* Makes the call a waiting one, for `seconds` (infinity: no limit): the handler answers nothing. `argument`, or NULL,
 * lives as long. LIMIT at
 * limits.waiting, NO_MEMORY, CANCELLED if the client sends no more. */
enum hd_err taker_wait(struct call *call, struct queue *queue, double seconds, struct obj *argument);

/* The queue has changed: those who wait are served at the end of the request. */
void takers_notice(struct hub *hub, struct queue *queue);

/* Hands over what was put, and cancels those who wait for a closed queue; in heap->step. No response is half packed. */
void takers_serve(struct hub *hub);

/* Milliseconds until the next time-out; UINT64_MAX if nobody waits for one. */
uint64_t takers_wait_ms(struct hub *hub);

/* Answers TIMEOUT to those whose time is over; what dies is left to hub->step. */
void takers_tick(struct hub *hub);

/* The client will send no more: its waiting calls are answered CANCELLED, as it may be gone. What dies is left to
 * hub->step. */
void takers_cancel(struct session *session);

/* Ends waiting calls of a session without an answer, at most *budget of them (counting down); true when none is
 * left. */
bool takers_drop(struct session *session, size_t *budget);

/* The references that a session's waiting calls hold. */
void takers_roots(const struct session *session, void (*visit)(void *arg, struct obj *o), void *arg);

/* After the last session. */
void takers_fini(struct hub *hub);

#endif
