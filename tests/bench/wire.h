/*
 * wire.h - what the programs that load a server share: connecting, writing, and the clocks. Trouble ends the program.
 */
#ifndef HEAPD_TESTS_BENCH_WIRE_H
#define HEAPD_TESTS_BENCH_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* Says what was being done, with the text of errno if there is one, and exits. */
void die(const char *what) __attribute__((noreturn));

/* Monotonic. */
uint64_t now_ns(void);

/* What all threads of a process have run, and waited for a core, by the scheduler's own clock; 0 if there is none. */
struct cpu {
    uint64_t ran_ns, waited_ns;
};

struct cpu cpu_of(int pid);

/* Where a server listens, for those who connect often. */
struct target {
    struct sockaddr_storage address;
    socklen_t len;
};

/* "HOST:PORT" or "unix:PATH". */
void resolve(struct target *target, const char *address);

/* A blocking socket that is connected, TCP without Nagle's delay. Loopback has 28,000 ports to connect from, each taken
 * for a minute after a close: for IPv4 a `source` above 0 is one of 250 addresses to connect from. */
int connect_from(const struct target *target, unsigned source);

/* A blocking socket connected to "HOST:PORT" or "unix:PATH", in the same way. */
int connect_to(const char *address);

void write_all(int fd, const char *bytes, size_t len);

/* Waits for events, also if the process is stopped and goes on meanwhile; how many there are, at least one. */
int wait_for_events(int epoll, struct epoll_event *events, int max);

#endif
