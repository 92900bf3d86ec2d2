/*
 * client/cli/json.h - JSON from a command line becomes a parameter.
 *
 * What JSON cannot say is a map of one key that begins with @, as print.h writes it and the `map` dialect of the
 * protocol has it: {"@": ...} with a handle, [handle, id, type], a name or [namespace, name]; {"@bytes": "base64"};
 * {"@float": "inf"}; {"@pairs": [[key, value], ...]}; {"@@x": ...} for a dict with the key "@x".
 */
#ifndef HEAPD_CLIENT_CLI_JSON_H
#define HEAPD_CLIENT_CLI_JSON_H

#include "client/cli/server.h"

/* Puts the value that `text` stands for. False (HD_USAGE in the server) if it is no JSON. */
bool json_put(struct server *server, struct hd_call *call, const char *text);

#endif
