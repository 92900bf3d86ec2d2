/* utf8.c - well-formed UTF-8. */
#include <string.h>

#include "store/kinds/atoms.h"

static bool is_ascii(const char *bytes, size_t len)
{
    size_t i = 0;
    uint64_t word;

    for (; i + 8 <= len; i += 8) {
        memcpy(&word, bytes + i, 8);
        if ((word & UINT64_C(0x8080808080808080)) != 0)
            return false;
    }
    for (; i < len; i++)
        if ((bytes[i] & 0x80) != 0)
            return false;
    return true;
}

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

bool utf8_valid(const char *bytes, size_t len, bool *ascii)
{
    const unsigned char *at = (const unsigned char *)bytes;

    *ascii = is_ascii(bytes, len);
    if (*ascii)
        return true;
    while (len > 0) {
        size_t taken = sequence_length(at, len);

        if (taken == 0)
            return false;
        at += taken;
        len -= taken;
    }
    return true;
}

uint64_t str_length(const struct obj *o)
{
    const struct text *text = (const struct text *)o;
    uint64_t length = 0;

    if ((o->flags & OBJ_ASCII) != 0)
        return text->len;
    for (uint32_t i = 0; i < text->len; i++)
        length += (text->bytes[i] & 0xc0) != 0x80;
    return length;
}
