/* script.c - see script.h. */
#include "client/cli/script.h"

#include <stdlib.h>
#include <string.h>

#include "client/cli/lexer.h"
#include "protocol/pack.h"

bool script_run(struct script *script, const char *text, size_t len, const char *prefix)
{
    struct console *console = script->console;

    if (console_run(console, text, len))
        return true;
    console_complain(console, prefix);
    if (script->status == HD_OK)
        script->status = console->server.status;
    return script->keeps_going && server_exit_status(console->server.status) != EXIT_LOST;
}

/* Runs what was gathered, which began in line `number`. */
static bool run_gathered(struct script *script, struct buf *text, unsigned long number)
{
    char prefix[40];
    bool goes_on;

    if (text->failed) {
        server_fail(&script->console->server, HD_OUT_OF_MEMORY, "out of memory");
        script->status = HD_OUT_OF_MEMORY;
        console_complain(script->console, "");
        return false;
    }
    snprintf(prefix, sizeof prefix, "heap-cli: line %lu: ", number);
    goes_on = script_run(script, text->len > 0 ? text->bytes : "", text->len, prefix);
    buf_clear(text);
    return goes_on;
}

void script_run_stream(struct script *script, FILE *stream)
{
    struct buf text;
    char *line = NULL;
    size_t capacity = 0;
    ssize_t len;
    unsigned long number = 0;
    unsigned long first = 1;
    long brackets = 0;
    bool goes_on = true;

    buf_init(&text, SIZE_MAX, NULL);
    while (goes_on && (len = getline(&line, &capacity, stream)) >= 0) {
        number++;
        if (text.len == 0)
            first = number;
        buf_append(&text, line, (size_t)len);
        brackets += lexer_brackets(line, (size_t)len);
        if (brackets > 0)
            continue;
        brackets = 0;
        goes_on = run_gathered(script, &text, first);
    }
    if (goes_on && text.len > 0)
        run_gathered(script, &text, first); /* brackets that were never closed */
    free(line);
    buf_fini(&text);
}
