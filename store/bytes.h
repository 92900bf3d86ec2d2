/*
 * store/bytes.h - short runs of bytes as words: names and keys are few bytes, and a call of memcmp costs more than
 * they.
 *
 * Words are in the machine's order, but where a function says otherwise. Nothing here looks beyond the bytes it is
 * given.
 */
#ifndef HEAPD_STORE_BYTES_H
#define HEAPD_STORE_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t bytes_word(const char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

static inline uint32_t bytes_half(const char *at)
{
    uint32_t half;

    memcpy(&half, at, sizeof half);
    return half;
}

/* Fewer than 8 bytes as the low bytes of a word, the first one lowest; the rest is 0. Without a loop: the parts that
 * are read overlap, and agree where they do. */
static inline uint64_t bytes_short(const char *at, size_t len)
{
    const unsigned char *byte = (const unsigned char *)at;

    if (len == 0)
        return 0;
    if (len < 4)
        return byte[0] | (uint64_t)byte[len / 2] << 8 * (len / 2) | (uint64_t)byte[len - 1] << 8 * (len - 1);
    return le32toh(bytes_half(at)) | (uint64_t)le32toh(bytes_half(at + len - 4)) << 8 * (len - 4);
}

static inline bool bytes_are_same(const char *a, const char *b, size_t len)
{
    if (len > 16)
        return memcmp(a, b, len) == 0;
    if (len >= 8)
        return ((bytes_word(a) ^ bytes_word(b)) | (bytes_word(a + len - 8) ^ bytes_word(b + len - 8))) == 0;
    if (len >= 4)
        return ((bytes_half(a) ^ bytes_half(b)) | (bytes_half(a + len - 4) ^ bytes_half(b + len - 4))) == 0;
    return len == 0 || ((a[0] ^ b[0]) | (a[len / 2] ^ b[len / 2]) | (a[len - 1] ^ b[len - 1])) == 0;
}

/* memcpy of few bytes, by parts that overlap. */
static inline void bytes_copy(char *to, const char *from, size_t len)
{
    if (len > 16) {
        memcpy(to, from, len);
    } else if (len >= 8) {
        memcpy(to, from, 8);
        memcpy(to + len - 8, from + len - 8, 8);
    } else if (len >= 4) {
        memcpy(to, from, 4);
        memcpy(to + len - 4, from + len - 4, 4);
    } else if (len > 0) {
        to[0] = from[0];
        to[len / 2] = from[len / 2];
        to[len - 1] = from[len - 1];
    }
}

#endif
