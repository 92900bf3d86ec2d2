/*
 * tests/notation.h - MessagePack as text that a person can read in a test, both ways.
 *
 * nil, true, false, 12, -5, 1.5, 'text' (with \' \\ \xNN), b'bytes', [a, b], {k: v}, @7 for a HANDLE (ext 1), $ for the
 * text that notation_kept holds. In print
 * a reference of the map dialect, {'@': [number, id, 'type']}, is @number:type, and any other ext <ext TYPE LENGTH>.
 */
#ifndef HEAPD_TESTS_NOTATION_H
#define HEAPD_TESTS_NOTATION_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/pack.h"
#include "protocol/read.h"

/* What `$` stands for, in this notation: an answer that a later request repeats. */
extern char notation_kept[256];

/* Packs the value that `text` begins with; returns what follows it. A mistake in the text fails the test. */
const char *notation_pack(struct buf *buf, const char *text);

/* Packs `method(a, b, ...)` as a request, or as a notification if msgid is negative. */
void notation_pack_call(struct buf *buf, int64_t msgid, const char *text);

/* Prints the next value behind what `text` (of `size` bytes) holds; cut with "..." where it does not fit. */
void notation_print(char *text, size_t size, struct reader *reader);

#endif
