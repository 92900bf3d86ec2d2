/*
 * client/cli/print.h - what the server answered, as text for people or as JSON.
 *
 * People get Python's repr, objects as <X object #17 refs=2>: how many references there are besides those that this
 * client holds for the moment. JSON has no form for some values; those are maps of one key that begins with @, as in
 * the `map` dialect of the protocol, and a real map like that has one more @:
 *     a reference            {"@": [handle, id, "type"]}
 *     bytes                  {"@bytes": "base64"}
 *     inf, -inf, nan         {"@float": "inf"}
 *     keys that are no strs  {"@pairs": [[key, value], ...]}
 */
#ifndef HEAPD_CLIENT_CLI_PRINT_H
#define HEAPD_CLIENT_CLI_PRINT_H

#include "client/cli/server.h"
#include "protocol/pack.h"

/* Appends the value as people read it. Objects are asked about. False: out of memory, or the server is gone. */
bool print_repr(struct server *server, struct buf *out, const struct hd_value *value);

/* Appends the value as JSON; one that is a reference is read first. False as above, or if it cannot be read. */
bool print_json(struct server *server, struct buf *out, const struct hd_value *value);

#endif
