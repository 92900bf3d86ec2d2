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

/* TYPE: a queue has no copy. */
enum hd_err copy_refuse(struct heap *heap, const struct obj *o);

/* Takes the references out of a container that failed half made: it may hold cycles that would not die by themselves.
 * The container itself lives on, empty, for whoever holds it. Never allocates. */
void obj_empty(struct heap *heap, struct obj *o);

/* Elements or attributes that copying `o` alone touches. */
uint64_t obj_width(const struct obj *o);

#endif
