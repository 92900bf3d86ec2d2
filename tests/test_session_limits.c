/* test_session_limits.c - sessions in memory: at their limits, under hostile bytes and random requests. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/state.h"
#include "protocol/limits.h"
#include "tests/grammar.h"
#include "tests/notation.h"
#include "tests/script.h"
#include "tests/suite.h"
#include "tests/talk.h"

#define AT_ONCE 1000000u

/* -- limits ------------------------------------------------------------------------------------------------------- */

static void tight(struct hub_settings *settings)
{
    settings->limit_handles = 3;
    settings->limit_names = 3;
    settings->limit_sessions = 2;
    settings->limit_work = 100;
    settings->limit_frame = 1000;
    settings->limit_depth = HD_DEPTH_MIN;
}

START_TEST(handles_end_at_their_limit)
{
    struct session *a;

    talk_open(tight);
    a = talk_session();
    for (unsigned i = 0; i < 3; i++)
        talk_ask(a, "new([])");
    talk_says(a, "new([])", "LIMIT ...");
    talk_says(a, "hold('list')", "LIMIT ...");
    talk_says(a, "release(@2147483649)", "1");
    talk_says(a, "new([], {'into': 9})", "@9:list");
    talk_says(a, "new([])", "LIMIT ...");
    talk_check();
    talk_close();
}
END_TEST

START_TEST(names_end_at_their_limit)
{
    struct session *a;

    talk_open(tight);
    a = talk_session();
    talk_says(a, "bind('a', 1)", "true");
    talk_says(a, "bind('b', 1)", "true");
    talk_says(a, "bind('c', 1)", "true");
    talk_says(a, "bind('d', 1)", "LIMIT ...");
    talk_says(a, "bind('a', 2)", "true"); /* no new name */
    talk_says(a, "unbind('b')", "true");
    talk_says(a, "bind('d', 1)", "true");
    talk_close();
}
END_TEST

START_TEST(sessions_end_at_their_limit_with_a_word)
{
    struct session *a, *b, *c;

    talk_open(tight);
    a = talk_session();
    b = talk_session();
    c = talk_session();
    ck_assert_int_eq(session_state(c), SESSION_OVER);
    talk_read(c);
    ck_assert_ptr_nonnull(strstr(talk.events, "'bye'"));
    ck_assert_ptr_nonnull(strstr(talk.events, "limits.sessions"));
    talk_end(c);
    talk_end(b);
    talk_says(talk_session(), "ping(1)", "1");
    talk_says(a, "ping(1)", "1");
    talk_close();
}
END_TEST

START_TEST(work_beyond_its_limit_is_refused_and_changes_nothing)
{
    struct session *a;

    talk_open(tight);
    a = talk_session();
    talk_says(a, "bind('x', [1, 2, 3, 4, 5, 6, 7, 8])", "true");
    for (unsigned i = 0; i < 3; i++)
        talk_says(a, "call('x', 'extend', [{'@': 'x'}])", "nil");
    talk_says(a, "call('x', 'len')", "64");
    talk_says(a, "call('x', 'extend', [{'@': 'x'}])", "nil");
    talk_says(a, "call('x', 'extend', [{'@': 'x'}])", "LIMIT ...");
    talk_says(a, "copy('x')", "LIMIT ...");
    talk_says(a, "call('x', 'sort')", "LIMIT ...");
    talk_says(a, "call('x', 'len')", "128");
    talk_close();
}
END_TEST

START_TEST(new_limits_hold_from_then_on_and_take_nothing_away)
{
    struct hub_settings settings;
    struct session *a;

    talk_open(NULL);
    a = talk_session();
    for (unsigned i = 0; i < 5; i++)
        talk_ask(a, "new([])");
    hub_settings_default(&settings);
    tight(&settings);
    hub_configure(talk.hub, &settings);
    talk_says(a, "new([])", "LIMIT ...");
    talk_says(a, "release(@2147483648, @2147483649, @2147483650)", "3");
    talk_ask(a, "new([])");
    ck_assert(!talk.is_error);
    talk_says(a, "call('str', 'new', [[1, 2, 3]])", "'[1, 2, 3]'");
    talk_close();
}
END_TEST

/* -- limits.session_bytes ---------------------------------------------------------------------------------------- */

/* Settings of a running hub. */
static void set_session_bytes(uint64_t limit)
{
    struct hub_settings settings = talk.hub->settings;

    settings.limit_session_bytes = limit;
    hub_configure(talk.hub, &settings);
}

/* The request is LIMIT under every limit from what the session costs up to some limit, changing nothing, and works at
 * that and above; the session then costs no more than that. */
static void ends_at_its_limit(const char *call)
{
    struct session *a;
    uint64_t before, limit;
    unsigned long long live;

    talk_open(NULL);
    a = talk_session();
    talk_ask(a, "bind('x', [1, 2, 3])");
    talk_ask(a, "bind('s', 'text')");
    before = limit = quota_cost(a);
    live = talk_stat(a, "objects", "live");
    set_session_bytes(limit);
    while (strncmp(talk_ask(a, call), "LIMIT ", 6) == 0) {
        ck_assert_uint_le(quota_cost(a), limit); /* a table may have grown */
        ck_assert_uint_eq(talk_stat(a, "objects", "live"), live);
        ck_assert_uint_lt(limit, before + 10000);
        talk_check();
        set_session_bytes(++limit);
    }
    ck_assert_msg(!talk.is_error, "%s: %s", call, talk.answer);
    ck_assert_uint_gt(limit, before);
    ck_assert_uint_le(quota_cost(a), limit);
    ck_assert_uint_gt(quota_cost(a), before);
    talk_close();
}

START_TEST(a_session_costs_as_much_as_its_limit_and_not_a_byte_more)
{
    ends_at_its_limit("bind('y', [1000, 2000, 'abc', {'a': 1.5}])");
    ends_at_its_limit("bind('y', 'a text of some length that is longer than an int')");
    ends_at_its_limit("call('x', 'append', [1000])");
    ends_at_its_limit("new([], {'into': 1})");
    ends_at_its_limit("deepcopy('x')");
    ends_at_its_limit("bind('t', {'@': 'x'})");
    ends_at_its_limit("weakref('x')");
    ends_at_its_limit("class('C')");
}
END_TEST

START_TEST(at_its_limit_a_session_can_let_go_and_others_go_on)
{
    struct session *a, *b;
    uint64_t at_first;

    talk_open(NULL);
    a = talk_session();
    b = talk_session();
    talk_ask(a, "bind('y', [])");
    at_first = quota_cost(a);
    talk_ask(a, "bind('x', ['some text to make it larger', 1000, 2000])");
    talk_ask(a, "hold('x', {'into': 7})");
    set_session_bytes(quota_cost(a));
    talk_says(a, "bind('y', 1000)", "LIMIT ...");
    talk_says(a, "ping(1)", "1");
    talk_says(b, "bind('y', 1000)", "true");
    talk_says(a, "release(@7)", "1");
    talk_says(a, "unbind('x')", "true");
    ck_assert_uint_le(quota_cost(a), at_first + 300); /* the name table may stay larger */
    talk_says(a, "bind('y', 1000)", "true");
    talk_close();
}
END_TEST

START_TEST(what_others_let_die_is_not_taken_off_the_account)
{
    struct session *a, *b;
    uint64_t cost;

    talk_open(NULL);
    a = talk_session();
    b = talk_session();
    talk_ask(a, "bind(['global', 'x'], [1000, 2000, 3000])");
    cost = quota_cost(a);
    talk_ask(b, "unbind(['global', 'x'])");
    ck_assert_uint_eq(quota_cost(a), cost);
    ck_assert_uint_eq(quota_cost(b), 0);
    talk_close();
}
END_TEST

START_TEST(an_answer_beyond_session_bytes_is_LIMIT)
{
    struct session *a;

    talk_open(NULL);
    a = talk_session();
    talk_ask(a, "bind('l', [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])");
    for (unsigned i = 0; i < 13; i++)
        talk_ask(a, "call('l', 'extend', [{'@': 'l'}])"); /* 131,072 elements, and so many bytes to read */
    set_session_bytes(quota_cost(a) + 131072 + 50);
    talk_says(a, "read('l')", "[0, 0...");
    set_session_bytes(quota_cost(a) + 100000);
    talk_says(a, "read('l')", "LIMIT ...");
    talk_says(a, "ping('works')", "'works'");
    talk_close();
}
END_TEST

START_TEST(output_that_waits_is_part_of_session_bytes)
{
    char ping[400], bind[400];
    struct session *a;

    snprintf(ping, sizeof ping, "ping('%0300d')", 0);
    snprintf(bind, sizeof bind, "bind('x', '%0300d')", 0);
    talk_open(NULL);
    a = talk_session();
    talk_ask(a, "bind('x', 1)");
    set_session_bytes(quota_cost(a) + 500);
    talk_send_call(a, ping);
    talk_send_call(a, bind);
    ck_assert_uint_eq(talk_read(a), 2);
    ck_assert_msg(talk.is_error && strncmp(talk.answer, "LIMIT ", 6) == 0, "%s", talk.answer);
    talk_says(a, "get('x')", "1");
    talk_says(a, bind, "true");
    talk_close();
}
END_TEST

/* -- hostile bytes ------------------------------------------------------------------------------------------------ */

START_TEST(a_bad_frame_with_a_msgid_is_answered_and_ends_the_session)
{
    struct session *a;

    talk_open(tight);
    a = talk_session();
    talk_send(a, BYTES("\x94\x00\x05\xa4ping\x91\xdd\xff\xff\xff\xff"));
    ck_assert_uint_eq(talk_read(a), 1);
    ck_assert_uint_eq(talk.msgid, 5);
    ck_assert_int_eq(strncmp(talk.answer, "BAD_FRAME ", 10), 0);
    ck_assert_int_eq(session_state(a), SESSION_OVER);
    talk_send(a, BYTES("\x94\x00\x06\xa4ping\x90"));
    ck_assert_uint_eq(talk_read(a), 0);
    talk_close();
}
END_TEST

START_TEST(a_bad_frame_without_a_msgid_is_told_by_bye)
{
    struct session *a;

    talk_open(tight);
    a = talk_session();
    talk_says(a, "ping(1)", "1");
    talk_send(a, BYTES("\x93\x02\xc0"));
    ck_assert_uint_eq(talk_read(a), 0);
    ck_assert_int_eq(strncmp(talk.events, "'bye'[1, 'BAD_FRAME ", 20), 0);
    ck_assert_int_eq(session_state(a), SESSION_OVER);
    talk_close();
}
END_TEST

START_TEST(a_claim_takes_no_memory)
{
    struct session *a;
    uint64_t bytes;

    talk_open(NULL);
    a = talk_session();
    bytes = talk.meter.bytes;
    talk_send(a, BYTES("\x94\x00\x05\xa4ping\x91\xdd\x03\xff\xff\x00")); /* 67 million values: not beyond the limit */
    ck_assert_int_eq(session_state(a), SESSION_READY);
    ck_assert_uint_le(talk.meter.bytes, bytes + 2000);
    talk_close();
}
END_TEST

START_TEST(random_bytes_never_break_a_session)
{
    for (unsigned long long seed = 1; seed <= 300; seed++) {
        unsigned long long state = seed;
        struct session *a;

        talk_open(tight);
        a = talk_session();
        for (unsigned round = 0; round < 20; round++) {
            struct buf request;

            buf_init(&request, SIZE_MAX / 2, NULL);
            notation_pack_call(&request, 1, script_rows[suite_random(&state, 150)].call);
            for (unsigned flips = suite_random(&state, 4); flips > 0; flips--)
                request.bytes[suite_random(&state, (unsigned)request.len)] = (char)suite_random(&state, 256);
            talk_send(a, request.bytes, request.len);
            talk_work();
            buf_taken(session_output(a), buf_pending(session_output(a)));
            buf_fini(&request);
            if (session_state(a) == SESSION_OVER) {
                talk_end(a);
                a = talk_session();
            }
            talk_check();
        }
        talk_close();
    }
}
END_TEST

/* -- random requests ---------------------------------------------------------------------------------------------- */

static unsigned choose_random(void *context, unsigned below)
{
    return suite_random(context, below);
}

static void small(struct hub_settings *settings)
{
    settings->limit_handles = 60;
    settings->limit_names = 20;
    settings->limit_work = 5000;
    settings->limit_read = 100000;
    settings->memory_limit = 4 << 20;
    settings->slice_objects = 3;
}

/* Feeds one request in pieces, with slices of the hub's work between them. */
static void feed_in_pieces(struct session *session, const struct buf *request, unsigned long long *state)
{
    size_t at = 0;

    while (at < request->len) {
        size_t piece = 1 + suite_random(state, 60);

        piece = piece < request->len - at ? piece : request->len - at;
        session_feed(session, request->bytes + at, piece, AT_ONCE);
        if (suite_random(state, 3) == 0)
            hub_work(talk.hub);
        at += piece;
    }
    for (unsigned slices = suite_random(state, 20); slices > 0; slices--)
        hub_work(talk.hub);
    session_run(session, AT_ONCE);
}

START_TEST(random_requests_of_three_sessions_leave_a_sound_heap)
{
    for (unsigned long long seed = 1; seed <= 40; seed++) {
        unsigned long long state = seed * 7919;
        struct session *sessions[3];

        talk_open(small);
        for (unsigned i = 0; i < 3; i++)
            sessions[i] = talk_session();
        for (unsigned round = 0; round < 250; round++) {
            unsigned i = suite_random(&state, 3);
            struct buf request;
            struct grammar grammar = {choose_random, &state, &request};

            buf_init(&request, SIZE_MAX / 2, NULL);
            grammar_request(&grammar);
            feed_in_pieces(sessions[i], &request, &state);
            buf_fini(&request);
            talk_read(sessions[i]);
            talk_check();
            if (session_state(sessions[i]) == SESSION_OVER || suite_random(&state, 100) == 0) {
                session_close(sessions[i]);
                sessions[i] = talk_session();
            }
        }
        talk_close();
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        handles_end_at_their_limit,
        names_end_at_their_limit,
        sessions_end_at_their_limit_with_a_word,
        work_beyond_its_limit_is_refused_and_changes_nothing,
        new_limits_hold_from_then_on_and_take_nothing_away,
        a_session_costs_as_much_as_its_limit_and_not_a_byte_more,
        at_its_limit_a_session_can_let_go_and_others_go_on,
        what_others_let_die_is_not_taken_off_the_account,
        an_answer_beyond_session_bytes_is_LIMIT,
        output_that_waits_is_part_of_session_bytes,
        a_bad_frame_with_a_msgid_is_answered_and_ends_the_session,
        a_bad_frame_without_a_msgid_is_told_by_bye,
        a_claim_takes_no_memory,
        random_bytes_never_break_a_session,
        random_requests_of_three_sessions_leave_a_sound_heap,
        NULL,
    };

    return suite_run("session limits", tests);
}
