/*
 * store/kinds/number.h - what others need of numbers: counters, order, ints from floats.
 */
#ifndef HEAPD_STORE_KINDS_NUMBER_H
#define HEAPD_STORE_KINDS_NUMBER_H

#include "store/heap.h"

/*
 * The next value of a counter: `old` + `n`, as a new number (owned). A missing `old` (NULL) counts as 0, a missing `n`
 * (NULL) as 1. int and bool add to an int, with a float they give a float. TYPE if either is no number, OVERFLOW beyond
 * 64 bits.
 */
enum hd_err number_count(struct heap *heap, struct obj *old, struct obj *n, struct obj **sum);

/* The order of two of bool, int, float, by their exact values. */
enum number_order { NUMBER_LESS, NUMBER_EQUAL, NUMBER_GREATER, NUMBER_UNORDERED };
enum number_order number_compare(const struct obj *a, const struct obj *b);

/* True if the float, cut towards zero, is within 64 bits; false for NaN. */
static inline bool float_fits_int(double value)
{
    return value >= -9223372036854775808.0 && value < 9223372036854775808.0;
}

/* An int of a float, cut towards zero (owned). VALUE for NaN, OVERFLOW beyond 64 bits. */
enum hd_err number_to_int(struct heap *heap, double value, struct obj **out);

#endif
