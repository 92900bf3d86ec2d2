/*
 * client/cli/look.h - `why` and `graph`: why an object is alive, and what it leads to, for people.
 *
 *   why TARGET                                                  the chain from a root, as a tree
 *   graph TARGET [--svg FILE | --dot] [--depth N] [--limit N]   a picture: a file by Graphviz, its language, or a tree
 *
 * As statements: why(x), graph(x), graph(x, svg="FILE", depth=2).
 */
#ifndef HEAPD_CLIENT_CLI_LOOK_H
#define HEAPD_CLIENT_CLI_LOOK_H

#include "client/cli/console.h"
#include "client/cli/tree.h"

/* Whether `word` is one of the two. */
bool look_knows(const char *word);

/* Runs it; `words` ends with NULL. False: the server says why. */
bool look_run(struct console *console, char **words);

/* Whether the expression is a call of one of the two. */
bool look_is_call(const struct node *node);

/* Runs such a call. False: the server says why. */
bool look_run_call(struct console *console, const struct node *node);

#endif
