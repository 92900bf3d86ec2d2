/* client/cli/main.c - heap-cli: the command line of heapd. */
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/bench.h"
#include "client/cli/console.h"
#include "client/cli/look.h"
#include "client/cli/oneshot.h"
#include "client/cli/options.h"
#include "client/cli/repl.h"
#include "client/cli/script.h"
#include "client/cli/top.h"
#include "client/cli/transfer.h"

static enum hd_status run_expressions(struct console *console, const struct options *options)
{
    struct script script = {.console = console, .keeps_going = options->keeps_going};

    for (int i = 0; i < options->expression_count; i++)
        if (!script_run(&script, options->expressions[i], strlen(options->expressions[i]), ""))
            break;
    return script.status;
}

static enum hd_status run_stream(struct console *console, const struct options *options)
{
    struct script script = {.console = console, .keeps_going = options->keeps_going};

    script_run_stream(&script, STDIN_FILENO);
    return script.status;
}

static enum hd_status run_oneshot(struct console *console, const struct options *options)
{
    bool (*run)(struct console *console, char **words) = oneshot_run;

    if (!console->is_json && transfer_knows(options->words[0]))
        run = transfer_run;
    else if (!console->is_json && look_knows(options->words[0]))
        run = look_run;
    else if (top_knows(options->words[0]))
        run = top_run;
    else if (bench_knows(options->words[0]))
        run = bench_run;
    if (run(console, options->words))
        return HD_OK;
    console_complain(console, "");
    return console->server.status;
}

static bool is_conversation(const struct options *options)
{
    return options->task != TASK_EXPRESSIONS && options->task != TASK_ONESHOT && isatty(STDIN_FILENO);
}

/* Connected. */
static enum hd_status run_task(struct console *console, const struct options *options)
{
    if (options->task == TASK_EXPRESSIONS)
        return run_expressions(console, options);
    if (options->task == TASK_ONESHOT)
        return run_oneshot(console, options);
    if (is_conversation(options))
        return repl_run(console);
    return run_stream(console, options);
}

/* A conversation goes on after a broken connection; what runs by itself fails. */
static bool connect_server(struct server *server, const struct options *options)
{
    if (is_conversation(options))
        hd_set_linger(server->link, SERVER_LINGER_S);
    return server_connect(server);
}

static int talk(const struct options *options)
{
    struct console console = {.is_json = options->is_json};
    struct server *server = &console.server;
    enum hd_status status;

    if (!server_open(server, options->address, options->timeout_ms) || !connect_server(server, options)) {
        console_complain(&console, "");
        status = server->status;
    } else {
        status = run_task(&console, options);
    }
    server_close(server);
    return server_exit_status(status);
}

int main(int argc, char **argv)
{
    struct options options;
    int status = EXIT_DONE;

    if (setlocale(LC_CTYPE, "") == NULL || MB_CUR_MAX == 1)
        setlocale(LC_CTYPE, "C.UTF-8"); /* what is typed and shown is UTF-8 */
    options_parse(&options, argc, argv);
    switch (options.task) {
    case TASK_HELP:
        options_help(stdout);
        break;
    case TASK_VERSION:
        printf("heap-cli %s\n", HEAPD_VERSION);
        break;
    case TASK_WRONG:
        fprintf(stderr, "heap-cli: %s\n", options.error);
        status = EXIT_USAGE;
        break;
    default:
        status = talk(&options);
    }
    options_fini(&options);
    return status;
}
