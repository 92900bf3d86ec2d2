/*
 * client/cli/console.h - statements run, their values and the server's events shown.
 */
#ifndef HEAPD_CLIENT_CLI_CONSOLE_H
#define HEAPD_CLIENT_CLI_CONSOLE_H

#include <stdio.h>

#include "client/cli/server.h"

struct console {
    struct server server;
    bool is_json; /* values are shown as JSON, and events go to standard error */
};

/*
 * Runs all statements of the text, up to the first that fails; values of expressions go to standard output. Before it
 * returns, every handle is given back and what died is told. False: `server.status` and `server.error` say why.
 */
bool console_run(struct console *console, const char *text, size_t len);

/* Writes an answer as a line: nothing for nil, but null as JSON. That of a method of the wire, if it is one (else
 * NULL), is laid out as a report if that suits it. False as console_run. */
bool console_show(struct console *console, const struct hd_value *value, const char *method);

/* Tells of events that have come: "! global.a bound (#7)", "! w died (count)". */
void console_tell(struct console *console);

/* Whether console_tell has something to tell. */
bool console_has_news(const struct console *console);

/* Says something to people, where values and events go: on standard output, on standard error beside JSON. */
void console_notice(const struct console *console, const char *text);

/* Writes the last error to standard error, "CODE a sentence", behind `prefix`. */
void console_complain(const struct console *console, const char *prefix);

#endif
