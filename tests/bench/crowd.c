/*
 * crowd.c - what costs by the connection, not by the request: many that come and go, many that stay, one event for all.
 *
 *   crowd --op come|stay|tell|drop --address HOST:PORT|unix:PATH --protocol rpc|resp [--connections N] [--count N]
 *         [--depth N] [--pid PID]
 *
 *   come  `count` times: connect, ping, read the answer, close; `connections` of them at once
 *   stay  `connections` connect as fast as one program can, before any of them says a word; then each pings
 *   tell  `count` times the server tells all `connections` something: that an object died to which each has a weakref
 *         with `notify` (rpc), or a message that was published (resp); `depth` such causes are sent in one write. The
 *         objects and weakrefs are made before, some causes' at a time, and that is not measured
 *   drop  `count` handles, each the last reference to a str, are released by notifications of `depth` handles each (rpc);
 *         or as many keys are deleted, the same way, with CLIENT REPLY OFF (resp)
 *
 * Every byte that comes is compared with what has to come. It writes one line of JSON: what was done per second, and
 * CPU time of the server's threads for each (of PID).
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/bench/wire.h"

struct run {
    struct target target;
    const char *op;
    bool is_rpc;
    int pid;
    unsigned connections, count, depth;
    uint64_t wall_ns, cpu_ns;
    uint64_t longest_ns; /* of one connect, of `stay` */
};

/* They may be started and stopped again and again: what they measure adds up. */
static void start_clocks(struct run *run)
{
    run->cpu_ns -= cpu_of(run->pid).ran_ns;
    run->wall_ns -= now_ns();
}

static void stop_clocks(struct run *run)
{
    run->wall_ns += now_ns();
    run->cpu_ns += cpu_of(run->pid).ran_ns;
}

/* -- bytes -------------------------------------------------------------------------------------------------------- */

/* Bytes that grow; for requests, and for what has to come back. */
struct text {
    char *bytes;
    size_t len, room;
};

static void put(struct text *text, const void *bytes, size_t len)
{
    if (text->len + len > text->room) {
        text->room = (text->len + len) * 2;
        text->bytes = realloc(text->bytes, text->room);
        if (text->bytes == NULL)
            die("no memory");
    }
    memcpy(text->bytes + text->len, bytes, len);
    text->len += len;
}

#define PUT(text, literal) put(text, literal, sizeof(literal) - 1)

static void put_uint(struct text *text, uint32_t number)
{
    unsigned char bytes[5] = {0xce, (unsigned char)(number >> 24), (unsigned char)(number >> 16),
                              (unsigned char)(number >> 8), (unsigned char)number};

    if (number < 0x80) {
        put(text, &bytes[4], 1);
    } else if (number < 0x100) {
        bytes[3] = 0xcc;
        put(text, &bytes[3], 2);
    } else if (number < 0x10000) {
        bytes[2] = 0xcd;
        put(text, &bytes[2], 3);
    } else {
        put(text, bytes, 5);
    }
}

/* RESP: the words of one command, each of them given as in printf("%s%u"), the number left out if it is 0. */
static void put_word(struct text *text, const char *word, unsigned number)
{
    char digits[16] = "", head[32];
    size_t len;

    if (number > 0)
        snprintf(digits, sizeof digits, "%u", number);
    len = strlen(word) + strlen(digits);
    put(text, head, (size_t)snprintf(head, sizeof head, "$%zu\r\n", len));
    put(text, word, strlen(word));
    put(text, digits, strlen(digits));
    PUT(text, "\r\n");
}

/* Reads as much as `wanted` says, and compares it. */
static void expect(int fd, const char *wanted, size_t len)
{
    char bytes[4096];

    while (len > 0) {
        ssize_t n = read(fd, bytes, len < sizeof bytes ? len : sizeof bytes);

        if (n <= 0)
            die("read");
        errno = 0;
        if (memcmp(bytes, wanted, (size_t)n) != 0)
            die("another answer");
        wanted += n;
        len -= (size_t)n;
    }
}

#define ASK(fd, request, answer)                                                                                       \
    do {                                                                                                               \
        write_all(fd, request, sizeof(request) - 1);                                                                   \
        expect(fd, answer, sizeof(answer) - 1);                                                                        \
    } while (0)

static void send_ping(const struct run *run, int fd)
{
    static const char rpc[] = "\x94\x00\x01\xa4ping\x90", resp[] = "*1\r\n$4\r\nPING\r\n";

    write_all(fd, run->is_rpc ? rpc : resp, run->is_rpc ? sizeof rpc - 1 : sizeof resp - 1);
}

static void expect_pong(const struct run *run, int fd)
{
    static const char rpc[] = "\x94\x01\x01\xc0\xc0", resp[] = "+PONG\r\n";

    expect(fd, run->is_rpc ? rpc : resp, run->is_rpc ? sizeof rpc - 1 : sizeof resp - 1);
}

static int *make_sockets(const struct run *run)
{
    int *fds = calloc(run->connections, sizeof *fds);

    if (fds == NULL)
        die("no memory");
    return fds;
}

/* -- come --------------------------------------------------------------------------------------------------------- */

static void come(struct run *run)
{
    int *fds = make_sockets(run);

    start_clocks(run);
    for (unsigned i = 0; i < run->count + run->connections; i++) {
        int *fd = &fds[i % run->connections];

        if (i >= run->connections) {
            expect_pong(run, *fd);
            close(*fd);
        }
        if (i < run->count) {
            *fd = connect_from(&run->target, 1 + i);
            send_ping(run, *fd);
        }
    }
    stop_clocks(run);
    free(fds);
}

/* -- stay --------------------------------------------------------------------------------------------------------- */

static void stay(struct run *run)
{
    int *fds = make_sockets(run);

    start_clocks(run);
    for (unsigned i = 0; i < run->connections; i++) {
        uint64_t begun = now_ns();
        uint64_t took;

        fds[i] = connect_from(&run->target, 1 + i);
        took = now_ns() - begun;
        run->longest_ns = took > run->longest_ns ? took : run->longest_ns;
    }
    for (unsigned i = 0; i < run->connections; i++) {
        send_ping(run, fds[i]);
        expect_pong(run, fds[i]);
    }
    stop_clocks(run);
    run->count = run->connections;
    for (unsigned i = 0; i < run->connections; i++)
        close(fds[i]);
    free(fds);
}

/* -- tell --------------------------------------------------------------------------------------------------------- */

#define RPC_HELLO "\x94\x00\x01\xa5hello\x91\x81\xa9namespace\xa5" "crowd"

/* Whatever the answer says, it is one read long and no error. */
static void greet(int fd)
{
    char answer[4096];

    write_all(fd, RPC_HELLO, sizeof RPC_HELLO - 1);
    if (read(fd, answer, sizeof answer) < 4 || memcmp(answer, "\x94\x01\x01\xc0", 4) != 0)
        die("hello");
}

/* [2, "bind", [number, []]], and the like: names are the numbers as they are written. */
static void put_name(struct text *text, unsigned number)
{
    char digits[16];
    int len = snprintf(digits, sizeof digits, "%u", number);

    put(text, &(char){(char)(0xa0 + len)}, 1);
    put(text, digits, (size_t)len);
}

static void make_watched(const struct run *run, int fd, unsigned first, unsigned last)
{
    struct text text = {0};

    for (unsigned i = first; i <= last; i++) {
        PUT(&text, "\x93\x02\xa4" "bind\x92");
        put_name(&text, i);
        PUT(&text, "\x90");
    }
    write_all(fd, text.bytes, text.len);
    send_ping(run, fd);
    expect_pong(run, fd);
    free(text.bytes);
}

/* Everybody has weakref n of object n. */
static void watch_all(const struct run *run, const int *fds, unsigned first, unsigned last)
{
    struct text text = {0};

    for (unsigned i = first; i <= last; i++) {
        PUT(&text, "\x93\x02\xa7weakref\x92");
        put_name(&text, i);
        PUT(&text, "\x82\xa6notify\xc3\xa4into");
        put_uint(&text, i);
    }
    for (unsigned i = 0; i < run->connections; i++) {
        write_all(fds[i], text.bytes, text.len);
        send_ping(run, fds[i]);
        expect_pong(run, fds[i]);
    }
    free(text.bytes);
}

static void subscribe_all(const struct run *run, const int *fds)
{
    for (unsigned i = 0; i < run->connections; i++)
        ASK(fds[i], "*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\nc\r\n", "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n");
}

/* Subscribers say something as often as those who make weakrefs do: the kernel acknowledges the bytes that come to a
 * socket in another way once it has been written to. */
static void ping_all(const struct run *run, const int *fds)
{
    for (unsigned i = 0; i < run->connections; i++)
        ASK(fds[i], "*1\r\n$4\r\nPING\r\n", "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
}

/* Cause number n: what is sent, what the sender is answered, and what everybody is told. */
static void put_cause(const struct run *run, unsigned n, struct text *sent, struct text *answer, struct text *told)
{
    char line[32];

    if (run->is_rpc) {
        PUT(sent, "\x94\x00\x01\xa6unbind\x91");
        put_name(sent, n);
        PUT(answer, "\x94\x01\x01\xc0\xc3");
        PUT(told, "\x93\x02\xa4" "dead\x93");
        put_uint(told, n);
        PUT(told, "\xa5" "count\x91");
        put_uint(told, n);
    } else {
        PUT(sent, "*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n");
        put_word(sent, "", n);
        put(answer, line, (size_t)snprintf(line, sizeof line, ":%u\r\n", run->connections));
        PUT(told, "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n");
        put_word(told, "", n);
    }
}

/* Waits until all have read `told` up to its end; `at` says how far each is. */
static void hear(const struct run *run, int epoll, const int *fds, size_t *at, const struct text *told)
{
    struct epoll_event events[256];
    char bytes[16384];
    unsigned left = run->connections;

    while (left > 0) {
        int n = wait_for_events(epoll, events, 256);

        for (int i = 0; i < n; i++) {
            unsigned who = events[i].data.u32;
            ssize_t len = read(fds[who], bytes, sizeof bytes);

            if (len <= 0)
                die("read");
            errno = 0;
            if (at[who] + (size_t)len > told->len || memcmp(told->bytes + at[who], bytes, (size_t)len) != 0)
                die("something else was told");
            at[who] += (size_t)len;
            left -= at[who] == told->len;
        }
    }
}

static int watch_sockets(const struct run *run, const int *fds)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    for (unsigned i = 0; i < run->connections; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};

        if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event) != 0)
            die("epoll");
    }
    return epoll;
}

/* Sends the causes first ... last, `depth` at once, and hears what they bring about. */
static void tell_some(struct run *run, int sender, int epoll, const int *fds, unsigned first, unsigned last)
{
    struct text sent = {0}, answer = {0}, told = {0};
    size_t *at = calloc(run->connections, sizeof *at);

    if (at == NULL)
        die("no memory");
    start_clocks(run);
    for (unsigned n = first; n <= last;) {
        sent.len = answer.len = 0;
        for (unsigned i = 0; i < run->depth && n <= last; i++)
            put_cause(run, n++, &sent, &answer, &told);
        write_all(sender, sent.bytes, sent.len);
        hear(run, epoll, fds, at, &told);
        expect(sender, answer.bytes, answer.len);
    }
    stop_clocks(run);
    free(at);
    free(sent.bytes);
    free(answer.bytes);
    free(told.bytes);
}

#define CAUSES_AT_A_TIME 20u

static void tell_all(struct run *run, int sender, int epoll, const int *fds)
{
    unsigned step = run->depth > CAUSES_AT_A_TIME ? run->depth : CAUSES_AT_A_TIME;

    for (unsigned first = 1; first <= run->count; first += step) {
        unsigned last = run->count - first < step ? run->count : first + step - 1;

        if (run->is_rpc) {
            make_watched(run, sender, first, last);
            watch_all(run, fds, first, last);
        } else {
            ping_all(run, fds);
        }
        tell_some(run, sender, epoll, fds, first, last);
    }
}

static void tell(struct run *run)
{
    int *fds = make_sockets(run);
    int sender = connect_from(&run->target, 1);
    int epoll;

    for (unsigned i = 0; i < run->connections; i++)
        fds[i] = connect_from(&run->target, 1);
    for (unsigned i = 0; i < run->connections && run->is_rpc; i++)
        greet(fds[i]);
    if (run->is_rpc)
        greet(sender);
    else
        subscribe_all(run, fds);
    epoll = watch_sockets(run, fds);
    tell_all(run, sender, epoll, fds);
    run->count *= run->connections;
    for (unsigned i = 0; i < run->connections; i++)
        close(fds[i]);
    close(sender);
    close(epoll);
    free(fds);
}

/* -- drop --------------------------------------------------------------------------------------------------------- */

/* Notifications, so that nothing comes back. Numbers are all of one length. */
#define FIRST 1000000u
#define REPLY_ON "*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$2\r\nON\r\n"
#define REPLY_OFF "*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$3\r\nOFF\r\n"

static void put_made(const struct run *run, unsigned number, struct text *text)
{
    if (run->is_rpc) {
        PUT(text, "\x93\x02\xa3new\x92\xb0" "0123456789abcdef" "\x81\xa4into");
        put_uint(text, number);
    } else {
        PUT(text, "*3\r\n$3\r\nSET\r\n");
        put_word(text, "", number);
        put_word(text, "0123456789abcdef", 0);
    }
}

/* `count` of them from `number` on, in one notification or command; the last one asks for an answer. */
static void put_dropped(const struct run *run, unsigned number, unsigned count, bool is_last, struct text *text)
{
    char head[32];

    if (run->is_rpc) {
        put(text, is_last ? "\x94\x00\x01" : "\x93\x02", is_last ? 3 : 2);
        PUT(text, "\xa7release");
        if (count < 16)
            put(text, &(char){(char)(0x90 + count)}, 1);
        else
            put(text, (unsigned char[]){0xdc, (unsigned char)(count >> 8), (unsigned char)count}, 3);
    } else {
        if (is_last)
            PUT(text, REPLY_ON);
        put(text, head, (size_t)snprintf(head, sizeof head, "*%u\r\n$3\r\nDEL\r\n", count + 1));
    }
    for (unsigned i = 0; i < count; i++)
        if (run->is_rpc)
            put_uint(text, number + i);
        else
            put_word(text, "", number + i);
}

static void stop_answers(const struct run *run, int fd)
{
    if (!run->is_rpc)
        write_all(fd, REPLY_OFF, sizeof REPLY_OFF - 1);
}

/* What the last command brings: as many were there as it names. */
static void put_last_answer(const struct run *run, unsigned count, struct text *text)
{
    char line[32];

    if (run->is_rpc) {
        PUT(text, "\x94\x01\x01\xc0");
        put_uint(text, count);
    } else {
        put(text, line, (size_t)snprintf(line, sizeof line, "+OK\r\n:%u\r\n", count));
    }
}

/* All are made when a ping comes back. */
static void make_all(const struct run *run, int fd)
{
    struct text text = {0};

    stop_answers(run, fd);
    for (unsigned i = 0; i < run->count; i++)
        put_made(run, FIRST + i, &text);
    write_all(fd, text.bytes, text.len);
    free(text.bytes);
    if (!run->is_rpc)
        ASK(fd, REPLY_ON, "+OK\r\n");
    send_ping(run, fd);
    expect_pong(run, fd);
    stop_answers(run, fd);
}

static void drop(struct run *run)
{
    struct text text = {0}, answer = {0};
    unsigned count = 0;
    int fd = connect_from(&run->target, 1);

    make_all(run, fd);
    for (unsigned i = 0; i < run->count; i += count) {
        count = run->count - i < run->depth ? run->count - i : run->depth;
        put_dropped(run, FIRST + i, count, i + count == run->count, &text);
    }
    put_last_answer(run, count, &answer);
    start_clocks(run);
    write_all(fd, text.bytes, text.len);
    expect(fd, answer.bytes, answer.len);
    stop_clocks(run);
    free(text.bytes);
    free(answer.bytes);
    close(fd);
}

/* -- the program -------------------------------------------------------------------------------------------------- */

static void report(const struct run *run)
{
    printf("{\"op\": \"%s\", \"connections\": %u, \"count\": %u, \"depth\": %u, \"seconds\": %.4f, "
           "\"rate\": %.0f, \"cpu_us\": %.4f, \"longest_ms\": %.3f}\n",
           run->op, run->connections, run->count, run->depth, (double)run->wall_ns / 1e9,
           (double)run->count / ((double)run->wall_ns / 1e9), (double)run->cpu_ns / 1000 / (double)run->count,
           (double)run->longest_ns / 1e6);
}

static const struct {
    const char *name;
    void (*play)(struct run *run);
} plays[] = {{"come", come}, {"stay", stay}, {"tell", tell}, {"drop", drop}};

static void parse(struct run *run, int argc, char **argv)
{
    const char *address = NULL;

    *run = (struct run){.op = "", .is_rpc = true, .connections = 50, .count = 1000, .depth = 1};
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--op") == 0)
            run->op = argv[i + 1];
        else if (strcmp(argv[i], "--address") == 0)
            address = argv[i + 1];
        else if (strcmp(argv[i], "--protocol") == 0)
            run->is_rpc = strcmp(argv[i + 1], "rpc") == 0;
        else if (strcmp(argv[i], "--connections") == 0)
            run->connections = (unsigned)atoi(argv[i + 1]);
        else if (strcmp(argv[i], "--count") == 0)
            run->count = (unsigned)atoi(argv[i + 1]);
        else if (strcmp(argv[i], "--depth") == 0)
            run->depth = (unsigned)atoi(argv[i + 1]);
        else if (strcmp(argv[i], "--pid") == 0)
            run->pid = atoi(argv[i + 1]);
        else
            die(argv[i]);
    }
    if (address == NULL || run->connections < 1 || run->count < 1 || run->depth < 1 || run->depth > 60000)
        die("usage: crowd --op come|stay|tell|drop --address A --protocol rpc|resp [--connections N] [--count N] "
            "[--depth N] [--pid PID]");
    resolve(&run->target, address);
}

static void allow_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int main(int argc, char **argv)
{
    struct run run;

    parse(&run, argc, argv);
    allow_descriptors();
    for (size_t i = 0; i < sizeof plays / sizeof plays[0]; i++)
        if (strcmp(plays[i].name, run.op) == 0) {
            plays[i].play(&run);
            report(&run);
            return 0;
        }
    errno = 0;
    die(run.op);
}
