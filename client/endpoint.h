/*
 * client/endpoint.h - the socket addresses that an address stands for, and sockets that connect to them.
 */
#ifndef HEAPD_CLIENT_ENDPOINT_H
#define HEAPD_CLIENT_ENDPOINT_H

#include <sys/socket.h>

#include "client/url.h"

#define ENDPOINTS_MAX 8

/* Room for a socket address in words: "unix:" and a path is the longest. */
#define ENDPOINT_TEXT_MAX 128

struct endpoint {
    struct sockaddr_storage address;
    socklen_t len;
};

/* To be tried one after another. */
struct endpoints {
    struct endpoint list[ENDPOINTS_MAX];
    unsigned count;
    unsigned next; /* the one to try next */
};

/* Adds what `url` stands for; looking up a host name blocks. On failure answers a phrase that says why, else NULL. */
const char *endpoints_add(struct endpoints *endpoints, const struct url *url);

/* "127.0.0.1:4327", "[::1]:4327", "unix:/run/heapd/heapd.sock" */
void endpoint_text(const struct endpoint *endpoint, char text[ENDPOINT_TEXT_MAX]);

/* A socket that connects, without blocking: *is_connected tells whether it has. -1 and errno on failure. */
int endpoint_open(const struct endpoint *endpoint, bool *is_connected);

/* Whether a socket that was ready while connecting has connected: 0; EINPROGRESS: not yet; else why it failed. */
int endpoint_check(int fd);

#endif
