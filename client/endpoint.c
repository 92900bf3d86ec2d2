/* endpoint.c - see endpoint.h. */
#include "client/endpoint.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

_Static_assert(sizeof(((struct sockaddr_un *)0)->sun_path) == URL_PATH_MAX, "a path that was parsed fits a socket");

static void add_path(struct endpoints *endpoints, const char *path)
{
    struct endpoint *endpoint = &endpoints->list[endpoints->count++];
    struct sockaddr_un *address = (struct sockaddr_un *)&endpoint->address;

    *endpoint = (struct endpoint){.len = sizeof *address};
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, strlen(path) + 1);
}

static const char *add_host(struct endpoints *endpoints, const char *host, const char *port)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found;
    int error = getaddrinfo(host, port, &hints, &found);

    if (error != 0)
        return gai_strerror(error);
    for (const struct addrinfo *at = found; at != NULL && endpoints->count < ENDPOINTS_MAX; at = at->ai_next) {
        struct endpoint *endpoint = &endpoints->list[endpoints->count];
        if (at->ai_addrlen > sizeof endpoint->address)
            continue;
        *endpoint = (struct endpoint){.len = at->ai_addrlen};
        memcpy(&endpoint->address, at->ai_addr, at->ai_addrlen);
        endpoints->count++;
    }
    freeaddrinfo(found);
    return NULL;
}

const char *endpoints_add(struct endpoints *endpoints, const struct url *url)
{
    if (endpoints->count == ENDPOINTS_MAX)
        return "too many addresses";
    if (!url->is_unix)
        return add_host(endpoints, url->host, url->port);
    add_path(endpoints, url->path);
    return NULL;
}

void endpoint_text(const struct endpoint *endpoint, char text[ENDPOINT_TEXT_MAX])
{
    const struct sockaddr *address = (const struct sockaddr *)&endpoint->address;
    char host[64] = "?", port[8] = "?";

    if (address->sa_family == AF_UNIX) {
        (void)snprintf(text, ENDPOINT_TEXT_MAX, "unix:%s", ((const struct sockaddr_un *)&endpoint->address)->sun_path);
        return;
    }
    getnameinfo(address, endpoint->len, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    (void)snprintf(text, ENDPOINT_TEXT_MAX, address->sa_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

/* Requests are small and wanted at once; a server that vanished is noticed though nothing is asked of it. */
static void tune(int fd)
{
    static const int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

int endpoint_open(const struct endpoint *endpoint, bool *is_connected)
{
    const struct sockaddr *address = (const struct sockaddr *)&endpoint->address;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error;

    if (fd < 0)
        return -1;
    if (address->sa_family != AF_UNIX)
        tune(fd);
    if (connect(fd, address, endpoint->len) == 0) {
        *is_connected = true;
        return fd;
    }
    if (errno == EINPROGRESS || errno == EINTR) {
        *is_connected = false;
        return fd;
    }
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

int endpoint_check(int fd)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof(int);
    int error = 0;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        return errno;
    if (error != 0)
        return error;
    len = sizeof peer;
    if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0)
        return 0;
    return errno == ENOTCONN ? EINPROGRESS : errno;
}
