/*
 * serial_dump.c - writing a graph: depth first, each object where it is first met, later ones as INDEX; in slices.
 *
 * An object with a single reference can be met only once and needs no entry in the memo, but for the root, which the
 * request refers to, and the target of a weak reference, whose number the links at the end ask for. Between slices
 * nothing of the graph changes, so those references that will lead to an object count.
 */
#include "store/serial.h"

#include "store/compare.h"
#include "store/copy.h"
#include "store/fetch.h"
#include "store/kinds/atoms.h"
#include "store/kinds/dict.h"
#include "store/kinds/object.h"
#include "store/kinds/vector.h"
#include "store/memo.h"
#include "store/serial_bytes.h"
#include "store/weak.h"

struct frame {
    struct obj *o;     /* borrowed, as all here: the root leads to it */
    struct obj *next;  /* what comes before going on at `at`: an object's class, the value of a key just written */
    uint64_t at;       /* the kind's own: index, position, cursor */
};

struct link {
    struct obj *target;
    uint32_t weakref;  /* its number */
};

/* What is being written: the graph; then the number of links that lead to something in it, and the links; the head, and
 * last the seal. */
enum stage { WRITING, COUNTING, LINKING, HEADING, SEALING, DONE };

struct dump {
    struct heap *heap;
    struct obj *root;  /* owned */
    enum stage stage;
    enum hd_err err;
    uint64_t work_left;
    struct serial_blob blob;
    uint64_t limit;
    struct memo memo;
    struct frame *frames;
    size_t depth, frames_capacity, most_depth;
    struct link *links;
    size_t links_len, links_capacity;
    size_t link_at;    /* of the links: the next one */
    uint32_t links_written;
    uint32_t objects;  /* numbers given */
    struct siphash hash;
    char text[HEAP_ERROR_TEXT]; /* of `err`: between slices others fail as well */
};

/* -- the buffer --------------------------------------------------------------------------------------------------- */

#define SLACK (2 * SERIAL_ROOM) /* room that is made and not used: the exact size is looked at in the end */

static enum hd_err too_large(struct dump *d)
{
    return heap_fail(d->heap, HD_LIMIT, "the dump is larger than limits.read (%llu) bytes",
                     (unsigned long long)d->limit);
}

static enum hd_err grow(struct dump *d, size_t more)
{
    size_t capacity = d->blob.capacity == 0 ? 4096 : d->blob.capacity * 2;
    char *bytes;

    if (more > d->limit + SLACK || d->blob.len > d->limit + SLACK - more)
        return too_large(d);
    if (capacity < d->blob.len + more)
        capacity = d->blob.len + more;
    bytes = pool_resize(d->heap->pool, d->blob.bytes, d->blob.capacity, capacity);
    if (bytes == NULL)
        return heap_no_memory(d->heap);
    d->blob.bytes = bytes;
    d->blob.capacity = capacity;
    return HD_OK;
}

/* Room for one value, and for `more` bytes behind it. */
static inline enum hd_err make_room(struct dump *d, size_t more)
{
    return d->blob.capacity - d->blob.len >= SERIAL_ROOM + more ? HD_OK : grow(d, SERIAL_ROOM + more);
}

static inline char *at(const struct dump *d)
{
    return d->blob.bytes + d->blob.len;
}

static inline void wrote(struct dump *d, const char *end)
{
    d->blob.len = (size_t)(end - d->blob.bytes);
}

static enum hd_err write_str(struct dump *d, const char *bytes, size_t len)
{
    enum hd_err err = make_room(d, len);
    char *to;

    if (err != HD_OK)
        return err;
    to = put_str_head(at(d), (uint32_t)len);
    memcpy(to, bytes, len);
    wrote(d, to + len);
    return HD_OK;
}

/* -- objects that are met again ----------------------------------------------------------------------------------- */

static bool may_be_met_again(const struct dump *d, const struct obj *o)
{
    return o->count > 1 || (o->flags & OBJ_HAS_WEAK) != 0 || o->type == OBJ_CLASS || o == d->root;
}

/* -- heads of containers ------------------------------------------------------------------------------------------ */

static enum hd_err write_kind(struct dump *d, unsigned char code, uint64_t values)
{
    enum hd_err err = make_room(d, SERIAL_ROOM);

    if (err == HD_OK && values >= UINT32_MAX)
        err = heap_fail(d->heap, HD_LIMIT, "an object has too many attributes");
    if (err == HD_OK)
        wrote(d, put_kind(put_array_head(at(d), (uint32_t)values + 1), code));
    return err;
}

static enum hd_err write_class(struct dump *d, const struct class *class)
{
    enum hd_err err = obj_is_immortal(&class->head)
                          ? write_kind(d, SERIAL_BUILTIN, 1)
                          : write_kind(d, OBJ_CLASS, 1 + 2 * (uint64_t)names_count(&class->attributes));

    return err == HD_OK ? write_str(d, class->name->bytes, class->name->len) : err;
}

static enum hd_err write_weakref(struct dump *d, struct obj *o)
{
    struct obj *target = weak_target_peek(d->heap, o);
    enum hd_err err = write_kind(d, OBJ_WEAKREF, 1);
    struct link *links;

    if (err != HD_OK)
        return err;
    wrote(d, put_byte(at(d), ((const struct weak *)o)->link.is_hashed ? 0xc3 : 0xc2));
    if (target == NULL)
        return HD_OK;
    links = pool_grow(d->heap->pool, d->links, d->links_len, &d->links_capacity, sizeof *links);
    if (links == NULL)
        return heap_no_memory(d->heap);
    d->links = links;
    d->links[d->links_len++] = (struct link){target, d->objects - 1};
    return HD_OK;
}

static enum hd_err write_head(struct dump *d, struct obj *o)
{
    enum hd_err err = make_room(d, SERIAL_ROOM);

    if (err != HD_OK)
        return err;
    switch (o->type) {
    case OBJ_LIST:
        wrote(d, put_array_head(at(d), list_of(o)->len));
        return HD_OK;
    case OBJ_DICT:
        wrote(d, put_map_head(at(d), dict_of(o)->table.live));
        return HD_OK;
    case OBJ_TUPLE:
        return write_kind(d, OBJ_TUPLE, tuple_of(o)->len);
    case OBJ_SET:
        return write_kind(d, OBJ_SET, dict_of(o)->table.live);
    case OBJ_OBJECT:
        return write_kind(d, OBJ_OBJECT, 1 + 2 * object_length(o));
    case OBJ_CLASS:
        return write_class(d, class_of(o));
    case OBJ_WEAKREF:
        return write_weakref(d, o);
    default:
        return heap_fail(d->heap, HD_TYPE, "a %s cannot be dumped: #%llu", obj_type_name(o->type),
                         (unsigned long long)o->id);
    }
}

/* -- looking ahead ------------------------------------------------------------------------------------------------ */

#define AHEAD 8u /* values of a container whose places in the memo are asked for when it is begun */
#define ALONG 8u /* elements of a list that are looked at beforehand, */
#define ALONG_LEAST 1024u /* if the memo has so many regions: of fewer the processor's caches keep what is in use */

static FETCHES void fetch(const struct dump *d, const struct obj *o)
{
    if (o != NULL)
        __builtin_prefetch(memo_place(&d->memo, o));
}

/* What a container holds may have been written long ago. */
static FETCHES void fetch_content(const struct dump *d, struct obj *o)
{
    uint32_t len = 0;
    struct obj **items = obj_vector(o, &len);
    const struct table *table = &dict_of(o)->table;

    for (uint32_t i = 0; items != NULL && i < len && i < AHEAD; i++)
        fetch(d, items[i]);
    if (o->type != OBJ_DICT)
        return;
    for (uint32_t i = 0; i < table->used && i < AHEAD; i++)
        fetch(d, table->entries[i].value);
}

/* The same for those that come soon in a list of many: first the object is asked for, then where its references lie. */
static FETCHES void fetch_along(const struct dump *d, struct obj **items, uint64_t at, uint32_t len)
{
    if (d->memo.len < ALONG_LEAST || len < at + ALONG)
        return;
    __builtin_prefetch(items[at + ALONG - 1]);
    __builtin_prefetch(obj_storage(items[at + ALONG / 2]));
    fetch_content(d, items[at + ALONG / 4]);
}

static bool has_content(const struct obj *o)
{
    return o->type != OBJ_WEAKREF && !(o->type == OBJ_CLASS && obj_is_immortal(o));
}

/* Writes the head and goes into the content with the next steps. */
static enum hd_err begin(struct dump *d, struct obj *o)
{
    enum hd_err err = heap_work(d->heap, 1 + obj_width(o));
    struct frame *frames;

    if (err == HD_OK)
        err = write_head(d, o);
    if (err != HD_OK || !has_content(o))
        return err;
    frames = pool_grow(d->heap->pool, d->frames, d->depth, &d->frames_capacity, sizeof *frames);
    if (frames == NULL)
        return heap_no_memory(d->heap);
    fetch_content(d, o);
    d->frames = frames;
    d->frames[d->depth++] = (struct frame){o, o->type == OBJ_OBJECT ? &instance_of(o)->class->head : NULL, 0};
    if (d->depth > d->most_depth)
        d->most_depth = d->depth;
    return HD_OK;
}

/* -- values ------------------------------------------------------------------------------------------------------- */

static enum hd_err write_text(struct dump *d, const struct text *text)
{
    enum hd_err err = make_room(d, text->len);
    char *to;

    if (err != HD_OK)
        return err;
    to = text->head.type == OBJ_STR ? put_str_head(at(d), text->len) : put_bin_head(at(d), text->len);
    memcpy(to, text->bytes, text->len);
    wrote(d, to + text->len);
    return HD_OK;
}

static enum hd_err write_new(struct dump *d, struct obj *o)
{
    enum hd_err err;

    if (d->objects == UINT32_MAX)
        return heap_fail(d->heap, HD_LIMIT, "a dump holds at most %u objects", UINT32_MAX);
    d->objects++;
    if (o->type == OBJ_STR || o->type == OBJ_BYTES)
        return write_text(d, text_of(o));
    if (o->type > OBJ_FLOAT)
        return begin(d, o);
    err = make_room(d, 0);
    if (err != HD_OK)
        return err;
    if (o->type == OBJ_INT)
        wrote(d, put_int(at(d), int_value(o)));
    else if (o->type == OBJ_FLOAT)
        wrote(d, put_float(at(d), float_value(o)));
    else
        wrote(d, put_byte(at(d), o->type == OBJ_NIL ? 0xc0 : int_value(o) != 0 ? 0xc3 : 0xc2));
    return HD_OK;
}

static enum hd_err write_index(struct dump *d, uint32_t number)
{
    enum hd_err err = make_room(d, 0);

    if (err == HD_OK)
        wrote(d, put_index(at(d), number));
    return err;
}

/* The memo is asked before the object is touched: what was written before may have left the cache. */
static enum hd_err write_value(struct dump *d, struct obj *o)
{
    uint32_t known = memo_get(&d->memo, o);

    if (known != 0)
        return write_index(d, known - 1);
    if (may_be_met_again(d, o) && !memo_set(d->heap->pool, &d->memo, o, d->objects + 1))
        return heap_no_memory(d->heap);
    return write_new(d, o);
}

/* -- content ------------------------------------------------------------------------------------------------------ */

static struct obj *next_entry(struct frame *frame)
{
    const struct table *table = &dict_of(frame->o)->table;
    uint32_t position = table_next(table, (uint32_t)frame->at);

    if (position == TABLE_NONE)
        return NULL;
    frame->at = (uint64_t)position + 1;
    frame->next = table->entries[position].value;
    return table->entries[position].key;
}

/* The next attribute's value; its name is written here. */
static enum hd_err next_attribute(struct dump *d, struct frame *frame, struct obj **value)
{
    const struct name *name;
    const char *bytes;
    size_t len;

    if (frame->o->type == OBJ_OBJECT) {
        if (!object_next(frame->o, &frame->at, &bytes, &len, value))
            return HD_OK;
    } else {
        uint32_t position = (uint32_t)frame->at;

        if (!names_next(&class_of(frame->o)->attributes, &position, &name, value))
            return HD_OK;
        frame->at = position;
        bytes = name->bytes;
        len = name->len;
    }
    return write_str(d, bytes, len);
}

/* What the container on top holds next; NULL in *value at its end. */
static enum hd_err next_value(struct dump *d, struct frame *frame, struct obj **value)
{
    uint32_t len;
    struct obj **items;

    *value = frame->next;
    frame->next = NULL;
    if (*value != NULL)
        return HD_OK;
    switch (frame->o->type) {
    case OBJ_LIST:
    case OBJ_TUPLE:
        items = sequence_items(frame->o, &len);
        if (frame->at >= len)
            return HD_OK;
        fetch_along(d, items, frame->at, len);
        *value = items[frame->at++];
        return HD_OK;
    case OBJ_DICT:
    case OBJ_SET:
        *value = next_entry(frame);
        return HD_OK;
    default:
        return next_attribute(d, frame, value);
    }
}

/* The graph, from the root on; the stage is over when the stack is empty again. */
static enum hd_err write_some(struct dump *d, size_t *budget)
{
    struct obj *value = NULL;
    enum hd_err err = HD_OK;

    if (d->objects == 0)
        err = write_value(d, d->root);
    for (; err == HD_OK && d->depth > 0 && *budget > 0; (*budget)--) {
        err = next_value(d, &d->frames[d->depth - 1], &value);
        if (err == HD_OK && value != NULL)
            err = write_value(d, value);
        else
            d->depth--;
    }
    if (err == HD_OK && d->depth == 0)
        d->stage = COUNTING;
    return err;
}

/* -- what stands around it ---------------------------------------------------------------------------------------- */

/* The number of a weakref's target, if it was written. Only its address is looked at: it may be dead by now. */
static bool find_target(const struct dump *d, const struct obj *target, uint32_t *number)
{
    uint32_t known = memo_get(&d->memo, target);

    *number = known - 1;
    return known != 0;
}

static enum hd_err count_links(struct dump *d, size_t *budget)
{
    uint32_t target;
    enum hd_err err;

    for (; d->link_at < d->links_len && *budget > 0; d->link_at++, (*budget)--)
        d->links_written += find_target(d, d->links[d->link_at].target, &target);
    if (d->link_at < d->links_len)
        return HD_OK;
    d->link_at = 0;
    d->stage = LINKING;
    err = make_room(d, 0);
    if (err == HD_OK)
        wrote(d, put_array_head(at(d), 2 * d->links_written));
    return err;
}

static enum hd_err write_links(struct dump *d, size_t *budget)
{
    uint32_t target;

    for (; d->link_at < d->links_len && *budget > 0; d->link_at++, (*budget)--) {
        enum hd_err err = make_room(d, SERIAL_ROOM);

        if (err != HD_OK)
            return err;
        if (find_target(d, d->links[d->link_at].target, &target))
            wrote(d, put_uint(put_uint(at(d), d->links[d->link_at].weakref), target));
    }
    if (d->link_at == d->links_len)
        d->stage = HEADING;
    return HD_OK;
}

static enum hd_err begin_blob(struct dump *d)
{
    enum hd_err err = make_room(d, SERIAL_HEAD);

    if (err == HD_OK)
        d->blob.len = SERIAL_HEAD;
    return err;
}

/* Now that the numbers in it are known. */
static enum hd_err write_heading(struct dump *d)
{
    enum hd_err err = make_room(d, SERIAL_TAIL);
    char *head = d->blob.bytes;

    if (err != HD_OK)
        return err;
    memcpy(head, serial_magic, sizeof serial_magic);
    serial_store(head + 8, SERIAL_VERSION, 4);
    serial_store(head + 12, d->objects, 4);
    serial_store(head + 16, d->most_depth, 4);
    serial_store(head + 20, 0, 4);
    serial_store(head + 24, d->blob.len - SERIAL_HEAD, 8);
    siphash_start(&d->hash);
    d->stage = SEALING;
    return d->blob.len + SERIAL_TAIL <= d->limit ? HD_OK : too_large(d);
}

static void seal_some(struct dump *d, size_t *budget)
{
    uint64_t seal;

    if (!serial_seal_some(&d->hash, d->blob.bytes, d->blob.len, budget, &seal))
        return;
    serial_store(at(d), seal, SERIAL_TAIL);
    d->blob.len += SERIAL_TAIL;
    d->stage = DONE;
}

/* -- the whole ---------------------------------------------------------------------------------------------------- */

static void fail(struct dump *d, enum hd_err err)
{
    d->err = err;
    d->stage = DONE;
    memcpy(d->text, d->heap->error_text, sizeof d->text);
}

enum hd_err serial_dump_open(struct heap *heap, struct obj *o, uint64_t limit, struct dump **out)
{
    struct dump *d = pool_zero(heap->pool, sizeof *d);

    if (d == NULL)
        return heap_no_memory(heap);
    d->heap = heap;
    d->root = obj_ref(o);
    d->limit = limit;
    d->work_left = heap->work_left;
    d->memo.factor = heap->hash_key[1] | 1;
    *out = d;
    return HD_OK;
}

bool serial_dump_run(struct dump *d, size_t budget)
{
    d->heap->work_left = d->work_left;
    while (d->stage != DONE && budget > 0) {
        enum hd_err err = HD_OK;

        if (d->blob.len == 0)
            err = begin_blob(d);
        else if (d->stage == WRITING)
            err = write_some(d, &budget);
        else if (d->stage == COUNTING)
            err = count_links(d, &budget);
        else if (d->stage == LINKING)
            err = write_links(d, &budget);
        else if (d->stage == HEADING)
            err = write_heading(d);
        else
            seal_some(d, &budget);
        if (err != HD_OK)
            fail(d, err);
    }
    d->work_left = d->heap->work_left;
    return d->stage == DONE;
}

enum hd_err serial_dump_result(struct dump *d, struct serial_blob *blob)
{
    if (d->err != HD_OK)
        return heap_fail(d->heap, d->err, "%s", d->text);
    *blob = d->blob;
    d->blob = (struct serial_blob){0};
    return HD_OK;
}

void serial_dump_close(struct dump *d)
{
    struct heap *heap = d->heap;

    memo_fini(heap->pool, &d->memo);
    pool_free(heap->pool, d->frames, d->frames_capacity * sizeof *d->frames, POOL_DATA);
    pool_free(heap->pool, d->links, d->links_capacity * sizeof *d->links, POOL_DATA);
    serial_blob_free(heap, &d->blob);
    obj_unref(heap, &d->root);
    pool_free(heap->pool, d, sizeof *d, POOL_DATA);
}

void serial_dump_roots(struct dump *d, void (*visit)(void *arg, struct obj *o), void *arg)
{
    visit(arg, d->root);
}

enum hd_err serial_dump(struct heap *heap, struct obj *o, uint64_t limit, struct serial_blob *blob)
{
    struct dump *d;
    enum hd_err err = serial_dump_open(heap, o, limit, &d);

    if (err != HD_OK)
        return err;
    while (!serial_dump_run(d, SIZE_MAX))
        continue;
    err = serial_dump_result(d, blob);
    serial_dump_close(d);
    return err;
}

void serial_blob_free(struct heap *heap, struct serial_blob *blob)
{
    pool_free(heap->pool, blob->bytes, blob->capacity, POOL_DATA);
    *blob = (struct serial_blob){0};
}
