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
    struct obj *o = weakref < l->out.len ? l->out.objects[weakref] : NULL;
    struct obj *to = target < l->out.len ? l->out.objects[target] : NULL;

    if (o == NULL || o->type != OBJ_WEAKREF || weak_target_peek(l->heap, o) != NULL || to == NULL)
        return loading_refuse(l, "a weak link leads from or to nothing");
    if (obj_is_immortal(to)) /* a class of this heap that stands for the blob's: nothing refers to it weakly */
        return HD_OK;
    l->has_knots |= is_immutable_holder(to);
    return weak_attach(l->heap, o, to);
}

static enum hd_err begin_links(struct loading *l)
{
    struct serial_value array = loading_next(l);

    if (array.form != SERIAL_ARRAY || array.len % 2 != 0 || array.len > loading_left(l))
        return loading_refuse(l, "it has no weak links");
    l->has_links = true;
    l->links = array.len;
    return heap_work(l->heap, array.len / 2);
}

static enum hd_err read_link(struct loading *l)
{
    struct serial_value weakref = loading_next(l);
    struct serial_value target = loading_next(l);

    l->links -= 2;
    if (weakref.form != SERIAL_INT || target.form != SERIAL_INT)
        return loading_refuse(l, "a weak link is not two numbers");
    return make_link(l, (uint64_t)weakref.sint, (uint64_t)target.sint);
}

enum hd_err loading_link_some(struct loading *l, size_t *budget)
{
    enum hd_err err = l->has_links ? HD_OK : begin_links(l);

    for (; err == HD_OK && l->links > 0 && *budget > 0; (*budget)--)
        err = read_link(l);
    if (err != HD_OK || l->links > 0)
        return err;
    if (loading_left(l) > 0 || l->out.len != l->claimed)
        return loading_refuse(l, "it holds something else than it says");
    l->stage = l->has_knots ? LOADING_KNOTS : LOADING_KEYS;
    return HD_OK;
}

/* -- tuples that lead to themselves ------------------------------------------------------------------------------- */

/*
 * Tuples and weakrefs are made of what was there before, so no way from one leads back to it through such alone;
 * hashing and comparing rely on that. A dump could have it otherwise. Depth first search.
 */

static enum hd_err push(struct loading *l, struct obj *o)
{
    struct loading_visit *search =
        pool_grow(l->heap->pool, l->search, l->search_depth, &l->search_capacity, sizeof *search);

    if (search == NULL)
        return heap_no_memory(l->heap);
    l->search = search;
    l->search[l->search_depth++] = (struct loading_visit){o, 0};
    o->aux = LOADING_OPEN;
    return HD_OK;
}

/* One element of what is on top, or its end. */
static enum hd_err search_step(struct loading *l)
{
    struct loading_visit *top = &l->search[l->search_depth - 1];
    uint32_t len = 1;
    struct obj *item = NULL;
    struct obj **items = &item;

    if (top->o->type == OBJ_TUPLE)
        items = sequence_items(top->o, &len);
    else
        item = weak_target_peek(l->heap, top->o);
    if (top->at == len) {
        top->o->aux = LOADING_SEEN;
        l->search_depth--;
        return HD_OK;
    }
    item = items[top->at++];
    if (item == NULL || !is_immutable_holder(item) || item->aux == LOADING_SEEN)
        return HD_OK;
    return item->aux == LOADING_OPEN ? loading_refuse(l, "a tuple holds itself") : push(l, item);
}

enum hd_err loading_search_some(struct loading *l, size_t *budget)
{
    enum hd_err err = HD_OK;

    for (; err == HD_OK && *budget > 0; (*budget)--) {
        struct obj *o;

        if (l->search_depth > 0) {
            err = search_step(l);
            continue;
        }
        if (l->next == l->out.len) {
            l->next = 0;
            l->stage = LOADING_KEYS;
            return HD_OK;
        }
        o = l->out.objects[l->next++];
        if (is_immutable_holder(o) && o->aux == LOADING_NEW)
            err = push(l, o);
    }
    return err;
}

/* -- late keys ---------------------------------------------------------------------------------------------------- */

enum hd_err loading_hash_some(struct loading *l, size_t *budget)
{
    enum hd_err err = HD_OK;

    while (err == HD_OK && l->next < l->late_len && *budget > 0) {
        struct obj *o = l->late[l->next++];
        size_t cost = dict_of(o)->table.live;

        *budget -= cost < *budget ? cost : *budget;
        err = dict_rehash(l->heap, o);
    }
    if (err == HD_OK && l->next == l->late_len)
        l->stage = LOADING_DONE;
    return err == HD_TYPE ? HD_VALUE : err; /* the text names the unhashable key */
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

/* It may hold cycles of its own, so each container is emptied by hand; the last one first: what holds an object first
 * was made before it, so an object that is still to come lives. True when all are empty. */
static bool empty_some(struct heap *heap, struct serial_loaded *loaded, size_t *budget)
{
    for (; loaded->len > 0 && *budget > 0; (*budget)--) {
        struct obj *o = loaded->objects[--loaded->len];

        if (is_new_container(loaded, o))
            obj_empty(heap, o);
    }
    if (loaded->len > 0)
        return false;
    for (size_t i = 0; i < loaded->aside_len; i++)
        obj_empty(heap, loaded->aside[i]);
    return true;
}

void serial_undo(struct heap *heap, struct serial_loaded *loaded)
{
    size_t all = SIZE_MAX;

    (void)empty_some(heap, loaded, &all);
    end_load(heap, loaded);
}

void loading_give_up_some(struct loading *l, size_t *budget)
{
    if (!empty_some(l->heap, &l->out, budget))
        return;
    loading_let_go(l);
    l->stage = LOADING_DONE;
}

void loading_let_go(struct loading *l)
{
    for (; l->depth > 0; l->depth--)
        if (l->frames[l->depth - 1].type == OBJ_DICT)
            obj_unref(l->heap, &l->frames[l->depth - 1].key);
    obj_unref(l->heap, &l->orphan);
    end_load(l->heap, &l->out);
}
