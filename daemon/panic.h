/*
 * daemon/panic.h - the end, when an invariant is broken.
 *
 * What a client can cause is an error and never comes here. A broken invariant always does: a crash with a line that
 * says where the daemon stood is better than a leak between sessions. These checks stay on in every build.
 */
#ifndef HEAPD_DAEMON_PANIC_H
#define HEAPD_DAEMON_PANIC_H

/* Aborts unless `claim` holds. The text says what should have been true. */
#define INVARIANT(claim, text) ((claim) ? (void)0 : panic_at(__FILE__, __LINE__, __func__, text))

/* Prints where, what, and the state line, and aborts (SIGABRT, a core where the system keeps one). */
_Noreturn void panic_at(const char *file, int line, const char *function, const char *text);

/* Who writes the state line into `text` (of `size` bytes) when the daemon panics; it must not allocate. NULL:
 * nobody. */
void panic_set_hook(void (*describe)(void *context, char *text, unsigned long size), void *context);

#endif
