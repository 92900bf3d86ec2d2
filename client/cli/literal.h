/*
 * client/cli/literal.h - the text between the quotes of a Python literal becomes bytes.
 */
#ifndef HEAPD_CLIENT_CLI_LITERAL_H
#define HEAPD_CLIENT_CLI_LITERAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/cli/arena.h"

/*
 * Decodes the escapes of *text, *len bytes; the result, in the arena unless nothing had to be changed, replaces both.
 * As in Python: an unknown escape stands for itself, in bytes \u, \U and \N too. NULL, or a static phrase that says
 * what is wrong.
 */
const char *literal_decode(struct arena *arena, bool is_bytes, bool is_raw, const char **text, size_t *len);

/* Writes a code point, at most U+10FFFF, as UTF-8 and returns its 1 ... 4 bytes. */
size_t literal_put_utf8(char *at, uint32_t point);

#endif
