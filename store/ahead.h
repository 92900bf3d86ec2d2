/*
 * store/ahead.h - look-ups that are about to happen: the memory that they will touch is asked for before it is needed.
 *
 * A look-up among a million entries waits for memory at each of its steps: the slot of the index, the entry, the key and
 * the value. The three functions here read each what the one before it has asked for. Called one after another they gain
 * nothing; but called in turn for several look-ups, these wait together. Nothing is changed by them, and what was
 * foreseen wrongly, or has changed until it is looked up, costs a little time.
 */
#ifndef HEAPD_STORE_AHEAD_H
#define HEAPD_STORE_AHEAD_H

#include "store/table_index.h"

#define AHEAD_LEAST 65536u /* entries: of fewer the processor's caches keep what is in use */

struct ahead {
    const struct table *table;
    const struct table_entry *entry; /* NULL: there is none, or not found yet */
    uint32_t hash;
};

static inline bool ahead_is_worth(const struct table *table)
{
    return table->used >= AHEAD_LEAST;
}

/* The look-up of a key with this hash, in a table of AHEAD_LEAST entries or more: asks for the slot. */
static inline void ahead_begin(struct ahead *ahead, const struct table *table, uint32_t hash)
{
    *ahead = (struct ahead){.table = table, .hash = hash};
    __builtin_prefetch(&table->index->now.at[hash & table->index->now.mask]);
}

/* Reads the slot, asks for the entry. The rest of a chain of slots lies beside it. */
static inline void ahead_entry(struct ahead *ahead)
{
    const struct slots *slots = &ahead->table->index->now;
    uint32_t slot;

    for (uint32_t i = ahead->hash & slots->mask; (slot = slots->at[i]) != SLOT_EMPTY; i = (i + 1) & slots->mask)
        if (slots_agree(slots, slot, ahead->hash) && (slot & slots->places) - 1 < ahead->table->used) {
            ahead->entry = &ahead->table->entries[(slot & slots->places) - 1];
            __builtin_prefetch(ahead->entry);
            return;
        }
}

/* Reads the entry, asks for the beginnings of key and value. */
static inline void ahead_content(const struct ahead *ahead)
{
    if (ahead->entry == NULL)
        return;
    __builtin_prefetch(ahead->entry->key);
    __builtin_prefetch(ahead->entry->value);
}

#endif
