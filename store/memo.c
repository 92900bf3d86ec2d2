/* memo.c - from objects to numbers: its storage. */
#include "store/memo.h"

#include "store/pool.h"

#define SLOTS_MIN 64u
#define SHIFT_MIN (64u - 6)

static size_t regions_size(const struct memo *memo)
{
    return memo->slots * sizeof *memo->regions;
}

static bool grow(struct pool *pool, struct memo *memo)
{
    struct memo grown = *memo;

    grown.slots = memo->slots == 0 ? SLOTS_MIN : memo->slots * 2;
    grown.shift = memo->slots == 0 ? SHIFT_MIN : memo->shift - 1;
    grown.regions = pool_zero(pool, regions_size(&grown));
    if (grown.regions == NULL)
        return false;
    for (size_t i = 0; i < memo->slots; i++)
        if (memo->regions[i].numbers != NULL)
            grown.regions[memo_slot(&grown, memo->regions[i].region)] = memo->regions[i];
    pool_free(pool, memo->regions, regions_size(memo), POOL_DATA);
    *memo = grown;
    return true;
}

static bool add_region(struct pool *pool, struct memo *memo, uintptr_t region)
{
    uint32_t *numbers;

    if (memo->len * 2 >= memo->slots && !grow(pool, memo))
        return false;
    numbers = pool_zero(pool, MEMO_NUMBERS * sizeof *numbers);
    if (numbers == NULL)
        return false;
    memo->regions[memo_slot(memo, region)] = (struct memo_region){region, numbers};
    memo->len++;
    return true;
}

bool memo_set(struct pool *pool, struct memo *memo, const struct obj *o, uint32_t number)
{
    uint32_t *place = memo_place(memo, o);

    if (place == NULL) {
        if (!add_region(pool, memo, (uintptr_t)o >> MEMO_REGION_BITS))
            return false;
        place = memo_place(memo, o);
    }
    *place = number;
    return true;
}

void memo_fini(struct pool *pool, struct memo *memo)
{
    for (size_t i = 0; i < memo->slots; i++)
        pool_free(pool, memo->regions[i].numbers, MEMO_NUMBERS * sizeof(uint32_t), POOL_DATA);
    pool_free(pool, memo->regions, regions_size(memo), POOL_DATA);
    *memo = (struct memo){.factor = memo->factor};
}
