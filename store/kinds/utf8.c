/* utf8.c - well-formed UTF-8. */
#include "store/kinds/utf8.h"

/* Length of the sequence that begins here, 0 if it is not well formed. */
static size_t sequence_length(const unsigned char *at, size_t left)
{
    unsigned char first = at[0];
    size_t len = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;

    if (len == 0 || len > left)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    if ((first == 0xe0 && at[1] < 0xa0) || (first == 0xed && at[1] > 0x9f) || (first == 0xf0 && at[1] < 0x90) ||
        (first == 0xf4 && at[1] > 0x8f))
        return 0;
    return len;
}

bool utf8_is_well_formed(const char *bytes, size_t len)
{
    const unsigned char *at = (const unsigned char *)bytes;

    while (len > 0) {
        size_t taken = sequence_length(at, len);

        if (taken == 0)
            return false;
        at += taken;
        len -= taken;
    }
    return true;
}

uint64_t utf8_length(const char *bytes, size_t len)
{
    uint64_t length = 0;

    for (size_t i = 0; i < len; i++)
        length += utf8_is_first(bytes[i]);
    return length;
}

size_t utf8_offset(const char *bytes, size_t len, uint64_t n)
{
    for (size_t i = 0; i < len; i++)
        if (utf8_is_first(bytes[i]) && n-- == 0)
            return i;
    return len;
}

uint32_t utf8_decode(const char *at)
{
    const unsigned char *b = (const unsigned char *)at;

    switch (utf8_width(*at)) {
    case 1:
        return b[0];
    case 2:
        return (b[0] & 0x1fU) << 6 | (b[1] & 0x3fU);
    case 3:
        return (b[0] & 0x0fU) << 12 | (b[1] & 0x3fU) << 6 | (b[2] & 0x3fU);
    default:
        return (b[0] & 0x07U) << 18 | (b[1] & 0x3fU) << 12 | (b[2] & 0x3fU) << 6 | (b[3] & 0x3fU);
    }
}

size_t utf8_encode(uint32_t c, char *to)
{
    size_t width = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char mark[] = {0, 0, 0xc0, 0xe0, 0xf0};

    for (size_t i = width - 1; i > 0; i--, c >>= 6)
        to[i] = (char)(0x80 | (c & 0x3f));
    to[0] = (char)(mark[width] | c);
    return width;
}

/* CPython's _PyUnicode_IsWhitespace: bidirectional type WS, B or S, or category Zs. */
bool utf8_is_space(uint32_t c)
{
    if (c < 0x80)
        return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20);
    return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
           c == 0x202f || c == 0x205f || c == 0x3000;
}
