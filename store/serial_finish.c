/* serial_finish.c - what a load can do only when all is there, and how its graph is handed over or taken apart. */
#include "store/serial_loading.h"

#include "store/copy.h"
#include "store/kinds/dict.h"
#include "store/kinds/sequence.h"
#include "store/weak.h"

/* -- weak links --------------------------------------------------------------------------------------------------- */

static bool is_immutable_holder(const struct obj *o)
{
    return o->type == OBJ_TUPLE || o->type == OBJ_WEAKREF;
}

static enum hd_err make_link(struct loading *l, uint64_t weakref, uint64_t target)
{
    struct obj *o = weakref < l->out->len ? l->out->objects[weakref] : NULL;
    struct obj *to = target < l->out->len ? l->out->objects[target] : NULL;

    if (o == NULL || o->type != OBJ_WEAKREF || weak_target_peek(l->heap, o) != NULL || to == NULL)
        return loading_refuse(l, "a weak link leads from or to nothing");
    if (obj_is_immortal(to)) /* a class of this heap that stands for the blob's: nothing refers to it weakly */
        return HD_OK;
    l->has_knots |= is_immutable_holder(to);
    return weak_attach(l->heap, o, to);
}

static enum hd_err read_links(struct loading *l)
{
    struct serial_value array = loading_next(l);
    enum hd_err err;

    if (array.form != SERIAL_ARRAY || array.len % 2 != 0 || array.len > loading_left(l))
        return loading_refuse(l, "it has no weak links");
    err = heap_work(l->heap, array.len / 2);
    for (uint32_t i = 0; err == HD_OK && i < array.len; i += 2) {
        struct serial_value weakref = loading_next(l);
        struct serial_value target = loading_next(l);

        if (weakref.form != SERIAL_INT || target.form != SERIAL_INT)
            return loading_refuse(l, "a weak link is not two numbers");
        err = make_link(l, (uint64_t)weakref.sint, (uint64_t)target.sint);
    }
    return err;
}

/* -- tuples that lead to themselves ------------------------------------------------------------------------------- */

/*
 * Tuples and weakrefs are made of what was there before, so no way from one leads back to it through such alone;
 * hashing and comparing rely on that. A blob could have it otherwise. Depth first search; the mark is in `aux`, which
 * neither uses.
 */
enum mark { MARK_NEW, MARK_OPEN, MARK_DONE };

struct visit {
    struct obj *o;
    uint32_t at; /* next element */
};

struct search {
    struct heap *heap;
    struct visit *stack;
    size_t depth, capacity;
};

/* The next tuple or weakref that the one on top holds; NULL at its end. */
static struct obj *next_holder(struct heap *heap, struct visit *top)
{
    uint32_t len = 1;
    struct obj *target = NULL;
    struct obj **items = &target;

    if (top->o->type == OBJ_TUPLE)
        items = sequence_items(top->o, &len);
    else
        target = weak_target_peek(heap, top->o);
    while (top->at < len) {
        struct obj *item = items[top->at++];

        if (item != NULL && is_immutable_holder(item))
            return item;
    }
    return NULL;
}

static enum hd_err push(struct search *s, struct obj *o)
{
    struct visit *stack = pool_grow(s->heap->pool, s->stack, s->depth, &s->capacity, sizeof *stack);

    if (stack == NULL)
        return heap_no_memory(s->heap);
    s->stack = stack;
    s->stack[s->depth++] = (struct visit){o, 0};
    o->aux = MARK_OPEN;
    return HD_OK;
}

static enum hd_err search_from(struct loading *l, struct search *s, struct obj *o)
{
    enum hd_err err = push(s, o);

    while (err == HD_OK && s->depth > 0) {
        struct obj *next = next_holder(s->heap, &s->stack[s->depth - 1]);

        if (next == NULL)
            s->stack[--s->depth].o->aux = MARK_DONE;
        else if (next->aux == MARK_OPEN)
            err = loading_refuse(l, "a tuple holds itself");
        else if (next->aux == MARK_NEW)
            err = push(s, next);
    }
    return err;
}

static enum hd_err check_knots(struct loading *l)
{
    struct search s = {.heap = l->heap};
    enum hd_err err = HD_OK;

    for (size_t i = 0; err == HD_OK && i < l->out->len; i++) {
        struct obj *o = l->out->objects[i];

        if (is_immutable_holder(o) && o->aux == MARK_NEW)
            err = search_from(l, &s, o);
    }
    for (size_t i = 0; i < l->out->len; i++)
        if (is_immutable_holder(l->out->objects[i]))
            l->out->objects[i]->aux = MARK_NEW;
    pool_free(l->heap->pool, s.stack, s.capacity * sizeof *s.stack, POOL_DATA);
    return err;
}

/* -- late keys ---------------------------------------------------------------------------------------------------- */

static enum hd_err hash_late_keys(struct loading *l)
{
    enum hd_err err = HD_OK;

    for (size_t i = 0; err == HD_OK && i < l->out->len; i++) {
        struct obj *o = l->out->objects[i];

        if ((o->type != OBJ_DICT && o->type != OBJ_SET) || (o->flags & OBJ_ON_PATH) == 0)
            continue;
        o->flags &= (uint8_t)~OBJ_ON_PATH;
        err = dict_rehash(l->heap, o);
    }
    return err == HD_TYPE ? HD_VALUE : err; /* the text names the unhashable key */
}

enum hd_err loading_finish(struct loading *l)
{
    enum hd_err err = read_links(l);

    if (err == HD_OK && (loading_left(l) > 0 || l->out->len != l->claimed))
        err = loading_refuse(l, "it holds something else than it says");
    if (err == HD_OK && l->has_knots)
        err = check_knots(l);
    if (err == HD_OK && l->has_late_keys)
        err = hash_late_keys(l);
    return err;
}

/* -- the end ------------------------------------------------------------------------------------------------------ */

/* Drops what is put aside, the numbers, and the root. */
static void end_load(struct heap *heap, struct serial_loaded *loaded)
{
    for (size_t i = 0; i < loaded->aside_len; i++)
        obj_unref(heap, &loaded->aside[i]);
    pool_free(heap->pool, loaded->aside, loaded->aside_capacity * sizeof(struct obj *), POOL_DATA);
    pool_free(heap->pool, loaded->objects, loaded->capacity * sizeof(struct obj *), POOL_DATA);
    obj_unref(heap, &loaded->root);
    *loaded = (struct serial_loaded){0};
}

void serial_keep(struct heap *heap, struct serial_loaded *loaded)
{
    end_load(heap, loaded);
}

static bool is_new_container(const struct serial_loaded *loaded, const struct obj *o)
{
    return o != NULL && obj_type_is_container(o->type) && !obj_is_immortal(o) && o->id >= loaded->first_id;
}

/* It may hold cycles of its own, so each container is emptied by hand while a reference keeps it. */
void serial_undo(struct heap *heap, struct serial_loaded *loaded)
{
    size_t kept = 0;

    for (size_t i = 0; i < loaded->len; i++)
        if (is_new_container(loaded, loaded->objects[i]))
            loaded->objects[kept++] = obj_ref(loaded->objects[i]);
    for (size_t i = 0; i < loaded->aside_len; i++)
        obj_empty(heap, loaded->aside[i]);
    for (size_t i = 0; i < kept; i++) {
        loaded->objects[i]->flags &= (uint8_t)~OBJ_ON_PATH;
        obj_empty(heap, loaded->objects[i]);
    }
    for (size_t i = 0; i < kept; i++)
        obj_unref(heap, &loaded->objects[i]);
    end_load(heap, loaded);
}
