/*
 * store/kinds/atoms.h - objects that refer to nothing: nil, bool, int, float, str, bytes.
 */
#ifndef HEAPD_STORE_KINDS_ATOMS_H
#define HEAPD_STORE_KINDS_ATOMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/compare.h"
#include "store/heap.h"

/* An int whose value fits in the room that the header has is short: OBJ_SHORT, and nothing behind the header. */
struct int_obj {
    struct obj head;
    int64_t value;
};

#define INT_SHORT_SIGN (INT64_C(1) << (16 + OBJ_MORE_BITS - 1)) /* the highest of its bits */
#define INT_SHORT_MIN (-INT_SHORT_SIGN)
#define INT_SHORT_MAX (INT_SHORT_SIGN - 1)

struct float_obj {
    struct obj head;
    double value;
};

/* str and bytes: the data follows the header, without a terminator. */
struct text {
    struct obj head;
    uint32_t len;  /* bytes */
    uint32_t hash; /* 0: not computed yet */
    char bytes[];
};

#define TEXT_MAX UINT32_C(0x7fffffff) /* bytes of one str or bytes object */

/* Each gives an owned reference in *out; NO_MEMORY, or LIMIT beyond TEXT_MAX. */
enum hd_err float_new(struct heap *heap, double value, struct obj **out);
enum hd_err bytes_new(struct heap *heap, const char *bytes, size_t len, struct obj **out);

/* `bytes` must be UTF-8, else VALUE. The empty str is shared. */
enum hd_err str_new(struct heap *heap, const char *bytes, size_t len, struct obj **out);

/* A str or bytes object of `len` bytes to be filled before anybody sees it; for a str then call str_seal. len > 0. */
enum hd_err text_new_raw(struct heap *heap, enum obj_type type, size_t len, struct text **out);
/* Sets OBJ_ASCII by looking at the bytes, which are known to be UTF-8. */
void str_seal(struct text *str);

/*
 * A loan: a short str of ASCII that stands in its maker's own memory, for methods that look up by it. It is an immortal
 * object, but gone when the method is done: who would keep it makes a str of its own (str_keep).
 */
#define LOAN_MAX 31 /* bytes */

struct loan {
    _Alignas(struct text) char room[sizeof(struct text) + LOAN_MAX];
};

static inline struct obj *loan_str(struct loan *loan, const char *ascii, size_t len)
{
    struct text *text = (struct text *)(void *)loan->room;

    text->head = (struct obj){.type = OBJ_STR, .flags = OBJ_IMMORTAL | OBJ_ASCII | OBJ_LOAN};
    text->len = (uint32_t)len;
    text->hash = 0;
    bytes_copy(text->bytes, ascii, len);
    return &text->head;
}

static inline bool obj_is_loan(const struct obj *o)
{
    return o->type == OBJ_STR && (o->flags & OBJ_LOAN) != 0;
}

/* For str_keep: a str like the loan. */
enum hd_err loan_redeem(struct heap *heap, struct obj *loan, struct obj **out);

/* An owned reference to any object; of a loan, to a str like it: then NO_MEMORY is possible. */
static inline enum hd_err str_keep(struct heap *heap, struct obj *o, struct obj **out)
{
    if (obj_is_loan(o))
        return loan_redeem(heap, o, out);
    *out = obj_ref(o);
    return HD_OK;
}

/* Immortal, borrowed is as good as owned. */
static inline struct obj *bool_obj(struct heap *heap, bool value)
{
    return value ? heap->yes : heap->no;
}

/* Bytes of the object of an int or bool with this value. */
static inline size_t int_size_for(int64_t value)
{
    return value >= INT_SHORT_MIN && value <= INT_SHORT_MAX ? sizeof(struct obj) : sizeof(struct int_obj);
}

static inline size_t int_size(const struct obj *o)
{
    return (o->flags & OBJ_SHORT) != 0 ? sizeof(struct obj) : sizeof(struct int_obj);
}

/* Of a new one of int_size_for(value) bytes. */
static inline void int_set(struct obj *o, int64_t value)
{
    if (int_size_for(value) > sizeof *o) {
        ((struct int_obj *)o)->value = value;
        return;
    }
    o->flags |= OBJ_SHORT;
    o->aux = (uint16_t)value;
    o->more = (uint64_t)value >> 16 & OBJ_MORE_MAX;
}

static inline int64_t int_value(const struct obj *o)
{
    if ((o->flags & OBJ_SHORT) == 0)
        return ((const struct int_obj *)o)->value;
    return ((int64_t)((uint64_t)o->more << 16 | o->aux) ^ INT_SHORT_SIGN) - INT_SHORT_SIGN;
}

static inline double float_value(const struct obj *o)
{
    return ((const struct float_obj *)o)->value;
}

static inline struct text *text_of(struct obj *o)
{
    return (struct text *)o;
}

/* For int_new: one that is not shared. */
enum hd_err int_make(struct heap *heap, int64_t value, struct obj **out);

static inline enum hd_err int_new(struct heap *heap, int64_t value, struct obj **out) /* shared for -5 ... 256 */
{
    if (value < HEAP_SMALL_INT_MIN || value > HEAP_SMALL_INT_MAX)
        return int_make(heap, value, out);
    *out = heap->small_ints[value - HEAP_SMALL_INT_MIN];
    return HD_OK;
}

/* int or bool as an int64; false for other types. */
static inline bool obj_as_int(const struct heap *heap, const struct obj *o, int64_t *value)
{
    (void)heap;
    if (o->type != OBJ_INT && o->type != OBJ_BOOL)
        return false;
    *value = int_value(o);
    return true;
}

/* The hash of a text as a key; it is kept in the text. */
static inline uint32_t text_key_hash(const struct heap *heap, struct text *text)
{
    if (text->hash == 0)
        text->hash = heap_hash_bytes(heap, text->bytes, text->len) | 1;
    return text->hash;
}

/* Code points of a str object. Constant time for ASCII, else linear in its bytes. */
uint64_t str_length(const struct obj *o);

#endif
