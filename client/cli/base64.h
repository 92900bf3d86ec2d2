/*
 * client/cli/base64.h - bytes in JSON (RFC 4648, section 4).
 */
#ifndef HEAPD_CLIENT_CLI_BASE64_H
#define HEAPD_CLIENT_CLI_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/pack.h"

void base64_encode(struct buf *out, const char *bytes, size_t len);

/* Appends what `text` stands for; false if it is no base64, padding included. */
bool base64_decode(struct buf *out, const char *text, size_t len);

#endif
