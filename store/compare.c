/*
 * compare.c - equality and order, with a stack in place of recursion.
 *
 * One walk serves both. It goes through two structures in step and stops at the first pair that differs, its stack then
 * being the way that led there. Two sequences are ordered as that pair is, if only sequences lie on the way; a dict or
 * a weakref on it has no order, whatever it holds.
 *
 * A look-up in a dict or set compares keys, which may begin a second walk, through tuples; since no key holds a dict or
 * a set, there is never a third.
 */
#include "store/compare.h"

#include <string.h>

#include "store/attr.h"
#include "store/kind.h"
#include "store/kinds/atoms.h"
#include "store/kinds/dict.h"
#include "store/kinds/methods.h"
#include "store/kinds/number.h"
#include "store/kinds/object.h"
#include "store/kinds/sequence.h"
#include "store/kinds/weak_table.h"
#include "store/weak.h"

struct pair {
    struct obj *a, *b; /* borrowed; proxies seen through */
    uint32_t at;       /* element, table position of `a`, or for weakrefs 1 once their targets were compared */
};

enum verdict { SAME, DIFFERENT, INSIDE /* pushed: what it holds decides */ };

struct walk {
    struct heap *heap;
    struct pair *stack;
    size_t depth, capacity;
    bool for_order;   /* lengths do not tell sequences apart until their common part is seen */
    bool is_begun;
    bool is_hasty;    /* something weak was met, which may die between slices: the rest is done in this one */
    enum verdict verdict; /* on the last pair */
    struct pair last; /* the last pair looked at that is not on the stack */
};

/* -- pairs that are compared at once ------------------------------------------------------------------------------ */

static bool is_number(const struct obj *o)
{
    return o->type == OBJ_BOOL || o->type == OBJ_INT || o->type == OBJ_FLOAT;
}

static bool is_text(const struct obj *o)
{
    return o->type == OBJ_STR || o->type == OBJ_BYTES;
}

static bool is_sequence(const struct obj *o)
{
    return o->type == OBJ_LIST || o->type == OBJ_TUPLE;
}

/* A long text costs work too, or a list of many references to one would take hours. */
static enum hd_err charge_text(struct heap *heap, uint32_t len)
{
    return heap_work(heap, len / 1024);
}

static enum hd_err compare_texts(struct heap *heap, struct obj *a, struct obj *b, bool *same)
{
    uint32_t len = text_of(a)->len;

    *same = len == text_of(b)->len && memcmp(text_of(a)->bytes, text_of(b)->bytes, len) == 0;
    return charge_text(heap, len);
}

/* True in *within if each element of set `a` is in set `b`. */
static enum hd_err is_subset(struct heap *heap, struct obj *a, struct obj *b, bool *within)
{
    const struct table *table = &dict_of(a)->table;
    uint32_t hash, position;
    enum hd_err err = HD_OK;

    *within = table->live <= dict_of(b)->table.live;
    for (uint32_t i = table_next(table, 0); *within && err == HD_OK && i != TABLE_NONE; i = table_next(table, i + 1)) {
        err = heap_work(heap, 1);
        if (err == HD_OK)
            err = dict_find(heap, b, table->entries[i].key, &hash, &position);
        if (err == HD_OK)
            *within = position != TABLE_NONE;
    }
    return err;
}

/* The same for weaksets, which are of one length. */
static enum hd_err is_weak_subset(struct heap *heap, struct obj *a, struct obj *b, bool *within)
{
    struct weak_entry *entry;
    struct obj *element, *none;
    enum hd_err err = HD_OK;

    *within = true;
    for (uint32_t at = 0; *within && err == HD_OK && weak_container_next(heap, a, &at, &element, &none);) {
        err = heap_work(heap, 1);
        if (err == HD_OK)
            err = weak_container_find(heap, b, element, &entry);
        if (err == HD_OK)
            *within = entry != NULL;
    }
    return err;
}

/* Bound methods are equal if they call the same on the same, as in Python; other objects only if identical. */
static bool are_same_methods(struct obj *a, struct obj *b)
{
    return a->type == OBJ_METHOD && b->type == OBJ_METHOD && method_of(a)->self == method_of(b)->self &&
           method_of(a)->row == method_of(b)->row;
}

static bool are_empty(struct obj *a, struct obj *b)
{
    return dict_of(a)->table.live == 0 && dict_of(b)->table.live == 0;
}

static bool have_one_length(const struct heap *heap, const struct obj *a, const struct obj *b)
{
    return weak_container_length(heap, a) == weak_container_length(heap, b);
}

static enum hd_err compare_flat(struct heap *heap, struct obj *a, struct obj *b, bool *same)
{
    if (is_number(a) && is_number(b))
        *same = number_compare(a, b) == NUMBER_EQUAL;
    else if (is_text(a) && a->type == b->type)
        return compare_texts(heap, a, b, same);
    else if (a->type == OBJ_WEAKSET && b->type == OBJ_WEAKSET && have_one_length(heap, a, b))
        return is_weak_subset(heap, a, b, same);
    else
        *same = are_same_methods(a, b) || (a->type == OBJ_SET && b->type == OBJ_SET && are_empty(a, b));
    return HD_OK;
}

/* -- the walk ----------------------------------------------------------------------------------------------------- */

/* True if what the two hold decides; false if lengths, or what they are, tell already. */
static bool is_to_enter(const struct walk *w, struct obj *a, struct obj *b)
{
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case OBJ_LIST:
    case OBJ_TUPLE:
        return w->for_order || kind_of(a)->length(a) == kind_of(b)->length(b);
    case OBJ_DICT:
        return dict_of(a)->table.live == dict_of(b)->table.live;
    case OBJ_SET:
        return dict_of(a)->table.live == dict_of(b)->table.live && dict_of(a)->table.live > 0;
    case OBJ_WEAKDICT:
    case OBJ_WEAKKEYDICT:
        return have_one_length(w->heap, a, b);
    case OBJ_WEAKREF:
        return weak_target_peek(w->heap, a) != NULL && weak_target_peek(w->heap, b) != NULL;
    default:
        return false;
    }
}

static enum hd_err push(struct walk *w, struct obj *a, struct obj *b)
{
    struct pair *stack = pool_grow(w->heap->pool, w->stack, w->depth, &w->capacity, sizeof *stack);

    if (stack == NULL)
        return heap_no_memory(w->heap);
    w->stack = stack;
    w->stack[w->depth++] = (struct pair){a, b, 0};
    return HD_OK;
}

static bool is_weak(const struct obj *o)
{
    const uint32_t types = UINT32_C(1) << OBJ_PROXY | UINT32_C(1) << OBJ_WEAKREF | UINT32_C(1) << OBJ_WEAKDICT |
                           UINT32_C(1) << OBJ_WEAKKEYDICT | UINT32_C(1) << OBJ_WEAKSET;

    return (types >> o->type & 1) != 0;
}

/* A key that is compared by what it refers to weakly, or may be. */
static bool is_weak_key(const struct obj *key)
{
    return key->type == OBJ_WEAKREF || key->type == OBJ_TUPLE;
}

/* Looks at a pair; identical ones are the same without a look inside. */
static enum hd_err look_at(struct walk *w, struct obj *a, struct obj *b, enum verdict *verdict)
{
    bool same = a == b;
    enum hd_err err = HD_OK;

    w->is_hasty |= !same && (is_weak(a) || is_weak(b));
    if (!same)
        err = obj_through(w->heap, a, &a);
    if (!same && err == HD_OK)
        err = obj_through(w->heap, b, &b);
    if (err != HD_OK)
        return err;
    if (a != b && is_to_enter(w, a, b)) {
        *verdict = INSIDE;
        return push(w, a, b);
    }
    w->last = (struct pair){a, b, 0};
    same = a == b;
    if (!same)
        err = compare_flat(w->heap, a, b, &same);
    *verdict = same ? SAME : DIFFERENT;
    return err;
}

/* The next two elements of the sequences on top; at their end, whether one is longer. */
static enum hd_err next_elements(struct walk *w, struct pair *top, enum verdict *verdict)
{
    uint32_t len_a, len_b;
    struct obj **a = sequence_items(top->a, &len_a);
    struct obj **b = sequence_items(top->b, &len_b);
    uint32_t at = top->at++;

    if (at < len_a && at < len_b)
        return look_at(w, a[at], b[at], verdict);
    w->last = *top;
    w->depth--;
    *verdict = len_a == len_b ? SAME : DIFFERENT;
    return HD_OK;
}

/* The next entry of the first dict on top, and what the second has under its key. */
static enum hd_err next_entries(struct walk *w, struct pair *top, enum verdict *verdict)
{
    const struct table *table = &dict_of(top->a)->table;
    uint32_t at = table_next(table, top->at);
    struct obj *other;
    enum hd_err err;

    if (at == TABLE_NONE) {
        w->depth--;
        *verdict = SAME;
        return HD_OK;
    }
    top->at = at + 1;
    w->is_hasty |= is_weak_key(table->entries[at].key);
    err = dict_peek(w->heap, top->b, table->entries[at].key, &other);
    if (err != HD_OK)
        return err;
    if (other != NULL)
        return look_at(w, table->entries[at].value, other, verdict);
    *verdict = DIFFERENT;
    return HD_OK;
}

/* The next element of the first set on top, and whether it is in the second; they are of one length, and not empty. */
static enum hd_err next_members(struct walk *w, struct pair *top, enum verdict *verdict)
{
    const struct table *table = &dict_of(top->a)->table;
    struct obj *key = table->entries[top->at = table_next(table, top->at)].key;
    uint32_t hash, position;
    enum hd_err err;

    top->at = table_next(table, top->at + 1);
    w->is_hasty |= is_weak_key(key);
    err = dict_find(w->heap, top->b, key, &hash, &position);
    if (err != HD_OK)
        return err;
    *verdict = position != TABLE_NONE ? SAME : DIFFERENT;
    if (*verdict == SAME && top->at == TABLE_NONE)
        w->depth--;
    return HD_OK;
}

static enum hd_err next_weak_entries(struct walk *w, struct pair *top, enum verdict *verdict)
{
    struct weak_entry *entry;
    struct obj *key, *value, *other;
    enum hd_err err;

    if (!weak_container_next(w->heap, top->a, &top->at, &key, &value)) {
        w->depth--;
        *verdict = SAME;
        return HD_OK;
    }
    err = weak_container_find(w->heap, top->b, key, &entry);
    if (err != HD_OK)
        return err;
    if (entry != NULL && weak_entry_parts(w->heap, top->b, entry, &key, &other))
        return look_at(w, value, other, verdict);
    *verdict = DIFFERENT;
    return HD_OK;
}

static enum hd_err next_targets(struct walk *w, struct pair *top, enum verdict *verdict)
{
    if (top->at++ == 0)
        return look_at(w, weak_target_peek(w->heap, top->a), weak_target_peek(w->heap, top->b), verdict);
    w->depth--;
    *verdict = SAME;
    return HD_OK;
}

static enum hd_err next_pair(struct walk *w, enum verdict *verdict)
{
    struct pair *top = &w->stack[w->depth - 1];

    if (is_sequence(top->a))
        return next_elements(w, top, verdict);
    if (top->a->type == OBJ_SET)
        return next_members(w, top, verdict);
    if (top->a->type == OBJ_WEAKREF)
        return next_targets(w, top, verdict);
    return top->a->type == OBJ_DICT ? next_entries(w, top, verdict) : next_weak_entries(w, top, verdict);
}

/* Until two differ, all is seen, or the budget ends. Afterwards the stack is the way to the two that differ. */
static enum hd_err walk_some(struct walk *w, struct obj *a, struct obj *b, size_t budget)
{
    enum hd_err err = w->is_begun ? HD_OK : look_at(w, a, b, &w->verdict);

    w->is_begun = true;
    while (err == HD_OK && w->verdict != DIFFERENT && w->depth > 0 && (budget > 0 || w->is_hasty)) {
        err = heap_work(w->heap, 1);
        if (err == HD_OK)
            err = next_pair(w, &w->verdict);
        budget -= budget > 0;
    }
    return err;
}

static bool walk_is_over(const struct walk *w)
{
    return w->verdict == DIFFERENT || w->depth == 0;
}

static void end_walk(struct walk *w)
{
    pool_free(w->heap->pool, w->stack, w->capacity * sizeof *w->stack, POOL_DATA);
}

enum hd_err obj_equal(struct heap *heap, struct obj *a, struct obj *b, bool *result)
{
    struct walk w = {.heap = heap};
    enum hd_err err = walk_some(&w, a, b, SIZE_MAX);

    end_walk(&w);
    if (err == HD_OK)
        *result = w.verdict == SAME;
    return err;
}

/* -- order -------------------------------------------------------------------------------------------------------- */

static bool holds(enum compare_op op, enum number_order order)
{
    switch (op) {
    case COMPARE_EQ:
        return order == NUMBER_EQUAL;
    case COMPARE_NE:
        return order != NUMBER_EQUAL;
    case COMPARE_LT:
        return order == NUMBER_LESS;
    case COMPARE_LE:
        return order == NUMBER_LESS || order == NUMBER_EQUAL;
    case COMPARE_GT:
        return order == NUMBER_GREATER;
    default:
        return order == NUMBER_GREATER || order == NUMBER_EQUAL;
    }
}

static enum number_order order_lengths(uint64_t a, uint64_t b)
{
    return a < b ? NUMBER_LESS : a > b ? NUMBER_GREATER : NUMBER_EQUAL;
}

/* UTF-8 orders by its bytes as by its code points. */
static enum hd_err order_texts(struct heap *heap, struct obj *a, struct obj *b, enum number_order *order)
{
    const struct text *x = text_of(a);
    const struct text *y = text_of(b);
    uint32_t common = x->len < y->len ? x->len : y->len;
    int difference = memcmp(x->bytes, y->bytes, common);

    *order = difference < 0   ? NUMBER_LESS
             : difference > 0 ? NUMBER_GREATER
                              : order_lengths(x->len, y->len);
    return charge_text(heap, common);
}

/* Less is: a proper subset. */
static enum hd_err order_sets(struct heap *heap, struct obj *a, struct obj *b, enum number_order *order)
{
    enum number_order lengths = order_lengths(dict_of(a)->table.live, dict_of(b)->table.live);
    bool within = false;
    enum hd_err err = lengths == NUMBER_GREATER ? is_subset(heap, b, a, &within) : is_subset(heap, a, b, &within);

    *order = within ? lengths : NUMBER_UNORDERED;
    return err;
}

/* The order of a pair that differs by itself. Sequences that come here have all in common but their lengths. */
static enum hd_err order_pair(struct heap *heap, struct obj *a, struct obj *b, enum compare_op op,
                              enum number_order *order)
{
    static const char *const signs[] = {"==", "!=", "<", "<=", ">", ">="};

    if (is_number(a) && is_number(b)) {
        *order = number_compare(a, b);
    } else if (is_text(a) && a->type == b->type) {
        return order_texts(heap, a, b, order);
    } else if (is_sequence(a) && a->type == b->type) {
        *order = order_lengths(kind_of(a)->length(a), kind_of(b)->length(b));
    } else if (a->type == OBJ_SET && b->type == OBJ_SET) {
        return order_sets(heap, a, b, order);
    } else {
        return heap_fail(heap, HD_TYPE, "'%s' has no meaning between %s and %s", signs[op], obj_type_name(a->type),
                         obj_type_name(b->type));
    }
    return HD_OK;
}

/* What decides when the walk has found a difference. */
static struct pair deciding_pair(const struct walk *w)
{
    for (size_t i = 0; i < w->depth; i++)
        if (!is_sequence(w->stack[i].a))
            return w->stack[i];
    return w->last;
}

static bool is_equality(enum compare_op op)
{
    return op == COMPARE_EQ || op == COMPARE_NE;
}

/* What a walk that is over says of the two that it began with. */
static enum hd_err order_walked(const struct walk *w, struct obj *a, struct obj *b, enum compare_op op,
                                enum number_order *order)
{
    struct pair pair = w->verdict == SAME ? (struct pair){a, b, 0} : deciding_pair(w);

    if (!is_equality(op))
        return order_pair(w->heap, pair.a, pair.b, op, order);
    *order = w->verdict == SAME ? NUMBER_EQUAL : NUMBER_UNORDERED;
    return HD_OK;
}

static enum hd_err compare_by_walk(struct heap *heap, struct obj *a, struct obj *b, enum compare_op op,
                                   enum number_order *order)
{
    struct walk w = {.heap = heap, .for_order = !is_equality(op)};
    enum hd_err err = walk_some(&w, a, b, SIZE_MAX);

    if (err == HD_OK)
        err = order_walked(&w, a, b, op, order);
    end_walk(&w);
    return err;
}

enum hd_err obj_compare(struct heap *heap, struct obj *a, struct obj *b, enum compare_op op, bool *result)
{
    enum number_order order = NUMBER_UNORDERED;
    enum hd_err err = obj_through(heap, a, &a);

    if (err == HD_OK)
        err = obj_through(heap, b, &b);
    if (err == HD_OK && is_number(a) && is_number(b))
        order = number_compare(a, b);
    else if (err == HD_OK && is_text(a) && a->type == b->type)
        err = order_texts(heap, a, b, &order);
    else if (err == HD_OK)
        err = compare_by_walk(heap, a, b, op, &order);
    if (err == HD_OK)
        *result = holds(op, order);
    return err;
}

/* -- in slices ---------------------------------------------------------------------------------------------------- */

struct comparison {
    struct walk walk;
    struct obj *a, *b; /* owned; proxies seen through */
    enum compare_op op;
    enum number_order order;
    enum hd_err err;
    uint64_t work_left;
    char text[HEAP_ERROR_TEXT]; /* of `err`: between slices others fail as well */
};

enum hd_err comparison_open(struct heap *heap, struct obj *a, struct obj *b, enum compare_op op,
                            struct comparison **out)
{
    bool is_hasty = is_weak(a) || is_weak(b);
    struct comparison *c;
    enum hd_err err = obj_through(heap, a, &a);

    if (err == HD_OK)
        err = obj_through(heap, b, &b);
    if (err != HD_OK)
        return err;
    c = pool_zero(heap->pool, sizeof *c);
    if (c == NULL)
        return heap_no_memory(heap);
    c->walk = (struct walk){.heap = heap, .for_order = !is_equality(op), .is_hasty = is_hasty};
    c->a = obj_ref(a);
    c->b = obj_ref(b);
    c->op = op;
    c->work_left = heap->work_left;
    *out = c;
    return HD_OK;
}

bool comparison_run(struct comparison *c, size_t budget)
{
    struct heap *heap = c->walk.heap;

    heap->work_left = c->work_left;
    c->err = walk_some(&c->walk, c->a, c->b, budget);
    if (c->err == HD_OK && walk_is_over(&c->walk))
        c->err = order_walked(&c->walk, c->a, c->b, c->op, &c->order);
    c->work_left = heap->work_left;
    if (c->err != HD_OK)
        memcpy(c->text, heap->error_text, sizeof c->text);
    return c->err != HD_OK || walk_is_over(&c->walk);
}

enum hd_err comparison_result(struct comparison *c, bool *result)
{
    if (c->err != HD_OK)
        return heap_fail(c->walk.heap, c->err, "%s", c->text);
    *result = holds(c->op, c->order);
    return HD_OK;
}

void comparison_close(struct comparison *c)
{
    struct heap *heap = c->walk.heap;

    end_walk(&c->walk);
    obj_unref(heap, &c->a);
    obj_unref(heap, &c->b);
    pool_free(heap->pool, c, sizeof *c, POOL_DATA);
}

void comparison_roots(struct comparison *c, void (*visit)(void *arg, struct obj *o), void *arg)
{
    visit(arg, c->a);
    visit(arg, c->b);
}

/* -- the methods -------------------------------------------------------------------------------------------------- */

static enum hd_err answer(struct heap *heap, struct obj *a, struct obj *b, enum compare_op op, struct obj **result)
{
    bool is_so;
    enum hd_err err = obj_compare(heap, a, b, op, &is_so);

    if (err == HD_OK)
        *result = bool_obj(heap, is_so);
    return err;
}

#define METHOD(name, op) \
    enum hd_err any_method_##name(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs, \
                                  struct obj **result) \
    { \
        (void)nargs; \
        return answer(heap, self, args[0], op, result); \
    }

METHOD(eq, COMPARE_EQ)
METHOD(ne, COMPARE_NE)
METHOD(lt, COMPARE_LT)
METHOD(le, COMPARE_LE)
METHOD(gt, COMPARE_GT)
METHOD(ge, COMPARE_GE)
