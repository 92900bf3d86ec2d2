/* test_copy.c - copies: shape, sharing, cycles, depth, and failures that leave nothing behind. */
#include "store/copy.h"

#include <string.h>

#include "store/kinds/atoms.h"
#include "store/kinds/dict.h"
#include "store/kinds/object.h"
#include "store/kinds/sequence.h"
#include "store/size.h"
#include "tests/rig.h"

static struct obj *item(struct obj *o, uint32_t i)
{
    uint32_t len;
    struct obj **items = sequence_items(o, &len);

    ck_assert_uint_lt(i, len);
    return items[i];
}

static struct obj *copy(struct obj *o)
{
    struct obj *made;

    heap_work_start(rig.heap);
    ck_assert_int_eq(obj_copy(rig.heap, o, &made), HD_OK);
    return rig_keep(made);
}

static struct obj *deepcopy(struct obj *o)
{
    struct obj *made;

    heap_work_start(rig.heap);
    ck_assert_int_eq(obj_deepcopy(rig.heap, o, &made), HD_OK);
    return rig_keep(made);
}

static struct obj *tuple(unsigned count, struct obj *const *items)
{
    struct obj *made;

    ck_assert_int_eq(tuple_new(rig.heap, items, count, &made), HD_OK);
    return rig_keep(made);
}

static struct obj *dict(enum obj_type type)
{
    struct obj *made;

    ck_assert_int_eq(dict_new(rig.heap, type, 0, &made), HD_OK);
    return rig_keep(made);
}

static struct obj *instance(void)
{
    struct obj *class;
    struct obj *made;

    ck_assert_int_eq(class_new(rig.heap, "C", 1, &class), HD_OK);
    rig_keep(class);
    ck_assert_int_eq(object_new(rig.heap, class, &made), HD_OK);
    return rig_keep(made);
}

/* Breaks the cycles of a list, so that the rig can find everything gone. */
static void empty(struct obj *list)
{
    list_clear(rig.heap, list);
}

START_TEST(a_copy_is_a_new_container_with_the_same_references)
{
    struct obj *inner;
    struct obj *list;
    struct obj *made;

    rig_open();
    inner = RIG_LIST(rig.heap->nil);
    list = RIG_LIST(inner, inner);
    made = copy(list);
    ck_assert_ptr_ne(made, list);
    ck_assert_ptr_eq(item(made, 0), inner);
    ck_assert_ptr_eq(item(made, 1), inner);
    ck_assert_uint_eq(inner->count, 5);
    rig_close();
}
END_TEST

START_TEST(atoms_classes_and_tuples_are_their_own_copies)
{
    struct obj *text;
    struct obj *of_list;

    rig_open();
    text = rig_str("text");
    of_list = tuple(1, (struct obj *[]){RIG_LIST(text)});
    ck_assert_ptr_eq(copy(text), text);
    ck_assert_ptr_eq(deepcopy(text), text);
    ck_assert_ptr_eq(copy(of_list), of_list);
    ck_assert_ptr_eq(copy(&rig.heap->classes[OBJ_LIST]->head), &rig.heap->classes[OBJ_LIST]->head);
    ck_assert_ptr_eq(deepcopy(&rig.heap->classes[OBJ_LIST]->head), &rig.heap->classes[OBJ_LIST]->head);
    rig_close();
}
END_TEST

START_TEST(a_deep_copy_keeps_sharing)
{
    struct obj *inner;
    struct obj *made;

    rig_open();
    inner = RIG_LIST(rig_int(1000));
    made = deepcopy(RIG_LIST(inner, inner));
    ck_assert_ptr_ne(item(made, 0), inner);
    ck_assert_ptr_eq(item(made, 0), item(made, 1));
    ck_assert_ptr_eq(item(item(made, 0), 0), item(inner, 0)); /* an atom is shared */
    rig_close();
}
END_TEST

START_TEST(a_deep_copy_of_a_ring_is_a_ring)
{
    struct obj *a;
    struct obj *b;
    struct obj *made;
    struct obj *ref;

    rig_open();
    a = RIG_LIST(rig.heap->nil);
    b = RIG_LIST(a);
    ref = obj_ref(b);
    ck_assert_int_eq(list_reserve(rig.heap, a, 1), HD_OK);
    list_push_take(a, &ref);
    made = deepcopy(a);
    ck_assert_ptr_ne(item(made, 1), b);
    ck_assert_ptr_eq(item(item(made, 1), 0), made);
    rig_check();
    empty(made);
    empty(a);
    rig_close();
}
END_TEST

START_TEST(a_ring_through_a_tuple_is_copied_as_one)
{
    struct obj *list;
    struct obj *ring;
    struct obj *made;
    struct obj *ref;

    rig_open();
    list = RIG_LIST(rig.heap->nil);
    ring = tuple(1, &list);
    ref = obj_ref(ring);
    ck_assert_int_eq(list_reserve(rig.heap, list, 1), HD_OK);
    list_push_take(list, &ref);
    made = deepcopy(ring);
    ck_assert_ptr_ne(made, ring);
    ck_assert_ptr_eq(item(item(made, 0), 1), made);
    empty(item(made, 0));
    empty(list);
    rig_close();
}
END_TEST

START_TEST(a_tuple_of_only_atoms_is_itself_through_tuples_of_any_depth)
{
    struct obj *flat;
    struct obj *nested;

    rig_open();
    flat = tuple(2, (struct obj *[]){rig_int(1000), rig_str("x")});
    nested = flat;
    for (unsigned i = 0; i < 20; i++)
        nested = tuple(1, &nested);
    ck_assert_ptr_eq(deepcopy(flat), flat);
    ck_assert_ptr_eq(deepcopy(nested), nested);
    ck_assert_ptr_eq(item(deepcopy(RIG_LIST(nested)), 0), nested);
    rig_close();
}
END_TEST

START_TEST(dicts_sets_and_objects_are_copied_deeply_too)
{
    struct obj *inner;
    struct obj *d;
    struct obj *o;
    struct obj *made;
    struct obj *value;

    rig_open();
    inner = RIG_LIST(rig.heap->nil);
    d = dict(OBJ_DICT);
    ck_assert_int_eq(dict_set(rig.heap, d, rig_str("k"), inner), HD_OK);
    o = instance();
    ck_assert_int_eq(object_set(rig.heap, o, "a", 1, d), HD_OK);
    ck_assert_int_eq(object_set(rig.heap, o, "b", 1, inner), HD_OK);
    made = deepcopy(o);
    ck_assert_ptr_eq(instance_of(made)->class, instance_of(o)->class);
    ck_assert_ptr_ne(object_peek(rig.heap, made, "a", 1), d);
    ck_assert_int_eq(dict_peek(rig.heap, object_peek(rig.heap, made, "a", 1), rig_str("k"), &value), HD_OK);
    ck_assert_ptr_ne(value, inner);
    ck_assert_ptr_eq(value, object_peek(rig.heap, made, "b", 1)); /* shared through both */
    rig_check();
    rig_close();
}
END_TEST

/* An object hashes by identity: its copy must be found where it is a key. */
START_TEST(copied_keys_are_found_in_the_copy)
{
    struct obj *set;
    struct obj *made;
    uint32_t hash;
    uint32_t position;

    rig_open();
    set = dict(OBJ_SET);
    for (unsigned i = 0; i < 20; i++)
        ck_assert_int_eq(dict_set(rig.heap, set, instance(), NULL), HD_OK);
    made = deepcopy(set);
    for (uint32_t i = 0; i < 20; i++) {
        struct obj *key = dict_of(made)->table.entries[i].key;

        ck_assert_int_eq(dict_find(rig.heap, made, key, &hash, &position), HD_OK);
        ck_assert_uint_eq(position, i);
        ck_assert_int_eq(dict_find(rig.heap, set, key, &hash, &position), HD_OK);
        ck_assert_uint_eq(position, TABLE_NONE);
    }
    rig_check();
    rig_close();
}
END_TEST

START_TEST(a_million_levels_are_copied_without_recursion)
{
    struct obj *list;
    struct obj *made;

    rig_open();
    ck_assert_int_eq(list_new(rig.heap, 0, &list), HD_OK);
    for (unsigned i = 0; i < 900000; i++) {
        struct obj *outer;

        if (list_new(rig.heap, 1, &outer) != HD_OK)
            ck_abort();
        list_push_take(outer, &list);
        list = outer;
    }
    made = deepcopy(rig_keep(list));
    ck_assert_uint_eq(rig.heap->live[OBJ_LIST], 2 * 900001);
    (void)made;
    rig_close();
}
END_TEST

START_TEST(a_copy_beyond_the_work_limit_is_refused_and_leaves_nothing)
{
    struct obj *inner;
    struct obj *list;
    struct obj *made;
    uint64_t live;

    rig_open();
    inner = RIG_LIST(rig.heap->nil, rig.heap->nil);
    list = RIG_LIST(inner, RIG_LIST(inner), rig.heap->nil);
    live = rig_live();
    for (uint64_t work = 0; work < 20; work++) {
        enum hd_err err;

        rig.heap->work_limit = work;
        heap_work_start(rig.heap);
        err = obj_deepcopy(rig.heap, list, &made);
        ck_assert(err == HD_OK || err == HD_LIMIT);
        if (err == HD_OK)
            rig_drop(rig_keep(made));
        rig_run();
        rig_check();
        ck_assert_uint_eq(rig_live(), live);
        ck_assert_int_eq(err == HD_OK, work >= 9);
    }
    rig_close();
}
END_TEST

/* Everything that a copy can meet: rings, shared parts, copied keys, attributes in and out of their layout. */
static struct obj *graph(void)
{
    struct obj *list = RIG_LIST(rig_int(1000), rig_str("text"));
    struct obj *table = dict(OBJ_DICT);
    struct obj *o = instance();
    struct obj *key = tuple(2, (struct obj *[]){o, rig.heap->nil});
    struct obj *ref = obj_ref(key);

    for (int i = 0; i < 12; i++)
        ck_assert_int_eq(dict_set(rig.heap, table, rig_int(2000 + i), RIG_LIST(list)), HD_OK);
    ck_assert_int_eq(dict_set(rig.heap, table, key, list), HD_OK);
    ck_assert_int_eq(object_set(rig.heap, o, "table", 5, table), HD_OK);
    ck_assert_int_eq(object_set(rig.heap, o, "list", 4, RIG_LIST(o)), HD_OK);
    ck_assert_int_eq(list_reserve(rig.heap, list, 1), HD_OK);
    list_push_take(list, &ref);
    return RIG_LIST(list, table, o, key);
}

/* Lets every cycle of the graph go. */
static void break_graph(struct obj *root)
{
    struct obj *taken = object_remove(rig.heap, item(root, 2), "table", 5);

    obj_unref(rig.heap, &taken);
    taken = object_remove(rig.heap, item(root, 2), "list", 4);
    obj_unref(rig.heap, &taken);
    list_clear(rig.heap, item(root, 0));
    dict_clear(rig.heap, item(root, 1));
}

START_TEST(a_deep_copy_that_runs_out_of_memory_leaves_nothing)
{
    struct obj *root;
    struct obj *made;
    enum hd_err err = HD_NO_MEMORY;
    uint64_t live;
    uint64_t k;

    rig_open();
    root = graph();
    live = rig_live();
    for (k = 1; err != HD_OK; k++) {
        meter_fail(&rig.meter, k, false);
        heap_work_start(rig.heap);
        err = obj_deepcopy(rig.heap, root, &made);
        meter_fail(&rig.meter, 0, false);
        ck_assert(err == HD_OK || err == HD_NO_MEMORY);
        if (err == HD_OK)
            rig_keep(made);
        rig_run();
        rig_check();
        ck_assert(err == HD_OK || rig_live() == live);
    }
    ck_assert_uint_gt(k, 20);
    break_graph(made);
    break_graph(root);
    rig_close();
}
END_TEST

START_TEST(a_shallow_copy_that_runs_out_of_memory_leaves_nothing)
{
    struct obj *root;
    uint64_t live;

    rig_open();
    root = graph();
    live = rig_live();
    for (uint32_t i = 0; i < 3; i++) {
        struct obj *made;
        enum hd_err err = HD_NO_MEMORY;

        for (uint64_t k = 1; err != HD_OK; k++) {
            meter_fail(&rig.meter, k, false);
            heap_work_start(rig.heap);
            err = obj_copy(rig.heap, item(root, i), &made);
            meter_fail(&rig.meter, 0, false);
            if (err == HD_OK)
                rig_keep(made);
            rig_run();
            rig_check();
            ck_assert(err == HD_OK || rig_live() == live);
        }
        rig_drop(made);
        rig_run();
        ck_assert_uint_eq(rig_live(), live);
    }
    break_graph(root);
    rig_close();
}
END_TEST

/* -- deep size ---------------------------------------------------------------------------------------------------- */

START_TEST(the_deep_size_is_of_what_would_die_with_it)
{
    struct obj *shared;
    struct obj *own;
    struct obj *list;
    uint64_t bytes;
    uint64_t expected;

    rig_open();
    shared = RIG_LIST(rig_int(1000));
    own = rig_str("only the list refers to this");
    list = RIG_LIST(shared, own, rig.heap->nil);
    rig_drop(own);
    expected = kind_of(list)->bytes(list) + kind_of(item(list, 1))->bytes(item(list, 1));
    heap_work_start(rig.heap);
    ck_assert_int_eq(size_deep(rig.heap, list, &bytes), HD_OK);
    ck_assert_uint_eq(bytes, expected);
    rig_check();
    rig_close();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_copy_is_a_new_container_with_the_same_references,
        atoms_classes_and_tuples_are_their_own_copies,
        a_deep_copy_keeps_sharing,
        a_deep_copy_of_a_ring_is_a_ring,
        a_ring_through_a_tuple_is_copied_as_one,
        a_tuple_of_only_atoms_is_itself_through_tuples_of_any_depth,
        dicts_sets_and_objects_are_copied_deeply_too,
        copied_keys_are_found_in_the_copy,
        a_million_levels_are_copied_without_recursion,
        a_copy_beyond_the_work_limit_is_refused_and_leaves_nothing,
        a_deep_copy_that_runs_out_of_memory_leaves_nothing,
        a_shallow_copy_that_runs_out_of_memory_leaves_nothing,
        the_deep_size_is_of_what_would_die_with_it,
        NULL,
    };

    return suite_run("copy", tests);
}
