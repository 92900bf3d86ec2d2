/* dict.c - dict and set: storage, look-up, and their rows among the kinds. Their methods are in files of their own. */
#include "store/kinds/dict.h"

#include "store/bytes.h"
#include "store/compare.h"
#include "store/kind.h"
#include "store/kinds/atoms.h"
#include "store/step.h"
#include "store/table_index.h"

enum hd_err dict_new(struct heap *heap, enum obj_type type, uint64_t capacity, struct obj **out)
{
    struct obj *o = heap_new(heap, type, sizeof(struct dict));

    if (o == NULL)
        return heap_no_memory(heap);
    table_init(&dict_of(o)->table);
    if (capacity > TABLE_MAX || (capacity > 0 && !table_reserve(heap->pool, &dict_of(o)->table, (uint32_t)capacity))) {
        table_fini(heap->pool, &dict_of(o)->table); /* a part of the room may have been found */
        heap_free(heap, o, sizeof(struct dict));
        return heap_no_memory(heap);
    }
    *out = o;
    return HD_OK;
}

/* -- look-up ------------------------------------------------------------------------------------------------------ */

/* A look-up's key, and the error that a comparison met: obj_same_key may fail for tuples. */
struct probe {
    struct heap *heap;
    struct obj *key;
    enum hd_err err;
};

static inline bool text_is_same(const struct text *a, const struct text *b)
{
    return a->len == b->len && bytes_are_same(a->bytes, b->bytes, a->len);
}

static __attribute__((noinline)) bool probe_is_equal(struct probe *probe, struct obj *other)
{
    bool same = false;

    if (probe->err == HD_OK)
        probe->err = obj_same_key(probe->heap, probe->key, other, &same);
    return same && probe->err == HD_OK;
}

static inline __attribute__((always_inline)) bool probe_matches(void *arg, const void *key)
{
    struct probe *probe = arg;
    struct obj *other = (struct obj *)key;

    if (other == probe->key)
        return true;
    if (other->type == OBJ_STR && probe->key->type == OBJ_STR)
        return text_is_same(text_of(other), text_of(probe->key));
    return probe_is_equal(probe, other);
}

/* A str is equal to strs only. */
static inline __attribute__((always_inline)) bool is_same_str(void *arg, const void *key)
{
    struct obj *other = (struct obj *)key;

    return other == arg || (other->type == OBJ_STR && text_is_same(text_of(other), arg));
}

static inline __attribute__((always_inline)) enum hd_err find_hashed(struct heap *heap, struct obj *o, struct obj *key,
                                                                     uint32_t hash, uint32_t *position)
{
    struct probe probe = {heap, key, HD_OK};
    uint32_t found = table_find_inline(&dict_of(o)->table, hash, probe_matches, &probe);

    if (probe.err != HD_OK)
        return probe.err;
    *position = found;
    return HD_OK;
}

enum hd_err dict_find_hashed(struct heap *heap, struct obj *o, struct obj *key, uint32_t hash, uint32_t *position)
{
    return find_hashed(heap, o, key, hash, position);
}

enum hd_err dict_find(struct heap *heap, struct obj *o, struct obj *key, uint32_t *hash, uint32_t *position)
{
    enum hd_err err;

    if (key->type == OBJ_STR) { /* most keys are */
        *hash = text_key_hash(heap, text_of(key));
        *position = table_find_inline(&dict_of(o)->table, *hash, is_same_str, key);
        return HD_OK;
    }
    err = obj_hash(heap, key, hash);
    return err == HD_OK ? dict_find_hashed(heap, o, key, *hash, position) : err;
}

enum hd_err dict_missing(struct heap *heap, const struct obj *o, const struct obj *key)
{
    const char *type = obj_type_name(o->type);
    const struct text *text = (const struct text *)key;

    if (key->type == OBJ_STR)
        return heap_fail(heap, HD_KEY, "the %s has no '%.*s'", type, (int)(text->len < 100 ? text->len : 100),
                         text->bytes);
    if (key->type == OBJ_INT)
        return heap_fail(heap, HD_KEY, "the %s has no %lld", type, (long long)int_value(key));
    return heap_fail(heap, HD_KEY, "the %s has no such %s", type, obj_type_name(key->type));
}

enum hd_err dict_peek(struct heap *heap, struct obj *o, struct obj *key, struct obj **value)
{
    uint32_t hash, position;
    enum hd_err err = dict_find(heap, o, key, &hash, &position);

    if (err != HD_OK)
        return err;
    *value = position == TABLE_NONE ? NULL : dict_of(o)->table.entries[position].value;
    return HD_OK;
}

/* -- change ------------------------------------------------------------------------------------------------------- */

enum hd_err dict_insert(struct heap *heap, struct obj *o, uint32_t hash, struct obj *key, struct obj *value)
{
    struct table *table = &dict_of(o)->table;
    struct obj *own;
    enum hd_err err;

    if (!obj_can_ref(key))
        return heap_count_full(heap, key);
    if (value != NULL && !obj_can_ref(value))
        return heap_count_full(heap, value);
    if (table->live == TABLE_MAX)
        return heap_fail(heap, HD_LIMIT, "a %s holds at most %u entries", obj_type_name(o->type), TABLE_MAX);
    if (!table_reserve(heap->pool, table, 1))
        return heap_no_memory(heap);
    err = str_keep(heap, key, &own);
    if (err != HD_OK)
        return err;
    if (value != NULL)
        obj_ref(value);
    table_insert(heap->pool, table, hash, own, value);
    return HD_OK;
}

enum hd_err dict_set(struct heap *heap, struct obj *o, struct obj *key, struct obj *value)
{
    uint32_t hash, position;
    struct obj *old;
    enum hd_err err = dict_find(heap, o, key, &hash, &position);

    if (err != HD_OK)
        return err;
    if (position == TABLE_NONE)
        return dict_insert(heap, o, hash, key, value);
    if (value != NULL && !obj_can_ref(value))
        return heap_count_full(heap, value);
    if (value != NULL) {
        old = dict_of(o)->table.entries[position].value;
        dict_of(o)->table.entries[position].value = obj_ref(value);
        obj_unref(heap, &old);
    }
    return HD_OK;
}

void dict_remove(struct heap *heap, struct obj *o, uint32_t position, struct obj **key, struct obj **value)
{
    struct table *table = &dict_of(o)->table;

    *key = table->entries[position].key;
    *value = table->entries[position].value;
    table_remove(heap->pool, table, position);
}

void dict_clear(struct heap *heap, struct obj *o)
{
    step_detach_table(heap, &dict_of(o)->table);
}

static enum hd_err insert_hashed(struct heap *heap, struct table *fresh, const struct table_entry *entry)
{
    struct probe probe = {heap, entry->key, HD_OK};
    uint32_t hash = 0;
    enum hd_err err = obj_hash(heap, entry->key, &hash);

    if (err != HD_OK)
        return err;
    if (table_find(fresh, hash, probe_matches, &probe) != TABLE_NONE)
        return heap_fail(heap, HD_VALUE, "two keys are equal");
    if (probe.err == HD_OK)
        table_insert(heap->pool, fresh, hash, entry->key, entry->value);
    return probe.err;
}

enum hd_err dict_rehash(struct heap *heap, struct obj *o)
{
    struct table *table = &dict_of(o)->table;
    struct table fresh;
    enum hd_err err = HD_OK;

    table_init(&fresh);
    if (table->live > 0 && !table_reserve(heap->pool, &fresh, table->live))
        err = heap_no_memory(heap);
    for (uint32_t i = table_next(table, 0); err == HD_OK && i != TABLE_NONE; i = table_next(table, i + 1))
        err = insert_hashed(heap, &fresh, &table->entries[i]);
    if (err != HD_OK) {
        table_fini(heap->pool, &fresh);
        return err;
    }
    table_fini(heap->pool, table);
    *table = fresh;
    return HD_OK;
}

/* -- kinds -------------------------------------------------------------------------------------------------------- */

static bool visit_entry(const struct table_entry *entry, bool is_set, slot_fn *visit, void *arg)
{
    struct slot key = {.kind = is_set ? SLOT_ELEMENT : SLOT_KEY, .target = entry->key};
    struct slot value = {.kind = SLOT_ENTRY, .target = entry->value, .key = entry->key};

    return visit(arg, &key) && (is_set || visit(arg, &value));
}

static bool traverse_dict(struct obj *o, uint64_t *cursor, size_t *budget, slot_fn *visit, void *arg)
{
    const struct table *table = &dict_of(o)->table;
    bool goes_on = table_is_renewing(table);

    for (uint32_t i = table_seek(table, *cursor); i != TABLE_NONE; i = table_next(table, i + 1)) {
        if (*budget == 0 && !goes_on)
            return false;
        *budget -= *budget > 0;
        *cursor = table_cursor(table, i) + 1;
        if (!visit_entry(&table->entries[i], o->type == OBJ_SET, visit, arg))
            return false;
    }
    return true;
}

static bool drop_dict(struct heap *heap, struct obj *o, uint64_t *cursor, size_t *budget)
{
    struct table *table = &dict_of(o)->table;

    if (*cursor == 0)
        table_unnote(heap->pool, table); /* entries stay where they are from here on */
    for (; *cursor < table->used && *budget > 0; (*cursor)++, (*budget)--) {
        struct table_entry *entry = &table->entries[*cursor];
        struct obj *key = entry->key;

        if (key == NULL)
            continue;
        entry->key = NULL;
        obj_unref(heap, &key);
        obj_unref(heap, &entry->value);
    }
    return *cursor == table->used;
}

static void free_dict(struct heap *heap, struct obj *o)
{
    table_fini(heap->pool, &dict_of(o)->table);
    heap_free(heap, o, sizeof(struct dict));
}

static size_t bytes_of_dict(const struct obj *o)
{
    return pool_rounded(sizeof(struct dict)) + table_bytes(&((const struct dict *)o)->table);
}

static uint64_t length_of_dict(const struct obj *o)
{
    return ((const struct dict *)o)->table.live;
}

const struct kind kind_dict = {traverse_dict, drop_dict, free_dict, bytes_of_dict, length_of_dict};
const struct kind kind_set = {traverse_dict, drop_dict, free_dict, bytes_of_dict, length_of_dict};
