/* test_names.c - names: binding, order, any bytes. */
#include "store/names.h"

#include <stdio.h>
#include <string.h>

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
    ck_assert(name_is(name, "x", 1));
    ck_assert(names_next(&names, &at, &name, &value));
    ck_assert(name_is(name, "y", 1));
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
        ck_assert(name_is(name, text, strlen(text)));
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

int main(void)
{
    const TTest *const tests[] = {
        a_bound_name_holds_one_reference,
        any_bytes_and_none_are_a_name,
        binding_again_keeps_the_place_and_gives_the_old_object_back,
        many_names_are_found_and_come_in_order_of_binding,
        names_are_dropped_in_slices_in_order_of_binding,
        without_memory_a_binding_fails_and_changes_nothing,
        unbinding_takes_no_memory,
        a_name_of_more_bytes_than_allowed_is_refused,
        NULL,
    };

    return suite_run("names", tests);
}
