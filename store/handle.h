/*
 * store/handle.h - a session's handles: from a number to an owned reference.
 *
 * A radix tree over the number with small nodes (as Linux's XArray, M. Wilcox), so that numbers may be sparse and count
 * up for ever, nothing is ever rehashed, order is order of number, and empty nodes are freed at once. Two trees:
 * numbers that the client chose, and the server's own.
 */
#ifndef HEAPD_STORE_HANDLE_H
#define HEAPD_STORE_HANDLE_H

#include "protocol/limits.h"
#include "store/heap.h"

struct handle_node;

struct handle_tree {
    struct handle_node *root;
    unsigned height;          /* levels; 0 while empty */
    struct handle_node *hot;  /* the leaf used last, or NULL */
    uint64_t hot_base;
};

struct handles {
    struct handle_tree chosen; /* numbers 1 ... 2^31-1 */
    struct handle_tree given;  /* numbers from 2^31, less 2^31 */
    uint64_t next;             /* the server's next number */
    uint64_t count;            /* handles held */
    uint64_t bytes;            /* of nodes, as allocated */
};

void handles_init(struct handles *handles);

/* The object of a handle, borrowed; NULL if the number is not held. Any number may be asked. */
struct obj *handles_peek(struct handles *handles, uint64_t number);

/* Makes sure that the next handles_put, with this number (0: the server's next) cannot fail. HANDLE_IN_USE, NO_MEMORY;
 * VALUE for a number outside 1 ... 2^31-1. */
enum hd_err handles_reserve(struct heap *heap, struct handles *handles, uint64_t number);

/* Takes back a reservation that was not used. Never allocates. */
void handles_unreserve(struct heap *heap, struct handles *handles, uint64_t number);

/* Puts an owned reference (consumed) under `number`, or, for 0, under the server's next number; room must be reserved.
 * Returns the number. */
uint64_t handles_put_take(struct heap *heap, struct handles *handles, uint64_t number, struct obj **ref);

/* Takes a handle out and gives its reference to the caller; NULL if the number is not held. Never allocates. */
struct obj *handles_remove(struct heap *heap, struct handles *handles, uint64_t number);

/* Drops handles in order of number, at most *budget (counting down); true when none is left. */
bool handles_drop(struct heap *heap, struct handles *handles, size_t *budget);

/* The first held number at or above `number`, 0 if there is none; *o gets its object, borrowed. */
uint64_t handles_next(const struct handles *handles, uint64_t number, struct obj **o);

#endif
