/*
 * store/weak.h - weak references and proxies: objects that refer without counting.
 *
 * The head of an object's list of them lies beside the object in its page of the pool, or, for a large one, in a side table
 * of the heap (weak_heads); the object's header has only the flag OBJ_HAS_WEAK. The list runs latest first, the order in
 * which they are told.
 *
 * Invariant: a weak object is either in its living target's list, or cleared (target NULL); a cleared one that wants a
 * notice is in exactly one weak_queue until it is told, dropped, or dies itself.
 */
#ifndef HEAPD_STORE_WEAK_H
#define HEAPD_STORE_WEAK_H

#include <stdbool.h>
#include <stdint.h>

#include "store/heap.h"

enum weak_cause { WEAK_COUNT, WEAK_SESSION, WEAK_CYCLE, WEAK_CAUSES };

/* "count", "session", "cycle" */
const char *weak_cause_name(enum weak_cause cause);

struct mailbox;

struct weak_queue {
    struct weak *first, *last;
};

struct weak {
    struct obj head;           /* OBJ_WEAKREF or OBJ_PROXY */
    struct obj *target;        /* NULL once cleared; not counted */
    struct weak *next, *prev;  /* in the target's list, then in a weak_queue */
    struct mailbox *mailbox;   /* who is told of the death; NULL: nobody. Counted */
    uint64_t number;           /* the handle under which it is told; once dead and told, 0 */
    uint64_t died_ns;          /* time of the target's death */
    uint64_t target_id;        /* kept for repr and info after the death */
    struct weak_queue *queue;  /* the queue it is in, or NULL */
    int64_t hash;              /* what `hash` of the target answered, if it was asked in its life; store/hash.c */
    uint32_t batch;            /* of a notice: those of one batch travel in one frame */
    uint8_t cause;             /* enum weak_cause, once cleared */
    bool is_hashed;
    bool is_shared;            /* the plain one that every weakref() of this target answers */
};

/*
 * Where notices go: one per session, counted by the weak references that name it, so that these may outlive the session.
 */
struct mailbox {
    uint64_t count;
    void *owner; /* the session, or NULL after its end */
};

/* A mailbox with count 1, NULL without memory. */
struct mailbox *mailbox_new(struct heap *heap, void *owner);
void mailbox_unref(struct heap *heap, struct mailbox **mailbox);

/*
 * A weakref or proxy (by type) of `target`. Plain ones (mailbox NULL) of one living object are one object: the existing
 * one is given, with a new reference. With a mailbox: its own, and `number` is set later by weak_set_number. TYPE for an
 * immortal target.
 */
enum hd_err weak_new(struct heap *heap, enum obj_type type, struct obj *target, struct mailbox *mailbox,
                     struct obj **out);

/*
 * A weakref whose target is dead from the start, and then, at most once, the same made to refer to `target`, which is
 * mortal; NO_MEMORY. `is_hashed`: while it is dead it has a hash, as one that was asked for it in its life. For graphs that
 * are loaded, where a weakref may come before its target.
 */
enum hd_err weak_new_dead(struct heap *heap, bool is_hashed, struct obj **out);
enum hd_err weak_attach(struct heap *heap, struct obj *weakref, struct obj *target);

/* The living target, borrowed: take a reference before anything is dropped. NULL once it is dead: reclaimed, or condemned by
 * the collector. */
struct obj *weak_target_peek(struct heap *heap, const struct obj *weak);

/* Why and when a dead target died: when, on heap->now_ns. */
enum weak_cause weak_death(const struct heap *heap, const struct obj *weak, uint64_t *died_ns);

/* How many weakrefs and proxies refer to `o`. */
uint64_t weak_count(const struct heap *heap, const struct obj *o);

/* Clears every weak reference to `o`, which is dying; those with a mailbox go to `told`, latest first. Never allocates. */
void weak_clear(struct heap *heap, struct obj *o, enum weak_cause cause, struct weak_queue told[WEAK_CAUSES]);

/* A weakref or proxy itself dies: it leaves its target's list, or its queue. It calls nobody any more. */
void weak_retire(struct heap *heap, struct obj *weak);

/* Queue operations, constant time. */
void weak_queue_append(struct weak_queue *queue, struct weak *weak);
struct weak *weak_queue_pop(struct weak_queue *queue); /* NULL when empty; borrowed */

#endif
