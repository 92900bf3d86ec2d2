/* test_feed.c - the scanner: where frames end, and what is refused before anything is built. */
#include "protocol/feed.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/pack.h"
#include "tests/suite.h"

static const struct feed_limits usual = {UINT64_C(64) << 20, HD_DEPTH_DEFAULT};

static uint64_t stack[HD_DEPTH_MAX];

static enum feed_status scan(struct feed *feed, const struct feed_limits *limits, const char *bytes, size_t len)
{
    feed_start(feed, stack);
    return feed_scan(feed, limits, bytes, len);
}

static void is_frame(const char *bytes, size_t len)
{
    struct feed feed;

    ck_assert_int_eq(scan(&feed, &usual, bytes, len), FEED_FRAME);
    ck_assert_uint_eq(feed.pos, len);
}

static void is_bad(const char *bytes, size_t len)
{
    struct feed feed;

    ck_assert_int_eq(scan(&feed, &usual, bytes, len), FEED_BAD);
    ck_assert_ptr_nonnull(feed.reason);
}

/* A request whose parameters have every shape of header. */
static void pack_every_shape(struct buf *buf)
{
    static char filler[70000];
    static const size_t lengths[] = {0, 31, 32, 255, 256, 65535, 65536};

    pack_array(buf, 4);
    pack_uint(buf, 0);
    pack_uint(buf, 7);
    pack_cstr(buf, "m");
    pack_array(buf, 17 + 3 * 7);
    for (size_t i = 0; i < 7; i++) {
        pack_str(buf, filler, lengths[i]);
        pack_bin(buf, filler, lengths[i]);
        pack_ext(buf, 5, filler, lengths[i]);
    }
    for (size_t size = 1; size <= 16; size *= 2)
        pack_ext(buf, 5, filler, size);
    pack_nil(buf);
    pack_bool(buf, true);
    pack_float(buf, 1.5);
    buf_append(buf, BYTES("\xca\x3f\xc0\0\0"));
    for (unsigned bits = 7; bits <= 56; bits += 8)
        pack_int(buf, -(INT64_C(1) << bits));
    pack_map(buf, 1);
    pack_cstr(buf, "k");
    pack_array(buf, 2);
    pack_array(buf, 0);
    pack_map(buf, 0);
}

START_TEST(requests_responses_and_notifications_are_frames)
{
    is_frame(BYTES("\x94\x00\x01\xa1m\x90"));
    is_frame(BYTES("\x94\x00\xce\xff\xff\xff\xff\xa1m\x90"));
    is_frame(BYTES("\x94\x01\x01\xc0\xc0"));
    is_frame(BYTES("\x93\x02\xa1m\x90"));
    is_frame(BYTES("\x93\x02\xc4\x01m\x90"));
    is_frame(BYTES("\xdd\0\0\0\x04\x00\x01\xa1m\xdc\0\0"));
    is_frame(BYTES("\xdc\0\x03\x02\xa1m\xdd\0\0\0\0"));
}
END_TEST

START_TEST(what_is_no_rpc_is_refused)
{
    is_bad(BYTES("\xc0"));
    is_bad(BYTES("\x01"));
    is_bad(BYTES("\x80"));
    is_bad(BYTES("GET / HTTP/1.1"));
    is_bad(BYTES("\x90"));
    is_bad(BYTES("\x92\x00\x01"));
    is_bad(BYTES("\x95\x00\x01"));
    is_bad(BYTES("\xdc\0\x05"));
    is_bad(BYTES("\xdd\0\0\0\x02"));
    is_bad(BYTES("\x94\x02"));
    is_bad(BYTES("\x94\xc0"));
    is_bad(BYTES("\x93\x00"));
    is_bad(BYTES("\x93\x01"));
    is_bad(BYTES("\x94\x00\xff"));
    is_bad(BYTES("\x94\x00\xcf\0\0\0\1\0\0\0\0"));
    is_bad(BYTES("\x94\x00\x01\x05"));
    is_bad(BYTES("\x94\x00\x01\xa1m\x80"));
    is_bad(BYTES("\x94\x00\x01\xa1m\xa1x"));
    is_bad(BYTES("\x93\x02\xa1m\xc0"));
}
END_TEST

START_TEST(the_byte_c1_is_refused_wherever_it_stands)
{
    is_bad(BYTES("\xc1"));
    is_bad(BYTES("\x94\x00\x01\xa1m\x91\xc1"));
    is_bad(BYTES("\x94\x00\x01\xa1m\x91\x81\xc1"));
    is_frame(BYTES("\x94\x00\x01\xa1m\x91\xa1\xc1")); /* in a payload it is a byte like any other */
}
END_TEST

START_TEST(every_cut_asks_for_more_and_nothing_else)
{
    struct buf buf;
    struct feed feed;

    buf_init(&buf, SIZE_MAX / 2, NULL);
    pack_every_shape(&buf);
    for (size_t len = 0; len < buf.len; len += len > 2000 && len < buf.len - 2000 ? 97 : 1) {
        ck_assert_int_eq(scan(&feed, &usual, buf.bytes, len), FEED_MORE);
        ck_assert_uint_le(feed.pos, len);
        ck_assert_int_eq(feed_scan(&feed, &usual, buf.bytes, buf.len), FEED_FRAME);
        ck_assert_uint_eq(feed.pos, buf.len);
    }
    buf_fini(&buf);
}
END_TEST

/* What has been walked is overwritten with a byte that is no MessagePack: a second look at it would be seen. */
START_TEST(bytes_that_come_one_at_a_time_are_each_walked_once)
{
    struct buf buf;
    struct feed feed;
    struct feed whole;
    size_t len;

    buf_init(&buf, SIZE_MAX / 2, NULL);
    pack_every_shape(&buf);
    ck_assert_int_eq(scan(&whole, &usual, buf.bytes, buf.len), FEED_FRAME);
    feed_start(&feed, stack);
    for (len = 1; len < buf.len; len++) {
        size_t before = feed.pos;

        if (feed_scan(&feed, &usual, buf.bytes, len) != FEED_MORE || feed.pos < before)
            ck_abort_msg("after %zu bytes", len); /* an assertion for each of 400,000 would be slow */
        memset(buf.bytes + before, 0xc1, feed.pos - before);
    }
    ck_assert_int_eq(feed_scan(&feed, &usual, buf.bytes, len), FEED_FRAME);
    ck_assert_uint_eq(feed.values, whole.values);
    ck_assert_uint_eq(feed.deepest, whole.deepest);
    buf_fini(&buf);
}
END_TEST

START_TEST(a_frame_ends_where_the_next_one_begins)
{
    struct feed feed;

    ck_assert_int_eq(scan(&feed, &usual, BYTES("\x93\x02\xa1m\x90\x93\x02\xa1m\x90")), FEED_FRAME);
    ck_assert_uint_eq(feed.pos, 5);
    ck_assert_int_eq(scan(&feed, &usual, BYTES("\x93\x02\xa1m\x90\xc1")), FEED_FRAME);
    ck_assert_uint_eq(feed.pos, 5);
}
END_TEST

/* Only the header came: the claim itself is refused, nothing is waited for or allocated. */
START_TEST(a_claim_of_four_billion_is_refused_by_its_header)
{
    is_bad(BYTES("\xdd\xff\xff\xff\xff"));
    is_bad(BYTES("\x94\x00\x01\xa1m\xdd\xff\xff\xff\xff"));
    is_bad(BYTES("\x94\x00\x01\xa1m\x91\xdd\xff\xff\xff\xff"));
    is_bad(BYTES("\x94\x00\x01\xa1m\x91\xdf\xff\xff\xff\xff"));
    is_bad(BYTES("\x94\x00\x01\xa1m\x91\xdf\x80\0\0\0"));
    is_bad(BYTES("\x94\x00\x01\xa1m\x91\xdb\xff\xff\xff\xff"));
    is_bad(BYTES("\x94\x00\x01\xa1m\x91\xc6\xff\xff\xff\xff"));
    is_bad(BYTES("\x94\x00\x01\xa1m\x91\xc9\xff\xff\xff\xff"));
    is_bad(BYTES("\x94\x00\x01\xdb\xff\xff\xff\xff"));
}
END_TEST

START_TEST(claims_that_fit_one_by_one_but_not_together_are_refused)
{
    struct feed_limits limits = {1000, 64};
    struct feed feed;

    ck_assert_int_eq(scan(&feed, &limits, BYTES("\x93\x02\xa1m\xdc\x02\x00")), FEED_MORE);
    ck_assert_int_eq(scan(&feed, &limits, BYTES("\x93\x02\xa1m\xdc\x02\x00\xdc\x02\x00")), FEED_BAD);
}
END_TEST

/* [2, "m", nested], `levels` of arrays or maps below the envelope's; the innermost is empty. */
static void pack_nested(struct buf *buf, unsigned levels, unsigned shape)
{
    buf_append(buf, BYTES("\x93\x02\xa1m\x91"));
    for (unsigned i = 2; i < levels; i++)
        switch (i == levels - 1 ? 3 : shape == 3 ? i % 3 : shape) {
        case 0: /* in an array */
            buf_append(buf, BYTES("\x91"));
            break;
        case 1: /* as a value */
            buf_append(buf, BYTES("\x81\xa1k"));
            break;
        case 2: /* as a key; its value, nil, is missing: only the scan of what comes is looked at */
            buf_append(buf, BYTES("\x81"));
            break;
        default:
            buf_append(buf, BYTES("\x90"));
        }
}

START_TEST(the_limit_of_nesting_is_exact)
{
    for (unsigned shape = 0; shape < 4; shape++)
        for (uint32_t depth = HD_DEPTH_MIN; depth <= HD_DEPTH_MAX; depth *= 2) {
            struct feed_limits limits = {1 << 20, depth};
            struct buf buf;
            struct feed feed;

            buf_init(&buf, SIZE_MAX / 2, NULL);
            pack_nested(&buf, depth, shape);
            ck_assert_int_ne(scan(&feed, &limits, buf.bytes, buf.len), FEED_BAD);
            ck_assert_uint_eq(feed.deepest, depth);
            buf_clear(&buf);
            pack_nested(&buf, depth + 1, shape);
            ck_assert_int_eq(scan(&feed, &limits, buf.bytes, buf.len), FEED_BAD);
            buf_fini(&buf);
        }
}
END_TEST

START_TEST(a_million_levels_are_refused_at_the_limit_not_at_the_end)
{
    for (unsigned shape = 0; shape < 4; shape++) {
        struct buf buf;
        struct feed feed;

        buf_init(&buf, SIZE_MAX / 2, NULL);
        pack_nested(&buf, 1000000, shape);
        ck_assert_int_eq(scan(&feed, &usual, buf.bytes, buf.len), FEED_BAD);
        ck_assert_uint_le(feed.pos, 5 + 3 * HD_DEPTH_DEFAULT);
        buf_fini(&buf);
    }
}
END_TEST

START_TEST(a_frame_may_be_as_long_as_the_limit_and_no_byte_longer)
{
    struct feed_limits limits = {100, 64};
    char frame[102] = "\x93\x02\xa1m\x91\xc4";
    struct feed feed;

    frame[6] = 93;
    ck_assert_int_eq(scan(&feed, &limits, frame, 100), FEED_FRAME);
    ck_assert_uint_eq(feed.pos, 100);
    frame[6] = 94;
    ck_assert_int_eq(scan(&feed, &limits, frame, 101), FEED_BAD);
    ck_assert_int_eq(scan(&feed, &limits, frame, 7), FEED_BAD);
}
END_TEST

START_TEST(small_values_count_against_the_limit_of_a_frame_too)
{
    struct feed_limits limits = {100, 64};
    char frame[200] = "\x93\x02\xa1m\xdc\0";
    struct feed feed;

    frame[6] = 93; /* 7 + 93 one-byte values */
    ck_assert_int_eq(scan(&feed, &limits, frame, sizeof frame), FEED_FRAME);
    ck_assert_uint_eq(feed.pos, 100);
    frame[6] = 94;
    ck_assert_int_eq(scan(&feed, &limits, frame, sizeof frame), FEED_BAD);
}
END_TEST

START_TEST(a_msgid_is_read_from_a_request_that_goes_wrong_later)
{
    uint32_t msgid = 0;

    ck_assert(feed_msgid(BYTES("\x94\x00\x07\xc1"), &msgid));
    ck_assert_uint_eq(msgid, 7);
    ck_assert(feed_msgid(BYTES("\x94\x00\xce\xff\xff\xff\xff\xc1"), &msgid));
    ck_assert_uint_eq(msgid, UINT32_MAX);
    ck_assert(!feed_msgid(BYTES("\x94\x00"), &msgid));
    ck_assert(!feed_msgid(BYTES("\x94\x00\xce\xff\xff"), &msgid));
    ck_assert(!feed_msgid(BYTES("\x93\x02\xa1m"), &msgid));
    ck_assert(!feed_msgid(BYTES("\x94\x01\x07"), &msgid));
    ck_assert(!feed_msgid(BYTES("\x94\x00\xff"), &msgid));
    ck_assert(!feed_msgid(BYTES("\x94\x00\xcf\0\0\0\1\0\0\0\0"), &msgid));
    ck_assert(!feed_msgid(NULL, 0, &msgid));
}
END_TEST

START_TEST(random_bytes_end_the_same_way_however_they_are_cut)
{
    unsigned long long seed = 2026;

    for (unsigned round = 0; round < 20000; round++) {
        char bytes[64] = "\x93\x02\xa1m\x9f";
        struct feed whole;
        struct feed cut;
        enum feed_status status;
        size_t len = 0;

        for (size_t i = 5; i < sizeof bytes; i++)
            bytes[i] = (char)(suite_random(&seed, 3) == 0 ? suite_random(&seed, 256)
                                                          : 0x80 + suite_random(&seed, 0x60));
        status = scan(&whole, &usual, bytes, sizeof bytes);
        feed_start(&cut, stack);
        do {
            len += 1 + suite_random(&seed, 7);
            len = len < sizeof bytes ? len : sizeof bytes;
        } while (feed_scan(&cut, &usual, bytes, len) == FEED_MORE && len < sizeof bytes);
        if (cut.pos != whole.pos || cut.values != whole.values || cut.reason != whole.reason ||
            (status == FEED_MORE && len < sizeof bytes))
            ck_abort_msg("in round %u", round);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        requests_responses_and_notifications_are_frames,
        what_is_no_rpc_is_refused,
        the_byte_c1_is_refused_wherever_it_stands,
        every_cut_asks_for_more_and_nothing_else,
        bytes_that_come_one_at_a_time_are_each_walked_once,
        a_frame_ends_where_the_next_one_begins,
        a_claim_of_four_billion_is_refused_by_its_header,
        claims_that_fit_one_by_one_but_not_together_are_refused,
        the_limit_of_nesting_is_exact,
        a_million_levels_are_refused_at_the_limit_not_at_the_end,
        a_frame_may_be_as_long_as_the_limit_and_no_byte_longer,
        small_values_count_against_the_limit_of_a_frame_too,
        a_msgid_is_read_from_a_request_that_goes_wrong_later,
        random_bytes_end_the_same_way_however_they_are_cut,
        NULL,
    };

    return suite_run("feed", tests);
}
