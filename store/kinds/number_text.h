/*
 * store/kinds/number_text.h - numbers as texts: how Python writes a float, and what its int() and float() read.
 */
#ifndef HEAPD_STORE_KINDS_NUMBER_TEXT_H
#define HEAPD_STORE_KINDS_NUMBER_TEXT_H

#include <stddef.h>

#include "store/heap.h"

#define FLOAT_TEXT 32 /* room for any float */

/* Writes the shortest digits that read back as `value`, as Python's repr does (1e+16, 0.1, -0.0, inf), not terminated.
 * Gives their number. */
size_t float_to_text(double value, char text[FLOAT_TEXT]);

/*
 * The number that a str or bytes object spells: white space around it, a sign, single underscores between digits.
 * `base` is 2 ... 36, or 0 for the one that a prefix (0x, 0o, 0b) names. VALUE for anything else, OVERFLOW for an int
 * beyond 64 bits, LIMIT for a text longer than the work budget. The result is owned.
 */
enum hd_err int_from_text(struct heap *heap, struct obj *text, unsigned base, struct obj **out);
enum hd_err float_from_text(struct heap *heap, struct obj *text, struct obj **out);

#endif
