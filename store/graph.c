/* graph.c - see graph.h. The rows of the nodes are their own queue: breadth first. */
#include "store/graph.h"

#include "store/kinds/weak_table.h"
#include "store/weak.h"

#define IMMORTALS_MAX 1024 /* there are fewer */

/* -- edges -------------------------------------------------------------------------------------------------------- */

struct edges {
    edge_fn *visit;
    void *arg;
};

static bool visit_strong(void *arg, const struct slot *slot)
{
    const struct edges *edges = arg;

    return slot->target == NULL || edges->visit(edges->arg, slot, false);
}

/* The weak part of an entry. */
static struct slot weak_part(const struct obj *o, struct obj *key, struct obj *value)
{
    switch (o->type) {
    case OBJ_WEAKDICT:
        return (struct slot){.kind = SLOT_ENTRY, .target = value, .key = key};
    case OBJ_WEAKKEYDICT:
        return (struct slot){.kind = SLOT_KEY, .target = key};
    default:
        return (struct slot){.kind = SLOT_ELEMENT, .target = key};
    }
}

static void visit_weak_entries(struct heap *heap, struct obj *o, const struct edges *edges)
{
    uint32_t position = 0;
    struct obj *key, *value;
    bool goes_on = true;

    while (goes_on && weak_container_next(heap, o, &position, &key, &value)) {
        struct slot slot = weak_part(o, key, value);

        goes_on = edges->visit(edges->arg, &slot, true);
    }
}

void graph_edges(struct heap *heap, struct obj *o, edge_fn *visit, void *arg)
{
    struct edges edges = {visit, arg};

    if (!obj_traverse(o, visit_strong, &edges))
        return;
    if (o->type == OBJ_WEAKREF || o->type == OBJ_PROXY) {
        struct slot slot = {.kind = SLOT_SELF, .target = weak_target_peek(heap, o)};

        if (slot.target != NULL)
            visit(arg, &slot, true);
    } else if (is_weak_container(o)) {
        visit_weak_entries(heap, o, &edges);
    }
}

/* -- nodes -------------------------------------------------------------------------------------------------------- */

struct growing {
    struct graph *graph;
    uint32_t at;    /* the node whose edges are followed */
    uint64_t depth; /* most steps */
    uint64_t limit; /* most nodes */
};

static bool follow(void *arg, const struct slot *slot, bool is_weak)
{
    struct growing *growing = arg;
    struct ledger *nodes = &growing->graph->nodes;
    struct ledger_row *row;

    (void)is_weak;
    growing->graph->err = heap_work(nodes->heap, 1);
    if (growing->graph->err != HD_OK)
        return false;
    if (ledger_find(nodes, slot->target) != NULL)
        return true;
    if (nodes->rows[growing->at].a == growing->depth || nodes->len == growing->limit) {
        nodes->rows[growing->at].b = 1;
        return true;
    }
    row = ledger_add(nodes, slot->target);
    row->a = nodes->rows[growing->at].a + 1;
    return true;
}

enum hd_err graph_begin(struct graph *graph, struct heap *heap, struct obj *o, uint64_t depth, uint64_t limit)
{
    struct growing growing = {.graph = graph, .depth = depth < UINT32_MAX ? depth : UINT32_MAX};
    uint64_t most = IMMORTALS_MAX;

    for (unsigned type = 0; type < OBJ_TYPES; type++)
        most += heap->live[type];
    growing.limit = limit < most ? limit : most;
    graph->err = ledger_open(&graph->nodes, heap, growing.limit, NULL, NULL);
    if (graph->err != HD_OK)
        return graph->err;
    ledger_add(&graph->nodes, o);
    for (; graph->err == HD_OK && growing.at < graph->nodes.len; growing.at++)
        graph_edges(heap, graph->nodes.rows[growing.at].o, follow, &growing);
    return graph->err;
}

void graph_end(struct graph *graph)
{
    ledger_close(&graph->nodes);
}
