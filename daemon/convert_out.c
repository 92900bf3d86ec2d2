/*
 * convert_out.c - objects become wire values.
 *
 * A value is packed by a walk with a stack of its own; OBJ_ON_PATH marks the containers that it is inside of, so that a
 * cycle is seen when it closes. Handles are opened as they are met; on failure those are closed again, and the numbers
 * stay unused.
 */
#include "daemon/convert.h"

#include <string.h>

#include "store/kind.h"
#include "store/kinds/atoms.h"
#include "store/kinds/dict.h"
#include "store/kinds/sequence.h"

#define LEVELS_SENT_MAX HD_DEPTH_MAX

void convert_pack_scalar(struct buf *buf, const struct obj *o)
{
    const struct text *text = (const struct text *)o;

    switch (o->type) {
    case OBJ_BOOL:
        pack_bool(buf, int_value(o) != 0);
        return;
    case OBJ_INT:
        pack_int(buf, int_value(o));
        return;
    case OBJ_FLOAT:
        pack_float(buf, float_value(o));
        return;
    case OBJ_STR:
        pack_str(buf, text->bytes, text->len);
        return;
    case OBJ_BYTES:
        pack_bin(buf, text->bytes, text->len);
        return;
    default:
        pack_nil(buf);
    }
}

/* -- handles ------------------------------------------------------------------------------------------------------ */

void convert_pack_handle(struct session *session, struct buf *buf, uint64_t handle, const struct obj *o)
{
    char payload[3 * PUT_NUMBER];
    char *end;

    if (session->manner.refs == DIALECT_MAP) {
        pack_map(buf, 1);
        pack_str(buf, "@", 1);
        pack_array(buf, 3);
        pack_uint(buf, handle);
        pack_uint(buf, o->id);
        pack_cstr(buf, obj_type_name(o->type));
        return;
    }
    end = put_uint(payload, handle);
    end = put_uint(end, o->id);
    end = put_uint(end, o->type);
    pack_ext(buf, HD_EXT_HANDLE, payload, (size_t)(end - payload));
}

enum hd_err convert_open_handle(struct session *session, struct obj *o, uint64_t *handle)
{
    struct heap *heap = session->hub->heap;
    struct obj *held;
    enum hd_err err;

    if (session->handles.count >= session->hub->settings.limit_handles)
        return heap_fail(heap, HD_LIMIT, "the session holds limits.handles (%llu) handles",
                         (unsigned long long)session->hub->settings.limit_handles);
    err = handles_reserve(heap, &session->handles, 0);
    if (err != HD_OK)
        return err;
    held = obj_ref(o);
    *handle = handles_put_take(heap, &session->handles, 0, &held);
    return HD_OK;
}

void convert_close_handles(struct session *session, uint64_t first)
{
    for (uint64_t number = first; number < session->handles.next; number++) {
        struct obj *o = handles_remove(session->hub->heap, &session->handles, number);

        obj_unref(session->hub->heap, &o);
    }
}

/* -- whole values ------------------------------------------------------------------------------------------------- */

struct level {
    struct obj *o;      /* marked OBJ_ON_PATH */
    bool is_looked_at;  /* dict: its keys are still looked at, for the form that it will have */
    uint32_t at;        /* next element, or table position */
    bool is_value_next; /* dict: the key is packed */
    bool as_pairs;      /* dict in the form {"@pairs": ...} */
};

struct packer {
    struct session *session;
    struct heap *heap;
    struct buf *buf;
    uint64_t levels;    /* that are packed by value */
    uint32_t nesting;   /* levels of MessagePack in use */
    unsigned depth;
    uint64_t first_handle; /* it opens all from here on; unless it is in slices: */
    bool is_sliced;
    bool is_over;
    enum hd_err err;
    uint64_t work_left;
    uint64_t *opened;   /* handles that it has opened */
    size_t opened_len, opened_capacity;
    struct obj *root;   /* owned */
    char text[HEAP_ERROR_TEXT]; /* of `err`: between slices others fail as well */
    size_t start;
    struct level stack[LEVELS_SENT_MAX];
};

static enum hd_err too_deep(struct packer *p)
{
    return heap_fail(p->heap, HD_LIMIT, "the value is nested deeper than the %u levels that may be sent",
                     p->session->manner.depth);
}

/* Charges `more` levels of nesting for what comes next. */
static enum hd_err check_nesting(struct packer *p, uint32_t more)
{
    return p->nesting + more > p->session->manner.depth ? too_deep(p) : HD_OK;
}

/* Between slices the session may be given others. */
static enum hd_err reserve_opened(struct packer *p)
{
    uint64_t *opened;

    if (!p->is_sliced)
        return HD_OK;
    opened = pool_grow(p->heap->pool, p->opened, p->opened_len, &p->opened_capacity, sizeof *opened);
    if (opened == NULL)
        return heap_no_memory(p->heap);
    p->opened = opened;
    return HD_OK;
}

static enum hd_err pack_by_handle(struct packer *p, struct obj *o)
{
    uint64_t handle;
    enum hd_err err = check_nesting(p, p->session->manner.refs == DIALECT_MAP ? 2 : 0);

    if (err == HD_OK)
        err = reserve_opened(p);
    if (err == HD_OK)
        err = convert_open_handle(p->session, o, &handle);
    if (err != HD_OK)
        return err;
    convert_pack_handle(p->session, p->buf, handle, o);
    if (p->is_sliced)
        p->opened[p->opened_len++] = handle;
    return HD_OK;
}

#define KEYS_AT_ONCE 64u

/* In the map dialect: whether all keys are strs. In ext: whether no key is a tuple. Looks at some from *at on, which is
 * TABLE_NONE at the end. */
static bool keys_fit(const struct packer *p, const struct table *table, uint32_t *at)
{
    bool wants_str = p->session->manner.refs == DIALECT_MAP;
    uint32_t i = table_next(table, *at);

    for (unsigned n = 0; i != TABLE_NONE && n < KEYS_AT_ONCE; i = table_next(table, i + 1), n++) {
        const struct obj *key = table->entries[i].key;

        if (wants_str ? key->type != OBJ_STR : !convert_is_scalar(key))
            return false;
    }
    *at = i;
    return true;
}

/* A real dict of one key that begins with '@' is written with one more. */
static bool needs_escape(const struct packer *p, const struct table *table)
{
    const struct text *key;

    if (p->session->manner.refs != DIALECT_MAP || table->live != 1)
        return false;
    key = table->entries[table_next(table, 0)].key;
    return key->head.type == OBJ_STR && key->len > 0 && key->bytes[0] == '@';
}

static enum hd_err push_level(struct packer *p, struct obj *o, uint32_t nesting, bool as_pairs)
{
    enum hd_err err = check_nesting(p, nesting);

    if (err != HD_OK)
        return err;
    if (p->depth == LEVELS_SENT_MAX)
        return too_deep(p);
    o->flags |= OBJ_ON_PATH;
    p->stack[p->depth++] = (struct level){.o = o, .as_pairs = as_pairs};
    p->nesting += nesting;
    return HD_OK;
}

/* The levels of MessagePack that a dict in its form takes: {"@pairs": [[...]]} takes three. */
static uint32_t nesting_of(const struct level *level)
{
    return level->is_looked_at ? 0 : level->as_pairs ? 3 : 1;
}

/* A dict whose keys are known to fit, or not to. */
static enum hd_err open_dict_as(struct packer *p, struct obj *o, bool fit)
{
    const struct table *table = &dict_of(o)->table;
    enum hd_err err;

    if (!fit && p->session->manner.refs == DIALECT_EXT) {
        err = heap_work(p->heap, table->live); /* the look at the keys; where they are packed, that is charged */
        return err == HD_OK ? pack_by_handle(p, o) : err;
    }
    err = push_level(p, o, fit ? 1 : 3, !fit);
    if (err != HD_OK)
        return err;
    if (fit) {
        pack_map(p->buf, table->live);
    } else {
        pack_map(p->buf, 1);
        pack_cstr(p->buf, "@pairs");
        pack_array(p->buf, table->live);
    }
    return HD_OK;
}

static enum hd_err open_dict(struct packer *p, struct obj *o)
{
    uint32_t at = 0;
    bool fit = keys_fit(p, &dict_of(o)->table, &at);
    enum hd_err err;

    if (!fit || at == TABLE_NONE)
        return open_dict_as(p, o, fit);
    err = push_level(p, o, 0, false); /* a large one is looked at in steps */
    if (err == HD_OK) {
        p->stack[p->depth - 1].is_looked_at = true;
        p->stack[p->depth - 1].at = at;
    }
    return err;
}

static void pop_level(struct packer *p)
{
    struct level *level = &p->stack[--p->depth];

    level->o->flags &= (uint8_t)~OBJ_ON_PATH;
    p->nesting -= nesting_of(level);
}

/* Some more of its keys; then it is opened. */
static enum hd_err look_at_keys(struct packer *p, struct level *level)
{
    struct obj *o = level->o;
    bool fit = keys_fit(p, &dict_of(o)->table, &level->at);

    if (fit && level->at != TABLE_NONE)
        return HD_OK;
    pop_level(p);
    return open_dict_as(p, o, fit);
}

static enum hd_err open_sequence(struct packer *p, struct obj *o)
{
    enum hd_err err = push_level(p, o, 1, false);

    if (err == HD_OK)
        pack_array(p->buf, kind_of(o)->length(o));
    return err;
}

/* Packs a scalar or a reference, or opens a container. */
static enum hd_err pack_one(struct packer *p, struct obj *o)
{
    enum hd_err err = heap_work(p->heap, 1);

    if (err != HD_OK)
        return err;
    if (convert_is_scalar(o)) {
        convert_pack_scalar(p->buf, o);
        return HD_OK;
    }
    if (o->type != OBJ_LIST && o->type != OBJ_TUPLE && o->type != OBJ_DICT && o->type != OBJ_SET)
        return pack_by_handle(p, o);
    if (p->depth >= p->levels)
        return pack_by_handle(p, o);
    if ((o->flags & OBJ_ON_PATH) != 0)
        return heap_fail(p->heap, HD_CYCLE, "%s #%llu contains itself", obj_type_name(o->type),
                         (unsigned long long)o->id);
    return o->type == OBJ_DICT ? open_dict(p, o) : open_sequence(p, o);
}

/* Output is bounded while it is made: by limits.read, and by memory. */
static enum hd_err check_size(const struct packer *p)
{
    uint64_t limit = p->session->hub->settings.limit_read;

    if (p->buf->len - p->start > limit || (p->buf->failed && p->buf->over_limit))
        return heap_fail(p->heap, HD_LIMIT, "the value takes more than limits.read (%llu) bytes",
                         (unsigned long long)limit);
    return p->buf->failed ? heap_no_memory(p->heap) : HD_OK;
}

/* The next thing in the container on top of the stack; NULL at its end. */
static struct obj *next_in_dict(struct packer *p, struct level *level)
{
    struct table *table = &dict_of(level->o)->table;
    struct table_entry *entry;
    uint32_t position = table_next(table, level->at);

    if (position == TABLE_NONE)
        return NULL;
    entry = &table->entries[position];
    if (level->is_value_next || level->o->type == OBJ_SET) {
        level->is_value_next = false;
        level->at = position + 1;
        return level->o->type == OBJ_SET ? entry->key : entry->value;
    }
    level->is_value_next = true;
    if (level->as_pairs)
        pack_array(p->buf, 2);
    return entry->key;
}

static struct obj *next_in(struct packer *p, struct level *level)
{
    uint32_t len;
    struct obj **items;

    if (level->o->type == OBJ_DICT || level->o->type == OBJ_SET)
        return next_in_dict(p, level);
    items = sequence_items(level->o, &len);
    return level->at < len ? items[level->at++] : NULL;
}

static enum hd_err pack_escaped_key(struct packer *p, const struct text *key)
{
    pack_str_head(p->buf, (size_t)key->len + 1);
    buf_append(p->buf, "@", 1);
    buf_append(p->buf, key->bytes, key->len);
    return heap_work(p->heap, 1);
}

/* One value of the container on top, or its end. */
static enum hd_err pack_step(struct packer *p)
{
    struct level *level = &p->stack[p->depth - 1];
    struct obj *o;

    if (level->is_looked_at)
        return look_at_keys(p, level);
    o = next_in(p, level);
    if (o == NULL) {
        pop_level(p);
        return HD_OK;
    }
    if (level->is_value_next && !level->as_pairs && needs_escape(p, &dict_of(level->o)->table))
        return pack_escaped_key(p, (const struct text *)o);
    return pack_one(p, o);
}

static void begin(struct packer *p, struct session *session, struct buf *buf, uint64_t levels, uint32_t depth)
{
    p->session = session;
    p->heap = session->hub->heap;
    p->buf = buf;
    p->levels = levels;
    p->nesting = depth;
    p->depth = 0;
    p->first_handle = session->handles.next;
    p->is_sliced = false;
    p->start = buf->len;
}

static enum hd_err pack_steps(struct packer *p, size_t *budget)
{
    enum hd_err err = HD_OK;

    for (; err == HD_OK && p->depth > 0 && *budget > 0; (*budget)--) {
        err = pack_step(p);
        if (err == HD_OK)
            err = check_size(p);
    }
    return err;
}

static void take_marks_off(struct packer *p)
{
    for (unsigned i = 0; i < p->depth; i++)
        p->stack[i].o->flags &= (uint8_t)~OBJ_ON_PATH;
}

enum hd_err convert_pack_value(struct session *session, struct buf *buf, struct obj *o, uint64_t levels,
                               uint32_t depth, size_t most, bool *is_long)
{
    struct packer p; /* its stack is set as it is used */
    enum hd_err err;

    begin(&p, session, buf, levels, depth);
    err = pack_one(&p, o);
    if (err == HD_OK)
        err = check_size(&p);
    if (err == HD_OK)
        err = pack_steps(&p, &most);
    *is_long = err == HD_OK && p.depth > 0;
    if (err == HD_OK && !*is_long)
        return HD_OK;
    take_marks_off(&p);
    convert_close_handles(p.session, p.first_handle);
    buf_rewind(p.buf, p.start);
    return err;
}

/* -- in slices ---------------------------------------------------------------------------------------------------- */

struct packer *convert_pack_open(struct session *session, struct buf *buf, struct obj *o, uint64_t levels,
                                 uint32_t depth)
{
    struct packer *p = hub_alloc(session->hub, sizeof *p);

    if (p == NULL)
        return NULL;
    begin(p, session, buf, levels, depth);
    p->is_sliced = true;
    p->is_over = false;
    p->err = HD_OK;
    p->work_left = p->heap->work_left;
    p->opened = NULL;
    p->opened_len = p->opened_capacity = 0;
    p->root = obj_ref(o);
    return p;
}

/* The marks are on while a slice runs only: others have theirs. */
static enum hd_err pack_slice(struct packer *p, size_t *budget)
{
    enum hd_err err = HD_OK;

    for (unsigned i = 0; i < p->depth; i++)
        p->stack[i].o->flags |= OBJ_ON_PATH;
    if (p->depth == 0)
        err = pack_one(p, p->root);
    if (err == HD_OK)
        err = pack_steps(p, budget);
    take_marks_off(p);
    p->is_over = err == HD_OK && p->depth == 0;
    return err;
}

static void close_some(struct packer *p, size_t *budget)
{
    for (; p->opened_len > 0 && *budget > 0; (*budget)--) {
        struct obj *o = handles_remove(p->heap, &p->session->handles, p->opened[--p->opened_len]);

        obj_unref(p->heap, &o);
    }
    p->is_over = p->opened_len == 0;
}

bool convert_pack_run(struct packer *p, size_t budget)
{
    enum hd_err err;

    if (p->err == HD_OK) {
        p->heap->work_left = p->work_left;
        err = pack_slice(p, &budget);
        p->work_left = p->heap->work_left;
        if (err != HD_OK) {
            p->err = err;
            memcpy(p->text, p->heap->error_text, sizeof p->text);
        }
    }
    if (p->err != HD_OK)
        close_some(p, &budget);
    return p->is_over;
}

enum hd_err convert_pack_result(struct packer *p)
{
    if (p->err != HD_OK)
        return heap_fail(p->heap, p->err, "%s", p->text);
    return HD_OK;
}

void convert_pack_keep(struct packer *p)
{
    p->opened_len = 0;
}

void convert_pack_close(struct packer *p)
{
    if (!p->session->is_closed) /* else its end drops them, in slices */
        close_some(p, &(size_t){SIZE_MAX});
    pool_free(p->heap->pool, p->opened, p->opened_capacity * sizeof *p->opened, POOL_DATA);
    obj_unref(p->heap, &p->root);
    hub_free(p->session->hub, p, sizeof *p);
}

void convert_pack_roots(struct packer *p, void (*visit)(void *arg, struct obj *o), void *arg)
{
    visit(arg, p->root);
}
