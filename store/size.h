/* store/size.h - how much memory an object keeps alive. */
#ifndef HEAPD_STORE_SIZE_H
#define HEAPD_STORE_SIZE_H

#include "store/heap.h"

/*
 * Bytes of `o` and of all that would die with it: what is reachable from it and has no reference from elsewhere. Works
 * by trial: each object reached counts the references that come from inside; one whose count is higher is held from
 * elsewhere, with all it reaches. LIMIT beyond the work budget, NO_MEMORY.
 */
enum hd_err size_deep(struct heap *heap, struct obj *o, uint64_t *bytes);

#endif
