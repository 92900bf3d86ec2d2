/* test_client_bytes.c - what a link makes of bytes: values, cuts, and hostile ones; and of addresses. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/url.h"
#include "protocol/limits.h"
#include "tests/fake.h"

/* -- values -------------------------------------------------------------------------------------------------------- */

/* An answer with this value: the call, to be freed. */
static struct hd_call *answered(struct fake *fake, const char *value, size_t len)
{
    struct hd_call *call = fake_call(fake, "get", HD_FOREVER);

    fake_answer(fake, 1, value, len);
    ck_assert_int_eq(hd_call_status(call), HD_OK);
    return call;
}

START_TEST(values_of_every_kind_are_read)
{
    struct fake fake;
    struct hd_call *call;
    const struct hd_value *all;

    fake_open(&fake);
    fake_greet(&fake);
    call = answered(&fake, BYTES("\x9d\xc0\xc3\x07\xd1\xff\x00\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xca\x3f\xc0\0\0"
                                 "\xa3"
                                 "abc\xc4\x02\x00\xff\x92\x01\x02\x82\xa1k\x05\x03\xc0"
                                 "\xc7\x07\x01\xce\x80\x00\x00\x01\x2a\x06\xd4\x05x\xa0"));
    all = hd_call_result(call);
    ck_assert_int_eq(hd_kind(all), HD_ARRAY);
    ck_assert_uint_eq(hd_len(all), 13);
    ck_assert_int_eq(hd_kind(hd_at(all, 0)), HD_NIL);
    ck_assert(hd_bool(hd_at(all, 1)));
    ck_assert_int_eq(hd_int(hd_at(all, 2)), 7);
    ck_assert_int_eq(hd_int(hd_at(all, 3)), -256);
    ck_assert_int_eq(hd_kind(hd_at(all, 4)), HD_UINT);
    ck_assert_uint_eq(hd_uint(hd_at(all, 4)), UINT64_MAX);
    ck_assert_double_eq(hd_float(hd_at(all, 5)), 1.5);
    ck_assert_str_eq(hd_str(hd_at(all, 6)), "abc");
    ck_assert_int_eq(hd_kind(hd_at(all, 7)), HD_BYTES);
    ck_assert_uint_eq(hd_len(hd_at(all, 7)), 2);
    ck_assert_mem_eq(hd_str(hd_at(all, 7)), "\x00\xff\x00", 3);
    ck_assert_int_eq(hd_int(hd_at(hd_at(all, 8), 1)), 2);
    ck_assert_int_eq(hd_int(hd_get(hd_at(all, 9), "k")), 5);
    ck_assert_int_eq(hd_int(hd_map_key(hd_at(all, 9), 1)), 3);
    ck_assert_int_eq(hd_kind(hd_map_value(hd_at(all, 9), 1)), HD_NIL);
    ck_assert_int_eq(hd_kind(hd_at(all, 10)), HD_HANDLE);
    ck_assert_uint_eq(hd_handle(hd_at(all, 10)), UINT64_C(0x80000001));
    ck_assert_uint_eq(hd_handle_id(hd_at(all, 10)), 42);
    ck_assert_str_eq(hd_type_name(hd_handle_type(hd_at(all, 10))), "list");
    ck_assert_int_eq(hd_ext_type(hd_at(all, 11)), 5);
    ck_assert_str_eq(hd_str(hd_at(all, 11)), "x");
    ck_assert_str_eq(hd_str(hd_at(all, 12)), "");
    hd_call_free(call);
    fake_close(&fake);
}
END_TEST

START_TEST(what_a_value_is_not_reads_as_nothing)
{
    struct fake fake;
    struct hd_call *call;
    const struct hd_value *one, *none = NULL;

    fake_open(&fake);
    fake_greet(&fake);
    call = answered(&fake, BYTES("\x92\x01\x80"));
    one = hd_at(hd_call_result(call), 0);
    ck_assert_int_eq(hd_kind(none), HD_NONE);
    ck_assert_str_eq(hd_str(one), "");
    ck_assert_uint_eq(hd_len(one), 0);
    ck_assert_ptr_null(hd_at(one, 0));
    ck_assert_ptr_null(hd_at(hd_call_result(call), 2));
    ck_assert_ptr_null(hd_get(one, "k"));
    ck_assert_ptr_null(hd_get(hd_at(hd_call_result(call), 1), "k"));
    ck_assert_uint_eq(hd_handle(one), 0);
    ck_assert(!hd_bool(one));
    ck_assert_int_eq(hd_int(none), 0);
    ck_assert_uint_eq(hd_uint(none), 0);
    ck_assert_double_eq(hd_float(one), 1.0);
    ck_assert_str_eq(hd_str(hd_get(hd_get(none, "a"), "b")), "");
    hd_call_free(call);
    fake_close(&fake);
}
END_TEST

START_TEST(a_malformed_handle_is_an_ext)
{
    struct fake fake;
    struct hd_call *call;
    const struct hd_value *all;

    fake_open(&fake);
    fake_greet(&fake);
    call = answered(&fake, BYTES("\x93\xd4\x01\x05\xc7\x03\x01\x05\xff\x06\xd6\x01\x05\x06\x07\x08"));
    all = hd_call_result(call);
    for (size_t i = 0; i < hd_len(all); i++) {
        ck_assert_int_eq(hd_kind(hd_at(all, i)), HD_EXT);
        ck_assert_uint_eq(hd_handle(hd_at(all, i)), 0);
    }
    hd_call_free(call);
    fake_close(&fake);
}
END_TEST

/* So many arrays, each in the other, the innermost empty. */
static void pack_nest(struct buf *buf, int levels)
{
    for (int i = 1; i < levels; i++)
        pack_array(buf, 1);
    pack_array(buf, 0);
}

START_TEST(a_thousand_levels_are_read_and_sent_again)
{
    struct fake fake;
    struct hd_call *call, *echo;
    const struct hd_value *at;
    struct buf nest;
    int levels = 1;

    fake_open(&fake);
    fake_connect(&fake, NULL);
    fake_answer(&fake, 0, BYTES("\x81\xa6limits\x81\xa5"
                                "depth\xcd\x04\x00"));
    buf_init(&nest, SIZE_MAX / 2, NULL);
    pack_nest(&nest, 1000);
    call = answered(&fake, nest.bytes, nest.len);
    fake_receive(&fake);
    buf_clear(&fake.got);
    for (at = hd_call_result(call); hd_len(at) == 1; at = hd_at(at, 0))
        levels++;
    ck_assert_int_eq(levels, 1000);
    echo = hd_call_new(fake.link, "ping");
    hd_put_value(echo, hd_call_result(call));
    ck_assert_int_eq(hd_call_send(echo, HD_FOREVER, NULL, NULL), HD_OK);
    ck_assert_int_eq(hd_poll(fake.link, 0), HD_OK);
    fake_expect_request(&fake, 2, "ping", 1, nest.bytes, nest.len);
    hd_call_free(echo);
    hd_call_free(call);
    buf_fini(&nest);
    fake_close(&fake);
}
END_TEST

START_TEST(a_value_is_sent_again_as_it_came_and_a_handle_as_its_object)
{
    static const char value[] = "\x98\xc0\xc2\xff\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xcb\x3f\xe0\0\0\0\0\0\0"
                                "\xa1s\xc4\x01\x00\x82\xa1k\x91\xd4\x05x\x01\x80";
    struct fake fake;
    struct hd_call *call;

    fake_open(&fake);
    fake_greet(&fake);
    call = answered(&fake, value, sizeof value - 1);
    fake_receive(&fake);
    buf_clear(&fake.got);
    hd_ask(fake.link, 0, "m", "v", hd_call_result(call));
    fake_expect_request(&fake, 2, "m", 1, value, sizeof value - 1);
    hd_call_free(call);
    hd_disconnect(fake.link);
    fake_hang_up(&fake);
    fake_greet(&fake);
    call = answered(&fake, BYTES("\xc7\x03\x01\x05\x09\x06"));
    fake_receive(&fake);
    buf_clear(&fake.got);
    hd_ask(fake.link, 0, "m", "[vv]", hd_call_result(call), (const struct hd_value *)NULL);
    fake_expect_request(&fake, 2, "m", 1, BYTES("\x92\xd4\x01\x05\xc0"));
    hd_call_free(call);
    fake_close(&fake);
}
END_TEST

/* -- cuts ---------------------------------------------------------------------------------------------------------- */

/* Events and answers of many shapes. */
static const char stream[] = "\x93\x02\xa4"
                             "dead\x93\x01\xa5"
                             "count\x92\x05\xce\x80\x00\x00\x01"
                             "\x94\x01\x01\xc0\xc7\x07\x01\xce\x80\x00\x00\x01\x2a\x06"
                             "\x94\x01\x02\xda\x00\x0dNO_NAME it is\xc0"
                             "\x94\x01\x03\xc0\x82\xa1k\xcb\x3f\xe0\0\0\0\0\0\0\xa1l\xdd\0\0\0\x02\xc0\xc3";

static void count_events(struct hd_link *link, const char *event, const struct hd_value *params, void *context)
{
    (void)link;
    ck_assert_str_eq(event, "dead");
    ck_assert_uint_eq(hd_uint(hd_at(hd_at(params, 2), 1)), UINT64_C(0x80000001));
    ++*(int *)context;
}

/* The stream in pieces: up to `cut`, then so many bytes at a time. */
static void check_stream(size_t cut, size_t piece)
{
    struct fake fake;
    struct hd_call *calls[3];
    int events = 0;

    fake_open(&fake);
    fake_greet(&fake);
    hd_on_event(fake.link, count_events, &events);
    for (int i = 0; i < 3; i++)
        calls[i] = fake_call(&fake, "get", HD_FOREVER);
    for (size_t at = 0, next = cut; at < sizeof stream - 1; at = next, next += piece) {
        size_t end = next < sizeof stream - 1 ? next : sizeof stream - 1;
        ck_assert_int_eq(fake_send(&fake, stream + at, end - at), HD_OK);
    }
    ck_assert_int_eq(events, 1);
    ck_assert_uint_eq(hd_handle_id(hd_call_result(calls[0])), 42);
    ck_assert_str_eq(hd_call_error(calls[1]), "NO_NAME it is");
    ck_assert(hd_bool(hd_at(hd_get(hd_call_result(calls[2]), "l"), 1)));
    for (int i = 0; i < 3; i++)
        hd_call_free(calls[i]);
    fake_close(&fake);
}

START_TEST(answers_cut_at_every_byte_are_whole)
{
    for (size_t cut = 1; cut < sizeof stream; cut++)
        check_stream(cut, sizeof stream);
}
END_TEST

START_TEST(answers_that_come_byte_by_byte_are_whole)
{
    check_stream(1, 1);
}
END_TEST

START_TEST(an_end_within_a_frame_is_a_lost_link)
{
    for (size_t cut = 1; cut < sizeof stream - 1; cut += 7) {
        struct fake fake;

        fake_open(&fake);
        fake_greet(&fake);
        fake_send(&fake, stream, cut);
        fake_hang_up(&fake);
        ck_assert_int_eq(hd_poll(fake.link, HD_FOREVER), HD_LOST);
        fake_close(&fake);
    }
}
END_TEST

/* -- hostile bytes ------------------------------------------------------------------------------------------------- */

START_TEST(what_is_no_frame_closes_the_link_and_the_reason_is_told)
{
    static const struct {
        const char *bytes;
        size_t len;
    } rows[] = {
        {BYTES("HTTP/1.1 400 Bad Request\r\n")},
        {BYTES("\xc1")},
        {BYTES("\x94\x01\x01\xc1")},
        {BYTES("\x95\x01\x01\xc0\xc0")},
        {BYTES("\x94\x03\x01\xc0\xc0")},
        {BYTES("\x94\x01\xcf\0\0\0\1\0\0\0\0\xc0\xc0")},
        {BYTES("\x93\x02\x05\x90")},
        {BYTES("\x93\x02\xa3new\x05")},
        {BYTES("\xdd\xff\xff\xff\xff")},
        {BYTES("\x94\x01\x01\xc0\xdd\xff\xff\xff\xff")},
        {BYTES("\x94\x01\x01\xc0\xdf\x7f\xff\xff\xff")},
        {BYTES("\x94\x01\x01\xc0\xdb\xff\xff\xff\xff")},
        {BYTES("\x94\x01\x01\xc0\xc9\xff\xff\xff\xff\x01")},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fake fake;
        struct hd_call *call;

        fake_open(&fake);
        fake_greet(&fake);
        call = fake_call(&fake, "get", HD_FOREVER);
        ck_assert_int_eq(fake_send(&fake, rows[i].bytes, rows[i].len), HD_LOST);
        ck_assert_ptr_nonnull(strstr(hd_error(fake.link), "no MessagePack-RPC: "));
        ck_assert_int_eq(hd_call_status(call), HD_LOST);
        ck_assert(hd_call_was_sent(call));
        hd_call_free(call);
        fake_close(&fake);
    }
}
END_TEST

START_TEST(a_million_levels_close_the_link)
{
    static char deep[1 << 20];
    struct fake fake;
    struct hd_call *call;
    enum hd_status status = HD_OK;

    memset(deep, 0x91, sizeof deep);
    memcpy(deep, "\x94\x01\x01\xc0", 4);
    fake_open(&fake);
    fake_greet(&fake);
    call = fake_call(&fake, "get", HD_FOREVER);
    for (size_t at = 0; at < sizeof deep && status == HD_OK; at += 4096)
        status = fake_send(&fake, deep + at, 4096);
    ck_assert_int_eq(status, HD_LOST);
    ck_assert_ptr_nonnull(strstr(hd_error(fake.link), "nested"));
    hd_call_free(call);
    fake_close(&fake);
}
END_TEST

START_TEST(a_frame_beyond_the_limit_closes_the_link_and_takes_no_memory)
{
    static char bytes[8192];
    struct fake fake;

    fake_open(&fake);
    hd_set_frame_limit(fake.link, 4096);
    fake_greet(&fake);
    memcpy(bytes, "\x94\x01\x01\xc0\xc6\x00\x00\x0f\xf7", 9); /* 9 + 4087 = 4096: it may come */
    ck_assert_int_eq(fake_send(&fake, bytes, 4096), HD_OK);
    bytes[8]++;
    ck_assert_int_eq(fake_send(&fake, bytes, 9), HD_LOST);
    ck_assert_uint_lt(fake.meter.bytes, 200000);
    fake_close(&fake);
}
END_TEST

START_TEST(an_error_that_is_no_text_is_unknown)
{
    struct fake fake;
    struct hd_call *call;

    fake_open(&fake);
    fake_greet(&fake);
    call = fake_call(&fake, "get", HD_FOREVER);
    fake_send(&fake, BYTES("\x94\x01\x01\x92\x00\xa1x\xc0"));
    ck_assert_int_eq(hd_call_status(call), HD_UNKNOWN);
    ck_assert_ptr_null(hd_call_result(call));
    hd_call_free(call);
    fake_close(&fake);
}
END_TEST

START_TEST(hello_answered_with_no_map_closes_the_link)
{
    struct fake fake;

    fake_open(&fake);
    fake_connect(&fake, NULL);
    ck_assert_int_eq(fake_send(&fake, BYTES("\x94\x01\x00\xc0\x05")), HD_LOST);
    fake_close(&fake);
}
END_TEST

START_TEST(an_answer_to_what_was_not_sent_closes_the_link)
{
    struct fake fake;
    struct hd_call *call;

    fake_open(&fake);
    fake_connect(&fake, NULL);
    call = hd_call_new(fake.link, "get");
    ck_assert_int_eq(hd_call_send(call, HD_FOREVER, NULL, NULL), HD_OK);
    ck_assert_int_eq(fake_send(&fake, BYTES("\x94\x01\x01\xc0\x05")), HD_LOST);
    ck_assert_int_eq(hd_call_status(call), HD_LOST);
    ck_assert(!hd_call_was_sent(call));
    hd_call_free(call);
    fake_close(&fake);
}
END_TEST

/* A good stream with some bytes changed: whatever comes of it, nothing is read that is not there, and all memory comes
 * back. */
START_TEST(bytes_changed_at_random_do_no_harm)
{
    unsigned long long seed = 1;

    for (int round = 0; round < 3000; round++) {
        struct fake fake;
        struct hd_call *calls[3];
        char bytes[sizeof stream];

        memcpy(bytes, stream, sizeof stream);
        for (unsigned changes = 1 + suite_random(&seed, 3); changes > 0; changes--)
            bytes[suite_random(&seed, sizeof stream - 1)] = (char)suite_random(&seed, 256);
        fake_open(&fake);
        fake_greet(&fake);
        for (int i = 0; i < 3; i++)
            calls[i] = fake_call(&fake, "get", HD_FOREVER);
        fake_send(&fake, bytes, sizeof stream - 1);
        for (int i = 0; i < 3; i++) {
            hd_release_all(fake.link, hd_call_result(calls[i]));
            hd_call_free(calls[i]);
        }
        fake_close(&fake);
    }
}
END_TEST

/* -- addresses ----------------------------------------------------------------------------------------------------- */

START_TEST(addresses_are_read_as_people_write_them)
{
    static const struct {
        const char *text, *path, *host, *port, *space;
    } rows[] = {
        {"localhost", "", "localhost", HD_DEFAULT_PORT, ""},
        {"10.0.0.1:80", "", "10.0.0.1", "80", ""},
        {"[::1]", "", "::1", HD_DEFAULT_PORT, ""},
        {"[::1]:65535", "", "::1", "65535", ""},
        {"heapd://host", "", "host", HD_DEFAULT_PORT, ""},
        {"heapd://host/", "", "host", HD_DEFAULT_PORT, ""},
        {"heapd://host:1/a%20b", "", "host", "1", "a b"},
        {"heapd://[::1]:1/%C3%a9", "", "::1", "1", "\xc3\xa9"},
        {"heapd+unix:///run/x%25y", "/run/x%y", "", "", ""},
        {"/run/x%25y", "/run/x%25y", "", "", ""},
        {"unix:x.sock", "x.sock", "", "", ""},
    };
    struct url url;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_ptr_null(url_parse(&url, rows[i].text));
        ck_assert_int_eq(url.is_unix, rows[i].path[0] != '\0');
        ck_assert_str_eq(url.path, rows[i].path);
        ck_assert_str_eq(url.host, rows[i].host);
        ck_assert_str_eq(url.port, rows[i].port);
        ck_assert_str_eq(url.space, rows[i].space);
    }
}
END_TEST

START_TEST(what_is_no_address_is_told_why)
{
    static const char *const rows[] = {
        "", ":1", "host:", "host:0", "host:65536", "host:1x", "host: 1", "::1", "[::1", "[]", "[::1]1", "http://host",
        "host/x", "heapd://", "heapd://u:p@host", "heapd://host/a/b", "heapd://host/a?b", "heapd://host/%",
        "heapd://host/%4", "heapd://host/%zz", "heapd://host/%00", "heapd+unix://run", "heapd+unix:x", "unix:",
    };
    char path[URL_PATH_MAX + 1], host[URL_HOST_MAX + 1];
    struct url url;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_msg(url_parse(&url, rows[i]) != NULL, "'%s' is no address", rows[i]);
    memset(path, 'p', sizeof path);
    memset(host, 'h', sizeof host);
    path[0] = '/';
    path[URL_PATH_MAX] = host[URL_HOST_MAX] = '\0';
    ck_assert_ptr_nonnull(url_parse(&url, path));
    ck_assert_ptr_nonnull(url_parse(&url, host));
    path[URL_PATH_MAX - 1] = host[URL_HOST_MAX - 1] = '\0';
    ck_assert_ptr_null(url_parse(&url, path));
    ck_assert_ptr_null(url_parse(&url, host));
}
END_TEST

START_TEST(the_default_socket_is_where_the_daemon_makes_it)
{
    char directory[URL_PATH_MAX];
    struct url url;

    setenv("XDG_RUNTIME_DIR", "/run/user/1", 1);
    ck_assert(url_default_socket(&url));
    ck_assert(url.is_unix);
    ck_assert_str_eq(url.path, "/run/user/1/heapd.sock");
    memset(directory, 'd', sizeof directory);
    directory[0] = '/';
    directory[sizeof directory - 1] = '\0';
    setenv("XDG_RUNTIME_DIR", directory, 1);
    ck_assert(!url_default_socket(&url));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        values_of_every_kind_are_read,
        what_a_value_is_not_reads_as_nothing,
        a_malformed_handle_is_an_ext,
        a_thousand_levels_are_read_and_sent_again,
        a_value_is_sent_again_as_it_came_and_a_handle_as_its_object,
        answers_cut_at_every_byte_are_whole,
        answers_that_come_byte_by_byte_are_whole,
        an_end_within_a_frame_is_a_lost_link,
        what_is_no_frame_closes_the_link_and_the_reason_is_told,
        a_million_levels_close_the_link,
        a_frame_beyond_the_limit_closes_the_link_and_takes_no_memory,
        an_error_that_is_no_text_is_unknown,
        hello_answered_with_no_map_closes_the_link,
        an_answer_to_what_was_not_sent_closes_the_link,
        bytes_changed_at_random_do_no_harm,
        addresses_are_read_as_people_write_them,
        what_is_no_address_is_told_why,
        the_default_socket_is_where_the_daemon_makes_it,
        NULL,
    };

    return suite_run("client bytes", tests);
}
