/* weak.c - lists of weak references, where they begin, and the queues of those that want a notice. */
#include "store/weak.h"

#include <assert.h>

#include "store/gc.h"
#include "store/kind.h"
#include "store/kinds/atoms.h"
#include "store/kinds/weak_table.h"
#include "store/names.h"
#include "store/step.h"

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

static struct weak *weak_of_link(struct weak_link *link)
{
    assert(link->kind == WEAK_OBJECT);
    return (struct weak *)(void *)((char *)link - offsetof(struct weak, link));
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

/* -- heads of lists: beside the object, or in the side table if there is no such place ---------------------------- */

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

static struct weak_link *first_of(const struct heap *heap, const struct obj *o)
{
    if ((o->flags & OBJ_HAS_WEAK) == 0)
        return NULL;
    if (has_side(o))
        return *pool_side(o);
    return (void *)heap->weak_heads.entries[find_head(heap, o)].value;
}

/* Room for the object's first weak reference, so that set_first cannot fail; to be given back if it is not used.
 * *beside is where the first link goes if that is beside the object, and there is none yet: else NULL. */
static bool reserve_first(struct heap *heap, struct obj *o, void ***beside)
{
    *beside = NULL;
    if ((o->flags & OBJ_HAS_WEAK) != 0)
        return true;
    if (!has_side(o))
        return table_reserve(heap->pool, &heap->weak_heads, 1);
    *beside = pool_side_open(heap->pool, o);
    return *beside != NULL;
}

static void unreserve_first(struct heap *heap, struct obj *o)
{
    if ((o->flags & OBJ_HAS_WEAK) == 0 && has_side(o))
        pool_side_close(heap->pool, o);
}

static void set_first_in_table(struct heap *heap, struct obj *o, struct weak_link *first)
{
    uint32_t position;

    if ((o->flags & OBJ_HAS_WEAK) == 0) {
        table_insert(heap->pool, &heap->weak_heads, head_hash(heap, o), o, (void *)first);
        return;
    }
    position = find_head(heap, o);
    if (first != NULL)
        heap->weak_heads.entries[position].value = (void *)first;
    else
        table_remove(heap->pool, &heap->weak_heads, position);
}

/* Room was reserved. NULL: the list is empty. */
static void set_first(struct heap *heap, struct obj *o, struct weak_link *first)
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

/* -- links -------------------------------------------------------------------------------------------------------- */

enum hd_err weak_check_target(struct heap *heap, const struct obj *target)
{
    if (!obj_is_immortal(target))
        return HD_OK;
    return heap_fail(heap, HD_TYPE, "cannot refer weakly to an immortal %s", obj_type_name(target->type));
}

bool weak_link_reserve(struct heap *heap, struct obj *target)
{
    void **beside;

    return reserve_first(heap, target, &beside);
}

void weak_link_unreserve(struct heap *heap, struct obj *target)
{
    unreserve_first(heap, target);
}

/* In front, but behind the shared ones: these are told of nothing, so their place is no order. */
void weak_link_add(struct heap *heap, struct obj *target, struct weak_link *link)
{
    struct weak_link *next = first_of(heap, target);
    struct weak_link *prev = NULL;

    while (!link->is_shared && next != NULL && next->is_shared) {
        prev = next;
        next = next->next;
    }
    link->target = target;
    link->prev = prev;
    link->next = next;
    if (next != NULL)
        next->prev = link;
    if (prev != NULL)
        prev->next = link;
    else
        set_first(heap, target, link);
}

/* The same for a new link, the first one, whose place is known. */
static void begin_list(struct obj *target, void **beside, struct weak_link *link)
{
    link->target = target;
    *beside = link;
    target->flags |= OBJ_HAS_WEAK;
}

void weak_link_remove(struct heap *heap, struct weak_link *link)
{
    if (link->next != NULL)
        link->next->prev = link->prev;
    if (link->prev != NULL)
        link->prev->next = link->next;
    else
        set_first(heap, link->target, link->next);
    link->target = NULL;
    link->next = link->prev = NULL;
}

struct obj *weak_link_peek(struct heap *heap, const struct weak_link *link)
{
    struct obj *target = weak_link_target(link);

    if (target == NULL || gc_is_condemned(heap, target))
        return NULL;
    if (heap->is_marking)
        gc_shade(heap, target); /* who reads it may keep it */
    return target;
}

int weak_check(const struct heap *heap, const struct obj *o)
{
    const struct weak_link *prev = NULL;

    if ((o->flags & OBJ_HAS_WEAK) == 0)
        return 0;
    if ((o->flags & OBJ_DYING) != 0 || first_of(heap, o) == NULL)
        return __LINE__;
    for (const struct weak_link *link = first_of(heap, o); link != NULL; link = link->next) {
        if (link->target != o || link->prev != prev)
            return __LINE__;
        if (link->is_shared && prev != NULL && !prev->is_shared)
            return __LINE__;
        prev = link;
    }
    return 0;
}

/* -- making ------------------------------------------------------------------------------------------------------- */

/* The shared ones, at most a weakref and a proxy, stand first: finding them is no walk past a million others. */
static struct weak *find_shared(const struct heap *heap, enum obj_type type, const struct obj *target)
{
    for (struct weak_link *link = first_of(heap, target); link != NULL && link->is_shared; link = link->next)
        if (weak_of_link(link)->head.type == type)
            return weak_of_link(link);
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

enum hd_err weak_new(struct heap *heap, enum obj_type type, struct obj *target, struct mailbox *mailbox,
                     struct obj **out)
{
    struct weak *weak;
    void **beside;
    enum hd_err err = weak_check_target(heap, target);

    if (err != HD_OK)
        return err;
    weak = mailbox == NULL ? find_living_shared(heap, type, target) : NULL;
    if (weak != NULL) {
        if (heap->is_marking)
            gc_shade(heap, &weak->head); /* it may have been held by garbage only */
        *out = obj_ref(&weak->head);
        return HD_OK;
    }
    if (!reserve_first(heap, target, &beside))
        return heap_no_memory(heap);
    weak = (struct weak *)heap_new(heap, type, sizeof *weak);
    if (weak == NULL) {
        unreserve_first(heap, target);
        return heap_no_memory(heap);
    }
    *weak = (struct weak){.head = weak->head, .link = {.kind = WEAK_OBJECT, .is_shared = mailbox == NULL},
                          .mailbox = mailbox};
    if (mailbox != NULL)
        mailbox->count++;
    if (beside != NULL)
        begin_list(target, beside, &weak->link);
    else
        weak_link_add(heap, target, &weak->link);
    *out = &weak->head;
    return HD_OK;
}

enum hd_err weak_new_dead(struct heap *heap, bool is_hashed, struct obj **out)
{
    struct weak *weak = (struct weak *)heap_new(heap, OBJ_WEAKREF, sizeof *weak);

    if (weak == NULL)
        return heap_no_memory(heap);
    *weak = (struct weak){.head = weak->head, .died_ns = heap->now_ns(heap->now_context),
                          .link = {.epitaph = 1, .kind = WEAK_OBJECT, .cause = WEAK_COUNT, .is_hashed = is_hashed},
                          .hash = (int64_t)weak->head.id};
    *out = &weak->head;
    return HD_OK;
}

enum hd_err weak_attach(struct heap *heap, struct obj *weakref, struct obj *target)
{
    struct weak *weak = weak_of(weakref);

    /* may empty the list: before room is made */
    bool is_shared = find_living_shared(heap, OBJ_WEAKREF, target) == NULL;

    assert(weak_link_target(&weak->link) == NULL && weak->mailbox == NULL && !obj_is_immortal(target));
    if (!weak_link_reserve(heap, target))
        return heap_no_memory(heap);
    weak->link.is_hashed = false;
    weak->link.is_shared = is_shared;
    weak_link_add(heap, target, &weak->link);
    return HD_OK;
}

/* -- asking ------------------------------------------------------------------------------------------------------- */

uint64_t weak_target_id(const struct obj *o)
{
    const struct weak_link *link = &weak_of(o)->link;
    const struct obj *target = weak_link_target(link);

    return target != NULL ? target->id : link->epitaph >> 1;
}

struct obj *weak_target_peek(struct heap *heap, const struct obj *weak)
{
    return weak_link_peek(heap, &weak_of(weak)->link);
}

enum weak_cause weak_death(const struct heap *heap, const struct obj *o, uint64_t *died_ns)
{
    const struct weak *weak = weak_of(o);

    if (weak_link_target(&weak->link) != NULL) { /* condemned: its turn has not come */
        *died_ns = heap->now_ns(heap->now_context);
        return WEAK_CYCLE;
    }
    *died_ns = weak->died_ns;
    return (enum weak_cause)weak->link.cause;
}

uint64_t weak_count(const struct heap *heap, const struct obj *o)
{
    uint64_t count = 0;

    for (const struct weak_link *link = first_of(heap, o); link != NULL; link = link->next)
        count += link->kind == WEAK_OBJECT;
    return count;
}

/* -- clearing ----------------------------------------------------------------------------------------------------- */

/* What stands in place of a neighbour at both ends of a queue: its address, told apart by the lowest bit. */
static struct weak_link *end_of(struct weak_queue *queue)
{
    return (struct weak_link *)((uintptr_t)queue | 1);
}

/* The queue, if `neighbour` is an end of one; else NULL. */
static struct weak_queue *ended_queue(const struct weak_link *neighbour)
{
    uintptr_t address = (uintptr_t)neighbour;

    return (address & 1) != 0 ? (struct weak_queue *)(address - 1) : NULL;
}

void weak_queue_append(struct weak_queue *queue, struct weak *weak)
{
    struct weak_link *link = &weak->link;

    link->next = end_of(queue);
    if (queue->last != NULL) {
        link->prev = queue->last;
        queue->last->next = link;
    } else {
        link->prev = end_of(queue);
        queue->first = link;
    }
    queue->last = link;
}

static void queue_remove(struct weak_link *link)
{
    struct weak_queue *begun = ended_queue(link->prev);
    struct weak_queue *ended = ended_queue(link->next);

    if (begun == NULL)
        link->prev->next = link->next;
    else
        begun->first = ended == NULL ? link->next : NULL;
    if (ended == NULL)
        link->next->prev = link->prev;
    else
        ended->last = begun == NULL ? link->prev : NULL;
    link->next = link->prev = NULL;
}

struct weak *weak_queue_pop(struct weak_queue *queue)
{
    struct weak *weak = queue->first != NULL ? weak_of_link(queue->first) : NULL;

    if (weak != NULL)
        queue_remove(&weak->link);
    return weak;
}

static void clear_object(struct weak *weak, uint64_t id, struct step *step, uint64_t now)
{
    weak->link.epitaph = id << 1 | 1;
    weak->link.cause = (uint8_t)step->cause;
    weak->died_ns = now;
    if (weak->mailbox != NULL && weak->mailbox->owner != NULL)
        weak_queue_append(&step->told[step->cause], weak);
}

void weak_clear(struct heap *heap, struct obj *o, struct step *step)
{
    struct weak_link *link = first_of(heap, o);
    uint64_t now;

    if (link == NULL)
        return;
    set_first(heap, o, NULL);
    now = heap->now_ns(heap->now_context);
    while (link != NULL) {
        struct weak_link *next = link->next;

        link->target = NULL;
        link->next = link->prev = NULL;
        if (link->kind == WEAK_OBJECT)
            clear_object(weak_of_link(link), o->id, step, now);
        else if (link->kind == WEAK_ENTRY)
            weak_entry_expire(heap, link, step);
        else
            weak_name_expire(heap, link, step);
        link = next;
    }
}

/* -- the kind ----------------------------------------------------------------------------------------------------- */

void weak_retire(struct heap *heap, struct obj *o)
{
    struct weak *weak = weak_of(o);

    if (weak_link_target(&weak->link) != NULL)
        weak_link_remove(heap, &weak->link);
    else if (weak->link.next != NULL)
        queue_remove(&weak->link);
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
