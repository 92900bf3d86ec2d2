/*
 * client/cli/help.h - what there is, from the tables of the protocol.
 */
#ifndef HEAPD_CLIENT_CLI_HELP_H
#define HEAPD_CLIENT_CLI_HELP_H

#include <stdbool.h>
#include <stdio.h>

#include "protocol/pack.h"
#include "protocol/rpc.h"

/* Writes about a method of the wire, or of objects; about all for "". False if nothing has that name. */
bool help_show(FILE *out, const char *topic);

/* weakref(target, result=, into=, notify=) */
void help_signature(struct buf *out, const struct rpc_method *method);

/* The same for each type that has a method of that name, one a line: list.pop(index). False: none has. */
bool help_type_signatures(struct buf *out, const char *method);

#endif
