/*
 * convert_in.c - literals of the wire become objects.
 *
 * Containers under construction stand on a stack; a container enters the one around it only when it is complete, so a
 * failure drops a handful of separate objects and nothing else.
 *
 * Work: a container is charged its elements, keys and values, before it is made; the outermost value is the caller's.
 */
#include "daemon/convert.h"

#include <string.h>

#include "store/kinds/atoms.h"
#include "store/kinds/dict.h"
#include "store/kinds/sequence.h"
#include "store/kinds/utf8.h"

enum place { IN_LIST, AT_KEY, AT_VALUE, IN_PAIRS, AT_PAIR_VALUE };

struct level {
    struct obj *container; /* owned */
    struct obj *key;       /* of the entry whose value comes next, owned */
    uint32_t left;         /* elements or entries still to come */
    uint8_t place;         /* enum place */
};

struct builder {
    struct session *session;
    struct heap *heap;
    struct reader *reader;
    unsigned depth;
    struct level levels[HD_DEPTH_MAX];
};

/* -- atoms -------------------------------------------------------------------------------------------------------- */

static enum hd_err make_str(struct session *session, const struct wire *wire, struct obj **out)
{
    struct heap *heap = session->hub->heap;
    bool ascii;

    if (session->manner.raw_bytes && !utf8_valid(wire->bytes, wire->len, &ascii))
        return bytes_new(heap, wire->bytes, wire->len, out);
    return str_new(heap, wire->bytes, wire->len, out);
}

/* Everything but arrays and maps. */
static enum hd_err make_atom(struct session *session, const struct wire *wire, struct obj **out)
{
    struct heap *heap = session->hub->heap;

    switch (wire->kind) {
    case WIRE_NIL:
        *out = heap->nil;
        return HD_OK;
    case WIRE_BOOL:
        *out = bool_obj(heap, wire->boolean);
        return HD_OK;
    case WIRE_UINT:
        if (wire->uint > INT64_MAX)
            return heap_fail(heap, HD_OVERFLOW, "%llu is beyond 64 bits with a sign", (unsigned long long)wire->uint);
        return int_new(heap, (int64_t)wire->uint, out);
    case WIRE_INT:
        return int_new(heap, wire->sint, out);
    case WIRE_FLOAT:
        return float_new(heap, wire->real, out);
    case WIRE_STR:
        return make_str(session, wire, out);
    case WIRE_BIN:
        return bytes_new(heap, wire->bytes, wire->len, out);
    case WIRE_EXT:
        return convert_ext(session, wire, out);
    default:
        return heap_fail(heap, HD_BAD_ARGS, "a value is missing");
    }
}

/* -- containers --------------------------------------------------------------------------------------------------- */

/* Opens a container; one without elements is complete at once and given in *out, which is NULL else. */
static enum hd_err open_level(struct builder *b, struct obj *container, uint32_t len, enum place place,
                              struct obj **out)
{
    *out = NULL;
    if (len == 0) {
        *out = container;
        return HD_OK;
    }
    if (b->depth == HD_DEPTH_MAX) {
        obj_unref(b->heap, &container);
        return heap_fail(b->heap, HD_LIMIT, "nested more than %d levels", HD_DEPTH_MAX);
    }
    b->levels[b->depth++] = (struct level){container, NULL, len, (uint8_t)place};
    return HD_OK;
}

static enum hd_err begin_list(struct builder *b, uint32_t len, struct obj **out)
{
    struct obj *list;
    enum hd_err err = heap_work(b->heap, len);

    if (err == HD_OK)
        err = list_new(b->heap, len, &list);
    return err == HD_OK ? open_level(b, list, len, IN_LIST, out) : err;
}

static enum hd_err begin_dict(struct builder *b, uint32_t len, enum place place, struct obj **out)
{
    struct obj *dict;
    enum hd_err err = heap_work(b->heap, 2 * (uint64_t)len);

    if (err == HD_OK)
        err = dict_new(b->heap, OBJ_DICT, len, &dict);
    return err == HD_OK ? open_level(b, dict, len, place, out) : err;
}

/* {"@pairs": [[key, value], ...]}, the reader behind the key. */
static enum hd_err begin_pairs(struct builder *b, struct obj **out)
{
    struct wire wire = read_next(b->reader);

    if (wire.kind != WIRE_ARRAY)
        return heap_fail(b->heap, HD_BAD_ARGS, "{\"@pairs\": ...} takes an array of [key, value]");
    return begin_dict(b, wire.len, IN_PAIRS, out);
}

/* {"@@x": value} stands for {"@x": value}, the reader behind the key. */
static enum hd_err begin_escaped(struct builder *b, const struct wire *key, struct obj **out)
{
    struct obj *name = NULL;
    enum hd_err err = str_new(b->heap, key->bytes + 1, key->len - 1, &name);

    if (err == HD_OK)
        err = begin_dict(b, 1, AT_VALUE, out);
    if (err != HD_OK) {
        obj_unref(b->heap, &name);
        return err;
    }
    b->levels[b->depth - 1].key = name;
    return HD_OK;
}

/* A map of one key that begins with '@', in the map dialect; the reader is behind the key. */
static enum hd_err begin_at(struct builder *b, const struct wire *key, struct obj **out)
{
    if (key->len == 1)
        return convert_at(b->session, b->reader, out);
    if (wire_is_str(key, "@pairs"))
        return begin_pairs(b, out);
    if (key->bytes[1] == '@')
        return begin_escaped(b, key, out);
    return heap_fail(b->heap, HD_BAD_ARGS, "{\"%.*s\": ...} is no reference; write a key that begins with @ as @@",
                     (int)(key->len < 40 ? key->len : 40), key->bytes);
}

static enum hd_err begin_map(struct builder *b, uint32_t len, struct obj **out)
{
    struct wire key = read_peek(b->reader);

    if (len == 1 && b->session->manner.refs == DIALECT_MAP && key.kind == WIRE_STR && key.len > 0 &&
        key.bytes[0] == '@') {
        read_next(b->reader);
        return begin_at(b, &key, out);
    }
    return begin_dict(b, len, AT_KEY, out);
}

/* The next value: an object in *out, or NULL there if a container was opened and its first value comes next. */
static enum hd_err next_value(struct builder *b, struct obj **out)
{
    struct wire wire = read_next(b->reader);

    if (wire.kind == WIRE_ARRAY)
        return begin_list(b, wire.len, out);
    if (wire.kind == WIRE_MAP)
        return begin_map(b, wire.len, out);
    return make_atom(b->session, &wire, out);
}

/* -- putting together --------------------------------------------------------------------------------------------- */

/* Stores a value (consumed) under the level's key (consumed). A repeated key: the last value wins. */
static enum hd_err store_entry(struct builder *b, struct level *level, struct obj **value)
{
    enum hd_err err = dict_set(b->heap, level->container, level->key, *value);

    obj_unref(b->heap, value);
    obj_unref(b->heap, &level->key);
    level->left--;
    return err;
}

/* Puts a complete value (consumed) where it belongs in the level. */
static enum hd_err place_value(struct builder *b, struct level *level, struct obj **value)
{
    switch ((enum place)level->place) {
    case IN_LIST:
        if (!obj_can_ref(*value))
            return heap_count_full(b->heap, *value);
        list_push_take(level->container, value);
        level->left--;
        return HD_OK;
    case AT_KEY:
    case IN_PAIRS:
        level->key = *value;
        *value = NULL;
        level->place = level->place == AT_KEY ? AT_VALUE : AT_PAIR_VALUE;
        return HD_OK;
    case AT_VALUE:
    case AT_PAIR_VALUE:
    default:
        level->place = level->place == AT_VALUE ? AT_KEY : IN_PAIRS;
        return store_entry(b, level, value);
    }
}

/* Each pair is an array of two: takes its header, which makes no list. */
static enum hd_err enter_pair(struct builder *b)
{
    struct wire pair = read_next(b->reader);

    if (pair.kind != WIRE_ARRAY || pair.len != 2)
        return heap_fail(b->heap, HD_BAD_ARGS, "{\"@pairs\": ...} takes an array of [key, value]");
    return HD_OK;
}

/* Places a value, then every container that it completes. *out gets the outermost one, or stays NULL. */
static enum hd_err complete(struct builder *b, struct obj *value, struct obj **out)
{
    while (b->depth > 0) {
        struct level *level = &b->levels[b->depth - 1];
        enum hd_err err = place_value(b, level, &value);

        obj_unref(b->heap, &value);
        if (err != HD_OK || level->left > 0)
            return err;
        value = level->container;
        b->depth--;
    }
    *out = value;
    return HD_OK;
}

static void give_up(struct builder *b)
{
    while (b->depth > 0) {
        struct level *level = &b->levels[--b->depth];

        obj_unref(b->heap, &level->container);
        obj_unref(b->heap, &level->key);
    }
}

/* A value with others inside. */
__attribute__((noinline)) static enum hd_err build(struct session *session, struct reader *reader, struct obj **out)
{
    struct builder b; /* its levels are set as they are opened */
    struct obj *value = NULL;
    struct obj *whole = NULL;
    enum hd_err err = HD_OK;

    b.session = session;
    b.heap = session->hub->heap;
    b.reader = reader;
    b.depth = 0;
    while (err == HD_OK && whole == NULL) {
        if (b.depth > 0 && b.levels[b.depth - 1].place == IN_PAIRS)
            err = enter_pair(&b);
        if (err == HD_OK)
            err = next_value(&b, &value);
        if (err == HD_OK && value != NULL)
            err = complete(&b, value, &whole);
        value = NULL;
    }
    if (err != HD_OK)
        give_up(&b);
    else
        *out = whole;
    return err;
}

enum hd_err convert_any_value(struct session *session, struct reader *reader, struct obj **out)
{
    struct reader behind = *reader;
    struct wire wire = read_next(&behind);

    if (wire.kind == WIRE_ARRAY || wire.kind == WIRE_MAP)
        return build(session, reader, out);
    *reader = behind;
    return make_atom(session, &wire, out);
}
