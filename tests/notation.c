/* notation.c - MessagePack as text. */
#include "tests/notation.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- from text ---------------------------------------------------------------------------------------------------- */

static const char *skip_space(const char *at)
{
    while (*at == ' ' || *at == '\n')
        at++;
    return at;
}

static const char *expect(const char *at, char c)
{
    at = skip_space(at);
    if (*at != c)
        ck_abort_msg("'%c' expected at \"%s\"", c, at);
    return at + 1;
}

/* The text behind an opening quote; returns what follows the closing one. */
static const char *unquote(struct buf *content, const char *at)
{
    for (; *at != '\''; at++) {
        char c = *at;

        if (c == '\0')
            ck_abort_msg("a quote is not closed");
        if (c == '\\' && *++at == 'x') {
            char digits[3] = {at[1], at[2], '\0'};

            c = (char)strtoul(digits, NULL, 16);
            at += 2;
        } else if (c == '\\') {
            c = *at;
        }
        buf_append(content, &c, 1);
    }
    return at + 1;
}

static const char *pack_quoted(struct buf *buf, const char *at, bool is_text)
{
    struct buf content;

    buf_init(&content, SIZE_MAX / 2, NULL);
    at = unquote(&content, at);
    if (is_text)
        pack_str(buf, content.bytes, content.len);
    else
        pack_bin(buf, content.bytes, content.len);
    buf_fini(&content);
    return at;
}

static const char *pack_number(struct buf *buf, const char *at)
{
    char *end;
    char *float_end;
    long long value = strtoll(at, &end, 10);
    double real = strtod(at, &float_end);

    if (end == at)
        ck_abort_msg("a value expected at \"%s\"", at);
    if (float_end > end)
        pack_float(buf, real);
    else if (*at != '-')
        pack_uint(buf, strtoull(at, NULL, 10));
    else
        pack_int(buf, value);
    return float_end > end ? float_end : end;
}

/* Values up to `close`, counted; of a map, keys and values. */
static const char *pack_items(struct buf *content, const char *at, char close, size_t *count)
{
    *count = 0;
    for (at = skip_space(at); *at != close; at = skip_space(at)) {
        if (*count > 0)
            at = expect(at, ',');
        at = notation_pack(content, at);
        if (close == '}')
            at = notation_pack(content, expect(at, ':'));
        ++*count;
    }
    return at + 1;
}

static const char *pack_container(struct buf *buf, const char *at, char close)
{
    struct buf content;
    size_t count;

    buf_init(&content, SIZE_MAX / 2, NULL);
    at = pack_items(&content, at, close, &count);
    if (close == '}')
        pack_map(buf, count);
    else
        pack_array(buf, count);
    buf_append(buf, content.bytes, content.len);
    buf_fini(&content);
    return at;
}

static const char *pack_handle(struct buf *buf, const char *at)
{
    char *end;
    struct buf content;

    buf_init(&content, 16, NULL);
    pack_uint(&content, strtoull(at, &end, 10));
    pack_ext(buf, 1, content.bytes, content.len);
    buf_fini(&content);
    return end;
}

static bool is_word(const char *at, const char *word)
{
    return strncmp(at, word, strlen(word)) == 0;
}

char notation_kept[256] = "'nothing is kept'";

const char *notation_pack(struct buf *buf, const char *text)
{
    const char *at = skip_space(text);

    if (*at == '\'')
        return pack_quoted(buf, at + 1, true);
    if (is_word(at, "b'"))
        return pack_quoted(buf, at + 2, false);
    if (*at == '[')
        return pack_container(buf, at + 1, ']');
    if (*at == '{')
        return pack_container(buf, at + 1, '}');
    if (*at == '@')
        return pack_handle(buf, at + 1);
    if (*at == '$') {
        notation_pack(buf, notation_kept);
        return at + 1;
    }
    if (is_word(at, "nil")) {
        pack_nil(buf);
        return at + 3;
    }
    if (is_word(at, "true") || is_word(at, "false")) {
        pack_bool(buf, *at == 't');
        return at + (*at == 't' ? 4 : 5);
    }
    return pack_number(buf, at);
}

void notation_pack_call(struct buf *buf, int64_t msgid, const char *text)
{
    const char *open = strchr(text, '(');

    if (open == NULL)
        ck_abort_msg("no '(' in \"%s\"", text);
    pack_array(buf, msgid < 0 ? 3 : 4);
    pack_uint(buf, msgid < 0 ? 2 : 0);
    if (msgid >= 0)
        pack_uint(buf, (uint64_t)msgid);
    pack_str(buf, text, (size_t)(open - text));
    pack_container(buf, open + 1, ')');
}

/* -- to text ------------------------------------------------------------------------------------------------------ */

struct print {
    char *text;
    size_t size, len;
};

static void put(struct print *print, const char *format, ...)
{
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(print->text + print->len, print->size - print->len, format, args);
    va_end(args);
    if (len > 0)
        print->len += (size_t)len;
    if (print->len > print->size - 4) {
        print->len = print->size - 4;
        strcpy(print->text + print->len, "...");
    }
}

static void put_quoted(struct print *print, const struct wire *wire)
{
    put(print, wire->kind == WIRE_BIN ? "b'" : "'");
    for (uint32_t i = 0; i < wire->len && print->len < print->size - 4; i++) {
        unsigned char c = (unsigned char)wire->bytes[i];

        if (c < ' ' || (c >= 0x7f && wire->kind == WIRE_BIN))
            put(print, "\\x%02x", c);
        else
            put(print, c == '\'' || c == '\\' ? "\\%c" : "%c", c);
    }
    put(print, "'");
}

/* A reference of the map dialect that was sent by the server. */
static bool put_reference(struct print *print, struct reader *reader)
{
    struct reader ahead = *reader;
    struct wire key = read_next(&ahead);
    struct wire array = read_next(&ahead);
    struct wire handle = read_next(&ahead);
    struct wire id = read_next(&ahead);
    struct wire type = read_next(&ahead);

    if (!wire_is_str(&key, "@") || array.kind != WIRE_ARRAY || array.len != 3 || handle.kind != WIRE_UINT ||
        id.kind != WIRE_UINT || type.kind != WIRE_STR)
        return false;
    put(print, "@%llu:%.*s", (unsigned long long)handle.uint, (int)type.len, type.bytes);
    *reader = ahead;
    return true;
}

static void put_value(struct print *print, struct reader *reader);

static void put_container(struct print *print, struct reader *reader, const struct wire *wire)
{
    bool is_map = wire->kind == WIRE_MAP;

    if (is_map && wire->len == 1 && put_reference(print, reader))
        return;
    put(print, is_map ? "{" : "[");
    for (uint32_t i = 0; i < wire->len; i++) {
        put(print, i > 0 ? ", " : "");
        put_value(print, reader);
        if (is_map) {
            put(print, ": ");
            put_value(print, reader);
        }
    }
    put(print, is_map ? "}" : "]");
}

static void put_value(struct print *print, struct reader *reader)
{
    struct wire wire = read_next(reader);

    switch (wire.kind) {
    case WIRE_NIL:
        put(print, "nil");
        break;
    case WIRE_BOOL:
        put(print, wire.boolean ? "true" : "false");
        break;
    case WIRE_UINT:
        put(print, "%llu", (unsigned long long)wire.uint);
        break;
    case WIRE_INT:
        put(print, "%lld", (long long)wire.sint);
        break;
    case WIRE_FLOAT:
        put(print, "%.17g", wire.real);
        break;
    case WIRE_STR:
    case WIRE_BIN:
        put_quoted(print, &wire);
        break;
    case WIRE_EXT:
        put(print, "<ext %d %u>", wire.ext, wire.len);
        break;
    case WIRE_ARRAY:
    case WIRE_MAP:
        put_container(print, reader, &wire);
        break;
    default:
        put(print, "<end>");
    }
}

void notation_print(char *text, size_t size, struct reader *reader)
{
    struct print print = {text, size, strlen(text)};

    put_value(&print, reader);
}
