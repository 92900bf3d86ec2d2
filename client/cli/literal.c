/* literal.c - Python's escapes. */
#include "client/cli/literal.h"

#include <string.h>

size_t literal_put_utf8(char *at, uint32_t point)
{
    if (point < 0x80) {
        at[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        at[0] = (char)(0xc0 | point >> 6);
        at[1] = (char)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        at[0] = (char)(0xe0 | point >> 12);
        at[1] = (char)(0x80 | (point >> 6 & 0x3f));
        at[2] = (char)(0x80 | (point & 0x3f));
        return 3;
    }
    at[0] = (char)(0xf0 | point >> 18);
    at[1] = (char)(0x80 | (point >> 12 & 0x3f));
    at[2] = (char)(0x80 | (point >> 6 & 0x3f));
    at[3] = (char)(0x80 | (point & 0x3f));
    return 4;
}

struct decoder {
    const char *at;
    const char *end;
    char *out;
    bool is_bytes;
};

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

/* Up to `most` digits of the base; how many there were in *count. */
static uint32_t take_digits(struct decoder *d, int base, unsigned most, unsigned *count)
{
    uint32_t value = 0;

    for (*count = 0; *count < most && d->at < d->end && digit_of(*d->at) < base; (*count)++)
        value = value * (uint32_t)base + (uint32_t)digit_of(*d->at++);
    return value;
}

static const char *put_point(struct decoder *d, uint32_t point)
{
    if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
        return "the escape is no Unicode character";
    if (d->is_bytes)
        *d->out++ = (char)point;
    else
        d->out += literal_put_utf8(d->out, point);
    return NULL;
}

/* \xhh, \uhhhh, \Uhhhhhhhh, behind the letter. */
static const char *take_hex(struct decoder *d, unsigned digits)
{
    unsigned count;
    uint32_t point = take_digits(d, 16, digits, &count);

    return count == digits ? put_point(d, point) : "the escape has too few hexadecimal digits";
}

static const char *take_octal(struct decoder *d)
{
    unsigned count;
    uint32_t point = take_digits(d, 8, 3, &count);

    return put_point(d, d->is_bytes ? point & 0xff : point);
}

/* Behind the backslash, at least one byte left. */
static const char *take_escape(struct decoder *d)
{
    static const char letters[] = "\\'\"abfnrtv";
    static const char meanings[] = "\\'\"\a\b\f\n\r\t\v";
    char c = *d->at;
    const char *letter = c != '\0' ? strchr(letters, c) : NULL;

    if (c >= '0' && c <= '7')
        return take_octal(d);
    d->at++;
    if (letter != NULL) {
        *d->out++ = meanings[letter - letters];
        return NULL;
    }
    if (c == 'x')
        return take_hex(d, 2);
    if (!d->is_bytes && (c == 'u' || c == 'U'))
        return take_hex(d, c == 'u' ? 4 : 8);
    if (!d->is_bytes && c == 'N')
        return "characters have no names here; write \\u or \\U";
    *d->out++ = '\\';
    *d->out++ = c;
    return NULL;
}

const char *literal_decode(struct arena *arena, bool is_bytes, bool is_raw, const char **text, size_t *len)
{
    struct decoder d = {.at = *text, .end = *text + *len, .is_bytes = is_bytes};
    const char *error = NULL;
    char *start;

    for (size_t i = 0; is_bytes && i < *len; i++)
        if ((unsigned char)(*text)[i] >= 0x80)
            return "bytes hold ASCII characters and escapes only";
    if (*len == 0 || is_raw || memchr(*text, '\\', *len) == NULL)
        return NULL;
    d.out = start = arena_alloc(arena, *len); /* no escape is shorter than what it means */
    if (start == NULL)
        return "out of memory";
    while (error == NULL && d.at < d.end) {
        if (*d.at != '\\' || d.end - d.at == 1)
            *d.out++ = *d.at++;
        else if (d.at++, true)
            error = take_escape(&d);
    }
    *text = start;
    *len = (size_t)(d.out - start);
    return error;
}
