/* kind.c - the tables of types and of their methods. */
#include "store/kind.h"

#include <string.h>

#include "store/kinds/methods.h"

#define TYPE(code, NAME, name, is_container, meaning) extern const struct kind kind_##name;
#include "protocol/types.def"
#undef TYPE

const struct kind *const kind_rows[OBJ_TYPES] = {
#define TYPE(code, NAME, name, is_container, meaning) [OBJ_##NAME] = &kind_##name,
#include "protocol/types.def"
#undef TYPE
};

bool obj_traverse(struct obj *o, slot_fn *visit, void *arg)
{
    uint64_t cursor = 0;
    size_t budget = SIZE_MAX;

    return kind_of(o)->traverse == NULL || kind_of(o)->traverse(o, &cursor, &budget, visit, arg);
}

/* -- methods ------------------------------------------------------------------------------------------------------ */

/* All rows in one table: those of a type stand together, in the order of type_methods.def. */
static const struct method_row rows[] = {
#define TYPE_METHOD(type, name, least, most, arguments, summary) {#name, type##_method_##name, NULL, least, most},
#define TYPE_METHOD_PEEK(type, name, least, most, arguments, summary) \
    {#name, type##_method_##name, type##_peek_##name, least, most},
#include "protocol/type_methods.def"
#undef TYPE_METHOD
#undef TYPE_METHOD_PEEK
};

/* The same rows' types, to find where each type's begin. */
enum owner { OWNER_any, OWNER_int, OWNER_float, OWNER_str, OWNER_bytes, OWNER_list, OWNER_tuple, OWNER_dict, OWNER_set,
             OWNER_object, OWNER_class, OWNER_method, OWNER_weakdict, OWNER_weakkeydict, OWNER_weakset,
             OWNER_queue };

static const uint8_t owners[] = {
#define TYPE_METHOD(type, name, least, most, arguments, summary) OWNER_##type,
#define TYPE_METHOD_PEEK(type, name, least, most, arguments, summary) OWNER_##type,
#include "protocol/type_methods.def"
#undef TYPE_METHOD
#undef TYPE_METHOD_PEEK
};

#define ROWS (sizeof rows / sizeof rows[0])

/* A bool is an int, as in Python. */
static const uint8_t owner_of[OBJ_TYPES] = {
    [OBJ_BOOL] = OWNER_int,   [OBJ_INT] = OWNER_int,   [OBJ_FLOAT] = OWNER_float, [OBJ_STR] = OWNER_str,
    [OBJ_BYTES] = OWNER_bytes, [OBJ_LIST] = OWNER_list, [OBJ_TUPLE] = OWNER_tuple, [OBJ_DICT] = OWNER_dict,
    [OBJ_SET] = OWNER_set,    [OBJ_OBJECT] = OWNER_object,
    [OBJ_CLASS] = OWNER_class, [OBJ_METHOD] = OWNER_method,
    [OBJ_WEAKDICT] = OWNER_weakdict, [OBJ_WEAKKEYDICT] = OWNER_weakkeydict, [OBJ_WEAKSET] = OWNER_weakset,
    [OBJ_QUEUE] = OWNER_queue,
};

/* -- the index of methods: by type and name ----------------------------------------------------------------------- */

static unsigned place_of(unsigned owner, const char *name, size_t len)
{
    unsigned hash = owner * 131 + (unsigned)len;

    for (size_t i = 0; i < len; i++)
        hash = hash * 31 + (unsigned char)name[i];
    return (hash ^ hash >> 9) % KIND_PLACES;
}

void kind_index_init(struct kind_index *index)
{
    _Static_assert(ROWS < KIND_PLACES / 2, "an index that is at most half full");
    memset(index, 0, sizeof *index);
    for (unsigned i = 0; i < ROWS; i++) {
        unsigned at = place_of(owners[i], rows[i].name, strlen(rows[i].name));

        while (index->at[at] != 0)
            at = (at + 1) % KIND_PLACES;
        index->at[at] = (uint16_t)(i + 1);
    }
}

static const struct method_row *find_row(const struct kind_index *index, unsigned owner, const char *name, size_t len)
{
    for (unsigned at = place_of(owner, name, len); index->at[at] != 0; at = (at + 1) % KIND_PLACES) {
        unsigned i = index->at[at] - 1u;

        if (owners[i] == owner && strlen(rows[i].name) == len && memcmp(rows[i].name, name, len) == 0)
            return &rows[i];
    }
    return NULL;
}

const struct method_row *kind_find_method(const struct heap *heap, unsigned type, const char *name, size_t len)
{
    const struct method_row *row = NULL;

    if (len > KIND_NAME_MAX)
        return NULL;
    if (owner_of[type] != OWNER_any)
        row = find_row(&heap->methods, owner_of[type], name, len);
    return row != NULL ? row : find_row(&heap->methods, OWNER_any, name, len);
}

enum hd_err kind_call(struct heap *heap, const struct method_row *row, struct obj *self, struct obj *const *args,
                      unsigned nargs, struct obj **result)
{
    if (nargs >= row->least && nargs <= row->most)
        return row->run(heap, self, args, nargs, result);
    if (row->least == row->most)
        return heap_fail(heap, HD_TYPE, "%s.%s takes %u argument%s, %u given", obj_type_name(self->type), row->name,
                         row->least, row->least == 1 ? "" : "s", nargs);
    return heap_fail(heap, HD_TYPE, "%s.%s takes %u to %u arguments, %u given", obj_type_name(self->type), row->name,
                     row->least, row->most, nargs);
}
