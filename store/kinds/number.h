/*
 * store/kinds/number.h - arithmetic that is not a method of a number: counters.
 */
#ifndef HEAPD_STORE_KINDS_NUMBER_H
#define HEAPD_STORE_KINDS_NUMBER_H

#include "store/heap.h"

/*
 * The next value of a counter: `old` + `n`, as a new number (owned). A missing `old` (NULL) counts as 0, a missing `n` (NULL)
 * as 1. int and bool add to an int, with a float they give a float. TYPE if either is no number, OVERFLOW beyond 64 bits.
 */
enum hd_err number_count(struct heap *heap, struct obj *old, struct obj *n, struct obj **sum);

#endif
