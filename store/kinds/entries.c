/*
 * entries.c - lists of what a container holds: keys, values, items of dicts and sets, the weak ones too, and `scan`,
 * which gives a large one in pieces.
 *
 * A scan keeps nothing between its calls but the cursor that the client holds: for a list an index, for dict and set
 * the order of the next entry (store/table.h). What is in a dict or set, weak or not, from the first call to the last
 * is given exactly once, whatever comes and goes meanwhile.
 */
#include "store/kinds/atoms.h"
#include "store/kinds/dict.h"
#include "store/kinds/methods.h"
#include "store/kinds/sequence.h"
#include "store/kinds/weak_table.h"

/* -- entries of a table ------------------------------------------------------------------------------------------- */

/* What one entry of a container gives to such a list, owned; NULL: nothing, its object is condemned. */
typedef enum hd_err entry_fn(struct heap *heap, const struct obj *self, const struct table_entry *entry,
                             struct obj **out);

static enum hd_err new_ref(struct heap *heap, struct obj *o, struct obj **out)
{
    if (!obj_can_ref(o))
        return heap_count_full(heap, o);
    *out = obj_ref(o);
    return HD_OK;
}

static enum hd_err new_pair(struct heap *heap, struct obj *first, struct obj *second, struct obj **out)
{
    struct obj *key = NULL;
    struct obj *value = NULL;
    struct obj *pair = NULL;
    enum hd_err err = new_ref(heap, first, &key);

    if (err == HD_OK)
        err = new_ref(heap, second, &value);
    if (err == HD_OK)
        err = list_new(heap, 2, &pair);
    if (err != HD_OK) {
        obj_unref(heap, &key);
        obj_unref(heap, &value);
        return err;
    }
    list_push_take(pair, &key);
    list_push_take(pair, &value);
    *out = pair;
    return HD_OK;
}

enum hd_err dict_pair(struct heap *heap, const struct table_entry *entry, struct obj **out)
{
    return new_pair(heap, entry->key, entry->value, out);
}

static enum hd_err entry_key(struct heap *heap, const struct obj *self, const struct table_entry *entry,
                             struct obj **out)
{
    (void)self;
    return new_ref(heap, entry->key, out);
}

static enum hd_err entry_value(struct heap *heap, const struct obj *self, const struct table_entry *entry,
                               struct obj **out)
{
    (void)self;
    return new_ref(heap, entry->value, out);
}

static enum hd_err entry_pair(struct heap *heap, const struct obj *self, const struct table_entry *entry,
                              struct obj **out)
{
    (void)self;
    return dict_pair(heap, entry, out);
}

static enum hd_err weak_key(struct heap *heap, const struct obj *self, const struct table_entry *entry,
                            struct obj **out)
{
    struct obj *key, *value;

    *out = NULL;
    return weak_entry_parts(heap, self, entry->key, &key, &value) ? new_ref(heap, key, out) : HD_OK;
}

static enum hd_err weak_value(struct heap *heap, const struct obj *self, const struct table_entry *entry,
                              struct obj **out)
{
    struct obj *key, *value;

    *out = NULL;
    return weak_entry_parts(heap, self, entry->key, &key, &value) ? new_ref(heap, value, out) : HD_OK;
}

static enum hd_err weak_pair(struct heap *heap, const struct obj *self, const struct table_entry *entry,
                             struct obj **out)
{
    struct obj *key, *value;

    *out = NULL;
    return weak_entry_parts(heap, self, entry->key, &key, &value) ? new_pair(heap, key, value, out) : HD_OK;
}

static const struct table *table_of(const struct obj *self)
{
    return is_weak_container(self) ? weak_container_table(self) : &((const struct dict *)self)->table;
}

/* A list of at most `count` entries from *position on, which goes on to the first that is not in it. Each charges a
 * unit, and one more if a pair is made of it. */
static enum hd_err list_entries(struct heap *heap, const struct obj *self, entry_fn *give, uint64_t count,
                                uint32_t *position, struct obj **out)
{
    const struct table *table = table_of(self);
    struct obj *list = NULL;
    struct obj *item;
    enum hd_err err;

    if (count > table->live)
        count = table->live;
    err = heap_work(heap, give == entry_pair || give == weak_pair ? count * 2 : count);
    if (err == HD_OK)
        err = list_new(heap, count, &list);
    for (; err == HD_OK && count > 0 && *position != TABLE_NONE; count--) {
        err = give(heap, self, &table->entries[*position], &item);
        if (err != HD_OK)
            break;
        if (item != NULL)
            list_push_take(list, &item);
        *position = table_next(table, *position + 1);
    }
    if (err == HD_OK)
        *out = list;
    else
        obj_unref(heap, &list);
    return err;
}

static enum hd_err list_all(struct heap *heap, struct obj *self, entry_fn *give, struct obj **result)
{
    uint32_t position = table_next(table_of(self), 0);

    return list_entries(heap, self, give, table_of(self)->live, &position, result);
}

enum hd_err dict_method_keys(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                             struct obj **result)
{
    (void)args;
    (void)nargs;
    return list_all(heap, self, entry_key, result);
}

enum hd_err dict_method_values(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                               struct obj **result)
{
    (void)args;
    (void)nargs;
    return list_all(heap, self, entry_value, result);
}

enum hd_err dict_method_items(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                              struct obj **result)
{
    (void)args;
    (void)nargs;
    return list_all(heap, self, entry_pair, result);
}

enum hd_err set_method_items(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                             struct obj **result)
{
    (void)args;
    (void)nargs;
    return list_all(heap, self, entry_key, result);
}

enum hd_err weakset_method_items(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                 struct obj **result)
{
    (void)args;
    (void)nargs;
    return list_all(heap, self, weak_key, result);
}

/* The same for both weak mappings. */
#define WEAK_LIST(name, give) \
    enum hd_err weakdict_method_##name(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs, \
                                       struct obj **result) \
    { \
        (void)args; \
        (void)nargs; \
        return list_all(heap, self, give, result); \
    } \
    enum hd_err weakkeydict_method_##name(struct heap *heap, struct obj *self, struct obj *const *args, \
                                          unsigned nargs, struct obj **result) \
    { \
        return weakdict_method_##name(heap, self, args, nargs, result); \
    }

WEAK_LIST(keys, weak_key)
WEAK_LIST(values, weak_value)
WEAK_LIST(items, weak_pair)

/* -- scan --------------------------------------------------------------------------------------------------------- */

#define SCAN_END UINT64_MAX

static enum hd_err scan_arguments(struct heap *heap, struct obj *const *args, uint64_t *cursor, uint64_t *n)
{
    int64_t from, most;

    if (!obj_as_int(heap, args[0], &from) || !obj_as_int(heap, args[1], &most))
        return heap_fail(heap, HD_TYPE, "cursor and n of scan are ints");
    if (from < 0 || most < 1)
        return heap_fail(heap, HD_VALUE, "scan goes from a cursor (first 0), in pieces of 1 or more");
    *cursor = (uint64_t)from;
    *n = (uint64_t)most;
    return HD_OK;
}

/* [next cursor or nil, entries]; consumes the list of entries. */
static enum hd_err scan_answer(struct heap *heap, uint64_t next, struct obj **entries, struct obj **result)
{
    struct obj *cursor = heap->nil;
    struct obj *answer = NULL;
    enum hd_err err = next == SCAN_END ? HD_OK : int_new(heap, (int64_t)next, &cursor);

    if (err == HD_OK)
        err = list_new(heap, 2, &answer);
    if (err != HD_OK) {
        obj_unref(heap, &cursor);
        obj_unref(heap, entries);
        return err;
    }
    list_push_take(answer, &cursor);
    list_push_take(answer, entries);
    *result = answer;
    return HD_OK;
}

static enum hd_err scan_table(struct heap *heap, struct obj *self, struct obj *const *args, entry_fn *give,
                              struct obj **result)
{
    const struct table *table = table_of(self);
    uint64_t cursor, n;
    uint32_t position;
    struct obj *entries = NULL;
    enum hd_err err = scan_arguments(heap, args, &cursor, &n);

    if (err != HD_OK)
        return err;
    position = table_seek(table, cursor);
    err = list_entries(heap, self, give, n, &position, &entries);
    if (err != HD_OK)
        return err;
    return scan_answer(heap, position == TABLE_NONE ? SCAN_END : table_cursor(table, position), &entries, result);
}

enum hd_err dict_method_scan(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                             struct obj **result)
{
    (void)nargs;
    return scan_table(heap, self, args, entry_pair, result);
}

enum hd_err set_method_scan(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                            struct obj **result)
{
    (void)nargs;
    return scan_table(heap, self, args, entry_key, result);
}

enum hd_err weakset_method_scan(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                struct obj **result)
{
    (void)nargs;
    return scan_table(heap, self, args, weak_key, result);
}

enum hd_err weakdict_method_scan(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                 struct obj **result)
{
    (void)nargs;
    return scan_table(heap, self, args, weak_pair, result);
}

enum hd_err weakkeydict_method_scan(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                    struct obj **result)
{
    return weakdict_method_scan(heap, self, args, nargs, result);
}

enum hd_err list_method_scan(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                             struct obj **result)
{
    struct list *list = list_of(self);
    uint64_t cursor, n;
    struct obj *elements = NULL;
    enum hd_err err = scan_arguments(heap, args, &cursor, &n);

    (void)nargs;
    if (err != HD_OK)
        return err;
    if (cursor > list->len)
        cursor = list->len;
    if (n > list->len - cursor)
        n = list->len - cursor;
    err = sequence_slice(heap, self, (int64_t)cursor, 1, n, &elements);
    if (err != HD_OK)
        return err;
    return scan_answer(heap, cursor + n < list->len ? cursor + n : SCAN_END, &elements, result);
}
