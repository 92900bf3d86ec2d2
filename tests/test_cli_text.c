/* test_cli_text.c - scalars as Python writes them, text that no terminal obeys, base64. */
#include "client/cli/text.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/base64.h"
#include "tests/suite.h"

static struct buf out;

static void setup(void)
{
    buf_init(&out, 1000000, NULL);
}

/* What was written is this. */
static void holds(const char *expected)
{
    ck_assert(!out.failed);
    buf_append(&out, "", 1);
    ck_assert_str_eq(out.bytes, expected);
    buf_fini(&out);
}

static void writes_float(double value, const char *expected)
{
    setup();
    text_put_float(&out, value);
    holds(expected);
}

START_TEST(floats_have_the_fewest_digits_that_read_back)
{
    writes_float(0.0, "0.0");
    writes_float(-0.0, "-0.0");
    writes_float(1.0, "1.0");
    writes_float(0.1, "0.1");
    writes_float(0.1 + 0.2, "0.30000000000000004");
    writes_float(-2.5, "-2.5");
    writes_float(100.0, "100.0");
    writes_float(123456.789, "123456.789");
    writes_float(1e15, "1000000000000000.0");
    writes_float(9999999999999998.0, "9999999999999998.0");
    writes_float(1e16, "1e+16");
    writes_float(1.5e300, "1.5e+300");
    writes_float(0.0001, "0.0001");
    writes_float(0.00012345, "0.00012345");
    writes_float(0.00001, "1e-05");
    writes_float(-1.5e-7, "-1.5e-07");
    writes_float(DBL_MAX, "1.7976931348623157e+308");
    writes_float(5e-324, "5e-324");
    writes_float((double)INFINITY, "inf");
    writes_float(-(double)INFINITY, "-inf");
    writes_float((double)NAN, "nan");
}
END_TEST

START_TEST(every_float_reads_back_as_itself)
{
    unsigned long long state = 7;

    for (int i = 0; i < 20000; i++) {
        union {
            uint64_t bits;
            double value;
        } number;

        number.bits = (uint64_t)suite_random(&state, 1u << 31) << 33 ^ (uint64_t)suite_random(&state, 1u << 31) << 8;
        if (!isfinite(number.value))
            continue;
        setup();
        text_put_float(&out, number.value);
        buf_append(&out, "", 1);
        ck_assert(strtod(out.bytes, NULL) == number.value);
        ck_assert(strpbrk(out.bytes, ".e") != NULL);
        buf_fini(&out);
    }
}
END_TEST

static void writes_str(const char *bytes, size_t len, const char *expected)
{
    setup();
    text_put_str(&out, bytes, len);
    holds(expected);
}

START_TEST(strs_are_quoted_as_python_does)
{
    writes_str(BYTES(""), "''");
    writes_str(BYTES("plain"), "'plain'");
    writes_str(BYTES("it's"), "\"it's\"");
    writes_str(BYTES("say \"it's\""), "'say \"it\\'s\"'");
    writes_str(BYTES("\"\""), "'\"\"'");
    writes_str(BYTES("a\\b"), "'a\\\\b'");
    writes_str(BYTES("\0\n\r\t\x1b\x7f"), "'\\x00\\n\\r\\t\\x1b\\x7f'");
    writes_str(BYTES("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), "'\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80'");
    writes_str(BYTES("\xc2\x9b"), "'\\x9b'");
    writes_str(BYTES("\xe2\x80\xae\xe2\x80\x8b\xef\xbb\xbf\xee\x80\x80"), "'\\u202e\\u200b\\ufeff\\ue000'");
    writes_str(BYTES("\xf3\xa0\x80\x81"), "'\\U000e0001'");
}
END_TEST

START_TEST(what_is_no_utf_8_shows_as_bytes)
{
    writes_str(BYTES("\xff"), "'\\xff'");
    writes_str(BYTES("a\xc3"), "'a\\xc3'");
    writes_str(BYTES("\xc3("), "'\\xc3('");
    writes_str(BYTES("\xe2\x82"), "'\\xe2\\x82'");
    writes_str(BYTES("\xed\xa0\x80"), "'\\xed\\xa0\\x80'");      /* a surrogate */
    writes_str(BYTES("\xc0\x80"), "'\\xc0\\x80'");               /* not the shortest form */
    writes_str(BYTES("\xf4\x90\x80\x80"), "'\\xf4\\x90\\x80\\x80'"); /* beyond the last */
    writes_str(BYTES("\xe0\x80\x80"), "'\\xe0\\x80\\x80'");
}
END_TEST

START_TEST(bytes_are_quoted_as_python_does)
{
    setup();
    text_put_bytes(&out, BYTES("a\0\xff\xc3\xa9'\n"));
    holds("b\"a\\x00\\xff\\xc3\\xa9'\\n\"");
    setup();
    text_put_bytes(&out, BYTES(""));
    holds("b''");
}
END_TEST

START_TEST(text_for_a_terminal_holds_nothing_that_it_obeys)
{
    setup();
    text_put_safe(&out, BYTES("it's \\n \"x\" \xc3\xa9\x1b[31m\r\n\a\xc2\x9b" "2J\xe2\x80\xae\xff"));
    holds("it's \\n \"x\" \xc3\xa9\\x1b[31m\\r\\n\\x07\\x9b2J\\u202e\\xff");
}
END_TEST

START_TEST(no_byte_sequence_gets_a_control_character_through)
{
    unsigned long long state = 99;

    for (int round = 0; round < 20000; round++) {
        char bytes[16];
        size_t len = suite_random(&state, sizeof bytes + 1);

        for (size_t i = 0; i < len; i++)
            bytes[i] = (char)suite_random(&state, 256);
        setup();
        text_put_safe(&out, bytes, len);
        for (size_t i = 0; i < out.len; i++) {
            unsigned char byte = (unsigned char)out.bytes[i];

            ck_assert(byte >= 0x20 && byte != 0x7f);
            ck_assert(!(byte == 0xc2 && (unsigned char)out.bytes[i + 1] < 0xa0));
        }
        buf_fini(&out);
    }
}
END_TEST

static void encodes(const char *bytes, size_t len, const char *text)
{
    setup();
    base64_encode(&out, bytes, len);
    holds(text);
    setup();
    ck_assert(base64_decode(&out, text, strlen(text)));
    ck_assert_uint_eq(out.len, len);
    if (len > 0)
        ck_assert_mem_eq(out.bytes, bytes, len);
    buf_fini(&out);
}

START_TEST(base64_is_that_of_rfc_4648)
{
    encodes(BYTES(""), "");
    encodes(BYTES("f"), "Zg==");
    encodes(BYTES("fo"), "Zm8=");
    encodes(BYTES("foo"), "Zm9v");
    encodes(BYTES("foob"), "Zm9vYg==");
    encodes(BYTES("\xff\xfe\xfb"), "//77");
    encodes(BYTES("\0\0\0\0"), "AAAAAA==");
}
END_TEST

START_TEST(what_is_no_base64_is_refused)
{
    static const char *const bad[] = {"A", "AA", "AAA", "A===", "====", "AA=A", "AA==AAAA", "A A=", "AAA-", "AAAA\n"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        setup();
        ck_assert_msg(!base64_decode(&out, bad[i], strlen(bad[i])), "%s", bad[i]);
        buf_fini(&out);
    }
    setup();
    ck_assert(!base64_decode(&out, BYTES("AA\0A")));
    buf_fini(&out);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        floats_have_the_fewest_digits_that_read_back,
        every_float_reads_back_as_itself,
        strs_are_quoted_as_python_does,
        what_is_no_utf_8_shows_as_bytes,
        bytes_are_quoted_as_python_does,
        text_for_a_terminal_holds_nothing_that_it_obeys,
        no_byte_sequence_gets_a_control_character_through,
        base64_is_that_of_rfc_4648,
        what_is_no_base64_is_refused,
        NULL,
    };

    return suite_run("cli text", tests);
}
