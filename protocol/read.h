/*
 * protocol/read.h - reading values in place from bytes that protocol/feed.h has found to be well formed.
 *
 * A `reader` is a cursor over memory it does not own. Each call takes one value's header; str, bin and ext payloads are
 * pointers into the frame. Reading beyond the end answers WIRE_END, never memory: the scanner's word is checked again.
 */
#ifndef HEAPD_PROTOCOL_READ_H
#define HEAPD_PROTOCOL_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wire_kind {
    WIRE_NIL,
    WIRE_BOOL,  /* .boolean */
    WIRE_UINT,  /* .uint: 0 ... 2^64-1, whatever width it was sent in, also of a signed header when >= 0 */
    WIRE_INT,   /* .sint: negative only */
    WIRE_FLOAT, /* .real: float 32 is widened */
    WIRE_STR,   /* .bytes, .len */
    WIRE_BIN,   /* .bytes, .len */
    WIRE_EXT,   /* .bytes, .len, .ext */
    WIRE_ARRAY, /* .len values follow */
    WIRE_MAP,   /* .len pairs follow */
    WIRE_END    /* no value: the frame is over (or, never in a scanned frame, broken) */
};

struct wire {
    enum wire_kind kind;
    int8_t ext;   /* type of WIRE_EXT */
    uint32_t len; /* bytes, elements or pairs */
    union {
        bool boolean;
        uint64_t uint;
        int64_t sint;
        double real;
        const char *bytes; /* never NULL for STR, BIN, EXT, also when len is 0 */
    };
};

struct reader {
    const char *at;
    const char *end;
};

/* The same as read_next for headers from 0xc0 to 0xdf, which was taken; read.c */
struct wire read_long(struct reader *reader, unsigned char head);

/* Takes the next header (and payload). WIRE_END once at == end. */
static inline struct wire read_next(struct reader *reader)
{
    struct wire wire = {.kind = WIRE_END};
    unsigned char head;

    if (reader->at >= reader->end)
        return wire;
    head = (unsigned char)*reader->at++;
    if (head < 0x80) {
        wire.kind = WIRE_UINT;
        wire.uint = head;
    } else if (head < 0xa0) {
        wire.kind = head < 0x90 ? WIRE_MAP : WIRE_ARRAY;
        wire.len = head & 0x0f;
    } else if (head < 0xc0) {
        if (reader->end - reader->at < (head & 0x1f))
            return wire;
        wire.kind = WIRE_STR;
        wire.len = head & 0x1f;
        wire.bytes = reader->at;
        reader->at += wire.len;
    } else if (head >= 0xe0) {
        wire.kind = WIRE_INT;
        wire.sint = (int64_t)head - 256;
    } else {
        return read_long(reader, head);
    }
    return wire;
}

/* Takes a str of fewer than 32 bytes, if that is what comes next: what nearly every name and key is. */
static inline bool read_short_str(struct reader *reader, const char **bytes, size_t *len)
{
    const char *at = reader->at;
    size_t size;

    if (at >= reader->end || ((unsigned char)*at & 0xe0) != 0xa0)
        return false;
    size = (unsigned char)*at & 0x1f;
    if ((size_t)(reader->end - at) <= size)
        return false;
    *bytes = at + 1;
    *len = size;
    reader->at = at + 1 + size;
    return true;
}

/* Takes the header of an array of fewer than 16 items, if that is what comes next. */
static inline bool read_short_array(struct reader *reader, uint32_t *count)
{
    if (reader->at >= reader->end || ((unsigned char)*reader->at & 0xf0) != 0x90)
        return false;
    *count = (unsigned char)*reader->at++ & 0x0f;
    return true;
}

/* Whether a map comes next. */
static inline bool read_is_map(const struct reader *reader)
{
    unsigned char head = reader->at < reader->end ? (unsigned char)*reader->at : 0;

    return (head & 0xf0) == 0x80 || head == 0xde || head == 0xdf;
}

/* What the next value is, without taking it. */
static inline struct wire read_peek(const struct reader *reader)
{
    struct reader ahead = *reader;

    return read_next(&ahead);
}

/* Passes over one whole value, containers with all their content. Iterative. False at the end of the frame. */
bool read_skip(struct reader *reader);

/* True if `wire` is a str with exactly these bytes. */
bool wire_is_str(const struct wire *wire, const char *text);

#endif
