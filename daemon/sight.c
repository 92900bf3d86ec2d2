/* sight.c - see sight.h. */
#include "daemon/sight.h"

static bool see(void *arg, struct obj *o)
{
    struct sight *sight = arg;
    struct ledger_row *row = ledger_find(sight->wanted, o);

    if (row == NULL || row->a != 0)
        return false;
    row->a = 1;
    return --sight->unseen == 0;
}

static void see_all(struct ledger *wanted)
{
    for (uint32_t i = 0; i < wanted->len; i++)
        wanted->rows[i].a = 1;
}

enum hd_err sight_begin(struct sight *sight, struct session *session, struct ledger *wanted)
{
    enum hd_err err;

    sight_end(sight);
    sight->session = session;
    sight->wanted = wanted;
    sight->unseen = wanted->len;
    if (session->peer.is_admin && wanted->len > 0) {
        see_all(wanted);
        sight->unseen = 0;
        sight->shows_all = true;
        session->hub->frozen_writers++;
    }
    if (sight->unseen == 0)
        return HD_OK;
    err = search_begin(&sight->search, session->hub->heap, NULL, see, sight);
    if (err == HD_OK)
        roots_begin(session->hub, &sight->roots, session);
    return err;
}

void sight_end(struct sight *sight)
{
    if (sight->session != NULL)
        roots_end(sight->session->hub, &sight->roots);
    if (sight->shows_all)
        sight->session->hub->frozen_writers--;
    search_end(&sight->search);
    *sight = (struct sight){0};
}

static void show(void *arg, const struct root *root)
{
    search_root(arg, root->o);
}

bool sight_waits(const struct sight *sight)
{
    return sight->shows_all && sight->session->hub->long_works > 0;
}

bool sight_some(struct sight *sight, size_t *budget)
{
    if (sight_waits(sight))
        return false;
    if (sight->unseen == 0)
        return search_end_some(&sight->search);
    if (!sight->roots_are_shown)
        sight->roots_are_shown = roots_some(sight->session->hub, &sight->roots, budget, show, &sight->search);
    if (!sight->roots_are_shown || (sight->unseen > 0 && !search_some(&sight->search, budget)))
        return false;
    sight->unseen = 0;
    *budget = 0;
    return search_end_some(&sight->search);
}
