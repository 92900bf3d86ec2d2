/* oneshot.c - see oneshot.h. */
#include "client/cli/oneshot.h"

#include <stdlib.h>
#include <string.h>

#include "client/cli/json.h"
#include "protocol/rpc.h"

bool oneshot_knows(const char *word)
{
    return strcmp(word, "rpc") == 0 || rpc_find(word, strlen(word)) != NULL;
}

void oneshot_put_place(struct hd_call *call, const char *word, const char *space)
{
    const char *colon = strchr(word, ':');

    if (colon != NULL)
        hd_put(call, "[ts]", word, (size_t)(colon - word), colon + 1);
    else if (space != NULL)
        hd_put(call, "[ss]", space, word);
    else
        hd_put_str(call, word);
}

/* The words behind the method's name, sorted out. */
struct words {
    char **args; /* owned array */
    size_t arg_count;
    struct {
        const struct rpc_option_row *row;
        const char *value;
    } *options; /* owned array */
    size_t option_count;
};

static bool put_option(struct server *server, struct hd_call *call, const struct rpc_option_row *option,
                       const char *value)
{
    hd_put_str(call, option->name);
    switch (option->kind) {
    case RPC_KIND_BOOL:
    case RPC_KIND_UINT:
    case RPC_KIND_INTO:
    case RPC_KIND_SECONDS:
    case RPC_KIND_VALUE:
        return json_put(server, call, value);
    default:
        hd_put_str(call, value);
        return true;
    }
}

static bool put_argument(struct server *server, struct hd_call *call, const struct rpc_arg *arg, const char *word)
{
    switch (arg->kind) {
    case RPC_TARGET:
    case RPC_BINDING:
        oneshot_put_place(call, word, NULL);
        return true;
    case RPC_NAME:
        hd_put_str(call, word);
        return true;
    default:
        return json_put(server, call, word);
    }
}

static bool put_words(struct server *server, struct hd_call *call, const struct rpc_method *method, char **words,
                      size_t count)
{
    const struct rpc_arg *arg = NULL;

    for (size_t i = 0; i < count; i++) {
        bool is_element = arg != NULL && arg->kind == RPC_VALUES;

        if (!is_element)
            arg = rpc_arg_at(method, i);
        if (!is_element && arg != NULL && arg->kind == RPC_VALUES)
            hd_put_array(call, count - i);
        if (arg != NULL ? !put_argument(server, call, arg, words[i]) : !json_put(server, call, words[i]))
            return false;
    }
    return true;
}

static bool put_options(struct server *server, struct hd_call *call, const struct words *words)
{
    if (words->option_count > 0)
        hd_put_map(call, words->option_count);
    for (size_t i = 0; i < words->option_count; i++)
        if (!put_option(server, call, words->options[i].row, words->options[i].value))
            return false;
    return true;
}

/* --limit 5, --limit=5; `*word` is left at the last word that belongs to it. */
static bool take_option(struct console *console, const struct rpc_method *method, struct words *words, char ***word)
{
    const char *name = **word + strlen("--");
    size_t len = strcspn(name, "=");
    enum rpc_option option;
    const struct rpc_option_row *row = rpc_find_option(method, name, len, &option);

    if (strcmp(name, "json") == 0) {
        console->is_json = true;
        return true;
    }
    if (row == NULL)
        return server_fail(&console->server, HD_USAGE, "%s has no option '%.*s'", method->name,
                           (int)(len < 40 ? len : 40), name);
    if (name[len] == '\0' && *++*word == NULL)
        return server_fail(&console->server, HD_USAGE, "option '--%s' needs a value", name);
    words->options[words->option_count].row = row;
    words->options[words->option_count++].value = name[len] == '=' ? name + len + 1 : **word;
    return true;
}

static bool sort_words(struct console *console, const struct rpc_method *method, char **word, struct words *words)
{
    size_t count = 0;

    while (word[count] != NULL)
        count++;
    words->args = calloc(count + 1, sizeof *words->args);
    words->options = calloc(count + 1, sizeof *words->options);
    if (words->args == NULL || words->options == NULL)
        return server_fail(&console->server, HD_OUT_OF_MEMORY, "out of memory");
    for (; *word != NULL; word++) {
        if (strncmp(*word, "--", strlen("--")) != 0)
            words->args[words->arg_count++] = *word;
        else if (!take_option(console, method, words, &word))
            return false;
    }
    return true;
}

static bool put_all(struct console *console, struct hd_call *call, char **word)
{
    const struct rpc_method *method = rpc_find(word[0], strlen(word[0]));
    struct words words = {0};
    bool is_done = sort_words(console, method, word + 1, &words) &&
                   put_words(&console->server, call, method, words.args, words.arg_count) &&
                   put_options(&console->server, call, &words);

    free(words.args);
    free(words.options);
    return is_done;
}

/* rpc METHOD JSON... */
static bool put_json(struct server *server, struct hd_call *call, char **words)
{
    for (; *words != NULL; words++)
        if (!json_put(server, call, *words))
            return false;
    return true;
}

bool oneshot_run(struct console *console, char **words)
{
    struct server *server = &console->server;
    bool is_plain = strcmp(words[0], "rpc") == 0;
    const struct hd_value *answer;
    struct hd_call *call;

    if (is_plain && *++words == NULL)
        return server_fail(server, HD_USAGE, "rpc takes the name of a method, and its parameters as JSON");
    call = server_call(server, words[0]);
    if (call == NULL)
        return false;
    if (is_plain ? !put_json(server, call, words + 1) : !put_all(console, call, words)) {
        hd_call_free(call);
        return false;
    }
    answer = server_finish(server, call);
    return answer != NULL && console_show(console, answer, is_plain ? NULL : words[0]);
}
