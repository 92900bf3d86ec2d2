/*
 * store/kinds/text.h - what the methods of str and bytes share: arguments, parts of texts, searching, and its cost.
 *
 * Clients count code points; inside, everything goes by bytes, and only the ends of ranges are converted.
 *
 * Work: going over bytes, read or written, costs one unit for each TEXT_WORK of them and one for the call; parts,
 * occurrences and items cost a unit each. All of it is charged before the result is allocated.
 */
#ifndef HEAPD_STORE_KINDS_TEXT_H
#define HEAPD_STORE_KINDS_TEXT_H

#include "store/heap.h"
#include "store/kinds/atoms.h"

#define TEXT_WORK 64 /* bytes for one unit of limits.work */

/* Bytes of a text, borrowed; whole code points where it is a str. `at` is never NULL. */
struct span {
    const char *at;
    size_t len;
};

static inline struct span span_of(struct obj *text)
{
    return (struct span){text_of(text)->bytes, text_of(text)->len};
}

/* The bytes of `span` from the first `skip` on. */
static inline struct span span_after(struct span span, size_t skip)
{
    return (struct span){span.at + skip, span.len - skip};
}

/* Charges for going over so many bytes; LIMIT. */
enum hd_err text_work(struct heap *heap, uint64_t bytes);

/* The bytes of an argument that must be of this type, str or bytes: else TYPE, and DEAD for a dead proxy. `what` names
 * the argument. */
enum hd_err text_arg(struct heap *heap, struct obj *arg, enum obj_type type, const char *what, struct span *span);

/* The argument `most` at this place, absent or negative for no bound: UINT64_MAX. TYPE for what is no int. */
enum hd_err text_most(struct heap *heap, struct obj *const *args, unsigned nargs, unsigned place, uint64_t *most);

/* The first occurrence of `wanted` in `span`, NULL if there is none; an empty one occurs at once. Near linear in the
 * worst case. */
const char *span_find(struct span span, struct span wanted);

/* Copies the bytes of `span` to `to` and gives what is behind them. */
char *span_write(char *to, struct span span);

/* A text with these bytes of `whole`; `whole` itself if they are all of it. Charges nothing. */
enum hd_err text_part(struct heap *heap, struct obj *whole, struct span part, struct obj **out);

/* The method slice, for texts with one byte an element: bytes and ASCII. */
enum hd_err text_slice(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs, struct obj **out);

/* The method concat: TYPE if `other` is of another type than `self`. */
enum hd_err text_concat(struct heap *heap, struct obj *self, struct obj *other, struct obj **out);

/* Part of a text that a method with start and stop looks at. */
struct range {
    struct span part;
    uint64_t start; /* in elements, of its first byte */
    bool exists;    /* false if it would end before it begins: even the empty text is not found in it */
};

/* The range that args[0], start, and args[1], stop, name; both optional. TYPE for what is no int or nil. */
enum hd_err text_range(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                       struct range *range);

/* The index of the first occurrence, -1 if there is none, as an int. Charges. */
enum hd_err range_find(struct heap *heap, const struct obj *self, const struct range *range, struct span wanted,
                       struct obj **out);

/* How often `wanted` occurs without overlap in a part of a str, up to `most`. The empty str occurs before each code
 * point and at the end. Charges. */
enum hd_err str_count(struct heap *heap, struct span part, struct span wanted, uint64_t most, uint64_t *count);

#endif
