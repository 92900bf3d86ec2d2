/*
 * store/attr.h - attributes and calls on any object: where a name after a dot leads.
 *
 * Look-up goes, as in Python, to the object's own attributes, its class's, its type's methods (which come as bound
 * methods). Proxies lead to their target; a dead one is DEAD.
 */
#ifndef HEAPD_STORE_ATTR_H
#define HEAPD_STORE_ATTR_H

#include "store/heap.h"
#include "store/kind.h"

struct method_row;

/* What operations on `o` work on: a proxy's target, through any number of proxies, else `o` itself; borrowed. DEAD for
 * a dead proxy; LIMIT beyond the work budget. */
enum hd_err obj_through_proxy(struct heap *heap, struct obj *o, struct obj **target);

static inline enum hd_err obj_through(struct heap *heap, struct obj *o, struct obj **target)
{
    if (o->type == OBJ_PROXY)
        return obj_through_proxy(heap, o, target);
    *target = o;
    return HD_OK;
}

/* NO_ATTR if there is none. `__class__`, `__dict__` (a new dict), `__self__` and `__name__` as in Python. */
enum hd_err obj_getattr(struct heap *heap, struct obj *o, const char *name, size_t len, struct obj **out);

/* Instances and classes that clients made take attributes: TYPE for others, NO_ATTR for the read-only ones. */
enum hd_err obj_setattr(struct heap *heap, struct obj *o, const char *name, size_t len, struct obj *value);

/* NO_ATTR if the attribute is missing or read-only. Never allocates. */
enum hd_err obj_delattr(struct heap *heap, struct obj *o, const char *name, size_t len);

/* One call, resolved: what runs on what. */
struct obj_call {
    struct obj *self;             /* borrowed */
    const struct method_row *row;
};

/* The same as obj_find_call, of any object. */
enum hd_err obj_find_any_call(struct heap *heap, struct obj *o, const char *name, size_t len, struct obj_call *call);

/* Finds what `o.name(...)` calls: a method of its type, or an attribute that is a bound method or a class. Iterative
 * through chains of bound methods. NO_ATTR, DEAD, or TYPE for an attribute that cannot be called. In line for what is
 * called most: containers without attributes. */
static inline enum hd_err obj_find_call(struct heap *heap, struct obj *o, const char *name, size_t len,
                                        struct obj_call *call)
{
    if (o->type >= OBJ_OBJECT)
        return obj_find_any_call(heap, o, name, len, call);
    *call = (struct obj_call){o, kind_find_method(heap, o->type, name, len)};
    return call->row != NULL ? HD_OK : obj_find_any_call(heap, o, name, len, call);
}

#endif
