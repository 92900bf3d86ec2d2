/*
 * serial_load.c - building a graph from a dump.
 *
 * Each container is given to the one that holds it as soon as its head is read, and filled afterwards: so an INDEX may
 * lead to one that is still open, and all that was made is held by something at every moment. Nothing dies before the
 * end.
 *
 * What a blob claims is believed only as far as its bytes reach: a head promises values of at least one byte each, and
 * the promises that are open together must fit in the bytes that are left.
 *
 * In a large graph what an INDEX leads to is far from what was made last, and memory is slow. So values are read some
 * way ahead of their turn: to ask for the place where the object of an INDEX stands, and half the way later for the
 * object.
 *
 * Between two slices all that was made has its true count; nothing outside refers to it.
 */
#include "store/serial_loading.h"

#include "store/compare.h"
#include "store/fetch.h"
#include "store/kinds/atoms.h"
#include "store/kinds/dict.h"
#include "store/kinds/object.h"
#include "store/kinds/sequence.h"
#include "store/kinds/utf8.h"
#include "store/weak.h"

enum hd_err loading_refuse(struct loading *l, const char *why)
{
    return heap_fail(l->heap, HD_VALUE, "the dump is damaged: %s", why);
}

/* -- reading ahead ------------------------------------------------------------------------------------------------ */

static void read_ahead(struct loading *l, unsigned place)
{
    struct loading_ahead *ahead = &l->ahead[place % LOADING_AHEAD];

    *ahead = (struct loading_ahead){serial_read(&l->in), l->in.at};
    if (ahead->value.form == SERIAL_INDEX && ahead->value.len < l->claimed)
        __builtin_prefetch(&l->out.objects[ahead->value.len]);
}

/* The object of an INDEX whose turn comes soon. */
static FETCHES void fetch_soon(const struct loading *l)
{
    const struct serial_value *soon = &l->ahead[(l->turn + LOADING_AHEAD / 2) % LOADING_AHEAD].value;

    if (soon->form == SERIAL_INDEX && soon->len < l->out.len)
        __builtin_prefetch(l->out.objects[soon->len]);
}

static const struct serial_value *peek_next(const struct loading *l)
{
    return &l->ahead[l->turn % LOADING_AHEAD].value;
}

struct serial_value loading_next(struct loading *l)
{
    struct loading_ahead next = l->ahead[l->turn % LOADING_AHEAD];

    read_ahead(l, l->turn++);
    fetch_soon(l);
    l->at = next.end;
    return next.value;
}

/* -- what is read ------------------------------------------------------------------------------------------------- */

/* A head promises so many values. */
static enum hd_err promise(struct loading *l, uint64_t values)
{
    l->owed += values;
    if (l->owed > loading_left(l))
        return loading_refuse(l, "it promises more than it holds");
    return HD_OK;
}

/* Gives an object its number, and to what is open. */
static enum hd_err add(struct loading *l, struct obj *o)
{
    l->out.objects[l->out.len++] = o;
    return loading_give(l, l->depth, o);
}

/* The container last added, or an instance that waits for its class (NULL), is open from now on. */
static enum hd_err open_last(struct loading *l, enum obj_type type, struct obj *o, uint64_t left)
{
    struct loading_frame *frame;

    if (l->depth == l->most_depth)
        return loading_refuse(l, "it is deeper than it says");
    frame = &l->frames[l->depth++];
    *frame = (struct loading_frame){.o = o, .number = (uint32_t)l->out.len - 1, .left = (uint32_t)left,
                                    .type = (uint8_t)type, .is_like = frame->model != 0, .model = frame->model};
    if (type == OBJ_TUPLE) {
        o->aux = LOADING_OPEN;
        l->open_tuples++;
    }
    return HD_OK;
}

static void close_top(struct loading *l)
{
    struct loading_frame *frame = &l->frames[--l->depth];

    if (frame->type == OBJ_DICT && !frame->is_late) /* its hashes are known */
        frame->model = frame->number + 1;
    if (frame->type == OBJ_TUPLE) {
        frame->o->aux = LOADING_NEW;
        l->open_tuples--;
    }
}

/* Adds what was made, if it was, and opens it. */
static enum hd_err add_open(struct loading *l, enum hd_err err, struct obj *o, uint64_t left)
{
    if (err == HD_OK)
        err = add(l, o);
    return err == HD_OK ? open_last(l, (enum obj_type)o->type, o, left) : err;
}

static enum hd_err read_name(struct loading *l, const char **name, uint32_t *len)
{
    struct serial_value value = loading_next(l);
    bool ascii;

    l->owed--;
    if (value.form != SERIAL_STR || !utf8_valid(value.bytes, value.len, &ascii))
        return loading_refuse(l, "a name is no str");
    *name = value.bytes;
    *len = value.len;
    return HD_OK;
}

static enum hd_err read_tuple(struct loading *l, uint32_t len)
{
    struct tuple *tuple;
    enum hd_err err;

    if (len == 0)
        return add(l, l->heap->empty_tuple);
    err = tuple_new_raw(l->heap, len, &tuple);
    if (err != HD_OK)
        return err;
    memset(tuple->items, 0, len * sizeof(struct obj *)); /* what fails is dropped half filled */
    return add_open(l, HD_OK, &tuple->head, len);
}

/* [KIND, class, name, value, ...]: it is made when its class is there. */
static enum hd_err read_instance(struct loading *l, uint32_t len)
{
    if (len % 2 == 0)
        return loading_refuse(l, "an object has half an attribute");
    l->out.objects[l->out.len++] = NULL;
    return open_last(l, OBJ_OBJECT, NULL, 1 + (uint64_t)len / 2);
}

/* The class that stands for a new one of this name, owned; NULL if none does. */
static struct obj *find_class(const struct loading *l, const char *name, uint32_t len)
{
    struct obj *found = l->classes != NULL ? l->classes->find(l->classes->context, name, len) : NULL;

    if (found != NULL && (found->type != OBJ_CLASS || class_of(found)->makes != OBJ_OBJECT || !obj_can_ref(found)))
        obj_unref(l->heap, &found);
    return found;
}

/* The class of the blob is read nevertheless, for what hangs on it, and is put aside. Consumes both. */
static enum hd_err add_found_class(struct loading *l, struct obj *made, struct obj *found, uint64_t left)
{
    struct serial_loaded *out = &l->out;
    enum hd_err err;
    struct obj **aside =
        pool_grow(l->heap->pool, out->aside, out->aside_len, &out->aside_capacity, sizeof(struct obj *));

    if (aside == NULL) {
        obj_unref(l->heap, &made);
        obj_unref(l->heap, &found);
        return heap_no_memory(l->heap);
    }
    out->aside = aside;
    out->aside[out->aside_len++] = made;
    err = add(l, found);
    return err == HD_OK ? open_last(l, OBJ_CLASS, made, left) : err;
}

/* [KIND, its name, name, value, ...] */
static enum hd_err read_class(struct loading *l, uint32_t len)
{
    struct obj *made = NULL;
    struct obj *found;
    const char *name;
    uint32_t name_len;
    enum hd_err err;

    if (len % 2 == 0)
        return loading_refuse(l, "a class has half an attribute");
    err = read_name(l, &name, &name_len);
    if (err != HD_OK)
        return err;
    err = class_new(l->heap, name, name_len, &made);
    found = err == HD_OK ? find_class(l, name, name_len) : NULL;
    return found != NULL ? add_found_class(l, made, found, len / 2) : add_open(l, err, made, len / 2);
}

/* [KIND, name]: a class that every heap has. */
static enum hd_err read_builtin(struct loading *l, uint32_t len)
{
    const char *name;
    uint32_t name_len;
    enum hd_err err = len == 1 ? read_name(l, &name, &name_len) : loading_refuse(l, "a builtin class is not one name");

    if (err != HD_OK)
        return err;
    for (unsigned type = 0; type < OBJ_TYPES; type++)
        if (name_is(l->heap->classes[type]->name, name, name_len))
            return add(l, &l->heap->classes[type]->head);
    return heap_fail(l->heap, HD_VALUE, "the dump names a builtin class that is not here: '%.*s'",
                     (int)(name_len < 100 ? name_len : 100), name);
}

/* [KIND, whether it is hashable even if it is dead]: it is linked in the end. */
static enum hd_err read_weakref(struct loading *l, uint32_t len)
{
    struct serial_value hashed = {.form = SERIAL_BAD};
    struct obj *weakref;
    enum hd_err err;

    if (len == 1)
        hashed = loading_next(l);
    l->owed--;
    if (hashed.form != SERIAL_BOOL)
        return loading_refuse(l, "a weakref is not one bool");
    err = weak_new_dead(l->heap, hashed.sint != 0, &weakref);
    return err == HD_OK ? add(l, weakref) : err;
}

static enum hd_err read_kind(struct loading *l, uint32_t code, uint32_t len)
{
    struct obj *set = NULL;
    enum hd_err err;

    switch (code) {
    case OBJ_TUPLE:
        return read_tuple(l, len);
    case OBJ_SET:
        err = dict_new(l->heap, OBJ_SET, len, &set);
        return add_open(l, err, set, len);
    case OBJ_OBJECT:
        return read_instance(l, len);
    case OBJ_CLASS:
        return read_class(l, len);
    case OBJ_WEAKREF:
        return read_weakref(l, len);
    case SERIAL_BUILTIN:
        return read_builtin(l, len);
    default:
        return heap_fail(l->heap, HD_VALUE, "the dump holds a kind of object that is not known here: %u", code);
    }
}

/* A list, or with KIND in front something else. */
static enum hd_err read_array(struct loading *l, uint32_t len)
{
    struct serial_value first;
    struct obj *list = NULL;
    enum hd_err err = promise(l, len);

    if (err == HD_OK)
        err = heap_work(l->heap, 1 + (uint64_t)len);
    if (err != HD_OK)
        return err;
    if (len > 0 && peek_next(l)->form == SERIAL_KIND) {
        first = loading_next(l);
        l->owed--;
        return read_kind(l, first.len, len - 1);
    }
    err = list_new(l->heap, len, &list);
    return add_open(l, err, list, len);
}

static enum hd_err read_map(struct loading *l, uint32_t len)
{
    struct obj *dict = NULL;
    enum hd_err err = promise(l, 2 * (uint64_t)len);

    if (err == HD_OK)
        err = heap_work(l->heap, 1 + (uint64_t)len);
    if (err == HD_OK)
        err = dict_new(l->heap, OBJ_DICT, len, &dict);
    return add_open(l, err, dict, 2 * (uint64_t)len);
}

/* An object that was read before. */
static enum hd_err read_index(struct loading *l, uint32_t number)
{
    struct obj *o = number < l->out.len ? l->out.objects[number] : NULL;

    if (o == NULL)
        return loading_refuse(l, "a number leads to nothing");
    if (!obj_can_ref(o))
        return heap_count_full(l->heap, o);
    if (l->open_tuples > 0 && o->type == OBJ_TUPLE && o->aux == LOADING_OPEN)
        l->has_knots = true; /* good if the way back to it leads through something else */
    return loading_give(l, l->depth, obj_ref(o));
}

static enum hd_err read_atom(struct loading *l, const struct serial_value *value)
{
    struct heap *heap = l->heap;
    struct obj *o = NULL;
    enum hd_err err = HD_OK;

    switch (value->form) {
    case SERIAL_NIL:
        o = heap->nil;
        break;
    case SERIAL_BOOL:
        o = bool_obj(heap, value->sint != 0);
        break;
    case SERIAL_INT:
        err = int_new(heap, value->sint, &o);
        break;
    case SERIAL_FLOAT:
        err = float_new(heap, value->real, &o);
        break;
    case SERIAL_STR:
        err = str_new(heap, value->bytes, value->len, &o);
        break;
    case SERIAL_BIN:
        err = bytes_new(heap, value->bytes, value->len, &o);
        break;
    default:
        return loading_refuse(l, "bytes that are no value");
    }
    return err == HD_OK ? add(l, o) : err;
}

static enum hd_err read_value(struct loading *l)
{
    struct serial_value value = loading_next(l);

    l->owed--;
    if (value.form == SERIAL_INDEX)
        return read_index(l, value.len);
    if (l->out.len == l->claimed)
        return loading_refuse(l, "it holds more objects than it says");
    if (value.form == SERIAL_ARRAY)
        return read_array(l, value.len);
    if (value.form == SERIAL_MAP)
        return read_map(l, value.len);
    return read_atom(l, &value);
}

/* The names of most instances are those of the one before. */
static bool is_expected(const struct loading *l, const struct loading_frame *frame)
{
    const struct serial_value *next = peek_next(l);

    return frame->type == OBJ_OBJECT && next->form == SERIAL_STR &&
           object_has_slot(frame->o, frame->place, next->bytes, next->len);
}

static enum hd_err read_attribute_name(struct loading *l, struct loading_frame *frame)
{
    enum hd_err err;
    bool is_set;

    if (is_expected(l, frame)) {
        (void)loading_next(l);
        l->owed--;
        frame->name = NULL;
        return HD_OK;
    }
    err = read_name(l, &frame->name, &frame->name_len);
    if (err != HD_OK)
        return err;
    if (frame->type == OBJ_OBJECT)
        is_set = object_peek(l->heap, frame->o, frame->name, frame->name_len) != NULL;
    else
        is_set = names_peek(l->heap, &class_of(frame->o)->attributes, frame->name, frame->name_len) != NULL;
    return is_set ? loading_refuse(l, "two attributes have one name") : HD_OK;
}

/* One value, or the end of a container. */
static enum hd_err read_step(struct loading *l)
{
    struct loading_frame *frame = &l->frames[l->depth - 1];
    enum hd_err err = HD_OK;

    if (frame->left == 0) {
        close_top(l);
        return HD_OK;
    }
    if (frame->o != NULL && (frame->type == OBJ_OBJECT || frame->type == OBJ_CLASS))
        err = read_attribute_name(l, frame);
    return err == HD_OK ? read_value(l) : err;
}

static enum hd_err read_some(struct loading *l, size_t *budget)
{
    enum hd_err err = l->out.len == 0 ? read_value(l) : HD_OK;

    for (; err == HD_OK && l->depth > 0 && *budget > 0; (*budget)--)
        err = read_step(l);
    if (err == HD_OK && l->depth == 0)
        l->stage = LOADING_LINKS;
    return err;
}

/* -- what stands around it ---------------------------------------------------------------------------------------- */

/* Magic, version and size: what was cut off is told at once. */
static enum hd_err check_head(struct loading *l)
{
    struct heap *heap = l->heap;
    const char *bytes = l->bytes;
    size_t len = l->len;
    uint64_t body;

    if (len < 8 || memcmp(bytes, serial_magic, sizeof serial_magic) != 0)
        return heap_fail(heap, HD_VALUE, "these bytes are no dump of heapd");
    if (len >= SERIAL_HEAD && serial_fetch(bytes + 8, 4) != SERIAL_VERSION)
        return heap_fail(heap, HD_VALUE, "the dump is of version %llu, this server reads version %d",
                         (unsigned long long)serial_fetch(bytes + 8, 4), SERIAL_VERSION);
    if (len < SERIAL_HEAD + SERIAL_TAIL)
        return heap_fail(heap, HD_VALUE, "the dump is cut off after %llu bytes", (unsigned long long)len);
    body = serial_fetch(bytes + 24, 8);
    if (body != len - SERIAL_HEAD - SERIAL_TAIL)
        return heap_fail(heap, HD_VALUE, "the dump has a body of %llu bytes, its head says %llu",
                         (unsigned long long)(len - SERIAL_HEAD - SERIAL_TAIL), (unsigned long long)body);
    siphash_start(&l->hash);
    l->stage = LOADING_SEAL;
    return HD_OK;
}

/* Room for what the head claims, which is at most one object and one level for each byte. */
static enum hd_err begin_graph(struct loading *l)
{
    const char *bytes = l->bytes;
    size_t body = l->len - SERIAL_HEAD - SERIAL_TAIL;
    struct pool *pool = l->heap->pool;

    l->in.at = (const unsigned char *)bytes + SERIAL_HEAD;
    l->in.end = l->in.at + body;
    l->at = l->in.at;
    l->claimed = (uint32_t)serial_fetch(bytes + 12, 4);
    l->most_depth = (size_t)serial_fetch(bytes + 16, 4);
    if (l->claimed == 0 || l->claimed > body || l->most_depth > body || serial_fetch(bytes + 20, 4) != 0)
        return loading_refuse(l, "its head says what cannot be");
    l->out.objects = pool_alloc(pool, l->claimed * sizeof(struct obj *), POOL_DATA);
    if (l->out.objects == NULL)
        return heap_no_memory(l->heap);
    l->out.capacity = l->claimed;
    l->frames = pool_zero(pool, (l->most_depth + 1) * sizeof *l->frames);
    if (l->frames == NULL)
        return heap_no_memory(l->heap);
    for (unsigned i = 0; i < LOADING_AHEAD; i++)
        read_ahead(l, i);
    l->owed = 1;
    l->stage = LOADING_GRAPH;
    return HD_OK;
}

/* The checksum: what was changed on the way is told before anything is made. */
static enum hd_err check_seal(struct loading *l, size_t *budget)
{
    size_t sealed = l->len - SERIAL_TAIL;
    uint64_t seal;

    if (!serial_seal_some(&l->hash, l->bytes, sealed, budget, &seal))
        return HD_OK;
    if (serial_fetch(l->bytes + sealed, SERIAL_TAIL) != seal)
        return heap_fail(l->heap, HD_VALUE, "the dump was changed: its checksum is wrong");
    return begin_graph(l);
}

/* -- the whole ---------------------------------------------------------------------------------------------------- */

static enum hd_err load_some(struct loading *l, size_t *budget)
{
    switch (l->stage) {
    case LOADING_HEAD:
        return check_head(l);
    case LOADING_SEAL:
        return check_seal(l, budget);
    case LOADING_GRAPH:
        return read_some(l, budget);
    case LOADING_LINKS:
        return loading_link_some(l, budget);
    case LOADING_KNOTS:
        return loading_search_some(l, budget);
    case LOADING_KEYS:
        return loading_hash_some(l, budget);
    default:
        loading_give_up_some(l, budget);
        return HD_OK;
    }
}

static void fail(struct loading *l, enum hd_err err)
{
    l->err = err;
    l->stage = LOADING_GIVES_UP;
    memcpy(l->text, l->heap->error_text, sizeof l->text);
}

bool serial_load_run(struct loading *l, size_t budget)
{
    l->heap->work_left = l->work_left;
    while (l->stage != LOADING_DONE && budget > 0) {
        enum hd_err err = load_some(l, &budget);

        if (err != HD_OK)
            fail(l, err);
    }
    l->work_left = l->heap->work_left;
    return l->stage == LOADING_DONE;
}

static void start(struct loading *l, struct heap *heap, const char *bytes, size_t len,
                  const struct serial_classes *classes)
{
    *l = (struct loading){.heap = heap, .bytes = bytes, .len = len, .classes = classes, .work_left = heap->work_left,
                          .out.first_id = heap->next_id};
}

enum hd_err serial_load_open(struct heap *heap, const char *bytes, size_t len, const struct serial_classes *classes,
                             struct loading **out)
{
    struct loading *l = pool_alloc(heap->pool, sizeof *l, POOL_DATA);

    if (l == NULL)
        return heap_no_memory(heap);
    start(l, heap, bytes, len, classes);
    *out = l;
    return HD_OK;
}

enum hd_err serial_load_result(struct loading *l, struct serial_loaded *loaded)
{
    if (l->err != HD_OK)
        return heap_fail(l->heap, l->err, "%s", l->text);
    *loaded = l->out;
    l->out = (struct serial_loaded){0};
    return HD_OK;
}

static void finish(struct loading *l)
{
    struct pool *pool = l->heap->pool;

    loading_let_go(l);
    pool_free(pool, l->frames, (l->most_depth + 1) * sizeof *l->frames, POOL_DATA);
    pool_free(pool, l->late, l->late_capacity * sizeof *l->late, POOL_DATA);
    pool_free(pool, l->search, l->search_capacity * sizeof *l->search, POOL_DATA);
}

void serial_load_close(struct loading *l)
{
    finish(l);
    pool_free(l->heap->pool, l, sizeof *l, POOL_DATA);
}

void serial_load_cancel(struct loading *l)
{
    size_t all = SIZE_MAX;

    for (l->stage = LOADING_GIVES_UP; l->stage != LOADING_DONE;)
        loading_give_up_some(l, &all);
    serial_load_close(l);
}

void serial_load_roots(struct loading *l, void (*visit)(void *arg, struct obj *o), void *arg)
{
    visit(arg, l->out.root);
    visit(arg, l->orphan);
    for (size_t i = 0; i < l->out.aside_len; i++)
        visit(arg, l->out.aside[i]);
    for (size_t i = 0; i < l->depth; i++)
        if (l->frames[i].type == OBJ_DICT)
            visit(arg, l->frames[i].key);
}

enum hd_err serial_load(struct heap *heap, const char *bytes, size_t len, const struct serial_classes *classes,
                        struct serial_loaded *loaded)
{
    struct loading l;
    enum hd_err err;

    start(&l, heap, bytes, len, classes);
    while (!serial_load_run(&l, SIZE_MAX))
        continue;
    err = serial_load_result(&l, loaded);
    finish(&l);
    return err;
}
