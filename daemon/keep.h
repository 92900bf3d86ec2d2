/*
 * daemon/keep.h - what was said to a client that may come back for it: numbered records, the oldest of which give way.
 *
 * Records have numbers without a gap. When there is no room for bytes the oldest lose theirs, and when there are too
 * many records they are forgotten altogether. One that is too large by itself is recorded without its bytes.
 */
#ifndef HEAPD_DAEMON_KEEP_H
#define HEAPD_DAEMON_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/pack.h"

struct kept {
    uint32_t len;         /* bytes */
    bool is_whole;        /* they are there */
    uint8_t event;        /* of an event: which, */
    uint8_t params;       /* and how many parameters; its bytes are these */
    uint32_t msgid;       /* of a response, whose bytes are the whole frame */
    uint32_t into;        /* the handle with a number of the client's choice that it gave, or 0; */
    uint32_t given_count; /* those with numbers of the server's, */
    uint64_t given_first; /* one after another from here */
};

struct keep {
    uint64_t first, next; /* records first ... next - 1 are known */
    uint64_t whole;       /* no record before this one has its bytes */
    struct buf heads;     /* struct kept each */
    struct buf bytes;
};

/* No record is known; the next one will have number `next`. */
void keep_init(struct keep *keep, uint64_t next, const struct buf_memory *memory);
void keep_fini(struct keep *keep);

/* Adds the next record; `bytes` NULL: they are lost. At most `most` records and `most_bytes` bytes stay. Without memory
 * this one, and those before it, may be forgotten. */
void keep_add(struct keep *keep, const struct kept *kept, const char *bytes, uint64_t most, uint64_t most_bytes);

/* Adds so many records without bytes. */
void keep_lose(struct keep *keep, uint64_t count, uint64_t most);

/* Forgets all records before this number. */
void keep_forget(struct keep *keep, uint64_t number);

/* One after another, from the first that is known: NULL behind the last. */
struct keep_walk {
    uint64_t number; /* of the record that keep_next gave; set to 0 to begin */
    size_t at;       /* of its bytes */
    const char *bytes; /* of the record that keep_next gave, if it is whole */
};

const struct kept *keep_next(const struct keep *keep, struct keep_walk *walk);

/* Bytes that it takes. */
static inline uint64_t keep_size(const struct keep *keep)
{
    return keep->heads.capacity + keep->bytes.capacity;
}

#endif
