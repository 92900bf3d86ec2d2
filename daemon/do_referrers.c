/* do_referrers.c - who holds an object. */
#include "daemon/convert.h"
#include "daemon/holding.h"
#include "daemon/job.h"
#include "daemon/rows.h"

struct packing {
    struct call *call;
    const struct obj *target;
    enum hd_err err;
};

static bool pack_row(void *arg, struct obj *container, const struct slot *slot, bool is_seen, struct session *session,
                     uint64_t handle)
{
    struct packing *packing = arg;

    if (container != NULL)
        packing->err = rows_pack_slot(packing->call, container, slot, is_seen);
    else
        rows_pack_root(packing->call, session, handle, packing->target);
    return packing->err == HD_OK;
}

static enum hd_err answer(struct call *call, void *state)
{
    struct holding_job *job = state;
    struct packing packing = {call, job->target, HD_OK};
    uint64_t first = call->session->handles.next;
    uint64_t work = call->hub->settings.limit_work;
    uint64_t count;
    struct buf *out;

    if (job->err != HD_OK)
        return heap_no_memory(call->heap);
    count = holding_each_now(call->hub, job, NULL, NULL);
    if (count > work)
        return heap_fail(call->heap, HD_LIMIT, "more than limits.work (%llu) refer to it: ask for fewer with 'limit'",
                         (unsigned long long)work);
    out = reply_begin(call);
    pack_array(out, count);
    holding_each_now(call->hub, job, pack_row, &packing);
    if (packing.err == HD_OK)
        packing.err = reply_check(call);
    if (packing.err != HD_OK)
        convert_close_handles(call->session, first);
    return packing.err;
}

static const struct job_kind kind = {holding_slice, answer, holding_drop, holding_roots};

static enum hd_err reply_nothing(struct call *call)
{
    struct buf *out = reply_begin(call);

    if (out != NULL)
        pack_array(out, 0);
    return HD_OK;
}

enum hd_err do_referrers(struct call *call)
{
    uint64_t most = call->hub->settings.limit_work + 1; /* one more than can be told, to know that there are */
    uint64_t limit = opts_number(&call->opts, RPC_OPTION_LIMIT, most);

    if (limit == 0 || !call->is_request)
        return reply_nothing(call);
    return holding_begin(call, call->args[0].o, limit < most ? limit : most, true, &kind);
}
