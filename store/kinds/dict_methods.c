/* dict_methods.c - the methods of dict, but those that list what is in it (entries.c). */
#include "store/kinds/atoms.h"
#include "store/kinds/dict.h"
#include "store/kinds/methods.h"
#include "store/kinds/number.h"

static struct table *table_of(struct obj *self)
{
    return &dict_of(self)->table;
}

/* -- looking ------------------------------------------------------------------------------------------------------ */

enum hd_err dict_method_len(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                            struct obj **result)
{
    (void)args;
    (void)nargs;
    return int_new(heap, table_of(self)->live, result);
}

enum hd_err dict_method_get(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                            struct obj **result)
{
    struct obj *value;
    enum hd_err err = dict_peek(heap, self, args[0], &value);

    if (err != HD_OK)
        return err;
    if (value == NULL)
        value = nargs > 1 ? args[1] : heap->nil;
    *result = obj_ref(value);
    return HD_OK;
}

enum hd_err dict_method_get_item(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                 struct obj **result)
{
    struct obj *value;
    enum hd_err err = dict_peek(heap, self, args[0], &value);

    (void)nargs;
    if (err != HD_OK)
        return err;
    if (value == NULL)
        return dict_missing(heap, self, args[0]);
    *result = obj_ref(value);
    return HD_OK;
}

enum hd_err dict_method_has(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                            struct obj **result)
{
    struct obj *value;
    enum hd_err err = dict_peek(heap, self, args[0], &value);

    (void)nargs;
    if (err == HD_OK)
        *result = bool_obj(heap, value != NULL);
    return err;
}

enum hd_err dict_method_contains(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                 struct obj **result)
{
    return dict_method_has(heap, self, args, nargs, result);
}

/* -- setting ------------------------------------------------------------------------------------------------------ */

enum hd_err dict_method_set(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                            struct obj **result)
{
    enum hd_err err = dict_set(heap, self, args[0], args[1]);

    (void)nargs;
    if (err == HD_OK)
        *result = heap->nil;
    return err;
}

enum hd_err dict_method_update(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                               struct obj **result)
{
    enum hd_err err = dict_update(heap, self, args[0]);

    (void)nargs;
    if (err == HD_OK)
        *result = heap->nil;
    return err;
}

enum hd_err dict_peek_setdefault(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                 struct obj **result)
{
    return dict_method_get(heap, self, args, nargs, result);
}

enum hd_err dict_method_setdefault(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                   struct obj **result)
{
    struct obj *value = nargs > 1 ? args[1] : heap->nil;
    uint32_t hash, position;
    enum hd_err err = dict_find(heap, self, args[0], &hash, &position);

    if (err == HD_OK && position != TABLE_NONE)
        value = table_of(self)->entries[position].value;
    else if (err == HD_OK)
        err = dict_insert(heap, self, hash, args[0], value);
    if (err == HD_OK)
        *result = obj_ref(value);
    return err;
}

/* Puts a new value, with a new reference, where an old one is. */
static void replace_value(struct heap *heap, struct obj *self, uint32_t position, struct obj *value)
{
    struct obj **slot = &dict_of(self)->table.entries[position].value;
    struct obj *old = *slot;

    *slot = obj_ref(value);
    obj_unref(heap, &old);
}

enum hd_err dict_method_add(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                            struct obj **result)
{
    uint32_t hash, position;
    struct obj *old = NULL;
    struct obj *sum = NULL;
    enum hd_err err = dict_find(heap, self, args[0], &hash, &position);

    if (err != HD_OK)
        return err;
    if (position != TABLE_NONE)
        old = dict_of(self)->table.entries[position].value;
    err = number_count(heap, old, nargs > 1 ? args[1] : NULL, &sum);
    if (err != HD_OK)
        return err;
    if (position != TABLE_NONE)
        replace_value(heap, self, position, sum); /* new, or an immortal: it can be referred to once more */
    else
        err = dict_insert(heap, self, hash, args[0], sum);
    if (err == HD_OK)
        *result = sum;
    else
        obj_unref(heap, &sum);
    return err;
}

/* -- removing ----------------------------------------------------------------------------------------------------- */

enum hd_err dict_method_del(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                            struct obj **result)
{
    uint32_t hash, position;
    struct obj *key;
    struct obj *value;
    enum hd_err err = dict_find(heap, self, args[0], &hash, &position);

    (void)nargs;
    if (err != HD_OK)
        return err;
    if (position == TABLE_NONE)
        return dict_missing(heap, self, args[0]);
    dict_remove(heap, self, position, &key, &value);
    obj_unref(heap, &key);
    obj_unref(heap, &value);
    *result = heap->nil;
    return HD_OK;
}

/* Where the key of `pop` is, TABLE_NONE if its default will do. */
static enum hd_err find_popped(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                               uint32_t *position)
{
    uint32_t hash;
    enum hd_err err = HD_OK;

    *position = TABLE_NONE;
    if (table_of(self)->live > 0) /* as in Python, an empty dict does not ask whether the key is hashable */
        err = dict_find(heap, self, args[0], &hash, position);
    if (err == HD_OK && *position == TABLE_NONE && nargs < 2)
        return dict_missing(heap, self, args[0]);
    return err;
}

enum hd_err dict_peek_pop(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                          struct obj **result)
{
    uint32_t position;
    enum hd_err err = find_popped(heap, self, args, nargs, &position);

    if (err == HD_OK)
        *result = obj_ref(position == TABLE_NONE ? args[1] : table_of(self)->entries[position].value);
    return err;
}

enum hd_err dict_method_pop(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                            struct obj **result)
{
    uint32_t position;
    struct obj *key;
    enum hd_err err = find_popped(heap, self, args, nargs, &position);

    if (err != HD_OK)
        return err;
    if (position == TABLE_NONE) {
        *result = obj_ref(args[1]);
        return HD_OK;
    }
    dict_remove(heap, self, position, &key, result);
    obj_unref(heap, &key);
    return HD_OK;
}

enum hd_err dict_peek_popitem(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                              struct obj **result)
{
    uint32_t position = table_last(table_of(self));

    (void)args;
    (void)nargs;
    if (position == TABLE_NONE)
        return heap_fail(heap, HD_KEY, "popitem from an empty dict");
    return dict_pair(heap, &table_of(self)->entries[position], result);
}

enum hd_err dict_method_popitem(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                struct obj **result)
{
    struct obj *key;
    struct obj *value;
    enum hd_err err = dict_peek_popitem(heap, self, args, nargs, result);

    if (err != HD_OK)
        return err;
    dict_remove(heap, self, table_last(table_of(self)), &key, &value);
    obj_unref(heap, &key); /* the pair has both */
    obj_unref(heap, &value);
    return HD_OK;
}

enum hd_err dict_method_clear(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                              struct obj **result)
{
    (void)args;
    (void)nargs;
    dict_clear(heap, self);
    *result = heap->nil;
    return HD_OK;
}
