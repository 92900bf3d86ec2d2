/* do_memory.c - what the server knows of an object: counts, sizes, references. */
#include <time.h>

#include "daemon/call.h"
#include "daemon/convert.h"
#include "daemon/holding.h"
#include "daemon/job.h"
#include "store/kind.h"
#include "store/kinds/object.h"
#include "store/size.h"
#include "store/weak.h"

/* The request's own reference is not counted. */
static uint64_t count_of(const struct obj *o)
{
    return o->count - 1;
}

enum hd_err do_refcount(struct call *call)
{
    const struct obj *o = call->args[0].o;

    return obj_is_immortal(o) ? reply_nil(call) : reply_uint(call, count_of(o));
}

static void pack_class(struct buf *out, struct heap *heap, const struct obj *o)
{
    size_t len;
    const char *name = class_name(o->type == OBJ_OBJECT ? o : &heap->classes[o->type]->head, &len);

    pack_str(out, name, len);
}

/* A death's time is kept on the monotonic clock; people want to know when it was: seconds since 1970. */
static double seconds_since_1970(const struct hub *hub, uint64_t monotonic_ns)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9 -
           (double)(hub->ops.now_ns(hub->ops.context) - monotonic_ns) / 1e9;
}

static void pack_death(struct buf *out, const struct hub *hub, const struct obj *weak)
{
    uint64_t died_ns;

    pack_cstr(out, "cause");
    pack_cstr(out, weak_cause_name(weak_death(hub->heap, weak, &died_ns)));
    pack_cstr(out, "died");
    pack_float(out, seconds_since_1970(hub, died_ns));
}

/* What a count of the holders found, told by `info` with holders. */
struct held {
    uint64_t bindings, handles, containers;
};

static void pack_held(struct buf *out, const struct held *held)
{
    pack_entry_uint(out, "bindings", held->bindings);
    pack_entry_uint(out, "handles", held->handles);
    pack_entry_uint(out, "containers", held->containers);
}

static void pack_about(struct buf *out, struct heap *heap, struct obj *o)
{
    pack_entry_uint(out, "id", o->id);
    pack_cstr(out, "type");
    pack_cstr(out, obj_type_name(o->type));
    pack_cstr(out, "class");
    pack_class(out, heap, o);
    pack_cstr(out, "refcount");
    if (obj_is_immortal(o))
        pack_nil(out);
    else
        pack_uint(out, count_of(o));
    pack_entry_uint(out, "weakrefs", weak_count(heap, o));
    pack_entry_uint(out, "bytes", kind_of(o)->bytes(o));
    pack_cstr(out, "len");
    if (kind_of(o)->length != NULL)
        pack_uint(out, kind_of(o)->length(o));
    else
        pack_nil(out);
    pack_cstr(out, "tracked");
    pack_bool(out, obj_type_is_container(o->type) && !obj_is_immortal(o));
}

/* `held`: NULL if it was not asked for. */
static enum hd_err reply_info(struct call *call, struct obj *o, const struct held *held)
{
    bool is_dead_weak = o->type == OBJ_WEAKREF && weak_target_peek(call->heap, o) == NULL;
    struct buf *out = reply_begin(call);

    if (out == NULL)
        return HD_OK;
    pack_map(out, 8 + (is_dead_weak ? 2 : 0) + (held != NULL ? 3 : 0));
    pack_about(out, call->heap, o);
    if (is_dead_weak)
        pack_death(out, call->hub, o);
    if (held != NULL)
        pack_held(out, held);
    return HD_OK;
}

static bool count_holder(void *arg, struct obj *container, const struct slot *slot, bool is_seen,
                         struct session *session, uint64_t handle)
{
    struct held *held = arg;

    (void)slot;
    (void)is_seen;
    (void)session;
    if (container == NULL)
        held->handles += handle != 0; /* the rest are pins */
    else if (container->type == OBJ_NAMESPACE)
        held->bindings++;
    else
        held->containers++;
    return true;
}

static enum hd_err answer_holders(struct call *call, void *state)
{
    struct holding_job *job = state;
    struct held held = {0};

    if (job->err != HD_OK)
        return heap_no_memory(call->heap);
    holding_each_now(call->hub, job, count_holder, &held);
    return reply_info(call, job->target, &held);
}

static const struct job_kind holders_kind = {holding_slice, answer_holders, holding_drop, holding_roots};

enum hd_err do_info(struct call *call)
{
    if (opts_flag(&call->opts, RPC_OPTION_HOLDERS) && call->is_request)
        return holding_begin(call, call->args[0].o, UINT64_MAX, false, &holders_kind);
    return reply_info(call, call->args[0].o, NULL);
}

enum hd_err do_sizeof(struct call *call)
{
    uint64_t bytes;
    enum hd_err err;

    if (!opts_flag(&call->opts, RPC_OPTION_DEEP))
        return reply_uint(call, kind_of(call->args[0].o)->bytes(call->args[0].o));
    err = size_deep(call->heap, call->args[0].o, &bytes);
    return err == HD_OK ? reply_uint(call, bytes) : err;
}

/* -- referents ---------------------------------------------------------------------------------------------------- */

struct referents {
    struct call *call;
    struct buf *out;      /* NULL: only counts */
    uint64_t skip, left;
    uint64_t count;
    enum hd_err err;
};

static enum hd_err pack_referent(struct referents *r, struct obj *o)
{
    uint64_t handle;
    enum hd_err err;

    if (convert_is_scalar(o)) {
        convert_pack_scalar(r->out, o);
        return HD_OK;
    }
    err = convert_open_handle(r->call->session, o, &handle);
    if (err == HD_OK)
        convert_pack_handle(r->call->session, r->out, handle, o);
    return err;
}

static bool visit_referent(void *arg, const struct slot *slot)
{
    struct referents *r = arg;

    if (r->skip > 0) {
        r->skip--;
        return true;
    }
    if (r->count == r->left)
        return false;
    r->count++;
    r->err = r->out == NULL ? heap_work(r->call->heap, 1) : pack_referent(r, slot->target);
    return r->err == HD_OK;
}

static enum hd_err walk_referents(struct call *call, struct buf *out, uint64_t *count)
{
    struct obj *o = call->args[0].o;
    struct referents r = {.call = call, .out = out, .left = opts_number(&call->opts, RPC_OPTION_LIMIT, UINT64_MAX),
                          .skip = opts_number(&call->opts, RPC_OPTION_AFTER, 0)};

    (void)obj_traverse(o, visit_referent, &r);
    *count = r.count;
    return r.err;
}

enum hd_err do_referents(struct call *call)
{
    uint64_t first = call->session->handles.next;
    uint64_t count;
    struct buf *out;
    enum hd_err err = walk_referents(call, NULL, &count);

    if (err != HD_OK)
        return err;
    out = reply_begin(call);
    if (out == NULL)
        return HD_OK;
    pack_array(out, count);
    err = walk_referents(call, out, &count);
    if (err != HD_OK)
        convert_close_handles(call->session, first);
    return err;
}
