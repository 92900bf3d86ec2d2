/* namespace.c - the kind of namespaces. */
#include "store/kinds/namespace.h"

#include "store/kind.h"

enum hd_err space_new(struct heap *heap, const char *name, size_t len, struct obj **out)
{
    struct name *copy;
    struct space *space;

    if (len > NAME_MAX_BYTES)
        return heap_fail(heap, HD_LIMIT, "a name has at most %u bytes", NAME_MAX_BYTES);
    copy = name_new(heap, name, len);
    if (copy == NULL)
        return heap_no_memory(heap);
    space = (struct space *)heap_new(heap, OBJ_NAMESPACE, sizeof *space);
    if (space == NULL) {
        name_free(heap, copy);
        return heap_no_memory(heap);
    }
    names_init(&space->names);
    space->name = copy;
    space->recent = 0;
    space->watches = NULL;
    space->is_private = space->is_readonly = false;
    *out = &space->head;
    return HD_OK;
}

static bool traverse_space(struct obj *o, uint64_t *cursor, size_t *budget, slot_fn *visit, void *arg)
{
    return names_traverse(&space_of(o)->names, cursor, budget, visit, arg);
}

static bool drop_space(struct heap *heap, struct obj *o, uint64_t *cursor, size_t *budget)
{
    (void)cursor;
    return names_drop(heap, &space_of(o)->names, budget);
}

static void free_space(struct heap *heap, struct obj *o)
{
    name_free(heap, space_of(o)->name);
    heap_free(heap, o, sizeof(struct space));
}

static size_t bytes_of_space(const struct obj *o)
{
    const struct space *space = (const struct space *)o;

    return pool_rounded(sizeof *space) + pool_rounded(sizeof(struct name) + space->name->len) +
           names_bytes(&space->names);
}

static uint64_t length_of_space(const struct obj *o)
{
    return names_count(&((const struct space *)o)->names);
}

const struct kind kind_namespace = {traverse_space, drop_space, free_space, bytes_of_space, length_of_space};
