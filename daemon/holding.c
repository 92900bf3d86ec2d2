/* holding.c - see holding.h. */
#include "daemon/holding.h"

#include "daemon/job.h"
#include "daemon/rows.h"

/* -- what holds it now -------------------------------------------------------------------------------------------- */

struct telling {
    struct holding_job *job;
    held_fn *visit; /* NULL: only counts */
    void *arg;
    struct obj *container;
    bool is_seen;
    uint64_t count;
};

static bool tell(struct telling *t, const struct slot *slot, struct session *session, uint64_t handle)
{
    if (t->count == t->job->limit)
        return false;
    t->count++;
    return t->visit == NULL || t->visit(t->arg, t->container, slot, t->is_seen, session, handle);
}

static bool tell_slot(void *arg, const struct slot *slot)
{
    return tell(arg, slot, NULL, 0);
}

uint64_t holding_each_now(struct hub *hub, struct holding_job *job, held_fn *visit, void *arg)
{
    struct telling t = {.job = job, .visit = visit, .arg = arg};
    struct session *at = hub->sessions;
    bool goes_on = true;

    job->hides_pin = true;
    for (size_t i = 0; goes_on && i < job->holders.len; i++) {
        const struct holding *holding = &job->holders.found[i];

        t.container = holding_container(&job->holders, holding);
        if (t.container != NULL) {
            t.is_seen = job->holders.ledger.rows[holding->row].a != 0;
            goes_on = holding_each(&job->holders, holding, tell_slot, &t);
        } else if (holding->row == HOLDING_ROOT) {
            struct held_root root = {holding->from, holding->to};
            struct session *session;

            if (rows_root_holds(hub, &at, &root, job->target, &session))
                goes_on = tell(&t, NULL, session, holding->to);
        }
    }
    job->hides_pin = false;
    return t.count;
}

/* -- the job ------------------------------------------------------------------------------------------------------ */

static enum hd_err begin(struct hub *hub, struct holding_job *job)
{
    sight_end(&job->sight);
    roots_end(hub, &job->roots);
    job->stage = HOLDING_CONTAINERS;
    job->tries++;
    return holders_begin(&job->holders, hub->heap, job->target, job->limit);
}

enum hd_err holding_begin(struct call *call, struct obj *target, uint64_t limit, bool needs_sight,
                          const struct job_kind *kind)
{
    struct holding_job *job = hub_alloc(call->hub, sizeof *job);
    enum hd_err err;

    if (job == NULL)
        return heap_no_memory(call->heap);
    *job = (struct holding_job){.target = obj_ref(target), .limit = limit, .needs_sight = needs_sight};
    err = begin(call->hub, job);
    if (err == HD_OK)
        return job_begin(call, kind, job);
    holding_drop(call->session, job);
    return err;
}

void holding_drop(struct session *session, void *state)
{
    struct holding_job *job = state;

    sight_end(&job->sight);
    roots_end(session->hub, &job->roots);
    holders_end(&job->holders);
    obj_unref(session->hub->heap, &job->target);
    hub_free(session->hub, job, sizeof *job);
}

void holding_roots(void *state, void (*visit)(void *arg, struct obj *o), void *arg)
{
    const struct holding_job *job = state;

    if (!job->hides_pin)
        visit(arg, job->target);
}

static void meet_root(void *arg, const struct root *root)
{
    struct holding_job *job = arg;

    if (root->o == job->target)
        holders_root(&job->holders, root->session != NULL ? root->session->number : 0, root->handle);
}

/* Whether nothing is missing. */
static bool is_complete(struct hub *hub, struct holding_job *job)
{
    uint64_t count = holding_each_now(hub, job, NULL, NULL);

    return count == job->limit || obj_is_immortal(job->target) || count == job->target->count - 1 ||
           job->tries >= HOLDING_TRIES;
}

struct slice {
    struct session *session;
    struct holding_job *job;
};

static void look_at_roots(struct session *session, struct holding_job *job, size_t *budget)
{
    job->hides_pin = true;
    if (roots_some(session->hub, &job->roots, budget, meet_root, job))
        job->stage = HOLDING_SIGHT;
    job->hides_pin = false;
    if (job->stage == HOLDING_SIGHT && job->needs_sight)
        job->err = sight_begin(&job->sight, session, &job->holders.ledger);
    else if (job->stage == HOLDING_SIGHT)
        job->stage = HOLDING_COUNT;
}

static bool part(void *arg, size_t budget)
{
    const struct slice *slice = arg;
    struct session *session = slice->session;
    struct holding_job *job = slice->job;

    if (job->stage == HOLDING_CONTAINERS && holders_some(&job->holders, &budget)) {
        job->stage = HOLDING_ROOTS;
        roots_begin(session->hub, &job->roots, NULL);
    }
    if (job->stage == HOLDING_ROOTS)
        look_at_roots(session, job, &budget);
    if (job->stage == HOLDING_SIGHT && job->err == HD_OK && sight_some(&job->sight, &budget))
        job->stage = HOLDING_COUNT;
    if (job->err == HD_OK)
        job->err = job->holders.err;
    return job->err != HD_OK || job->stage == HOLDING_COUNT;
}

bool holding_slice(struct session *session, void *state)
{
    struct slice slice = {session, state};

    if (sight_waits(&slice.job->sight) || !hub_slice(session->hub, session->hub->settings.slice_us, part, &slice))
        return false;
    if (slice.job->err != HD_OK)
        return true;
    if (!slice.job->holders.is_overfull && is_complete(session->hub, slice.job))
        return true;
    slice.job->tries -= slice.job->holders.is_overfull;
    slice.job->err = begin(session->hub, slice.job);
    return slice.job->err != HD_OK;
}
