/* roots.c - see roots.h. */
#include "daemon/roots.h"

#include "daemon/job.h"
#include "daemon/state.h"

struct showing {
    root_fn *visit;
    void *arg;
    struct session *session;
};

static bool show_space(void *arg, const struct slot *slot)
{
    const struct showing *showing = arg;

    showing->visit(showing->arg, &(struct root){.kind = ROOT_SPACE, .o = slot->target});
    return true;
}

static void show_pin(void *arg, struct obj *o)
{
    const struct showing *showing = arg;

    if (o != NULL)
        showing->visit(showing->arg, &(struct root){.kind = ROOT_PIN, .session = showing->session, .o = o});
}

void roots_pins(struct hub *hub, struct session *session, root_fn *visit, void *arg)
{
    struct showing showing = {visit, arg, session};

    if (session == NULL) {
        offers_each(hub, show_pin, &showing);
        step_each_expired(&hub->step, show_pin, &showing);
        step_each_expired(gc_step(hub->collector.gc), show_pin, &showing);
        return;
    }
    show_pin(&showing, session->own);
    show_pin(&showing, session->space);
    show_pin(&showing, session->manner.event_dress);
    job_roots(session, show_pin, &showing);
    takers_roots(session, show_pin, &showing);
    step_each_expired(&session->step, show_pin, &showing);
}

/* True when all of the session's handles are shown. */
static bool show_handles(struct root_walk *walk, size_t *budget, root_fn *visit, void *arg)
{
    struct root root = {.kind = ROOT_HANDLE, .session = walk->at};

    while (*budget > 0) {
        root.handle = handles_next(&walk->at->handles, walk->handle_at + 1, &root.o);
        if (root.handle == 0)
            return true;
        walk->handle_at = root.handle;
        visit(arg, &root);
        (*budget)--;
    }
    return false;
}

static void next_session(struct root_walk *walk)
{
    walk->at = walk->only == NULL ? walk->at->next : NULL;
    walk->handle_at = 0;
    walk->is_begun = false;
}

void roots_end(struct hub *hub, struct root_walk *walk)
{
    struct root_walk **at = &hub->root_walks;

    while (*at != NULL && *at != walk)
        at = &(*at)->next;
    if (*at != NULL)
        *at = walk->next;
}

/* Sessions that come later are put before the first. */
void roots_begin(struct hub *hub, struct root_walk *walk, struct session *only)
{
    roots_end(hub, walk);
    *walk = (struct root_walk){.only = only, .at = only != NULL ? only : hub->sessions, .next = hub->root_walks};
    hub->root_walks = walk;
}

bool roots_some(struct hub *hub, struct root_walk *walk, size_t *budget, root_fn *visit, void *arg)
{
    struct showing showing = {visit, arg, NULL};

    if (!walk->spaces_are_shown)
        walk->spaces_are_shown = names_traverse(&hub->spaces, &walk->spaces_at, budget, show_space, &showing);
    if (!walk->offers_are_shown && walk->only == NULL)
        roots_pins(hub, NULL, visit, arg);
    walk->offers_are_shown = true;
    while (walk->spaces_are_shown && walk->at != NULL && *budget > 0) {
        if (!walk->is_begun) {
            roots_pins(hub, walk->at, visit, arg);
            walk->is_begun = true;
            (*budget)--;
        }
        if (show_handles(walk, budget, visit, arg))
            next_session(walk);
    }
    return walk->spaces_are_shown && walk->at == NULL;
}

void roots_forget(struct hub *hub, const struct session *session)
{
    for (struct root_walk *walk = hub->root_walks; walk != NULL; walk = walk->next)
        if (walk->at == session)
            next_session(walk);
}
