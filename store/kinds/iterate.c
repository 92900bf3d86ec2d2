/* iterate.c - the items of containers and texts, one after another. */
#include "store/kinds/iterate.h"

#include "store/attr.h"
#include "store/kinds/atoms.h"
#include "store/kinds/dict.h"
#include "store/kinds/sequence.h"
#include "store/kinds/weak_table.h"

/* How many items `o` has; false if it has none of them by nature. */
static bool count_items(struct obj *o, uint64_t *length)
{
    uint32_t len;

    switch (o->type) {
    case OBJ_STR:
        *length = str_length(o);
        return true;
    case OBJ_BYTES:
        *length = text_of(o)->len;
        return true;
    case OBJ_LIST:
    case OBJ_TUPLE:
        sequence_items(o, &len);
        *length = len;
        return true;
    case OBJ_DICT:
    case OBJ_SET:
        *length = dict_of(o)->table.live;
        return true;
    case OBJ_WEAKDICT:
    case OBJ_WEAKKEYDICT:
    case OBJ_WEAKSET:
        *length = weak_container_table(o)->live;
        return true;
    default:
        return false;
    }
}

enum hd_err iterate_start(struct heap *heap, struct obj *o, struct iteration *iteration)
{
    uint64_t length;
    enum hd_err err = obj_through(heap, o, &o);

    if (err != HD_OK)
        return err;
    if (!count_items(o, &length))
        return heap_fail(heap, HD_TYPE, "'%s' is not iterable", obj_type_name(o->type));
    *iteration = (struct iteration){.heap = heap, .over = o, .length = length};
    return HD_OK;
}

/* The next reference that a container holds, borrowed; NULL at the end. */
static struct obj *next_held(struct iteration *it)
{
    struct obj *over = it->over;
    struct obj *key, *value;
    uint32_t len, at;
    struct obj **items;

    if (over->type == OBJ_DICT || over->type == OBJ_SET) {
        at = table_next(&dict_of(over)->table, it->position);
        it->position = at == TABLE_NONE ? it->position : at + 1;
        return at == TABLE_NONE ? NULL : dict_of(over)->table.entries[at].key;
    }
    if (is_weak_container(over))
        return weak_container_next(it->heap, over, &it->position, &key, &value) ? key : NULL;
    items = sequence_items(over, &len);
    return it->position < len ? items[it->position++] : NULL;
}

static enum hd_err give_held(struct iteration *it, struct obj **item)
{
    struct obj *held = next_held(it);

    if (held != NULL && !obj_can_ref(held))
        return heap_count_full(it->heap, held);
    *item = held == NULL ? NULL : obj_ref(held);
    return HD_OK;
}

static enum hd_err give_code_point(struct iteration *it, struct obj **item)
{
    const struct text *text = text_of(it->over);
    uint32_t start = it->position;
    uint32_t end = start + 1;
    enum hd_err err;

    while (end < text->len && (text->bytes[end] & 0xc0) == 0x80)
        end++;
    err = str_new(it->heap, text->bytes + start, end - start, item);
    if (err == HD_OK)
        it->position = end;
    return err;
}

enum hd_err iterate_next(struct iteration *it, struct obj **item)
{
    if (it->given == it->length) {
        *item = NULL;
        return HD_OK;
    }
    it->given++;
    if (it->over->type == OBJ_STR)
        return give_code_point(it, item);
    if (it->over->type == OBJ_BYTES)
        return int_new(it->heap, (unsigned char)text_of(it->over)->bytes[it->position++], item);
    return give_held(it, item);
}
