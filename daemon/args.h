/*
 * daemon/args.h - from the parameters of a request to a `struct call`, by the rows of methods.def.
 */
#ifndef HEAPD_DAEMON_ARGS_H
#define HEAPD_DAEMON_ARGS_H

#include "daemon/call.h"

/* Decodes `count` parameters at call->reader. On failure the call holds nothing. BAD_ARGS and what the conversions
 * answer. */
enum hd_err args_read(struct call *call, uint32_t count);

/* The options themselves: BAD_ARGS for an unknown one or a wrong value; what was read is released by
 * options_release. */
enum hd_err options_read(struct call *call, struct reader *reader);
void options_release(struct call *call);

/* Drops the items of an argument of the kind VALUES. */
void args_drop_values(struct call *call);

/* Drops what arguments and options hold. */
static inline void args_release(struct call *call)
{
    while (call->held_count > 0)
        obj_unref(call->heap, call->held[--call->held_count]);
    if (call->values != NULL)
        args_drop_values(call);
    if (call->opts.given != 0)
        options_release(call);
}

#endif
