/* daemon/conn.c - see conn.h. */
#include "daemon/conn.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "daemon/panic.h"
#include "daemon/peer_socket.h"
#include "daemon/session.h"
#include "protocol/pack.h"

#define CONN_MAGIC 0x636f6e6e /* "conn" */

/* How long a client may take to read our last words and close. */
#define LINGER_MS 2000
/* The same, at the end of the daemon. */
#define STOP_LINGER_MS 300
/* Nobody lingers when no more than so many connections have room. */
#define LINGER_SPARE 8
/* How long the end of the daemon waits for its clients. */
#define STOP_MS 5000
/* Bytes written in one turn, for a client that takes as much as we give. */
#define TURN_BYTES ((size_t)1024 * 1024)
/* Bytes that wait with libuv for a full socket to have room; the rest stays with the session. */
#define STUCK_BYTES 16

struct conn {
    uint32_t magic;
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    struct conns *conns;
    struct session *session; /* NULL once it has ended */
    int fd;
    struct turn turn;
    struct deadline deadlines[DEADLINE_KINDS];
    uint64_t frame;       /* whose deadline is set, of DEADLINE_REQUEST */
    uint64_t queued_then; /* bytes in the socket's own queue when DEADLINE_OUTPUT was set */
    bool is_reading;
    bool is_writing; /* `stuck` is with libuv */
    bool has_ended;  /* the client will send no more */
    union {
        uv_write_t write;
        uv_shutdown_t shutdown; /* when all is written */
    } request;
    char stuck[STUCK_BYTES];
    size_t stuck_len;
    TAILQ_ENTRY(conn) link;
};

static void serve(struct conn *conn);

static struct conn *check_conn(void *pointer)
{
    struct conn *conn = pointer;

    INVARIANT(conn != NULL && conn->magic == CONN_MAGIC, "this is a connection");
    return conn;
}

static bool is_closing(const struct conn *conn)
{
    return uv_is_closing(&conn->uv.handle) != 0;
}

static void set_deadline(struct conn *conn, enum deadline_kind kind)
{
    deadline_set(&conn->conns->deadlines, &conn->deadlines[kind], kind);
}

static void clear_deadline(struct conn *conn, enum deadline_kind kind)
{
    deadline_clear(&conn->conns->deadlines, &conn->deadlines[kind], kind);
}

/* -- The end ------------------------------------------------------------------------------------------------------- */

static void end_session(struct conn *conn)
{
    if (conn->session == NULL)
        return;
    session_close(conn->session);
    conn->session = NULL;
}

static void free_conn(uv_handle_t *handle)
{
    struct conn *conn = check_conn(handle->data);
    struct conns *conns = conn->conns;

    TAILQ_REMOVE(&conns->list, conn, link);
    conns->count--;
    conn->magic = 0;
    free(conn);
    if (conns->on_room != NULL)
        conns->on_room(conns->context);
}

/* The one place where a connection is closed; nothing more happens to it but free_conn. Fine for one that is
 * closing. */
static void close_conn(struct conn *conn)
{
    if (is_closing(conn))
        return;
    end_session(conn);
    pace_forget(conn->conns->pace, &conn->turn);
    for (enum deadline_kind kind = 0; kind < DEADLINE_KINDS; kind++)
        clear_deadline(conn, kind);
    uv_close(&conn->uv.handle, free_conn);
}

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct conn *conn = check_conn(handle->data);

    (void)suggested;
    *buffer = uv_buf_init(conn->conns->read_buffer, CONN_READ_SIZE);
}

/* Throws away what a client sends whose session is over. */
static void discard(uv_stream_t *stream, ssize_t len, const uv_buf_t *buffer)
{
    (void)buffer;
    if (len < 0)
        close_conn(check_conn(stream->data));
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    struct conn *conn = check_conn(request->handle->data);

    if (status < 0)
        close_conn(conn);
}

/* Would the client lose nothing if the connection were closed now? */
static bool may_close_now(const struct conn *conn)
{
    const struct conns *conns = conn->conns;
    int unread = 0;

    if (conn->has_ended || conns->count + LINGER_SPARE > conns->most)
        return true;
    return conns->is_stopping && ioctl(conn->fd, FIONREAD, &unread) == 0 && unread == 0;
}

/*
 * Everything is said. A close while bytes of the client's are unread would reset the connection, and the client might
 * lose our last words: so our side is shut, and its bytes are thrown away until it closes or its time is over.
 */
static void linger(struct conn *conn)
{
    end_session(conn);
    pace_forget(conn->conns->pace, &conn->turn);
    clear_deadline(conn, DEADLINE_REQUEST);
    clear_deadline(conn, DEADLINE_OUTPUT);
    clear_deadline(conn, DEADLINE_IDLE);
    uv_read_stop(&conn->uv.stream);
    conn->is_reading = false;
    if (may_close_now(conn) || uv_shutdown(&conn->request.shutdown, &conn->uv.stream, on_shutdown) != 0 ||
        uv_read_start(&conn->uv.stream, give_buffer, discard) != 0) {
        close_conn(conn);
        return;
    }
    set_deadline(conn, DEADLINE_LINGER);
}

/* -- Output -------------------------------------------------------------------------------------------------------- */

/* Bytes that the socket has taken and the client has not. */
static uint64_t measure_socket_queue(const struct conn *conn)
{
    int bytes;

    if (ioctl(conn->fd, SIOCOUTQ, &bytes) != 0 || bytes < 0)
        return 0;
    return (uint64_t)bytes;
}

static void start_output_deadline(struct conn *conn)
{
    conn->queued_then = measure_socket_queue(conn);
    set_deadline(conn, DEADLINE_OUTPUT);
}

static void on_written(uv_write_t *request, int status)
{
    struct conn *conn = check_conn(request->handle->data);

    conn->is_writing = false;
    if (is_closing(conn))
        return;
    if (status < 0) {
        close_conn(conn);
        return;
    }
    buf_taken(session_output(conn->session), conn->stuck_len);
    clear_deadline(conn, DEADLINE_OUTPUT);
    pace_queue(conn->conns->pace, &conn->turn); /* the session may have paused for want of room */
    serve(conn);
}

/* The socket is full: a few bytes go to libuv, which says when there is room again. */
static void wait_for_room(struct conn *conn, const struct buf *output)
{
    uv_buf_t part = uv_buf_init(conn->stuck, 0);

    conn->stuck_len = buf_pending(output) < STUCK_BYTES ? buf_pending(output) : STUCK_BYTES;
    memcpy(conn->stuck, output->bytes + output->sent, conn->stuck_len);
    part.len = conn->stuck_len;
    if (uv_write(&conn->request.write, &conn->uv.stream, &part, 1, on_written) != 0) {
        close_conn(conn);
        return;
    }
    conn->is_writing = true;
    if (!conn->deadlines[DEADLINE_OUTPUT].is_set)
        start_output_deadline(conn);
}

/* What uv_try_write does while nothing waits with libuv, by the call that is quicker for a socket than write. Bytes
 * that were taken, or libuv's error. */
static ssize_t send_now(const struct conn *conn, const struct buf *output, size_t most)
{
    size_t len = buf_pending(output) < most ? buf_pending(output) : most;
    ssize_t taken;

    do
        taken = send(conn->fd, output->bytes + output->sent, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (taken < 0 && errno == EINTR);
    return taken < 0 ? uv_translate_sys_error(errno) : taken;
}

/* Writes what the socket takes now. Returns whether it took something. */
static bool flush(struct conn *conn)
{
    struct buf *output = session_output(conn->session);
    size_t written = 0;

    while (!conn->is_writing && buf_pending(output) > 0) {
        ssize_t taken = written < TURN_BYTES ? send_now(conn, output, TURN_BYTES) : 0;

        if (taken == UV_EAGAIN) {
            wait_for_room(conn, output);
            return written > 0;
        }
        if (taken < 0) {
            close_conn(conn);
            return false;
        }
        if (taken == 0) {
            pace_queue(conn->conns->pace, &conn->turn);
            break;
        }
        buf_taken(output, (size_t)taken);
        written += (size_t)taken;
    }
    return written > 0;
}

/* -- Input --------------------------------------------------------------------------------------------------------- */

/* There is more where that came from: libuv would read up to 32 times before it looks at others. */
static void yield_reading(struct conn *conn)
{
    if (is_closing(conn) || !conn->is_reading)
        return;
    uv_read_stop(&conn->uv.stream);
    conn->is_reading = false;
    pace_queue(conn->conns->pace, &conn->turn);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buffer)
{
    struct conn *conn = check_conn(stream->data);

    if (len == 0) /* nothing now; not the end */
        return;
    if (len == UV_EOF) {
        conn->has_ended = true;
        uv_read_stop(stream);
        conn->is_reading = false;
        session_eof(conn->session);
    } else if (len < 0) {
        close_conn(conn);
        return;
    } else {
        if (conn->conns->config->idle_ms > 0)
            set_deadline(conn, DEADLINE_IDLE);
        pace_note_bytes(conn->conns->pace);
        session_feed(conn->session, buffer->base, (size_t)len, CONN_TURN_REQUESTS);
    }
    serve(conn);
    if (len == CONN_READ_SIZE)
        yield_reading(conn);
}

static void want_reading(struct conn *conn, bool is_wanted)
{
    if (is_wanted == conn->is_reading)
        return;
    conn->is_reading = is_wanted;
    if (!is_wanted)
        uv_read_stop(&conn->uv.stream);
    else if (uv_read_start(&conn->uv.stream, give_buffer, on_read) != 0)
        close_conn(conn);
}

/* The time that a request may take to arrive counts only while we read. */
static void watch_request(struct conn *conn, bool is_ready)
{
    struct deadline *deadline = &conn->deadlines[DEADLINE_REQUEST];
    uint64_t frame = 0;

    if (!is_ready || !session_is_midway(conn->session, &frame)) {
        clear_deadline(conn, DEADLINE_REQUEST);
    } else if (!deadline->is_set || frame != conn->frame) {
        conn->frame = frame;
        set_deadline(conn, DEADLINE_REQUEST);
    }
}

/* -- Turns --------------------------------------------------------------------------------------------------------- */

/* Brings the connection to where its session stands: writes, then reads on, waits for a turn, or ends. */
static void serve(struct conn *conn)
{
    bool has_written = flush(conn);
    enum session_state state;

    if (is_closing(conn))
        return;
    state = session_state(conn->session);
    if (state == SESSION_OVER && buf_pending(session_output(conn->session)) == 0 && !conn->is_writing) {
        linger(conn);
        return;
    }
    /* A session that paused because of its output is told that some is gone. */
    if (state == SESSION_PENDING || (state == SESSION_PAUSED && has_written))
        pace_queue(conn->conns->pace, &conn->turn);
    watch_request(conn, state == SESSION_READY);
    want_reading(conn, state == SESSION_READY && !conn->has_ended);
}

static void take_turn(struct turn *turn)
{
    struct conn *conn = check_conn((char *)turn - offsetof(struct conn, turn));

    /* also one that only waits for its client: it may have events to tell */
    session_run(conn->session, CONN_TURN_REQUESTS);
    serve(conn);
}

void conn_wake(void *context, struct session *session)
{
    struct conns *conns = context;
    void *user = session_user(session);

    if (user != NULL) /* NULL while it is being opened: then it is served anyway */
        pace_queue(conns->pace, &check_conn(user)->turn);
}

void conn_moved(void *context, struct session *from, struct session *to)
{
    struct conn *conn = check_conn(session_user(from));
    struct conn *old = session_user(to);

    (void)context;
    session_set_user(from, NULL);
    session_set_user(to, conn);
    conn->session = to;
    if (old == NULL)
        return;
    check_conn(old)->session = NULL;
    close_conn(old);
}

/* -- Accepting ----------------------------------------------------------------------------------------------------- */

static bool open_session(struct conn *conn)
{
    struct conns *conns = conn->conns;
    char who[PEER_TEXT];
    struct peer peer;

    if (uv_fileno(&conn->uv.handle, &conn->fd) != 0 || !peer_identify(&peer, conn->fd, conns->config->admin_from))
        return false;
    conn->session = session_open(conns->hub, &peer);
    if (conn->session == NULL) {
        peer_text(&peer, who);
        log_limited(&conns->refused_limit, LOG_WARNING, "%s: no memory for a session", who);
        return false;
    }
    session_set_user(conn->session, conn);
    if (session_state(conn->session) == SESSION_OVER) {
        peer_text(&peer, who);
        log_limited(&conns->refused_limit, LOG_WARNING, "%s: refused, there are %llu sessions", who,
                    (unsigned long long)hub_session_count(conns->hub));
    } else if (conns->config->log_level >= LOG_DEBUG) {
        peer_text(&peer, who);
        log_line(LOG_DEBUG, "session %llu: %s", (unsigned long long)session_number(conn->session), who);
    }
    return true;
}

enum accept_status conns_accept(struct conns *conns, uv_stream_t *listener)
{
    struct conn *conn = conns->count < conns->most ? calloc(1, sizeof(*conn)) : NULL;

    if (conn == NULL)
        return ACCEPT_LATER;
    conn->magic = CONN_MAGIC;
    conn->conns = conns;
    conn->turn.take = take_turn;
    if (listener->type == UV_TCP)
        uv_tcp_init(conns->loop, &conn->uv.tcp);
    else
        uv_pipe_init(conns->loop, &conn->uv.pipe, 0);
    conn->uv.handle.data = conn;
    TAILQ_INSERT_TAIL(&conns->list, conn, link);
    conns->count++;
    conns->accepted++;
    if (uv_accept(listener, &conn->uv.stream) != 0) {
        close_conn(conn);
        return ACCEPT_DONE;
    }
    if (!open_session(conn)) {
        close_conn(conn);
        return ACCEPT_DONE;
    }
    if (conns->config->idle_ms > 0)
        set_deadline(conn, DEADLINE_IDLE);
    serve(conn);
    return ACCEPT_DONE;
}

/* -- Deadlines ----------------------------------------------------------------------------------------------------- */

/* Ends a session from our side; its last output is written like any other. */
static void say_bye(struct conn *conn, const char *reason)
{
    log_limited(&conn->conns->ended_limit, LOG_INFO, "session %llu ended: %s",
                (unsigned long long)session_number(conn->session), reason);
    session_bye(conn->session, reason);
    serve(conn);
}

/*
 * A client that reads slowly moves its socket's queue before the socket has room for us. One that takes nothing is told
 * so behind what waits already: if it begins to read before LINGER_MS are over, it learns why it was closed.
 */
static void judge_output(struct conn *conn)
{
    if (measure_socket_queue(conn) < conn->queued_then) {
        start_output_deadline(conn);
    } else if (session_state(conn->session) == SESSION_OVER) {
        if (!conn->deadlines[DEADLINE_LINGER].is_set)
            close_conn(conn);
    } else if (session_may_linger(conn->session)) {
        log_limited(&conn->conns->ended_limit, LOG_INFO,
                    "session %llu: the client does not read its answers; it may resume",
                    (unsigned long long)session_number(conn->session));
        close_conn(conn); /* as broken: another one may take its place */
    } else {
        set_deadline(conn, DEADLINE_LINGER);
        say_bye(conn, "the client does not read its answers");
    }
}

/* Who waits for an answer of ours is not idle. */
static void judge_idle(struct conn *conn)
{
    if (session_state(conn->session) == SESSION_READY && !session_is_waiting(conn->session) &&
        buf_pending(session_output(conn->session)) == 0)
        say_bye(conn, "idle for too long");
    else
        set_deadline(conn, DEADLINE_IDLE);
}

static void on_deadline(void *context, struct deadline *deadline, enum deadline_kind kind)
{
    struct conn *conn = check_conn((char *)(deadline - kind) - offsetof(struct conn, deadlines));

    (void)context;
    switch (kind) {
    case DEADLINE_REQUEST:
        say_bye(conn, "a request was begun and not completed in time");
        break;
    case DEADLINE_IDLE:
        judge_idle(conn);
        break;
    case DEADLINE_OUTPUT:
        judge_output(conn);
        break;
    default:
        close_conn(conn);
        break;
    }
}

/* The time of all begins anew: some may have been opened when there was no time-out. */
static void watch_idle(struct conns *conns)
{
    struct conn *conn;

    TAILQ_FOREACH(conn, &conns->list, link)
        if (conn->session != NULL)
            set_deadline(conn, DEADLINE_IDLE);
}

void conns_configure(struct conns *conns)
{
    uint64_t *limits = conns->deadlines.limit_ms;

    limits[DEADLINE_REQUEST] = conns->config->request_ms;
    limits[DEADLINE_OUTPUT] = conns->config->output_ms;
    limits[DEADLINE_IDLE] = conns->config->idle_ms;
    limits[DEADLINE_LINGER] = LINGER_MS;
    limits[DEADLINE_STOP] = STOP_MS;
    if (conns->config->idle_ms > 0)
        watch_idle(conns);
}

/* -- All of them --------------------------------------------------------------------------------------------------- */

void conns_open(struct conns *conns, uv_loop_t *loop, struct hub *hub, struct pace *pace, const struct config *config)
{
    conns->loop = loop;
    conns->hub = hub;
    conns->pace = pace;
    conns->config = config;
    conns->count = 0;
    conns->accepted = 0;
    conns->is_stopping = false;
    conns->refused_limit = conns->ended_limit = (struct log_limit){0};
    conns->on_room = NULL;
    TAILQ_INIT(&conns->list);
    deadlines_open(&conns->deadlines, loop, on_deadline, conns);
    conns_configure(conns);
}

void conns_stop(struct conns *conns, const char *reason)
{
    struct conn *conn, *next;

    conns->is_stopping = true;
    conns->deadlines.limit_ms[DEADLINE_LINGER] = STOP_LINGER_MS;
    for (conn = TAILQ_FIRST(&conns->list); conn != NULL; conn = next) {
        next = TAILQ_NEXT(conn, link); /* a closed one stays in the list until its callback */
        if (is_closing(conn))
            continue;
        set_deadline(conn, DEADLINE_STOP);
        if (conn->session != NULL && session_state(conn->session) != SESSION_OVER)
            session_bye(conn->session, reason);
        if (conn->session != NULL)
            serve(conn);
    }
}

void conns_abort(struct conns *conns)
{
    struct conn *conn;

    TAILQ_FOREACH(conn, &conns->list, link) {
        close_conn(conn);
    }
}

void conns_close(struct conns *conns)
{
    deadlines_close(&conns->deadlines);
}
