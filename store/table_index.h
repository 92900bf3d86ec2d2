/*
 * store/table_index.h - how an entry of a table is found by its hash: for table.c, which keeps the index, and for those
 * whose look-ups are worth having in line.
 *
 * A slot of the index is one word: below, as many bits as positions need, a position plus 1; above, what is left of the
 * entry's hash. So a slot of another entry is passed over without touching that entry, which would be a cache miss.
 */
#ifndef HEAPD_STORE_TABLE_INDEX_H
#define HEAPD_STORE_TABLE_INDEX_H

#include "store/table.h"

#define SLOT_EMPTY 0u
#define SLOT_GONE UINT32_MAX /* its position is one that no entry has */

struct slots {
    uint32_t *at;    /* mask + 1 of them; NULL: none */
    uint32_t mask;
    uint32_t places; /* mask of a slot's position: each position plus 1 is below it */
    uint32_t fill;   /* slots that are not SLOT_EMPTY */
};

struct table_index {
    struct slots now;
    struct slots old;      /* while rebuilding, and if there was one; else the next one, if it is being made ready */
    size_t ready;          /* bytes of the next one that are */
    uint32_t first;        /* positions below it are holes; never beyond `write` while rebuilding */
    uint32_t read, write;
    uint32_t old_end;
    uint32_t waiting;      /* entries that the rebuild has yet to take from the old index */
    bool is_rebuilding;
    bool is_noted;         /* in pool_sparse */
    bool renews_orders;    /* orders came near their end: this rebuild numbers entries anew */
    uint32_t renewals;     /* beginnings and ends of such rebuilds */
};

/* True if the slot may be that of an entry with this hash. */
static inline bool slots_agree(const struct slots *slots, uint32_t slot, uint32_t hash)
{
    return ((slot ^ hash) & ~slots->places) == 0;
}

static inline __attribute__((always_inline)) bool entry_matches(const struct table_entry *entry, uint32_t hash,
                                                                table_match_fn *match, void *arg)
{
    if (entry->hash != hash || entry->key == NULL)
        return false;
    __builtin_prefetch(entry->value); /* wanted next, most likely: so it comes together with the key */
    return match(arg, entry->key);
}

static inline __attribute__((always_inline)) uint32_t slots_find(const struct table *table, const struct slots *slots,
                                                                 uint32_t hash, table_match_fn *match, void *arg)
{
    uint32_t slot;

    for (uint32_t i = hash & slots->mask; (slot = slots->at[i]) != SLOT_EMPTY; i = (i + 1) & slots->mask) {
        uint32_t position = (slot & slots->places) - 1;

        if (slots_agree(slots, slot, hash) && position < table->used &&
            entry_matches(&table->entries[position], hash, match, arg))
            return position;
    }
    return TABLE_NONE;
}

/* table_find, in line with a `match` that the compiler sees. */
static inline __attribute__((always_inline)) uint32_t table_find_inline(const struct table *table, uint32_t hash,
                                                                        table_match_fn *match, void *arg)
{
    const struct table_index *index = table->index;
    uint32_t position;

    if (index != NULL) {
        position = slots_find(table, &index->now, hash, match, arg);
        if (position == TABLE_NONE && index->is_rebuilding)
            position = slots_find(table, &index->old, hash, match, arg);
        return position;
    }
    for (position = 0; position < table->used; position++)
        if (entry_matches(&table->entries[position], hash, match, arg))
            return position;
    return TABLE_NONE;
}

#endif
