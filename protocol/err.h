/*
 * protocol/err.h - the one enum of errors, for the C API, the wire and exit texts.
 *
 * Every function that can fail returns `enum hd_err`, HD_OK (0) on success; results leave through the last
 * parameter and are untouched on failure.
 */
#ifndef HEAPD_PROTOCOL_ERR_H
#define HEAPD_PROTOCOL_ERR_H

enum hd_err {
    HD_OK = 0,
#define ERR(code, meaning) HD_##code,
#include "protocol/errors.def"
#undef ERR
    HD_ERR_COUNT
};

/* The stable code of an error ("NO_NAME"); "OK" for HD_OK. Never NULL. */
const char *hd_err_code(enum hd_err err);

/* What the code means, a phrase for documentation and api(). Never NULL. */
const char *hd_err_meaning(enum hd_err err);

/* The error whose code the first `len` bytes of `text` are; HD_INTERNAL for one this version does not know. */
enum hd_err hd_err_from_code(const char *text, unsigned long len);

#endif
