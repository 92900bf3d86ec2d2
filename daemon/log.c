/* daemon/log.c - see log.h. */
#include "daemon/log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum log_level level_now = LOG_INFO;
static enum log_format format_now = LOG_TEXT;

static const char *const level_names[] = {"error", "warning", "info", "debug"};

void log_setup(enum log_level level, enum log_format format)
{
    level_now = level;
    format_now = format;
}

/* Length of the character at `text` if it is well-formed UTF-8 and no control character, else 0. */
static size_t measure_printable(const unsigned char *text)
{
    if (text[0] < 0x80)
        return text[0] >= 0x20 && text[0] != 0x7f;
    if (text[0] >= 0xc2 && text[0] <= 0xdf)
        return (text[1] & 0xc0) == 0x80 && !(text[0] == 0xc2 && text[1] < 0xa0) ? 2 : 0;
    if (text[0] >= 0xe0 && text[0] <= 0xef) {
        bool is_overlong = text[0] == 0xe0 && text[1] < 0xa0;
        bool is_surrogate = text[0] == 0xed && text[1] >= 0xa0;
        return !is_overlong && !is_surrogate && (text[1] & 0xc0) == 0x80 && (text[2] & 0xc0) == 0x80 ? 3 : 0;
    }
    if (text[0] >= 0xf0 && text[0] <= 0xf4) {
        bool is_outside = (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] >= 0x90);
        return !is_outside && (text[1] & 0xc0) == 0x80 && (text[2] & 0xc0) == 0x80 && (text[3] & 0xc0) == 0x80 ? 4 : 0;
    }
    return 0;
}

/* Writes the character at *text into `out` (8 bytes at least), moves *text on, and returns the length written. */
static size_t escape_one(char *out, enum log_format format, const char **text)
{
    const unsigned char *from = (const unsigned char *)*text;
    size_t len = measure_printable(from);
    bool needs_backslash = *from == '\\' || (format == LOG_JSON && *from == '"');

    *text += len > 0 ? len : 1;
    if (len == 0 && format == LOG_JSON)
        return (size_t)snprintf(out, 8, *from < 0x80 ? "\\u%04x" : "\\\\x%02x", *from);
    if (len == 0)
        return (size_t)snprintf(out, 8, *from == '\n' ? "\\n" : "\\x%02x", *from);
    if (needs_backslash) {
        out[0] = '\\';
        out[1] = (char)*from;
        return 2;
    }
    memcpy(out, from, len);
    return len;
}

/* snprintf, appending at `len`; never beyond size - 1. */
static size_t append(char *out, size_t size, size_t len, const char *format, ...) __attribute__((format(printf, 4, 5)));

static size_t append(char *out, size_t size, size_t len, const char *format, ...)
{
    va_list args;
    int added;

    va_start(args, format);
    added = vsnprintf(out + len, size - len, format, args);
    va_end(args);
    if (added < 0)
        return len;
    return (size_t)added < size - len ? len + (size_t)added : size - 1;
}

static size_t append_time(char *out, size_t size, const struct timespec *when)
{
    struct tm parts;
    size_t len;

    gmtime_r(&when->tv_sec, &parts);
    len = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &parts);
    return append(out, size, len, ".%03dZ", (int)(when->tv_nsec / 1000000));
}

size_t log_render(char *out, size_t size, enum log_format format, enum log_level level, const struct timespec *when,
                  const char *text)
{
    const char *end = format == LOG_JSON ? "\"}\n" : "\n";
    char stamp[40];
    size_t len;

    append_time(stamp, sizeof(stamp), when);
    if (format == LOG_JSON)
        len = append(out, size, 0, "{\"time\":\"%s\",\"level\":\"%s\",\"message\":\"", stamp, level_names[level]);
    else
        len = append(out, size, 0, "%s %-7s ", stamp, level_names[level]);
    while (*text != '\0' && len + 8 + sizeof("\"}\n") < size)
        len += escape_one(out + len, format, &text);
    return append(out, size, len, "%s", end);
}

/* A pipe that is polled writable has room for PIPE_BUF bytes, so this write cannot block. */
static void write_line(const char *line, size_t len)
{
    struct pollfd log = {.fd = STDERR_FILENO, .events = POLLOUT};

    if (poll(&log, 1, 0) == 1 && (log.revents & POLLOUT) != 0) {
        ssize_t written = write(STDERR_FILENO, line, len);
        (void)written; /* a full disk: the line is lost */
    }
}

static void log_arguments(enum log_level level, const char *prefix, const char *format, va_list args)
{
    char text[LOG_LINE_MAX], line[LOG_LINE_MAX];
    struct timespec now;
    size_t len = append(text, sizeof(text), 0, "%s", prefix);

    if (vsnprintf(text + len, sizeof(text) - len, format, args) < 0)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    write_line(line, log_render(line, sizeof(line), format_now, level, &now, text));
}

void log_line(enum log_level level, const char *format, ...)
{
    va_list args;

    if (level > level_now)
        return;
    va_start(args, format);
    log_arguments(level, "", format, args);
    va_end(args);
}

void log_answer(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    log_arguments(LOG_INFO, "", format, args);
    va_end(args);
}

/* Counts a line against its rate: may it be written? */
static bool admit(struct log_limit *limit)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    if (limit->second != (uint64_t)now.tv_sec) {
        limit->second = (uint64_t)now.tv_sec;
        limit->lines = 0;
    }
    if (limit->lines >= LOG_LIMIT_LINES) {
        limit->skipped++;
        return false;
    }
    limit->lines++;
    return true;
}

void log_limited(struct log_limit *limit, enum log_level level, const char *format, ...)
{
    char prefix[64] = "";
    va_list args;

    if (level > level_now || !admit(limit))
        return;
    if (limit->skipped > 0)
        snprintf(prefix, sizeof(prefix), "(%llu lines like this skipped) ", (unsigned long long)limit->skipped);
    limit->skipped = 0;
    va_start(args, format);
    log_arguments(level, prefix, format, args);
    va_end(args);
}
