/*
 * daemon/sight.h - what a session may be shown: containers that it can reach by itself, from the namespaces that it may
 * read and from what it was given. Looking must not give power.
 *
 * What it could reach at one moment while its request ran counts as reachable: it could have taken it then.
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
};

/* Begins, or begins again, to find out which of the objects in `wanted` the session can reach; `wanted` stays where it
 * is. NO_MEMORY. Fine for one of zeroes. */
enum hd_err sight_begin(struct sight *sight, struct session *session, struct ledger *wanted);
void sight_end(struct sight *sight);

/* Looks at about *budget references (counting down); true when all is known. An administrator sees all at once. */
bool sight_some(struct sight *sight, size_t *budget);

#endif
