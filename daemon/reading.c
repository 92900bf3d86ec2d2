/* reading.c - an object by value as an answer, in slices if it is long (freeze.h). */
#include "daemon/convert.h"
#include "daemon/freeze.h"

#define QUICK_VALUES ((size_t)4096) /* so many are packed at once, straight into the output */
#define NESTING 1u                  /* the envelope's */

struct reading {
    struct hub *hub;
    struct packer *packer;
    struct buf answer;
};

static bool run(void *state, size_t budget)
{
    const struct reading *reading = state;

    return convert_pack_run(reading->packer, budget);
}

static enum hd_err answer(struct call *call, void *state)
{
    struct reading *reading = state;
    enum hd_err err = convert_pack_result(reading->packer);

    if (err == HD_OK)
        err = reply_adopt(call, &reading->answer);
    if (err == HD_OK)
        convert_pack_keep(reading->packer);
    return err;
}

static void close_reading(void *state)
{
    struct reading *reading = state;

    if (reading->packer != NULL)
        convert_pack_close(reading->packer);
    buf_fini(&reading->answer);
    hub_free(reading->hub, reading, sizeof *reading);
}

static void roots(void *state, void (*visit)(void *arg, struct obj *o), void *arg)
{
    const struct reading *reading = state;

    convert_pack_roots(reading->packer, visit, arg);
}

static const struct long_work work = {true, run, answer, close_reading, close_reading, roots};

static enum hd_err read_in_slices(struct call *call, struct obj *o, uint64_t levels)
{
    struct reading *reading = hub_alloc(call->hub, sizeof *reading);

    if (reading == NULL)
        return heap_no_memory(call->heap);
    *reading = (struct reading){.hub = call->hub};
    buf_init(&reading->answer, SIZE_MAX / 2, &call->hub->streams);
    reply_front(&reading->answer);
    reading->packer = convert_pack_open(call->session, &reading->answer, o, levels, NESTING);
    if (reading->packer != NULL)
        return freeze_run(call, &work, reading);
    close_reading(reading);
    return heap_no_memory(call->heap);
}

enum hd_err reply_value(struct call *call, struct obj *o, uint64_t levels)
{
    uint64_t work_left = call->heap->work_left;
    struct buf *out = reply_begin(call);
    bool is_long = false;
    enum hd_err err;

    if (out == NULL)
        return HD_OK;
    err = convert_pack_value(call->session, out, o, levels, call->is_step ? NESTING + 1 : NESTING,
                             call->is_step ? SIZE_MAX : QUICK_VALUES, &is_long);
    if (!is_long)
        return err;
    buf_rewind(out, call->reply_at);
    call->heap->work_left = work_left;
    return read_in_slices(call, o, levels);
}
