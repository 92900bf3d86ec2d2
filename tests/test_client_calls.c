/* test_client_calls.c - a link and its calls, against a server that does what the test tells it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fake.h"

/* Only a hang comes near it. */
#define PATIENCE_MS 60000

/* What callbacks of a test leave behind. */
struct trace {
    char text[256];
    struct hd_link *link;
    struct hd_call *other;
};

static void note(struct trace *trace, const char *word)
{
    size_t len = strlen(trace->text);

    snprintf(trace->text + len, sizeof trace->text - len, "%s;", word);
}

static void note_status(struct hd_call *call, void *context)
{
    note(context, hd_status_name(hd_call_status(call)));
}

static void note_event(struct hd_link *link, const char *event, const struct hd_value *params, void *context)
{
    (void)link;
    note(context, event);
    if (strcmp(event, "dead") == 0)
        note(context, hd_str(hd_at(params, 1)));
}

/* -- hello --------------------------------------------------------------------------------------------------------- */

START_TEST(hello_asks_for_the_ext_dialect_and_deep_answers)
{
    struct fake fake;

    fake_open(&fake);
    fake_connect(&fake, NULL);
    fake_expect_request(&fake, 0, "hello", 1,
                        BYTES("\x82\xa4refs\xa3"
                              "ext\xa5"
                              "depth\xcd\x03\xe8"));
    fake_close(&fake);
}
END_TEST

START_TEST(hello_tells_the_name_and_the_namespace_of_the_address)
{
    struct fake fake;
    char url[64];

    fake_open(&fake);
    snprintf(url, sizeof url, "heapd://%s/jo%%62s", fake.address);
    ck_assert_int_eq(hd_set_name(fake.link, "me"), HD_OK);
    fake_connect(&fake, url);
    fake_expect_request(&fake, 0, "hello", 1,
                        BYTES("\x84\xa4refs\xa3"
                              "ext\xa5"
                              "depth\xcd\x03\xe8\xa4name\xa2me\xa9namespace\xa4jobs"));
    fake_close(&fake);
}
END_TEST

START_TEST(nothing_leaves_before_hello_is_answered)
{
    struct fake fake;
    struct hd_call *call;

    fake_open(&fake);
    fake_connect(&fake, NULL);
    fake_receive(&fake);
    buf_clear(&fake.got);
    call = hd_call_new(fake.link, "ping");
    ck_assert_int_eq(hd_call_send(call, HD_FOREVER, NULL, NULL), HD_OK);
    ck_assert(!hd_wants_write(fake.link));
    ck_assert_int_eq(hd_poll(fake.link, 0), HD_OK);
    fake_expect(&fake, BYTES(""));
    fake_answer(&fake, 0, BYTES("\x80"));
    fake_expect_request(&fake, 1, "ping", 0, BYTES(""));
    hd_call_free(call);
    fake_close(&fake);
}
END_TEST

START_TEST(a_refused_hello_closes_the_link_and_its_calls_never_left)
{
    struct fake fake;
    struct hd_call *call;

    fake_open(&fake);
    fake_connect(&fake, NULL);
    call = hd_call_new(fake.link, "ping");
    ck_assert_int_eq(hd_call_send(call, HD_FOREVER, NULL, NULL), HD_OK);
    ck_assert_int_eq(fake_send(&fake, BYTES("\x94\x01\x00\xaa"
                                            "DENIED who\xc0")),
                     HD_DENIED);
    ck_assert_int_eq(hd_state(fake.link), HD_CLOSED);
    ck_assert_str_eq(hd_error(fake.link), "DENIED who");
    ck_assert_int_eq(hd_call_status(call), HD_LOST);
    ck_assert(!hd_call_was_sent(call));
    hd_call_free(call);
    fake_close(&fake);
}
END_TEST

START_TEST(a_server_that_accepts_and_says_nothing_is_given_up)
{
    struct fake fake;

    fake_open(&fake);
    ck_assert_int_eq(hd_connect(fake.link, fake.address, 1), HD_EXPIRED);
    ck_assert_int_eq(hd_state(fake.link), HD_CLOSED);
    ck_assert_int_eq(hd_fd(fake.link), -1);
    fake_close(&fake);
}
END_TEST

START_TEST(where_nobody_listens_is_unreachable_and_the_link_can_be_used_again)
{
    struct fake fake, other;

    fake_open(&fake);
    fake_open(&other);
    close(other.listener);
    ck_assert_int_eq(hd_connect(fake.link, other.address, PATIENCE_MS), HD_UNREACHABLE);
    ck_assert_ptr_nonnull(strstr(hd_error(fake.link), other.address));
    fake_greet(&fake);
    fake_close(&fake);
    fake_close(&other);
}
END_TEST

START_TEST(a_host_is_tried_at_each_of_its_addresses)
{
    struct fake fake;
    char address[64];

    fake_open(&fake); /* on 127.0.0.1 alone, and localhost may be ::1 first */
    (void)snprintf(address, sizeof address, "localhost%s", strchr(fake.address, ':'));
    fake_connect(&fake, address);
    ck_assert_str_eq(hd_peer(fake.link), fake.address);
    fake_close(&fake);
}
END_TEST

START_TEST(without_an_address_the_environment_says_where)
{
    struct fake fake;
    char url[64];

    fake_open(&fake);
    (void)snprintf(url, sizeof url, "heapd://%s", fake.address);
    setenv("HEAPD_URL", url, 1);
    ck_assert_int_eq(hd_connect_start(fake.link, NULL, PATIENCE_MS), HD_OK);
    ck_assert_str_eq(hd_peer(fake.link), fake.address);
    fake_close(&fake);
}
END_TEST

START_TEST(what_is_no_address_is_refused_and_nothing_is_tried)
{
    struct fake fake;

    fake_open(&fake);
    ck_assert_int_eq(hd_connect(fake.link, "http://127.0.0.1", PATIENCE_MS), HD_USAGE);
    ck_assert_int_eq(strncmp(hd_error(fake.link), "USAGE 'http://127.0.0.1' is no address", 38), 0);
    ck_assert_str_eq(hd_peer(fake.link), "");
    ck_assert_int_eq(hd_poll(fake.link, 0), HD_LOST);
    ck_assert_int_eq(hd_ask(fake.link, 0, "ping", ""), HD_LOST);
    fake_close(&fake);
}
END_TEST

/* -- answers ------------------------------------------------------------------------------------------------------- */

START_TEST(answers_come_to_their_calls_in_any_order)
{
    struct fake fake;
    struct hd_call *calls[3];

    fake_open(&fake);
    fake_greet(&fake);
    for (int i = 0; i < 3; i++)
        calls[i] = fake_call(&fake, "ping", HD_FOREVER);
    fake_answer(&fake, 3, BYTES("\x1e"));
    ck_assert_int_eq(hd_call_status(calls[0]), HD_WAITING);
    ck_assert_ptr_null(hd_call_result(calls[0]));
    fake_answer(&fake, 1, BYTES("\x0a"));
    fake_answer(&fake, 2, BYTES("\x14"));
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(hd_call_wait(calls[i]), HD_OK);
        ck_assert_int_eq(hd_int(hd_call_result(calls[i])), 10 * (i + 1));
        ck_assert(hd_call_was_sent(calls[i]));
        hd_call_free(calls[i]);
    }
    fake_close(&fake);
}
END_TEST

START_TEST(a_thousand_calls_are_found_by_their_numbers)
{
    struct fake fake;
    struct hd_call *calls[1000];

    fake_open(&fake);
    fake_greet(&fake);
    for (unsigned i = 0; i < 1000; i++)
        calls[i] = fake_call(&fake, "ping", PATIENCE_MS);
    for (unsigned i = 1000; i > 0; i--)
        fake_answer(&fake, i, (const char[]){(char)(i % 100)}, 1);
    for (unsigned i = 0; i < 1000; i++) {
        ck_assert_int_eq(hd_call_status(calls[i]), HD_OK);
        ck_assert_uint_eq(hd_uint(hd_call_result(calls[i])), (i + 1) % 100);
        hd_call_free(calls[i]);
    }
    fake_close(&fake);
}
END_TEST

START_TEST(an_error_is_its_code_and_its_whole_text)
{
    static const struct {
        const char *text;
        enum hd_status status;
    } rows[] = {
        {"NO_NAME name 'a' is not bound", HD_NO_NAME},
        {"BAD_FRAME x", HD_BAD_FRAME},
        {"INTERNAL", HD_INTERNAL},
        {"NO_NAMES x", HD_UNKNOWN},
        {"LOST x", HD_UNKNOWN}, /* the library's own codes are not the server's to use */
        {"OK x", HD_UNKNOWN},
        {"", HD_UNKNOWN},
    };
    struct fake fake;

    fake_open(&fake);
    fake_greet(&fake);
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hd_call *call = fake_call(&fake, "get", HD_FOREVER);

        fake_fail(&fake, i + 1, rows[i].text);
        ck_assert_int_eq(hd_call_status(call), rows[i].status);
        ck_assert_str_eq(hd_call_error(call), rows[i].text);
        ck_assert_ptr_null(hd_call_result(call));
        hd_call_free(call);
    }
    fake_close(&fake);
}
END_TEST

START_TEST(asking_waits_for_the_answer_and_tells_why_there_is_none)
{
    struct fake fake;

    fake_open(&fake);
    fake_greet(&fake);
    fake_send_unseen(&fake, BYTES("\x94\x01\x01\xc0\x07"));
    ck_assert_int_eq(hd_ask(fake.link, PATIENCE_MS, "get", "s", "a"), HD_OK);
    ck_assert_int_eq(hd_int(hd_answer(fake.link)), 7);
    fake_send_unseen(&fake, BYTES("\x94\x01\x02\xa7TYPE no\xc0"));
    ck_assert_int_eq(hd_ask(fake.link, PATIENCE_MS, "get", "s", "a"), HD_TYPE);
    ck_assert_ptr_null(hd_answer(fake.link));
    ck_assert_str_eq(hd_error(fake.link), "TYPE no");
    ck_assert_int_eq(hd_ask(fake.link, 0, "get", "s", "a"), HD_EXPIRED);
    ck_assert_int_eq(strncmp(hd_error(fake.link), "EXPIRED ", 8), 0);
    fake_close(&fake);
}
END_TEST

/* -- parameters ---------------------------------------------------------------------------------------------------- */

START_TEST(each_letter_of_a_format_puts_its_value)
{
    struct fake fake;

    fake_open(&fake);
    fake_greet(&fake);
    hd_ask(fake.link, 0, "m", "nbbilud", 0, 7, -1, INT64_MIN, UINT64_MAX, 0.5);
    fake_expect_request(&fake, 1, "m", 7,
                        BYTES("\xc0\xc2\xc3\xff\xd3\x80\0\0\0\0\0\0\0\xcf\xff\xff\xff\xff\xff\xff\xff\xff"
                              "\xcb\x3f\xe0\0\0\0\0\0\0"));
    hd_ask(fake.link, 0, "m", "styhN", "s", "text", (size_t)2, "\0b", (size_t)2, (uint64_t)300, "n");
    fake_expect_request(&fake, 2, "m", 5, BYTES("\xa1s\xa2te\xc4\x02\0b\xc7\x03\x01\xcd\x01\x2c\xd5\x02\xa1n"));
    hd_ask(fake.link, 0, "m", "[i [] {s[n]}] {}", 1, "k");
    fake_expect_request(&fake, 3, "m", 2, BYTES("\x93\x01\x90\x81\xa1k\x91\xc0\x80"));
    hd_ask(fake.link, 0, "m", NULL);
    fake_expect_request(&fake, 4, "m", 0, BYTES(""));
    fake_close(&fake);
}
END_TEST

START_TEST(a_name_may_say_its_namespace)
{
    struct fake fake;
    struct hd_call *call;

    fake_open(&fake);
    fake_greet(&fake);
    call = hd_call_new(fake.link, "m");
    hd_put_name(call, "s", "n");
    ck_assert_int_eq(hd_call_send(call, HD_FOREVER, NULL, NULL), HD_OK);
    ck_assert_int_eq(hd_flush(fake.link, PATIENCE_MS), HD_OK);
    fake_expect_request(&fake, 1, "m", 1, BYTES("\xc7\x05\x02\x92\xa1s\xa1n"));
    hd_call_free(call);
    fake_close(&fake);
}
END_TEST

START_TEST(a_wrong_format_is_told_and_sends_nothing)
{
    static const char *const formats[] = {"x", "[", "]", "[n", "n]", "{n}", "{nn", "[n}]", "%s"};
    struct fake fake;

    fake_open(&fake);
    fake_greet(&fake);
    for (unsigned i = 0; i < sizeof formats / sizeof formats[0]; i++)
        ck_assert_int_eq(hd_ask(fake.link, PATIENCE_MS, "m", formats[i]), HD_USAGE);
    ck_assert_int_eq(hd_ask(fake.link, PATIENCE_MS, "m", "s", (const char *)NULL), HD_USAGE);
    fake_expect(&fake, BYTES(""));
    ck_assert_int_eq(hd_state(fake.link), HD_OPEN);
    fake_close(&fake);
}
END_TEST

START_TEST(a_request_that_the_server_would_not_read_is_not_sent)
{
    static char mebibyte[1 << 20];
    struct fake fake;
    struct hd_call *call;

    fake_open(&fake);
    fake_greet(&fake);
    ck_assert_int_eq(hd_ask(fake.link, PATIENCE_MS, "m", "y", mebibyte, sizeof mebibyte), HD_USAGE);
    call = hd_call_new(fake.link, "m");
    for (int i = 0; i < 63; i++)
        hd_put_array(call, 1);
    ck_assert_int_eq(hd_call_send(call, HD_FOREVER, NULL, NULL), HD_USAGE); /* the innermost array lacks its element */
    hd_put_nil(call);
    ck_assert_int_eq(hd_call_send(call, HD_FOREVER, NULL, NULL), HD_USAGE); /* 65 levels, of 64 */
    hd_call_free(call);
    call = hd_call_new(fake.link, "m");
    for (int i = 0; i < 65536; i++)
        hd_put_nil(call);
    ck_assert_int_eq(hd_call_send(call, HD_FOREVER, NULL, NULL), HD_USAGE);
    hd_call_free(call);
    ck_assert_int_eq(hd_flush(fake.link, PATIENCE_MS), HD_OK);
    fake_expect(&fake, BYTES(""));
    fake_close(&fake);
}
END_TEST

START_TEST(a_notification_has_no_number)
{
    struct fake fake;

    fake_open(&fake);
    fake_greet(&fake);
    ck_assert_int_eq(hd_notify(fake.link, "bind", "si", "a", 1), HD_OK);
    ck_assert_int_eq(hd_notify(fake.link, "bind", "?"), HD_USAGE);
    ck_assert_int_eq(hd_flush(fake.link, PATIENCE_MS), HD_OK);
    fake_expect(&fake, BYTES("\x93\x02\xa4"
                             "bind\xdc\x00\x02\xa1"
                             "a\x01"));
    fake_close(&fake);
}
END_TEST

/* -- deadlines ----------------------------------------------------------------------------------------------------- */

START_TEST(an_unanswered_call_expires_and_may_have_run)
{
    struct fake fake;
    struct hd_call *call;

    fake_open(&fake);
    fake_greet(&fake);
    call = fake_call(&fake, "ping", 0);
    ck_assert_int_eq(hd_call_wait(call), HD_EXPIRED);
    ck_assert(hd_call_was_sent(call));
    ck_assert_int_eq(hd_state(fake.link), HD_OPEN);
    hd_call_free(call);
    fake_close(&fake);
}
END_TEST

START_TEST(a_call_that_expires_before_it_leaves_is_withdrawn)
{
    struct fake fake;
    struct hd_call *call;

    fake_open(&fake);
    fake_connect(&fake, NULL);
    call = hd_call_new(fake.link, "ping");
    ck_assert_int_eq(hd_call_send(call, 0, NULL, NULL), HD_OK);
    ck_assert_int_eq(hd_call_wait(call), HD_EXPIRED);
    ck_assert(!hd_call_was_sent(call));
    fake_receive(&fake);
    buf_clear(&fake.got);
    fake_answer(&fake, 0, BYTES("\x80"));
    ck_assert_int_eq(hd_flush(fake.link, PATIENCE_MS), HD_OK);
    fake_expect(&fake, BYTES(""));
    hd_call_free(call);
    fake_close(&fake);
}
END_TEST

START_TEST(the_soonest_deadline_is_the_link_s)
{
    struct fake fake;
    struct hd_call *calls[3];

    fake_open(&fake);
    fake_greet(&fake);
    ck_assert_int_eq(hd_timeout_ms(fake.link), -1);
    calls[0] = fake_call(&fake, "ping", 2000000);
    ck_assert_int_gt(hd_timeout_ms(fake.link), 1000000);
    calls[1] = fake_call(&fake, "ping", 1000000);
    ck_assert_int_le(hd_timeout_ms(fake.link), 1000000);
    calls[2] = fake_call(&fake, "ping", 3000000);
    ck_assert_int_le(hd_timeout_ms(fake.link), 1000000);
    fake_answer(&fake, 2, BYTES("\xc0"));
    ck_assert_int_gt(hd_timeout_ms(fake.link), 1000000);
    for (int i = 0; i < 3; i++)
        hd_call_free(calls[i]);
    ck_assert_int_eq(hd_timeout_ms(fake.link), -1);
    fake_close(&fake);
}
END_TEST

/* -- the end of the connection ------------------------------------------------------------------------------------- */

START_TEST(a_lost_link_tells_of_each_call_whether_it_was_sent)
{
    static char half[1 << 19];
    struct fake fake;
    struct trace trace = {{0}, NULL, NULL};
    struct hd_call *sent, *calls[32];
    int count = 0;

    fake_open(&fake);
    fake_greet(&fake);
    sent = fake_call(&fake, "ping", HD_FOREVER);
    while (count < 32) { /* more than the sockets take: the last ones cannot leave */
        calls[count] = hd_call_new(fake.link, "ping");
        hd_put_bytes(calls[count], half, sizeof half);
        ck_assert_int_eq(hd_call_send(calls[count++], HD_FOREVER, note_status, &trace), HD_OK);
    }
    while (hd_process(fake.link, false, true) == HD_OK && hd_call_was_sent(calls[count - 1]))
        continue;
    ck_assert(hd_wants_write(fake.link));
    fake_hang_up(&fake);
    ck_assert_int_eq(hd_call_wait(sent), HD_LOST);
    ck_assert(hd_call_was_sent(sent));
    for (int i = 0; i < count; i++) {
        ck_assert_int_eq(hd_call_status(calls[i]), HD_LOST);
        ck_assert_int_eq(strstr(hd_call_error(calls[i]), "may have run") != NULL, hd_call_was_sent(calls[i]));
    }
    ck_assert(!hd_call_was_sent(calls[count - 1]));
    ck_assert_int_eq(strncmp(trace.text, "LOST;LOST;", 10), 0);
    ck_assert_int_eq(hd_state(fake.link), HD_CLOSED);
    for (int i = 0; i < count; i++)
        hd_call_free(calls[i]);
    hd_call_free(sent);
    fake_close(&fake);
}
END_TEST

START_TEST(a_broken_pipe_kills_nobody)
{
    struct fake fake;

    fake_open(&fake);
    fake_greet(&fake);
    signal(SIGPIPE, SIG_DFL);
    fake_hang_up(&fake);
    for (int i = 0; i < 10 && hd_state(fake.link) == HD_OPEN; i++) {
        hd_notify(fake.link, "ping", "");
        hd_process(fake.link, false, true);
    }
    ck_assert_int_eq(hd_state(fake.link), HD_CLOSED);
    fake_close(&fake);
}
END_TEST

START_TEST(the_reason_of_bye_is_the_reason_of_the_end)
{
    struct fake fake;
    struct trace trace = {{0}, NULL, NULL};

    fake_open(&fake);
    fake_greet(&fake);
    hd_on_event(fake.link, note_event, &trace);
    fake_send(&fake, BYTES("\x93\x02\xa3"
                           "bye\x92\x01\xa4idle"));
    ck_assert_str_eq(trace.text, "bye;");
    fake_hang_up(&fake);
    ck_assert_int_eq(hd_poll(fake.link, PATIENCE_MS), HD_LOST);
    ck_assert_ptr_nonnull(strstr(hd_error(fake.link), "ended the session: idle"));
    fake_close(&fake);
}
END_TEST

START_TEST(disconnecting_and_freeing_end_what_waits)
{
    struct fake fake;
    struct trace trace = {{0}, NULL, NULL};
    struct hd_call *call, *unsent;

    fake_open(&fake);
    fake_greet(&fake);
    call = hd_call_new(fake.link, "ping");
    ck_assert_int_eq(hd_call_send(call, HD_FOREVER, note_status, &trace), HD_OK);
    unsent = hd_call_new(fake.link, "ping");
    hd_disconnect(fake.link);
    ck_assert_str_eq(trace.text, "LOST;");
    hd_link_free(fake.link);
    fake.link = NULL;
    ck_assert_int_eq(hd_call_status(call), HD_LOST);
    ck_assert_int_eq(hd_call_wait(unsent), HD_USAGE);
    ck_assert_int_eq(hd_call_send(unsent, HD_FOREVER, NULL, NULL), HD_LOST);
    hd_call_free(call);
    hd_call_free(unsent);
    fake_close(&fake);
}
END_TEST

/* -- callbacks ----------------------------------------------------------------------------------------------------- */

static void try_to_wait(struct hd_call *call, void *context)
{
    struct trace *trace = context;

    ck_assert_int_eq(hd_poll(trace->link, 0), HD_USAGE);
    ck_assert_int_eq(hd_process(trace->link, true, true), HD_USAGE);
    ck_assert_int_eq(hd_flush(trace->link, 0), HD_USAGE);
    ck_assert_int_eq(hd_ask(trace->link, 0, "ping", ""), HD_USAGE);
    ck_assert_int_eq(hd_call_wait(trace->other), HD_USAGE);
    note_status(call, context);
}

START_TEST(a_callback_may_not_wait)
{
    struct fake fake;
    struct trace trace = {{0}, NULL, NULL};
    struct hd_call *call;

    fake_open(&fake);
    fake_greet(&fake);
    trace.link = fake.link;
    trace.other = fake_call(&fake, "ping", HD_FOREVER);
    call = hd_call_new(fake.link, "ping");
    ck_assert_int_eq(hd_call_send(call, HD_FOREVER, try_to_wait, &trace), HD_OK);
    ck_assert_int_eq(hd_call_send(call, HD_FOREVER, try_to_wait, &trace), HD_USAGE);
    ck_assert_int_eq(hd_flush(fake.link, PATIENCE_MS), HD_OK);
    fake_answer(&fake, 2, BYTES("\xc0"));
    ck_assert_str_eq(trace.text, "OK;");
    hd_call_free(call);
    hd_call_free(trace.other);
    fake_close(&fake);
}
END_TEST

static void send_another(struct hd_call *call, void *context)
{
    struct trace *trace = context;
    struct hd_call *next = hd_call_new(trace->link, "next");

    note_status(call, context);
    ck_assert_int_eq(hd_call_send(next, HD_FOREVER, note_status, trace), HD_OK);
    hd_call_free(trace->other);
    hd_call_free(call);
    trace->other = next;
}

START_TEST(a_callback_may_free_calls_and_send_others)
{
    struct fake fake;
    struct trace trace = {{0}, NULL, NULL};
    struct hd_call *call;

    fake_open(&fake);
    fake_greet(&fake);
    trace.link = fake.link;
    trace.other = fake_call(&fake, "ping", HD_FOREVER);
    call = hd_call_new(fake.link, "ping");
    ck_assert_int_eq(hd_call_send(call, HD_FOREVER, send_another, &trace), HD_OK);
    ck_assert_int_eq(hd_flush(fake.link, PATIENCE_MS), HD_OK);
    fake_send(&fake, BYTES("\x94\x01\x02\xc0\x07\x94\x01\x01\xc0\x07"));
    fake_receive(&fake);
    fake_answer(&fake, 3, BYTES("\x07"));
    ck_assert_str_eq(trace.text, "OK;OK;");
    hd_call_free(trace.other);
    fake_close(&fake);
}
END_TEST

static void connect_again(struct hd_call *call, void *context)
{
    struct trace *trace = context;

    note_status(call, context);
    hd_call_free(call);
    hd_call_free(trace->other); /* lost too, and not told yet */
    ck_assert_int_eq(hd_connect_start(trace->link, "/nowhere/at/all", 0), HD_UNREACHABLE);
}

START_TEST(a_callback_may_connect_again)
{
    struct fake fake;
    struct trace trace = {{0}, NULL, NULL};
    struct hd_call *call;

    fake_open(&fake);
    fake_greet(&fake);
    trace.link = fake.link;
    call = hd_call_new(fake.link, "ping");
    ck_assert_int_eq(hd_call_send(call, HD_FOREVER, connect_again, &trace), HD_OK);
    trace.other = hd_call_new(fake.link, "ping");
    ck_assert_int_eq(hd_call_send(trace.other, HD_FOREVER, note_status, &trace), HD_OK);
    fake_hang_up(&fake);
    hd_poll(fake.link, PATIENCE_MS);
    ck_assert_str_eq(trace.text, "LOST;");
    fake_close(&fake);
}
END_TEST

static void disconnect(struct hd_call *call, void *context)
{
    struct trace *trace = context;

    note_status(call, context);
    hd_disconnect(trace->link);
}

START_TEST(a_callback_may_disconnect_while_more_has_come)
{
    struct fake fake;
    struct trace trace = {{0}, NULL, NULL};
    struct hd_call *calls[2];

    fake_open(&fake);
    fake_greet(&fake);
    trace.link = fake.link;
    for (int i = 0; i < 2; i++) {
        calls[i] = hd_call_new(fake.link, "ping");
        ck_assert_int_eq(hd_call_send(calls[i], HD_FOREVER, disconnect, &trace), HD_OK);
    }
    ck_assert_int_eq(hd_flush(fake.link, PATIENCE_MS), HD_OK);
    ck_assert_int_eq(fake_send(&fake, BYTES("\x94\x01\x01\xc0\x07\x94\x01\x02\xc0\x07")), HD_LOST);
    ck_assert_str_eq(trace.text, "OK;LOST;");
    for (int i = 0; i < 2; i++)
        hd_call_free(calls[i]);
    fake_close(&fake);
}
END_TEST

/* -- what the server says by itself -------------------------------------------------------------------------------- */

START_TEST(events_are_told_in_order_among_the_answers)
{
    struct fake fake;
    struct trace trace = {{0}, NULL, NULL};
    struct hd_call *call;

    fake_open(&fake);
    fake_greet(&fake);
    hd_on_event(fake.link, note_event, &trace);
    call = hd_call_new(fake.link, "ping");
    ck_assert_int_eq(hd_call_send(call, HD_FOREVER, note_status, &trace), HD_OK);
    ck_assert_int_eq(hd_flush(fake.link, PATIENCE_MS), HD_OK);
    fake_send(&fake, BYTES("\x93\x02\xa4"
                           "dead\x93\x01\xa5"
                           "count\x91\x05"
                           "\x94\x01\x01\xc0\xc0"
                           "\x93\x02\xa3new\x90"));
    ck_assert_str_eq(trace.text, "dead;count;OK;new;");
    hd_on_event(fake.link, NULL, NULL);
    fake_send(&fake, BYTES("\x93\x02\xa3new\x90"));
    ck_assert_str_eq(trace.text, "dead;count;OK;new;");
    hd_call_free(call);
    fake_close(&fake);
}
END_TEST

START_TEST(a_request_of_the_server_is_refused)
{
    struct fake fake;

    fake_open(&fake);
    fake_greet(&fake);
    fake_send(&fake, BYTES("\x94\x00\x05\xa3run\x90"));
    fake_expect(&fake, BYTES("\x94\x01\x05\xd9\x24NO_METHOD a client serves no methods\xc0"));
    fake_close(&fake);
}
END_TEST

START_TEST(a_server_that_asks_and_never_reads_is_left)
{
    static char requests[8 * 4096];
    struct fake fake;
    enum hd_status status = HD_OK;

    for (size_t i = 0; i < sizeof requests; i += 8)
        memcpy(requests + i, "\x94\x00\x05\xa3run\x90", 8);
    fake_open(&fake);
    fake_greet(&fake);
    for (int i = 0; i < 10000 && status == HD_OK; i++)
        status = fake_send(&fake, requests, sizeof requests);
    ck_assert_int_eq(status, HD_LOST);
    ck_assert_ptr_nonnull(strstr(hd_error(fake.link), "does not read"));
    fake_close(&fake);
}
END_TEST

START_TEST(an_answer_that_nobody_waits_for_is_nothing)
{
    struct fake fake;

    fake_open(&fake);
    fake_greet(&fake);
    fake_answer(&fake, 77, BYTES("\xc0"));
    fake_answer(&fake, 0, BYTES("\xc0"));
    ck_assert_int_eq(hd_state(fake.link), HD_OPEN);
    fake_close(&fake);
}
END_TEST

/* -- handles ------------------------------------------------------------------------------------------------------- */

START_TEST(releases_go_out_together_before_the_next_request)
{
    struct fake fake;

    fake_open(&fake);
    fake_greet(&fake);
    ck_assert(!hd_wants_write(fake.link));
    ck_assert_int_eq(hd_release(fake.link, 5), HD_OK);
    ck_assert(hd_wants_write(fake.link));
    ck_assert_int_eq(hd_release(fake.link, UINT64_C(0x80000000)), HD_OK);
    fake_receive(&fake);
    ck_assert_uint_eq(fake.got.len, 0);
    hd_ask(fake.link, 0, "ping", "");
    fake_expect(&fake, BYTES("\x93\x02\xa7release\x92\x05\xce\x80\0\0\0"
                             "\x94\x00\x01\xa4ping\xdc\0\0"));
    fake_close(&fake);
}
END_TEST

START_TEST(many_releases_are_cut_into_batches)
{
    struct fake fake;
    unsigned frames = 0;

    fake_open(&fake);
    fake_greet(&fake);
    for (uint64_t i = 0; i < 5000; i++)
        ck_assert_int_eq(hd_release(fake.link, UINT64_C(0x80000000) + i), HD_OK);
    ck_assert_int_eq(hd_flush(fake.link, PATIENCE_MS), HD_OK);
    ck_assert(!hd_wants_write(fake.link));
    hd_disconnect(fake.link);
    fake_receive(&fake);
    for (size_t i = 0; i + 9 < fake.got.len; i++)
        frames += memcmp(fake.got.bytes + i, "\x93\x02\xa7release", 10) == 0;
    ck_assert_uint_eq(frames, 5);
    fake_close(&fake);
}
END_TEST

START_TEST(the_handles_of_a_late_answer_are_released)
{
    struct fake fake;
    struct hd_call *expired, *freed;

    fake_open(&fake);
    fake_greet(&fake);
    expired = fake_call(&fake, "get", 0);
    freed = fake_call(&fake, "get", HD_FOREVER);
    ck_assert_int_eq(hd_call_wait(expired), HD_EXPIRED);
    hd_call_free(freed);
    fake_receive(&fake);
    buf_clear(&fake.got);
    fake_answer(&fake, 1, BYTES("\x92\xc7\x03\x01\x07\x09\x06\x81\xa1k\xc7\x03\x01\x08\x09\x06"));
    fake_expect(&fake, BYTES("\x93\x02\xa7release\x92\x07\x08"));
    fake_answer(&fake, 2, BYTES("\xc7\x03\x01\x0a\x09\x06"));
    fake_expect(&fake, BYTES("\x93\x02\xa7release\x91\x0a"));
    ck_assert_int_eq(hd_call_status(expired), HD_EXPIRED);
    hd_call_free(expired);
    fake_close(&fake);
}
END_TEST

START_TEST(all_handles_of_a_value_are_released_at_once)
{
    struct fake fake;
    struct hd_call *call;

    fake_open(&fake);
    fake_greet(&fake);
    call = fake_call(&fake, "get", HD_FOREVER);
    fake_answer(&fake, 1, BYTES("\x93\xc7\x03\x01\x07\x09\x06\x90\x81\xc7\x03\x01\x08\x09\x06\x91"
                                "\xc7\x03\x01\x0b\x09\x06"));
    fake_receive(&fake);
    buf_clear(&fake.got);
    ck_assert_int_eq(hd_release_all(fake.link, hd_call_result(call)), HD_OK);
    ck_assert_int_eq(hd_release_all(fake.link, NULL), HD_OK);
    ck_assert_int_eq(hd_flush(fake.link, PATIENCE_MS), HD_OK);
    fake_expect(&fake, BYTES("\x93\x02\xa7release\x93\x07\x08\x0b"));
    hd_call_free(call);
    fake_close(&fake);
}
END_TEST

START_TEST(handles_are_chosen_from_one_on_by_each_connection)
{
    struct fake fake;

    fake_open(&fake);
    fake_greet(&fake);
    ck_assert_uint_eq(hd_choose_handle(fake.link), 1);
    ck_assert_uint_eq(hd_choose_handle(fake.link), 2);
    hd_disconnect(fake.link);
    ck_assert_int_eq(hd_release(fake.link, 1), HD_OK); /* it died with its session */
    fake_hang_up(&fake);
    fake_greet(&fake);
    ck_assert(!hd_wants_write(fake.link));
    ck_assert_uint_eq(hd_choose_handle(fake.link), 1);
    fake_close(&fake);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        hello_asks_for_the_ext_dialect_and_deep_answers,
        hello_tells_the_name_and_the_namespace_of_the_address,
        nothing_leaves_before_hello_is_answered,
        a_refused_hello_closes_the_link_and_its_calls_never_left,
        a_server_that_accepts_and_says_nothing_is_given_up,
        where_nobody_listens_is_unreachable_and_the_link_can_be_used_again,
        a_host_is_tried_at_each_of_its_addresses,
        without_an_address_the_environment_says_where,
        what_is_no_address_is_refused_and_nothing_is_tried,
        answers_come_to_their_calls_in_any_order,
        a_thousand_calls_are_found_by_their_numbers,
        an_error_is_its_code_and_its_whole_text,
        asking_waits_for_the_answer_and_tells_why_there_is_none,
        each_letter_of_a_format_puts_its_value,
        a_name_may_say_its_namespace,
        a_wrong_format_is_told_and_sends_nothing,
        a_request_that_the_server_would_not_read_is_not_sent,
        a_notification_has_no_number,
        an_unanswered_call_expires_and_may_have_run,
        a_call_that_expires_before_it_leaves_is_withdrawn,
        the_soonest_deadline_is_the_link_s,
        a_lost_link_tells_of_each_call_whether_it_was_sent,
        a_broken_pipe_kills_nobody,
        the_reason_of_bye_is_the_reason_of_the_end,
        disconnecting_and_freeing_end_what_waits,
        a_callback_may_not_wait,
        a_callback_may_free_calls_and_send_others,
        a_callback_may_connect_again,
        a_callback_may_disconnect_while_more_has_come,
        events_are_told_in_order_among_the_answers,
        a_request_of_the_server_is_refused,
        a_server_that_asks_and_never_reads_is_left,
        an_answer_that_nobody_waits_for_is_nothing,
        releases_go_out_together_before_the_next_request,
        many_releases_are_cut_into_batches,
        the_handles_of_a_late_answer_are_released,
        all_handles_of_a_value_are_released_at_once,
        handles_are_chosen_from_one_on_by_each_connection,
        NULL,
    };

    return suite_run("client calls", tests);
}
