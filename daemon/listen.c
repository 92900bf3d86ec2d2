/* daemon/listen.c - see listen.h. */
#include "daemon/listen.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/panic.h"
#include "daemon/peer_socket.h"
#include "daemon/socket_file.h"
#include "protocol/limits.h"

#define LISTENER_MAGIC 0x6c697374 /* "list" */

#define BACKLOG 4096
/* An idle client is probed after so long, and given up 10 s later. */
#define KEEPALIVE_SECONDS 60
/* Bytes that the other machine does not acknowledge for so long end the connection. */
#define UNACKNOWLEDGED_MS 30000
/* Connections accepted before the others have their turn. */
#define ROUND_ACCEPTS 64
/* How long after running out of descriptors or memory a listener is tried again. */
#define RETRY_MS 200

struct listener {
    uint32_t magic;
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    struct listeners *owner;
    bool is_tcp;
    bool is_open;    /* the handle is, and listens */
    bool is_waiting; /* a connection was left in it */
    bool is_optional; /* a default one: its machine may be without it */
    struct turn turn;
    uint64_t round;    /* of the loop, in which `accepts` were made */
    unsigned accepts;
    struct sockaddr_storage address; /* of TCP; with the real port once it was open */
    char path[SOCKET_PATH_MAX];      /* of a Unix socket */
    int lock;                        /* its claim; -1: none */
    char name[SOCKET_PATH_MAX + 8];  /* "127.0.0.1:4327", "unix:PATH" */
};

static void on_connection(uv_stream_t *stream, int status);

static bool fail(struct config_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool fail(struct config_error *error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return false;
}

static struct listener *check_listener(void *pointer)
{
    struct listener *listener = pointer;

    INVARIANT(listener != NULL && listener->magic == LISTENER_MAGIC, "this is a listener");
    return listener;
}

/* -- One listener -------------------------------------------------------------------------------------------------- */

/* Its own descriptors being gone is no reason to hold up the loop, so everything here is tried and may be tried
 * again. */
static int bind_listener(struct listener *listener)
{
    mode_t mask;
    int status;

    if (listener->is_tcp) {
        const struct sockaddr *address = (const struct sockaddr *)&listener->address;
        return uv_tcp_bind(&listener->uv.tcp, address, address->sa_family == AF_INET6 ? UV_TCP_IPV6ONLY : 0);
    }
    mask = umask(0177); /* the socket is never wider than 0600, not even for an instant */
    status = uv_pipe_bind(&listener->uv.pipe, listener->path);
    umask(mask);
    return status;
}

/* The address as it is now, the port that the system chose included. */
static void learn_address(struct listener *listener)
{
    int len = sizeof(listener->address);

    if (!listener->is_tcp)
        return;
    uv_tcp_getsockname(&listener->uv.tcp, (struct sockaddr *)&listener->address, &len);
    peer_address_text((const struct sockaddr *)&listener->address, listener->name);
}

static void on_closed(uv_handle_t *handle)
{
    check_listener(handle->data)->is_open = false;
}

static void close_listener(struct listener *listener)
{
    listener->is_waiting = false;
    pace_forget(listener->owner->pace, &listener->turn);
    if (listener->is_open && !uv_is_closing(&listener->uv.handle))
        uv_close(&listener->uv.handle, on_closed);
}

/* On Linux a connection has the options of the socket that it was accepted from: set here once, they cost none of the
 * connections a system call. */
static void set_options_of_connections(uv_tcp_t *tcp)
{
    unsigned timeout = UNACKNOWLEDGED_MS;
    int fd;

    uv_tcp_nodelay(tcp, 1);
    uv_tcp_keepalive(tcp, 1, KEEPALIVE_SECONDS);
    if (uv_fileno((uv_handle_t *)tcp, &fd) == 0)
        setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
}

/* Returns 0 or libuv's error; then the handle is being closed. */
static int open_listener(struct listener *listener)
{
    uv_loop_t *loop = listener->owner->loop;
    int status;

    if (listener->is_tcp)
        status = uv_tcp_init(loop, &listener->uv.tcp);
    else
        status = uv_pipe_init(loop, &listener->uv.pipe, 0);
    if (status != 0)
        return status;
    listener->uv.handle.data = listener;
    listener->is_open = true;
    status = bind_listener(listener);
    if (status == 0 && listener->is_tcp)
        set_options_of_connections(&listener->uv.tcp);
    if (status == 0)
        status = uv_listen(&listener->uv.stream, BACKLOG, on_connection);
    if (status != 0)
        close_listener(listener);
    else
        learn_address(listener);
    return status;
}

static void retry_later(struct listeners *listeners);

static void on_retry(uv_timer_t *timer)
{
    struct listeners *listeners = timer->data;

    for (size_t i = 0; i < listeners->count; i++) {
        struct listener *listener = listeners->items[i];
        if (!listener->is_open && open_listener(listener) == 0)
            log_line(LOG_INFO, "listening on %s again", listener->name);
        if (!listener->is_open || uv_is_closing(&listener->uv.handle))
            retry_later(listeners);
    }
    listeners_resume(listeners);
}

static void retry_later(struct listeners *listeners)
{
    if (!uv_is_active((uv_handle_t *)&listeners->retry) && !uv_is_closing((uv_handle_t *)&listeners->retry))
        uv_timer_start(&listeners->retry, on_retry, RETRY_MS, 0);
}

/* -- Accepting ----------------------------------------------------------------------------------------------------- */

static void accept_one(struct listener *listener)
{
    struct listeners *owner = listener->owner;

    listener->is_waiting = conns_accept(owner->conns, &listener->uv.stream) == ACCEPT_LATER;
    if (listener->is_waiting) {
        log_limited(&owner->log_limit, LOG_WARNING, "%s: no room for more connections than the %llu there are",
                    listener->name, (unsigned long long)owner->conns->count);
        retry_later(owner);
    }
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct listener *listener = check_listener(stream->data);
    struct listeners *owner = listener->owner;

    if (status == UV_EMFILE || status == UV_ENFILE) {
        log_limited(&owner->log_limit, LOG_WARNING, "%s: %s; it is closed for a moment", listener->name,
                    uv_strerror(status));
        close_listener(listener);
        retry_later(owner);
        return;
    }
    if (status != 0) {
        log_limited(&owner->log_limit, LOG_WARNING, "%s: %s", listener->name, uv_strerror(status));
        return;
    }
    if (listener->round != owner->pace->round) {
        listener->round = owner->pace->round;
        listener->accepts = 0;
    }
    if (++listener->accepts > ROUND_ACCEPTS) {
        listener->is_waiting = true; /* polling stops until it is taken, in its turn */
        pace_queue(owner->pace, &listener->turn);
        return;
    }
    accept_one(listener);
}

static void resume_listener(struct listener *listener)
{
    if (listener->is_waiting && listener->is_open && !uv_is_closing(&listener->uv.handle))
        accept_one(listener);
}

static void take_turn(struct turn *turn)
{
    resume_listener(check_listener((char *)turn - offsetof(struct listener, turn)));
}

void listeners_resume(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++)
        resume_listener(listeners->items[i]);
}

/* -- Which ones ---------------------------------------------------------------------------------------------------- */

/* A new listener at the end of the list; NULL without memory. */
static struct listener *add_listener(struct listeners *listeners, bool is_tcp)
{
    struct listener **items = realloc(listeners->items, (listeners->count + 1) * sizeof(items[0]));
    struct listener *listener = calloc(1, sizeof(*listener));

    if (items != NULL)
        listeners->items = items;
    if (items == NULL || listener == NULL) {
        free(listener);
        return NULL;
    }
    listener->magic = LISTENER_MAGIC;
    listener->owner = listeners;
    listener->is_tcp = is_tcp;
    listener->turn.take = take_turn;
    listener->lock = -1;
    items[listeners->count++] = listener;
    return listener;
}

/* An address that this machine does not have; of one that we listen on by default, that is no error. */
static bool is_absent(int status)
{
    return status == UV_EADDRNOTAVAIL || status == UV_EAFNOSUPPORT || status == UV_EINVAL;
}

static bool add_tcp(struct listeners *listeners, const struct addrinfo *found, bool is_optional,
                    struct config_error *error)
{
    struct listener *listener = add_listener(listeners, true);
    int status;

    if (listener == NULL)
        return fail(error, "no memory");
    memcpy(&listener->address, found->ai_addr, found->ai_addrlen);
    listener->is_optional = is_optional;
    peer_address_text(found->ai_addr, listener->name);
    status = open_listener(listener);
    if (status == 0)
        return true;
    if (!is_optional || !is_absent(status))
        return fail(error, "cannot listen on %s: %s", listener->name, uv_strerror(status));
    log_line(LOG_INFO, "not listening on %s: %s", listener->name, uv_strerror(status));
    return true;
}

/* "HOST:PORT" or "[HOST]:PORT" -> its two parts, in `host`. */
static bool split_address(const char *text, char *host, size_t size, const char **port)
{
    const char *colon = strrchr(text, ':');
    size_t len;

    if (colon == NULL || colon == text)
        return false;
    len = (size_t)(colon - text);
    if (text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    } else if (memchr(text, ':', len) != NULL) {
        return false; /* an IPv6 address without its brackets */
    }
    if (len == 0 || len >= size)
        return false;
    memcpy(host, text, len);
    host[len] = '\0';
    *port = colon + 1;
    return (*port)[0] != '\0' && strlen(*port) <= 5 && strspn(*port, "0123456789") == strlen(*port) &&
           strtoul(*port, NULL, 10) <= 65535;
}

static bool add_address(struct listeners *listeners, const char *text, bool is_insecure_allowed, bool is_optional,
                        struct config_error *error)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found;
    char host[256];
    const char *port;
    bool is_good = true;
    int status;

    if (!split_address(text, host, sizeof(host), &port))
        return fail(error, "listen: '%s' is no HOST:PORT or [HOST]:PORT", text);
    status = getaddrinfo(host, port, &hints, &found);
    if (status != 0)
        return fail(error, "cannot listen on %s: %s", text, gai_strerror(status));
    for (const struct addrinfo *one = found; one != NULL && is_good; one = one->ai_next) {
        if (!is_insecure_allowed && !peer_is_loopback(one->ai_addr))
            is_good = fail(error,
                           "%s can be reached by other machines, and nobody has to log in: "
                           "--insecure-listen says that this is meant",
                           text);
        else
            is_good = add_tcp(listeners, one, is_optional || one != found, error);
    }
    freeaddrinfo(found);
    return is_good;
}

/* A default socket may be missing (no directory to put it in), unless somebody serves there. */
static bool add_unix(struct listeners *listeners, const char *path, bool is_optional, struct config_error *error)
{
    struct listener *listener = add_listener(listeners, false);
    struct socket_file_error trouble;
    int status;

    if (listener == NULL)
        return fail(error, "no memory");
    snprintf(listener->name, sizeof(listener->name), "unix:%s", path);
    if (!socket_file_claim(path, &listener->lock, &trouble)) {
        listener->lock = -1;
        if (!is_optional || trouble.is_taken)
            return fail(error, "cannot listen on unix:%s: %s", path, trouble.text);
        log_line(LOG_WARNING, "not listening on unix:%s: %s", path, trouble.text);
        return true;
    }
    snprintf(listener->path, sizeof(listener->path), "%s", path);
    status = open_listener(listener);
    return status == 0 || fail(error, "cannot listen on unix:%s: %s", path, uv_strerror(status));
}

static bool add_default_unix(struct listeners *listeners, struct config_error *error)
{
    struct socket_file_error trouble;
    char path[SOCKET_PATH_MAX];

    if (socket_file_default(path, &trouble))
        return add_unix(listeners, path, true, error);
    log_line(LOG_WARNING, "not listening on a Unix socket: %s", trouble.text);
    return true;
}

void listeners_init(struct listeners *listeners, uv_loop_t *loop, struct conns *conns, struct pace *pace)
{
    *listeners = (struct listeners){.loop = loop, .conns = conns, .pace = pace};
    uv_timer_init(loop, &listeners->retry);
    listeners->retry.data = listeners;
}

/* Optional ones that are absent are dropped, so that nobody tries to open them again. */
static void drop_absent(struct listeners *listeners)
{
    size_t kept = 0;

    uv_run(listeners->loop, UV_RUN_NOWAIT); /* lets their handles close */
    for (size_t i = 0; i < listeners->count; i++) {
        if (listeners->items[i]->is_open)
            listeners->items[kept++] = listeners->items[i];
        else
            free(listeners->items[i]);
    }
    listeners->count = kept;
}

bool listeners_open(struct listeners *listeners, const struct config *config, struct config_error *error)
{
    bool is_good = true;

    for (size_t i = 0; i < config->listen.count && is_good; i++)
        is_good = add_address(listeners, config->listen.items[i], config->insecure_listen, false, error);
    for (size_t i = 0; i < config->unix_paths.count && is_good; i++)
        is_good = add_unix(listeners, config->unix_paths.items[i], false, error);
    if (config->listen.count == 0 && config->unix_paths.count == 0)
        is_good = add_address(listeners, "127.0.0.1:" HD_DEFAULT_PORT, false, false, error) &&
                  add_address(listeners, "[::1]:" HD_DEFAULT_PORT, false, true, error) &&
                  add_default_unix(listeners, error);
    if (is_good)
        drop_absent(listeners);
    return is_good;
}

void listeners_announce(const struct listeners *listeners, FILE *out)
{
    for (size_t i = 0; i < listeners->count; i++)
        fprintf(out, "heapd %s ready on %s\n", HEAPD_VERSION, listeners->items[i]->name);
    fflush(out);
}

void listeners_close(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++)
        close_listener(listeners->items[i]);
    if (!uv_is_closing((uv_handle_t *)&listeners->retry))
        uv_close((uv_handle_t *)&listeners->retry, NULL);
}

void listeners_fini(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++) {
        struct listener *listener = listeners->items[i];
        if (listener->lock >= 0)
            socket_file_release(listener->path, listener->lock);
        free(listener);
    }
    free(listeners->items);
    listeners->items = NULL;
    listeners->count = 0;
}
