/*
 * client/cli/graphviz.h - Graphviz' program `dot` (Debian: package graphviz) makes a file of a picture.
 */
#ifndef HEAPD_CLIENT_CLI_GRAPHVIZ_H
#define HEAPD_CLIENT_CLI_GRAPHVIZ_H

#include <stddef.h>

#include "client/cli/server.h"

/* Has `dot` make an SVG file of the text; no shell is involved. False: the server's error says why, also if there is no
 * `dot`. */
bool graphviz_run(struct server *server, const char *text, size_t len, const char *path);

#endif
