/*
 * store/kinds/builtin_new.h - making values as Python's constructors do: what `new` of a builtin class runs.
 */
#ifndef HEAPD_STORE_KINDS_BUILTIN_NEW_H
#define HEAPD_STORE_KINDS_BUILTIN_NEW_H

#include "store/heap.h"

/*
 * `bool int float str bytes list tuple dict set weakdict weakkeydict weakset` of at most one argument; without it the
 * empty or zero value. A second one may name the base of a str for `int`, and the encoding for `str` of bytes and
 * `bytes` of a str (utf-8, the only one). An immutable value of the very type is given itself, a living proxy stands
 * for its target (DEAD for a dead one). Others cannot be made this way: TYPE. TYPE also for an argument that does not
 * fit, VALUE for a text that is no number, OVERFLOW beyond 64 bits, LIMIT beyond the work budget.
 */
enum hd_err builtin_new(struct heap *heap, enum obj_type type, struct obj *const *args, unsigned nargs,
                        struct obj **result);

#endif
