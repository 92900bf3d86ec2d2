/* do_verify.c - every count is recounted on the live server, in slices (store/recount.h). A job (job.h). */
#include "daemon/call.h"
#include "daemon/job.h"
#include "store/recount.h"

enum stage { CONTAINERS, ROOTS, COMPARE, DRAIN, CLOSE, DONE };

struct verifying {
    struct recount recount;
    struct root_walk roots;
    enum stage stage;
    uint64_t since;      /* DRAIN: for what is dying since then */
    bool is_undisturbed; /* nothing happened at all, and nothing is dying */
};

static void drop(struct session *session, void *state)
{
    struct verifying *v = state;

    roots_end(session->hub, &v->roots);
    recount_end(&v->recount);
    hub_free(session->hub, v, sizeof *v);
}

static void count_root(void *arg, const struct root *root)
{
    recount_root(arg, root->o);
}

static void end_pass(struct hub *hub, struct verifying *v)
{
    if (v->recount.pass == 1)
        v->is_undisturbed = recount_was_undisturbed(&v->recount) && hub_is_drained(hub, UINT64_MAX);
    v->stage = recount_next(&v->recount) ? CONTAINERS : CLOSE;
}

static void look(struct hub *hub, struct verifying *v, size_t *budget)
{
    switch (v->stage) {
    case CONTAINERS:
        if (!recount_some(&v->recount, budget))
            break;
        v->stage = ROOTS;
        roots_begin(hub, &v->roots, NULL);
        break;
    case ROOTS:
        if (roots_some(hub, &v->roots, budget, count_root, &v->recount))
            v->stage = COMPARE;
        break;
    case COMPARE:
        if (!recount_compare(&v->recount, budget))
            break;
        v->since = hub->joined;
        v->stage = DRAIN;
        break;
    case DRAIN:
        if (recount_has_doubts(&v->recount) && !hub_is_drained(hub, v->since)) {
            *budget = 0;
            break;
        }
        recount_confirm(&v->recount);
        end_pass(hub, v);
        break;
    case CLOSE:
        if (recount_end_some(&v->recount))
            v->stage = DONE;
        break;
    case DONE:
        break;
    }
}

struct slice {
    struct hub *hub;
    struct verifying *v;
};

static bool part(void *arg, size_t budget)
{
    const struct slice *slice = arg;

    look(slice->hub, slice->v, &budget);
    return slice->v->stage == DONE || slice->v->stage == DRAIN;
}

/* It waits for the dying of others: a slice that can only wait ends at once. */
static bool slice(struct session *session, void *state)
{
    struct slice slice = {session->hub, state};

    (void)hub_slice(session->hub, session->hub->settings.slice_us, part, &slice);
    return slice.v->stage == DONE;
}

/* -- the answer --------------------------------------------------------------------------------------------------- */

static uint32_t lost_types(const struct verifying *v)
{
    uint32_t count = 0;

    for (unsigned type = 0; v->is_undisturbed && type < OBJ_TYPES; type++)
        count += v->recount.met[type] != v->recount.live[type];
    return count;
}

static void pack_type(struct buf *out, unsigned type, uint32_t more)
{
    pack_map(out, 1 + more);
    pack_cstr(out, "type");
    pack_cstr(out, obj_type_name(type));
}

/* Objects that are alive and that nothing refers to: nobody can name them, only their number is known. */
static void pack_lost(struct buf *out, const struct verifying *v)
{
    for (unsigned type = 0; v->is_undisturbed && type < OBJ_TYPES; type++) {
        if (v->recount.met[type] == v->recount.live[type])
            continue;
        pack_type(out, type, 2);
        pack_entry_uint(out, "alive", v->recount.live[type]);
        pack_entry_uint(out, "held", v->recount.met[type]);
    }
}

static void pack_differences(struct buf *out, const struct verifying *v)
{
    uint32_t count = v->recount.difference_count;

    pack_array(out, count + lost_types(v));
    for (uint32_t i = 0; i < count; i++) {
        const struct difference *difference = &v->recount.differences[i];

        pack_type(out, difference->type, 3);
        pack_entry_uint(out, "id", difference->id);
        pack_entry_uint(out, "refcount", difference->count);
        pack_entry_uint(out, "holders", difference->held);
    }
    pack_lost(out, v);
}

static enum hd_err answer(struct call *call, void *state)
{
    const struct verifying *v = state;
    struct buf *out = reply_begin(call);

    if (out == NULL)
        return HD_OK;
    pack_map(out, 3);
    pack_entry_uint(out, "objects", v->recount.objects);
    pack_entry_uint(out, "checked", v->recount.checked);
    pack_cstr(out, "differences");
    pack_differences(out, v);
    return HD_OK;
}

static const struct job_kind kind = {slice, answer, drop, NULL};

enum hd_err do_verify(struct call *call)
{
    struct verifying *v = hub_alloc(call->hub, sizeof *v);
    enum hd_err err;

    if (v == NULL)
        return heap_no_memory(call->heap);
    *v = (struct verifying){.stage = CONTAINERS};
    err = recount_begin(&v->recount, call->heap);
    if (err == HD_OK)
        return job_begin(call, &kind, v);
    hub_free(call->hub, v, sizeof *v);
    return err;
}
