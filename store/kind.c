/* kind.c - the tables of types and of their methods. */
#include "store/kind.h"

#include <string.h>

#include "store/bytes.h"
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

/* Types that have methods of their own, and `any`, which all have (kind_is_common). */
enum owner { OWNER_any = 0, OWNER_int, OWNER_float, OWNER_str, OWNER_bytes, OWNER_list, OWNER_tuple, OWNER_dict,
             OWNER_set, OWNER_object, OWNER_class, OWNER_method, OWNER_weakdict, OWNER_weakkeydict, OWNER_weakset,
             OWNER_queue };

static const struct method_row rows[] = {
#define TYPE_METHOD(type, name, least, most, arguments, summary) \
    {#name, type##_method_##name, NULL, least, most, sizeof #name - 1, OWNER_##type, false},
#define TYPE_METHOD_KEY(type, name, least, most, arguments, summary) \
    {#name, type##_method_##name, NULL, least, most, sizeof #name - 1, OWNER_##type, true},
#define TYPE_METHOD_PEEK(type, name, least, most, arguments, summary) \
    {#name, type##_method_##name, type##_peek_##name, least, most, sizeof #name - 1, OWNER_##type, \
     false},
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

static uint64_t word_of(const char *name, size_t len)
{
    return len < 8 ? bytes_short(name, len) : bytes_word(name);
}

/* By the first bytes of the name: few methods of one type agree in eight, and in their length. */
static unsigned place_of(unsigned owner, uint64_t word, size_t len)
{
    return (unsigned)((word ^ (len << 8 | owner)) * UINT64_C(0x9e3779b97f4a7c15) >> (64 - KIND_PLACE_BITS));
}

void kind_index_init(struct kind_index *index)
{
    _Static_assert(ROWS < KIND_PLACES / 2, "an index that is at most half full");
    memset(index, 0, sizeof *index);
    index->recent = &rows[0];
    index->recent_type = OBJ_TYPES; /* of no object */
    for (unsigned i = 0; i < ROWS; i++) {
        uint64_t word = word_of(rows[i].name, rows[i].name_len);
        unsigned at = place_of(rows[i].owner, word, rows[i].name_len);

        while (index->at[at] != 0)
            at = (at + 1) % KIND_PLACES;
        index->at[at] = (uint16_t)(i + 1);
        index->words[i] = word;
    }
}

static inline const struct method_row *find_row(const struct kind_index *index, unsigned owner, uint64_t word,
                                         const char *name, size_t len)
{
    for (unsigned at = place_of(owner, word, len); index->at[at] != 0; at = (at + 1) % KIND_PLACES) {
        unsigned i = index->at[at] - 1u;

        if (index->words[i] == word && rows[i].owner == owner && rows[i].name_len == len &&
            (len <= 8 || memcmp(rows[i].name + 8, name + 8, len - 8) == 0))
            return &rows[i];
    }
    return NULL;
}

const struct method_row *kind_look_up(struct heap *heap, unsigned type, const char *name, size_t len)
{
    const struct method_row *row = NULL;
    uint64_t word;

    if (len > KIND_NAME_MAX)
        return NULL;
    word = word_of(name, len);
    if (owner_of[type] != OWNER_any)
        row = find_row(&heap->methods, owner_of[type], word, name, len);
    if (row == NULL)
        row = find_row(&heap->methods, OWNER_any, word, name, len);
    if (row != NULL) {
        heap->methods.recent = row;
        heap->methods.recent_type = (uint8_t)type;
    }
    return row;
}
bool kind_changes(const struct obj *self, const struct method_row *row)
{
    static const char *const changing[] = {"add",    "append", "clear",   "del",    "discard",    "extend", "insert",
                                           "pop",    "popitem", "remove", "reverse", "set",       "setdefault", "sort",
                                           "update"};

    if (!obj_type_is_container(self->type) || self->type == OBJ_TUPLE)
        return false;
    for (size_t i = 0; i < sizeof changing / sizeof changing[0]; i++)
        if (strcmp(row->name, changing[i]) == 0)
            return true;
    return false;
}

enum hd_err kind_bad_nargs(struct heap *heap, const struct method_row *row, const struct obj *self, unsigned nargs)
{
    if (row->least == row->most)
        return heap_fail(heap, HD_TYPE, "%s.%s takes %u argument%s, %u given", obj_type_name(self->type), row->name,
                         row->least, row->least == 1 ? "" : "s", nargs);
    return heap_fail(heap, HD_TYPE, "%s.%s takes %u to %u arguments, %u given", obj_type_name(self->type), row->name,
                     row->least, row->most, nargs);
}
