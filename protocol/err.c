/* err.c - the printer and the reader of error codes. */
#include "protocol/err.h"

#include <string.h>

static const struct {
    const char *code;
    const char *meaning;
} err_rows[HD_ERR_COUNT] = {
    [HD_OK] = {"OK", "success"},
#define ERR(code, meaning) [HD_##code] = {#code, meaning},
#include "protocol/errors.def"
#undef ERR
};

const char *hd_err_code(enum hd_err err)
{
    return (unsigned)err < HD_ERR_COUNT ? err_rows[err].code : err_rows[HD_INTERNAL].code;
}

const char *hd_err_meaning(enum hd_err err)
{
    return (unsigned)err < HD_ERR_COUNT ? err_rows[err].meaning : err_rows[HD_INTERNAL].meaning;
}

enum hd_err hd_err_from_code(const char *text, unsigned long len)
{
    for (unsigned i = 1; i < HD_ERR_COUNT; i++)
        if (strlen(err_rows[i].code) == len && memcmp(err_rows[i].code, text, len) == 0)
            return (enum hd_err)i;
    return HD_INTERNAL;
}
