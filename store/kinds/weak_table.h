/*
 * store/kinds/weak_table.h - weakdict, weakkeydict and weakset: containers whose entries go with their objects.
 *
 * An entry is a weak link: to the value of a weakdict, to the key of a weakkeydict, to the element of a weakset. What
 * else it is made of, the key of a weakdict and the value of a weakkeydict, it holds strongly. When the object dies,
 * its entries leave their tables at that moment (weak_entry_expire), and what they held is dropped in the step of the
 * death.
 *
 * Keys of a weakdict are compared as those of a dict. Keys of a weakkeydict are compared by identity, so that any
 * mortal object can be one. Elements of a weakset are compared as those of a set; what is unhashable, by identity.
 *
 * Entries come in order of insertion, and keep it when others vanish. What the collector has condemned is no longer
 * there.
 */
#ifndef HEAPD_STORE_KINDS_WEAK_TABLE_H
#define HEAPD_STORE_KINDS_WEAK_TABLE_H

#include "store/heap.h"
#include "store/table.h"
#include "store/weak.h"

struct weak_table;

struct weak_entry {
    struct weak_link link;        /* WEAK_ENTRY */
    struct obj *strong;           /* owned; NULL in a weakset */
    union {
        struct weak_table *table; /* it stands in */
        uintptr_t next_dying;     /* in a dying queue, once its object is dead */
    };
};

/* A block of its own, so that a full one can be cut off and dropped in slices while its entries still lead to it. */
struct weak_table {
    struct table entries;         /* keys: struct weak_entry, owned; values NULL */
    uintptr_t next_dying;         /* in a dying queue, once it is cut off */
};

struct weak_container {
    struct obj head;
    struct weak_table *table;     /* owned; NULL: empty */
};

static inline struct weak_container *weak_container_of(struct obj *o)
{
    return (struct weak_container *)o;
}

static inline bool is_weak_container(const struct obj *o)
{
    return o->type == OBJ_WEAKDICT || o->type == OBJ_WEAKKEYDICT || o->type == OBJ_WEAKSET;
}

/* An empty one, by type. */
enum hd_err weak_container_new(struct heap *heap, enum obj_type type, struct obj **out);

/* A new one with the same entries. Charges work. */
enum hd_err weak_container_copy(struct heap *heap, struct obj *o, struct obj **out);

/* The living entry of a key, or of an element of a weakset; NULL: there is none. Borrowed, until something changes.
 * TYPE for an unhashable key of a weakdict. */
enum hd_err weak_container_find(struct heap *heap, struct obj *o, struct obj *key, struct weak_entry **entry);

/* What the entry refers to weakly, borrowed: take a reference before anything is dropped. */
struct obj *weak_entry_peek(struct heap *heap, const struct weak_entry *entry);

/* Sets a key to a value, in its old place if it was there; of a weakset, adds `key` and `value` is NULL. TYPE if what
 * would be referred to weakly is immortal. */
enum hd_err weak_container_set(struct heap *heap, struct obj *o, struct obj *key, struct obj *value);

/* Sets all entries of a dict or weak one, or of an iterable of pairs; adds all items of an iterable to a weakset. On
 * failure those before the offending one are in. Charges work. */
enum hd_err weak_container_update(struct heap *heap, struct obj *o, struct obj *other);

/* Removes an entry and drops what it held. Never allocates. */
void weak_container_remove(struct heap *heap, struct weak_entry *entry);

/* Drops all entries, in slices by the step. Never allocates. */
void weak_container_clear(struct heap *heap, struct obj *o);

/* Living entries. Constant time, but while the collector clears what it condemned. */
uint64_t weak_container_length(const struct heap *heap, const struct obj *o);

/* The entries in order: *position is 0 at first. False at the end. Both borrowed; the value is NULL in a weakset. */
bool weak_container_next(struct heap *heap, struct obj *o, uint32_t *position, struct obj **key, struct obj **value);

/* The table behind it; an empty one if it has none. */
const struct table *weak_container_table(const struct obj *o);

/* Key and value of one entry of it; false if its object is dead. */
bool weak_entry_parts(struct heap *heap, const struct obj *o, const struct weak_entry *entry, struct obj **key,
                      struct obj **value);

/* -- for the step ------------------------------------------------------------------------------------------------- */

/* The entry's object dies in this step, and its link is cleared. Never allocates, never drops a reference. */
void weak_entry_expire(struct heap *heap, struct weak_link *link, struct step *step);

/* Drops what an entry that stands nowhere held, and frees it. */
void weak_entry_drop(struct heap *heap, struct weak_entry *entry);

/* Drops entries, at most *budget (counting down). True when none is left. */
bool weak_table_drop(struct heap *heap, struct weak_table *table, size_t *budget);

/* Frees a table without entries. */
void weak_table_free(struct heap *heap, struct weak_table *table);

#endif
