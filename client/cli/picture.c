/* picture.c - nodes and edges as they were told, and the cycles among them. */
#include "client/cli/picture.h"

#include <stdlib.h>
#include <string.h>

#include "client/cli/text.h"

/* -- reading ------------------------------------------------------------------------------------------------------ */

static int compare_ids(const void *a, const void *b, void *nodes)
{
    const struct picture_node *all = nodes;
    uint64_t left = all[*(const uint32_t *)a].id;
    uint64_t right = all[*(const uint32_t *)b].id;

    return left < right ? -1 : left > right;
}

/* The node of this id; node_count if there is none. */
static uint32_t find_node(const struct picture *picture, uint64_t id)
{
    uint32_t low = 0;
    uint32_t high = picture->node_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (picture->nodes[picture->by_id[middle]].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == picture->node_count || picture->nodes[picture->by_id[low]].id != id)
        return picture->node_count;
    return picture->by_id[low];
}

static void read_nodes(struct picture *picture, const struct hd_value *nodes)
{
    for (uint32_t i = 0; i < picture->node_count; i++) {
        picture->nodes[i].told = hd_at(nodes, i);
        picture->nodes[i].id = hd_uint(hd_get(picture->nodes[i].told, "id"));
        picture->nodes[i].refs = hd_uint(hd_get(picture->nodes[i].told, "refcount"));
        picture->by_id[i] = i;
    }
    qsort_r(picture->by_id, picture->node_count, sizeof *picture->by_id, compare_ids, picture->nodes);
}

/* They come in the order of the nodes that they begin at. */
static bool read_edges(struct picture *picture, const struct hd_value *edges)
{
    for (uint32_t i = 0; i < picture->edge_count; i++) {
        struct picture_edge *edge = &picture->edges[i];

        edge->told = hd_at(edges, i);
        edge->from = find_node(picture, hd_uint(hd_get(edge->told, "from")));
        edge->to = find_node(picture, hd_uint(hd_get(edge->told, "to")));
        edge->is_weak = hd_bool(hd_get(edge->told, "weak"));
        if (edge->from == picture->node_count || edge->to == picture->node_count ||
            (i > 0 && edge->from != edge[-1].from && picture->nodes[edge->from].count > 0))
            return false;
        if (picture->nodes[edge->from].count++ == 0)
            picture->nodes[edge->from].first = i;
    }
    return true;
}

/* -- cycles ------------------------------------------------------------------------------------------------------- */

/* R. Tarjan, "Depth-first search and linear graph algorithms" (1972), with a stack of its own. */
struct search {
    struct picture *picture;
    uint32_t *path;   /* nodes that are being looked into */
    uint32_t *at;     /* and how many of their edges were */
    uint32_t *open;   /* nodes whose component is not complete */
    uint32_t path_len, open_len, found;
};

static void enter(struct search *s, uint32_t node)
{
    struct picture_node *entered = &s->picture->nodes[node];

    entered->found = entered->lowest = ++s->found;
    entered->is_open = true;
    s->open[s->open_len++] = node;
    s->at[s->path_len] = 0;
    s->path[s->path_len++] = node;
}

/* The node and all that was opened behind it are a component: they keep its number in `lowest`. */
static void leave(struct search *s, uint32_t node)
{
    struct picture_node *nodes = s->picture->nodes;
    uint32_t number = nodes[node].found;
    uint32_t last;

    if (nodes[node].lowest == number)
        do {
            last = s->open[--s->open_len];
            nodes[last].is_open = false;
            nodes[last].lowest = number;
        } while (last != node);
    s->path_len--;
    if (s->path_len > 0 && nodes[node].is_open && nodes[node].lowest < nodes[s->path[s->path_len - 1]].lowest)
        nodes[s->path[s->path_len - 1]].lowest = nodes[node].lowest;
}

static void follow_path(struct search *s)
{
    while (s->path_len > 0) {
        uint32_t node = s->path[s->path_len - 1];
        struct picture_node *from = &s->picture->nodes[node];
        const struct picture_edge *edge = &s->picture->edges[from->first + s->at[s->path_len - 1]];
        const struct picture_node *to;

        if (s->at[s->path_len - 1] == from->count) {
            leave(s, node);
            continue;
        }
        s->at[s->path_len - 1]++;
        to = &s->picture->nodes[edge->to];
        if (!edge->is_weak && to->found == 0)
            enter(s, edge->to);
        else if (!edge->is_weak && to->is_open && to->found < from->lowest)
            from->lowest = to->found;
    }
}

static void find_cycles(struct picture *picture, uint32_t *room)
{
    uint32_t count = picture->node_count;
    struct search s = {.picture = picture, .path = room, .at = room + count, .open = room + 2 * (size_t)count};

    for (uint32_t i = 0; i < count; i++)
        if (picture->nodes[i].found == 0) {
            enter(&s, i);
            follow_path(&s);
        }
    for (uint32_t i = 0; i < picture->edge_count; i++) {
        struct picture_edge *edge = &picture->edges[i];

        edge->is_cyclic = !edge->is_weak &&
                          picture->nodes[edge->from].lowest == picture->nodes[edge->to].lowest;
    }
}

/* -- what is drawn ------------------------------------------------------------------------------------------------ */

static bool is_scalar(const struct picture_node *node)
{
    return hd_kind(hd_get(node->told, "value")) != HD_NONE;
}

static bool is_immortal_atom(const struct picture_node *node)
{
    return is_scalar(node) && hd_kind(hd_get(node->told, "refcount")) == HD_NIL;
}

static void choose_drawn(struct picture *picture)
{
    for (uint32_t i = 0; i < picture->edge_count; i++) {
        struct picture_edge *edge = &picture->edges[i];
        struct picture_node *to = &picture->nodes[edge->to];

        edge->is_drawn = strcmp(hd_str(hd_get(edge->told, "kind")), "key") != 0 || !is_scalar(to);
        to->stands_alone |= edge->is_drawn && !is_immortal_atom(to);
    }
    picture->nodes[0].stands_alone = true;
}

bool picture_open(struct picture *picture, const struct hd_value *graph)
{
    const struct hd_value *nodes = hd_get(graph, "nodes");
    const struct hd_value *edges = hd_get(graph, "edges");
    uint32_t *room;
    bool is_good;

    *picture = (struct picture){.node_count = (uint32_t)hd_len(nodes), .edge_count = (uint32_t)hd_len(edges)};
    picture->nodes = calloc((size_t)picture->node_count + 1, sizeof *picture->nodes);
    picture->edges = calloc((size_t)picture->edge_count + 1, sizeof *picture->edges);
    picture->by_id = calloc((size_t)picture->node_count + 1, sizeof *picture->by_id);
    room = calloc((size_t)picture->node_count + 1, 3 * sizeof *room);
    is_good = picture->nodes != NULL && picture->edges != NULL && picture->by_id != NULL && room != NULL &&
              picture->node_count > 0;
    if (is_good) {
        read_nodes(picture, nodes);
        is_good = read_edges(picture, edges);
    }
    if (is_good) {
        find_cycles(picture, room);
        choose_drawn(picture);
    }
    free(room);
    return is_good;
}

void picture_close(struct picture *picture)
{
    free(picture->nodes);
    free(picture->edges);
    free(picture->by_id);
    *picture = (struct picture){0};
}

/* -- names -------------------------------------------------------------------------------------------------------- */

static void put_scalar(struct buf *out, const struct hd_value *value)
{
    switch (hd_kind(value)) {
    case HD_BOOL:
        text_put(out, hd_bool(value) ? "True" : "False");
        break;
    case HD_INT:
        text_put(out, "%lld", (long long)hd_int(value));
        break;
    case HD_FLOAT:
        text_put_float(out, hd_float(value));
        break;
    case HD_STR:
        text_put_str(out, hd_str(value), hd_len(value));
        break;
    case HD_BYTES:
        text_put_bytes(out, hd_str(value), hd_len(value));
        break;
    case HD_HANDLE:
        text_put(out, "%s #%llu", hd_type_name(hd_handle_type(value)), (unsigned long long)hd_handle_id(value));
        break;
    default:
        text_put(out, "None");
        break;
    }
}

void picture_put_name(struct buf *out, const struct hd_value *node)
{
    const struct hd_value *value = hd_get(node, "value");
    const struct hd_value *name = hd_get(node, "class");
    bool is_class = strcmp(hd_str(hd_get(node, "type")), "class") == 0;

    if (hd_kind(value) != HD_NONE) {
        put_scalar(out, value);
        if (hd_len(value) < hd_uint(hd_get(node, "len")))
            text_put(out, "\u2026");
        return;
    }
    if (hd_kind(name) == HD_NONE || is_class)
        name = hd_get(node, "type");
    text_put_safe(out, hd_str(name), hd_len(name));
    text_put(out, " ");
    if (is_class && hd_kind(hd_get(node, "class")) != HD_NONE) {
        text_put_safe(out, hd_str(hd_get(node, "class")), hd_len(hd_get(node, "class")));
        text_put(out, " ");
    }
    text_put(out, "#%llu", (unsigned long long)hd_uint(hd_get(node, "id")));
}

void picture_put_slot(struct buf *out, const struct hd_value *slot)
{
    const struct hd_value *part = hd_get(slot, "index");

    if (hd_kind(part) == HD_NONE)
        part = hd_get(slot, "key");
    if (hd_kind(part) != HD_NONE) {
        text_put(out, "[");
        put_scalar(out, part);
        text_put(out, "]");
        return;
    }
    part = hd_get(slot, "attribute");
    if (hd_kind(part) != HD_NONE) {
        text_put(out, ".");
        text_put_safe(out, hd_str(part), hd_len(part));
    } else {
        part = hd_get(slot, "kind");
        text_put(out, "(");
        text_put_safe(out, hd_str(part), hd_len(part));
        text_put(out, ")");
    }
}
