/*
 * why.c - see why.h.
 *
 * Holders. Every reference is one count. So at the moment of an answer, when each holding that was found is looked at
 * again, those that still hold are all that there are if and only if they are as many as the target's count, less what
 * is not told (the asker's own pin). No barrier is needed; the caller begins again while the numbers differ.
 *
 * Search. It looks at what was reachable when it began, as the collector does (store/gc.c): an object that loses a
 * reference before the search has come to it is kept as lost (T. Yuasa's snapshot). So if the target was reachable at
 * the beginning, then it is found, or lost, or found below something lost. A way from a root ends the search; when
 * there is none, lost objects are looked into as well: if they lead to the target it is unsure and the caller begins
 * again, else nothing led to it, and nothing can: what is unreachable stays so, unless something weak is read, which is
 * shown as a loss. Objects made since the beginning are not looked into: what they refer to was reachable without them.
 */
#include "store/why.h"

/* -- holders ------------------------------------------------------------------------------------------------------ */

#define HOLDERS_ROOM 1024

void holders_end(struct holders *h)
{
    if (h->walking.heap == NULL)
        return;
    pool_walk_end(h->walking.heap->pool, &h->pages);
    pool_free(h->walking.heap->pool, h->found, h->capacity * sizeof *h->found, POOL_DATA);
    ledger_close(&h->ledger);
    ledger_close(&h->walking);
    *h = (struct holders){.room = h->room};
}

/* Room for as many containers as there are references; of an immortal nobody knows how many. */
static uint64_t room_for(const struct holders *h, const struct obj *target, uint64_t most)
{
    uint64_t room = HOLDERS_ROOM + target->count;

    if (h->is_overfull)
        room = h->room * 4;
    return room < most ? room : most;
}

enum hd_err holders_begin(struct holders *h, struct heap *heap, struct obj *target, uint64_t most)
{
    uint64_t room = room_for(h, target, most);
    enum hd_err err;

    holders_end(h);
    err = ledger_open(&h->walking, heap, 1, NULL, NULL);
    if (err != HD_OK)
        return err;
    h->target = target;
    h->most = most;
    h->room = room;
    pool_walk_begin(heap->pool, &h->pages);
    return ledger_open(&h->ledger, heap, room, NULL, NULL);
}

static void add_holding(struct holders *h, struct holding holding)
{
    struct holding *found = pool_grow(h->walking.heap->pool, h->found, h->len, &h->capacity, sizeof *found);

    if (found == NULL) {
        h->err = heap_no_memory(h->walking.heap);
        return;
    }
    h->found = found;
    found[h->len++] = holding;
}

static bool is_enough(const struct holders *h)
{
    return h->len >= h->most || h->err != HD_OK || h->is_overfull;
}

void holders_root(struct holders *h, uint64_t from, uint64_t to)
{
    if (!is_enough(h))
        add_holding(h, (struct holding){HOLDING_ROOT, from, to});
}

struct looking {
    const struct obj *target;
    uint64_t count;
};

static bool count_slot(void *arg, const struct slot *slot)
{
    struct looking *looking = arg;

    looking->count += slot->target == looking->target;
    return true;
}

/* The container that is walked through holds the target somewhere in the last chunk. */
static void add_chunk(struct holders *h, struct obj *o)
{
    struct ledger_row *row = ledger_find(&h->ledger, o);
    uint64_t to = h->walking.at == NULL ? UINT64_MAX : h->walking.cursor;

    if (row == NULL)
        row = ledger_add(&h->ledger, o);
    if (row == NULL)
        h->is_overfull = true;
    else
        add_holding(h, (struct holding){(uint32_t)(row - h->ledger.rows), h->walking.from, to});
}

/* Enters the next container; false at the end. A dying one cannot be told any more: it is about to let go. */
static bool next_container(struct holders *h, size_t *budget)
{
    struct obj *o;

    while ((o = pool_walk_next(h->walking.heap->pool, &h->pages, budget)) != NULL) {
        *budget -= *budget > 0;
        if (o->type == OBJ_BURIED || (o->flags & (OBJ_DYING | OBJ_IMMORTAL)) != 0)
            continue;
        ledger_enter(&h->walking, o);
        return true;
    }
    return false;
}

bool holders_some(struct holders *h, size_t *budget)
{
    struct looking looking = {h->target, 0};

    while (*budget > 0 && !is_enough(h)) {
        struct obj *o = h->walking.at;

        if (o == NULL && !next_container(h, budget))
            return pool_walk_is_over(&h->pages);
        if (o == NULL)
            continue;
        looking.count = 0;
        (void)ledger_walk(&h->walking, budget, count_slot, &looking);
        if (looking.count > 0)
            add_chunk(h, o);
    }
    return is_enough(h);
}

struct obj *holding_container(const struct holders *h, const struct holding *holding)
{
    return holding->row == HOLDING_ROOT ? NULL : h->ledger.rows[holding->row].o;
}

struct showing {
    const struct obj *target;
    slot_fn *visit;
    void *arg;
    bool goes_on;
    bool once;
};

static bool show_slot(void *arg, const struct slot *slot)
{
    struct showing *showing = arg;

    if (slot->target != showing->target || !showing->goes_on)
        return true;
    showing->goes_on = showing->visit(showing->arg, slot) && !showing->once;
    return true;
}

bool holding_each(const struct holders *h, const struct holding *holding, slot_fn *visit, void *arg)
{
    struct obj *o = holding_container(h, holding);
    struct showing showing = {h->target, visit, arg, true, false};
    uint64_t cursor = holding->from;
    bool is_through = o == NULL;

    while (!is_through && showing.goes_on) {
        size_t one = 1; /* so that it ends where the stretch did, whatever came or went in it */

        is_through = kind_of(o)->traverse(o, &cursor, &one, show_slot, &showing) || cursor >= holding->to;
    }
    return showing.goes_on;
}

/* -- search ------------------------------------------------------------------------------------------------------- */

void search_end(struct search *s)
{
    if (s->ledger.heap == NULL)
        return;
    pool_free(s->ledger.heap->pool, s->order, s->order_size, POOL_DATA);
    ledger_close(&s->ledger);
    *s = (struct search){0};
}

bool search_end_some(struct search *s)
{
    struct heap *heap = s->ledger.heap;
    void *order = s->order;
    bool is_small;

    if (heap == NULL)
        return true;
    s->is_over = true; /* what is lost from now on is of no interest */
    is_small = ledger_cut(heap->pool, &order, &s->order_size);
    s->order = order;
    if (!is_small)
        return false;
    pool_free(heap->pool, s->order, s->order_size, POOL_DATA);
    s->order = NULL;
    s->order_size = 0;
    if (!ledger_close_some(&s->ledger))
        return false;
    *s = (struct search){0};
    return true;
}

static void put_in_order(struct search *s, const struct ledger_row *row)
{
    s->order[s->queued++] = (uint32_t)(row - s->ledger.rows);
}

/* A loss may be the only sign of an object that was moved to where the search has been. */
static void remember_loss(void *arg, struct obj *o)
{
    struct search *s = arg;
    struct ledger_row *row;

    if (s->is_over || ledger_ignores(&s->ledger, o))
        return;
    if (o == s->target)
        s->is_unsure = true;
    if (kind_of(o)->traverse == NULL || ledger_find(&s->ledger, o) != NULL)
        return;
    row = ledger_add(&s->ledger, o); /* there is room: it was alive when the ledger was opened */
    if (row != NULL)
        row->a = SEARCH_LOST;
}

enum hd_err search_begin(struct search *s, struct heap *heap, struct obj *target,
                         bool (*met)(void *arg, struct obj *o), void *arg)
{
    enum hd_err err;

    search_end(s);
    err = ledger_open(&s->ledger, heap, heap->containers, remember_loss, s);
    if (err != HD_OK)
        return err;
    s->order_size = s->ledger.capacity * sizeof *s->order;
    s->order = pool_alloc(heap->pool, s->order_size, POOL_DATA);
    if (s->order == NULL) {
        search_end(s);
        return heap_no_memory(heap);
    }
    s->target = target;
    s->met = met;
    s->arg = arg;
    return HD_OK;
}

static void reach(struct search *s, struct obj *o, uint32_t parent, uint64_t from)
{
    struct ledger_row *row;

    if (s->is_over || o == NULL || ledger_ignores(&s->ledger, o))
        return;
    if (o == s->target) {
        s->is_over = s->is_found = true;
        s->parent = parent;
        s->from = from < SEARCH_ANYWHERE ? (uint32_t)from : SEARCH_ANYWHERE;
        return;
    }
    if (kind_of(o)->traverse == NULL)
        return;
    row = ledger_find(&s->ledger, o);
    if (row != NULL && row->a != SEARCH_LOST)
        return;
    if (row == NULL)
        row = ledger_add(&s->ledger, o);
    if (row == NULL)
        return;
    row->a = parent;
    row->b = from < SEARCH_ANYWHERE ? (uint32_t)from : SEARCH_ANYWHERE;
    put_in_order(s, row);
    if (s->met != NULL && s->met(s->arg, o))
        s->is_over = true;
}

void search_root(struct search *s, struct obj *o)
{
    reach(s, o, SEARCH_ROOT, 0);
}

static bool reach_slot(void *arg, const struct slot *slot)
{
    struct search *s = arg;

    reach(s, slot->target, s->current, s->ledger.from);
    return true;
}

/* Enters the next one in order, if it is still alive. */
static void next_in_order(struct search *s, size_t *budget)
{
    struct obj *o;

    s->current = s->order[s->taken++];
    o = s->ledger.rows[s->current].o;
    (*budget)--;
    if (o != NULL)
        ledger_enter(&s->ledger, o);
}

/* Puts one that was lost in order, behind all that roots lead to. Its row says so no more, lest it be taken twice, but
 * that its way is unknown. */
static void next_loss(struct search *s, size_t *budget)
{
    while (s->losses_taken < s->ledger.len && *budget > 0) {
        struct ledger_row *row = &s->ledger.rows[s->losses_taken++];

        (*budget)--;
        if (row->a != SEARCH_LOST || row->o == NULL)
            continue;
        row->a = SEARCH_NONE;
        put_in_order(s, row);
        return;
    }
}

/* The first of the way: its row's parent is SEARCH_ROOT, or SEARCH_NONE. */
static uint32_t top_of(const struct search *s)
{
    uint32_t parent = s->parent;

    while (parent < SEARCH_NONE)
        parent = s->ledger.rows[parent].a;
    return parent;
}

/* A way that begins at a loss is none. */
static bool end_search(struct search *s)
{
    if (s->is_found && top_of(s) != SEARCH_ROOT) {
        s->is_found = false;
        s->is_unsure = true;
    }
    return true;
}

bool search_first(struct search *s, size_t *budget, uint32_t queued)
{
    while (*budget > 0 && !s->is_over && (s->ledger.at != NULL || s->taken < queued)) {
        if (s->ledger.at != NULL)
            (void)ledger_walk(&s->ledger, budget, reach_slot, s);
        else
            next_in_order(s, budget);
    }
    return s->is_over || (s->ledger.at == NULL && s->taken >= queued);
}

bool search_some(struct search *s, size_t *budget)
{
    while (*budget > 0 && !s->is_over) {
        if (!search_first(s, budget, s->queued) || s->is_over || s->taken < s->queued)
            continue;
        if (s->losses_taken < s->ledger.len && s->target != NULL)
            next_loss(s, budget);
        else
            s->is_over = true;
    }
    return s->is_over && end_search(s);
}

uint64_t search_length(const struct search *s)
{
    uint64_t length = 0;

    for (uint32_t row = s->parent; row < SEARCH_NONE; row = s->ledger.rows[row].a)
        length++;
    return length;
}

void search_way(const struct search *s, uint32_t *way, uint64_t length)
{
    uint32_t row = s->parent;

    while (length > 0) {
        way[--length] = row;
        row = s->ledger.rows[row].a;
    }
}

bool search_link(struct obj *container, uint32_t from, const struct obj *child, slot_fn *visit, void *arg)
{
    struct showing showing = {child, visit, arg, true, true};
    size_t chunk = from == SEARCH_ANYWHERE ? SIZE_MAX : LEDGER_CHUNK;
    uint64_t cursor = from == SEARCH_ANYWHERE ? 0 : from;

    (void)kind_of(container)->traverse(container, &cursor, &chunk, show_slot, &showing);
    return !showing.goes_on;
}
