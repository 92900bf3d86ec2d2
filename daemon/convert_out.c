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
    uint64_t first_handle;
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

static enum hd_err pack_by_handle(struct packer *p, struct obj *o)
{
    uint64_t handle;
    enum hd_err err = check_nesting(p, p->session->manner.refs == DIALECT_MAP ? 2 : 0);

    if (err == HD_OK)
        err = convert_open_handle(p->session, o, &handle);
    if (err == HD_OK)
        convert_pack_handle(p->session, p->buf, handle, o);
    return err;
}

/* In the map dialect: whether all keys are strs. In ext: whether no key is a tuple. */
static bool keys_fit(const struct packer *p, const struct table *table)
{
    bool wants_str = p->session->manner.refs == DIALECT_MAP;

    for (uint32_t i = table_next(table, 0); i != TABLE_NONE; i = table_next(table, i + 1)) {
        const struct obj *key = table->entries[i].key;

        if (wants_str ? key->type != OBJ_STR : !convert_is_scalar(key))
            return false;
    }
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
    p->stack[p->depth++] = (struct level){o, 0, false, as_pairs};
    p->nesting += nesting;
    return HD_OK;
}

/* The levels of MessagePack that a dict in its form takes: {"@pairs": [[...]]} takes three. */
static uint32_t nesting_of(const struct level *level)
{
    return level->as_pairs ? 3 : 1;
}

static enum hd_err open_dict(struct packer *p, struct obj *o)
{
    struct table *table = &dict_of(o)->table;
    bool fit = keys_fit(p, table);
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

static void pop_level(struct packer *p)
{
    struct level *level = &p->stack[--p->depth];

    level->o->flags &= (uint8_t)~OBJ_ON_PATH;
    p->nesting -= nesting_of(level);
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
    struct obj *o = next_in(p, level);

    if (o == NULL) {
        pop_level(p);
        return HD_OK;
    }
    if (level->is_value_next && !level->as_pairs && needs_escape(p, &dict_of(level->o)->table))
        return pack_escaped_key(p, (const struct text *)o);
    return pack_one(p, o);
}

/* Closes the handles that a failed value has opened, takes the marks off, cuts the output back. */
static void give_up(struct packer *p)
{
    while (p->depth > 0)
        pop_level(p);
    convert_close_handles(p->session, p->first_handle);
    buf_rewind(p->buf, p->start);
}

enum hd_err convert_pack_value(struct session *session, struct buf *buf, struct obj *o, uint64_t levels,
                               uint32_t depth)
{
    struct packer p; /* its stack is set as it is used */
    enum hd_err err;

    p.session = session;
    p.heap = session->hub->heap;
    p.buf = buf;
    p.levels = levels;
    p.nesting = depth;
    p.depth = 0;
    p.first_handle = session->handles.next;
    p.start = buf->len;
    err = pack_one(&p, o);
    while (err == HD_OK && p.depth > 0) {
        err = pack_step(&p);
        if (err == HD_OK)
            err = check_size(&p);
    }
    if (err == HD_OK)
        err = check_size(&p);
    if (err != HD_OK)
        give_up(&p);
    return err;
}
