/* test_client_ends.c - the end of a connection, callbacks, handles, and what a server says by itself. */
#include <signal.h>
#include <string.h>

#include "tests/fake.h"

/* Only a hang comes near it. */
#define PATIENCE_MS 60000

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
        ck_assert_int_eq(hd_call_send(calls[count++], HD_FOREVER, trace_status, &trace), HD_OK);
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
    while (hd_state(fake.link) == HD_OPEN) {
        hd_notify(fake.link, "ping", "");
        hd_process(fake.link, false, true);
    }
    fake_close(&fake);
}
END_TEST

START_TEST(the_reason_of_bye_is_the_reason_of_the_end)
{
    struct fake fake;
    struct trace trace = {{0}, NULL, NULL};

    fake_open(&fake);
    fake_greet(&fake);
    hd_on_event(fake.link, trace_event, &trace);
    fake_send(&fake, BYTES("\x93\x02\xa3"
                           "bye\x92\x01\xa4idle"));
    ck_assert_str_eq(trace.text, "bye;");
    fake_hang_up(&fake);
    ck_assert_int_eq(hd_poll(fake.link, PATIENCE_MS), HD_LOST);
    ck_assert_ptr_nonnull(strstr(hd_error(fake.link), "ended the session: idle"));
    fake_close(&fake);
}
END_TEST

START_TEST(last_words_are_heard_though_nothing_can_be_written)
{
    struct fake fake;
    struct trace trace = {{0}, NULL, NULL};

    fake_open(&fake);
    fake_greet(&fake);
    hd_on_event(fake.link, trace_event, &trace);
    fake_send_unseen(&fake, BYTES("\x93\x02\xa3"
                                  "bye\x92\x01\xa4idle"));
    fake_reset(&fake);
    do
        ck_assert_int_eq(hd_notify(fake.link, "ping", ""), HD_OK);
    while (hd_process(fake.link, false, true) == HD_OK);
    ck_assert_str_eq(trace.text, "bye;");
    ck_assert_ptr_nonnull(strstr(hd_error(fake.link), "ended the session: idle"));
    fake_close(&fake);
}
END_TEST

START_TEST(a_reset_is_a_lost_link)
{
    struct fake fake;

    fake_open(&fake);
    fake_greet(&fake);
    fake_reset(&fake);
    ck_assert_int_eq(hd_poll(fake.link, PATIENCE_MS), HD_LOST);
    ck_assert_ptr_nonnull(strstr(hd_error(fake.link), "reset"));
    ck_assert_int_eq(hd_process(fake.link, true, true), HD_LOST);
    fake_close(&fake);
}
END_TEST

START_TEST(a_flush_gives_up_in_time_and_the_rest_still_waits)
{
    static char half[1 << 19];
    struct fake fake;

    fake_open(&fake);
    fake_greet(&fake);
    for (int i = 0; i < 32; i++)
        ck_assert_int_eq(hd_notify(fake.link, "ping", "y", half, sizeof half), HD_OK);
    ck_assert_int_eq(hd_flush(fake.link, 1), HD_EXPIRED);
    ck_assert(hd_wants_write(fake.link));
    ck_assert_int_eq(hd_state(fake.link), HD_OPEN);
    while (hd_wants_write(fake.link)) {
        fake_receive(&fake);
        ck_assert_int_eq(hd_process(fake.link, false, true), HD_OK);
    }
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
    ck_assert_int_eq(hd_call_send(call, HD_FOREVER, trace_status, &trace), HD_OK);
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
    trace_status(call, context);
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

    trace_status(call, context);
    ck_assert_int_eq(hd_call_send(next, HD_FOREVER, trace_status, trace), HD_OK);
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

    trace_status(call, context);
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
    ck_assert_int_eq(hd_call_send(trace.other, HD_FOREVER, trace_status, &trace), HD_OK);
    fake_hang_up(&fake);
    hd_poll(fake.link, PATIENCE_MS);
    ck_assert_str_eq(trace.text, "LOST;");
    fake_close(&fake);
}
END_TEST

static void disconnect(struct hd_call *call, void *context)
{
    struct trace *trace = context;

    trace_status(call, context);
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
    hd_on_event(fake.link, trace_event, &trace);
    call = hd_call_new(fake.link, "ping");
    ck_assert_int_eq(hd_call_send(call, HD_FOREVER, trace_status, &trace), HD_OK);
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
        a_lost_link_tells_of_each_call_whether_it_was_sent,
        a_broken_pipe_kills_nobody,
        the_reason_of_bye_is_the_reason_of_the_end,
        last_words_are_heard_though_nothing_can_be_written,
        a_reset_is_a_lost_link,
        a_flush_gives_up_in_time_and_the_rest_still_waits,
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

    return suite_run("client ends", tests);
}
