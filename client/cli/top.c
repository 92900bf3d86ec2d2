/* top.c - see top.h. */
#include "client/cli/top.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "client/cli/clock.h"
#include "client/cli/eval.h"
#include "client/cli/text.h"

#define PERIOD_MS 1000
#define SESSIONS_SHOWN 1000

#define BOLD "\033[1m"
#define REVERSE "\033[7m"
#define NORMAL "\033[0m"

/* What is told as so many a second. */
enum rate { RATE_REQUESTS, RATE_ERRORS, RATE_MADE, RATE_DIED, RATE_IN, RATES };

static const struct {
    const char *section, *row;
} rate_rows[RATES] = {
    {"requests", "total"}, {"requests", "errors"}, {"objects", "made"}, {"objects", "died"}, {"server", "bytes_in"},
};

struct sample {
    uint64_t at_ns;
    uint64_t totals[RATES];
    uint64_t counts[TYPES_MAX]; /* objects by type */
};

struct top {
    struct server *server;
    struct sample now, before; /* before.at_ns is 0 at first */
    bool is_terminal;
    int rows, columns;
    int line;                  /* lines written */
    struct buf out;
};

bool top_knows(const char *word)
{
    return strcmp(word, "top") == 0;
}

/* -- numbers ------------------------------------------------------------------------------------------------------ */

static void put_bytes(struct buf *out, uint64_t bytes, unsigned width)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    char text[48];
    double scaled = (double)bytes;
    unsigned unit = 0;

    while (scaled >= 1024 && unit < 4) {
        scaled /= 1024;
        unit++;
    }
    snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", scaled, units[unit]);
    text_put(out, "%*s", (int)width, text);
}

/* So many a second since the sample before. */
static double rate(const struct top *top, uint64_t now, uint64_t before)
{
    double seconds = (double)(top->now.at_ns - top->before.at_ns) / 1e9;

    return top->before.at_ns == 0 ? 0 : ((double)now - (double)before) / seconds;
}

static void put_rate(struct top *top, enum rate which)
{
    double a_second = rate(top, top->now.totals[which], top->before.totals[which]);

    if (top->before.at_ns == 0)
        text_put(&top->out, "-");
    else if (which == RATE_IN)
        put_bytes(&top->out, (uint64_t)a_second, 0);
    else
        text_put_count(&top->out, (uint64_t)(a_second + 0.5), 0);
    text_put(&top->out, "/s");
}

/* -- samples ------------------------------------------------------------------------------------------------------ */

static uint64_t stat_of(const struct hd_value *stats, const char *section, const char *row)
{
    return hd_uint(hd_get(hd_get(stats, section), row));
}

static void take_sample(struct top *top, const struct hd_value *stats)
{
    top->before = top->now;
    top->now.at_ns = clock_ns();
    for (unsigned i = 0; i < RATES; i++)
        top->now.totals[i] = stat_of(stats, rate_rows[i].section, rate_rows[i].row);
    for (unsigned type = 0; type < TYPES_MAX; type++)
        top->now.counts[type] = stat_of(stats, "objects", hd_type_name(type));
}

/* -- lines -------------------------------------------------------------------------------------------------------- */

static void end_line(struct top *top)
{
    text_put(&top->out, top->is_terminal ? "\033[K\r\n" : "\n");
    top->line++;
}

/* The last line stays empty, so that nothing scrolls. */
static bool has_room(const struct top *top)
{
    return !top->is_terminal || top->line < top->rows - 1;
}

static void put_heading(struct top *top, const char *text)
{
    int width = top->columns < 150 ? top->columns : 150;

    if (top->is_terminal)
        text_put(&top->out, REVERSE "%-*.*s" NORMAL, width, width, text);
    else
        text_put(&top->out, "%s", text);
    end_line(top);
}

static void put_head(struct top *top, const struct hd_value *stats)
{
    uint64_t uptime = stat_of(stats, "server", "uptime");
    struct buf *out = &top->out;

    text_put(out, "%sheapd%s ", top->is_terminal ? BOLD : "", top->is_terminal ? NORMAL : "");
    text_put_safe(out, hd_peer(top->server->link), strlen(hd_peer(top->server->link)));
    text_put(out, "  up %llu:%02llu:%02llu%s", (unsigned long long)(uptime / 3600),
             (unsigned long long)(uptime / 60 % 60), (unsigned long long)(uptime % 60),
             stat_of(stats, "gc", "running") != 0 ? "  collecting cycles" : "");
    end_line(top);
    text_put(out, "requests  ");
    put_rate(top, RATE_REQUESTS);
    text_put(out, ", errors ");
    put_rate(top, RATE_ERRORS);
    text_put(out, ", in ");
    put_rate(top, RATE_IN);
    end_line(top);
}

static void put_totals(struct top *top, const struct hd_value *stats)
{
    struct buf *out = &top->out;

    text_put(out, "objects   ");
    text_put_count(out, stat_of(stats, "objects", "live"), 0);
    text_put(out, ", made ");
    put_rate(top, RATE_MADE);
    text_put(out, ", died ");
    put_rate(top, RATE_DIED);
    end_line(top);
    text_put(out, "memory    ");
    put_bytes(out, stat_of(stats, "memory", "bytes"), 0);
    text_put(out, " in objects, ");
    put_bytes(out, stat_of(stats, "memory", "reserved"), 0);
    text_put(out, " of ");
    put_bytes(out, stat_of(stats, "memory", "limit"), 0);
    end_line(top);
    text_put(out, "sessions  ");
    text_put_count(out, stat_of(stats, "sessions", "active"), 0);
    text_put(out, ", handles ");
    text_put_count(out, stat_of(stats, "sessions", "handles"), 0);
    text_put(out, ", names ");
    text_put_count(out, stat_of(stats, "sessions", "names"), 0);
    end_line(top);
    end_line(top);
}

/* -- types -------------------------------------------------------------------------------------------------------- */

/* Types with objects, most first. */
static unsigned sort_types(const struct top *top, unsigned types[TYPES_MAX])
{
    unsigned count = 0;

    for (unsigned type = 0; type < TYPES_MAX; type++) {
        unsigned at = count;

        if (top->now.counts[type] == 0)
            continue;
        for (; at > 0 && top->now.counts[types[at - 1]] < top->now.counts[type]; at--)
            types[at] = types[at - 1];
        types[at] = type;
        count++;
    }
    return count;
}

static void put_types(struct top *top)
{
    unsigned types[TYPES_MAX];
    unsigned count = sort_types(top, types);

    put_heading(top, "TYPE                COUNT      CHANGE");
    for (unsigned i = 0; has_room(top) && i < count; i++) {
        uint64_t now = top->now.counts[types[i]];

        text_put(&top->out, "%-12s", hd_type_name(types[i]));
        text_put_count(&top->out, now, 13);
        if (top->before.at_ns != 0)
            text_put(&top->out, "%+10.0f/s", rate(top, now, top->before.counts[types[i]]));
        end_line(top);
    }
}

/* -- sessions ----------------------------------------------------------------------------------------------------- */

static void put_session(struct top *top, const struct hd_value *row)
{
    const struct hd_value *name = hd_get(row, "name");
    struct buf *out = &top->out;

    text_put(out, "%-9llu", (unsigned long long)hd_uint(hd_get(row, "session")));
    text_put_count(out, hd_uint(hd_get(row, "handles")), 11);
    text_put_count(out, hd_uint(hd_get(row, "names")), 11);
    put_bytes(out, hd_uint(hd_get(row, "bytes")), 12);
    text_put(out, "  ");
    text_put_safe(out, hd_str(hd_get(row, "address")), hd_len(hd_get(row, "address")));
    text_put(out, "  ");
    text_put_safe(out, hd_str(name), hd_len(name) < 40 ? hd_len(name) : 40);
}

/* Those with the most handles first. */
static int compare_sessions(const void *a, const void *b)
{
    uint64_t left = hd_uint(hd_get(*(const struct hd_value *const *)a, "handles"));
    uint64_t right = hd_uint(hd_get(*(const struct hd_value *const *)b, "handles"));

    return left > right ? -1 : left < right;
}

/* Nobody but an administrator is told of others: then there is no list. */
static void put_sessions(struct top *top)
{
    const struct hd_value *sessions = server_ask(top->server, "sessions", NULL);
    const struct hd_value *rows[SESSIONS_SHOWN];
    size_t count = hd_len(sessions) < SESSIONS_SHOWN ? hd_len(sessions) : SESSIONS_SHOWN;

    if (count == 0 || top->rows - top->line < 4)
        return;
    for (size_t i = 0; i < count; i++)
        rows[i] = hd_at(sessions, i);
    qsort(rows, count, sizeof *rows, compare_sessions);
    end_line(top);
    put_heading(top, "SESSION      HANDLES      NAMES       BYTES  ADDRESS  NAME");
    for (size_t i = 0; has_room(top) && i < count; i++) {
        put_session(top, rows[i]);
        end_line(top);
    }
}

/* -- frames ------------------------------------------------------------------------------------------------------- */

static void measure(struct top *top)
{
    struct winsize size;

    top->rows = top->is_terminal ? 24 : INT_MAX;
    top->columns = 80;
    if (top->is_terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
        top->rows = size.ws_row;
        top->columns = size.ws_col;
    }
}

/* One table. False: the server is gone. */
static bool show_table(struct top *top)
{
    const struct hd_value *stats = server_ask(top->server, "stats", NULL);

    if (stats == NULL)
        return false;
    take_sample(top, stats);
    measure(top);
    buf_clear(&top->out);
    top->line = 0;
    text_put(&top->out, top->is_terminal ? "\033[H" : "");
    put_head(top, stats);
    put_totals(top, stats);
    if (top->rows - top->line > 2)
        put_types(top);
    put_sessions(top);
    text_put(&top->out, top->is_terminal ? "\033[J" : "");
    fwrite(top->out.bytes, 1, top->out.len, stdout);
    fflush(stdout);
    server_forget(top->server);
    return hd_state(top->server->link) == HD_OPEN;
}

/* -- the terminal ------------------------------------------------------------------------------------------------- */

static volatile sig_atomic_t is_ended;

static void on_signal(int number)
{
    (void)number;
    is_ended = 1;
}

/* Waits a second, or for a key; false for q, and for a signal that ends. */
static bool wait_for_key(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    char key = '\0';

    if (poll(&input, 1, PERIOD_MS) > 0 && read(STDIN_FILENO, &key, 1) != 1)
        return false;
    return is_ended == 0 && key != 'q' && key != 'Q' && key != '\004';
}

static bool show_live(struct top *top)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct termios old, raw;
    bool is_up;

    if (tcgetattr(STDIN_FILENO, &old) != 0)
        return show_table(top);
    raw = old;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    fputs("\033[?1049h\033[?25l\033[?7l", stdout); /* a screen of its own, no cursor, long lines cut */
    while ((is_up = show_table(top)) && wait_for_key())
        continue;
    fputs("\033[?7h\033[?25h\033[?1049l", stdout);
    fflush(stdout);
    tcsetattr(STDIN_FILENO, TCSANOW, &old);
    return is_up || is_ended != 0;
}

bool top_run(struct console *console, char **words)
{
    struct top top = {.server = &console->server, .is_terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)};
    bool is_done;

    if (words[1] != NULL)
        return server_fail(&console->server, HD_USAGE, "usage: heap-cli top");
    buf_init(&top.out, SIZE_MAX, NULL);
    is_done = top.is_terminal ? show_live(&top) : show_table(&top);
    buf_fini(&top.out);
    return is_done;
}
