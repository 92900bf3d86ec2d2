/*
 * size.c - the deep size of an object.
 *
 * First pass: everything reachable gets a record with the references that come from reached objects (trial deletion, as
 * in D. Bacon and V. Rajan, "Concurrent Cycle Collection in Reference Counted Systems", 2001). Second pass: records
 * that have further references are held from outside, and so is all they reach. The rest is what dies with the root.
 */
#include "store/size.h"

#include "store/kind.h"

struct record {
    struct obj *o;
    uint64_t inside; /* references from reached objects */
    bool is_held;    /* from elsewhere */
};

struct sizing {
    struct heap *heap;
    struct record *records;
    size_t len, capacity;
    struct table places; /* object -> index of its record, as a small pointer */
    enum hd_err err;
    bool is_spreading;   /* second pass: what is reached is held */
    size_t *held;        /* indices whose content is to be marked; shares the order of records */
    size_t held_len;
};

static uint32_t place_hash(const struct sizing *s, const struct obj *o)
{
    uint64_t x = (uint64_t)(uintptr_t)o ^ s->heap->hash_key[0];

    return (uint32_t)((x ^ x >> 32) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

static bool place_matches(void *arg, const void *key)
{
    return arg == key;
}

static struct record *find_record(struct sizing *s, struct obj *o)
{
    uint32_t position = table_find(&s->places, place_hash(s, o), place_matches, o);

    return position == TABLE_NONE ? NULL : &s->records[(uintptr_t)s->places.entries[position].value - 1];
}

static enum hd_err add_record(struct sizing *s, struct obj *o)
{
    if (s->len == s->capacity) {
        size_t capacity = s->capacity == 0 ? 64 : s->capacity * 2;
        struct record *records = pool_resize(s->heap->pool, s->records, s->capacity * sizeof *records,
                                             capacity * sizeof *records);

        if (records == NULL)
            return heap_no_memory(s->heap);
        s->records = records;
        s->capacity = capacity;
    }
    if (!table_reserve(s->heap->pool, &s->places, 1))
        return heap_no_memory(s->heap);
    s->records[s->len++] = (struct record){o, 0, false};
    table_insert(s->heap->pool, &s->places, place_hash(s, o), o, (struct obj *)(uintptr_t)s->len);
    return HD_OK;
}

static bool reach(void *arg, const struct slot *slot)
{
    struct sizing *s = arg;
    struct record *record;

    if (!s->is_spreading && (s->err = heap_work(s->heap, 1)) != HD_OK)
        return false;
    if (obj_is_immortal(slot->target))
        return true;
    record = find_record(s, slot->target);
    if (s->is_spreading) {
        if (!record->is_held) {
            record->is_held = true;
            s->held[s->held_len++] = (size_t)(record - s->records);
        }
        return true;
    }
    if (record == NULL) {
        s->err = add_record(s, slot->target);
        if (s->err != HD_OK)
            return false;
        record = &s->records[s->len - 1];
    }
    record->inside++;
    return true;
}

static void traverse(struct sizing *s, struct obj *o)
{
    (void)obj_traverse(o, reach, s);
}

/* Marks what is held from elsewhere. The root is not, whoever holds it: its own death is what is asked about. */
static enum hd_err spread(struct sizing *s)
{
    s->held = pool_alloc(s->heap->pool, s->len * sizeof *s->held, POOL_DATA);
    if (s->held == NULL)
        return heap_no_memory(s->heap);
    s->is_spreading = true;
    s->records[0].is_held = true; /* never entered: it is no part of what others hold */
    for (size_t i = 1; i < s->len; i++)
        if (s->records[i].o->count > s->records[i].inside && !s->records[i].is_held) {
            s->records[i].is_held = true;
            s->held[s->held_len++] = i;
        }
    for (size_t next = 0; next < s->held_len; next++)
        traverse(s, s->records[s->held[next]].o);
    return HD_OK;
}

enum hd_err size_deep(struct heap *heap, struct obj *o, uint64_t *bytes)
{
    struct sizing s = {.heap = heap};
    uint64_t total = kind_of(o)->bytes(o);

    table_init(&s.places);
    s.err = obj_is_immortal(o) ? HD_OK : add_record(&s, o);
    for (size_t next = 0; s.err == HD_OK && next < s.len; next++)
        traverse(&s, s.records[next].o);
    if (s.err == HD_OK && s.len > 0)
        s.err = spread(&s);
    for (size_t i = 1; s.err == HD_OK && i < s.len; i++)
        if (!s.records[i].is_held)
            total += kind_of(s.records[i].o)->bytes(s.records[i].o);
    if (s.err == HD_OK)
        *bytes = total;
    if (s.held != NULL)
        pool_free(heap->pool, s.held, s.len * sizeof *s.held, POOL_DATA);
    pool_free(heap->pool, s.records, s.capacity * sizeof *s.records, POOL_DATA);
    table_fini(heap->pool, &s.places);
    return s.err;
}
