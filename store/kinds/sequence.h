/*
 * store/kinds/sequence.h - list and tuple.
 *
 * Invariant: every slot below `len` holds an owned reference, never NULL.
 */
#ifndef HEAPD_STORE_KINDS_SEQUENCE_H
#define HEAPD_STORE_KINDS_SEQUENCE_H

#include "store/heap.h"

struct list {
    struct obj head;
    struct obj **items; /* NULL while capacity is 0 */
    uint32_t len;
    uint32_t capacity;
};

struct tuple {
    struct obj head;
    struct obj **items; /* exactly len slots; NULL only in the empty tuple */
    uint32_t len;
    uint32_t hash;      /* 0: not computed yet */
};

#define SEQUENCE_MAX UINT32_C(0x7ffffff0) /* elements */

/* An empty list with room for `capacity` elements. */
enum hd_err list_new(struct heap *heap, uint64_t capacity, struct obj **out);

/* Appends all items of an iterable (store/kinds/iterate.h): all or nothing. Charges a unit for each. */
enum hd_err list_extend(struct heap *heap, struct obj *list, struct obj *items);

/* Drops all elements, many of them in slices by the step. Never allocates. */
void list_clear(struct heap *heap, struct obj *list);

/* A tuple of these elements (new references). The empty one is shared. */
enum hd_err tuple_new(struct heap *heap, struct obj *const *items, uint64_t len, struct obj **out);

/* A tuple of `len` > 0 elements to be filled at once by the caller with owned references. */
enum hd_err tuple_new_raw(struct heap *heap, uint64_t len, struct tuple **out);

static inline struct list *list_of(struct obj *o)
{
    return (struct list *)o;
}

/* For list_reserve: when there is not room enough. */
enum hd_err list_grow(struct heap *heap, struct obj *list, uint64_t more);

/* Room for `more` further elements, so that list_push_take cannot fail. NO_MEMORY, LIMIT beyond SEQUENCE_MAX. */
static inline enum hd_err list_reserve(struct heap *heap, struct obj *list, uint64_t more)
{
    return more <= list_of(list)->capacity - list_of(list)->len ? HD_OK : list_grow(heap, list, more);
}

/* Appends, consuming the caller's reference; room must be reserved. */
static inline void list_push_take(struct obj *list, struct obj **item)
{
    assert(list_of(list)->len < list_of(list)->capacity);
    list_of(list)->items[list_of(list)->len++] = *item;
    *item = NULL;
}

static inline struct tuple *tuple_of(struct obj *o)
{
    return (struct tuple *)o;
}

/* The elements of a list or tuple, borrowed. */
static inline struct obj **sequence_items(struct obj *o, uint32_t *len)
{
    if (o->type == OBJ_LIST) {
        *len = list_of(o)->len;
        return list_of(o)->items;
    }
    *len = tuple_of(o)->len;
    return tuple_of(o)->items;
}

#define SEQUENCE_NONE UINT64_MAX

/* The first element of a list or tuple in [start, stop) that is identical or equal to `x`; SEQUENCE_NONE if none is.
 * Charges a unit for each that it looks at. */
enum hd_err sequence_find(struct heap *heap, struct obj *sequence, struct obj *x, uint64_t start, uint64_t stop,
                          uint64_t *index);

/* A new list of `count` elements of a list or tuple, from the index `start` on, `step` apart, all of them inside.
 * Charges a unit for each. */
enum hd_err sequence_slice(struct heap *heap, struct obj *sequence, int64_t start, int64_t step, uint64_t count,
                           struct obj **out);

/* Turns `len` slots round. */
static inline void sequence_reverse(struct obj **items, uint64_t len)
{
    for (uint64_t i = 0; i < len / 2; i++) {
        struct obj *item = items[i];

        items[i] = items[len - 1 - i];
        items[len - 1 - i] = item;
    }
}

/*
 * Python's slice arithmetic (PySlice_AdjustIndices): args are start, stop, step as objects, absent or nil if open.
 * Gives the first index, the step and the number of elements. VALUE for step 0, TYPE for what is no int.
 */
enum hd_err slice_bounds(struct heap *heap, struct obj *const *args, unsigned nargs, uint64_t len, int64_t *start,
                         int64_t *step, uint64_t *count);

/* An index object, negative ones from the end, within [0, len): else INDEX (text names `what`), TYPE for no int. */
enum hd_err index_of(struct heap *heap, struct obj *arg, uint64_t len, const char *what, uint64_t *index);

/* start and stop of find, index, count: args[0], args[1], absent or nil for open ends, negative ones from the end; stop
 * is at most `len`. As in Python a start behind the end stays there: nothing is found then, not even an empty str. */
enum hd_err range_bounds(struct heap *heap, struct obj *const *args, unsigned nargs, uint64_t len, uint64_t *start,
                         uint64_t *stop);

#endif
