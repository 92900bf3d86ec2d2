/* daemon/peer.c - see peer.h. */
#include "daemon/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/session.h"

void peer_address_text(char *text, size_t size, const struct sockaddr *address)
{
    char host[INET6_ADDRSTRLEN] = "?";

    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
        inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
        snprintf(text, size, "[%s]:%u", host, ntohs(in6->sin6_port));
    } else {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;
        inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
        snprintf(text, size, "%s:%u", host, ntohs(in->sin_port));
    }
}

bool peer_is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET6) {
        const struct in6_addr *in6 = &((const struct sockaddr_in6 *)address)->sin6_addr;
        return IN6_IS_ADDR_LOOPBACK(in6) || (IN6_IS_ADDR_V4MAPPED(in6) && in6->s6_addr[12] == 127);
    }
    return address->sa_family == AF_INET &&
           ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
}

/* Over the Unix socket the kernel vouches for the user. */
static bool identify_user(struct peer *peer, int fd, enum admin_from admin_from)
{
    struct ucred user;
    socklen_t len = sizeof(user);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &user, &len) != 0)
        return false;
    snprintf(peer->user, sizeof(peer->user), "uid=%lu", (unsigned long)user.uid);
    snprintf(peer->address, sizeof(peer->address), "unix:%s", peer->user);
    peer->is_admin = admin_from != ADMIN_NONE && (user.uid == geteuid() || user.uid == 0);
    return true;
}

bool peer_identify(struct peer *peer, int fd, enum admin_from admin_from)
{
    struct sockaddr_storage storage = {0};
    const struct sockaddr *address = (const struct sockaddr *)&storage;
    socklen_t len = sizeof(storage);

    *peer = (struct peer){0};
    if (getpeername(fd, (struct sockaddr *)&storage, &len) != 0)
        return false;
    if (address->sa_family == AF_UNIX)
        return identify_user(peer, fd, admin_from);
    peer_address_text(peer->address, sizeof(peer->address), address);
    peer->is_admin = admin_from == ADMIN_LOOPBACK && peer_is_loopback(address);
    return true;
}
