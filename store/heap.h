/*
 * store/heap.h - one heap: its objects, limits, statistics, and the text of its last error.
 *
 * No sockets, no frames: the heap can be embedded and tested alone, and two of them can live in one process. Nothing
 * here is safe for several threads at once.
 */
#ifndef HEAPD_STORE_HEAP_H
#define HEAPD_STORE_HEAP_H

#include <locale.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/err.h"
#include "store/mem.h"
#include "store/obj.h"
#include "store/pool.h"
#include "store/table.h"

struct step;
struct class;
struct gc;
struct name;
struct ledger;

#define HEAP_SMALL_INT_MIN (-5)
#define HEAP_SMALL_INT_MAX 256
#define HEAP_SMALL_INTS (HEAP_SMALL_INT_MAX - HEAP_SMALL_INT_MIN + 1)
#define HEAP_ERROR_TEXT 256

/* Where the methods of the builtin types are found by name; store/kind.c fills it. */
#define KIND_PLACE_BITS 10
#define KIND_PLACES (1u << KIND_PLACE_BITS)
#define KIND_NAME_MAX 32

struct kind_index {
    uint16_t at[KIND_PLACES];       /* row + 1; 0: none */
    const struct method_row *recent; /* the method that was found last: often it is asked for again, */
    uint8_t recent_type;             /* of this type */
    uint64_t words[KIND_PLACES / 2]; /* by row: the beginning of the name */
};

struct heap {
    struct pool *pool;
    const struct mem *mem;
    uint64_t next_id;         /* of the next object */
    struct step *step;        /* where objects that die now are queued; never NULL while requests run */
    uint64_t work_limit;      /* units of one unsliced method */
    uint64_t work_left;       /* of the running one */
    uint64_t hash_key[2];     /* random, per heap */
    struct table weak_heads;  /* large object -> its first weak reference; store/weak.c */
    uint64_t live[OBJ_TYPES]; /* mortal objects by type */
    uint64_t made;            /* objects made since the start */
    uint64_t died;            /* and those of them that died and were freed */
    uint64_t containers;      /* mortal objects that refer to others */
    uint64_t frozen_below;    /* objects with ids below it are not to be changed (daemon/freeze.h); 0: none */
    bool is_marking;          /* references that go are shown: to the collector, and to ledgers */
    struct gc *gc;
    struct ledger *ledgers;   /* of long looks at the heap that are under way; store/ledger.h */
    uint64_t (*now_ns)(void *context); /* for the time of a death */
    void *now_context;
    /* A weak binding of the namespace `holder` has expired: it is unbound already. Called while objects die: it must
     * leave the heap alone. Set by the heap's owner, or NULL. */
    void (*name_expired)(void *context, struct obj *holder, const struct name *name, uint64_t id);
    void *expired_context;
    locale_t letters;         /* C.UTF-8, for the case of letters; 0 if the C library has none */
    char error_text[HEAP_ERROR_TEXT];  /* of the last failure: a sentence that names the offending thing */

    struct kind_index methods;
    struct obj *nil, *yes, *no;       /* immortal */
    struct obj *empty_str, *empty_bytes, *empty_tuple;
    struct obj *small_ints[HEAP_SMALL_INTS];
    struct class *classes[OBJ_TYPES]; /* the builtin classes */
};

struct heap_config {
    const struct mem *mem;    /* NULL: mem_libc */
    uint64_t memory_limit;    /* bytes */
    uint64_t work_limit;      /* 1 ... 2^27 */
    uint64_t (*now_ns)(void *context);
    void *now_context;
};

/* NULL without memory. */
struct heap *heap_open(const struct heap_config *config);

/* Frees every object. Names, handles and namespaces that refer into the heap must be gone. */
void heap_close(struct heap *heap);

/* Sets the error text: printf-like, cut at HEAP_ERROR_TEXT, control characters as they are. */
void heap_set_error(struct heap *heap, const char *format, ...) __attribute__((format(printf, 2, 3), cold));

/* Sets the error text and is `err`: a macro, so that an analyzer sees that a failure is never HD_OK. */
#define heap_fail(heap, err, ...) (heap_set_error((heap), __VA_ARGS__), (err))

/* The usual failure of an allocation: NO_MEMORY with its text; LIMIT if what stopped it is a ceiling of the pool's. */
enum hd_err heap_no_memory(struct heap *heap);

/* An object at OBJ_COUNT_MAX references: LIMIT with its text. */
enum hd_err heap_count_full(struct heap *heap, const struct obj *o);

/* A new budget of limits.work units: at the start of each request. */
static inline void heap_work_start(struct heap *heap)
{
    heap->work_left = heap->work_limit;
}

/* LIMIT with its text: the budget is used up. */
enum hd_err heap_work_over(struct heap *heap) __attribute__((cold));

/* Charges `units` (objects or elements touched or made); LIMIT when the budget is used up. Charge before allocating. */
static inline enum hd_err heap_work(struct heap *heap, uint64_t units)
{
    if (units > heap->work_left)
        return heap_work_over(heap);
    heap->work_left -= units;
    return HD_OK;
}

/*
 * A new object of `size` bytes: count 1, type, id set; the rest is the caller's to fill. NULL without memory: the
 * caller returns heap_no_memory(). Counted in `live`. Containers become visible to the collector at once.
 */
struct obj *heap_new(struct heap *heap, enum obj_type type, size_t size);

/* Frees an object's own block; nothing that it refers to. */
void heap_free(struct heap *heap, struct obj *o, size_t size);

/* Somebody goes through the heap in slices (is_marking), and a reference to `o` went that he may not have seen.
 * store/gc.c */
void gc_shade(struct heap *heap, struct obj *o);

/* Drops the caller's reference and sets its pointer to NULL; NULL is fine. What it was the last one to is dead: not to
 * be looked at any more (obj_die). Never recurses. */
static inline void obj_unref(struct heap *heap, struct obj **ref)
{
    struct obj *o = *ref;

    *ref = NULL;
    if (o == NULL || obj_is_immortal(o))
        return;
    assert(o->count > 0);
    if (--o->count == 0)
        obj_die(heap, o);
    else if (heap->is_marking)
        gc_shade(heap, o);
}

/* True for types whose objects refer to others. */
static inline bool obj_type_is_container(unsigned type)
{
    const uint32_t containers = 0 /* a bit for each type */
#define TYPE(code, NAME, name, is_container, meaning) | (uint32_t)(is_container) << (code)
#include "protocol/types.def"
#undef TYPE
        ;

    return (containers >> type & 1) != 0;
}

/* "list", ... */
const char *obj_type_name(unsigned type);

#endif
