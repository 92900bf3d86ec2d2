/* test_cli_latency.c - times counted by size. */
#include "client/cli/latency.h"

#include "tests/suite.h"

static struct latency latency;

START_TEST(of_one_time_every_part_is_that_time)
{
    for (unsigned power = 0; power < 64; power++)
        for (unsigned add = 0; add < 3; add++) {
            uint64_t ns = (UINT64_C(1) << power) + add * (UINT64_C(1) << power) / 3;

            latency = (struct latency){0};
            latency_add(&latency, ns);
            ck_assert_uint_eq(latency_within(&latency, 0.0), ns);
            ck_assert_uint_eq(latency_within(&latency, 0.5), ns);
            ck_assert_uint_eq(latency_within(&latency, 1.0), ns);
        }
}
END_TEST

START_TEST(what_is_told_of_many_is_at_most_three_percent_too_much)
{
    latency = (struct latency){0};
    for (uint64_t ns = 1; ns <= 1000000; ns++)
        latency_add(&latency, ns);
    for (unsigned percent = 1; percent <= 100; percent++) {
        uint64_t told = latency_within(&latency, percent / 100.0);

        ck_assert_uint_ge(told, percent * 10000);
        ck_assert_uint_le(told, percent * 10000 + percent * 320);
    }
    ck_assert_uint_eq(latency.longest_ns, 1000000);
    ck_assert_uint_eq(latency.count, 1000000);
}
END_TEST

START_TEST(of_none_it_is_0)
{
    latency = (struct latency){0};
    ck_assert_uint_eq(latency_within(&latency, 0.5), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        of_one_time_every_part_is_that_time,
        what_is_told_of_many_is_at_most_three_percent_too_much,
        of_none_it_is_0,
        NULL,
    };

    return suite_run("latency", tests);
}
