/* serial_give.c - what a load has read is given to the container that is open. */
#include "store/kinds/dict.h"
#include "store/kinds/object.h"
#include "store/kinds/sequence.h"
#include "store/serial_loading.h"

static bool hashes_late(const struct obj *key)
{
    return key->type == OBJ_TUPLE || key->type == OBJ_WEAKREF;
}

/* The entry at this place in the dict that was filled here before, if its keys were the same until now and this is one
 * more of them: then its hash is known, and that it is new. Records in a row mostly have the same keys. */
static const struct table_entry *same_in_model(const struct loading *l, const struct loading_frame *frame,
                                               const struct obj *key)
{
    const struct table *model = &dict_of(l->out.objects[frame->model - 1])->table;
    uint32_t place = dict_of(frame->o)->table.used;

    return place < model->used && model->entries[place].key == key ? &model->entries[place] : NULL;
}

/* The container of a key that can be hashed only when all is there is built anew in the end. */
static enum hd_err put_off(struct loading *l, struct loading_frame *frame)
{
    struct obj **late = pool_grow(l->heap->pool, l->late, l->late_len, &l->late_capacity, sizeof *late);

    if (late == NULL)
        return heap_no_memory(l->heap);
    l->late = late;
    l->late[l->late_len++] = frame->o;
    frame->is_late = true;
    return HD_OK;
}

/* An entry of a dict or set, for which there is room; consumes both references. */
static enum hd_err give_entry(struct loading *l, struct loading_frame *frame, struct obj *key, struct obj *value)
{
    struct table *table = &dict_of(frame->o)->table;
    uint32_t hash = table->used * UINT32_C(0x9e3779b1); /* until the end; any, but not one for all */
    uint32_t position = TABLE_NONE;
    enum hd_err err = HD_OK;

    if (!frame->is_late && hashes_late(key))
        err = put_off(l, frame);
    if (err == HD_OK && !frame->is_late)
        err = dict_find(l->heap, frame->o, key, &hash, &position);
    if (err == HD_TYPE)
        return HD_VALUE; /* the text names the unhashable key */
    if (err == HD_OK && position != TABLE_NONE)
        return loading_refuse(l, "two keys are equal");
    if (err == HD_OK)
        table_insert(l->heap->pool, table, hash, key, value);
    return err;
}

static enum hd_err give_to_dict(struct loading *l, struct loading_frame *frame, struct obj *o)
{
    const struct table_entry *same;
    enum hd_err err = HD_OK;

    if (frame->key == NULL) {
        frame->key = o;
        return HD_OK;
    }
    same = frame->is_like ? same_in_model(l, frame, frame->key) : NULL;
    frame->is_like = same != NULL;
    if (same != NULL)
        table_insert(l->heap->pool, &dict_of(frame->o)->table, same->hash, frame->key, o);
    else
        err = give_entry(l, frame, frame->key, o);
    if (err == HD_OK)
        frame->key = NULL;
    return err;
}

static enum hd_err give_attribute(struct loading *l, struct loading_frame *frame, struct obj *o)
{
    struct obj *value = o;
    struct obj *none;
    enum hd_err err;

    if (frame->name == NULL) {
        instance_of(frame->o)->values[frame->place++] = o;
        return HD_OK;
    }
    if (frame->type == OBJ_OBJECT)
        err = object_set(l->heap, frame->o, frame->name, frame->name_len, o);
    else
        err = names_bind(l->heap, &class_of(frame->o)->attributes, frame->name, frame->name_len, o, &none);
    if (err == HD_OK)
        obj_unref(l->heap, &value); /* the object holds it */
    return err;
}

/* The class of an instance has come: the instance can be made, and takes the place that waits for it. */
static enum hd_err give_class(struct loading *l, size_t depth, struct obj *o)
{
    struct loading_frame *frame = &l->frames[depth - 1];
    struct obj *class = o;
    struct obj *instance;
    enum hd_err err;

    if (o->type != OBJ_CLASS || class_of(o)->makes != OBJ_OBJECT)
        return loading_refuse(l, "an object has no class");
    err = object_new_sized(l->heap, o, frame->left, &instance);
    if (err != HD_OK)
        return err;
    obj_unref(l->heap, &class); /* the instance holds it */
    frame->o = l->out.objects[frame->number] = instance;
    return loading_give(l, depth - 1, instance);
}

static enum hd_err give_to(struct loading *l, size_t depth, struct obj *o)
{
    struct loading_frame *frame = &l->frames[depth - 1];
    struct tuple *tuple;

    frame->left--;
    switch (frame->type) {
    case OBJ_LIST:
        list_push_take(frame->o, &o);
        return HD_OK;
    case OBJ_TUPLE:
        tuple = tuple_of(frame->o);
        tuple->items[tuple->len - 1 - frame->left] = o;
        return HD_OK;
    case OBJ_SET:
        return give_entry(l, frame, o, NULL);
    case OBJ_DICT:
        return give_to_dict(l, frame, o);
    default:
        return frame->o == NULL ? give_class(l, depth, o) : give_attribute(l, frame, o);
    }
}

enum hd_err loading_give(struct loading *l, size_t depth, struct obj *o)
{
    enum hd_err err = HD_OK;

    if (depth == 0)
        l->out.root = o;
    else
        err = give_to(l, depth, o);
    if (err != HD_OK && l->orphan == NULL)
        l->orphan = o;
    return err;
}
