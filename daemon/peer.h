/*
 * daemon/peer.h - who is at the other end of a connection, and may that be an administrator?
 */
#ifndef HEAPD_DAEMON_PEER_H
#define HEAPD_DAEMON_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/config.h"

struct peer;
struct sockaddr;

/* "127.0.0.1:4327", "[::1]:4327" */
void peer_address_text(char *text, size_t size, const struct sockaddr *address);

/* 127.0.0.0/8, ::1, and ::ffff:127.0.0.0/104 */
bool peer_is_loopback(const struct sockaddr *address);

/* Fills `peer` from a connected socket. False if the peer has gone. */
bool peer_identify(struct peer *peer, int fd, enum admin_from admin_from);

#endif
