/* test_tidy.c - memory that nobody needs goes back once things are quiet, by a clock that stands still. */
#include <stdio.h>

#include "daemon/state.h"
#include "tests/suite.h"
#include "tests/talk.h"

#define QUIET UINT64_C(260000000) /* ns: more than a quarter of a second */

/* As the daemon's loop does, some time later. */
static void tick(uint64_t after_ns)
{
    talk.now_ns += after_ns;
    hub_tick(talk.hub);
    talk_work();
}

#ifndef HD_POOL_MALLOC /* else all that died has gone already */
static uint64_t loose(void)
{
    return pool_loose(talk.hub->heap->pool);
}

/* Lists that fill dozens of pages. */
static void make(struct session *session)
{
    talk_says(session, "bind('x', [[1000, 2000]])", "true");
    for (unsigned doublings = 0; doublings < 14; doublings++) {
        talk_says(session, "deepcopy('x', {'into': 1})", "@1:list");
        talk_says(session, "call('x', 'extend', [@1])", "nil");
        talk_says(session, "release(1)", "1");
    }
}

static void drop(struct session *session)
{
    talk_says(session, "unbind('x')", "true");
    talk_work();
}

START_TEST(what_died_goes_back_when_nobody_needed_it_for_a_quarter_of_a_second)
{
    struct session *a;

    talk_open(NULL);
    a = talk_session();
    tick(QUIET);
    make(a);
    drop(a);
    ck_assert_uint_gt(loose(), 32);
    ck_assert_uint_le(hub_tick_ms(talk.hub), 250);
    tick(QUIET); /* from here on it is watched */
    ck_assert_uint_gt(loose(), 32);
    tick(QUIET / 2);
    ck_assert_uint_gt(loose(), 32);
    tick(QUIET);
    ck_assert_uint_eq(loose(), 0);
    tick(QUIET);
    ck_assert_uint_eq(hub_tick_ms(talk.hub), UINT64_MAX); /* an idle daemon is not woken */
    talk_close();
}
END_TEST

START_TEST(what_is_made_and_dropped_again_and_again_stays)
{
    struct session *a;
    uint64_t spare;

    talk_open(NULL);
    a = talk_session();
    make(a);
    drop(a);
    spare = loose();
    for (unsigned round = 0; round < 5; round++) {
        make(a);
        tick(QUIET);
        drop(a);
        ck_assert_uint_ge(loose(), spare / 2);
    }
    talk_close();
}
END_TEST

START_TEST(it_goes_in_slices_between_which_others_are_served)
{
    struct session *a;
    unsigned slices = 0;

    talk_open(NULL);
    a = talk_session();
    for (unsigned i = 0; i < 4; i++) {
        char call[64];

        make(a);
        snprintf(call, sizeof call, "bind('kept%u', 'x')", i); /* pages in use between those that are free */
        talk_says(a, call, "true");
        drop(a);
    }
    tick(QUIET);
    talk.now_ns += QUIET;
    hub_tick(talk.hub);
    for (; hub_has_work(talk.hub); slices++) {
        uint64_t before = loose();

        hub_work(talk.hub);
        ck_assert_uint_le(before - loose(), 128 + 64); /* 3 MiB, in whole arenas */
    }
    ck_assert_uint_ge(slices, 1);
    ck_assert_uint_eq(loose(), 0);
    talk_close();
}
END_TEST
#endif

START_TEST(a_hub_with_nothing_to_give_back_is_not_woken)
{
    talk_open(NULL);
    talk_says(talk_session(), "bind('x', [[1000, 2000]])", "true");
    tick(QUIET);
    tick(QUIET);
    ck_assert_uint_eq(hub_tick_ms(talk.hub), UINT64_MAX);
    talk_close();
}
END_TEST

START_TEST(what_the_c_library_may_give_is_what_was_dropped_and_not_needed_since)
{
    void *small, *large;

    mem_libc_trim();
    ck_assert_uint_eq(mem_libc_slack(), 0);
    small = mem_libc.zero(NULL, 1000);
    large = mem_libc.resize(NULL, NULL, 0, 100000);
    ck_assert_uint_eq(mem_libc_slack(), 0);
    large = mem_libc.resize(NULL, large, 100000, 50000);
    ck_assert_uint_eq(mem_libc_slack(), 50000);
    large = mem_libc.resize(NULL, large, 50000, 90000);
    ck_assert_uint_eq(mem_libc_slack(), 10000);
    mem_libc.release(NULL, large, 90000);
    mem_libc.release(NULL, small, 1000);
    ck_assert_uint_eq(mem_libc_slack(), 101000);
    mem_libc_trim();
    ck_assert_uint_eq(mem_libc_slack(), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_hub_with_nothing_to_give_back_is_not_woken,
        what_the_c_library_may_give_is_what_was_dropped_and_not_needed_since,
#ifndef HD_POOL_MALLOC
        what_died_goes_back_when_nobody_needed_it_for_a_quarter_of_a_second,
        what_is_made_and_dropped_again_and_again_stays,
        it_goes_in_slices_between_which_others_are_served,
#endif
        NULL,
    };

    return suite_run("tidy", tests);
}
