/* picture_dot.c - a picture in Graphviz' language. */
#include <string.h>

#include "client/cli/picture.h"
#include "client/cli/text.h"

#define WEAK "#7c3aed"
#define CYCLE "#dc2626"
#define PLAIN "#475569"
#define QUIET "#94a3b8"

static const struct {
    const char *type;
    const char *fill;
} fills[] = {
    {"list", "#dbeafe"},      {"tuple", "#c7d2fe"},       {"dict", "#fde68a"},    {"set", "#fed7aa"},
    {"object", "#bbf7d0"},    {"class", "#86efac"},       {"method", "#99f6e4"},  {"weakref", "#ede9fe"},
    {"proxy", "#ede9fe"},     {"weakdict", "#ddd6fe"},    {"weakset", "#ddd6fe"}, {"weakkeydict", "#ddd6fe"},
    {"queue", "#fbcfe8"},     {"str", "#fecaca"},         {"bytes", "#fecdd3"},   {"int", "#e2e8f0"},
    {"float", "#e2e8f0"},
};

static const char *fill_of(const struct hd_value *node)
{
    const char *type = hd_str(hd_get(node, "type"));

    for (size_t i = 0; i < sizeof fills / sizeof *fills; i++)
        if (strcmp(fills[i].type, type) == 0)
            return fills[i].fill;
    return "#f8fafc";
}

/* -- text --------------------------------------------------------------------------------------------------------- */

/* Graphviz reads these as in HTML. */
static void put_html(struct buf *out, const struct buf *text)
{
    for (size_t i = 0; i < text->len; i++)
        switch (text->bytes[i]) {
        case '&':
            text_put(out, "&amp;");
            break;
        case '<':
            text_put(out, "&lt;");
            break;
        case '>':
            text_put(out, "&gt;");
            break;
        case '"':
            text_put(out, "&quot;");
            break;
        default:
            buf_append(out, &text->bytes[i], 1);
            break;
        }
}

static void put_name(struct buf *out, const struct hd_value *told, void (*put)(struct buf *, const struct hd_value *))
{
    struct buf text;

    buf_init(&text, SIZE_MAX, NULL);
    put(&text, told);
    put_html(out, &text);
    out->failed |= text.failed;
    buf_fini(&text);
}

/* -- nodes -------------------------------------------------------------------------------------------------------- */

static bool is_immortal(const struct picture_node *node)
{
    return hd_kind(hd_get(node->told, "refcount")) == HD_NIL;
}

static void put_facts(struct buf *out, const struct picture_node *node)
{
    const struct hd_value *len = hd_get(node->told, "len");

    if (is_immortal(node))
        text_put(out, "immortal");
    else
        text_put(out, "refs %llu", (unsigned long long)node->refs);
    if (hd_kind(len) == HD_INT)
        text_put(out, " \u00b7 len %llu", (unsigned long long)hd_uint(len));
    if (hd_bool(hd_get(node->told, "more")))
        text_put(out, " \u00b7 more \u2026");
}

static void put_node(struct buf *out, const struct picture *picture, uint32_t node)
{
    const struct picture_node *drawn = &picture->nodes[node];
    const char *style = hd_bool(hd_get(drawn->told, "more")) ? "rounded,filled,dashed" : "rounded,filled";

    text_put(out, "  n%u [style=\"%s\" fillcolor=\"%s\"%s label=<<b>", node, style, fill_of(drawn->told),
             node == 0 ? " penwidth=2.4" : "");
    put_name(out, drawn->told, picture_put_name);
    text_put(out, "</b><br/><font point-size=\"8\">");
    put_facts(out, drawn);
    text_put(out, "</font>>];\n");
}

/* -- edges -------------------------------------------------------------------------------------------------------- */

static void put_edge(struct buf *out, const struct picture *picture, uint32_t i)
{
    const struct picture_edge *edge = &picture->edges[i];
    bool is_class = strcmp(hd_str(hd_get(edge->told, "kind")), "class") == 0;
    const char *colour = edge->is_weak ? WEAK : edge->is_cyclic ? CYCLE : is_class ? QUIET : PLAIN;

    if (picture->nodes[edge->to].stands_alone) {
        text_put(out, "  n%u -> n%u", edge->from, edge->to);
    } else {
        text_put(out, "  a%u [shape=plaintext margin=\"0.05,0.02\" width=0 height=0.2 fontcolor=\"%s\" label=<", i,
                 PLAIN);
        put_name(out, picture->nodes[edge->to].told, picture_put_name);
        text_put(out, ">];\n  n%u -> a%u", edge->from, i);
    }
    text_put(out, " [color=\"%s\" fontcolor=\"%s\"%s%s label=<", colour, colour, edge->is_weak ? " style=dashed" : "",
             edge->is_cyclic ? " penwidth=1.8" : "");
    put_name(out, edge->told, picture_put_slot);
    text_put(out, ">];\n");
}

static void put_caption(struct buf *out, const struct picture *picture, const char *title)
{
    struct buf text;

    buf_init(&text, SIZE_MAX, NULL);
    text_put_safe(&text, title, strlen(title));
    text_put(out, "  label=<<b>");
    put_html(out, &text);
    text_put(out, "</b>: %u objects, %u references.&#160; <font color=\"%s\">Dashed: weak.</font>&#160; ",
             picture->node_count, picture->edge_count, WEAK);
    text_put(out, "<font color=\"%s\">Red: in a cycle.</font>>;\n", CYCLE);
    buf_fini(&text);
}

void picture_put_dot(const struct picture *picture, struct buf *out, const char *title)
{
    text_put(out, "digraph heap {\n  bgcolor=white;\n  rankdir=LR;\n  ranksep=0.6;\n  nodesep=0.18;\n");
    text_put(out, "  fontname=\"Helvetica\";\n  fontsize=10;\n  labelloc=b;\n");
    text_put(out, "  node [shape=box fontname=\"Helvetica\" fontsize=10 color=\"%s\" margin=\"0.12,0.05\"];\n", PLAIN);
    text_put(out, "  edge [fontname=\"Helvetica\" fontsize=8 arrowsize=0.6];\n");
    put_caption(out, picture, title);
    for (uint32_t i = 0; i < picture->node_count; i++)
        if (picture->nodes[i].stands_alone)
            put_node(out, picture, i);
    for (uint32_t i = 0; i < picture->edge_count; i++)
        if (picture->edges[i].is_drawn)
            put_edge(out, picture, i);
    text_put(out, "}\n");
}
