/* status.c - see status.h. heapd.h stands alone and writes out the codes of errors.def: here they are compared. */
#include "client/status.h"

#include <string.h>

/* What errors.def makes of the order of its rows: 1, 2, ... */
enum {
    ORDER_OK,
#define ERR(code, meaning) ORDER_##code,
#include "protocol/errors.def"
#undef ERR
    ORDERS
};

#define ERR(code, meaning) \
    _Static_assert((int)HD_##code == (int)ORDER_##code, "HD_" #code " of heapd.h is not where errors.def has it");
#include "protocol/errors.def"
#undef ERR
_Static_assert((int)ORDERS <= (int)HD_USAGE, "the server's codes end before the library's own begin");

static const char *const server_codes[ORDERS] = {
    [HD_OK] = "OK",
#define ERR(code, meaning) [HD_##code] = #code,
#include "protocol/errors.def"
#undef ERR
};

/* From HD_USAGE on. */
static const char *const own_codes[] = {
    [0] = "USAGE",
    [HD_UNREACHABLE - HD_USAGE] = "UNREACHABLE",
    [HD_LOST - HD_USAGE] = "LOST",
    [HD_EXPIRED - HD_USAGE] = "EXPIRED",
    [HD_OUT_OF_MEMORY - HD_USAGE] = "OUT_OF_MEMORY",
    [HD_UNKNOWN - HD_USAGE] = "UNKNOWN",
    [HD_WAITING - HD_USAGE] = "WAITING",
};

const char *hd_status_name(enum hd_status status)
{
    unsigned number = (unsigned)status;

    if (number < ORDERS)
        return server_codes[number];
    if (number >= HD_USAGE && number <= HD_WAITING)
        return own_codes[number - HD_USAGE];
    return own_codes[HD_UNKNOWN - HD_USAGE];
}

enum hd_status status_of_text(const char *text)
{
    size_t len = strcspn(text, " ");

    for (unsigned number = HD_OK + 1; number < ORDERS; number++)
        if (strlen(server_codes[number]) == len && memcmp(server_codes[number], text, len) == 0)
            return (enum hd_status)number;
    return HD_UNKNOWN;
}

const char *hd_type_name(unsigned type)
{
    switch (type) {
#define TYPE(code, NAME, name, is_container, meaning) \
    case code: \
        return #name;
#include "protocol/types.def"
#undef TYPE
    default:
        return "unknown";
    }
}
