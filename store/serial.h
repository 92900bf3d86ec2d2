/*
 * store/serial.h - a graph of objects as bytes, and back: sharing, cycles, classes and weak references kept, any depth.
 *
 * The bytes, their versions and what a reader may rely on: docs/dump-format.md. Both ways work at one instant, with
 * stacks of their own instead of recursion, and are charged to limits.work as a deep copy is.
 */
#ifndef HEAPD_STORE_SERIAL_H
#define HEAPD_STORE_SERIAL_H

#include <stddef.h>

#include "store/heap.h"

/* -- dump --------------------------------------------------------------------------------------------------------- */

struct serial_blob {
    char *bytes; /* owned by whoever called serial_dump, until serial_blob_free */
    size_t len;
    size_t capacity;
};

/*
 * Writes `o` and all that it holds, in at most `limit` bytes. A weakref stays a link if its target is written too,
 * else it becomes a dead one. TYPE if a proxy, bound method, namespace or weak container is among them; LIMIT beyond
 * `limit` or the work budget; NO_MEMORY. On failure there is nothing to free.
 */
enum hd_err serial_dump(struct heap *heap, struct obj *o, uint64_t limit, struct serial_blob *blob);

/*
 * The same in slices, while nothing that was made before may be changed (store/copy.h says it in full, and what each of
 * these does; of a dump half made nothing is ever left over). serial_dump_result gives the blob, once.
 */
struct dump;
enum hd_err serial_dump_open(struct heap *heap, struct obj *o, uint64_t limit, struct dump **out);
bool serial_dump_run(struct dump *dump, size_t budget);
enum hd_err serial_dump_result(struct dump *dump, struct serial_blob *blob);
void serial_dump_close(struct dump *dump);
void serial_dump_roots(struct dump *dump, void (*visit)(void *arg, struct obj *o), void *arg);

void serial_blob_free(struct heap *heap, struct serial_blob *blob);

/* -- load --------------------------------------------------------------------------------------------------------- */

/* Where classes are looked for by name. */
struct serial_classes {
    /* The object of this name, owned, or NULL. The name is UTF-8. */
    struct obj *(*find)(void *context, const char *name, size_t len);
    void *context;
};

/* A loaded graph that is not yet handed over: it ends with serial_keep or serial_undo. */
struct serial_loaded {
    struct obj *root;     /* owned by this struct */
    struct obj **objects; /* everything made, borrowed, by number; those that were there before too */
    size_t len, capacity;
    uint64_t first_id;    /* objects from this id on are new */
    struct obj **aside;   /* new classes for which others of their names stand: owned */
    size_t aside_len, aside_capacity;
};

/* Whatever a blob claims, its load takes at most SERIAL_LOAD_FACTOR bytes for each of its own, and SERIAL_LOAD_ROOM for
 * pages that are not full. */
#define SERIAL_LOAD_FACTOR 96
#define SERIAL_LOAD_ROOM (1 << 20)

/*
 * Makes a new graph from what serial_dump wrote. With `classes` (NULL: none), a class of the blob is the class of its
 * name if `find` leads to one whose instances are objects; that is used as it is. VALUE for bytes that are no dump,
 * are cut off, changed or of a later version; LIMIT beyond the work budget; NO_MEMORY. A failure leaves nothing over.
 */
enum hd_err serial_load(struct heap *heap, const char *bytes, size_t len, const struct serial_classes *classes,
                        struct serial_loaded *loaded);

/*
 * The same in slices. Nobody else comes to what is being loaded; the bytes and `classes` stay as they are until the
 * end, and if there are `classes`, there is one slice only: what names lead to is looked at in one instant.
 *
 * serial_load_open: begins with what is left of the work budget. NO_MEMORY.
 * serial_load_run: goes on for about `budget` values; true at the end, which serial_load_result tells, once: as
 * serial_load.
 * serial_load_close: frees it, at the end or before: of a graph half made, what lies in cycles is left to the
 * collector.
 * serial_load_cancel: the same, and nothing is left over; in one go.
 * serial_load_roots: shows what it holds.
 */
struct loading;
enum hd_err serial_load_open(struct heap *heap, const char *bytes, size_t len, const struct serial_classes *classes,
                             struct loading **out);
bool serial_load_run(struct loading *l, size_t budget);
enum hd_err serial_load_result(struct loading *l, struct serial_loaded *loaded);
void serial_load_close(struct loading *l);
void serial_load_cancel(struct loading *l);
void serial_load_roots(struct loading *l, void (*visit)(void *arg, struct obj *o), void *arg);

/* The graph belongs to whoever has taken references to it: drops that of `loaded`. */
void serial_keep(struct heap *heap, struct serial_loaded *loaded);

/* Takes the graph apart, its cycles too: all of it dies, but for what others have taken references to. */
void serial_undo(struct heap *heap, struct serial_loaded *loaded);

#endif
