/* daemon/peer_socket.c - see peer_socket.h. */
#include "daemon/peer_socket.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void take_address(struct peer *peer, const struct sockaddr *address)
{
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
        peer->kind = PEER_IPV6;
        peer->port = ntohs(in6->sin6_port);
        memcpy(peer->host, &in6->sin6_addr, sizeof in6->sin6_addr);
    } else {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;
        peer->kind = PEER_IPV4;
        peer->port = ntohs(in->sin_port);
        memcpy(peer->host, &in->sin_addr, sizeof in->sin_addr);
    }
}

void peer_address_text(const struct sockaddr *address, char text[PEER_TEXT])
{
    struct peer peer = {0};

    take_address(&peer, address);
    peer_text(&peer, text);
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
    peer->kind = PEER_UNIX;
    peer->uid = user.uid;
    peer->is_admin = admin_from != ADMIN_NONE && (user.uid == geteuid() || user.uid == 0);
    return true;
}

bool peer_identify(struct peer *peer, int fd, enum admin_from admin_from)
{
    struct sockaddr_storage storage;
    const struct sockaddr *address = (const struct sockaddr *)&storage;
    socklen_t len = sizeof(storage);

    *peer = (struct peer){0};
    if (getpeername(fd, (struct sockaddr *)&storage, &len) != 0)
        return false;
    if (address->sa_family == AF_UNIX)
        return identify_user(peer, fd, admin_from);
    take_address(peer, address);
    peer->is_admin = admin_from == ADMIN_LOOPBACK && peer_is_loopback(address);
    return true;
}
