/*
 * daemon/tidy.h - memory that nobody needs goes back to the system, once things are quiet.
 *
 * What dies leaves its memory with the process: what comes next may take it, and nobody who waits for a death waits for
 * the system. What was not needed for a quarter of a second goes, in slices: large tables of which little is left get
 * smaller storage, then pages of the heap go.
 *
 * What sessions, buffers and vectors leave in the C library's own heap it gives back when it is asked, all at once. So
 * it is asked for every few MiB by which less is in use, before they are many; less often while that takes long, as
 * when many blocks in use cut its heap into pieces. And once more when nothing has changed for a quarter of a second.
 */
#ifndef HEAPD_DAEMON_TIDY_H
#define HEAPD_DAEMON_TIDY_H

#include <stdbool.h>
#include <stdint.h>

struct hub;

struct tidy {
    uint64_t looked_ns;  /* when tidy_tick did last */
    bool had_tables;     /* that are noted for shrinking, when it did */
    bool has_tables;     /* to be shrunk */
    uint64_t pages;      /* of the heap's, that are to go */
    uint64_t slack_then; /* mem_libc_slack() when it did */
    uint64_t slack_step; /* the C library is asked for so many bytes */
    bool is_libc_quiet;  /* and has something to give */
};

void tidy_init(struct hub *hub);

/* True if tidy_tick should be called in a quarter of a second. */
bool tidy_wants_tick(const struct hub *hub);
void tidy_tick(struct hub *hub);

/* Something is to be given back: tidy_work gives a part, in some 0.3 ms. */
bool tidy_has_work(const struct hub *hub);
void tidy_work(struct hub *hub);

#endif
