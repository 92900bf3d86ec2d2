/*
 * check.c - the whole-heap verifier.
 *
 * Invariant it proves: an object's count is the number of references that roots and containers hold; every table's own
 * invariants hold, and so do those of weak links; `live` is the number of objects by type that are reachable from
 * anywhere in the heap.
 */
#include "store/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/kind.h"
#include "store/kinds/dict.h"
#include "store/kinds/namespace.h"
#include "store/kinds/object.h"
#include "store/kinds/weak_table.h"
#include "store/step.h"
#include "store/weak.h"

/* Expected counts, by address: open addressing, outside the heap's own memory and limit. */
struct expected {
    struct obj *o;
    uint64_t count;
};

struct check {
    struct heap *heap;
    struct expected *slots;
    size_t capacity; /* power of two */
    size_t used;
    uint64_t seen[OBJ_TYPES];
    uint64_t differences;
    bool is_out_of_memory;
    void (*line)(void *context, const char *text);
    void *context;
};

struct check *check_begin(struct heap *heap)
{
    struct check *check = calloc(1, sizeof *check);

    if (check == NULL)
        return NULL;
    check->heap = heap;
    check->capacity = 1024;
    check->slots = calloc(check->capacity, sizeof *check->slots);
    if (check->slots == NULL) {
        free(check);
        return NULL;
    }
    return check;
}

static struct expected *slot_of(struct expected *slots, size_t capacity, const struct obj *o)
{
    size_t i = ((uintptr_t)o >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 20 & (capacity - 1);

    while (slots[i].o != NULL && slots[i].o != o)
        i = (i + 1) & (capacity - 1);
    return &slots[i];
}

static bool grow(struct check *check)
{
    size_t capacity = check->capacity * 2;
    struct expected *slots = calloc(capacity, sizeof *slots);

    if (slots == NULL)
        return false;
    for (size_t i = 0; i < check->capacity; i++)
        if (check->slots[i].o != NULL)
            *slot_of(slots, capacity, check->slots[i].o) = check->slots[i];
    free(check->slots);
    check->slots = slots;
    check->capacity = capacity;
    return true;
}

/* Adds `count` expected references to an object. */
static void expect(struct check *check, struct obj *o, uint64_t count)
{
    struct expected *slot;

    if (o == NULL || obj_is_immortal(o) || check->is_out_of_memory)
        return;
    if (check->used * 2 >= check->capacity && !grow(check)) {
        check->is_out_of_memory = true;
        return;
    }
    slot = slot_of(check->slots, check->capacity, o);
    if (slot->o == NULL) {
        slot->o = o;
        check->used++;
        if (o->type < OBJ_TYPES)
            check->seen[o->type]++;
    }
    slot->count += count;
}

void check_root(struct check *check, struct obj *o)
{
    expect(check, o, 1);
}

static void expect_queued(void *arg, struct obj *o, bool is_reference)
{
    expect(arg, o, is_reference);
}

void check_step(struct check *check, const struct step *step)
{
    step_each(step, expect_queued, check);
}

static void differ(struct check *check, const struct obj *o, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void differ(struct check *check, const struct obj *o, const char *format, ...)
{
    char text[160];
    int len;
    va_list args;

    check->differences++;
    if (check->line == NULL)
        return;
    len = snprintf(text, sizeof text, "%s #%llu: ", obj_type_name(o->type), (unsigned long long)o->id);
    va_start(args, format);
    vsnprintf(text + len, sizeof text - (size_t)len, format, args);
    va_end(args);
    check->line(check->context, text);
}

/* -- containers --------------------------------------------------------------------------------------------------- */

static bool expect_slot(void *arg, const struct slot *slot)
{
    expect(arg, slot->target, 1);
    return true;
}

static const struct table *table_in(struct obj *o)
{
    switch (o->type) {
    case OBJ_DICT:
    case OBJ_SET:
        return &dict_of(o)->table;
    case OBJ_CLASS:
        return &class_of(o)->attributes.table;
    case OBJ_NAMESPACE:
        return &space_of(o)->names.table;
    case OBJ_WEAKDICT:
    case OBJ_WEAKKEYDICT:
    case OBJ_WEAKSET:
        return weak_container_table(o);
    case OBJ_OBJECT:
        return (o->flags & OBJ_OWN_NAMES) != 0 ? &instance_of(o)->names->table : NULL;
    default:
        return NULL;
    }
}

static bool check_container(void *arg, void *block)
{
    struct check *check = arg;
    struct obj *o = block;
    const struct table *table;
    int line;

    if (o->type == OBJ_BURIED)
        return true;
    table = (o->flags & OBJ_DYING) == 0 ? table_in(o) : NULL; /* a dying one's entries go without their table */
    expect(check, o, 0);
    if (obj_is_immortal(o))
        return true;
    /* the entries of a dying one are dropped without a look at its table's rules */
    if (table != NULL && (o->flags & OBJ_DYING) == 0 && (line = table_check(table)) != 0)
        differ(check, o, "its table breaks the rule in line %u of table.c", (unsigned)line);
    if ((o->flags & OBJ_ON_PATH) != 0)
        differ(check, o, "the mark of a walk was left on it");
    (void)obj_traverse(o, expect_slot, check); /* of a dying one: what it has not dropped yet */
    return true;
}

static void compare_counts(struct check *check)
{
    for (size_t i = 0; i < check->capacity; i++) {
        struct expected *slot = &check->slots[i];
        int line;

        if (slot->o != NULL && (line = weak_check(check->heap, slot->o)) != 0)
            differ(check, slot->o, "the links to it break the rule in line %u of weak.c", (unsigned)line);
        if (slot->o != NULL && slot->o->count != slot->count)
            differ(check, slot->o, "its count is %llu, its holders are %llu", (unsigned long long)slot->o->count,
                   (unsigned long long)slot->count);
    }
}

static void compare_live(struct check *check)
{
    for (unsigned type = 0; type < OBJ_TYPES; type++) {
        char text[160];

        if (check->heap->live[type] == check->seen[type])
            continue;
        check->differences++;
        snprintf(text, sizeof text, "%s: %llu are alive, %llu are held", obj_type_name(type),
                 (unsigned long long)check->heap->live[type], (unsigned long long)check->seen[type]);
        if (check->line != NULL)
            check->line(check->context, text);
    }
}

uint64_t check_end(struct check *check, void (*line)(void *context, const char *text), void *context)
{
    uint64_t differences;

    check->line = line;
    check->context = context;
    pool_each_container(check->heap->pool, check_container, check);
    if (check->is_out_of_memory) {
        differences = UINT64_MAX;
    } else {
        compare_counts(check);
        compare_live(check);
        differences = check->differences;
    }
    free(check->slots);
    free(check);
    return differences;
}
