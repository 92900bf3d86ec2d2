/* queue.c - the kind of queues, and their methods. */
#include "store/kinds/queue.h"

#include <math.h>
#include <string.h>

#include "store/kinds/atoms.h"
#include "store/kinds/methods.h"

#define RING_LEAST 4u

/* -- storage ------------------------------------------------------------------------------------------------------ */

static size_t block_size(void)
{
    return QUEUE_BLOCK * sizeof(struct obj *);
}

static size_t ring_size(uint32_t capacity)
{
    return capacity * sizeof(struct obj **);
}

static uint64_t first_block(const struct queue *queue)
{
    return queue->taken / QUEUE_BLOCK;
}

/* The number behind the last block. */
static uint64_t end_block(const struct queue *queue)
{
    return (queue->taken + queue->len + QUEUE_BLOCK - 1) / QUEUE_BLOCK;
}

static struct obj ***block_at(const struct queue *queue, uint64_t block)
{
    return &queue->ring[block & (queue->capacity - 1)];
}

static struct obj **item_at(const struct queue *queue, uint64_t number)
{
    return &(*block_at(queue, number / QUEUE_BLOCK))[number % QUEUE_BLOCK];
}

/* Gives the ring another number of slots, enough for its blocks. */
static bool resize_ring(struct heap *heap, struct queue *queue, uint32_t capacity)
{
    struct queue old = *queue;
    struct obj ***ring = pool_alloc(heap->pool, ring_size(capacity), POOL_DATA);

    if (ring == NULL)
        return false;
    queue->ring = ring;
    queue->capacity = capacity;
    for (uint64_t block = first_block(&old); block < end_block(&old); block++)
        *block_at(queue, block) = *block_at(&old, block);
    if (old.ring != NULL)
        pool_free(heap->pool, old.ring, ring_size(old.capacity), POOL_DATA);
    return true;
}

/* Room for one more item. */
static bool reserve(struct heap *heap, struct queue *queue)
{
    uint64_t number = queue->taken + queue->len;
    struct obj **block;

    if (number % QUEUE_BLOCK != 0)
        return true; /* the last block has room */
    if (end_block(queue) - first_block(queue) == queue->capacity &&
        !resize_ring(heap, queue, queue->capacity == 0 ? RING_LEAST : queue->capacity * 2))
        return false;
    block = pool_alloc(heap->pool, block_size(), POOL_DATA);
    if (block == NULL)
        return false;
    *block_at(queue, number / QUEUE_BLOCK) = block;
    return true;
}

enum hd_err queue_new(struct heap *heap, struct obj **out)
{
    struct obj *o = heap_new(heap, OBJ_QUEUE, sizeof(struct queue));

    if (o == NULL)
        return heap_no_memory(heap);
    memset(o + 1, 0, sizeof(struct queue) - sizeof *o);
    TAILQ_INIT(&queue_of(o)->takers);
    *out = o;
    return HD_OK;
}

struct obj *queue_peek(const struct queue *queue)
{
    return queue->len > 0 ? *item_at(queue, queue->taken) : NULL;
}

struct obj *queue_take(struct heap *heap, struct queue *queue)
{
    struct obj *item = *item_at(queue, queue->taken);
    uint64_t block = first_block(queue);

    queue->taken++;
    queue->len--;
    if (first_block(queue) == block)
        return item;
    pool_free(heap->pool, *block_at(queue, block), block_size(), POOL_DATA);
    if (queue->capacity > RING_LEAST && end_block(queue) - first_block(queue) < queue->capacity / 4)
        resize_ring(heap, queue, queue->capacity / 2); /* without memory it stays as large as it is */
    return item;
}

/* -- the kind ----------------------------------------------------------------------------------------------------- */

/* The cursor is an item's number: taking and putting move nothing under a walk. */
static bool traverse_queue(struct obj *o, uint64_t *cursor, size_t *budget, slot_fn *visit, void *arg)
{
    const struct queue *queue = queue_of(o);
    uint64_t end = queue->taken + queue->len;

    if (*cursor < queue->taken)
        *cursor = queue->taken;
    for (; *cursor < end && *budget > 0; (*cursor)++, (*budget)--)
        if (!visit(arg, &(struct slot){.kind = SLOT_ELEMENT, .target = *item_at(queue, *cursor),
                                       .index = *cursor - queue->taken}))
            return false;
    return *cursor >= end;
}

static bool drop_queue(struct heap *heap, struct obj *o, uint64_t *cursor, size_t *budget)
{
    struct queue *queue = queue_of(o);

    for (; queue->len > 0 && *budget > 0; (*budget)--) {
        struct obj *item = queue_take(heap, queue);

        obj_unref(heap, &item);
        *cursor = queue->taken;
    }
    return queue->len == 0;
}

static void free_queue(struct heap *heap, struct obj *o)
{
    struct queue *queue = queue_of(o);

    assert(TAILQ_EMPTY(&queue->takers));
    for (uint64_t block = first_block(queue); block < end_block(queue); block++)
        pool_free(heap->pool, *block_at(queue, block), block_size(), POOL_DATA);
    if (queue->ring != NULL)
        pool_free(heap->pool, queue->ring, ring_size(queue->capacity), POOL_DATA);
    heap_free(heap, o, sizeof *queue);
}

static size_t bytes_of_queue(const struct obj *o)
{
    const struct queue *queue = (const struct queue *)o;
    size_t blocks = (size_t)(end_block(queue) - first_block(queue));

    return pool_rounded(sizeof *queue) + (queue->ring == NULL ? 0 : pool_rounded(ring_size(queue->capacity))) +
           blocks * pool_rounded(block_size());
}

static uint64_t length_of_queue(const struct obj *o)
{
    return ((const struct queue *)o)->len;
}

const struct kind kind_queue = {traverse_queue, drop_queue, free_queue, bytes_of_queue, length_of_queue};

/* -- methods ------------------------------------------------------------------------------------------------------ */

enum hd_err queue_method_len(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                             struct obj **result)
{
    (void)args;
    (void)nargs;
    return int_new(heap, (int64_t)queue_of(self)->len, result);
}

enum hd_err queue_method_put(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                             struct obj **result)
{
    struct queue *queue = queue_of(self);

    (void)nargs;
    if (queue->is_closed)
        return heap_fail(heap, HD_VALUE, "queue #%llu is closed", (unsigned long long)self->id);
    if (!obj_can_ref(args[0]))
        return heap_count_full(heap, args[0]);
    if (queue->len >= QUEUE_MAX)
        return heap_fail(heap, HD_LIMIT, "a queue holds at most %llu items", (unsigned long long)QUEUE_MAX);
    if (!reserve(heap, queue))
        return heap_no_memory(heap);
    queue->len++;
    *item_at(queue, queue->taken + queue->len - 1) = obj_ref(args[0]);
    *result = heap->nil;
    return HD_OK;
}

enum hd_err queue_method_close(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                               struct obj **result)
{
    (void)args;
    (void)nargs;
    queue_of(self)->is_closed = true;
    *result = heap->nil;
    return HD_OK;
}

enum hd_err queue_timeout(struct heap *heap, struct obj *const *args, unsigned nargs, double *seconds)
{
    int64_t whole;

    *seconds = INFINITY;
    if (nargs == 0 || args[0]->type == OBJ_NIL)
        return HD_OK;
    if (obj_as_int(heap, args[0], &whole))
        *seconds = (double)whole;
    else if (args[0]->type == OBJ_FLOAT)
        *seconds = float_value(args[0]);
    else
        return heap_fail(heap, HD_TYPE, "a timeout is an int or float of seconds, or nil, not %s",
                         obj_type_name(args[0]->type));
    if (!(*seconds >= 0)) /* NaN neither */
        return heap_fail(heap, HD_VALUE, "a timeout is 0 seconds or more");
    return HD_OK;
}

/* What take gives now: waiting is the daemon's affair. */
enum hd_err queue_peek_take(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                            struct obj **result)
{
    const struct queue *queue = queue_of(self);
    double seconds;
    enum hd_err err = queue_timeout(heap, args, nargs, &seconds);

    if (err != HD_OK)
        return err;
    if (queue->len == 0 && queue->is_closed)
        return heap_fail(heap, HD_CANCELLED, "queue #%llu is closed and empty", (unsigned long long)self->id);
    if (queue->len == 0)
        return heap_fail(heap, HD_TIMEOUT, "queue #%llu is empty", (unsigned long long)self->id);
    *result = obj_ref(queue_peek(queue));
    return HD_OK;
}

enum hd_err queue_method_take(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                              struct obj **result)
{
    struct obj *item = NULL;
    enum hd_err err = queue_peek_take(heap, self, args, nargs, &item);

    if (err != HD_OK)
        return err;
    obj_unref(heap, &item);
    *result = queue_take(heap, queue_of(self));
    return HD_OK;
}
