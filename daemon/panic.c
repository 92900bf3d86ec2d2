/* daemon/panic.c - see panic.h. */
#include "daemon/panic.h"

#include <stddef.h>
#include <stdlib.h>

#include "daemon/log.h"

static void (*describe_state)(void *context, char *text, unsigned long size);
static void *describe_context;

void panic_set_hook(void (*describe)(void *context, char *text, unsigned long size), void *context)
{
    describe_state = describe;
    describe_context = context;
}

_Noreturn void panic_at(const char *file, int line, const char *function, const char *text)
{
    void (*describe)(void *context, char *state, unsigned long size) = describe_state;
    char state[512] = "unknown";

    describe_state = NULL; /* a second panic, inside the hook, must not come back to it */
    log_line(LOG_ERROR, "panic: %s (%s:%d, %s)", text, file, line, function);
    if (describe != NULL)
        describe(describe_context, state, sizeof(state));
    log_line(LOG_ERROR, "panic: heapd %s, state: %s", HEAPD_VERSION, state);
    abort();
}
