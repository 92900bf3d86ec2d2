/*
 * weak_methods.c - the methods of weakdict, weakkeydict and weakset, but those that list what is in them (entries.c).
 *
 * As in Python's weakref module, a key that nothing can refer to weakly is an error where it is looked up or taken, and
 * merely not there where it is asked for (`has`).
 */
#include "store/kinds/atoms.h"
#include "store/kinds/dict.h"
#include "store/kinds/methods.h"
#include "store/kinds/number.h"
#include "store/kinds/weak_table.h"

/* -- mappings ----------------------------------------------------------------------------------------------------- */

/* The entry of a key; NULL if there is none. */
static enum hd_err find(struct heap *heap, struct obj *self, struct obj *key, struct weak_entry **entry)
{
    enum hd_err err = self->type == OBJ_WEAKDICT ? HD_OK : weak_check_target(heap, key);

    return err == HD_OK ? weak_container_find(heap, self, key, entry) : err;
}

/* The value of an entry, owned. */
static struct obj *value_of(struct heap *heap, const struct obj *self, const struct weak_entry *entry)
{
    struct obj *key, *value;

    (void)weak_entry_parts(heap, self, entry, &key, &value);
    return obj_ref(value);
}

enum hd_err weakdict_method_len(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                struct obj **result)
{
    (void)args;
    (void)nargs;
    return int_new(heap, (int64_t)weak_container_length(heap, self), result);
}

enum hd_err weakdict_method_get(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                struct obj **result)
{
    struct weak_entry *entry;
    enum hd_err err = find(heap, self, args[0], &entry);

    if (err != HD_OK)
        return err;
    *result = entry != NULL ? value_of(heap, self, entry) : obj_ref(nargs > 1 ? args[1] : heap->nil);
    return HD_OK;
}

enum hd_err weakdict_method_get_item(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                     struct obj **result)
{
    struct weak_entry *entry;
    enum hd_err err = find(heap, self, args[0], &entry);

    (void)nargs;
    if (err != HD_OK)
        return err;
    if (entry == NULL)
        return dict_missing(heap, self, args[0]);
    *result = value_of(heap, self, entry);
    return HD_OK;
}

enum hd_err weakdict_method_set(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                struct obj **result)
{
    enum hd_err err = weak_container_set(heap, self, args[0], args[1]);

    (void)nargs;
    if (err == HD_OK)
        *result = heap->nil;
    return err;
}

enum hd_err weakdict_method_has(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                struct obj **result)
{
    struct weak_entry *entry;
    enum hd_err err = weak_container_find(heap, self, args[0], &entry);

    (void)nargs;
    if (err == HD_OK)
        *result = bool_obj(heap, entry != NULL);
    return err;
}

enum hd_err weakdict_method_del(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                struct obj **result)
{
    struct weak_entry *entry;
    enum hd_err err = find(heap, self, args[0], &entry);

    (void)nargs;
    if (err != HD_OK)
        return err;
    if (entry == NULL)
        return dict_missing(heap, self, args[0]);
    weak_container_remove(heap, entry);
    *result = heap->nil;
    return HD_OK;
}

/* The entry that `pop` takes; NULL if its default will do. */
static enum hd_err find_popped(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                               struct weak_entry **entry)
{
    enum hd_err err = find(heap, self, args[0], entry);

    return err == HD_OK && *entry == NULL && nargs < 2 ? dict_missing(heap, self, args[0]) : err;
}

enum hd_err weakdict_peek_pop(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                              struct obj **result)
{
    struct weak_entry *entry;
    enum hd_err err = find_popped(heap, self, args, nargs, &entry);

    if (err == HD_OK)
        *result = entry != NULL ? value_of(heap, self, entry) : obj_ref(args[1]);
    return err;
}

enum hd_err weakdict_method_pop(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                struct obj **result)
{
    struct weak_entry *entry;
    enum hd_err err = find_popped(heap, self, args, nargs, &entry);

    if (err != HD_OK)
        return err;
    *result = entry != NULL ? value_of(heap, self, entry) : obj_ref(args[1]);
    if (entry != NULL)
        weak_container_remove(heap, entry);
    return HD_OK;
}

enum hd_err weakdict_method_clear(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                  struct obj **result)
{
    (void)args;
    (void)nargs;
    weak_container_clear(heap, self);
    *result = heap->nil;
    return HD_OK;
}

/* -- what is the same under another name -------------------------------------------------------------------------- */

#define SAME(type, kind, name, as) \
    enum hd_err type##_##kind##_##name(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs, \
                                       struct obj **result) \
    { \
        return weakdict_##kind##_##as(heap, self, args, nargs, result); \
    }

SAME(weakkeydict, method, len, len)
SAME(weakkeydict, method, get, get)
SAME(weakkeydict, method, get_item, get_item)
SAME(weakkeydict, method, set, set)
SAME(weakdict, method, contains, has)
SAME(weakkeydict, method, has, has)
SAME(weakkeydict, method, contains, has)
SAME(weakkeydict, method, del, del)
SAME(weakkeydict, method, pop, pop)
SAME(weakkeydict, peek, pop, pop)
SAME(weakkeydict, method, clear, clear)
SAME(weakset, method, len, len)
SAME(weakset, method, has, has)
SAME(weakset, method, contains, has)
SAME(weakset, method, remove, del)
SAME(weakset, method, clear, clear)

/* -- sets --------------------------------------------------------------------------------------------------------- */

enum hd_err weakset_method_add(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                               struct obj **result)
{
    enum hd_err err = weak_container_set(heap, self, args[0], NULL);

    (void)nargs;
    if (err == HD_OK)
        *result = heap->nil;
    return err;
}

enum hd_err weakset_method_discard(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                   struct obj **result)
{
    struct weak_entry *entry;
    enum hd_err err = find(heap, self, args[0], &entry);

    (void)nargs;
    if (err == HD_OK && entry != NULL)
        weak_container_remove(heap, entry);
    if (err == HD_OK)
        *result = heap->nil;
    return err;
}
