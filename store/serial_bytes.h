/*
 * store/serial_bytes.h - the MessagePack forms of a dump: written into a buffer from the pool, read in place.
 *
 * By hand, not with msgpack-c (docs/adr/): its reader builds a tree of the whole, its writer calls back for each value.
 */
#ifndef HEAPD_STORE_SERIAL_BYTES_H
#define HEAPD_STORE_SERIAL_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "protocol/limits.h"
#include "store/compare.h"

/* -- the frame around the values ---------------------------------------------------------------------------------- */

static const unsigned char serial_magic[8] = {0x89, 'H', 'E', 'A', 'P', 'D', '\r', '\n'};
#define SERIAL_VERSION 1
#define SERIAL_HEAD 32 /* bytes: magic, version, objects, depth, 0 (32 bits each), bytes of the body (64) */
#define SERIAL_TAIL 8  /* SipHash-1-3 of all before it, with a key of zeros */

static inline void serial_store(void *to, uint64_t value, unsigned size)
{
    for (unsigned i = size; i > 0; i--, value >>= 8)
        ((unsigned char *)to)[i - 1] = (unsigned char)value;
}

static inline uint64_t serial_fetch(const void *from, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value = value << 8 | ((const unsigned char *)from)[i];
    return value;
}

/* What an array with a KIND as its first element is: the type's code; or, of that name, what every heap has. */
enum { SERIAL_BUILTIN = 0 };

/* The seal of `len` bytes, which siphash_start has begun, about 256 bytes for one of *budget, counting down: true when
 * it is known. */
bool serial_seal_some(struct siphash *hash, const char *bytes, size_t len, size_t *budget, uint64_t *seal);

/* -- writing: the caller has made room ---------------------------------------------------------------------------- */

#define SERIAL_ROOM ((size_t)16) /* the most bytes that one of these writes */

static inline char *put_sized(char *to, unsigned char head, uint64_t value, unsigned size)
{
    *to = (char)head;
    serial_store(to + 1, value, size);
    return to + 1 + size;
}

static inline char *put_byte(char *to, unsigned char byte)
{
    *to = (char)byte;
    return to + 1;
}

static inline char *put_uint(char *to, uint64_t value)
{
    if (value < 0x80)
        return put_byte(to, (unsigned char)value);
    if (value <= UINT8_MAX)
        return put_sized(to, 0xcc, value, 1);
    if (value <= UINT16_MAX)
        return put_sized(to, 0xcd, value, 2);
    return value <= UINT32_MAX ? put_sized(to, 0xce, value, 4) : put_sized(to, 0xcf, value, 8);
}

static inline char *put_int(char *to, int64_t value)
{
    if (value >= 0)
        return put_uint(to, (uint64_t)value);
    if (value >= -32)
        return put_byte(to, (unsigned char)value);
    if (value >= INT8_MIN)
        return put_sized(to, 0xd0, (uint64_t)value, 1);
    if (value >= INT16_MIN)
        return put_sized(to, 0xd1, (uint64_t)value, 2);
    return value >= INT32_MIN ? put_sized(to, 0xd2, (uint64_t)value, 4) : put_sized(to, 0xd3, (uint64_t)value, 8);
}

static inline char *put_float(char *to, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return put_sized(to, 0xcb, bits, 8);
}

static inline char *put_str_head(char *to, uint32_t len)
{
    if (len < 32)
        return put_byte(to, (unsigned char)(0xa0 | len));
    if (len <= UINT8_MAX)
        return put_sized(to, 0xd9, len, 1);
    return len <= UINT16_MAX ? put_sized(to, 0xda, len, 2) : put_sized(to, 0xdb, len, 4);
}

static inline char *put_bin_head(char *to, uint32_t len)
{
    if (len <= UINT8_MAX)
        return put_sized(to, 0xc4, len, 1);
    return len <= UINT16_MAX ? put_sized(to, 0xc5, len, 2) : put_sized(to, 0xc6, len, 4);
}

static inline char *put_array_head(char *to, uint32_t len)
{
    if (len < 16)
        return put_byte(to, (unsigned char)(0x90 | len));
    return len <= UINT16_MAX ? put_sized(to, 0xdc, len, 2) : put_sized(to, 0xdd, len, 4);
}

static inline char *put_map_head(char *to, uint32_t len)
{
    if (len < 16)
        return put_byte(to, (unsigned char)(0x80 | len));
    return len <= UINT16_MAX ? put_sized(to, 0xde, len, 2) : put_sized(to, 0xdf, len, 4);
}

/* The extension INDEX: an object that was written before, by its number. */
static inline char *put_index(char *to, uint32_t number)
{
    char payload[8];
    size_t len = (size_t)(put_uint(payload, number) - payload);

    if (len <= 2)
        to = put_byte(to, len == 1 ? 0xd4 : 0xd5);
    else
        to = put_sized(to, 0xc7, len, 1);
    to = put_byte(to, HD_EXT_INDEX);
    memcpy(to, payload, len);
    return to + len;
}

static inline char *put_kind(char *to, unsigned char code)
{
    return put_byte(put_sized(to, 0xd4, HD_EXT_KIND, 1), code);
}

/* -- reading ------------------------------------------------------------------------------------------------------ */

enum serial_form {
    SERIAL_NIL,
    SERIAL_BOOL,  /* .sint: 0, 1 */
    SERIAL_INT,   /* .sint */
    SERIAL_FLOAT, /* .real */
    SERIAL_STR,   /* .bytes, .len */
    SERIAL_BIN,   /* .bytes, .len */
    SERIAL_ARRAY, /* .len values follow */
    SERIAL_MAP,   /* .len pairs of values follow */
    SERIAL_INDEX, /* .len: the number */
    SERIAL_KIND,  /* .len: the code */
    SERIAL_BAD    /* the bytes end, or are none of these */
};

struct serial_value {
    enum serial_form form;
    uint32_t len;
    union {
        int64_t sint;
        double real;
        const char *bytes;
    };
};

struct serial_reader {
    const unsigned char *at, *end;
};

/* Takes the next value; of an array or map only its head. Never reads beyond `end`. */
struct serial_value serial_read(struct serial_reader *reader);

static inline size_t serial_left(const struct serial_reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

#endif
