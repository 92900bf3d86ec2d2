/*
 * update.c - adding many entries to a dict or set at once.
 *
 * dict_update changes nothing unless it can do all: first it gathers what comes, then makes room, counts and looks
 * every key up, which may fail; then it stores, which cannot.
 */
#include "store/attr.h"
#include "store/kinds/dict.h"
#include "store/kinds/iterate.h"

/* -- pairs -------------------------------------------------------------------------------------------------------- */

enum hd_err dict_split_pair(struct heap *heap, struct obj *pair, uint64_t index, struct obj **key, struct obj **value)
{
    struct iteration it;
    enum hd_err err = iterate_start(heap, pair, &it);

    if (err == HD_TYPE)
        return heap_fail(heap, HD_TYPE, "element #%llu of the update is no pair but of type %s",
                         (unsigned long long)index, obj_type_name(pair->type));
    if (err == HD_OK && it.length != 2)
        return heap_fail(heap, HD_VALUE, "element #%llu of the update has length %llu, not 2",
                         (unsigned long long)index, (unsigned long long)it.length);
    if (err == HD_OK)
        err = iterate_next(&it, key);
    return err == HD_OK ? iterate_next(&it, value) : err;
}

static enum hd_err add_pair(struct heap *heap, struct obj *dict, struct obj *pair, uint64_t index)
{
    struct obj *key = NULL;
    struct obj *value = NULL;
    enum hd_err err = dict_split_pair(heap, pair, index, &key, &value);

    if (err == HD_OK)
        err = dict_set(heap, dict, key, value);
    obj_unref(heap, &key);
    obj_unref(heap, &value);
    return err;
}

/* A new dict of an iterable of pairs. */
static enum hd_err dict_of_pairs(struct heap *heap, struct obj *pairs, struct obj **out)
{
    struct iteration it;
    struct obj *pair;
    struct obj *dict = NULL;
    enum hd_err err = iterate_start(heap, pairs, &it);

    if (err == HD_OK)
        err = heap_work(heap, it.length);
    if (err == HD_OK)
        err = dict_new(heap, OBJ_DICT, 0, &dict);
    while (err == HD_OK && (err = iterate_next(&it, &pair)) == HD_OK && pair != NULL) {
        err = add_pair(heap, dict, pair, it.given - 1);
        obj_unref(heap, &pair);
    }
    if (err == HD_OK)
        *out = dict;
    else
        obj_unref(heap, &dict);
    return err;
}

/* -- update ------------------------------------------------------------------------------------------------------- */

/* Where each key of `from` stands in `to`, TABLE_NONE for new ones, in the order of `from`. */
static enum hd_err find_all(struct heap *heap, struct obj *to, const struct table *from, uint32_t *positions)
{
    enum hd_err err = HD_OK;

    for (uint32_t i = table_next(from, 0); err == HD_OK && i != TABLE_NONE; i = table_next(from, i + 1))
        err = dict_find_hashed(heap, to, from->entries[i].key, from->entries[i].hash, positions++);
    return err;
}

static enum hd_err check_counts(struct heap *heap, const struct table *from)
{
    for (uint32_t i = table_next(from, 0); i != TABLE_NONE; i = table_next(from, i + 1)) {
        const struct table_entry *entry = &from->entries[i];
        struct obj *key = entry->key;

        if (!obj_can_ref(key) || !obj_can_ref(entry->value))
            return heap_count_full(heap, obj_can_ref(key) ? entry->value : key);
    }
    return HD_OK;
}

/* Cannot fail. Replaces before it inserts: inserting moves entries, and `positions` would be wrong. */
static void store_all(struct heap *heap, struct table *to, const struct table *from, const uint32_t *positions)
{
    uint32_t n = 0;

    for (uint32_t i = table_next(from, 0); i != TABLE_NONE; i = table_next(from, i + 1)) {
        uint32_t position = positions[n++];

        if (position == TABLE_NONE)
            continue;
        obj_ref(from->entries[i].value);
        obj_unref(heap, &to->entries[position].value);
        to->entries[position].value = from->entries[i].value;
    }
    n = 0;
    for (uint32_t i = table_next(from, 0); i != TABLE_NONE; i = table_next(from, i + 1)) {
        const struct table_entry *entry = &from->entries[i];

        if (positions[n++] == TABLE_NONE)
            table_insert(heap->pool, to, entry->hash, obj_ref(entry->key), obj_ref(entry->value));
    }
}

static enum hd_err merge(struct heap *heap, struct obj *o, const struct table *from)
{
    struct table *to = &dict_of(o)->table;
    size_t size = from->live * sizeof(uint32_t);
    uint32_t *positions;
    enum hd_err err = check_counts(heap, from);

    if (err != HD_OK || from->live == 0)
        return err;
    positions = pool_alloc(heap->pool, size, POOL_DATA);
    /* room as if all were new, like CPython's dict_merge: what is not needed is given back when the table changes */
    if (positions == NULL || !table_reserve(heap->pool, to, from->live))
        err = heap_no_memory(heap);
    if (err == HD_OK)
        err = find_all(heap, o, from, positions);
    if (err == HD_OK)
        store_all(heap, to, from, positions);
    pool_free(heap->pool, positions, size, POOL_DATA);
    return err;
}

enum hd_err dict_update(struct heap *heap, struct obj *o, struct obj *other)
{
    struct obj *pairs = NULL;
    enum hd_err err = obj_through(heap, other, &other);

    if (err != HD_OK || other == o)
        return err;
    if (other->type == OBJ_DICT) {
        err = heap_work(heap, dict_of(other)->table.live);
        return err == HD_OK ? merge(heap, o, &dict_of(other)->table) : err;
    }
    err = dict_of_pairs(heap, other, &pairs);
    if (err == HD_OK)
        err = merge(heap, o, &dict_of(pairs)->table);
    obj_unref(heap, &pairs);
    return err;
}

/* -- sets --------------------------------------------------------------------------------------------------------- */

enum hd_err set_add_all(struct heap *heap, struct obj *set, struct obj *items)
{
    struct iteration it;
    struct obj *item;
    enum hd_err err = iterate_start(heap, items, &it);

    if (err == HD_OK)
        err = heap_work(heap, it.length);
    while (err == HD_OK && (err = iterate_next(&it, &item)) == HD_OK && item != NULL) {
        err = dict_set(heap, set, item, NULL);
        obj_unref(heap, &item);
    }
    return err;
}
