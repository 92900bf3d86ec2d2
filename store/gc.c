/*
 * gc.c - the cycle collector.
 *
 * Phases: ROOTS and MARK mark whatever roots lead to; CONDEMN goes through the pages, clears the weak references of
 * every container that was not marked and puts it into the collector's dying queue; RECLAIM runs that queue like any
 * other.
 *
 * Invariant of ROOTS and MARK: what was reachable when the collection began, or has been made or read from a weak
 * reference since, is marked, or there is a way to it from a root not yet shown, an object on the stack, or a marked
 * object on a flagged page; or it dies. So when all these are used up, what has no mark is unreachable, and nobody can
 * reach it again.
 *
 * Objects that have died and whose references are not dropped yet keep those alive until then (semantics.md). They are
 * waited for: before marking ends, every dying queue that held something when the stack was first empty has been empty
 * once.
 *
 * The stack is bounded. What does not fit is marked, and its page flagged: when the stack is empty, the marked objects
 * of flagged pages are scanned again.
 *
 * Most of the time of marking would be waiting for memory. So what a scan leads to is first asked for, and looked at
 * when some others have been; and so is what holds the references of an object that was marked (C. Cher, A. Hosking and
 * T. Vijaykumar, "Software prefetching for mark-sweep garbage collection", ASPLOS 2004).
 */
#include "store/gc.h"

#include <assert.h>
#include <string.h>

#include "store/kind.h"
#include "store/kinds/vector.h"
#include "store/ledger.h"
#include "store/weak.h"

#define STACK_MAX ((size_t)65536) /* entries: 1 MiB */
#define SCAN_CHUNK ((size_t)64)   /* references looked at before what they led to has its turn */
#define PAGE_COST ((size_t)64)    /* a page of a sweep, in references */
#define AHEAD 16u                 /* objects whose memory is asked for before it is looked at; a power of two */

enum phase { IDLE, ROOTS, MARK, CONDEMN, RECLAIM };

struct entry {
    struct obj *o;   /* has OBJ_GREY; buried if it was freed since */
    uint64_t cursor; /* how far it is scanned */
};

/* Objects in the order in which their memory was asked for. */
struct line {
    struct obj *at[AHEAD];
    unsigned first, len;
};

struct gc {
    struct heap *heap;
    struct gc_roots roots;
    enum phase phase;
    bool is_draining; /* the stack has been empty */
    struct line found;  /* what references led to; both lines are empty between slices */
    struct line marked; /* what is marked, and goes on the stack */
    size_t len;
    struct entry *stack;
    struct step step;
    struct gc_stats stats;
};

struct gc *gc_open(struct heap *heap, const struct gc_roots *roots)
{
    const struct mem *mem = heap->mem;
    struct gc *gc = mem->zero(mem->context, sizeof *gc);

    if (gc == NULL)
        return NULL;
    gc->stack = mem->zero(mem->context, STACK_MAX * sizeof *gc->stack);
    if (gc->stack == NULL) {
        mem->release(mem->context, gc, sizeof *gc);
        return NULL;
    }
    gc->heap = heap;
    gc->roots = *roots;
    step_init(&gc->step, WEAK_CYCLE);
    heap->gc = gc;
    return gc;
}

/* -- the stack ---------------------------------------------------------------------------------------------------- */

static void push(struct gc *gc, struct obj *o)
{
    if (kind_of(o)->traverse == NULL)
        return;
    if (gc->len == STACK_MAX) {
        pool_flag_page(gc->heap->pool, o);
        return;
    }
    o->flags |= OBJ_GREY;
    gc->stack[gc->len++] = (struct entry){o, 0};
}

/* Lets go of an object that leaves the stack. One that was freed meanwhile left its block: its count is the block's
 * size. */
static void leave(struct gc *gc, struct obj *o)
{
    if (o->type == OBJ_BURIED)
        pool_free(gc->heap->pool, o, o->count, POOL_CONTAINER);
    else
        o->flags &= (uint8_t)~OBJ_GREY;
}

/* True if it is marked now and was not before. Only containers are sure to lie in a page: a long text is a block of its
 * own. */
static bool mark(struct gc *gc, const struct obj *o)
{
    if (!obj_type_is_container(o->type) || !pool_mark(gc->heap->pool, o))
        return false;
    gc->stats.marked++;
    return true;
}

/* -- waiting for memory ------------------------------------------------------------------------------------------- */

static struct obj *take(struct line *line)
{
    struct obj *o = line->at[line->first];

    line->first = (line->first + 1) % AHEAD;
    line->len--;
    return o;
}

/* Puts an object at the end; when the line is full, the first one leaves it: else NULL. */
static struct obj *pass(struct line *line, struct obj *o)
{
    struct obj *first = line->len == AHEAD ? take(line) : NULL;

    line->at[(line->first + line->len++) % AHEAD] = o;
    return first;
}

static void look_at(struct gc *gc, struct obj *o)
{
    if (!mark(gc, o))
        return;
    __builtin_prefetch(obj_storage(o));
    o = pass(&gc->marked, o);
    if (o != NULL)
        push(gc, o);
}

/* A reference leads to `o`. */
static void find(struct gc *gc, struct obj *o)
{
    __builtin_prefetch(o);
    o = pass(&gc->found, o);
    if (o != NULL)
        look_at(gc, o);
}

/* Brings one object nearer to the stack; false if none is waiting. */
static bool advance(struct gc *gc)
{
    if (gc->marked.len > 0)
        push(gc, take(&gc->marked));
    else if (gc->found.len > 0)
        look_at(gc, take(&gc->found));
    else
        return false;
    return true;
}

void gc_root(struct gc *gc, struct obj *o)
{
    if (o != NULL)
        find(gc, o);
}

void gc_shade(struct heap *heap, struct obj *o)
{
    if (gc_is_marking(heap->gc) && mark(heap->gc, o))
        push(heap->gc, o);
    ledgers_lose(heap, o);
}

/* -- lists that change while they are scanned --------------------------------------------------------------------- */

static struct entry *entry_of(struct gc *gc, const struct obj *o)
{
    size_t i = gc->len;

    while (gc->stack[--i].o != o)
        assert(i > 0);
    return &gc->stack[i];
}

void gc_list_cut(struct heap *heap, struct obj *list, uint64_t index, uint64_t n)
{
    struct entry *entry;

    ledgers_list_moved(heap, list, index, -(int64_t)n);
    if ((list->flags & OBJ_GREY) == 0)
        return;
    entry = entry_of(heap->gc, list);
    if (entry->cursor > index)
        entry->cursor = entry->cursor - index < n ? index : entry->cursor - n;
}

/* An element met twice is no harm to the collector. */
void gc_list_grown(struct heap *heap, struct obj *list, uint64_t index, uint64_t n)
{
    ledgers_list_moved(heap, list, index, (int64_t)n);
}

void gc_list_shuffled(struct heap *heap, struct obj *list)
{
    ledgers_list_shuffled(heap, list);
    if ((list->flags & OBJ_GREY) != 0)
        entry_of(heap->gc, list)->cursor = 0;
}

/* -- marking ------------------------------------------------------------------------------------------------------ */

void gc_start(struct gc *gc)
{
    if (gc->phase != IDLE)
        return;
    gc->phase = ROOTS;
    gc->is_draining = false;
    gc->stats.started++;
    gc->stats.marked = 0;
    memset(gc->stats.by_type, 0, sizeof gc->stats.by_type);
    pool_marks_begin(gc->heap->pool);
    gc->heap->is_marking = true;
    gc->roots.begin(gc->roots.context);
}

static bool find_slot(void *arg, const struct slot *slot)
{
    if (slot->target != NULL) /* dropped already, in an object that dies */
        find(arg, slot->target);
    return true;
}

static void spend(size_t *budget, size_t cost)
{
    *budget -= cost < *budget ? cost : *budget;
}

/* Scans the object on top if its references are few and stand side by side, as most do. */
static bool scan_short(struct gc *gc, size_t *budget)
{
    struct entry top = gc->stack[gc->len - 1];
    uint32_t len;
    struct obj **items = top.o->type != OBJ_BURIED ? obj_vector(top.o, &len) : NULL;

    if (items == NULL || top.cursor > 0 || len > SCAN_CHUNK || len >= *budget)
        return false;
    leave(gc, top.o);
    gc->len--;
    for (uint32_t i = 0; i < len; i++)
        if (items[i] != NULL)
            find(gc, items[i]);
    if (top.o->type == OBJ_OBJECT)
        find(gc, &instance_of(top.o)->class->head);
    spend(budget, (size_t)len + 1);
    return true;
}

/* Scans a part of the object on top. What it leads to comes to lie above it; when it is done the topmost takes its
 * place. */
static void scan_top(struct gc *gc, size_t *budget)
{
    size_t at = gc->len - 1;
    struct entry entry = gc->stack[at];
    size_t chunk = *budget < SCAN_CHUNK ? *budget : SCAN_CHUNK;
    size_t left = chunk;
    bool is_done = entry.o->type == OBJ_BURIED ||
                   kind_of(entry.o)->traverse(entry.o, &entry.cursor, &left, find_slot, gc);

    spend(budget, chunk - left + 1);
    if (!is_done) {
        gc->stack[at].cursor = entry.cursor;
        return;
    }
    leave(gc, entry.o);
    gc->stack[at] = gc->stack[--gc->len];
}

static void scan_again(void *arg, void *block)
{
    struct obj *o = block;

    if (o->type < OBJ_TYPES && (o->flags & OBJ_GREY) == 0)
        push(arg, o);
}

/* Looks for a flagged page, and puts its marked objects on the stack, which is empty and has room for more than a
 * page. */
static void revisit_some(struct gc *gc, size_t *budget)
{
    size_t most = *budget / PAGE_COST + 1;
    size_t pages = most;

    pool_revisit(gc->heap->pool, &pages, scan_again, gc);
    spend(budget, (most - pages) * PAGE_COST);
}

static void begin_condemning(struct gc *gc)
{
    gc->heap->is_marking = gc->heap->ledgers != NULL;
    gc->phase = CONDEMN;
    pool_sweep_begin(gc->heap->pool);
}

/* Marks until the budget ends, or there is nothing left to mark. */
static void mark_some(struct gc *gc, size_t *budget)
{
    while (*budget > 0) {
        if (gc->len > 0) {
            if (!scan_short(gc, budget))
                scan_top(gc, budget);
        } else if (advance(gc)) {
            continue;
        } else if (pool_has_flagged(gc->heap->pool)) {
            revisit_some(gc, budget);
        } else if (!gc->is_draining) {
            gc->is_draining = true;
            gc->roots.drain(gc->roots.context);
        } else {
            if (gc->roots.is_drained(gc->roots.context))
                begin_condemning(gc);
            return;
        }
    }
}

bool gc_is_waiting(const struct gc *gc)
{
    return gc->phase == MARK && gc->len == 0 && gc->is_draining && !pool_has_flagged(gc->heap->pool) &&
           !gc->roots.is_drained(gc->roots.context);
}

/* -- condemning --------------------------------------------------------------------------------------------------- */

bool gc_is_condemning(const struct gc *gc)
{
    return gc != NULL && gc->phase == CONDEMN;
}

bool gc_is_condemned(const struct heap *heap, const struct obj *o)
{
    return gc_is_condemning(heap->gc) && pool_is_unmarked(heap->pool, o);
}

static void condemn(void *arg, void *block)
{
    struct gc *gc = arg;
    struct obj *o = block;

    if (o->type >= OBJ_TYPES || (o->flags & (OBJ_IMMORTAL | OBJ_DYING)) != 0)
        return;
    gc->stats.by_type[o->type]++;
    gc->stats.collected++;
    obj_die(gc->heap, o);
}

static void condemn_some(struct gc *gc, size_t *budget)
{
    struct step *outer = gc->heap->step;
    size_t most = *budget / PAGE_COST + 1;
    size_t pages = most;
    bool is_done;

    gc->heap->step = &gc->step;
    is_done = pool_sweep(gc->heap->pool, &pages, condemn, gc);
    gc->heap->step = outer;
    spend(budget, (most - pages) * PAGE_COST);
    if (!is_done)
        return;
    pool_marks_end(gc->heap->pool);
    gc->phase = RECLAIM;
}

/* -- slices ------------------------------------------------------------------------------------------------------- */

static bool end(struct gc *gc)
{
    gc->phase = IDLE;
    gc->stats.ended++;
    gc->stats.containers = gc->heap->containers;
    return true;
}

bool gc_run(struct gc *gc, size_t budget)
{
    if (gc->phase == ROOTS && gc->roots.some(gc->roots.context, &budget))
        gc->phase = MARK;
    if (gc->phase == MARK)
        mark_some(gc, &budget);
    while (advance(gc)) /* whatever may change until the next slice is on the stack then */
        continue;
    if (gc->phase == CONDEMN && budget > 0)
        condemn_some(gc, &budget);
    if (gc->phase == RECLAIM && budget > 0 && step_run(gc->heap, &gc->step, budget))
        return end(gc);
    return false;
}

/* What is condemned can refer to each other: only when all of it is in the queue does the queue come to an end. */
void gc_close(struct gc *gc)
{
    const struct mem *mem;

    if (gc == NULL)
        return;
    while (gc->len > 0)
        leave(gc, gc->stack[--gc->len].o);
    while (gc->phase == CONDEMN)
        condemn_some(gc, &(size_t){SIZE_MAX});
    gc->heap->is_marking = gc->heap->ledgers != NULL;
    pool_marks_end(gc->heap->pool);
    while (!step_run(gc->heap, &gc->step, SIZE_MAX))
        continue;
    mem = gc->heap->mem;
    gc->heap->gc = NULL;
    mem->release(mem->context, gc->stack, STACK_MAX * sizeof *gc->stack);
    mem->release(mem->context, gc, sizeof *gc);
}

bool gc_is_marking(const struct gc *gc)
{
    return gc != NULL && (gc->phase == ROOTS || gc->phase == MARK);
}

bool gc_is_running(const struct gc *gc)
{
    return gc->phase != IDLE;
}

struct step *gc_step(struct gc *gc)
{
    return &gc->step;
}

const struct gc_stats *gc_stats(const struct gc *gc)
{
    return &gc->stats;
}
