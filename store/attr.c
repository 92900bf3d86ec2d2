/* attr.c - attributes and calls on any object. */
#include "store/attr.h"

#include <string.h>

#include "store/kind.h"
#include "store/kinds/atoms.h"
#include "store/kinds/builtin_new.h"
#include "store/kinds/dict.h"
#include "store/kinds/methods.h"
#include "store/kinds/number.h"
#include "store/kinds/object.h"
#include "store/weak.h"

static bool is(const char *name, size_t len, const char *text)
{
    return strlen(text) == len && memcmp(name, text, len) == 0;
}

static enum hd_err no_attribute(struct heap *heap, const struct obj *o, const char *name, size_t len)
{
    size_t class_len = 0;
    const char *class = o->type == OBJ_OBJECT ? class_name(o, &class_len) : "";

    return heap_fail(heap, HD_NO_ATTR, "%s%.*s has no attribute or method '%.*s'",
                     o->type == OBJ_OBJECT ? "" : obj_type_name(o->type), (int)class_len, class,
                     (int)(len < 100 ? len : 100), name);
}

static enum hd_err target_died(struct heap *heap, const struct obj *proxy)
{
    uint64_t when;

    return heap_fail(heap, HD_DEAD, "the target #%llu of proxy #%llu was reclaimed (%s)",
                     (unsigned long long)weak_target_id(proxy), (unsigned long long)proxy->id,
                     weak_cause_name(weak_death(heap, proxy, &when)));
}

enum hd_err obj_through_proxy(struct heap *heap, struct obj *o, struct obj **target)
{
    while (o->type == OBJ_PROXY) {
        struct obj *next = weak_target_peek(heap, o);
        enum hd_err err = heap_work(heap, 1);

        if (err != HD_OK)
            return err;
        if (next == NULL)
            return target_died(heap, o);
        o = next;
    }
    *target = o;
    return HD_OK;
}

/* -- the read-only ones ------------------------------------------------------------------------------------------- */

static enum hd_err dict_of_attributes(struct heap *heap, const struct obj *o, struct obj **out)
{
    struct obj *dict;
    struct obj *key = NULL;
    struct obj *value;
    const char *name;
    size_t len;
    enum hd_err err = heap_work(heap, object_length(o) + 1);

    if (err == HD_OK)
        err = dict_new(heap, OBJ_DICT, 0, &dict);
    if (err != HD_OK)
        return err;
    for (uint64_t cursor = 0; err == HD_OK && object_next(o, &cursor, &name, &len, &value);) {
        err = str_new(heap, name, len, &key);
        if (err == HD_OK)
            err = dict_set(heap, dict, key, value);
        obj_unref(heap, &key);
    }
    if (err != HD_OK)
        obj_unref(heap, &dict);
    else
        *out = dict;
    return err;
}

/* The class of anything; borrowed. */
static struct obj *class_of_any(struct heap *heap, const struct obj *o)
{
    return o->type == OBJ_OBJECT ? &((const struct instance *)o)->class->head : &heap->classes[o->type]->head;
}

/* Sets *out and returns true if the name is one of the read-only attributes that `o` has; *err tells how it went. */
static bool get_special(struct heap *heap, struct obj *o, const char *name, size_t len, struct obj **out,
                        enum hd_err *err)
{
    *err = HD_OK;
    if (is(name, len, "__class__")) {
        *out = obj_ref(class_of_any(heap, o));
    } else if (is(name, len, "__dict__") && o->type == OBJ_OBJECT) {
        *err = dict_of_attributes(heap, o, out);
    } else if (is(name, len, "__self__") && o->type == OBJ_METHOD) {
        *out = obj_ref(method_of(o)->self);
    } else if (is(name, len, "__name__") && o->type == OBJ_METHOD) {
        *err = str_new(heap, method_of(o)->row->name, strlen(method_of(o)->row->name), out);
    } else if (is(name, len, "__name__") && o->type == OBJ_CLASS) {
        *err = str_new(heap, class_of(o)->name->bytes, class_of(o)->name->len, out);
    } else {
        return false;
    }
    return true;
}

static bool is_special(const char *name, size_t len)
{
    return is(name, len, "__class__") || is(name, len, "__dict__") || is(name, len, "__self__") ||
           is(name, len, "__name__");
}

/* -- look-up ------------------------------------------------------------------------------------------------------ */

/* An attribute that is data: the object's own, then its class's; borrowed, NULL if there is none. */
static inline struct obj *peek_attribute(struct heap *heap, const struct obj *o, const char *name, size_t len)
{
    struct obj *value = NULL;

    if (o->type == OBJ_OBJECT) {
        const struct class *class = ((const struct instance *)o)->class;

        value = object_peek(heap, o, name, len);
        return value != NULL ? value : names_peek(heap, &class->attributes, name, len);
    }
    return o->type == OBJ_CLASS ? names_peek(heap, &((const struct class *)o)->attributes, name, len) : NULL;
}

enum hd_err obj_getattr(struct heap *heap, struct obj *o, const char *name, size_t len, struct obj **out)
{
    const struct method_row *row;
    struct obj *value;
    enum hd_err err = obj_through(heap, o, &o);

    if (err != HD_OK || get_special(heap, o, name, len, out, &err))
        return err;
    value = peek_attribute(heap, o, name, len);
    if (value != NULL) {
        *out = obj_ref(value);
        return HD_OK;
    }
    row = kind_find_method(heap, o->type, name, len);
    return row != NULL ? method_new(heap, o, row, out) : no_attribute(heap, o, name, len);
}

/* Instances and clients' classes have attributes of their own. */
static enum hd_err check_writable(struct heap *heap, const struct obj *o, const char *name, size_t len)
{
    if (is_special(name, len))
        return heap_fail(heap, HD_NO_ATTR, "attribute '%.*s' is read-only", (int)len, name);
    if (o->type != OBJ_OBJECT && (o->type != OBJ_CLASS || obj_is_immortal(o)))
        return heap_fail(heap, HD_TYPE, "%s takes no attributes",
                         o->type == OBJ_CLASS ? "a builtin class" : obj_type_name(o->type));
    return HD_OK;
}

enum hd_err obj_setattr(struct heap *heap, struct obj *o, const char *name, size_t len, struct obj *value)
{
    struct obj *old = NULL;
    enum hd_err err = obj_through(heap, o, &o);

    if (err == HD_OK)
        err = check_writable(heap, o, name, len);
    if (err != HD_OK)
        return err;
    if (o->type == OBJ_OBJECT)
        return object_set(heap, o, name, len, value);
    err = names_bind(heap, &class_of(o)->attributes, name, len, value, &old);
    if (err == HD_OK)
        obj_unref(heap, &old);
    return err;
}

enum hd_err obj_delattr(struct heap *heap, struct obj *o, const char *name, size_t len)
{
    struct obj *old;
    enum hd_err err = obj_through(heap, o, &o);

    if (err == HD_OK)
        err = check_writable(heap, o, name, len);
    if (err != HD_OK)
        return err;
    old = o->type == OBJ_OBJECT ? object_remove(heap, o, name, len)
                                : names_unbind(heap, &class_of(o)->attributes, name, len);
    if (old == NULL)
        return no_attribute(heap, o, name, len);
    obj_unref(heap, &old);
    return HD_OK;
}

/* -- calls -------------------------------------------------------------------------------------------------------- */

/* What calling a value as `value(...)` runs: for a bound method its method, for a class `new`. */
static enum hd_err call_of_value(struct heap *heap, struct obj *value, struct obj_call *call)
{
    if (value->type == OBJ_METHOD)
        *call = (struct obj_call){method_of(value)->self, method_of(value)->row};
    else if (value->type == OBJ_CLASS)
        *call = (struct obj_call){value, kind_find_method(heap, OBJ_CLASS, "new", 3)};
    else
        return heap_fail(heap, HD_TYPE, "%s cannot be called", obj_type_name(value->type));
    return HD_OK;
}

/* Calling a bound method calls what it is bound to, whatever the length of the chain. */
static void unwrap(struct obj_call *call)
{
    while (call->self->type == OBJ_METHOD && (call->row->run == method_method_call ||
                                              call->row->run == method_method___call__))
        *call = (struct obj_call){method_of(call->self)->self, method_of(call->self)->row};
}

enum hd_err obj_find_any_call(struct heap *heap, struct obj *o, const char *name, size_t len, struct obj_call *call)
{
    bool is_proxy = o->type == OBJ_PROXY;
    struct obj *value;
    enum hd_err err = obj_through(heap, o, &o);

    if (err != HD_OK)
        return err;
    value = peek_attribute(heap, o, name, len);
    if (value != NULL) {
        err = call_of_value(heap, value, call);
    } else {
        *call = (struct obj_call){o, kind_find_method(heap, o->type, name, len)};
        if (call->row == NULL)
            return no_attribute(heap, o, name, len);
        if (is_proxy && call->row->run == any_method_hash)
            return heap_fail(heap, HD_TYPE, "unhashable type: 'proxy'");
    }
    if (err == HD_OK)
        unwrap(call);
    return err;
}

enum hd_err method_method_call(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                               struct obj **result)
{
    struct obj_call call = {self, kind_find_method(heap, OBJ_METHOD, "call", 4)};

    unwrap(&call);
    return kind_call(heap, call.row, call.self, args, nargs, result);
}

enum hd_err method_method___call__(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                   struct obj **result)
{
    return method_method_call(heap, self, args, nargs, result);
}

enum hd_err class_method_new(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                             struct obj **result)
{
    size_t len;
    const char *name = class_name(self, &len);

    if (obj_is_immortal(self) && class_of(self)->makes != OBJ_OBJECT)
        return builtin_new(heap, (enum obj_type)class_of(self)->makes, args, nargs, result);
    if (nargs > 0)
        return heap_fail(heap, HD_TYPE, "%.*s.new takes no arguments, %u given", (int)(len < 100 ? len : 100), name,
                         nargs);
    return object_new(heap, self, result);
}

/* -- the counter of an object ------------------------------------------------------------------------------------- */

enum hd_err object_method_add(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                              struct obj **result)
{
    struct text *name = text_of(args[0]);
    struct obj *old;
    struct obj *sum;
    enum hd_err err;

    if (args[0]->type != OBJ_STR)
        return heap_fail(heap, HD_TYPE, "the name of an attribute is a str, not %s", obj_type_name(args[0]->type));
    old = peek_attribute(heap, self, name->bytes, name->len);
    err = number_count(heap, old, nargs > 1 ? args[1] : NULL, &sum);
    if (err == HD_OK)
        err = obj_setattr(heap, self, name->bytes, name->len, sum);
    else
        sum = NULL;
    if (err != HD_OK)
        obj_unref(heap, &sum);
    else
        *result = sum;
    return err;
}
