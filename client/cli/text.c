/* text.c - see text.h. */
#include "client/cli/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_put(struct buf *out, const char *format, ...)
{
    char text[200];
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (len > 0)
        buf_append(out, text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
}

/* -- numbers ------------------------------------------------------------------------------------------------------ */

/* The fewest digits after the first that read back as `value`; `text` gets them as 1.234e+05. */
static void shortest(double value, char *text, size_t size)
{
    for (int digits = 0; digits <= 16; digits++) {
        snprintf(text, size, "%.*e", digits, value);
        if (strtod(text, NULL) == value)
            return;
    }
}

void text_put_float(struct buf *out, double value)
{
    char text[40];
    const char *point;
    int exponent;
    int digits; /* behind the point, once there is no exponent */

    if (isnan(value) || isinf(value)) {
        text_put(out, "%s", isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
        return;
    }
    shortest(value, text, sizeof text);
    exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
    if (exponent < -4 || exponent >= 16) {
        text_put(out, "%s", text);
        return;
    }
    point = strchr(text, '.');
    digits = (point != NULL ? (int)(strchr(text, 'e') - point) - 1 : 0) - exponent;
    text_put(out, "%.*f", digits > 1 ? digits : 1, value);
}

/* -- characters --------------------------------------------------------------------------------------------------- */

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

bool text_take_point(const char **at, const char *end, uint32_t *point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)*(*at)++;
    unsigned len = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    uint32_t value = len == 1 ? first : first & (0x7fu >> len);

    if (len == 0 || (size_t)(end - *at) < len - 1)
        return false;
    for (unsigned i = 0; i + 1 < len; i++) {
        if (!is_continuation((*at)[i]))
            return false;
        value = value << 6 | ((unsigned char)(*at)[i] & 0x3f);
    }
    if (value < least[len] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
        return false;
    *at += len - 1;
    *point = value;
    return true;
}

/* Controls, and what shows as nothing or turns the text around it: Unicode's Cc, Cf, Zl, Zp, Co and odd spaces. */
static bool is_harmless(uint32_t point)
{
    static const struct {
        uint32_t first, last;
    } harmful[] = {
        {0x00, 0x1f},       {0x7f, 0xa0},       {0xad, 0xad},       {0x600, 0x605},     {0x61c, 0x61c},
        {0x6dd, 0x6dd},     {0x70f, 0x70f},     {0x890, 0x891},     {0x8e2, 0x8e2},     {0x1680, 0x1680},
        {0x180e, 0x180e},   {0x2000, 0x200f},   {0x2028, 0x202f},   {0x205f, 0x206f},   {0x3000, 0x3000},
        {0xe000, 0xf8ff},   {0xfeff, 0xfeff},   {0xfff0, 0xfffb},   {0xfffe, 0xffff},   {0x110bd, 0x110bd},
        {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}, {0xf0000, 0x10ffff},
    };

    for (size_t i = 0; i < sizeof harmful / sizeof *harmful; i++)
        if (point >= harmful[i].first && point <= harmful[i].last)
            return false;
    return true;
}

/* An escape, as Python writes it. */
static void put_escape(struct buf *out, uint32_t point)
{
    if (point == '\n' || point == '\r' || point == '\t')
        text_put(out, "\\%c", point == '\n' ? 'n' : point == '\r' ? 'r' : 't');
    else
        text_put(out, point < 0x100 ? "\\x%02x" : point < 0x10000 ? "\\u%04x" : "\\U%08x", point);
}

/* One character; a backslash before it if it is in `quoted`. */
static void put_point(struct buf *out, const char **at, const char *end, const char *quoted)
{
    const char *start = *at;
    uint32_t point = 0;

    if (!text_take_point(at, end, &point))
        text_put(out, "\\x%02x", (unsigned char)*start);
    else if (!is_harmless(point))
        put_escape(out, point);
    else if (point < 0x80 && strchr(quoted, (int)point) != NULL)
        text_put(out, "\\%c", (char)point);
    else
        buf_append(out, start, (size_t)(*at - start));
}

/* Single quotes, unless the text has such and no double ones. */
static const char *quotes_of(const char *bytes, size_t len)
{
    bool has_single = len > 0 && memchr(bytes, '\'', len) != NULL;
    bool has_double = len > 0 && memchr(bytes, '"', len) != NULL;

    return has_single && !has_double ? "\"\\" : "'\\";
}

void text_put_str(struct buf *out, const char *bytes, size_t len)
{
    const char *quoted = quotes_of(bytes, len);
    const char *end = bytes + len;

    buf_append(out, quoted, 1);
    while (bytes < end)
        put_point(out, &bytes, end, quoted);
    buf_append(out, quoted, 1);
}

void text_put_bytes(struct buf *out, const char *bytes, size_t len)
{
    const char *quoted = quotes_of(bytes, len);

    buf_append(out, "b", 1);
    buf_append(out, quoted, 1);
    for (size_t i = 0; i < len; i++) {
        const char *at = bytes + i;

        put_point(out, &at, at + 1, quoted); /* alone, a byte that is not ASCII is no character */
    }
    buf_append(out, quoted, 1);
}

void text_put_safe(struct buf *out, const char *bytes, size_t len)
{
    const char *end = bytes + len;

    while (bytes < end)
        put_point(out, &bytes, end, "");
}

void text_put_count(struct buf *out, uint64_t count, unsigned width)
{
    char digits[32], text[48];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    int at = 0;

    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
    text_put(out, "%*s", (int)width, text);
}
