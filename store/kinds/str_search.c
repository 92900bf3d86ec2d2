/* str_search.c - the methods of str that look for another: find, count, contains, startswith, endswith. */
#include <string.h>

#include "store/attr.h"
#include "store/kinds/methods.h"
#include "store/kinds/sequence.h"
#include "store/kinds/text.h"

enum hd_err str_method_find(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                            struct obj **result)
{
    struct range range;
    struct span wanted;
    enum hd_err err = text_range(heap, self, args + 1, nargs - 1, &range);

    if (err == HD_OK)
        err = text_arg(heap, args[0], OBJ_STR, "what is looked for", &wanted);
    return err == HD_OK ? range_find(heap, self, &range, wanted, result) : err;
}

/* The argument of contains and count, for which a living proxy stands for its target. */
static enum hd_err wanted_str(struct heap *heap, struct obj *arg, struct span *wanted)
{
    enum hd_err err = obj_through(heap, arg, &arg);

    return err == HD_OK ? text_arg(heap, arg, OBJ_STR, "what is looked for", wanted) : err;
}

enum hd_err str_method_contains(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                struct obj **result)
{
    struct span wanted;
    enum hd_err err = wanted_str(heap, args[0], &wanted);

    (void)nargs;
    if (err == HD_OK)
        err = text_work(heap, text_of(self)->len);
    if (err == HD_OK)
        *result = bool_obj(heap, span_find(span_of(self), wanted) != NULL);
    return err;
}

enum hd_err str_method_count(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                             struct obj **result)
{
    struct range range;
    struct span wanted;
    uint64_t count = 0;
    enum hd_err err = text_range(heap, self, args + 1, nargs - 1, &range);

    if (err == HD_OK)
        err = wanted_str(heap, args[0], &wanted);
    if (err != HD_OK)
        return err;
    if (range.exists)
        err = str_count(heap, range.part, wanted, UINT64_MAX, &count);
    return err == HD_OK ? int_new(heap, (int64_t)count, result) : err;
}

/* -- startswith, endswith ----------------------------------------------------------------------------------------- */

static bool is_at_end_of(const struct range *range, struct span wanted, bool at_stop)
{
    struct span part = range->part;

    if (!range->exists || wanted.len > part.len)
        return false;
    return memcmp(at_stop ? part.at + part.len - wanted.len : part.at, wanted.at, wanted.len) == 0;
}

/* True if one of these strs stands there; TYPE for what is no str, unless one before it does. */
static enum hd_err any_at_end_of(struct heap *heap, const struct range *range, struct obj *const *wanted, uint32_t len,
                                 bool at_stop, bool *found)
{
    *found = false;
    for (uint32_t i = 0; i < len && !*found; i++) {
        struct span span;
        enum hd_err err = text_arg(heap, wanted[i], OBJ_STR, "what is compared", &span);

        if (err == HD_OK)
            err = text_work(heap, span.len);
        if (err != HD_OK)
            return err;
        *found = is_at_end_of(range, span, at_stop);
    }
    return HD_OK;
}

static enum hd_err stands_at(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                             bool at_stop, struct obj **result)
{
    struct obj *const *wanted = args;
    uint32_t len = 1;
    struct range range;
    bool found;
    enum hd_err err = text_range(heap, self, args + 1, nargs - 1, &range);

    if (args[0]->type == OBJ_TUPLE)
        wanted = sequence_items(args[0], &len);
    if (err == HD_OK)
        err = any_at_end_of(heap, &range, wanted, len, at_stop, &found);
    if (err == HD_OK)
        *result = bool_obj(heap, found);
    return err;
}

enum hd_err str_method_startswith(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                  struct obj **result)
{
    return stands_at(heap, self, args, nargs, false, result);
}

enum hd_err str_method_endswith(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                struct obj **result)
{
    return stands_at(heap, self, args, nargs, true, result);
}
