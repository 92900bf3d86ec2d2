/*
 * store/obj.h - what every object begins with, and its reference count.
 *
 * The ownership convention (docs/architecture.md) in short: a `struct obj *` parameter is borrowed; _new, _get, _copy
 * and out parameters give an owned reference; _peek a borrowed one; _take and obj_unref consume and set the pointer to
 * NULL.
 *
 * Invariant: an object's count is the number of strong names, container slots, handles and pins that refer to it. At
 * zero it is dead: freed, or in the dying queue of its step, its weakrefs cleared, reachable by nobody.
 */
#ifndef HEAPD_STORE_OBJ_H
#define HEAPD_STORE_OBJ_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

enum obj_type {
#define TYPE(code, NAME, name, is_container, meaning) OBJ_##NAME = (code),
#include "protocol/types.def"
#undef TYPE
    OBJ_TYPES
};

enum obj_flag {
    OBJ_IMMORTAL = 1,  /* not counted, never dies */
    OBJ_HAS_WEAK = 2,  /* store/weak.h has a list of weak references to it */
    OBJ_DYING = 4,     /* count fell to zero; `next` has taken the place of `id` */
    OBJ_ON_PATH = 8,   /* an iterative walk is inside it now; clear between requests */
    OBJ_ASCII = 16,    /* str: one byte a code point */
    OBJ_SHORT = 16,    /* int, bool: the value stands in the header, in `aux` and `more` */
    OBJ_OWN_NAMES = 32, /* object: attributes in a table of its own, not in its class's layout */
    OBJ_LOAN = 32,     /* str: not in the heap, see store/kinds/atoms.h */
    OBJ_GREY = 64,     /* on the collector's stack */
    OBJ_EMPTIED = 128  /* collected, its references are dropped; others of its cycle may still refer to it */
};

/* The type of a freed container whose block the collector's stack still names. */
#define OBJ_BURIED 0xfe

struct heap;

/* Ids stay below 2^53, so that every client's numbers can hold them: at ten million objects a second for 28 years. */
#define OBJ_ID_BITS 53
#define OBJ_ID_MAX ((UINT64_C(1) << OBJ_ID_BITS) - 1)
#define OBJ_MORE_BITS (64 - OBJ_ID_BITS)
#define OBJ_MORE_MAX ((UINT64_C(1) << OBJ_MORE_BITS) - 1)

struct obj {
    uint32_t count;
    uint8_t type;  /* enum obj_type, or POOL_FREE in a free block */
    uint8_t flags; /* enum obj_flag */
    uint16_t aux;  /* the kind's own: object: values in use of the class's layout; int: 16 bits of a short one */
    union {
        struct {
            uint64_t id : OBJ_ID_BITS;     /* unique for the life of the heap, from 1 */
            uint64_t more : OBJ_MORE_BITS; /* the kind's own: int: the bits above `aux` of a short one */
        };
        struct obj *next;  /* in a dying queue */
    };
};

_Static_assert(sizeof(struct obj) == 16, "the header is 16 bytes");

/* Bulk references stop here (LIMIT); the room above is for the single ones of names, handles and pins. */
#define OBJ_COUNT_MAX UINT32_C(0xf0000000)

static inline bool obj_is_immortal(const struct obj *o)
{
    return (o->flags & OBJ_IMMORTAL) != 0;
}

/* One more reference, always granted: for holders that come one at a time. Returns o. */
static inline struct obj *obj_ref(struct obj *o)
{
    if (!obj_is_immortal(o)) {
        assert(o->count < UINT32_MAX);
        o->count++;
    }
    return o;
}

/* True if `o` may be referred to once more by a slot: false at OBJ_COUNT_MAX. Containers check it before they store. */
static inline bool obj_can_ref(const struct obj *o)
{
    return obj_is_immortal(o) || o->count < OBJ_COUNT_MAX;
}

/* The count fell to zero: clears weak references, queues `o` in the heap's current step; or frees it at once, if it
 * refers to nothing and nobody has to be told. store/step.c */
void obj_die(struct heap *heap, struct obj *o);

#endif
