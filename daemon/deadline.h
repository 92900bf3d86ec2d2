/*
 * daemon/deadline.h - all deadlines of all connections on one timer.
 *
 * The deadlines of one kind last equally long, so that a list in order of their start is in order of their end too:
 * setting and clearing one is O(1), and an idle connection costs no timer of its own.
 *
 * Time is counted by a clock that runs while the loop runs (daemon/fair_clock.h).
 */
#ifndef HEAPD_DAEMON_DEADLINE_H
#define HEAPD_DAEMON_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

#include "daemon/fair_clock.h"

enum deadline_kind {
    DEADLINE_REQUEST, /* a request has begun and is not complete */
    DEADLINE_OUTPUT,  /* bytes wait and the client takes none */
    DEADLINE_IDLE,    /* nothing has come */
    DEADLINE_LINGER,  /* all is said; waiting for the client to close */
    DEADLINE_STOP,    /* the daemon is to end */
    DEADLINE_KINDS
};

/* Embedded in what it is the deadline of. Zeroed at the start. */
struct deadline {
    TAILQ_ENTRY(deadline) link;
    uint64_t since; /* on the fair clock */
    bool is_set;
};

TAILQ_HEAD(deadline_list, deadline);

struct deadlines {
    uv_timer_t timer;
    struct deadline_list lists[DEADLINE_KINDS];
    uint64_t limit_ms[DEADLINE_KINDS]; /* 0: this kind is off. May be changed at any time */
    struct fair_clock fair;
    /* A deadline has passed; it is no longer set. May set and clear others. */
    void (*expired)(void *context, struct deadline *deadline, enum deadline_kind kind);
    void *context;
};

void deadlines_open(struct deadlines *deadlines, uv_loop_t *loop,
                    void (*expired)(void *context, struct deadline *deadline, enum deadline_kind kind), void *context);

/* Closes the timer; the loop must run once more. */
void deadlines_close(struct deadlines *deadlines);

/* Starts it from now, whether it was set or not. */
void deadline_set(struct deadlines *deadlines, struct deadline *deadline, enum deadline_kind kind);

/* Fine for one that is not set. */
void deadline_clear(struct deadlines *deadlines, struct deadline *deadline, enum deadline_kind kind);

#endif
