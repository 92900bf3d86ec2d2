/*
 * client/cli/complete.h - what the word before the cursor may become, from the live server.
 *
 * Names are those that are bound now; methods of objects, functions and options come from the server's api(). Nothing
 * is run that could change something: what stands before a dot is looked up only if it is made of names, attributes and
 * items.
 */
#ifndef HEAPD_CLIENT_CLI_COMPLETE_H
#define HEAPD_CLIENT_CLI_COMPLETE_H

#include "client/cli/server.h"
#include "protocol/pack.h"

/* What is remembered between two completions; zeros to begin with. */
struct complete {
    struct hd_call *api; /* owned: the answer to api(); NULL: not asked yet */
};

/* To be called for a new connection, and at the end. */
void complete_forget(struct complete *complete);

/*
 * For the line up to the cursor, `len` bytes: what the word certainly goes on with, for the caller to free, and in
 * `shown` what there is to choose from: the words, or a signature behind an open bracket. NULL: nothing fits.
 */
char *complete_line(struct complete *complete, struct server *server, const char *line, size_t len, struct buf *shown);

#endif
