/*
 * daemon/peer.h - who is at the other end of a connection, for listings, limits and rights; in words when somebody
 * asks.
 */
#ifndef HEAPD_DAEMON_PEER_H
#define HEAPD_DAEMON_PEER_H

#include <stdbool.h>
#include <stdint.h>

enum peer_kind { PEER_UNKNOWN, PEER_UNIX, PEER_IPV4, PEER_IPV6 }; /* unknown: a test's, that has no connection */

struct peer {
    uint8_t kind;  /* enum peer_kind */
    bool is_admin; /* by the rule of admin_from */
    uint16_t port;
    uint32_t uid;            /* of the user, for whom the kernel vouches; PEER_UNIX only */
    unsigned char host[16];  /* in the order of the network; 4 bytes of PEER_IPV4 */
};

#define PEER_TEXT 64

/* "127.0.0.1:50312", "[::1]:50312", "unix:uid=1000" */
void peer_text(const struct peer *peer, char text[PEER_TEXT]);

/* "uid=1000"; false if no user is known. */
bool peer_user_text(const struct peer *peer, char text[PEER_TEXT]);

/* The same user, or both of them unknown ones. */
bool peer_has_user_of(const struct peer *a, const struct peer *b);

/* The same host, whatever the port; over a Unix socket the same user. */
bool peer_has_host_of(const struct peer *a, const struct peer *b);

#endif
