/* value.c - see value.h. */
#include "client/value.h"

#include <string.h>

/* -- walking ------------------------------------------------------------------------------------------------------- */

/* The content of the last value becomes a level. The scanner's limit of depth is that of the levels. */
static void descend(struct walk *walk)
{
    struct hd_value *value = walk->last;
    uint64_t count = 0;

    walk->last = NULL;
    if (value == NULL)
        return;
    if (value->kind == HD_ARRAY)
        count = value->len;
    else if (value->kind == HD_MAP)
        count = (uint64_t)value->len * 2;
    if (count == 0 || walk->depth > HD_DEPTH_MAX)
        return;
    walk->levels[walk->depth].next = value->items;
    walk->levels[walk->depth++].left = count;
}

void walk_start(struct walk *walk, const struct hd_value *value)
{
    walk->last = NULL;
    walk->depth = 1;
    walk->levels[0].next = (struct hd_value *)value; /* written to by tree_new alone */
    walk->levels[0].left = value != NULL ? 1 : 0;
}

struct hd_value *walk_next(struct walk *walk)
{
    descend(walk);
    while (walk->depth > 0 && walk->levels[walk->depth - 1].left == 0)
        walk->depth--;
    if (walk->depth == 0)
        return NULL;
    walk->levels[walk->depth - 1].left--;
    walk->last = walk->levels[walk->depth - 1].next++;
    return walk->last;
}

/* -- building ------------------------------------------------------------------------------------------------------ */

/* What a tree is built into. */
struct growth {
    char *frame;            /* the tree's copy */
    struct hd_value *spare; /* the next node that nobody has */
    uint64_t left;          /* nodes from there on */
};

/* Three uints and nothing else. */
static bool read_parts(const char *bytes, size_t len, struct handle_parts *parts)
{
    struct reader reader = {bytes, bytes + len};

    for (int i = 0; i < 3; i++) {
        struct wire wire = read_next(&reader);
        if (wire.kind != WIRE_UINT)
            return false;
        parts->part[i] = wire.uint;
    }
    return reader.at == reader.end;
}

bool value_is_handle(const struct wire *wire, struct handle_parts *parts)
{
    return wire->kind == WIRE_EXT && wire->ext == HD_EXT_HANDLE && read_parts(wire->bytes, wire->len, parts);
}

static void set_payload(struct growth *growth, struct hd_value *node, const struct wire *wire)
{
    static const uint8_t kinds[] = {[WIRE_STR] = HD_STR, [WIRE_BIN] = HD_BYTES, [WIRE_EXT] = HD_EXT};
    struct handle_parts parts;

    node->kind = value_is_handle(wire, &parts) ? HD_HANDLE : kinds[wire->kind];
    node->ext = wire->ext;
    node->len = wire->len;
    node->bytes = growth->frame + (wire->bytes - growth->frame);
}

/* A container gets its nodes, still empty. False if there are not so many: the frame is not what the scanner saw. */
static bool set_container(struct growth *growth, struct hd_value *node, const struct wire *wire)
{
    uint64_t count = wire->kind == WIRE_MAP ? (uint64_t)wire->len * 2 : wire->len;

    if (count > growth->left)
        return false;
    node->kind = wire->kind == WIRE_MAP ? HD_MAP : HD_ARRAY;
    node->len = wire->len;
    node->items = growth->spare;
    growth->spare += count;
    growth->left -= count;
    return true;
}

static bool set_node(struct growth *growth, struct hd_value *node, const struct wire *wire)
{
    *node = (struct hd_value){.kind = HD_NIL};
    switch (wire->kind) {
    case WIRE_NIL:
        return true;
    case WIRE_BOOL:
        node->kind = HD_BOOL;
        node->boolean = wire->boolean;
        return true;
    case WIRE_UINT:
        node->kind = wire->uint <= INT64_MAX ? HD_INT : HD_UINT;
        node->uint = wire->uint;
        return true;
    case WIRE_INT:
        node->kind = HD_INT;
        node->sint = wire->sint;
        return true;
    case WIRE_FLOAT:
        node->kind = HD_FLOAT;
        node->real = wire->real;
        return true;
    case WIRE_STR:
    case WIRE_BIN:
    case WIRE_EXT:
        set_payload(growth, node, wire);
        return true;
    case WIRE_ARRAY:
    case WIRE_MAP:
        return set_container(growth, node, wire);
    default:
        return false;
    }
}

/* Ends each string with '\0'. That goes over the header of the value behind it, which nobody needs any more. */
static void terminate_strings(struct hd_value *nodes, const struct hd_value *end)
{
    for (; nodes < end; nodes++)
        if (nodes->kind == HD_STR || nodes->kind == HD_BYTES || nodes->kind == HD_EXT)
            nodes->bytes[nodes->len] = '\0';
}

static bool build(struct tree *tree, struct growth *growth, size_t len)
{
    struct reader reader = {growth->frame, growth->frame + len};
    struct hd_value *node;
    struct walk walk;

    walk_start(&walk, tree->root);
    while ((node = walk_next(&walk)) != NULL) {
        struct wire wire = read_next(&reader);
        if (!set_node(growth, node, &wire))
            return false;
    }
    terminate_strings(tree->root, growth->spare);
    return true;
}

struct tree *tree_new(const struct buf_memory *memory, const char *frame, size_t len, uint64_t values)
{
    struct growth growth;
    struct tree *tree;
    size_t size;

    if (values == 0 || values > (SIZE_MAX / 2 - len) / sizeof(struct hd_value))
        return NULL;
    size = sizeof *tree + (size_t)values * sizeof(struct hd_value) + len + 1;
    tree = memory->resize(memory->context, NULL, 0, size);
    if (tree == NULL)
        return NULL;
    tree->size = size;
    growth = (struct growth){(char *)(tree->root + values), tree->root + 1, values - 1};
    memcpy(growth.frame, frame, len);
    if (!build(tree, &growth, len)) {
        tree_free(memory, tree);
        return NULL;
    }
    return tree;
}

void tree_free(const struct buf_memory *memory, struct tree *tree)
{
    if (tree != NULL)
        memory->resize(memory->context, tree, tree->size, 0);
}

/* -- reading ------------------------------------------------------------------------------------------------------- */

enum hd_kind hd_kind(const struct hd_value *value)
{
    return value != NULL ? (enum hd_kind)value->kind : HD_NONE;
}

bool hd_bool(const struct hd_value *value)
{
    return hd_kind(value) == HD_BOOL && value->boolean;
}

int64_t hd_int(const struct hd_value *value)
{
    switch (hd_kind(value)) {
    case HD_INT:
        return value->sint;
    case HD_UINT:
        return INT64_MAX;
    case HD_BOOL:
        return value->boolean;
    default:
        return 0;
    }
}

uint64_t hd_uint(const struct hd_value *value)
{
    int64_t small = hd_int(value);

    if (hd_kind(value) == HD_UINT)
        return value->uint;
    return small > 0 ? (uint64_t)small : 0;
}

double hd_float(const struct hd_value *value)
{
    if (hd_kind(value) == HD_FLOAT)
        return value->real;
    return hd_kind(value) == HD_UINT ? (double)value->uint : (double)hd_int(value);
}

static bool has_bytes(const struct hd_value *value)
{
    enum hd_kind kind = hd_kind(value);

    return kind == HD_STR || kind == HD_BYTES || kind == HD_EXT;
}

const char *hd_str(const struct hd_value *value)
{
    return has_bytes(value) ? value->bytes : "";
}

size_t hd_len(const struct hd_value *value)
{
    enum hd_kind kind = hd_kind(value);

    return has_bytes(value) || kind == HD_ARRAY || kind == HD_MAP ? value->len : 0;
}

const struct hd_value *hd_at(const struct hd_value *array, size_t index)
{
    return hd_kind(array) == HD_ARRAY && index < array->len ? &array->items[index] : NULL;
}

const struct hd_value *hd_map_key(const struct hd_value *map, size_t index)
{
    return hd_kind(map) == HD_MAP && index < map->len ? &map->items[index * 2] : NULL;
}

const struct hd_value *hd_map_value(const struct hd_value *map, size_t index)
{
    return hd_kind(map) == HD_MAP && index < map->len ? &map->items[index * 2 + 1] : NULL;
}

const struct hd_value *hd_get(const struct hd_value *map, const char *key)
{
    size_t len = strlen(key);

    for (size_t i = 0; hd_kind(map) == HD_MAP && i < map->len; i++) {
        const struct hd_value *at = &map->items[i * 2];
        if (at->kind == HD_STR && at->len == len && memcmp(at->bytes, key, len) == 0)
            return at + 1;
    }
    return NULL;
}

static uint64_t handle_part(const struct hd_value *value, unsigned which)
{
    struct handle_parts parts;

    if (hd_kind(value) != HD_HANDLE || !read_parts(value->bytes, value->len, &parts))
        return 0;
    return parts.part[which];
}

uint64_t hd_handle(const struct hd_value *value)
{
    return handle_part(value, 0);
}

uint64_t hd_handle_id(const struct hd_value *value)
{
    return handle_part(value, 1);
}

unsigned hd_handle_type(const struct hd_value *value)
{
    return (unsigned)handle_part(value, 2);
}

int hd_ext_type(const struct hd_value *value)
{
    return hd_kind(value) == HD_EXT || hd_kind(value) == HD_HANDLE ? value->ext : 0;
}
