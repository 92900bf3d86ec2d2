/*
 * step.c - the dying queue: objects, and what has left living ones, whose references are still to be dropped.
 *
 * Invariant: a queued object has OBJ_DYING and no weak reference. Its count is 0 and only the queue knows it; or it was
 * collected, and all that still refers to it is in the same queue. The head of the queue may be half dropped: `cursor`
 * says how far.
 */
#include "store/step.h"

#include <assert.h>
#include <string.h>

#include "store/fetch.h"
#include "store/kind.h"
#include "store/ledger.h"
#include "store/pool_page.h"
#include "store/kinds/vector.h"
#include "store/kinds/weak_table.h"
#include "store/names.h"

/* Storage cut off from a living container: this record overlays its first bytes, whose references are dropped
 * already. */
struct detached {
    uintptr_t next;
    uint32_t len;      /* slots or entries in use, the overlaid ones included */
    uint32_t capacity;
    uint32_t is_table;
    uint32_t dropped;  /* slots or entries done */
};

#define DETACHED_SLOTS ((uint32_t)(sizeof(struct detached) / sizeof(struct obj *)))
_Static_assert(sizeof(struct detached) == sizeof(struct table_entry), "the record overlays one entry");
_Static_assert(sizeof(struct detached) % sizeof(struct obj *) == 0, "and whole slots");

void step_init(struct step *step, enum weak_cause cause)
{
    memset(step, 0, sizeof *step);
    step->cause = cause;
}

/* What stands in a queue: an address, whose lowest bits tell of what. */
enum item { ITEM_OBJECT, ITEM_DETACHED, ITEM_ENTRY, ITEM_WEAK_TABLE };

#define ITEM_MASK ((uintptr_t)3)

static enum item item_of(uintptr_t item)
{
    return (enum item)(item & ITEM_MASK);
}

static void *block_of(uintptr_t item)
{
    return (void *)(item & ~ITEM_MASK);
}

static void set_next(uintptr_t item, uintptr_t next)
{
    switch (item_of(item)) {
    case ITEM_OBJECT:
        ((struct obj *)item)->next = (struct obj *)next;
        return;
    case ITEM_DETACHED:
        ((struct detached *)block_of(item))->next = next;
        return;
    case ITEM_ENTRY:
        ((struct weak_entry *)block_of(item))->next_dying = next;
        return;
    case ITEM_WEAK_TABLE:
        ((struct weak_table *)block_of(item))->next_dying = next;
        return;
    }
}

static uintptr_t next_of(uintptr_t item)
{
    switch (item_of(item)) {
    case ITEM_DETACHED:
        return ((struct detached *)block_of(item))->next;
    case ITEM_ENTRY:
        return ((struct weak_entry *)block_of(item))->next_dying;
    case ITEM_WEAK_TABLE:
        return ((struct weak_table *)block_of(item))->next_dying;
    default:
        return (uintptr_t)((struct obj *)item)->next;
    }
}

static void enqueue(struct step *step, uintptr_t item)
{
    uint32_t lane = step->in;

    set_next(item, 0);
    if (step->first[lane] == 0)
        step->first[lane] = item;
    else
        set_next(step->last[lane], item);
    step->last[lane] = item;
    step->in = (lane + 1) % STEP_LANES;
}

static inline void free_dead(struct heap *heap, struct obj *o)
{
    heap->died++;
    kind_of(o)->free(heap, o);
}

/* For objects that others may have to hear of, or that have something to drop. */
static __attribute__((noinline)) void die_in_turn(struct heap *heap, struct step *step, struct obj *o)
{
    if ((o->flags & OBJ_DYING) != 0)
        return; /* collected: it has been in the collector's queue since before its count came to zero */
    if (heap->ledgers != NULL)
        ledgers_bury(heap, o);
    if ((o->flags & OBJ_HAS_WEAK) != 0)
        weak_clear(heap, o, step);
    if (o->type == OBJ_WEAKREF || o->type == OBJ_PROXY)
        weak_retire(heap, o);
    o->flags |= OBJ_DYING;
    step->doomed++;
    enqueue(step, (uintptr_t)o);
}

/* An object that refers to nothing, and that nobody watches, is freed here and now. */
void obj_die(struct heap *heap, struct obj *o)
{
    struct step *step = heap->step;

    assert(step != NULL);
    if (obj_type_is_container(o->type) || (o->flags & (OBJ_HAS_WEAK | OBJ_DYING)) != 0 || heap->ledgers != NULL) {
        die_in_turn(heap, step, o);
        return;
    }
    step->doomed++;
    free_dead(heap, o);
}

/* -- detaching ---------------------------------------------------------------------------------------------------- */

static void detach(struct heap *heap, void *storage, struct detached record)
{
    memcpy(storage, &record, sizeof record);
    enqueue(heap->step, (uintptr_t)storage | ITEM_DETACHED);
}

/* The storage is queued before its first references are dropped: so all of them die before what they refer to. */
void step_detach_items(struct heap *heap, struct obj **items, uint32_t len, uint32_t capacity)
{
    struct obj *first[DETACHED_SLOTS];
    uint32_t overlaid = len < DETACHED_SLOTS ? len : DETACHED_SLOTS;

    if (items == NULL)
        return;
    memcpy(first, items, overlaid * sizeof *items);
    if (len > DETACHED_SLOTS)
        detach(heap, items, (struct detached){.len = len, .capacity = capacity, .dropped = DETACHED_SLOTS});
    else
        pool_free(heap->pool, items, capacity * sizeof *items, POOL_DATA);
    for (uint32_t i = 0; i < overlaid; i++)
        obj_unref(heap, &first[i]);
}

static void drop_entry(struct heap *heap, struct table_entry *entry)
{
    struct obj *key = entry->key;

    obj_unref(heap, &key);
    obj_unref(heap, &entry->value);
}

void step_detach_table(struct heap *heap, struct table *table)
{
    struct table_entry *entries = table->entries;
    struct table_entry first = {0};
    struct detached record = {.len = table->used, .capacity = table->capacity, .is_table = 1, .dropped = 1};

    table->entries = NULL;
    table_fini(heap->pool, table); /* the index goes at once */
    if (entries == NULL)
        return;
    if (record.len > 0)
        first = entries[0];
    if (record.len > 1)
        detach(heap, entries, record);
    else
        pool_free(heap->pool, entries, record.capacity * sizeof *entries, POOL_DATA);
    drop_entry(heap, &first);
}

void step_add_entry(struct step *step, struct weak_entry *entry)
{
    enqueue(step, (uintptr_t)entry | ITEM_ENTRY);
}

void step_add_weak_table(struct step *step, struct weak_table *table)
{
    enqueue(step, (uintptr_t)table | ITEM_WEAK_TABLE);
}

/* -- running ------------------------------------------------------------------------------------------------------ */

static bool drop_detached(struct heap *heap, struct detached *detached, size_t *budget)
{
    for (; detached->dropped < detached->len && *budget > 0; (*budget)--) {
        if (detached->is_table)
            drop_entry(heap, &((struct table_entry *)(void *)detached)[detached->dropped]);
        else
            obj_unref(heap, &((struct obj **)(void *)detached)[detached->dropped]);
        detached->dropped++;
    }
    return detached->dropped == detached->len;
}

static void free_detached(struct heap *heap, struct detached *detached)
{
    size_t slot = detached->is_table ? sizeof(struct table_entry) : sizeof(struct obj *);

    pool_free(heap->pool, detached, detached->capacity * slot, POOL_DATA);
}

static void dequeue(struct step *step)
{
    step->first[step->out] = next_of(step_item(step, 0));
    step->out = (step->out + 1) % STEP_LANES;
    step->cursor = 0;
}

#define AHEAD 8u /* references of one object that are asked for before the first is dropped */

/* A block, and what the pool will look at when it is freed. */
static FETCHES void fetch_block(const void *block)
{
    __builtin_prefetch(block);
    __builtin_prefetch(page_beside(block));
}

/* All of a short vector, and of a table without an index. */
static FETCHES void fetch_storage(struct obj *o)
{
    const char *storage = obj_storage(o);

    if (storage == NULL)
        return;
    fetch_block(storage);
    __builtin_prefetch(storage + 64);
    if (o->type != OBJ_DICT)
        return;
    __builtin_prefetch(storage + 128);
    __builtin_prefetch(storage + 192);
}

static FETCHES void fetch_targets(struct obj *o)
{
    const struct table *table = &dict_of(o)->table;
    uint32_t len = 0;
    struct obj **items = obj_vector(o, &len);

    for (uint32_t i = 0; items != NULL && i < len && i < AHEAD; i++)
        fetch_block(items[i]);
    for (uint32_t i = 0; o->type == OBJ_DICT && i < table->used && i < AHEAD; i++)
        fetch_block(table->entries[i].value);
}

#define TARGETS_AHEAD 3u /* items behind the head; */
#define STORAGE_AHEAD 6u /* with fewer, or all closer, they came too late */

/* A large graph lies scattered over memory. Asked for, before their turn comes, are an object's header, then where its
 * references lie, then what they refer to. */
static FETCHES void look_ahead(const struct step *step)
{
    uintptr_t nearer = step_item(step, TARGETS_AHEAD);
    uintptr_t further = step_item(step, STORAGE_AHEAD);

    if (nearer != 0 && item_of(nearer) == ITEM_OBJECT)
        fetch_targets((struct obj *)nearer);
    if (further != 0 && item_of(further) == ITEM_OBJECT)
        fetch_storage((struct obj *)further);
    fetch_block(block_of(next_of(step_item(step, 0))));
}

static bool run_object(struct heap *heap, struct step *step, size_t *budget)
{
    struct obj *o = (struct obj *)step_item(step, 0);

    if (step->cursor == 0)
        look_ahead(step);
    if (kind_of(o)->drop != NULL && (o->flags & OBJ_EMPTIED) == 0 &&
        !kind_of(o)->drop(heap, o, &step->cursor, budget))
        return false;
    dequeue(step);
    if (o->count > 0) { /* collected, and others of its cycle, further back in the queue, still refer to it */
        o->flags |= OBJ_EMPTIED;
        enqueue(step, (uintptr_t)o);
        return true;
    }
    free_dead(heap, o);
    return true;
}

static bool run_detached(struct heap *heap, struct step *step, size_t *budget)
{
    struct detached *detached = block_of(step_item(step, 0));

    if (!drop_detached(heap, detached, budget))
        return false;
    dequeue(step);
    free_detached(heap, detached);
    return true;
}

static bool run_entry(struct heap *heap, struct step *step)
{
    struct weak_entry *entry = block_of(step_item(step, 0));

    dequeue(step);
    weak_entry_drop(heap, entry);
    return true;
}

static bool run_weak_table(struct heap *heap, struct step *step, size_t *budget)
{
    struct weak_table *table = block_of(step_item(step, 0));

    if (!weak_table_drop(heap, table, budget))
        return false;
    dequeue(step);
    weak_table_free(heap, table);
    return true;
}

/* Works on the head of the queue; false if the budget ended first. */
static bool run_head(struct heap *heap, struct step *step, size_t *budget)
{
    switch (item_of(step_item(step, 0))) {
    case ITEM_DETACHED:
        return run_detached(heap, step, budget);
    case ITEM_ENTRY:
        return run_entry(heap, step);
    case ITEM_WEAK_TABLE:
        return run_weak_table(heap, step, budget);
    default:
        return run_object(heap, step, budget);
    }
}

bool step_run(struct heap *heap, struct step *step, size_t budget)
{
    struct step *outer = heap->step;

    heap->step = step;
    while (!step_is_empty(step) && budget > 0) {
        if (!run_head(heap, step, &budget))
            break;
        if (budget > 0) /* the object itself */
            budget--;
    }
    heap->step = outer;
    return step_is_empty(step);
}

/* -- looking ------------------------------------------------------------------------------------------------------ */

static void each_detached(struct detached *detached, void (*visit)(void *arg, struct obj *o, bool is_reference),
                          void *arg)
{
    for (uint32_t i = detached->dropped; i < detached->len; i++) {
        struct table_entry *entry = &((struct table_entry *)(void *)detached)[i];

        if (!detached->is_table) {
            visit(arg, ((struct obj **)(void *)detached)[i], true);
        } else if (entry->key != NULL) {
            visit(arg, entry->key, true);
            visit(arg, entry->value, true);
        }
    }
}

static void each_strong(const struct table *table, void (*visit)(void *arg, struct obj *o, bool is_reference),
                        void *arg)
{
    for (uint32_t i = table_next(table, 0); i != TABLE_NONE; i = table_next(table, i + 1)) {
        const struct weak_entry *entry = table->entries[i].key;

        visit(arg, entry->strong, true);
    }
}

static void each_in_lane(uintptr_t first, void (*visit)(void *arg, struct obj *o, bool is_reference), void *arg)
{
    for (uintptr_t item = first; item != 0; item = next_of(item)) {
        switch (item_of(item)) {
        case ITEM_DETACHED:
            each_detached(block_of(item), visit, arg);
            break;
        case ITEM_ENTRY:
            visit(arg, ((struct weak_entry *)block_of(item))->strong, true);
            break;
        case ITEM_WEAK_TABLE:
            each_strong(&((struct weak_table *)block_of(item))->entries, visit, arg);
            break;
        case ITEM_OBJECT:
            visit(arg, (struct obj *)item, false);
            break;
        }
    }
}

void step_each(const struct step *step, void (*visit)(void *arg, struct obj *o, bool is_reference), void *arg)
{
    for (uint32_t lane = 0; lane < STEP_LANES; lane++)
        each_in_lane(step->first[lane], visit, arg);
}

void step_each_expired(const struct step *step, void (*visit)(void *arg, struct obj *holder), void *arg)
{
    for (const struct weak_name *weak = step->expired; weak != NULL; weak = weak_name_next(weak))
        visit(arg, weak->holder);
}
