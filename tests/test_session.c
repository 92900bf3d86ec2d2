/* test_session.c - sessions in memory: bytes in, bytes out, no socket. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/state.h"
#include "tests/notation.h"
#include "tests/script.h"
#include "tests/suite.h"
#include "tests/talk.h"

#define AT_ONCE 1000000u

/* -- turns --------------------------------------------------------------------------------------------------------- */

START_TEST(each_request_of_a_pipeline_counts_for_its_turn)
{
    const unsigned most = 32; /* in a turn: fewer than two of these requests count for */
    struct session *a;
    struct buf stream;

    talk_open(NULL);
    a = talk_session();
    talk_ask(a, "bind('l', [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])");
    for (unsigned i = 0; i < 4; i++)
        talk_ask(a, "call('l', 'extend', [{'@': 'l'}])");
    buf_init(&stream, SIZE_MAX / 2, NULL);
    for (unsigned i = 0; i < 15; i++)
        notation_pack_call(&stream, 1, "call('l', 'count', [0])");
    notation_pack_call(&stream, 1, "ping()"); /* what is asked for last is small */
    ck_assert_int_eq(session_feed(a, stream.bytes, stream.len, most), SESSION_PENDING);
    ck_assert_uint_eq(talk_read(a), 2);
    ck_assert_int_eq(session_run(a, most), SESSION_PENDING);
    ck_assert_uint_eq(talk_read(a), 2);
    session_run(a, AT_ONCE);
    ck_assert_uint_eq(talk_read(a), 12);
    buf_fini(&stream);
    talk_close();
}
END_TEST

/* -- how bytes come ----------------------------------------------------------------------------------------------- */

static void one_object_a_slice(struct hub_settings *settings)
{
    settings->slice_objects = 1;
}

/* Does all that can be done without more bytes, and moves what the session said to the end of `said`. */
static void settle(struct session *session, struct buf *said)
{
    do {
        struct buf *out = session_output(session);

        talk_work();
        buf_append(said, out->bytes + out->sent, buf_pending(out));
        buf_taken(out, buf_pending(out));
    } while (session_run(session, AT_ONCE) == SESSION_PENDING || hub_has_work(talk.hub) ||
             buf_pending(session_output(session)) > 0);
}

/* What a fresh session of a fresh hub says to `bytes` that come in pieces: `first` bytes, then `rest` at a time. */
static void answers_to(const struct buf *bytes, size_t first, size_t rest,
                       void (*change)(struct hub_settings *settings), struct buf *said)
{
    struct session *session;
    size_t at = 0;

    buf_clear(said);
    talk_open(change);
    session = talk_session();
    while (at < bytes->len) {
        size_t piece = at == 0 && first > 0 ? first : rest;

        piece = piece < bytes->len - at ? piece : bytes->len - at;
        session_feed(session, bytes->bytes + at, piece, AT_ONCE);
        settle(session, said);
        at += piece;
    }
    talk_check();
    talk_close();
}

/* The whole script as one stream, as far as its answers are the same in every run. */
static void pack_script(struct buf *stream)
{
    for (const char *const *call = script_setup; *call != NULL; call++)
        notation_pack_call(stream, 1, *call);
    for (const struct script_row *row = script_rows; row->type != NULL; row++)
        if (!script_ends(row) && !script_varies(row))
            notation_pack_call(stream, strcmp(row->method, "repr") == 0 ? -1 : 2, row->call);
}

static void is_same(const struct buf *said, const struct buf *expected, size_t where)
{
    if (said->len != expected->len || memcmp(said->bytes, expected->bytes, said->len) != 0)
        ck_abort_msg("cut at byte %zu, the answers differ", where);
}

START_TEST(requests_split_at_every_byte_get_the_same_answers)
{
    struct buf stream, expected, said;

    buf_init(&stream, SIZE_MAX / 2, NULL);
    buf_init(&expected, SIZE_MAX / 2, NULL);
    buf_init(&said, SIZE_MAX / 2, NULL);
    pack_script(&stream);
    answers_to(&stream, 0, stream.len, NULL, &expected);
    for (size_t cut = 1; cut < stream.len; cut += cut < 1200 ? 1 : 7) {
        answers_to(&stream, cut, stream.len, NULL, &said);
        is_same(&said, &expected, cut);
    }
    buf_fini(&stream);
    buf_fini(&expected);
    buf_fini(&said);
}
END_TEST

START_TEST(bytes_that_come_one_at_a_time_get_the_same_answers)
{
    struct buf stream, expected, said;

    buf_init(&stream, SIZE_MAX / 2, NULL);
    buf_init(&expected, SIZE_MAX / 2, NULL);
    buf_init(&said, SIZE_MAX / 2, NULL);
    pack_script(&stream);
    answers_to(&stream, 0, stream.len, NULL, &expected);
    for (size_t piece = 1; piece < 200; piece = piece * 2 + 1) {
        answers_to(&stream, 0, piece, NULL, &said);
        is_same(&said, &expected, piece);
    }
    answers_to(&stream, 0, stream.len, one_object_a_slice, &said);
    is_same(&said, &expected, 0);
    answers_to(&stream, 0, 1, one_object_a_slice, &said);
    is_same(&said, &expected, 1);
    buf_fini(&stream);
    buf_fini(&expected);
    buf_fini(&said);
}
END_TEST

/* -- two at once -------------------------------------------------------------------------------------------------- */

static void ten_objects_a_slice(struct hub_settings *settings)
{
    settings->slice_objects = 10;
}

static void send_call(struct session *session, int64_t msgid, const char *call)
{
    struct buf request;

    buf_init(&request, SIZE_MAX / 2, NULL);
    notation_pack_call(&request, msgid, call);
    talk_send(session, request.bytes, request.len);
    buf_fini(&request);
}

/* A list of 1024 lists under the name `big`. */
static void bind_big(struct session *session)
{
    talk_says(session, "bind('big', [])", "true");
    talk_says(session, "call('big', 'append', [[]])", "nil");
    for (unsigned i = 0; i < 10; i++) {
        talk_says(session, "deepcopy('big', {'into': 1})", "@1:list");
        talk_says(session, "call('big', 'extend', [@1])", "nil");
        talk_says(session, "release(1)", "1");
    }
    talk_says(session, "call('big', 'len')", "1024");
}

START_TEST(a_small_death_is_answered_while_anothers_graph_dies)
{
    struct session *a, *b;
    unsigned slices = 0;

    talk_open(ten_objects_a_slice);
    a = talk_session();
    b = talk_session();
    bind_big(a);
    talk_says(b, "bind('small', [1000, 2000])", "true");
    send_call(a, 1, "unbind('big')");
    ck_assert_int_eq(session_state(a), SESSION_PAUSED);
    ck_assert_uint_eq(talk_read(a), 0);
    ck_assert(hub_has_work(talk.hub));
    send_call(b, 2, "unbind('small')");
    for (; talk_read(b) == 0; slices++)
        hub_work(talk.hub);
    ck_assert_uint_le(slices, 2);
    ck_assert_int_eq(session_state(a), SESSION_PAUSED);
    talk_check();
    talk_says(b, "ping(5)", "5");
    ck_assert_int_eq(session_state(a), SESSION_PAUSED);
    talk_work();
    ck_assert_uint_eq(talk_read(a), 1);
    ck_assert_str_eq(talk.answer, "true");
    talk_close();
}
END_TEST

START_TEST(a_sliced_request_holds_up_its_own_connection_and_keeps_the_order)
{
    struct session *a;

    talk_open(ten_objects_a_slice);
    a = talk_session();
    bind_big(a);
    send_call(a, 1, "unbind('big')");
    send_call(a, 2, "ping('after')");
    ck_assert_uint_eq(talk_read(a), 0);
    while (talk_read(a) == 0) {
        ck_assert(hub_has_work(talk.hub));
        hub_work(talk.hub);
    }
    ck_assert_uint_eq(talk.msgid, 1);
    session_run(a, AT_ONCE);
    ck_assert_uint_eq(talk_read(a), 1);
    ck_assert_uint_eq(talk.msgid, 2);
    ck_assert_str_eq(talk.answer, "'after'");
    talk_close();
}
END_TEST

START_TEST(two_sessions_interleaved_in_slices_of_one_object_answer_as_alone)
{
    struct session *sessions[2];
    const char *const *call = script_setup;

    talk_open(one_object_a_slice);
    sessions[0] = talk_session();
    sessions[1] = talk_session();
    for (; *call != NULL; call++)
        for (unsigned i = 0; i < 2; i++) {
            talk_ask(sessions[i], *call);
            ck_assert(!talk.is_error);
        }
    for (const struct script_row *row = script_rows; row->type != NULL; row++)
        if (!script_ends(row) && strcmp(row->method, "hello") != 0) {
            send_call(sessions[0], 1, row->call);
            send_call(sessions[1], 1, row->call);
            for (unsigned answers = 0; answers < 2;) {
                hub_work(talk.hub);
                answers += talk_read(sessions[0]) + talk_read(sessions[1]);
                session_run(sessions[0], AT_ONCE);
                session_run(sessions[1], AT_ONCE);
            }
            talk_check();
        }
    talk_close();
}
END_TEST

START_TEST(a_doomed_object_may_be_kept_by_another_session_in_time)
{
    struct session *a, *b;

    talk_open(one_object_a_slice);
    a = talk_session();
    b = talk_session();
    talk_says(a, "bind(['global', 'outer'], [1, [2, 3], [4]])", "true");
    talk_says(b, "call('outer', 'get', [2], {'into': 1})", "@1:list");
    talk_says(b, "weakref(1, {'into': 2})", "@2:weakref");
    talk_says(b, "release(1)", "1");
    send_call(a, 1, "unbind(['global', 'outer'])");
    talk_says(b, "deref(2, {'into': 3})", "@3:list"); /* the outer list is dead, its last element not yet dropped */
    talk_work();
    ck_assert_uint_eq(talk_read(a), 1);
    talk_says(b, "read(3)", "[4]");
    talk_says(b, "refcount(3)", "1");
    talk_check();
    talk_close();
}
END_TEST

/* -- ends --------------------------------------------------------------------------------------------------------- */

START_TEST(the_end_of_a_session_frees_exactly_what_it_held)
{
    struct session *a, *b;
    unsigned long long live;
    uint64_t bytes;

    talk_open(ten_objects_a_slice);
    b = talk_session();
    talk_says(b, "bind(['global', 'kept'], [1000])", "true");
    talk_says(b, "ping(1)", "1");
    live = talk_stat(b, "objects", "live");
    bytes = talk.meter.bytes;
    a = talk_session();
    bind_big(a);
    talk_says(a, "bind('mine', {'@': 'kept'})", "true");
    talk_says(a, "call('kept', 'append', [[7000]])", "nil");
    talk_says(a, "weakref('big', {'notify': true})", "@2147483648:weakref");
    talk_says(a, "get('kept', {'into': 5})", "@5:list");
    talk_says(b, "refcount('kept')", "3");
    talk_end(a);
    talk_check();
    talk_says(b, "read('kept')", "[1000, [7000]]");
    talk_says(b, "refcount('kept')", "1");
    talk_says(b, "call('kept', 'pop', [], {'result': 'none'})", "nil");
    ck_assert_uint_eq(talk_stat(b, "objects", "live"), live);
    talk_says(b, "ping(1)", "1");
    ck_assert_uint_le(talk.meter.bytes, bytes + 64); /* the list has grown by a slot */
    talk_close();
}
END_TEST

START_TEST(every_row_of_the_script_leaves_nothing_when_its_session_ends)
{
    for (const struct script_row *row = script_rows; row->type != NULL; row++) {
        struct session *a, *b;
        unsigned long long live;

        if (strcmp(row->method, "offer") == 0 || strcmp(row->method, "kill") == 0)
            continue; /* an offer outlives its maker; number 1, which is killed, looks on here */
        talk_open(one_object_a_slice);
        b = talk_session();
        live = talk_stat(b, "objects", "live");
        a = talk_session();
        for (const char *const *call = script_setup; *call != NULL; call++)
            talk_ask(a, *call);
        send_call(a, 1, row->call);
        talk_end(a); /* whether it is answered or not */
        talk_check();
        talk_ask(b, "unbind(['global', 'shared'])");
        talk_ask(b, "unbind(['global', 'other'])");
        ck_assert_uint_eq(talk_stat(b, "objects", "live"), live);
        talk_close();
    }
}
END_TEST

START_TEST(a_session_that_ends_in_the_middle_of_a_slice_leaves_nothing)
{
    struct session *a, *b;
    unsigned long long live;

    talk_open(ten_objects_a_slice);
    b = talk_session();
    live = talk_stat(b, "objects", "live");
    a = talk_session();
    bind_big(a);
    send_call(a, 1, "unbind('big')");
    hub_work(talk.hub);
    session_close(a);
    talk_check();
    while (hub_has_work(talk.hub)) {
        hub_work(talk.hub);
        talk_check();
    }
    ck_assert_uint_eq(hub_session_count(talk.hub), 1);
    ck_assert_uint_eq(talk_stat(b, "objects", "live"), live);
    talk_close();
}
END_TEST

START_TEST(a_hub_closes_with_sessions_in_every_state)
{
    struct session *a;

    talk_open(ten_objects_a_slice);
    a = talk_session();
    bind_big(a);
    send_call(a, 1, "unbind('big')"); /* one is paused */
    a = talk_session();
    bind_big(a);
    session_close(a); /* one is ending */
    a = talk_session();
    talk_send(a, "\x94\x00", 2); /* one is in the middle of a frame */
    a = talk_session();
    talk_send(a, "GET /", 5); /* one is a stranger */
    a = talk_session();
    session_bye(a, "enough"); /* one is over */
    talk_close();
}
END_TEST

START_TEST(requests_that_came_whole_run_before_a_half_close)
{
    struct session *a;

    talk_open(ten_objects_a_slice);
    a = talk_session();
    bind_big(a);
    send_call(a, 1, "unbind('big')");
    send_call(a, 2, "ping(2)");
    talk_send(a, "\x94\x00\x03", 3); /* this one is cut off */
    session_eof(a);
    ck_assert_int_ne(session_state(a), SESSION_OVER);
    talk_work();
    while (session_run(a, 1) == SESSION_PENDING)
        continue;
    ck_assert_uint_eq(talk_read(a), 2);
    ck_assert_uint_eq(talk.msgid, 2);
    ck_assert_int_eq(session_state(a), SESSION_OVER);
    talk_close();
}
END_TEST

static char dump[4000];

static void gather_line(void *context, const char *text)
{
    (void)context;
    strcat(strcat(dump, text), "\n");
}

START_TEST(a_dump_has_a_line_for_the_heap_and_one_for_each_session)
{
    struct session *a;

    dump[0] = '\0';
    talk_open(ten_objects_a_slice);
    a = talk_session();
    talk_session();
    bind_big(a);
    send_call(a, 1, "unbind('big')");
    hub_dump(talk.hub, gather_line, NULL);
    ck_assert_ptr_nonnull(strstr(dump, "objects live="));
    ck_assert_ptr_nonnull(strstr(dump, "session 2 unknown"));
    ck_assert_ptr_nonnull(strstr(dump, "session 1 unknown"));
    ck_assert_ptr_nonnull(strstr(dump, " paused"));
    talk_close();
}
END_TEST

/* -- events ------------------------------------------------------------------------------------------------------- */

START_TEST(a_death_is_told_before_the_response_that_caused_it)
{
    struct session *a;

    talk_open(one_object_a_slice);
    a = talk_session();
    talk_says(a, "bind('x', [[1000]])", "true");
    talk_says(a, "weakref('x', {'notify': true, 'into': 1})", "@1:weakref");
    talk_says(a, "call('x', 'get', [0], {'into': 2})", "@2:list");
    talk_says(a, "weakref(2, {'notify': true, 'into': 3})", "@3:weakref");
    talk_says(a, "release(2)", "1");
    ck_assert_str_eq(talk.events, "");
    send_call(a, 1, "unbind('x')");
    while (talk.events[0] == '\0') {
        ck_assert_uint_eq(talk_read(a) > 0 && talk.events[0] == '\0', false);
        if (hub_has_work(talk.hub))
            hub_work(talk.hub);
    }
    ck_assert_str_eq(talk.events, "'dead'[1, 'count', [1, 3]]\n"); /* one frame, the container first */
    talk_says(a, "deref(1)", "nil");
    talk_close();
}
END_TEST

START_TEST(a_session_is_told_of_deaths_that_another_ones_end_caused)
{
    struct session *a, *b;

    talk_open(ten_objects_a_slice);
    a = talk_session();
    b = talk_session();
    talk_says(a, "new([1000], {'into': 1})", "@1:list");
    talk_says(a, "bind(['global', 'g'], @1)", "true");
    talk_says(b, "weakref('g', {'notify': true, 'into': 1})", "@1:weakref");
    talk_says(b, "unbind(['global', 'g'])", "true");
    talk_end(a);
    session_run(b, AT_ONCE);
    talk_read(b);
    ck_assert_str_eq(talk.events, "'dead'[1, 'session', [1]]\n");
    talk_close();
}
END_TEST

START_TEST(an_event_for_a_handle_that_is_not_held_any_more_is_not_sent)
{
    struct session *a;

    talk_open(NULL);
    a = talk_session();
    talk_says(a, "bind('x', [1000])", "true");
    talk_says(a, "weakref('x', {'notify': true, 'into': 1})", "@1:weakref");
    talk_says(a, "bind('w', @1)", "true");
    talk_says(a, "release(1)", "1");
    talk_says(a, "unbind('x')", "true");
    talk_says(a, "deref('w')", "nil");
    ck_assert_str_eq(talk.events, "");
    talk_close();
}
END_TEST

START_TEST(a_number_under_which_something_else_is_held_by_now_is_not_told)
{
    struct session *a;

    talk_open(NULL);
    a = talk_session();
    talk_says(a, "bind('x', [1000])", "true");
    talk_says(a, "weakref('x', {'notify': true, 'into': 1})", "@1:weakref");
    talk_says(a, "bind('w', @1)", "true");
    talk_says(a, "release(1)", "1");
    talk_says(a, "new([], {'into': 1})", "@1:list");
    talk_says(a, "unbind('x')", "true");
    talk_says(a, "deref('w')", "nil");
    ck_assert_str_eq(talk.events, "");
    talk_close();
}
END_TEST

/* It leaves while what its request dropped still dies. */
START_TEST(what_a_request_dooms_and_what_the_end_of_its_session_dooms_is_told_in_two_frames)
{
    struct session *a, *b;

    talk_open(ten_objects_a_slice);
    a = talk_session();
    b = talk_session();
    bind_big(a);
    talk_says(a, "hold('big', {'into': 1})", "@1:list");
    talk_says(a, "bind(['global', 'g'], @1)", "true");
    talk_says(a, "unbind('big')", "true");
    talk_says(a, "release(1)", "1");
    talk_says(a, "new([1000], {'into': 1})", "@1:list");
    talk_says(a, "call(['global', 'g'], 'set', [5, @1])", "nil");
    for (unsigned i = 0; i < 3; i++) {
        static const char *const members[] = {"0", "-1", "5"};
        char call[64];

        snprintf(call, sizeof call, "call('g', 'get', [%s], {'into': 1})", members[i]);
        talk_says(b, call, "@1:list");
        snprintf(call, sizeof call, "weakref(1, {'notify': true, 'into': %u})", 10 + i);
        talk_says(b, call, "@1...");
        talk_says(b, "release(1)", "1");
    }
    send_call(a, 2, "unbind(['global', 'g'])");
    session_close(a);
    talk_work();
    session_run(b, AT_ONCE);
    talk_read(b);
    ck_assert_str_eq(talk.events, "'dead'[1, 'count', [10, 11]]\n'dead'[2, 'session', [12]]\n");
    talk_close();
}
END_TEST

/* Its weakref lives on under a shared name. */
START_TEST(a_session_that_has_closed_is_told_nothing_any_more)
{
    struct session *a, *b;

    talk_open(NULL);
    a = talk_session();
    b = talk_session();
    talk_says(b, "bind(['global', 'x'], [1000])", "true");
    talk_says(a, "weakref('x', {'notify': true, 'into': 1})", "@1:weakref");
    talk_says(a, "bind(['global', 'w'], @1)", "true");
    session_close(a);
    talk_says(b, "unbind(['global', 'x'])", "true");
    talk_says(b, "deref('w')", "nil");
    ck_assert_ptr_null(a->deaths.first);
    talk_work();
    talk_close();
}
END_TEST

START_TEST(an_offer_stands_sixty_seconds_unless_told_otherwise)
{
    struct session *a;

    talk_open(NULL);
    a = talk_session();
    talk_says(a, "bind('x', [1000])", "true");
    talk_ask(a, "offer('x')");
    for (unsigned i = 0; i < 599; i++) {
        talk.now_ns += UINT64_C(100000000);
        hub_tick(talk.hub);
    }
    talk_says(a, "refcount('x')", "2");
    talk.now_ns += UINT64_C(100000000);
    hub_tick(talk.hub);
    talk_says(a, "refcount('x')", "1");
    talk_close();
}
END_TEST

/* -- death takes no memory ---------------------------------------------------------------------------------------- */

/* The call is answered, and everything it doomed is dead, without a single allocation. */
static void takes_no_memory(struct session *session, const char *call, const char *expected)
{
    struct buf request;
    uint64_t allocations;

    buf_init(&request, SIZE_MAX / 2, NULL);
    notation_pack_call(&request, 1, call);
    allocations = talk.meter.allocations;
    talk_send(session, request.bytes, request.len);
    talk_work();
    if (talk.meter.allocations != allocations)
        ck_abort_msg("%s makes %llu allocations", call, (unsigned long long)(talk.meter.allocations - allocations));
    ck_assert_uint_eq(talk_read(session), 1);
    ck_assert_str_eq(talk.answer, expected);
    buf_fini(&request);
}

START_TEST(releasing_unbinding_clearing_and_notices_take_no_memory)
{
    struct session *a;

    talk_open(NULL);
    a = talk_session();
    bind_big(a);
    talk_says(a, "copy('big', {'into': 1})", "@1:list");
    talk_says(a, "bind('d', {'a': [1000], 'b': [2000], 'c': {'d': [3000]}})", "true");
    talk_says(a, "call('set', 'new', [[1000, 2000, 3000]], {'into': 2})", "@2:set");
    talk_says(a, "bind('x', [[1000]])", "true");
    talk_says(a, "weakref('x', {'notify': true, 'into': 3})", "@3:weakref");
    takes_no_memory(a, "release(1)", "1");
    takes_no_memory(a, "call('big', 'clear')", "nil");
    takes_no_memory(a, "call('d', 'clear')", "nil");
    takes_no_memory(a, "call(2, 'clear')", "nil");
    talk_forget();
    talk_says(a, "unbind('d')", "true"); /* the buffer that puts events before a response has its first memory */
    talk_says(a, "weakref('big', {'notify': true, 'into': 4})", "@4:weakref");
    talk_says(a, "unbind('big')", "true");
    takes_no_memory(a, "unbind('x')", "true");
    ck_assert_str_eq(talk.events, "'dead'[1, 'count', [4]]\n'dead'[2, 'count', [3]]\n");
    talk_close();
}
END_TEST

START_TEST(the_end_of_a_session_takes_no_memory)
{
    struct session *a;
    uint64_t allocations;

    talk_open(ten_objects_a_slice);
    a = talk_session();
    for (const char *const *call = script_setup; *call != NULL; call++)
        talk_ask(a, *call);
    bind_big(a);
    allocations = talk.meter.allocations;
    talk_end(a);
    ck_assert_uint_eq(talk.meter.allocations, allocations);
    ck_assert_uint_eq(hub_session_count(talk.hub), 0);
    talk_check();
    talk_close();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        each_request_of_a_pipeline_counts_for_its_turn,
        requests_split_at_every_byte_get_the_same_answers,
        bytes_that_come_one_at_a_time_get_the_same_answers,
        a_small_death_is_answered_while_anothers_graph_dies,
        a_sliced_request_holds_up_its_own_connection_and_keeps_the_order,
        two_sessions_interleaved_in_slices_of_one_object_answer_as_alone,
        a_doomed_object_may_be_kept_by_another_session_in_time,
        the_end_of_a_session_frees_exactly_what_it_held,
        every_row_of_the_script_leaves_nothing_when_its_session_ends,
        a_session_that_ends_in_the_middle_of_a_slice_leaves_nothing,
        a_hub_closes_with_sessions_in_every_state,
        requests_that_came_whole_run_before_a_half_close,
        a_dump_has_a_line_for_the_heap_and_one_for_each_session,
        a_death_is_told_before_the_response_that_caused_it,
        a_session_is_told_of_deaths_that_another_ones_end_caused,
        an_event_for_a_handle_that_is_not_held_any_more_is_not_sent,
        a_number_under_which_something_else_is_held_by_now_is_not_told,
        what_a_request_dooms_and_what_the_end_of_its_session_dooms_is_told_in_two_frames,
        a_session_that_has_closed_is_told_nothing_any_more,
        an_offer_stands_sixty_seconds_unless_told_otherwise,
        releasing_unbinding_clearing_and_notices_take_no_memory,
        the_end_of_a_session_takes_no_memory,
        NULL,
    };

    return suite_run("session", tests);
}
