/*
 * feed.c - the resumable scanner.
 *
 * Invariants: `pos` is behind a whole header, its length bytes included, or inside a payload of which `skip` bytes are
 * still to come; `owed` is the sum of left[0 ... depth): values whose headers have not come, each at least one byte.
 */
#include "protocol/feed.h"

#include "protocol/read.h"

/* How a header is continued: bytes of its length, and what the length counts. */
enum shape { PLAIN, SIZED, EXT_SIZED, ARRAY, MAP, NEVER };

struct head {
    uint8_t shape;
    uint8_t extra; /* PLAIN: bytes that follow; else bytes of the length */
};

/* Headers 0xc0 ... 0xdf. */
static const struct head heads[32] = {
    {PLAIN, 0}, {NEVER, 0}, {PLAIN, 0}, {PLAIN, 0},             /* nil, c1, false, true */
    {SIZED, 1}, {SIZED, 2}, {SIZED, 4},                         /* bin */
    {EXT_SIZED, 1}, {EXT_SIZED, 2}, {EXT_SIZED, 4},             /* ext */
    {PLAIN, 4}, {PLAIN, 8},                                     /* float */
    {PLAIN, 1}, {PLAIN, 2}, {PLAIN, 4}, {PLAIN, 8},             /* uint */
    {PLAIN, 1}, {PLAIN, 2}, {PLAIN, 4}, {PLAIN, 8},             /* int */
    {PLAIN, 2}, {PLAIN, 3}, {PLAIN, 5}, {PLAIN, 9}, {PLAIN, 17}, /* fixext, with its type */
    {SIZED, 1}, {SIZED, 2}, {SIZED, 4},                         /* str */
    {ARRAY, 2}, {ARRAY, 4}, {MAP, 2}, {MAP, 4},
};

void feed_start(struct feed *feed, uint64_t *stack)
{
    *feed = (struct feed){.left = stack};
}

static enum feed_status bad(struct feed *feed, const char *reason)
{
    feed->reason = reason;
    return FEED_BAD;
}

static uint64_t big_endian(const char *at, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value = value << 8 | (unsigned char)at[i];
    return value;
}

/* A value's header has come: its container waits for one less. */
static void count_value(struct feed *feed)
{
    feed->values++;
    if (feed->depth == 0)
        return;
    feed->owed--;
    feed->left[feed->depth - 1]--;
}

/* One value is complete: containers that it was the last of are complete too. */
static void settle(struct feed *feed)
{
    while (feed->depth > 0 && feed->left[feed->depth - 1] == 0)
        feed->depth--;
}

/* Whether `bytes` more, and at least one for each value that is owed, can still come. */
static bool fits(const struct feed *feed, const struct feed_limits *limits, uint64_t bytes)
{
    return feed->pos <= limits->frame && bytes <= limits->frame - feed->pos &&
           feed->owed <= limits->frame - feed->pos - bytes;
}

static enum feed_status open_container(struct feed *feed, const struct feed_limits *limits, uint64_t values)
{
    if (feed->depth == limits->depth)
        return bad(feed, "nested deeper than limits.depth");
    feed->owed += values;
    if (!fits(feed, limits, 0))
        return bad(feed, "more values announced than limits.frame bytes can hold");
    if (feed->depth + 1 > feed->deepest)
        feed->deepest = feed->depth + 1;
    if (values == 0) {
        settle(feed);
        return FEED_MORE;
    }
    feed->left[feed->depth++] = values;
    return FEED_MORE;
}

/* A payload of `bytes` begins at pos. */
static enum feed_status open_payload(struct feed *feed, const struct feed_limits *limits, uint64_t bytes)
{
    if (!fits(feed, limits, bytes))
        return bad(feed, "longer than limits.frame");
    feed->skip = bytes;
    if (bytes == 0)
        settle(feed);
    return FEED_MORE;
}

/* Whether the value that comes next is the type, or the msgid of a request or response. */
static bool is_envelope_number(const struct feed *feed)
{
    return feed->depth == 1 && (feed->left[0] == feed->total || (feed->total == 4 && feed->left[0] == 3));
}

/* An int in any of its encodings, `value` the `extra` bytes behind its header; UINT64_MAX for what is none or
 * negative. */
static uint64_t number_of(unsigned char head, unsigned extra, uint64_t value)
{
    if (head < 0x80)
        return head;
    if (head < 0xcc || head > 0xd3 || (head >= 0xd0 && value >> (8 * extra - 1) != 0))
        return UINT64_MAX;
    return value;
}

static enum feed_status check_envelope_number(struct feed *feed, uint64_t number)
{
    if (feed->left[0] < feed->total)
        return number <= UINT32_MAX ? FEED_MORE : bad(feed, "msgid is an unsigned integer of 32 bits");
    if (feed->total == 4 ? number > 1 : number != 2)
        return bad(feed, "the first element is 0 in a request, 1 in a response, 2 in a notification");
    feed->type = (uint8_t)number;
    return FEED_MORE;
}

/* What a frame's array must hold beside numbers: checked by its header as each of the values comes by. */
static enum feed_status check_envelope(struct feed *feed, unsigned char head)
{
    if (feed->values == 0)
        return head == 0x93 || head == 0x94 || head == 0xdc || head == 0xdd
                   ? FEED_MORE
                   : bad(feed, "a frame is an array of 3 or 4 elements");
    if (feed->depth != 1 || feed->type == 1 || is_envelope_number(feed))
        return FEED_MORE;
    if (feed->left[0] == 2 &&
        !((head >= 0xa0 && head < 0xc0) || (head >= 0xd9 && head <= 0xdb) || (head >= 0xc4 && head <= 0xc6)))
        return bad(feed, "the method is a str");
    if (feed->left[0] == 1 && !((head >= 0x90 && head < 0xa0) || head == 0xdc || head == 0xdd))
        return bad(feed, "the parameters are an array");
    return FEED_MORE;
}

/* The frame's own header. */
static enum feed_status check_frame(struct feed *feed, uint64_t values)
{
    if (values != 3 && values != 4)
        return bad(feed, "a frame is an array of 3 or 4 elements");
    feed->total = (uint8_t)values;
    return FEED_MORE;
}

/* The value whose header was passed and is `head`; `size` is the length that it announced. */
static enum feed_status open_value(struct feed *feed, const struct feed_limits *limits, unsigned char head,
                                   struct head how, uint64_t size)
{
    switch (how.shape) {
    case SIZED:
        return open_payload(feed, limits, size);
    case EXT_SIZED:
        return open_payload(feed, limits, size + 1);
    case ARRAY:
        return open_container(feed, limits, size);
    case MAP:
        return open_container(feed, limits, size * 2);
    default:
        break;
    }
    if (head >= 0x90 && head < 0xa0)
        return open_container(feed, limits, head & 0x0f);
    if (head >= 0x80 && head < 0x90)
        return open_container(feed, limits, (uint64_t)(head & 0x0f) * 2);
    if (head >= 0xa0 && head < 0xc0)
        return open_payload(feed, limits, head & 0x1f);
    return open_payload(feed, limits, how.extra);
}

/* The value whose header is at bytes[pos]: FEED_MORE if it was taken, or if its header is not whole (*short_of set). */
static enum feed_status take_header(struct feed *feed, const struct feed_limits *limits, const char *bytes, size_t len,
                                    bool *short_of)
{
    unsigned char head = (unsigned char)bytes[feed->pos];
    struct head how = head >= 0xc0 && head < 0xe0 ? heads[head - 0xc0] : (struct head){PLAIN, 0};
    bool is_number = is_envelope_number(feed);
    enum feed_status status = check_envelope(feed, head);
    uint64_t size = 0;

    if (status == FEED_MORE && how.shape == NEVER)
        status = bad(feed, "byte 0xc1 is no MessagePack");
    if (status == FEED_MORE && (how.shape != PLAIN || is_number)) {
        if (len - feed->pos < 1u + how.extra) {
            *short_of = true;
            return FEED_MORE;
        }
        size = big_endian(bytes + feed->pos + 1, how.extra);
    }
    if (status == FEED_MORE && is_number)
        status = check_envelope_number(feed, number_of(head, how.extra, size));
    if (status == FEED_MORE && feed->values == 0)
        status = check_frame(feed, head < 0xa0 ? head & 0x0f : size);
    if (status != FEED_MORE)
        return status;
    count_value(feed);
    feed->pos += 1u + (how.shape != PLAIN ? how.extra : 0);
    return open_value(feed, limits, head, how, size);
}

/* Passes over a payload; false if it goes on beyond the bytes that are here. */
static bool take_payload(struct feed *feed, size_t len)
{
    uint64_t here = len - feed->pos;

    if (feed->skip > here) {
        feed->skip -= here;
        feed->pos = len;
        return false;
    }
    feed->pos += (size_t)feed->skip;
    feed->skip = 0;
    settle(feed);
    return true;
}

enum feed_status feed_scan(struct feed *feed, const struct feed_limits *limits, const char *bytes, size_t len)
{
    bool short_of = false;

    for (;;) {
        enum feed_status status;

        if (feed->skip > 0 && !take_payload(feed, len))
            return FEED_MORE;
        if (feed->values > 0 && feed->depth == 0)
            return FEED_FRAME;
        if (feed->pos >= len)
            return FEED_MORE;
        if (feed->pos >= limits->frame)
            return bad(feed, "longer than limits.frame");
        status = take_header(feed, limits, bytes, len, &short_of);
        if (status != FEED_MORE || short_of)
            return status;
    }
}

/* -- what stands at the front ---------------------------------------------------------------------------------- */

void feed_open(const char *bytes, size_t len, struct envelope *envelope)
{
    struct reader reader = {bytes, bytes + len};
    struct wire method;

    *envelope = (struct envelope){.end = bytes + len};
    read_next(&reader);
    envelope->type = (uint8_t)read_next(&reader).uint;
    if (envelope->type == 1)
        return;
    if (envelope->type == 0)
        envelope->msgid = (uint32_t)read_next(&reader).uint;
    method = read_next(&reader);
    envelope->method = method.bytes;
    envelope->method_len = method.len;
    envelope->param_count = read_next(&reader).len;
    envelope->params = reader.at;
}

bool feed_msgid(const char *bytes, size_t len, uint32_t *msgid)
{
    struct reader reader = {bytes, bytes + len};
    struct wire array = read_next(&reader);
    struct wire type = read_next(&reader);
    struct wire id = read_next(&reader);

    if (array.kind != WIRE_ARRAY || array.len != 4 || type.kind != WIRE_UINT || type.uint != 0 ||
        id.kind != WIRE_UINT || id.uint > UINT32_MAX)
        return false;
    *msgid = (uint32_t)id.uint;
    return true;
}
