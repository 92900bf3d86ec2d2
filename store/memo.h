/*
 * store/memo.h - from objects to numbers, for walks over a graph that meet objects again.
 *
 * Numbers stand side by side as their objects do in memory, 256 in a region: what was made together is met together,
 * and a hundred thousand objects fit in a cache with room to spare. An object is at least 16 bytes, so two never have
 * one place.
 */
#ifndef HEAPD_STORE_MEMO_H
#define HEAPD_STORE_MEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/obj.h"

struct pool;

#define MEMO_REGION_BITS 12 /* of an address: a region is 4 KiB of memory */
#define MEMO_OBJECT_BITS 4
#define MEMO_NUMBERS (1u << (MEMO_REGION_BITS - MEMO_OBJECT_BITS))

struct memo_region {
    uintptr_t region;  /* address >> MEMO_REGION_BITS */
    uint32_t *numbers; /* NULL: a free slot */
};

/* All zero is an empty one but for `factor`, which is odd and secret: who shapes a graph cannot aim at collisions. */
struct memo {
    uint64_t factor;
    struct memo_region *regions; /* open addressing, at most half full */
    size_t len, slots;           /* slots: 0, or a power of two */
    unsigned shift;              /* 64 - log2(slots) */
};

/* Multiply-shift hashing (M. Dietzfelbinger et al., 1997). */
static inline size_t memo_slot(const struct memo *memo, uintptr_t region)
{
    size_t i = (size_t)((uint64_t)region * memo->factor >> memo->shift);

    while (memo->regions[i].numbers != NULL && memo->regions[i].region != region)
        i = (i + 1) & (memo->slots - 1);
    return i;
}

/* Where the number of `o` stands; NULL if it has none and there is no place for it. */
static inline uint32_t *memo_place(const struct memo *memo, const struct obj *o)
{
    const struct memo_region *found;

    if (memo->slots == 0)
        return NULL;
    found = &memo->regions[memo_slot(memo, (uintptr_t)o >> MEMO_REGION_BITS)];
    return found->numbers == NULL ? NULL : &found->numbers[(uintptr_t)o >> MEMO_OBJECT_BITS & (MEMO_NUMBERS - 1)];
}

/* The number of `o`; 0: none was set. */
static inline uint32_t memo_get(const struct memo *memo, const struct obj *o)
{
    const uint32_t *place = memo_place(memo, o);

    return place == NULL ? 0 : *place;
}

/* Sets the number of `o`, not 0; false without memory. */
bool memo_set(struct pool *pool, struct memo *memo, const struct obj *o, uint32_t number);

void memo_fini(struct pool *pool, struct memo *memo);

#endif
