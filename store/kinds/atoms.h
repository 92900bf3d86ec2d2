/*
 * store/kinds/atoms.h - objects that refer to nothing: nil, bool, int, float, str, bytes.
 */
#ifndef HEAPD_STORE_KINDS_ATOMS_H
#define HEAPD_STORE_KINDS_ATOMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/heap.h"

struct int_obj {
    struct obj head;
    int64_t value;
};

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
enum hd_err int_new(struct heap *heap, int64_t value, struct obj **out); /* shared for -5 ... 256 */
enum hd_err float_new(struct heap *heap, double value, struct obj **out);
enum hd_err bytes_new(struct heap *heap, const char *bytes, size_t len, struct obj **out);

/* `bytes` must be UTF-8, else VALUE. The empty str is shared. */
enum hd_err str_new(struct heap *heap, const char *bytes, size_t len, struct obj **out);

/* A str or bytes object of `len` bytes to be filled before anybody sees it; for a str then call str_seal. len > 0. */
enum hd_err text_new_raw(struct heap *heap, enum obj_type type, size_t len, struct text **out);
/* Sets OBJ_ASCII by looking at the bytes, which are known to be UTF-8. */
void str_seal(struct text *str);

/* Immortal, borrowed is as good as owned. */
static inline struct obj *bool_obj(struct heap *heap, bool value)
{
    return value ? heap->yes : heap->no;
}

static inline int64_t int_value(const struct obj *o)
{
    return ((const struct int_obj *)o)->value;
}

static inline double float_value(const struct obj *o)
{
    return ((const struct float_obj *)o)->value;
}

static inline struct text *text_of(struct obj *o)
{
    return (struct text *)o;
}

/* int or bool as an int64; false for other types. */
bool obj_as_int(const struct heap *heap, const struct obj *o, int64_t *value);

/* Code points of a str object. Constant time for ASCII, else linear in its bytes. */
uint64_t str_length(const struct obj *o);

#endif
