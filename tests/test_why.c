/*
 * test_why.c - the recount finds what is planted, also while others write; holders and chains hold in whatever moment
 * they are answered.
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
    talk_says(session, "verify()",
              "{'objects': 6, 'checked': 5, 'differences': [{'type': 'float', 'alive': 1, 'held': 0}]}");
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
    "deref(4, {'into': 5})", "release(4, 5)", "call('l', 'clear')", "gc()", "call('l', 'sort')",
    "call('l', 'del', [0])",
};

/* The same few objects over and over, from place to place, so that their counts come back to what they were. */
static const char *const moves[] = {
    "call('l', 'insert', [0, 7])", "call('l', 'pop', [0], {'result': 'none'})", "call('l', 'reverse')",
    "call('l', 'append', [{'@': 'x'}])", "call('l', 'pop', [], {'result': 'none'})", "call('l', 'clear')",
    "call('l', 'extend', [{'@': 'kept'}])", "call('l', 'insert', [3, {'@': 'x'}])", "call('l', 'pop', [3])",
    "call('d', 'set', ['x', {'@': 'x'}])", "call('d', 'pop', ['x', 7])", "call('d', 'clear')",
    "bind(['global', 'g'], {'@': 'x'})", "bind(['global', 'g'], 7)", "hold('x', {'into': 1})", "release(1)",
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

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
static const char *ask_while(struct session *session, const char *call, struct session *writer,
                             const char *const *requests, size_t count)
{
    unsigned before = talk.answers;
    static char answer[sizeof talk.answer];

    begin(session, call);
    while (talk.answers == before) {
        if (session_state(writer) != SESSION_PAUSED)
            begin(writer, requests[below((unsigned)count)]);
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

static void verify_while(struct session *asker, struct session *writer, int times, const char *const *requests,
                         size_t count)
{
    for (int i = 0; i < times; i++) {
        const char *answer = ask_while(asker, "verify()", writer, requests, count);

        ck_assert_msg(strstr(answer, "'differences': []") != NULL, "%s", answer);
        talk_check();
    }
}

START_TEST(no_difference_is_told_that_a_write_made)
{
    struct session *asker, *writer;

    seed = 1;
    open_two(&asker, &writer);
    verify_while(asker, writer, 200, writes, COUNT(writes));
    talk_close();
}
END_TEST

START_TEST(no_difference_is_told_that_a_move_made)
{
    struct session *asker, *writer;

    seed = 5;
    open_two(&asker, &writer);
    talk_ask(writer, "bind('kept', [[1000], [2000], [3000], [4000], [5000], [6000], [7000], [8000]])");
    talk_ask(writer, "bind('x', [9000])");
    verify_while(asker, writer, 30, moves, COUNT(moves));
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
        answer = ask_while(asker, "verify()", writer, writes, COUNT(writes));
        o->count -= 2;
        snprintf(expected, sizeof expected,
                 "'differences': [{'type': 'list', 'id': %llu, 'refcount': 3, 'holders': 1}]}", (unsigned long long)o->id);
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
        ck_assert_str_eq(ask_while(asker, "info(9, {'holders': true})", writer, writes, COUNT(writes)), rows);
        ck_assert_str_eq(ask_while(asker, "path('d')", writer, writes, COUNT(writes)), chain);
    }
    talk_close();
}
END_TEST

/* A ring that nobody holds but the asker, beside a writer who could have moved anything anywhere. */
START_TEST(nil_is_answered_of_garbage_only)
{
    static const char others[] = "path(9, {'others': true})";
    struct session *asker, *writer;

    seed = 4;
    open_two(&asker, &writer);
    talk_ask(asker, "new([1000], {'into': 9})");
    talk_ask(asker, "call(9, 'append', [@9])");
    for (int i = 0; i < 100; i++)
        ck_assert_str_eq(ask_while(asker, others, writer, writes, COUNT(writes)), "nil");
    talk_ask(writer, "bind(['global', 'way'], [[[5]]])");
    talk_ask(asker, "get(['global', 'way'], {'into': 10})");
    talk_ask(asker, "call(10, 'append', [@9])");
    for (int i = 0; i < 100; i++)
        ck_assert_str_ne(ask_while(asker, others, writer, writes, COUNT(writes)), "nil");
    talk_close();
}
END_TEST

/* -- one change, at each moment there is -------------------------------------------------------------------------- */

/* Asks, has some requests of the other session run after `moment` slices, and gives the answer; *was_late: it came
 * before. */
static const char *ask_and_change(struct session *asker, const char *call, unsigned moment, struct session *writer,
                                  const char *const *changes, bool *was_late)
{
    unsigned before = talk.answers;
    static char answer[sizeof talk.answer];

    begin(asker, call);
    for (unsigned slice = 0; talk.answers == before; slice++) {
        for (const char *const *change = changes; slice == moment && *change != NULL; change++)
            begin(writer, *change);
        hub_work(talk.hub);
        talk_read(asker);
        *was_late = slice < moment;
    }
    snprintf(answer, sizeof answer, "%s", talk.answer);
    while (hub_has_work(talk.hub))
        hub_work(talk.hub);
    for (const char *const *change = changes; *was_late && *change != NULL; change++)
        talk_ask(writer, *change);
    talk_read(writer);
    return answer;
}

/* All that is in the list is touched in the first pass, so that the second one looks at it again. */
static void touch_all(struct session *asker, struct session *writer)
{
    begin(asker, "verify()");
    hub_work(talk.hub);
    talk_ask(writer, "copy('l', {'into': 1})");
    talk_ask(writer, "release(1)");
}

/* Each row: what the list is, and a change that moves what is in it while nothing is dropped. */
static void no_difference_at_any_moment(const char *bind, const char *change)
{
    const char *const changes[] = {change, NULL};
    struct session *asker, *writer;
    bool was_late = false;

    open_two(&asker, &writer);
    talk_ask(writer, "bind('x', [9000])");
    for (unsigned moment = 0; !was_late; moment++) {
        unsigned before;

        talk_ask(writer, bind);
        before = talk.answers + 3;
        touch_all(asker, writer);
        for (unsigned slice = 0; talk.answers < before; slice++) {
            if (slice == moment)
                begin(writer, changes[0]);
            was_late = slice < moment;
            hub_work(talk.hub);
            talk_read(asker);
        }
        ck_assert_msg(strstr(talk.answer, "'differences': []") != NULL, "%s at %u: %s", change, moment, talk.answer);
        while (hub_has_work(talk.hub))
            hub_work(talk.hub);
        talk_read(writer);
    }
    talk_close();
}

START_TEST(no_difference_is_told_of_a_list_whose_elements_move)
{
    static const char list[] = "bind('l', [7, [1000], [2000], [3000], [4000]])";

    no_difference_at_any_moment(list, "call('l', 'insert', [0, 7])");
    no_difference_at_any_moment(list, "call('l', 'pop', [0])");
    no_difference_at_any_moment(list, "call('l', 'reverse')");
    no_difference_at_any_moment(list, "call('l', 'sort', [true])");
}
END_TEST

/* The storage that is cut off holds what was in it until it is dropped. */
START_TEST(no_difference_is_told_of_a_list_that_is_cleared)
{
    char list[2000] = "bind('l', [";

    for (unsigned i = 0; i < 150; i++)
        strcat(list, "7, ");
    strcat(list, "{'@': 'x'}])");
    no_difference_at_any_moment(list, "call('l', 'clear')");
}
END_TEST

/* The target, or something above it, goes from one shared list to another, and is never gone in between. */
static void is_found_at_any_moment(const char *from, const char *to, const char *above)
{
    char put[100], take[100], give[100], drop[100], clear[100], old[100], new[100];
    const char *const changes[] = {take, give, drop, "release(1)", NULL};
    struct session *asker, *writer;
    bool was_late = false;

    snprintf(put, sizeof put, "call(['global', '%s'], 'append', [%s])", from, above);
    snprintf(take, sizeof take, "call(['global', '%s'], 'get', [0], {'into': 1})", from);
    snprintf(give, sizeof give, "call(['global', '%s'], 'append', [@1])", to);
    snprintf(drop, sizeof drop, "call(['global', '%s'], 'pop', [0], {'result': 'none'})", from);
    snprintf(clear, sizeof clear, "call(['global', '%s'], 'clear')", to);
    snprintf(old, sizeof old, "['global', '%s']", from);
    snprintf(new, sizeof new, "['global', '%s']", to);
    open_two(&asker, &writer);
    talk_ask(writer, "bind(['global', 'a'], [])");
    talk_ask(writer, "bind(['global', 'b'], [])");
    for (unsigned moment = 0; !was_late; moment++) {
        const char *answer;

        talk_ask(asker, "new([9000], {'into': 9})");
        talk_ask(asker, put);
        answer = ask_and_change(asker, "path(9, {'others': true})", moment, writer, changes, &was_late);
        ck_assert_msg(strstr(answer, was_late ? old : new) != NULL, "at %u: %s", moment, answer);
        talk_ask(writer, clear);
        talk_check();
        talk_end(asker); /* with the handles of the answer, which are roots to look at */
        asker = talk_session();
    }
    talk_close();
}

START_TEST(what_is_moved_is_found_where_it_is)
{
    static const char *const above[] = {"@9", "[@9]", "{'k': [@9]}"};

    for (unsigned i = 0; i < COUNT(above); i++) {
        is_found_at_any_moment("a", "b", above[i]);
        is_found_at_any_moment("b", "a", above[i]);
    }
}
END_TEST

START_TEST(referrers_are_those_of_the_moment_of_the_answer)
{
    static const char *const moves_on[] = {"call('l', 'append', [@2])", "call('l', 'pop', [0], {'result': 'none'})",
                                           "bind('d', @2)", NULL};
    struct session *asker, *writer;
    bool was_late = false;

    open_two(&asker, &writer);
    talk_ask(asker, "bind(['global', 'x'], [9000])");
    talk_ask(writer, "get(['global', 'x'], {'into': 2})");
    for (unsigned moment = 0; !was_late; moment++) {
        const char *answer;

        talk_ask(writer, "bind('l', [@2, 7, 7])");
        talk_ask(writer, "bind('d', nil)");
        answer = ask_and_change(asker, "info(['global', 'x'], {'holders': true})", moment, writer, moves_on, &was_late);
        ck_assert_msg(strstr(answer, was_late ? "'bindings': 1, 'handles': 1, 'containers': 1}"
                                              : "'bindings': 2, 'handles': 1, 'containers': 1}") != NULL, "at %u: %s",
                      moment, answer);
    }
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
                                                   no_difference_is_told_that_a_move_made,
                                                   no_difference_is_told_of_a_list_whose_elements_move,
                                                   no_difference_is_told_of_a_list_that_is_cleared,
                                                   what_is_moved_is_found_where_it_is,
                                                   referrers_are_those_of_the_moment_of_the_answer,
                                                   a_planted_difference_is_told_while_others_write,
                                                   what_nobody_touches_is_told_the_same_while_others_write,
                                                   nil_is_answered_of_garbage_only,
                                                   a_session_that_ends_takes_its_question_along, NULL});
}
