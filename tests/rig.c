/* rig.c - one heap under test. */
#include "tests/rig.h"

#include <stdio.h>
#include <string.h>

#include "store/check.h"
#include "store/kind.h"
#include "store/kinds/atoms.h"
#include "store/kinds/sequence.h"

struct rig rig;

void rig_open(void)
{
    struct heap_config config = {.memory_limit = UINT64_MAX, .work_limit = 2000000};

    meter_init(&rig.meter);
    config.mem = &rig.meter.mem;
    rig.heap = heap_open(&config);
    ck_assert_ptr_nonnull(rig.heap);
    step_init(&rig.step, WEAK_COUNT);
    rig.heap->step = &rig.step;
    rig.kept_count = 0;
}

uint64_t rig_live(void)
{
    uint64_t live = 0;

    for (unsigned type = 0; type < OBJ_TYPES; type++)
        live += rig.heap->live[type];
    return live;
}

void rig_run(void)
{
    while (!step_run(rig.heap, &rig.step, 1000))
        continue;
}

void rig_close(void)
{
    while (rig.kept_count > 0)
        rig_drop(rig.kept[rig.kept_count - 1]);
    rig_run();
    rig_check();
    ck_assert_uint_eq(rig_live(), 0);
    ck_assert_uint_eq(rig.heap->weak_heads.live, 0);
    heap_close(rig.heap);
    ck_assert_uint_eq(rig.meter.bytes, 0);
}

struct obj *rig_keep(struct obj *o)
{
    ck_assert_uint_lt(rig.kept_count, RIG_KEPT);
    rig.kept[rig.kept_count++] = o;
    return o;
}

void rig_drop(struct obj *o)
{
    unsigned i = rig.kept_count;

    while (i > 0 && rig.kept[i - 1] != o)
        i--;
    ck_assert_uint_gt(i, 0);
    obj_unref(rig.heap, &rig.kept[i - 1]);
    rig.kept_count--;
    memmove(&rig.kept[i - 1], &rig.kept[i], (rig.kept_count - (i - 1)) * sizeof rig.kept[0]);
}

static void print_line(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "# %s\n", text);
}

static void check_holder(void *arg, struct obj *holder)
{
    check_root(arg, holder);
}

void rig_check(void)
{
    struct check *check = check_begin(rig.heap);

    ck_assert_ptr_nonnull(check);
    for (unsigned i = 0; i < rig.kept_count; i++)
        check_root(check, rig.kept[i]);
    check_step(check, &rig.step);
    step_each_expired(&rig.step, check_holder, check);
    ck_assert_uint_eq(check_end(check, print_line, NULL), 0);
}

struct obj *rig_int(int64_t value)
{
    struct obj *o;

    ck_assert_int_eq(int_new(rig.heap, value, &o), HD_OK);
    return rig_keep(o);
}

struct obj *rig_str(const char *text)
{
    struct obj *o;

    ck_assert_int_eq(str_new(rig.heap, text, strlen(text), &o), HD_OK);
    return rig_keep(o);
}

struct obj *rig_list(unsigned count, struct obj *const *items)
{
    struct obj *list;

    ck_assert_int_eq(list_new(rig.heap, count, &list), HD_OK);
    for (unsigned i = 0; i < count; i++) {
        struct obj *item = obj_ref(items[i]);

        list_push_take(list, &item);
    }
    return rig_keep(list);
}

struct obj *rig_call(struct obj *self, const char *method, unsigned nargs, struct obj *const *args)
{
    const struct method_row *row = kind_find_method(rig.heap, self->type, method, strlen(method));
    struct obj *result;

    ck_assert_ptr_nonnull(row);
    heap_work_start(rig.heap);
    ck_assert_int_eq(kind_call(rig.heap, row, self, args, nargs, &result), HD_OK);
    return rig_keep(result);
}
