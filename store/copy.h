/*
 * store/copy.h - shallow and deep copies, taken at one instant.
 */
#ifndef HEAPD_STORE_COPY_H
#define HEAPD_STORE_COPY_H

#include "store/heap.h"

/* copy.copy: a new container with the same references (a weak one: with the same entries); atoms, tuples, classes,
 * methods, weakrefs and proxies are themselves. LIMIT beyond the work budget, NO_MEMORY; nothing is left over on
 * failure. */
enum hd_err obj_copy(struct heap *heap, struct obj *o, struct obj **out);

/* copy.deepcopy: a new graph of the same shape; iterative, any depth. A weak container in it becomes a new one with the
 * same entries. Errors as obj_copy. */
enum hd_err obj_deepcopy(struct heap *heap, struct obj *o, struct obj **out);

/*
 * The same in slices. While it goes on, from the end of the first slice on, nothing that was made before may be
 * changed: no element, entry or attribute set, added or removed, that is. What else goes on in the heap does not
 * matter: deaths, names, handles, weak references, new objects, the collector.
 * docs/adr/0014-writes-wait-for-a-long-copy.md
 *
 * deepcopy_open: begins with what is left of the work budget; `o` is held until the end. NO_MEMORY.
 * deepcopy_run: goes on for about `budget` references; true at the end, which deepcopy_result tells: the copy, owned,
 * or an error as of obj_deepcopy.
 * deepcopy_close: frees it, at the end or before: of a copy half made, what lies in cycles is left to the collector.
 * deepcopy_cancel: the same, and nothing is left over; in one go.
 * deepcopy_roots: shows what it holds.
 */
struct deepcopy;
enum hd_err deepcopy_open(struct heap *heap, struct obj *o, struct deepcopy **out);
bool deepcopy_run(struct deepcopy *d, size_t budget);
enum hd_err deepcopy_result(struct deepcopy *d, struct obj **out);
void deepcopy_close(struct deepcopy *d);
void deepcopy_cancel(struct deepcopy *d);
void deepcopy_roots(struct deepcopy *d, void (*visit)(void *arg, struct obj *o), void *arg);

/* TYPE: a queue has no copy. */
enum hd_err copy_refuse(struct heap *heap, const struct obj *o);

/* Takes the references out of a container that failed half made: it may hold cycles that would not die by themselves.
 * The container itself lives on, empty, for whoever holds it. Never allocates. */
void obj_empty(struct heap *heap, struct obj *o);

/* Elements or attributes that copying `o` alone touches. */
uint64_t obj_width(const struct obj *o);

#endif
