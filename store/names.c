/* names.c - names bound to objects, in order. */
#include "store/names.h"

#include <assert.h>
#include <string.h>

#include "store/compare.h"
#include "store/gc.h"
#include "store/step.h"
#include "store/table_index.h"

static size_t name_size(size_t len)
{
    return sizeof(struct name) + len;
}

struct name *name_new(struct heap *heap, const char *bytes, size_t len)
{
    struct name *name;

    if (len > NAME_MAX_BYTES)
        return NULL;
    name = pool_alloc(heap->pool, name_size(len), POOL_DATA);
    if (name == NULL)
        return NULL;
    name->len = (uint32_t)len;
    if (len > 0)
        memcpy(name->bytes, bytes, len);
    return name;
}

void name_free(struct heap *heap, struct name *name)
{
    if (name != NULL)
        pool_free(heap->pool, name, name_size(name->len), POOL_DATA);
}

void names_init(struct names *names)
{
    table_init(&names->table);
}

struct wanted {
    const char *bytes;
    size_t len;
};

static bool is_wanted(void *arg, const void *key)
{
    const struct wanted *wanted = arg;

    return name_is(key, wanted->bytes, wanted->len);
}

/* In line: so the compiler keeps what is wanted in registers. */
static inline __attribute__((always_inline)) uint32_t find_hashed(const struct names *names, uint32_t hash,
                                                                  const char *bytes, size_t len)
{
    struct wanted wanted = {bytes, len};

    return table_find_inline(&names->table, hash, is_wanted, &wanted);
}

uint32_t names_find(struct heap *heap, const struct names *names, const char *bytes, size_t len)
{
    return find_hashed(names, heap_hash_bytes(heap, bytes, len), bytes, len);
}

/* -- weak bindings ------------------------------------------------------------------------------------------------- */

/* The weak binding in an entry's value, NULL if that is a reference. */
static struct weak_name *weak_in(struct obj *value)
{
    return ((uintptr_t)value & 1) != 0 ? (struct weak_name *)(void *)((char *)value - 1) : NULL;
}

static struct obj *value_of_weak(struct weak_name *weak)
{
    return (struct obj *)(void *)((char *)weak + 1);
}

static bool is_name(void *arg, const void *key)
{
    return arg == key;
}

/* Takes it out of its names; the name is its own from now on. */
static void take_out(struct heap *heap, struct weak_name *weak)
{
    struct table *table = &weak->names->table;

    table_remove(heap->pool, table, table_find(table, weak->link.hash, is_name, weak->name));
}

static void free_weak(struct heap *heap, struct weak_name *weak)
{
    pool_free(heap->pool, weak, sizeof *weak, POOL_DATA);
}

void weak_name_expire(struct heap *heap, struct weak_link *link, struct step *step)
{
    struct weak_name *weak = (struct weak_name *)link;

    take_out(heap, weak);
    if ((weak->holder->flags & OBJ_DYING) != 0) {
        name_free(heap, weak->name);
        free_weak(heap, weak);
        return;
    }
    if (heap->name_expired != NULL)
        heap->name_expired(heap->expired_context, weak->holder, weak->name, weak->id);
    weak->holder = obj_ref(weak->holder); /* which is looked at when the step is done: it may be of no more use */
    if (step->expired == NULL)
        step->expired = weak;
    else
        step->last_expired->link.next = &weak->link;
    step->last_expired = weak;
}

struct obj *weak_name_forget(struct heap *heap, struct step *step)
{
    struct weak_name *weak = step->expired;
    struct obj *holder = weak->holder;

    step->expired = weak_name_next(weak);
    name_free(heap, weak->name);
    free_weak(heap, weak);
    return holder;
}

/* Before a name is bound that is bound weakly: to what is condemned is not at all. False then, and it has expired. */
static __attribute__((noinline)) bool is_bound_weakly(struct heap *heap, struct weak_name *weak)
{
    if (!gc_is_condemned(heap, weak->link.target))
        return true;
    weak_link_remove(heap, &weak->link);
    weak_name_expire(heap, &weak->link, heap->step);
    return false;
}

/* Before a name is bound: whether it is bound already, and to what lives. */
static inline bool is_bound(struct heap *heap, const struct names *names, uint32_t position)
{
    struct weak_name *weak;

    if (position == TABLE_NONE)
        return false;
    weak = weak_in(names->table.entries[position].value);
    return weak == NULL || is_bound_weakly(heap, weak);
}

/* -- binding ------------------------------------------------------------------------------------------------------ */

struct obj *names_peek_hashed(struct heap *heap, const struct names *names, uint32_t hash, const char *bytes,
                              size_t len, uint32_t *position)
{
    struct obj *value;

    if (names->table.live == 0)
        return NULL;
    *position = find_hashed(names, hash, bytes, len);
    if (*position == TABLE_NONE)
        return NULL;
    value = names->table.entries[*position].value;
    return weak_in(value) == NULL ? value : weak_link_peek(heap, &weak_in(value)->link);
}

struct obj *names_peek(struct heap *heap, const struct names *names, const char *bytes, size_t len)
{
    uint32_t position;

    if (names->table.live == 0) /* also here: hashing costs more than looking */
        return NULL;
    return names_peek_hashed(heap, names, heap_hash_bytes(heap, bytes, len), bytes, len, &position);
}

/* Room for a name that is not bound, and its copy. */
static enum hd_err reserve_name(struct heap *heap, struct names *names, const char *bytes, size_t len,
                                struct name **name)
{
    if (len > NAME_MAX_BYTES)
        return heap_fail(heap, HD_LIMIT, "a name has at most %u bytes", NAME_MAX_BYTES);
    if (!table_reserve(heap->pool, &names->table, 1))
        return heap_no_memory(heap);
    *name = name_new(heap, bytes, len);
    return *name != NULL ? HD_OK : heap_no_memory(heap);
}

/* Takes the value out of an entry: gives a reference to the caller, NULL if it is weak. */
static struct obj *take_value(struct heap *heap, struct table_entry *entry)
{
    struct obj *value = entry->value;
    struct weak_name *weak = weak_in(value);

    entry->value = NULL;
    if (weak == NULL)
        return value;
    weak_link_remove(heap, &weak->link);
    free_weak(heap, weak);
    return NULL;
}

/* Moves the caller's reference. */
static inline struct obj *take(struct obj **value)
{
    struct obj *o = *value;

    *value = NULL;
    return o;
}

enum hd_err names_bind_take(struct heap *heap, struct names *names, const char *bytes, size_t len, struct obj **value,
                            struct obj **old)
{
    struct name *name = NULL;
    uint32_t hash = heap_hash_bytes(heap, bytes, len);
    uint32_t position = find_hashed(names, hash, bytes, len);
    enum hd_err err;

    if (!obj_can_ref(*value))
        return heap_count_full(heap, *value);
    *old = NULL;
    if (is_bound(heap, names, position)) {
        *old = take_value(heap, &names->table.entries[position]);
        names->table.entries[position].value = take(value);
        return HD_OK;
    }
    err = reserve_name(heap, names, bytes, len, &name);
    if (err == HD_OK)
        table_insert(heap->pool, &names->table, hash, name, take(value));
    return err;
}

/* A weak binding that stands nowhere yet, with room for its link. */
static enum hd_err make_weak(struct heap *heap, struct obj *value, struct weak_name **out)
{
    enum hd_err err = weak_check_target(heap, value);

    if (err != HD_OK)
        return err;
    *out = pool_alloc(heap->pool, sizeof **out, POOL_DATA);
    if (*out == NULL)
        return heap_no_memory(heap);
    if (weak_link_reserve(heap, value))
        return HD_OK;
    free_weak(heap, *out);
    return heap_no_memory(heap);
}

enum hd_err names_bind_weak(struct heap *heap, struct names *names, struct obj *holder, const char *bytes, size_t len,
                            struct obj *value, struct obj **old)
{
    struct weak_name *weak = NULL;
    struct name *name = NULL;
    uint32_t hash = heap_hash_bytes(heap, bytes, len);
    uint32_t position = find_hashed(names, hash, bytes, len);
    bool was_bound = is_bound(heap, names, position);
    enum hd_err err = was_bound ? HD_OK : reserve_name(heap, names, bytes, len, &name);

    *old = NULL;
    if (err == HD_OK)
        err = make_weak(heap, value, &weak);
    if (err != HD_OK) {
        name_free(heap, name);
        return err;
    }
    *weak = (struct weak_name){.link = {.kind = WEAK_NAME, .hash = hash}, .names = names, .holder = holder,
                               .id = value->id};
    weak_link_add(heap, value, &weak->link);
    if (was_bound) {
        weak->name = names->table.entries[position].key;
        *old = take_value(heap, &names->table.entries[position]);
        names->table.entries[position].value = value_of_weak(weak);
    } else {
        weak->name = name;
        table_insert(heap->pool, &names->table, hash, name, value_of_weak(weak));
    }
    return HD_OK;
}

/* Frees the name of an entry, makes it a hole, and gives its reference to the caller; NULL if it was weak. */
static struct obj *take_entry(struct heap *heap, struct names *names, uint32_t position)
{
    struct obj *value = take_value(heap, &names->table.entries[position]);
    struct name *name = names->table.entries[position].key;

    table_remove(heap->pool, &names->table, position);
    name_free(heap, name);
    return value;
}

struct obj *names_unbind(struct heap *heap, struct names *names, const char *bytes, size_t len)
{
    uint32_t hash = heap_hash_bytes(heap, bytes, len);
    uint32_t position = find_hashed(names, hash, bytes, len);

    return position == TABLE_NONE ? NULL : take_entry(heap, names, position);
}

bool names_drop(struct heap *heap, struct names *names, size_t *budget)
{
    while (names->table.live > 0 && *budget > 0) {
        struct obj *value = take_entry(heap, names, table_next(&names->table, 0));

        obj_unref(heap, &value);
        (*budget)--;
    }
    if (names->table.live > 0)
        return false;
    table_fini(heap->pool, &names->table);
    return true;
}

bool names_next(const struct names *names, uint32_t *position, const struct name **name, struct obj **value)
{
    uint32_t found = table_next(&names->table, *position);

    if (found == TABLE_NONE)
        return false;
    *name = names->table.entries[found].key;
    *value = names->table.entries[found].value;
    if (weak_in(*value) != NULL)
        *value = NULL;
    *position = found + 1;
    return true;
}

bool names_traverse(const struct names *names, uint64_t *cursor, size_t *budget, slot_fn *visit, void *arg)
{
    const struct table *table = &names->table;
    bool goes_on = table_is_renewing(table);

    for (uint32_t i = table_seek(table, *cursor); i != TABLE_NONE; i = table_next(table, i + 1)) {
        const struct name *name = table->entries[i].key;
        struct slot slot = {.kind = SLOT_ATTRIBUTE, .target = table->entries[i].value, .name = name->bytes,
                            .name_len = name->len};

        if (*budget == 0 && !goes_on)
            return false;
        *budget -= *budget > 0;
        *cursor = table_cursor(table, i) + 1;
        if (weak_in(slot.target) == NULL && !visit(arg, &slot))
            return false;
    }
    return true;
}

size_t names_bytes(const struct names *names)
{
    size_t bytes = table_bytes(&names->table);
    const struct name *name;
    struct obj *value;

    for (uint32_t at = 0; names_next(names, &at, &name, &value);)
        bytes += pool_rounded(name_size(name->len)) + (value == NULL ? pool_rounded(sizeof(struct weak_name)) : 0);
    return bytes;
}
