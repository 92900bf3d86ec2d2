/* test_copy.c - copies: shape, sharing, cycles, depth, and failures that leave nothing behind. */
#include "store/copy.h"

#include <string.h>

#include "store/kind.h"
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

/* -- in slices ---------------------------------------------------------------------------------------------------- */

static void keep_uncounted(void *arg, struct obj *o)
{
    (void)arg;
    if (o != NULL)
        rig.kept[rig.kept_count++] = o;
}

/* Between two slices every reference is known, and others fail with texts of their own. */
static void look_between(struct deepcopy *d)
{
    unsigned count = rig.kept_count;

    deepcopy_roots(d, keep_uncounted, NULL);
    rig_check();
    rig.kept_count = count;
    heap_set_error(rig.heap, "somebody else's");
}

static enum hd_err deepcopy_in_slices(struct obj *o, size_t budget, struct obj **made)
{
    struct deepcopy *d;
    enum hd_err err = deepcopy_open(rig.heap, o, &d);

    if (err != HD_OK)
        return err;
    while (!deepcopy_run(d, budget)) {
        rig.heap->work_left = 0; /* others' */
        look_between(d);
    }
    err = deepcopy_result(d, made);
    deepcopy_close(d);
    return err;
}

/* Twelve entries, a ring through a key, one object met four times. */
static void is_like_the_graph(struct obj *made, struct obj *root)
{
    struct obj *list = item(made, 0);
    struct obj *o = item(made, 2);
    struct obj *value;

    ck_assert_ptr_ne(list, item(root, 0));
    ck_assert_ptr_eq(item(list, 0), item(item(root, 0), 0));
    ck_assert_ptr_eq(item(list, 2), item(made, 3));
    ck_assert_ptr_eq(item(item(made, 3), 0), o);
    ck_assert_ptr_eq(object_peek(rig.heap, o, "table", 5), item(made, 1));
    ck_assert_ptr_eq(item(object_peek(rig.heap, o, "list", 4), 0), o);
    ck_assert_uint_eq(dict_of(item(made, 1))->table.live, 13);
    ck_assert_int_eq(dict_peek(rig.heap, item(made, 1), item(made, 3), &value), HD_OK);
    ck_assert_ptr_eq(value, list);
}

START_TEST(a_copy_in_slices_of_any_size_is_the_same)
{
    rig_open();
    for (size_t budget = 1; budget < 30; budget++) {
        struct obj *root = graph();
        struct obj *made;

        heap_work_start(rig.heap);
        ck_assert_int_eq(deepcopy_in_slices(root, budget, &made), HD_OK);
        is_like_the_graph(rig_keep(made), root);
        rig_check();
        break_graph(made);
        break_graph(root);
        while (rig.kept_count > 0)
            rig_drop(rig.kept[rig.kept_count - 1]);
        rig_run();
        ck_assert_uint_eq(rig_live(), 0);
    }
    rig_close();
}
END_TEST

START_TEST(a_copy_in_slices_takes_as_much_work_as_one_in_one_go)
{
    struct obj *root;
    struct obj *made;
    uint64_t work;

    rig_open();
    root = graph();
    heap_work_start(rig.heap);
    ck_assert_int_eq(obj_deepcopy(rig.heap, root, &made), HD_OK);
    break_graph(rig_keep(made));
    work = rig.heap->work_limit - rig.heap->work_left;
    for (uint64_t limit = work - 1; limit <= work; limit++) {
        enum hd_err err;

        rig.heap->work_limit = limit;
        heap_work_start(rig.heap);
        err = deepcopy_in_slices(root, 3, &made);
        ck_assert_int_eq(err, limit < work ? HD_LIMIT : HD_OK);
        if (err == HD_LIMIT)
            ck_assert_ptr_nonnull(strstr(rig.heap->error_text, "limits.work"));
    }
    break_graph(rig_keep(made));
    break_graph(root);
    rig_close();
}
END_TEST

START_TEST(a_copy_in_slices_that_runs_out_of_memory_leaves_nothing)
{
    struct obj *root;
    struct obj *made;
    enum hd_err err = HD_NO_MEMORY;
    uint64_t live;

    rig_open();
    root = graph();
    live = rig_live();
    for (uint64_t k = 1; err != HD_OK; k++) {
        meter_fail(&rig.meter, k, false);
        heap_work_start(rig.heap);
        err = deepcopy_in_slices(root, 1, &made);
        meter_fail(&rig.meter, 0, false);
        ck_assert(err == HD_OK || err == HD_NO_MEMORY);
        rig_run();
        ck_assert(err == HD_OK || rig_live() == live);
    }
    break_graph(rig_keep(made));
    break_graph(root);
    rig_close();
}
END_TEST

START_TEST(a_copy_that_is_cancelled_leaves_nothing_however_far_it_has_come)
{
    struct obj *root;
    uint64_t live;
    bool is_done = false;

    rig_open();
    root = graph();
    live = rig_live();
    for (unsigned slices = 0; !is_done; slices++) {
        struct deepcopy *d;

        heap_work_start(rig.heap);
        ck_assert_int_eq(deepcopy_open(rig.heap, root, &d), HD_OK);
        for (unsigned i = 0; i < slices && !is_done; i++)
            is_done = deepcopy_run(d, 1);
        deepcopy_cancel(d);
        rig_run();
        rig_check();
        ck_assert_uint_eq(rig_live(), live);
    }
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

/* What a copy in slices relies on: a method that is not known to change its object would not wait. */
START_TEST(every_method_that_changes_a_container_is_known)
{
    static const char *const reading[] = {
        "len",   "get",   "get_item", "has",          "contains",   "index",                "count",    "slice",     "scan",
        "keys",  "values", "items",   "union",        "difference", "symmetric_difference", "issubset", "issuperset",
        "intersection"};
    static const struct {
        enum obj_type type;
        const char *name;
    } methods[] = {
#define OBJ_TYPE_int OBJ_INT
#define OBJ_TYPE_float OBJ_INT
#define OBJ_TYPE_str OBJ_INT
#define OBJ_TYPE_bytes OBJ_INT
#define OBJ_TYPE_any OBJ_INT
#define OBJ_TYPE_class OBJ_INT
#define OBJ_TYPE_method OBJ_INT
#define OBJ_TYPE_queue OBJ_INT
#define OBJ_TYPE_list OBJ_LIST
#define OBJ_TYPE_tuple OBJ_TUPLE
#define OBJ_TYPE_dict OBJ_DICT
#define OBJ_TYPE_set OBJ_SET
#define OBJ_TYPE_object OBJ_OBJECT
#define OBJ_TYPE_weakdict OBJ_WEAKDICT
#define OBJ_TYPE_weakkeydict OBJ_WEAKKEYDICT
#define OBJ_TYPE_weakset OBJ_WEAKSET
#define TYPE_METHOD(type, name, least, most, arguments, summary) {OBJ_TYPE_##type, #name},
#define TYPE_METHOD_PEEK TYPE_METHOD
#include "protocol/type_methods.def"
#undef TYPE_METHOD
#undef TYPE_METHOD_PEEK
    };

    rig_open();
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        struct obj self = {.type = (uint8_t)methods[i].type};
        const struct method_row *row;
        bool reads = methods[i].type == OBJ_INT; /* all that are of no interest */

        if (!reads) {
            for (size_t k = 0; k < sizeof reading / sizeof reading[0]; k++)
                reads = reads || strcmp(methods[i].name, reading[k]) == 0;
            row = kind_find_method(rig.heap, self.type, methods[i].name, strlen(methods[i].name));
            ck_assert_msg(kind_changes(&self, row) == !reads, "%s", methods[i].name);
        }
    }
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
        a_copy_in_slices_of_any_size_is_the_same,
        a_copy_in_slices_takes_as_much_work_as_one_in_one_go,
        a_copy_in_slices_that_runs_out_of_memory_leaves_nothing,
        a_copy_that_is_cancelled_leaves_nothing_however_far_it_has_come,
        every_method_that_changes_a_container_is_known,
        the_deep_size_is_of_what_would_die_with_it,
        NULL,
    };

    return suite_run("copy", tests);
}
