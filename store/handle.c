/*
 * handle.c - handles in radix trees.
 *
 * Invariant: a node in a tree has at least one child in use, unless it was reserved for the next handles_put; a tree
 * whose root is NULL has height 0. A leaf's slot is an owned reference or NULL.
 */
#include "store/handle.h"

#include <assert.h>
#include <string.h>

#define BITS 5u
#define FANOUT (1u << BITS)

struct handle_node {
    struct handle_node *parent;
    uint32_t used;   /* slots that are not NULL */
    uint32_t place;  /* in the parent */
    void *slots[FANOUT];
};

void handles_init(struct handles *handles)
{
    memset(handles, 0, sizeof *handles);
    handles->next = (uint64_t)HD_HANDLE_SERVER_MIN;
}

/* The tree of a number, and the key within it. */
static struct handle_tree *tree_of(struct handles *handles, uint64_t *number)
{
    if (*number < (uint64_t)HD_HANDLE_SERVER_MIN)
        return &handles->chosen;
    *number -= (uint64_t)HD_HANDLE_SERVER_MIN;
    return &handles->given;
}

/* Keys below this fit in a tree of this height. */
static bool key_fits(unsigned height, uint64_t key)
{
    return height * BITS >= 64 || key >> (height * BITS) == 0;
}

static struct handle_node *find_leaf(struct handle_tree *tree, uint64_t key)
{
    struct handle_node *node = tree->root;

    if (tree->hot != NULL && tree->hot_base == key / FANOUT)
        return tree->hot;
    if (!key_fits(tree->height, key))
        return NULL;
    for (unsigned level = tree->height; node != NULL && level > 1; level--)
        node = node->slots[key >> ((level - 1) * BITS) & (FANOUT - 1)];
    if (node != NULL) {
        tree->hot = node;
        tree->hot_base = key / FANOUT;
    }
    return node;
}

struct obj *handles_peek(struct handles *handles, uint64_t number)
{
    struct handle_tree *tree = tree_of(handles, &number);
    struct handle_node *leaf = find_leaf(tree, number);

    return leaf == NULL ? NULL : leaf->slots[number % FANOUT];
}

/* -- growing ------------------------------------------------------------------------------------------------------ */

static struct handle_node *node_new(struct heap *heap, struct handles *handles)
{
    struct handle_node *node = pool_zero(heap->pool, sizeof *node);

    if (node != NULL)
        handles->bytes += pool_rounded(sizeof *node);
    return node;
}

static void node_free(struct heap *heap, struct handles *handles, struct handle_node *node)
{
    handles->bytes -= pool_rounded(sizeof *node);
    pool_free(heap->pool, node, sizeof *node, POOL_DATA);
}

static void adopt(struct handle_node *parent, struct handle_node *child, uint32_t place)
{
    child->parent = parent;
    child->place = place;
    parent->slots[place] = child;
    parent->used++;
}

/* Makes a root for an empty tree, or puts new ones above the old one, until `key` fits. */
static bool grow_root(struct heap *heap, struct handles *handles, struct handle_tree *tree, uint64_t key)
{
    while (tree->root == NULL || !key_fits(tree->height, key)) {
        struct handle_node *root = node_new(heap, handles);

        if (root == NULL)
            return false;
        if (tree->root != NULL)
            adopt(root, tree->root, 0);
        tree->root = root;
        do
            tree->height++;
        while (root->used == 0 && !key_fits(tree->height, key));
    }
    return true;
}

static void prune(struct heap *heap, struct handles *handles, struct handle_tree *tree, struct handle_node *node);

/* The leaf of a key, made if it is missing; NULL without memory, and then nothing is left over. */
static struct handle_node *make_leaf(struct heap *heap, struct handles *handles, struct handle_tree *tree, uint64_t key)
{
    struct handle_node *node;

    if (!grow_root(heap, handles, tree, key)) {
        prune(heap, handles, tree, tree->root);
        return NULL;
    }
    node = tree->root;
    for (unsigned level = tree->height; level > 1; level--) {
        uint32_t place = (uint32_t)(key >> ((level - 1) * BITS) & (FANOUT - 1));
        struct handle_node *child = node->slots[place];

        if (child == NULL) {
            child = node_new(heap, handles);
            if (child == NULL) {
                prune(heap, handles, tree, node);
                return NULL;
            }
            adopt(node, child, place);
        }
        node = child;
    }
    return node;
}

enum hd_err handles_reserve(struct heap *heap, struct handles *handles, uint64_t number)
{
    struct handle_tree *tree;

    if (number > (uint64_t)HD_HANDLE_CLIENT_MAX)
        return heap_fail(heap, HD_VALUE, "handle %llu cannot be chosen: `into` is 1 ... 2147483647",
                         (unsigned long long)number);
    if (number != 0 && handles_peek(handles, number) != NULL)
        return heap_fail(heap, HD_HANDLE_IN_USE, "handle %llu is in use", (unsigned long long)number);
    if (number == 0)
        number = handles->next;
    tree = tree_of(handles, &number);
    if (find_leaf(tree, number) == NULL && make_leaf(heap, handles, tree, number) == NULL)
        return heap_no_memory(heap);
    return HD_OK;
}

static void prune_if_empty(struct heap *heap, struct handles *handles, uint64_t number)
{
    struct handle_tree *tree = tree_of(handles, &number);
    struct handle_node *leaf = find_leaf(tree, number);

    if (leaf != NULL && leaf->used == 0)
        prune(heap, handles, tree, leaf);
}

void handles_unreserve(struct heap *heap, struct handles *handles, uint64_t number)
{
    prune_if_empty(heap, handles, number != 0 ? number : handles->next);
}

uint64_t handles_put_take(struct heap *heap, struct handles *handles, uint64_t number, struct obj **ref)
{
    uint64_t given = number != 0 ? number : handles->next++;
    uint64_t key = given;
    struct handle_tree *tree = tree_of(handles, &key);
    struct handle_node *leaf = find_leaf(tree, key);

    (void)heap;
    assert(leaf != NULL && leaf->slots[key % FANOUT] == NULL);
    leaf->slots[key % FANOUT] = *ref;
    leaf->used++;
    handles->count++;
    *ref = NULL;
    return given;
}

/* -- shrinking ---------------------------------------------------------------------------------------------------- */

/* Frees empty nodes from `node` upwards, and roots that only lengthen the way. */
static void prune(struct heap *heap, struct handles *handles, struct handle_tree *tree, struct handle_node *node)
{
    while (node != NULL && node->used == 0) {
        struct handle_node *parent = node->parent;

        if (node == tree->hot)
            tree->hot = NULL;
        if (parent != NULL) {
            parent->slots[node->place] = NULL;
            parent->used--;
        } else {
            tree->root = NULL;
            tree->height = 0;
        }
        node_free(heap, handles, node);
        node = parent;
    }
    while (tree->height > 1 && tree->root->used == 1 && tree->root->slots[0] != NULL) {
        struct handle_node *root = tree->root;

        tree->root = root->slots[0];
        tree->root->parent = NULL;
        tree->height--;
        node_free(heap, handles, root);
    }
}

static struct obj *take(struct heap *heap, struct handles *handles, struct handle_tree *tree, struct handle_node *leaf,
                        uint32_t place)
{
    struct obj *o = leaf->slots[place];

    if (o == NULL)
        return NULL;
    leaf->slots[place] = NULL;
    leaf->used--;
    handles->count--;
    if (leaf->used == 0)
        prune(heap, handles, tree, leaf);
    return o;
}

struct obj *handles_remove(struct heap *heap, struct handles *handles, uint64_t number)
{
    struct handle_tree *tree = tree_of(handles, &number);
    struct handle_node *leaf = find_leaf(tree, number);

    return leaf == NULL ? NULL : take(heap, handles, tree, leaf, (uint32_t)(number % FANOUT));
}

/* -- walking ------------------------------------------------------------------------------------------------------ */

static bool first_used(const struct handle_node *node, uint32_t from, uint32_t *place)
{
    for (uint32_t i = from; i < FANOUT; i++)
        if (node->slots[i] != NULL) {
            *place = i;
            return true;
        }
    return false;
}

/* The smallest key at or above `key` that is held; false if there is none. */
static bool tree_next(const struct handle_tree *tree, uint64_t key, uint64_t *found, struct obj **o)
{
    const struct handle_node *node = tree->root;
    unsigned level = tree->height;

    if (node == NULL || !key_fits(level, key))
        return false;
    for (;;) {
        unsigned shift = (level - 1) * BITS;
        uint32_t wanted = (uint32_t)(key >> shift & (FANOUT - 1));
        uint32_t place;

        if (!first_used(node, wanted, &place)) {
            /* nothing here: go on with the next key behind this node, in the first parent that has it */
            key = ((key >> (shift + BITS)) + 1) << (shift + BITS);
            do {
                if (node->parent == NULL)
                    return false;
                node = node->parent;
                level++;
            } while ((key >> ((level - 1) * BITS) & (FANOUT - 1)) == 0);
            continue;
        }
        if (place != wanted)
            key = (key >> (shift + BITS) << (shift + BITS)) | (uint64_t)place << shift;
        if (level == 1) {
            *found = key;
            *o = node->slots[place];
            return true;
        }
        node = node->slots[place];
        level--;
    }
}

uint64_t handles_next(const struct handles *handles, uint64_t number, struct obj **o)
{
    uint64_t base = (uint64_t)HD_HANDLE_SERVER_MIN;
    uint64_t found;

    if (number < base && tree_next(&handles->chosen, number, &found, o))
        return found;
    return tree_next(&handles->given, number < base ? 0 : number - base, &found, o) ? found + base : 0;
}

bool handles_drop(struct heap *heap, struct handles *handles, size_t *budget)
{
    struct obj *o;
    uint64_t number = 0;

    for (; *budget > 0 && (number = handles_next(handles, number, &o)) != 0; (*budget)--) {
        o = handles_remove(heap, handles, number);
        obj_unref(heap, &o);
    }
    return handles->count == 0;
}
