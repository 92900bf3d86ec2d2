/*
 * hash.c - the hash of any object as a key, and the number that the method `hash` answers.
 *
 * Numbers hash by value, so that 1, 1.0 and true are one key; texts by their bytes, lists never. A tuple's hash is that of
 * its elements' hashes; nested ones are walked with a stack, contents first, and keep what was computed.
 */
#include <math.h>
#include <string.h>

#include "store/compare.h"
#include "store/kind.h"
#include "store/kinds/atoms.h"
#include "store/kinds/methods.h"
#include "store/kinds/sequence.h"
#include "store/weak.h"

static uint32_t mix(const struct heap *heap, uint64_t word, uint64_t kind)
{
    uint64_t words[2] = {word, kind};

    return heap_hash_bytes(heap, words, sizeof words);
}

static uint32_t hash_float(const struct heap *heap, double value)
{
    uint64_t bits;

    if (value >= -0x1p63 && value < 0x1p63 && value == trunc(value))
        return mix(heap, (uint64_t)(int64_t)value, 0);
    memcpy(&bits, &value, sizeof bits);
    return mix(heap, bits, 1);
}

static uint32_t hash_text(const struct heap *heap, struct text *text)
{
    if (text->hash == 0)
        text->hash = heap_hash_bytes(heap, text->bytes, text->len) | 1;
    return text->hash;
}

static enum hd_err unhashable(struct heap *heap, const struct obj *o)
{
    return heap_fail(heap, HD_TYPE, "unhashable type: '%s'", obj_type_name(o->type));
}

/* Everything but tuples. */
static enum hd_err hash_flat(struct heap *heap, struct obj *o, uint32_t *hash)
{
    switch (o->type) {
    case OBJ_NIL:
        *hash = mix(heap, 0, 2);
        return HD_OK;
    case OBJ_BOOL:
    case OBJ_INT:
        *hash = mix(heap, (uint64_t)int_value(o), 0);
        return HD_OK;
    case OBJ_FLOAT:
        *hash = hash_float(heap, float_value(o));
        return HD_OK;
    case OBJ_STR:
    case OBJ_BYTES:
        *hash = hash_text(heap, text_of(o));
        return HD_OK;
    case OBJ_WEAKREF:
        return weak_hash(heap, o, hash);
    case OBJ_OBJECT:
    case OBJ_CLASS:
    case OBJ_METHOD:
    case OBJ_NAMESPACE:
        *hash = mix(heap, o->id, 3);
        return HD_OK;
    default:
        return unhashable(heap, o);
    }
}

/* -- tuples ------------------------------------------------------------------------------------------------------- */

struct tuples {
    struct heap *heap;
    struct tuple **stack;
    size_t depth, capacity;
};

static enum hd_err push(struct tuples *t, struct obj *o)
{
    if (t->depth == t->capacity) {
        size_t capacity = t->capacity == 0 ? 16 : t->capacity * 2;
        struct tuple **stack = pool_resize(t->heap->pool, t->stack, t->capacity * sizeof(void *),
                                           capacity * sizeof(void *));

        if (stack == NULL)
            return heap_no_memory(t->heap);
        t->stack = stack;
        t->capacity = capacity;
    }
    t->stack[t->depth++] = tuple_of(o);
    return HD_OK;
}

/* The hash of the tuple on top from those of its elements, or an element that must come first. */
static enum hd_err hash_top(struct tuples *t)
{
    struct tuple *tuple = t->stack[t->depth - 1];
    uint64_t sum = tuple->len;
    enum hd_err err = heap_work(t->heap, (uint64_t)tuple->len + 1);

    for (uint32_t i = 0; err == HD_OK && i < tuple->len; i++) {
        struct obj *item = tuple->items[i];
        uint32_t hash = 0;

        if (item->type == OBJ_TUPLE && tuple_of(item)->hash == 0)
            return push(t, item);
        if (item->type == OBJ_TUPLE)
            hash = tuple_of(item)->hash;
        else
            err = hash_flat(t->heap, item, &hash);
        sum = (sum ^ hash) * UINT64_C(0x9e3779b97f4a7c15) + (sum >> 32);
    }
    if (err == HD_OK) {
        tuple->hash = mix(t->heap, sum, 4) | 1;
        t->depth--;
    }
    return err;
}

static enum hd_err hash_tuple(struct heap *heap, struct obj *o, uint32_t *hash)
{
    struct tuples t = {.heap = heap};
    enum hd_err err = HD_OK;

    if (tuple_of(o)->hash == 0)
        err = push(&t, o);
    while (err == HD_OK && t.depth > 0)
        err = hash_top(&t);
    pool_free(heap->pool, t.stack, t.capacity * sizeof(void *), POOL_DATA);
    if (err == HD_OK)
        *hash = tuple_of(o)->hash;
    return err;
}

enum hd_err obj_hash(struct heap *heap, struct obj *o, uint32_t *hash)
{
    return o->type == OBJ_TUPLE ? hash_tuple(heap, o, hash) : hash_flat(heap, o, hash);
}

enum hd_err obj_same_key(struct heap *heap, struct obj *a, struct obj *b, bool *result)
{
    return obj_equal(heap, a, b, result);
}

/* -- the method --------------------------------------------------------------------------------------------------- */

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

/* What is told outside is hashed once more with another key: the table's own hashes are nobody's to know. */
enum hd_err any_method_hash(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                            struct obj **result)
{
    uint64_t key[2] = {heap->hash_key[1], ~heap->hash_key[0]};
    uint32_t hash;
    enum hd_err err;

    (void)args;
    (void)nargs;
    if (self->type == OBJ_INT || self->type == OBJ_BOOL)
        return int_new(heap, python_hash_int(int_value(self)), result);
    if (self->type == OBJ_FLOAT && !isnan(float_value(self)))
        return int_new(heap, python_hash_float(float_value(self)), result);
    if (self->type == OBJ_WEAKREF && weak_target_peek(self) != NULL) {
        err = weak_hash(heap, self, &hash); /* remembers it, and fails for an unhashable target */
        return err == HD_OK ? any_method_hash(heap, weak_target_peek(self), NULL, 0, result) : err;
    }
    err = obj_hash(heap, self, &hash);
    if (err != HD_OK)
        return err;
    return int_new(heap, (int64_t)(siphash13(key, &hash, sizeof hash) >> 2), result);
}
