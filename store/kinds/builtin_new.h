/*
 * store/kinds/builtin_new.h - making values as Python's constructors do: what `new` of a builtin class runs.
 */
#ifndef HEAPD_STORE_KINDS_BUILTIN_NEW_H
#define HEAPD_STORE_KINDS_BUILTIN_NEW_H

#include "store/heap.h"

/*
 * `bool int float str bytes list tuple dict set object` of at most one argument; without it the empty or zero value. (`int`
 * takes a base for a str as its second.) An immutable value of the very type is given itself. Others cannot be made this
 * way: TYPE. TYPE also for an argument that does not fit, VALUE for a text that is no number, OVERFLOW beyond 64 bits,
 * LIMIT beyond the work budget.
 */
enum hd_err builtin_new(struct heap *heap, enum obj_type type, struct obj *const *args, unsigned nargs,
                        struct obj **result);

#endif
