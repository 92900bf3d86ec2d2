/* test_step.c - dying: counts, queues, slices, depth. */
#include "store/step.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "store/kind.h"
#include "store/kinds/atoms.h"
#include "store/kinds/dict.h"
#include "store/kinds/object.h"
#include "store/kinds/sequence.h"
#include "tests/rig.h"

START_TEST(an_object_lives_exactly_as_long_as_it_is_referred_to)
{
    struct obj *number;
    struct obj *list;

    rig_open();
    number = rig_int(12345);
    ck_assert_uint_eq(number->count, 1);
    list = RIG_LIST(number, number);
    ck_assert_uint_eq(number->count, 3);
    rig_drop(number);
    ck_assert_uint_eq(number->count, 2);
    rig_check();
    rig_drop(list);
    ck_assert_uint_eq(rig_live(), 2); /* queued */
    rig_run();
    ck_assert_uint_eq(rig_live(), 0);
    rig_close();
}
END_TEST

START_TEST(immortal_objects_are_not_counted)
{
    rig_open();
    for (int64_t value = HEAP_SMALL_INT_MIN; value <= HEAP_SMALL_INT_MAX; value++)
        ck_assert(obj_is_immortal(rig_int(value)) && (rig_drop(rig.kept[0]), true));
    ck_assert(!obj_is_immortal(rig_int(HEAP_SMALL_INT_MIN - 1)));
    ck_assert(!obj_is_immortal(rig_int(HEAP_SMALL_INT_MAX + 1)));
    ck_assert(obj_is_immortal(rig_str("")));
    ck_assert_ptr_eq(rig_int(100), rig_int(100));
    ck_assert_ptr_ne(rig_int(1000), rig_int(1000));
    rig_close();
}
END_TEST

/* A list in a list in a list ..., built from the inside. */
static struct obj *nest(unsigned levels)
{
    struct obj *list = NULL;

    for (unsigned i = 0; i < levels; i++) {
        struct obj *outer;

        if (list_new(rig.heap, 1, &outer) != HD_OK)
            abort();
        if (list != NULL)
            list_push_take(outer, &list);
        list = outer;
    }
    return list;
}

static void *drop_nested(void *arg)
{
    struct obj *list = arg;

    obj_unref(rig.heap, &list);
    rig_run();
    return NULL;
}

/* The twin of the pool pays malloc and, under ASan, red zones for each object: fewer of them. */
#ifdef HD_POOL_MALLOC
#define DEEP 1000000u
#else
#define DEEP 10000000u
#endif

START_TEST(a_list_nested_ten_million_deep_dies_on_a_stack_of_256_kilobytes)
{
    pthread_attr_t small;
    pthread_t thread;
    struct pool_stats stats;
    struct obj *list;

    rig_open();
    list = nest(DEEP);
    ck_assert_uint_eq(rig.heap->live[OBJ_LIST], DEEP);
    pthread_attr_init(&small);
    ck_assert_int_eq(pthread_attr_setstacksize(&small, 256 * 1024), 0);
    ck_assert_int_eq(pthread_create(&thread, &small, drop_nested, list), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&small);
    ck_assert_uint_eq(rig_live(), 0);
    pool_trim(rig.heap->pool, UINT64_MAX);
    pool_stats(rig.heap->pool, &stats);
    ck_assert_uint_le(stats.arenas, 3); /* what it took is the system's again */
    rig_close();
}
END_TEST

START_TEST(a_slice_of_one_drops_at_most_one_reference)
{
    struct obj *list;

    rig_open();
    list = RIG_LIST(rig_int(1000), rig_int(1001), rig_int(1002), rig_int(1003));
    while (rig.kept_count > 1)
        rig_drop(rig.kept[0]);
    ck_assert_uint_eq(rig.heap->live[OBJ_INT], 4);
    rig_drop(list);
    for (unsigned slices = 0; !step_run(rig.heap, &rig.step, 1); slices++) {
        ck_assert_uint_le(rig.heap->died, slices + 1);
        ck_assert_uint_le(slices, 20);
        rig_check();
    }
    rig_close();
}
END_TEST

START_TEST(the_work_of_a_slice_is_bounded_by_its_budget)
{
    rig_open();
    for (unsigned i = 0; i < 50; i++) {
        struct obj *inner[50];

        for (unsigned n = 0; n < 50; n++)
            inner[n] = rig.heap->nil;
        rig_list(50, inner);
    }
    rig_list(50, rig.kept);
    while (rig.kept_count > 0)
        rig_drop(rig.kept[rig.kept_count - 1]);
    for (uint64_t before = 0; !step_run(rig.heap, &rig.step, 100); before = rig.heap->died)
        ck_assert_uint_le(rig.heap->died - before, 100);
    rig_close();
}
END_TEST

START_TEST(a_container_dies_before_its_content_and_content_first_to_last)
{
    struct obj *list;
    struct obj *first;
    struct obj *second;
    uint64_t died;

    rig_open();
    first = RIG_LIST(rig.heap->nil);
    second = RIG_LIST(rig.heap->nil);
    list = RIG_LIST(first, second);
    rig_drop(first);
    rig_drop(second);
    rig_drop(list);
    ck_assert_uint_eq(step_item(&rig.step, 0), (uintptr_t)list);
    do { /* until the outer list is freed */
        died = rig.heap->died;
        step_run(rig.heap, &rig.step, 1);
    } while (died == rig.heap->died);
    ck_assert_uint_eq(step_item(&rig.step, 0), (uintptr_t)first);
    ck_assert_uint_eq(step_item(&rig.step, 1), (uintptr_t)second);
    ck_assert_uint_eq(step_item(&rig.step, 2), 0);
    rig_close();
}
END_TEST

START_TEST(many_die_in_the_order_in_which_they_were_dropped)
{
    enum { MANY = 3 * STEP_LANES + 1 };
    struct obj *lists[MANY];

    rig_open();
    for (unsigned i = 0; i < MANY; i++)
        lists[i] = RIG_LIST(rig.heap->nil);
    for (unsigned i = 0; i < MANY; i++)
        rig_drop(lists[i]);
    for (unsigned i = 0; i < MANY; i++) {
        uint64_t died = rig.heap->died;

        ck_assert_uint_eq(step_item(&rig.step, 0), (uintptr_t)lists[i]);
        while (rig.heap->died == died)
            step_run(rig.heap, &rig.step, 1);
    }
    ck_assert(step_is_empty(&rig.step));
    rig_close();
}
END_TEST

START_TEST(a_number_that_nobody_watches_is_freed_as_it_is_dropped)
{
    struct obj *number;
    struct obj *watched;
    struct obj *weak;

    rig_open();
    ck_assert_int_eq(int_new(rig.heap, 1000, &number), HD_OK);
    watched = rig_int(1001);
    ck_assert_int_eq(weak_new(rig.heap, OBJ_WEAKREF, watched, NULL, &weak), HD_OK);
    rig_keep(weak);
    obj_unref(rig.heap, &number);
    ck_assert(step_is_empty(&rig.step));
    ck_assert_uint_eq(rig.heap->died, 1);
    ck_assert_uint_eq(rig.step.doomed, 1);
    rig_drop(watched);
    ck_assert_ptr_null(weak_target_peek(rig.heap, weak));
    ck_assert_uint_eq(step_item(&rig.step, 0), (uintptr_t)watched); /* told, and in its turn */
    rig_check();
    rig_run();
    ck_assert_uint_eq(rig.heap->died, 2);
    rig_close();
}
END_TEST

START_TEST(an_object_belongs_to_the_step_that_took_its_count_to_zero)
{
    struct step other;
    struct obj *o;

    rig_open();
    step_init(&other, WEAK_SESSION);
    o = RIG_LIST(rig.heap->nil);
    rig.heap->step = &other;
    rig_drop(o);
    rig.heap->step = &rig.step;
    ck_assert(step_is_empty(&rig.step));
    ck_assert(!step_is_empty(&other));
    ck_assert(step_run(rig.heap, &other, 100));
    ck_assert_ptr_eq(rig.heap->step, &rig.step);
    rig_close();
}
END_TEST

START_TEST(two_large_deaths_take_turns)
{
    struct step other;
    struct obj *a;
    struct obj *b;
    bool a_is_done = false;
    bool b_is_done = false;
    uint64_t died_of_a = 0;

    rig_open();
    step_init(&other, WEAK_COUNT);
    a = nest(1000);
    b = nest(1000);
    obj_unref(rig.heap, &a);
    rig.heap->step = &other;
    obj_unref(rig.heap, &b);
    rig.heap->step = &rig.step;
    while (!a_is_done || !b_is_done) {
        died_of_a -= rig.heap->died;
        a_is_done = step_run(rig.heap, &rig.step, 7);
        died_of_a += rig.heap->died;
        b_is_done = step_run(rig.heap, &other, 7);
        ck_assert_uint_le(died_of_a, rig.heap->died - died_of_a + 7);
        ck_assert_uint_le(rig.heap->died - died_of_a, died_of_a + 7);
    }
    rig_close();
}
END_TEST

START_TEST(what_a_dying_container_has_not_dropped_may_still_be_kept)
{
    struct obj *inner;
    struct obj *list;

    rig_open();
    inner = RIG_LIST(rig.heap->yes);
    list = RIG_LIST(rig.heap->nil, inner);
    rig_drop(inner);
    rig_drop(list);
    ck_assert_uint_eq(inner->count, 1);
    rig_keep(obj_ref(inner)); /* another session takes it in time */
    rig_run();
    ck_assert_uint_eq(inner->count, 1);
    ck_assert_ptr_eq(list_of(inner)->items[0], rig.heap->yes);
    rig_check();
    rig_close();
}
END_TEST

/* -- clearing ----------------------------------------------------------------------------------------------------- */

START_TEST(a_cleared_list_is_empty_at_once_and_its_content_dies_in_slices)
{
    struct obj *list;

    rig_open();
    ck_assert_int_eq(list_new(rig.heap, 1000, &list), HD_OK);
    rig_keep(list);
    for (int i = 0; i < 1000; i++) {
        struct obj *item;

        ck_assert_int_eq(int_new(rig.heap, 1000 + i, &item), HD_OK);
        list_push_take(list, &item);
    }
    list_clear(rig.heap, list);
    ck_assert_uint_eq(list_of(list)->len, 0);
    ck_assert_uint_gt(rig.heap->live[OBJ_INT], 900);
    rig_check();
    RIG_LIST(list); /* the list itself goes on */
    for (unsigned slices = 0; slices < 99; slices++) { /* of 1000 references the first were dropped at once */
        uint64_t before = rig_live();

        ck_assert(!step_run(rig.heap, &rig.step, 10));
        ck_assert_uint_le(before - rig_live(), 10);
        rig_check();
    }
    rig_run();
    ck_assert_uint_eq(rig.heap->live[OBJ_INT], 0);
    rig_close();
}
END_TEST

/* References that are gone from 1000 objects, each held once more. */
static unsigned dropped_of(struct obj *const *items)
{
    unsigned dropped = 0;

    for (unsigned i = 0; i < 1000; i++)
        dropped += items[i]->count == 1;
    return dropped;
}

START_TEST(a_slice_drops_no_more_references_of_a_cleared_list_than_its_budget)
{
    static struct obj *items[1000];
    struct obj *list;
    unsigned dropped;

    rig_open();
    ck_assert_int_eq(list_new(rig.heap, 1000, &list), HD_OK);
    rig_keep(list);
    for (int i = 0; i < 1000; i++) {
        struct obj *item;

        ck_assert_int_eq(int_new(rig.heap, 1000 + i, &item), HD_OK);
        items[i] = obj_ref(item);
        list_push_take(list, &item);
    }
    list_clear(rig.heap, list);
    dropped = dropped_of(items);
    ck_assert_uint_lt(dropped, 10);
    while (!step_run(rig.heap, &rig.step, 10)) {
        ck_assert_uint_le(dropped_of(items) - dropped, 10);
        dropped = dropped_of(items);
    }
    ck_assert_uint_ge(dropped, 980);
    for (unsigned i = 0; i < 1000; i++)
        obj_unref(rig.heap, &items[i]);
    rig_run();
    rig_close();
}
END_TEST

START_TEST(a_cleared_dict_is_empty_at_once_and_its_content_dies_in_slices)
{
    struct obj *dict;

    rig_open();
    ck_assert_int_eq(dict_new(rig.heap, OBJ_DICT, 0, &dict), HD_OK);
    rig_keep(dict);
    for (int i = 0; i < 500; i++) {
        struct obj *key = rig_int(1000 + i);
        struct obj *value = rig_int(5000 + i);

        ck_assert_int_eq(dict_set(rig.heap, dict, key, value), HD_OK);
        rig_drop(value);
        rig_drop(key);
    }
    dict_clear(rig.heap, dict);
    ck_assert_uint_eq(dict_of(dict)->table.live, 0);
    ck_assert_uint_gt(rig.heap->live[OBJ_INT], 900);
    rig_check();
    ck_assert_int_eq(dict_set(rig.heap, dict, rig_int(1), rig_int(2)), HD_OK);
    for (uint64_t before = rig_live(); !step_run(rig.heap, &rig.step, 10); before = rig_live())
        ck_assert_uint_le(before - rig_live(), 20); /* an entry is two references */
    ck_assert_uint_eq(dict_of(dict)->table.live, 1);
    rig_close();
}
END_TEST

START_TEST(short_lists_are_cleared_too)
{
    rig_open();
    for (unsigned count = 0; count < 10; count++) {
        struct obj *list;

        for (unsigned i = 0; i < count; i++)
            rig_int(1000 + i);
        list = rig_list(count, rig.kept);
        list_clear(rig.heap, list);
        while (rig.kept_count > 0)
            rig_drop(rig.kept[0]);
        rig_run();
        ck_assert_uint_eq(rig_live(), 0);
    }
    rig_close();
}
END_TEST

/* -- counts at their end ------------------------------------------------------------------------------------------ */

START_TEST(a_slot_is_refused_to_an_object_at_the_largest_count)
{
    struct obj *list;
    struct obj *o;
    struct obj *dict;
    struct obj *result;
    const struct method_row *append;

    rig_open();
    append = kind_find_method(rig.heap, OBJ_LIST, "append", 6);
    o = RIG_LIST(rig.heap->nil);
    list = RIG_LIST(rig.heap->nil);
    ck_assert_int_eq(dict_new(rig.heap, OBJ_DICT, 0, &dict), HD_OK);
    rig_keep(dict);
    o->count = OBJ_COUNT_MAX;
    ck_assert_int_eq(kind_call(rig.heap, append, list, &o, 1, &result), HD_LIMIT);
    ck_assert_int_eq(dict_set(rig.heap, dict, rig_int(1), o), HD_LIMIT);
    ck_assert_int_eq(tuple_new(rig.heap, &o, 1, &result), HD_LIMIT);
    ck_assert_ptr_nonnull(strstr(rig.heap->error_text, "references"));
    ck_assert_uint_eq(list_of(list)->len, 1);
    ck_assert_uint_eq(dict_of(dict)->table.live, 0);
    o->count = OBJ_COUNT_MAX - 1;
    ck_assert_int_eq(kind_call(rig.heap, append, list, &o, 1, &result), HD_OK);
    ck_assert_uint_eq(o->count, OBJ_COUNT_MAX);
    o->count = 2;
    rig_close();
}
END_TEST

START_TEST(an_attribute_and_a_class_are_refused_at_the_largest_count_too)
{
    struct obj *class;
    struct obj *o;
    struct obj *other;

    rig_open();
    ck_assert_int_eq(class_new(rig.heap, "C", 1, &class), HD_OK);
    rig_keep(class);
    ck_assert_int_eq(object_new(rig.heap, class, &o), HD_OK);
    rig_keep(o);
    class->count = OBJ_COUNT_MAX;
    ck_assert_int_eq(object_new(rig.heap, class, &other), HD_LIMIT);
    ck_assert_int_eq(object_set(rig.heap, o, "a", 1, class), HD_LIMIT);
    ck_assert_uint_eq(object_length(o), 0);
    class->count = 2;
    rig_close();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        an_object_lives_exactly_as_long_as_it_is_referred_to,
        immortal_objects_are_not_counted,
        a_list_nested_ten_million_deep_dies_on_a_stack_of_256_kilobytes,
        a_slice_of_one_drops_at_most_one_reference,
        the_work_of_a_slice_is_bounded_by_its_budget,
        a_container_dies_before_its_content_and_content_first_to_last,
        many_die_in_the_order_in_which_they_were_dropped,
        a_number_that_nobody_watches_is_freed_as_it_is_dropped,
        an_object_belongs_to_the_step_that_took_its_count_to_zero,
        two_large_deaths_take_turns,
        what_a_dying_container_has_not_dropped_may_still_be_kept,
        a_cleared_list_is_empty_at_once_and_its_content_dies_in_slices,
        a_slice_drops_no_more_references_of_a_cleared_list_than_its_budget,
        a_cleared_dict_is_empty_at_once_and_its_content_dies_in_slices,
        short_lists_are_cleared_too,
        a_slot_is_refused_to_an_object_at_the_largest_count,
        an_attribute_and_a_class_are_refused_at_the_largest_count_too,
        NULL,
    };

    return suite_run("step", tests);
}
