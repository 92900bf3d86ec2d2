/*
 * copy.c - shallow and deep copies.
 *
 * A deep copy is a work list of (original, copy) pairs whose content is still to be filled in, and a memo from original
 * to copy (CPython's copy.deepcopy, without its recursion). An original with a single reference can be met only once,
 * so only the others enter the memo.
 */
#include "store/copy.h"

#include <string.h>

#include "store/kind.h"
#include "store/kinds/dict.h"
#include "store/kinds/object.h"
#include "store/kinds/sequence.h"
#include "store/kinds/weak_table.h"
#include "store/step.h"

uint64_t obj_width(const struct obj *o)
{
    const struct kind *kind = kind_of(o);

    return obj_type_is_container(o->type) && kind->length != NULL ? kind->length(o) : 0;
}

enum hd_err copy_refuse(struct heap *heap, const struct obj *o)
{
    return heap_fail(heap, HD_TYPE, "a %s cannot be copied: #%llu", obj_type_name(o->type), (unsigned long long)o->id);
}

/* -- making one container empty, filling it from another ---------------------------------------------------------- */

/* What is not copied but shared. A tuple may turn out to be. */
static bool is_shared(const struct obj *o)
{
    return o->type != OBJ_LIST && o->type != OBJ_TUPLE && o->type != OBJ_DICT && o->type != OBJ_SET &&
           o->type != OBJ_OBJECT && o->type != OBJ_QUEUE && !is_weak_container(o);
}

static enum hd_err make_empty(struct heap *heap, const struct obj *o, struct obj **out)
{
    switch (o->type) {
    case OBJ_LIST:
        return list_new(heap, ((const struct list *)o)->len, out);
    case OBJ_DICT:
    case OBJ_SET:
        return dict_new(heap, o->type, ((const struct dict *)o)->table.live, out);
    case OBJ_QUEUE:
        return copy_refuse(heap, o);
    default:
        return object_new(heap, &((const struct instance *)o)->class->head, out);
    }
}

/* Gives the copy of one reference, owned. */
typedef enum hd_err copy_fn(void *arg, struct obj *o, struct obj **copy);

static enum hd_err fill_list(struct heap *heap, const struct list *from, struct obj *to, copy_fn *copy, void *arg)
{
    struct obj *item;

    (void)heap;
    for (uint32_t i = 0; i < from->len; i++) {
        enum hd_err err = copy(arg, from->items[i], &item);

        if (err != HD_OK)
            return err;
        list_push_take(to, &item);
    }
    return HD_OK;
}

/* Keys are hashable: atoms, or tuples of such, which are immutable and shared, or objects that hash by identity. */
static enum hd_err fill_table(struct heap *heap, const struct table *from, struct table *to, copy_fn *copy, void *arg)
{
    for (uint32_t i = table_next(from, 0); i != TABLE_NONE; i = table_next(from, i + 1)) {
        const struct table_entry *entry = &from->entries[i];
        struct obj *key = NULL;
        struct obj *value = NULL;
        enum hd_err err = copy(arg, entry->key, &key);

        if (err == HD_OK && entry->value != NULL)
            err = copy(arg, entry->value, &value);
        if (err != HD_OK) {
            obj_unref(heap, &key);
            return err;
        }
        table_insert(heap->pool, to, entry->hash, key, value);
    }
    return HD_OK;
}

static enum hd_err fill_object(struct heap *heap, const struct obj *from, struct obj *to, copy_fn *copy, void *arg)
{
    struct obj *value;
    struct obj *copied;
    const char *name;
    size_t len;

    for (uint64_t cursor = 0; object_next(from, &cursor, &name, &len, &value);) {
        enum hd_err err = copy(arg, value, &copied);

        if (err == HD_OK)
            err = object_set(heap, to, name, len, copied);
        else
            copied = NULL;
        obj_unref(heap, &copied);
        if (err != HD_OK)
            return err;
    }
    return HD_OK;
}

static enum hd_err fill(struct heap *heap, struct obj *from, struct obj *to, copy_fn *copy, void *arg)
{
    switch (from->type) {
    case OBJ_LIST:
        return fill_list(heap, list_of(from), to, copy, arg);
    case OBJ_DICT:
    case OBJ_SET:
        return fill_table(heap, &dict_of(from)->table, &dict_of(to)->table, copy, arg);
    default:
        return fill_object(heap, from, to, copy, arg);
    }
}

/* -- shallow ------------------------------------------------------------------------------------------------------ */

static enum hd_err copy_reference(void *arg, struct obj *o, struct obj **copy)
{
    if (!obj_can_ref(o))
        return heap_count_full(arg, o);
    *copy = obj_ref(o);
    return HD_OK;
}

enum hd_err obj_copy(struct heap *heap, struct obj *o, struct obj **out)
{
    struct obj *made = NULL;
    enum hd_err err;

    if (is_shared(o) || o->type == OBJ_TUPLE) {
        *out = obj_ref(o);
        return HD_OK;
    }
    if (is_weak_container(o))
        return weak_container_copy(heap, o, out);
    err = heap_work(heap, obj_width(o) + 1);
    if (err == HD_OK)
        err = make_empty(heap, o, &made);
    if (err == HD_OK)
        err = fill(heap, o, made, copy_reference, heap);
    if (err != HD_OK) {
        obj_unref(heap, &made);
        return err;
    }
    *out = made;
    return HD_OK;
}
