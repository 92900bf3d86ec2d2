/*
 * store/ahead.h - look-ups that are about to happen: the memory that they will touch is asked for before it is needed.
 *
 * A look-up among a million entries waits for memory at each of its steps: the slot of the index, the entry, the key
 * and the value. The three functions here read each what the one before it has asked for. Called one after another they
 * gain nothing; but called in turn for several look-ups, these wait together. Nothing is changed by them, and what was
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

static inline void ahead_ask_slot(const struct slots *slots, uint32_t hash)
{
    __builtin_prefetch(&slots->at[hash & slots->mask]);
}

/* The look-up of a key with this hash, in a table of AHEAD_LEAST entries or more: asks for the slot. */
static inline void ahead_begin(struct ahead *ahead, const struct table *table, uint32_t hash)
{
    *ahead = (struct ahead){table, NULL, hash};
    ahead_ask_slot(&table->index->now, hash);
    if (table->index->is_rebuilding)
        ahead_ask_slot(&table->index->old, hash);
}

/* The first entry that a slot with bits of this hash names, NULL if there is none. The rest of a chain of slots lies
 * beside its first one. */
static inline const struct table_entry *ahead_find(const struct table *table, const struct slots *slots, uint32_t hash)
{
    uint32_t slot;

    for (uint32_t i = hash & slots->mask; (slot = slots->at[i]) != SLOT_EMPTY; i = (i + 1) & slots->mask) {
        uint32_t position = (slot & slots->places) - 1;

        if (slots_agree(slots, slot, hash) && position < table->used)
            return &table->entries[position];
    }
    return NULL;
}

/* Reads the slot, asks for the entry. */
static inline void ahead_entry(struct ahead *ahead)
{
    const struct table_index *index = ahead->table->index;

    ahead->entry = ahead_find(ahead->table, &index->now, ahead->hash);
    if (ahead->entry == NULL && index->is_rebuilding)
        ahead->entry = ahead_find(ahead->table, &index->old, ahead->hash);
    if (ahead->entry != NULL)
        __builtin_prefetch(ahead->entry);
}

/* Reads the entry, asks for the beginnings of key and value. No more than these two, and nothing depends on what was
 * read: with more under way at once, or with a branch here, look-ups took twice as long. */
static inline void ahead_content(const struct ahead *ahead)
{
    if (ahead->entry == NULL)
        return;
    __builtin_prefetch(ahead->entry->key);
    __builtin_prefetch(ahead->entry->value);
}

#endif
