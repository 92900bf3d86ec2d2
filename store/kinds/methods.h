/*
 * store/kinds/methods.h - the handlers of protocol/type_methods.def, declared from its rows. Their form is method_fn of
 * store/kind.h.
 */
#ifndef HEAPD_STORE_KINDS_METHODS_H
#define HEAPD_STORE_KINDS_METHODS_H

#include "store/kind.h"

#define HANDLER(name) \
    enum hd_err name(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs, struct obj **result);
#define TYPE_METHOD(type, name, least, most, arguments, summary) HANDLER(type##_method_##name)
#define TYPE_METHOD_PEEK(type, name, least, most, arguments, summary) \
    HANDLER(type##_method_##name) HANDLER(type##_peek_##name)
#include "protocol/type_methods.def"
#undef TYPE_METHOD
#undef TYPE_METHOD_PEEK
#undef HANDLER

#endif
