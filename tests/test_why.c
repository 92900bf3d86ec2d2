/*
 * test_why.c - the recount finds what is planted, also while others write; holders and chains hold in whatever moment they are
 * answered.
 *
 * The hub takes slices of one reference, and requests of other sessions run between any two of them.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/state.h"
#include "store/kinds/sequence.h"
#include "tests/notation.h"
#include "tests/suite.h"
#include "tests/talk.h"

static void one_object_a_slice(struct hub_settings *settings)
{
    settings->slice_objects = 1;
}

/* What a name of the session's is bound to. */
static struct obj *named(struct session *session, const char *name)
{
    struct obj *o = names_peek(talk.hub->heap, &space_of(session->own)->names, name, strlen(name));

    ck_assert_ptr_nonnull(o);
    return o;
}

static uint64_t seed;

static unsigned below(unsigned n)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)((seed >> 33) % n);
}

/* -- planted ------------------------------------------------------------------------------------------------------ */

START_TEST(a_count_that_is_too_high_is_found)
{
    struct session *session;
    struct obj *o;
    char expected[200];

    talk_open(one_object_a_slice);
    session = talk_session();
    talk_ask(session, "bind('x', [1000, {'k': 2.5}])");
    talk_says(session, "verify()", "{'objects': 8, 'checked': 8, 'differences': []}");
    o = named(session, "x");
    o->count++;
    snprintf(expected, sizeof expected, "{'objects': 8, 'checked': 8, 'differences': [{'type': 'list', 'id': %llu, "
             "'refcount': 2, 'holders': 1}]}", (unsigned long long)o->id);
    talk_says(session, "verify()", expected);
    o->count--;
    talk_close();
}
END_TEST

START_TEST(a_count_that_is_too_low_is_found)
{
    struct session *session;
    struct obj *o;
    char expected[200];

    talk_open(one_object_a_slice);
    session = talk_session();
    talk_ask(session, "bind('x', 1000)");
    talk_ask(session, "bind('y', [{'@': 'x'}])");
    o = named(session, "x");
    o->count--;
    snprintf(expected, sizeof expected, "{'objects': 5, 'checked': 5, 'differences': [{'type': 'int', 'id': %llu, "
             "'refcount': 1, 'holders': 2}]}", (unsigned long long)o->id);
    talk_says(session, "verify()", expected);
    o->count++;
    talk_close();
}
END_TEST

/* Nobody can name it any more; only their number tells. */
START_TEST(an_atom_that_nobody_holds_is_missed)
{
    struct session *session;
    struct obj *list, *item;

    talk_open(NULL);
    session = talk_session();
    talk_ask(session, "bind('x', [1000, 2.5])");
    list = named(session, "x");
    item = list_of(list)->items[1];
    list_of(list)->len = 1;
    talk_says(session, "verify()", "{'objects': 6, 'checked': 5, 'differences': [{'type': 'float', 'alive': 1, 'held': 0}]}");
    list_of(list)->len = 2;
    ck_assert_ptr_eq(list_of(list)->items[1], item);
    talk_close();
}
END_TEST

/* -- while others write ------------------------------------------------------------------------------------------- */

static const char *const writes[] = {
    "bind('l', [[1000], [2000], {'a': [3000]}])", "call('l', 'append', [{'@': 'd'}])", "call('l', 'pop')",
    "call('l', 'insert', [0, {'@': 'l'}])", "call('l', 'reverse')", "call('l', 'pop', [0])",
    "bind('d', {'x': {'@': 'l'}, 'y': [4000, 5000]})", "call('d', 'set', ['z', {'@': 'l'}])", "call('d', 'clear')",
    "bind(['global', 'g'], {'@': 'd'})", "unbind(['global', 'g'])", "copy('l', {'into': 1})", "release(1)",
    "deepcopy('d', {'into': 2})", "release(2)", "hold('l', {'into': 3})", "release(3)", "weakref('l', {'into': 4})",
    "deref(4, {'into': 5})", "release(4, 5)", "call('l', 'clear')", "gc()", "call('l', 'sort')", "call('l', 'del', [0])",
};

/* Sends a request without waiting for its end. */
static void begin(struct session *session, const char *call)
{
    static struct buf request;

    buf_init(&request, SIZE_MAX / 2, NULL);
    notation_pack_call(&request, 1, call);
    session_feed(session, request.bytes, request.len, 1);
    buf_fini(&request);
}

/* A few slices, or none. */
static void work_some(void)
{
    for (unsigned n = below(4); n > 0 && hub_has_work(talk.hub); n--)
        hub_work(talk.hub);
}

/* Runs the request while a writer changes things; its answer. */
static const char *ask_while(struct session *session, const char *call, struct session *writer)
{
    unsigned before = talk.answers;
    static char answer[sizeof talk.answer];

    begin(session, call);
    while (talk.answers == before) {
        if (session_state(writer) != SESSION_PAUSED)
            begin(writer, writes[below(sizeof writes / sizeof writes[0])]);
        work_some();
        (void)session_run(writer, 10);
        talk_read(session);
    }
    snprintf(answer, sizeof answer, "%s", talk.answer);
    while (hub_has_work(talk.hub))
        hub_work(talk.hub);
    talk_read(writer);
    return answer;
}

static void open_two(struct session **asker, struct session **writer)
{
    talk_open(one_object_a_slice);
    *asker = talk_session();
    *writer = talk_session();
    talk_ask(*asker, "bind('ballast', [[1000], [2000], [3000], [4000], {'a': 1000, 'b': [2000]}])");
    talk_ask(*writer, writes[0]);
    talk_ask(*writer, "bind('d', {})");
}

START_TEST(no_difference_is_told_that_a_write_made)
{
    struct session *asker, *writer;

    seed = 1;
    open_two(&asker, &writer);
    for (int i = 0; i < 300; i++) {
        const char *answer = ask_while(asker, "verify()", writer);

        ck_assert_msg(strstr(answer, "'differences': []") != NULL, "%s", answer);
        talk_check();
    }
    talk_close();
}
END_TEST

START_TEST(a_planted_difference_is_told_while_others_write)
{
    struct session *asker, *writer;
    struct obj *o;

    seed = 2;
    open_two(&asker, &writer);
    o = list_of(named(asker, "ballast"))->items[2];
    for (int i = 0; i < 100; i++) {
        const char *answer;
        char expected[100];

        o->count += 2;
        answer = ask_while(asker, "verify()", writer);
        o->count -= 2;
        snprintf(expected, sizeof expected, "'differences': [{'type': 'list', 'id': %llu, 'refcount': 3, 'holders': 1}]}",
                 (unsigned long long)o->id);
        ck_assert_msg(strstr(answer, expected) != NULL, "%s", answer);
    }
    talk_close();
}
END_TEST

/* However much is written, a part that nobody touches has its rows and its chain, each time. */
START_TEST(what_nobody_touches_is_told_the_same_while_others_write)
{
    struct session *asker, *writer;
    char rows[2000], chain[2000];

    seed = 3;
    open_two(&asker, &writer);
    talk_ask(asker, "call('ballast', 'get', [2], {'into': 9})");
    talk_ask(asker, "bind('d', {'in': @9})");
    snprintf(rows, sizeof rows, "%s", talk_ask(asker, "info(9, {'holders': true})"));
    ck_assert_msg(strstr(rows, "'bindings': 0, 'handles': 1, 'containers': 2}") != NULL, "%s", rows);
    snprintf(chain, sizeof chain, "%s", talk_ask(asker, "path('d')"));
    for (int i = 0; i < 100; i++) {
        ck_assert_str_eq(ask_while(asker, "info(9, {'holders': true})", writer), rows);
        ck_assert_str_eq(ask_while(asker, "path('d')", writer), chain);
    }
    talk_close();
}
END_TEST

/* A ring that nobody holds but the asker, beside a writer who could have moved anything anywhere. */
START_TEST(nil_is_answered_of_garbage_only)
{
    struct session *asker, *writer;

    seed = 4;
    open_two(&asker, &writer);
    talk_ask(asker, "new([1000], {'into': 9})");
    talk_ask(asker, "call(9, 'append', [@9])");
    for (int i = 0; i < 100; i++)
        ck_assert_str_eq(ask_while(asker, "path(9, {'others': true})", writer), "nil");
    talk_ask(writer, "bind(['global', 'way'], [[[5]]])");
    talk_ask(asker, "get(['global', 'way'], {'into': 10})");
    talk_ask(asker, "call(10, 'append', [@9])");
    for (int i = 0; i < 100; i++)
        ck_assert_str_ne(ask_while(asker, "path(9, {'others': true})", writer), "nil");
    talk_close();
}
END_TEST

START_TEST(a_session_that_ends_takes_its_question_along)
{
    static const char *const questions[] = {"verify()", "referrers('ballast')", "path('ballast')",
                                            "info('ballast', {'holders': true})"};

    for (unsigned i = 0; i < 4 * 40; i++) {
        struct session *asker, *writer;

        open_two(&asker, &writer);
        begin(asker, questions[i % 4]);
        for (unsigned n = i / 4; n > 0 && hub_has_work(talk.hub); n--)
            hub_work(talk.hub);
        talk_end(asker);
        talk_check();
        ck_assert_ptr_null(talk.hub->heap->ledgers);
        ck_assert(!talk.hub->heap->is_marking);
        talk_close();
    }
}
END_TEST

int main(void)
{
    return suite_run("why", (const TTest *const[]){a_count_that_is_too_high_is_found, a_count_that_is_too_low_is_found,
                                                   an_atom_that_nobody_holds_is_missed,
                                                   no_difference_is_told_that_a_write_made,
                                                   a_planted_difference_is_told_while_others_write,
                                                   what_nobody_touches_is_told_the_same_while_others_write,
                                                   nil_is_answered_of_garbage_only,
                                                   a_session_that_ends_takes_its_question_along, NULL});
}
