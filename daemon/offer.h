/*
 * daemon/offer.h - objects on their way from one session to another: each waits under a token that serves once.
 *
 * An offer holds a count of its object until it is claimed or its time is over; the session that made it may have ended
 * by then. What became of the latest PAST_OFFERS is remembered, so that whoever made or claimed one is not taken for a
 * guesser of tokens when it comes back.
 */
#ifndef HEAPD_DAEMON_OFFER_H
#define HEAPD_DAEMON_OFFER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "daemon/token.h"
#include "protocol/err.h"
#include "store/obj.h"

struct hub;
struct session;

#define OFFER_TTL_MOST_S 86400
#define PAST_OFFERS 1024

/* One that is open, or past: then it has no object. */
struct offer {
    TAILQ_ENTRY(offer) link;
    struct token token;
    struct obj *o;
    uint64_t maker, claimer; /* numbers of sessions; 0: nobody */
    uint64_t end_ms;         /* on the hub's fair clock */
};

TAILQ_HEAD(offer_list, offer);

struct offers {
    struct offer_list open, past; /* in order of their making; of their end */
    uint64_t open_count, past_count;
};

void offers_init(struct hub *hub);

/* Drops them all, in heap->step. */
void offers_fini(struct hub *hub);

/* Offers the object for `ms` milliseconds. LIMIT at limits.offers, NO_MEMORY; INTERNAL if there is no randomness. */
enum hd_err offers_add(struct session *maker, struct obj *o, uint64_t ms, struct token *token);

/* The open offer of this token, NULL if there is none. Then *is_own tells whether the session made or claimed a past
 * one. One whose time is over ends by this, in heap->step. */
struct offer *offers_find(const struct session *session, const struct token *token, bool *is_own);

/* It was claimed: it lets go of its object. */
void offers_claimed(struct session *claimer, struct offer *offer);

/* Ends those whose time is over; what dies is left to hub->step. */
void offers_tick(struct hub *hub);

/* Shows the object of every open offer. */
void offers_each(const struct hub *hub, void (*visit)(void *arg, struct obj *o), void *arg);

#endif
