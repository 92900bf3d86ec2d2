/*
 * load.c - a load generator that speaks MessagePack-RPC and RESP by the same code.
 *
 *   load --address HOST:PORT|unix:PATH --protocol rpc|resp --op OP [--connections N] [--depth N] [--requests N]
 *        [--keys N] [--pid PID] [--fill]
 *
 * Each connection sends `depth` requests in one write, waits for all their answers, and goes on; keys are drawn at
 * random from a seeded generator, the same for both protocols; every answer is checked. It writes one line of JSON:
 * requests per second, CPU time of the server's threads per request (of PID, by the scheduler's own clock), and
 * latencies from the write of a batch to each answer's arrival. With --fill it makes what the operation works on and
 * measures nothing.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tests/bench/wire.h"

#define KEY_DIGITS 12
#define KEY_SIZE 16 /* "key:" and the digits */
#define VALUE_DIGITS 10
#define DEPTH_MAX 4096
#define REQUEST_MAX 96 /* bytes of one */
#define INPUT_ROOM 65536

/* -- what is sent ------------------------------------------------------------------------------------------------- */

/* One request as bytes with holes: where its msgid, its key and the key's number go; -1 where there is none. */
struct request {
    char bytes[REQUEST_MAX];
    int len;
    int msgid_at, key_at, number_at;
};

enum answer { ANSWER_NIL, ANSWER_TRUE, ANSWER_KEY_NUMBER, ANSWER_INT }; /* KEY_NUMBER: what fill bound to the key */

struct op {
    const char *name;
    const char *rpc;   /* behind the msgid; @ and & stand for keys of two spaces, #### for a number */
    const char *resp;  /* words; @, & and % stand for keys of three spaces, #### for a number */
    enum answer rpc_answer, resp_answer;
};

#define STR3(text) "\xa3" text
#define STR4(text) "\xa4" text

static const struct op ops[] = {
    {"ping", STR4("ping") "\x90", "PING", ANSWER_NIL, ANSWER_NIL},
    {"get", STR3("get") "\x91@", "GET @", ANSWER_KEY_NUMBER, ANSWER_KEY_NUMBER},
    {"bind", STR4("bind") "\x92&\xa3xyz", "SET & xyz", ANSWER_TRUE, ANSWER_NIL},
    {"add", STR4("call") "\x93\xa1" "d" STR3("add") "\x91@", "HINCRBY d @ 1", ANSWER_INT, ANSWER_INT},
    {"incr", STR4("call") "\x93\xa1" "d" STR3("add") "\x91@", "INCR %", ANSWER_INT, ANSWER_INT},
    {"append", STR4("call") "\x93\xa2xs\xa6" "append\x91\x01", "RPUSH xs 1", ANSWER_NIL, ANSWER_INT},
    /* what --fill sends */
    {"fill-keys", STR4("bind") "\x92@\xce####", "SET @ ####", ANSWER_TRUE, ANSWER_NIL},
};

static const struct op *find_op(const char *name)
{
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        if (strcmp(ops[i].name, name) == 0)
            return &ops[i];
    errno = 0;
    die(name);
    return NULL;
}

static void add(struct request *r, const void *bytes, size_t len)
{
    if ((size_t)r->len + len > sizeof r->bytes)
        die("a request is too long");
    memcpy(r->bytes + r->len, bytes, len);
    r->len += (int)len;
}

static void add_key(struct request *r, char kind)
{
    add(r, kind == '@' ? "key:000000000000" : kind == '%' ? "cnt:000000000000" : "str:000000000000", KEY_SIZE);
    r->key_at = r->len - KEY_DIGITS;
}

static void make_rpc(struct request *r, const struct op *op)
{
    *r = (struct request){.msgid_at = 3, .key_at = -1, .number_at = -1};
    add(r, "\x94\x00\xce\0\0\0\0", 7);
    for (const char *at = op->rpc; *at != '\0'; at++) {
        if (*at == '@' || *at == '&') {
            add(r, "\xb0", 1);
            add_key(r, *at);
        } else {
            if (*at == '#' && r->number_at < 0)
                r->number_at = r->len;
            add(r, at, 1);
        }
    }
}

static void make_resp(struct request *r, const struct op *op)
{
    char words[64], head[32];
    int count = 1;

    *r = (struct request){.msgid_at = -1, .key_at = -1, .number_at = -1};
    snprintf(words, sizeof words, "%s", op->resp);
    for (const char *at = words; *at != '\0'; at++)
        count += *at == ' ';
    add(r, head, (size_t)snprintf(head, sizeof head, "*%d\r\n", count));
    for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " ")) {
        bool is_key = *word == '@' || *word == '%' || *word == '&';
        size_t len = is_key ? KEY_SIZE : *word == '#' ? VALUE_DIGITS : strlen(word);

        add(r, head, (size_t)snprintf(head, sizeof head, "$%zu\r\n", len));
        if (*word == '#')
            r->number_at = r->len;
        if (is_key)
            add_key(r, *word);
        else
            add(r, *word == '#' ? "##########" : word, len);
        add(r, "\r\n", 2);
    }
}

static void put_digits(char *at, int digits, uint32_t number)
{
    for (int i = digits - 1; i >= 0; i--, number /= 10)
        at[i] = (char)('0' + number % 10);
}

static void put_be32(char *at, uint32_t number)
{
    for (int i = 3; i >= 0; i--, number >>= 8)
        at[i] = (char)number;
}

/* What a key is bound to: no shared small int, different for each key, VALUE_DIGITS long. */
static uint32_t value_of_key(uint32_t key)
{
    return key + 1000000000;
}

/* -- what comes back ---------------------------------------------------------------------------------------------- */

/* A MessagePack uint at *at; false if it is incomplete or something else. */
static bool take_uint(const unsigned char **at, const unsigned char *end, uint64_t *value)
{
    const unsigned char *p = *at;
    int size;

    if (p >= end)
        return false;
    if (*p < 0x80) {
        *value = *p;
        *at = p + 1;
        return true;
    }
    if (*p < 0xcc || *p > 0xcf)
        return false;
    size = 1 << (*p - 0xcc);
    if (end - p < size + 1)
        return false;
    *value = 0;
    for (int i = 1; i <= size; i++)
        *value = *value << 8 | p[i];
    *at = p + 1 + size;
    return true;
}

/* Bytes of the answer at `bytes`, checked against what is expected; 0 if it is not complete. */
static size_t check_rpc(const char *bytes, size_t len, enum answer answer, uint32_t msgid, uint32_t key)
{
    const unsigned char *start = (const unsigned char *)bytes;
    const unsigned char *at = start + 2;
    const unsigned char *end = start + len;
    uint64_t got;
    bool good;

    if (len < 5)
        return 0;
    if (start[0] != 0x94 || start[1] != 1)
        die("not a response");
    if (!take_uint(&at, end, &got) || end - at < 2)
        return 0;
    if (got != msgid || *at++ != 0xc0)
        die("an error, or another request's response");
    if (answer == ANSWER_NIL || answer == ANSWER_TRUE) {
        good = *at++ == (answer == ANSWER_NIL ? 0xc0 : 0xc3);
    } else {
        if (!take_uint(&at, end, &got))
            return 0;
        good = answer == ANSWER_INT || got == value_of_key(key);
    }
    if (!good)
        die("a wrong result");
    return (size_t)(at - start);
}

static size_t check_resp(const char *bytes, size_t len, enum answer answer, uint32_t key)
{
    const char *end = memchr(bytes, '\n', len);
    char digits[VALUE_DIGITS];

    if (end == NULL)
        return 0;
    if (*bytes != (answer == ANSWER_NIL ? '+' : answer == ANSWER_INT ? ':' : '$'))
        die("an error, or a wrong kind of answer");
    if (answer != ANSWER_KEY_NUMBER)
        return (size_t)(end + 1 - bytes);
    if ((size_t)(bytes + len - end) < VALUE_DIGITS + 3)
        return 0;
    put_digits(digits, VALUE_DIGITS, value_of_key(key));
    if (memcmp(end + 1, digits, VALUE_DIGITS) != 0)
        die("a wrong result");
    return (size_t)(end + 1 - bytes) + VALUE_DIGITS + 2;
}

/* -- time --------------------------------------------------------------------------------------------------------- */

/* Latencies in classes of 1/16 of a power of two, as HdrHistogram (G. Tene) has them. */
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
    uint32_t first_msgid;         /* of the batch in flight */
    int in_flight, answered;
    uint32_t keys[DEPTH_MAX];     /* of the batch */
    uint64_t sent_ns;
    char in[INPUT_ROOM];
    size_t in_len;
};

struct run {
    const char *address;
    bool is_rpc, fills;
    const struct op *op;
    struct request request;
    int connections, depth, pid;
    uint32_t keys;
    uint64_t requests, started, done; /* how many are wanted, sent, answered */
    uint64_t random;
    uint32_t next_msgid;
    char *batch;
};

/* xorshift64* (S. Vigna, 2016) */
static uint32_t random_key(struct run *run)
{
    run->random ^= run->random >> 12;
    run->random ^= run->random << 25;
    run->random ^= run->random >> 27;
    return (uint32_t)((run->random * UINT64_C(0x2545f4914f6cdd1d)) >> 32) % run->keys;
}

static char *put_request(struct run *run, char *at, uint32_t msgid, uint32_t key)
{
    const struct request *r = &run->request;

    memcpy(at, r->bytes, (size_t)r->len);
    if (r->msgid_at >= 0)
        put_be32(at + r->msgid_at, msgid);
    if (r->key_at >= 0)
        put_digits(at + r->key_at, KEY_DIGITS, key);
    if (r->number_at >= 0 && run->is_rpc)
        put_be32(at + r->number_at, value_of_key(key));
    else if (r->number_at >= 0)
        put_digits(at + r->number_at, VALUE_DIGITS, value_of_key(key));
    return at + r->len;
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
        at = put_request(run, at, run->next_msgid++, key);
        run->started++;
    }
    if (conn->in_flight == 0)
        return;
    conn->sent_ns = now_ns();
    write_all(conn->fd, run->batch, (size_t)(at - run->batch));
}

static void take_answers(struct run *run, struct conn *conn)
{
    size_t taken = 0;
    int before = conn->answered;

    while (conn->answered < conn->in_flight) {
        uint32_t key = conn->keys[conn->answered];
        uint32_t msgid = conn->first_msgid + (uint32_t)conn->answered;
        size_t n = run->is_rpc
                       ? check_rpc(conn->in + taken, conn->in_len - taken, run->op->rpc_answer, msgid, key)
                       : check_resp(conn->in + taken, conn->in_len - taken, run->op->resp_answer, key);

        if (n == 0)
            break;
        taken += n;
        conn->answered++;
    }
    memmove(conn->in, conn->in + taken, conn->in_len - taken);
    conn->in_len -= taken;
    if (conn->answered > before)
        note_latency(now_ns() - conn->sent_ns, (uint64_t)(conn->answered - before));
    run->done += (uint64_t)(conn->answered - before);
}

static void on_readable(struct run *run, struct conn *conn)
{
    ssize_t n = read(conn->fd, conn->in + conn->in_len, sizeof conn->in - conn->in_len);

    if (n <= 0)
        die("read");
    conn->in_len += (size_t)n;
    take_answers(run, conn);
    if (conn->answered == conn->in_flight)
        send_batch(run, conn);
}

/* Runs one exchange whose answer is not measured: `bytes` out, an answer in. */
static void exchange(int fd, const char *bytes, size_t len)
{
    char answer[4096];

    write_all(fd, bytes, len);
    if (read(fd, answer, sizeof answer) <= 0)
        die("read");
}

/* Every connection works in the shared namespace `bench`. */
static void greet(const struct run *run, int fd)
{
    static const char hello[] = "\x94\x00\x01\xa5hello\x91\x81\xa9namespace\xa5" "bench";

    if (run->is_rpc)
        exchange(fd, hello, sizeof hello - 1);
}

/* The dict and the list that `add` and `append` work on. */
static void make_containers(const struct run *run, int fd)
{
    static const char dict[] = "\x94\x00\x01\xa4" "bind\x92\xa1" "d\x80";
    static const char list[] = "\x94\x00\x01\xa4" "bind\x92\xa2xs\x90";

    if (!run->is_rpc)
        return;
    exchange(fd, dict, sizeof dict - 1);
    exchange(fd, list, sizeof list - 1);
}

static void open_all(struct run *run, struct conn *conns, int epoll)
{
    for (int i = 0; i < run->connections; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &conns[i]};

        conns[i].fd = connect_to(run->address);
        greet(run, conns[i].fd);
        if (run->fills && i == 0)
            make_containers(run, conns[i].fd);
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
        int n = epoll_wait(epoll, events, 256, 30000);

        if (n <= 0)
            die("no answer for 30 s");
        for (int i = 0; i < n; i++)
            on_readable(run, events[i].data.ptr);
    }
}

static void report(const struct run *run, uint64_t wall_ns, uint64_t server_ns)
{
    printf("{\"op\": \"%s\", \"protocol\": \"%s\", \"connections\": %d, \"depth\": %d, \"requests\": %llu, "
           "\"seconds\": %.4f, \"rps\": %.0f, \"cpu_us\": %.4f, \"p50_us\": %.1f, \"p99_us\": %.1f, "
           "\"max_us\": %.1f}\n",
           run->op->name, run->is_rpc ? "rpc" : "resp", run->connections, run->depth,
           (unsigned long long)run->requests, (double)wall_ns / 1e9,
           (double)run->requests / ((double)wall_ns / 1e9), (double)server_ns / 1000 / (double)run->requests,
           latency_us(0.5), latency_us(0.99), (double)longest_ns / 1000);
}

static void parse(struct run *run, int argc, char **argv)
{
    const char *op = NULL;

    *run = (struct run){.connections = 50, .depth = 1, .requests = 100000, .keys = 1, .is_rpc = true,
                        .random = UINT64_C(0x9e3779b97f4a7c15), .next_msgid = 1};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";

        if (strcmp(argv[i], "--fill") == 0) {
            run->fills = true;
            continue;
        }
        i++;
        if (strcmp(argv[i - 1], "--address") == 0)
            run->address = value;
        else if (strcmp(argv[i - 1], "--protocol") == 0)
            run->is_rpc = strcmp(value, "rpc") == 0;
        else if (strcmp(argv[i - 1], "--op") == 0)
            op = value;
        else if (strcmp(argv[i - 1], "--connections") == 0)
            run->connections = atoi(value);
        else if (strcmp(argv[i - 1], "--depth") == 0)
            run->depth = atoi(value);
        else if (strcmp(argv[i - 1], "--requests") == 0)
            run->requests = strtoull(value, NULL, 10);
        else if (strcmp(argv[i - 1], "--keys") == 0)
            run->keys = (uint32_t)strtoul(value, NULL, 10);
        else if (strcmp(argv[i - 1], "--pid") == 0)
            run->pid = atoi(value);
        else
            die(argv[i - 1]);
    }
    if (run->fills) {
        op = "fill-keys";
        run->connections = 1;
        run->depth = 256;
        run->requests = run->keys;
    }
    if (run->address == NULL || op == NULL || run->connections < 1 || run->depth < 1 || run->depth > DEPTH_MAX ||
        run->keys < 1)
        die("usage: load --address A --protocol rpc|resp --op OP [--connections N] [--depth N] [--requests N] "
            "[--keys N] [--pid PID] [--fill]");
    run->op = find_op(op);
}

int main(int argc, char **argv)
{
    struct run run;
    struct conn *conns;
    uint64_t wall, cpu;
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    parse(&run, argc, argv);
    if (run.is_rpc)
        make_rpc(&run.request, run.op);
    else
        make_resp(&run.request, run.op);
    conns = calloc((size_t)run.connections, sizeof *conns);
    run.batch = malloc((size_t)run.depth * REQUEST_MAX);
    if (conns == NULL || run.batch == NULL || epoll < 0)
        die("start");
    open_all(&run, conns, epoll);
    wall = now_ns();
    cpu = cpu_ns(run.pid);
    play(&run, conns, epoll);
    cpu = cpu_ns(run.pid) - cpu;
    wall = now_ns() - wall;
    if (!run.fills)
        report(&run, wall, cpu);
    for (int i = 0; i < run.connections; i++)
        close(conns[i].fd);
    free(conns);
    free(run.batch);
    close(epoll);
    return 0;
}
