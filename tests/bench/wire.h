/*
 * wire.h - what the programs that load a server share: connecting, writing, and the clocks. Trouble ends the program.
 */
#ifndef HEAPD_TESTS_BENCH_WIRE_H
#define HEAPD_TESTS_BENCH_WIRE_H

#include <stddef.h>
#include <stdint.h>

/* Says what was being done, with the text of errno if there is one, and exits. */
void die(const char *what) __attribute__((noreturn));

/* Monotonic. */
uint64_t now_ns(void);

/* Nanoseconds that all threads of a process have run, by the scheduler's own clock; 0 if there is none. */
uint64_t cpu_ns(int pid);

/* A blocking socket connected to "HOST:PORT" or "unix:PATH"; TCP without Nagle's delay. */
int connect_to(const char *address);

void write_all(int fd, const char *bytes, size_t len);

#endif
