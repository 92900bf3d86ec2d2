/* put.c - the parameters of a call. */
#include "client/link.h"

#include <string.h>

/* -- one value ----------------------------------------------------------------------------------------------------- */

/* Where the next value goes, which announces `more` values behind it. NULL once the call was sent. */
static struct buf *next_value(struct hd_call *call, uint64_t more)
{
    if (call->is_queued)
        return NULL;
    if (call->owed > 0)
        call->owed--;
    else
        call->params++;
    call->owed += more;
    return &call->frame->bytes;
}

void hd_put_nil(struct hd_call *call)
{
    struct buf *out = next_value(call, 0);

    if (out != NULL)
        pack_nil(out);
}

void hd_put_bool(struct hd_call *call, bool value)
{
    struct buf *out = next_value(call, 0);

    if (out != NULL)
        pack_bool(out, value);
}

void hd_put_int(struct hd_call *call, int64_t value)
{
    struct buf *out = next_value(call, 0);

    if (out != NULL)
        pack_int(out, value);
}

void hd_put_uint(struct hd_call *call, uint64_t value)
{
    struct buf *out = next_value(call, 0);

    if (out != NULL)
        pack_uint(out, value);
}

void hd_put_float(struct hd_call *call, double value)
{
    struct buf *out = next_value(call, 0);

    if (out != NULL)
        pack_float(out, value);
}

void hd_put_text(struct hd_call *call, const char *bytes, size_t len)
{
    struct buf *out = next_value(call, 0);

    if (out != NULL)
        pack_str(out, bytes, len);
}

void hd_put_str(struct hd_call *call, const char *text)
{
    hd_put_text(call, text, strlen(text));
}

void hd_put_bytes(struct hd_call *call, const void *bytes, size_t len)
{
    struct buf *out = next_value(call, 0);

    if (out != NULL)
        pack_bin(out, bytes, len);
}

void hd_put_array(struct hd_call *call, size_t len)
{
    struct buf *out = next_value(call, len);

    if (out != NULL)
        pack_array(out, len);
}

void hd_put_map(struct hd_call *call, size_t len)
{
    struct buf *out = next_value(call, (uint64_t)len * 2);

    if (out != NULL)
        pack_map(out, len);
}

/* -- references ---------------------------------------------------------------------------------------------------- */

void hd_put_handle(struct hd_call *call, uint64_t handle)
{
    char room[9];
    struct buf payload = {.bytes = room, .capacity = sizeof room, .limit = sizeof room};
    struct buf *out = next_value(call, 0);

    pack_uint(&payload, handle);
    if (out != NULL)
        pack_ext(out, HD_EXT_HANDLE, payload.bytes, payload.len);
}

void hd_put_name(struct hd_call *call, const char *space, const char *name)
{
    struct buf *out = next_value(call, 0);
    struct buf payload;

    if (out == NULL)
        return;
    buf_init(&payload, SIZE_MAX / 2, &call->memory);
    if (space != NULL) {
        pack_array(&payload, 2);
        pack_cstr(&payload, space);
    }
    pack_cstr(&payload, name);
    if (payload.failed)
        out->failed = true;
    else
        pack_ext(out, HD_EXT_NAME, payload.bytes, payload.len);
    buf_fini(&payload);
}

static void put_ext(struct hd_call *call, const struct hd_value *value)
{
    struct buf *out = next_value(call, 0);

    if (out != NULL)
        pack_ext(out, value->ext, value->bytes, value->len);
}

/* A value without its content. */
static void put_head(struct hd_call *call, const struct hd_value *value)
{
    switch (hd_kind(value)) {
    case HD_BOOL:
        hd_put_bool(call, value->boolean);
        return;
    case HD_INT:
        hd_put_int(call, value->sint);
        return;
    case HD_UINT:
        hd_put_uint(call, value->uint);
        return;
    case HD_FLOAT:
        hd_put_float(call, value->real);
        return;
    case HD_STR:
        hd_put_text(call, value->bytes, value->len);
        return;
    case HD_BYTES:
        hd_put_bytes(call, value->bytes, value->len);
        return;
    case HD_ARRAY:
        hd_put_array(call, value->len);
        return;
    case HD_MAP:
        hd_put_map(call, value->len);
        return;
    case HD_HANDLE:
        hd_put_handle(call, hd_handle(value));
        return;
    case HD_EXT:
        put_ext(call, value);
        return;
    default:
        hd_put_nil(call);
        return;
    }
}

void hd_put_value(struct hd_call *call, const struct hd_value *value)
{
    const struct hd_value *at;
    struct walk walk;

    if (value == NULL)
        hd_put_nil(call);
    walk_start(&walk, value);
    while ((at = walk_next(&walk)) != NULL)
        put_head(call, at);
}

/* -- formats ------------------------------------------------------------------------------------------------------- */

/* Brackets in a format are nested at most so deep. */
#define FORMAT_DEPTH_MAX 64

/* Whether every letter of a format is known, every bracket closed by its like, and every key followed by a value. */
static bool is_sound(const char *format)
{
    struct {
        char closing;
        bool lacks_value; /* a key came last */
    } levels[FORMAT_DEPTH_MAX + 1] = {{0}};
    unsigned depth = 0;

    for (; *format != '\0'; format++) {
        if (*format == ' ')
            continue;
        if (depth > 0 && *format == levels[depth].closing) {
            if (*format == '}' && levels[depth].lacks_value)
                return false;
            depth--;
            continue;
        }
        if (strchr("nbiludstyhNv[{", *format) == NULL)
            return false;
        levels[depth].lacks_value = !levels[depth].lacks_value;
        if (*format != '[' && *format != '{')
            continue;
        if (depth++ == FORMAT_DEPTH_MAX)
            return false;
        levels[depth].closing = *format == '[' ? ']' : '}';
        levels[depth].lacks_value = false;
    }
    return depth == 0;
}

/* Values between the bracket at `format` and the one that closes it. */
static size_t count_values(const char *format)
{
    unsigned depth = 0;
    size_t count = 0;

    do {
        bool opens = *format == '[' || *format == '{', closes = *format == ']' || *format == '}';

        if (depth == 1 && !closes && *format != ' ')
            count++;
        depth = depth + opens - closes;
        format++;
    } while (depth > 0);
    return count;
}

/* What va_arg steps through must be a variable of its own: a va_list that is a parameter may be an array. */
struct arguments {
    va_list list;
};

/* A str, or what it is the name of. */
static void put_text(struct hd_call *call, char letter, struct arguments *args)
{
    const char *text = va_arg(args->list, const char *);

    if (text == NULL)
        call->put_status = HD_USAGE;
    else if (letter == 's')
        hd_put_str(call, text);
    else
        hd_put_name(call, NULL, text);
}

static void put_sized(struct hd_call *call, char letter, struct arguments *args)
{
    const void *bytes = va_arg(args->list, const void *);
    size_t len = va_arg(args->list, size_t);

    if (letter == 't')
        hd_put_text(call, bytes, len);
    else
        hd_put_bytes(call, bytes, len);
}

/* The value of the letter at `format`; a bracket that closes and a blank are none. */
static void put_letter(struct hd_call *call, const char *format, struct arguments *args)
{
    switch (*format) {
    case 'n':
        hd_put_nil(call);
        return;
    case 'b':
        hd_put_bool(call, va_arg(args->list, int) != 0);
        return;
    case 'i':
        hd_put_int(call, va_arg(args->list, int));
        return;
    case 'l':
        hd_put_int(call, va_arg(args->list, int64_t));
        return;
    case 'u':
        hd_put_uint(call, va_arg(args->list, uint64_t));
        return;
    case 'd':
        hd_put_float(call, va_arg(args->list, double));
        return;
    case 's':
    case 'N':
        put_text(call, *format, args);
        return;
    case 't':
    case 'y':
        put_sized(call, *format, args);
        return;
    case 'h':
        hd_put_handle(call, va_arg(args->list, uint64_t));
        return;
    case 'v':
        hd_put_value(call, va_arg(args->list, const struct hd_value *));
        return;
    case '[':
        hd_put_array(call, count_values(format));
        return;
    case '{':
        hd_put_map(call, count_values(format) / 2);
        return;
    default:
        return;
    }
}

void hd_put_va(struct hd_call *call, const char *format, va_list args)
{
    struct arguments rest;

    if (format == NULL)
        return;
    if (!is_sound(format)) {
        call->put_status = HD_USAGE;
        return;
    }
    va_copy(rest.list, args);
    for (; *format != '\0'; format++)
        put_letter(call, format, &rest);
    va_end(rest.list);
}

void hd_put(struct hd_call *call, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    hd_put_va(call, format, args);
    va_end(args);
}
