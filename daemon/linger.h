/*
 * daemon/linger.h - sessions that outlive their connection.
 *
 * To the connection belong: the bytes that came and were not run, the bytes to be written, and who is at the other end
 * (`in`, `out`, `partial`, `peer` and what counts of it). Everything else survives: names, handles, settings, the
 * request that takes slices, events to come. A session that was promised to linger records what it says
 * (daemon/keep.h), since nobody knows what of it arrives. When its connection breaks it is detached: what it says goes
 * into the records alone. Whoever knows its token takes it over: his connection's part moves from the session that he
 * had to this one.
 *
 * Sessions that do not linger pay with a look at one pointer for each response and event.
 */
#ifndef HEAPD_DAEMON_LINGER_H
#define HEAPD_DAEMON_LINGER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "daemon/keep.h"
#include "daemon/session.h"
#include "daemon/token.h"
#include "protocol/err.h"

struct hub;
struct told;

/* What all lingering sessions of one address take together. */
struct lingerer {
    LIST_ENTRY(lingerer) link;
    struct peer peer; /* one of them: its port says nothing */
    uint64_t sessions;
    uint64_t bytes; /* kept */
};

LIST_HEAD(lingerer_list, lingerer);

struct linger {
    LIST_ENTRY(linger) link;
    struct session *session;
    struct lingerer *lingerer;
    struct token token;
    uint64_t ms;           /* how long it outlives its connection; */
    uint64_t end_ms;       /* while it is detached: until then, on the hub's fair clock */
    struct keep events;    /* by their seq */
    struct keep responses; /* by their number in the session, from 1 */
    uint64_t seen;         /* the last event that a resume told was seen */
    uint64_t given_next;   /* handles from here on were given since the newest response was recorded */
    uint64_t held_into;    /* of the response that waits for its step: see struct kept */
};

LIST_HEAD(linger_list, linger);

struct lingerings {
    struct linger_list list;
    struct lingerer_list lingerers;
    uint64_t count;    /* promised */
    uint64_t detached; /* of them */
};

void lingerings_init(struct hub *hub);

/* Promises to linger for so long, or shorter if linger_max says so; session->linger stays NULL where limits are
 * reached. NO_MEMORY; INTERNAL if there is no randomness. */
enum hd_err linger_begin(struct session *session, double seconds);

/* Takes the promise back. Fine if there is none. */
void linger_end(struct session *session);

/* Bytes that are kept for it. */
uint64_t linger_size(const struct session *session);

/* The session that this token resumes, NULL if there is none. */
struct session *linger_find(const struct hub *hub, const struct token *token);

/* The connection has gone. True if the session lives on without one. */
bool linger_detach(struct session *session);

/* The connection of `from`, all that came from it and all that is to be written to it, goes over to `to`; that of `to`,
 * if it had one, is closed. `from` ends. */
void linger_move(struct session *from, struct session *to);

/* An event of the session was packed at the end of its output. */
void linger_keep_event(struct session *session, const struct told *told);

/* A response of the session stands in its output from `at` to the end; `into`: the handle that it gave, 0 for none. */
void linger_keep_response(struct session *session, size_t at, uint64_t into);

/* Makes room in `out` for all that linger_replay_... may pack, the answers of cancelled calls too, and `more` bytes;
 * LIMIT, NO_MEMORY. */
enum hd_err linger_reserve(struct session *session, struct buf *out, size_t more);

/* Packs the events behind `seen`, and what says which are lost. */
void linger_replay_events(struct session *session, uint64_t seen, struct buf *out);

/* Packs the responses behind `answered`. Of those that were not kept the handles are released. */
void linger_replay_responses(struct session *session, uint64_t answered, struct buf *out);

/* What the client has, nobody asks for again. */
void linger_seen(struct session *session, uint64_t seen);
void linger_answered(struct session *session, uint64_t answered);

/* Ends detached sessions whose time is over. */
void linger_tick(struct hub *hub);

#endif
