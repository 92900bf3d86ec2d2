/*
 * client/cli/eval.h - expressions become requests.
 *
 * What an expression stands for is a `ref`. Nothing is sent for a literal or a name before it is known what for: so a
 * name travels as a name, and `refcount(a)` counts no handle of ours. Every other intermediate object is held by a
 * handle until server_forget, so that it is the same object wherever it goes.
 *
 * All these functions say false after an error, which is in the server.
 */
#ifndef HEAPD_CLIENT_CLI_EVAL_H
#define HEAPD_CLIENT_CLI_EVAL_H

#include "client/cli/server.h"
#include "client/cli/tree.h"

/* Type codes of the wire. */
enum type_code {
#define TYPE(code, NAME, name, is_container, meaning) TYPE_##NAME = (code),
#include "protocol/types.def"
#undef TYPE
    TYPES_MAX,
    TYPE_UNKNOWN = -1
};

enum ref_kind {
    REF_LITERAL, /* .node: a scalar, list or dict that is not made yet */
    REF_NAME,    /* .space and .name */
    REF_VALUE,   /* .value: an answer that is kept; a HANDLE is the object itself */
    REF_COUNT    /* .count: an int that was computed here */
};

struct ref {
    enum ref_kind kind;
    const struct node *node;
    const char *space; /* NULL: looked up as names are */
    const char *name;
    const struct hd_value *value;
    int64_t count;
};

/* How the result is wanted: as an object (a HANDLE, scalars too), or as it comes, for showing. */
enum want { WANT_OBJECT, WANT_VALUE };

bool eval(struct server *server, const struct node *node, enum want want, struct ref *out);

/* Whether Python would take it for true. */
bool eval_truth(struct server *server, struct ref *ref, bool *is_true);

/* Turns a literal or a value into an object with a handle, so that it may be a target. Names stay names. */
bool eval_target(struct server *server, struct ref *ref);

/* Turns it into a value as the server sends it: scalars, or the HANDLE of another object. */
bool eval_fetch(struct server *server, struct ref *ref);

/* Puts a ref as a parameter; literals are evaluated now. */
bool eval_put(struct server *server, struct hd_call *call, const struct ref *ref);

/* Evaluates the node and puts it. */
bool eval_put_node(struct server *server, struct hd_call *call, const struct node *node);

/* Begins call(target, method, [...]): the caller puts `nargs` arguments, then eval_finish. NULL after an error. */
struct hd_call *eval_begin_method(struct server *server, struct ref *target, const char *method, size_t nargs);

/* Adds the option that `want` takes, sends (the call is consumed) and gives the answer in *out. */
bool eval_finish(struct server *server, struct hd_call *call, enum want want, struct ref *out);

/* The type of the object; a name is held for that, and *ref becomes its handle. TYPE_UNKNOWN after an error. */
enum type_code eval_type(struct server *server, struct ref *ref);

/* -- calls (functions.c) ------------------------------------------------------------------------------------------ */

/*
 * f(...): a method of an object, a method of the wire, len() and the like, a class, a bound method, a weakref.
 * `watched` is the name that a weakref is about to get: its death is then told, unless the expression says
 * notify=False. NULL: it gets none.
 */
bool eval_call(struct server *server, const struct node *node, enum want want, const char *watched, struct ref *out);

/* -- places (place.c) --------------------------------------------------------------------------------------------- */

/* What can be assigned to, its parts evaluated: a name, an attribute, an item. */
struct place {
    const struct node *node;
    const char *space;  /* of a name; NULL: the session's own */
    const char *name;   /* of a name or an attribute */
    struct ref base;    /* of an attribute or an item */
    struct ref index;   /* of an item */
    bool is_name;
};

bool place_of(struct server *server, const struct node *node, struct place *place);
bool place_get(struct server *server, struct place *place, enum want want, struct ref *out);
bool place_set(struct server *server, struct place *place, const struct ref *value);
bool place_delete(struct server *server, struct place *place);

/* left op right, for BINARY and for `op=`, which changes a list in place. */
bool eval_operate(struct server *server, const struct op *op, struct ref *left, struct ref *right, bool in_place,
                  enum want want, struct ref *out);

#endif
