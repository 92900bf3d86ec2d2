/* test_client_calls.c - hello, calls, parameters and deadlines, against a server that does what the test tells it. */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fake.h"

/* Only a hang comes near it. */
#define PATIENCE_MS 60000

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

static bool has_localhost(void)
{
    struct addrinfo *found;

    if (getaddrinfo("localhost", NULL, NULL, &found) != 0)
        return false;
    freeaddrinfo(found);
    return true;
}

START_TEST(a_host_is_tried_at_each_of_its_addresses)
{
    struct fake fake;
    char address[64];

    if (!has_localhost()) /* a container without /etc/hosts */
        return;
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

START_TEST(what_was_sent_takes_no_more_parameters)
{
    struct fake fake;
    struct hd_call *call;

    fake_open(&fake);
    fake_greet(&fake);
    call = hd_call_new(fake.link, "ping");
    ck_assert_int_eq(hd_call_send(call, HD_FOREVER, NULL, NULL), HD_OK);
    hd_put(call, "nbish N", 1, 2, "s", (uint64_t)3, "n");
    ck_assert_int_eq(hd_flush(fake.link, PATIENCE_MS), HD_OK);
    hd_put_nil(call);
    fake_expect_request(&fake, 1, "ping", 0, BYTES(""));
    hd_call_free(call);
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
        what_was_sent_takes_no_more_parameters,
        a_notification_has_no_number,
        an_unanswered_call_expires_and_may_have_run,
        a_call_that_expires_before_it_leaves_is_withdrawn,
        the_soonest_deadline_is_the_link_s,
        NULL,
    };

    return suite_run("client calls", tests);
}
