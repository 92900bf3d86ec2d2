/*
 * store/kinds/vector.h - the references of most containers, as they lie in memory: for walks that look ahead.
 */
#ifndef HEAPD_STORE_KINDS_VECTOR_H
#define HEAPD_STORE_KINDS_VECTOR_H

#include "store/kinds/dict.h"
#include "store/kinds/object.h"
#include "store/kinds/sequence.h"

/* The references of a list, a tuple, or an instance that has the layout of its class, but for its class; NULL for all
 * others, and for some that are empty. A reference may be NULL. */
static inline struct obj **obj_vector(struct obj *o, uint32_t *len)
{
    if (o->type == OBJ_LIST || o->type == OBJ_TUPLE)
        return sequence_items(o, len);
    if (o->type != OBJ_OBJECT || (o->flags & OBJ_OWN_NAMES) != 0)
        return NULL;
    *len = o->aux;
    return instance_of(o)->values;
}

/* Where these references lie, or those of a dict or set; NULL for all others. */
static inline const void *obj_storage(struct obj *o)
{
    uint32_t len;

    return o->type == OBJ_DICT || o->type == OBJ_SET ? (const void *)dict_of(o)->table.entries : obj_vector(o, &len);
}

#endif
