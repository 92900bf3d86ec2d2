/*
 * tests/script.h - requests that touch every method of the wire and every method of every builtin type.
 *
 * `script_setup` is run first, in order; then each row stands alone: it may change what it finds, and is run on a fresh
 * hub, whose only session is number 1. `$` in a row is the token of an offer.
 */
#ifndef HEAPD_TESTS_SCRIPT_H
#define HEAPD_TESTS_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

struct script_row {
    const char *type;   /* of type_methods.def, or "rpc" for a row of methods.def */
    const char *method;
    const char *call;   /* tests/notation.h */
};

/* Names and handles that the rows use; NULL at the end. */
extern const char *const script_setup[];
/* What `script_setup` binds, for a look at the state; NULL at the end. */
extern const char *const script_names[];

/* type NULL at the end. */
extern const struct script_row script_rows[];

/* Whether the row ends its session. */
bool script_ends(const struct script_row *row);

/* Whether it is answered otherwise in another run, or after other rows. */
bool script_varies(const struct script_row *row);

/* The first row of methods.def or type_methods.def that no row of the script calls, as "type.method"; NULL: none. */
const char *script_missing(void);

#endif
