/* do_graph.c - what is reachable from an object, for drawing. */
#include "daemon/call.h"
#include "daemon/convert.h"
#include "daemon/rows.h"
#include "store/graph.h"
#include "store/kinds/atoms.h"
#include "store/kinds/object.h"
#include "store/kinds/utf8.h"

#define VALUE_SHOWN 40 /* code points, or bytes, of a text */

/* A node's value if it has one that a picture can show: of a long text the beginning. */
static void pack_value(struct buf *out, struct obj *o)
{
    const struct text *text = text_of(o);

    pack_cstr(out, "value");
    if (o->type == OBJ_STR)
        pack_str(out, text->bytes, utf8_offset(text->bytes, text->len, VALUE_SHOWN));
    else if (o->type == OBJ_BYTES)
        pack_bin(out, text->bytes, text->len < VALUE_SHOWN ? text->len : VALUE_SHOWN);
    else
        convert_pack_scalar(out, o);
}

static void pack_class(struct buf *out, const struct obj *o)
{
    size_t len;
    const char *name = class_name(o, &len);

    pack_cstr(out, "class");
    pack_str(out, name, len);
}

/* `own`: references that are the request's. */
static void pack_node(struct buf *out, const struct ledger_row *row, unsigned own)
{
    struct obj *o = row->o;
    bool has_len = kind_of(o)->length != NULL;
    bool has_class = o->type == OBJ_OBJECT || o->type == OBJ_CLASS;
    bool has_value = convert_is_scalar(o);

    pack_map(out, 4 + has_len + has_class + has_value);
    pack_entry_uint(out, "id", o->id);
    pack_cstr(out, "type");
    pack_cstr(out, obj_type_name(o->type));
    pack_cstr(out, "refcount");
    if (obj_is_immortal(o))
        pack_nil(out);
    else
        pack_uint(out, o->count - own);
    pack_cstr(out, "more");
    pack_bool(out, row->b != 0);
    if (has_len)
        pack_entry_uint(out, "len", kind_of(o)->length(o));
    if (has_class)
        pack_class(out, o);
    if (has_value)
        pack_value(out, o);
}

/* -- edges -------------------------------------------------------------------------------------------------------- */

struct edges {
    const struct graph *graph;
    struct obj *from;
    struct buf *out; /* NULL: only counts */
    uint64_t count;
};

/* A key of which a picture can show something: a scalar. */
static bool has_key(const struct slot *slot)
{
    return slot->kind == SLOT_ENTRY && slot->key != NULL && convert_is_scalar(slot->key);
}

static void pack_edge(struct buf *out, const struct obj *from, const struct slot *slot, bool is_weak)
{
    const char *kind = rows_kind(from, slot);
    bool has_index = rows_has_index(from, slot);
    bool has_name = slot->kind == SLOT_ATTRIBUTE;

    pack_map(out, 4 + (has_index || has_key(slot) || has_name));
    pack_entry_uint(out, "from", from->id);
    pack_entry_uint(out, "to", slot->target->id);
    pack_cstr(out, "kind");
    pack_cstr(out, kind);
    pack_cstr(out, "weak");
    pack_bool(out, is_weak);
    if (has_index) {
        pack_entry_uint(out, "index", slot->index);
    } else if (has_name) {
        pack_cstr(out, "attribute");
        pack_str(out, slot->name, slot->name_len);
    } else if (has_key(slot)) {
        pack_cstr(out, "key");
        convert_pack_scalar(out, slot->key);
    }
}

static bool tell_edge(void *arg, const struct slot *slot, bool is_weak)
{
    struct edges *edges = arg;

    if (ledger_find(&edges->graph->nodes, slot->target) == NULL)
        return true;
    edges->count++;
    if (edges->out != NULL)
        pack_edge(edges->out, edges->from, slot, is_weak);
    return true;
}

static uint64_t each_edge(struct heap *heap, const struct graph *graph, struct buf *out)
{
    struct edges edges = {.graph = graph, .out = out};

    for (uint32_t i = 0; i < graph->nodes.len; i++) {
        edges.from = graph->nodes.rows[i].o;
        graph_edges(heap, edges.from, tell_edge, &edges);
    }
    return edges.count;
}

/* -- the method --------------------------------------------------------------------------------------------------- */

static enum hd_err reply_graph(struct call *call, const struct graph *graph)
{
    struct buf *out = reply_begin(call);
    uint64_t most = call->hub->settings.limit_read;
    size_t start;

    if (out == NULL)
        return HD_OK;
    start = out->len;
    pack_map(out, 2);
    pack_cstr(out, "nodes");
    pack_array(out, graph->nodes.len);
    for (uint32_t i = 0; i < graph->nodes.len; i++)
        pack_node(out, &graph->nodes.rows[i], i == 0);
    pack_cstr(out, "edges");
    pack_array(out, each_edge(call->heap, graph, NULL));
    each_edge(call->heap, graph, out);
    if (out->len - start > most)
        return heap_fail(call->heap, HD_LIMIT, "the graph is larger than limits.read (%llu bytes)",
                         (unsigned long long)most);
    return HD_OK;
}

enum hd_err do_graph(struct call *call)
{
    uint64_t limit = opts_number(&call->opts, RPC_OPTION_LIMIT, UINT64_MAX);
    uint64_t depth = opts_number(&call->opts, RPC_OPTION_LEVELS, UINT64_MAX);
    struct graph graph = {0};
    enum hd_err err;

    if (limit == 0)
        return heap_fail(call->heap, HD_BAD_ARGS, "graph: option 'limit' is at least 1");
    err = graph_begin(&graph, call->heap, call->args[0].o, depth, limit);
    if (err == HD_OK)
        err = reply_graph(call, &graph);
    graph_end(&graph);
    return err;
}
