/*
 * store/compare.h - equality, order, hash and repr of any objects, as in Python; iterative, bounded by the work budget.
 *
 * Identical objects are equal without a look inside (as CPython's containers hold it; so NaN in a list equals itself
 * there, and a cyclic structure equals itself). Two different cyclic structures end in LIMIT.
 */
#ifndef HEAPD_STORE_COMPARE_H
#define HEAPD_STORE_COMPARE_H

#include "store/bytes.h"
#include "store/heap.h"

enum compare_op { COMPARE_EQ, COMPARE_NE, COMPARE_LT, COMPARE_LE, COMPARE_GT, COMPARE_GE };

/* The value of `a op b`. TYPE where Python raises TypeError, LIMIT beyond the work budget, NO_MEMORY. A living proxy
 * stands for its target, a dead one is DEAD. EQ and NE of atoms fail only if long texts use up the budget. At the top
 * level NaN is unequal to itself. */
enum hd_err obj_compare(struct heap *heap, struct obj *a, struct obj *b, enum compare_op op, bool *result);

/*
 * The same in slices, for an `a` that is a list, tuple, dict or set, or a proxy of one. While it goes on, nothing that
 * was made before may be changed (store/copy.h); from the first pair that is weak on, it is done in one go.
 *
 * comparison_open: begins with what is left of the work budget, holds `a` and `b`. DEAD, LIMIT, NO_MEMORY.
 * comparison_run: goes on for about `budget` pairs; true at the end, which comparison_result tells as obj_compare.
 * comparison_close: frees it, at the end or before.
 * comparison_roots: shows what it holds.
 */
struct comparison;
enum hd_err comparison_open(struct heap *heap, struct obj *a, struct obj *b, enum compare_op op,
                            struct comparison **out);
bool comparison_run(struct comparison *c, size_t budget);
enum hd_err comparison_result(struct comparison *c, bool *result);
void comparison_close(struct comparison *c);
void comparison_roots(struct comparison *c, void (*visit)(void *arg, struct obj *o), void *arg);

/* Equality as containers use it: identical or equal. */
enum hd_err obj_equal(struct heap *heap, struct obj *a, struct obj *b, bool *result);

/* The hash that tables use: keyed, 32 bits; equal objects have equal ones (1, 1.0, true). TYPE if unhashable (list,
 * dict, set, proxy, tuples that hold such, weakrefs to such or, never asked before, to something dead). Iterative;
 * charges work for tuples and weakrefs. */
enum hd_err obj_hash(struct heap *heap, struct obj *o, uint32_t *hash);

/* The hash of what is compared by identity, for any object. */
uint32_t obj_identity_hash(const struct heap *heap, const struct obj *o);

/* True if both are equal as dict keys. Both hashable. LIMIT and NO_MEMORY are possible for tuples only. */
enum hd_err obj_same_key(struct heap *heap, struct obj *a, struct obj *b, bool *result);

/* SipHash-1-3 (J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", 2012; 1-3 as in CPython 3.11). */
uint64_t siphash13(const uint64_t key[2], const void *bytes, size_t len);

/* The same with a key of zeroes, of bytes that are there and are looked at in parts: those before `end`, so far as they
 * are whole words; then all `len`, those already looked at included. */
struct siphash {
    uint64_t a, b, c, d;
    size_t at;
};
void siphash_start(struct siphash *hash);
void siphash_some(struct siphash *hash, const char *bytes, size_t end);
uint64_t siphash_end(struct siphash *hash, const char *bytes, size_t len);

/* A product of 128 bits, its halves folded. */
static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The same as heap_hash_bytes, of more than 16 bytes. */
uint32_t heap_hash_long(const struct heap *heap, const void *bytes, size_t len);

/*
 * By which tables find names, strs and bytes: keyed, so that nobody can make many that collide; nobody outside may
 * learn it (docs/adr/0015). Up to 16 bytes are two words, which overlap if they are fewer: multiplied with the key in
 * both, then once more with the length (as in Y. Wang's wyhash). Longer ones go through SipHash-1-3.
 */
static inline uint32_t heap_hash_bytes(const struct heap *heap, const char *bytes, size_t len)
{
    const uint64_t *key = heap->hash_key;
    uint64_t first, last = 0, hash;

    if (len > 16)
        return heap_hash_long(heap, bytes, len);
    if (len >= 8) {
        first = bytes_word(bytes);
        last = bytes_word(bytes + len - 8);
    } else {
        first = bytes_short(bytes, len);
    }
    hash = hash_fold(hash_fold(first ^ key[0], last ^ key[1]) ^ len, key[0] ^ UINT64_C(0x9e3779b97f4a7c15));
    return (uint32_t)(hash ^ hash >> 32);
}

/* Python's repr as a new str. LIMIT beyond the work budget, which the bytes written use up too. A cycle prints as
 * [...], {...}. A proxy prints as itself. */
enum hd_err obj_repr(struct heap *heap, struct obj *o, struct obj **out);

/* The same in slices, as a comparison. repr_result gives the str, owned, once. */
struct repr;
enum hd_err repr_open(struct heap *heap, struct obj *o, struct repr **out);
bool repr_run(struct repr *r, size_t budget);
enum hd_err repr_result(struct repr *r, struct obj **out);
void repr_close(struct repr *r);
void repr_roots(struct repr *r, void (*visit)(void *arg, struct obj *o), void *arg);

#endif
