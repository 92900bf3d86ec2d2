/*
 * echo.c - the floor of every request: a libuv server that does nothing but read and write.
 *
 *   echo [PATH]     on a free loopback port, or on a Unix socket; says where on standard output; until SIGTERM
 *
 * A connection begins with two big-endian uint32: bytes of a request, bytes of an answer. From then on each so many
 * bytes are answered with so many; what one read brought is answered by one write.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define HEAD 8
#define ROOM 65536

struct conn {
    union {
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    };
    unsigned char head[HEAD];
    size_t head_len;
    uint32_t request, answer; /* bytes of each */
    size_t pending;           /* bytes of a request that has not come whole */
};

/* An answer that did not fit into the socket at once. */
struct late {
    uv_write_t write;
    char bytes[];
};

static char in[ROOM];  /* libuv reads one connection at a time */
static char out[ROOM]; /* all that is ever answered */

static void must(int err, const char *what)
{
    if (err >= 0)
        return;
    fprintf(stderr, "echo: %s: %s\n", what, uv_strerror(err));
    exit(1);
}

static void *allocate(size_t size)
{
    void *block = calloc(1, size);

    if (block == NULL)
        must(UV_ENOMEM, "memory");
    return block;
}

static void on_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)handle;
    (void)suggested;
    *buf = uv_buf_init(in, sizeof in);
}

static void on_close(uv_handle_t *handle)
{
    free(handle); /* the conn begins with it */
}

static void on_written(uv_write_t *write, int status)
{
    (void)status;
    free(write);
}

static void send_later(struct conn *conn, size_t len)
{
    struct late *late = allocate(sizeof *late + len);
    uv_buf_t buf = uv_buf_init(late->bytes, (unsigned)len);

    memcpy(late->bytes, out, len);
    must(uv_write(&late->write, &conn->stream, &buf, 1, on_written), "write");
}

static void answer(struct conn *conn, size_t len)
{
    while (len > 0) {
        size_t part = len < sizeof out ? len : sizeof out;
        uv_buf_t buf = uv_buf_init(out, (unsigned)part);
        int n = uv_try_write(&conn->stream, &buf, 1);

        if (n < 0)
            n = 0;
        if ((size_t)n < part)
            send_later(conn, part - (size_t)n);
        len -= part;
    }
}

/* Bytes of the head among these. */
static size_t take_head(struct conn *conn, const char *bytes, size_t len)
{
    size_t n = HEAD - conn->head_len < len ? HEAD - conn->head_len : len;
    uint32_t sizes[2];

    memcpy(conn->head + conn->head_len, bytes, n);
    conn->head_len += n;
    memcpy(sizes, conn->head, sizeof sizes);
    conn->request = ntohl(sizes[0]);
    conn->answer = ntohl(sizes[1]);
    return n;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct conn *conn = (struct conn *)stream;
    size_t len;

    if (n < 0) {
        uv_close((uv_handle_t *)stream, on_close);
        return;
    }
    len = (size_t)n;
    if (conn->head_len < HEAD)
        len -= take_head(conn, buf->base, len);
    if (len == 0 || conn->request == 0)
        return;
    conn->pending += len;
    answer(conn, conn->pending / conn->request * conn->answer);
    conn->pending %= conn->request;
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct conn *conn = allocate(sizeof *conn);

    must(status, "accept");
    if (listener->type == UV_TCP) {
        must(uv_tcp_init(listener->loop, &conn->tcp), "connection");
        uv_tcp_nodelay(&conn->tcp, 1);
    } else {
        must(uv_pipe_init(listener->loop, &conn->pipe, 0), "connection");
    }
    must(uv_accept(listener, &conn->stream), "accept");
    must(uv_read_start(&conn->stream, on_buffer, on_read), "read");
}

static void listen_tcp(uv_loop_t *loop, uv_tcp_t *tcp)
{
    struct sockaddr_in sin;
    int len = sizeof sin;

    must(uv_ip4_addr("127.0.0.1", 0, &sin), "address");
    must(uv_tcp_init(loop, tcp), "listen");
    must(uv_tcp_bind(tcp, (struct sockaddr *)&sin, 0), "bind");
    must(uv_listen((uv_stream_t *)tcp, 4096, on_connection), "listen");
    must(uv_tcp_getsockname(tcp, (struct sockaddr *)&sin, &len), "listen");
    printf("echo ready on 127.0.0.1:%d\n", ntohs(sin.sin_port));
}

static void listen_unix(uv_loop_t *loop, uv_pipe_t *pipe, const char *path)
{
    must(uv_pipe_init(loop, pipe, 0), "listen");
    must(uv_pipe_bind(pipe, path), "bind");
    must(uv_listen((uv_stream_t *)pipe, 4096, on_connection), "listen");
    printf("echo ready on unix:%s\n", path);
}

int main(int argc, char **argv)
{
    uv_loop_t *loop = uv_default_loop();
    uv_tcp_t tcp;
    uv_pipe_t pipe;

    memset(out, 'e', sizeof out);
    if (argc > 1)
        listen_unix(loop, &pipe, argv[1]);
    else
        listen_tcp(loop, &tcp);
    fflush(stdout);
    return uv_run(loop, UV_RUN_DEFAULT);
}
