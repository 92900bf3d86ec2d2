/* test_timing.c - histograms of requests and the slow log, by a clock that each look at it moves on. */
#include <string.h>

#include "tests/notation.h"
#include "tests/suite.h"
#include "tests/talk.h"

#define AT_ONCE 1000000u
#define TICK UINT64_C(100000) /* 100 us: bucket "128" */

/* Sends the same request so many times in one turn. */
static void send_many(struct session *session, const char *call, unsigned count)
{
    struct buf stream;

    buf_init(&stream, SIZE_MAX / 2, NULL);
    for (unsigned i = 0; i < count; i++)
        notation_pack_call(&stream, 1, call);
    session_feed(session, stream.bytes, stream.len, AT_ONCE);
    ck_assert_uint_eq(talk_read(session), count);
    buf_fini(&stream);
}

/* stats('requests') has this text. */
static void tells(struct session *session, const char *text)
{
    ck_assert_msg(strstr(talk_ask(session, "stats('requests')"), text) != NULL, "%s is not in %s", text, talk.answer);
}

static struct session *open_with_clock(void (*change)(struct hub_settings *settings))
{
    talk_open(change);
    talk.tick_ns = TICK;
    return talk_session();
}

START_TEST(the_first_request_of_each_method_is_timed)
{
    struct session *a = open_with_clock(NULL);

    talk_ask(a, "ping(1)");
    talk_ask(a, "names()");
    tells(a, "'ping': {'calls': 1, 'errors': 0, 'longest_us': 100, 'us': {'128': 1}}");
    tells(a, "'names': {'calls': 1, 'errors': 0, 'longest_us': 100, 'us': {'128': 1}}");
    talk_close();
}
END_TEST

START_TEST(of_quick_requests_one_in_32_looks_at_the_clock_and_stands_for_all)
{
    struct session *a = open_with_clock(NULL);
    uint64_t looks = talk.looks;

    send_many(a, "ping(1)", 64);
    ck_assert_uint_eq(talk.looks - looks, 1 + 2 * 2); /* one for the turn */
    tells(a, "'ping': {'calls': 64, 'errors': 0, 'longest_us': 100, 'us': {'128': 64}}");
    talk.tick_ns = 1000 * TICK;
    send_many(a, "ping(1)", 64);
    tells(a, "'ping': {'calls': 128, 'errors': 0, 'longest_us': 100000, 'us': {'128': 64, '131072': 64}}");
    talk_close();
}
END_TEST

START_TEST(every_large_request_is_timed)
{
    struct session *a = open_with_clock(NULL);
    uint64_t looks;

    talk_ask(a, "bind('x', [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])");
    for (unsigned i = 0; i < 7; i++)
        talk_ask(a, "call('x', 'extend', [{'@': 'x'}])");
    looks = talk.looks;
    send_many(a, "call('x', 'count', [1])", 9); /* of 1,536 elements */
    ck_assert_uint_eq(talk.looks - looks, 1 + 9);
    tells(a, "'call': {'calls': 16, 'errors': 0, 'longest_us': 100, 'us': {'128': 16}}");
    talk_close();
}
END_TEST

START_TEST(errors_are_counted_by_method_and_by_code)
{
    struct session *a = open_with_clock(NULL);

    talk_ask(a, "get('nothing')");
    talk_ask(a, "get('nothing')");
    talk_ask(a, "get('list')");
    talk_ask(a, "get()");
    talk_ask(a, "nonsense()");
    tells(a, "'get': {'calls': 4, 'errors': 3,");
    tells(a, "'codes': {'NO_METHOD': 1, 'BAD_ARGS': 1, 'NO_NAME': 2}");
    ck_assert_uint_eq(talk_stat(a, "requests", "errors"), 4);
    talk_close();
}
END_TEST

START_TEST(slow_requests_are_kept_and_told_slowest_first)
{
    struct session *a = open_with_clock(NULL);

    talk_says(a, "slowlog()", "[]");
    talk.tick_ns = 100 * TICK;
    talk_ask(a, "ping(1)");
    talk.tick_ns = 300 * TICK;
    talk_ask(a, "names()");
    talk.tick_ns = 99 * TICK; /* not slow */
    talk_ask(a, "namespaces()");
    talk.tick_ns = 0;
    talk_says(a, "slowlog()", "[{'method': 'names', 'session': 1, 'objects': 0, 'us': 30000, 'at': ...");
    talk_says(a, "slowlog(1)", "[{'method': 'names', 'session': 1, 'objects': 0, 'us': 30000, 'at': ...");
    ck_assert_ptr_null(strstr(talk.answer, "ping"));
    ck_assert_ptr_nonnull(strstr(talk_ask(a, "slowlog(2)"), "{'method': 'ping', 'session': 1, 'objects': "));
    ck_assert_ptr_null(strstr(talk_ask(a, "slowlog(1000)"), "namespaces"));
    talk_says(a, "slowlog(0)", "[]");
    talk_says(a, "slowlog(-1)", "BAD_ARGS ...");
    talk_says(a, "slowlog('all')", "BAD_ARGS ...");
    ck_assert_uint_eq(talk_stat(a, "requests", "slow"), 2);
    talk_close();
}
END_TEST

static void keep_all(struct hub_settings *settings)
{
    settings->slowlog_us = 0;
}

static unsigned count_of(const char *text, const char *part)
{
    unsigned count = 0;

    for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part))
        count++;
    return count;
}

START_TEST(the_slow_log_keeps_the_last_128)
{
    struct session *a = open_with_clock(keep_all);

    send_many(a, "namespaces()", 10);
    ck_assert_uint_eq(count_of(talk_ask(a, "slowlog(1000)"), "namespaces"), 10);
    send_many(a, "ping(1)", 127);
    ck_assert_uint_eq(count_of(talk_ask(a, "slowlog(1000)"), "'method'"), 128);
    ck_assert_uint_eq(count_of(talk.answer, "'ping'"), 127);
    ck_assert_uint_eq(count_of(talk.answer, "'slowlog'"), 1); /* the one before */
    talk_close();
}
END_TEST

START_TEST(a_request_in_slices_counts_from_its_beginning_to_its_answer)
{
    struct session *a = open_with_clock(keep_all);

    talk_ask(a, "gc()");
    ck_assert_ptr_nonnull(strstr(talk_ask(a, "slowlog(1)"), "'gc'"));
    tells(a, "'gc': {'calls': 1, 'errors': 0,");
    talk_close();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_first_request_of_each_method_is_timed,
        of_quick_requests_one_in_32_looks_at_the_clock_and_stands_for_all,
        every_large_request_is_timed,
        errors_are_counted_by_method_and_by_code,
        slow_requests_are_kept_and_told_slowest_first,
        the_slow_log_keeps_the_last_128,
        a_request_in_slices_counts_from_its_beginning_to_its_answer,
        NULL,
    };

    return suite_run("timing", tests);
}
