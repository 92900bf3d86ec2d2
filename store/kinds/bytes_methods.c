/* bytes_methods.c - the methods of bytes. */
#include "store/kinds/methods.h"
#include "store/kinds/sequence.h"
#include "store/kinds/text.h"

enum hd_err bytes_method_len(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                             struct obj **result)
{
    (void)args;
    (void)nargs;
    return int_new(heap, text_of(self)->len, result);
}

enum hd_err bytes_method_get(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                             struct obj **result)
{
    uint64_t index;
    enum hd_err err = index_of(heap, args[0], text_of(self)->len, "bytes", &index);

    (void)nargs;
    return err == HD_OK ? int_new(heap, (unsigned char)text_of(self)->bytes[index], result) : err;
}

enum hd_err bytes_method_slice(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                               struct obj **result)
{
    return text_slice(heap, self, args, nargs, result);
}

enum hd_err bytes_method_concat(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                                struct obj **result)
{
    (void)nargs;
    return text_concat(heap, self, args[0], result);
}

/* What find looks for: bytes, or an int that stands for one byte, which is put into *byte. */
static enum hd_err wanted_bytes(struct heap *heap, struct obj *arg, char *byte, struct span *wanted)
{
    int64_t value;

    if (!obj_as_int(heap, arg, &value))
        return text_arg(heap, arg, OBJ_BYTES, "what is looked for", wanted);
    if (value < 0 || value > UINT8_MAX)
        return heap_fail(heap, HD_VALUE, "a byte is within 0...255, not %lld", (long long)value);
    *byte = (char)value;
    *wanted = (struct span){byte, 1};
    return HD_OK;
}

enum hd_err bytes_method_find(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                              struct obj **result)
{
    struct range range;
    struct span wanted;
    char byte;
    enum hd_err err = text_range(heap, self, args + 1, nargs - 1, &range);

    if (err == HD_OK)
        err = wanted_bytes(heap, args[0], &byte, &wanted);
    return err == HD_OK ? range_find(heap, self, &range, wanted, result) : err;
}
