/* daemon/socket_file.c - see socket_file.h. */
#include "daemon/socket_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LOCK_PATH_MAX (SOCKET_PATH_MAX + 8)

_Static_assert(sizeof(((struct sockaddr_un *)0)->sun_path) == SOCKET_PATH_MAX, "the system's limit of a socket's path");

static bool fail(struct socket_file_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool fail(struct socket_file_error *error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    error->is_taken = false;
    return false;
}

/* Makes the directory, or finds it as it must be: ours, and nobody else's to enter. Links do not count as
 * directories. */
static bool make_private(const char *directory, struct socket_file_error *error)
{
    struct stat status;

    if (mkdir(directory, 0700) != 0 && errno != EEXIST)
        return fail(error, "cannot make %s: %s", directory, strerror(errno));
    if (lstat(directory, &status) != 0)
        return fail(error, "%s: %s", directory, strerror(errno));
    if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 077) != 0)
        return fail(error, "%s is not a directory that only this user may enter", directory);
    return true;
}

bool socket_file_default(char path[SOCKET_PATH_MAX], struct socket_file_error *error)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    char directory[SOCKET_PATH_MAX] = "/run/heapd";
    int len;

    if (runtime != NULL && runtime[0] == '/') {
        len = snprintf(path, SOCKET_PATH_MAX, "%s/heapd.sock", runtime);
    } else {
        if (geteuid() != 0)
            snprintf(directory, sizeof(directory), "/tmp/heapd-%lu", (unsigned long)geteuid());
        if (!make_private(directory, error))
            return false;
        len = snprintf(path, SOCKET_PATH_MAX, "%s/heapd.sock", directory);
    }
    if (len < 0 || len >= SOCKET_PATH_MAX)
        return fail(error, "XDG_RUNTIME_DIR is too long for a socket's path");
    return true;
}

/* Is this descriptor still the file of that path? A releasing process removes the file before it gives up the lock. */
static bool is_same_file(int fd, const char *path)
{
    struct stat opened, named;

    return fstat(fd, &opened) == 0 && lstat(path, &named) == 0 && opened.st_ino == named.st_ino &&
           opened.st_dev == named.st_dev;
}

static bool take_lock(const char *path, int *lock, struct socket_file_error *error)
{
    for (;;) {
        int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
            return fail(error, "cannot open its lock file: %s", strerror(errno));
        if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
            fail(error, errno == EWOULDBLOCK ? "another heapd serves there" : "its lock file cannot be locked");
            error->is_taken = errno == EWOULDBLOCK;
            close(fd);
            return false;
        }
        if (is_same_file(fd, path)) {
            *lock = fd;
            return true;
        }
        close(fd);
    }
}

/* Does nobody answer at this path? Then it is free, once a dead socket's file is removed. */
static bool remove_stale(const char *path, struct socket_file_error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat status;
    int fd, trouble;

    if (lstat(path, &status) != 0)
        return errno == ENOENT || fail(error, "%s", strerror(errno));
    if (!S_ISSOCK(status.st_mode))
        return fail(error, "a file that is no socket is there");
    memcpy(address.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail(error, "%s", strerror(errno));
    trouble = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : errno;
    close(fd);
    if (trouble == ECONNREFUSED)
        return unlink(path) == 0 || fail(error, "cannot remove the old socket: %s", strerror(errno));
    if (trouble != 0 && trouble != EAGAIN) /* EAGAIN: a queue of connections that is full */
        return fail(error, "%s", strerror(trouble));
    fail(error, "somebody serves there already");
    error->is_taken = true;
    return false;
}

bool socket_file_claim(const char *path, int *lock, struct socket_file_error *error)
{
    char lock_path[LOCK_PATH_MAX];

    if (path[0] == '\0')
        return fail(error, "the path is empty");
    if (strlen(path) >= SOCKET_PATH_MAX)
        return fail(error, "the path is longer than the %d bytes of a socket's path", SOCKET_PATH_MAX - 1);
    snprintf(lock_path, sizeof(lock_path), "%s.lock", path);
    if (!take_lock(lock_path, lock, error))
        return false;
    if (remove_stale(path, error))
        return true;
    socket_file_release(path, *lock);
    return false;
}

void socket_file_release(const char *path, int lock)
{
    char lock_path[LOCK_PATH_MAX];

    snprintf(lock_path, sizeof(lock_path), "%s.lock", path);
    unlink(lock_path);
    close(lock);
}
