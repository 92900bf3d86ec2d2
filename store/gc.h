/*
 * store/gc.h - the cycle collector: finds containers that no root leads to, and reclaims them.
 *
 * Roots are exactly known here (names, handles, pins), so it traces: an incremental mark and sweep in the manner of
 * Dijkstra et al. ("On-the-fly garbage collection", 1978), keeping what was reachable when the marking began, as T.
 * Yuasa's snapshot-at-beginning collector does ("Real-time garbage collection on general-purpose machines", 1990). It
 * works in slices between which anything may change. docs/adr/0002-collector.md argues why.
 *
 * What others owe it while heap->is_marking:
 * - obj_unref shows it every object that loses a reference and lives on (gc_shade); so a reference cannot move behind
 *   the back of the marking;
 * - reading a weak reference shows it the target (weak_target_peek);
 * - a list whose elements move down or are put in another order says so (gc_list_cut, gc_list_shuffled).
 * New containers are marked from the start.
 */
#ifndef HEAPD_STORE_GC_H
#define HEAPD_STORE_GC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/heap.h"
#include "store/step.h"

/* What the collector's owner knows: where references into the heap come from, besides other objects. */
struct gc_roots {
    /* Starts to go through all roots. */
    void (*begin)(void *context);
    /* Shows further roots with gc_root, about *budget of them (counting down); true when there is none left. What is
     * added behind its back it need not show, what goes away is seen by obj_unref. */
    bool (*some)(void *context, size_t *budget);
    /* Remembers which steps have a dying queue that is not empty now; */
    void (*drain)(void *context);
    /* true when each of those has been empty since. */
    bool (*is_drained)(void *context);
    void *context;
};

struct gc_stats {
    uint64_t started, ended;    /* collections */
    uint64_t collected;         /* objects, in all */
    uint64_t by_type[OBJ_TYPES]; /* of the last collection that ended, or of the one that runs */
    uint64_t containers;        /* that were alive after the last one */
    uint64_t marked;            /* containers scanned by the last one */
};

/* NULL without memory: everything a collection needs is reserved here. `roots` is copied. */
struct gc *gc_open(struct heap *heap, const struct gc_roots *roots);
void gc_close(struct gc *gc);

/* Begins a collection if none is under way. Allocates nothing, never fails. */
void gc_start(struct gc *gc);
bool gc_is_running(const struct gc *gc);

/*
 * A slice of the collection under way: about `budget` references looked at or dropped. True when the collection has
 * ended; the notices in gc_step()->told are then the caller's to deliver.
 */
bool gc_run(struct gc *gc, size_t budget);

/* True if it waits for the drain of others' dying queues, and can do nothing itself. */
bool gc_is_waiting(const struct gc *gc);

/* The queue of what it reclaims; its cause is WEAK_CYCLE. */
struct step *gc_step(struct gc *gc);

const struct gc_stats *gc_stats(const struct gc *gc);

/* One root, from gc_roots.some. NULL is fine. */
void gc_root(struct gc *gc, struct obj *o);

/* Elements of a list move: whoever walks through it must know, the collector and ledgers. */

/* `n` elements of a list from `index` on went, those behind moved down. */
void gc_list_cut(struct heap *heap, struct obj *list, uint64_t index, uint64_t n);
/* `n` elements were put in at `index`, those behind moved up. */
void gc_list_grown(struct heap *heap, struct obj *list, uint64_t index, uint64_t n);
/* The elements of a list stand in another order. */
void gc_list_shuffled(struct heap *heap, struct obj *list);

/* True while it marks. NULL is fine. */
bool gc_is_marking(const struct gc *gc);

/* True from the end of marking until all that is condemned is cleared. NULL is fine. */
bool gc_is_condemning(const struct gc *gc);

/* True if `o` is garbage whose turn has not come: dead for everybody. */
bool gc_is_condemned(const struct heap *heap, const struct obj *o);

#endif
