/* test_depth.c - what clients nest is walked without recursion: every walk ends on a stack of 64 kilobytes. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "store/compare.h"
#include "store/copy.h"
#include "store/kinds/atoms.h"
#include "store/kinds/sequence.h"
#include "store/size.h"
#include "tests/rig.h"

#define DEEP 100000u
#define STACK ((size_t)64 * 1024)

/* A sequence in a sequence in a sequence ...; the innermost holds an int. Kept. */
static struct obj *nest(enum obj_type type)
{
    struct obj *o;

    if (int_new(rig.heap, 1000, &o) != HD_OK)
        abort();
    for (unsigned i = 0; i < DEEP; i++) {
        struct obj *outer;
        enum hd_err err = type == OBJ_LIST ? list_new(rig.heap, 1, &outer) : tuple_new(rig.heap, &o, 1, &outer);

        if (err != HD_OK)
            abort();
        if (type == OBJ_LIST)
            list_push_take(outer, &o);
        else
            obj_unref(rig.heap, &o);
        o = outer;
    }
    return rig_keep(o);
}

struct walk {
    enum hd_err (*run)(struct obj *a, struct obj *b);
    struct obj *a, *b;
    enum hd_err err;
};

static void *run_walk(void *arg)
{
    struct walk *walk = arg;

    heap_work_start(rig.heap);
    walk->err = walk->run(walk->a, walk->b);
    rig_run();
    return NULL;
}

/* Two equal structures are made and walked on a small stack. */
static void walk_deep(enum obj_type type, enum hd_err (*run)(struct obj *a, struct obj *b))
{
    pthread_attr_t small;
    pthread_t thread;
    struct walk walk;

    rig_open();
    walk = (struct walk){run, nest(type), nest(type), HD_INTERNAL};
    pthread_attr_init(&small);
    ck_assert_int_eq(pthread_attr_setstacksize(&small, STACK), 0);
    ck_assert_int_eq(pthread_create(&thread, &small, run_walk, &walk), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&small);
    ck_assert_msg(walk.err == HD_OK, "%s", rig.heap->error_text);
    rig_check();
    rig_close();
}

static enum hd_err compare(struct obj *a, struct obj *b)
{
    bool result = false;
    enum hd_err err = obj_compare(rig.heap, a, b, COMPARE_EQ, &result);

    return err == HD_OK && !result ? HD_INTERNAL : err;
}

static enum hd_err order(struct obj *a, struct obj *b)
{
    bool result = false;
    enum hd_err err = obj_compare(rig.heap, a, b, COMPARE_LE, &result);

    return err == HD_OK && !result ? HD_INTERNAL : err;
}

static enum hd_err print(struct obj *a, struct obj *b)
{
    struct obj *text;
    enum hd_err err = obj_repr(rig.heap, a, &text);

    (void)b;
    if (err == HD_OK)
        obj_unref(rig.heap, &text);
    return err;
}

static enum hd_err hash(struct obj *a, struct obj *b)
{
    uint32_t of_a = 0, of_b = 0;
    enum hd_err err = obj_hash(rig.heap, a, &of_a);

    if (err == HD_OK)
        err = obj_hash(rig.heap, b, &of_b);
    return err == HD_OK && of_a != of_b ? HD_INTERNAL : err;
}

static enum hd_err copy(struct obj *a, struct obj *b)
{
    struct obj *made;
    enum hd_err err = obj_deepcopy(rig.heap, a, &made);

    (void)b;
    if (err == HD_OK)
        obj_unref(rig.heap, &made);
    return err;
}

static enum hd_err measure(struct obj *a, struct obj *b)
{
    uint64_t bytes;

    (void)b;
    return size_deep(rig.heap, a, &bytes);
}

START_TEST(deep_lists_are_compared_on_a_small_stack)
{
    walk_deep(OBJ_LIST, compare);
}
END_TEST

START_TEST(deep_tuples_are_ordered_on_a_small_stack)
{
    walk_deep(OBJ_TUPLE, order);
}
END_TEST

START_TEST(deep_lists_are_printed_on_a_small_stack)
{
    walk_deep(OBJ_LIST, print);
}
END_TEST

START_TEST(deep_tuples_are_hashed_on_a_small_stack)
{
    walk_deep(OBJ_TUPLE, hash);
}
END_TEST

START_TEST(deep_lists_are_copied_on_a_small_stack)
{
    walk_deep(OBJ_LIST, copy);
}
END_TEST

START_TEST(deep_tuples_are_judged_and_shared_on_a_small_stack)
{
    walk_deep(OBJ_TUPLE, copy);
}
END_TEST

START_TEST(deep_lists_are_measured_on_a_small_stack)
{
    walk_deep(OBJ_LIST, measure);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        deep_lists_are_compared_on_a_small_stack,
        deep_tuples_are_ordered_on_a_small_stack,
        deep_lists_are_printed_on_a_small_stack,
        deep_tuples_are_hashed_on_a_small_stack,
        deep_lists_are_copied_on_a_small_stack,
        deep_tuples_are_judged_and_shared_on_a_small_stack,
        deep_lists_are_measured_on_a_small_stack,
        NULL,
    };

    return suite_run("depth", tests);
}
