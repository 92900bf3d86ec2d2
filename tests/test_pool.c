/* test_pool.c - memory of one heap: blocks, limit, enumeration, and what goes back to the system. */
#include "store/pool.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/meter.h"
#include "tests/suite.h"

static struct meter meter;

static struct pool *open_pool(uint64_t limit)
{
    struct pool *pool;

    meter_init(&meter);
    pool = pool_open(&meter.mem, limit);
    ck_assert_ptr_nonnull(pool);
    return pool;
}

static struct pool_stats stats_of(const struct pool *pool)
{
    struct pool_stats stats;

    pool_stats(pool, &stats);
    return stats;
}

static void close_empty(struct pool *pool)
{
    ck_assert_uint_eq(stats_of(pool).used, 0);
    ck_assert_uint_eq(stats_of(pool).reserved, 0);
    pool_close(pool);
    ck_assert_uint_eq(meter.bytes, 0);
}

struct held {
    unsigned char *block;
    size_t size;
    enum pool_use use;
};

static void is_intact(const struct held *held, unsigned char sign)
{
    bool is_same = true;

    for (size_t i = 0; i < held->size; i++)
        is_same = is_same && held->block[i] == sign;
    ck_assert(is_same);
}

/* Blocks of random sizes, each full of its own sign: two that overlapped would spoil one another. */
START_TEST(blocks_in_use_never_overlap)
{
    struct pool *pool = open_pool(UINT64_MAX);
    unsigned long long seed = 7;
    struct held held[200] = {{NULL, 0, POOL_DATA}};

    for (unsigned round = 0; round < 20000; round++) {
        unsigned i = suite_random(&seed, 200);
        struct held *one = &held[i];

        if (one->block != NULL) {
            is_intact(one, (unsigned char)i);
            pool_free(pool, one->block, one->size, one->use);
        }
        one->use = suite_random(&seed, 2) == 0 ? POOL_CONTAINER : POOL_DATA;
        one->size = one->use == POOL_CONTAINER ? 32 + suite_random(&seed, 200) : 1 + suite_random(&seed, 3000);
        one->block = pool_alloc(pool, one->size, one->use);
        ck_assert_ptr_nonnull(one->block);
        ck_assert_uint_eq((uintptr_t)one->block % 8, 0);
        memset(one->block, (int)i, one->size);
    }
    for (unsigned i = 0; i < 200; i++)
        if (held[i].block != NULL) {
            is_intact(&held[i], (unsigned char)i);
            pool_free(pool, held[i].block, held[i].size, held[i].use);
        }
    close_empty(pool);
}
END_TEST

START_TEST(what_is_handed_out_is_counted_as_rounded)
{
    struct pool *pool = open_pool(UINT64_MAX);
    uint64_t used = 0;
    void *blocks[300];

    for (size_t i = 0; i < 300; i++) {
        blocks[i] = pool_alloc(pool, 1 + i * 13, POOL_DATA);
        used += pool_rounded(1 + i * 13);
        ck_assert_uint_ge(pool_rounded(1 + i * 13), 1 + i * 13);
        ck_assert_uint_eq(stats_of(pool).used, used);
        ck_assert_uint_ge(stats_of(pool).reserved, used);
    }
    for (size_t i = 0; i < 300; i++)
        pool_free(pool, blocks[i], 1 + i * 13, POOL_DATA);
    close_empty(pool);
}
END_TEST

START_TEST(no_small_size_wastes_more_than_one_part_in_five)
{
    for (size_t size = 32; size <= POOL_SMALL_MAX; size++)
        ck_assert_uint_le(pool_rounded(size) - size, size / 4);
    ck_assert_uint_eq(pool_rounded(1), 8);
    ck_assert_uint_eq(pool_rounded(8), 8);
    ck_assert_uint_eq(pool_rounded(24), 24);
    ck_assert_uint_le(pool_rounded(POOL_SMALL_MAX + 1), POOL_SMALL_MAX + 8);
}
END_TEST

START_TEST(at_the_limit_an_allocation_fails_and_changes_nothing)
{
    struct pool *pool = open_pool(1 << 20);
    void *large = pool_alloc(pool, 1000000, POOL_DATA);
    struct pool_stats before = stats_of(pool);

    ck_assert_ptr_nonnull(large);
    ck_assert_ptr_null(pool_alloc(pool, 100000, POOL_DATA));
    ck_assert_ptr_null(pool_zero(pool, 100000));
    ck_assert_ptr_null(pool_resize(pool, large, 1000000, 1100000));
    ck_assert_uint_eq(stats_of(pool).used, before.used);
    ck_assert_uint_eq(stats_of(pool).reserved, before.reserved);
    pool_free(pool, large, 1000000, POOL_DATA);
    large = pool_alloc(pool, 1000000, POOL_DATA);
    ck_assert_ptr_nonnull(large);
    pool_free(pool, large, 1000000, POOL_DATA);
    close_empty(pool);
}
END_TEST

START_TEST(small_blocks_stop_at_the_limit_too)
{
    struct pool *pool = open_pool(1 << 20);
    size_t count = 0;
    void *first = NULL;
    void **block;

    while ((block = pool_alloc(pool, 64, POOL_DATA)) != NULL) {
        *block = first;
        first = block;
        count++;
    }
    ck_assert_uint_le(count, (1 << 20) / 64);
    ck_assert_uint_ge(count, (1 << 20) / 64 * 9 / 10);
    while ((block = first) != NULL) {
        first = *block;
        pool_free(pool, block, 64, POOL_DATA);
    }
    close_empty(pool);
}
END_TEST

START_TEST(a_ceiling_is_kept_to_the_byte_and_says_whether_it_stopped_something)
{
    static const size_t sizes[] = {16, 40, 200, 1024, 1025, 100000};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct pool *pool = open_pool(UINT64_MAX);
        size_t size = pool_rounded(sizes[i]);
        void *first = pool_alloc(pool, 16, POOL_DATA);
        void *block;

        pool_set_ceiling(pool, 2 * size - 1);
        block = pool_alloc(pool, size, POOL_DATA);
        ck_assert_ptr_nonnull(block);
        ck_assert(!pool_was_stopped(pool));
        ck_assert_ptr_null(pool_alloc(pool, size, POOL_DATA));
        ck_assert_ptr_null(pool_zero(pool, size));
        ck_assert_ptr_null(pool_resize(pool, block, size, 3 * size));
        ck_assert(pool_was_stopped(pool));
        ck_assert_uint_eq(stats_of(pool).used, size + pool_rounded(16));
        pool_free(pool, block, size, POOL_DATA);
        block = pool_alloc(pool, size, POOL_DATA); /* what was given back may be had again */
        ck_assert_ptr_nonnull(block);
        pool_end_ceiling(pool);
        ck_assert(!pool_was_stopped(pool));
        block = pool_resize(pool, block, size, 3 * size);
        ck_assert_ptr_nonnull(block);
        pool_free(pool, block, 3 * size, POOL_DATA);
        pool_free(pool, first, 16, POOL_DATA);
        close_empty(pool);
    }
}
END_TEST

START_TEST(a_lowered_limit_takes_nothing_away)
{
    struct pool *pool = open_pool(UINT64_MAX);
    void *block = pool_alloc(pool, 100, POOL_DATA);
    void *more;

    pool_set_limit(pool, 0);
    ck_assert_ptr_null(pool_alloc(pool, 100000, POOL_DATA));
    pool_set_limit(pool, UINT64_MAX);
    more = pool_alloc(pool, 100000, POOL_DATA);
    ck_assert_ptr_nonnull(more);
    pool_free(pool, more, 100000, POOL_DATA);
    pool_free(pool, block, 100, POOL_DATA);
    close_empty(pool);
}
END_TEST

START_TEST(without_memory_there_is_no_block_and_no_leak)
{
    struct pool *pool = open_pool(UINT64_MAX);

    meter_fail(&meter, 1, true);
    ck_assert_ptr_null(pool_alloc(pool, 16, POOL_DATA));
    ck_assert_ptr_null(pool_alloc(pool, 16, POOL_CONTAINER));
    ck_assert_ptr_null(pool_alloc(pool, 5000, POOL_DATA));
    ck_assert_ptr_null(pool_zero(pool, 5000));
    close_empty(pool);
}
END_TEST

START_TEST(a_zeroed_block_is_zero_where_a_dirty_one_was)
{
    static const size_t sizes[] = {16, 200, 1024, 5000};
    struct pool *pool = open_pool(UINT64_MAX);

    for (unsigned i = 0; i < 4; i++) {
        unsigned char *block = pool_alloc(pool, sizes[i], POOL_DATA);

        memset(block, 0xff, sizes[i]);
        pool_free(pool, block, sizes[i], POOL_DATA);
        block = pool_zero(pool, sizes[i]);
        for (size_t n = 0; n < sizes[i]; n++)
            ck_assert_uint_eq(block[n], 0);
        pool_free(pool, block, sizes[i], POOL_DATA);
    }
    close_empty(pool);
}
END_TEST

START_TEST(a_resized_block_keeps_its_contents)
{
    static const size_t sizes[] = {8, 16, 17, 300, 1024, 1025, 100000, 900, 40, 8};
    struct pool *pool = open_pool(UINT64_MAX);
    struct held held = {pool_alloc(pool, 8, POOL_DATA), 8, POOL_DATA};

    memset(held.block, 3, 8);
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        held.block = pool_resize(pool, held.block, held.size, sizes[i]);
        ck_assert_ptr_nonnull(held.block);
        held.size = 8;
        is_intact(&held, 3);
        held.size = sizes[i];
    }
    pool_free(pool, held.block, held.size, POOL_DATA);
    close_empty(pool);
}
END_TEST

START_TEST(a_failed_resize_leaves_the_block_as_it_was)
{
    struct pool *pool = open_pool(UINT64_MAX);
    struct held held = {pool_alloc(pool, 2000, POOL_DATA), 2000, POOL_DATA};

    memset(held.block, 9, 2000);
    meter_fail(&meter, 1, true);
    ck_assert_ptr_null(pool_resize(pool, held.block, 2000, 9000));
    is_intact(&held, 9);
    pool_free(pool, held.block, 2000, POOL_DATA);
    close_empty(pool);
}
END_TEST

/* A container in a test: what pool.h asks of one, and whether a walk has met it. */
struct container {
    uint32_t count;
    uint8_t type;
    uint8_t is_met;
    uint16_t number;
};

static bool meet(void *arg, void *block)
{
    struct container *container = block;
    unsigned *count = arg;

    ck_assert_uint_eq(container->type, 1);
    ck_assert_uint_eq(container->is_met, 0);
    container->is_met = 1;
    (*count)++;
    return true;
}

static bool meet_three(void *arg, void *block)
{
    unsigned *count = arg;

    (void)block;
    return ++*count < 3;
}

START_TEST(a_walk_meets_every_container_in_use_once_and_nothing_else)
{
    struct pool *pool = open_pool(UINT64_MAX);
    static struct container *containers[3000];
    static void *data[3000];
    unsigned count = 0;

    for (unsigned i = 0; i < 3000; i++) {
        data[i] = pool_alloc(pool, 16 + i % 5 * 16, POOL_DATA);
        ck_assert_ptr_nonnull(data[i]);
        containers[i] = pool_alloc(pool, 16 + i % 5 * 16, POOL_CONTAINER);
        *containers[i] = (struct container){.type = 1};
    }
    for (unsigned i = 0; i < 3000; i += 3)
        pool_free(pool, containers[i], 16 + i % 5 * 16, POOL_CONTAINER);
    pool_each_container(pool, meet, &count);
    ck_assert_uint_eq(count, 2000);
    for (unsigned i = 0; i < 3000; i++)
        ck_assert(i % 3 == 0 || containers[i]->is_met == 1);
    count = 0;
    pool_each_container(pool, meet_three, &count);
    ck_assert_uint_eq(count, 3);
#ifndef HD_POOL_MALLOC
    pool_close(pool); /* with blocks in use: the twin leaks them on purpose */
    ck_assert_uint_eq(meter.bytes, 0);
#endif
}
END_TEST

#ifndef HD_POOL_MALLOC
START_TEST(arenas_that_become_empty_go_back_to_the_system)
{
    struct pool *pool = open_pool(UINT64_MAX);
    static void *blocks[200000];

    for (unsigned i = 0; i < 200000; i++)
        blocks[i] = pool_alloc(pool, 64, POOL_CONTAINER);
    ck_assert_uint_ge(stats_of(pool).arenas, 12);
    for (unsigned i = 0; i < 200000; i++)
        pool_free(pool, blocks[i], 64, POOL_CONTAINER);
    ck_assert_uint_ge(stats_of(pool).arenas, 12); /* not on the path of what dies */
    pool_trim(pool, UINT64_MAX);
    ck_assert_uint_eq(stats_of(pool).arenas, 0);
    close_empty(pool);
}
END_TEST

START_TEST(emptied_pages_make_way_for_large_blocks_within_the_limit)
{
    struct pool *pool = open_pool(4 << 20);
    static void *blocks[60000];
    void *large;

    for (unsigned i = 0; i < 60000; i++)
        blocks[i] = pool_alloc(pool, 64, POOL_CONTAINER);
    for (unsigned i = 0; i < 60000; i++)
        pool_free(pool, blocks[i], 64, POOL_CONTAINER);
    ck_assert_uint_ge(pool_loose(pool), 230);
    large = pool_alloc(pool, 3 << 20, POOL_DATA);
    ck_assert_ptr_nonnull(large);
    ck_assert_uint_le(pool_loose(pool) * 16384 + stats_of(pool).reserved, 4 << 20);
    pool_free(pool, large, 3 << 20, POOL_DATA);
    while (pool_is_leaving(pool))
        pool_leave_some(pool);
    close_empty(pool);
}
END_TEST

START_TEST(an_emptied_page_serves_another_size)
{
    struct pool *pool = open_pool(16384 * 2); /* room for two pages */
    void *block;

    for (size_t size = 16; size <= POOL_SMALL_MAX; size += 16) {
        block = pool_alloc(pool, size, POOL_DATA);
        ck_assert_ptr_nonnull(block);
        pool_free(pool, block, size, POOL_DATA);
    }
    close_empty(pool);
}
END_TEST

#define IN_PAGE 16u /* blocks of 1000 bytes */
#define BLOCKS (600 * IN_PAGE) /* nine arenas and a part of one */

/* Is any of the memory there that a free block was in? */
static bool is_resident(const void *block)
{
    uintptr_t page = (uintptr_t)block & ~(uintptr_t)4095;
    unsigned char there = 0;

    ck_assert_int_eq(mincore((void *)page, 4096, &there), 0);
    return (there & 1) != 0;
}

/* Each block is full of its sign. Those of every seventh page stay, the others are given back. */
static void open_with_gaps(struct pool *pool, struct held *held)
{
    for (unsigned i = 0; i < BLOCKS; i++) {
        held[i] = (struct held){pool_alloc(pool, 1000, POOL_DATA), 1000, POOL_DATA};
        memset(held[i].block, (int)i, held[i].size);
    }
    for (unsigned i = 0; i < BLOCKS; i++)
        if (i / IN_PAGE % 7 != 0)
            pool_free(pool, held[i].block, held[i].size, POOL_DATA);
}

START_TEST(pages_that_nobody_needs_go_back_and_what_is_beside_them_stays)
{
    struct pool *pool = open_pool(UINT64_MAX);
    struct held *held = calloc(BLOCKS, sizeof *held);
    uint64_t pages;

    open_with_gaps(pool, held);
    ck_assert(is_resident(held[3 * IN_PAGE].block));
    pages = stats_of(pool).reserved;
    while (pool_trim(pool, 16) > 0)
        continue;
    ck_assert_uint_eq(stats_of(pool).reserved, pages);
    for (unsigned i = 0; i < BLOCKS; i++) {
        if (i / IN_PAGE % 7 == 0)
            is_intact(&held[i], (unsigned char)i);
        else
            ck_assert(!is_resident(held[i].block));
    }
    for (unsigned i = 0; i < BLOCKS; i++) /* and they can be used again */
        if (i / IN_PAGE % 7 != 0) {
            held[i].block = pool_alloc(pool, 1000, POOL_DATA);
            memset(held[i].block, (int)i, 1000);
        }
    for (unsigned i = 0; i < BLOCKS; i++) {
        is_intact(&held[i], (unsigned char)i);
        pool_free(pool, held[i].block, held[i].size, POOL_DATA);
    }
    free(held);
    close_empty(pool);
}
END_TEST

START_TEST(unneeded_is_what_was_free_all_the_time)
{
    struct pool *pool = open_pool(UINT64_MAX);
    void *blocks[64];
    uint64_t loose;

    ck_assert_uint_eq(pool_unneeded(pool), 0);
    for (unsigned i = 0; i < 64; i++)
        blocks[i] = pool_alloc(pool, 1024, POOL_DATA);
    for (unsigned i = 0; i < 64; i++)
        pool_free(pool, blocks[i], 1024, POOL_DATA);
    ck_assert_uint_eq(pool_unneeded(pool), 0); /* at the beginning there was none */
    loose = pool_unneeded(pool);
    ck_assert_uint_ge(loose, 4);
    for (unsigned i = 0; i < 32; i++)
        blocks[i] = pool_alloc(pool, 1024, POOL_DATA);
    for (unsigned i = 0; i < 32; i++)
        pool_free(pool, blocks[i], 1024, POOL_DATA);
    ck_assert_uint_lt(pool_unneeded(pool), loose - 1); /* two of them and more were used meanwhile */
    ck_assert_uint_eq(pool_unneeded(pool), loose);
    ck_assert_uint_eq(pool_trim(pool, UINT64_MAX), loose);
    ck_assert_uint_eq(pool_unneeded(pool), 0);
    ck_assert_uint_eq(stats_of(pool).arenas, 0);
    close_empty(pool);
}
END_TEST

START_TEST(one_block_taken_and_given_back_again_and_again_maps_one_arena)
{
    struct pool *pool = open_pool(UINT64_MAX);
    uint64_t allocations;

    pool_free(pool, pool_alloc(pool, 64, POOL_DATA), 64, POOL_DATA);
    allocations = meter.allocations;
    for (unsigned i = 0; i < 1000; i++)
        pool_free(pool, pool_alloc(pool, 64, POOL_DATA), 64, POOL_DATA);
    ck_assert_uint_eq(meter.allocations, allocations);
    close_empty(pool);
}
END_TEST

#define MIB ((size_t)1 << 20)

START_TEST(a_large_block_that_is_freed_leaves_in_parts)
{
    struct pool *pool = open_pool(UINT64_MAX);
    uint64_t left = 9 * MIB;
    unsigned parts = 0;

    pool_free(pool, pool_alloc(pool, 9 * MIB, POOL_DATA), 9 * MIB, POOL_DATA);
    ck_assert_uint_eq(stats_of(pool).used, 0);
    for (; pool_is_leaving(pool); parts++) {
        ck_assert_uint_eq(stats_of(pool).reserved, left);
        pool_leave_some(pool);
        ck_assert_uint_lt(stats_of(pool).reserved, left);
        left = stats_of(pool).reserved;
    }
    ck_assert_uint_ge(parts, 4);
    pool_free(pool, pool_alloc(pool, MIB, POOL_DATA), MIB, POOL_DATA);
    ck_assert(!pool_is_leaving(pool)); /* a small one leaves at once */
    close_empty(pool);
}
END_TEST

START_TEST(what_is_leaving_makes_room_for_what_comes)
{
    struct pool *pool = open_pool(20 * MIB);
    void *first = pool_alloc(pool, 9 * MIB, POOL_DATA);
    void *second = pool_alloc(pool, 9 * MIB, POOL_DATA);
    void *block;

    pool_free(pool, first, 9 * MIB, POOL_DATA);
    pool_free(pool, second, 9 * MIB, POOL_DATA);
    block = pool_alloc(pool, 20 * MIB, POOL_DATA);
    ck_assert_ptr_nonnull(block);
    ck_assert(!pool_is_leaving(pool));
    pool_free(pool, block, 20 * MIB, POOL_DATA);
    pool_close(pool); /* what still leaves goes with it */
    ck_assert_uint_eq(meter.bytes, 0);
}
END_TEST
#endif

int main(void)
{
    const TTest *const tests[] = {
        blocks_in_use_never_overlap,
        what_is_handed_out_is_counted_as_rounded,
        no_small_size_wastes_more_than_one_part_in_five,
        at_the_limit_an_allocation_fails_and_changes_nothing,
        small_blocks_stop_at_the_limit_too,
        a_ceiling_is_kept_to_the_byte_and_says_whether_it_stopped_something,
        a_lowered_limit_takes_nothing_away,
        without_memory_there_is_no_block_and_no_leak,
        a_zeroed_block_is_zero_where_a_dirty_one_was,
        a_resized_block_keeps_its_contents,
        a_failed_resize_leaves_the_block_as_it_was,
        a_walk_meets_every_container_in_use_once_and_nothing_else,
#ifndef HD_POOL_MALLOC
        a_large_block_that_is_freed_leaves_in_parts,
        what_is_leaving_makes_room_for_what_comes,
        arenas_that_become_empty_go_back_to_the_system,
        emptied_pages_make_way_for_large_blocks_within_the_limit,
        an_emptied_page_serves_another_size,
        pages_that_nobody_needs_go_back_and_what_is_beside_them_stays,
        unneeded_is_what_was_free_all_the_time,
        one_block_taken_and_given_back_again_and_again_maps_one_arena,
#endif
        NULL,
    };

    return suite_run("pool", tests);
}
