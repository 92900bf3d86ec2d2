/* script.c - see script.h. */
#include "client/cli/script.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

/* Lines of a descriptor. */
struct input {
    int fd;
    struct buf bytes; /* sent: where the next line begins */
    size_t scanned;   /* up to here there is no line break */
};

/* Reads more; false at the end. */
static bool fill(struct script *script, struct input *input)
{
    char bytes[65536];
    ssize_t count;

    do {
        do {
            console_tell(script->console);
        } while (!server_wait(&script->console->server, input->fd, NULL));
        count = read(input->fd, bytes, sizeof bytes);
    } while (count < 0 && (errno == EINTR || errno == EAGAIN));
    if (count > 0)
        buf_append(&input->bytes, bytes, (size_t)count);
    return count > 0 && !input->bytes.failed;
}

/* The next line with its break, of `len` bytes, until the next call; NULL at the end. */
static const char *next_line(struct script *script, struct input *input, size_t *len)
{
    struct buf *bytes = &input->bytes;
    const char *end = NULL;
    size_t start;

    buf_compact(bytes);
    input->scanned = bytes->sent;
    while (end == NULL) {
        if (bytes->len > input->scanned)
            end = memchr(bytes->bytes + input->scanned, '\n', bytes->len - input->scanned);
        input->scanned = bytes->len;
        if (end == NULL && !fill(script, input))
            break;
    }
    start = bytes->sent;
    *len = end != NULL ? (size_t)(end + 1 - bytes->bytes) - start : bytes->len - start;
    bytes->sent += *len;
    return *len > 0 ? bytes->bytes + start : NULL;
}

void script_run_stream(struct script *script, int fd)
{
    struct input input = {.fd = fd};
    struct buf text;
    const char *line;
    size_t len;
    unsigned long number = 0;
    unsigned long first = 1;
    long brackets = 0;
    bool goes_on = true;

    buf_init(&input.bytes, SIZE_MAX, NULL);
    buf_init(&text, SIZE_MAX, NULL);
    while (goes_on && (line = next_line(script, &input, &len)) != NULL) {
        number++;
        if (text.len == 0)
            first = number;
        buf_append(&text, line, len);
        brackets += lexer_brackets(line, len);
        if (brackets > 0)
            continue;
        brackets = 0;
        goes_on = run_gathered(script, &text, first);
    }
    text.failed = text.failed || input.bytes.failed;
    if (goes_on && (text.len > 0 || text.failed))
        run_gathered(script, &text, first); /* brackets that were never closed */
    buf_fini(&text);
    buf_fini(&input.bytes);
}
