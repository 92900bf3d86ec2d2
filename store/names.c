/* names.c - names bound to objects, in order. */
#include "store/names.h"

#include <assert.h>
#include <string.h>

#include "store/compare.h"

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

bool name_is(const struct name *name, const char *bytes, size_t len)
{
    return name->len == len && (len == 0 || memcmp(name->bytes, bytes, len) == 0);
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

static uint32_t find(const struct heap *heap, const struct names *names, const char *bytes, size_t len, uint32_t *hash)
{
    struct wanted wanted = {bytes, len};

    *hash = heap_hash_bytes(heap, bytes, len);
    return table_find(&names->table, *hash, is_wanted, &wanted);
}

uint32_t names_find(const struct heap *heap, const struct names *names, const char *bytes, size_t len)
{
    uint32_t hash;

    return find(heap, names, bytes, len, &hash);
}

struct obj *names_peek_hashed(const struct names *names, uint32_t hash, const char *bytes, size_t len)
{
    struct wanted wanted = {bytes, len};
    uint32_t position;

    if (names->table.live == 0)
        return NULL;
    position = table_find(&names->table, hash, is_wanted, &wanted);
    return position == TABLE_NONE ? NULL : names->table.entries[position].value;
}

struct obj *names_peek(const struct heap *heap, const struct names *names, const char *bytes, size_t len)
{
    if (names->table.live == 0)
        return NULL;
    return names_peek_hashed(names, heap_hash_bytes(heap, bytes, len), bytes, len);
}

static enum hd_err insert(struct heap *heap, struct names *names, uint32_t hash, const char *bytes, size_t len,
                          struct obj *value)
{
    struct name *name;

    if (len > NAME_MAX_BYTES)
        return heap_fail(heap, HD_LIMIT, "a name has at most %u bytes", NAME_MAX_BYTES);
    if (!table_reserve(heap->pool, &names->table, 1))
        return heap_no_memory(heap);
    name = name_new(heap, bytes, len);
    if (name == NULL)
        return heap_no_memory(heap);
    table_insert(heap->pool, &names->table, hash, name, obj_ref(value));
    return HD_OK;
}

enum hd_err names_bind(struct heap *heap, struct names *names, const char *bytes, size_t len, struct obj *value,
                       struct obj **old)
{
    uint32_t hash;
    uint32_t position = find(heap, names, bytes, len, &hash);

    if (!obj_can_ref(value))
        return heap_count_full(heap, value);
    *old = NULL;
    if (position == TABLE_NONE)
        return insert(heap, names, hash, bytes, len, value);
    *old = names->table.entries[position].value;
    names->table.entries[position].value = obj_ref(value);
    return HD_OK;
}

/* Frees the name of an entry, makes it a hole, and gives its reference to the caller. */
static struct obj *take_entry(struct heap *heap, struct names *names, uint32_t position)
{
    struct obj *value = names->table.entries[position].value;
    struct name *name = names->table.entries[position].key;

    table_remove(heap->pool, &names->table, position);
    name_free(heap, name);
    return value;
}

struct obj *names_unbind(struct heap *heap, struct names *names, const char *bytes, size_t len)
{
    uint32_t hash;
    uint32_t position = find(heap, names, bytes, len, &hash);

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
        if (!visit(arg, &slot))
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
        bytes += pool_rounded(name_size(name->len));
    return bytes;
}
