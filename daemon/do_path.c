/*
 * do_path.c - why is it alive: the shortest chain of counting references from a root. A job (job.h).
 *
 * A search from all roots finds the chain (store/why.h), a second look at the roots what holds its beginning, and a
 * search from what the asker has which containers of it he may be shown. Then, in one moment, each link is looked at:
 * when one does not hold any more, all begins again. So every link holds when the answer is written; and nil is
 * answered only after a search that saw every reference that went, and had nothing left to look into.
 */
#include "daemon/convert.h"
#include "daemon/job.h"
#include "daemon/rows.h"
#include "daemon/sight.h"

/* Names come before handles: they tell more. */
enum stage { SPACES, NAMES, ROOTS, SEARCH, CLOSE, TOP, SIGHT, DONE };

struct tracing {
    struct obj *target;    /* owned: the request's pin */
    struct search search;
    struct root_walk roots;
    struct ledger chain;   /* rows from the top down; a: the asker reaches it; b: where it holds the next one */
    struct sight sight;
    enum stage stage;
    uint32_t spaces;       /* how many namespaces there are */
    struct held_root root; /* what holds the beginning, unless it begins with a name, */
    bool has_root;         /* if that was found */
    bool is_held;          /* a chain was found */
    bool is_unsure;        /* it was not, or did not hold: search again */
    bool hides_pin;        /* the request's own does not count */
    const struct session *left_out; /* its handles are no roots; or NULL */
    enum hd_err err;
};

/* -- beginning and end -------------------------------------------------------------------------------------------- */

static void forget_chain(struct tracing *t)
{
    sight_end(&t->sight);
    ledger_close(&t->chain);
    t->is_held = t->has_root = false;
}

static enum hd_err begin(struct hub *hub, struct tracing *t)
{
    forget_chain(t);
    t->stage = SPACES;
    roots_begin(hub, &t->roots, NULL);
    return search_begin(&t->search, hub->heap, t->target, NULL, NULL);
}

static void drop(struct session *session, void *state)
{
    struct tracing *t = state;

    forget_chain(t);
    roots_end(session->hub, &t->roots);
    search_end(&t->search);
    obj_unref(session->hub->heap, &t->target);
    hub_free(session->hub, t, sizeof *t);
}

static void show_roots(void *state, void (*visit)(void *arg, struct obj *o), void *arg)
{
    const struct tracing *t = state;

    if (!t->hides_pin)
        visit(arg, t->target);
}

/* -- stages ------------------------------------------------------------------------------------------------------- */

static void search_space(void *arg, const struct root *root)
{
    if (root->o->type == OBJ_NAMESPACE)
        search_root(arg, root->o);
}

static bool is_left_out(const struct tracing *t, const struct root *root)
{
    return root->kind == ROOT_HANDLE && root->session == t->left_out;
}

static void search_from(void *arg, const struct root *root)
{
    struct tracing *t = arg;

    if (!is_left_out(t, root))
        search_root(&t->search, root->o);
}

/* The i-th of the chain from the top, NULL if it is dead; behind its containers the target. */
static struct obj *object_at(const struct tracing *t, uint32_t i)
{
    return i < t->chain.len ? t->chain.rows[i].o : t->target;
}

static bool begins_with_name(const struct tracing *t)
{
    return t->chain.len > 0 && object_at(t, 0) != NULL && object_at(t, 0)->type == OBJ_NAMESPACE;
}

/* One container of the way that was found. False if it has died since: then the chain does not hold. */
static bool keep_link(struct tracing *t, uint32_t row, uint32_t below)
{
    struct obj *o = t->search.ledger.rows[row].o;

    if (o != NULL)
        ledger_add(&t->chain, o)->b = below == SEARCH_NONE ? t->search.from : t->search.ledger.rows[below].b;
    return o != NULL;
}

static bool keep_way(struct tracing *t, const uint32_t *way, uint64_t length)
{
    bool holds = true;

    for (uint64_t i = 0; holds && i < length; i++)
        holds = keep_link(t, way[i], i + 1 < length ? way[i + 1] : SEARCH_NONE);
    return holds;
}

/* The search found a chain: keeps it, so that the search may go. LIMIT when it is too long to be told. */
static enum hd_err keep_chain(struct session *session, struct tracing *t)
{
    struct heap *heap = session->hub->heap;
    uint64_t length = search_length(&t->search);
    uint32_t *way;
    enum hd_err err;

    if (length > session->hub->settings.limit_work)
        return heap_fail(heap, HD_LIMIT, "the shortest chain has more than limits.work (%llu) links",
                         (unsigned long long)session->hub->settings.limit_work);
    err = ledger_open(&t->chain, heap, length, NULL, NULL);
    if (err != HD_OK)
        return err;
    way = pool_alloc(heap->pool, (length + 1) * sizeof *way, POOL_DATA);
    if (way == NULL)
        return heap_no_memory(heap);
    search_way(&t->search, way, length);
    t->is_held = keep_way(t, way, length);
    pool_free(heap->pool, way, (length + 1) * sizeof *way, POOL_DATA);
    return HD_OK;
}

static enum hd_err begin_top(struct session *session, struct tracing *t)
{
    if (begins_with_name(t)) {
        t->stage = SIGHT;
        return sight_begin(&t->sight, session, &t->chain);
    }
    t->stage = TOP;
    roots_begin(session->hub, &t->roots, NULL);
    return HD_OK;
}

static void meet_root(void *arg, const struct root *root)
{
    struct tracing *t = arg;

    if (t->has_root || root->o != object_at(t, 0) || is_left_out(t, root))
        return;
    t->has_root = true;
    t->root = (struct held_root){root->session != NULL ? root->session->number : 0, root->handle};
}

/* One stage, or a part of it. */
static void look(struct session *session, struct tracing *t, size_t *budget)
{
    struct hub *hub = session->hub;

    switch (t->stage) {
    case SPACES:
        if (!roots_some(hub, &t->roots, budget, search_space, &t->search))
            break;
        t->spaces = t->search.queued;
        t->stage = NAMES;
        break;
    case NAMES:
        if (!search_first(&t->search, budget, t->spaces))
            break;
        roots_begin(hub, &t->roots, NULL);
        t->stage = ROOTS;
        break;
    case ROOTS:
        if (roots_some(hub, &t->roots, budget, search_from, t))
            t->stage = SEARCH;
        break;
    case SEARCH:
        if (!search_some(&t->search, budget))
            break;
        if (t->search.is_found)
            t->err = keep_chain(session, t);
        t->is_unsure = !t->is_held && (t->search.is_found || t->search.is_unsure);
        t->stage = CLOSE;
        break;
    case CLOSE:
        *budget = 0;
        if (!search_end_some(&t->search))
            break;
        t->stage = DONE;
        if (t->is_held)
            t->err = begin_top(session, t);
        else if (t->is_unsure)
            t->err = begin(hub, t);
        break;
    case TOP:
        if (!roots_some(hub, &t->roots, budget, meet_root, t) && !t->has_root)
            break;
        t->stage = SIGHT;
        t->err = sight_begin(&t->sight, session, &t->chain);
        break;
    case SIGHT:
        if (sight_some(&t->sight, budget))
            t->stage = DONE;
        break;
    case DONE:
        break;
    }
}

struct slice {
    struct session *session;
    struct tracing *t;
};

static bool part(void *arg, size_t budget)
{
    const struct slice *slice = arg;
    struct tracing *t = slice->t;

    while (budget > 0 && t->err == HD_OK && t->stage != DONE) {
        enum stage stage = t->stage;

        t->hides_pin = stage != SIGHT;
        look(slice->session, t, &budget);
        if (t->stage == stage)
            break;
    }
    t->hides_pin = false;
    return t->err != HD_OK || t->stage == DONE;
}

/* -- links -------------------------------------------------------------------------------------------------------- */

/* Visits the slot by which the i-th object of the chain holds the next; false if it does not. */
static bool visit_link(const struct tracing *t, uint32_t i, slot_fn *visit, void *arg)
{
    struct obj *container = object_at(t, i);
    const struct obj *child = object_at(t, i + 1);

    return container != NULL && child != NULL && search_link(container, t->chain.rows[i].b, child, visit, arg);
}

static bool look_at_slot(void *arg, const struct slot *slot)
{
    (void)arg;
    (void)slot;
    return true;
}

static bool root_holds(struct hub *hub, struct tracing *t, struct session **session)
{
    struct session *at = hub->sessions;
    bool holds;

    t->hides_pin = true;
    holds = t->has_root && rows_root_holds(hub, &at, &t->root, object_at(t, 0), session);
    t->hides_pin = false;
    return holds;
}

static bool chain_holds(struct hub *hub, struct tracing *t)
{
    struct session *session;

    if (!begins_with_name(t) && !root_holds(hub, t, &session))
        return false;
    for (uint32_t i = 0; i < t->chain.len; i++)
        if (!visit_link(t, i, look_at_slot, NULL))
            return false;
    return true;
}

static bool slice(struct session *session, void *state)
{
    struct slice slice = {session, state};
    struct tracing *t = state;

    if (sight_waits(&t->sight) || !hub_slice(session->hub, session->hub->settings.slice_us, part, &slice))
        return false;
    if (t->err != HD_OK || !t->is_held || chain_holds(session->hub, t))
        return true;
    t->err = begin(session->hub, t);
    return t->err != HD_OK;
}

/* -- the answer --------------------------------------------------------------------------------------------------- */

struct packing {
    struct call *call;
    struct obj *container;
    bool is_seen;
    enum hd_err err;
};

static bool pack_link(void *arg, const struct slot *slot)
{
    struct packing *packing = arg;

    packing->err = rows_pack_slot(packing->call, packing->container, slot, packing->is_seen);
    return true;
}

static enum hd_err pack_chain(struct call *call, struct tracing *t)
{
    struct packing packing = {.call = call};
    struct buf *out = reply_begin(call);
    bool is_rooted = !begins_with_name(t);
    struct session *session;

    pack_array(out, t->chain.len + is_rooted);
    if (is_rooted && root_holds(call->hub, t, &session))
        rows_pack_root(call, session, t->root.handle, object_at(t, 0));
    for (uint32_t i = 0; packing.err == HD_OK && i < t->chain.len; i++) {
        packing.container = object_at(t, i);
        packing.is_seen = t->chain.rows[i].a != 0;
        (void)visit_link(t, i, pack_link, &packing);
    }
    return packing.err == HD_OK ? reply_check(call) : packing.err;
}

static enum hd_err answer(struct call *call, void *state)
{
    struct tracing *t = state;
    uint64_t first = call->session->handles.next;
    enum hd_err err = t->err;

    if (err != HD_OK)
        return err;
    if (!t->is_held)
        return reply_nil(call);
    err = pack_chain(call, t);
    if (err != HD_OK)
        convert_close_handles(call->session, first);
    return err;
}

static const struct job_kind kind = {slice, answer, drop, show_roots};

static enum hd_err reply_immortal(struct call *call)
{
    struct buf *out = reply_begin(call);

    if (out != NULL) {
        pack_array(out, 1);
        rows_pack_immortal(call, call->args[0].o);
    }
    return HD_OK;
}

enum hd_err do_path(struct call *call)
{
    struct obj *target = call->args[0].o;
    struct tracing *t;
    enum hd_err err;

    if (obj_is_immortal(target))
        return reply_immortal(call);
    if (!call->is_request)
        return HD_OK;
    t = hub_alloc(call->hub, sizeof *t);
    if (t == NULL)
        return heap_no_memory(call->heap);
    *t = (struct tracing){.target = target};
    call->args[0].o = NULL; /* taken over: to drop it would be a loss that the search has to look into */
    if (opts_flag(&call->opts, RPC_OPTION_OTHERS))
        t->left_out = call->session;
    err = begin(call->hub, t);
    if (err == HD_OK)
        return job_begin(call, &kind, t);
    drop(call->session, t);
    return err;
}
