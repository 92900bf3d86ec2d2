/*
 * ops.h - what load.c can ask: one table of operations for three protocols, and their bytes with holes.
 *
 * A frame is laid out once; for each request only what differs is written into its holes: the msgid, the key, the
 * number that belongs to the key. A reply is checked byte by byte against the frame that is expected, for the same
 * request.
 */
#ifndef HEAPD_TESTS_BENCH_OPS_H
#define HEAPD_TESTS_BENCH_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX 128 /* bytes */
#define MSGID_FIRST 0x10000000 /* these and all that follow travel in five bytes */

enum protocol { RPC, RESP, TEXT, ECHO };

struct op {
    const char *name;
    const char *rpc, *rpc_reply;
    const char *resp, *resp_reply; /* NULL: Redis has nothing like it */
    const char *text, *text_reply; /* of memcached; NULL likewise */
};

struct frame {
    char bytes[FRAME_MAX];
    size_t len;
    size_t int_at;                   /* before this byte comes an integer that is not known; SIZE_MAX: nowhere */
    int msgid_at, key_at, number_at; /* -1: nowhere */
    bool is_text;                    /* numbers in decimal digits */
};

/* NULL if there is none of that name. */
const struct op *op_find(const char *name);

/* The frames of an operation. As ECHO, the request is that of RPC, and the reply has the length of RPC's. */
void op_frames(const struct op *op, enum protocol protocol, struct frame *request, struct frame *reply);

/* Writes into the holes of a copy of the frame. */
void frame_fill(const struct frame *f, char *copy, uint32_t msgid, uint32_t key);

/* Bytes of the reply at `in`, 0 if it is not complete. One that differs from `f`, filled for this request, ends the
 * program. */
size_t frame_check(const struct frame *f, const char *in, size_t len);

/* Makes on a fresh heapd what the operations work on, beside the keys; its shared namespace is `bench`. */
void ops_prepare(int fd);

/* Every connection to a heapd works there. */
void ops_greet(int fd);

#endif
