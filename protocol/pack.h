/*
 * protocol/pack.h - an output buffer, and msgpack-c packing into it.
 *
 * A `buf` grows up to its `limit`; beyond it, or without memory, the buffer's `failed` is set and stays set until
 * pack_rewind or buf_clear: a writer may pack a whole frame and look once at the end. Lengths are checked before they
 * are packed (msgpack-c cuts those of 2^32 and more silently).
 */
#ifndef HEAPD_PROTOCOL_PACK_H
#define HEAPD_PROTOCOL_PACK_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Storage that a buffer has left for the next one. */
struct buf_spare {
    char *bytes; /* owned, NULL: none */
    size_t capacity;
};

/*
 * Where buffers take memory from: realloc-like; size 0 frees. NULL means the C library's. Must outlive the buffer.
 * Buffers with a `spare` leave their storage there when they become empty, and the next one takes it: many of them that
 * are used one after the other take no more memory than one, and the same that is in the processor's cache. Without one
 * each keeps its own.
 */
struct buf_memory {
    void *(*resize)(void *context, void *old, size_t old_size, size_t size);
    void *context;
    struct buf_spare *spare;
};

/* Frees what was left there. */
void buf_spare_fini(const struct buf_memory *memory);

struct buf {
    char *bytes;  /* owned; NULL while capacity is 0 */
    size_t len;   /* bytes written */
    size_t sent;  /* of those, bytes already taken from the front by the reader of the buffer */
    size_t capacity;
    size_t limit; /* most bytes it may hold */
    bool failed;  /* no memory or beyond the limit: what was written since is missing */
    bool over_limit; /* of a failure: it was the limit */
    const struct buf_memory *memory;
};

void buf_init(struct buf *buf, size_t limit, const struct buf_memory *memory);
void buf_fini(struct buf *buf);

/* The same as buf_reserve, where there is no room yet or no use. */
bool buf_grow(struct buf *buf, size_t more);

/* Makes room for `more` bytes; false (and failed) if that cannot be. */
static inline bool buf_reserve(struct buf *buf, size_t more)
{
    return (!buf->failed && more <= buf->capacity - buf->len) || buf_grow(buf, more);
}

/* Appends raw bytes. `len` 0 is fine with any pointer. */
void buf_append(struct buf *buf, const void *bytes, size_t len);

/* Marks `n` bytes at the front as taken. When all are, storage is kept for reuse up to 64 KiB, by this buffer or as a
 * spare, and given back beyond it. */
void buf_taken(struct buf *buf, size_t n);

/* Moves what waits to the front. Positions change. */
void buf_move(struct buf *buf);

/* The same if at least half of the storage in use is taken bytes. Positions change. */
static inline void buf_compact(struct buf *buf)
{
    if (buf->sent > 0 && buf->sent >= buf->len / 2)
        buf_move(buf);
}

/* Forgets everything written, and a failure; storage kept. */
void buf_clear(struct buf *buf);

/* Gives the storage of an empty buffer back. */
void buf_trim(struct buf *buf);

/* An empty buffer that shares a spare leaves its storage there; if there is one already, it goes. */
void buf_leave(struct buf *buf);

/* Cuts the buffer back to `len` bytes and forgets a failure. */
void buf_rewind(struct buf *buf, size_t len);

/* Bytes that wait to be taken. */
static inline size_t buf_pending(const struct buf *buf)
{
    return buf->len - buf->sent;
}

/* One byte. */
static inline void pack_byte(struct buf *buf, unsigned char byte)
{
    if (buf_reserve(buf, 1))
        buf->bytes[buf->len++] = (char)byte;
}

/* The same as pack_uint and pack_int, at a place where PUT_NUMBER bytes have room: returns the place behind it. */
#define PUT_NUMBER 9

static inline char *put_uint(char *at, uint64_t value)
{
    if (value < 0x80) {
        at[0] = (char)value;
        return at + 1;
    }
    if (value > UINT32_MAX) {
        at[0] = (char)0xcf;
        memcpy(at + 1, &(uint64_t){htobe64(value)}, 8);
        return at + 9;
    }
    if (value > UINT16_MAX) { /* before the shorter ones: the number of a request mostly is */
        at[0] = (char)0xce;
        memcpy(at + 1, &(uint32_t){htobe32((uint32_t)value)}, 4);
        return at + 5;
    }
    if (value > UINT8_MAX) {
        at[0] = (char)0xcd;
        memcpy(at + 1, &(uint16_t){htobe16((uint16_t)value)}, 2);
        return at + 3;
    }
    at[0] = (char)0xcc;
    at[1] = (char)value;
    return at + 2;
}

char *put_negative(char *at, int64_t value); /* below 0 */

static inline char *put_int(char *at, int64_t value)
{
    return value >= 0 ? put_uint(at, (uint64_t)value) : put_negative(at, value);
}

/* One value each, in its shortest encoding. The short forms, of which most answers consist, are written here and by
 * hand. */
static inline void pack_nil(struct buf *buf)
{
    pack_byte(buf, 0xc0);
}

static inline void pack_bool(struct buf *buf, bool value)
{
    pack_byte(buf, value ? 0xc3 : 0xc2);
}

static inline void pack_int(struct buf *buf, int64_t value)
{
    if (buf_reserve(buf, PUT_NUMBER))
        buf->len = (size_t)(put_int(buf->bytes + buf->len, value) - buf->bytes);
}

static inline void pack_uint(struct buf *buf, uint64_t value)
{
    if (buf_reserve(buf, PUT_NUMBER))
        buf->len = (size_t)(put_uint(buf->bytes + buf->len, value) - buf->bytes);
}

void pack_float(struct buf *buf, double value); /* always float 64 */
void pack_str(struct buf *buf, const char *bytes, size_t len);
/* Only the header of a str or bin: `len` bytes must be appended. */
void pack_str_head(struct buf *buf, size_t len);
void pack_bin_head(struct buf *buf, size_t len);
void pack_cstr(struct buf *buf, const char *text);
void pack_bin(struct buf *buf, const void *bytes, size_t len);
void pack_ext(struct buf *buf, int8_t type, const void *bytes, size_t len);
void pack_array(struct buf *buf, size_t len);
void pack_map(struct buf *buf, size_t len);

/* A key and a number of a map. */
static inline void pack_entry_uint(struct buf *buf, const char *key, uint64_t value)
{
    pack_cstr(buf, key);
    pack_uint(buf, value);
}

#endif
