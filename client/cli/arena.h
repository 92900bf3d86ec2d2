/*
 * client/cli/arena.h - memory that lives as long as one statement.
 *
 * The parser makes many small things that all go at once. Nothing taken from an arena is freed by itself.
 */
#ifndef HEAPD_CLIENT_CLI_ARENA_H
#define HEAPD_CLIENT_CLI_ARENA_H

#include <stddef.h>

struct arena {
    struct arena_block *blocks; /* owned; the one in use first */
};

/* `size` zeroed bytes, aligned for anything, the arena's; NULL without memory. */
void *arena_alloc(struct arena *arena, size_t size);

/* A copy of `len` bytes with a NUL behind it, the arena's; NULL without memory. */
char *arena_copy(struct arena *arena, const char *bytes, size_t len);

/* Frees all that was taken. An arena of zeros is empty. */
void arena_clear(struct arena *arena);

#endif
