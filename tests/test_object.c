/* test_object.c - what each type costs, classes that share their layout with instances, attributes. */
#include "store/kinds/object.h"

#include <stdio.h>
#include <string.h>

#include "store/attr.h"
#include "store/kinds/atoms.h"
#include "store/kinds/dict.h"
#include "store/kinds/sequence.h"
#include "store/weak.h"
#include "tests/rig.h"

static uint64_t used(void)
{
    struct pool_stats stats;

    pool_stats(rig.heap->pool, &stats);
    return stats.used;
}

static struct obj *new_class(const char *name)
{
    struct obj *class;

    ck_assert_int_eq(class_new(rig.heap, name, strlen(name), &class), HD_OK);
    return rig_keep(class);
}

static struct obj *new_instance(struct obj *class)
{
    struct obj *o;

    ck_assert_int_eq(object_new(rig.heap, class, &o), HD_OK);
    return rig_keep(o);
}

static void set(struct obj *o, const char *name, struct obj *value)
{
    ck_assert_int_eq(object_set(rig.heap, o, name, strlen(name), value), HD_OK);
}

static struct obj *peek(struct obj *o, const char *name)
{
    return object_peek(rig.heap, o, name, strlen(name));
}

/* -- what types cost ---------------------------------------------------------------------------------------------- */

START_TEST(a_float_and_an_int_of_64_bits_take_24_bytes)
{
    uint64_t before;
    struct obj *o;

    rig_open();
    before = used();
    rig_int(INT64_MAX);
    ck_assert_uint_eq(used() - before, 24);
    ck_assert_int_eq(float_new(rig.heap, 1.5, &o), HD_OK);
    rig_keep(o);
    ck_assert_uint_eq(used() - before, 48);
    ck_assert_uint_eq(kind_of(o)->bytes(o), 24);
    rig_close();
}
END_TEST

/* Around the ends of what fits in a header, and of what is shared. */
static const struct {
    int64_t value;
    unsigned bytes;
} ints[] = {{-6, 16}, {257, 16}, {65535, 16}, {65536, 16}, {-65536, 16}, {-65537, 16},
            {INT_SHORT_MAX, 16}, {INT_SHORT_MAX + 1, 24}, {INT_SHORT_MIN, 16}, {INT_SHORT_MIN - 1, 24},
            {INT64_MAX, 24}, {INT64_MIN, 24}};

START_TEST(an_int_of_27_bits_takes_16_bytes_and_keeps_its_value_and_its_id)
{
    rig_open();
    for (size_t i = 0; i < sizeof ints / sizeof ints[0]; i++) {
        uint64_t before = used();
        uint64_t id = rig.heap->next_id;
        struct obj *o = rig_int(ints[i].value);

        ck_assert_int_eq(int_value(o), ints[i].value);
        ck_assert_uint_eq(o->id, id);
        ck_assert_uint_eq(used() - before, ints[i].bytes);
        ck_assert_uint_eq(kind_of(o)->bytes(o), ints[i].bytes);
    }
    rig_close();
}
END_TEST

START_TEST(nil_booleans_small_ints_and_empty_values_take_nothing)
{
    uint64_t before;

    rig_open();
    before = used();
    for (int i = HEAP_SMALL_INT_MIN; i <= HEAP_SMALL_INT_MAX; i++) {
        rig_int(i);
        rig_drop(rig.kept[0]);
    }
    rig_str("");
    rig_keep(obj_ref(rig.heap->nil));
    rig_keep(obj_ref(rig.heap->yes));
    rig_keep(obj_ref(rig.heap->empty_tuple));
    rig_keep(obj_ref(rig.heap->empty_bytes));
    ck_assert_uint_eq(used(), before);
    rig_close();
}
END_TEST

START_TEST(an_empty_list_takes_at_most_56_bytes_and_a_slot_8)
{
    uint64_t before;
    struct obj *list;
    struct obj *nils[1000];

    rig_open();
    before = used();
    ck_assert_int_eq(list_new(rig.heap, 0, &list), HD_OK);
    rig_keep(list);
    ck_assert_uint_le(used() - before, 56);
    for (unsigned i = 0; i < 1000; i++)
        nils[i] = rig.heap->nil;
    before = used();
    rig_list(1000, nils);
    ck_assert_uint_le(used() - before, 56 + 8 * 1000);
    rig_close();
}
END_TEST

START_TEST(an_appended_list_takes_at_most_9_bytes_a_slot)
{
    uint64_t before;
    struct obj *list;

    rig_open();
    before = used();
    ck_assert_int_eq(list_new(rig.heap, 0, &list), HD_OK);
    rig_keep(list);
    for (uint64_t i = 1; i <= 100000; i++) {
        struct obj *nil = rig.heap->nil;

        if (list_reserve(rig.heap, list, 1) != HD_OK)
            ck_abort();
        list_push_take(list, &nil);
        if (i > 1000 && used() - before > 56 + 9 * (i + 8))
            ck_abort_msg("%llu elements take %llu bytes", (unsigned long long)i, (unsigned long long)(used() - before));
    }
    rig_close();
}
END_TEST

START_TEST(what_sizeof_tells_is_what_was_allocated)
{
    struct obj *class;
    struct obj *made[8];
    uint64_t before;
    uint64_t told = 0;

    rig_open();
    class = new_class("Point");
    before = used();
    made[0] = rig_str("a str of some length, longer than the smallest block");
    made[1] = RIG_LIST(rig.heap->nil, rig.heap->nil, rig.heap->nil);
    ck_assert_int_eq(tuple_new(rig.heap, list_of(made[1])->items, 3, &made[2]), HD_OK);
    rig_keep(made[2]);
    ck_assert_int_eq(dict_new(rig.heap, OBJ_DICT, 0, &made[3]), HD_OK);
    rig_keep(made[3]);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(dict_set(rig.heap, made[3], rig.heap->small_ints[i], rig.heap->nil), HD_OK);
    ck_assert_int_eq(dict_new(rig.heap, OBJ_SET, 0, &made[4]), HD_OK);
    rig_keep(made[4]);
    made[5] = new_instance(rig_keep(obj_ref(class)));
    made[6] = new_class("A class with a name of its own");
    ck_assert_int_eq(weak_new(rig.heap, OBJ_WEAKREF, made[1], NULL, &made[7]), HD_OK);
    rig_keep(made[7]);
    for (unsigned i = 0; i < 8; i++)
        told += kind_of(made[i])->bytes(made[i]);
    weak_retire(rig.heap, made[7]); /* where the list began is no part of it */
    ck_assert_uint_eq(told, used() - before);
    rig_close();
}
END_TEST

/* -- shared layouts ----------------------------------------------------------------------------------------------- */

static const char *const attributes[] = {"alpha", "beta", "gamma", "delta"};

static void set_all(struct obj *o)
{
    for (unsigned i = 0; i < 4; i++)
        set(o, attributes[i], rig.heap->nil);
}

START_TEST(instances_of_a_class_share_their_attribute_names)
{
    struct obj *class;
    uint64_t before;

    rig_open();
    class = new_class("Point");
    set_all(new_instance(class));
    before = used();
    for (unsigned i = 0; i < 10; i++)
        set_all(new_instance(class));
    /* 16 of header, class, values, and a slot each: no names */
    ck_assert_uint_le((used() - before) / 10, 32 + 4 * 8);
    rig_close();
}
END_TEST

START_TEST(an_instance_that_goes_its_own_way_keeps_its_order)
{
    struct obj *class;
    struct obj *o;
    uint64_t cursor = 0;
    const char *name;
    size_t len;
    struct obj *value;

    rig_open();
    class = new_class("Point");
    set_all(new_instance(class));
    o = new_instance(class);
    for (unsigned i = 4; i > 0; i--)
        set(o, attributes[i - 1], rig.heap->small_ints[i]);
    ck_assert((o->flags & OBJ_OWN_NAMES) != 0);
    for (unsigned i = 4; i > 0; i--) {
        ck_assert(object_next(o, &cursor, &name, &len, &value));
        ck_assert_uint_eq(len, strlen(attributes[i - 1]));
        ck_assert_mem_eq(name, attributes[i - 1], len);
        ck_assert_ptr_eq(value, rig.heap->small_ints[i]);
    }
    ck_assert(!object_next(o, &cursor, &name, &len, &value));
    rig_close();
}
END_TEST

START_TEST(a_removed_attribute_set_again_comes_last)
{
    struct obj *o;
    struct obj *taken;
    uint64_t cursor = 0;
    const char *name;
    size_t len;
    struct obj *value;

    rig_open();
    o = new_instance(new_class("Point"));
    set_all(o);
    taken = object_remove(rig.heap, o, "alpha", 5);
    obj_unref(rig.heap, &taken);
    ck_assert_uint_eq(object_length(o), 3);
    set(o, "alpha", rig.heap->yes);
    ck_assert_uint_eq(object_length(o), 4);
    for (unsigned i = 0; i < 4; i++)
        ck_assert(object_next(o, &cursor, &name, &len, &value));
    ck_assert_mem_eq(name, "alpha", 5);
    rig_close();
}
END_TEST

START_TEST(more_attributes_than_a_layout_holds_are_all_found)
{
    struct obj *o;
    char text[16];

    rig_open();
    o = new_instance(new_class("Wide"));
    for (int i = 0; i < 200; i++) {
        snprintf(text, sizeof text, "a%d", i);
        set(o, text, rig.heap->small_ints[i]);
        rig_check();
    }
    for (int i = 0; i < 200; i++) {
        snprintf(text, sizeof text, "a%d", i);
        ck_assert_ptr_eq(peek(o, text), rig.heap->small_ints[i]);
    }
    ck_assert_uint_eq(object_length(o), 200);
    rig_close();
}
END_TEST

/* A naive object: pairs in order. */
START_TEST(random_attributes_agree_with_a_naive_object)
{
    for (unsigned long long seed = 1; seed <= 30; seed++) {
        unsigned long long state = seed;
        unsigned names[40] = {0};
        unsigned values[40] = {0};
        unsigned count = 0;
        struct obj *class;
        struct obj *o;

        rig_open();
        class = new_class("C");
        set_all(new_instance(class));
        o = new_instance(class);
        for (unsigned round = 0; round < 300; round++) {
            unsigned name = suite_random(&state, 36);
            unsigned value = suite_random(&state, 250);
            unsigned at = 0;
            char text[16];

            snprintf(text, sizeof text, "a%u", name);
            while (at < count && names[at] != name)
                at++;
            if (suite_random(&state, 3) > 0) {
                set(o, text, rig.heap->small_ints[value]);
                names[at] = name;
                values[at] = value;
                count += at == count;
            } else {
                struct obj *taken = object_remove(rig.heap, o, text, strlen(text));

                ck_assert_int_eq(taken != NULL, at < count);
                if (at == count)
                    continue;
                ck_assert_ptr_eq(taken, rig.heap->small_ints[values[at]]);
                count--;
                memmove(&names[at], &names[at + 1], (count - at) * sizeof names[0]);
                memmove(&values[at], &values[at + 1], (count - at) * sizeof values[0]);
            }
        }
        {
            uint64_t cursor = 0;
            struct obj *value;
            const char *name;
            size_t len;
            char text[16];

            for (unsigned i = 0; i < count; i++) {
                ck_assert(object_next(o, &cursor, &name, &len, &value));
                snprintf(text, sizeof text, "a%u", names[i]);
                ck_assert_uint_eq(len, strlen(text));
                ck_assert_mem_eq(name, text, len);
                ck_assert_ptr_eq(value, rig.heap->small_ints[values[i]]);
            }
            ck_assert(!object_next(o, &cursor, &name, &len, &value));
        }
        rig_close();
    }
}
END_TEST

START_TEST(an_instance_holds_its_class_and_drops_it_last)
{
    struct obj *class;
    struct obj *o;

    rig_open();
    class = new_class("C");
    o = new_instance(class);
    ck_assert_uint_eq(class->count, 2);
    rig_drop(class);
    rig_run();
    ck_assert_uint_eq(rig.heap->live[OBJ_CLASS], 1);
    rig_drop(o);
    rig_run();
    ck_assert_uint_eq(rig.heap->live[OBJ_CLASS], 0);
    rig_close();
}
END_TEST

/* -- attributes of anything --------------------------------------------------------------------------------------- */

START_TEST(a_bound_method_of_a_proxy_leads_to_the_target_itself)
{
    struct obj *list;
    struct obj *proxy;
    struct obj *method;
    struct obj *self;

    rig_open();
    list = RIG_LIST(rig.heap->nil);
    ck_assert_int_eq(weak_new(rig.heap, OBJ_PROXY, list, NULL, &proxy), HD_OK);
    rig_keep(proxy);
    ck_assert_int_eq(obj_getattr(rig.heap, proxy, "append", 6, &method), HD_OK);
    rig_keep(method);
    ck_assert_int_eq(method->type, OBJ_METHOD);
    ck_assert_int_eq(obj_getattr(rig.heap, method, "__self__", 8, &self), HD_OK);
    ck_assert_ptr_eq(rig_keep(self), list);
    rig_check();
    rig_close();
}
END_TEST

/* A name is bytes: one with a zero in it is not what stands before the zero. */
START_TEST(a_method_is_found_by_all_bytes_of_its_name)
{
    rig_open();
    ck_assert_ptr_nonnull(kind_find_method(rig.heap, OBJ_LIST, "pop", 3));
    ck_assert_ptr_null(kind_find_method(rig.heap, OBJ_LIST, "pop\0\0\0\0\0\0\0\0", 11));
    ck_assert_ptr_null(kind_find_method(rig.heap, OBJ_LIST, "po", 2));
    ck_assert_ptr_null(kind_find_method(rig.heap, OBJ_LIST, "", 0));
    rig_close();
}
END_TEST

START_TEST(what_has_no_attributes_takes_none)
{
    struct obj *list;
    struct obj *o;

    rig_open();
    list = RIG_LIST(rig.heap->nil);
    ck_assert_int_eq(obj_setattr(rig.heap, list, "x", 1, rig.heap->nil), HD_TYPE);
    ck_assert_int_eq(obj_getattr(rig.heap, list, "x", 1, &o), HD_NO_ATTR);
    ck_assert_int_eq(obj_delattr(rig.heap, list, "x", 1), HD_TYPE);
    o = new_instance(new_class("C"));
    ck_assert_int_eq(obj_setattr(rig.heap, o, "x", 1, rig.heap->yes), HD_OK);
    ck_assert_int_eq(obj_setattr(rig.heap, o, "__class__", 9, rig.heap->yes), HD_NO_ATTR);
    ck_assert_int_eq(obj_delattr(rig.heap, o, "__dict__", 8), HD_NO_ATTR);
    ck_assert_int_eq(obj_delattr(rig.heap, o, "x", 1), HD_OK);
    ck_assert_uint_eq(object_length(o), 0);
    rig_close();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_float_and_an_int_of_64_bits_take_24_bytes,
        an_int_of_27_bits_takes_16_bytes_and_keeps_its_value_and_its_id,
        nil_booleans_small_ints_and_empty_values_take_nothing,
        an_empty_list_takes_at_most_56_bytes_and_a_slot_8,
        an_appended_list_takes_at_most_9_bytes_a_slot,
        what_sizeof_tells_is_what_was_allocated,
        instances_of_a_class_share_their_attribute_names,
        an_instance_that_goes_its_own_way_keeps_its_order,
        a_removed_attribute_set_again_comes_last,
        more_attributes_than_a_layout_holds_are_all_found,
        random_attributes_agree_with_a_naive_object,
        an_instance_holds_its_class_and_drops_it_last,
        a_bound_method_of_a_proxy_leads_to_the_target_itself,
        a_method_is_found_by_all_bytes_of_its_name,
        what_has_no_attributes_takes_none,
        NULL,
    };

    return suite_run("object", tests);
}
