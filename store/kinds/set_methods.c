/*
 * set_methods.c - the methods of set, but those that list what is in it (entries.c).
 *
 * The algebra takes any iterable, as Python's methods do (its operators do not). Results keep the order of insertion,
 * what comes from the set itself first.
 */
#include "store/attr.h"
#include "store/copy.h"
#include "store/kinds/atoms.h"
#include "store/kinds/dict.h"
#include "store/kinds/iterate.h"
#include "store/kinds/methods.h"

static struct table *table_of(struct obj *self)
{
    return &dict_of(self)->table;
}

/* -- one element -------------------------------------------------------------------------------------------------- */

/* Where `x` is, or TABLE_NONE. A set is unhashable, but Python lets one be asked for: it is in no set of ours. */
static enum hd_err find(struct heap *heap, struct obj *self, struct obj *x, uint32_t *position)
{
    uint32_t hash;

    *position = TABLE_NONE;
    return x->type == OBJ_SET ? HD_OK : dict_find(heap, self, x, &hash, position);
}

enum hd_err set_method_len(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                           struct obj **result)
{
    (void)args;
    (void)nargs;
    return int_new(heap, table_of(self)->live, result);
}

enum hd_err set_method_has(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                           struct obj **result)
{
    uint32_t position;
    enum hd_err err = find(heap, self, args[0], &position);

    (void)nargs;
    if (err == HD_OK)
        *result = bool_obj(heap, position != TABLE_NONE);
    return err;
}

enum hd_err set_method_contains(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                struct obj **result)
{
    return set_method_has(heap, self, args, nargs, result);
}

enum hd_err set_method_add(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                           struct obj **result)
{
    enum hd_err err = dict_set(heap, self, args[0], NULL);

    (void)nargs;
    if (err == HD_OK)
        *result = heap->nil;
    return err;
}

/* Removes the element at a position; its reference is the caller's. */
static struct obj *take_at(struct heap *heap, struct obj *self, uint32_t position)
{
    struct obj *element;
    struct obj *none;

    dict_remove(heap, self, position, &element, &none);
    return element;
}

/* Removes `x`; *found tells whether it was there. */
static enum hd_err drop(struct heap *heap, struct obj *self, struct obj *x, bool *found)
{
    uint32_t position;
    struct obj *element;
    enum hd_err err = find(heap, self, x, &position);

    if (err != HD_OK)
        return err;
    *found = position != TABLE_NONE;
    if (*found) {
        element = take_at(heap, self, position);
        obj_unref(heap, &element);
    }
    return HD_OK;
}

enum hd_err set_method_discard(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                               struct obj **result)
{
    bool found;
    enum hd_err err = drop(heap, self, args[0], &found);

    (void)nargs;
    if (err == HD_OK)
        *result = heap->nil;
    return err;
}

enum hd_err set_method_remove(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                              struct obj **result)
{
    bool found;
    enum hd_err err = drop(heap, self, args[0], &found);

    (void)nargs;
    if (err != HD_OK)
        return err;
    if (!found)
        return dict_missing(heap, self, args[0]);
    *result = heap->nil;
    return HD_OK;
}

/* The position of the element that `pop` takes. */
static enum hd_err find_first(struct heap *heap, struct obj *self, uint32_t *position)
{
    *position = table_next(table_of(self), 0);
    return *position != TABLE_NONE ? HD_OK : heap_fail(heap, HD_KEY, "pop from an empty set");
}

enum hd_err set_peek_pop(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                         struct obj **result)
{
    uint32_t position;
    enum hd_err err = find_first(heap, self, &position);

    (void)args;
    (void)nargs;
    if (err == HD_OK)
        *result = obj_ref(table_of(self)->entries[position].key);
    return err;
}

enum hd_err set_method_pop(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                           struct obj **result)
{
    uint32_t position;
    enum hd_err err = find_first(heap, self, &position);

    (void)args;
    (void)nargs;
    if (err == HD_OK)
        *result = take_at(heap, self, position);
    return err;
}

enum hd_err set_method_clear(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                             struct obj **result)
{
    (void)args;
    (void)nargs;
    dict_clear(heap, self);
    *result = heap->nil;
    return HD_OK;
}

/* -- algebra ------------------------------------------------------------------------------------------------------ */

/* The items of an iterable as something to look up in: a set or dict itself, else a new set; owned. */
static enum hd_err members_of(struct heap *heap, struct obj *items, struct obj **out)
{
    struct obj *set = NULL;
    enum hd_err err = obj_through(heap, items, &items);

    if (err != HD_OK)
        return err;
    if (items->type == OBJ_SET || items->type == OBJ_DICT) {
        *out = obj_ref(items);
        return HD_OK;
    }
    err = dict_new(heap, OBJ_SET, 0, &set);
    if (err == HD_OK)
        err = set_add_all(heap, set, items);
    if (err == HD_OK)
        *out = set;
    else
        obj_unref(heap, &set);
    return err;
}

/* What becomes of an element of one set, given the other's entry for it, or NULL. */
typedef enum hd_err element_fn(struct heap *heap, struct obj *result, const struct table_entry *element,
                               const struct table_entry *other);

static enum hd_err keep_missing(struct heap *heap, struct obj *result, const struct table_entry *element,
                                const struct table_entry *other)
{
    return other == NULL ? dict_insert(heap, result, element->hash, element->key, NULL) : HD_OK;
}

static enum hd_err keep_common(struct heap *heap, struct obj *result, const struct table_entry *element,
                               const struct table_entry *other)
{
    return other != NULL ? dict_insert(heap, result, element->hash, element->key, NULL) : HD_OK;
}

/* 1 and 1.0 are equal, and CPython gives that of the other one unless the other is a larger set. */
static enum hd_err keep_other(struct heap *heap, struct obj *result, const struct table_entry *element,
                              const struct table_entry *other)
{
    return other != NULL ? dict_insert(heap, result, element->hash, other->key, NULL) : HD_OK;
}

/* Asks for each element of `from` whether it is in `other`. */
static enum hd_err each_element(struct heap *heap, struct obj *from, struct obj *other, element_fn *keep,
                                struct obj *result)
{
    const struct table *table = table_of(from);
    uint32_t position = TABLE_NONE;
    enum hd_err err = heap_work(heap, table->live);

    for (uint32_t i = table_next(table, 0); err == HD_OK && i != TABLE_NONE; i = table_next(table, i + 1)) {
        const struct table_entry *element = &table->entries[i];

        err = dict_find_hashed(heap, other, element->key, element->hash, &position);
        if (err == HD_OK)
            err = keep(heap, result, element, position == TABLE_NONE ? NULL : &table_of(other)->entries[position]);
    }
    return err;
}

enum hd_err set_method_union(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                             struct obj **result)
{
    struct obj *both = NULL;
    enum hd_err err = obj_copy(heap, self, &both);

    (void)nargs;
    if (err == HD_OK)
        err = set_add_all(heap, both, args[0]);
    if (err == HD_OK)
        *result = both;
    else
        obj_unref(heap, &both);
    return err;
}

/* A new set of what `keep` keeps of self, and, if asked, `keep_theirs` of the other one. */
static enum hd_err combine(struct heap *heap, struct obj *self, struct obj *other, element_fn *keep,
                           element_fn *keep_theirs, struct obj **result)
{
    struct obj *set = NULL;
    enum hd_err err = dict_new(heap, OBJ_SET, 0, &set);

    if (err == HD_OK)
        err = each_element(heap, self, other, keep, set);
    if (err == HD_OK && keep_theirs != NULL)
        err = each_element(heap, other, self, keep_theirs, set);
    if (err == HD_OK)
        *result = set;
    else
        obj_unref(heap, &set);
    return err;
}

enum hd_err set_method_intersection(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                    struct obj **result)
{
    struct obj *other = NULL;
    bool is_larger;
    enum hd_err err = members_of(heap, args[0], &other);

    (void)nargs;
    if (err != HD_OK)
        return err;
    is_larger = other == args[0] && other->type == OBJ_SET && table_of(other)->live > table_of(self)->live;
    err = combine(heap, self, other, is_larger ? keep_common : keep_other, NULL, result);
    obj_unref(heap, &other);
    return err;
}

enum hd_err set_method_difference(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                  struct obj **result)
{
    struct obj *other = NULL;
    enum hd_err err = members_of(heap, args[0], &other);

    (void)nargs;
    if (err == HD_OK)
        err = combine(heap, self, other, keep_missing, NULL, result);
    obj_unref(heap, &other);
    return err;
}

enum hd_err set_method_symmetric_difference(struct heap *heap, struct obj *self, struct obj *const *args,
                                            unsigned nargs, struct obj **result)
{
    struct obj *other = NULL;
    enum hd_err err = members_of(heap, args[0], &other);

    (void)nargs;
    if (err == HD_OK)
        err = combine(heap, self, other, keep_missing, keep_missing, result);
    obj_unref(heap, &other);
    return err;
}

/* -- inclusion ---------------------------------------------------------------------------------------------------- */

/* True if all items are in the set; looks no further than the first that is not. */
static enum hd_err holds_all(struct heap *heap, struct obj *set, struct obj *items, bool *answer)
{
    struct iteration it;
    struct obj *item;
    uint32_t hash;
    uint32_t position = 0;
    enum hd_err err = iterate_start(heap, items, &it);

    while (err == HD_OK && position != TABLE_NONE && (err = iterate_next(&it, &item)) == HD_OK && item != NULL) {
        err = heap_work(heap, 1);
        if (err == HD_OK)
            err = dict_find(heap, set, item, &hash, &position);
        obj_unref(heap, &item);
    }
    *answer = position != TABLE_NONE;
    return err;
}

enum hd_err set_method_issuperset(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                  struct obj **result)
{
    bool answer;
    enum hd_err err = holds_all(heap, self, args[0], &answer);

    (void)nargs;
    if (err == HD_OK)
        *result = bool_obj(heap, answer);
    return err;
}

enum hd_err set_method_issubset(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                struct obj **result)
{
    struct obj *other = NULL;
    bool answer;
    enum hd_err err = members_of(heap, args[0], &other);

    (void)nargs;
    if (err == HD_OK)
        err = holds_all(heap, other, self, &answer);
    if (err == HD_OK)
        *result = bool_obj(heap, answer);
    obj_unref(heap, &other);
    return err;
}
