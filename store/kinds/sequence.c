/* sequence.c - list and tuple: their storage, and their rows among the kinds. Their methods are in other files. */
#include "store/kinds/sequence.h"

#include <string.h>

#include "store/kind.h"
#include "store/kinds/iterate.h"
#include "store/step.h"

/* -- list --------------------------------------------------------------------------------------------------------- */

static size_t slots_size(uint64_t slots)
{
    return (size_t)slots * sizeof(struct obj *);
}

enum hd_err list_new(struct heap *heap, uint64_t capacity, struct obj **out)
{
    struct obj *o = heap_new(heap, OBJ_LIST, sizeof(struct list));
    enum hd_err err;

    if (o == NULL)
        return heap_no_memory(heap);
    list_of(o)->items = NULL;
    list_of(o)->len = list_of(o)->capacity = 0;
    err = list_reserve(heap, o, capacity);
    if (err != HD_OK) {
        heap_free(heap, o, sizeof(struct list));
        return err;
    }
    *out = o;
    return HD_OK;
}

/* Grows by an eighth at least, so that appending is amortised and a large list takes at most 9 bytes an element. */
static uint64_t grown(uint64_t capacity, uint64_t wanted)
{
    uint64_t more = capacity < 8 ? capacity : capacity / 8;

    return capacity + more > wanted ? capacity + more : wanted;
}

enum hd_err list_grow(struct heap *heap, struct obj *o, uint64_t more)
{
    struct list *list = list_of(o);
    uint64_t wanted = list->len + more;
    struct obj **items;

    if (more > SEQUENCE_MAX || wanted > SEQUENCE_MAX)
        return heap_fail(heap, HD_LIMIT, "a list holds at most %u elements", SEQUENCE_MAX);
    if (list->capacity > 0)
        wanted = grown(list->capacity, wanted);
    if (wanted > SEQUENCE_MAX)
        wanted = SEQUENCE_MAX;
    items = pool_resize(heap->pool, list->items, slots_size(list->capacity), slots_size(wanted));
    if (items == NULL)
        return heap_no_memory(heap);
    list->items = items;
    list->capacity = (uint32_t)wanted;
    return HD_OK;
}

enum hd_err list_extend(struct heap *heap, struct obj *o, struct obj *items)
{
    struct list *list = list_of(o);
    uint32_t before = list->len;
    struct iteration it;
    struct obj *item;
    enum hd_err err = iterate_start(heap, items, &it);

    if (err == HD_OK)
        err = heap_work(heap, it.length);
    if (err == HD_OK)
        err = list_reserve(heap, o, it.length);
    if (err != HD_OK)
        return err;
    while ((err = iterate_next(&it, &item)) == HD_OK && item != NULL)
        list_push_take(o, &item);
    while (err != HD_OK && list->len > before)
        obj_unref(heap, &list->items[--list->len]);
    return err;
}

void list_clear(struct heap *heap, struct obj *o)
{
    struct list *list = list_of(o);
    struct list old = *list;

    list->items = NULL;
    list->len = list->capacity = 0;
    step_detach_items(heap, old.items, old.len, old.capacity);
}

/* -- tuple -------------------------------------------------------------------------------------------------------- */

enum hd_err tuple_new_raw(struct heap *heap, uint64_t len, struct tuple **out)
{
    struct tuple *tuple;
    struct obj **items;

    if (len > SEQUENCE_MAX)
        return heap_fail(heap, HD_LIMIT, "a tuple holds at most %u elements", SEQUENCE_MAX);
    items = pool_alloc(heap->pool, slots_size(len), POOL_DATA);
    if (items == NULL)
        return heap_no_memory(heap);
    tuple = (struct tuple *)heap_new(heap, OBJ_TUPLE, sizeof *tuple);
    if (tuple == NULL) {
        pool_free(heap->pool, items, slots_size(len), POOL_DATA);
        return heap_no_memory(heap);
    }
    tuple->items = items;
    tuple->len = (uint32_t)len;
    tuple->hash = 0;
    *out = tuple;
    return HD_OK;
}

enum hd_err tuple_new(struct heap *heap, struct obj *const *items, uint64_t len, struct obj **out)
{
    struct tuple *tuple;
    enum hd_err err;

    if (len == 0) {
        *out = heap->empty_tuple;
        return HD_OK;
    }
    for (uint64_t i = 0; i < len; i++)
        if (!obj_can_ref(items[i]))
            return heap_count_full(heap, items[i]);
    err = tuple_new_raw(heap, len, &tuple);
    if (err != HD_OK)
        return err;
    for (uint64_t i = 0; i < len; i++)
        tuple->items[i] = obj_ref(items[i]);
    *out = &tuple->head;
    return HD_OK;
}

/* -- kinds -------------------------------------------------------------------------------------------------------- */

static bool traverse_sequence(struct obj *o, uint64_t *cursor, size_t *budget, slot_fn *visit, void *arg)
{
    uint32_t len;
    struct obj **items = sequence_items(o, &len);

    for (; *cursor < len && *budget > 0; (*cursor)++, (*budget)--)
        if (!visit(arg, &(struct slot){.kind = SLOT_ELEMENT, .target = items[*cursor], .index = *cursor}))
            return false;
    return *cursor >= len;
}

static bool drop_sequence(struct heap *heap, struct obj *o, uint64_t *cursor, size_t *budget)
{
    uint32_t len;
    struct obj **items = sequence_items(o, &len);

    for (; *cursor < len && *budget > 0; (*cursor)++, (*budget)--)
        obj_unref(heap, &items[*cursor]);
    return *cursor == len;
}

static void free_list(struct heap *heap, struct obj *o)
{
    pool_free(heap->pool, list_of(o)->items, slots_size(list_of(o)->capacity), POOL_DATA);
    heap_free(heap, o, sizeof(struct list));
}

static void free_tuple(struct heap *heap, struct obj *o)
{
    pool_free(heap->pool, tuple_of(o)->items, slots_size(tuple_of(o)->len), POOL_DATA);
    heap_free(heap, o, sizeof(struct tuple));
}

static size_t bytes_of_list(const struct obj *o)
{
    const struct list *list = (const struct list *)o;

    return pool_rounded(sizeof *list) + (list->items == NULL ? 0 : pool_rounded(slots_size(list->capacity)));
}

static size_t bytes_of_tuple(const struct obj *o)
{
    const struct tuple *tuple = (const struct tuple *)o;

    return pool_rounded(sizeof *tuple) + (tuple->items == NULL ? 0 : pool_rounded(slots_size(tuple->len)));
}

static uint64_t length_of_list(const struct obj *o)
{
    return ((const struct list *)o)->len;
}

static uint64_t length_of_tuple(const struct obj *o)
{
    return ((const struct tuple *)o)->len;
}

const struct kind kind_list = {traverse_sequence, drop_sequence, free_list, bytes_of_list, length_of_list};
const struct kind kind_tuple = {traverse_sequence, drop_sequence, free_tuple, bytes_of_tuple, length_of_tuple};
