/* offer.c - see offer.h. */
#include "daemon/offer.h"

#include "daemon/state.h"

void offers_init(struct hub *hub)
{
    TAILQ_INIT(&hub->offers.open);
    TAILQ_INIT(&hub->offers.past);
}

/* It holds nothing any more, and is remembered for a while. */
static void let_go(struct hub *hub, struct offer *offer)
{
    struct offers *offers = &hub->offers;
    struct offer *oldest;

    obj_unref(hub->heap, &offer->o);
    TAILQ_REMOVE(&offers->open, offer, link);
    offers->open_count--;
    TAILQ_INSERT_TAIL(&offers->past, offer, link);
    if (offers->past_count < PAST_OFFERS) {
        offers->past_count++;
        return;
    }
    oldest = TAILQ_FIRST(&offers->past);
    TAILQ_REMOVE(&offers->past, oldest, link);
    hub_free(hub, oldest, sizeof *oldest);
}

void offers_fini(struct hub *hub)
{
    struct offer *offer;

    while ((offer = TAILQ_FIRST(&hub->offers.open)) != NULL)
        let_go(hub, offer);
    while ((offer = TAILQ_FIRST(&hub->offers.past)) != NULL) {
        TAILQ_REMOVE(&hub->offers.past, offer, link);
        hub_free(hub, offer, sizeof *offer);
    }
}

enum hd_err offers_add(struct session *maker, struct obj *o, uint64_t ms, struct token *token)
{
    struct hub *hub = maker->hub;
    struct offer *offer;

    if (hub->offers.open_count >= hub->settings.limit_offers)
        return heap_fail(hub->heap, HD_LIMIT, "limits.offers (%llu) offers are open",
                         (unsigned long long)hub->settings.limit_offers);
    if (!token_make(token))
        return heap_fail(hub->heap, HD_INTERNAL, "the system has no random bytes");
    offer = hub_alloc(hub, sizeof *offer);
    if (offer == NULL)
        return heap_no_memory(hub->heap);
    *offer = (struct offer){.token = *token, .o = obj_ref(o), .maker = maker->number, .end_ms = hub_now_ms(hub) + ms};
    TAILQ_INSERT_TAIL(&hub->offers.open, offer, link);
    hub->offers.open_count++;
    return HD_OK;
}

static struct offer *find_in(const struct offer_list *list, const struct token *token)
{
    struct offer *offer;

    TAILQ_FOREACH(offer, list, link)
        if (token_equals(&offer->token, token))
            return offer;
    return NULL;
}

struct offer *offers_find(const struct session *session, const struct token *token, bool *is_own)
{
    struct hub *hub = session->hub;
    struct offer *offer = find_in(&hub->offers.open, token);

    if (offer != NULL && offer->end_ms > hub_now_ms(hub))
        return offer;
    if (offer != NULL)
        let_go(hub, offer);
    else
        offer = find_in(&hub->offers.past, token);
    *is_own = offer != NULL && (offer->maker == session->number || offer->claimer == session->number);
    return NULL;
}

void offers_claimed(struct session *claimer, struct offer *offer)
{
    offer->claimer = claimer->number;
    let_go(claimer->hub, offer);
}

void offers_tick(struct hub *hub)
{
    uint64_t now_ms = hub_now_ms(hub);
    struct offer *offer, *next;

    hub->heap->step = &hub->step;
    for (offer = TAILQ_FIRST(&hub->offers.open); offer != NULL; offer = next) {
        next = TAILQ_NEXT(offer, link);
        if (offer->end_ms <= now_ms)
            let_go(hub, offer);
    }
    hub->heap->step = NULL;
}

void offers_each(const struct hub *hub, void (*visit)(void *arg, struct obj *o), void *arg)
{
    struct offer *offer;

    TAILQ_FOREACH(offer, &hub->offers.open, link) {
        visit(arg, offer->o);
    }
}
