/* test_linger.c - sessions that outlive their connection, offers, and what is kept for them, in memory. */
#include <stdio.h>
#include <string.h>

#include "daemon/keep.h"
#include "daemon/token.h"
#include "tests/notation.h"
#include "tests/script.h"
#include "tests/suite.h"
#include "tests/talk.h"

#define TICK_MS UINT64_C(250)

/* -- tokens ------------------------------------------------------------------------------------------------------- */

START_TEST(a_token_is_its_text)
{
    struct token token, other, parsed;
    char text[TOKEN_TEXT], again[TOKEN_TEXT];

    ck_assert(token_make(&token) && token_make(&other));
    ck_assert(!token_equals(&token, &other));
    token_text(&token, text);
    ck_assert(token_parse(&parsed, text, TOKEN_TEXT) && token_equals(&token, &parsed));
    for (size_t i = 0; i < TOKEN_BYTES * 8; i++) {
        struct token changed = token;

        changed.bytes[i / 8] ^= (unsigned char)(1u << i % 8);
        ck_assert(!token_equals(&token, &changed));
        token_text(&changed, again);
        ck_assert_int_ne(memcmp(text, again, TOKEN_TEXT), 0);
    }
}
END_TEST

START_TEST(what_is_no_text_of_a_token_is_refused)
{
    struct token token;
    char text[TOKEN_TEXT + 1];

    ck_assert(token_make(&token));
    token_text(&token, text);
    ck_assert(!token_parse(&token, text, 0) && !token_parse(&token, text, TOKEN_TEXT - 1));
    text[TOKEN_TEXT] = 'A';
    ck_assert(!token_parse(&token, text, TOKEN_TEXT + 1));
    for (size_t i = 0; i < TOKEN_TEXT; i++)
        for (const char *bad = "+/= \x80\xff\n"; *bad != '\0'; bad++) {
            char kept = text[i];

            text[i] = *bad;
            ck_assert(!token_parse(&token, text, TOKEN_TEXT));
            text[i] = kept;
        }
    text[5] = '\0';
    ck_assert(!token_parse(&token, text, TOKEN_TEXT));
}
END_TEST

/* -- records ------------------------------------------------------------------------------------------------------ */

static struct meter meter;

static void *resize(void *context, void *old, size_t old_size, size_t size)
{
    struct mem *mem = &meter.mem;

    (void)context;
    if (size > 0)
        return mem->resize(mem->context, old, old_size, size);
    mem->release(mem->context, old, old_size);
    return NULL;
}

static const struct buf_memory metered = {.resize = resize};

/* Adds a record of `len` bytes, all of them the last digit of its number. */
static void add(struct keep *keep, uint32_t len, uint64_t most, uint64_t most_bytes)
{
    char bytes[1000];

    memset(bytes, (int)('0' + keep->next % 10), len);
    keep_add(keep, &(struct kept){.len = len}, bytes, most, most_bytes);
}

/* "3-7: 5 7" is: records 3 ... 7 are known, of which 5 and 7 are whole. */
static void holds(const struct keep *keep, const char *expected)
{
    struct keep_walk walk = {0};
    const struct kept *kept;
    char text[500];
    unsigned long long number = keep->first;
    size_t len = (size_t)sprintf(text, "%llu-%llu:", number, (unsigned long long)keep->next - 1);

    for (; (kept = keep_next(keep, &walk)) != NULL; number++) {
        ck_assert_uint_eq(walk.number, number);
        if (!kept->is_whole)
            continue;
        len += (size_t)sprintf(text + len, " %llu", number);
        for (uint32_t i = 0; i < kept->len; i++)
            ck_assert_int_eq(walk.bytes[i], (int)('0' + number % 10));
    }
    ck_assert_uint_eq(number, keep->next);
    ck_assert_str_eq(text, expected);
}

static void open_keep(struct keep *keep)
{
    meter_init(&meter);
    keep_init(keep, 1, &metered);
}

static void close_keep(struct keep *keep)
{
    keep_fini(keep);
    ck_assert_uint_eq(meter.bytes, 0);
}

START_TEST(records_at_the_limit_stay_and_with_one_more_the_oldest_goes)
{
    struct keep keep;

    open_keep(&keep);
    holds(&keep, "1-0:");
    for (unsigned i = 0; i < 4; i++)
        add(&keep, 10, 4, 1000);
    holds(&keep, "1-4: 1 2 3 4");
    add(&keep, 10, 4, 1000);
    holds(&keep, "2-5: 2 3 4 5");
    add(&keep, 10, 1, 1000);
    holds(&keep, "6-6: 6");
    close_keep(&keep);
}
END_TEST

START_TEST(bytes_at_the_limit_stay_and_with_one_more_the_oldest_lose_theirs)
{
    struct keep keep;

    open_keep(&keep);
    for (unsigned i = 0; i < 4; i++)
        add(&keep, 25, 100, 100);
    holds(&keep, "1-4: 1 2 3 4");
    add(&keep, 1, 100, 100);
    holds(&keep, "1-5: 2 3 4 5");
    add(&keep, 50, 100, 100);
    holds(&keep, "1-6: 4 5 6");
    add(&keep, 100, 100, 100);
    holds(&keep, "1-7: 7");
    close_keep(&keep);
}
END_TEST

START_TEST(a_record_too_large_by_itself_takes_no_other_ones_place)
{
    struct keep keep;

    open_keep(&keep);
    add(&keep, 50, 100, 100);
    add(&keep, 101, 100, 100);
    add(&keep, 50, 100, 100);
    holds(&keep, "1-3: 1 3");
    add(&keep, 10, 100, 100);
    holds(&keep, "1-4: 3 4");
    add(&keep, 10, 100, 0);
    holds(&keep, "1-5: 3 4");
    close_keep(&keep);
}
END_TEST

START_TEST(what_is_seen_is_forgotten)
{
    struct keep keep;

    open_keep(&keep);
    for (unsigned i = 0; i < 9; i++)
        add(&keep, i == 4 ? 200 : 20, 100, 180);
    holds(&keep, "1-9: 1 2 3 4 6 7 8 9");
    keep_forget(&keep, 1);
    holds(&keep, "1-9: 1 2 3 4 6 7 8 9");
    keep_forget(&keep, 6);
    holds(&keep, "6-9: 6 7 8 9");
    keep_forget(&keep, 100);
    holds(&keep, "10-9:");
    add(&keep, 5, 100, 180);
    holds(&keep, "10-10: 10");
    close_keep(&keep);
}
END_TEST

START_TEST(lost_records_have_numbers_and_no_bytes)
{
    struct keep keep;

    open_keep(&keep);
    add(&keep, 5, 10, 100);
    keep_lose(&keep, 3, 10);
    add(&keep, 5, 10, 100);
    holds(&keep, "1-5: 1 5");
    keep_lose(&keep, 1000000000, 10);
    holds(&keep, "1000000006-1000000005:");
    add(&keep, 5, 10, 100);
    holds(&keep, "1000000006-1000000006: 1000000006");
    close_keep(&keep);
}
END_TEST

START_TEST(records_are_lost_without_memory_and_nothing_else_happens)
{
    for (uint64_t k = 1; k < 12; k++) {
        struct keep keep;
        struct keep_walk walk = {0};
        uint64_t number;

        open_keep(&keep);
        meter_fail(&meter, k, false);
        for (unsigned i = 0; i < 300; i++)
            add(&keep, 90, 1000, 100000);
        meter_fail(&meter, 0, false);
        ck_assert_uint_eq(keep.next, 301);
        for (number = keep.first; keep_next(&keep, &walk) != NULL; number++)
            ck_assert_uint_eq(walk.number, number);
        ck_assert_uint_eq(number, 301);
        close_keep(&keep);
    }
}
END_TEST

/* -- sessions ----------------------------------------------------------------------------------------------------- */

/* Lets time pass as the daemon does: with a look at the clock every quarter of a second. */
static void pass(uint64_t ms)
{
    for (; ms >= TICK_MS; ms -= TICK_MS) {
        talk.now_ns += TICK_MS * 1000000;
        if (hub_tick_ms(talk.hub) != UINT64_MAX)
            hub_tick(talk.hub);
        talk_work();
    }
}

/* A session that lingers; its token is kept for `$`. */
static struct session *lingering(const char *hello)
{
    struct session *session = talk_session();
    const char *token = strstr(talk_ask(session, hello), "'token': ");

    ck_assert_ptr_nonnull(token);
    snprintf(notation_kept, sizeof notation_kept, "%.*s", TOKEN_TEXT + 2, token + strlen("'token': "));
    return session;
}

/* Asks on a new connection, and reads all that comes; the session that goes on there, or the new one. */
static struct session *ask_anew(const char *call)
{
    struct session *session = talk_session();

    talk.moved = NULL;
    talk_send_call(session, call);
    if (talk.moved != NULL)
        session = talk.moved;
    ck_assert_uint_ge(talk_read(session), 1);
    return session;
}

START_TEST(a_session_lingers_as_long_as_it_was_promised)
{
    struct session *session;

    talk_open(NULL);
    session = lingering("hello({'linger': 10})");
    talk_ask(session, "bind(['global', 'x'], [1])");
    talk_ask(session, "hold('x')");
    session_close(session);
    pass(9000);
    ck_assert_uint_eq(hub_session_count(talk.hub), 1);
    session = ask_anew("hello({'resume': $})");
    talk_says(session, "refcount('x')", "2");
    session_close(session);
    pass(9750);
    ck_assert_uint_eq(hub_session_count(talk.hub), 1);
    pass(500);
    ck_assert_uint_eq(hub_session_count(talk.hub), 0);
    session = ask_anew("hello({'resume': $})");
    ck_assert(talk.is_error && strncmp(talk.answer, "DENIED ", 7) == 0);
    talk_says(session, "refcount('x')", "1");
    talk_check();
    talk_close();
}
END_TEST

START_TEST(who_was_told_bye_is_not_resumed_before_the_connection_is_closed_either)
{
    static const char *const ends[] = {"bye()", "kill(1)"};

    for (unsigned i = 0; i < 2; i++) {
        struct session *session, *other;

        talk_open(NULL);
        session = lingering("hello({'linger': 10})");
        other = talk_session();
        talk_ask(i == 0 ? session : other, ends[i]);
        ck_assert_int_eq(session_state(session), SESSION_OVER);
        ask_anew("hello({'resume': $})");
        ck_assert(talk.moved == NULL && strncmp(talk.answer, "DENIED ", 7) == 0);
        talk_end(session);
        ck_assert_uint_eq(hub_session_count(talk.hub), 2);
        talk_close();
    }
}
END_TEST

START_TEST(a_standstill_is_charged_with_half_a_second_at_most)
{
    struct session *session;

    talk_open(NULL);
    session = lingering("hello({'linger': 1})");
    session_close(session);
    talk.now_ns += UINT64_C(3600) * 1000000000;
    hub_tick(talk.hub);
    ck_assert_uint_eq(hub_session_count(talk.hub), 1);
    pass(500);
    ck_assert_uint_eq(hub_session_count(talk.hub), 0);
    talk_close();
}
END_TEST

START_TEST(nobody_is_woken_when_nothing_waits_for_a_time)
{
    struct session *session, *other;

    talk_open(NULL);
    session = lingering("hello({'linger': 1})");
    other = talk_session();
    talk_ask(other, "gc_config({'enabled': false})");
    ck_assert_uint_eq(hub_tick_ms(talk.hub), UINT64_MAX);
    session_close(session);
    ck_assert_uint_eq(hub_tick_ms(talk.hub), TICK_MS);
    pass(1250);
    ck_assert_uint_eq(hub_tick_ms(talk.hub), UINT64_MAX);
    talk_ask(other, "offer('list', {'ttl': 1})");
    ck_assert_uint_eq(hub_tick_ms(talk.hub), TICK_MS);
    pass(1250);
    ck_assert_uint_eq(hub_tick_ms(talk.hub), UINT64_MAX);
    talk_close();
}
END_TEST

static void one_object_a_slice(struct hub_settings *settings)
{
    settings->slice_objects = 1;
}

START_TEST(an_offer_that_nobody_claims_dies_in_slices_and_is_told)
{
    struct session *a, *b;
    unsigned slices = 0;

    talk_open(one_object_a_slice);
    a = talk_session();
    b = talk_session();
    talk_ask(a, "bind('x', [[1000], [2000], [[3000]]])");
    talk_ask(a, "weakref('x', {'notify': true, 'into': 5})");
    talk_ask(a, "offer('x', {'ttl': 1})");
    talk_ask(a, "unbind('x')");
    talk_ask(b, "gc_config({'enabled': false})");
    for (unsigned i = 0; i < 6; i++) {
        talk.now_ns += TICK_MS * 1000000;
        hub_tick(talk.hub);
    }
    talk_check();
    for (; hub_has_work(talk.hub); slices++) {
        hub_work(talk.hub);
        talk_says(b, "ping(1)", "1");
        talk_check();
    }
    ck_assert_uint_gt(slices, 5);
    session_run(a, 1);
    talk_read(a);
    ck_assert_str_eq(talk.events, "'dead'[1, 'count', [5]]\n");
    talk_close();
}
END_TEST

START_TEST(what_rests_of_a_read_after_a_resume_belongs_to_the_resumed_session)
{
    struct session *session, *carrier;
    struct buf stream;

    for (size_t cut = 0; cut < 60; cut++) {
        talk_open(NULL);
        session = lingering("hello({'linger': 10})");
        talk_ask(session, "bind('x', 12345)");
        session_close(session);
        carrier = talk_session();
        buf_init(&stream, 100000, NULL);
        notation_pack_call(&stream, 1, "ping('first')");
        notation_pack_call(&stream, 2, "hello({'resume': $})");
        notation_pack_call(&stream, 3, "get('x')");
        notation_pack_call(&stream, 4, "bind('y', 5)");
        talk.moved = NULL;
        talk_send(carrier, stream.bytes, cut < stream.len ? cut : stream.len);
        session = talk.moved != NULL ? talk.moved : carrier;
        talk_send(session, stream.bytes + cut, stream.len - cut);
        session = talk.moved;
        while (session_state(session) == SESSION_PENDING)
            session_run(session, 1);
        ck_assert_uint_eq(talk_read(session), 4);
        ck_assert_uint_eq(talk.msgid, 4);
        talk_says(session, "names()", "['x', 'y']");
        talk_work();
        ck_assert_uint_eq(hub_session_count(talk.hub), 1);
        buf_fini(&stream);
        talk_check();
        talk_close();
    }
}
END_TEST

/* A session with something kept of everything, detached. */
static void set_up_detached(void)
{
    struct session *session = lingering("hello({'linger': 10, 'events': ['told', 'prefix']})");
    struct session *other = talk_session();

    talk_ask(session, "bind(['global', 'x'], [1])");
    talk_ask(session, "bind(['global', 'y'], [2])");
    talk_ask(session, "weakref('x', {'notify': true, 'into': 5})");
    talk_ask(session, "weakref('y', {'notify': true, 'into': 6})");
    talk_ask(session, "unbind(['global', 'x'])");
    talk_ask(session, "hold('list')");
    session_close(session);
    talk_ask(other, "unbind(['global', 'y'])");
    talk_end(other);
    talk_forget();
}

START_TEST(a_resume_whose_memory_fails_leaves_the_session_lingering)
{
    bool was_failed = true;

    for (uint64_t k = 1; was_failed; k++) {
        struct session *session;

        talk_open(NULL);
        set_up_detached();
        session = talk_session();
        talk.moved = NULL;
        meter_fail(&talk.meter, k, false);
        talk_send_call(session, "hello({'resume': $, 'seen': 0, 'answered': 5, 'name': 'again', 'events': ['new']})");
        was_failed = talk.meter.allocations >= talk.meter.fail_at;
        meter_fail(&talk.meter, 0, false);
        talk_check();
        if (talk.moved == NULL) {
            ck_assert(was_failed);
            session_close(session);
            session = ask_anew("hello({'resume': $, 'seen': 0, 'answered': 5})");
            ck_assert_ptr_nonnull(talk.moved);
        } else {
            session = talk.moved;
            talk_read(session);
        }
        if (strstr(talk.events, "'dead', 1, 'count', [5]") == NULL ||
            strstr(talk.events, "'dead', 2, 'count', [6]") == NULL)
            ck_assert(was_failed && strstr(talk.events, "'lost', ") != NULL);
        talk_says(session, "names('global')", "[]");
        talk_says(session, "release(5, 6, 2147483648)", "3");
        talk_close();
    }
}
END_TEST

START_TEST(a_promise_whose_memory_fails_promises_nothing)
{
    bool was_failed = true;

    for (uint64_t k = 1; was_failed; k++) {
        struct session *session;

        talk_open(NULL);
        session = talk_session();
        meter_fail(&talk.meter, k, false);
        talk_send_call(session, "hello({'linger': 10, 'namespace': 'room'})");
        was_failed = talk.meter.allocations >= talk.meter.fail_at;
        meter_fail(&talk.meter, 0, false);
        talk_check();
        if (session_state(session) != SESSION_OVER) {
            talk_read(session);
            ck_assert_int_eq(talk.is_error, strstr(talk.answer, "'token': ") == NULL);
            if (talk.is_error)
                talk_says(session, "names('room')", "NO_NAME ...");
        }
        talk_close();
    }
}
END_TEST

START_TEST(a_detached_session_works_on_when_its_memory_fails)
{
    bool was_failed = true;

    for (uint64_t k = 1; was_failed; k++) {
        struct session *session, *other;

        talk_open(one_object_a_slice);
        session = lingering("hello({'linger': 10})");
        other = talk_session();
        talk_ask(session, "bind('x', [[1000], [2000], [3000]])");
        talk_ask(other, "bind(['global', 'y'], [2])");
        talk_ask(session, "weakref('y', {'notify': true, 'into': 6})");
        talk_send_call(session, "unbind('x')");
        session_close(session);
        meter_fail(&talk.meter, k, false);
        talk_work();
        talk_send_call(other, "unbind(['global', 'y'])");
        talk_work();
        was_failed = talk.meter.allocations >= talk.meter.fail_at;
        meter_fail(&talk.meter, 0, false);
        talk_check();
        talk_forget();
        session = ask_anew("hello({'resume': $, 'seen': 0})");
        ck_assert_ptr_nonnull(talk.moved);
        ck_assert(strcmp(talk.events, "'dead'[1, 'count', [6]]\n") == 0 || strcmp(talk.events, "'lost'[1, 1]\n") == 0 ||
                  talk.events[0] == '\0');
        ck_assert(was_failed || strcmp(talk.events, "'dead'[1, 'count', [6]]\n") == 0);
        talk_says(session, "names()", "[]");
        talk_close();
    }
}
END_TEST

/* -- at random ---------------------------------------------------------------------------------------------------- */

#define CLIENTS 3

struct client {
    struct session *session; /* NULL: it has no connection now */
    char token[TOKEN_TEXT + 3];
};

static unsigned long long state;
static unsigned resumes;

static unsigned below(unsigned n)
{
    return suite_random(&state, n);
}

static void few_objects_and_little_kept(struct hub_settings *settings)
{
    settings->slice_objects = 5;
    settings->limit_kept = 2000;
    settings->limit_events = 3;
    settings->gc_growth = 100;
}

static void begin(struct client *client)
{
    client->session = lingering("hello({'linger': 2})");
    memcpy(client->token, notation_kept, sizeof client->token);
    for (const char *const *call = script_setup + 1; *call != NULL; call++)
        talk_ask(client->session, *call);
}

/* On a new connection; the old one, if there is one, is closed by that. */
static void come_back(struct client *client)
{
    char call[200];
    struct session *carrier = talk_session();

    if (below(2) == 0)
        snprintf(call, sizeof call, "hello({'resume': %s})", client->token);
    else
        snprintf(call, sizeof call, "hello({'resume': %s, 'seen': %u, 'answered': %u})", client->token, below(2),
                 30 + below(20));
    talk.moved = NULL;
    talk_send_call(carrier, call);
    if (talk.moved == NULL) {
        session_close(carrier);
        return;
    }
    client->session = talk.moved;
    talk_read(client->session);
    resumes++;
}

static const char *choose_row(void)
{
    static unsigned count;

    while (script_rows[count].type != NULL)
        count++;
    return script_rows[below(count)].call;
}

static void act(struct client *client)
{
    struct session *session = client->session;

    if (session != NULL && session_state(session) == SESSION_OVER) {
        talk_read(session);
        session_close(session);
        begin(client);
    } else if (session != NULL && below(10) == 0) {
        session_close(session);
        client->session = NULL;
    } else if (session == NULL || below(20) == 0) {
        come_back(client);
    } else {
        talk_send_call(session, choose_row());
        talk_read(session);
    }
}

/* A session that nobody came back for in time is begun anew. */
static void renew_expired(struct client *client)
{
    struct session *carrier;
    char call[100];

    if (client->session != NULL)
        return;
    carrier = talk_session();
    snprintf(call, sizeof call, "hello({'resume': %s, 'seen': 4000000000})", client->token);
    talk_ask(carrier, call);
    ck_assert(talk.is_error);
    if (strncmp(talk.answer, "DENIED ", 7) == 0)
        begin(client);
    session_close(carrier);
}

START_TEST(connections_that_come_and_go_at_random_leave_a_sound_heap)
{
    for (unsigned seed = 1; seed <= 15; seed++) {
        struct client clients[CLIENTS];

        state = seed * 7919;
        talk_open(few_objects_and_little_kept);
        for (unsigned i = 0; i < CLIENTS; i++)
            begin(&clients[i]);
        for (unsigned round = 0; round < 400; round++) {
            struct client *client = &clients[below(CLIENTS)];

            act(client);
            for (unsigned n = below(4); n > 0 && hub_has_work(talk.hub); n--)
                hub_work(talk.hub);
            if (client->session != NULL) {
                session_run(client->session, below(3));
                talk_read(client->session);
            }
            talk.now_ns += below(2) * TICK_MS * 1000000;
            hub_tick(talk.hub);
            renew_expired(client);
            talk_forget();
            talk_check();
        }
        talk_close();
    }
    ck_assert_uint_gt(resumes, 200);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_token_is_its_text,
        what_is_no_text_of_a_token_is_refused,
        records_at_the_limit_stay_and_with_one_more_the_oldest_goes,
        bytes_at_the_limit_stay_and_with_one_more_the_oldest_lose_theirs,
        a_record_too_large_by_itself_takes_no_other_ones_place,
        what_is_seen_is_forgotten,
        lost_records_have_numbers_and_no_bytes,
        records_are_lost_without_memory_and_nothing_else_happens,
        a_session_lingers_as_long_as_it_was_promised,
        who_was_told_bye_is_not_resumed_before_the_connection_is_closed_either,
        a_standstill_is_charged_with_half_a_second_at_most,
        nobody_is_woken_when_nothing_waits_for_a_time,
        an_offer_that_nobody_claims_dies_in_slices_and_is_told,
        what_rests_of_a_read_after_a_resume_belongs_to_the_resumed_session,
        a_resume_whose_memory_fails_leaves_the_session_lingering,
        a_promise_whose_memory_fails_promises_nothing,
        a_detached_session_works_on_when_its_memory_fails,
        connections_that_come_and_go_at_random_leave_a_sound_heap,
        NULL,
    };

    return suite_run("linger", tests);
}
