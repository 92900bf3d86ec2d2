/* transfer.c - see transfer.h. */
#include "client/cli/transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/oneshot.h"

bool transfer_knows(const char *word)
{
    return strcmp(word, "dump") == 0 || strcmp(word, "load") == 0;
}

/* -- dump --------------------------------------------------------------------------------------------------------- */

static bool run_dump(struct server *server, char **words)
{
    struct hd_call *call;
    const struct hd_value *blob;

    if (words[0] == NULL || words[1] != NULL)
        return server_fail(server, HD_USAGE, "usage: heap-cli dump TARGET > FILE");
    if (isatty(STDOUT_FILENO))
        return server_fail(server, HD_USAGE, "a dump is bytes, not for a terminal: heap-cli dump TARGET > FILE");
    call = server_call(server, "dump");
    if (call == NULL)
        return false;
    oneshot_put_place(call, words[0], NULL);
    blob = server_finish(server, call);
    if (blob == NULL)
        return false;
    if (fwrite(hd_str(blob), 1, hd_len(blob), stdout) != hd_len(blob) || fflush(stdout) != 0)
        return server_fail(server, HD_CANCELLED, "cannot write the dump: %s", strerror(errno));
    return true;
}

/* -- load --------------------------------------------------------------------------------------------------------- */

struct blob {
    char *bytes; /* owned */
    size_t len, capacity;
};

/* All of standard input. */
static bool read_blob(struct server *server, struct blob *blob)
{
    size_t count = 1;

    while (count > 0) {
        if (blob->len == blob->capacity) {
            size_t capacity = blob->capacity == 0 ? 65536 : blob->capacity * 2;
            char *bytes = realloc(blob->bytes, capacity);

            if (bytes == NULL)
                return server_fail(server, HD_OUT_OF_MEMORY, "out of memory");
            blob->bytes = bytes;
            blob->capacity = capacity;
        }
        count = fread(blob->bytes + blob->len, 1, blob->capacity - blob->len, stdin);
        blob->len += count;
    }
    return !ferror(stdin) || server_fail(server, HD_CANCELLED, "cannot read the dump: %s", strerror(errno));
}

/* --classes WORDS, --classes=WORDS behind the name; NULL in *classes: not given. */
static bool take_classes(struct server *server, char **words, const char **classes)
{
    static const char option[] = "--classes";

    *classes = NULL;
    if (words[0] != NULL && strcmp(words[0], option) == 0 && words[1] != NULL) {
        *classes = words[1];
        words++;
    } else if (words[0] != NULL && strncmp(words[0], "--classes=", sizeof option) == 0) {
        *classes = words[0] + sizeof option;
    }
    if (words[0] == NULL || (*classes != NULL && words[1] == NULL))
        return true;
    return server_fail(server, HD_USAGE, "usage: heap-cli load NAME [--classes \"by name\"] < FILE");
}

static bool load_and_bind(struct server *server, const char *name, const struct blob *blob, const char *classes)
{
    struct hd_call *call = server_call(server, "load");
    const struct hd_value *made;

    if (call == NULL)
        return false;
    hd_put_bytes(call, blob->bytes, blob->len);
    if (classes != NULL)
        hd_put(call, "{ss}", "classes", classes);
    made = server_finish(server, call);
    call = made != NULL ? server_call(server, "bind") : NULL;
    if (call == NULL)
        return false;
    oneshot_put_place(call, name, "global");
    hd_put_handle(call, hd_handle(made));
    return server_finish(server, call) != NULL;
}

static bool run_load(struct server *server, char **words)
{
    struct blob blob = {0};
    const char *classes;
    bool is_done;

    if (words[0] == NULL)
        return server_fail(server, HD_USAGE, "usage: heap-cli load NAME [--classes \"by name\"] < FILE");
    if (!take_classes(server, words + 1, &classes))
        return false;
    if (isatty(STDIN_FILENO))
        return server_fail(server, HD_USAGE, "a dump is bytes, not from a terminal: heap-cli load NAME < FILE");
    is_done = read_blob(server, &blob) && load_and_bind(server, words[0], &blob, classes);
    free(blob.bytes);
    return is_done;
}

bool transfer_run(struct console *console, char **words)
{
    bool is_dump = strcmp(words[0], "dump") == 0;
    bool is_done = is_dump ? run_dump(&console->server, words + 1) : run_load(&console->server, words + 1);

    server_forget(&console->server);
    return is_done;
}
