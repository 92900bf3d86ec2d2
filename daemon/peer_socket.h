/*
 * daemon/peer_socket.h - who is at the other end of a socket, and may that be an administrator?
 */
#ifndef HEAPD_DAEMON_PEER_SOCKET_H
#define HEAPD_DAEMON_PEER_SOCKET_H

#include <stdbool.h>

#include "daemon/config.h"
#include "daemon/peer.h"

struct sockaddr;

/* An address of the internet, in words. */
void peer_address_text(const struct sockaddr *address, char text[PEER_TEXT]);

/* 127.0.0.0/8, ::1, and ::ffff:127.0.0.0/104 */
bool peer_is_loopback(const struct sockaddr *address);

/* Fills `peer` from a connected socket. False if the peer has gone. */
bool peer_identify(struct peer *peer, int fd, enum admin_from admin_from);

#endif
