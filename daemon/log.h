/*
 * daemon/log.h - lines for people and machines, on standard error.
 *
 * A line is one write of at most LOG_LINE_MAX bytes; whatever a client put into it is escaped, so that a line is a line
 * and a terminal stays as it is. A log that cannot take a line now (a full pipe, a full disk) loses it: it never holds
 * up the daemon. Level and format are the only process globals here.
 */
#ifndef HEAPD_DAEMON_LOG_H
#define HEAPD_DAEMON_LOG_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON };

/* Less than PIPE_BUF, so that a pipe with room for a line takes it whole. */
#define LOG_LINE_MAX 2048

/* What a client can cause is told at most this many times a second, each kind of it. */
#define LOG_LIMIT_LINES 1

/* Where a kind of line that clients cause keeps its rate. Zeroed at the start; hangs off its owner. */
struct log_limit {
    uint64_t second;  /* of the monotonic clock, to which `lines` belong */
    unsigned lines;   /* written in that second */
    uint64_t skipped; /* since the last line that was written */
};

/* Lines above `level` are not written. At the start: LOG_INFO, LOG_TEXT. */
void log_setup(enum log_level level, enum log_format format);

/* Writes a line, printf-like. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes a line that the operator asked for (SIGUSR2), whatever the level. */
void log_answer(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes a line if this kind of line is below its rate; the next one says how many were skipped. */
void log_limited(struct log_limit *limit, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * The printer of it all: renders one line, with its newline, into `out` and returns its length, less than `size`.
 * Control characters and bytes that are not UTF-8 come out escaped; what is too long is cut.
 */
size_t log_render(char *out, size_t size, enum log_format format, enum log_level level, const struct timespec *when,
                  const char *text);

#endif
