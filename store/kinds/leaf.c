/* leaf.c - the kinds that refer to nothing: how long they are, and how they are freed. */
#include "store/kind.h"
#include "store/kinds/atoms.h"

static size_t number_size(const struct obj *o)
{
    return o->type == OBJ_NIL ? sizeof *o : o->type == OBJ_FLOAT ? sizeof(struct float_obj) : int_size(o);
}

static void free_number(struct heap *heap, struct obj *o)
{
    heap_free(heap, o, number_size(o));
}

static size_t bytes_of_number(const struct obj *o)
{
    return pool_rounded(number_size(o));
}

static size_t text_size(const struct obj *o)
{
    return sizeof(struct text) + ((const struct text *)o)->len;
}

static void free_text(struct heap *heap, struct obj *o)
{
    heap_free(heap, o, text_size(o));
}

static size_t bytes_of_text(const struct obj *o)
{
    return pool_rounded(text_size(o));
}

static uint64_t length_of_bytes(const struct obj *o)
{
    return ((const struct text *)o)->len;
}

const struct kind kind_nil = {NULL, NULL, free_number, bytes_of_number, NULL};
const struct kind kind_bool = {NULL, NULL, free_number, bytes_of_number, NULL};
const struct kind kind_int = {NULL, NULL, free_number, bytes_of_number, NULL};
const struct kind kind_float = {NULL, NULL, free_number, bytes_of_number, NULL};
const struct kind kind_str = {NULL, NULL, free_text, bytes_of_text, str_length};
const struct kind kind_bytes = {NULL, NULL, free_text, bytes_of_text, length_of_bytes};
