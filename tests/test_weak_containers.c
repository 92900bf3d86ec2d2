/* test_weak_containers.c - weakdict, weakkeydict, weakset: entries that go with their objects. */
#include "store/kinds/weak_table.h"

#include <string.h>

#include "store/copy.h"
#include "store/gc.h"
#include "store/kind.h"
#include "store/kinds/atoms.h"
#include "store/kinds/dict.h"
#include "store/kinds/sequence.h"
#include "tests/rig.h"

#define ARGS(...) (struct obj *[]){__VA_ARGS__}

static struct obj *make(enum obj_type type)
{
    struct obj *o;

    ck_assert_int_eq(weak_container_new(rig.heap, type, &o), HD_OK);
    return rig_keep(o);
}

static struct obj *list(void)
{
    return rig_list(0, NULL);
}

static void set(struct obj *o, struct obj *key, struct obj *value)
{
    heap_work_start(rig.heap);
    ck_assert_int_eq(weak_container_set(rig.heap, o, key, value), HD_OK);
}

static bool has(struct obj *o, struct obj *key)
{
    struct weak_entry *entry;

    heap_work_start(rig.heap);
    ck_assert_int_eq(weak_container_find(rig.heap, o, key, &entry), HD_OK);
    return entry != NULL;
}

static uint64_t length(struct obj *o)
{
    return weak_container_length(rig.heap, o);
}

START_TEST(an_entry_goes_at_the_moment_of_death_and_what_it_held_in_the_step)
{
    struct obj *dict, *key, *value;

    rig_open();
    dict = make(OBJ_WEAKDICT);
    key = rig_str("a long enough key");
    value = list();
    set(dict, key, value);
    ck_assert_uint_eq(value->count, 1);
    ck_assert_uint_eq(key->count, 2);
    rig_check();
    rig_drop(value);
    ck_assert_uint_eq(length(dict), 0); /* at once: nothing has run yet */
    ck_assert(!has(dict, key));
    rig_check();
    rig_run();
    ck_assert_uint_eq(key->count, 1);
    rig_close();
}
END_TEST

START_TEST(a_weakkeydict_drops_the_value_with_the_key_and_any_object_may_be_a_key)
{
    struct obj *dict, *key, *twin, *value;

    rig_open();
    dict = make(OBJ_WEAKKEYDICT);
    key = list();
    twin = list(); /* equal, not identical */
    value = list();
    set(dict, key, value);
    ck_assert(has(dict, key));
    ck_assert(!has(dict, twin));
    ck_assert_uint_eq(value->count, 2);
    ck_assert_uint_eq(key->count, 1);
    rig_drop(key);
    rig_run();
    ck_assert_uint_eq(value->count, 1);
    ck_assert_uint_eq(length(dict), 0);
    rig_close();
}
END_TEST

START_TEST(a_weakset_compares_by_value_what_is_hashable_and_lists_by_identity)
{
    struct obj *s, *a, *same, *one, *other;

    rig_open();
    s = make(OBJ_WEAKSET);
    a = rig_int(1000);
    same = rig_int(1000);
    one = list();
    other = list();
    set(s, a, NULL);
    set(s, same, NULL);
    set(s, one, NULL);
    ck_assert_uint_eq(length(s), 2);
    ck_assert(has(s, same));
    ck_assert(!has(s, other));
    rig_drop(same); /* is not what the set refers to */
    ck_assert_uint_eq(length(s), 2);
    rig_drop(a);
    rig_drop(one);
    ck_assert_uint_eq(length(s), 0);
    rig_close();
}
END_TEST

START_TEST(immortal_members_are_refused)
{
    struct obj *key;

    rig_open();
    key = list();
    ck_assert_int_eq(weak_container_set(rig.heap, make(OBJ_WEAKDICT), key, rig.heap->nil), HD_TYPE);
    ck_assert_int_eq(weak_container_set(rig.heap, make(OBJ_WEAKKEYDICT), rig_int(5), key), HD_TYPE);
    ck_assert_int_eq(weak_container_set(rig.heap, make(OBJ_WEAKSET), rig.heap->empty_str, NULL), HD_TYPE);
    rig_close();
}
END_TEST

START_TEST(a_key_that_is_set_again_keeps_its_place_and_refers_to_the_new_value)
{
    struct obj *dict, *first, *second, *keys, *values[3];

    rig_open();
    dict = make(OBJ_WEAKDICT);
    first = rig_str("first key");
    second = rig_str("second key");
    for (unsigned i = 0; i < 3; i++)
        values[i] = list();
    set(dict, first, values[0]);
    set(dict, second, values[1]);
    set(dict, first, values[2]);
    rig_drop(values[0]);
    keys = rig_call(dict, "keys", 0, NULL);
    ck_assert_uint_eq(list_of(keys)->len, 2);
    ck_assert_ptr_eq(list_of(keys)->items[0], first);
    rig_drop(values[2]);
    ck_assert_uint_eq(length(dict), 1);
    rig_close();
}
END_TEST

START_TEST(one_object_may_be_in_many_containers_and_in_none_when_it_is_dead)
{
    struct obj *o, *sets[20], *dict;

    rig_open();
    o = list();
    dict = make(OBJ_WEAKDICT);
    for (unsigned i = 0; i < 20; i++) {
        sets[i] = make(OBJ_WEAKSET);
        set(sets[i], o, NULL);
        set(dict, rig_int(1000 + (int)i), o);
    }
    rig_check();
    rig_drop(sets[3]);
    rig_run();
    rig_check();
    rig_drop(o);
    for (unsigned i = 0; i < 20; i++)
        if (i != 3)
            ck_assert_uint_eq(length(sets[i]), 0);
    ck_assert_uint_eq(length(dict), 0);
    rig_close();
}
END_TEST

/* A chain of weakkeydict entries: each value is the next key, held by nothing else. */
START_TEST(a_chain_of_a_million_entries_vanishes_without_recursion_and_without_allocating)
{
    struct obj *dict, *first, *key, *next;
    uint64_t allocations;

    rig_open();
    dict = make(OBJ_WEAKKEYDICT);
    first = key = list();
    for (unsigned i = 0; i < 1000000; i++) {
        ck_assert_int_eq(list_new(rig.heap, 0, &next), HD_OK);
        ck_assert_int_eq(weak_container_set(rig.heap, dict, key, next), HD_OK);
        key = next;
        obj_unref(rig.heap, &next);
    }
    ck_assert_uint_eq(length(dict), 1000000);
    allocations = rig.meter.allocations;
    rig_drop(first);
    ck_assert_uint_eq(length(dict), 999999);
    rig_run();
    ck_assert_uint_eq(length(dict), 0);
    ck_assert_uint_eq(rig.meter.allocations, allocations);
    rig_close();
}
END_TEST

START_TEST(clear_drops_in_slices_of_one_and_objects_may_die_meanwhile)
{
    struct obj *dict, *values[10], *key;
    unsigned slices = 0;

    rig_open();
    dict = make(OBJ_WEAKDICT);
    for (unsigned i = 0; i < 10; i++) {
        values[i] = list();
        ck_assert_int_eq(int_new(rig.heap, 1000 + (int)i, &key), HD_OK);
        set(dict, key, values[i]);
        obj_unref(rig.heap, &key);
    }
    rig_call(dict, "clear", 0, NULL);
    ck_assert_uint_eq(length(dict), 0);
    set(dict, rig.heap->yes, values[0]);
    rig_check();
    rig_drop(values[5]); /* its entry is in the table that was cut off */
    while (!step_run(rig.heap, &rig.step, 1)) {
        slices++;
        rig_check();
    }
    ck_assert_uint_ge(slices, 10);
    ck_assert_uint_eq(length(dict), 1);
    rig_close();
}
END_TEST

START_TEST(a_container_that_dies_in_slices_leaves_its_objects_without_links)
{
    struct obj *kinds[3], *members[30];

    rig_open();
    kinds[0] = make(OBJ_WEAKDICT);
    kinds[1] = make(OBJ_WEAKKEYDICT);
    kinds[2] = make(OBJ_WEAKSET);
    for (unsigned i = 0; i < 30; i++) {
        members[i] = list();
        set(kinds[i % 3], i % 3 == 0 ? rig_int(1000 + (int)i) : members[i],
            i % 3 == 0 ? members[i] : i % 3 == 1 ? kinds[1] : NULL);
    }
    rig_check();
    for (unsigned i = 0; i < 30; i += 3) /* the weakkeydict holds itself */
        rig_drop(members[i + 1]);
    for (unsigned i = 0; i < 3; i++)
        rig_drop(kinds[i]);
    while (!step_run(rig.heap, &rig.step, 1))
        rig_check();
    for (unsigned i = 0; i < 30; i += 3)
        ck_assert_uint_eq(members[i]->flags & OBJ_HAS_WEAK, 0);
    rig_close();
}
END_TEST

START_TEST(a_scan_gives_what_stays_exactly_once_while_others_vanish)
{
    struct obj *s, *members[40], *answer, *entries;
    struct obj *cursor;
    unsigned seen[40] = {0};

    rig_open();
    s = make(OBJ_WEAKSET);
    for (unsigned i = 0; i < 40; i++) {
        members[i] = list();
        set(s, members[i], NULL);
    }
    cursor = rig_int(0);
    for (unsigned round = 0; cursor->type == OBJ_INT; round++) {
        answer = rig_call(s, "scan", 2, ARGS(cursor, rig_int(3)));
        cursor = list_of(answer)->items[0];
        entries = list_of(answer)->items[1];
        for (uint32_t i = 0; i < list_of(entries)->len; i++)
            for (unsigned k = 0; k < 40; k++)
                seen[k] += list_of(entries)->items[i] == members[k];
        obj_ref(cursor);
        rig_drop(answer);
        if (cursor->type == OBJ_INT)
            rig_keep(cursor);
        if (round < 10) { /* one that was seen, and one that will be */
            rig_drop(members[round]);
            rig_drop(members[39 - round]);
        }
        rig_run();
    }
    for (unsigned k = 10; k < 30; k++)
        ck_assert_uint_eq(seen[k], 1);
    rig_close();
}
END_TEST

START_TEST(a_copy_has_the_same_entries_and_a_deep_one_too)
{
    struct obj *dict, *value, *copy, *outer, *deep;

    rig_open();
    dict = make(OBJ_WEAKDICT);
    value = list();
    set(dict, rig_str("some key"), value);
    outer = RIG_LIST(dict, dict);
    ck_assert_int_eq(obj_copy(rig.heap, dict, &copy), HD_OK);
    rig_keep(copy);
    ck_assert_int_eq(obj_deepcopy(rig.heap, outer, &deep), HD_OK);
    rig_keep(deep);
    ck_assert_ptr_ne(copy, dict);
    ck_assert_ptr_ne(list_of(deep)->items[0], dict);
    ck_assert_ptr_eq(list_of(deep)->items[0], list_of(deep)->items[1]);
    ck_assert_uint_eq(length(copy), 1);
    ck_assert_uint_eq(length(list_of(deep)->items[0]), 1);
    rig_check();
    rig_drop(value);
    ck_assert_uint_eq(length(copy), 0);
    ck_assert_uint_eq(length(list_of(deep)->items[0]), 0);
    rig_close();
}
END_TEST

START_TEST(without_memory_nothing_is_set_and_nothing_changes)
{
    static const enum obj_type types[] = {OBJ_WEAKDICT, OBJ_WEAKKEYDICT, OBJ_WEAKSET};
    struct obj *o, *key, *member;

    rig_open();
    key = rig_int(1000);
    member = list();
    for (unsigned i = 0; i < 3; i++) {
        o = make(types[i]);
        for (uint64_t k = 1;; k++) {
            enum hd_err err;

            meter_fail(&rig.meter, k, true);
            err = types[i] == OBJ_WEAKDICT ? weak_container_set(rig.heap, o, key, member)
                                           : weak_container_set(rig.heap, o, member, i == 2 ? NULL : key);
            meter_fail(&rig.meter, 0, false);
            if (err == HD_OK)
                break;
            ck_assert_int_eq(err, HD_NO_MEMORY);
            ck_assert_uint_eq(length(o), 0);
            ck_assert_uint_eq(member->count, 1);
            rig_check();
        }
        ck_assert_uint_eq(length(o), 1);
    }
    rig_close();
}
END_TEST

static const char *repr(struct obj *o)
{
    return text_of(rig_call(o, "repr", 0, NULL))->bytes;
}

START_TEST(weak_containers_are_equal_by_value_unhashable_and_shown_by_type_and_id)
{
    struct obj *a, *b, *value, *key, *result;

    rig_open();
    a = make(OBJ_WEAKDICT);
    b = make(OBJ_WEAKDICT);
    value = list();
    key = rig_int(1000);
    set(a, key, value);
    ck_assert_ptr_eq(rig_call(a, "eq", 1, &b), rig.heap->no);
    set(b, key, value);
    ck_assert_ptr_eq(rig_call(a, "eq", 1, &b), rig.heap->yes);
    ck_assert_int_eq(kind_call(rig.heap, kind_find_method(rig.heap, OBJ_WEAKDICT, "hash", 4), a, NULL, 0, &result),
                     HD_TYPE);
    ck_assert_int_eq(strncmp(repr(a), "<weakdict object #", 18), 0);
    a = make(OBJ_WEAKSET);
    b = make(OBJ_WEAKSET);
    set(a, value, NULL);
    ck_assert_ptr_eq(rig_call(a, "eq", 1, &b), rig.heap->no);
    set(b, value, NULL);
    ck_assert_ptr_eq(rig_call(a, "eq", 1, &b), rig.heap->yes);
    rig_close();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        an_entry_goes_at_the_moment_of_death_and_what_it_held_in_the_step,
        a_weakkeydict_drops_the_value_with_the_key_and_any_object_may_be_a_key,
        a_weakset_compares_by_value_what_is_hashable_and_lists_by_identity,
        immortal_members_are_refused,
        a_key_that_is_set_again_keeps_its_place_and_refers_to_the_new_value,
        one_object_may_be_in_many_containers_and_in_none_when_it_is_dead,
        a_chain_of_a_million_entries_vanishes_without_recursion_and_without_allocating,
        clear_drops_in_slices_of_one_and_objects_may_die_meanwhile,
        a_container_that_dies_in_slices_leaves_its_objects_without_links,
        a_scan_gives_what_stays_exactly_once_while_others_vanish,
        a_copy_has_the_same_entries_and_a_deep_one_too,
        without_memory_nothing_is_set_and_nothing_changes,
        weak_containers_are_equal_by_value_unhashable_and_shown_by_type_and_id,
        NULL,
    };

    return suite_run("weak containers", tests);
}
