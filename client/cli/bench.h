/*
 * client/cli/bench.h - `heap-cli bench`: how many requests a second the server answers, and how long each takes.
 *
 *   bench [--seconds S] [--depth N] [--connections N] [--json]
 *
 * A few operations, each for S seconds one after the other and for as long N at a time, on sessions of its own with
 * names and handles of their own: nothing is left behind. Ctrl-C ends it with what was measured until then.
 */
#ifndef HEAPD_CLIENT_CLI_BENCH_H
#define HEAPD_CLIENT_CLI_BENCH_H

#include "client/cli/console.h"

/* Whether `word` is "bench". */
bool bench_knows(const char *word);

/* Runs it; `words` ends with NULL. False: the server says why. */
bool bench_run(struct console *console, char **words);

#endif
