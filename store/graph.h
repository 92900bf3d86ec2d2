/*
 * store/graph.h - what is reachable from an object, as a picture needs it: nodes in order of distance, edges between
 * them, weak ones too. At one instant, within limits.work.
 */
#ifndef HEAPD_STORE_GRAPH_H
#define HEAPD_STORE_GRAPH_H

#include "store/ledger.h"

struct graph {
    struct ledger nodes; /* rows: a: steps from the first one, b: 1 if not all that it refers to is among them */
    enum hd_err err;
};

/* An edge: a slot, which may be the weak part of an entry, or for a weakref or proxy its target. False ends the
 * walk. */
typedef bool edge_fn(void *arg, const struct slot *slot, bool is_weak);

/* Everything within `depth` steps from `o`, at most `limit` >= 1 objects, nearest first. LIMIT beyond the work limit,
 * NO_MEMORY. Fine for one of zeroes; to be ended also on failure. */
enum hd_err graph_begin(struct graph *graph, struct heap *heap, struct obj *o, uint64_t depth, uint64_t limit);
void graph_end(struct graph *graph);

/* The edges of one object, in order. */
void graph_edges(struct heap *heap, struct obj *o, edge_fn *visit, void *arg);

#endif
