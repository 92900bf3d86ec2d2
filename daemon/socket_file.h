/*
 * daemon/socket_file.h - the path of a Unix socket: where it is by default, whose it is, and whether it may be
 * replaced.
 *
 * A path is claimed by a lock on PATH.lock, which ends with its process however that ends. Who holds the lock may
 * replace a socket file that nobody answers on; one that somebody answers on (another program, without our lock) is
 * left alone.
 */
#ifndef HEAPD_DAEMON_SOCKET_FILE_H
#define HEAPD_DAEMON_SOCKET_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of a path with its end: that of sockaddr_un, beyond which libuv would cut it silently. */
#define SOCKET_PATH_MAX 108

/* Why a path cannot be had: a phrase without the path. `is_taken`: because somebody serves there. */
struct socket_file_error {
    char text[160];
    bool is_taken;
};

/*
 * Where the socket is when nobody says: $XDG_RUNTIME_DIR/heapd.sock; without that /run/heapd/heapd.sock for root, else
 * /tmp/heapd-UID/heapd.sock. The directory of the last two is made, mode 0700, and must belong to this user alone.
 */
bool socket_file_default(char path[SOCKET_PATH_MAX], struct socket_file_error *error);

/* Claims the path and removes a socket file left over by a dead process. *lock: a descriptor for
 * socket_file_release. */
bool socket_file_claim(const char *path, int *lock, struct socket_file_error *error);

/* Gives the path up: removes the lock file. The socket file is its listener's to remove, before. */
void socket_file_release(const char *path, int lock);

#endif
