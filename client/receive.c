/* receive.c - frames that came: answers to calls, events, and requests, which a client does not serve. */
#include "client/link.h"

#include <string.h>

#include "client/status.h"
#include "protocol/read.h"

/* Answers that wait because the server does not read: beyond it, it means no good. */
#define ANSWERS_MAX 1000

/* A whole frame, as the scanner saw it. */
struct received {
    const char *bytes;
    size_t len;
    uint64_t values;
};

/* -- answers ------------------------------------------------------------------------------------------------------- */

/* Nobody wants it any more: what it brought is given back. */
static void give_back(struct hd_call *call, const struct received *frame)
{
    struct hd_link *link = call->link;

    call_settle(call);
    if (!handles_collect(link, frame->bytes, frame->len))
        link_close(link, HD_LOST, "no memory to release handles: the session ends, and they with it");
}

static void take_answer(struct hd_call *call, const struct received *frame)
{
    struct hd_link *link = call->link;
    const struct hd_value *error;

    call->answer = tree_new(&call->memory, frame->bytes, frame->len, frame->values);
    if (call->answer == NULL && !handles_collect(link, frame->bytes, frame->len)) {
        link_close(link, HD_LOST, "no memory for an answer and the handles in it");
        return;
    }
    call_settle(call);
    if (call->answer == NULL) {
        call_finish(call, HD_OUT_OF_MEMORY, "OUT_OF_MEMORY the answer came, and there was no room for it");
        return;
    }
    error = hd_at(call->answer->root, 2);
    if (hd_kind(error) == HD_NIL)
        call_finish(call, HD_OK, "");
    else if (hd_kind(error) == HD_STR)
        call_finish(call, status_of_text(hd_str(error)), hd_str(error));
    else
        call_finish(call, HD_UNKNOWN, "UNKNOWN the server's error is no text");
}

/* An answer that was sent again after a resume, and whose call was lost with the old connection. */
static void give_back_lost(struct hd_link *link, const struct received *frame)
{
    if (link->is_resuming && !handles_collect(link, frame->bytes, frame->len))
        link_close(link, HD_LOST, "no memory to release handles");
}

static void receive_answer(struct hd_link *link, const struct received *frame, uint32_t msgid)
{
    struct hd_call *call = call_find(link, msgid);

    resume_count(link, call);
    if (call == NULL) {
        give_back_lost(link, frame);
        return;
    }
    if (call->frame != NULL) {
        link_close(link, HD_LOST, "%s answered a request that it has not got", link->peer);
        return;
    }
    if (call->status == HD_WAITING)
        take_answer(call, frame);
    else
        give_back(call, frame);
}

/* -- events -------------------------------------------------------------------------------------------------------- */

/* The reason in `bye` is what the end of the connection will be told by. */
static void note_bye(struct hd_link *link, const struct hd_value *params)
{
    const char *reason = hd_str(hd_at(params, 1));
    size_t len = strnlen(reason, sizeof link->goodbye - 1);

    memcpy(link->goodbye, reason, len);
    link->goodbye[len] = '\0';
    resume_forget(link); /* the session is over */
}

static void receive_event(struct hd_link *link, const struct received *frame)
{
    struct buf_memory memory = link->memory;
    struct tree *tree = tree_new(&memory, frame->bytes, frame->len, frame->values);
    const struct hd_value *name, *params;

    if (tree == NULL) {
        link_close(link, HD_LOST, "no memory for an event");
        return;
    }
    name = hd_at(tree->root, 1);
    params = hd_at(tree->root, 2);
    link->seen = hd_uint(hd_at(params, 0));
    if (strcmp(hd_str(name), "bye") == 0)
        note_bye(link, params);
    if (link->told != NULL) {
        link->callbacks++;
        link->told(link, hd_str(name), params, link->told_context);
        link->callbacks--;
    }
    tree_free(&memory, tree);
}

/* -- requests ------------------------------------------------------------------------------------------------------ */

static struct frame *refusal(struct hd_link *link, uint32_t msgid)
{
    struct frame *answer = frame_new(&link->memory, 0);

    if (answer == NULL)
        return NULL;
    answer->is_answer = true;
    pack_array(&answer->bytes, 4);
    pack_uint(&answer->bytes, 1);
    pack_uint(&answer->bytes, msgid);
    pack_cstr(&answer->bytes, "NO_METHOD a client serves no methods");
    pack_nil(&answer->bytes);
    if (!answer->bytes.failed)
        return answer;
    frame_free(answer);
    return NULL;
}

static void refuse_request(struct hd_link *link, uint32_t msgid)
{
    struct frame *answer = NULL;

    if (link->answers == ANSWERS_MAX)
        frames_write(link);
    if (link->answers < ANSWERS_MAX)
        answer = refusal(link, msgid);
    if (answer == NULL) {
        link_close(link, HD_LOST, link->answers < ANSWERS_MAX ? "no memory to answer %s"
                                                              : "%s asks and does not read the answers", link->peer);
        return;
    }
    link->answers++;
    TAILQ_INSERT_TAIL(&link->out, answer, link);
}

/* -- all ----------------------------------------------------------------------------------------------------------- */

static void receive(struct hd_link *link, const struct received *frame)
{
    struct reader reader = {frame->bytes, frame->bytes + frame->len};
    uint64_t type, msgid;

    read_next(&reader); /* the array; what it begins with the scanner has checked */
    type = read_next(&reader).uint;
    msgid = read_peek(&reader).uint;
    if (type == 2)
        receive_event(link, frame);
    else if (type == 1)
        receive_answer(link, frame, (uint32_t)msgid);
    else
        refuse_request(link, (uint32_t)msgid);
}

void receive_frames(struct hd_link *link)
{
    const struct feed_limits limits = {link->frame_limit, HD_DEPTH_MAX};
    uint64_t epoch = link->epoch;

    while (buf_pending(&link->in) > 0) {
        struct received frame = {.bytes = link->in.bytes + link->in.sent};
        enum feed_status status = feed_scan(&link->feed, &limits, frame.bytes, buf_pending(&link->in));

        if (status == FEED_BAD) {
            link_close(link, HD_LOST, "%s sent what is no MessagePack-RPC: %s", link->peer, link->feed.reason);
            return;
        }
        if (status == FEED_MORE)
            break;
        frame.len = link->feed.pos;
        frame.values = link->feed.values;
        receive(link, &frame);
        if (epoch != link->epoch)
            return;
        buf_taken(&link->in, frame.len);
        feed_start(&link->feed, link->feed_stack);
    }
    buf_compact(&link->in);
}
