/*
 * client/cli/text.h - scalars as Python's repr writes them, and text made harmless for a terminal.
 *
 * What comes from a server is shown to people: nothing here ever writes a control character, or one that changes the
 * direction or the look of the text around it, as itself.
 */
#ifndef HEAPD_CLIENT_CLI_TEXT_H
#define HEAPD_CLIENT_CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/pack.h"

/* The shortest digits that read back as the same number: 0.1, 1e+16, -0.0, inf, nan. */
void text_put_float(struct buf *out, double value);

/* 'quoted', with escapes; bytes that are no UTF-8 as \xhh. */
void text_put_str(struct buf *out, const char *bytes, size_t len);

/* b'quoted' */
void text_put_bytes(struct buf *out, const char *bytes, size_t len);

/* As it is, but for what a terminal must not get, which is written as in a str. */
void text_put_safe(struct buf *out, const char *bytes, size_t len);

/* snprintf into the buffer; at most 200 bytes. */
void text_put(struct buf *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* 1,234,567, right-aligned in `width` columns. */
void text_put_count(struct buf *out, uint64_t count, unsigned width);

/* Takes a code point of UTF-8 off [*at, end), which is not empty. False, and one byte taken, if there is none. */
bool text_take_point(const char **at, const char *end, uint32_t *point);

#endif
