/*
 * daemon/long_call.h - methods that only look, and may take long: repr and the comparisons of a list, tuple, dict or
 * set. In slices if they are long (freeze.h).
 */
#ifndef HEAPD_DAEMON_LONG_CALL_H
#define HEAPD_DAEMON_LONG_CALL_H

#include "daemon/call.h"
#include "store/attr.h"

/* Whether a call of a method that all types have, with so many arguments, is for long_call. */
bool long_call_takes(const struct obj_call *found, uint32_t count);

/* Answers it as any other call. */
enum hd_err long_call(struct call *call, const struct obj_call *found, struct obj *const *args);

#endif
