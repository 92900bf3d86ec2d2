/*
 * daemon/pace.h - whose turn it is: slices of the hub's own work, and sessions that have something left to do.
 *
 * A round of the loop is: one slice of the hub's work, one turn for each that asked for one, then the network. As long
 * as there is work or somebody waits for a turn the loop does not sleep. So a container of millions dies in slices
 * between which every other session is served, and a session with a thousand requests in its buffer shares with the
 * others.
 *
 * The loop may also stay awake for a while after the last bytes came (busy_poll_us): the next request then finds it
 * awake, which saves the time that the system takes to wake a process. Until then it looks for events again and again.
 */
#ifndef HEAPD_DAEMON_PACE_H
#define HEAPD_DAEMON_PACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

struct hub;

/* Embedded in what takes turns. Set `take` once. */
struct turn {
    TAILQ_ENTRY(turn) link;
    bool is_queued;
    void (*take)(struct turn *turn); /* may queue itself again, for the next round */
};

TAILQ_HEAD(turn_list, turn);

struct pace {
    uv_prepare_t prepare;
    uv_idle_t idle; /* active while the loop must not sleep */
    uv_timer_t tick; /* started when the hub wants one: an idle daemon is not woken */
    struct turn_list waiting;
    struct hub *hub;     /* NULL: no work of its own is done (any more) */
    uint64_t round;      /* counts up */
    uint64_t began_ns;   /* CPU time when the round began, if it is timed; else 0 */
    uint64_t spin_ns;    /* how long the loop stays awake after bytes came, */
    uint64_t came_ns;    /* which was then, by uv_hrtime, as seen by the first round after it; */
    bool has_come;       /* and since the last round */
};

void pace_open(struct pace *pace, uv_loop_t *loop);

/* Closes the handles; the loop must run once more. */
void pace_close(struct pace *pace);

/* How long the loop stays awake after bytes came; 0: it does not. */
void pace_configure(struct pace *pace, uint64_t busy_poll_us);

/* Bytes came from a client. */
static inline void pace_note_bytes(struct pace *pace)
{
    pace->has_come = true;
}

/* Asks for a turn, in the next round or later in this one. Fine for one that is queued. */
void pace_queue(struct pace *pace, struct turn *turn);

/* Takes it out of the queue, also during a round. Fine for one that is not queued. */
void pace_forget(struct pace *pace, struct turn *turn);

#endif
