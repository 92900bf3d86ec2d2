/* picture_tree.c - a picture as a tree of lines. */
#include <stdlib.h>

#include "client/cli/picture.h"
#include "client/cli/text.h"

#define INDENT_MAX 40 /* levels that are indented; what lies deeper stands there */

/* The nodes that are being shown, from the first one down, and how many of their edges are. */
struct level {
    uint32_t node, at;
};

static void put_indent(struct buf *out, const struct picture *picture, const struct level *levels, uint32_t depth)
{
    for (uint32_t i = 0; i + 1 < depth && i < INDENT_MAX; i++)
        text_put(out, levels[i].at < picture->nodes[levels[i].node].count ? "\u2502  " : "   ");
}

static void put_facts(struct buf *out, const struct picture_node *node)
{
    if (hd_kind(hd_get(node->told, "refcount")) != HD_NIL)
        text_put(out, "  refs=%llu", (unsigned long long)node->refs);
    if (hd_bool(hd_get(node->told, "more")))
        text_put(out, "  ...");
    text_put(out, "\n");
}

/* The edge's line. What was shown before is only named. */
static void put_line(struct buf *out, const struct picture *picture, const struct picture_edge *edge, bool is_last,
                     bool is_shown)
{
    const struct picture_node *to = &picture->nodes[edge->to];

    text_put(out, is_last ? "\u2514" : "\u251c");
    text_put(out, edge->is_weak ? "\u2504 " : "\u2500 ");
    picture_put_slot(out, edge->told);
    text_put(out, edge->is_weak ? " weak " : " ");
    picture_put_name(out, to->told);
    if (!is_shown || to->count == 0)
        put_facts(out, to);
    else
        text_put(out, edge->is_cyclic ? "  (a cycle)\n" : "  (see above)\n");
}

bool picture_put_tree(const struct picture *picture, struct buf *out)
{
    struct level *levels = calloc((size_t)picture->node_count + 1, sizeof *levels);
    bool *are_shown = calloc((size_t)picture->node_count + 1, sizeof *are_shown);
    uint32_t depth = 1;

    if (levels != NULL && are_shown != NULL) {
        are_shown[0] = true;
        picture_put_name(out, picture->nodes[0].told);
        put_facts(out, &picture->nodes[0]);
    }
    while (levels != NULL && are_shown != NULL && depth > 0) {
        struct level *level = &levels[depth - 1];
        const struct picture_node *node = &picture->nodes[level->node];
        const struct picture_edge *edge = &picture->edges[node->first + level->at];

        if (level->at == node->count) {
            depth--;
            continue;
        }
        level->at++;
        put_indent(out, picture, levels, depth);
        put_line(out, picture, edge, level->at == node->count, are_shown[edge->to]);
        if (!are_shown[edge->to])
            levels[depth++] = (struct level){edge->to, 0};
        are_shown[edge->to] = true;
    }
    free(levels);
    free(are_shown);
    return levels != NULL && are_shown != NULL;
}
