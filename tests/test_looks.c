/* test_looks.c - repr and comparisons in slices: the same as in one go, whatever happens between two slices. */
#include <string.h>

#include "store/compare.h"
#include "store/kinds/atoms.h"
#include "store/kinds/object.h"
#include "tests/rig.h"

static void keep_uncounted(void *arg, struct obj *o)
{
    (void)arg;
    if (o != NULL)
        rig.kept[rig.kept_count++] = o;
}

/* Others use up their own work, and fail with their own texts; the verifier minds marks. */
static void look_between(unsigned kept)
{
    rig_check();
    rig.kept_count = kept;
    rig.heap->work_left = 0;
    heap_set_error(rig.heap, "somebody else's");
}

static enum hd_err repr_in_slices(struct obj *o, size_t budget, struct obj **out)
{
    unsigned kept = rig.kept_count;
    struct repr *r;
    enum hd_err err = repr_open(rig.heap, o, &r);

    if (err != HD_OK)
        return err;
    while (!repr_run(r, budget)) {
        repr_roots(r, keep_uncounted, NULL);
        look_between(kept);
    }
    err = repr_result(r, out);
    repr_close(r);
    return err;
}

static enum hd_err compare_in_slices(struct obj *a, struct obj *b, enum compare_op op, size_t budget, bool *out)
{
    unsigned kept = rig.kept_count;
    struct comparison *c;
    enum hd_err err = comparison_open(rig.heap, a, b, op, &c);

    if (err != HD_OK)
        return err;
    while (!comparison_run(c, budget)) {
        comparison_roots(c, keep_uncounted, NULL);
        look_between(kept);
    }
    err = comparison_result(c, out);
    comparison_close(c);
    return err;
}

/* A dict, a set, a list and a tuple of them in a list, with `last` behind them. */
static struct obj *graph(const char *last)
{
    struct obj *list = RIG_LIST(rig_int(5), rig_str("text"), rig_list(0, NULL));
    struct obj *dict = rig_call(&rig.heap->classes[OBJ_DICT]->head, "new", 0, NULL);
    struct obj *set, *tuple, *key = rig_str("key");

    rig_call(dict, "set", 2, (struct obj *const[]){key, list});
    rig_call(dict, "set", 2, (struct obj *const[]){rig_int(1), key});
    set = rig_call(&rig.heap->classes[OBJ_SET]->head, "new", 1,
                   (struct obj *const[]){RIG_LIST(rig_int(7), rig_str("x"), rig_int(9))});
    tuple = rig_call(&rig.heap->classes[OBJ_TUPLE]->head, "new", 1, (struct obj *const[]){RIG_LIST(dict, set, list)});
    return RIG_LIST(tuple, dict, set, list, rig_str(last));
}

static bool is_text(struct obj *o, struct obj *as)
{
    return text_of(o)->len == text_of(as)->len && memcmp(text_of(o)->bytes, text_of(as)->bytes, text_of(o)->len) == 0;
}

START_TEST(repr_in_slices_of_any_size_is_the_same)
{
    struct obj *root;
    struct obj *whole;
    struct obj *made;

    rig_open();
    root = graph("end");
    rig_call(root, "append", 1, &root); /* [...] */
    ck_assert_int_eq(obj_repr(rig.heap, root, &whole), HD_OK);
    rig_keep(whole);
    for (size_t budget = 1; budget < 40; budget++) {
        heap_work_start(rig.heap);
        ck_assert_int_eq(repr_in_slices(root, budget, &made), HD_OK);
        ck_assert(is_text(rig_keep(made), whole));
        rig_drop(made);
    }
    rig_call(root, "clear", 0, NULL);
    rig_close();
}
END_TEST

START_TEST(comparisons_in_slices_of_any_size_are_the_same)
{
    static const bool expected[][2] = {{true, false}, {false, true}, {false, true}, {true, true}, {false, false},
                                       {true, false}};
    struct obj *root;
    struct obj *others[2];
    bool is_so;

    rig_open();
    root = RIG_LIST(rig_int(1), graph("a"));
    others[0] = RIG_LIST(rig_int(1), graph("a"));
    others[1] = RIG_LIST(rig_int(1), graph("b"));
    for (size_t budget = 1; budget < 40; budget++)
        for (enum compare_op op = COMPARE_EQ; op <= COMPARE_GE; op++)
            for (unsigned i = 0; i < 2; i++) {
                heap_work_start(rig.heap);
                ck_assert_int_eq(compare_in_slices(root, others[i], op, budget, &is_so), HD_OK);
                ck_assert_msg(is_so == expected[op][i], "operator %d with %u, %zu at a time", (int)op, i, budget);
            }
    rig_close();
}
END_TEST

/* Both take so much work that a limit of one unit less is too little, in slices or not. */
START_TEST(looks_in_slices_take_as_much_work_as_in_one_go)
{
    struct obj *a, *b, *made;
    bool is_so;
    uint64_t work[2];

    rig_open();
    a = graph("a");
    b = graph("a");
    heap_work_start(rig.heap);
    ck_assert_int_eq(obj_repr(rig.heap, a, &made), HD_OK);
    rig_drop(rig_keep(made));
    work[0] = rig.heap->work_limit - rig.heap->work_left;
    heap_work_start(rig.heap);
    ck_assert_int_eq(obj_compare(rig.heap, a, b, COMPARE_EQ, &is_so), HD_OK);
    work[1] = rig.heap->work_limit - rig.heap->work_left;
    for (unsigned i = 0; i < 2; i++)
        for (unsigned less = 0; less < 2; less++) {
            enum hd_err err;

            rig.heap->work_limit = work[i] - less;
            heap_work_start(rig.heap);
            err = i == 0 ? repr_in_slices(a, 2, &made) : compare_in_slices(a, b, COMPARE_EQ, 2, &is_so);
            ck_assert_int_eq(err, less > 0 ? HD_LIMIT : HD_OK);
            if (err == HD_LIMIT)
                ck_assert_ptr_nonnull(strstr(rig.heap->error_text, "limits.work"));
            else if (i == 0)
                rig_drop(rig_keep(made));
        }
    rig_close();
}
END_TEST

START_TEST(looks_in_slices_that_run_out_of_memory_leave_nothing)
{
    struct obj *a, *b, *made;
    uint64_t used;
    bool is_so;

    rig_open();
    a = graph("a");
    b = graph("a");
    rig_run(); /* what making them has left */
    used = *pool_used(rig.heap->pool);
    for (unsigned i = 0; i < 2; i++) {
        enum hd_err err = HD_NO_MEMORY;

        for (uint64_t k = 1; err != HD_OK; k++) {
            meter_fail(&rig.meter, k, false);
            heap_work_start(rig.heap);
            err = i == 0 ? repr_in_slices(a, 1, &made) : compare_in_slices(a, b, COMPARE_LT, 1, &is_so);
            meter_fail(&rig.meter, 0, false);
            ck_assert(err == HD_OK || err == HD_NO_MEMORY);
            if (err == HD_OK && i == 0)
                rig_drop(rig_keep(made));
            rig_run();
            ck_assert_uint_eq(*pool_used(rig.heap->pool), used);
        }
    }
    rig_close();
}
END_TEST

START_TEST(looks_that_are_given_up_leave_nothing_however_far_they_have_come)
{
    struct obj *a, *b;
    uint64_t used;
    bool is_done = false;

    rig_open();
    a = graph("a");
    b = graph("a");
    rig_run(); /* what making them has left */
    used = *pool_used(rig.heap->pool);
    for (unsigned slices = 0; !is_done; slices++) {
        struct repr *r;
        struct comparison *c;

        heap_work_start(rig.heap);
        ck_assert_int_eq(repr_open(rig.heap, a, &r), HD_OK);
        ck_assert_int_eq(comparison_open(rig.heap, a, b, COMPARE_EQ, &c), HD_OK);
        for (unsigned i = 0; i < slices && !is_done; i++) {
            is_done = repr_run(r, 1);
            if (comparison_run(c, 1)) {
                comparison_close(c);
                ck_assert_int_eq(comparison_open(rig.heap, a, b, COMPARE_EQ, &c), HD_OK);
            }
        }
        repr_close(r);
        comparison_close(c);
        rig_run();
        rig_check();
        ck_assert_uint_eq(*pool_used(rig.heap->pool), used);
    }
    rig_close();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        repr_in_slices_of_any_size_is_the_same,
        comparisons_in_slices_of_any_size_are_the_same,
        looks_in_slices_take_as_much_work_as_in_one_go,
        looks_in_slices_that_run_out_of_memory_leave_nothing,
        looks_that_are_given_up_leave_nothing_however_far_they_have_come,
        NULL,
    };

    return suite_run("looks", tests);
}
