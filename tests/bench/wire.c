/* wire.c - see wire.h. */
#include "tests/bench/wire.h"

#include <dirent.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 30000

void die(const char *what)
{
    fprintf(stderr, "bench: %s: %s\n", what, errno != 0 ? strerror(errno) : "unexpected");
    exit(1);
}

uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Adds what the scheduler counts for a thread. */
static void add_thread(struct cpu *sum, int pid, const char *thread)
{
    char path[320];
    unsigned long long ran, waited;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, thread);
    file = fopen(path, "re");
    if (file == NULL)
        return;
    if (fscanf(file, "%llu %llu", &ran, &waited) == 2) {
        sum->ran_ns += ran;
        sum->waited_ns += waited;
    }
    fclose(file);
}

struct cpu cpu_of(int pid)
{
    char path[32];
    struct cpu sum = {0};
    struct dirent *entry;
    DIR *dir;

    snprintf(path, sizeof path, "/proc/%d/task", pid);
    dir = pid > 0 ? opendir(path) : NULL;
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            add_thread(&sum, pid, entry->d_name);
    if (dir != NULL)
        closedir(dir);
    return sum;
}

/* -- connecting --------------------------------------------------------------------------------------------------- */

static void resolve_unix(struct target *target, const char *path)
{
    struct sockaddr_un *sun = (struct sockaddr_un *)&target->address;

    *sun = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(sun->sun_path, sizeof sun->sun_path, "%s", path);
    target->len = sizeof *sun;
}

static void resolve_tcp(struct target *target, const char *address)
{
    char host[256];
    const char *colon = strrchr(address, ':');
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found;

    errno = 0;
    snprintf(host, sizeof host, "%.*s", colon != NULL ? (int)(colon - address) : 0, address);
    if (colon == NULL || getaddrinfo(host, colon + 1, &hints, &found) != 0)
        die(address);
    memcpy(&target->address, found->ai_addr, found->ai_addrlen);
    target->len = found->ai_addrlen;
    freeaddrinfo(found);
}

void resolve(struct target *target, const char *address)
{
    *target = (struct target){0};
    if (strncmp(address, "unix:", 5) == 0)
        resolve_unix(target, address + 5);
    else
        resolve_tcp(target, address);
}

/* The port is chosen with the other end in view, so that each source address has all ports for itself. */
static void bind_source(int fd, unsigned source)
{
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + source % 250)};

    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&from, sizeof from) != 0)
        die("bind");
}

int connect_from(const struct target *target, unsigned source)
{
    int fd = socket(target->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && source > 0 && target->address.ss_family == AF_INET)
        bind_source(fd, source);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&target->address, target->len) != 0)
        die("connect");
    if (target->address.ss_family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return fd;
}

int connect_to(const char *address)
{
    struct target target;

    resolve(&target, address);
    return connect_from(&target, 0);
}

/* -- bytes -------------------------------------------------------------------------------------------------------- */

void write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);

        if (n <= 0)
            die("write");
        bytes += n;
        len -= (size_t)n;
    }
}

int wait_for_events(int epoll, struct epoll_event *events, int max)
{
    int n;

    do
        n = epoll_wait(epoll, events, max, PATIENCE_MS);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        die("nothing came for 30 s");
    return n;
}
