/*
 * client/cli/transfer.h - graphs between a server and a file or pipe.
 *
 *   dump TARGET > FILE                      the blob that `dump` answers, as it is
 *   load NAME [--classes "by name"] < FILE  loads it and binds it
 *
 * TARGET and NAME are `name` or `namespace:name`. A NAME without a namespace is bound in `global`: the session's own
 * ends with the command.
 */
#ifndef HEAPD_CLIENT_CLI_TRANSFER_H
#define HEAPD_CLIENT_CLI_TRANSFER_H

#include "client/cli/console.h"

/* Whether `word` is one of the two. */
bool transfer_knows(const char *word);

/* Runs it; `words` ends with NULL. False: the server says why. Bytes neither go to a terminal nor come from one. */
bool transfer_run(struct console *console, char **words);

#endif
