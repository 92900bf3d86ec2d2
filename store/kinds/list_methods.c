/*
 * list_methods.c - the methods that change a list, but sort.
 *
 * Work: what moves elements (insert, pop, del, remove) charges a unit for each MOVED_PER_UNIT of them, eight cache
 * lines of pointers: moving is so much cheaper than touching what they point to. The last element costs nothing.
 */
#include <string.h>

#include "store/gc.h"
#include "store/kinds/atoms.h"
#include "store/kinds/methods.h"
#include "store/kinds/sequence.h"

#define MOVED_PER_UNIT 64u
#define TRIM_MIN 64u /* slots: below it nothing is given back */

static enum hd_err charge_moved(struct heap *heap, const struct list *list, uint64_t index)
{
    return heap_work(heap, (list->len - index) / MOVED_PER_UNIT);
}

/* -- adding ------------------------------------------------------------------------------------------------------- */

enum hd_err list_method_append(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                               struct obj **result)
{
    struct obj *x = args[0];
    enum hd_err err;

    (void)nargs;
    if (!obj_can_ref(x))
        return heap_count_full(heap, x);
    err = list_reserve(heap, self, 1);
    if (err != HD_OK)
        return err;
    obj_ref(x);
    list_push_take(self, &x);
    *result = heap->nil;
    return HD_OK;
}

enum hd_err list_method_extend(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                               struct obj **result)
{
    enum hd_err err = list_extend(heap, self, args[0]);

    (void)nargs;
    if (err == HD_OK)
        *result = heap->nil;
    return err;
}

/* An index that may lie outside: clipped to 0 ... len. */
static enum hd_err place_of(struct heap *heap, struct obj *arg, uint64_t len, uint64_t *place)
{
    int64_t value;

    if (!obj_as_int(heap, arg, &value))
        return heap_fail(heap, HD_TYPE, "list indices are ints, not %s", obj_type_name(arg->type));
    if (value < 0)
        value += (int64_t)len;
    *place = value < 0 ? 0 : (uint64_t)value < len ? (uint64_t)value : len;
    return HD_OK;
}

enum hd_err list_method_insert(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                               struct obj **result)
{
    struct list *list = list_of(self);
    uint64_t place = 0;
    enum hd_err err = place_of(heap, args[0], list->len, &place);

    (void)nargs;
    if (err == HD_OK && !obj_can_ref(args[1]))
        err = heap_count_full(heap, args[1]);
    if (err == HD_OK)
        err = charge_moved(heap, list, place);
    if (err == HD_OK)
        err = list_reserve(heap, self, 1);
    if (err != HD_OK)
        return err;
    memmove(&list->items[place + 1], &list->items[place], (list->len - place) * sizeof(struct obj *));
    list->items[place] = obj_ref(args[1]);
    list->len++;
    gc_list_grown(heap, self, place, 1);
    *result = heap->nil;
    return HD_OK;
}

enum hd_err list_method_set(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                            struct obj **result)
{
    struct list *list = list_of(self);
    uint64_t index;
    struct obj *old;
    enum hd_err err = index_of(heap, args[0], list->len, "list", &index);

    (void)nargs;
    if (err == HD_OK && !obj_can_ref(args[1]))
        err = heap_count_full(heap, args[1]);
    if (err != HD_OK)
        return err;
    old = list->items[index];
    list->items[index] = obj_ref(args[1]);
    obj_unref(heap, &old);
    *result = heap->nil;
    return HD_OK;
}

/* -- removing ----------------------------------------------------------------------------------------------------- */

/* Gives back what a list that has shrunk no longer needs; if that fails, it keeps it. */
static void trim(struct heap *heap, struct list *list)
{
    uint32_t capacity = list->len * 2;
    struct obj **items;

    if (list->capacity <= TRIM_MIN || list->len >= list->capacity / 4)
        return;
    if (capacity < TRIM_MIN)
        capacity = TRIM_MIN;
    items = pool_resize(heap->pool, list->items, list->capacity * sizeof(struct obj *),
                        capacity * sizeof(struct obj *));
    if (items == NULL)
        return;
    list->items = items;
    list->capacity = capacity;
}

/* Closes the gap; the element's reference is the caller's. */
static struct obj *cut_out(struct heap *heap, struct list *list, uint64_t index)
{
    struct obj *item = list->items[index];

    list->len--;
    memmove(&list->items[index], &list->items[index + 1], (list->len - index) * sizeof(struct obj *));
    gc_list_cut(heap, &list->head, index, 1);
    trim(heap, list);
    return item;
}

static enum hd_err find_popped(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                               uint64_t *index)
{
    struct list *list = list_of(self);
    int64_t value;

    /* Python looks at the argument's type first */
    if (nargs > 0 && !obj_as_int(heap, args[0], &value))
        return heap_fail(heap, HD_TYPE, "list indices are ints, not %s", obj_type_name(args[0]->type));
    if (list->len == 0)
        return heap_fail(heap, HD_INDEX, "pop from an empty list");
    *index = list->len - 1;
    return nargs > 0 ? index_of(heap, args[0], list->len, "list", index) : HD_OK;
}

enum hd_err list_peek_pop(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                          struct obj **result)
{
    uint64_t index;
    enum hd_err err = find_popped(heap, self, args, nargs, &index);

    if (err == HD_OK)
        *result = obj_ref(list_of(self)->items[index]);
    return err;
}

enum hd_err list_method_pop(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                            struct obj **result)
{
    uint64_t index;
    enum hd_err err = find_popped(heap, self, args, nargs, &index);

    if (err == HD_OK)
        err = charge_moved(heap, list_of(self), index);
    if (err == HD_OK)
        *result = cut_out(heap, list_of(self), index);
    return err;
}

static enum hd_err remove_at(struct heap *heap, struct obj *self, uint64_t index, struct obj **result)
{
    struct obj *item;
    enum hd_err err = charge_moved(heap, list_of(self), index);

    if (err != HD_OK)
        return err;
    item = cut_out(heap, list_of(self), index);
    obj_unref(heap, &item);
    *result = heap->nil;
    return HD_OK;
}

enum hd_err list_method_del(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                            struct obj **result)
{
    uint64_t index;
    enum hd_err err = index_of(heap, args[0], list_of(self)->len, "list", &index);

    (void)nargs;
    return err == HD_OK ? remove_at(heap, self, index, result) : err;
}

enum hd_err list_method_remove(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                               struct obj **result)
{
    uint64_t index;
    enum hd_err err = sequence_find(heap, self, args[0], 0, list_of(self)->len, &index);

    (void)nargs;
    if (err != HD_OK)
        return err;
    if (index == SEQUENCE_NONE)
        return heap_fail(heap, HD_VALUE, "no such element is in the list");
    return remove_at(heap, self, index, result);
}

enum hd_err list_method_clear(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                              struct obj **result)
{
    (void)args;
    (void)nargs;
    list_clear(heap, self);
    *result = heap->nil;
    return HD_OK;
}

/* -- order -------------------------------------------------------------------------------------------------------- */

enum hd_err list_method_reverse(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                struct obj **result)
{
    struct list *list = list_of(self);
    enum hd_err err = heap_work(heap, list->len);

    (void)args;
    (void)nargs;
    if (err != HD_OK)
        return err;
    sequence_reverse(list->items, list->len);
    gc_list_shuffled(heap, self);
    *result = heap->nil;
    return HD_OK;
}
