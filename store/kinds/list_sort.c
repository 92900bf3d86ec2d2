/*
 * list_sort.c - sorting a list: stable, iterative, at most about n log2 n comparisons.
 *
 * A natural merge sort: ascending runs as they stand (descending ones turned round), short ones brought to a length of
 * 32 to 64 by binary insertion, neighbours merged from a stack. Runs, their least length and the insertion are those of
 * CPython's listsort.txt (T. Peters), asking only `<`, so that also lists without a true order, NaN among numbers or
 * sets, end up as they do there as long as they have fewer than 64 elements.
 *
 * It works on a copy of the slots: a comparison that fails (TYPE, LIMIT, NO_MEMORY) leaves the list as it was.
 */
#include <string.h>

#include "store/compare.h"
#include "store/gc.h"
#include "store/kinds/atoms.h"
#include "store/kinds/methods.h"
#include "store/kinds/sequence.h"

/* Each waiting run is longer than the two after it together: 2^31 elements need fewer than 45. */
#define RUNS_MAX 64

struct run {
    uint32_t start, len;
};

struct sort {
    struct heap *heap;
    struct obj **items;  /* the copy: len slots */
    struct obj **spare;  /* len / 2 slots, for the shorter of two runs being merged */
    uint32_t len;
    struct run runs[RUNS_MAX];
    unsigned waiting;    /* runs not merged yet, left to right */
    enum hd_err err;     /* of the first comparison that failed */
};

/* a < b; false from the first failure on, so that the loops below come to their end. */
static bool is_less(struct sort *sort, struct obj *a, struct obj *b)
{
    bool less = false;

    if (sort->err == HD_OK)
        sort->err = obj_compare(sort->heap, a, b, COMPARE_LT, &less);
    return less && sort->err == HD_OK;
}

/* -- runs --------------------------------------------------------------------------------------------------------- */

/* Length of the run that begins at `start`. A strictly descending one is turned round: it has no equal elements. */
static uint32_t find_run(struct sort *sort, uint32_t start)
{
    struct obj **items = sort->items + start;
    uint32_t most = sort->len - start;
    uint32_t len = 2;

    if (most < 2)
        return most;
    if (is_less(sort, items[1], items[0])) {
        while (len < most && is_less(sort, items[len], items[len - 1]))
            len++;
        sequence_reverse(items, len);
    } else {
        while (len < most && sort->err == HD_OK && !is_less(sort, items[len], items[len - 1]))
            len++;
    }
    return len;
}

/* Brings a run to `wanted` elements by inserting those behind it, each after its equals. */
static void extend_run(struct sort *sort, struct run run, uint32_t wanted)
{
    struct obj **items = sort->items + run.start;

    for (uint32_t next = run.len; next < wanted && sort->err == HD_OK; next++) {
        struct obj *pivot = items[next];
        uint32_t left = 0;
        uint32_t right = next;

        while (left < right) {
            uint32_t middle = left + (right - left) / 2;

            if (is_less(sort, pivot, items[middle]))
                right = middle;
            else
                left = middle + 1;
        }
        memmove(&items[left + 1], &items[left], (next - left) * sizeof(struct obj *));
        items[left] = pivot;
    }
}

/* listsort.txt, "Computing minrun": so that len / least is a power of two or a little below one. */
static uint32_t least_run(uint32_t len)
{
    uint32_t odd = 0;

    for (; len >= 64; len /= 2)
        odd |= len & 1;
    return len + odd;
}

/* -- merging ------------------------------------------------------------------------------------------------------ */

/* The left run is the shorter: it moves out, and both are merged from the front. */
static void merge_low(struct sort *sort, struct obj **left, uint32_t left_len, uint32_t right_len)
{
    struct obj **right = left + left_len;
    struct obj **out = left;
    struct obj **from = memcpy(sort->spare, left, left_len * sizeof(struct obj *));

    while (left_len > 0 && right_len > 0) {
        bool takes_right = is_less(sort, *right, *from);

        *out++ = takes_right ? *right++ : *from++;
        right_len -= takes_right;
        left_len -= !takes_right;
    }
    memcpy(out, from, left_len * sizeof(struct obj *));
}

/* The right run is the shorter: it moves out, and both are merged from the back. */
static void merge_high(struct sort *sort, struct obj **left, uint32_t left_len, uint32_t right_len)
{
    struct obj **out = left + left_len + right_len;
    struct obj **from = memcpy(sort->spare, left + left_len, right_len * sizeof(struct obj *));

    while (left_len > 0 && right_len > 0) {
        bool takes_left = is_less(sort, from[right_len - 1], left[left_len - 1]);

        *--out = takes_left ? left[--left_len] : from[--right_len];
    }
    memcpy(left + left_len, from, right_len * sizeof(struct obj *));
}

/* Merges the waiting run `i` with the one after it. */
static void merge_at(struct sort *sort, unsigned i)
{
    struct run *left = &sort->runs[i];
    const struct run right = sort->runs[i + 1];
    struct obj **items = sort->items + left->start;

    if (left->len <= right.len)
        merge_low(sort, items, left->len, right.len);
    else
        merge_high(sort, items, left->len, right.len);
    left->len += right.len;
    sort->waiting--;
    memmove(&sort->runs[i + 1], &sort->runs[i + 2], (sort->waiting - i - 1) * sizeof(struct run));
}

/* True if the run `i` is not longer than the two after it together. */
static bool is_crowded(const struct sort *sort, unsigned i)
{
    const struct run *run = &sort->runs[i];

    return (uint64_t)run[0].len <= (uint64_t)run[1].len + run[2].len;
}

/* Restores the order of lengths on the stack, the three newest runs and the one before them. */
static void settle(struct sort *sort)
{
    while (sort->waiting > 1) {
        unsigned last = sort->waiting - 1;

        if ((last > 1 && is_crowded(sort, last - 2)) || (last > 2 && is_crowded(sort, last - 3)))
            merge_at(sort, sort->runs[last - 2].len < sort->runs[last].len ? last - 2 : last - 1);
        else if (sort->runs[last - 1].len <= sort->runs[last].len)
            merge_at(sort, last - 1);
        else
            return;
    }
}

static void sort_items(struct sort *sort)
{
    uint32_t least = least_run(sort->len);
    uint32_t start = 0;

    while (start < sort->len && sort->err == HD_OK) {
        struct run run = {start, find_run(sort, start)};
        uint32_t wanted = sort->len - start < least ? sort->len - start : least;

        if (run.len < wanted) {
            extend_run(sort, run, wanted);
            run.len = wanted;
        }
        sort->runs[sort->waiting++] = run;
        start += run.len;
        settle(sort);
    }
    while (sort->waiting > 1 && sort->err == HD_OK)
        merge_at(sort, sort->waiting - 2);
}

/* -- the method --------------------------------------------------------------------------------------------------- */

/* Sorts a copy of the slots and, if all went well, puts it in their place. Turned round before and after, equal
 * elements of a reverse sort keep their order. */
static enum hd_err sort_list(struct heap *heap, struct list *list, bool is_reverse)
{
    size_t size = list->len * sizeof(struct obj *);
    size_t half = list->len / 2 * sizeof(struct obj *);
    struct sort sort = {.heap = heap, .len = list->len};

    sort.items = pool_alloc(heap->pool, size, POOL_DATA);
    sort.spare = pool_alloc(heap->pool, half, POOL_DATA);
    if (sort.items == NULL || sort.spare == NULL) {
        sort.err = heap_no_memory(heap);
    } else {
        memcpy(sort.items, list->items, size);
        if (is_reverse)
            sequence_reverse(sort.items, sort.len);
        sort_items(&sort);
        if (is_reverse)
            sequence_reverse(sort.items, sort.len);
    }
    if (sort.err == HD_OK) {
        memcpy(list->items, sort.items, size);
        gc_list_shuffled(heap, &list->head);
    }
    pool_free(heap->pool, sort.items, size, POOL_DATA);
    pool_free(heap->pool, sort.spare, half, POOL_DATA);
    return sort.err;
}

/* Charges a unit for each element; comparing charges what it looks at inside of them. */
enum hd_err list_method_sort(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                             struct obj **result)
{
    struct list *list = list_of(self);
    int64_t is_reverse = 0;
    enum hd_err err = heap_work(heap, list->len);

    if (nargs > 0 && !obj_as_int(heap, args[0], &is_reverse))
        return heap_fail(heap, HD_TYPE, "`reverse` is a bool, not %s", obj_type_name(args[0]->type));
    if (err == HD_OK && list->len > 1)
        err = sort_list(heap, list, is_reverse != 0);
    if (err == HD_OK)
        *result = heap->nil;
    return err;
}
