/*
 * hash.c - the hash of any object as a key, and the number that the method `hash` answers.
 *
 * Numbers hash by value, so that 1, 1.0 and true are one key; texts by their bytes, lists never. A tuple's hash is that
 * of its elements' hashes, a weakref's that of its target; nested ones are walked with a stack, contents first, and
 * keep what was computed.
 */
#include <math.h>
#include <string.h>

#include "store/compare.h"
#include "store/kind.h"
#include "store/kinds/atoms.h"
#include "store/kinds/methods.h"
#include "store/kinds/number.h"
#include "store/kinds/object.h"
#include "store/kinds/sequence.h"
#include "store/weak.h"

/* What keeps two kinds with equal words apart. */
enum salt { SALT_WHOLE, SALT_FLOAT, SALT_NIL, SALT_IDENTITY, SALT_TUPLE, SALT_WEAKREF };

/* Of a number, as of a short text. */
static uint32_t mix(const struct heap *heap, uint64_t word, uint64_t salt)
{
    uint64_t folded = hash_fold(word ^ heap->hash_key[0], (salt ^ heap->hash_key[1]) | 1);

    return (uint32_t)(folded ^ folded >> 32);
}

uint32_t obj_identity_hash(const struct heap *heap, const struct obj *o)
{
    return mix(heap, o->id, SALT_IDENTITY);
}

static uint32_t hash_float(const struct heap *heap, double value)
{
    uint64_t bits;

    if (float_fits_int(value) && value == trunc(value))
        return mix(heap, (uint64_t)(int64_t)value, SALT_WHOLE);
    memcpy(&bits, &value, sizeof bits);
    return mix(heap, bits, SALT_FLOAT);
}

static enum hd_err unhashable(struct heap *heap, const struct obj *o)
{
    return heap_fail(heap, HD_TYPE, "unhashable type: '%s'", obj_type_name(o->type));
}

static struct weak *weakref_of(struct obj *o)
{
    return (struct weak *)o;
}

/* Methods that call the same on the same are equal. */
static uint32_t hash_method(const struct heap *heap, const struct method *method)
{
    return mix(heap, method->self->id, (uint64_t)(uintptr_t)method->row);
}

/* Tuples and weakrefs whose hash is known, and all that holds nothing. */
static enum hd_err hash_flat(struct heap *heap, struct obj *o, uint32_t *hash)
{
    switch (o->type) {
    case OBJ_NIL:
        *hash = mix(heap, 0, SALT_NIL);
        return HD_OK;
    case OBJ_BOOL:
    case OBJ_INT:
        *hash = mix(heap, (uint64_t)int_value(o), SALT_WHOLE);
        return HD_OK;
    case OBJ_FLOAT:
        *hash = hash_float(heap, float_value(o));
        return HD_OK;
    case OBJ_STR:
    case OBJ_BYTES:
        *hash = text_key_hash(heap, text_of(o));
        return HD_OK;
    case OBJ_TUPLE:
        *hash = tuple_of(o)->hash;
        return HD_OK;
    case OBJ_WEAKREF:
        if (!weakref_of(o)->link.is_hashed)
            return heap_fail(heap, HD_TYPE, "the target of weakref #%llu is dead and its hash was never asked",
                             (unsigned long long)o->id);
        *hash = mix(heap, (uint64_t)weakref_of(o)->hash, SALT_WEAKREF);
        return HD_OK;
    case OBJ_METHOD:
        *hash = hash_method(heap, method_of(o));
        return HD_OK;
    case OBJ_OBJECT:
    case OBJ_CLASS:
    case OBJ_NAMESPACE:
    case OBJ_QUEUE:
        *hash = obj_identity_hash(heap, o);
        return HD_OK;
    default:
        return unhashable(heap, o);
    }
}

/* -- what is told outside ----------------------------------------------------------------------------------------- */

#define PYTHON_MODULUS ((INT64_C(1) << 61) - 1)

static int64_t python_hash_int(int64_t value)
{
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    int64_t hash = (int64_t)(size % (uint64_t)PYTHON_MODULUS);

    hash = value < 0 ? -hash : hash;
    return hash == -1 ? -2 : hash;
}

/* CPython's _Py_HashDouble: the value modulo 2^61 - 1, from mantissa and exponent. */
static int64_t python_hash_float(double value)
{
    int exponent;
    double rest = frexp(fabs(value), &exponent);
    uint64_t x = 0;
    int64_t hash;

    if (isinf(value))
        return value > 0 ? 314159 : -314159;
    while (rest != 0) {
        uint64_t digits;

        x = ((x << 28) & (uint64_t)PYTHON_MODULUS) | x >> (61 - 28);
        rest *= 0x1p28;
        exponent -= 28;
        digits = (uint64_t)rest;
        rest -= (double)digits;
        x += digits;
        if (x >= (uint64_t)PYTHON_MODULUS)
            x -= (uint64_t)PYTHON_MODULUS;
    }
    exponent = exponent >= 0 ? exponent % 61 : 60 - (-1 - exponent) % 61;
    x = ((x << exponent) & (uint64_t)PYTHON_MODULUS) | x >> (61 - exponent);
    hash = value < 0 ? -(int64_t)x : (int64_t)x;
    return hash == -1 ? -2 : hash;
}

/* The number that `hash` answers for an object with this hash as a key. Python's for numbers; else hashed once more
 * with another key: the table's own hashes are nobody's to know. */
static int64_t told_hash(const struct heap *heap, struct obj *o, uint32_t hash)
{
    uint64_t key[2] = {heap->hash_key[1], ~heap->hash_key[0]};

    if (o->type == OBJ_INT || o->type == OBJ_BOOL)
        return python_hash_int(int_value(o));
    if (o->type == OBJ_FLOAT && !isnan(float_value(o)))
        return python_hash_float(float_value(o));
    if (o->type == OBJ_WEAKREF)
        return weakref_of(o)->hash;
    return (int64_t)(siphash13(key, &hash, sizeof hash) >> 2);
}

enum hd_err any_method_hash(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                            struct obj **result)
{
    uint32_t hash = 0;
    enum hd_err err = obj_hash(heap, self, &hash);

    (void)args;
    (void)nargs;
    return err == HD_OK ? int_new(heap, told_hash(heap, self, hash), result) : err;
}

/* -- tuples and weakrefs ------------------------------------------------------------------------------------------ */

struct frame {
    struct obj *o; /* borrowed */
    uint64_t sum;  /* of a tuple: of the elements before `at` */
    uint32_t at;
};

struct walk {
    struct heap *heap;
    struct frame *stack;
    size_t depth, capacity;
};

/* True if what it holds must be hashed first. */
static bool is_open(struct obj *o)
{
    if (o->type == OBJ_TUPLE)
        return tuple_of(o)->hash == 0;
    return o->type == OBJ_WEAKREF && !weakref_of(o)->link.is_hashed &&
           weak_link_target(&weakref_of(o)->link) != NULL;
}

static enum hd_err push(struct walk *w, struct obj *o)
{
    uint32_t len = o->type == OBJ_TUPLE ? tuple_of(o)->len : 1;
    enum hd_err err = heap_work(w->heap, (uint64_t)len + 1);
    struct frame *stack;

    if (err != HD_OK)
        return err;
    stack = pool_grow(w->heap->pool, w->stack, w->depth, &w->capacity, sizeof *stack);
    if (stack == NULL)
        return heap_no_memory(w->heap);
    w->stack = stack;
    w->stack[w->depth++] = (struct frame){o, len, 0};
    return HD_OK;
}

/* Goes on with the tuple on top, up to an element that must come first. */
static enum hd_err hash_tuple(struct walk *w, struct frame *top)
{
    struct tuple *tuple = tuple_of(top->o);
    enum hd_err err;

    for (; top->at < tuple->len; top->at++) {
        uint32_t hash = 0;

        if (is_open(tuple->items[top->at]))
            return push(w, tuple->items[top->at]);
        err = hash_flat(w->heap, tuple->items[top->at], &hash);
        if (err != HD_OK)
            return err;
        top->sum = (top->sum ^ hash) * UINT64_C(0x9e3779b97f4a7c15) + (top->sum >> 32);
    }
    tuple->hash = mix(w->heap, top->sum, SALT_TUPLE) | 1;
    w->depth--;
    return HD_OK;
}

static enum hd_err hash_weakref(struct walk *w, struct weak *weak)
{
    struct obj *target = weak_link_target(&weak->link);
    uint32_t hash = 0;
    enum hd_err err;

    if (is_open(target))
        return push(w, target);
    err = hash_flat(w->heap, target, &hash);
    if (err != HD_OK)
        return err;
    weak->hash = told_hash(w->heap, target, hash);
    weak->link.is_hashed = true;
    w->depth--;
    return HD_OK;
}

static enum hd_err hash_open(struct heap *heap, struct obj *o)
{
    struct walk w = {.heap = heap};
    enum hd_err err = push(&w, o);

    while (err == HD_OK && w.depth > 0) {
        struct frame *top = &w.stack[w.depth - 1];

        err = top->o->type == OBJ_TUPLE ? hash_tuple(&w, top) : hash_weakref(&w, weakref_of(top->o));
    }
    pool_free(heap->pool, w.stack, w.capacity * sizeof *w.stack, POOL_DATA);
    return err;
}

enum hd_err obj_hash(struct heap *heap, struct obj *o, uint32_t *hash)
{
    enum hd_err err = HD_OK;

    if (is_open(o))
        err = hash_open(heap, o);
    return err == HD_OK ? hash_flat(heap, o, hash) : err;
}

enum hd_err obj_same_key(struct heap *heap, struct obj *a, struct obj *b, bool *result)
{
    return obj_equal(heap, a, b, result);
}
