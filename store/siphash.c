/* siphash.c - SipHash-1-3, the keyed hash of names and keys. */
#include "store/bytes.h"
#include "store/compare.h"

static inline uint64_t rotate(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

/* The state is four variables, so that it stays in registers. */
#define SIP_ROUND(a, b, c, d) \
    ((a) += (b), (c) += (d), (b) = rotate(b, 13) ^ (a), (d) = rotate(d, 16) ^ (c), (a) = rotate(a, 32), (c) += (b), \
     (a) += (d), (b) = rotate(b, 17) ^ (c), (d) = rotate(d, 21) ^ (a), (c) = rotate(c, 32))

/* The last `left` bytes, fewer than 8, as the low bytes of a word; above them the length. Of a longer text they are read
 * together with those before. */
static inline uint64_t last_word(const char *end, size_t left, size_t len)
{
    uint64_t word = 0;

    if (len < 8)
        word = bytes_short(end - left, left);
    else if (left > 0)
        word = le64toh(bytes_word(end - 8)) >> (64 - 8 * left);
    return word | (uint64_t)len << 56;
}

static inline __attribute__((always_inline)) uint64_t hash_bytes(const uint64_t key[2], const char *at, size_t len)
{
    const char *end = at + len;
    uint64_t a = key[0] ^ UINT64_C(0x736f6d6570736575);
    uint64_t b = key[1] ^ UINT64_C(0x646f72616e646f6d);
    uint64_t c = key[0] ^ UINT64_C(0x6c7967656e657261);
    uint64_t d = key[1] ^ UINT64_C(0x7465646279746573);
    uint64_t word;

    for (; end - at >= 8; at += 8) {
        word = le64toh(bytes_word(at));
        d ^= word;
        SIP_ROUND(a, b, c, d);
        a ^= word;
    }
    word = last_word(end, (size_t)(end - at), len);
    d ^= word;
    SIP_ROUND(a, b, c, d);
    a ^= word;
    c ^= 0xff;
    SIP_ROUND(a, b, c, d);
    SIP_ROUND(a, b, c, d);
    SIP_ROUND(a, b, c, d);
    return a ^ b ^ c ^ d;
}

uint64_t siphash13(const uint64_t key[2], const void *bytes, size_t len)
{
    return hash_bytes(key, bytes, len);
}

uint32_t heap_hash_bytes(const struct heap *heap, const void *bytes, size_t len)
{
    uint64_t hash;

    if (heap_knows(heap, bytes, len))
        return heap->known->hash;
    hash = hash_bytes(heap->hash_key, bytes, len);
    return (uint32_t)(hash ^ hash >> 32);
}
