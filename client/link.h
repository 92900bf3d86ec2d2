/*
 * client/link.h - what a link and a call are made of, and what the files of the library do for each other.
 *
 *   url.c, endpoint.c   from an address to a socket
 *   link.c              a link's life: made, connecting, open, closed
 *   stream.c            bytes out and in, the functions of loops
 *   receive.c           frames that came: answers, events, requests
 *   resume.c            what of a session is known when its connection is lost
 *   call.c, put.c       calls and their parameters
 *   handle.c            handles on their way back
 *
 * Invariants. A call that waits is in the table `pending` under its msgid, and in `in_order`; if it has a deadline, in
 * `by_time` too. A call that expired or was freed after it had begun to leave stays in the table (and in `in_order`)
 * until its answer comes, so that the handles in that can be released. A frame that waits to leave is in `out`; its
 * call points to it, and it to its call, if it has one. While the link connects, only the first frame may leave: hello.
 *
 * Callbacks run where nothing of the link is held: afterwards all may have changed, and `epoch` tells whether the
 * connection is still the same.
 */
#ifndef HEAPD_CLIENT_LINK_H
#define HEAPD_CLIENT_LINK_H

#include <sys/queue.h>

#include "client/endpoint.h"
#include "client/value.h"
#include "protocol/feed.h"

/* Room for "CODE a sentence". */
#define LINK_TEXT_MAX 512

#define BUCKETS_FIRST 64

/* Bytes that wait to leave. */
struct frame {
    TAILQ_ENTRY(frame) link;
    struct buf_memory memory; /* that it is made of */
    struct buf bytes;         /* .sent: what has left, and the unused room at the front */
    struct hd_call *call;     /* whose request it is; NULL if nobody waits for an answer */
    bool has_begun;           /* some of it has left */
    bool is_answer;           /* to a request of the server */
};

TAILQ_HEAD(frame_list, frame);
TAILQ_HEAD(call_list, hd_call);

/* A chain of calls, by `next_in_bucket`. */
struct bucket {
    struct hd_call *first;
};

struct hd_call {
    struct hd_link *link;     /* NULL once that is freed */
    struct buf_memory memory; /* outlives the link */
    struct frame *frame;      /* until it has left whole */
    enum hd_status status;
    enum hd_status put_status; /* what went wrong with the parameters */
    const char *text;          /* the error: static, or in the tree */
    struct tree *answer;       /* the whole frame */
    uint64_t owed;             /* values that open arrays and maps still wait for */
    uint32_t params;
    uint32_t msgid;
    size_t params_at; /* where the header of the parameters stands in the frame */
    int64_t deadline; /* on link_now_ms's clock; INT64_MAX: none */
    hd_call_fn done;
    void *context;
    struct hd_call *next_in_bucket;
    TAILQ_ENTRY(hd_call) link_all;
    TAILQ_ENTRY(hd_call) link_order; /* in `in_order` or, when the connection has ended, in `lost` */
    TAILQ_ENTRY(hd_call) link_time;
    bool is_owned;   /* the user has it */
    bool is_queued;  /* it was sent, as the user sees it */
    bool is_pending; /* in `pending` */
    bool is_timed;   /* in `by_time` */
    bool is_lost;    /* in `lost` */
    bool was_sent;   /* its request left, or will */
};

struct hd_link {
    struct buf_memory memory;
    char *name;
    hd_event_fn told;
    void *told_context;

    /* the connection */
    int fd; /* -1: none */
    enum hd_state state;
    bool is_connected; /* the socket is; hello may not be answered yet */
    bool is_blocked;   /* the socket took no more */
    bool is_ending;    /* inside hd_link_free */
    int write_error;   /* errno of a write that failed: what the server said last may still be read */
    unsigned callbacks; /* that are running */
    uint64_t epoch;     /* counts connections and their ends */
    int64_t deadline;   /* of connecting */
    struct endpoints endpoints;
    struct hd_call *greeting; /* hello */
    struct feed_limits limits; /* of what the server reads, as hello told */
    char peer[ENDPOINT_TEXT_MAX];
    char tried[LINK_TEXT_MAX / 2]; /* endpoints that failed, and why */
    enum hd_status ended;     /* how the last connection did */
    char text[LINK_TEXT_MAX]; /* of the last error */
    const char *error;        /* it, or the text of the last hd_ask */
    char goodbye[128];        /* the reason in `bye` */
    uint64_t next_into;

    /* the session, if it lingers */
    double linger_s;    /* that the next hello asks for; 0: no */
    char token[64];     /* that resumes it; "": it does not linger, or is over */
    uint64_t seen;      /* seq of the last event that came */
    uint64_t answered;  /* answers that came */
    unsigned used;      /* the endpoint that it was reached at */
    bool is_resuming;   /* this connection is not its first one */

    /* out */
    struct frame_list out;
    unsigned answers;    /* frames in `out` that answer requests of the server */
    struct buf releases; /* handles to release, uint64_t each */

    /* in */
    struct buf in;
    struct feed feed;
    uint64_t feed_stack[HD_DEPTH_MAX];
    size_t frame_limit;

    /* calls */
    struct bucket first_buckets[BUCKETS_FIRST];
    struct bucket *buckets; /* of `pending`, by msgid */
    size_t bucket_count;    /* a power of two */
    size_t pending;
    uint32_t next_msgid;
    struct call_list all;
    struct call_list in_order;
    struct call_list by_time; /* soonest first */
    struct call_list lost;    /* whose callbacks are still to be called */
    struct hd_call *asked;    /* the last hd_ask's */
};

/* -- link.c -------------------------------------------------------------------------------------------------------- */

/* Milliseconds of the monotonic clock. */
int64_t link_now_ms(void);

/* When `timeout_ms` from now are over. */
int64_t link_deadline(int timeout_ms);

/* Keeps "CODE sentence" for hd_error and answers the status. */
enum hd_status link_fail(struct hd_link *link, enum hd_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Ends the connection for this reason: pending calls are lost, their callbacks run. Fine if it has ended. */
void link_close(struct hd_link *link, enum hd_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Goes on with connecting: the socket is ready, or failed. May close the link. */
void link_connecting(struct hd_link *link);

/* -- stream.c ------------------------------------------------------------------------------------------------------ */

/* A frame with `room` bytes at its front that are not sent. NULL: no memory. */
struct frame *frame_new(const struct buf_memory *memory, size_t room);
void frame_free(struct frame *frame);

/* Writes what waits and may leave, unless the socket is full. */
void frames_write(struct hd_link *link);

/* Takes the frame out of the queue and frees it. */
void frame_drop(struct hd_link *link, struct frame *frame);

/* -- receive.c ----------------------------------------------------------------------------------------------------- */

/* Deals with every whole frame that lies in `in`. May close the link. */
void receive_frames(struct hd_link *link);

/* -- resume.c ------------------------------------------------------------------------------------------------------ */

/* The session is over, or of no interest any more. */
void resume_forget(struct hd_link *link);

/* The same, and the server is told, if it can be at once. */
void resume_leave(struct hd_link *link);

/* What hello asks for: how many options, and these. */
size_t resume_options(const struct hd_link *link);
void resume_put(struct hd_link *link, struct hd_call *hello);

/* Hello has been answered. */
void resume_greeted(struct hd_link *link, const struct hd_value *hello);

/* An answer has come, for this call or, NULL, one that nobody waits for any more. */
void resume_count(struct hd_link *link, const struct hd_call *answered);

/* -- call.c -------------------------------------------------------------------------------------------------------- */

/* The call of this msgid that has no answer yet, or NULL. */
struct hd_call *call_find(struct hd_link *link, uint32_t msgid);

/* The call is no longer in the table. It is freed if nobody has it. */
void call_settle(struct hd_call *call);

/* The call is over: its callback runs, which may free it. */
void call_finish(struct hd_call *call, enum hd_status status, const char *text);

/* Everything of the call's request has left. */
void call_left(struct hd_call *call);

/* Calls whose deadline is over expire. */
void calls_expire(struct hd_link *link);

/* The connection has ended: what waited is lost. */
void calls_lose(struct hd_link *link);

/* The link is going to be freed: its calls stay with their owners. */
void calls_orphan(struct hd_link *link);

/* -- handle.c ------------------------------------------------------------------------------------------------------ */

/* Collects every HANDLE of a frame. False without memory; nothing is collected then. */
bool handles_collect(struct hd_link *link, const char *frame, size_t len);

/* Queues what was collected. False without memory; the rest waits for another time. */
bool handles_queue(struct hd_link *link);

#endif
