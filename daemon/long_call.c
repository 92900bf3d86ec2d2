/* long_call.c - see long_call.h. */
#include "daemon/long_call.h"

#include "daemon/freeze.h"
#include "store/compare.h"
#include "store/kind.h"
#include "store/kinds/atoms.h"
#include "store/kinds/methods.h"

static const struct {
    method_fn *run;
    enum compare_op op;
} comparisons[] = {
    {any_method_eq, COMPARE_EQ}, {any_method_ne, COMPARE_NE}, {any_method_lt, COMPARE_LT},
    {any_method_le, COMPARE_LE}, {any_method_gt, COMPARE_GT}, {any_method_ge, COMPARE_GE},
};

#define COMPARISONS (sizeof comparisons / sizeof comparisons[0])

/* The place of the method in the table; COMPARISONS: it is no comparison. */
static size_t find_comparison(const struct method_row *row)
{
    size_t i = 0;

    while (i < COMPARISONS && comparisons[i].run != row->run)
        i++;
    return i;
}

bool long_call_takes(const struct obj_call *found, uint32_t count)
{
    unsigned type = found->self->type;
    const struct method_row *row = found->row;

    if (type != OBJ_LIST && type != OBJ_TUPLE && type != OBJ_DICT && type != OBJ_SET)
        return false;
    return count >= row->least && count <= row->most &&
           (row->run == any_method_repr || find_comparison(row) < COMPARISONS);
}

/* -- comparisons -------------------------------------------------------------------------------------------------- */

static bool run_comparison(void *state, size_t budget)
{
    return comparison_run(state, budget);
}

static enum hd_err answer_comparison(struct call *call, void *state)
{
    bool is_so;
    enum hd_err err = comparison_result(state, &is_so);

    return err == HD_OK ? reply_object(call, bool_obj(call->heap, is_so)) : err;
}

static void close_comparison(void *state)
{
    comparison_close(state);
}

static void roots_of_comparison(void *state, void (*visit)(void *arg, struct obj *o), void *arg)
{
    comparison_roots(state, visit, arg);
}

static const struct long_work comparison_work = {true, run_comparison, answer_comparison, close_comparison,
                                                 close_comparison, roots_of_comparison};

/* -- repr --------------------------------------------------------------------------------------------------------- */

#define LONG_TEXT UINT32_C(65536) /* bytes from which on a str is packed in slices */

struct writing {
    struct hub *hub;
    struct repr *repr;
    struct obj *text;   /* owned: what it gave, or NULL */
    bool is_plain;      /* the answer is a str, with no wishes for it */
    bool is_packed;     /* into `answer`: */
    size_t packed;      /* so many bytes of it */
    struct buf answer;
};

static void begin_packing(struct writing *w)
{
    uint32_t len = text_of(w->text)->len;

    w->is_packed = w->is_plain && len >= LONG_TEXT;
    if (!w->is_packed)
        return;
    reply_front(&w->answer);
    pack_str_head(&w->answer, len);
    buf_reserve(&w->answer, len);
}

static bool run_repr(void *state, size_t budget)
{
    struct writing *w = state;

    if (w->text == NULL) {
        if (!repr_run(w->repr, budget))
            return false;
        if (repr_result(w->repr, &w->text) != HD_OK)
            return true;
        begin_packing(w);
    }
    return !w->is_packed ||
           reply_append_some(&w->answer, text_of(w->text)->bytes, text_of(w->text)->len, &w->packed, budget);
}

static enum hd_err answer_repr(struct call *call, void *state)
{
    struct writing *w = state;

    if (w->text == NULL)
        return repr_result(w->repr, &w->text);
    return w->is_packed ? reply_adopt(call, &w->answer) : reply_object(call, w->text);
}

static void close_repr(void *state)
{
    struct writing *w = state;

    repr_close(w->repr);
    obj_unref(w->hub->heap, &w->text);
    buf_fini(&w->answer);
    hub_free(w->hub, w, sizeof *w);
}

static void roots_of_repr(void *state, void (*visit)(void *arg, struct obj *o), void *arg)
{
    const struct writing *w = state;

    repr_roots(w->repr, visit, arg);
    visit(arg, w->text);
}

static const struct long_work repr_work = {true, run_repr, answer_repr, close_repr, close_repr, roots_of_repr};

static enum hd_err call_repr(struct call *call, struct obj *self)
{
    struct writing *w = hub_alloc(call->hub, sizeof *w);
    enum hd_err err;

    if (w == NULL)
        return heap_no_memory(call->heap);
    *w = (struct writing){.hub = call->hub, .is_plain = call->is_request && call->opts.into == 0 &&
                                                        call->opts.result == RESULT_AUTO};
    buf_init(&w->answer, SIZE_MAX / 2, &call->hub->streams);
    err = repr_open(call->heap, self, &w->repr);
    if (err == HD_OK)
        return freeze_run(call, &repr_work, w);
    hub_free(call->hub, w, sizeof *w);
    return err;
}

enum hd_err long_call(struct call *call, const struct obj_call *found, struct obj *const *args)
{
    struct comparison *comparison;
    enum hd_err err = reply_reserve(call);

    if (err != HD_OK)
        return err;
    if (found->row->run == any_method_repr)
        return call_repr(call, found->self);
    err = comparison_open(call->heap, found->self, args[0], comparisons[find_comparison(found->row)].op,
                          &comparison);
    return err == HD_OK ? freeze_run(call, &comparison_work, comparison) : err;
}
