/* call.c - calls that wait for their answers: by msgid, in order, and by deadline. */
#include "client/link.h"

#include <string.h>

/* Room at the front of a frame for [0, msgid, ...: the shortest form is put right in front of the method. */
#define HEAD_ROOM 7

static const char text_unsent[] = "LOST the connection ended before the request had left: it has not run";
static const char text_sent[] = "LOST the connection ended before the answer came: the request may have run";
static const char text_withdrawn[] = "EXPIRED no answer in time: the request had not left, and will not run";
static const char text_late[] = "EXPIRED no answer in time: the request may have run";

/* -- the table ----------------------------------------------------------------------------------------------------- */

static struct bucket *bucket_of(struct hd_link *link, uint32_t msgid)
{
    return &link->buckets[msgid & (link->bucket_count - 1)];
}

struct hd_call *call_find(struct hd_link *link, uint32_t msgid)
{
    struct hd_call *call = bucket_of(link, msgid)->first;

    while (call != NULL && call->msgid != msgid)
        call = call->next_in_bucket;
    return call;
}

static void insert(struct hd_link *link, struct hd_call *call)
{
    struct bucket *bucket = bucket_of(link, call->msgid);

    call->next_in_bucket = bucket->first;
    bucket->first = call;
}

static void give_buckets_back(struct hd_link *link)
{
    if (link->buckets != link->first_buckets)
        link->memory.resize(link->memory.context, link->buckets, link->bucket_count * sizeof(struct bucket), 0);
}

/* More buckets for more calls. Without memory the chains only get longer. */
static void grow(struct hd_link *link)
{
    size_t count = link->bucket_count * 4;
    struct bucket *buckets = link->memory.resize(link->memory.context, NULL, 0, count * sizeof(struct bucket));
    struct hd_call *call;

    if (buckets == NULL)
        return;
    memset(buckets, 0, count * sizeof(struct bucket));
    give_buckets_back(link);
    link->buckets = buckets;
    link->bucket_count = count;
    for (call = TAILQ_FIRST(&link->in_order); call != NULL; call = TAILQ_NEXT(call, link_order))
        insert(link, call);
}

static void shrink(struct hd_link *link)
{
    give_buckets_back(link);
    link->buckets = link->first_buckets;
    link->bucket_count = BUCKETS_FIRST;
    memset(link->first_buckets, 0, sizeof link->first_buckets);
    link->pending = 0;
}

static void add_pending(struct hd_link *link, struct hd_call *call)
{
    if (link->pending >= link->bucket_count * 2)
        grow(link);
    insert(link, call);
    TAILQ_INSERT_TAIL(&link->in_order, call, link_order);
    call->is_pending = true;
    link->pending++;
}

static void remove_pending(struct hd_call *call)
{
    struct hd_link *link = call->link;
    struct hd_call **at = &bucket_of(link, call->msgid)->first;

    while (*at != call)
        at = &(*at)->next_in_bucket;
    *at = call->next_in_bucket;
    TAILQ_REMOVE(&link->in_order, call, link_order);
    call->is_pending = false;
    link->pending--;
}

static uint32_t choose_msgid(struct hd_link *link)
{
    while (call_find(link, link->next_msgid) != NULL)
        link->next_msgid++;
    return link->next_msgid++;
}

/* -- deadlines ----------------------------------------------------------------------------------------------------- */

/* From the end: calls mostly have the same timeout, and come in order. */
static void set_deadline(struct hd_call *call, int timeout_ms)
{
    struct hd_link *link = call->link;
    struct hd_call *before;

    call->deadline = link_deadline(timeout_ms);
    if (call->deadline == INT64_MAX)
        return;
    before = TAILQ_LAST(&link->by_time, call_list);
    while (before != NULL && before->deadline > call->deadline)
        before = TAILQ_PREV(before, call_list, link_time);
    if (before != NULL)
        TAILQ_INSERT_AFTER(&link->by_time, before, call, link_time);
    else
        TAILQ_INSERT_HEAD(&link->by_time, call, link_time);
    call->is_timed = true;
}

static void clear_deadline(struct hd_call *call)
{
    if (call->is_timed)
        TAILQ_REMOVE(&call->link->by_time, call, link_time);
    call->is_timed = false;
}

/* -- made and freed ------------------------------------------------------------------------------------------------ */

struct hd_call *hd_call_new(struct hd_link *link, const char *method)
{
    struct buf_memory memory = link->memory;
    struct hd_call *call = memory.resize(memory.context, NULL, 0, sizeof *call);

    if (call == NULL)
        return NULL;
    *call = (struct hd_call){.link = link, .memory = memory, .status = HD_WAITING, .text = "", .is_owned = true};
    call->frame = frame_new(&memory, HEAD_ROOM);
    if (call->frame == NULL) {
        memory.resize(memory.context, call, sizeof *call, 0);
        return NULL;
    }
    pack_cstr(&call->frame->bytes, method);
    call->params_at = call->frame->bytes.len;
    buf_append(&call->frame->bytes, "\xdc\0\0", 3); /* an array of as many as there will be */
    TAILQ_INSERT_TAIL(&link->all, call, link_all);
    return call;
}

static void free_call(struct hd_call *call)
{
    struct buf_memory memory = call->memory;

    if (call->link != NULL)
        TAILQ_REMOVE(&call->link->all, call, link_all);
    frame_free(call->frame);
    tree_free(&memory, call->answer);
    memory.resize(memory.context, call, sizeof *call, 0);
}

/* Takes a request back that has not begun to leave; false if it has. */
static bool withdraw(struct hd_call *call)
{
    if (call->frame == NULL || call->frame->has_begun)
        return false;
    frame_drop(call->link, call->frame);
    remove_pending(call);
    return true;
}

void hd_call_free(struct hd_call *call)
{
    if (call == NULL)
        return;
    call->is_owned = false;
    if (call->is_lost)
        TAILQ_REMOVE(&call->link->lost, call, link_order);
    if (call->is_pending) {
        clear_deadline(call);
        if (!withdraw(call)) {
            call->status = HD_CANCELLED; /* no longer waiting */
            return;
        }
    }
    free_call(call);
}

/* -- sent ---------------------------------------------------------------------------------------------------------- */

/* Puts `head`, the frame's first bytes, right in front of the method. */
static void put_head(struct frame *frame, const char *head, size_t len)
{
    memcpy(frame->bytes.bytes + HEAD_ROOM - len, head, len);
    frame->bytes.sent = HEAD_ROOM - len;
}

static void put_request_head(struct frame *frame, uint32_t msgid)
{
    char head[HEAD_ROOM] = {(char)0x94, 0};
    size_t size = msgid < 0x80 ? 0 : msgid <= UINT8_MAX ? 1 : msgid <= UINT16_MAX ? 2 : 4;

    head[2] = (char)(size == 0 ? msgid : size == 1 ? 0xcc : size == 2 ? 0xcd : 0xce);
    for (size_t i = 0; i < size; i++)
        head[3 + i] = (char)(msgid >> (8 * (size - 1 - i)));
    put_head(frame, head, 3 + size);
}

/* The frame must be one that the server reads: else it would end the connection. */
static enum hd_status check_frame(struct hd_call *call)
{
    const struct buf *bytes = &call->frame->bytes;
    uint64_t stack[HD_DEPTH_MAX];
    struct feed feed;
    enum feed_status status;

    feed_start(&feed, stack);
    status = feed_scan(&feed, &call->link->limits, bytes->bytes + bytes->sent, buf_pending(bytes));
    if (status == FEED_FRAME)
        return HD_OK;
    return link_fail(call->link, HD_USAGE, "%s",
                     status == FEED_BAD ? feed.reason : "an array or a map lacks values that were announced");
}

static enum hd_status check_params(struct hd_call *call)
{
    const struct buf *bytes = &call->frame->bytes;

    if (bytes->failed && !bytes->over_limit)
        return link_fail(call->link, HD_OUT_OF_MEMORY, "no room for the parameters");
    if (call->put_status != HD_OK || bytes->failed)
        return link_fail(call->link, HD_USAGE, "the parameters do not fit the format, or are too long");
    if (call->params > UINT16_MAX)
        return link_fail(call->link, HD_USAGE, "a request has at most 65,535 parameters");
    bytes->bytes[call->params_at + 1] = (char)(call->params >> 8);
    bytes->bytes[call->params_at + 2] = (char)call->params;
    return HD_OK;
}

/* What must be right before a call is sent; what was released before goes out before it. */
static enum hd_status check_call(struct hd_call *call)
{
    struct hd_link *link = call->link;

    if (link == NULL)
        return HD_LOST;
    if (call->is_queued)
        return link_fail(link, HD_USAGE, "a call is sent once");
    if (link->state == HD_CLOSED) {
        if (link->text[0] == '\0')
            link_fail(link, HD_LOST, "the link is not connected");
        return HD_LOST;
    }
    if (link->state == HD_OPEN && !handles_queue(link)) /* nothing stands before hello */
        return link_fail(link, HD_OUT_OF_MEMORY, "no room to release handles");
    return check_params(call);
}

enum hd_status hd_call_send(struct hd_call *call, int timeout_ms, hd_call_fn done, void *context)
{
    enum hd_status status = check_call(call);
    struct hd_link *link = call->link;

    if (status == HD_OK) {
        call->msgid = choose_msgid(link);
        put_request_head(call->frame, call->msgid);
        status = check_frame(call);
    }
    if (status != HD_OK)
        return status;
    call->done = done;
    call->context = context;
    call->is_queued = true;
    call->frame->call = call;
    TAILQ_INSERT_TAIL(&link->out, call->frame, link);
    add_pending(link, call);
    set_deadline(call, timeout_ms);
    return HD_OK;
}

/* Sends a call as a notification and frees it, whatever comes of it. */
static enum hd_status send_blind(struct hd_call *call)
{
    enum hd_status status = check_call(call);

    if (status == HD_OK) {
        put_head(call->frame, "\x93\x02", 2);
        status = check_frame(call);
    }
    if (status == HD_OK) {
        TAILQ_INSERT_TAIL(&call->link->out, call->frame, link);
        call->frame = NULL;
    }
    free_call(call);
    return status;
}

enum hd_status hd_notify(struct hd_link *link, const char *method, const char *format, ...)
{
    struct hd_call *call = hd_call_new(link, method);
    va_list args;

    if (call == NULL)
        return link_fail(link, HD_OUT_OF_MEMORY, "no room for a notification");
    va_start(args, format);
    hd_put_va(call, format, args);
    va_end(args);
    return send_blind(call);
}

void call_left(struct hd_call *call)
{
    call->frame = NULL;
    call->was_sent = true;
}

/* -- over ---------------------------------------------------------------------------------------------------------- */

void call_settle(struct hd_call *call)
{
    remove_pending(call);
    if (!call->is_owned)
        free_call(call);
}

void call_finish(struct hd_call *call, enum hd_status status, const char *text)
{
    struct hd_link *link = call->link;

    clear_deadline(call);
    call->status = status;
    call->text = text;
    if (call->done == NULL)
        return;
    link->callbacks++;
    call->done(call, call->context);
    link->callbacks--;
}

/* A request that has begun to leave can no longer be stopped: its answer is waited for behind the scenes. */
static void expire(struct hd_call *call)
{
    if (withdraw(call)) {
        call_finish(call, HD_EXPIRED, text_withdrawn);
        return;
    }
    call->was_sent = true;
    call_finish(call, HD_EXPIRED, text_late);
}

void calls_expire(struct hd_link *link)
{
    int64_t now = link_now_ms();
    struct hd_call *call;

    while ((call = TAILQ_FIRST(&link->by_time)) != NULL && call->deadline <= now)
        expire(call);
}

/* One whose owner waits is lost, and told later; the others are only forgotten. */
static void lose(struct hd_call *call)
{
    struct hd_link *link = call->link;

    TAILQ_REMOVE(&link->in_order, call, link_order);
    call->is_pending = false;
    clear_deadline(call);
    if (call->status == HD_WAITING) {
        call->status = HD_LOST;
        call->text = call->was_sent ? text_sent : text_unsent;
        call->is_lost = true;
        TAILQ_INSERT_TAIL(&link->lost, call, link_order);
    } else if (!call->is_owned) {
        free_call(call);
    }
}

void calls_lose(struct hd_link *link)
{
    struct hd_call *call;

    while ((call = TAILQ_FIRST(&link->in_order)) != NULL)
        lose(call);
    shrink(link);
    while ((call = TAILQ_FIRST(&link->lost)) != NULL) {
        TAILQ_REMOVE(&link->lost, call, link_order);
        call->is_lost = false;
        call_finish(call, call->status, call->text);
    }
}

void calls_orphan(struct hd_link *link)
{
    struct hd_call *call;

    while ((call = TAILQ_FIRST(&link->all)) != NULL) {
        TAILQ_REMOVE(&link->all, call, link_all);
        call->link = NULL;
    }
}

enum hd_status hd_call_status(const struct hd_call *call)
{
    return call->status;
}

const struct hd_value *hd_call_result(const struct hd_call *call)
{
    return call->status == HD_OK && call->answer != NULL ? hd_at(call->answer->root, 3) : NULL;
}

const char *hd_call_error(const struct hd_call *call)
{
    return call->text;
}

bool hd_call_was_sent(const struct hd_call *call)
{
    return call->was_sent;
}

/* -- waiting ------------------------------------------------------------------------------------------------------- */

enum hd_status hd_call_wait(struct hd_call *call)
{
    struct hd_link *link = call->link;

    if (call->status != HD_WAITING)
        return call->status;
    if (link == NULL || !call->is_queued)
        return HD_USAGE;
    if (link->callbacks > 0)
        return link_fail(link, HD_USAGE, "hd_call_wait in a callback");
    while (call->status == HD_WAITING)
        hd_poll(link, HD_FOREVER);
    return call->status;
}
