/*
 * sequence_methods.c - the methods that list and tuple share: they only look.
 *
 * Each is written once; LIST_AND_TUPLE makes it the handler of both types' rows.
 */
#include "store/attr.h"
#include "store/compare.h"
#include "store/kinds/atoms.h"
#include "store/kinds/methods.h"
#include "store/kinds/sequence.h"

#define LIST_AND_TUPLE(name)                                                                                           \
    enum hd_err list_method_##name(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,       \
                                   struct obj **result)                                                                \
    {                                                                                                                  \
        return method_##name(heap, self, args, nargs, result);                                                         \
    }                                                                                                                  \
    enum hd_err tuple_method_##name(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,      \
                                    struct obj **result)                                                               \
    {                                                                                                                  \
        return method_##name(heap, self, args, nargs, result);                                                         \
    }

static uint32_t length_of(struct obj *self)
{
    uint32_t len;

    sequence_items(self, &len);
    return len;
}

/* -- elements ----------------------------------------------------------------------------------------------------- */

static enum hd_err method_len(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                              struct obj **result)
{
    (void)args;
    (void)nargs;
    return int_new(heap, length_of(self), result);
}
LIST_AND_TUPLE(len)

static enum hd_err method_get(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                              struct obj **result)
{
    uint32_t len;
    struct obj **items = sequence_items(self, &len);
    uint64_t index;
    enum hd_err err = index_of(heap, args[0], len, obj_type_name(self->type), &index);

    (void)nargs;
    if (err == HD_OK)
        *result = obj_ref(items[index]);
    return err;
}
LIST_AND_TUPLE(get)

/* -- searching ---------------------------------------------------------------------------------------------------- */

enum hd_err sequence_find(struct heap *heap, struct obj *self, struct obj *x, uint64_t start, uint64_t stop,
                          uint64_t *index)
{
    uint32_t len;
    struct obj **items = sequence_items(self, &len);
    bool same = false;
    enum hd_err err;

    for (; start < stop; start++) {
        err = heap_work(heap, 1);
        if (err == HD_OK)
            err = obj_equal(heap, items[start], x, &same);
        if (err != HD_OK)
            return err;
        if (same) {
            *index = start;
            return HD_OK;
        }
    }
    *index = SEQUENCE_NONE;
    return HD_OK;
}

/* The same for the argument of a method: a living proxy stands for its target, a dead one is DEAD whatever there is to
 * be compared with. */
static enum hd_err find_argument(struct heap *heap, struct obj *self, struct obj *x, uint64_t start, uint64_t stop,
                                 uint64_t *index)
{
    enum hd_err err = obj_through(heap, x, &x);

    return err == HD_OK ? sequence_find(heap, self, x, start, stop, index) : err;
}

/* Unlike slice, Python's index takes no None for an open end. */
static enum hd_err check_no_nil(struct heap *heap, struct obj *const *args, unsigned nargs)
{
    for (unsigned i = 0; i < nargs; i++)
        if (args[i]->type == OBJ_NIL)
            return heap_fail(heap, HD_TYPE, "start and stop of index are ints");
    return HD_OK;
}

static enum hd_err method_index(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                struct obj **result)
{
    uint64_t start, stop, index;
    enum hd_err err = check_no_nil(heap, args + 1, nargs - 1);

    if (err == HD_OK)
        err = range_bounds(heap, args + 1, nargs - 1, length_of(self), &start, &stop);
    if (err == HD_OK)
        err = find_argument(heap, self, args[0], start, stop, &index);
    if (err != HD_OK)
        return err;
    if (index == SEQUENCE_NONE)
        return heap_fail(heap, HD_VALUE, "no such element is in the %s", obj_type_name(self->type));
    return int_new(heap, (int64_t)index, result);
}
LIST_AND_TUPLE(index)

static enum hd_err method_contains(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                   struct obj **result)
{
    uint64_t index;
    enum hd_err err = find_argument(heap, self, args[0], 0, length_of(self), &index);

    (void)nargs;
    if (err == HD_OK)
        *result = bool_obj(heap, index != SEQUENCE_NONE);
    return err;
}
LIST_AND_TUPLE(contains)

static enum hd_err method_count(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                struct obj **result)
{
    uint64_t len = length_of(self);
    uint64_t index = 0;
    int64_t count = 0;

    (void)nargs;
    for (;;) {
        enum hd_err err = find_argument(heap, self, args[0], index, len, &index);

        if (err != HD_OK)
            return err;
        if (index == SEQUENCE_NONE)
            return int_new(heap, count, result);
        count++;
        index++;
    }
}
LIST_AND_TUPLE(count)

/* -- slices ------------------------------------------------------------------------------------------------------- */

/* Appends references to `count` elements, `step` apart, to a list with room for them. */
static enum hd_err copy_slice(struct heap *heap, struct obj **items, int64_t start, int64_t step, uint64_t count,
                              struct obj *to)
{
    for (; count > 0; count--) {
        struct obj *item = items[start];

        if (!obj_can_ref(item))
            return heap_count_full(heap, item);
        obj_ref(item);
        list_push_take(to, &item);
        if (count > 1)
            start += step; /* not beyond the last one: a large step would overflow */
    }
    return HD_OK;
}

enum hd_err sequence_slice(struct heap *heap, struct obj *self, int64_t start, int64_t step, uint64_t count,
                           struct obj **out)
{
    uint32_t len;
    struct obj **items = sequence_items(self, &len);
    struct obj *slice = NULL;
    enum hd_err err = heap_work(heap, count);

    if (err == HD_OK)
        err = list_new(heap, count, &slice);
    if (err == HD_OK)
        err = copy_slice(heap, items, start, step, count, slice);
    if (err == HD_OK)
        *out = slice;
    else
        obj_unref(heap, &slice);
    return err;
}

static enum hd_err method_slice(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                struct obj **result)
{
    int64_t start, step;
    uint64_t count;
    enum hd_err err = slice_bounds(heap, args, nargs, length_of(self), &start, &step, &count);

    return err == HD_OK ? sequence_slice(heap, self, start, step, count, result) : err;
}
LIST_AND_TUPLE(slice)
