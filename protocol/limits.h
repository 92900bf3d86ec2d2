/*
 * protocol/limits.h - the numbers of the wire contract that are fixed, and the defaults of those that are settings.
 */
#ifndef HEAPD_PROTOCOL_LIMITS_H
#define HEAPD_PROTOCOL_LIMITS_H

#include <stdint.h>

#define HD_PROTOCOL_VERSION 1
#define HD_DEFAULT_PORT "4327" /* H-E-A-P on a phone keypad */

/* Extension types of references (protocol.md, section 3); INDEX and KIND only inside dumps (docs/dump-format.md). */
enum { HD_EXT_HANDLE = 1, HD_EXT_NAME = 2, HD_EXT_INDEX = 3, HD_EXT_KIND = 4 };

/* Handles: a client chooses 1 ... 2^31-1 with `into`; the server's own start at 2^31 and count up. */
#define HD_HANDLE_CLIENT_MAX INT64_C(0x7fffffff)
#define HD_HANDLE_SERVER_MIN INT64_C(0x80000000)
#define HD_HANDLE_MAX ((INT64_C(1) << 53) - 1)

/* Nesting: what is sent unless hello raised `depth`, and the bounds of the setting limits.depth. */
#define HD_DEPTH_SENT 32
#define HD_DEPTH_MIN 64
#define HD_DEPTH_DEFAULT 128
#define HD_DEPTH_MAX 1024

/* A `dead` event carries at most this many handles. */
#define HD_DEAD_FRAME_MAX 4096

#endif
