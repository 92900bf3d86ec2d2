/* oneshot.c - see oneshot.h. */
#include "client/cli/oneshot.h"

#include <string.h>

#include "client/cli/json.h"
#include "protocol/rpc.h"

bool oneshot_knows(const char *word)
{
    return strcmp(word, "rpc") == 0 || rpc_find(word, strlen(word)) != NULL;
}

/* name, or namespace:name */
static void put_place(struct hd_call *call, const char *word)
{
    const char *colon = strchr(word, ':');

    if (colon == NULL) {
        hd_put_str(call, word);
        return;
    }
    hd_put_array(call, 2);
    hd_put_text(call, word, (size_t)(colon - word));
    hd_put_str(call, colon + 1);
}

/* The option of a word like limit=5; NULL if it is none of this method's. */
static const struct rpc_option_row *option_of(const struct rpc_method *method, const char *word)
{
    const char *sign = strchr(word, '=');
    enum rpc_option option;

    return sign != NULL ? rpc_find_option(method, word, (size_t)(sign - word), &option) : NULL;
}

static bool put_option(struct server *server, struct hd_call *call, const struct rpc_option_row *option,
                       const char *value)
{
    hd_put_str(call, option->name);
    switch (option->kind) {
    case RPC_KIND_BOOL:
    case RPC_KIND_UINT:
    case RPC_KIND_INTO:
    case RPC_KIND_EVENTS:
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
        put_place(call, word);
        return true;
    case RPC_NAME:
        hd_put_str(call, word);
        return true;
    default:
        return json_put(server, call, word);
    }
}

/* How many of the words, at the end, are options. */
static size_t count_options(const struct rpc_method *method, char **words, size_t count)
{
    size_t options = 0;

    while (options < count && option_of(method, words[count - 1 - options]) != NULL)
        options++;
    return options;
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

/* The words behind the method's name. */
static bool put_all(struct server *server, struct hd_call *call, const struct rpc_method *method, char **words)
{
    size_t count = 0;
    size_t options;

    while (words[count] != NULL)
        count++;
    options = count_options(method, words, count);
    if (!put_words(server, call, method, words, count - options))
        return false;
    if (options > 0)
        hd_put_map(call, options);
    for (size_t i = count - options; i < count; i++)
        if (!put_option(server, call, option_of(method, words[i]), strchr(words[i], '=') + 1))
            return false;
    return true;
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
    if (is_plain ? !put_json(server, call, words + 1)
                 : !put_all(server, call, rpc_find(words[0], strlen(words[0])), words + 1)) {
        hd_call_free(call);
        return false;
    }
    answer = server_finish(server, call);
    return answer != NULL && console_show(console, answer);
}
