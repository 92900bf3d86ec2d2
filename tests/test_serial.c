/*
 * test_serial.c - dumps from strangers: whatever the bytes are, a load refuses them or makes a sound graph, within its
 * memory, and a refused one leaves nothing. What dump and load are for is told by tests/serial.py.
 */
#include "store/serial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/compare.h"
#include "store/kinds/sequence.h"
#include "store/serial_bytes.h"
#include "tests/rig.h"

static char *bytes; /* a blob */
static size_t len, capacity;

static void make_space(size_t size)
{
    char *more;

    capacity = size + SERIAL_HEAD + SERIAL_TAIL + 64;
    more = realloc(bytes, capacity);
    ck_assert_ptr_nonnull(more);
    bytes = more;
}

/* A head that fits, and the checksum: `body` bytes stand behind the head already. */
static void seal(size_t body, uint32_t objects, uint32_t depth)
{
    static const uint64_t no_key[2] = {0, 0};

    memcpy(bytes, serial_magic, sizeof serial_magic);
    serial_store(bytes + 8, SERIAL_VERSION, 4);
    serial_store(bytes + 12, objects, 4);
    serial_store(bytes + 16, depth, 4);
    serial_store(bytes + 20, 0, 4);
    serial_store(bytes + 24, body, 8);
    len = SERIAL_HEAD + body;
    serial_store(bytes + len, siphash13(no_key, bytes, len), SERIAL_TAIL);
    len += SERIAL_TAIL;
}

/* A body that is `unit` again and again, then `tail`. */
static size_t repeat(size_t size, const char *unit, size_t unit_len, const char *tail, size_t tail_len)
{
    size_t times = size / unit_len;
    size_t body = times * unit_len + tail_len;

    make_space(body);
    for (size_t i = 0; i < times; i++)
        memcpy(bytes + SERIAL_HEAD + i * unit_len, unit, unit_len);
    memcpy(bytes + SERIAL_HEAD + times * unit_len, tail, tail_len);
    return body;
}

static size_t slice; /* values of each slice of a load; 0: in one go */

static void keep_uncounted(void *arg, struct obj *o)
{
    (void)arg;
    if (o != NULL)
        rig.kept[rig.kept_count++] = o;
}

/* Between two slices every reference is known; others use up their own work, and fail with their own texts. */
static void look_between(struct loading *loading)
{
    unsigned count = rig.kept_count;

    serial_load_roots(loading, keep_uncounted, NULL);
    rig_check();
    rig.kept_count = count;
    rig.heap->work_left = 0;
    heap_set_error(rig.heap, "somebody else's");
}

static enum hd_err load(struct serial_loaded *loaded)
{
    struct loading *loading;
    enum hd_err err;

    if (slice == 0)
        return serial_load(rig.heap, bytes, len, NULL, loaded);
    err = serial_load_open(rig.heap, bytes, len, NULL, &loading);
    if (err != HD_OK)
        return err;
    while (!serial_load_run(loading, slice))
        look_between(loading);
    err = serial_load_result(loading, loaded);
    serial_load_close(loading);
    return err;
}

/* Loads `bytes` within the memory that a load may take; what comes of it is sound, is written again, and goes. */
static enum hd_err try_load(void)
{
    struct serial_loaded loaded;
    struct serial_blob again;
    struct pool_stats stats;
    uint64_t live = rig_live();
    enum hd_err err;

    pool_stats(rig.heap->pool, &stats);
    pool_set_limit(rig.heap->pool, stats.reserved + SERIAL_LOAD_FACTOR * (uint64_t)len + SERIAL_LOAD_ROOM);
    heap_work_start(rig.heap);
    err = load(&loaded);
    pool_set_limit(rig.heap->pool, UINT64_MAX);
    if (err == HD_OK) {
        rig_keep(loaded.root);
        rig_check();
        rig.kept_count--; /* it is still the load's */
        heap_work_start(rig.heap);
        if (serial_dump(rig.heap, loaded.root, UINT64_MAX / 2, &again) == HD_OK)
            serial_blob_free(rig.heap, &again);
        serial_undo(rig.heap, &loaded);
    }
    rig_run();
    ck_assert_uint_eq(rig_live(), live);
    ck_assert_uint_eq(rig.heap->weak_heads.live, 0);
    return err;
}

/* -- memory ------------------------------------------------------------------------------------------------------- */

struct pattern {
    const char *unit;
    size_t unit_len;
    const char *tail;
    size_t tail_len;
    uint32_t per_unit; /* objects */
    bool nests;
};

/* What costs most for its bytes: containers in one another, tables, promises, numbers. */
static const struct pattern patterns[] = {
    {BYTES("\x91"), BYTES("\xc0\x90"), 1, true},
    {BYTES("\x81\x01"), BYTES("\xc0\x90"), 2, true},
    {BYTES("\x92\x80"), BYTES("\xc0\x90"), 2, true},
    {BYTES("\x92\xd4\x04\x09"), BYTES("\x90\x90"), 1, true},
    {BYTES("\x92\xd4\x04\x07"), BYTES("\xc0\x90"), 1, true},
    {BYTES("\x92\xd4\x04\x07\xd4\x03\x00"), BYTES("\x90"), 1, false},
    {BYTES("\x94\xd4\x04\x0a\x92\xd4\x04\x0b\xa0\xa0"), BYTES("\xc0\x90"), 2, true},
    {BYTES("\x94\xd4\x04\x0b\xa0\xa0"), BYTES("\xc0\x90"), 1, true},
    {BYTES("\xdd\x00\x01\x00\x00"), BYTES("\x90"), 1, true},
    {BYTES("\xdf\x00\x01\x00\x00"), BYTES("\x90"), 1, true},
    {BYTES("\xdd\x00\x01\x00\x00\xd4\x04\x09"), BYTES("\x90"), 1, true},
};

START_TEST(a_load_takes_no_more_memory_than_a_multiple_of_its_bytes)
{
    rig_open();
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
        for (size_t size = 100; size <= 1000000; size *= 10) {
            const struct pattern *p = &patterns[i];
            size_t body = repeat(size, p->unit, p->unit_len, p->tail, p->tail_len);
            uint32_t times = (uint32_t)((body - p->tail_len) / p->unit_len);
            enum hd_err err;

            seal(body, times * p->per_unit + 1, p->nests ? times : 1);
            err = try_load();
            ck_assert_msg(err != HD_NO_MEMORY, "pattern %zu of %zu bytes takes more", i, size);
            seal(body, (uint32_t)body, (uint32_t)body); /* the same with the most that a head can claim */
            ck_assert_int_ne(try_load(), HD_NO_MEMORY);
        }
    rig_close();
}
END_TEST

/* A list of `count` containers without content, each a single byte. */
START_TEST(many_small_things_take_no_more_either)
{
    static const char units[] = {'\x90', '\x80', '\x01', '\xa0', '\xc4'};
    uint32_t count = 400000;

    rig_open();
    for (size_t i = 0; i < sizeof units; i++) {
        size_t body = repeat(count + 6, &units[i], 1, "", 0);

        put_array_head(bytes + SERIAL_HEAD, count);
        bytes[SERIAL_HEAD + body - 1] = '\x90';
        seal(body, count + 1, 1 + (units[i] == '\x90' || units[i] == '\x80'));
        ck_assert_int_eq(try_load(), i < 4 ? HD_OK : HD_VALUE);
    }
    rig_close();
}
END_TEST

/* Different keys of two to five bytes: a table of its own for each of three widths of ints. */
START_TEST(a_large_set_takes_no_more_either)
{
    uint32_t count = 300000;
    char *to;

    rig_open();
    make_space(5 * (size_t)count + 20);
    to = put_array_head(bytes + SERIAL_HEAD, count + 1);
    to = put_kind(to, OBJ_SET);
    for (uint32_t i = 0; i < count; i++)
        to = put_int(to, i);
    *to++ = '\x90';
    seal((size_t)(to - bytes) - SERIAL_HEAD, count + 1, 1);
    ck_assert_int_eq(try_load(), HD_OK);
    rig_close();
}
END_TEST

/* -- changes at random -------------------------------------------------------------------------------------------- */

static char *original;
static size_t original_len;

static void read_golden(void)
{
    const char *top = getenv("TOP_SRCDIR");
    char path[4096];
    FILE *file;

    snprintf(path, sizeof path, "%s/tests/fixtures/dump-1.bin", top != NULL ? top : ".");
    file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s", path);
    original = malloc(100000);
    ck_assert_ptr_nonnull(original);
    original_len = fread(original, 1, 100000, file);
    fclose(file);
    make_space(2 * original_len);
}

static unsigned long long state = 0x2545f491;

static size_t random_at(size_t below)
{
    return below == 0 ? 0 : suite_random(&state, (unsigned)below);
}

/* Values that mean something stand in more often than others. */
static char random_byte(void)
{
    static const char choice[] = {'\x90', '\x91', '\x92', '\x81', '\x80', '\xd4', '\xc7', '\xdd', '\xdf',
                                  '\x03', '\x04', '\x07', '\x09', '\x0a', '\x0b', '\x0d', '\x00', '\xff'};

    return suite_random(&state, 2) == 0 ? choice[random_at(sizeof choice)] : (char)suite_random(&state, 256);
}

static void change_body(size_t *body)
{
    char *at = bytes + SERIAL_HEAD + random_at(*body);
    size_t behind = (size_t)(bytes + SERIAL_HEAD + *body - at);
    size_t count = 1 + random_at(8);

    switch (suite_random(&state, 5)) {
    case 0: /* cut */
        *body -= behind < count ? behind : count;
        break;
    case 1: /* take out */
        count = behind < count ? behind : count;
        memmove(at, at + count, behind - count);
        *body -= count;
        break;
    case 2: /* a part again, somewhere else */
        count = behind < count ? behind : count;
        if (*body + count > 2 * original_len)
            return;
        memmove(at + count, at, behind);
        memmove(at, bytes + SERIAL_HEAD + random_at(*body - count + 1), count);
        *body += count;
        break;
    default:
        *at = random_byte();
    }
}

/* One variant of the original: with a head and checksum that fit, or not. */
static void change(void)
{
    size_t body = original_len - SERIAL_HEAD - SERIAL_TAIL;
    uint32_t objects = (uint32_t)serial_fetch(original + 12, 4);
    uint32_t depth = (uint32_t)serial_fetch(original + 16, 4);

    memcpy(bytes, original, original_len);
    len = original_len;
    if (suite_random(&state, 10) == 0) { /* as it comes over a bad line */
        bytes[random_at(len)] ^= (char)(1 + suite_random(&state, 255));
        len -= suite_random(&state, 3) == 0 ? random_at(len) : 0;
        return;
    }
    for (unsigned changes = 1 + suite_random(&state, 3); changes > 0 && body > 0; changes--)
        change_body(&body);
    objects += suite_random(&state, 3) == 0 ? 0 : suite_random(&state, 5) - 2;
    seal(body, objects, depth + suite_random(&state, 4));
}

START_TEST(thousands_of_changed_dumps_are_refused_or_sound)
{
    unsigned loaded = 0;

    rig_open();
    read_golden();
    memcpy(bytes, original, original_len);
    len = original_len;
    ck_assert_int_eq(try_load(), HD_OK);
    for (unsigned i = 0; i < 20000; i++) {
        enum hd_err err;

        change();
        slice = 0;
        err = try_load();
        ck_assert_msg(err == HD_OK || err == HD_VALUE || err == HD_LIMIT, "variant %u: error %d", i, err);
        loaded += err == HD_OK;
        slice = 1 + random_at(40);
        ck_assert_int_eq(try_load(), err);
    }
    printf("# %u of 20000 were dumps all the same\n", loaded);
    ck_assert_uint_gt(loaded, 100);
    slice = 0;
    rig_check();
    rig_close();
    free(original);
}
END_TEST

START_TEST(a_dump_cut_anywhere_is_refused)
{
    rig_open();
    read_golden();
    for (size_t i = 0; i < original_len; i++) {
        memcpy(bytes, original, original_len);
        len = i;
        ck_assert_int_eq(try_load(), HD_VALUE);
    }
    rig_close();
    free(original);
}
END_TEST

/* -- loads in slices ---------------------------------------------------------------------------------------------- */

static void copy_golden(void)
{
    read_golden();
    memcpy(bytes, original, original_len);
    len = original_len;
    heap_work_start(rig.heap);
}

START_TEST(a_load_in_slices_of_any_size_makes_the_same)
{
    static const size_t slices[] = {1, 2, 3, 7, 100, SIZE_MAX};

    rig_open();
    for (size_t i = 0; i < sizeof slices / sizeof slices[0]; i++) {
        struct serial_loaded loaded;
        struct serial_blob again;

        copy_golden();
        slice = slices[i];
        ck_assert_int_eq(load(&loaded), HD_OK);
        heap_work_start(rig.heap);
        ck_assert_int_eq(serial_dump(rig.heap, loaded.root, UINT64_MAX / 2, &again), HD_OK);
        ck_assert_uint_eq(again.len, original_len);
        ck_assert_mem_eq(again.bytes, original, original_len);
        serial_blob_free(rig.heap, &again);
        serial_undo(rig.heap, &loaded);
        rig_run();
        ck_assert_uint_eq(rig_live(), 0);
        free(original);
    }
    slice = 0;
    rig_close();
}
END_TEST

START_TEST(a_load_in_slices_takes_as_much_work_as_one_in_one_go)
{
    struct serial_loaded loaded;
    uint64_t work;

    rig_open();
    copy_golden();
    ck_assert_int_eq(load(&loaded), HD_OK);
    work = rig.heap->work_limit - rig.heap->work_left;
    serial_undo(rig.heap, &loaded);
    slice = 3;
    for (uint64_t limit = work - 1; limit <= work; limit++) {
        rig.heap->work_limit = limit;
        heap_work_start(rig.heap);
        ck_assert_int_eq(load(&loaded), limit < work ? HD_LIMIT : HD_OK);
        if (limit < work)
            ck_assert_ptr_nonnull(strstr(rig.heap->error_text, "limits.work"));
    }
    serial_undo(rig.heap, &loaded);
    slice = 0;
    free(original);
    rig_close();
}
END_TEST

START_TEST(a_load_in_slices_that_runs_out_of_memory_leaves_nothing)
{
    struct serial_loaded loaded;
    enum hd_err err = HD_NO_MEMORY;

    rig_open();
    copy_golden();
    slice = 1;
    for (uint64_t k = 1; err != HD_OK; k++) {
        meter_fail(&rig.meter, k, false);
        heap_work_start(rig.heap);
        err = load(&loaded);
        meter_fail(&rig.meter, 0, false);
        ck_assert(err == HD_OK || err == HD_NO_MEMORY);
        rig_run();
        ck_assert(err == HD_OK || rig_live() == 0);
    }
    serial_undo(rig.heap, &loaded);
    slice = 0;
    free(original);
    rig_close();
}
END_TEST

START_TEST(a_load_that_is_cancelled_leaves_nothing_however_far_it_has_come)
{
    bool is_done = false;

    rig_open();
    copy_golden();
    for (unsigned slices = 0; !is_done; slices++) {
        struct loading *loading;

        heap_work_start(rig.heap);
        ck_assert_int_eq(serial_load_open(rig.heap, bytes, len, NULL, &loading), HD_OK);
        for (unsigned i = 0; i < slices && !is_done; i++)
            is_done = serial_load_run(loading, 1);
        serial_load_cancel(loading);
        rig_run();
        rig_check();
        ck_assert_uint_eq(rig_live(), 0);
    }
    free(original);
    rig_close();
}
END_TEST

/* -- dumps in slices ---------------------------------------------------------------------------------------------- */

static void load_golden(struct serial_loaded *loaded)
{
    read_golden();
    heap_work_start(rig.heap);
    ck_assert_int_eq(serial_load(rig.heap, original, original_len, NULL, loaded), HD_OK);
    rig_keep(obj_ref(loaded->root));
}

static void drop_golden(struct serial_loaded *loaded)
{
    rig_drop(loaded->root);
    serial_undo(rig.heap, loaded);
    rig_run();
    free(original);
}

/* Between two slices others use up their own work, and fail with their own texts. */
static enum hd_err dump_in_slices(struct obj *root, uint64_t limit, size_t budget, struct serial_blob *blob)
{
    struct dump *dump;
    enum hd_err err = serial_dump_open(rig.heap, root, limit, &dump);

    if (err != HD_OK)
        return err;
    while (!serial_dump_run(dump, budget)) {
        rig.heap->work_left = 0;
        heap_set_error(rig.heap, "somebody else's");
    }
    err = serial_dump_result(dump, blob);
    serial_dump_close(dump);
    return err;
}

START_TEST(a_dump_in_slices_of_any_size_is_the_same)
{
    static const size_t budgets[] = {1, 2, 3, 7, 100, SIZE_MAX};
    struct serial_loaded loaded;

    rig_open();
    load_golden(&loaded);
    for (size_t i = 0; i < sizeof budgets / sizeof budgets[0]; i++) {
        struct serial_blob blob;

        heap_work_start(rig.heap);
        ck_assert_int_eq(dump_in_slices(loaded.root, UINT64_MAX / 2, budgets[i], &blob), HD_OK);
        ck_assert_uint_eq(blob.len, original_len);
        ck_assert_mem_eq(blob.bytes, original, original_len);
        serial_blob_free(rig.heap, &blob);
    }
    drop_golden(&loaded);
    rig_close();
}
END_TEST

START_TEST(a_dump_in_slices_that_fails_leaves_nothing_and_tells_why)
{
    struct serial_loaded loaded;
    struct serial_blob blob;
    enum hd_err err = HD_NO_MEMORY;
    uint64_t used;
    uint64_t k;

    rig_open();
    load_golden(&loaded);
    used = *pool_used(rig.heap->pool);
    for (k = 1; err != HD_OK; k++) {
        meter_fail(&rig.meter, k, false);
        heap_work_start(rig.heap);
        err = dump_in_slices(loaded.root, UINT64_MAX / 2, 1, &blob);
        meter_fail(&rig.meter, 0, false);
        if (err == HD_OK)
            serial_blob_free(rig.heap, &blob);
        else
            ck_assert_int_eq(err, HD_NO_MEMORY);
        ck_assert_uint_eq(*pool_used(rig.heap->pool), used);
    }
    heap_work_start(rig.heap);
    ck_assert_int_eq(dump_in_slices(loaded.root, original_len - 1, 1, &blob), HD_LIMIT);
    ck_assert_ptr_nonnull(strstr(rig.heap->error_text, "limits.read"));
    rig.heap->work_left = 10;
    ck_assert_int_eq(dump_in_slices(loaded.root, UINT64_MAX / 2, 1, &blob), HD_LIMIT);
    ck_assert_uint_eq(*pool_used(rig.heap->pool), used);
    drop_golden(&loaded);
    rig_close();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_load_takes_no_more_memory_than_a_multiple_of_its_bytes,
        many_small_things_take_no_more_either,
        a_large_set_takes_no_more_either,
        thousands_of_changed_dumps_are_refused_or_sound,
        a_dump_cut_anywhere_is_refused,
        a_load_in_slices_of_any_size_makes_the_same,
        a_load_in_slices_takes_as_much_work_as_one_in_one_go,
        a_load_in_slices_that_runs_out_of_memory_leaves_nothing,
        a_load_that_is_cancelled_leaves_nothing_however_far_it_has_come,
        a_dump_in_slices_of_any_size_is_the_same,
        a_dump_in_slices_that_fails_leaves_nothing_and_tells_why,
        NULL,
    };
    int status = suite_run("serial", tests);

    free(bytes);
    return status;
}
