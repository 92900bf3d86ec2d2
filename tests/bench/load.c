/*
 * load.c - a load generator that speaks MessagePack-RPC, RESP and memcached's text by the same code.
 *
 *   load --address HOST:PORT|unix:PATH --protocol rpc|resp|text|echo --op OP [--connections N] [--depth N]
 *        [--requests N] [--keys N] [--pid PID] [--fill]
 *
 * Each connection sends `depth` requests in one write, waits for all their answers, and goes on; keys are drawn at
 * random from a seeded generator, the same for all protocols; every answer is checked byte by byte. It writes one line
 * of JSON: requests per second, CPU time per request of the server's threads (of PID, by the scheduler's own clock) and
 * its own, how long both waited for their cores, and latencies from the write of a batch to each answer's arrival. With
 * --fill it makes what the operations work on and measures nothing. As echo it sends what it would send to a heapd, and
 * expects as many bytes as that would answer.
 *
 * It shall cost less than any server: requests are laid out once, and only what differs is written into them; what came
 * is checked where it was read.
 */
#include <endian.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tests/bench/ops.h"
#include "tests/bench/wire.h"

#define DEPTH_MAX 4096
#define INPUT_ROOM 65536

/* -- latencies ---------------------------------------------------------------------------------------------------- */

/* In classes of 1/16 of a power of two, as HdrHistogram (G. Tene) has them. */
#define CLASSES (64 * 16)
static uint64_t histogram[CLASSES];
static uint64_t longest_ns;

static void note_latency(uint64_t ns, uint64_t count)
{
    unsigned power = 63 - (unsigned)__builtin_clzll(ns | 16);

    histogram[power * 16 + (ns >> (power - 4) & 15)] += count;
    if (ns > longest_ns)
        longest_ns = ns;
}

static double latency_us(double part)
{
    uint64_t total = 0, seen = 0;

    for (int i = 0; i < CLASSES; i++)
        total += histogram[i];
    for (int i = 0; i < CLASSES; i++) {
        seen += histogram[i];
        if (seen > 0 && (double)seen >= part * (double)total)
            return (double)((UINT64_C(1) << (i / 16)) + ((uint64_t)(i % 16) << (i / 16 - 4))) / 1000;
    }
    return 0;
}

/* -- connections -------------------------------------------------------------------------------------------------- */

struct conn {
    int fd;
    uint32_t first_msgid;     /* of the batch in flight */
    int in_flight, answered;
    uint32_t keys[DEPTH_MAX]; /* of the batch */
    uint64_t sent_ns;
    char rest[2 * FRAME_MAX]; /* the begin of a reply whose end has not come */
    size_t rest_len;
};

struct run {
    const char *address;
    enum protocol protocol;
    bool fills;
    const struct op *op;
    struct frame request, reply;
    int connections, depth, pid;
    uint32_t keys;
    uint64_t requests, started, done; /* how many are wanted, sent, answered */
    uint64_t random;
    uint32_t next_msgid;
    char *batch; /* `depth` requests one behind the other */
};

/* xorshift64* (S. Vigna, 2016) */
static uint32_t random_key(struct run *run)
{
    run->random ^= run->random >> 12;
    run->random ^= run->random << 25;
    run->random ^= run->random >> 27;
    return (uint32_t)(((run->random * UINT64_C(0x2545f4914f6cdd1d)) >> 32) * run->keys >> 32);
}

/* Sends the next batch, if requests are left. */
static void send_batch(struct run *run, struct conn *conn)
{
    char *at = run->batch;

    conn->answered = 0;
    conn->in_flight = 0;
    conn->first_msgid = run->next_msgid;
    while (conn->in_flight < run->depth && run->started < run->requests) {
        uint32_t key = run->fills ? (uint32_t)run->started : random_key(run);

        conn->keys[conn->in_flight++] = key;
        frame_fill(&run->request, at, run->next_msgid++, key);
        at += run->request.len;
        run->started++;
    }
    if (conn->in_flight == 0)
        return;
    conn->sent_ns = now_ns();
    write_all(conn->fd, run->batch, (size_t)(at - run->batch));
}

/* Bytes of whole replies among these. */
static size_t take_replies(struct run *run, struct conn *conn, const char *in, size_t len)
{
    size_t taken = 0;
    int before = conn->answered;

    while (conn->answered < conn->in_flight) {
        uint32_t msgid = conn->first_msgid + (uint32_t)conn->answered;
        size_t n;

        frame_fill(&run->reply, run->reply.bytes, msgid, conn->keys[conn->answered]);
        n = frame_check(&run->reply, in + taken, len - taken);
        if (n == 0)
            break;
        taken += n;
        conn->answered++;
    }
    if (conn->answered > before)
        note_latency(now_ns() - conn->sent_ns, (uint64_t)(conn->answered - before));
    run->done += (uint64_t)(conn->answered - before);
    return taken;
}

static void on_readable(struct run *run, struct conn *conn)
{
    static char in[INPUT_ROOM]; /* one for all: it stays in the cache */
    size_t len = conn->rest_len;
    size_t taken;
    ssize_t n;

    memcpy(in, conn->rest, len);
    n = read(conn->fd, in + len, sizeof in - len);
    if (n <= 0)
        die("read");
    len += (size_t)n;
    taken = take_replies(run, conn, in, len);
    conn->rest_len = len - taken;
    if (conn->rest_len > (conn->answered < conn->in_flight ? sizeof conn->rest : 0))
        die("more bytes than were asked for");
    memcpy(conn->rest, in + taken, conn->rest_len);
    if (conn->answered == conn->in_flight)
        send_batch(run, conn);
}

/* -- a run -------------------------------------------------------------------------------------------------------- */

/* The echo server is told how many bytes make a request, and how many answer it. */
static void greet_echo(const struct run *run, int fd)
{
    uint32_t sizes[] = {htobe32((uint32_t)run->request.len), htobe32((uint32_t)run->reply.len)};

    write_all(fd, (const char *)sizes, sizeof sizes);
}

static void open_all(struct run *run, struct conn *conns, int epoll)
{
    for (int i = 0; i < run->connections; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &conns[i]};

        conns[i].fd = connect_to(run->address);
        if (run->protocol == RPC)
            ops_greet(conns[i].fd);
        if (run->protocol == RPC && run->fills)
            ops_prepare(conns[i].fd);
        if (run->protocol == ECHO)
            greet_echo(run, conns[i].fd);
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, conns[i].fd, &event) != 0)
            die("epoll_ctl");
    }
}

static void play(struct run *run, struct conn *conns, int epoll)
{
    struct epoll_event events[256];

    for (int i = 0; i < run->connections; i++)
        send_batch(run, &conns[i]);
    while (run->done < run->requests) {
        int n = wait_for_events(epoll, events, 256);

        for (int i = 0; i < n; i++)
            on_readable(run, events[i].data.ptr);
    }
}

/* What a run cost: by the clock, of the server, of this generator. */
struct cost {
    uint64_t wall_ns;
    struct cpu server, own;
};

static struct cost cost_now(const struct run *run)
{
    return (struct cost){.server = cpu_of(run->pid), .own = cpu_of(getpid()), .wall_ns = now_ns()};
}

/* The waits are parts of the time in which one could have run, and something else did. */
static void report(const struct run *run, const struct cost *begin, const struct cost *end)
{
    double requests = (double)run->requests;
    double wall_ns = (double)(end->wall_ns - begin->wall_ns);

    printf("{\"op\": \"%s\", \"connections\": %d, \"depth\": %d, \"requests\": %llu, ", run->op->name, run->connections,
           run->depth, (unsigned long long)run->requests);
    printf("\"seconds\": %.4f, \"rps\": %.0f, ", wall_ns / 1e9, requests / (wall_ns / 1e9));
    printf("\"cpu_us\": %.4f, \"server_wait\": %.4f, \"load_cpu_us\": %.4f, \"load_wait\": %.4f, ",
           (double)(end->server.ran_ns - begin->server.ran_ns) / 1000 / requests,
           (double)(end->server.waited_ns - begin->server.waited_ns) / wall_ns,
           (double)(end->own.ran_ns - begin->own.ran_ns) / 1000 / requests,
           (double)(end->own.waited_ns - begin->own.waited_ns) / wall_ns);
    printf("\"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, \"max_us\": %.1f}\n", latency_us(0.5),
           latency_us(0.99), latency_us(0.999), (double)longest_ns / 1000);
}

static void measure(struct run *run, struct conn *conns, int epoll)
{
    struct cost begin = cost_now(run), end;

    play(run, conns, epoll);
    end = cost_now(run);
    if (!run->fills)
        report(run, &begin, &end);
}

/* -- what it is told ---------------------------------------------------------------------------------------------- */

static enum protocol protocol_of(const char *name)
{
    static const char *const names[] = {[RPC] = "rpc", [RESP] = "resp", [TEXT] = "text", [ECHO] = "echo"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], name) == 0)
            return (enum protocol)i;
    errno = 0;
    die(name);
}

static const char *parse(struct run *run, int argc, char **argv)
{
    static const struct option options[] = {
        {"address", required_argument, NULL, 'a'}, {"protocol", required_argument, NULL, 'p'},
        {"op", required_argument, NULL, 'o'},      {"connections", required_argument, NULL, 'c'},
        {"depth", required_argument, NULL, 'd'},   {"requests", required_argument, NULL, 'n'},
        {"keys", required_argument, NULL, 'k'},    {"pid", required_argument, NULL, 'i'},
        {"fill", no_argument, NULL, 'f'},          {NULL, 0, NULL, 0},
    };
    const char *op = "";
    int letter;

    while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (letter) {
        case 'a': run->address = optarg; break;
        case 'p': run->protocol = protocol_of(optarg); break;
        case 'o': op = optarg; break;
        case 'c': run->connections = (int)strtol(optarg, NULL, 10); break;
        case 'd': run->depth = (int)strtol(optarg, NULL, 10); break;
        case 'n': run->requests = strtoull(optarg, NULL, 10); break;
        case 'k': run->keys = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 'i': run->pid = (int)strtol(optarg, NULL, 10); break;
        case 'f': run->fills = true; break;
        default: exit(2);
        }
    }
    return op;
}

static void configure(struct run *run, int argc, char **argv)
{
    const char *op;

    *run = (struct run){.connections = 50, .depth = 1, .requests = 100000, .keys = 1,
                        .random = UINT64_C(0x9e3779b97f4a7c15), .next_msgid = MSGID_FIRST};
    op = parse(run, argc, argv);
    if (run->fills) {
        op = "fill-keys";
        run->connections = 1;
        run->depth = 256;
        run->requests = run->keys;
    }
    run->op = op_find(op);
    errno = 0;
    if (run->op == NULL || run->address == NULL || run->connections < 1 || run->depth < 1 || run->depth > DEPTH_MAX ||
        run->keys < 1)
        die("usage: load --address A --protocol rpc|resp|text|echo --op OP [--connections N] [--depth N] "
            "[--requests N] [--keys N] [--pid PID] [--fill]");
    op_frames(run->op, run->protocol, &run->request, &run->reply);
}

static char *make_batch(const struct run *run)
{
    char *batch = malloc((size_t)run->depth * run->request.len);

    for (int i = 0; batch != NULL && i < run->depth; i++)
        memcpy(batch + (size_t)i * run->request.len, run->request.bytes, run->request.len);
    return batch;
}

int main(int argc, char **argv)
{
    struct run run;
    struct conn *conns;
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    configure(&run, argc, argv);
    conns = calloc((size_t)run.connections, sizeof *conns);
    run.batch = make_batch(&run);
    if (conns == NULL || run.batch == NULL || epoll < 0)
        die("start");
    open_all(&run, conns, epoll);
    measure(&run, conns, epoll);
    for (int i = 0; i < run.connections; i++)
        close(conns[i].fd);
    free(conns);
    free(run.batch);
    close(epoll);
    return 0;
}
