/* siphash.c - SipHash-1-3. */
#include "store/bytes.h"
#include "store/compare.h"

static inline uint64_t rotate(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

/* Inlined, so that the four stay in registers. */
#define SIP_ROUND(a, b, c, d) \
    ((a) += (b), (c) += (d), (b) = rotate(b, 13) ^ (a), (d) = rotate(d, 16) ^ (c), (a) = rotate(a, 32), (c) += (b), \
     (a) += (d), (b) = rotate(b, 17) ^ (c), (d) = rotate(d, 21) ^ (a), (c) = rotate(c, 32))

/* The last `left` bytes, fewer than 8, as the low bytes of a word; above them the length. Of a longer text they are
 * read together with those before. */
static inline uint64_t last_word(const char *end, size_t left, size_t len)
{
    uint64_t word = 0;

    if (len < 8)
        word = bytes_short(end - left, left);
    else if (left > 0)
        word = le64toh(bytes_word(end - 8)) >> (64 - 8 * left);
    return word | (uint64_t)len << 56;
}

static inline __attribute__((always_inline)) void sip_start(struct siphash *s, const uint64_t key[2])
{
    s->a = key[0] ^ UINT64_C(0x736f6d6570736575);
    s->b = key[1] ^ UINT64_C(0x646f72616e646f6d);
    s->c = key[0] ^ UINT64_C(0x6c7967656e657261);
    s->d = key[1] ^ UINT64_C(0x7465646279746573);
}

static inline __attribute__((always_inline)) void sip_words(struct siphash *s, const char *at, const char *end)
{
    for (; end - at >= 8; at += 8) {
        uint64_t word = le64toh(bytes_word(at));

        s->d ^= word;
        SIP_ROUND(s->a, s->b, s->c, s->d);
        s->a ^= word;
    }
}

static inline __attribute__((always_inline)) uint64_t sip_end(struct siphash *s, uint64_t last)
{
    s->d ^= last;
    SIP_ROUND(s->a, s->b, s->c, s->d);
    s->a ^= last;
    s->c ^= 0xff;
    SIP_ROUND(s->a, s->b, s->c, s->d);
    SIP_ROUND(s->a, s->b, s->c, s->d);
    SIP_ROUND(s->a, s->b, s->c, s->d);
    return s->a ^ s->b ^ s->c ^ s->d;
}

static inline uint64_t hash_bytes(const uint64_t key[2], const char *at, size_t len)
{
    struct siphash s;

    sip_start(&s, key);
    sip_words(&s, at, at + len);
    return sip_end(&s, last_word(at + len, len % 8, len));
}

/* The same with the key 0, of bytes that come in parts. */

static const uint64_t no_key[2];

void siphash_start(struct siphash *hash)
{
    sip_start(hash, no_key);
    hash->at = 0;
}

void siphash_some(struct siphash *hash, const char *bytes, size_t end)
{
    sip_words(hash, bytes + hash->at, bytes + hash->at + (end - hash->at) / 8 * 8);
    hash->at += (end - hash->at) / 8 * 8;
}

uint64_t siphash_end(struct siphash *hash, const char *bytes, size_t len)
{
    siphash_some(hash, bytes, len);
    return sip_end(hash, last_word(bytes + len, len - hash->at, len));
}

uint64_t siphash13(const uint64_t key[2], const void *bytes, size_t len)
{
    return hash_bytes(key, bytes, len);
}

uint32_t heap_hash_long(const struct heap *heap, const void *bytes, size_t len)
{
    uint64_t hash = hash_bytes(heap->hash_key, bytes, len);

    return (uint32_t)(hash ^ hash >> 32);
}
