/*
 * client/cli/report.h - what stats, slowlog, sessions, config_get and gc_info answer, laid out for people: sections,
 * lines of a name and a value, and tables where rows have the same keys.
 */
#ifndef HEAPD_CLIENT_CLI_REPORT_H
#define HEAPD_CLIENT_CLI_REPORT_H

#include "client/cli/server.h"
#include "protocol/pack.h"

/* Whether the answers of this method of the wire are shown so. */
bool report_suits(const char *method);

/* Appends the answer, its lines divided by breaks. False: out of memory, or the server is gone. */
bool report_print(struct server *server, struct buf *out, const struct hd_value *value);

#endif
