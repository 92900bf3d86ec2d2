/*
 * daemon/sight.h - what a session may be shown: containers that it can reach by itself, from the namespaces that it may
 * read and from what it was given. Looking must not give power.
 *
 * What it could reach at one moment while its request ran counts as reachable: it could have taken it then.
 *
 * An administrator is shown all, so also a copy that is being made, or loaded (freeze.h): nobody else may have hold of
 * it before it is whole. So who would show him containers waits for long copies as who would write does, and they for
 * him.
 */
#ifndef HEAPD_DAEMON_SIGHT_H
#define HEAPD_DAEMON_SIGHT_H

#include "daemon/state.h"
#include "store/why.h"

struct sight {
    struct session *session;
    struct ledger *wanted; /* containers; a row's `a` becomes 1 when the session can reach it */
    struct search search;
    struct root_walk roots;
    uint64_t unseen;
    bool roots_are_shown;
    bool shows_all;        /* and is counted in hub->frozen_writers */
};

/* Begins, or begins again, to find out which of the objects in `wanted` the session can reach; `wanted` stays where it
 * is. NO_MEMORY. Fine for one of zeroes. */
enum hd_err sight_begin(struct sight *sight, struct session *session, struct ledger *wanted);
void sight_end(struct sight *sight);

/* Nothing to do before a long copy has ended. */
bool sight_waits(const struct sight *sight);

/* Looks at about *budget references (counting down); true when all is known and, until the loop goes on, may be
 * shown. */
bool sight_some(struct sight *sight, size_t *budget);

#endif
