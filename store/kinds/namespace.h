/*
 * store/kinds/namespace.h - a namespace as an object: its names live as long as somebody refers to it.
 */
#ifndef HEAPD_STORE_KINDS_NAMESPACE_H
#define HEAPD_STORE_KINDS_NAMESPACE_H

#include "store/heap.h"
#include "store/names.h"

struct watches;

struct space {
    struct obj head;
    struct names names;
    struct name *name;   /* owned */
    uint32_t recent;     /* where the name was that was a target last: often it is one again */
    struct watches *watches; /* who is told of changes, the daemon's own; NULL: nobody */
    bool is_private;     /* the `session` namespace of one session */
    bool is_readonly;    /* `builtins` */
};

/* A new, empty namespace. */
enum hd_err space_new(struct heap *heap, const char *name, size_t len, struct obj **out);

static inline struct space *space_of(struct obj *o)
{
    return (struct space *)o;
}

#endif
