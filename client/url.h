/*
 * client/url.h - addresses of servers, as people write them.
 */
#ifndef HEAPD_CLIENT_URL_H
#define HEAPD_CLIENT_URL_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes with the end. A path is as long as sockaddr_un takes, a host name as DNS does. */
#define URL_HOST_MAX 256
#define URL_PATH_MAX 108
#define URL_SPACE_MAX 256

struct url {
    bool is_unix;
    char path[URL_PATH_MAX]; /* is_unix */
    char host[URL_HOST_MAX]; /* not is_unix; an IPv6 address without its brackets */
    char port[6];            /* 1 ... 65535 in decimal */
    char space[URL_SPACE_MAX]; /* the namespace to work in; "": none is named */
};

/* Reads an address (the forms: heapd.h, hd_connect). On failure answers a phrase that says what is wrong, else NULL. */
const char *url_parse(struct url *url, const char *text);

/* The Unix socket that heapd opens by default. False if there is none that could be trusted. */
bool url_default_socket(struct url *url);

#endif
