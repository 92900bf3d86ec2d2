/*
 * store/kinds/iterate.h - the items of anything that has some: elements of list, tuple, set and weakset, keys of dicts,
 * code points of a str (as strs), bytes of a bytes object (as ints). A living proxy stands for its target.
 *
 * An iteration gives `length` items at most, also if what it runs over grows meanwhile (xs.extend(xs)), and ends early
 * if that shrinks. It charges no work: its user knows what an item costs, and charges `length` before it starts.
 */
#ifndef HEAPD_STORE_KINDS_ITERATE_H
#define HEAPD_STORE_KINDS_ITERATE_H

#include "store/heap.h"

struct iteration {
    struct heap *heap;
    struct obj *over;  /* borrowed: the user keeps it */
    uint64_t length;   /* items when it started */
    uint64_t given;    /* of them so far */
    uint32_t position; /* of the next: element, table position or byte */
};

/* Begins. TYPE if `o` has no items, DEAD for a dead proxy. There is nothing to end. */
enum hd_err iterate_start(struct heap *heap, struct obj *o, struct iteration *iteration);

/* The next item, owned; NULL at the end. LIMIT for one with as many references as it can have, so that what is given
 * may be stored without asking; NO_MEMORY only where items are made (str). */
enum hd_err iterate_next(struct iteration *iteration, struct obj **item);

#endif
