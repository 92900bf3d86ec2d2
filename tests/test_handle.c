/* test_handle.c - a session's handles: numbers, order, memory. */
#include "store/handle.h"

#include "store/check.h"
#include "store/kinds/atoms.h"
#include "tests/rig.h"

static struct handles handles;

static void open_handles(void)
{
    rig_open();
    handles_init(&handles);
}

/* Every handle is dropped; nothing is left. */
static void close_handles(void)
{
    size_t all = SIZE_MAX;

    ck_assert(handles_drop(rig.heap, &handles, &all));
    ck_assert_uint_eq(handles.count, 0);
    ck_assert_uint_eq(handles.bytes, 0);
    rig_close();
}

/* A new object under a number (0: the server's next). */
static uint64_t put(uint64_t number)
{
    struct obj *o;

    if (int_new(rig.heap, 1000, &o) != HD_OK || handles_reserve(rig.heap, &handles, number) != HD_OK)
        ck_abort_msg("cannot put %llu", (unsigned long long)number);
    return handles_put_take(rig.heap, &handles, number, &o);
}

static void release(uint64_t number)
{
    struct obj *o = handles_remove(rig.heap, &handles, number);

    ck_assert_ptr_nonnull(o);
    obj_unref(rig.heap, &o);
}

START_TEST(the_servers_numbers_begin_at_two_to_the_31_and_are_never_given_twice)
{
    open_handles();
    for (uint64_t i = 0; i < 1000; i++) {
        ck_assert_uint_eq(put(0), (uint64_t)HD_HANDLE_SERVER_MIN + i);
        if (i % 3 != 0)
            release((uint64_t)HD_HANDLE_SERVER_MIN + i);
    }
    close_handles();
}
END_TEST

START_TEST(a_client_may_choose_any_number_below_two_to_the_31)
{
    open_handles();
    ck_assert_uint_eq(put(1), 1);
    ck_assert_uint_eq(put((uint64_t)HD_HANDLE_CLIENT_MAX), (uint64_t)HD_HANDLE_CLIENT_MAX);
    ck_assert_uint_eq(put(77777), 77777);
    ck_assert_ptr_nonnull(handles_peek(&handles, 77777));
    ck_assert_int_eq(handles_reserve(rig.heap, &handles, (uint64_t)HD_HANDLE_SERVER_MIN), HD_VALUE);
    ck_assert_int_eq(handles_reserve(rig.heap, &handles, UINT64_MAX), HD_VALUE);
    close_handles();
}
END_TEST

START_TEST(a_number_in_use_is_refused_until_it_is_released)
{
    open_handles();
    put(5);
    ck_assert_int_eq(handles_reserve(rig.heap, &handles, 5), HD_HANDLE_IN_USE);
    ck_assert_uint_eq(handles.count, 1);
    release(5);
    put(5);
    close_handles();
}
END_TEST

START_TEST(numbers_that_are_not_held_lead_nowhere)
{
    static const uint64_t numbers[] = {0, 1, 4, 6, 31, 32, 37, UINT64_C(0x7fffffff), UINT64_C(0x80000001),
                                       UINT64_C(0x80000020), UINT64_C(1) << 53, UINT64_MAX, UINT64_MAX - 31};

    open_handles();
    put(5);
    put(0);
    for (unsigned i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        ck_assert_ptr_null(handles_peek(&handles, numbers[i]));
        ck_assert_ptr_null(handles_remove(rig.heap, &handles, numbers[i]));
    }
    ck_assert_uint_eq(handles.count, 2);
    close_handles();
}
END_TEST

START_TEST(sparse_numbers_cost_a_few_nodes_and_give_them_back)
{
    open_handles();
    for (uint64_t bit = 0; bit < 31; bit++)
        put(UINT64_C(1) << bit);
    ck_assert_uint_le(handles.bytes, 31 * 7 * 300);
    for (uint64_t bit = 0; bit < 31; bit++) {
        ck_assert_ptr_nonnull(handles_peek(&handles, UINT64_C(1) << bit));
        release(UINT64_C(1) << bit);
    }
    ck_assert_uint_eq(handles.bytes, 0);
    close_handles();
}
END_TEST

START_TEST(a_dense_million_costs_eleven_bytes_each)
{
    open_handles();
    for (unsigned i = 0; i < 1000000; i++) {
        struct obj *none = rig.heap->nil;

        if (handles_reserve(rig.heap, &handles, 0) != HD_OK)
            ck_abort();
        handles_put_take(rig.heap, &handles, 0, &none);
    }
    ck_assert_uint_le(handles.bytes, 11000000);
    close_handles();
}
END_TEST

START_TEST(a_walk_goes_in_order_of_number)
{
    unsigned long long seed = 3;
    uint64_t number = 0;
    uint64_t count = 0;
    struct obj *o;

    open_handles();
    for (unsigned i = 0; i < 500; i++) {
        uint64_t chosen = 1 + suite_random(&seed, 0x7ffffffe) / (1u << suite_random(&seed, 24));

        if (handles_peek(&handles, chosen) == NULL)
            put(chosen);
        put(0);
    }
    for (uint64_t next; (next = handles_next(&handles, number + 1, &o)) != 0; number = next, count++) {
        ck_assert_uint_gt(next, number);
        ck_assert_ptr_eq(o, handles_peek(&handles, next));
    }
    ck_assert_uint_eq(count, handles.count);
    close_handles();
}
END_TEST

START_TEST(random_puts_and_removals_agree_with_a_naive_table)
{
    for (unsigned long long seed = 1; seed <= 10; seed++) {
        unsigned long long state = seed;
        bool held[3000] = {false};
        bool agrees = true;

        open_handles();
        for (unsigned round = 0; round < 6000; round++) {
            unsigned number = 1 + suite_random(&state, 2999);
            uint64_t spread = (uint64_t)number * 64997;

            agrees = agrees && (handles_peek(&handles, spread) != NULL) == held[number];
            if (!held[number])
                put(spread);
            else
                release(spread);
            held[number] = !held[number];
        }
        ck_assert(agrees);
        rig_run();
        close_handles();
    }
}
END_TEST

START_TEST(without_memory_a_reservation_fails_and_changes_nothing)
{
    open_handles();
    put(3);
    for (uint64_t number = 40; number < UINT64_C(0x7fffffff); number *= 5) {
        uint64_t bytes = handles.bytes;
        enum hd_err err = HD_NO_MEMORY;

        for (uint64_t k = 1; err != HD_OK; k++) {
            meter_fail(&rig.meter, k, false);
            err = handles_reserve(rig.heap, &handles, number);
            meter_fail(&rig.meter, 0, false);
            ck_assert(err == HD_OK || handles.bytes == bytes);
            ck_assert_ptr_nonnull(handles_peek(&handles, 3));
        }
        handles_unreserve(rig.heap, &handles, number);
        ck_assert_uint_eq(handles.bytes, bytes);
        put(number);
    }
    close_handles();
}
END_TEST

START_TEST(removing_takes_no_memory)
{
    open_handles();
    for (unsigned i = 0; i < 2000; i++)
        put(0);
    pool_set_limit(rig.heap->pool, 0);
    meter_fail(&rig.meter, 1, true);
    for (uint64_t i = 0; i < 1000; i++)
        release((uint64_t)HD_HANDLE_SERVER_MIN + i);
    ck_assert_uint_eq(handles.count, 1000);
    close_handles();
}
END_TEST

START_TEST(handles_are_dropped_in_slices_in_order_of_number)
{
    open_handles();
    put(9);
    put(0);
    put(2);
    for (unsigned left = 3; left > 0; left--) {
        size_t budget = 1;

        ck_assert_uint_eq(handles.count, left);
        ck_assert_int_eq(handles_drop(rig.heap, &handles, &budget), left == 1);
        ck_assert_uint_eq(budget, 0);
        ck_assert_int_eq(handles_peek(&handles, 2) != NULL, false);
        ck_assert_int_eq(handles_peek(&handles, 9) != NULL, left == 3);
    }
    close_handles();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_servers_numbers_begin_at_two_to_the_31_and_are_never_given_twice,
        a_client_may_choose_any_number_below_two_to_the_31,
        a_number_in_use_is_refused_until_it_is_released,
        numbers_that_are_not_held_lead_nowhere,
        sparse_numbers_cost_a_few_nodes_and_give_them_back,
        a_dense_million_costs_eleven_bytes_each,
        a_walk_goes_in_order_of_number,
        random_puts_and_removals_agree_with_a_naive_table,
        without_memory_a_reservation_fails_and_changes_nothing,
        removing_takes_no_memory,
        handles_are_dropped_in_slices_in_order_of_number,
        NULL,
    };

    return suite_run("handle", tests);
}
