/* test_weak.c - weak references and proxies: sharing, clearing, order, queues. */
#include "store/weak.h"

#include "store/kind.h"
#include "store/kinds/atoms.h"
#include "store/kinds/sequence.h"
#include "tests/rig.h"

static struct mailbox *mailbox;

static void open_weak(void)
{
    rig_open();
    mailbox = mailbox_new(rig.heap, &rig);
}

static void close_weak(void)
{
    mailbox_unref(rig.heap, &mailbox);
    rig_close();
}

static struct obj *make(enum obj_type type, struct obj *target, struct mailbox *box)
{
    struct obj *weak;

    ck_assert_int_eq(weak_new(rig.heap, type, target, box, &weak), HD_OK);
    return rig_keep(weak);
}

START_TEST(a_weak_reference_does_not_count)
{
    struct obj *target;
    struct obj *weak;

    open_weak();
    target = rig_int(1000);
    weak = make(OBJ_WEAKREF, target, NULL);
    ck_assert_uint_eq(target->count, 1);
    ck_assert_uint_eq(weak_count(rig.heap, target), 1);
    ck_assert_ptr_eq(weak_target_peek(rig.heap, weak), target);
    rig_check();
    rig_drop(target);
    ck_assert_ptr_null(weak_target_peek(rig.heap, weak)); /* at once: nothing has run yet */
    close_weak();
}
END_TEST

START_TEST(two_plain_ones_of_a_living_object_are_one_object)
{
    struct obj *target;
    struct obj *weak;

    open_weak();
    target = rig_int(1000);
    weak = make(OBJ_WEAKREF, target, NULL);
    ck_assert_ptr_eq(make(OBJ_WEAKREF, target, NULL), weak);
    ck_assert_ptr_ne(make(OBJ_PROXY, target, NULL), weak);
    ck_assert_ptr_eq(make(OBJ_PROXY, target, NULL), rig.kept[3]);
    ck_assert_ptr_ne(make(OBJ_WEAKREF, target, mailbox), weak);
    ck_assert_ptr_eq(make(OBJ_WEAKREF, target, NULL), weak);
    ck_assert_uint_eq(weak_count(rig.heap, target), 3);
    close_weak();
}
END_TEST

START_TEST(an_immortal_object_is_refused)
{
    struct obj *weak;

    open_weak();
    ck_assert_int_eq(weak_new(rig.heap, OBJ_WEAKREF, rig.heap->nil, NULL, &weak), HD_TYPE);
    ck_assert_int_eq(weak_new(rig.heap, OBJ_PROXY, rig_int(5), NULL, &weak), HD_TYPE);
    ck_assert_uint_eq(rig_live(), 0);
    close_weak();
}
END_TEST

START_TEST(those_that_want_a_notice_are_told_latest_first)
{
    struct obj *target;
    struct obj *weak[4];

    open_weak();
    target = rig_int(1000);
    for (unsigned i = 0; i < 4; i++) {
        weak[i] = make(OBJ_WEAKREF, target, mailbox);
        make(OBJ_WEAKREF, target, NULL);
    }
    rig_drop(target);
    for (unsigned i = 4; i > 0; i--) {
        struct weak *told = weak_queue_pop(&rig.step.told[WEAK_COUNT]);

        ck_assert_ptr_eq(told, weak[i - 1]);
        ck_assert_int_eq(told->link.cause, WEAK_COUNT);
    }
    ck_assert_ptr_null(weak_queue_pop(&rig.step.told[WEAK_COUNT]));
    close_weak();
}
END_TEST

START_TEST(deaths_are_told_in_order_of_death_a_container_before_its_content)
{
    struct obj *outer;
    struct obj *inner;
    struct obj *of_outer;
    struct obj *of_inner;

    open_weak();
    inner = RIG_LIST(rig.heap->nil);
    outer = RIG_LIST(inner);
    of_inner = make(OBJ_WEAKREF, inner, mailbox);
    of_outer = make(OBJ_WEAKREF, outer, mailbox);
    rig_drop(inner);
    rig_drop(outer);
    rig_run();
    ck_assert_ptr_eq(weak_queue_pop(&rig.step.told[WEAK_COUNT]), of_outer);
    ck_assert_ptr_eq(weak_queue_pop(&rig.step.told[WEAK_COUNT]), of_inner);
    close_weak();
}
END_TEST

START_TEST(a_weakref_that_dies_before_its_target_tells_nobody)
{
    struct obj *target;
    struct obj *weak;

    open_weak();
    target = rig_int(1000);
    weak = make(OBJ_WEAKREF, target, mailbox);
    rig_drop(weak);
    ck_assert_uint_eq(weak_count(rig.heap, target), 0);
    rig_run();
    rig_drop(target);
    ck_assert_ptr_null(weak_queue_pop(&rig.step.told[WEAK_COUNT]));
    close_weak();
}
END_TEST

START_TEST(a_weakref_that_dies_between_its_targets_death_and_the_notice_leaves_the_queue)
{
    struct obj *target;
    struct obj *first;
    struct obj *second;

    open_weak();
    target = rig_int(1000);
    first = make(OBJ_WEAKREF, target, mailbox);
    second = make(OBJ_WEAKREF, target, mailbox);
    rig_drop(target);
    rig_drop(second);
    rig_run();
    ck_assert_ptr_eq(weak_queue_pop(&rig.step.told[WEAK_COUNT]), first);
    ck_assert_ptr_null(weak_queue_pop(&rig.step.told[WEAK_COUNT]));
    close_weak();
}
END_TEST

START_TEST(a_mailbox_without_an_owner_is_told_nothing)
{
    struct obj *target;

    open_weak();
    target = rig_int(1000);
    make(OBJ_WEAKREF, target, mailbox);
    mailbox->owner = NULL;
    rig_drop(target);
    ck_assert_ptr_null(weak_queue_pop(&rig.step.told[WEAK_COUNT]));
    close_weak();
}
END_TEST

START_TEST(a_target_and_its_weakref_that_die_together_leave_nothing)
{
    struct obj *target;
    struct obj *weak;

    open_weak();
    target = RIG_LIST(rig.heap->nil);
    weak = make(OBJ_WEAKREF, target, mailbox);
    RIG_LIST(weak, target);
    RIG_LIST(target, weak);
    while (rig.kept_count > 0)
        rig_drop(rig.kept[0]);
    rig_run();
    ck_assert_uint_eq(rig_live(), 0);
    close_weak();
}
END_TEST

START_TEST(a_weakref_keeps_the_hash_of_its_target_if_it_was_asked_in_time)
{
    struct obj *target;
    struct obj *asked;
    struct obj *unasked;
    int64_t hash;

    open_weak();
    target = rig_int(123456);
    asked = make(OBJ_WEAKREF, target, NULL);
    unasked = make(OBJ_WEAKREF, target, mailbox);
    hash = int_value(rig_call(target, "hash", 0, NULL));
    ck_assert_int_eq(int_value(rig_call(asked, "hash", 0, NULL)), hash);
    rig_drop(target);
    ck_assert_int_eq(int_value(rig_call(asked, "hash", 0, NULL)), hash);
    ck_assert_int_eq(kind_call(rig.heap, kind_find_method(rig.heap, OBJ_WEAKREF, "hash", 4), unasked, NULL, 0, &target),
                     HD_TYPE);
    close_weak();
}
END_TEST

START_TEST(a_cleared_one_keeps_the_id_the_cause_and_the_time)
{
    struct obj *target;
    struct weak *weak;
    uint64_t id;

    open_weak();
    target = rig_int(1000);
    id = target->id;
    weak = (struct weak *)make(OBJ_WEAKREF, target, NULL);
    rig.step.cause = WEAK_SESSION;
    rig_drop(target);
    ck_assert_uint_eq(weak_target_id(&weak->head), id);
    ck_assert_int_eq(weak->link.cause, WEAK_SESSION);
    ck_assert_uint_gt(weak->died_ns, 0);
    close_weak();
}
END_TEST

START_TEST(without_memory_no_weakref_is_made_and_nothing_changes)
{
    struct obj *target;
    struct obj *weak;

    open_weak();
    target = rig_int(1000);
    pool_set_limit(rig.heap->pool, 0);
    meter_fail(&rig.meter, 1, true);
    ck_assert_int_eq(weak_new(rig.heap, OBJ_WEAKREF, target, NULL, &weak), HD_NO_MEMORY);
    ck_assert_uint_eq(weak_count(rig.heap, target), 0);
    ck_assert_uint_eq(target->count, 1);
    close_weak();
}
END_TEST

START_TEST(a_hundred_thousand_targets_each_find_their_own)
{
    struct obj *list;
    bool is_right = true;

    open_weak();
    ck_assert_int_eq(list_new(rig.heap, 200000, &list), HD_OK);
    rig_keep(list);
    for (unsigned i = 0; i < 100000; i++) {
        struct obj *target;
        struct obj *weak;

        if (list_new(rig.heap, 0, &target) != HD_OK ||
            weak_new(rig.heap, OBJ_WEAKREF, target, NULL, &weak) != HD_OK)
            ck_abort();
        list_push_take(list, &target);
        list_push_take(list, &weak);
    }
    for (unsigned i = 0; i < 200000; i += 2)
        is_right = is_right && weak_target_peek(rig.heap, list_of(list)->items[i + 1]) == list_of(list)->items[i] &&
                   weak_count(rig.heap, list_of(list)->items[i]) == 1;
    ck_assert(is_right);
    rig_check();
    close_weak();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_weak_reference_does_not_count,
        two_plain_ones_of_a_living_object_are_one_object,
        an_immortal_object_is_refused,
        those_that_want_a_notice_are_told_latest_first,
        deaths_are_told_in_order_of_death_a_container_before_its_content,
        a_weakref_that_dies_before_its_target_tells_nobody,
        a_weakref_that_dies_between_its_targets_death_and_the_notice_leaves_the_queue,
        a_mailbox_without_an_owner_is_told_nothing,
        a_target_and_its_weakref_that_die_together_leave_nothing,
        a_weakref_keeps_the_hash_of_its_target_if_it_was_asked_in_time,
        a_cleared_one_keeps_the_id_the_cause_and_the_time,
        without_memory_no_weakref_is_made_and_nothing_changes,
        a_hundred_thousand_targets_each_find_their_own,
        NULL,
    };

    return suite_run("weak", tests);
}
