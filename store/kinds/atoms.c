/* atoms.c - making numbers and texts. */
#include "store/kinds/atoms.h"

#include "store/bytes.h"
#include "store/kinds/utf8.h"

enum hd_err int_make(struct heap *heap, int64_t value, struct obj **out)
{
    struct obj *o = heap_new(heap, OBJ_INT, int_size_for(value));

    if (o == NULL)
        return heap_no_memory(heap);
    int_set(o, value);
    *out = o;
    return HD_OK;
}

enum hd_err float_new(struct heap *heap, double value, struct obj **out)
{
    struct obj *o = heap_new(heap, OBJ_FLOAT, sizeof(struct float_obj));

    if (o == NULL)
        return heap_no_memory(heap);
    ((struct float_obj *)o)->value = value;
    *out = o;
    return HD_OK;
}

/* NULL without memory. */
static inline struct text *make_text(struct heap *heap, enum obj_type type, size_t len)
{
    struct text *text = (struct text *)heap_new(heap, type, sizeof *text + len);

    if (text == NULL)
        return NULL;
    text->len = (uint32_t)len;
    text->hash = 0;
    return text;
}

static enum hd_err too_long(struct heap *heap, enum obj_type type)
{
    return heap_fail(heap, HD_LIMIT, "a %s holds at most %u bytes", obj_type_name(type), TEXT_MAX);
}

enum hd_err text_new_raw(struct heap *heap, enum obj_type type, size_t len, struct text **out)
{
    struct text *text;

    if (len > TEXT_MAX)
        return too_long(heap, type);
    text = make_text(heap, type, len);
    if (text == NULL)
        return heap_no_memory(heap);
    *out = text;
    return HD_OK;
}

static inline enum hd_err text_new(struct heap *heap, enum obj_type type, const char *bytes, size_t len,
                                   struct obj **out)
{
    struct text *text;

    if (len > TEXT_MAX)
        return too_long(heap, type);
    text = make_text(heap, type, len);
    if (text == NULL)
        return heap_no_memory(heap);
    bytes_copy(text->bytes, bytes, len);
    *out = &text->head;
    return HD_OK;
}

enum hd_err bytes_new(struct heap *heap, const char *bytes, size_t len, struct obj **out)
{
    if (len == 0) {
        *out = heap->empty_bytes;
        return HD_OK;
    }
    return text_new(heap, OBJ_BYTES, bytes, len, out);
}

enum hd_err str_new(struct heap *heap, const char *bytes, size_t len, struct obj **out)
{
    bool ascii;
    enum hd_err err;

    if (len == 0) {
        *out = heap->empty_str;
        return HD_OK;
    }
    if (!utf8_valid(bytes, len, &ascii))
        return heap_fail(heap, HD_VALUE, "a str of %zu bytes is not UTF-8", len);
    err = text_new(heap, OBJ_STR, bytes, len, out);
    if (err != HD_OK)
        return err;
    if (ascii)
        (*out)->flags |= OBJ_ASCII;
    return HD_OK;
}

enum hd_err loan_redeem(struct heap *heap, struct obj *loan, struct obj **out)
{
    const struct text *text = text_of(loan);
    enum hd_err err = str_new(heap, text->bytes, text->len, out);

    if (err == HD_OK && text->len > 0)
        text_of(*out)->hash = text->hash;
    return err;
}

void str_seal(struct text *str)
{
    if (utf8_is_ascii(str->bytes, str->len))
        str->head.flags |= OBJ_ASCII;
}

uint64_t str_length(const struct obj *o)
{
    const struct text *text = (const struct text *)o;

    return (o->flags & OBJ_ASCII) != 0 ? text->len : utf8_length(text->bytes, text->len);
}
