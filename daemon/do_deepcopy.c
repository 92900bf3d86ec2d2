/* do_deepcopy.c - a deep copy, in slices if it is long (freeze.h). */
#include "daemon/freeze.h"
#include "store/copy.h"

static bool run(void *state, size_t budget)
{
    return deepcopy_run(state, budget);
}

static enum hd_err answer(struct call *call, void *state)
{
    struct obj *copy = NULL;
    enum hd_err err = deepcopy_result(state, &copy);

    return err == HD_OK ? reply_object_take(call, &copy) : err;
}

static void close_copy(void *state)
{
    deepcopy_close(state);
}

static void cancel(void *state)
{
    deepcopy_cancel(state);
}

static void roots(void *state, void (*visit)(void *arg, struct obj *o), void *arg)
{
    deepcopy_roots(state, visit, arg);
}

static const struct long_work work = {true, run, answer, close_copy, cancel, roots};

/* A copy with a cycle in it would not die of an answer that cannot be sent: so the answer is tried with the
 * original. */
static enum hd_err try_answer(struct call *call)
{
    uint64_t first = call->session->handles.next;
    enum hd_err err = reply_object(call, call->args[0].o);

    if (err == HD_OK)
        reply_undo(call, first);
    return err;
}

enum hd_err do_deepcopy(struct call *call)
{
    struct deepcopy *copy;
    enum hd_err err = try_answer(call);

    if (err == HD_OK)
        err = deepcopy_open(call->heap, call->args[0].o, &copy);
    return err == HD_OK ? freeze_run(call, &work, copy) : err;
}
