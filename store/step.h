/*
 * store/step.h - the dying queue of one step: a request, the end of a session, a collection.
 *
 * An object whose count falls to zero is queued in the step that took it there (heap->step), its weak references
 * cleared at that moment; freeing is step_run's loop with a budget, breadth first, never a recursion. Nothing here
 * allocates: the queue's link lies in the header over the id, that of large detached storage in the storage itself. An
 * object that refers to nothing, and of whose death nobody hears, needs no queue: it is freed as it is dropped.
 *
 * Steps of different clients are independent: their owner runs them round robin (daemon/pace.c), so a small death never
 * waits behind a large one.
 */
#ifndef HEAPD_STORE_STEP_H
#define HEAPD_STORE_STEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/heap.h"
#include "store/weak.h"

struct weak_name;

#define STEP_LANES 8u

/*
 * The queue is spread over lanes: what stands one behind another in it is in neighbouring lanes, so an item's link
 * names the one STEP_LANES places later. Along a single list each would have to come from memory before the next is
 * known.
 */
struct step {
    uintptr_t first[STEP_LANES]; /* struct obj *, and others told apart by the lowest bits; 0 when the lane is empty */
    uintptr_t last[STEP_LANES];
    uint32_t in, out;          /* lanes of the next item that comes, and of the head: empty if the queue is */
    uint64_t cursor;           /* how far the head's references are dropped */
    enum weak_cause cause;     /* of the deaths that happen in this step */
    struct weak_queue told[WEAK_CAUSES]; /* cleared weak references that want a notice, in order of death */
    struct weak_name *expired, *last_expired; /* weak bindings whose objects died, in order: to be freed */
    uint64_t doomed;           /* objects whose count fell to zero so far, the freed ones included */
};

void step_init(struct step *step, enum weak_cause cause);

/* The item `ahead` < STEP_LANES places behind the head, which is at 0; 0: none. */
static inline uintptr_t step_item(const struct step *step, uint32_t ahead)
{
    return step->first[(step->out + ahead) % STEP_LANES];
}

static inline bool step_is_empty(const struct step *step)
{
    return step_item(step, 0) == 0;
}

/* Whether deaths in it are to be told. */
static inline bool step_has_news(const struct step *step)
{
    bool any = step->expired != NULL;

    for (unsigned cause = 0; cause < WEAK_CAUSES; cause++)
        any |= step->told[cause].first != NULL;
    return any;
}

/*
 * Frees queued objects, dropping at most about `budget` references (and objects); sets heap->step to this step
 * meanwhile. True when the queue is empty. The notices in `told` and `expired` are the caller's to deliver or drop.
 */
bool step_run(struct heap *heap, struct step *step, size_t budget);

/* Calls `visit` for every queued object, and for every reference that what else is queued still holds. */
void step_each(const struct step *step, void (*visit)(void *arg, struct obj *o, bool is_reference), void *arg);

/* Calls `visit` for the namespace of each binding in `expired`: pins. */
void step_each_expired(const struct step *step, void (*visit)(void *arg, struct obj *holder), void *arg);

/* Gives a vector of owned references to the current step to be dropped first to last and freed. `items` was allocated
 * from the pool with `capacity` slots; NULL is fine. */
void step_detach_items(struct heap *heap, struct obj **items, uint32_t len, uint32_t capacity);

/* The same for the entries of a table whose keys and values are owned references (dict, set). The
 * table is empty and usable again at once. */
void step_detach_table(struct heap *heap, struct table *table);

/* Gives an entry whose object is dead to the step, to be dropped and freed. Drops nothing here. */
struct weak_entry;
void step_add_entry(struct step *step, struct weak_entry *entry);

/* The same for the table of a weak container. Its entries are in it until they are dropped, or their objects die. */
struct weak_table;
void step_add_weak_table(struct step *step, struct weak_table *table);

#endif
