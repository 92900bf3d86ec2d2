/* str_join.c - the methods of str that put together: join and replace. */
#include "store/kinds/iterate.h"
#include "store/kinds/methods.h"
#include "store/kinds/text.h"
#include "store/kinds/utf8.h"

/* -- join --------------------------------------------------------------------------------------------------------- */

/* Goes through the items; *size gets the bytes of all of them with `between` between, which are written to `to` unless
 * that is NULL. */
static enum hd_err join_items(struct iteration *it, struct span between, char *to, uint64_t *size)
{
    struct obj *item;
    struct span span;
    enum hd_err err;

    *size = 0;
    while ((err = iterate_next(it, &item)) == HD_OK && item != NULL) {
        struct span gap = {between.at, it->given > 1 ? between.len : 0};

        err = text_arg(it->heap, item, OBJ_STR, "an item of join", &span);
        if (err == HD_OK)
            *size += gap.len + span.len;
        if (err == HD_OK && to != NULL)
            to = span_write(span_write(to, gap), span);
        obj_unref(it->heap, &item);
        if (err != HD_OK)
            return err;
    }
    return err;
}

/* `size` bytes, known from a first walk: what is joined may be many times larger than its items. */
static enum hd_err write_joined(struct heap *heap, struct iteration *it, struct span between, uint64_t size,
                                struct obj **out)
{
    struct text *text;
    enum hd_err err = text_new_raw(heap, OBJ_STR, size, &text);

    if (err != HD_OK)
        return err;
    err = join_items(it, between, text->bytes, &size);
    if (err != HD_OK) {
        heap_free(heap, &text->head, sizeof *text + text->len);
        return err;
    }
    str_seal(text);
    *out = &text->head;
    return HD_OK;
}

enum hd_err str_method_join(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                            struct obj **result)
{
    struct iteration measure, write;
    uint64_t size = 0;
    enum hd_err err = iterate_start(heap, args[0], &measure);

    (void)nargs;
    if (err != HD_OK)
        return err;
    write = measure;
    err = heap_work(heap, measure.length);
    if (err == HD_OK)
        err = join_items(&measure, span_of(self), NULL, &size);
    if (err == HD_OK)
        err = text_work(heap, size);
    if (err == HD_OK && size > 0)
        return write_joined(heap, &write, span_of(self), size, result);
    if (err == HD_OK)
        *result = heap->empty_str;
    return err;
}

/* -- replace ------------------------------------------------------------------------------------------------------ */

struct replacement {
    struct span old, new;
    uint64_t count; /* how many are replaced */
};

/* An empty `old` is found before each code point, which is then copied, and at the end. */
static void write_replaced(const struct replacement *r, struct span in, char *to)
{
    for (uint64_t i = 0; i < r->count; i++) {
        size_t before = (size_t)(span_find(in, r->old) - in.at);

        to = span_write(to, (struct span){in.at, before});
        to = span_write(to, r->new);
        in = span_after(in, before + r->old.len);
        if (r->old.len == 0 && in.len > 0) {
            size_t width = utf8_width(*in.at);

            to = span_write(to, (struct span){in.at, width});
            in = span_after(in, width);
        }
    }
    span_write(to, in);
}

static enum hd_err replace(struct heap *heap, struct obj *self, const struct replacement *r, struct obj **out)
{
    struct span in = span_of(self);
    uint64_t size = in.len - r->count * r->old.len + r->count * r->new.len;
    struct text *text;
    enum hd_err err = text_work(heap, size);

    if (err != HD_OK)
        return err;
    if (r->count == 0 || size == 0)
        return text_part(heap, self, (struct span){in.at, size}, out);
    err = text_new_raw(heap, OBJ_STR, size, &text);
    if (err != HD_OK)
        return err;
    write_replaced(r, in, text->bytes);
    str_seal(text);
    *out = &text->head;
    return HD_OK;
}

enum hd_err str_method_replace(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                               struct obj **result)
{
    struct replacement r = {.count = 0};
    uint64_t most;
    enum hd_err err = text_arg(heap, args[0], OBJ_STR, "what is replaced", &r.old);

    if (err == HD_OK)
        err = text_arg(heap, args[1], OBJ_STR, "the replacement", &r.new);
    if (err == HD_OK)
        err = text_most(heap, args, nargs, 2, &most);
    if (err == HD_OK)
        err = str_count(heap, span_of(self), r.old, most, &r.count);
    return err == HD_OK ? replace(heap, self, &r, result) : err;
}
