/*
 * ledger.c - see ledger.h.
 *
 * Invariants: heap->ledgers links all that are open, and heap->is_marking is true while there is one. A row whose
 * object is not NULL names an object that is not dead, older than the ledger; so no younger one at the same address is
 * taken for it.
 */
#include "store/ledger.h"

#include <assert.h>
#include <string.h>

#include "store/gc.h"

#define CUT ((size_t)1 << 20) /* bytes given back in one go */

/* A third of the slots stays empty. */
static uint64_t slots_for(uint64_t capacity)
{
    return capacity + capacity / 2 + 2;
}

enum hd_err ledger_open(struct ledger *ledger, struct heap *heap, uint64_t capacity,
                        void (*lost)(void *arg, struct obj *o), void *arg)
{
    *ledger = (struct ledger){.heap = heap, .born = heap->next_id, .lost = lost, .arg = arg};
    if (capacity > LEDGER_MAX)
        return heap_fail(heap, HD_LIMIT, "there are more objects than can be looked at");
    ledger->capacity = capacity < 1 ? 1 : (uint32_t)capacity;
    ledger->slot_count = slots_for(ledger->capacity);
    ledger->rows_size = ledger->capacity * sizeof *ledger->rows;
    ledger->slots_size = ledger->slot_count * sizeof *ledger->slots;
    ledger->rows = pool_alloc(heap->pool, ledger->rows_size, POOL_DATA);
    ledger->slots = pool_zero(heap->pool, ledger->slots_size);
    ledger->next = heap->ledgers;
    heap->ledgers = ledger;
    heap->is_marking = true;
    if (ledger->rows != NULL && ledger->slots != NULL)
        return HD_OK;
    ledger_close(ledger);
    return heap_no_memory(heap);
}

static void unlink_ledger(struct ledger *ledger)
{
    struct heap *heap = ledger->heap;
    struct ledger **at = &heap->ledgers;

    while (*at != ledger)
        at = &(*at)->next;
    *at = ledger->next;
    heap->is_marking = heap->ledgers != NULL || gc_is_marking(heap->gc);
}

void ledger_close(struct ledger *ledger)
{
    struct heap *heap = ledger->heap;

    if (heap == NULL)
        return;
    if (!ledger->is_closing)
        unlink_ledger(ledger);
    pool_free(heap->pool, ledger->rows, ledger->rows_size, POOL_DATA);
    pool_free(heap->pool, ledger->slots, ledger->slots_size, POOL_DATA);
    *ledger = (struct ledger){0};
}

bool ledger_cut(struct pool *pool, void **block, size_t *size)
{
    void *rest = *block != NULL && *size > CUT ? pool_resize(pool, *block, *size, *size - CUT) : NULL;

    if (rest == NULL)
        return true;
    *block = rest;
    *size -= CUT;
    return false;
}

bool ledger_close_some(struct ledger *ledger)
{
    void *rows = ledger->rows;
    void *slots = ledger->slots;
    bool is_small;

    if (ledger->heap == NULL)
        return true;
    if (!ledger->is_closing)
        unlink_ledger(ledger);
    ledger->is_closing = true;
    is_small = ledger_cut(ledger->heap->pool, &rows, &ledger->rows_size) &&
               ledger_cut(ledger->heap->pool, &slots, &ledger->slots_size);
    ledger->rows = rows;
    ledger->slots = slots;
    if (is_small)
        ledger_close(ledger);
    return is_small;
}

/* -- rows --------------------------------------------------------------------------------------------------------- */

/* The slot of an object, or the empty one where it would be. Addresses are no client's choice. */
static uint32_t *slot_of(const struct ledger *ledger, const struct obj *o)
{
    uint64_t hash = (uint64_t)(uintptr_t)o * UINT64_C(0x9e3779b97f4a7c15) >> 32;
    uint64_t at = hash * ledger->slot_count >> 32;

    while (ledger->slots[at] != 0 && ledger->rows[ledger->slots[at] - 1].o != o)
        at = at + 1 == ledger->slot_count ? 0 : at + 1;
    return &ledger->slots[at];
}

struct ledger_row *ledger_find(const struct ledger *ledger, const struct obj *o)
{
    uint32_t position = *slot_of(ledger, o);

    return position == 0 ? NULL : &ledger->rows[position - 1];
}

struct ledger_row *ledger_add(struct ledger *ledger, struct obj *o)
{
    uint32_t *slot;

    if (ledger->len == ledger->capacity)
        return NULL;
    slot = slot_of(ledger, o);
    assert(*slot == 0);
    ledger->rows[ledger->len] = (struct ledger_row){.o = o};
    *slot = ++ledger->len;
    return &ledger->rows[*slot - 1];
}

/* -- one object --------------------------------------------------------------------------------------------------- */

void ledger_enter(struct ledger *ledger, struct obj *o)
{
    ledger->at = o;
    ledger->from = ledger->cursor = 0;
}

bool ledger_walk(struct ledger *ledger, size_t *budget, slot_fn *visit, void *arg)
{
    struct obj *o = ledger->at;
    size_t chunk = *budget < LEDGER_CHUNK ? *budget : LEDGER_CHUNK;
    size_t left = chunk;

    if (o == NULL)
        return true;
    ledger->from = ledger->cursor;
    if (kind_of(o)->traverse == NULL || kind_of(o)->traverse(o, &ledger->cursor, &left, visit, arg))
        ledger->at = NULL;
    *budget -= chunk - left;
    return ledger->at == NULL;
}

/* -- what changes ------------------------------------------------------------------------------------------------- */

void ledgers_bury(struct heap *heap, const struct obj *o)
{
    for (struct ledger *ledger = heap->ledgers; ledger != NULL; ledger = ledger->next) {
        struct ledger_row *row = ledger_find(ledger, o);

        if (row != NULL)
            row->o = NULL;
        if (ledger->at == o)
            ledger->at = NULL;
    }
}

void ledgers_lose(struct heap *heap, struct obj *o)
{
    for (struct ledger *ledger = heap->ledgers; ledger != NULL; ledger = ledger->next)
        if (ledger->lost != NULL)
            ledger->lost(ledger->arg, o);
}

/* What was walked through stays before the cursor, what was not behind it. */
void ledgers_list_moved(struct heap *heap, const struct obj *list, uint64_t index, int64_t n)
{
    for (struct ledger *ledger = heap->ledgers; ledger != NULL; ledger = ledger->next) {
        if (ledger->at != list || ledger->cursor <= index)
            continue;
        if (n < 0 && ledger->cursor - index < (uint64_t)-n)
            ledger->cursor = index;
        else
            ledger->cursor += (uint64_t)n;
    }
}

void ledgers_list_shuffled(struct heap *heap, const struct obj *list)
{
    for (struct ledger *ledger = heap->ledgers; ledger != NULL; ledger = ledger->next)
        if (ledger->at == list) {
            ledger->cursor = 0;
            ledger->is_spoilt = true;
        }
}
