/*
 * weak_table.c - weak containers: their entries, and their rows among the kinds. Their methods are in weak_methods.c.
 *
 * Invariant: each entry of a table is in the list of links of its object, which lives; `hash` of the link is that under
 * which the table has it. An entry whose object has died is in no table.
 */
#include "store/kinds/weak_table.h"

#include <assert.h>

#include "store/attr.h"
#include "store/compare.h"
#include "store/gc.h"
#include "store/kind.h"
#include "store/kinds/dict.h"
#include "store/kinds/iterate.h"
#include "store/step.h"

enum hd_err weak_container_new(struct heap *heap, enum obj_type type, struct obj **out)
{
    struct obj *o = heap_new(heap, type, sizeof(struct weak_container));

    if (o == NULL)
        return heap_no_memory(heap);
    weak_container_of(o)->table = NULL;
    *out = o;
    return HD_OK;
}

const struct table *weak_container_table(const struct obj *o)
{
    static const struct table empty;
    const struct weak_table *table = ((const struct weak_container *)o)->table;

    return table != NULL ? &table->entries : &empty;
}

/* -- looking ------------------------------------------------------------------------------------------------------ */

struct probe {
    struct heap *heap;
    struct obj *key;
    uint32_t hash;
    bool is_by_value; /* its hash is that of its value */
    bool is_weak;     /* it is what entries refer to weakly */
    enum hd_err err;
};

/* What the container hashes a key by. */
static enum hd_err probe_begin(struct heap *heap, const struct obj *o, struct obj *key, struct probe *probe)
{
    enum hd_err err = HD_TYPE;

    *probe = (struct probe){.heap = heap, .key = key, .is_weak = o->type != OBJ_WEAKDICT};
    if (o->type != OBJ_WEAKKEYDICT)
        err = obj_hash(heap, key, &probe->hash);
    probe->is_by_value = err == HD_OK;
    if (err != HD_TYPE || o->type == OBJ_WEAKDICT)
        return err;
    probe->hash = obj_identity_hash(heap, key);
    return HD_OK;
}

static bool probe_matches(void *arg, const void *key)
{
    struct probe *probe = arg;
    const struct weak_entry *entry = key;
    struct obj *other = probe->is_weak ? entry->link.target : entry->strong;
    bool same = false;

    if (other == probe->key)
        return true;
    if (probe->is_by_value && entry->link.is_hashed && probe->err == HD_OK)
        probe->err = obj_same_key(probe->heap, probe->key, other, &same);
    return same && probe->err == HD_OK;
}

/* The entry that the probe is for, living or condemned; NULL: none. */
static enum hd_err find(const struct obj *o, struct probe *probe, struct weak_entry **entry)
{
    const struct table *table = weak_container_table(o);
    uint32_t position = table_find(table, probe->hash, probe_matches, probe);

    if (probe->err == HD_OK)
        *entry = position == TABLE_NONE ? NULL : table->entries[position].key;
    return probe->err;
}

static bool is_condemned(const struct heap *heap, const struct weak_entry *entry)
{
    return gc_is_condemned(heap, entry->link.target);
}

enum hd_err weak_container_find(struct heap *heap, struct obj *o, struct obj *key, struct weak_entry **entry)
{
    struct probe probe;
    enum hd_err err = probe_begin(heap, o, key, &probe);

    if (err == HD_OK)
        err = find(o, &probe, entry);
    if (err == HD_OK && *entry != NULL && is_condemned(heap, *entry))
        *entry = NULL;
    return err;
}

struct obj *weak_entry_peek(struct heap *heap, const struct weak_entry *entry)
{
    return weak_link_peek(heap, &entry->link);
}

bool weak_entry_parts(struct heap *heap, const struct obj *o, const struct weak_entry *entry, struct obj **key,
                      struct obj **value)
{
    struct obj *target = weak_entry_peek(heap, entry);

    *key = o->type == OBJ_WEAKDICT ? entry->strong : target;
    *value = o->type == OBJ_WEAKDICT ? target : entry->strong;
    return target != NULL;
}

bool weak_container_next(struct heap *heap, struct obj *o, uint32_t *position, struct obj **key, struct obj **value)
{
    const struct table *table = weak_container_table(o);

    for (uint32_t i = table_next(table, *position); i != TABLE_NONE; i = table_next(table, i + 1)) {
        *position = i + 1;
        if (weak_entry_parts(heap, o, table->entries[i].key, key, value))
            return true;
    }
    return false;
}

uint64_t weak_container_length(const struct heap *heap, const struct obj *o)
{
    const struct table *table = weak_container_table(o);
    uint64_t length = table->live;

    if (!gc_is_condemning(heap->gc))
        return length;
    for (uint32_t i = table_next(table, 0); i != TABLE_NONE; i = table_next(table, i + 1))
        length -= is_condemned(heap, table->entries[i].key);
    return length;
}

/* -- removing ----------------------------------------------------------------------------------------------------- */

static bool is_entry(void *arg, const void *key)
{
    return arg == key;
}

static void take_out(struct heap *heap, struct weak_entry *entry)
{
    struct table *table = &entry->table->entries;

    table_remove(heap->pool, table, table_find(table, entry->link.hash, is_entry, entry));
}

void weak_entry_drop(struct heap *heap, struct weak_entry *entry)
{
    struct obj *strong = entry->strong;

    pool_free(heap->pool, entry, sizeof *entry, POOL_DATA);
    obj_unref(heap, &strong);
}

void weak_container_remove(struct heap *heap, struct weak_entry *entry)
{
    take_out(heap, entry);
    weak_link_remove(heap, &entry->link);
    weak_entry_drop(heap, entry);
}

void weak_entry_expire(struct heap *heap, struct weak_link *link, struct step *step)
{
    struct weak_entry *entry = (struct weak_entry *)link;

    take_out(heap, entry);
    if (entry->strong == NULL)
        weak_entry_drop(heap, entry);
    else
        step_add_entry(step, entry); /* dropped here it could die, and the next one with it: a recursion */
}

bool weak_table_drop(struct heap *heap, struct weak_table *table, size_t *budget)
{
    uint32_t position;

    for (; *budget > 0 && (position = table_next(&table->entries, 0)) != TABLE_NONE; (*budget)--)
        weak_container_remove(heap, table->entries.entries[position].key);
    return table->entries.live == 0;
}

void weak_table_free(struct heap *heap, struct weak_table *table)
{
    table_fini(heap->pool, &table->entries);
    pool_free(heap->pool, table, sizeof *table, POOL_DATA);
}

void weak_container_clear(struct heap *heap, struct obj *o)
{
    struct weak_table *table = weak_container_of(o)->table;

    weak_container_of(o)->table = NULL;
    if (table != NULL)
        step_add_weak_table(heap->step, table);
}

/* -- setting ------------------------------------------------------------------------------------------------------ */

/* Room for one more entry. */
static enum hd_err reserve(struct heap *heap, struct obj *o)
{
    struct weak_container *container = weak_container_of(o);

    if (container->table == NULL) {
        container->table = pool_alloc(heap->pool, sizeof *container->table, POOL_DATA);
        if (container->table == NULL)
            return heap_no_memory(heap);
        table_init(&container->table->entries);
    }
    if (container->table->entries.live == TABLE_MAX)
        return heap_fail(heap, HD_LIMIT, "a %s holds at most %u entries", obj_type_name(o->type), TABLE_MAX);
    return table_reserve(heap->pool, &container->table->entries, 1) ? HD_OK : heap_no_memory(heap);
}

static enum hd_err add(struct heap *heap, struct obj *o, const struct probe *probe, struct obj *target,
                       struct obj *strong)
{
    struct weak_entry *entry;
    enum hd_err err = reserve(heap, o);

    if (err == HD_OK && strong != NULL && !obj_can_ref(strong))
        err = heap_count_full(heap, strong);
    if (err != HD_OK)
        return err;
    entry = pool_alloc(heap->pool, sizeof *entry, POOL_DATA);
    if (entry == NULL)
        return heap_no_memory(heap);
    if (!weak_link_reserve(heap, target)) {
        pool_free(heap->pool, entry, sizeof *entry, POOL_DATA);
        return heap_no_memory(heap);
    }
    *entry = (struct weak_entry){.link = {.kind = WEAK_ENTRY, .hash = probe->hash, .is_hashed = probe->is_by_value},
                                 .strong = strong != NULL ? obj_ref(strong) : NULL,
                                 .table = weak_container_of(o)->table};
    weak_link_add(heap, target, &entry->link);
    table_insert(heap->pool, &entry->table->entries, probe->hash, entry, NULL);
    return HD_OK;
}

/* Another value for a key of a weakdict. */
static enum hd_err retarget(struct heap *heap, struct weak_entry *entry, struct obj *target)
{
    if (entry->link.target == target)
        return HD_OK;
    if (!weak_link_reserve(heap, target))
        return heap_no_memory(heap);
    weak_link_remove(heap, &entry->link);
    weak_link_add(heap, target, &entry->link);
    return HD_OK;
}

/* Another value for a key of a weakkeydict. */
static enum hd_err replace(struct heap *heap, struct weak_entry *entry, struct obj *value)
{
    struct obj *old = entry->strong;

    if (!obj_can_ref(value))
        return heap_count_full(heap, value);
    entry->strong = obj_ref(value);
    obj_unref(heap, &old);
    return HD_OK;
}

enum hd_err weak_container_set(struct heap *heap, struct obj *o, struct obj *key, struct obj *value)
{
    struct obj *target = o->type == OBJ_WEAKDICT ? value : key;
    struct obj *strong = o->type == OBJ_WEAKDICT ? key : value;
    struct weak_entry *entry = NULL;
    struct probe probe;
    enum hd_err err = weak_check_target(heap, target);

    if (err == HD_OK)
        err = probe_begin(heap, o, key, &probe);
    if (err == HD_OK)
        err = find(o, &probe, &entry);
    if (err != HD_OK)
        return err;
    if (entry != NULL && is_condemned(heap, entry)) {
        weak_container_remove(heap, entry);
        entry = NULL;
    }
    if (entry == NULL)
        return add(heap, o, &probe, target, strong);
    if (o->type == OBJ_WEAKDICT)
        return retarget(heap, entry, target);
    return o->type == OBJ_WEAKKEYDICT ? replace(heap, entry, strong) : HD_OK;
}

/* -- many at once ------------------------------------------------------------------------------------------------- */

static enum hd_err add_items(struct heap *heap, struct obj *o, struct iteration *it)
{
    struct obj *key;
    struct obj *value = NULL;
    struct obj *item;
    enum hd_err err = HD_OK;

    while (err == HD_OK && (err = iterate_next(it, &item)) == HD_OK && item != NULL) {
        key = obj_ref(item);
        if (o->type != OBJ_WEAKSET) {
            obj_unref(heap, &key);
            err = dict_split_pair(heap, item, it->given - 1, &key, &value);
        }
        if (err == HD_OK)
            err = weak_container_set(heap, o, key, value);
        obj_unref(heap, &key);
        obj_unref(heap, &value);
        obj_unref(heap, &item);
    }
    return err;
}

static enum hd_err add_entries(struct heap *heap, struct obj *o, struct obj *dict)
{
    const struct table *table = &dict_of(dict)->table;
    enum hd_err err = HD_OK;

    for (uint32_t i = table_next(table, 0); err == HD_OK && i != TABLE_NONE; i = table_next(table, i + 1))
        err = weak_container_set(heap, o, table->entries[i].key, table->entries[i].value);
    return err;
}

static enum hd_err add_weak_entries(struct heap *heap, struct obj *o, struct obj *from)
{
    struct obj *key;
    struct obj *value;
    enum hd_err err = HD_OK;

    for (uint32_t at = 0; err == HD_OK && weak_container_next(heap, from, &at, &key, &value);)
        err = weak_container_set(heap, o, key, value);
    return err;
}

enum hd_err weak_container_update(struct heap *heap, struct obj *o, struct obj *other)
{
    struct iteration it;
    enum hd_err err = iterate_start(heap, other, &it);

    if (err == HD_OK)
        err = heap_work(heap, it.length);
    if (err != HD_OK || it.over == o)
        return err;
    if (o->type != OBJ_WEAKSET && it.over->type == OBJ_DICT)
        return add_entries(heap, o, it.over);
    if (o->type != OBJ_WEAKSET && (it.over->type == OBJ_WEAKDICT || it.over->type == OBJ_WEAKKEYDICT))
        return add_weak_entries(heap, o, it.over);
    return add_items(heap, o, &it);
}

enum hd_err weak_container_copy(struct heap *heap, struct obj *o, struct obj **out)
{
    struct obj *copy = NULL;
    enum hd_err err = heap_work(heap, (uint64_t)weak_container_table(o)->live + 1);

    if (err == HD_OK)
        err = weak_container_new(heap, o->type, &copy);
    if (copy != NULL)
        err = add_weak_entries(heap, copy, o);
    if (err == HD_OK)
        *out = copy;
    else
        obj_unref(heap, &copy);
    return err;
}

/* -- kinds -------------------------------------------------------------------------------------------------------- */

/* Counting references only: the keys of a weakdict, the values of a weakkeydict. */
static bool traverse(struct obj *o, uint64_t *cursor, size_t *budget, slot_fn *visit, void *arg)
{
    const struct table *table = weak_container_table(o);
    bool goes_on = table_is_renewing(table);

    for (uint32_t i = table_seek(table, *cursor); i != TABLE_NONE; i = table_next(table, i + 1)) {
        const struct weak_entry *entry = table->entries[i].key;
        struct slot slot = {.kind = o->type == OBJ_WEAKDICT ? SLOT_KEY : SLOT_ENTRY, .target = entry->strong};

        if (*budget == 0 && !goes_on)
            return false;
        *budget -= *budget > 0;
        *cursor = table_cursor(table, i) + 1;
        if (!visit(arg, &slot))
            return false;
    }
    return true;
}

static bool drop(struct heap *heap, struct obj *o, uint64_t *cursor, size_t *budget)
{
    struct weak_container *container = weak_container_of(o);

    (void)cursor;
    if (container->table == NULL)
        return true;
    if (!weak_table_drop(heap, container->table, budget))
        return false;
    weak_table_free(heap, container->table);
    container->table = NULL;
    return true;
}

static void free_container(struct heap *heap, struct obj *o)
{
    heap_free(heap, o, sizeof(struct weak_container));
}

static size_t bytes_of(const struct obj *o)
{
    const struct weak_table *table = ((const struct weak_container *)o)->table;
    size_t bytes = pool_rounded(sizeof(struct weak_container));

    if (table == NULL)
        return bytes;
    return bytes + pool_rounded(sizeof *table) + table_bytes(&table->entries) +
           table->entries.live * pool_rounded(sizeof(struct weak_entry));
}

static uint64_t length_of(const struct obj *o)
{
    return weak_container_table(o)->live;
}

const struct kind kind_weakdict = {traverse, drop, free_container, bytes_of, length_of};
const struct kind kind_weakkeydict = {traverse, drop, free_container, bytes_of, length_of};
const struct kind kind_weakset = {NULL, drop, free_container, bytes_of, length_of};
