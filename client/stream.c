/* stream.c - bytes out and in, and the functions of loops. */
#include "client/link.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Frames written at once. */
#define GATHER_MAX 64
/* The input buffer at first, and the least room that is read into. */
#define READ_FIRST ((size_t)65536)
#define READ_LEAST ((size_t)8192)
/* Reads of one hd_process: a loop has others to serve. */
#define READS_MAX 16

/* -- frames -------------------------------------------------------------------------------------------------------- */

struct frame *frame_new(const struct buf_memory *memory, size_t room)
{
    static const char zeros[16];
    struct frame *frame = memory->resize(memory->context, NULL, 0, sizeof *frame);

    if (frame == NULL)
        return NULL;
    *frame = (struct frame){.memory = *memory};
    buf_init(&frame->bytes, SIZE_MAX / 2, &frame->memory);
    buf_append(&frame->bytes, zeros, room);
    frame->bytes.sent = room;
    if (frame->bytes.failed) {
        frame_free(frame);
        return NULL;
    }
    return frame;
}

void frame_free(struct frame *frame)
{
    struct buf_memory memory;

    if (frame == NULL)
        return;
    memory = frame->memory;
    buf_fini(&frame->bytes);
    memory.resize(memory.context, frame, sizeof *frame, 0);
}

void frame_drop(struct hd_link *link, struct frame *frame)
{
    TAILQ_REMOVE(&link->out, frame, link);
    link->answers -= frame->is_answer;
    if (frame->call != NULL)
        frame->call->frame = NULL;
    frame_free(frame);
}

/* -- out ----------------------------------------------------------------------------------------------------------- */

/* Before hello is answered only hello may leave: what comes behind it counts on what it asks for. */
static bool may_leave(const struct hd_link *link, const struct frame *frame)
{
    return frame != NULL && link->is_connected &&
           (link->state == HD_OPEN || (link->greeting != NULL && frame == link->greeting->frame));
}

static int gather(struct hd_link *link, struct iovec *parts)
{
    struct frame *frame = TAILQ_FIRST(&link->out);
    int count = 0;

    for (; count < GATHER_MAX && may_leave(link, frame); frame = TAILQ_NEXT(frame, link)) {
        parts[count].iov_base = frame->bytes.bytes + frame->bytes.sent;
        parts[count++].iov_len = buf_pending(&frame->bytes);
    }
    return count;
}

/* So many bytes of the queue have left. */
static void pass(struct hd_link *link, size_t bytes)
{
    while (bytes > 0) {
        struct frame *frame = TAILQ_FIRST(&link->out);
        size_t whole = buf_pending(&frame->bytes);

        frame->has_begun = true;
        if (bytes < whole) {
            frame->bytes.sent += bytes;
            return;
        }
        bytes -= whole;
        if (frame->call != NULL)
            call_left(frame->call);
        frame->call = NULL;
        frame_drop(link, frame);
    }
}

/* Writes what may leave, as long as the socket takes it. An error is kept: the server's last words may yet be read. */
void frames_write(struct hd_link *link)
{
    struct iovec parts[GATHER_MAX];
    struct msghdr message = {.msg_iov = parts};
    ssize_t written;
    int count;

    while (!link->is_blocked && link->write_error == 0 && (count = gather(link, parts)) > 0) {
        message.msg_iovlen = (size_t)count;
        written = sendmsg(link->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (written >= 0) {
            pass(link, (size_t)written);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) {
            link->is_blocked = true;
        } else if (errno != EINTR) {
            link->write_error = errno;
        }
    }
}

/* Queues what was released (without memory: another time) and writes. */
static void send_waiting(struct hd_link *link)
{
    if (link->state == HD_OPEN)
        handles_queue(link);
    frames_write(link);
}

static bool has_waiting(const struct hd_link *link)
{
    return may_leave(link, TAILQ_FIRST(&link->out)) || (link->state == HD_OPEN && buf_pending(&link->releases) > 0);
}

/* -- in ------------------------------------------------------------------------------------------------------------ */

static void end_of_stream(struct hd_link *link)
{
    if (link->goodbye[0] != '\0')
        link_close(link, HD_LOST, "%s ended the session: %s", link->peer, link->goodbye);
    else
        link_close(link, HD_LOST, "%s closed the connection%s", link->peer,
                   buf_pending(&link->in) > 0 ? " in the middle of a frame" : "");
}

static void broken(struct hd_link *link, int error)
{
    char text[128];

    if (link->goodbye[0] != '\0')
        end_of_stream(link);
    else
        link_close(link, HD_LOST, "%s: %s", link->peer, strerror_r(error, text, sizeof text));
}

/* Reads once and deals with what came. False when there is nothing more now, or the connection is another one. */
static bool read_once(struct hd_link *link)
{
    uint64_t epoch = link->epoch;
    ssize_t count;

    if (!buf_reserve(&link->in, link->in.capacity == 0 ? READ_FIRST : READ_LEAST)) {
        link_close(link, HD_LOST, "no memory for what the server sends");
        return false;
    }
    count = recv(link->fd, link->in.bytes + link->in.len, link->in.capacity - link->in.len, MSG_DONTWAIT);
    if (count > 0) {
        link->in.len += (size_t)count;
        receive_frames(link);
        return epoch == link->epoch;
    }
    if (count == 0)
        end_of_stream(link);
    else if (errno == EINTR)
        return true;
    else if (errno != EAGAIN && errno != EWOULDBLOCK)
        broken(link, errno);
    return false;
}

static void read_waiting(struct hd_link *link)
{
    for (int reads = 0; reads < READS_MAX && read_once(link); reads++)
        continue;
}

/* -- a loop's ------------------------------------------------------------------------------------------------------ */

int hd_fd(const struct hd_link *link)
{
    return link->fd;
}

bool hd_wants_read(const struct hd_link *link)
{
    return link->is_connected;
}

bool hd_wants_write(const struct hd_link *link)
{
    return link->state != HD_CLOSED && (!link->is_connected || has_waiting(link));
}

int hd_timeout_ms(const struct hd_link *link)
{
    const struct hd_call *first = TAILQ_FIRST(&link->by_time);
    int64_t deadline = first != NULL ? first->deadline : INT64_MAX, left;

    if (link->state == HD_CONNECTING && link->deadline < deadline)
        deadline = link->deadline;
    if (deadline == INT64_MAX)
        return -1;
    left = deadline - link_now_ms();
    return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

/* What is over is told only after everything that came has been looked at. */
static void expire(struct hd_link *link)
{
    calls_expire(link);
    if (link->state == HD_CONNECTING && link->deadline <= link_now_ms())
        link_close(link, HD_EXPIRED, "%s did not %s in time", link->peer,
                   link->is_connected ? "answer hello" : "accept the connection");
}

static void process_socket(struct hd_link *link, bool readable, bool writable)
{
    uint64_t epoch = link->epoch;

    if (!link->is_connected && (readable || writable))
        link_connecting(link);
    if (!link->is_connected)
        return;
    if (writable)
        link->is_blocked = false;
    send_waiting(link);
    if (readable || link->write_error != 0)
        read_waiting(link);
    if (epoch == link->epoch)
        send_waiting(link);
    if (epoch == link->epoch && link->write_error != 0)
        broken(link, link->write_error);
}

enum hd_status hd_process(struct hd_link *link, bool readable, bool writable)
{
    if (link->callbacks > 0)
        return link_fail(link, HD_USAGE, "hd_process in a callback");
    if (link->state == HD_CLOSED)
        return link->ended;
    process_socket(link, readable, writable);
    if (link->state != HD_CLOSED)
        expire(link);
    return link->state == HD_CLOSED ? link->ended : HD_OK;
}

/* -- without a loop ------------------------------------------------------------------------------------------------ */

/* The sooner of two waits, -1 being none. */
static int sooner(int a_ms, int b_ms)
{
    if (a_ms < 0 || b_ms < 0)
        return a_ms < 0 ? b_ms : a_ms;
    return a_ms < b_ms ? a_ms : b_ms;
}

enum hd_status hd_poll(struct hd_link *link, int timeout_ms)
{
    struct pollfd ready;
    int count;

    if (link->callbacks > 0)
        return link_fail(link, HD_USAGE, "hd_poll in a callback");
    if (link->state == HD_CLOSED)
        return link->ended;
    send_waiting(link);
    ready = (struct pollfd){.fd = link->fd, .events = (short)((hd_wants_read(link) ? POLLIN : 0) |
                                                              (hd_wants_write(link) ? POLLOUT : 0))};
    count = poll(&ready, 1, link->write_error != 0 ? 0 : sooner(timeout_ms, hd_timeout_ms(link)));
    if (count < 0 && errno != EINTR) {
        broken(link, errno);
        return link->ended;
    }
    if (count < 0)
        ready.revents = 0;
    return hd_process(link, (ready.revents & (POLLIN | POLLERR | POLLHUP)) != 0,
                      (ready.revents & (POLLOUT | POLLERR | POLLHUP)) != 0);
}

enum hd_status hd_flush(struct hd_link *link, int timeout_ms)
{
    int64_t deadline = link_deadline(timeout_ms);
    enum hd_status status = HD_OK;

    if (link->callbacks > 0)
        return link_fail(link, HD_USAGE, "hd_flush in a callback");
    if (link->state != HD_CLOSED)
        send_waiting(link);
    while (status == HD_OK && (!TAILQ_EMPTY(&link->out) || buf_pending(&link->releases) > 0)) {
        int64_t left = deadline == INT64_MAX ? -1 : deadline - link_now_ms();
        if (deadline != INT64_MAX && left <= 0)
            return link_fail(link, HD_EXPIRED, "%s did not take all in time", link->peer);
        status = hd_poll(link, (int)left);
    }
    return link->state == HD_CLOSED ? link->ended : status;
}
