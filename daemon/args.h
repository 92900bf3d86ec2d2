/*
 * daemon/args.h - from the parameters of a request to a `struct call`, by the rows of methods.def.
 */
#ifndef HEAPD_DAEMON_ARGS_H
#define HEAPD_DAEMON_ARGS_H

#include "daemon/call.h"

/* Decodes `count` parameters. On failure the call holds nothing. BAD_ARGS and what the conversions answer. */
enum hd_err args_read(struct call *call, struct reader *reader, uint32_t count);

/* The same as args_release, where there is something to drop. */
void args_drop(struct call *call);

/* Drops what arguments and options hold. */
static inline void args_release(struct call *call)
{
    if (call->held != 0 || call->opts.given != 0)
        args_drop(call);
}

/* The options themselves: BAD_ARGS for an unknown one or a wrong value; what was read is released by
 * options_release. */
enum hd_err options_read(struct call *call, struct reader *reader);
void options_release(struct call *call);

#endif
