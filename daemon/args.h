/*
 * daemon/args.h - from the parameters of a request to a `struct call`, by the rows of methods.def.
 */
#ifndef HEAPD_DAEMON_ARGS_H
#define HEAPD_DAEMON_ARGS_H

#include "daemon/call.h"

/* The argument is not given: one that need not be is a VALUE or a NAME. */
static inline void args_leave_out(struct arg *arg)
{
    arg->o = NULL;
    arg->is_given = false;
    arg->text = NULL;
    arg->text_len = 0;
}

/* The same as args_read, of any. */
enum hd_err args_read_some(struct call *call, uint32_t count);

/* Decodes `count` parameters at call->reader. On failure the call holds nothing. BAD_ARGS and what the conversions
 * answer. */
static inline enum hd_err args_read(struct call *call, uint32_t count)
{
    if (count > 0 || call->method->arg_least > 0)
        return args_read_some(call, count);
    for (unsigned i = 0; i < call->method->arg_count; i++)
        args_leave_out(&call->args[i]);
    call->rest_count = 0;
    return HD_OK;
}

/* The options themselves: BAD_ARGS for an unknown one or a wrong value; what was read is released by
 * options_release. */
enum hd_err options_read(struct call *call, struct reader *reader);
void options_release(struct call *call);

/* Drops what arguments and options hold. */
static inline void args_release(struct call *call)
{
    while (call->held_count > 0)
        obj_unref(call->heap, call->held[--call->held_count]);
    if (call->opts.given != 0)
        options_release(call);
}

#endif
