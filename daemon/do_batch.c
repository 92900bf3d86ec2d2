/*
 * do_batch.c - many calls as one atomic step.
 *
 * The steps run one after another within one request: nobody else is served between them, and limits.work holds for
 * all of them together. What they doom dies between them as far as BATCH_DEATHS goes, then after the last one, in
 * slices, as that of every request. Their results are packed one behind the other, each as its own response would
 * be.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/call.h"
#include "daemon/convert.h"
#include "daemon/freeze.h"

#define BATCH_DEATHS 10000u       /* objects that die between the steps of one batch, */
#define BATCH_REFERENCES 1000000u /* and references that are dropped for it */
#define STEP_ROOM 1024u           /* bytes of a result that does not check for room by itself */

struct batch {
    struct call *call;
    struct reader reader;   /* before the next step */
    uint64_t deaths_end;    /* of step->doomed, up to which objects die between steps */
    size_t references_left;
};

/* Dying between two steps. */
static void let_die(struct batch *batch)
{
    struct heap *heap = batch->call->heap;
    struct step *step = &batch->call->session->step;

    while (!step_is_empty(step) && step->doomed < batch->deaths_end && batch->references_left > 0) {
        size_t budget = (size_t)(batch->deaths_end - step->doomed);

        if (budget > batch->references_left)
            budget = batch->references_left;
        batch->references_left -= budget;
        step_run(heap, step, budget);
    }
}

/* [method, params]: its envelope. The reader is then behind it. */
static bool read_step(struct reader *reader, struct envelope *envelope)
{
    struct reader step = *reader;
    struct wire wire = read_next(&step);
    struct wire method, params;

    read_skip(reader);
    if (wire.kind != WIRE_ARRAY || wire.len != 2)
        return false;
    method = read_next(&step);
    params = read_next(&step);
    if ((method.kind != WIRE_STR && method.kind != WIRE_BIN) || params.kind != WIRE_ARRAY)
        return false;
    *envelope = (struct envelope){.method = method.bytes, .method_len = method.len, .param_count = params.len,
                                  .params = step.at, .end = reader->at};
    return true;
}

static enum hd_err run_step(struct batch *batch)
{
    struct session *session = batch->call->session;
    struct envelope envelope;
    struct call call;
    enum hd_err err = heap_work(batch->call->heap, 1);

    call_init(&call, session);
    call.is_request = batch->call->is_request;
    call.is_step = true;
    if (err == HD_OK && !read_step(&batch->reader, &envelope))
        err = heap_fail(call.heap, HD_BAD_ARGS, "batch: a step is [method, params]");
    if (err != HD_OK)
        return err;
    buf_reserve(&session->out, STEP_ROOM);
    err = reply_check(&call);
    if (err == HD_OK)
        err = dispatch_step(&call, &envelope);
    return err == HD_OK ? reply_check(&call) : err;
}

/* "... (at step 3)", also behind a text that fills all its room. */
static enum hd_err name_step(struct heap *heap, enum hd_err err, uint32_t k)
{
    char where[32];
    size_t len = strlen(heap->error_text);
    size_t where_len = (size_t)snprintf(where, sizeof where, " (at step %u)", k);

    if (len + where_len >= HEAP_ERROR_TEXT)
        len = HEAP_ERROR_TEXT - 1 - where_len;
    memcpy(heap->error_text + len, where, where_len + 1);
    return err;
}

static enum hd_err run_steps(struct call *call)
{
    struct session *session = call->session;
    uint64_t first = session->handles.next;
    struct batch batch = {.call = call, .reader = call->rest, .deaths_end = session->step.doomed + BATCH_DEATHS,
                          .references_left = BATCH_REFERENCES};
    struct buf *out = reply_begin(call);
    enum hd_err err = HD_OK;

    if (out != NULL)
        pack_array(out, call->rest_count);
    for (uint32_t k = 0; err == HD_OK && k < call->rest_count; k++) {
        if (k > 0)
            let_die(&batch);
        err = run_step(&batch);
        if (err != HD_OK)
            err = name_step(call->heap, err, k);
    }
    if (err != HD_OK) { /* nobody is told the numbers that the server gave */
        convert_close_handles(session, first);
        buf_rewind(&session->out, call->reply_at);
        call_end_guessing(call);
    }
    return err;
}

/* Whether a step may change a container. */
static bool may_write(const struct call *call)
{
    struct reader reader = call->rest;
    struct envelope envelope;

    for (uint32_t k = 0; k < call->rest_count && read_step(&reader, &envelope); k++) {
        unsigned number = rpc_index_find(&call->hub->methods, envelope.method, envelope.method_len);

        if (number == RPC_call || number == RPC_setattr || number == RPC_delattr)
            return true;
    }
    return false;
}

enum hd_err do_batch(struct call *call)
{
    if (call->heap->frozen_below > 0 && may_write(call))
        return freeze_wait_to_write(call);
    return run_steps(call);
}
