/* test_memo.c - numbers of objects: every place of memory has its own, and failing allocations change none. */
#include "store/memo.h"

#include <stdlib.h>

#include "store/pool.h"
#include "tests/meter.h"
#include "tests/suite.h"

static struct meter meter;
static struct pool *pool;
static struct memo memo;

static void open_memo(void)
{
    meter_init(&meter);
    pool = pool_open(&meter.mem, UINT64_MAX);
    ck_assert_ptr_nonnull(pool);
    memo = (struct memo){.factor = UINT64_C(0x9e3779b97f4a7c15)};
}

static void close_memo(void)
{
    memo_fini(pool, &memo);
    pool_close(pool);
    ck_assert_uint_eq(meter.bytes, 0);
}

/* Nobody looks at the objects: their addresses are enough. */
static const struct obj *object_at(uintptr_t address)
{
    return (const struct obj *)address;
}

START_TEST(objects_side_by_side_have_numbers_of_their_own)
{
    open_memo();
    for (uint32_t i = 0; i < 10000; i++)
        ck_assert(memo_set(pool, &memo, object_at(0x7000008 + (uintptr_t)i * sizeof(struct obj)), i + 1));
    for (uint32_t i = 0; i < 10000; i++)
        ck_assert_uint_eq(memo_get(&memo, object_at(0x7000008 + (uintptr_t)i * sizeof(struct obj))), i + 1);
    close_memo();
}
END_TEST

START_TEST(objects_scattered_over_memory_keep_their_numbers_while_it_grows)
{
    open_memo();
    for (uint32_t i = 1; i <= 5000; i++) {
        ck_assert(memo_set(pool, &memo, object_at((uintptr_t)i << 20 | 16), i));
        ck_assert_uint_eq(memo_get(&memo, object_at(1 << 20 | 16)), 1);
    }
    for (uint32_t i = 1; i <= 5000; i++)
        ck_assert_uint_eq(memo_get(&memo, object_at((uintptr_t)i << 20 | 16)), i);
    close_memo();
}
END_TEST

START_TEST(what_was_never_set_has_no_number)
{
    open_memo();
    ck_assert_uint_eq(memo_get(&memo, object_at(4096)), 0);
    ck_assert(memo_set(pool, &memo, object_at(4096), 7));
    ck_assert_uint_eq(memo_get(&memo, object_at(4096 + 16)), 0);
    ck_assert_uint_eq(memo_get(&memo, object_at(8192)), 0);
    ck_assert(memo_set(pool, &memo, object_at(4096), 8));
    ck_assert_uint_eq(memo_get(&memo, object_at(4096)), 8);
    close_memo();
}
END_TEST

START_TEST(without_memory_the_numbers_stay)
{
    struct pool_stats stats;
    uint32_t set = 0;

    open_memo();
    pool_stats(pool, &stats);
    pool_set_limit(pool, stats.reserved + (200 << 10));
    while (memo_set(pool, &memo, object_at((uintptr_t)(set + 1) << 12), set + 1))
        set++;
    ck_assert_uint_gt(set, 64);
    for (uint32_t i = 0; i < set; i++)
        ck_assert_uint_eq(memo_get(&memo, object_at((uintptr_t)(i + 1) << 12)), i + 1);
    ck_assert_uint_eq(memo_get(&memo, object_at((uintptr_t)(set + 1) << 12)), 0);
    pool_set_limit(pool, UINT64_MAX);
    ck_assert(memo_set(pool, &memo, object_at((uintptr_t)(set + 1) << 12), set + 1));
    close_memo();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        objects_side_by_side_have_numbers_of_their_own,
        objects_scattered_over_memory_keep_their_numbers_while_it_grows,
        what_was_never_set_has_no_number,
        without_memory_the_numbers_stay,
        NULL,
    };

    return suite_run("memo", tests);
}
