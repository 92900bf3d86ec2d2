/* text.c - what the methods of str and bytes share. */
#include "store/kinds/text.h"

#include <string.h>

#include "store/attr.h"
#include "store/kinds/sequence.h"
#include "store/kinds/utf8.h"

enum hd_err text_work(struct heap *heap, uint64_t bytes)
{
    return heap_work(heap, 1 + bytes / TEXT_WORK);
}

enum hd_err text_arg(struct heap *heap, struct obj *arg, enum obj_type type, const char *what, struct span *span)
{
    struct obj *target;
    enum hd_err err;

    if (arg->type == type) {
        *span = span_of(arg);
        return HD_OK;
    }
    err = obj_through(heap, arg, &target);
    if (err != HD_OK)
        return err;
    return heap_fail(heap, HD_TYPE, "%s must be %s, not %s", what, obj_type_name(type), obj_type_name(arg->type));
}

enum hd_err text_most(struct heap *heap, struct obj *const *args, unsigned nargs, unsigned place, uint64_t *most)
{
    int64_t value = -1;

    if (place < nargs && !obj_as_int(heap, args[place], &value))
        return heap_fail(heap, HD_TYPE, "most must be int, not %s", obj_type_name(args[place]->type));
    *most = value < 0 ? UINT64_MAX : (uint64_t)value;
    return HD_OK;
}

/* -- spans -------------------------------------------------------------------------------------------------------- */

/* glibc's memmem is two-way (M. Crochemore, D. Perrin, 1991) for long needles; short ones it hashes, and compares at
 * most 256 bytes where the hashes agree. */
const char *span_find(struct span span, struct span wanted)
{
    return memmem(span.at, span.len, wanted.at, wanted.len);
}

char *span_write(char *to, struct span span)
{
    memcpy(to, span.at, span.len);
    return to + span.len;
}

/* -- parts -------------------------------------------------------------------------------------------------------- */

static struct obj *empty_text(struct heap *heap, enum obj_type type)
{
    return type == OBJ_STR ? heap->empty_str : heap->empty_bytes;
}

static void seal(struct text *text)
{
    if (text->head.type == OBJ_STR)
        str_seal(text);
}

enum hd_err text_part(struct heap *heap, struct obj *whole, struct span part, struct obj **out)
{
    struct text *text;
    enum hd_err err;

    if (part.len == text_of(whole)->len) {
        *out = obj_ref(whole);
        return HD_OK;
    }
    if (part.len == 0) {
        *out = empty_text(heap, whole->type);
        return HD_OK;
    }
    err = text_new_raw(heap, whole->type, part.len, &text);
    if (err != HD_OK)
        return err;
    span_write(text->bytes, part);
    seal(text);
    *out = &text->head;
    return HD_OK;
}

/* Every step-th byte from `first` on. */
static enum hd_err pick_bytes(struct heap *heap, struct obj *self, int64_t first, int64_t step, uint64_t count,
                              struct obj **out)
{
    const char *from = text_of(self)->bytes;
    struct text *text;
    enum hd_err err;

    if (count == 0) {
        *out = empty_text(heap, self->type);
        return HD_OK;
    }
    err = text_new_raw(heap, self->type, count, &text);
    if (err != HD_OK)
        return err;
    for (uint64_t i = 0; i < count; i++)
        text->bytes[i] = from[first + (int64_t)i * step];
    seal(text);
    *out = &text->head;
    return HD_OK;
}

enum hd_err text_slice(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs, struct obj **out)
{
    int64_t start, step;
    uint64_t count;
    enum hd_err err = slice_bounds(heap, args, nargs, text_of(self)->len, &start, &step, &count);

    if (err == HD_OK)
        err = text_work(heap, count);
    if (err != HD_OK)
        return err;
    if (step != 1 || count == 0)
        return pick_bytes(heap, self, start, step, count, out);
    return text_part(heap, self, (struct span){text_of(self)->bytes + start, count}, out);
}

enum hd_err text_concat(struct heap *heap, struct obj *self, struct obj *other, struct obj **out)
{
    struct span head = span_of(self);
    struct span tail;
    struct text *text;
    enum hd_err err = text_arg(heap, other, self->type, "what is appended", &tail);

    if (err == HD_OK)
        err = text_work(heap, (uint64_t)head.len + tail.len);
    if (err != HD_OK)
        return err;
    if (head.len == 0 || tail.len == 0) {
        *out = obj_ref(head.len == 0 ? other : self);
        return HD_OK;
    }
    err = text_new_raw(heap, self->type, head.len + tail.len, &text);
    if (err != HD_OK)
        return err;
    span_write(span_write(text->bytes, head), tail);
    seal(text);
    *out = &text->head;
    return HD_OK;
}

/* -- ranges ------------------------------------------------------------------------------------------------------- */

static bool is_bytewise(const struct obj *text)
{
    return text->type == OBJ_BYTES || (text->flags & OBJ_ASCII) != 0;
}

/* Bytes of the first n elements. */
static size_t offset_of(const struct obj *text, struct span span, uint64_t n)
{
    return is_bytewise(text) ? (size_t)n : utf8_offset(span.at, span.len, n);
}

/* Most calls give no bounds: they need no length, which is not known without counting. */
static bool is_open(struct obj *const *args, unsigned nargs)
{
    for (unsigned i = 0; i < nargs; i++)
        if (args[i]->type != OBJ_NIL)
            return false;
    return true;
}

enum hd_err text_range(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                       struct range *range)
{
    struct span part = span_of(self);
    uint64_t start, stop;
    enum hd_err err = is_bytewise(self) ? HD_OK : text_work(heap, part.len);

    if (err == HD_OK && is_open(args, nargs)) {
        *range = (struct range){.part = part, .exists = true};
        return HD_OK;
    }
    if (err == HD_OK)
        err = range_bounds(heap, args, nargs, is_bytewise(self) ? part.len : str_length(self), &start, &stop);
    if (err != HD_OK)
        return err;
    *range = (struct range){.part = {part.at, 0}, .start = start, .exists = start <= stop};
    if (range->exists) {
        part = span_after(part, offset_of(self, part, start));
        range->part = (struct span){part.at, offset_of(self, part, stop - start)};
    }
    return HD_OK;
}

enum hd_err range_find(struct heap *heap, const struct obj *self, const struct range *range, struct span wanted,
                       struct obj **out)
{
    struct span part = range->part;
    const char *hit = NULL;
    uint64_t before;
    enum hd_err err = text_work(heap, part.len);

    if (err != HD_OK)
        return err;
    if (range->exists)
        hit = span_find(part, wanted);
    if (hit == NULL)
        return int_new(heap, -1, out);
    before = (uint64_t)(hit - part.at);
    return int_new(heap, (int64_t)(range->start + (is_bytewise(self) ? before : utf8_length(part.at, before))), out);
}

enum hd_err str_count(struct heap *heap, struct span part, struct span wanted, uint64_t most, uint64_t *count)
{
    enum hd_err err = text_work(heap, part.len);
    const char *hit;
    uint64_t n = 0;

    if (wanted.len == 0)
        n = utf8_length(part.at, part.len) + 1;
    while (err == HD_OK && wanted.len > 0 && n < most && (hit = span_find(part, wanted)) != NULL) {
        part = span_after(part, (size_t)(hit - part.at) + wanted.len);
        n++;
        err = heap_work(heap, 1);
    }
    *count = n < most ? n : most;
    return err;
}
