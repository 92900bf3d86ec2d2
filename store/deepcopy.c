/*
 * deepcopy.c - a new graph of the same shape: sharing and cycles kept, any depth, in slices.
 *
 * Copies are made empty when they are first met, and filled in order of making; a memo leads from an original to its
 * copy (CPython's copy.deepcopy without its recursion). An original with a single reference can be met only once and
 * needs no memo: between slices nothing of the graph changes (store/copy.h), so those that will lead to it count.
 *
 * A tuple of only atoms, through tuples at any depth, is itself. That is judged once for each tuple, contents first.
 *
 * Invariant: a copy is in the container for which it was made, or `stray`, as soon as it is made. So all are held by
 * the first one, and a copy that is given up is taken apart from the last to the first: each is held by one before it.
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
    struct obj *from; /* borrowed: the root leads to it */
    struct obj *to;   /* borrowed: the copy of the root does */
};

struct judged {
    struct tuple *tuple;     /* borrowed */
    uint32_t at;             /* next element to look at */
    bool is_shared;          /* as far as looked at */
};

enum stage { FILLING, HASHING, GIVING_UP, DONE };

struct deepcopy {
    struct heap *heap;
    struct obj *root;        /* owned */
    struct obj *copy;        /* of the root, owned; NULL until it is begun */
    struct obj *stray;       /* a copy that could not be put where it belongs: owned */
    enum stage stage;
    enum hd_err err;
    uint64_t work_left;
    struct pair *pairs;      /* every container made, in order */
    size_t len, capacity;
    size_t next;             /* the pair that is being filled, hashed anew */
    uint64_t at;             /* and how far: the kind's own */
    struct table memo;       /* original -> copy; a shared tuple -> itself; a tuple to be copied, not yet met -> NULL */
    struct judged *stack;    /* tuples being judged */
    size_t depth, stack_capacity;
    size_t rehash;           /* copied keys that hash by content: until the end they have the originals' hashes */
    char text[HEAP_ERROR_TEXT]; /* of `err`: between slices others fail as well */
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

/* Takes up room that was reserved, or the place that a tuple has. */
static void memo_set(struct deepcopy *d, struct obj *o, struct obj *copy)
{
    uint32_t position = o->type == OBJ_TUPLE ? memo_find(d, o) : TABLE_NONE;

    if (position != TABLE_NONE)
        d->memo.entries[position].value = copy;
    else
        table_insert(d->heap->pool, &d->memo, memo_hash(d->heap, o), o, copy);
}

static enum hd_err memo_reserve(struct deepcopy *d)
{
    return table_reserve(d->heap->pool, &d->memo, 1) ? HD_OK : heap_no_memory(d->heap);
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

/* Whether it must be known first if a tuple is shared. */
static bool is_to_judge(struct deepcopy *d, struct obj *o)
{
    return o->type == OBJ_TUPLE && o != d->heap->empty_tuple && memo_find(d, o) == TABLE_NONE;
}

static enum hd_err end_judging(struct deepcopy *d, const struct judged *top)
{
    struct obj *o = &top->tuple->head;
    enum hd_err err = memo_reserve(d);

    if (err == HD_OK)
        memo_set(d, o, top->is_shared ? o : NULL);
    d->depth--;
    return err;
}

/* Goes on with the tuple on top of the stack, up to a tuple in it that must be judged first. */
static enum hd_err judge_some(struct deepcopy *d, size_t *budget)
{
    struct judged *top = &d->stack[d->depth - 1];

    for (; top->at < top->tuple->len && *budget > 0; top->at++, (*budget)--) {
        struct obj *item = top->tuple->items[top->at];

        if (is_atom(item) || item == d->heap->empty_tuple)
            continue;
        if (is_to_judge(d, item))
            return push_tuple(d, item);
        if (item->type != OBJ_TUPLE || d->memo.entries[memo_find(d, item)].value != item)
            top->is_shared = false;
    }
    if (top->at < top->tuple->len)
        return HD_OK;
    *budget -= *budget > 0;
    return end_judging(d, top);
}

/* -- making ------------------------------------------------------------------------------------------------------- */

/* Not yet filled slots are nil: others may look at it between slices. */
static enum hd_err make_tuple(struct heap *heap, uint32_t len, struct obj **out)
{
    struct tuple *tuple;
    enum hd_err err = tuple_new_raw(heap, len, &tuple);

    if (err != HD_OK)
        return err;
    for (uint32_t i = 0; i < len; i++)
        tuple->items[i] = heap->nil;
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
    bool is_met_again = o->count > 1 || o->type == OBJ_TUPLE;
    enum hd_err err = heap_work(d->heap, 1 + obj_width(o));

    if (err == HD_OK)
        err = reserve_pair(d);
    if (err == HD_OK && is_met_again)
        err = memo_reserve(d);
    if (err == HD_OK)
        err = make_empty(d->heap, o, copy);
    if (err != HD_OK)
        return err;
    d->pairs[d->len++] = (struct pair){o, *copy};
    if (is_met_again)
        memo_set(d, o, *copy);
    return HD_OK;
}

/* The copy of any object but a tuple that is to be judged, with a new reference. */
static enum hd_err copy_of(struct deepcopy *d, struct obj *o, struct obj **copy)
{
    struct obj *made = NULL;

    if (is_atom(o) || o == d->heap->empty_tuple) {
        made = o;
    } else if (o->count > 1 || o->type == OBJ_TUPLE) {
        uint32_t position = memo_find(d, o);

        made = position != TABLE_NONE ? d->memo.entries[position].value : NULL;
    }
    if (made == NULL)
        return begin_copy(d, o, copy);
    if (!obj_can_ref(made))
        return heap_count_full(d->heap, o);
    *copy = obj_ref(made);
    return HD_OK;
}

/* -- filling: from d->at on, until the end, the budget's end, or a tuple that is to be judged --------------------- */

/* True if the copying can go on with this reference now; if it is a tuple's, that may have to be judged first. */
static bool is_ready(struct deepcopy *d, struct obj *o, enum hd_err *err)
{
    if (!is_to_judge(d, o))
        return true;
    *err = push_tuple(d, o);
    return false;
}

static enum hd_err fill_list(struct deepcopy *d, struct list *from, struct obj *to, size_t *budget)
{
    enum hd_err err = HD_OK;
    struct obj *item;

    for (; d->at < from->len && *budget > 0 && is_ready(d, from->items[d->at], &err); d->at++, (*budget)--) {
        err = copy_of(d, from->items[d->at], &item);
        if (err != HD_OK)
            return err;
        list_push_take(to, &item);
    }
    return err;
}

static enum hd_err fill_tuple(struct deepcopy *d, struct tuple *from, struct tuple *to, size_t *budget)
{
    enum hd_err err = HD_OK;

    for (; d->at < from->len && *budget > 0 && is_ready(d, from->items[d->at], &err); d->at++, (*budget)--) {
        err = copy_of(d, from->items[d->at], &to->items[d->at]);
        if (err != HD_OK)
            return err;
    }
    return err;
}

/* The hash of a copied key. Instances hash by identity; what a tuple holds may not be filled in yet. */
static uint32_t hash_of_copy(struct deepcopy *d, const struct table_entry *entry, const struct obj *key)
{
    if (key == entry->key)
        return entry->hash;
    if (key->type == OBJ_OBJECT)
        return obj_identity_hash(d->heap, key);
    d->rehash++;
    return entry->hash;
}

static enum hd_err fill_entry(struct deepcopy *d, const struct table_entry *entry, struct table *to)
{
    struct obj *key;
    struct obj *value = NULL;
    enum hd_err err = copy_of(d, entry->key, &key);

    if (err == HD_OK && entry->value != NULL) {
        err = copy_of(d, entry->value, &value);
        if (err != HD_OK)
            d->stray = key;
    }
    if (err == HD_OK)
        table_insert(d->heap->pool, to, hash_of_copy(d, entry, key), key, value);
    return err;
}

static enum hd_err fill_table(struct deepcopy *d, struct table *from, struct table *to, size_t *budget)
{
    enum hd_err err = HD_OK;

    while (err == HD_OK && *budget > 0) {
        uint32_t position = table_next(from, (uint32_t)d->at);
        struct table_entry *entry = position != TABLE_NONE ? &from->entries[position] : NULL;

        d->at = position;
        if (entry == NULL || !is_ready(d, entry->key, &err) ||
            (entry->value != NULL && !is_ready(d, entry->value, &err)))
            return err;
        err = fill_entry(d, entry, to);
        d->at = (uint64_t)position + 1;
        (*budget)--;
    }
    return err;
}

static enum hd_err fill_object(struct deepcopy *d, struct obj *from, struct obj *to, size_t *budget)
{
    uint64_t cursor = d->at;
    enum hd_err err = HD_OK;
    struct obj *value;
    struct obj *copy;
    const char *name;
    size_t len;

    for (; *budget > 0; (*budget)--) {
        if (!object_next(from, &cursor, &name, &len, &value)) {
            d->at = UINT64_MAX;
            return HD_OK;
        }
        if (!is_ready(d, value, &err))
            return err;
        err = copy_of(d, value, &copy);
        if (err == HD_OK)
            err = object_set(d->heap, to, name, len, copy);
        else
            copy = NULL;
        if (err != HD_OK) {
            d->stray = copy;
            return err;
        }
        obj_unref(d->heap, &copy); /* `to` has it */
        d->at = cursor;
    }
    return err;
}

/* True if all of the pair is filled in. */
static bool is_filled(const struct deepcopy *d, struct obj *from)
{
    switch (from->type) {
    case OBJ_LIST:
        return d->at == list_of(from)->len;
    case OBJ_TUPLE:
        return d->at == tuple_of(from)->len;
    case OBJ_DICT:
    case OBJ_SET:
        return d->at == TABLE_NONE;
    case OBJ_OBJECT:
        return d->at == UINT64_MAX;
    default:
        return true; /* a weak container was made whole */
    }
}

static enum hd_err fill(struct deepcopy *d, struct pair pair, size_t *budget)
{
    switch (pair.from->type) {
    case OBJ_LIST:
        return fill_list(d, list_of(pair.from), pair.to, budget);
    case OBJ_TUPLE:
        return fill_tuple(d, tuple_of(pair.from), tuple_of(pair.to), budget);
    case OBJ_DICT:
    case OBJ_SET:
        return fill_table(d, &dict_of(pair.from)->table, &dict_of(pair.to)->table, budget);
    case OBJ_OBJECT:
        return fill_object(d, pair.from, pair.to, budget);
    default:
        return HD_OK;
    }
}

static enum hd_err fill_some(struct deepcopy *d, size_t *budget)
{
    enum hd_err err;

    if (d->depth > 0)
        return judge_some(d, budget);
    if (d->copy == NULL) {
        err = HD_OK;
        return is_ready(d, d->root, &err) ? copy_of(d, d->root, &d->copy) : err;
    }
    if (d->next == d->len) {
        d->stage = d->rehash > 0 ? HASHING : DONE;
        d->next = 0;
        return HD_OK;
    }
    err = fill(d, d->pairs[d->next], budget);
    if (err == HD_OK && is_filled(d, d->pairs[d->next].from)) {
        d->next++;
        d->at = 0;
        *budget -= *budget > 0;
    }
    return err;
}

/* -- copied keys -------------------------------------------------------------------------------------------------- */

/* Tuples hash by content: a table that has copied ones is built anew. */
static enum hd_err hash_some(struct deepcopy *d, size_t *budget)
{
    struct obj *to = d->next < d->len ? d->pairs[d->next++].to : NULL;
    size_t cost = 1;

    if (to == NULL) {
        d->stage = DONE;
        return HD_OK;
    }
    if (to->type == OBJ_DICT || to->type == OBJ_SET)
        cost += dict_of(to)->table.live;
    *budget -= cost < *budget ? cost : *budget;
    return cost > 1 ? dict_rehash(d->heap, to) : HD_OK;
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
static void give_up_some(struct deepcopy *d, size_t *budget)
{
    if (d->len > 0) {
        obj_empty(d->heap, d->pairs[--d->len].to);
        *budget -= *budget > 0;
        return;
    }
    obj_unref(d->heap, &d->stray);
    obj_unref(d->heap, &d->copy);
    d->stage = DONE;
}

static void fail(struct deepcopy *d, enum hd_err err)
{
    d->err = err;
    d->stage = GIVING_UP;
    memcpy(d->text, d->heap->error_text, sizeof d->text);
}

static void start(struct deepcopy *d, struct heap *heap, struct obj *o)
{
    d->heap = heap;
    d->root = obj_ref(o);
    d->work_left = heap->work_left;
    table_init(&d->memo);
}

bool deepcopy_run(struct deepcopy *d, size_t budget)
{
    struct heap *heap = d->heap;

    heap->work_left = d->work_left;
    while (d->stage != DONE && budget > 0) {
        enum hd_err err = HD_OK;

        if (d->stage == FILLING)
            err = fill_some(d, &budget);
        else if (d->stage == HASHING)
            err = hash_some(d, &budget);
        else
            give_up_some(d, &budget);
        if (err != HD_OK)
            fail(d, err);
    }
    d->work_left = heap->work_left;
    return d->stage == DONE;
}

enum hd_err deepcopy_result(struct deepcopy *d, struct obj **out)
{
    if (d->err != HD_OK)
        return heap_fail(d->heap, d->err, "%s", d->text);
    *out = d->copy;
    d->copy = NULL;
    return HD_OK;
}

static void finish(struct deepcopy *d)
{
    struct pool *pool = d->heap->pool;

    table_fini(pool, &d->memo);
    pool_free(pool, d->pairs, d->capacity * sizeof *d->pairs, POOL_DATA);
    pool_free(pool, d->stack, d->stack_capacity * sizeof *d->stack, POOL_DATA);
    obj_unref(d->heap, &d->stray);
    obj_unref(d->heap, &d->copy);
    obj_unref(d->heap, &d->root);
}

enum hd_err deepcopy_open(struct heap *heap, struct obj *o, struct deepcopy **out)
{
    struct deepcopy *d = pool_zero(heap->pool, sizeof *d);

    if (d == NULL)
        return heap_no_memory(heap);
    start(d, heap, o);
    *out = d;
    return HD_OK;
}

void deepcopy_close(struct deepcopy *d)
{
    finish(d);
    pool_free(d->heap->pool, d, sizeof *d, POOL_DATA);
}

void deepcopy_cancel(struct deepcopy *d)
{
    for (size_t all = SIZE_MAX; d->stage != DONE || d->copy != NULL;)
        give_up_some(d, &all);
    deepcopy_close(d);
}

void deepcopy_roots(struct deepcopy *d, void (*visit)(void *arg, struct obj *o), void *arg)
{
    visit(arg, d->root);
    visit(arg, d->copy);
    visit(arg, d->stray);
}

enum hd_err obj_deepcopy(struct heap *heap, struct obj *o, struct obj **out)
{
    struct deepcopy d = {0};
    enum hd_err err;

    start(&d, heap, o);
    while (!deepcopy_run(&d, SIZE_MAX))
        continue;
    err = deepcopy_result(&d, out);
    finish(&d);
    return err;
}
