/* base64.c - see base64.h. */
#include "client/cli/base64.h"

#include <stdint.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct buf *out, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i += 3) {
        size_t count = len - i < 3 ? len - i : 3;
        uint32_t group = 0;
        char text[4] = {'=', '=', '=', '='};

        for (size_t j = 0; j < 3; j++)
            group = group << 8 | (j < count ? (unsigned char)bytes[i + j] : 0u);
        for (size_t j = 0; j <= count; j++)
            text[j] = digits[group >> (18 - 6 * j) & 63];
        buf_append(out, text, sizeof text);
    }
}

/* One group of four; `padding` of them are '='. */
static bool decode_group(struct buf *out, const char *text, size_t padding)
{
    uint32_t group = 0;
    char bytes[3];

    for (size_t i = 0; i < 4; i++) {
        const char *digit = text[i] != '\0' ? strchr(digits, text[i]) : NULL;

        if (i < 4 - padding ? digit == NULL : text[i] != '=')
            return false;
        group = group << 6 | (i < 4 - padding ? (uint32_t)(digit - digits) : 0);
    }
    for (size_t i = 0; i < 3; i++)
        bytes[i] = (char)(group >> (16 - 8 * i));
    buf_append(out, bytes, 3 - padding);
    return true;
}

bool base64_decode(struct buf *out, const char *text, size_t len)
{
    if (len % 4 != 0)
        return false;
    for (size_t i = 0; i < len; i += 4) {
        bool is_last = i + 4 == len;
        size_t padding = !is_last || text[i + 3] != '=' ? 0 : text[i + 2] != '=' ? 1 : 2;

        if (!decode_group(out, text + i, padding))
            return false;
    }
    return true;
}
