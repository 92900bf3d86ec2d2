/* builtin_new.c - Python's constructors of the builtin types. */
#include "store/kinds/builtin_new.h"

#include <string.h>
#include <strings.h>

#include "store/attr.h"
#include "store/compare.h"
#include "store/kind.h"
#include "store/kinds/atoms.h"
#include "store/kinds/dict.h"
#include "store/kinds/iterate.h"
#include "store/kinds/number.h"
#include "store/kinds/number_text.h"
#include "store/kinds/queue.h"
#include "store/kinds/sequence.h"
#include "store/kinds/text.h"
#include "store/kinds/weak_table.h"

/* `x` is what the value is made of, never a proxy; `how` a second argument or NULL. */
typedef enum hd_err make_fn(struct heap *heap, struct obj *x, struct obj *how, struct obj **out);

static enum hd_err cannot_make(struct heap *heap, const char *type, const struct obj *x)
{
    return heap_fail(heap, HD_TYPE, "cannot make %s of %s", type, obj_type_name(x->type));
}

/* -- numbers ------------------------------------------------------------------------------------------------------ */

static bool is_text(const struct obj *o)
{
    return o->type == OBJ_STR || o->type == OBJ_BYTES;
}

static enum hd_err make_bool(struct heap *heap, struct obj *x, struct obj *how, struct obj **out)
{
    bool is_true = true;

    (void)how;
    if (x->type == OBJ_NIL)
        is_true = false;
    else if (x->type == OBJ_BOOL || x->type == OBJ_INT)
        is_true = int_value(x) != 0;
    else if (x->type == OBJ_FLOAT)
        is_true = float_value(x) != 0;
    else if (is_text(x))
        is_true = text_of(x)->len > 0;
    else if (x->type == OBJ_LIST || x->type == OBJ_TUPLE || x->type == OBJ_DICT || x->type == OBJ_SET)
        is_true = kind_of(x)->length(x) > 0;
    else if (is_weak_container(x))
        is_true = weak_container_length(heap, x) > 0;
    *out = bool_obj(heap, is_true);
    return HD_OK;
}

static enum hd_err make_int_in_base(struct heap *heap, struct obj *x, struct obj *how, struct obj **out)
{
    int64_t base;

    if (!obj_as_int(heap, how, &base) || !is_text(x))
        return heap_fail(heap, HD_TYPE, "int of a str and a base takes a str and an int, not %s and %s",
                         obj_type_name(x->type), obj_type_name(how->type));
    if (base != 0 && (base < 2 || base > 36))
        return heap_fail(heap, HD_VALUE, "a base is 0 or 2 ... 36, not %lld", (long long)base);
    return int_from_text(heap, x, (unsigned)base, out);
}

static enum hd_err make_int(struct heap *heap, struct obj *x, struct obj *how, struct obj **out)
{
    if (how != NULL)
        return make_int_in_base(heap, x, how, out);
    if (is_text(x))
        return int_from_text(heap, x, 10, out);
    if (x->type == OBJ_FLOAT)
        return number_to_int(heap, float_value(x), out);
    if (x->type == OBJ_BOOL)
        return int_new(heap, int_value(x), out);
    if (x->type != OBJ_INT)
        return cannot_make(heap, "an int", x);
    *out = obj_ref(x);
    return HD_OK;
}

static enum hd_err make_float(struct heap *heap, struct obj *x, struct obj *how, struct obj **out)
{
    int64_t value;

    (void)how;
    if (is_text(x))
        return float_from_text(heap, x, out);
    if (obj_as_int(heap, x, &value))
        return float_new(heap, (double)value, out);
    if (x->type != OBJ_FLOAT)
        return cannot_make(heap, "a float", x);
    *out = obj_ref(x);
    return HD_OK;
}

/* -- texts -------------------------------------------------------------------------------------------------------- */

/* An encoding's name; UTF-8 is the only one. */
static enum hd_err check_encoding(struct heap *heap, struct obj *how)
{
    static const char *const names[] = {"utf-8", "utf8", "utf_8"};

    if (how->type != OBJ_STR)
        return heap_fail(heap, HD_TYPE, "an encoding is named by a str, not %s", obj_type_name(how->type));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (text_of(how)->len == strlen(names[i]) && strncasecmp(text_of(how)->bytes, names[i], text_of(how)->len) == 0)
            return HD_OK;
    return heap_fail(heap, HD_VALUE, "utf-8 is the only encoding");
}

/* `x` of the type that has this encoded or decoded form. */
static enum hd_err check_recoding(struct heap *heap, struct obj *x, struct obj *how, enum obj_type from,
                                  const char *what)
{
    enum hd_err err = check_encoding(heap, how);

    if (err == HD_OK && x->type != from)
        return cannot_make(heap, what, x);
    return err == HD_OK ? text_work(heap, text_of(x)->len) : err;
}

static enum hd_err make_str(struct heap *heap, struct obj *x, struct obj *how, struct obj **out)
{
    enum hd_err err = HD_OK;

    if (how != NULL) {
        err = check_recoding(heap, x, how, OBJ_BYTES, "a str with an encoding");
        return err == HD_OK ? str_new(heap, text_of(x)->bytes, text_of(x)->len, out) : err;
    }
    if (x->type != OBJ_STR)
        return obj_repr(heap, x, out);
    *out = obj_ref(x);
    return HD_OK;
}

static enum hd_err make_zeros(struct heap *heap, int64_t len, struct obj **out)
{
    struct text *text;
    enum hd_err err;

    if (len < 0)
        return heap_fail(heap, HD_VALUE, "a negative number of bytes");
    if (len == 0) {
        *out = heap->empty_bytes;
        return HD_OK;
    }
    err = text_work(heap, (uint64_t)len);
    if (err == HD_OK)
        err = text_new_raw(heap, OBJ_BYTES, (size_t)len, &text);
    if (err != HD_OK)
        return err;
    memset(text->bytes, 0, text->len);
    *out = &text->head;
    return HD_OK;
}

static enum hd_err read_byte(struct heap *heap, struct obj *item, char *byte)
{
    int64_t value;

    if (!obj_as_int(heap, item, &value))
        return heap_fail(heap, HD_TYPE, "bytes are made of ints, not %s", obj_type_name(item->type));
    if (value < 0 || value > 255)
        return heap_fail(heap, HD_VALUE, "a byte is 0 ... 255, not %lld", (long long)value);
    *byte = (char)value;
    return HD_OK;
}

static enum hd_err make_bytes_of_items(struct heap *heap, struct obj *x, struct obj **out)
{
    struct iteration it;
    struct obj *item = NULL;
    struct text *text = NULL;
    struct obj *made;
    enum hd_err err = iterate_start(heap, x, &it);

    if (err == HD_OK)
        err = heap_work(heap, it.length);
    if (err == HD_OK && it.length == 0) {
        *out = heap->empty_bytes;
        return HD_OK;
    }
    if (err == HD_OK)
        err = text_new_raw(heap, OBJ_BYTES, it.length, &text);
    for (uint64_t i = 0; err == HD_OK && i < it.length; i++) {
        err = iterate_next(&it, &item);
        if (err == HD_OK)
            err = read_byte(heap, item, &text->bytes[i]);
        obj_unref(heap, &item);
    }
    made = text != NULL ? &text->head : NULL;
    if (err == HD_OK)
        *out = made;
    else
        obj_unref(heap, &made);
    return err;
}

static enum hd_err make_bytes(struct heap *heap, struct obj *x, struct obj *how, struct obj **out)
{
    int64_t len;
    enum hd_err err = HD_OK;

    if (how != NULL) {
        err = check_recoding(heap, x, how, OBJ_STR, "bytes with an encoding");
        return err == HD_OK ? bytes_new(heap, text_of(x)->bytes, text_of(x)->len, out) : err;
    }
    if (obj_as_int(heap, x, &len))
        return make_zeros(heap, len, out);
    if (x->type == OBJ_STR)
        return heap_fail(heap, HD_TYPE, "bytes of a str need an encoding");
    if (x->type != OBJ_BYTES)
        return make_bytes_of_items(heap, x, out);
    *out = obj_ref(x);
    return HD_OK;
}

/* -- containers --------------------------------------------------------------------------------------------------- */

static enum hd_err make_list(struct heap *heap, struct obj *x, struct obj *how, struct obj **out)
{
    struct obj *list = NULL;
    enum hd_err err = list_new(heap, 0, &list);

    (void)how;
    if (err == HD_OK)
        err = list_extend(heap, list, x);
    if (err == HD_OK)
        *out = list;
    else
        obj_unref(heap, &list);
    return err;
}

/* By way of a list: a tuple is never seen half filled, also not when an item cannot be had. */
static enum hd_err make_tuple(struct heap *heap, struct obj *x, struct obj *how, struct obj **out)
{
    struct obj *list;
    enum hd_err err;

    if (x->type == OBJ_TUPLE) {
        *out = obj_ref(x);
        return HD_OK;
    }
    err = make_list(heap, x, how, &list);
    if (err != HD_OK)
        return err;
    err = tuple_new(heap, list_of(list)->items, list_of(list)->len, out);
    obj_unref(heap, &list);
    return err;
}

static enum hd_err make_set(struct heap *heap, struct obj *x, struct obj *how, struct obj **out)
{
    struct obj *set = NULL;
    enum hd_err err = dict_new(heap, OBJ_SET, 0, &set);

    (void)how;
    if (err == HD_OK)
        err = set_add_all(heap, set, x);
    if (err == HD_OK)
        *out = set;
    else
        obj_unref(heap, &set);
    return err;
}

static enum hd_err make_dict(struct heap *heap, struct obj *x, struct obj *how, struct obj **out)
{
    struct obj *dict = NULL;
    enum hd_err err = dict_new(heap, OBJ_DICT, 0, &dict);

    (void)how;
    if (err == HD_OK)
        err = dict_update(heap, dict, x);
    if (err == HD_OK)
        *out = dict;
    else
        obj_unref(heap, &dict);
    return err;
}

static enum hd_err make_weak(struct heap *heap, enum obj_type type, struct obj *x, struct obj **out)
{
    struct obj *container = NULL;
    enum hd_err err = weak_container_new(heap, type, &container);

    if (err == HD_OK)
        err = weak_container_update(heap, container, x);
    if (err == HD_OK)
        *out = container;
    else
        obj_unref(heap, &container);
    return err;
}

static enum hd_err make_weakdict(struct heap *heap, struct obj *x, struct obj *how, struct obj **out)
{
    (void)how;
    return make_weak(heap, OBJ_WEAKDICT, x, out);
}

static enum hd_err make_weakkeydict(struct heap *heap, struct obj *x, struct obj *how, struct obj **out)
{
    (void)how;
    return make_weak(heap, OBJ_WEAKKEYDICT, x, out);
}

static enum hd_err make_weakset(struct heap *heap, struct obj *x, struct obj *how, struct obj **out)
{
    (void)how;
    return make_weak(heap, OBJ_WEAKSET, x, out);
}

/* -- the table ---------------------------------------------------------------------------------------------------- */

static const struct maker {
    make_fn *make;
    unsigned most; /* arguments */
} makers[OBJ_TYPES] = {
    [OBJ_BOOL] = {make_bool, 1}, [OBJ_INT] = {make_int, 2},     [OBJ_FLOAT] = {make_float, 1},
    [OBJ_STR] = {make_str, 2},   [OBJ_BYTES] = {make_bytes, 2}, [OBJ_LIST] = {make_list, 1},
    [OBJ_TUPLE] = {make_tuple, 1}, [OBJ_DICT] = {make_dict, 1}, [OBJ_SET] = {make_set, 1},
    [OBJ_WEAKDICT] = {make_weakdict, 1}, [OBJ_WEAKKEYDICT] = {make_weakkeydict, 1}, [OBJ_WEAKSET] = {make_weakset, 1},
};

/* What a constructor gives without arguments. */
static enum hd_err make_empty(struct heap *heap, enum obj_type type, struct obj **out)
{
    switch (type) {
    case OBJ_BOOL:
        *out = heap->no;
        return HD_OK;
    case OBJ_INT:
        return int_new(heap, 0, out);
    case OBJ_FLOAT:
        return float_new(heap, 0, out);
    case OBJ_STR:
        *out = heap->empty_str;
        return HD_OK;
    case OBJ_BYTES:
        *out = heap->empty_bytes;
        return HD_OK;
    case OBJ_LIST:
        return list_new(heap, 0, out);
    case OBJ_TUPLE:
        *out = heap->empty_tuple;
        return HD_OK;
    case OBJ_WEAKDICT:
    case OBJ_WEAKKEYDICT:
    case OBJ_WEAKSET:
        return weak_container_new(heap, type, out);
    case OBJ_QUEUE:
        return queue_new(heap, out);
    default:
        return dict_new(heap, type, 0, out);
    }
}

enum hd_err builtin_new(struct heap *heap, enum obj_type type, struct obj *const *args, unsigned nargs,
                        struct obj **result)
{
    const struct maker *maker = &makers[type];
    struct obj *x;
    enum hd_err err;

    if (maker->make == NULL && type != OBJ_QUEUE) /* which is made of nothing */
        return heap_fail(heap, HD_TYPE, "%s cannot be made with new", obj_type_name(type));
    if (nargs > maker->most)
        return heap_fail(heap, HD_TYPE, "%s.new takes at most %u argument%s, %u given", obj_type_name(type),
                         maker->most, maker->most == 1 ? "" : "s", nargs);
    if (nargs == 0)
        return make_empty(heap, type, result);
    err = obj_through(heap, args[0], &x);
    return err == HD_OK ? maker->make(heap, x, nargs > 1 ? args[1] : NULL, result) : err;
}
