/* bench.c - see bench.h. */
#include "client/cli/bench.h"

#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/load.h"
#include "client/cli/text.h"

#define SECONDS 0.5
#define SECONDS_MAX 3600.0
#define DEPTH 64

static const char usage[] = "usage: heap-cli bench [--seconds S] [--depth N] [--connections N] [--json]";

struct bench {
    struct console *console;
    struct load load;
    double seconds;      /* of each line */
    double depth, connections;
    json_t *rows;        /* NULL: a table is shown */
};

bool bench_knows(const char *word)
{
    return strcmp(word, "bench") == 0;
}

/* -- options ------------------------------------------------------------------------------------------------------ */

/* A number within bounds, whole ones unless `has_parts`. */
static bool take_number(const char *text, bool has_parts, double least, double most, double *number)
{
    char *end;

    *number = strtod(text, &end);
    return end != text && *end == '\0' && *number >= least && *number <= most &&
           (has_parts || *number == floor(*number));
}

static bool take_options(struct bench *bench, char **words)
{
    for (; *words != NULL; words++) {
        const char *value = words[1] != NULL ? words[1] : "";
        bool is_right = false;

        if (strcmp(*words, "--json") == 0) {
            bench->console->is_json = true;
            continue;
        }
        if (strcmp(*words, "--seconds") == 0)
            is_right = take_number(value, true, 0.001, SECONDS_MAX, &bench->seconds);
        else if (strcmp(*words, "--depth") == 0)
            is_right = take_number(value, false, 1, LOAD_DEPTH_MAX, &bench->depth);
        else if (strcmp(*words, "--connections") == 0)
            is_right = take_number(value, false, 1, LOAD_CONNECTIONS_MAX, &bench->connections);
        if (!is_right)
            return server_fail(&bench->console->server, HD_USAGE, "%s", usage);
        words++;
    }
    return true;
}

/* -- what is shown ------------------------------------------------------------------------------------------------ */

static void print(const struct buf *text)
{
    fwrite(text->bytes, 1, text->len, stdout);
    fflush(stdout);
}

static void show_head(const struct bench *bench)
{
    struct buf out;

    buf_init(&out, SIZE_MAX, NULL);
    text_put(&out, "heapd at ");
    text_put_safe(&out, hd_peer(bench->load.links[0]), strlen(hd_peer(bench->load.links[0])));
    text_put(&out, ", %u connection%s, %g s a line. Times are from sending to receiving in this client, its own\n",
             bench->load.connections, bench->load.connections > 1 ? "s" : "", bench->seconds);
    text_put(&out, "work included. It uses names and handles of its own sessions, which end with it.\n\n");
    text_put(&out, "%-26s %9s %12s %9s %9s %9s\n", "OPERATION", "AT A TIME", "PER SECOND", "P50 us", "P99 us",
             "MAX us");
    print(&out);
    buf_fini(&out);
}

static double microseconds(uint64_t ns)
{
    return (double)ns / 1000;
}

static void show_line(const struct load *load)
{
    const struct latency *latency = &load->latency;
    struct buf out;

    buf_init(&out, SIZE_MAX, NULL);
    text_put(&out, "%-26s %9u ", load->op->name, load->depth * load->connections);
    text_put_count(&out, (uint64_t)((double)latency->count / load->seconds), 12);
    text_put(&out, " %9.1f %9.1f %9.1f%s%s\n", microseconds(latency_within(latency, 0.5)),
             microseconds(latency_within(latency, 0.99)), microseconds(latency->longest_ns),
             load->op->words[0] != '\0' ? "  " : "", load->op->words);
    print(&out);
    buf_fini(&out);
}

static bool keep_line(struct bench *bench)
{
    const struct load *load = &bench->load;
    const struct latency *latency = &load->latency;
    json_t *row = json_pack("{s:s s:i s:I s:f s:f s:f s:f}", "operation", load->op->name, "at_a_time",
                            (int)(load->depth * load->connections), "count", (json_int_t)latency->count, "per_second",
                            (double)latency->count / load->seconds, "p50_us",
                            microseconds(latency_within(latency, 0.5)), "p99_us",
                            microseconds(latency_within(latency, 0.99)), "max_us", microseconds(latency->longest_ns));

    return row != NULL && json_array_append_new(bench->rows, row) == 0;
}

/* The document refers to the rows, which are still the bench's. */
static bool show_json(struct bench *bench)
{
    const struct hd_value *hello = hd_hello(bench->load.links[0]);
    json_t *document = json_pack("{s:s s:s s:i s:f s:O}", "server", hd_peer(bench->load.links[0]), "version",
                                 hd_str(hd_get(hello, "version")), "connections", (int)bench->load.connections,
                                 "seconds", bench->seconds, "rows", bench->rows);

    if (document == NULL)
        return server_fail(&bench->console->server, HD_OUT_OF_MEMORY, "out of memory");
    json_dumpf(document, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(document);
    return true;
}

/* -- running ------------------------------------------------------------------------------------------------------ */

static bool run_line(struct bench *bench, const struct load_op *op, unsigned depth)
{
    if (!load_run(&bench->load, op, depth, bench->seconds))
        return false;
    if (bench->rows == NULL)
        show_line(&bench->load);
    else if (!keep_line(bench))
        return server_fail(&bench->console->server, HD_OUT_OF_MEMORY, "out of memory");
    return true;
}

static bool run_all(struct bench *bench)
{
    for (unsigned i = 0; i < load_op_count; i++) {
        if (!run_line(bench, &load_ops[i], 1))
            return false;
        if (bench->depth > 1 && !run_line(bench, &load_ops[i], (unsigned)bench->depth))
            return false;
    }
    return true;
}

static void on_signal(int number)
{
    (void)number;
    server_interrupted = 1;
}

/* Connected; what was measured is shown also when it was cut short. */
static bool measure(struct bench *bench)
{
    struct sigaction action = {.sa_handler = on_signal}, before;
    bool is_done;

    sigaction(SIGINT, &action, &before);
    if (bench->rows == NULL)
        show_head(bench);
    is_done = run_all(bench);
    sigaction(SIGINT, &before, NULL);
    if (bench->rows != NULL && !show_json(bench))
        return false;
    return is_done;
}

bool bench_run(struct console *console, char **words)
{
    struct bench bench = {.console = console, .seconds = SECONDS, .depth = DEPTH, .connections = 1};
    struct server *server = &console->server;
    bool is_done;

    if (!take_options(&bench, words + 1))
        return false;
    if (console->is_json && (bench.rows = json_array()) == NULL)
        return server_fail(server, HD_OUT_OF_MEMORY, "out of memory");
    is_done = load_open(&bench.load, server, (unsigned)bench.connections) && measure(&bench);
    load_close(&bench.load);
    json_decref(bench.rows);
    return is_done;
}
