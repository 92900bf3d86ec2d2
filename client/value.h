/*
 * client/value.h - a frame as a tree of values.
 *
 * A tree is one block of memory: the nodes, then a copy of the frame, to which strings point. The elements of a
 * container lie side by side, so that any is found in one step. Building and walking are loops: the C stack does not
 * grow with depth.
 */
#ifndef HEAPD_CLIENT_VALUE_H
#define HEAPD_CLIENT_VALUE_H

#include "client/heapd.h"
#include "protocol/limits.h"
#include "protocol/pack.h"
#include "protocol/read.h"

struct hd_value {
    uint8_t kind; /* enum hd_kind */
    int8_t ext;   /* type of HD_EXT and HD_HANDLE */
    uint32_t len; /* bytes, elements, pairs */
    union {
        bool boolean;
        int64_t sint;
        uint64_t uint;
        double real;
        char *bytes;            /* in the copy of the frame; '\0' behind, but for HD_HANDLE */
        struct hd_value *items; /* elements, or keys and values in turn */
    };
};

struct tree {
    size_t size; /* bytes of the whole block */
    struct hd_value root[];
};

/* Builds the tree of a frame that the scanner found to be whole, with so many values. NULL: no memory. */
struct tree *tree_new(const struct buf_memory *memory, const char *frame, size_t len, uint64_t values);

/* NULL is fine. */
void tree_free(const struct buf_memory *memory, struct tree *tree);

/* The payload of a HANDLE that came: handle, object id, type code. */
struct handle_parts {
    uint64_t part[3];
};

/* Whether it is one, as it should be. */
bool value_is_handle(const struct wire *wire, struct handle_parts *parts);

/* A walk over a value and all below it, each container before its content. */
struct walk {
    struct hd_value *last; /* what walk_next answered last: its content is next */
    unsigned depth;
    struct {
        struct hd_value *next;
        uint64_t left;
    } levels[HD_DEPTH_MAX + 1];
};

void walk_start(struct walk *walk, const struct hd_value *value);

/* The next value, NULL at the end. */
struct hd_value *walk_next(struct walk *walk);

#endif
