/*
 * store/recount.h - recounts every reference while the heap changes, and finds the objects whose count is wrong.
 *
 * It works in slices (its caller shows the roots, as in store/why.h) and in passes. A pass counts what refers to each
 * object; what differs, or lost a reference meanwhile, is counted again in the next one. Only an object that changed in
 * no way from before a pass until after it can be told as a difference, so none is that a concurrent write made. What
 * changes in every pass stays unchecked.
 */
#ifndef HEAPD_STORE_RECOUNT_H
#define HEAPD_STORE_RECOUNT_H

#include "store/ledger.h"

#define RECOUNT_PASSES 8
#define RECOUNT_TOLD 1000 /* differences that are kept */

struct difference {
    uint64_t id, count, held; /* references that the object counts, and that there are */
    unsigned type;
};

struct recount {
    struct heap *heap;
    struct ledger ledger;   /* rows: a: state, or the count when the pass began; b: references met */
    struct pool_walk pages;
    unsigned pass;          /* from 1 */
    uint64_t objects;       /* alive at the beginning */
    uint64_t checked;       /* of them, whose count was compared with its holders while nothing changed */
    uint64_t left;          /* rows that the next pass counts again */
    uint32_t compared;      /* rows compared in this pass */
    uint32_t *told;         /* rows that may differ */
    uint32_t told_len;
    struct difference *differences; /* for certain */
    uint32_t difference_count;
    uint64_t met[OBJ_TYPES];  /* objects met in the first pass */
    uint64_t live[OBJ_TYPES]; /* that there were at the beginning */
    uint64_t made;
    bool saw_loss;          /* in the first pass */
};

/* Begins. NO_MEMORY: all that it needs is reserved. */
enum hd_err recount_begin(struct recount *r, struct heap *heap);
void recount_end(struct recount *r);

/* Gives memory back in parts: true when only what the answer needs is left. Nothing is counted any more. */
bool recount_end_some(struct recount *r);

/* Counts about *budget references of containers (counting down); true when this pass has seen them all. */
bool recount_some(struct recount *r, size_t *budget);

/* Counts a reference from a root, in a pass. */
void recount_root(struct recount *r, struct obj *o);

/* After containers and roots: compares about *budget rows; true when all are. Then recount_has_doubts. */
bool recount_compare(struct recount *r, size_t *budget);

/* True if there may be differences; they are certain, by recount_confirm, when every dying queue that holds something
 * now has been empty once: storage cut off from a container still holds its references until it is dropped. */
bool recount_has_doubts(const struct recount *r);
void recount_confirm(struct recount *r);

/* The next pass; false if none is needed or worth it. */
bool recount_next(struct recount *r);

/* True if nothing at all happened since the beginning, so that `met` can be compared with `live`: what is alive and met
 * by nobody is lost. Nothing may be dying. */
bool recount_was_undisturbed(const struct recount *r);

#endif
