/*
 * recount.c - see recount.h.
 *
 * Why a difference is certain. From the comparison of one pass to the confirmation in the next, a row notes each loss
 * of a reference (obj_unref shows it) and the count at both ends; with no loss and an equal count there was no gain. So
 * each reference to the object stood where it stands throughout the pass, and was met once: containers do not move,
 * cursors keep their place while a container changes, and a list whose elements were put in another order spoils the
 * pass. One thing moves references without dropping them: a container that is cleared gives its storage to a dying
 * queue. It is dropped soon after, and shown as losses then; so doubts wait until the queues have been empty. Objects
 * made after the beginning are left out: they have younger ids.
 */
#include "store/recount.h"

#include <string.h>

#define DONE UINT32_MAX          /* checked */
#define TOUCHED (UINT32_MAX - 1) /* lost a reference in this pass */

static void touch(void *arg, struct obj *o)
{
    struct recount *r = arg;
    struct ledger_row *row;

    r->saw_loss = true;
    if (ledger_ignores(&r->ledger, o))
        return;
    row = ledger_find(&r->ledger, o);
    if (row == NULL && r->pass == 1)
        row = ledger_add(&r->ledger, o); /* there is room: it was alive at the beginning */
    if (row != NULL && row->a != DONE)
        row->a = TOUCHED;
}

enum hd_err recount_begin(struct recount *r, struct heap *heap)
{
    enum hd_err err;

    *r = (struct recount){.heap = heap, .pass = 1, .made = heap->made};
    memcpy(r->live, heap->live, sizeof r->live);
    for (unsigned type = 0; type < OBJ_TYPES; type++)
        r->objects += heap->live[type];
    err = ledger_open(&r->ledger, heap, r->objects, touch, r);
    if (err != HD_OK)
        return err;
    pool_walk_begin(heap->pool, &r->pages);
    r->told = pool_alloc(heap->pool, RECOUNT_TOLD * sizeof *r->told, POOL_DATA);
    r->differences = pool_alloc(heap->pool, RECOUNT_TOLD * sizeof *r->differences, POOL_DATA);
    if (r->told != NULL && r->differences != NULL)
        return HD_OK;
    recount_end(r);
    return heap_no_memory(heap);
}

void recount_end(struct recount *r)
{
    struct heap *heap = r->heap;

    if (heap == NULL)
        return;
    pool_walk_end(heap->pool, &r->pages);
    pool_free(heap->pool, r->told, RECOUNT_TOLD * sizeof *r->told, POOL_DATA);
    pool_free(heap->pool, r->differences, RECOUNT_TOLD * sizeof *r->differences, POOL_DATA);
    ledger_close(&r->ledger);
    *r = (struct recount){0};
}

bool recount_end_some(struct recount *r)
{
    pool_walk_end(r->heap->pool, &r->pages);
    return ledger_close_some(&r->ledger);
}

/* -- counting ----------------------------------------------------------------------------------------------------- */

/* The row of an object that this pass counts, else NULL. */
static struct ledger_row *row_of(struct recount *r, struct obj *o)
{
    struct ledger_row *row;

    if (o == NULL || ledger_ignores(&r->ledger, o))
        return NULL;
    row = ledger_find(&r->ledger, o);
    if (row == NULL && r->pass == 1)
        row = ledger_add(&r->ledger, o);
    return row != NULL && row->a != DONE ? row : NULL;
}

void recount_root(struct recount *r, struct obj *o)
{
    struct ledger_row *row = row_of(r, o);

    if (row != NULL)
        row->b++;
}

static bool count_slot(void *arg, const struct slot *slot)
{
    recount_root(arg, slot->target);
    return true;
}

/* What dies is left out: what it still refers to is touched when it lets go. */
static void enter(struct recount *r, struct obj *o)
{
    if (o->type == OBJ_BURIED || (o->flags & (OBJ_DYING | OBJ_IMMORTAL)) != 0)
        return;
    (void)row_of(r, o);
    ledger_enter(&r->ledger, o);
}

bool recount_some(struct recount *r, size_t *budget)
{
    while (*budget > 0) {
        struct obj *o;

        if (r->ledger.at != NULL) {
            (void)ledger_walk(&r->ledger, budget, count_slot, r);
            continue;
        }
        o = pool_walk_next(r->ledger.heap->pool, &r->pages, budget);
        if (o == NULL)
            return pool_walk_is_over(&r->pages);
        *budget -= *budget > 0;
        enter(r, o);
    }
    return false;
}

/* -- comparing ---------------------------------------------------------------------------------------------------- */

static void count_again(struct recount *r, struct ledger_row *row)
{
    row->a = row->o->count;
    row->b = 0;
    r->left++;
}

static void settle(struct recount *r, struct ledger_row *row)
{
    row->a = DONE;
    r->checked++;
}

/* The first pass has nothing to compare a count with but the holders that it met. */
static void compare_row(struct recount *r, struct ledger_row *row)
{
    bool is_untouched = row->a != TOUCHED && !r->ledger.is_spoilt;

    if (r->pass == 1)
        r->met[row->o->type]++;
    if (is_untouched && row->b == row->o->count && (r->pass == 1 || row->a == row->b))
        settle(r, row);
    else if (r->pass > 1 && is_untouched && row->a == row->o->count && r->told_len < RECOUNT_TOLD)
        r->told[r->told_len++] = (uint32_t)(row - r->ledger.rows);
    else
        count_again(r, row);
}

bool recount_compare(struct recount *r, size_t *budget)
{
    for (; r->compared < r->ledger.len && *budget > 0; (*budget)--) {
        struct ledger_row *row = &r->ledger.rows[r->compared++];

        if (row->o != NULL && row->a != DONE)
            compare_row(r, row);
    }
    return r->compared == r->ledger.len;
}

bool recount_has_doubts(const struct recount *r)
{
    return r->told_len > 0;
}

void recount_confirm(struct recount *r)
{
    for (uint32_t i = 0; i < r->told_len; i++) {
        struct ledger_row *row = &r->ledger.rows[r->told[i]];
        const struct obj *o = row->o;

        if (o != NULL && row->a == o->count && r->difference_count < RECOUNT_TOLD) {
            r->differences[r->difference_count++] = (struct difference){o->id, o->count, row->b, o->type};
            settle(r, row);
        } else if (o != NULL) {
            count_again(r, row);
        }
    }
    r->told_len = 0;
}

bool recount_next(struct recount *r)
{
    if (r->left == 0 || r->pass == RECOUNT_PASSES || r->difference_count == RECOUNT_TOLD)
        return false;
    r->pass++;
    r->left = 0;
    r->compared = 0;
    r->ledger.is_spoilt = false;
    pool_walk_end(r->ledger.heap->pool, &r->pages);
    pool_walk_begin(r->ledger.heap->pool, &r->pages);
    return true;
}

bool recount_was_undisturbed(const struct recount *r)
{
    const struct heap *heap = r->heap;

    return !r->saw_loss && heap->made == r->made && memcmp(heap->live, r->live, sizeof r->live) == 0;
}
