/* test_names.c - names: binding, order, any bytes. */
#include "store/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/compare.h"
#include "store/kinds/namespace.h"
#include "tests/rig.h"

static struct names names;

static void open_names(void)
{
    rig_open();
    names_init(&names);
}

static void close_names(void)
{
    size_t all = SIZE_MAX;

    ck_assert(names_drop(rig.heap, &names, &all));
    ck_assert_uint_eq(names_bytes(&names), 0);
    rig_close();
}

static void bind(const char *name, struct obj *value)
{
    struct obj *old;

    ck_assert_int_eq(names_bind(rig.heap, &names, name, strlen(name), value, &old), HD_OK);
    obj_unref(rig.heap, &old);
}

static struct obj *peek(const char *name)
{
    return names_peek(rig.heap, &names, name, strlen(name));
}

static bool is_named(const struct name *name, const char *text)
{
    return name->len == strlen(text) && memcmp(name->bytes, text, name->len) == 0;
}

START_TEST(a_bound_name_holds_one_reference)
{
    struct obj *o;

    open_names();
    o = rig_int(12345);
    bind("a", o);
    bind("b", o);
    ck_assert_uint_eq(o->count, 3);
    ck_assert_ptr_eq(peek("a"), o);
    ck_assert_ptr_eq(names_unbind(rig.heap, &names, "a", 1), o);
    o->count--; /* the reference it gave */
    ck_assert_ptr_null(peek("a"));
    ck_assert_ptr_null(names_unbind(rig.heap, &names, "a", 1));
    ck_assert_uint_eq(o->count, 2);
    close_names();
}
END_TEST

START_TEST(any_bytes_and_none_are_a_name)
{
    struct obj *old;
    struct obj *a;
    struct obj *b;

    open_names();
    a = rig_int(1000);
    b = rig_int(2000);
    ck_assert_int_eq(names_bind(rig.heap, &names, "", 0, a, &old), HD_OK);
    ck_assert_int_eq(names_bind(rig.heap, &names, "x\0y", 3, b, &old), HD_OK);
    ck_assert_int_eq(names_bind(rig.heap, &names, "x", 1, a, &old), HD_OK);
    ck_assert_ptr_eq(names_peek(rig.heap, &names, NULL, 0), a);
    ck_assert_ptr_eq(names_peek(rig.heap, &names, "x\0y", 3), b);
    ck_assert_ptr_null(names_peek(rig.heap, &names, "x\0z", 3));
    close_names();
}
END_TEST

/* SipHash-1-3 as the paper has it, a byte at a time. */
static uint64_t slow_siphash(const uint64_t key[2], const unsigned char *at, size_t len)
{
    uint64_t v[4] = {key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d),
                     key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573)};

    for (size_t i = 0; i < len / 8 + 4; i++) {
        bool is_last = i >= len / 8;
        uint64_t word = i == len / 8 ? (uint64_t)len << 56 : 0;

        for (size_t j = i * 8; j < len && j < i * 8 + 8; j++)
            word |= (uint64_t)at[j] << (8 * (j % 8));
        v[2] ^= is_last && i == len / 8 + 1 ? 0xff : 0;
        v[3] ^= word;
        v[0] += v[1], v[1] = (v[1] << 13 | v[1] >> 51) ^ v[0], v[0] = v[0] << 32 | v[0] >> 32;
        v[2] += v[3], v[3] = (v[3] << 16 | v[3] >> 48) ^ v[2];
        v[0] += v[3], v[3] = (v[3] << 21 | v[3] >> 43) ^ v[0];
        v[2] += v[1], v[1] = (v[1] << 17 | v[1] >> 47) ^ v[2], v[2] = v[2] << 32 | v[2] >> 32;
        v[0] ^= word;
    }
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

START_TEST(bytes_of_every_length_hash_as_siphash_1_3_says)
{
    const uint64_t key[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};

    for (size_t len = 0; len <= 70; len++) {
        unsigned char *bytes = malloc(len + 1);

        ck_assert_ptr_nonnull(bytes);
        for (size_t i = 0; i < len; i++)
            bytes[i + 1] = (unsigned char)(i * 37 + len); /* not aligned, and up to the block's end */
        ck_assert_uint_eq(siphash13(key, bytes + 1, len), slow_siphash(key, bytes + 1, len));
        free(bytes);
    }
}
END_TEST

#define SAMPLE 200000u

static int order_of(const void *a, const void *b)
{
    uint32_t first = *(const uint32_t *)a, second = *(const uint32_t *)b;

    return (first > second) - (first < second);
}

/* Sample number i of a kind of names that a hash by multiplication might confuse; returns its length. */
static size_t similar_name(unsigned kind, uint32_t i, char name[16])
{
    uint64_t words[2] = {0, 0};

    switch (kind) {
    case 0: /* digits at the end */
        return (size_t)snprintf(name, 16, "key:%07u", i);
    case 1: /* few bits, high ones */
        words[0] = (uint64_t)i << 46;
        words[1] = UINT64_MAX;
        break;
    default: /* each with its halves the other way round */
        words[i % 2] = i / 2 * UINT64_C(0x100000001);
        words[1 - i % 2] = i / 2 * UINT64_C(0x10001) + 1;
        break;
    }
    memcpy(name, words, 16);
    return 16;
}

/* Hashes of SAMPLE names that another one of them has too. */
static unsigned collisions_of(unsigned kind)
{
    uint32_t *hashes = malloc(SAMPLE * sizeof *hashes);
    unsigned collisions = 0;

    ck_assert_ptr_nonnull(hashes);
    for (uint32_t i = 0; i < SAMPLE; i++) {
        char name[16] = "";
        size_t len = similar_name(kind, i, name);

        hashes[i] = heap_hash_bytes(rig.heap, name, len);
    }
    qsort(hashes, SAMPLE, sizeof *hashes, order_of);
    for (uint32_t i = 1; i < SAMPLE; i++)
        collisions += hashes[i] == hashes[i - 1];
    free(hashes);
    return collisions;
}

/* By chance 4.7 of 200,000 names collide; more than 40 once in 10^20 runs. */
START_TEST(similar_names_collide_no_more_than_by_chance)
{
    static const uint64_t keys[][2] = {
        {UINT64_C(0x8c7a1f03b5d2e946), UINT64_C(0x1d5e9b7740c3a82f)},
        {UINT64_C(0x2f0b66d1c94e7a35), UINT64_C(0xe1938c5d27f0b46a)},
        {UINT64_C(0x00000000ffffffff), UINT64_C(0xffffffff00000001)},
    };

    open_names();
    for (unsigned k = 0; k < sizeof keys / sizeof keys[0]; k++) {
        memcpy(rig.heap->hash_key, keys[k], sizeof keys[k]);
        for (unsigned kind = 0; kind < 3; kind++)
            ck_assert_uint_le(collisions_of(kind), 40);
    }
    close_names();
}
END_TEST

START_TEST(names_of_every_length_are_told_apart)
{
    struct obj *o, *old;

    open_names();
    o = rig_int(12345);
    for (size_t len = 0; len <= 40; len++) {
        char *bytes = malloc(len + 1);

        ck_assert_ptr_nonnull(bytes);
        memset(bytes + 1, 'x', len);
        ck_assert_int_eq(names_bind(rig.heap, &names, bytes + 1, len, o, &old), HD_OK);
        ck_assert_ptr_null(old);
        for (size_t i = 1; i <= len; i++) {
            bytes[i]++;
            ck_assert_ptr_null(names_peek(rig.heap, &names, bytes + 1, len));
            ck_assert(!name_is(names.table.entries[len].key, bytes + 1, len)); /* whatever its hash */
            bytes[i]--;
        }
        ck_assert_ptr_eq(names_peek(rig.heap, &names, bytes + 1, len), o);
        free(bytes);
    }
    close_names();
}
END_TEST

START_TEST(binding_again_keeps_the_place_and_gives_the_old_object_back)
{
    struct obj *old;
    struct obj *a;
    uint32_t at = 0;
    const struct name *name;
    struct obj *value;

    open_names();
    a = rig_int(1000);
    bind("x", a);
    bind("y", a);
    ck_assert_int_eq(names_bind(rig.heap, &names, "x", 1, rig_int(2000), &old), HD_OK);
    ck_assert_ptr_eq(old, a);
    obj_unref(rig.heap, &old);
    ck_assert(names_next(&names, &at, &name, &value));
    ck_assert(is_named(name, "x"));
    ck_assert(names_next(&names, &at, &name, &value));
    ck_assert(is_named(name, "y"));
    ck_assert(!names_next(&names, &at, &name, &value));
    close_names();
}
END_TEST

START_TEST(many_names_are_found_and_come_in_order_of_binding)
{
    struct obj *o;
    const struct name *name;
    struct obj *value;
    char text[16];
    uint32_t at = 0;

    open_names();
    o = rig_int(1000);
    for (int i = 0; i < 5000; i++) {
        snprintf(text, sizeof text, "n%d", i);
        bind(text, o);
    }
    for (int i = 0; i < 5000; i += 2) {
        struct obj *taken;

        snprintf(text, sizeof text, "n%d", i);
        taken = names_unbind(rig.heap, &names, text, strlen(text));
        obj_unref(rig.heap, &taken);
    }
    ck_assert_int_eq(table_check(&names.table), 0);
    for (int i = 1; i < 5000; i += 2) {
        snprintf(text, sizeof text, "n%d", i);
        ck_assert(names_next(&names, &at, &name, &value));
        ck_assert(is_named(name, text));
        ck_assert_ptr_eq(peek(text), o);
    }
    ck_assert_uint_eq(names_count(&names), 2500);
    close_names();
}
END_TEST

START_TEST(names_are_dropped_in_slices_in_order_of_binding)
{
    open_names();
    bind("c", rig_int(1001));
    bind("a", rig_int(1002));
    bind("b", rig_int(1003));
    for (unsigned left = 3; left > 0; left--) {
        size_t budget = 1;

        ck_assert_uint_eq(names_count(&names), left);
        ck_assert_int_eq(names_drop(rig.heap, &names, &budget), left == 1);
        ck_assert_ptr_null(peek("c"));
        ck_assert_int_eq(peek("a") != NULL, left == 3);
    }
    close_names();
}
END_TEST

START_TEST(without_memory_a_binding_fails_and_changes_nothing)
{
    struct obj *o;
    struct obj *old;
    unsigned refused = 0;

    open_names();
    o = rig_int(1000);
    for (int i = 0; i < 300; i++) {
        char text[16];

        snprintf(text, sizeof text, "name%d", i);
        pool_set_limit(rig.heap->pool, 0);
        if (names_bind(rig.heap, &names, text, strlen(text), o, &old) != HD_OK) {
            refused++;
            ck_assert_ptr_null(peek(text));
            ck_assert_uint_eq(o->count, (uint32_t)i + 1);
            pool_set_limit(rig.heap->pool, UINT64_MAX);
            bind(text, o);
        }
    }
    ck_assert_uint_gt(refused, 0);
    close_names();
}
END_TEST

START_TEST(unbinding_takes_no_memory)
{
    struct obj *taken;

    open_names();
    bind("a", rig_int(1000));
    bind("b", rig_int(1000));
    pool_set_limit(rig.heap->pool, 0);
    meter_fail(&rig.meter, 1, true);
    taken = names_unbind(rig.heap, &names, "a", 1);
    obj_unref(rig.heap, &taken);
    ck_assert_uint_eq(names_count(&names), 1);
    close_names();
}
END_TEST

START_TEST(a_name_of_more_bytes_than_allowed_is_refused)
{
    static char bytes[NAME_MAX_BYTES + 1];
    struct obj *old;

    open_names();
    ck_assert_int_eq(names_bind(rig.heap, &names, bytes, sizeof bytes, rig_int(1000), &old), HD_LIMIT);
    ck_assert_int_eq(names_bind(rig.heap, &names, bytes, sizeof bytes - 1, rig_int(1000), &old), HD_OK);
    ck_assert_uint_eq(names_count(&names), 1);
    close_names();
}
END_TEST

/* -- weak bindings ------------------------------------------------------------------------------------------------- */

static struct obj *space;

static void open_space(void)
{
    rig_open();
    ck_assert_int_eq(space_new(rig.heap, "ns", 2, &space), HD_OK);
    rig_keep(space);
}

/* Takes the names that have expired off the step: how many there were. */
static unsigned forget_expired(void)
{
    unsigned count = 0;

    for (; rig.step.expired != NULL; count++) {
        struct obj *holder = weak_name_forget(rig.heap, &rig.step);

        obj_unref(rig.heap, &holder);
    }
    rig_run();
    return count;
}

static void bind_in_space(const char *name, struct obj *value, bool is_weak)
{
    struct names *in = &space_of(space)->names;
    struct obj *old;
    enum hd_err err = is_weak ? names_bind_weak(rig.heap, in, space, name, strlen(name), value, &old)
                              : names_bind(rig.heap, in, name, strlen(name), value, &old);

    ck_assert_int_eq(err, HD_OK);
    obj_unref(rig.heap, &old);
}

static struct obj *peek_in_space(const char *name)
{
    return names_peek(rig.heap, &space_of(space)->names, name, strlen(name));
}

START_TEST(a_weak_binding_does_not_count_and_expires_with_its_object)
{
    struct obj *o;
    uint64_t id;

    open_space();
    o = rig_int(1000);
    id = o->id;
    bind_in_space("a", o, true);
    ck_assert_uint_eq(o->count, 1);
    ck_assert_uint_eq(weak_count(rig.heap, o), 0); /* it is no weakref */
    ck_assert_ptr_eq(peek_in_space("a"), o);
    rig_check();
    rig_drop(o);
    ck_assert_ptr_null(peek_in_space("a"));
    ck_assert_uint_eq(names_count(&space_of(space)->names), 0);
    rig_check();
    ck_assert_uint_eq(rig.step.expired->id, id);
    ck_assert(is_named(rig.step.expired->name, "a"));
    ck_assert_ptr_eq(rig.step.expired->holder, space);
    ck_assert_uint_eq(forget_expired(), 1);
    rig_close();
}
END_TEST

START_TEST(a_name_is_bound_weakly_strongly_and_weakly_again_in_its_place)
{
    struct obj *o, *value;
    const struct name *name;
    uint32_t at = 0;

    open_space();
    o = rig_int(1000);
    bind_in_space("a", o, true);
    bind_in_space("b", o, false);
    bind_in_space("a", o, false);
    ck_assert_uint_eq(o->count, 3);
    bind_in_space("a", rig_int(2000), true);
    bind_in_space("a", o, true);
    ck_assert_uint_eq(o->count, 2);
    ck_assert(names_next(&space_of(space)->names, &at, &name, &value));
    ck_assert(is_named(name, "a"));
    ck_assert_ptr_null(value);
    rig_check();
    ck_assert_ptr_null(names_unbind(rig.heap, &space_of(space)->names, "a", 1));
    ck_assert_uint_eq(names_count(&space_of(space)->names), 1);
    ck_assert_uint_eq(o->flags & OBJ_HAS_WEAK, 0);
    rig_close();
}
END_TEST

START_TEST(names_of_one_object_all_expire_and_no_memory_is_taken)
{
    char name[8];
    struct obj *o;
    uint64_t allocations;

    open_space();
    o = rig_int(1000);
    for (unsigned i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "n%u", i);
        bind_in_space(name, o, true);
    }
    allocations = rig.meter.allocations;
    rig_drop(o);
    ck_assert_uint_eq(rig.meter.allocations, allocations);
    ck_assert_uint_eq(forget_expired(), 100);
    rig_close();
}
END_TEST

START_TEST(a_namespace_that_dies_leaves_no_links_and_its_names_do_not_expire)
{
    struct obj *o, *inside;

    open_space();
    o = rig_int(1000);
    inside = rig_int(2000);
    bind_in_space("strong", inside, false);
    bind_in_space("weak", inside, true);
    bind_in_space("other", o, true);
    rig_drop(inside);
    rig_drop(space);
    while (!step_run(rig.heap, &rig.step, 1))
        rig_check();
    ck_assert_ptr_null(rig.step.expired);
    ck_assert_uint_eq(o->flags & OBJ_HAS_WEAK, 0);
    rig_close();
}
END_TEST

START_TEST(a_namespace_outlives_its_names_that_are_still_to_be_told)
{
    struct obj *o;

    open_space();
    o = rig_int(1000);
    bind_in_space("a", o, true);
    rig_drop(o);
    rig_drop(space);
    rig_run();
    ck_assert_uint_eq(rig_live(), 1);
    ck_assert_uint_eq(forget_expired(), 1);
    ck_assert_uint_eq(rig_live(), 0);
    rig_close();
}
END_TEST

START_TEST(a_weak_binding_of_an_immortal_is_refused)
{
    struct obj *old;

    open_space();
    ck_assert_int_eq(names_bind_weak(rig.heap, &space_of(space)->names, space, "a", 1, rig.heap->nil, &old), HD_TYPE);
    ck_assert_uint_eq(names_count(&space_of(space)->names), 0);
    rig_close();
}
END_TEST

START_TEST(without_memory_a_weak_binding_fails_and_changes_nothing)
{
    struct obj *o, *other, *old;
    enum hd_err err = HD_NO_MEMORY;

    open_space();
    o = rig_int(1000);
    other = rig_int(2000);
    bind_in_space("b", other, false);
    for (unsigned bound = 0; bound < 2; bound++)
        for (uint64_t k = 1;; k++) {
            meter_fail(&rig.meter, k, true);
            err = names_bind_weak(rig.heap, &space_of(space)->names, space, bound ? "b" : "a", 1, o, &old);
            meter_fail(&rig.meter, 0, false);
            if (err == HD_OK)
                break;
            ck_assert_int_eq(err, HD_NO_MEMORY);
            ck_assert_ptr_eq(peek_in_space("b"), other);
            ck_assert_uint_eq(names_count(&space_of(space)->names), bound + 1);
            rig_check();
        }
    ck_assert_ptr_eq(old, other);
    obj_unref(rig.heap, &old);
    rig_check();
    rig_drop(o);
    ck_assert_uint_eq(forget_expired(), 2);
    rig_close();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_bound_name_holds_one_reference,
        any_bytes_and_none_are_a_name,
        bytes_of_every_length_hash_as_siphash_1_3_says,
        similar_names_collide_no_more_than_by_chance,
        names_of_every_length_are_told_apart,
        binding_again_keeps_the_place_and_gives_the_old_object_back,
        many_names_are_found_and_come_in_order_of_binding,
        names_are_dropped_in_slices_in_order_of_binding,
        without_memory_a_binding_fails_and_changes_nothing,
        unbinding_takes_no_memory,
        a_name_of_more_bytes_than_allowed_is_refused,
        a_weak_binding_does_not_count_and_expires_with_its_object,
        a_name_is_bound_weakly_strongly_and_weakly_again_in_its_place,
        names_of_one_object_all_expire_and_no_memory_is_taken,
        a_namespace_that_dies_leaves_no_links_and_its_names_do_not_expire,
        a_namespace_outlives_its_names_that_are_still_to_be_told,
        a_weak_binding_of_an_immortal_is_refused,
        without_memory_a_weak_binding_fails_and_changes_nothing,
        NULL,
    };

    return suite_run("names", tests);
}
