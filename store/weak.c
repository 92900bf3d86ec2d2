/* weak.c - lists of weak references, where they begin, and the queues of those that want a notice. */
#include "store/weak.h"

#include <assert.h>

#include "store/gc.h"
#include "store/kind.h"
#include "store/kinds/atoms.h"

const char *weak_cause_name(enum weak_cause cause)
{
    static const char *const names[WEAK_CAUSES] = {"count", "session", "cycle"};

    return names[cause];
}

static struct weak *weak_of(const struct obj *o)
{
    assert(o->type == OBJ_WEAKREF || o->type == OBJ_PROXY);
    return (struct weak *)o;
}

/* -- mailboxes ---------------------------------------------------------------------------------------------------- */

struct mailbox *mailbox_new(struct heap *heap, void *owner)
{
    struct mailbox *mailbox = pool_alloc(heap->pool, sizeof *mailbox, POOL_DATA);

    if (mailbox != NULL)
        *mailbox = (struct mailbox){1, owner};
    return mailbox;
}

void mailbox_unref(struct heap *heap, struct mailbox **mailbox)
{
    struct mailbox *dropped = *mailbox;

    *mailbox = NULL;
    if (dropped != NULL && --dropped->count == 0)
        pool_free(heap->pool, dropped, sizeof *dropped, POOL_DATA);
}

/* -- heads of lists: beside the object, or in the side table if there is no such place ------------------------------- */

static bool has_side(const struct obj *o)
{
    bool is_text = o->type == OBJ_STR || o->type == OBJ_BYTES; /* all others are small themselves */

    return pool_has_side(is_text ? sizeof(struct text) + ((const struct text *)o)->len : sizeof *o);
}

static uint32_t head_hash(const struct heap *heap, const struct obj *o)
{
    uint64_t x = ((uint64_t)(uintptr_t)o >> 4) ^ heap->hash_key[0];

    x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93); /* one round of the rrmxmx mixer */
    return (uint32_t)(x ^ x >> 32);
}

static bool head_matches(void *arg, const void *key)
{
    return arg == key;
}

static uint32_t find_head(const struct heap *heap, const struct obj *o)
{
    return table_find(&heap->weak_heads, head_hash(heap, o), head_matches, (void *)(uintptr_t)o);
}

static struct weak *first_of(const struct heap *heap, const struct obj *o)
{
    if ((o->flags & OBJ_HAS_WEAK) == 0)
        return NULL;
    if (has_side(o))
        return *pool_side(o);
    return (struct weak *)heap->weak_heads.entries[find_head(heap, o)].value;
}

/* Room for the object's first weak reference, so that set_first cannot fail; to be given back if it is not used. */
static bool reserve_first(struct heap *heap, struct obj *o)
{
    if ((o->flags & OBJ_HAS_WEAK) != 0)
        return true;
    return has_side(o) ? pool_side_open(heap->pool, o) != NULL : table_reserve(heap->pool, &heap->weak_heads, 1);
}

static void unreserve_first(struct heap *heap, struct obj *o)
{
    if ((o->flags & OBJ_HAS_WEAK) == 0 && has_side(o))
        pool_side_close(heap->pool, o);
}

static void set_first_in_table(struct heap *heap, struct obj *o, struct weak *first)
{
    uint32_t position;

    if ((o->flags & OBJ_HAS_WEAK) == 0) {
        table_insert(heap->pool, &heap->weak_heads, head_hash(heap, o), o, &first->head);
        return;
    }
    position = find_head(heap, o);
    if (first != NULL)
        heap->weak_heads.entries[position].value = &first->head;
    else
        table_remove(heap->pool, &heap->weak_heads, position);
}

/* Room was reserved. NULL: the list is empty. */
static void set_first(struct heap *heap, struct obj *o, struct weak *first)
{
    if (!has_side(o))
        set_first_in_table(heap, o, first);
    else if (first != NULL)
        *pool_side(o) = first;
    else
        pool_side_close(heap->pool, o);
    if (first != NULL)
        o->flags |= OBJ_HAS_WEAK;
    else
        o->flags &= (uint8_t)~OBJ_HAS_WEAK;
}

/* -- making ------------------------------------------------------------------------------------------------------- */

/* The shared ones, at most a weakref and a proxy, stand first: finding them is no walk past a million others. */
static struct weak *find_shared(const struct heap *heap, enum obj_type type, const struct obj *target)
{
    for (struct weak *weak = first_of(heap, target); weak != NULL && weak->is_shared; weak = weak->next)
        if (weak->head.type == type)
            return weak;
    return NULL;
}

/* The same; one that the collector has condemned gives its place up. */
static struct weak *find_living_shared(struct heap *heap, enum obj_type type, const struct obj *target)
{
    struct weak *weak = find_shared(heap, type, target);

    if (weak == NULL || !gc_is_condemned(heap, &weak->head))
        return weak;
    weak_retire(heap, &weak->head);
    return NULL;
}

/* In front, but behind the shared ones: these are told of nothing, so their place is no order. */
static void link_weak(struct heap *heap, struct obj *target, struct weak *weak)
{
    struct weak *next = first_of(heap, target);
    struct weak *prev = NULL;

    while (!weak->is_shared && next != NULL && next->is_shared) {
        prev = next;
        next = next->next;
    }
    weak->prev = prev;
    weak->next = next;
    if (next != NULL)
        next->prev = weak;
    if (prev != NULL)
        prev->next = weak;
    else
        set_first(heap, target, weak);
}

enum hd_err weak_new(struct heap *heap, enum obj_type type, struct obj *target, struct mailbox *mailbox,
                     struct obj **out)
{
    struct weak *weak;

    if (obj_is_immortal(target))
        return heap_fail(heap, HD_TYPE, "cannot refer weakly to an immortal %s", obj_type_name(target->type));
    weak = mailbox == NULL ? find_living_shared(heap, type, target) : NULL;
    if (weak != NULL) {
        if (heap->is_marking)
            gc_shade(heap, &weak->head); /* it may have been held by garbage only */
        *out = obj_ref(&weak->head);
        return HD_OK;
    }
    if (!reserve_first(heap, target))
        return heap_no_memory(heap);
    weak = (struct weak *)heap_new(heap, type, sizeof *weak);
    if (weak == NULL) {
        unreserve_first(heap, target);
        return heap_no_memory(heap);
    }
    *weak = (struct weak){.head = weak->head, .target = target, .mailbox = mailbox, .target_id = target->id,
                          .is_shared = mailbox == NULL};
    if (mailbox != NULL)
        mailbox->count++;
    link_weak(heap, target, weak);
    *out = &weak->head;
    return HD_OK;
}

enum hd_err weak_new_dead(struct heap *heap, bool is_hashed, struct obj **out)
{
    struct weak *weak = (struct weak *)heap_new(heap, OBJ_WEAKREF, sizeof *weak);

    if (weak == NULL)
        return heap_no_memory(heap);
    *weak = (struct weak){.head = weak->head, .died_ns = heap->now_ns(heap->now_context), .cause = WEAK_COUNT,
                          .hash = (int64_t)weak->head.id, .is_hashed = is_hashed};
    *out = &weak->head;
    return HD_OK;
}

enum hd_err weak_attach(struct heap *heap, struct obj *weakref, struct obj *target)
{
    struct weak *weak = weak_of(weakref);

    assert(weak->target == NULL && weak->mailbox == NULL && !obj_is_immortal(target));
    if (!reserve_first(heap, target))
        return heap_no_memory(heap);
    weak->target = target;
    weak->target_id = target->id;
    weak->died_ns = 0;
    weak->is_hashed = false;
    weak->is_shared = find_living_shared(heap, OBJ_WEAKREF, target) == NULL;
    link_weak(heap, target, weak);
    return HD_OK;
}

/* -- asking ------------------------------------------------------------------------------------------------------- */

struct obj *weak_target_peek(struct heap *heap, const struct obj *weak)
{
    struct obj *target = weak_of(weak)->target;

    if (target == NULL || gc_is_condemned(heap, target))
        return NULL;
    if (heap->is_marking)
        gc_shade(heap, target); /* who reads it may keep it */
    return target;
}

enum weak_cause weak_death(const struct heap *heap, const struct obj *o, uint64_t *died_ns)
{
    const struct weak *weak = weak_of(o);

    if (weak->target != NULL) { /* condemned: its turn has not come */
        *died_ns = heap->now_ns(heap->now_context);
        return WEAK_CYCLE;
    }
    *died_ns = weak->died_ns;
    return (enum weak_cause)weak->cause;
}

uint64_t weak_count(const struct heap *heap, const struct obj *o)
{
    uint64_t count = 0;

    for (const struct weak *weak = first_of(heap, o); weak != NULL; weak = weak->next)
        count++;
    return count;
}

/* -- clearing ----------------------------------------------------------------------------------------------------- */

void weak_queue_append(struct weak_queue *queue, struct weak *weak)
{
    weak->queue = queue;
    weak->next = NULL;
    weak->prev = queue->last;
    if (queue->last != NULL)
        queue->last->next = weak;
    else
        queue->first = weak;
    queue->last = weak;
}

static void queue_remove(struct weak *weak)
{
    struct weak_queue *queue = weak->queue;

    if (weak->prev != NULL)
        weak->prev->next = weak->next;
    else
        queue->first = weak->next;
    if (weak->next != NULL)
        weak->next->prev = weak->prev;
    else
        queue->last = weak->prev;
    weak->queue = NULL;
    weak->next = weak->prev = NULL;
}

struct weak *weak_queue_pop(struct weak_queue *queue)
{
    struct weak *weak = queue->first;

    if (weak != NULL)
        queue_remove(weak);
    return weak;
}

void weak_clear(struct heap *heap, struct obj *o, enum weak_cause cause, struct weak_queue told[WEAK_CAUSES])
{
    struct weak *weak = first_of(heap, o);
    uint64_t now;

    if (weak == NULL)
        return;
    set_first(heap, o, NULL);
    now = heap->now_ns(heap->now_context);
    while (weak != NULL) {
        struct weak *next = weak->next;

        weak->target = NULL;
        weak->cause = (uint8_t)cause;
        weak->died_ns = now;
        weak->next = weak->prev = NULL;
        if (weak->mailbox != NULL && weak->mailbox->owner != NULL)
            weak_queue_append(&told[cause], weak);
        weak = next;
    }
}

/* -- the kind ----------------------------------------------------------------------------------------------------- */

static void unlink_from_target(struct heap *heap, struct weak *weak)
{
    if (weak->next != NULL)
        weak->next->prev = weak->prev;
    if (weak->prev != NULL)
        weak->prev->next = weak->next;
    else
        set_first(heap, weak->target, weak->next);
    weak->target = NULL;
}

void weak_retire(struct heap *heap, struct obj *o)
{
    struct weak *weak = weak_of(o);

    if (weak->target != NULL)
        unlink_from_target(heap, weak);
    if (weak->queue != NULL)
        queue_remove(weak);
    mailbox_unref(heap, &weak->mailbox);
}

static void weak_free(struct heap *heap, struct obj *o)
{
    heap_free(heap, o, sizeof(struct weak));
}

static size_t weak_bytes(const struct obj *o)
{
    (void)o;
    return pool_rounded(sizeof(struct weak));
}

const struct kind kind_weakref = {.free = weak_free, .bytes = weak_bytes};
const struct kind kind_proxy = {.free = weak_free, .bytes = weak_bytes};
