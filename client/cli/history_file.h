/*
 * client/cli/history_file.h - the lines that were typed, kept in a file from one conversation to the next.
 *
 * The file is $XDG_STATE_HOME/heapd/history, or ~/.local/state/heapd/history: mode 0600, in a directory of mode 0700 if
 * it has to be made. Without such a place the lines are kept until the end.
 */
#ifndef HEAPD_CLIENT_CLI_HISTORY_FILE_H
#define HEAPD_CLIENT_CLI_HISTORY_FILE_H

#include <histedit.h>
#include <stdbool.h>
#include <stddef.h>

struct history_file {
    History *lines; /* owned; for the line editor */
    char *path;     /* owned; NULL: there is no file */
};

/* Reads the file. False without memory; history_file_close is due in any case. */
bool history_file_open(struct history_file *file);
void history_file_close(struct history_file *file);

/* Adds what was typed, one line or the lines of one statement, and writes the file. */
void history_file_add(struct history_file *file, const char *text, size_t len);

#endif
