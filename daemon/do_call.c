/*
 * do_call.c - calling a method of an object.
 *
 * Its arguments are read when it is known: a str that a method only looks up needs no object in the heap (a loan).
 */
#include "daemon/call.h"
#include "daemon/convert.h"
#include "daemon/freeze.h"
#include "daemon/long_call.h"
#include "store/attr.h"
#include "store/kind.h"
#include "store/kinds/atoms.h"
#include "store/kinds/methods.h"

/* -- arguments ---------------------------------------------------------------------------------------------------- */

#define FEW 4 /* for so many no memory is asked */

struct values {
    struct obj **items;       /* owned references: few, or as many slots as `capacity` */
    uint32_t count, capacity;
    struct obj *few[FEW];
    struct loan loan;         /* what items[0] may be */
};

/* Takes a str that may be a loan, if that is what comes next. */
static void take_loan(struct reader *reader, struct values *values)
{
    const char *text;
    size_t len;

    if (convert_short_text(reader, &text, &len))
        values->items[values->count++] = loan_str(&values->loan, text, len);
}

_Static_assert(LOAN_MAX >= 31, "the longest str that read_short_str takes");

static enum hd_err read_values(struct call *call, const struct method_row *row, struct values *values)
{
    struct reader *reader = &call->rest;
    uint32_t count = call->rest_count;
    enum hd_err err = heap_work(call->heap, count);

    values->items = values->few;
    values->count = 0;
    values->capacity = FEW;
    if (err != HD_OK || count == 0)
        return err;
    if (count > FEW) {
        values->items = hub_alloc(call->hub, count * sizeof values->items[0]);
        values->capacity = count;
    }
    if (values->items == NULL)
        return heap_no_memory(call->heap);
    if (row->takes_loan)
        take_loan(reader, values);
    while (err == HD_OK && values->count < count) {
        err = convert_value(call->session, reader, &values->items[values->count]);
        if (err == HD_OK)
            values->count++;
    }
    return err;
}

static void drop_values(struct call *call, struct values *values)
{
    for (uint32_t i = 0; i < values->count; i++)
        obj_unref(call->heap, &values->items[i]);
    if (values->items != values->few)
        hub_free(call->hub, values->items, values->capacity * sizeof values->items[0]);
}

/* -- the call ----------------------------------------------------------------------------------------------------- */

/* A method that changes something and returns an element: the answer is made first, so that one that cannot be sent
 * changes nothing. */
__attribute__((noinline)) static enum hd_err call_answering_first(struct call *call, const struct obj_call *found,
                                                                   const struct values *args)
{
    uint64_t first = call->session->handles.next;
    struct obj *result = NULL;
    enum hd_err err = found->row->peek(call->heap, found->self, args->items, args->count, &result);

    if (err == HD_OK)
        err = reply_object_take(call, &result);
    if (err != HD_OK)
        return err;
    err = kind_call(call->heap, found->row, found->self, args->items, args->count, &result);
    if (err == HD_OK)
        obj_unref(call->heap, &result);
    else
        reply_undo(call, first);
    return err;
}

static inline __attribute__((always_inline)) enum hd_err call_found(struct call *call, const struct obj_call *found,
                                                                    const struct values *args)
{
    const struct method_row *row = found->row;
    struct obj *result = NULL;
    enum hd_err err;

    if (row->peek != NULL && args->count >= row->least && args->count <= row->most)
        return call_answering_first(call, found, args);
    err = reply_reserve(call);
    if (err == HD_OK)
        err = kind_call(call->heap, row, found->self, args->items, args->count, &result);
    return err == HD_OK ? reply_object_take(call, &result) : err;
}

/* A method of a queue: `take` may have to wait, and others may end a wait. */
__attribute__((noinline)) static enum hd_err call_queue(struct call *call, const struct obj_call *found,
                                                         const struct values *args)
{
    struct queue *queue = queue_of(found->self);
    bool takes = found->row->run == queue_method_take && args->count <= found->row->most;
    double seconds = 0;
    enum hd_err err;

    if (takes && call->is_step)
        return heap_fail(call->heap, HD_BAD_ARGS, "call: take waits, and may not stand in a batch");
    err = takes ? queue_timeout(call->heap, args->items, args->count, &seconds) : HD_OK;
    if (err == HD_OK && takes && queue->len == 0 && !queue->is_closed && seconds > 0)
        return taker_wait(call, queue, seconds, args->count > 0 ? args->items[0] : NULL);
    if (err == HD_OK)
        err = call_found(call, found, args);
    if (err == HD_OK && !TAILQ_EMPTY(&queue->takers))
        takers_notice(call->hub, queue);
    return err;
}

/* A call whose arguments are there. */
static inline __attribute__((always_inline)) enum hd_err call_read(struct call *call, const struct obj_call *found,
                                                                   const struct values *args)
{
    if (kind_is_common(found->row) && long_call_takes(found, args->count))
        return long_call(call, found, args->items);
    return found->self->type == OBJ_QUEUE ? call_queue(call, found, args) : call_found(call, found, args);
}

enum hd_err do_call(struct call *call)
{
    struct obj_call found;
    struct values args;
    struct obj *self;
    enum hd_err err = obj_find_call(call->heap, call->args[0].o, call->args[1].text, call->args[1].text_len, &found);

    if (err != HD_OK)
        return err;
    if (freeze_holds(call->heap, found.self) && kind_changes(found.self, found.row))
        return freeze_wait_to_write(call);
    self = obj_ref(found.self); /* a proxy's target, or an attribute, may lose its last holder in the call */
    err = read_values(call, found.row, &args);
    if (err == HD_OK)
        err = call_read(call, &found, &args);
    drop_values(call, &args);
    obj_unref(call->heap, &self);
    return err;
}
