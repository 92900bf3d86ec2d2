/*
 * protocol/quick.h - the short way for what nearly every frame is: a request or notification that is all there, of few
 * and plain values.
 *
 * What it does not know it refuses, whether it is wrong, incomplete or only unusual: then protocol/feed.h has the word.
 * Inline, for it runs once for each request.
 */
#ifndef HEAPD_PROTOCOL_QUICK_H
#define HEAPD_PROTOCOL_QUICK_H

#include <endian.h>
#include <string.h>

#include "protocol/feed.h"

/* Passes over `owed` values from bytes[at] on and gives their end; 0 if they are not all there, or not for the short
 * way. */
size_t quick_pass(const unsigned char *bytes, size_t at, size_t len, uint32_t owed);

/* A msgid at bytes[2] of at least 8: where it ends, or 0. */
static inline size_t quick_msgid(const unsigned char *bytes, uint32_t *msgid)
{
    unsigned head = bytes[2], size;
    uint32_t big_endian;

    if (head < 0x80) {
        *msgid = head;
        return 3;
    }
    if (head < 0xcc || head > 0xce)
        return 0;
    size = 1u << (head - 0xcc);
    memcpy(&big_endian, bytes + 3, sizeof big_endian);
    *msgid = be32toh(big_endian) >> (32 - 8 * size);
    return 3 + size;
}

/* True if such a frame of at most `most` bytes stands at bytes[0]. */
static inline bool quick_open(const char *bytes, size_t len, uint64_t most, struct envelope *envelope)
{
    const unsigned char *b = (const unsigned char *)bytes;
    size_t at = 2;
    uint16_t front; /* the array, and the type */

    if (len < 8)
        return false;
    memcpy(&front, b, sizeof front);
    if (front == htobe16(0x9400))
        at = quick_msgid(b, &envelope->msgid);
    else if (front != htobe16(0x9302))
        return false;
    if (at == 0 || (b[at] & 0xe0) != 0xa0)
        return false;
    envelope->type = b[1];
    envelope->method_len = b[at] & 0x1f;
    envelope->method = bytes + at + 1;
    at += 1 + envelope->method_len;
    if (at >= len || (b[at] & 0xf0) != 0x90)
        return false;
    envelope->param_count = b[at] & 0x0f;
    at++;
    envelope->params = bytes + at;
    if (envelope->param_count > 0)
        at = quick_pass(b, at, len, envelope->param_count);
    envelope->end = bytes + at;
    return at != 0 && at <= most;
}

#endif
