/*
 * store/why.h - why is this object alive? Two long looks at the heap, in slices between which it may change:
 *
 * - holders: everything that refers to one object.
 * - search: breadth first from roots along counting references, to one object or to all of a set.
 *
 * Neither holds anything; objects that die meanwhile are forgotten (store/ledger.h). What they found may have changed
 * when they end: it is looked at again at the moment of the answer (holding_each, search_link). The roots are their
 * caller's knowledge, who shows them; namespaces are objects, and a name is a slot of one.
 */
#ifndef HEAPD_STORE_WHY_H
#define HEAPD_STORE_WHY_H

#include "store/ledger.h"

/* -- holders ------------------------------------------------------------------------------------------------------ */

#define HOLDING_ROOT UINT32_MAX

/* Something that held the object when it was met: a stretch of a container with at least one slot, or a root. */
struct holding {
    uint32_t row;      /* of the container in the ledger; HOLDING_ROOT */
    uint64_t from, to; /* cursors of the stretch; of a root the caller's own numbers */
};

struct holders {
    struct ledger ledger;   /* the containers among them, with rows free to use: a, b */
    struct ledger walking;  /* keeps track of the container that is walked through */
    struct pool_walk pages;
    struct obj *target;     /* borrowed: its caller keeps it alive */
    struct holding *found;
    size_t len, capacity;
    uint64_t room;          /* containers that the ledger had room for */
    uint64_t most;          /* holdings: enough when so many were found */
    bool is_overfull;       /* there are more containers than room: begin again */
    enum hd_err err;        /* NO_MEMORY */
};

/* Begins, or begins again, to look for what holds `target`, `most` stretches and roots at most. NO_MEMORY. Fine for one
 * of zeroes. */
enum hd_err holders_begin(struct holders *h, struct heap *heap, struct obj *target, uint64_t most);
void holders_end(struct holders *h);

/* Looks at about *budget references of containers (counting down); true when all were, or enough are found. */
bool holders_some(struct holders *h, size_t *budget);

/* A root that refers to the target. */
void holders_root(struct holders *h, uint64_t from, uint64_t to);

/* The container of a holding, NULL if it is dead, or of a root. */
struct obj *holding_container(const struct holders *h, const struct holding *holding);

/* Visits the slots of a stretch that refer to the target now; false if `visit` answered false. */
bool holding_each(const struct holders *h, const struct holding *holding, slot_fn *visit, void *arg);

/* -- search ------------------------------------------------------------------------------------------------------- */

#define SEARCH_ROOT UINT32_MAX       /* in place of a parent's row: a root leads to it */
#define SEARCH_LOST (UINT32_MAX - 1) /* it lost a reference before the search came to it */
#define SEARCH_NONE (UINT32_MAX - 2)
#define SEARCH_ANYWHERE UINT32_MAX   /* in place of a stretch that began too far to be noted */

struct search {
    struct ledger ledger;  /* containers; row a: the parent's row, b: where in the parent its stretch begins */
    uint32_t *order;       /* rows in the order in which they are looked into */
    size_t order_size;     /* bytes */
    uint32_t queued, taken;
    struct obj *target;    /* borrowed; may be NULL */
    bool (*met)(void *arg, struct obj *o); /* a container is met first; true: the search ends. May be NULL */
    void *arg;
    uint32_t current;      /* the row looked into */
    uint32_t losses_taken; /* rows looked at for SEARCH_LOST */
    bool is_over;          /* nothing more will be found */
    bool is_found;         /* the target was */
    bool is_unsure;        /* not found, but it may have been moved behind the search's back */
    uint32_t parent, from; /* of the target: SEARCH_ROOT, or a row, and where in it */
};

/* Begins, or begins again. NO_MEMORY: all that it needs is reserved. Fine for one of zeroes. */
enum hd_err search_begin(struct search *s, struct heap *heap, struct obj *target,
                         bool (*met)(void *arg, struct obj *o), void *arg);
void search_end(struct search *s);

/* The same in parts, for it may have much memory to give back: true when it is done. */
bool search_end_some(struct search *s);

/* A root leads to `o`. All roots are shown before search_some; some of them may be looked into by search_first before
 * others are shown: of two ways of one length that through the earlier root is found. */
void search_root(struct search *s, struct obj *o);

/* Looks into no more than is in order now; true when all of that is, or the target was found. */
bool search_first(struct search *s, size_t *budget, uint32_t queued);

/* Looks at about *budget references (counting down); true at the end: is_found, is_unsure, or there is no way. */
bool search_some(struct search *s, size_t *budget);

/* Links of the way to the target, without the root: 0 if a root leads to it. */
uint64_t search_length(const struct search *s);

/* The way as positions of rows, from the root to the target's parent: `length` of them. */
void search_way(const struct search *s, uint32_t *way, uint64_t length);

/* Visits the first slot of a container that refers to `child`, in the stretch from `from` on; false if there is
 * none. */
bool search_link(struct obj *container, uint32_t from, const struct obj *child, slot_fn *visit, void *arg);

#endif
