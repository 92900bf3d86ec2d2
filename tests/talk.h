/*
 * tests/talk.h - a hub with sessions in memory: requests as text in, answers as text out (tests/notation.h).
 *
 * Everything that a session says is read as whole, well-formed frames; anything else fails the test.
 */
#ifndef HEAPD_TESTS_TALK_H
#define HEAPD_TESTS_TALK_H

#include "daemon/hub.h"
#include "daemon/session.h"
#include "protocol/pack.h"
#include "tests/meter.h"

struct talk {
    struct meter meter;
    struct hub *hub;
    char answer[65536];  /* of the newest response: its result, or the error's text */
    char events[65536];  /* notifications since talk_open or talk_forget, each with a newline */
    unsigned answers;    /* responses read */
    bool is_error;       /* of the newest response */
    uint32_t msgid;      /* of the newest response */
    struct session *moved; /* that the newest resume went on with */
    uint64_t now_ns;     /* the hub's clock, */
    uint64_t tick_ns;    /* how far each look at it moves it on: 0 at first, */
    uint64_t looks;      /* and how many there were */
};

extern struct talk talk;

/* A hub with the usual settings, changed by `change` if it is not NULL. */
void talk_open(void (*change)(struct hub_settings *settings));

/* Closes every session, ends the hub, and checks that every byte is given back. */
void talk_close(void);

struct session *talk_session(void);

/* Closes one, and lets all that it held die. */
void talk_end(struct session *session);

/* Sends `method(params...)` and waits for its response: the result, or "CODE text". The hub works meanwhile. */
const char *talk_ask(struct session *session, const char *call);

/* As talk_ask, and the answer must be `expected`. An expected text that ends with an ellipsis (...) is a beginning. */
void talk_says(struct session *session, const char *call, const char *expected);

/* Sends a request, and waits for nothing. */
void talk_send_call(struct session *session, const char *call);

/* Sends bytes as they are. */
void talk_send(struct session *session, const char *bytes, size_t len);

/* Reads what a session says; returns how many responses came. */
unsigned talk_read(struct session *session);

/* Does the hub's work to its end. */
void talk_work(void);

/* The verifier finds nothing. */
void talk_check(void);

/* The number of a section and row of stats(), asked by this session. */
unsigned long long talk_stat(struct session *session, const char *section, const char *row);

/* Forgets the events read. */
void talk_forget(void);

#endif
