/* ops.c - see ops.h. */
#include "tests/bench/ops.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/bench/wire.h"

#define KEY_SIZE 16      /* "key:00" and the number */
#define NUMBER_DIGITS 10 /* of any uint32 */

/* -- the table ---------------------------------------------------------------------------------------------------- */

/*
 * Holes:  ! the head of a request        ^ the head of a reply that is no error
 *         < a key that --fill bound      # its number
 *         > a key to be bound            | a key of a counter             ? some integer, in a reply
 * No other byte may look like one. RESP requests are words.
 * ALONE: only heapd has it. NO_TEXT: memcached has not.
 */
#define NIL "^\xc0"
#define TRUE "^\xc3"
#define NO_TEXT NULL, NULL
#define ALONE NULL, NULL, NO_TEXT
#define QUIETLY "\x81\xa6result\xa4none"

static const struct op ops[] = {
    {"ping", "!\xa4ping\x90", NIL, "PING", "+PONG\r\n", NO_TEXT},
    {"get", "!\xa3get\x91<", "^#", "GET <", "$10\r\n#\r\n",
     "get <\r\n", "VALUE < 0 10\r\n#\r\nEND\r\n"},
    {"bind", "!\xa4" "bind\x92>\xa3xyz", TRUE, "SET > xyz", "+OK\r\n",
     "set > 0 0 3\r\nxyz\r\n", "STORED\r\n"},
    {"add", "!\xa4" "call\x93\xa1" "d\xa3" "add\x91<", "^?", "HINCRBY d < 1", ":?\r\n", NO_TEXT},
    {"incr", "!\xa4" "call\x93\xa1" "d\xa3" "add\x91<", "^?", "INCR |", ":?\r\n", NO_TEXT},
    {"append", "!\xa4" "call\x93\xa2xs\xa6" "append\x91\x01", NIL, "RPUSH xs 1", ":?\r\n", NO_TEXT},
    {"set", "!\xa4" "call\x93\xa1h\xa3set\x92<\xa3xyz", NIL, "HSET h < xyz", ":?\r\n", NO_TEXT},

    {"item", "!\xa4" "call\x93\xa4pair\xa3get\x91\x01", "^\x07", ALONE},
    {"read", "!\xa4read\x91\xa4pair", "^\x92\x05\x07", ALONE},
    {"new", "!\xa3new\x92\x92\x05\xa3xyz" QUIETLY, NIL, ALONE},
    {"hold", "!\xa4hold\x92\xa1" "d\x81\xa4into\x07\x93\x02\xa7release\x91\x07", "^\x81\xa1@\x93\x07?\xa4" "dict", ALONE},
    {"getattr", "!\xa7getattr\x92\xa1o\xa1x", "^\x05", ALONE},
    {"setattr", "!\xa7setattr\x93\xa1o\xa1x\x05", TRUE, ALONE},
    {"weakref", "!\xa7weakref\x92\xa1o" QUIETLY, NIL, ALONE},
    {"deref", "!\xa5" "deref\x92\xa1w" QUIETLY, NIL, ALONE},
    {"names", "!\xa5names\x92\xa5" "bench\x81\xa5limit\x02", "^\x92\xa1" "d\xa2xs", ALONE},
    {"type", "!\xa4type\x91\xa1" "d", "^\xa4" "dict", ALONE},
    {"refcount", "!\xa8refcount\x91\xa1" "d", "^\x01", ALONE},
    {"batch", "!\xa5" "batch\x91\x92\x92\xa4type\x91\xa1" "d\x92\xa4type\x91\xa1" "d", "^\x92\xa4" "dict\xa4" "dict",
     ALONE},

    /* what --fill sends */
    {"fill-keys", "!\xa4" "bind\x92<#", TRUE, "SET < #", "+OK\r\n",
     "set < 0 0 10\r\n#\r\n", "STORED\r\n"},
};

/* What they work on, in the order in which "names" answers. */
static const char *const things[] = {
    "!\xa4" "bind\x92\xa1" "d\x80",
    "!\xa4" "bind\x92\xa2xs\x90",
    "!\xa4" "bind\x92\xa1h\x80",
    "!\xa4" "bind\x92\xa4pair\x92\x05\x07",
    "!\xa5" "class\x92\xa1" "C\x81\xa4into\x01",
    "!\xa4" "call\x94\x01\xa3new\x90\x81\xa4into\x02",
    "!\xa4" "bind\x92\xa1o\x81\xa1@\x02",
    "!\xa7setattr\x93\xa1o\xa1x\x05",
    "!\xa7weakref\x92\xa1o\x81\xa4into\x03",
    "!\xa4" "bind\x92\xa1w\x81\xa1@\x03",
};

static const char hello[] = "!\xa5hello\x91\x81\xa9namespace\xa5" "bench";

const struct op *op_find(const char *name)
{
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        if (strcmp(ops[i].name, name) == 0)
            return &ops[i];
    return NULL;
}

/* -- laying out a frame ------------------------------------------------------------------------------------------- */

static void add(struct frame *f, const char *bytes, size_t len)
{
    if (f->len + len > sizeof f->bytes)
        die("a frame is too long");
    memcpy(f->bytes + f->len, bytes, len);
    f->len += len;
}

static void add_key(struct frame *f, char kind)
{
    add(f, kind == '<' ? "key:000000000000" : kind == '>' ? "str:000000000000" : "cnt:000000000000", KEY_SIZE);
    f->key_at = (int)f->len - NUMBER_DIGITS;
}

static void add_number(struct frame *f)
{
    if (!f->is_text)
        add(f, "\xce", 1);
    f->number_at = (int)f->len;
    add(f, "##########", f->is_text ? NUMBER_DIGITS : 4);
}

static void add_head(struct frame *f, char kind)
{
    add(f, kind == '!' ? "\x94\x00\xce" : "\x94\x01\xce", 3);
    f->msgid_at = (int)f->len;
    add(f, "~~~~\xc0", kind == '!' ? 4 : 5);
}

static void add_template(struct frame *f, const char *template)
{
    for (const char *at = template; *at != '\0'; at++) {
        if (*at == '!' || *at == '^') {
            add_head(f, *at);
        } else if (*at == '<' || *at == '>' || *at == '|') {
            if (!f->is_text)
                add(f, "\xb0", 1);
            add_key(f, *at);
        } else if (*at == '#') {
            add_number(f);
        } else if (*at == '?') {
            f->int_at = f->len;
        } else {
            add(f, at, 1);
        }
    }
}

static void clear(struct frame *f, bool is_text)
{
    *f = (struct frame){.int_at = SIZE_MAX, .msgid_at = -1, .key_at = -1, .number_at = -1, .is_text = is_text};
}

static size_t word_len(const char *word, size_t len)
{
    return *word == '#' ? NUMBER_DIGITS : strchr("<>|", *word) != NULL ? KEY_SIZE : len;
}

static void add_count(struct frame *f, char kind, size_t count)
{
    char text[] = {kind, (char)('0' + count / 10), (char)('0' + count % 10), '\r', '\n'};

    add(f, text, 1);
    add(f, count < 10 ? text + 2 : text + 1, count < 10 ? 3 : 4);
}

/* "GET <" as "*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000000\r\n" */
static void add_words(struct frame *f, const char *words)
{
    size_t count = 1;

    for (const char *at = words; *at != '\0'; at++)
        count += *at == ' ';
    add_count(f, '*', count);
    for (const char *at = words; count > 0; count--) {
        size_t len = strcspn(at, " ");
        char word[16] = "";

        memcpy(word, at, len < sizeof word ? len : sizeof word - 1);
        add_count(f, '$', word_len(word, len));
        add_template(f, word);
        add(f, "\r\n", 2);
        at += len + (at[len] != '\0');
    }
}

/* A reply of as many bytes, and nothing in it. */
static void blank(struct frame *f)
{
    size_t len = f->len + (f->int_at != SIZE_MAX);

    clear(f, false);
    f->len = len;
    memset(f->bytes, 'e', len);
}

void op_frames(const struct op *op, enum protocol protocol, struct frame *request, struct frame *reply)
{
    const char *out = protocol == RESP ? op->resp : protocol == TEXT ? op->text : op->rpc;
    const char *in = protocol == RESP ? op->resp_reply : protocol == TEXT ? op->text_reply : op->rpc_reply;

    if (out == NULL)
        die("this server has no such operation");
    clear(request, protocol == RESP || protocol == TEXT);
    clear(reply, protocol == RESP || protocol == TEXT);
    if (protocol == RESP)
        add_words(request, out);
    else
        add_template(request, out);
    add_template(reply, in);
    if (protocol == ECHO)
        blank(reply);
}

/* -- one request -------------------------------------------------------------------------------------------------- */

/* Ten digits, two at a time: one at a time, they would be most of what a request costs the generator. */
static void put_digits(char *at, uint32_t number)
{
    static const char pairs[] =
        "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
        "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

    for (int i = NUMBER_DIGITS - 2; i >= 0; i -= 2, number /= 100)
        memcpy(at + i, pairs + 2 * (number % 100), 2);
}

static void put_be32(char *at, uint32_t number)
{
    number = htobe32(number);
    memcpy(at, &number, sizeof number);
}

/* What a key is bound to: no shared small int, different for each key, NUMBER_DIGITS long. */
static uint32_t number_of_key(uint32_t key)
{
    return key + 1000000000;
}

void frame_fill(const struct frame *f, char *copy, uint32_t msgid, uint32_t key)
{
    if (f->msgid_at >= 0)
        put_be32(copy + f->msgid_at, msgid);
    if (f->key_at >= 0)
        put_digits(copy + f->key_at, key);
    if (f->number_at >= 0 && f->is_text)
        put_digits(copy + f->number_at, number_of_key(key));
    else if (f->number_at >= 0)
        put_be32(copy + f->number_at, number_of_key(key));
}

/* Bytes of the integer at `in`, 0 if it is not complete. */
static size_t int_size(const struct frame *f, const char *in, size_t len)
{
    unsigned char first = len > 0 ? (unsigned char)*in : 0;
    size_t size = 1;

    if (!f->is_text) {
        if (first >= 0xcc && first <= 0xcf)
            size += (size_t)1 << (first - 0xcc);
        else if (first >= 0x80)
            die("no integer in the reply");
        return len >= size ? size : 0;
    }
    for (size = 0; size < len && in[size] >= '0' && in[size] <= '9'; size++)
        ;
    return size < len ? size : 0;
}

/* The next `want` bytes must be these, as far as they have come. */
static bool match(const char *bytes, size_t want, const char *in, size_t len)
{
    if (memcmp(bytes, in, len < want ? len : want) != 0)
        die("a wrong reply");
    return len >= want;
}

size_t frame_check(const struct frame *f, const char *in, size_t len)
{
    size_t size;

    if (f->int_at == SIZE_MAX)
        return match(f->bytes, f->len, in, len) ? f->len : 0;
    if (!match(f->bytes, f->int_at, in, len))
        return 0;
    size = int_size(f, in + f->int_at, len - f->int_at);
    if (size == 0 || !match(f->bytes + f->int_at, f->len - f->int_at, in + f->int_at + size, len - f->int_at - size))
        return 0;
    return f->len + size;
}

/* -- before it begins --------------------------------------------------------------------------------------------- */

/* One request whose result is not looked at. */
static void ask(int fd, const char *template)
{
    struct timeval patience = {.tv_sec = 30};
    struct frame request, reply;
    char in[4096];
    ssize_t len;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    clear(&request, false);
    clear(&reply, false);
    add_template(&request, template);
    add_template(&reply, "^");
    frame_fill(&request, request.bytes, MSGID_FIRST, 0);
    frame_fill(&reply, reply.bytes, MSGID_FIRST, 0);
    write_all(fd, request.bytes, request.len);
    len = TEMP_FAILURE_RETRY(read(fd, in, sizeof in));
    if (len <= 0 || !match(reply.bytes, reply.len, in, (size_t)len))
        die("the heap could not be prepared");
}

void ops_prepare(int fd)
{
    for (size_t i = 0; i < sizeof things / sizeof things[0]; i++)
        ask(fd, things[i]);
}

void ops_greet(int fd)
{
    ask(fd, hello);
}
