/*
 * store/check.h - the whole-heap verifier: recomputes every count from the roots its caller names and from all
 * containers.
 */
#ifndef HEAPD_STORE_CHECK_H
#define HEAPD_STORE_CHECK_H

#include "store/heap.h"

struct check;

/* Begins a check; NULL without memory. */
struct check *check_begin(struct heap *heap);

/* One counting reference from a root (a name, a handle, a pin). */
void check_root(struct check *check, struct obj *o);

/* What a dying queue still holds: its objects are expected to have count 0, and to hold what is not dropped yet. */
struct step;
void check_step(struct check *check, const struct step *step);

/* Ends it: walks all containers, compares. Returns the number of differences, each described through `line` (may be
 * NULL); UINT64_MAX if memory ran out. Frees `check`. */
uint64_t check_end(struct check *check, void (*line)(void *context, const char *text), void *context);

#endif
