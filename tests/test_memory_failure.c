/*
 * test_memory_failure.c - every single allocation of every method fails once.
 *
 * Each row of the script is run on a fresh hub with its k-th allocation failing, k = 1, 2, ..., until no allocation
 * fails any more; and again with all allocations from the k-th on failing. The request must answer NO_MEMORY and have
 * changed nothing, or succeed all the same, or the session must end; the heap is sound, and the next request works.
 */
#include <stdio.h>
#include <string.h>

#include "tests/grammar.h"
#include "tests/notation.h"
#include "tests/script.h"
#include "tests/suite.h"
#include "tests/talk.h"

static struct session *session;

static void set_up(void)
{
    talk_open(NULL);
    session = talk_session();
    for (const char *const *call = script_setup; *call != NULL; call++) {
        talk_ask(session, *call);
        if (talk.is_error)
            ck_abort_msg("%s: %s", *call, talk.answer);
    }
    snprintf(notation_kept, sizeof notation_kept, "%s", talk_ask(session, "offer('l')"));
    talk_forget();
}

/* What a client can see of the state: each name's repr and count, numbers of everything. */
static void look(char *text, size_t size)
{
    char call[100];
    size_t len = 0;

    for (const char *const *name = script_names; *name != NULL; name++) {
        snprintf(call, sizeof call, "call('%s', 'repr')", *name);
        len += (size_t)snprintf(text + len, size - len, "%s %s ", *name, talk_ask(session, call));
        snprintf(call, sizeof call, "refcount('%s')", *name);
        len += (size_t)snprintf(text + len, size - len, "%s\n", talk_ask(session, call));
    }
    len += (size_t)snprintf(text + len, size - len, "%s\n", talk_ask(session, "names()"));
    len += (size_t)snprintf(text + len, size - len, "%s\n", talk_ask(session, "names('global')"));
    len += (size_t)snprintf(text + len, size - len, "%llu objects\n", talk_stat(session, "objects", "live"));
    len += (size_t)snprintf(text + len, size - len, "%llu handles\n", talk_stat(session, "sessions", "handles"));
    ck_assert_uint_lt(len, size);
}

/* Sends a request; true if a response came, false if the session is over. */
static bool try_ask(const char *call)
{
    static struct buf request;
    unsigned before = talk.answers;

    buf_init(&request, SIZE_MAX / 2, NULL);
    notation_pack_call(&request, 1, call);
    session_feed(session, request.bytes, request.len, 100);
    buf_fini(&request);
    while (hub_has_work(talk.hub))
        hub_work(talk.hub);
    talk_read(session);
    return session_state(session) != SESSION_OVER && talk.answers == before + 1;
}

/* One row with one failure; true if there was an allocation to fail. */
static bool run_row(const struct script_row *row, uint64_t k, bool on)
{
    static char before[20000];
    static char after[20000];
    uint64_t start;
    bool was_failed;
    bool is_open;

    set_up();
    look(before, sizeof before);
    start = talk.meter.allocations;
    meter_fail(&talk.meter, k, on);
    is_open = try_ask(row->call);
    was_failed = talk.meter.allocations - start >= k;
    meter_fail(&talk.meter, 0, false);
    talk_check();
    if (!is_open) {
        ck_assert(was_failed || script_ends(row));
        talk_end(session);
        session = talk_session();
    } else if (talk.is_error) {
        if (!was_failed || strncmp(talk.answer, "NO_MEMORY ", 10) != 0)
            ck_abort_msg("%s, allocation %llu: %s", row->call, (unsigned long long)k, talk.answer);
        look(after, sizeof after);
        if (strcmp(before, after) != 0)
            ck_abort_msg("%s, allocation %llu failed, before:\n%s\nafter:\n%s", row->call, (unsigned long long)k,
                         before, after);
    }
    talk_says(session, "call('list', 'new', [[1, 'works']], {'result': 'value'})", "[1, 'works']");
    talk_check();
    talk_close();
    return was_failed;
}

START_TEST(the_script_calls_every_method_of_the_tables)
{
    const char *missing = script_missing();

    ck_assert_msg(missing == NULL, "no row of tests/script.c calls %s", missing);
}
END_TEST

START_TEST(every_row_works_when_nothing_fails)
{
    for (const struct script_row *row = script_rows; row->type != NULL; row++) {
        set_up();
        talk_ask(session, row->call);
        if (talk.is_error)
            ck_abort_msg("%s: %s", row->call, talk.answer);
        talk_check();
        talk_close();
    }
}
END_TEST

START_TEST(each_allocation_of_each_method_may_fail_once)
{
    uint64_t failures = 0;

    for (const struct script_row *row = script_rows; row->type != NULL; row++)
        for (uint64_t k = 1; run_row(row, k, false); k++)
            failures++;
    fprintf(stderr, "# %llu allocations failed once\n", (unsigned long long)failures);
    ck_assert_uint_gt(failures, 500);
}
END_TEST

START_TEST(from_each_allocation_on_all_may_fail)
{
    uint64_t failures = 0;

    for (const struct script_row *row = script_rows; row->type != NULL; row++)
        for (uint64_t k = 1; run_row(row, k, true); k++)
            failures++;
    fprintf(stderr, "# %llu times all failed from there on\n", (unsigned long long)failures);
    ck_assert_uint_gt(failures, 500);
}
END_TEST

/* -- random requests ---------------------------------------------------------------------------------------------- */

static unsigned choose_random(void *context, unsigned below)
{
    return suite_random(context, below);
}

/* One random request with one failure; true if there was an allocation to fail. */
static bool run_random(unsigned long long *state, uint64_t k, bool on)
{
    struct buf request;
    struct grammar grammar = {choose_random, state, &request};
    uint64_t start;
    bool was_failed;

    buf_init(&request, SIZE_MAX / 2, NULL);
    grammar_request(&grammar);
    start = talk.meter.allocations;
    meter_fail(&talk.meter, k, on);
    session_feed(session, request.bytes, request.len, 100);
    while (hub_has_work(talk.hub))
        hub_work(talk.hub);
    was_failed = talk.meter.allocations - start >= k;
    meter_fail(&talk.meter, 0, false);
    buf_fini(&request);
    talk_read(session);
    talk_check();
    if (session_state(session) == SESSION_OVER) {
        talk_end(session);
        session = talk_session();
    }
    return was_failed;
}

START_TEST(random_requests_whose_allocations_fail_leave_a_sound_heap)
{
    uint64_t failures = 0;

    for (unsigned long long seed = 1; seed <= 30; seed++) {
        unsigned long long state = seed * 104729;

        set_up();
        for (unsigned round = 0; round < 600; round++) {
            uint64_t k = 1 + suite_random(&state, 4);
            bool on = suite_random(&state, 4) == 0;

            failures += run_random(&state, k, on);
        }
        talk_close();
    }
    fprintf(stderr, "# %llu allocations failed\n", (unsigned long long)failures);
    ck_assert_uint_gt(failures, 1000);
}
END_TEST

START_TEST(a_hub_that_cannot_be_opened_leaves_nothing)
{
    struct hub_settings settings;
    struct hub_ops ops = {.mem = &talk.meter.mem};
    struct hub *hub = NULL;
    uint64_t k;

    hub_settings_default(&settings);
    for (k = 1; hub == NULL; k++) {
        meter_init(&talk.meter);
        meter_fail(&talk.meter, k, false);
        hub = hub_open(&settings, &ops);
        ck_assert(hub != NULL || talk.meter.bytes == 0);
    }
    ck_assert_uint_gt(k, 300);
    hub_close(hub);
    ck_assert_uint_eq(talk.meter.bytes, 0);
}
END_TEST

START_TEST(a_session_that_cannot_be_opened_leaves_nothing)
{
    const struct peer peer = {0};
    struct session *opened = NULL;

    talk_open(NULL);
    for (uint64_t k = 1; opened == NULL; k++) {
        uint64_t bytes = talk.meter.bytes;

        meter_fail(&talk.meter, k, false);
        opened = session_open(talk.hub, &peer);
        meter_fail(&talk.meter, 0, false);
        ck_assert(opened != NULL || (talk.meter.bytes == bytes && hub_session_count(talk.hub) == 0));
        talk_check();
    }
    talk_says(opened, "ping(1)", "1");
    talk_close();
}
END_TEST

START_TEST(an_incomplete_frame_that_cannot_be_kept_ends_the_session)
{
    for (uint64_t k = 1; k <= 4; k++) {
        struct buf request;
        bool is_over;

        set_up();
        buf_init(&request, 1000, NULL);
        notation_pack_call(&request, 5, "ping([[[['nested']]]])");
        meter_fail(&talk.meter, k, false);
        talk_send(session, request.bytes, 12);
        is_over = session_state(session) == SESSION_OVER;
        ck_assert_int_eq(is_over, talk.meter.allocations >= talk.meter.fail_at);
        meter_fail(&talk.meter, 0, false);
        if (!is_over)
            talk_send(session, request.bytes + 12, request.len - 12);
        ck_assert_uint_eq(talk_read(session), !is_over);
        buf_fini(&request);
        talk_check();
        talk_close();
    }
}
END_TEST

/* -- calls that wait ---------------------------------------------------------------------------------------------- */

START_TEST(a_call_that_finds_no_memory_to_wait_does_not_wait)
{
    bool was_failed = true;

    for (uint64_t k = 1; was_failed; k++) {
        unsigned answers;

        set_up();
        talk_ask(session, "call('queue', 'new', [], {'into': 70})");
        meter_fail(&talk.meter, k, true);
        talk_send_call(session, "call(@70, 'take', [5])");
        was_failed = talk.meter.allocations >= talk.meter.fail_at;
        meter_fail(&talk.meter, 0, false);
        answers = talk_read(session);
        ck_assert(session_state(session) == SESSION_OVER || answers == was_failed);
        ck_assert(answers == 0 || strncmp(talk.answer, "NO_MEMORY ", 10) == 0);
        talk_check();
        if (session_state(session) != SESSION_OVER)
            ck_assert_uint_eq(talk_stat(session, "sessions", "waiting"), !was_failed);
        talk_close();
    }
}
END_TEST

/* Whatever fails when it is handed over: one who waits has the item, or the queue has it, or it was not put. */
START_TEST(an_item_that_finds_no_memory_on_its_way_is_not_lost)
{
    bool was_failed = true;

    for (uint64_t k = 1; was_failed; k++) {
        struct session *taker, *looker;
        bool is_put, is_taken;

        set_up();
        looker = talk_session();
        taker = talk_session();
        talk_ask(session, "call('queue', 'new', [], {'into': 70})");
        talk_ask(session, "bind(['global', 'way'], @70)");
        talk_ask(session, "bind('item', [[1, 2], 'text'])");
        talk_send_call(taker, "call('way', 'take', [])");
        ck_assert_uint_eq(talk_read(taker), 0);
        meter_fail(&talk.meter, k, true);
        talk_send_call(session, "call('way', 'put', [{'@': 'item'}])");
        was_failed = talk.meter.allocations >= talk.meter.fail_at;
        meter_fail(&talk.meter, 0, false);
        is_put = talk_read(session) == 1 && !talk.is_error;
        is_taken = talk_read(taker) == 1 && !talk.is_error;
        talk_check();
        if (is_put)
            talk_says(looker, "call('way', 'len')", is_taken ? "0" : "1");
        else if (session_state(session) != SESSION_OVER)
            ck_assert(!is_taken);
        talk_close();
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_script_calls_every_method_of_the_tables,
        every_row_works_when_nothing_fails,
        each_allocation_of_each_method_may_fail_once,
        from_each_allocation_on_all_may_fail,
        random_requests_whose_allocations_fail_leave_a_sound_heap,
        a_hub_that_cannot_be_opened_leaves_nothing,
        a_session_that_cannot_be_opened_leaves_nothing,
        an_incomplete_frame_that_cannot_be_kept_ends_the_session,
        a_call_that_finds_no_memory_to_wait_does_not_wait,
        an_item_that_finds_no_memory_on_its_way_is_not_lost,
        NULL,
    };

    return suite_run("memory failure", tests);
}
