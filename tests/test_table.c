/* test_table.c - the ordered table: against a naive one, and how few entries one call moves. */
#include "store/table.c" /* to see the index: how far a rebuild has come */

#include <stdlib.h>

#include "tests/meter.h"
#include "tests/suite.h"

static struct meter meter;
static struct pool *pool;
static struct table table;

static void open_table(void)
{
    meter_init(&meter);
    pool = pool_open(&meter.mem, UINT64_MAX);
    ck_assert_ptr_nonnull(pool);
    table_init(&table);
}

static void close_table(void)
{
    table_fini(pool, &table);
    pool_close(pool);
    ck_assert_uint_eq(meter.bytes, 0);
}

/* Keys are numbers from 1, as pointers; the hash is poor on purpose, so that chains are long. */
static uint32_t hash_of(size_t key)
{
    return (uint32_t)(key * 2654435761u >> 8);
}

static bool is_key(void *arg, const void *key)
{
    return arg == key;
}

static uint32_t find(size_t key)
{
    return table_find(&table, hash_of(key), is_key, (void *)key);
}

/* Entries that this call moved or entered anew: how far the rebuild went on, another begun meanwhile included. */
static uint32_t most_moved;

struct before {
    const uint32_t *slots;
    uint32_t read, first, used;
    bool was_rebuilding;
};

static struct before look(void)
{
    const struct table_index *index = table.index;

    if (index == NULL)
        return (struct before){NULL, 0, 0, table.used, false};
    return (struct before){index->now.at, index->read, index->first, table.used, index->is_rebuilding};
}

static void count_moved(struct before before)
{
    const struct table_index *index = table.index;
    uint32_t moved = 0;

    if (index != NULL && index->now.at != before.slots) {
        moved = (index->is_rebuilding ? index->read : before.used) - before.first; /* it begins at the first entry */
        moved += before.was_rebuilding ? before.used - before.read : 0;
    } else if (index != NULL && before.was_rebuilding) {
        moved = index->is_rebuilding ? index->read - before.read : before.used - before.read;
    }
    most_moved = moved > most_moved ? moved : most_moved;
}

static bool insert(size_t key)
{
    struct before before = look();

    if (!table_reserve(pool, &table, 1))
        return false;
    table_insert(pool, &table, hash_of(key), (void *)key, (struct obj *)(key * 16));
    count_moved(before);
    return true;
}

/* An insertion that must succeed; an assertion for each of millions would be slow. */
static void add(size_t key)
{
    if (!insert(key))
        ck_abort_msg("no memory for key %zu", key);
}

static void remove_key(size_t key)
{
    struct before before = look();

    table_remove(pool, &table, find(key));
    count_moved(before);
}

/* Bounded: what one call moves in a table of any size. Small ones are rebuilt at once. */
#define MOVED_MAX (3 * REBUILD_STEP)
#define SMALL (2 * REBUILD_AT_ONCE)

START_TEST(what_was_inserted_is_found_in_order_of_insertion)
{
    uint32_t position = 0;

    open_table();
    for (size_t key = 1; key <= 5000; key++) {
        ck_assert(insert(key * 7));
        ck_assert_int_eq(table_check(&table), 0);
    }
    for (size_t key = 1; key <= 5000; key++) {
        ck_assert_uint_ne(find(key * 7), TABLE_NONE);
        position = table_next(&table, position);
        ck_assert_ptr_eq(table.entries[position].key, (void *)(key * 7));
        ck_assert_ptr_eq(table.entries[position].value, (void *)(key * 7 * 16));
        position++;
    }
    ck_assert_uint_eq(table_next(&table, position), TABLE_NONE);
    ck_assert_uint_eq(find(3), TABLE_NONE);
    ck_assert_uint_eq(table_last(&table), find(5000 * 7));
    close_table();
}
END_TEST

/* The naive table: keys in order of insertion in a vector. */
struct naive {
    size_t keys[400];
    unsigned count;
};

static unsigned naive_find(const struct naive *naive, size_t key)
{
    unsigned i = 0;

    while (i < naive->count && naive->keys[i] != key)
        i++;
    return i;
}

static void agree(const struct naive *naive)
{
    uint32_t position = 0;
    bool is_same = table.live == naive->count;

    for (unsigned i = 0; is_same && i < naive->count; i++, position++) {
        position = table_next(&table, position);
        is_same = position != TABLE_NONE && table.entries[position].key == (void *)naive->keys[i];
    }
    ck_assert(is_same);
    ck_assert_int_eq(table_check(&table), 0);
    ck_assert_uint_eq(table_next(&table, position), TABLE_NONE);
    if (naive->count > 0)
        ck_assert_ptr_eq(table.entries[table_last(&table)].key, (void *)naive->keys[naive->count - 1]);
}

START_TEST(random_insertions_and_removals_agree_with_a_naive_table)
{
    for (unsigned long long seed = 1; seed <= 20; seed++) {
        unsigned long long state = seed;
        struct naive naive = {.count = 0};

        open_table();
        for (unsigned round = 0; round < 3000; round++) {
            /* phases of growing and of shrinking */
            bool grows = suite_random(&state, 10) < (round / 400 % 2 == 0 ? 8u : 3u);
            size_t key = 1 + suite_random(&state, 390);
            unsigned at = naive_find(&naive, key);

            ck_assert_int_eq(find(key) == TABLE_NONE, at == naive.count);
            if (at == naive.count && grows) {
                add(key);
                naive.keys[naive.count++] = key;
            } else if (at < naive.count && !grows) {
                remove_key(key);
                memmove(&naive.keys[at], &naive.keys[at + 1], (naive.count - at - 1) * sizeof naive.keys[0]);
                naive.count--;
            }
            agree(&naive);
        }
        close_table();
    }
}
END_TEST

START_TEST(no_insertion_into_a_growing_table_moves_more_than_a_few_entries)
{
    open_table();
    for (size_t key = 1; key <= 300000; key++) {
        if (key == SMALL)
            most_moved = 0;
        add(key);
    }
    ck_assert_int_eq(table_check(&table), 0);
    ck_assert_uint_gt(most_moved, 0);
    ck_assert_uint_le(most_moved, MOVED_MAX);
    close_table();
}
END_TEST

START_TEST(no_insertion_after_many_removals_moves_more_than_a_few_entries)
{
    for (unsigned kept = 2; kept <= 50; kept++) {
        open_table();
        for (size_t key = 1; key <= 30000; key++)
            add(key);
        for (size_t key = 1; key <= 30000; key++)
            if (key % kept != 0)
                remove_key(key);
        most_moved = 0;
        for (size_t key = 100001; key <= 101000 && (key < 100100 || table.used > SMALL); key++)
            add(key);
        ck_assert_uint_le(most_moved, MOVED_MAX);
        ck_assert_int_eq(table_check(&table), 0);
        close_table();
    }
}
END_TEST

START_TEST(no_removal_moves_more_than_a_few_entries)
{
    open_table();
    for (size_t key = 1; key <= 100000; key++)
        add(key);
    most_moved = 0;
    for (size_t key = 1; table.used > SMALL && key <= 100000; key++)
        remove_key(key);
    ck_assert_uint_le(most_moved, MOVED_MAX);
    close_table();
}
END_TEST

START_TEST(a_queue_of_insertions_and_removals_stays_small)
{
    size_t bytes;

    open_table();
    for (size_t key = 1; key <= 2000; key++)
        add(key);
    bytes = table_bytes(&table);
    for (size_t key = 2001; key <= 200000; key++) {
        remove_key(key - 2000);
        add(key);
        ck_assert_uint_eq(table.live, 2000);
    }
    ck_assert_int_eq(table_check(&table), 0);
    ck_assert_uint_le(table_bytes(&table), 4 * bytes);
    close_table();
}
END_TEST

START_TEST(a_table_that_has_shrunk_gives_its_storage_back)
{
    size_t bytes;

    open_table();
    for (size_t key = 1; key <= 100000; key++)
        add(key);
    bytes = table_bytes(&table);
    for (size_t key = 1; key <= 99000; key++)
        remove_key(key);
    for (size_t key = 200001; key <= 209000; key++) /* the rebuild that closes the holes is driven by changes */
        add(key);
    for (size_t key = 200001; key <= 209000; key++)
        remove_key(key);
    ck_assert_uint_le(table_bytes(&table), bytes / 4);
    for (size_t key = 99001; key <= 100000; key++)
        ck_assert_uint_ne(find(key), TABLE_NONE);
    for (size_t key = 99001; key <= 100000; key++)
        remove_key(key);
    ck_assert_uint_eq(table_bytes(&table), 0);
    close_table();
}
END_TEST

/* 100,000 entries of which every thousandth stays. */
static void open_sparse_table(void)
{
    open_table();
    for (size_t key = 1; key <= 100000; key++)
        add(key);
    for (size_t key = 1; key <= 100000; key++)
        if (key % 1000 != 0)
            remove_key(key);
}

/* What stays is there, in order, and nothing else. */
static void is_whole(void)
{
    size_t key = 0;

    ck_assert_int_eq(table_check(&table), 0);
    for (uint32_t at = table_next(&table, 0); at != TABLE_NONE; at = table_next(&table, at + 1)) {
        key += 1000;
        ck_assert_ptr_eq(table.entries[at].key, (void *)key);
        ck_assert_uint_eq(find(key), at);
    }
    ck_assert_uint_eq(key, 100000);
}

START_TEST(a_table_of_which_little_is_left_is_shrunk_when_there_is_time)
{
    unsigned slices = 0;

    open_sparse_table();
    ck_assert(table_any_noted(pool));
    ck_assert_uint_gt(table_bytes(&table), 2000000);
    for (; table_shrink(pool, 1000); slices++)
        is_whole();
    ck_assert_uint_ge(slices, 100);
    ck_assert_uint_le(table_bytes(&table), 10000);
    ck_assert(!table_any_noted(pool));
    is_whole();
    close_table();
}
END_TEST

START_TEST(between_two_slices_of_shrinking_a_table_may_change)
{
    open_sparse_table();
    for (size_t key = 200000; table_shrink(pool, 500); key++) {
        add(key);
        ck_assert_uint_ne(find(key), TABLE_NONE);
        remove_key(key);
        is_whole();
    }
    close_table();
}
END_TEST

START_TEST(without_memory_a_table_is_not_shrunk)
{
    size_t bytes;

    open_sparse_table();
    bytes = table_bytes(&table);
    pool_set_limit(pool, 0);
    while (table_shrink(pool, 1000))
        is_whole();
    ck_assert_uint_eq(table_bytes(&table), bytes);
    close_table();
}
END_TEST

START_TEST(a_table_that_goes_is_not_shrunk_any_more)
{
    open_sparse_table();
    table_fini(pool, &table);
    ck_assert(!table_any_noted(pool));
    for (size_t key = 1; key <= 10000; key++)
        add(key);
    for (size_t key = 1; key <= 9990; key++)
        remove_key(key);
    ck_assert(table_any_noted(pool));
    for (size_t key = 9991; key <= 10000; key++)
        remove_key(key);
    ck_assert(!table_any_noted(pool));
    close_table();
}
END_TEST

START_TEST(more_sparse_tables_than_can_be_noted_are_left)
{
    static struct table many[100];

    open_table();
    for (unsigned i = 0; i < 100; i++) {
        table_init(&many[i]);
        for (size_t key = 1; key <= 2000; key++) {
            ck_assert(table_reserve(pool, &many[i], 1));
            table_insert(pool, &many[i], hash_of(key), (void *)key, NULL);
        }
        for (uint32_t at; many[i].live > 10; table_remove(pool, &many[i], at))
            at = table_next(&many[i], 0);
    }
    while (table_shrink(pool, 1000))
        continue;
    for (unsigned i = 0; i < 100; i++) {
        ck_assert_int_eq(table_check(&many[i]), 0);
        table_fini(pool, &many[i]);
    }
    close_table();
}
END_TEST

START_TEST(removing_takes_no_memory)
{
    uint64_t allocations;

    open_table();
    for (size_t key = 1; key <= 10000; key++)
        add(key);
    allocations = meter.allocations;
    meter_fail(&meter, 1, true);
    pool_set_limit(pool, 0);
    for (size_t key = 10000; key > 0; key--)
        remove_key(key);
    ck_assert_uint_eq(table.live, 0);
    ck_assert_uint_eq(meter.allocations, allocations);
    close_table();
}
END_TEST

START_TEST(without_memory_an_insertion_fails_and_changes_nothing)
{
    size_t refused = 0;

    open_table();
    for (size_t key = 1; key <= 3000; key++) {
        pool_set_limit(pool, 0);
        if (!insert(key)) {
            ck_assert_int_eq(table_check(&table), 0);
            ck_assert_uint_eq(table.live, key - 1);
            ck_assert_uint_eq(find(key), TABLE_NONE);
            refused++;
            pool_set_limit(pool, UINT64_MAX);
            add(key);
        }
    }
    ck_assert_uint_gt(refused, 10);
    for (size_t key = 1; key <= 3000; key++)
        ck_assert_uint_ne(find(key), TABLE_NONE);
    close_table();
}
END_TEST

START_TEST(reserved_room_needs_no_memory_later)
{
    for (uint32_t more = 1; more < 3000; more = more * 3 + 1) {
        open_table();
        for (size_t key = 1; key <= more % 50; key++)
            add(key);
        ck_assert(table_reserve(pool, &table, more));
        meter_fail(&meter, 1, true);
        pool_set_limit(pool, 0);
        for (size_t key = 10001; key <= 10000 + more; key++)
            table_insert(pool, &table, hash_of(key), (void *)key, NULL);
        ck_assert_int_eq(table_check(&table), 0);
        close_table();
    }
}
END_TEST

/* The entries that wait in the old index will have to go into the new one, too. */
START_TEST(much_room_reserved_during_a_rebuild_leaves_no_index_too_full)
{
    for (size_t quarters = 1; quarters <= 12; quarters++) {
        size_t key = 1;
        uint32_t more;

        open_table();
        while (table.index == NULL || table.index->waiting < 1000)
            add(key++);
        more = (uint32_t)(table.live * quarters / 4);
        ck_assert(table_reserve(pool, &table, more));
        ck_assert(slots_have_room(&table.index->now, table.used, (uint64_t)more + table.index->waiting));
        close_table();
    }
}
END_TEST

START_TEST(more_entries_than_a_table_can_have_are_refused)
{
    open_table();
    ck_assert(!table_reserve(pool, &table, TABLE_MAX + 1));
    add(1);
    ck_assert(!table_reserve(pool, &table, TABLE_MAX));
    ck_assert_int_eq(table_check(&table), 0);
    close_table();
}
END_TEST

START_TEST(orders_are_numbered_anew_before_they_run_out)
{
    open_table();
    for (size_t key = 1; key <= 3000; key++)
        add(key);
    table.next_order = ORDER_RENEW;
    for (size_t key = 3001; key <= 12000; key++) {
        add(key);
        if (key % 100 == 0)
            ck_assert_int_eq(table_check(&table), 0);
    }
    ck_assert_uint_lt(table.next_order, ORDER_RENEW);
    for (size_t key = 1; key <= 12000; key++)
        ck_assert_ptr_eq(table.entries[find(key)].key, (void *)key);
    close_table();
}
END_TEST

START_TEST(a_large_index_is_ready_before_it_is_needed)
{
    unsigned large = 0;

    open_table();
    for (size_t key = 1; key <= 200000; key++) {
        const struct table_index *index = table.index;
        struct slots now = index != NULL ? index->now : (struct slots){.at = NULL};
        struct slots next = index != NULL && !index->is_rebuilding ? index->old : (struct slots){.at = NULL};
        size_t ready = next.at != NULL ? index->ready : 0;

        add(key);
        if (table.index == NULL || table.index->now.at == now.at || slots_size(&table.index->now) < READY_LEAST)
            continue;
        ck_assert_ptr_eq(table.index->now.at, next.at);
        ck_assert_uint_ge(ready, slots_size(&next));
        large++;
    }
    ck_assert_uint_eq(large, 2);
    ck_assert_int_eq(table_check(&table), 0);
    for (size_t key = 1; key <= 200000; key++)
        if (find(key) == TABLE_NONE)
            ck_abort();
    close_table();
}
END_TEST

START_TEST(an_index_that_was_made_ready_goes_when_the_table_shrinks)
{
    open_table();
    for (size_t key = 1; table.index == NULL || table.index->is_rebuilding || table.index->old.at == NULL; key++)
        add(key);
    for (size_t key = 1; table.live > 10; key++)
        remove_key(key);
    for (size_t key = 1; key <= 100; key++)
        add(1000000 + key);
    ck_assert_int_eq(table_check(&table), 0);
    ck_assert_uint_lt(table_bytes(&table), 100000);
    close_table();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        what_was_inserted_is_found_in_order_of_insertion,
        random_insertions_and_removals_agree_with_a_naive_table,
        no_insertion_into_a_growing_table_moves_more_than_a_few_entries,
        no_insertion_after_many_removals_moves_more_than_a_few_entries,
        no_removal_moves_more_than_a_few_entries,
        a_queue_of_insertions_and_removals_stays_small,
        a_table_that_has_shrunk_gives_its_storage_back,
        a_table_of_which_little_is_left_is_shrunk_when_there_is_time,
        between_two_slices_of_shrinking_a_table_may_change,
        without_memory_a_table_is_not_shrunk,
        a_table_that_goes_is_not_shrunk_any_more,
        more_sparse_tables_than_can_be_noted_are_left,
        removing_takes_no_memory,
        without_memory_an_insertion_fails_and_changes_nothing,
        reserved_room_needs_no_memory_later,
        much_room_reserved_during_a_rebuild_leaves_no_index_too_full,
        more_entries_than_a_table_can_have_are_refused,
        orders_are_numbered_anew_before_they_run_out,
        a_large_index_is_ready_before_it_is_needed,
        an_index_that_was_made_ready_goes_when_the_table_shrinks,
        NULL,
    };

    return suite_run("table", tests);
}
