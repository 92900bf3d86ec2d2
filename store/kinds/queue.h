/*
 * store/kinds/queue.h - a queue: what is put first is taken first.
 *
 * Items stand in blocks of QUEUE_BLOCK, and the blocks in a ring: neither putting nor taking ever moves an item,
 * however long the queue is. An item is known by its number, which counts all that was ever put.
 *
 * Invariants: the items [taken, taken + len) are owned references, never NULL; the ring holds exactly the blocks of
 * the numbers from `taken` up to taken + len rounded up to whole blocks.
 */
#ifndef HEAPD_STORE_KINDS_QUEUE_H
#define HEAPD_STORE_KINDS_QUEUE_H

#include <sys/queue.h>

#include "store/heap.h"

#define QUEUE_BLOCK 64u
#define QUEUE_MAX UINT64_C(0x7fffffff) /* items */

struct taker;
TAILQ_HEAD(taker_list, taker);

struct queue {
    struct obj head;
    struct obj ***ring;       /* of blocks; NULL while capacity is 0 */
    uint32_t capacity;        /* slots of the ring: 0 or a power of two */
    bool is_closed;
    bool is_served;           /* takers, and what they wait for: in the list of queues to be served. The daemon's own */
    uint64_t taken;           /* the number of the first item */
    uint64_t len;
    struct taker_list takers; /* calls that wait, longest first; each holds a count of the queue. The daemon's own */
    struct queue *next_served;
};

static inline struct queue *queue_of(struct obj *o)
{
    return (struct queue *)o;
}

enum hd_err queue_new(struct heap *heap, struct obj **out);

/* What is next to be taken, borrowed; NULL: it is empty. */
struct obj *queue_peek(const struct queue *queue);

/* Takes it, owned; the queue is not empty. Never fails. */
struct obj *queue_take(struct heap *heap, struct queue *queue);

/* The seconds of `take`'s arguments: infinity without one, or nil. TYPE for what is no number, VALUE below 0. */
enum hd_err queue_timeout(struct heap *heap, struct obj *const *args, unsigned nargs, double *seconds);

#endif
