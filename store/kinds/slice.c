/* slice.c - arguments that name elements: an index, a range, a slice; of lists, tuples, strs and bytes alike. */
#include "store/kinds/atoms.h"
#include "store/kinds/sequence.h"

/* -- one index ---------------------------------------------------------------------------------------------------- */

enum hd_err index_of(struct heap *heap, struct obj *arg, uint64_t len, const char *what, uint64_t *index)
{
    int64_t value;

    if (!obj_as_int(heap, arg, &value))
        return heap_fail(heap, HD_TYPE, "%s indices are ints, not %s", what, obj_type_name(arg->type));
    if (value < 0)
        value += (int64_t)len;
    if (value < 0 || (uint64_t)value >= len)
        return heap_fail(heap, HD_INDEX, "%s index out of range", what);
    *index = (uint64_t)value;
    return HD_OK;
}

/* -- ranges ------------------------------------------------------------------------------------------------------- */

/* The i-th argument as an int; `open` if it is absent or nil. */
static enum hd_err bound_of(struct heap *heap, struct obj *const *args, unsigned nargs, unsigned i, int64_t open,
                            int64_t *bound)
{
    if (i >= nargs || args[i]->type == OBJ_NIL)
        *bound = open;
    else if (!obj_as_int(heap, args[i], bound))
        return heap_fail(heap, HD_TYPE, "start, stop and step are ints or nil, not %s", obj_type_name(args[i]->type));
    return HD_OK;
}

/* From the end if negative; never below `least`. */
static int64_t from_end(int64_t bound, uint64_t len, int64_t least)
{
    if (bound < 0)
        bound += (int64_t)len;
    return bound < least ? least : bound;
}

enum hd_err range_bounds(struct heap *heap, struct obj *const *args, unsigned nargs, uint64_t len, uint64_t *start,
                         uint64_t *stop)
{
    int64_t first, last;
    enum hd_err err = bound_of(heap, args, nargs, 0, 0, &first);

    if (err == HD_OK)
        err = bound_of(heap, args, nargs, 1, INT64_MAX, &last);
    if (err != HD_OK)
        return err;
    *start = (uint64_t)from_end(first, len, 0);
    *stop = (uint64_t)from_end(last, len, 0);
    if (*stop > len)
        *stop = len;
    return HD_OK;
}

/* -- slices ------------------------------------------------------------------------------------------------------- */

/* Within what a walk in the direction of `step` can reach: 0 ... len forwards, -1 ... len - 1 backwards. */
static int64_t clip(int64_t bound, uint64_t len, int64_t step)
{
    int64_t most = step < 0 ? (int64_t)len - 1 : (int64_t)len;

    if (bound < 0)
        return from_end(bound, len, step < 0 ? -1 : 0);
    return bound > most ? most : bound;
}

enum hd_err slice_bounds(struct heap *heap, struct obj *const *args, unsigned nargs, uint64_t len, int64_t *start,
                         int64_t *step, uint64_t *count)
{
    int64_t first, last, stride;
    enum hd_err err = bound_of(heap, args, nargs, 2, 1, &stride);

    if (err == HD_OK && stride == 0)
        return heap_fail(heap, HD_VALUE, "slice step cannot be zero");
    if (err == HD_OK)
        err = bound_of(heap, args, nargs, 0, stride < 0 ? INT64_MAX : 0, &first);
    if (err == HD_OK)
        err = bound_of(heap, args, nargs, 1, stride < 0 ? INT64_MIN : INT64_MAX, &last);
    if (err != HD_OK)
        return err;
    if (stride == INT64_MIN)
        stride = -INT64_MAX; /* so that it can be negated */
    first = clip(first, len, stride);
    last = clip(last, len, stride);
    *start = first;
    *step = stride;
    if (stride < 0)
        *count = last < first ? (uint64_t)((first - last - 1) / -stride + 1) : 0;
    else
        *count = first < last ? (uint64_t)((last - first - 1) / stride + 1) : 0;
    return HD_OK;
}
