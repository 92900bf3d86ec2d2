/*
 * deepcopy.c - a new graph of the same shape: sharing and cycles kept, any depth.
 *
 * Copies are made empty when they are first met, and filled in order of making; a memo leads from an original to its
 * copy (CPython's copy.deepcopy without its recursion). An original with a single reference can be met only once and
 * needs no memo, but for the root, which the request refers to.
 *
 * A tuple of only atoms, through tuples at any depth, is itself. That is judged once for each tuple, contents first.
 */
#include "store/copy.h"

#include <string.h>

#include "store/compare.h"
#include "store/kind.h"
#include "store/kinds/dict.h"
#include "store/kinds/object.h"
#include "store/kinds/sequence.h"
#include "store/kinds/weak_table.h"
#include "store/step.h"

struct pair {
    struct obj *from; /* borrowed: the original holds it while the request runs */
    struct obj *to;   /* owned: what fails later must not let it die half made */
};

struct judged {
    struct tuple *tuple;     /* borrowed */
    uint32_t at;             /* next element to look at */
    bool is_shared;          /* as far as looked at */
};

struct deepcopy {
    struct heap *heap;
    struct pair *pairs;      /* every container made, in order */
    size_t len, capacity;
    struct table memo;       /* original -> copy; a shared tuple -> itself; a tuple to be copied, not yet met -> NULL */
    struct judged *stack;    /* tuples being judged */
    size_t depth, stack_capacity;
    size_t rehash;           /* tables that have copied keys: their hashes are those of the originals until the end */
};

/* -- memo --------------------------------------------------------------------------------------------------------- */

static uint32_t memo_hash(const struct heap *heap, const struct obj *o)
{
    uint64_t x = (uint64_t)(uintptr_t)o ^ heap->hash_key[1];

    x = (x ^ x >> 32) * UINT64_C(0x9e3779b97f4a7c15); /* Fibonacci hashing, Knuth 6.4 */
    return (uint32_t)(x >> 32);
}

static bool memo_matches(void *arg, const void *key)
{
    return arg == key;
}

static uint32_t memo_find(struct deepcopy *d, struct obj *o)
{
    return table_find(&d->memo, memo_hash(d->heap, o), memo_matches, o);
}

static enum hd_err memo_set(struct deepcopy *d, struct obj *o, struct obj *copy)
{
    uint32_t position = memo_find(d, o);

    if (position != TABLE_NONE) {
        d->memo.entries[position].value = copy;
        return HD_OK;
    }
    if (!table_reserve(d->heap->pool, &d->memo, 1))
        return heap_no_memory(d->heap);
    table_insert(d->heap->pool, &d->memo, memo_hash(d->heap, o), o, copy);
    return HD_OK;
}

/* -- which tuples are shared -------------------------------------------------------------------------------------- */

static bool is_atom(const struct obj *o)
{
    return o->type != OBJ_LIST && o->type != OBJ_TUPLE && o->type != OBJ_DICT && o->type != OBJ_SET &&
           o->type != OBJ_OBJECT && o->type != OBJ_QUEUE && !is_weak_container(o);
}

static enum hd_err push_tuple(struct deepcopy *d, struct obj *o)
{
    enum hd_err err = heap_work(d->heap, tuple_of(o)->len);
    struct judged *stack;

    if (err != HD_OK)
        return err;
    stack = pool_grow(d->heap->pool, d->stack, d->depth, &d->stack_capacity, sizeof *stack);
    if (stack == NULL)
        return heap_no_memory(d->heap);
    d->stack = stack;
    d->stack[d->depth++] = (struct judged){tuple_of(o), 0, true};
    return HD_OK;
}

/* Goes on with the tuple on top of the stack, up to a tuple in it that must be judged first. */
static enum hd_err judge_top(struct deepcopy *d)
{
    struct judged *top = &d->stack[d->depth - 1];
    struct obj *o = &top->tuple->head;

    for (; top->at < top->tuple->len; top->at++) {
        struct obj *item = top->tuple->items[top->at];
        uint32_t position;

        if (is_atom(item) || item == d->heap->empty_tuple)
            continue;
        if (item->type != OBJ_TUPLE) {
            top->is_shared = false;
            continue;
        }
        position = memo_find(d, item);
        if (position == TABLE_NONE)
            return push_tuple(d, item);
        if (d->memo.entries[position].value != item)
            top->is_shared = false;
    }
    d->depth--;
    return memo_set(d, o, top->is_shared ? o : NULL);
}

static enum hd_err judge_tuple(struct deepcopy *d, struct obj *o)
{
    enum hd_err err = push_tuple(d, o);

    while (err == HD_OK && d->depth > 0)
        err = judge_top(d);
    d->depth = 0;
    return err;
}

/* -- making ------------------------------------------------------------------------------------------------------- */

static enum hd_err make_tuple(struct heap *heap, uint32_t len, struct obj **out)
{
    struct tuple *tuple;
    enum hd_err err = tuple_new_raw(heap, len, &tuple);

    if (err != HD_OK)
        return err;
    memset(tuple->items, 0, len * sizeof *tuple->items); /* a copy that is given up is dropped half filled */
    *out = &tuple->head;
    return HD_OK;
}

static enum hd_err make_empty(struct heap *heap, struct obj *o, struct obj **out)
{
    switch (o->type) {
    case OBJ_LIST:
        return list_new(heap, list_of(o)->len, out);
    case OBJ_TUPLE:
        return make_tuple(heap, tuple_of(o)->len, out);
    case OBJ_DICT:
    case OBJ_SET:
        return dict_new(heap, o->type, dict_of(o)->table.live, out);
    case OBJ_WEAKDICT:
    case OBJ_WEAKKEYDICT:
    case OBJ_WEAKSET:
        return weak_container_copy(heap, o, out); /* the same entries, shared: nothing is left to fill in */
    case OBJ_QUEUE:
        return copy_refuse(heap, o);
    default:
        return object_new(heap, &instance_of(o)->class->head, out);
    }
}

static enum hd_err reserve_pair(struct deepcopy *d)
{
    struct pair *pairs = pool_grow(d->heap->pool, d->pairs, d->len, &d->capacity, sizeof *pairs);

    if (pairs == NULL)
        return heap_no_memory(d->heap);
    d->pairs = pairs;
    return HD_OK;
}

/* A new, still empty copy of a container. */
static enum hd_err begin_copy(struct deepcopy *d, struct obj *o, struct obj **copy)
{
    enum hd_err err = heap_work(d->heap, 1 + obj_width(o));

    if (err == HD_OK)
        err = reserve_pair(d);
    if (err == HD_OK && (o->count > 1 || o->type == OBJ_TUPLE))
        err = memo_set(d, o, NULL);
    if (err == HD_OK)
        err = make_empty(d->heap, o, copy);
    if (err != HD_OK)
        return err;
    d->pairs[d->len++] = (struct pair){o, obj_ref(*copy)};
    if (o->count > 1 || o->type == OBJ_TUPLE)
        d->memo.entries[memo_find(d, o)].value = *copy;
    return HD_OK;
}

/* The copy of any object, with a new reference. */
static enum hd_err copy_of(struct deepcopy *d, struct obj *o, struct obj **copy)
{
    uint32_t position = TABLE_NONE;
    enum hd_err err;

    if (is_atom(o) || o == d->heap->empty_tuple) {
        if (!obj_can_ref(o))
            return heap_count_full(d->heap, o);
        *copy = obj_ref(o);
        return HD_OK;
    }
    if (o->count > 1 || o->type == OBJ_TUPLE)
        position = memo_find(d, o);
    if (position == TABLE_NONE && o->type == OBJ_TUPLE) {
        err = judge_tuple(d, o);
        if (err != HD_OK)
            return err;
        position = memo_find(d, o);
    }
    if (position == TABLE_NONE || d->memo.entries[position].value == NULL)
        return begin_copy(d, o, copy);
    if (!obj_can_ref(d->memo.entries[position].value))
        return heap_count_full(d->heap, o);
    *copy = obj_ref(d->memo.entries[position].value);
    return HD_OK;
}

/* -- filling ------------------------------------------------------------------------------------------------------ */

static enum hd_err fill_list(struct deepcopy *d, struct list *from, struct obj *to)
{
    struct obj *item;

    for (uint32_t i = 0; i < from->len; i++) {
        enum hd_err err = copy_of(d, from->items[i], &item);

        if (err != HD_OK)
            return err;
        list_push_take(to, &item);
    }
    return HD_OK;
}

static enum hd_err fill_tuple(struct deepcopy *d, struct tuple *from, struct tuple *to)
{
    for (uint32_t i = 0; i < from->len; i++) {
        enum hd_err err = copy_of(d, from->items[i], &to->items[i]);

        if (err != HD_OK)
            return err;
    }
    return HD_OK;
}

static enum hd_err fill_table(struct deepcopy *d, struct table *from, struct table *to)
{
    for (uint32_t i = table_next(from, 0); i != TABLE_NONE; i = table_next(from, i + 1)) {
        struct table_entry entry = from->entries[i];
        struct obj *key = NULL;
        struct obj *value = NULL;
        enum hd_err err = copy_of(d, entry.key, &key);

        if (err == HD_OK && entry.value != NULL)
            err = copy_of(d, entry.value, &value);
        if (err != HD_OK) {
            obj_unref(d->heap, &key);
            return err;
        }
        d->rehash += key != entry.key;
        table_insert(d->heap->pool, to, entry.hash, key, value);
    }
    return HD_OK;
}

static enum hd_err fill_object(struct deepcopy *d, struct obj *from, struct obj *to)
{
    struct obj *value;
    const char *name;
    size_t len;

    for (uint64_t cursor = 0; object_next(from, &cursor, &name, &len, &value);) {
        struct obj *copy = NULL;
        enum hd_err err = copy_of(d, value, &copy);

        if (err == HD_OK)
            err = object_set(d->heap, to, name, len, copy);
        obj_unref(d->heap, &copy);
        if (err != HD_OK)
            return err;
    }
    return HD_OK;
}

static enum hd_err fill(struct deepcopy *d, struct pair pair)
{
    switch (pair.from->type) {
    case OBJ_LIST:
        return fill_list(d, list_of(pair.from), pair.to);
    case OBJ_TUPLE:
        return fill_tuple(d, tuple_of(pair.from), tuple_of(pair.to));
    case OBJ_DICT:
    case OBJ_SET:
        return fill_table(d, &dict_of(pair.from)->table, &dict_of(pair.to)->table);
    case OBJ_WEAKDICT:
    case OBJ_WEAKKEYDICT:
    case OBJ_WEAKSET:
        return HD_OK;
    default:
        return fill_object(d, pair.from, pair.to);
    }
}

/* -- copied keys -------------------------------------------------------------------------------------------------- */

/* Objects hash by identity: a table whose keys were copied is built anew with the hashes of the copies. */
static enum hd_err rehash_all(struct deepcopy *d)
{
    enum hd_err err = HD_OK;

    for (size_t i = 0; d->rehash > 0 && err == HD_OK && i < d->len; i++)
        if (d->pairs[i].to->type == OBJ_DICT || d->pairs[i].to->type == OBJ_SET)
            err = dict_rehash(d->heap, d->pairs[i].to);
    return err;
}

/* -- the whole ---------------------------------------------------------------------------------------------------- */

void obj_empty(struct heap *heap, struct obj *o)
{
    size_t all = SIZE_MAX;
    uint64_t cursor = 0;

    if (o->type == OBJ_LIST)
        list_clear(heap, o);
    else if (o->type == OBJ_DICT || o->type == OBJ_SET)
        dict_clear(heap, o);
    else if (kind_of(o)->drop != NULL)
        kind_of(o)->drop(heap, o, &cursor, &all); /* leaves NULL behind: dropping again when it dies is nothing */
}

/* Takes a failed copy apart. It may hold cycles of its own, so each container is emptied by hand. */
static void give_up(struct deepcopy *d)
{
    for (size_t i = 0; i < d->len; i++)
        obj_empty(d->heap, d->pairs[i].to);
}

static void end_deepcopy(struct deepcopy *d)
{
    for (size_t i = 0; i < d->len; i++)
        obj_unref(d->heap, &d->pairs[i].to);
    table_fini(d->heap->pool, &d->memo);
    pool_free(d->heap->pool, d->pairs, d->capacity * sizeof *d->pairs, POOL_DATA);
    pool_free(d->heap->pool, d->stack, d->stack_capacity * sizeof *d->stack, POOL_DATA);
}

enum hd_err obj_deepcopy(struct heap *heap, struct obj *o, struct obj **out)
{
    struct deepcopy d = {.heap = heap};
    struct obj *copy = NULL;
    enum hd_err err;

    table_init(&d.memo);
    err = copy_of(&d, o, &copy);
    for (size_t next = 0; err == HD_OK && next < d.len; next++)
        err = fill(&d, d.pairs[next]);
    if (err == HD_OK)
        err = rehash_all(&d);
    if (err != HD_OK) {
        give_up(&d);
        obj_unref(heap, &copy);
    } else {
        *out = copy;
    }
    end_deepcopy(&d);
    return err;
}
