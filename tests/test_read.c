/* test_read.c - the reader: every header of MessagePack, in place, and never beyond the end. */
#include "protocol/read.h"

#include <math.h>
#include <string.h>

#include "protocol/pack.h"
#include "tests/suite.h"

static struct wire read_one(const char *bytes, size_t len)
{
    struct reader reader = {bytes, bytes + len};
    struct wire wire = read_next(&reader);

    ck_assert(wire.kind == WIRE_END || reader.at == reader.end);
    return wire;
}

static void reads_uint(const char *bytes, size_t len, uint64_t value)
{
    struct wire wire = read_one(bytes, len);

    ck_assert_int_eq(wire.kind, WIRE_UINT);
    ck_assert_uint_eq(wire.uint, value);
}

static void reads_int(const char *bytes, size_t len, int64_t value)
{
    struct wire wire = read_one(bytes, len);

    ck_assert_int_eq(wire.kind, WIRE_INT);
    ck_assert_int_eq(wire.sint, value);
}

static void reads_payload(enum wire_kind kind, const char *bytes, size_t len, const char *payload, uint32_t size)
{
    struct wire wire = read_one(bytes, len);

    ck_assert_int_eq(wire.kind, kind);
    ck_assert_uint_eq(wire.len, size);
    ck_assert_mem_eq(wire.bytes, payload, size);
    ck_assert(wire.bytes >= bytes && wire.bytes + size <= bytes + len); /* in place, no copy */
}

START_TEST(unsigned_numbers_of_every_width_are_read)
{
    reads_uint(BYTES("\x00"), 0);
    reads_uint(BYTES("\x7f"), 127);
    reads_uint(BYTES("\xcc\xff"), 255);
    reads_uint(BYTES("\xcd\x01\x00"), 256);
    reads_uint(BYTES("\xce\xff\xff\xff\xff"), UINT32_MAX);
    reads_uint(BYTES("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), UINT64_MAX);
    reads_uint(BYTES("\xcf\0\0\0\0\0\0\0\x05"), 5);
}
END_TEST

START_TEST(a_signed_header_with_a_positive_number_is_an_unsigned_one)
{
    reads_uint(BYTES("\xd0\x7f"), 127);
    reads_uint(BYTES("\xd1\x7f\xff"), 32767);
    reads_uint(BYTES("\xd2\x7f\xff\xff\xff"), INT32_MAX);
    reads_uint(BYTES("\xd3\x7f\xff\xff\xff\xff\xff\xff\xff"), INT64_MAX);
}
END_TEST

START_TEST(negative_numbers_of_every_width_are_read)
{
    reads_int(BYTES("\xff"), -1);
    reads_int(BYTES("\xe0"), -32);
    reads_int(BYTES("\xd0\x80"), -128);
    reads_int(BYTES("\xd1\x80\x00"), -32768);
    reads_int(BYTES("\xd2\x80\x00\x00\x00"), INT32_MIN);
    reads_int(BYTES("\xd3\x80\x00\x00\x00\x00\x00\x00\x00"), INT64_MIN);
    reads_int(BYTES("\xd3\xff\xff\xff\xff\xff\xff\xff\xff"), -1);
}
END_TEST

START_TEST(floats_are_read_and_narrow_ones_widened)
{
    ck_assert(read_one(BYTES("\xcb\x3f\xf8\0\0\0\0\0\0")).real == 1.5);
    ck_assert(read_one(BYTES("\xca\x3f\xc0\0\0")).real == 1.5);
    ck_assert(isinf(read_one(BYTES("\xca\x7f\x80\0\0")).real));
    ck_assert(isnan(read_one(BYTES("\xcb\x7f\xf8\0\0\0\0\0\0")).real));
    ck_assert(signbit(read_one(BYTES("\xcb\x80\0\0\0\0\0\0\0")).real));
}
END_TEST

START_TEST(nil_and_booleans_are_read)
{
    ck_assert_int_eq(read_one(BYTES("\xc0")).kind, WIRE_NIL);
    ck_assert(!read_one(BYTES("\xc2")).boolean);
    ck_assert(read_one(BYTES("\xc3")).boolean);
}
END_TEST

START_TEST(payloads_are_read_in_place)
{
    reads_payload(WIRE_STR, BYTES("\xa0"), "", 0);
    reads_payload(WIRE_STR, BYTES("\xa3xyz"), "xyz", 3);
    reads_payload(WIRE_STR, BYTES("\xd9\x03xyz"), "xyz", 3);
    reads_payload(WIRE_STR, BYTES("\xda\0\x03xyz"), "xyz", 3);
    reads_payload(WIRE_STR, BYTES("\xdb\0\0\0\x03xyz"), "xyz", 3);
    reads_payload(WIRE_BIN, BYTES("\xc4\x03xyz"), "xyz", 3);
    reads_payload(WIRE_BIN, BYTES("\xc5\0\x03xyz"), "xyz", 3);
    reads_payload(WIRE_BIN, BYTES("\xc6\0\0\0\0"), "", 0);
    reads_payload(WIRE_EXT, BYTES("\xc7\x03\x05xyz"), "xyz", 3);
    reads_payload(WIRE_EXT, BYTES("\xc8\0\x03\x05xyz"), "xyz", 3);
    reads_payload(WIRE_EXT, BYTES("\xc9\0\0\0\x03\x05xyz"), "xyz", 3);
    reads_payload(WIRE_EXT, BYTES("\xd4\x05x"), "x", 1);
    reads_payload(WIRE_EXT, BYTES("\xd8\x05" "0123456789abcdef"), "0123456789abcdef", 16);
    ck_assert_int_eq(read_one(BYTES("\xd4\xffx")).ext, -1);
    ck_assert_int_eq(read_one(BYTES("\xc7\0\x7f")).ext, 127);
}
END_TEST

START_TEST(containers_tell_how_many_values_follow)
{
    ck_assert_uint_eq(read_one(BYTES("\x9f")).len, 15);
    ck_assert_uint_eq(read_one(BYTES("\xdc\x01\x00")).len, 256);
    ck_assert_uint_eq(read_one(BYTES("\xdd\xff\xff\xff\xff")).len, UINT32_MAX);
    ck_assert_uint_eq(read_one(BYTES("\x8f")).len, 15);
    ck_assert_uint_eq(read_one(BYTES("\xde\x01\x00")).len, 256);
    ck_assert_uint_eq(read_one(BYTES("\xdf\xff\xff\xff\xff")).len, UINT32_MAX);
}
END_TEST

START_TEST(what_is_cut_short_is_the_end)
{
    static const struct {
        const char *bytes;
        size_t len;
    } wholes[] = {
        {BYTES("\xa3xyz")}, {BYTES("\xd9\x03xyz")}, {BYTES("\xda\0\x03xyz")}, {BYTES("\xdb\0\0\0\x03xyz")},
        {BYTES("\xc4\x03xyz")}, {BYTES("\xc7\x03\x05xyz")}, {BYTES("\xd8\x05" "0123456789abcdef")},
        {BYTES("\xcf\0\0\0\0\0\0\0\x05")}, {BYTES("\xd3\0\0\0\0\0\0\0\x05")}, {BYTES("\xcb\0\0\0\0\0\0\0\x05")},
        {BYTES("\xca\0\0\0\x05")}, {BYTES("\xdd\0\0\0\x05")}, {BYTES("\xdf\0\0\0\x05")},
    };

    for (size_t i = 0; i < sizeof wholes / sizeof wholes[0]; i++)
        for (size_t len = 0; len < wholes[i].len; len++)
            ck_assert_int_eq(read_one(wholes[i].bytes, len).kind, WIRE_END);
    ck_assert_int_eq(read_one(BYTES("\xc1")).kind, WIRE_END);
}
END_TEST

START_TEST(a_look_ahead_takes_nothing)
{
    const char bytes[] = "\xa1x\x05";
    struct reader reader = {bytes, bytes + 3};

    ck_assert_int_eq(read_peek(&reader).kind, WIRE_STR);
    ck_assert_int_eq(read_peek(&reader).kind, WIRE_STR);
    ck_assert_int_eq(read_next(&reader).kind, WIRE_STR);
    ck_assert_int_eq(read_peek(&reader).kind, WIRE_UINT);
}
END_TEST

START_TEST(skipping_passes_over_one_whole_value)
{
    const char bytes[] = "\x93\x81\xa1k\x92\x01\xc4\x02xy\xd4\x01z\x90\x07";
    struct reader reader = {bytes, bytes + sizeof bytes - 1};

    ck_assert(read_skip(&reader));
    ck_assert_uint_eq(read_next(&reader).uint, 7);
    ck_assert(!read_skip(&reader));
}
END_TEST

START_TEST(skipping_a_claim_ends_with_the_bytes)
{
    const char bytes[] = "\xdf\xff\xff\xff\xff\x01";
    struct reader reader = {bytes, bytes + sizeof bytes - 1};

    ck_assert(!read_skip(&reader));
    ck_assert_ptr_eq(reader.at, reader.end);
}
END_TEST

START_TEST(a_million_levels_are_skipped_without_recursion)
{
    struct buf buf;
    struct reader reader;

    buf_init(&buf, SIZE_MAX / 2, NULL);
    for (unsigned i = 0; i < 1000000; i++)
        pack_array(&buf, 1);
    pack_nil(&buf);
    reader = (struct reader){buf.bytes, buf.bytes + buf.len};
    ck_assert(read_skip(&reader));
    ck_assert_ptr_eq(reader.at, reader.end);
    buf_fini(&buf);
}
END_TEST

START_TEST(a_str_is_compared_by_all_its_bytes)
{
    struct wire wire = read_one(BYTES("\xa4pin\0"));

    ck_assert(!wire_is_str(&wire, "pin"));
    wire = read_one(BYTES("\xa3pin"));
    ck_assert(wire_is_str(&wire, "pin"));
    ck_assert(!wire_is_str(&wire, "ping"));
    wire = read_one(BYTES("\xc4\x03pin"));
    ck_assert(!wire_is_str(&wire, "pin"));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        unsigned_numbers_of_every_width_are_read,
        a_signed_header_with_a_positive_number_is_an_unsigned_one,
        negative_numbers_of_every_width_are_read,
        floats_are_read_and_narrow_ones_widened,
        nil_and_booleans_are_read,
        payloads_are_read_in_place,
        containers_tell_how_many_values_follow,
        what_is_cut_short_is_the_end,
        a_look_ahead_takes_nothing,
        skipping_passes_over_one_whole_value,
        skipping_a_claim_ends_with_the_bytes,
        a_million_levels_are_skipped_without_recursion,
        a_str_is_compared_by_all_its_bytes,
        NULL,
    };

    return suite_run("read", tests);
}
