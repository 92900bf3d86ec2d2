/*
 * daemon/args.h - from the parameters of a request to a `struct call`, by the rows of methods.def.
 */
#ifndef HEAPD_DAEMON_ARGS_H
#define HEAPD_DAEMON_ARGS_H

#include "daemon/call.h"

/* Decodes `count` parameters. On failure the call holds nothing. BAD_ARGS and what the conversions answer. */
enum hd_err args_read(struct call *call, struct reader *reader, uint32_t count);

/* Drops what arguments and options hold. */
void args_release(struct call *call);

/* The options themselves: BAD_ARGS for an unknown one or a wrong value; what was read is released by
 * options_release. */
enum hd_err options_read(struct call *call, struct reader *reader);
void options_release(struct call *call);

#endif
