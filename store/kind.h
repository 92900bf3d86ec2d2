/*
 * store/kind.h - what differs between types: one row of operations per type, one file per type in store/kinds/.
 */
#ifndef HEAPD_STORE_KIND_H
#define HEAPD_STORE_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/err.h"
#include "store/bytes.h"
#include "store/heap.h"
#include "store/obj.h"

/* Where a container holds a reference: the kinds of protocol.md's `referrers` rows. */
enum slot_kind { SLOT_ELEMENT, SLOT_ENTRY, SLOT_KEY, SLOT_ATTRIBUTE, SLOT_CLASS, SLOT_SELF };

struct slot {
    enum slot_kind kind;
    struct obj *target; /* borrowed */
    uint64_t index;     /* SLOT_ELEMENT: position */
    struct obj *key;    /* SLOT_ENTRY of a dict: its key, borrowed */
    const char *name;   /* SLOT_ATTRIBUTE: not terminated, `name_len` bytes */
    size_t name_len;
};

/* Answers false to stop the walk. */
typedef bool slot_fn(void *arg, const struct slot *slot);

struct kind {
    /*
     * Calls `visit` for counting references, first to last, from *cursor on (0 at first, then the kind's own), for
     * about *budget of them (counting down). True when it came to the end; false if the budget ended first, or if
     * `visit` answered false. What stays in place between two calls is visited once. NULL: refers to nothing.
     */
    bool (*traverse)(struct obj *o, uint64_t *cursor, size_t *budget, slot_fn *visit, void *arg);

    /*
     * Drops references of a dead object, first to last, at most *budget of them (counting down); `cursor` starts at 0
     * and is the kind's own. True when all are dropped. NULL: refers to nothing.
     */
    bool (*drop)(struct heap *heap, struct obj *o, uint64_t *cursor, size_t *budget);

    /* Frees the object's storage and block; its references are dropped already. Never allocates. */
    void (*free)(struct heap *heap, struct obj *o);

    /* Bytes of the object itself, with its own storage, as allocated. */
    size_t (*bytes)(const struct obj *o);

    /* Elements, code points, attributes; NULL: has no length. */
    uint64_t (*length)(const struct obj *o);
};

extern const struct kind *const kind_rows[OBJ_TYPES];

static inline const struct kind *kind_of(const struct obj *o)
{
    return kind_rows[o->type];
}

/* Visits every counting reference of `o`; false if `visit` answered false. */
bool obj_traverse(struct obj *o, slot_fn *visit, void *arg);

/*
 * A method of a builtin type. `args` are `nargs` borrowed references, their number already checked against the row.
 * On success *result is an owned reference (the immortal nil for none). On failure nothing has changed.
 */
typedef enum hd_err method_fn(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                              struct obj **result);

struct method_row {
    const char *name;
    method_fn *run;
    /* For methods that change something and return an element: what they would return, nothing changed; else NULL. */
    method_fn *peek;
    uint8_t least, most; /* arguments */
    uint8_t name_len;
    uint8_t owner;       /* whose it is: kind.c's own */
    bool takes_loan;     /* the first argument may be a loan (store/kinds/atoms.h) */
};

/* The same as kind_find_method, of any method. */
const struct method_row *kind_look_up(struct heap *heap, unsigned type, const char *name, size_t len);

/* The row of `type`'s method with this name, those that all types share included; NULL: no such method. In line for the
 * one that was found last. */
static inline const struct method_row *kind_find_method(struct heap *heap, unsigned type, const char *name, size_t len)
{
    const struct kind_index *index = &heap->methods;
    const struct method_row *row = index->recent;

    if (index->recent_type == type && row->name_len == len && bytes_are_same(row->name, name, len))
        return row;
    return kind_look_up(heap, type, name, len);
}

/* Whether it is a method that all types have. */
static inline bool kind_is_common(const struct method_row *row)
{
    return row->owner == 0;
}

/* Whether a method of a container changes it. */
bool kind_changes(const struct obj *self, const struct method_row *row);

/* Fills a heap's index of these rows. */
void kind_index_init(struct kind_index *index);

/* TYPE with the text that a wrong number of arguments has. */
enum hd_err kind_bad_nargs(struct heap *heap, const struct method_row *row, const struct obj *self, unsigned nargs);

/* Calls a method of a builtin type by row: checks the number of arguments (TYPE), then runs it. */
static inline enum hd_err kind_call(struct heap *heap, const struct method_row *row, struct obj *self,
                                    struct obj *const *args, unsigned nargs, struct obj **result)
{
    if (nargs < row->least || nargs > row->most)
        return kind_bad_nargs(heap, row, self, nargs);
    return row->run(heap, self, args, nargs, result);
}

#endif
