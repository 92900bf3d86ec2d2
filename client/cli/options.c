/* options.c - see options.h. */
#include "client/cli/options.h"

#include <ctype.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/bench.h"
#include "client/cli/look.h"
#include "client/cli/oneshot.h"
#include "client/cli/top.h"
#include "client/heapd.h"

#define TIMEOUT_MS 30000

enum { OPTION_UNIX = 1000, OPTION_JSON, OPTION_KEEP_GOING, OPTION_TIMEOUT, OPTION_VERSION };

static const struct option long_options[] = {
    {"expression", required_argument, NULL, 'e'},
    {"host", required_argument, NULL, 'H'},
    {"unix", required_argument, NULL, OPTION_UNIX},
    {"json", no_argument, NULL, OPTION_JSON},
    {"keep-going", no_argument, NULL, OPTION_KEEP_GOING},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

static void wrong(struct options *options, const char *format, const char *text)
{
    options->task = TASK_WRONG;
    snprintf(options->error, sizeof options->error, format, text);
}

/* -H HOST:PORT, --unix PATH: the last one counts. */
static void set_address(struct options *options, const char *prefix, const char *text)
{
    free(options->address);
    if (asprintf(&options->address, "%s%s", prefix, text) < 0) {
        options->address = NULL;
        wrong(options, "%s", "out of memory");
    }
}

/* Seconds; 0 waits as long as it takes. */
static void set_timeout(struct options *options, const char *text)
{
    char *end;
    double seconds = strtod(text, &end);

    if (end == text || *end != '\0' || isnan(seconds) || seconds < 0 || seconds > 2000000)
        wrong(options, "--timeout takes seconds, 0 ... 2000000, not '%s'", text);
    else
        options->timeout_ms = seconds > 0 ? (int)ceil(seconds * 1000) : HD_FOREVER;
}

static void complain(struct options *options, char **argv)
{
    char letter[] = {'-', (char)optopt, '\0'};

    wrong(options, "option '%s' is unknown or misused; see heap-cli --help",
          isgraph(optopt) ? letter : argv[optind - 1]);
}

static void take_option(struct options *options, int which, char **argv)
{
    switch (which) {
    case 'e':
        options->expressions[options->expression_count++] = optarg;
        break;
    case 'H':
        set_address(options, "", optarg);
        break;
    case OPTION_UNIX:
        set_address(options, "unix:", optarg);
        break;
    case OPTION_JSON:
        options->is_json = true;
        break;
    case OPTION_KEEP_GOING:
        options->keeps_going = true;
        break;
    case OPTION_TIMEOUT:
        set_timeout(options, optarg);
        break;
    case 'h':
        options->task = TASK_HELP;
        break;
    case OPTION_VERSION:
        options->task = TASK_VERSION;
        break;
    default:
        complain(options, argv);
        break;
    }
}

/* What is to be done, once the options are read. */
static void choose_task(struct options *options)
{
    const char *word = options->words[0];

    if (word == NULL)
        options->task = options->expression_count > 0 ? TASK_EXPRESSIONS : TASK_TALK;
    else if (options->expression_count > 0)
        wrong(options, "'%s' stands beside -e", word);
    else if (!oneshot_knows(word) && !look_knows(word) && !top_knows(word) && !bench_knows(word))
        wrong(options, "there is no method '%s'; see heap-cli --help", word);
    else
        options->task = TASK_ONESHOT;
}

void options_parse(struct options *options, int argc, char **argv)
{
    int which;

    *options = (struct options){.task = TASK_TALK, .timeout_ms = TIMEOUT_MS};
    options->expressions = calloc((size_t)argc + 1, sizeof *options->expressions);
    if (options->expressions == NULL) {
        wrong(options, "%s", "out of memory");
        return;
    }
    opterr = 0;
    while (options->task == TASK_TALK && (which = getopt_long(argc, argv, "+:e:H:h", long_options, NULL)) != -1)
        take_option(options, which, argv);
    options->words = argv + optind;
    if (options->task == TASK_TALK)
        choose_task(options);
}

void options_fini(struct options *options)
{
    free(options->address);
    free(options->expressions);
    *options = (struct options){0};
}

void options_help(FILE *out)
{
    fputs("usage: heap-cli [OPTION]...                          statements from the terminal or standard input\n"
          "       heap-cli [OPTION]... -e EXPRESSION...         these statements\n"
          "       heap-cli [OPTION]... METHOD ARGUMENT...       one request, as in: heap-cli get global:jobs\n"
          "       heap-cli [OPTION]... rpc METHOD JSON...       the same with bare parameters\n"
          "       heap-cli [OPTION]... dump TARGET > FILE       a graph as bytes\n"
          "       heap-cli [OPTION]... load NAME < FILE         and back, bound to a name (in global)\n"
          "       heap-cli [OPTION]... why TARGET               what keeps it alive, from a root down\n"
          "       heap-cli [OPTION]... graph TARGET --svg FILE  what it leads to, as a picture; --dot: for Graphviz\n"
          "       heap-cli [OPTION]... top                      a live table: objects by type, sessions, requests\n"
          "       heap-cli [OPTION]... bench                    requests per second and how long they take, in 6 s\n"
          "\n"
          "  -e, --expression TEXT  run these statements; may be given several times\n"
          "  -H, --host HOST:PORT   the server, by default HEAPD_URL, else the Unix socket, else 127.0.0.1:4327\n"
          "      --unix PATH        its Unix socket\n"
          "      --json             show values as JSON\n"
          "      --keep-going       go on after a statement that failed\n"
          "      --timeout SECONDS  for the connection and for each request; 0 waits as long as it takes [30]\n"
          "  -h, --help             say this\n"
          "      --version          say the version\n"
          "\n"
          "Arguments of METHOD: names as name or namespace:name, values as JSON, options as --OPTION VALUE.\n"
          "Exit status: 0 done, 1 error, 2 usage, 3 cannot connect or lost, 4 refused, 5 timed out.\n"
          "`help` as a statement tells about expressions; heap-cli(1) tells all.\n",
          out);
}
