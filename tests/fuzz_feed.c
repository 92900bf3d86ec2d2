/*
 * fuzz_feed.c - libFuzzer on the scanner and the reader.
 *
 * The first byte of the input chooses limits and how the rest is cut. However it is cut, the scan must end the same
 * way, and a whole frame must be read to its last byte and no further, with as many values as the scan saw.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/feed.h"
#include "protocol/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t stack[HD_DEPTH_MAX];

static void expect(bool is_true)
{
    if (!is_true)
        abort();
}

static struct feed_limits limits_of(uint8_t choice)
{
    static const uint64_t frames[] = {64, 1000, UINT64_C(64) << 20, UINT64_C(1) << 32};
    static const uint32_t depths[] = {HD_DEPTH_MIN, HD_DEPTH_DEFAULT, HD_DEPTH_MAX, 4};

    return (struct feed_limits){frames[choice & 3], depths[choice >> 2 & 3]};
}

/* Bytes that have been walked are wiped: who reads them again goes wrong. The copy is malloc's own, so that a read
 * beyond what has come is seen. */
static enum feed_status scan_in_pieces(struct feed *feed, const struct feed_limits *limits, const char *bytes,
                                       size_t size, size_t piece)
{
    enum feed_status status = FEED_MORE;
    size_t len = 0;

    feed_start(feed, stack);
    while (status == FEED_MORE && len < size) {
        char *copy;

        len = len + piece < size ? len + piece : size;
        copy = malloc(len);
        if (copy == NULL)
            return FEED_MORE;
        memcpy(copy, bytes, len);
        memset(copy, 0xc1, feed->pos);
        status = feed_scan(feed, limits, copy, len);
        free(copy);
    }
    return status;
}

/* Reads a whole frame value by value. */
static void read_frame(const struct feed *feed, const char *bytes)
{
    struct reader reader = {bytes, bytes + feed->pos};
    struct reader skipper = reader;
    uint64_t values = 0;
    struct wire wire;

    while ((wire = read_next(&reader)).kind != WIRE_END)
        values++;
    expect(reader.at == reader.end);
    expect(values == feed->values);
    expect(read_skip(&skipper));
    expect(skipper.at == reader.end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data + 1;
    struct feed whole, pieces;
    struct feed_limits limits;
    enum feed_status status;
    uint32_t msgid;

    if (size < 2 || size > 4096)
        return 0;
    limits = limits_of(data[0]);
    feed_start(&whole, stack);
    status = feed_scan(&whole, &limits, bytes, size - 1);
    expect(whole.pos <= size - 1 || status == FEED_BAD);
    expect(whole.deepest <= limits.depth);
    expect((status == FEED_BAD) == (whole.reason != NULL));
    if (status == FEED_FRAME)
        read_frame(&whole, bytes);
    (void)feed_msgid(bytes, size - 1, &msgid);
    expect(scan_in_pieces(&pieces, &limits, bytes, size - 1, 1 + (data[0] >> 4)) == status);
    expect(pieces.pos == whole.pos && pieces.values == whole.values && pieces.reason == whole.reason);
    return 0;
}
