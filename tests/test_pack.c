/* test_pack.c - the output buffer, and the shortest encodings. */
#include "protocol/pack.h"

#include <stdlib.h>
#include <string.h>

#include "tests/suite.h"

static struct buf buf;

static void holds(const char *bytes, size_t len)
{
    ck_assert(!buf.failed);
    ck_assert_uint_eq(buf.len, len);
    ck_assert_mem_eq(buf.bytes, bytes, len);
    buf_fini(&buf);
}

static void open_buf(size_t limit)
{
    buf_init(&buf, limit, NULL);
}

static void packs_int(int64_t value, const char *bytes, size_t len)
{
    open_buf(1000);
    pack_int(&buf, value);
    holds(bytes, len);
}

START_TEST(ints_take_the_shortest_encoding)
{
    packs_int(0, BYTES("\x00"));
    packs_int(127, BYTES("\x7f"));
    packs_int(128, BYTES("\xcc\x80"));
    packs_int(255, BYTES("\xcc\xff"));
    packs_int(256, BYTES("\xcd\x01\x00"));
    packs_int(65535, BYTES("\xcd\xff\xff"));
    packs_int(65536, BYTES("\xce\x00\x01\x00\x00"));
    packs_int(UINT32_MAX, BYTES("\xce\xff\xff\xff\xff"));
    packs_int((int64_t)UINT32_MAX + 1, BYTES("\xcf\0\0\0\x01\0\0\0\0"));
    packs_int(-1, BYTES("\xff"));
    packs_int(-32, BYTES("\xe0"));
    packs_int(-33, BYTES("\xd0\xdf"));
    packs_int(-128, BYTES("\xd0\x80"));
    packs_int(-129, BYTES("\xd1\xff\x7f"));
    packs_int(-32769, BYTES("\xd2\xff\xff\x7f\xff"));
    packs_int(INT64_MIN, BYTES("\xd3\x80\0\0\0\0\0\0\0"));
    open_buf(1000);
    pack_uint(&buf, UINT64_MAX);
    holds(BYTES("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"));
}
END_TEST

START_TEST(other_scalars_take_the_shortest_encoding)
{
    open_buf(1000);
    pack_nil(&buf);
    pack_bool(&buf, false);
    pack_bool(&buf, true);
    pack_float(&buf, 1.5);
    pack_cstr(&buf, "");
    pack_cstr(&buf, "ab");
    pack_bin(&buf, "ab", 2);
    pack_ext(&buf, 1, "a", 1);
    pack_ext(&buf, -1, "abc", 3);
    holds(BYTES("\xc0\xc2\xc3\xcb\x3f\xf8\0\0\0\0\0\0\xa0\xa2" "ab\xc4\x02" "ab\xd4\x01" "a\xc7\x03\xff" "abc"));
}
END_TEST

/* The header of a str, bin, array and map of `len`, as far as its length bytes go. */
static void packs_heads(size_t len, const char *str, size_t str_len, const char *array, const char *map, size_t size)
{
    open_buf(1000);
    pack_str_head(&buf, len);
    holds(str, str_len);
    open_buf(1000);
    pack_array(&buf, len);
    holds(array, size);
    open_buf(1000);
    pack_map(&buf, len);
    holds(map, size);
}

START_TEST(lengths_take_the_shortest_encoding)
{
    packs_heads(15, BYTES("\xaf"), "\x9f", "\x8f", 1);
    packs_heads(16, BYTES("\xb0"), "\xdc\0\x10", "\xde\0\x10", 3);
    packs_heads(31, BYTES("\xbf"), "\xdc\0\x1f", "\xde\0\x1f", 3);
    packs_heads(32, BYTES("\xd9\x20"), "\xdc\0\x20", "\xde\0\x20", 3);
    packs_heads(255, BYTES("\xd9\xff"), "\xdc\0\xff", "\xde\0\xff", 3);
    packs_heads(256, BYTES("\xda\x01\x00"), "\xdc\x01\0", "\xde\x01\0", 3);
    packs_heads(65535, BYTES("\xda\xff\xff"), "\xdc\xff\xff", "\xde\xff\xff", 3);
    packs_heads(65536, BYTES("\xdb\0\x01\0\0"), "\xdd\0\x01\0\0", "\xdf\0\x01\0\0", 5);
}
END_TEST

START_TEST(a_length_beyond_32_bits_fails_and_writes_nothing)
{
    open_buf(1000);
    pack_array(&buf, (size_t)UINT32_MAX + 1);
    ck_assert(buf.failed && buf.over_limit);
    ck_assert_uint_eq(buf.len, 0);
    buf_clear(&buf);
    pack_map(&buf, (size_t)UINT32_MAX + 1);
    ck_assert(buf.failed);
    buf_clear(&buf);
    pack_str(&buf, "x", (size_t)UINT32_MAX + 1);
    ck_assert(buf.failed);
    ck_assert_uint_eq(buf.len, 0);
    buf_fini(&buf);
}
END_TEST

START_TEST(a_buffer_takes_its_limit_and_no_byte_more)
{
    static char filler[1000];

    open_buf(1000);
    buf_append(&buf, filler, 999);
    buf_append(&buf, filler, 1);
    ck_assert(!buf.failed);
    buf_append(&buf, filler, 1);
    ck_assert(buf.failed && buf.over_limit);
    ck_assert_uint_eq(buf.len, 1000);
    ck_assert_uint_le(buf.capacity, 1000);
    buf_fini(&buf);
}
END_TEST

START_TEST(a_failure_stays_until_the_buffer_is_rewound)
{
    static char filler[1000];

    open_buf(100);
    pack_cstr(&buf, "kept");
    buf_append(&buf, filler, 1000);
    pack_nil(&buf);
    ck_assert(buf.failed);
    ck_assert_uint_eq(buf.len, 5);
    buf_rewind(&buf, 5);
    pack_nil(&buf);
    holds(BYTES("\xa4kept\xc0"));
}
END_TEST

static void *no_memory(void *context, void *old, size_t old_size, size_t size)
{
    (void)context;
    (void)old_size;
    if (size == 0)
        free(old);
    return NULL;
}

static size_t held; /* bytes by counting_resize */

static void *counting_resize(void *context, void *old, size_t old_size, size_t size)
{
    (void)context;
    held += size - old_size;
    if (size > 0)
        return realloc(old, size);
    free(old);
    return NULL;
}

START_TEST(without_memory_a_buffer_fails_and_keeps_what_it_has)
{
    const struct buf_memory memory = {.resize = no_memory};

    open_buf(1000);
    pack_cstr(&buf, "kept");
    buf.memory = &memory;
    ck_assert(!buf_reserve(&buf, 900));
    ck_assert(buf.failed && !buf.over_limit);
    ck_assert_uint_eq(buf.len, 5);
    buf_rewind(&buf, 5);
    holds(BYTES("\xa4kept"));
}
END_TEST

START_TEST(what_waits_is_what_was_written_less_what_was_taken)
{
    open_buf(1000);
    buf_append(&buf, "abcdef", 6);
    buf_taken(&buf, 2);
    ck_assert_uint_eq(buf_pending(&buf), 4);
    buf_compact(&buf); /* less than half is taken: nothing moves */
    ck_assert_uint_eq(buf.sent, 2);
    buf_taken(&buf, 1);
    buf_compact(&buf);
    ck_assert_uint_eq(buf.sent, 0);
    holds(BYTES("def"));
}
END_TEST

START_TEST(an_emptied_buffer_gives_large_storage_back_and_keeps_small)
{
    open_buf(1 << 20);
    buf_append(&buf, "x", 1);
    buf_taken(&buf, 1);
    ck_assert_uint_gt(buf.capacity, 0);
    buf_reserve(&buf, 100000);
    buf_append(&buf, "x", 1);
    buf_taken(&buf, 1);
    ck_assert_uint_eq(buf.capacity, 0);
    ck_assert_ptr_null(buf.bytes);
}
END_TEST

START_TEST(buffers_that_share_a_spare_take_no_more_than_one)
{
    struct buf_spare spare = {NULL, 0};
    const struct buf_memory memory = {.resize = counting_resize, .spare = &spare};
    struct buf many[100];

    held = 0;
    for (unsigned i = 0; i < 100; i++)
        buf_init(&many[i], 1 << 20, &memory);
    for (unsigned i = 0; i < 100; i++) {
        buf_append(&many[i], "abc", 3);
        ck_assert(many[i].len == 3 && memcmp(many[i].bytes, "abc", 3) == 0);
        buf_taken(&many[i], 3);
        ck_assert_uint_eq(many[i].capacity, 0);
    }
    ck_assert_uint_eq(held, spare.capacity);
    buf_append(&many[0], "abc", 3); /* two at once: each has its own, and one of them stays */
    buf_append(&many[1], "def", 3);
    ck_assert(memcmp(many[0].bytes, "abc", 3) == 0 && memcmp(many[1].bytes, "def", 3) == 0);
    for (unsigned i = 0; i < 2; i++) {
        buf_clear(&many[i]);
        buf_leave(&many[i]);
    }
    ck_assert_uint_eq(held, spare.capacity);
    buf_spare_fini(&memory);
    ck_assert_uint_eq(held, 0);
}
END_TEST

START_TEST(a_spare_larger_than_a_buffer_may_be_is_left_alone)
{
    struct buf_spare spare = {NULL, 0};
    const struct buf_memory memory = {.resize = counting_resize, .spare = &spare};
    struct buf large, small;

    held = 0;
    buf_init(&large, 1 << 20, &memory);
    buf_init(&small, 100, &memory);
    ck_assert(buf_reserve(&large, 1000));
    buf_leave(&large);
    ck_assert(buf_reserve(&small, 100) && !buf_reserve(&small, 101));
    ck_assert(small.over_limit);
    buf_fini(&small);
    buf_spare_fini(&memory);
    ck_assert_uint_eq(held, 0);
}
END_TEST

START_TEST(growing_doubles_so_that_a_million_bytes_move_few_times)
{
    size_t moves = 0;
    size_t capacity = 0;

    open_buf(1 << 21);
    for (unsigned i = 0; i < 1000000; i++) {
        pack_nil(&buf);
        moves += buf.capacity != capacity;
        capacity = buf.capacity;
    }
    ck_assert_uint_le(moves, 14);
    buf_fini(&buf);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        ints_take_the_shortest_encoding,
        other_scalars_take_the_shortest_encoding,
        lengths_take_the_shortest_encoding,
        a_length_beyond_32_bits_fails_and_writes_nothing,
        a_buffer_takes_its_limit_and_no_byte_more,
        a_failure_stays_until_the_buffer_is_rewound,
        without_memory_a_buffer_fails_and_keeps_what_it_has,
        what_waits_is_what_was_written_less_what_was_taken,
        an_emptied_buffer_gives_large_storage_back_and_keeps_small,
        buffers_that_share_a_spare_take_no_more_than_one,
        a_spare_larger_than_a_buffer_may_be_is_left_alone,
        growing_doubles_so_that_a_million_bytes_move_few_times,
        NULL,
    };

    return suite_run("pack", tests);
}
