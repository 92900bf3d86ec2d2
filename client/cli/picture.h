/*
 * client/cli/picture.h - the answer to `graph`, drawn: for Graphviz, or as a tree of lines.
 *
 * Atoms that never die (nil, small ints, ...) are drawn once for each reference, so that they tie nothing together;
 * keys that are scalars stand on their edges. Edges within a cycle of counting references are marked.
 */
#ifndef HEAPD_CLIENT_CLI_PICTURE_H
#define HEAPD_CLIENT_CLI_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/heapd.h"
#include "protocol/pack.h"

struct picture_edge {
    uint32_t from, to;           /* nodes */
    const struct hd_value *told; /* what the server says of it */
    bool is_weak;
    bool is_cyclic;
    bool is_drawn;               /* for Graphviz: a scalar key is told by the edge of its entry */
};

struct picture_node {
    const struct hd_value *told;
    uint64_t id, refs;
    uint32_t first, count;  /* its edges */
    uint32_t found, lowest; /* of the search for cycles */
    bool is_open;
    bool stands_alone;      /* for Graphviz: not drawn at each of its references */
};

struct picture {
    struct picture_node *nodes; /* owned; the first is what was asked for */
    struct picture_edge *edges; /* owned */
    uint32_t *by_id;            /* owned: nodes in order of id */
    uint32_t node_count, edge_count;
};

/* Reads an answer, which must stay. False without memory, or if it is no graph; to be ended in any case. */
bool picture_open(struct picture *picture, const struct hd_value *graph);
void picture_close(struct picture *picture);

/* Graphviz' language. `title` is what was asked for. */
void picture_put_dot(const struct picture *picture, struct buf *out, const char *title);

/* A line for each reference, indented; what was shown already is only named. False without memory. */
bool picture_put_tree(const struct picture *picture, struct buf *out);

/* "list #17", "Job #3", "'text'": what stands for an object. */
void picture_put_name(struct buf *out, const struct hd_value *node);

/* "[3]", "['k']", ".name", or, as in "(element)", the kind of a slot: of an edge of `graph` and of a row of `path`. */
void picture_put_slot(struct buf *out, const struct hd_value *slot);

#endif
