/*
 * store/kinds/utf8.h - UTF-8: whether bytes are well formed, and going through well-formed ones.
 *
 * Nothing here looks beyond the bytes that it is given. A well-formed text occurs in another one only at whole code
 * points, so what searches, compares or joins texts goes by bytes.
 */
#ifndef HEAPD_STORE_KINDS_UTF8_H
#define HEAPD_STORE_KINDS_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/bytes.h"

#define UTF8_MAX 4 /* bytes of one code point */

/* True if all bytes are below 0x80. */
static inline bool utf8_is_ascii(const char *bytes, size_t len)
{
    const uint64_t high_bits = UINT64_C(0x8080808080808080);
    const char *last;

    if (len < 4)
        return len == 0 || ((bytes[0] | bytes[len / 2] | bytes[len - 1]) & 0x80) == 0;
    if (len < 8)
        return ((bytes_half(bytes) | bytes_half(bytes + len - 4)) & (uint32_t)high_bits) == 0;
    last = bytes + len - 8; /* of these some may be looked at twice */
    for (; bytes < last; bytes += 8)
        if ((bytes_word(bytes) & high_bits) != 0)
            return false;
    return (bytes_word(last) & high_bits) == 0;
}

/* True if `len` bytes are well-formed UTF-8 (Unicode 15, table 3-7: no surrogates, nothing above U+10FFFF). */
bool utf8_is_well_formed(const char *bytes, size_t len);

/* The same; *ascii tells whether all are below 0x80. */
static inline bool utf8_valid(const char *bytes, size_t len, bool *ascii)
{
    *ascii = utf8_is_ascii(bytes, len);
    return *ascii || utf8_is_well_formed(bytes, len);
}

/* True for what Python's str.strip and str.split take for white space. */
bool utf8_is_space(uint32_t code_point);

/* The rest takes well-formed bytes only. */

/* False for the second and later bytes of a code point. */
static inline bool utf8_is_first(char byte)
{
    return (byte & 0xc0) != 0x80;
}

/* Bytes of the code point that begins with this one. */
static inline size_t utf8_width(char first)
{
    unsigned char byte = (unsigned char)first;

    return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

/* Code points in `len` bytes. */
uint64_t utf8_length(const char *bytes, size_t len);

/* Bytes of the first `n` code points; `len` if there are no more than `n`. */
size_t utf8_offset(const char *bytes, size_t len, uint64_t n);

/* The code point at `at`. */
uint32_t utf8_decode(const char *at);

/* Writes a code point, UTF8_MAX bytes at most, and gives how many they are. */
size_t utf8_encode(uint32_t code_point, char *to);

#endif
