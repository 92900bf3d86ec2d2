/*
 * store/ledger.h - what a long look at the heap remembers of the objects it has met, while others change the heap.
 *
 * `referrers`, `path` and `verify` go through the heap in slices. What they keep between two of these are addresses,
 * uncounted: an object that dies leaves every ledger at that moment (obj_die), and one that loses a reference and lives
 * on is shown to those that want to know (obj_unref, while heap->is_marking). A reference that is gained is not shown:
 * a count that has not changed since, without a loss, has seen none.
 *
 * All memory is reserved at the beginning; nothing here allocates later. Rows are found by address: open addressing
 * with linear probing, rows in order of addition.
 */
#ifndef HEAPD_STORE_LEDGER_H
#define HEAPD_STORE_LEDGER_H

#include "store/heap.h"
#include "store/kind.h"

#define LEDGER_MAX UINT32_C(0xfffffff0) /* rows */
#define LEDGER_CHUNK ((size_t)64)       /* references of one object looked at in one go */

struct ledger_row {
    struct obj *o;  /* NULL once it is dead */
    uint32_t a, b;  /* its user's; 0 at first */
};

struct ledger {
    struct heap *heap;
    struct ledger *next;     /* of heap->ledgers */
    struct ledger_row *rows;
    uint32_t len;            /* rows in use */
    uint32_t capacity;
    uint32_t *slots;         /* positions of rows plus 1; 0: empty */
    uint64_t slot_count;
    size_t rows_size, slots_size; /* bytes of the two */
    bool is_closing;
    uint64_t born;           /* the ids of objects made since it was opened begin here */
    void (*lost)(void *arg, struct obj *o); /* o lost a reference and lives on; must not allocate. Or NULL */
    void *arg;

    struct obj *at;          /* the one object whose references are being walked through; NULL: none */
    uint64_t from;           /* where the chunk begins that is walked through now */
    uint64_t cursor;         /* and where the next one does */
    bool is_spoilt;          /* a list's elements were put in another order meanwhile: some are met twice, or never */
};

/* Room for `capacity` rows, 1 ... LEDGER_MAX, within the memory limit: NO_MEMORY. `lost` may be NULL. */
enum hd_err ledger_open(struct ledger *ledger, struct heap *heap, uint64_t capacity,
                        void (*lost)(void *arg, struct obj *o), void *arg);

/* Frees it; fine for one of zeroes, and twice. */
void ledger_close(struct ledger *ledger);

/* The same in parts, for giving back many pages takes long: true when it is closed. It is not used any more
 * meanwhile. */
bool ledger_close_some(struct ledger *ledger);

/* For others with such a vector: makes a block smaller by a part, *size with it; true if it is a small one now. */
bool ledger_cut(struct pool *pool, void **block, size_t *size);

/* The row of an object, NULL if it has none. */
struct ledger_row *ledger_find(const struct ledger *ledger, const struct obj *o);

/* A new row of an object that has none; NULL when the ledger is full. */
struct ledger_row *ledger_add(struct ledger *ledger, struct obj *o);

/* True if it is no business of a ledger: it never dies, is dying already, or was made later than the ledger. */
static inline bool ledger_ignores(const struct ledger *ledger, const struct obj *o)
{
    return (o->flags & (OBJ_IMMORTAL | OBJ_DYING)) != 0 || o->id >= ledger->born;
}

/* Begins to walk through the references of `o`: ledger->at. */
void ledger_enter(struct ledger *ledger, struct obj *o);

/* Goes on, for at most LEDGER_CHUNK references or *budget (counting down). True, and `at` NULL, at the end; also when
 * the object died meanwhile. `visit` must let nothing die. */
bool ledger_walk(struct ledger *ledger, size_t *budget, slot_fn *visit, void *arg);

/* -- for those who change the heap -------------------------------------------------------------------------------- */

/* An object has died. */
void ledgers_bury(struct heap *heap, const struct obj *o);

/* An object lost a reference and lives on. */
void ledgers_lose(struct heap *heap, struct obj *o);

/* `n` elements of a list went (n < 0) or came (n > 0) at `index`, those behind moved. */
void ledgers_list_moved(struct heap *heap, const struct obj *list, uint64_t index, int64_t n);

/* The elements of a list stand in another order. */
void ledgers_list_shuffled(struct heap *heap, const struct obj *list);

#endif
