/*
 * store/weak.h - what refers without counting: weak links; and two kinds of objects that are no more than one, weakrefs
 * and proxies. Entries of weak containers (store/kinds/weak_table.h) and weak bindings (store/names.h) are the other
 * kinds.
 *
 * The head of an object's list of links to it lies beside the object in its page of the pool, or, for a large one, in a
 * side table of the heap (weak_heads); the object's header has only the flag OBJ_HAS_WEAK. The list runs latest first,
 * the order in which they are told.
 *
 * Invariant: a link is either in its living target's list, or cleared (target NULL). A cleared weakref that wants a
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

enum weak_kind {
    WEAK_OBJECT, /* a weakref or proxy: struct weak */
    WEAK_ENTRY,  /* an entry of a weak container: struct weak_entry */
    WEAK_NAME    /* a weak binding: struct weak_name */
};

/* The first member of what refers weakly, or, of a struct weak, the second. */
struct weak_link {
    union {
        struct obj *target;        /* not counted; NULL once cleared */
        uint64_t epitaph;          /* of a cleared struct weak: twice the id that its target had, and 1 */
    };
    struct weak_link *next, *prev; /* in the target's list; of a cleared struct weak, in a weak_queue, or NULL */
    union {
        uint32_t batch;            /* WEAK_OBJECT: of a notice; those of one batch travel in one frame */
        uint32_t hash;             /* the others: under which it stands in its table */
    };
    uint8_t kind;                  /* enum weak_kind */
    uint8_t cause;                 /* WEAK_OBJECT: enum weak_cause, once cleared */
    bool is_shared;                /* WEAK_OBJECT: the plain one that every weakref() of this target answers */
    bool is_hashed;                /* WEAK_OBJECT: `hash` of struct weak is known. WEAK_ENTRY: compared by value */
};

struct weak_queue {
    struct weak_link *first, *last; /* beyond them is the queue itself (weak.c), so it stays where it is */
};

struct weak {
    struct obj head;           /* OBJ_WEAKREF or OBJ_PROXY */
    struct weak_link link;
    struct mailbox *mailbox;   /* who is told of the death; NULL: nobody. Counted */
    uint64_t number;           /* the handle under which it is told; once dead and told, 0 */
    uint64_t died_ns;          /* time of the target's death; until then undefined */
    int64_t hash;              /* what `hash` of the target answered, if it was asked in its life; store/hash.c */
};

/*
 * Where notices go: one per session, counted by the weak references that name it, so that these may outlive the
 * session.
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
 * one is given, with a new reference. With a mailbox: its own, and `number` is set later by weak_set_number. TYPE for
 * an immortal target.
 */
enum hd_err weak_new(struct heap *heap, enum obj_type type, struct obj *target, struct mailbox *mailbox,
                     struct obj **out);

/*
 * A weakref whose target is dead from the start, and then, at most once, the same made to refer to `target`, which is
 * mortal; NO_MEMORY. `is_hashed`: while it is dead it has a hash, as one that was asked for it in its life. For graphs
 * that are loaded, where a weakref may come before its target.
 */
enum hd_err weak_new_dead(struct heap *heap, bool is_hashed, struct obj **out);
enum hd_err weak_attach(struct heap *heap, struct obj *weakref, struct obj *target);

/* The id of the target, or what it was. */
uint64_t weak_target_id(const struct obj *weak);

/* The living target, borrowed: take a reference before anything is dropped. NULL once it is dead: reclaimed, or
 * condemned by the collector. */
struct obj *weak_target_peek(struct heap *heap, const struct obj *weak);

/* Why and when a dead target died: when, on heap->now_ns. */
enum weak_cause weak_death(const struct heap *heap, const struct obj *weak, uint64_t *died_ns);

/* How many weakrefs and proxies refer to `o`. */
uint64_t weak_count(const struct heap *heap, const struct obj *o);

/* Clears every link to `o`, which dies in this step: weakrefs with a mailbox go to step->told, latest first; entries
 * and weak bindings leave their containers. Never allocates, never drops a reference: what an entry held is queued. */
struct step;
void weak_clear(struct heap *heap, struct obj *o, struct step *step);

/* A weakref or proxy itself dies: it leaves its target's list, or its queue. It calls nobody any more. */
void weak_retire(struct heap *heap, struct obj *weak);

/* -- links of any kind -------------------------------------------------------------------------------------------- */

/* TYPE for an immortal target, with a text. */
enum hd_err weak_check_target(struct heap *heap, const struct obj *target);

/* Room for one more link to `target`, so that weak_link_add cannot fail; false without memory. Room that is not used is
 * to be given back before anything else happens. */
bool weak_link_reserve(struct heap *heap, struct obj *target);
void weak_link_unreserve(struct heap *heap, struct obj *target);

/* Makes the link refer to `target`. Its kind is set. */
void weak_link_add(struct heap *heap, struct obj *target, struct weak_link *link);

/* The target of a link, condemned or not; NULL once it is cleared. */
static inline struct obj *weak_link_target(const struct weak_link *link)
{
    return (link->epitaph & 1) == 0 ? link->target : NULL;
}

/* Clears a link that has a target. */
void weak_link_remove(struct heap *heap, struct weak_link *link);

/* As weak_target_peek. */
struct obj *weak_link_peek(struct heap *heap, const struct weak_link *link);

/* 0 if the links to `o` are sound, else the line number of the breach. */
int weak_check(const struct heap *heap, const struct obj *o);

/* Queue operations, constant time. */
void weak_queue_append(struct weak_queue *queue, struct weak *weak);
struct weak *weak_queue_pop(struct weak_queue *queue); /* NULL when empty; borrowed */

#endif
