/* str_methods.c - the methods of str that go by index, and concat. Others are in files of their own: str_*.c. */
#include <string.h>

#include "store/kinds/methods.h"
#include "store/kinds/sequence.h"
#include "store/kinds/text.h"
#include "store/kinds/utf8.h"

static bool is_ascii(const struct obj *str)
{
    return (str->flags & OBJ_ASCII) != 0;
}

/* The length in code points; counting those of what is not ASCII is charged. */
static enum hd_err length_of(struct heap *heap, struct obj *self, uint64_t *length)
{
    enum hd_err err = is_ascii(self) ? HD_OK : text_work(heap, text_of(self)->len);

    if (err == HD_OK)
        *length = str_length(self);
    return err;
}

enum hd_err str_method_len(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                           struct obj **result)
{
    uint64_t length;
    enum hd_err err = length_of(heap, self, &length);

    (void)args;
    (void)nargs;
    return err == HD_OK ? int_new(heap, (int64_t)length, result) : err;
}

enum hd_err str_method_get(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                           struct obj **result)
{
    struct span span = span_of(self);
    uint64_t length, index;
    enum hd_err err = length_of(heap, self, &length);

    (void)nargs;
    if (err == HD_OK)
        err = index_of(heap, args[0], length, "str", &index);
    if (err != HD_OK)
        return err;
    span = span_after(span, is_ascii(self) ? index : utf8_offset(span.at, span.len, index));
    span.len = utf8_width(*span.at);
    return text_part(heap, self, span, result);
}

enum hd_err str_method_concat(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                              struct obj **result)
{
    (void)nargs;
    return text_concat(heap, self, args[0], result);
}

/* -- slice -------------------------------------------------------------------------------------------------------- */

/* The start of the code point that is `by` behind (before, if negative) the one at `at`. */
static const char *move(const char *at, int64_t by)
{
    for (; by > 0; by--)
        at += utf8_width(*at);
    for (; by < 0; by++)
        do
            at--;
        while (!utf8_is_first(*at));
    return at;
}

/* Every step-th code point from the one at `at` on, written to `to` unless that is NULL. How many bytes they have. */
static size_t pick_code_points(const char *at, int64_t step, uint64_t count, char *to)
{
    size_t size = 0;

    for (uint64_t i = 0; i < count; i++) {
        size_t width = utf8_width(*at);

        if (to != NULL)
            memcpy(to + size, at, width);
        size += width;
        if (i + 1 < count)
            at = move(at, step);
    }
    return size;
}

/* A slice of at least one code point with a step. */
static enum hd_err stepped(struct heap *heap, const char *first, int64_t step, uint64_t count, struct obj **out)
{
    struct text *text;
    enum hd_err err = text_new_raw(heap, OBJ_STR, pick_code_points(first, step, count, NULL), &text);

    if (err != HD_OK)
        return err;
    pick_code_points(first, step, count, text->bytes);
    str_seal(text);
    *out = &text->head;
    return HD_OK;
}

enum hd_err str_method_slice(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                             struct obj **result)
{
    struct span span = span_of(self);
    uint64_t length, count;
    int64_t start, step;
    enum hd_err err;

    if (is_ascii(self))
        return text_slice(heap, self, args, nargs, result);
    err = length_of(heap, self, &length);
    if (err == HD_OK)
        err = slice_bounds(heap, args, nargs, length, &start, &step, &count);
    if (err != HD_OK)
        return err;
    if (count == 0)
        return text_part(heap, self, (struct span){span.at, 0}, result);
    span = span_after(span, utf8_offset(span.at, span.len, (uint64_t)start));
    if (step != 1)
        return stepped(heap, span.at, step, count, result);
    span.len = utf8_offset(span.at, span.len, count);
    return text_part(heap, self, span, result);
}
