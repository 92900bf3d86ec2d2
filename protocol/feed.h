/*
 * protocol/feed.h - where does the next MessagePack-RPC frame end, and may it be read at all?
 *
 * A resumable scanner. It walks every byte once, under one budget (bytes, values, nesting), and allocates nothing for a
 * claim: a header that announces more than the frame may still hold is refused at once. Nothing is built before the
 * whole frame has been seen to be well formed; protocol/read.h then reads it in place.
 *
 * State is kept between calls, so bytes that come one at a time cost linear time. A feed refers to no memory but its
 * own.
 */
#ifndef HEAPD_PROTOCOL_FEED_H
#define HEAPD_PROTOCOL_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/limits.h"

enum feed_status {
    FEED_MORE,  /* all bytes were good so far; the frame needs more */
    FEED_FRAME, /* a whole frame lies in bytes[0, feed->pos) */
    FEED_BAD    /* never a frame: feed->reason says why */
};

struct feed_limits {
    uint64_t frame; /* bytes of one frame, 1 ... 2^32 */
    uint32_t depth; /* levels of arrays and maps, the envelope counted; 1 ... HD_DEPTH_MAX */
};

/* One frame's scan. The stack of open containers is the caller's: one serves all sessions, but while a frame is
 * incomplete. */
struct feed {
    size_t pos;        /* bytes of the frame walked so far */
    uint64_t owed;     /* values that open containers still wait for */
    uint64_t values;   /* values seen so far */
    uint32_t depth;    /* containers open now */
    uint32_t deepest;  /* the deepest nesting seen */
    uint8_t total;     /* elements of the frame's array: 3 or 4 */
    uint8_t type;      /* its first element */
    uint64_t skip;     /* bytes of a str, bin or ext payload still to pass over */
    const char *reason; /* for FEED_BAD: a static phrase for people */
    uint64_t *left;    /* values each open container still waits for; HD_DEPTH_MAX entries, the caller's */
};

/* Starts a new frame. `stack` holds at least `limits->depth` entries and stays the caller's. */
void feed_start(struct feed *feed, uint64_t *stack);

/*
 * Goes on with the frame that starts at bytes[0]; bytes[0, feed->pos) must be those of the calls before.
 * After FEED_FRAME and FEED_BAD the feed must be started again. Only an array header may open a frame.
 */
enum feed_status feed_scan(struct feed *feed, const struct feed_limits *limits, const char *bytes, size_t len);

/* The beginning of a whole, well-formed frame. */
struct envelope {
    uint8_t type;         /* 0 request, 1 response, 2 notification */
    uint32_t msgid;       /* of a request */
    const char *method;   /* in the frame */
    uint32_t method_len;
    uint32_t param_count;
    const char *params;   /* the first of them */
    const char *end;      /* of the frame */
};

/* The envelope of the frame bytes[0, len) after FEED_FRAME. Of a response only the type. */
void feed_open(const char *bytes, size_t len, struct envelope *envelope);

/*
 * What stands at the front of a frame, as far as it can be read: for an answer even to a bad one.
 * Returns true and sets *msgid if bytes begin with a request's [0, msgid, ...].
 */
bool feed_msgid(const char *bytes, size_t len, uint32_t *msgid);

#endif
