/*
 * client/cli/oneshot.h - one request from the words of a command line.
 *
 *   rpc METHOD JSON...        parameters as they go over the wire
 *   METHOD ARGUMENT... [--OPTION VALUE]...
 *       any method of methods.def, its arguments by their kinds: targets and names as `name` or `namespace:name`,
 *       values and handles as JSON, the arguments of `call` as one word each; --json may stand here, too
 */
#ifndef HEAPD_CLIENT_CLI_ONESHOT_H
#define HEAPD_CLIENT_CLI_ONESHOT_H

#include "client/cli/console.h"

/* Whether `word` can be the first. */
bool oneshot_knows(const char *word);

/* Runs it and shows the answer; `words` ends with NULL. False: the server says why. */
bool oneshot_run(struct console *console, char **words);

/* Puts `name` or `namespace:name`; without a namespace that of `space`, NULL: as targets are found. */
void oneshot_put_place(struct hd_call *call, const char *word, const char *space);

#endif
