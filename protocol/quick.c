/* quick.c - the values behind a method, quickly. */
#include "protocol/quick.h"

#include "protocol/limits.h"

/*
 * How to pass over a value, by its first byte: up to 0x7f so many bytes in all; 0x80 and more: one byte, and so many
 * values follow; LEN8, LEN16: a length of one or two bytes follows, and so many bytes; SLOW: not here.
 */
#define SLOW 0xff
#define LEN8 0xfe
#define LEN16 0xfd

#define TIMES4(x) x, x, x, x
#define TIMES16(x) TIMES4(x), TIMES4(x), TIMES4(x), TIMES4(x)

static const uint8_t ways[256] = {
    TIMES16(1), TIMES16(1), TIMES16(1), TIMES16(1), TIMES16(1), TIMES16(1), TIMES16(1), TIMES16(1), /* fixint */
    0x80, 0x82, 0x84, 0x86, 0x88, 0x8a, 0x8c, 0x8e, 0x90, 0x92, 0x94, 0x96, 0x98, 0x9a, 0x9c, 0x9e, /* fixmap */
    0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f, /* fixarray */
    1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, /* fixstr */
    17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32,
    1, SLOW, 1, 1, LEN8, LEN16, SLOW, SLOW, SLOW, SLOW, 5, 9, 2, 3, 5, 9, /* nil, c1, bools, bin, ext, float, uint */
    2, 3, 5, 9, 3, 4, 6, 10, 18, LEN8, LEN16, SLOW, SLOW, SLOW, SLOW, SLOW, /* int, fixext, str, array, map */
    TIMES16(1), TIMES16(1), /* negative fixint */
};

/* As many containers as may be nested at all cannot be nested too deep. */
size_t quick_pass(const unsigned char *bytes, size_t at, size_t len, uint32_t owed)
{
    unsigned containers = 0;

    for (; owed > 0; owed--) {
        unsigned way;

        if (at >= len)
            return 0;
        way = ways[bytes[at]];
        if (way < 0x80) {
            at += way;
        } else if (way < LEN16) {
            owed += way & 0x7f;
            at++;
            if (++containers > HD_DEPTH_MIN - 2)
                return 0;
        } else if (way == LEN8 && len - at >= 2) {
            at += 2u + bytes[at + 1];
        } else if (way == LEN16 && len - at >= 3) {
            at += 3u + (bytes[at + 1] << 8 | bytes[at + 2]);
        } else {
            return 0;
        }
    }
    return at <= len ? at : 0;
}
