/* str_split.c - the methods of str that take apart: split and strip. */
#include <string.h>

#include "store/kinds/methods.h"
#include "store/kinds/sequence.h"
#include "store/kinds/text.h"
#include "store/kinds/utf8.h"

/* Python's str.isspace: what Unicode gives the bidirectional class WS, B or S, or the category Zs. */
static bool is_white(const char *at)
{
    uint32_t c = utf8_decode(at);

    if (c < 0x80)
        return (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= ' ');
    return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
           c == 0x202f || c == 0x205f || c == 0x3000;
}

/* -- split -------------------------------------------------------------------------------------------------------- */

/* What is still to be split. */
struct splitter {
    struct span rest;
    const struct span *separator; /* NULL: runs of white space */
    uint64_t left;                /* splits that may still be made */
    bool is_done;
};

static bool next_at_separator(struct splitter *s, struct span *part)
{
    const char *hit = s->left > 0 ? span_find(s->rest, *s->separator) : NULL;

    *part = s->rest;
    if (s->is_done)
        return false;
    if (hit == NULL) {
        s->is_done = true;
        return true;
    }
    part->len = (size_t)(hit - s->rest.at);
    s->rest = span_after(s->rest, part->len + s->separator->len);
    s->left--;
    return true;
}

/* Bytes up to the first code point that is white space, or is none. */
static size_t run_length(struct span span, bool white)
{
    size_t at = 0;

    while (at < span.len && is_white(span.at + at) == white)
        at += utf8_width(span.at[at]);
    return at;
}

/* The last part, after so many splits as were asked for, keeps the white space at its end. */
static bool next_at_white(struct splitter *s, struct span *part)
{
    s->rest = span_after(s->rest, run_length(s->rest, true));
    *part = s->rest;
    if (s->rest.len == 0)
        return false;
    if (s->left > 0) {
        part->len = run_length(s->rest, false);
        s->left--;
    }
    s->rest = span_after(s->rest, part->len);
    return true;
}

static bool next_part(struct splitter *s, struct span *part)
{
    return s->separator != NULL ? next_at_separator(s, part) : next_at_white(s, part);
}

static enum hd_err count_parts(struct heap *heap, struct splitter s, uint64_t *count)
{
    struct span part;
    enum hd_err err = text_work(heap, s.rest.len);

    for (*count = 0; err == HD_OK && next_part(&s, &part); (*count)++)
        err = heap_work(heap, 1);
    return err;
}

/* Puts the parts of `self` into a list that has room for them. */
static enum hd_err push_parts(struct heap *heap, struct obj *self, struct splitter s, struct obj *list)
{
    struct span span;
    struct obj *part;

    while (next_part(&s, &span)) {
        enum hd_err err = text_part(heap, self, span, &part);

        if (err != HD_OK)
            return err;
        list_push_take(list, &part);
    }
    return HD_OK;
}

static enum hd_err split(struct heap *heap, struct obj *self, const struct splitter *s, struct obj **out)
{
    struct obj *list = NULL;
    uint64_t count;
    enum hd_err err = count_parts(heap, *s, &count);

    if (err == HD_OK)
        err = list_new(heap, count, &list);
    if (err == HD_OK)
        err = push_parts(heap, self, *s, list);
    if (err == HD_OK)
        *out = list;
    else
        obj_unref(heap, &list);
    return err;
}

enum hd_err str_method_split(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                             struct obj **result)
{
    struct splitter s = {.rest = span_of(self)};
    struct span separator;
    enum hd_err err = text_most(heap, args, nargs, 1, &s.left);

    if (err == HD_OK && nargs > 0 && args[0]->type != OBJ_NIL) {
        err = text_arg(heap, args[0], OBJ_STR, "the separator", &separator);
        if (err == HD_OK && separator.len == 0)
            err = heap_fail(heap, HD_VALUE, "the separator is empty");
        s.separator = &separator;
    }
    return err == HD_OK ? split(heap, self, &s, result) : err;
}

/* -- strip -------------------------------------------------------------------------------------------------------- */

/* The first code point, or the last. `span` is not empty. */
static struct span one_at_end_of(struct span span, bool last)
{
    size_t at = 0;

    if (last)
        for (at = span.len - 1; !utf8_is_first(span.at[at]);)
            at--;
    return (struct span){span.at + at, utf8_width(span.at[at])};
}

/* How many bytes go at this end, a code point at a time: 0 when there is no more of `chars` (NULL: white space). */
static enum hd_err next_strip(struct heap *heap, struct span span, bool last, const struct span *chars, size_t *width)
{
    struct span one;

    *width = 0;
    if (span.len == 0)
        return HD_OK;
    one = one_at_end_of(span, last);
    if (chars != NULL ? span_find(*chars, one) != NULL : is_white(one.at))
        *width = one.len;
    return chars != NULL ? heap_work(heap, chars->len / TEXT_WORK) : HD_OK;
}

static enum hd_err strip(struct heap *heap, struct obj *self, const struct span *chars, struct obj **out)
{
    struct span span = span_of(self);
    size_t width = 1;
    enum hd_err err = text_work(heap, span.len);

    while (err == HD_OK && width > 0) {
        err = next_strip(heap, span, false, chars, &width);
        span = span_after(span, width);
    }
    for (width = 1; err == HD_OK && width > 0; span.len -= width)
        err = next_strip(heap, span, true, chars, &width);
    return err == HD_OK ? text_part(heap, self, span, out) : err;
}

enum hd_err str_method_strip(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                             struct obj **result)
{
    struct span chars;
    enum hd_err err;

    if (nargs == 0 || args[0]->type == OBJ_NIL)
        return strip(heap, self, NULL, result);
    err = text_arg(heap, args[0], OBJ_STR, "what is stripped", &chars);
    return err == HD_OK ? strip(heap, self, &chars, result) : err;
}
