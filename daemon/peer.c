/* daemon/peer.c - see peer.h. */
#include "daemon/peer.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

void peer_text(const struct peer *peer, char text[PEER_TEXT])
{
    char host[INET6_ADDRSTRLEN] = "?";

    switch (peer->kind) {
    case PEER_UNIX:
        snprintf(text, PEER_TEXT, "unix:uid=%lu", (unsigned long)peer->uid);
        break;
    case PEER_IPV4:
        inet_ntop(AF_INET, peer->host, host, sizeof host);
        snprintf(text, PEER_TEXT, "%s:%u", host, peer->port);
        break;
    case PEER_IPV6:
        inet_ntop(AF_INET6, peer->host, host, sizeof host);
        snprintf(text, PEER_TEXT, "[%s]:%u", host, peer->port);
        break;
    default:
        snprintf(text, PEER_TEXT, "unknown");
        break;
    }
}

bool peer_user_text(const struct peer *peer, char text[PEER_TEXT])
{
    if (peer->kind != PEER_UNIX)
        return false;
    snprintf(text, PEER_TEXT, "uid=%lu", (unsigned long)peer->uid);
    return true;
}

bool peer_has_user_of(const struct peer *a, const struct peer *b)
{
    return (a->kind == PEER_UNIX) == (b->kind == PEER_UNIX) && a->uid == b->uid;
}

bool peer_has_host_of(const struct peer *a, const struct peer *b)
{
    return a->kind == b->kind && a->uid == b->uid && memcmp(a->host, b->host, sizeof a->host) == 0;
}
