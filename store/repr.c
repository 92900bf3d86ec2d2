/*
 * repr.c - the text form of any object, as Python's repr, with object ids where that has addresses.
 *
 * A walk with a stack; what it is inside of is marked OBJ_ON_PATH, and met again is written as [...], {...}. The marks
 * are on only while a slice runs: others have theirs. So a slice does not end where the walk is very deep. Written text
 * costs work: it is what bounds it.
 *
 * What is weak may die between two slices: from the first weak reference on all is written in one slice.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "store/compare.h"
#include "store/kind.h"
#include "store/kinds/atoms.h"
#include "store/kinds/dict.h"
#include "store/kinds/methods.h"
#include "store/kinds/namespace.h"
#include "store/kinds/number_text.h"
#include "store/kinds/object.h"
#include "store/kinds/sequence.h"
#include "store/kinds/text.h"
#include "store/kinds/utf8.h"
#include "store/weak.h"

#define FLOAT_UNITS 4 /* of work: the shortest digits of a float are searched for */

struct frame {
    struct obj *o;      /* borrowed, marked */
    uint32_t at;        /* next element, or table position */
    uint32_t written;
    bool is_at_value;   /* dict: the key at `at` is written, its value is next */
};

struct repr {
    struct heap *heap;
    struct obj *root;   /* owned */
    enum hd_err err;    /* the first failure: nothing is written after it */
    bool is_begun, is_over;
    bool is_hasty;      /* all that is left is done in this slice */
    uint64_t work_left;
    char *text;
    size_t len, size;
    struct frame *stack;
    size_t depth, capacity;
    struct text *str;   /* owned; NULL until all is written: then `text` is copied into it */
    size_t copied;
    char error_text[HEAP_ERROR_TEXT]; /* of `err`: between slices others fail as well */
};

#define MARKED_MOST ((size_t)1024) /* levels at which a slice may end */
#define COPIED_AT_ONCE ((size_t)256) /* bytes for one item of the budget */

/* -- writing ------------------------------------------------------------------------------------------------------ */

static void make_room(struct repr *r, size_t more)
{
    size_t size = r->size < 32 ? 64 : r->size * 2;
    char *text;

    if (size < r->len + more)
        size = r->len + more;
    r->err = heap_work(r->heap, (size - r->size) / TEXT_WORK);
    if (r->err != HD_OK)
        return;
    text = pool_resize(r->heap->pool, r->text, r->size, size);
    if (text == NULL) {
        r->err = heap_no_memory(r->heap);
        return;
    }
    r->text = text;
    r->size = size;
}

static void put(struct repr *r, const char *bytes, size_t len)
{
    if (r->err == HD_OK && (r->text == NULL || r->size - r->len < len))
        make_room(r, len);
    if (r->err != HD_OK)
        return;
    memcpy(r->text + r->len, bytes, len);
    r->len += len;
}

static void put_text(struct repr *r, const char *text)
{
    put(r, text, strlen(text));
}

/* Short pieces only. */
static void putf(struct repr *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void putf(struct repr *r, const char *format, ...)
{
    char piece[128];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(piece, sizeof piece, format, args);
    va_end(args);
    put_text(r, piece);
}

/* -- str and bytes ------------------------------------------------------------------------------------------------ */

/* Python's str.isprintable is false for these, from U+0080 on: categories Zs, Zl, Zp, Cc, Cf, Co of Unicode 14. */
static const uint32_t unprintable[][2] = {
    {0x80, 0xa0},       {0xad, 0xad},       {0x600, 0x605},     {0x61c, 0x61c},     {0x6dd, 0x6dd},
    {0x70f, 0x70f},     {0x890, 0x891},     {0x8e2, 0x8e2},     {0x1680, 0x1680},   {0x180e, 0x180e},
    {0x2000, 0x200f},   {0x2028, 0x202f},   {0x205f, 0x206f},   {0x3000, 0x3000},   {0xe000, 0xf8ff},
    {0xfeff, 0xfeff},   {0xfff0, 0xfffb},   {0xfffe, 0xffff},   {0x110bd, 0x110bd}, {0x110cd, 0x110cd},
    {0x13430, 0x13438}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe00ff}, {0xf0000, 0x10ffff},
};

#define UNPRINTABLE (sizeof unprintable / sizeof unprintable[0])

static bool is_printable(uint32_t c)
{
    if (c < 0x80)
        return c >= 0x20 && c != 0x7f;
    for (size_t i = 0; i < UNPRINTABLE && unprintable[i][0] <= c; i++)
        if (c <= unprintable[i][1])
            return false;
    return true;
}

static void put_escaped(struct repr *r, uint32_t c)
{
    if (c == '\n')
        put_text(r, "\\n");
    else if (c == '\r')
        put_text(r, "\\r");
    else if (c == '\t')
        put_text(r, "\\t");
    else if (c <= 0xff)
        putf(r, "\\x%02x", c);
    else
        putf(r, c <= 0xffff ? "\\u%04x" : "\\U%08x", c);
}

/* One code point, or one byte; gives how many bytes it was. */
static size_t put_special(struct repr *r, const char *at, bool is_str, char quote)
{
    uint32_t c = is_str ? utf8_decode(at) : (unsigned char)*at;
    size_t width = is_str ? utf8_width(*at) : 1;

    if (c == '\\' || c == (unsigned char)quote)
        put_text(r, "\\");
    if (is_printable(c) && (is_str || c < 0x80))
        put(r, at, width);
    else
        put_escaped(r, c);
    return width;
}

/* How many bytes from here are written as they are. */
static size_t plain_run(const char *at, const char *end, char quote)
{
    const char *start = at;

    while (at < end && *at >= 0x20 && *at < 0x7f && *at != '\\' && *at != quote)
        at++;
    return (size_t)(at - start);
}

static void put_str_or_bytes(struct repr *r, struct obj *o)
{
    const struct text *text = text_of(o);
    bool is_str = o->type == OBJ_STR;
    bool has_single = memchr(text->bytes, '\'', text->len) != NULL;
    char quote = has_single && memchr(text->bytes, '"', text->len) == NULL ? '"' : '\'';
    const char *end = text->bytes + text->len;

    put_text(r, is_str ? "" : "b");
    put(r, &quote, 1);
    for (const char *at = text->bytes; r->err == HD_OK && at < end;) {
        size_t width = plain_run(at, end, quote);

        if (width > 0)
            put(r, at, width);
        else
            width = put_special(r, at, is_str, quote);
        at += width;
    }
    put(r, &quote, 1);
}

/* -- what has no literal form ------------------------------------------------------------------------------------- */

/* The name of its class, for an instance; of its type, for all else. */
static void put_class_of(struct repr *r, const struct obj *o)
{
    const char *name = obj_type_name(o->type);
    size_t len = strlen(name);

    if (o->type == OBJ_OBJECT)
        name = class_name(o, &len);
    put(r, name, len);
}

static void put_id(struct repr *r, const struct obj *o)
{
    putf(r, " #%llu", (unsigned long long)o->id);
}

static void put_weak(struct repr *r, const struct obj *o)
{
    const struct obj *target = weak_target_peek(r->heap, o);

    r->is_hasty = true;
    putf(r, "<%s", obj_type_name(o->type));
    put_id(r, o);
    if (target == NULL) {
        put_text(r, "; dead>");
        return;
    }
    put_text(r, "; to '");
    put_class_of(r, target);
    put_text(r, "'");
    put_id(r, target);
    put_text(r, ">");
}

static void put_method(struct repr *r, struct obj *o)
{
    const struct obj *self = method_of(o)->self;

    putf(r, "<built-in method %s of ", method_of(o)->row->name);
    put_class_of(r, self);
    put_text(r, " object");
    put_id(r, self);
    put_text(r, ">");
}

static void put_named(struct repr *r, struct obj *o)
{
    const struct name *name = o->type == OBJ_CLASS ? class_of(o)->name : space_of(o)->name;

    putf(r, "<%s '", obj_type_name(o->type));
    put(r, name->bytes, name->len);
    put_text(r, "'");
    if (o->type == OBJ_NAMESPACE)
        put_id(r, o);
    put_text(r, ">");
}

static void put_number(struct repr *r, const struct obj *o)
{
    char text[FLOAT_TEXT];

    if (o->type == OBJ_INT) {
        putf(r, "%lld", (long long)int_value(o));
        return;
    }
    r->err = heap_work(r->heap, FLOAT_UNITS);
    if (r->err == HD_OK)
        put(r, text, float_to_text(float_value(o), text));
}

static void put_leaf(struct repr *r, struct obj *o)
{
    switch (o->type) {
    case OBJ_NIL:
        put_text(r, "None");
        return;
    case OBJ_BOOL:
        put_text(r, int_value(o) != 0 ? "True" : "False");
        return;
    case OBJ_INT:
    case OBJ_FLOAT:
        put_number(r, o);
        return;
    case OBJ_STR:
    case OBJ_BYTES:
        put_str_or_bytes(r, o);
        return;
    case OBJ_METHOD:
        put_method(r, o);
        return;
    case OBJ_WEAKREF:
    case OBJ_PROXY:
        put_weak(r, o);
        return;
    case OBJ_CLASS:
    case OBJ_NAMESPACE:
        put_named(r, o);
        return;
    default:
        put_text(r, "<");
        put_class_of(r, o);
        put_text(r, " object");
        put_id(r, o);
        put_text(r, ">");
    }
}

/* -- containers --------------------------------------------------------------------------------------------------- */

/* How each is written: around its items, when it is empty, and where it is met inside itself. */
static const struct form {
    const char *open, *close, *empty, *again;
} forms[OBJ_TYPES] = {
    [OBJ_LIST] = {"[", "]", "[]", "[...]"},
    [OBJ_TUPLE] = {"(", ")", "()", "(...)"},
    [OBJ_DICT] = {"{", "}", "{}", "{...}"},
    [OBJ_SET] = {"{", "}", "set()", "set(...)"},
};

static void enter(struct repr *r, struct obj *o)
{
    struct frame *stack = pool_grow(r->heap->pool, r->stack, r->depth, &r->capacity, sizeof *stack);

    if (stack == NULL) {
        r->err = heap_no_memory(r->heap);
        return;
    }
    r->stack = stack;
    r->stack[r->depth++] = (struct frame){.o = o};
    o->flags |= OBJ_ON_PATH;
    put_text(r, forms[o->type].open);
}

static void leave(struct repr *r)
{
    struct obj *o = r->stack[--r->depth].o;

    o->flags &= (uint8_t)~OBJ_ON_PATH;
}

static void write_object(struct repr *r, struct obj *o)
{
    const struct form *form = &forms[o->type];

    if (form->open == NULL)
        put_leaf(r, o);
    else if ((o->flags & OBJ_ON_PATH) != 0)
        put_text(r, form->again);
    else if (kind_of(o)->length(o) == 0)
        put_text(r, form->empty);
    else
        enter(r, o);
}

/* The item to write next, with what stands before it written; NULL behind the last. */
static struct obj *next_item(struct repr *r, struct frame *frame)
{
    struct table_entry *entries;
    uint32_t len;
    struct obj **items;

    if (frame->is_at_value) {
        frame->is_at_value = false;
        put_text(r, ": ");
        return dict_of(frame->o)->table.entries[frame->at++].value;
    }
    if (frame->o->type == OBJ_LIST || frame->o->type == OBJ_TUPLE) {
        items = sequence_items(frame->o, &len);
        if (frame->at == len)
            return NULL;
        put_text(r, frame->written++ > 0 ? ", " : "");
        return items[frame->at++];
    }
    entries = dict_of(frame->o)->table.entries;
    frame->at = table_next(&dict_of(frame->o)->table, frame->at);
    if (frame->at == TABLE_NONE)
        return NULL;
    put_text(r, frame->written++ > 0 ? ", " : "");
    if (frame->o->type == OBJ_SET)
        return entries[frame->at++].key;
    frame->is_at_value = true;
    return entries[frame->at].key;
}

/* One item of the innermost container, or its end. */
static void write_next(struct repr *r)
{
    struct frame *top = &r->stack[r->depth - 1];
    struct obj *o = top->o;
    struct obj *item = next_item(r, top);

    if (item != NULL) {
        r->err = r->err == HD_OK ? heap_work(r->heap, 1) : r->err;
        if (r->err == HD_OK)
            write_object(r, item);
        return;
    }
    if (o->type == OBJ_TUPLE && tuple_of(o)->len == 1)
        put_text(r, ",");
    put_text(r, forms[o->type].close);
    leave(r);
}

/* -- the whole ---------------------------------------------------------------------------------------------------- */

static void write_some(struct repr *r, size_t *budget)
{
    if (!r->is_begun)
        write_object(r, r->root);
    r->is_begun = true;
    while (r->err == HD_OK && r->depth > 0 && (*budget > 0 || r->is_hasty || r->depth > MARKED_MOST)) {
        write_next(r);
        *budget -= *budget > 0;
    }
}

static void set_marks(struct repr *r)
{
    for (size_t i = 0; i < r->depth; i++)
        r->stack[i].o->flags |= OBJ_ON_PATH;
}

static void take_marks_off(struct repr *r)
{
    for (size_t i = 0; i < r->depth; i++)
        r->stack[i].o->flags &= (uint8_t)~OBJ_ON_PATH;
}

static void copy_some(struct repr *r, size_t budget)
{
    size_t left = r->len - r->copied;
    size_t len = left / COPIED_AT_ONCE > budget ? budget * COPIED_AT_ONCE : left;

    memcpy(r->str->bytes + r->copied, r->text + r->copied, len);
    r->copied += len;
    r->is_over = r->copied == r->len;
    if (r->is_over)
        str_seal(r->str);
}

static void fail(struct repr *r)
{
    r->is_over = true;
    memcpy(r->error_text, r->heap->error_text, sizeof r->error_text);
}

bool repr_run(struct repr *r, size_t budget)
{
    r->heap->work_left = r->work_left;
    if (r->str == NULL) {
        set_marks(r);
        write_some(r, &budget);
        take_marks_off(r);
        if (r->err == HD_OK && r->depth == 0)
            r->err = text_new_raw(r->heap, OBJ_STR, r->len, &r->str);
    }
    r->work_left = r->heap->work_left;
    if (r->err != HD_OK)
        fail(r);
    else if (r->str != NULL)
        copy_some(r, budget);
    return r->is_over;
}

static void start(struct repr *r, struct heap *heap, struct obj *o)
{
    r->heap = heap;
    r->root = obj_ref(o);
    r->work_left = heap->work_left;
}

static void finish(struct repr *r)
{
    struct pool *pool = r->heap->pool;
    struct obj *str = r->str != NULL ? &r->str->head : NULL;

    obj_unref(r->heap, &str);
    obj_unref(r->heap, &r->root);
    pool_free(pool, r->stack, r->capacity * sizeof *r->stack, POOL_DATA);
    pool_free(pool, r->text, r->size, POOL_DATA);
}

enum hd_err repr_open(struct heap *heap, struct obj *o, struct repr **out)
{
    struct repr *r = pool_zero(heap->pool, sizeof *r);

    if (r == NULL)
        return heap_no_memory(heap);
    start(r, heap, o);
    *out = r;
    return HD_OK;
}

enum hd_err repr_result(struct repr *r, struct obj **out)
{
    if (r->err != HD_OK)
        return heap_fail(r->heap, r->err, "%s", r->error_text);
    *out = &r->str->head;
    r->str = NULL;
    return HD_OK;
}

void repr_close(struct repr *r)
{
    finish(r);
    pool_free(r->heap->pool, r, sizeof *r, POOL_DATA);
}

void repr_roots(struct repr *r, void (*visit)(void *arg, struct obj *o), void *arg)
{
    visit(arg, r->root);
    if (r->str != NULL)
        visit(arg, &r->str->head);
}

enum hd_err obj_repr(struct heap *heap, struct obj *o, struct obj **out)
{
    struct repr r = {0};
    enum hd_err err;

    start(&r, heap, o);
    while (!repr_run(&r, SIZE_MAX))
        continue;
    err = repr_result(&r, out);
    finish(&r);
    return err;
}

enum hd_err any_method_repr(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                            struct obj **result)
{
    (void)args;
    (void)nargs;
    return obj_repr(heap, self, result);
}
