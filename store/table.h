/*
 * store/table.h - a hash table in order of insertion: dicts, sets, names, attributes, weak reference heads.
 *
 * Entries stand in one vector in order of insertion; beyond TABLE_PLAIN_MAX of them an open-addressing index of
 * positions finds them by hash (the layout is that of CPython's dict since 3.6, by R. Hettinger). Growing, shrinking
 * and closing holes is one incremental operation, the rebuild: each call that changes the table moves a few entries, so
 * no request ever pays for a rehash of ten million.
 *
 * The table owns its storage, not what keys and values refer to: counting is its user's. Removing never allocates.
 *
 * Invariants (table_check):
 * - entries[0, used) are live or holes (key NULL); `live` counts the live ones.
 * - a live entry's position is in the index, or, while a rebuild has not reached it, in the old index.
 * - orders strictly increase along the vector.
 */
#ifndef HEAPD_STORE_TABLE_H
#define HEAPD_STORE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct obj;
struct pool;
struct table_index;

struct table_entry {
    void *key;        /* NULL: a hole */
    struct obj *value;
    uint32_t hash;
    uint32_t order;   /* grows along the vector, survives moves: what a scan's cursor names */
};

struct table {
    struct table_entry *entries;
    struct table_index *index; /* NULL up to TABLE_PLAIN_MAX entries */
    uint32_t used;             /* positions in use, holes included */
    uint32_t live;
    uint32_t capacity;
    uint32_t next_order;
};

#define TABLE_NONE UINT32_MAX
#define TABLE_PLAIN_MAX 8
#define TABLE_MAX UINT32_C(0x7ffffff0) /* entries */

/* True if `key` is the one looked for. */
typedef bool table_match_fn(void *arg, const void *key);

void table_init(struct table *table);

/* Frees storage; the table is empty and usable again. */
void table_fini(struct pool *pool, struct table *table);

/* Position of the entry with this hash whose key matches, or TABLE_NONE. */
uint32_t table_find(const struct table *table, uint32_t hash, table_match_fn *match, void *arg);

/* Room for `more` insertions that then cannot fail. False without memory or beyond TABLE_MAX. Also goes on with a
 * rebuild. */
bool table_reserve(struct pool *pool, struct table *table, uint32_t more);

/* Appends an entry after table_reserve; the key must be missing. Returns its position. */
uint32_t table_insert(struct pool *pool, struct table *table, uint32_t hash, void *key, struct obj *value);

/* Makes the entry at `position` a hole. Never allocates. Positions of others may change (a rebuild goes on). A large
 * table of which little is left is noted for table_shrink. */
void table_remove(struct pool *pool, struct table *table, uint32_t position);

/* A table of which an eighth or less is left is given storage of the right size, when there is time for it: goes on
 * with one of those that were noted, past about `budget` positions. Without memory it stays as it is. False: there was
 * none. Any table may move its entries by it: see table_unnote. */
bool table_shrink(struct pool *pool, uint32_t budget);
bool table_any_noted(struct pool *pool);

/* From here on this table is only taken apart, by position: it is not shrunk any more. */
void table_unnote(struct pool *pool, struct table *table);

/* First live position at or after `position`, or TABLE_NONE. Amortised constant, leading holes included. */
uint32_t table_next(const struct table *table, uint32_t position);

/*
 * Cursors of walks that stop and go on later while the table changes: 0 at first, then table_cursor of the next entry,
 * or that of the last one seen plus 1. What stays in the table throughout is met exactly once; table_seek finds where
 * to go on in logarithmic time. While orders are being numbered anew, once in 2^31 insertions, no cursor holds: a walk
 * then begins again, and must go to the end in one go (table_is_renewing).
 */
uint32_t table_seek(const struct table *table, uint64_t cursor); /* a live position, or TABLE_NONE */
uint64_t table_cursor(const struct table *table, uint32_t position);
bool table_is_renewing(const struct table *table);

/* Last live position, or TABLE_NONE. */
uint32_t table_last(const struct table *table);

/* Bytes of storage, as allocated. */
size_t table_bytes(const struct table *table);

/* 0 if the invariants hold, else the line number of the breach. */
int table_check(const struct table *table);

#endif
