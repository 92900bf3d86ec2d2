/* test_client_memory.c - every allocation of a link may fail: it is told, nothing is lost, and the link can go on. */
#include <string.h>

#include "tests/fake.h"

#define PATIENCE_MS 60000

/* More allocations than any round here makes. */
#define SWEEP_MAX 1000

static void forget_event(struct hd_link *link, const char *event, const struct hd_value *params, void *context)
{
    (void)link;
    ck_assert_str_eq(event, "dead");
    ck_assert_uint_eq(hd_len(params), 3);
    ++*(int *)context;
}

/* Calls, answers, an event, a request of the server, handles on their way back: false if anything failed. */
static bool live(struct fake *fake)
{
    struct hd_link *link = fake->link;
    struct hd_call *call = hd_call_new(link, "get");
    int events = 0;
    bool is_fine = call != NULL;

    hd_on_event(link, forget_event, &events);
    if (call != NULL) {
        hd_put(call, "s {sN} [h]", "a name that is longer than a first buffer would be", "k", "n", (uint64_t)5);
        is_fine = hd_call_send(call, HD_FOREVER, NULL, NULL) == HD_OK && hd_flush(link, PATIENCE_MS) == HD_OK;
    }
    fake_send_unseen(fake, BYTES("\x94\x01\x01\xc0\x92\xc7\x03\x01\x07\x09\x06\xc7\x03\x01\x08\x09\x06"
                                 "\x93\x02\xa4"
                                 "dead\x93\x01\xa5"
                                 "count\x91\x05"
                                 "\x94\x00\x05\xa3run\x90"));
    is_fine = hd_poll(link, PATIENCE_MS) == HD_OK && is_fine && events == 1;
    is_fine = is_fine && hd_call_status(call) == HD_OK;
    is_fine = is_fine && hd_release_all(link, hd_call_result(call)) == HD_OK && hd_release(link, 9) == HD_OK;
    is_fine = is_fine && hd_notify(link, "unbind", "s", "a") == HD_OK && hd_flush(link, PATIENCE_MS) == HD_OK;
    hd_call_free(call);
    return is_fine;
}

/* A round with the k-th allocation failing, and if told so all after it. True if none failed. */
static bool round_passes(struct fake *fake, uint64_t k, bool on)
{
    bool is_fine;

    meter_fail(&fake->meter, k, on);
    is_fine = live(fake);
    meter_fail(&fake->meter, 0, false);
    return is_fine;
}

static void sweep(bool on)
{
    struct fake fake;
    uint64_t k = 0;
    bool is_fine = false;

    while (!is_fine && k < SWEEP_MAX) {
        fake_open(&fake);
        fake_greet(&fake);
        is_fine = round_passes(&fake, ++k, on);
        if (hd_state(fake.link) == HD_OPEN)
            ck_assert_int_eq(hd_flush(fake.link, PATIENCE_MS), HD_OK);
        else
            ck_assert_int_eq(strncmp(hd_error(fake.link), "LOST no memory", 14), 0);
        fake_close(&fake);
    }
    ck_assert_uint_gt(k, 10);
    ck_assert(is_fine);
}

START_TEST(one_allocation_that_fails_loses_no_memory)
{
    sweep(false);
}
END_TEST

START_TEST(all_allocations_failing_from_one_on_lose_no_memory)
{
    sweep(true);
}
END_TEST

START_TEST(a_link_that_cannot_be_made_is_none)
{
    struct fake fake;
    struct hd_memory memory;
    uint64_t k;

    fake_open(&fake);
    memory = fake_memory(&fake);
    meter_fail(&fake.meter, 1, false);
    ck_assert_ptr_null(hd_link_new(&memory));
    for (k = 1; k < SWEEP_MAX; k++) {
        enum hd_status status;

        meter_fail(&fake.meter, k, false);
        status = hd_set_name(fake.link, "me");
        if (status == HD_OK)
            status = hd_connect_start(fake.link, fake.address, PATIENCE_MS);
        if (status == HD_OK)
            break;
        ck_assert_int_eq(status, HD_OUT_OF_MEMORY);
        ck_assert_int_eq(hd_state(fake.link), HD_CLOSED);
    }
    ck_assert_uint_gt(k, 3);
    meter_fail(&fake.meter, 0, false);
    fake_close(&fake);
}
END_TEST

START_TEST(parameters_that_found_no_room_are_told_when_the_call_is_sent)
{
    static char big[100000];
    struct fake fake;
    struct hd_call *call;

    fake_open(&fake);
    fake_greet(&fake);
    call = hd_call_new(fake.link, "m");
    meter_fail(&fake.meter, 1, false);
    hd_put_bytes(call, big, sizeof big);
    hd_put_nil(call);
    ck_assert_int_eq(hd_call_send(call, HD_FOREVER, NULL, NULL), HD_OUT_OF_MEMORY);
    ck_assert(!hd_wants_write(fake.link));
    hd_call_free(call);
    fake_close(&fake);
}
END_TEST

START_TEST(an_answer_without_room_gives_its_handles_back)
{
    struct fake fake;
    struct hd_call *call;

    fake_open(&fake);
    fake_greet(&fake);
    call = fake_call(&fake, "get", HD_FOREVER);
    fake_receive(&fake);
    buf_clear(&fake.got);
    meter_fail(&fake.meter, 1, false);
    fake_answer(&fake, 1, BYTES("\xc7\x03\x01\x07\x09\x06"));
    ck_assert_int_eq(hd_call_status(call), HD_OUT_OF_MEMORY);
    fake_expect(&fake, BYTES("\x93\x02\xa7release\x91\x07"));
    hd_call_free(call);
    fake_close(&fake);
}
END_TEST

START_TEST(handles_that_cannot_be_released_end_the_session)
{
    struct fake fake;
    struct hd_call *call;

    fake_open(&fake);
    fake_greet(&fake);
    call = fake_call(&fake, "get", HD_FOREVER);
    meter_fail(&fake.meter, 1, true);
    ck_assert_int_eq(fake_send(&fake, BYTES("\x94\x01\x01\xc0\xc7\x03\x01\x07\x09\x06")), HD_LOST);
    ck_assert_int_eq(hd_call_status(call), HD_LOST);
    ck_assert(hd_call_was_sent(call));
    hd_call_free(call);
    meter_fail(&fake.meter, 0, false);
    fake_close(&fake);
}
END_TEST

START_TEST(a_late_answer_whose_handles_cannot_be_released_ends_the_session)
{
    struct fake fake;

    fake_open(&fake);
    fake_greet(&fake);
    hd_call_free(fake_call(&fake, "get", HD_FOREVER));
    meter_fail(&fake.meter, 1, true);
    ck_assert_int_eq(fake_send(&fake, BYTES("\x94\x01\x01\xc0\xc7\x03\x01\x07\x09\x06")), HD_LOST);
    meter_fail(&fake.meter, 0, false);
    fake_close(&fake);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        one_allocation_that_fails_loses_no_memory,
        all_allocations_failing_from_one_on_lose_no_memory,
        a_link_that_cannot_be_made_is_none,
        parameters_that_found_no_room_are_told_when_the_call_is_sent,
        an_answer_without_room_gives_its_handles_back,
        handles_that_cannot_be_released_end_the_session,
        a_late_answer_whose_handles_cannot_be_released_ends_the_session,
        NULL,
    };

    return suite_run("client memory", tests);
}
