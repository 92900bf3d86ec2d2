/*
 * store/kinds/dict.h - dict and set: a table whose keys are owned references; the values of a set are NULL.
 */
#ifndef HEAPD_STORE_KINDS_DICT_H
#define HEAPD_STORE_KINDS_DICT_H

#include "store/heap.h"
#include "store/table.h"

struct dict {
    struct obj head;
    struct table table;
};

/* An empty dict or set (by type), with room for `capacity` entries. */
enum hd_err dict_new(struct heap *heap, enum obj_type type, uint64_t capacity, struct obj **out);

static inline struct dict *dict_of(struct obj *o)
{
    return (struct dict *)o;
}

/* Position of a key, or TABLE_NONE in *position. TYPE for an unhashable key. `hash` gets its hash, for dict_insert. */
enum hd_err dict_find(struct heap *heap, struct obj *dict, struct obj *key, uint32_t *hash, uint32_t *position);

/* The same for a key whose hash is known. */
enum hd_err dict_find_hashed(struct heap *heap, struct obj *dict, struct obj *key, uint32_t hash, uint32_t *position);

/* The value of a key, borrowed; NULL in *value if it is missing. */
enum hd_err dict_peek(struct heap *heap, struct obj *dict, struct obj *key, struct obj **value);

/* Sets key to value (new references to both; the first key stays). For a set, value is NULL. */
enum hd_err dict_set(struct heap *heap, struct obj *dict, struct obj *key, struct obj *value);

/* Adds a key that is missing, with its hash (new references to both). */
enum hd_err dict_insert(struct heap *heap, struct obj *dict, uint32_t hash, struct obj *key, struct obj *value);

/* Sets all entries of `other`, a dict or an iterable of pairs, as Python's dict.update; or nothing. Charges work. */
enum hd_err dict_update(struct heap *heap, struct obj *dict, struct obj *other);

/* Adds all items of an iterable to a set. On failure those before the offending one are in. Charges work. */
enum hd_err set_add_all(struct heap *heap, struct obj *set, struct obj *items);

/* Takes a pair of an update apart, its element number `index`: anything with exactly two items. Both are owned, and
 * NULL before; on failure the key may be set. TYPE, VALUE. */
enum hd_err dict_split_pair(struct heap *heap, struct obj *pair, uint64_t index, struct obj **key, struct obj **value);

/* An entry of a dict as a new list of its key and value. */
enum hd_err dict_pair(struct heap *heap, const struct table_entry *entry, struct obj **out);

/* KEY with a text that names the key. */
enum hd_err dict_missing(struct heap *heap, const struct obj *dict, const struct obj *key);

/* Builds the table anew with the hashes that its keys have now. VALUE if two are equal, TYPE if one is unhashable. */
enum hd_err dict_rehash(struct heap *heap, struct obj *dict);

/* Removes the entry at a position and gives its references to the caller. Never fails, never allocates. */
void dict_remove(struct heap *heap, struct obj *dict, uint32_t position, struct obj **key, struct obj **value);

/* Drops all entries, large ones in slices by the step. Never allocates. */
void dict_clear(struct heap *heap, struct obj *dict);

#endif
