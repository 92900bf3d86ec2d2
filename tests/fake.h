/*
 * tests/fake.h - a server that does what a test tells it, in the same thread: the link under test waits for nothing
 * that the test has not sent already.
 *
 * msgids count from 0, which is hello's. All bytes of the fake are raw: tests write frames as literals.
 */
#ifndef HEAPD_TESTS_FAKE_H
#define HEAPD_TESTS_FAKE_H

#include "client/heapd.h"
#include "protocol/pack.h"
#include "tests/meter.h"
#include "tests/suite.h"

struct fake {
    struct meter meter; /* the link's memory */
    struct hd_link *link;
    int listener;
    int fd; /* the server's end of the connection; -1 before fake_accept and after fake_hang_up */
    char address[32];
    struct buf got; /* what the client sent, since the last fake_expect */
};

/* A link that is not connected, and a server that listens. */
void fake_open(struct fake *fake);

/* The memory of the fake's link, for another one. */
struct hd_memory fake_memory(struct fake *fake);

/* Frees the link, unless that is NULL, and checks that it gave all its memory back. */
void fake_close(struct fake *fake);

/* Connects the link to this address, which leads to the fake, NULL: its own, and takes the connection; hello is not
 * answered. */
void fake_connect(struct fake *fake, const char *address);

/* The same and answers hello with limits of 1 MiB and 64 levels: the link is open, and hello is not in `got`. */
void fake_greet(struct fake *fake);

/* The server sends these bytes, and the link deals with them; the status of hd_poll. */
enum hd_status fake_send(struct fake *fake, const char *bytes, size_t len);

/* The server answers with this value, or this error, and the link deals with it. */
void fake_answer(struct fake *fake, unsigned msgid, const char *value, size_t len);
void fake_fail(struct fake *fake, unsigned msgid, const char *error);

/* The server sends, and the link does not look yet. */
void fake_send_unseen(struct fake *fake, const char *bytes, size_t len);

/* Everything that the client sent goes to `got`; it may take its time through the kernel. */
void fake_receive(struct fake *fake);

/* Fails unless that is these bytes and nothing more; then forgets it. */
void fake_expect(struct fake *fake, const char *bytes, size_t len);

/* The same for one request, whose parameters, without their header, are these bytes. */
void fake_expect_request(struct fake *fake, unsigned msgid, const char *method, unsigned count, const char *params,
                         size_t len);

/* The server closes the connection; the link does not look yet. */
void fake_hang_up(struct fake *fake);

/* The same by a reset, as a machine that has forgotten the connection does. */
void fake_reset(struct fake *fake);

/* What the callbacks of a test leave behind. Zeroed at the start. */
struct trace {
    char text[256];       /* words, each with a ';' behind it */
    struct hd_link *link; /* for callbacks that do something */
    struct hd_call *other;
};

/* Callbacks whose context is the trace: they note the status of a call; the name of an event, and why for `dead`. */
void trace_status(struct hd_call *call, void *context);
void trace_event(struct hd_link *link, const char *event, const struct hd_value *params, void *context);

/* A call without parameters that was sent with this timeout; its bytes are on their way. */
struct hd_call *fake_call(struct fake *fake, const char *method, int timeout_ms);

#endif
