/*
 * daemon/hub.h - one heap with its sessions: the whole server but for the network.
 *
 * The hub knows no socket and no loop: bytes go in (session_feed), bytes come out (session_output), and somebody calls
 * hub_work while hub_has_work. daemon/conn.c and daemon/pace.c do that on libuv, tests and fuzzers in memory. Several
 * hubs can live in one process.
 */
#ifndef HEAPD_DAEMON_HUB_H
#define HEAPD_DAEMON_HUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hub;
struct session;
struct buf;
struct mem;
struct config;

/* What a hub may use. Filled by hub_settings_default, then by daemon/config.c; every field is a row of config.def. */
struct hub_settings {
    uint64_t memory_limit;      /* bytes of the heap */
    uint64_t limit_frame;       /* bytes of one frame */
    uint64_t limit_depth;       /* nesting accepted, HD_DEPTH_MIN ... HD_DEPTH_MAX */
    uint64_t limit_work;        /* objects or elements touched or made by one unsliced method */
    uint64_t limit_read;        /* bytes of one read */
    uint64_t limit_handles;     /* of a session */
    uint64_t limit_names;       /* of a session */
    uint64_t limit_output;      /* pending bytes above one response */
    uint64_t limit_session_bytes; /* daemon/quota.h; 0: none */
    uint64_t limit_sessions;    /* sessions at once */
    uint64_t linger_max_s;      /* seconds that a session may outlive its connection */
    uint64_t limit_lingering;   /* sessions to which that is promised; */
    uint64_t limit_lingering_address; /* of one address */
    uint64_t limit_events;      /* kept for a lingering session; changes of names that wait to be told to any */
    uint64_t limit_kept;        /* bytes of events, and again of responses, kept for a lingering session; */
    uint64_t limit_kept_address; /* for all of one address */
    uint64_t limit_offers;      /* open at once, of all sessions */
    uint64_t limit_waiting;     /* waiting calls of a session */
    uint64_t slice_objects;     /* references that one slice of work drops or looks at, 1 ... */
    uint64_t slice_us;          /* and how long it takes, in microseconds */
    uint64_t slowlog_us;        /* a request that takes so long is kept in the slow log */
    uint64_t gc_enabled;        /* whether collections of cycles begin by themselves */
    uint64_t gc_growth;         /* containers made beyond those that died since the last one: then one begins, */
    uint64_t gc_percent;        /* or, if that is more, so many percent of those that were left by the last one */
};

/* Documented defaults (protocol.md, section 6); memory_limit is 75 % of RAM or of the cgroup. */
void hub_settings_default(struct hub_settings *settings);

/* How a hub reaches its surroundings. */
struct hub_ops {
    /* A session has something to write, or to run, or is over (session_state): called at most once until its next
     * session_feed, session_run or session_output. Must not call back into the hub; put it on a list. May be NULL. */
    void (*wake)(void *context, struct session *session);
    /* Monotonic nanoseconds. NULL: CLOCK_MONOTONIC. */
    uint64_t (*now_ns)(void *context);
    /* The client of `from` has resumed `to`: what it sends and gets belongs to `to` from now on, and a connection that
     * `to` had is to be closed. The users of both (session_user) are as they were; set them. `from` ends, as by
     * session_close. Called inside session_feed, session_run or session_eof of `from`. May be NULL. */
    void (*moved)(void *context, struct session *from, struct session *to);
    void *context;
    /* All settings of the daemon as they stand, for clients to see and change; `hub` of it is not looked at. NULL: the
     * hub knows its own only. */
    const struct config *config;
    /* A client changed a setting; `what` is a line for the log. Takes the configuration over and calls hub_configure.
     * NULL: the hub does that alone. */
    void (*configure)(void *context, const struct config *config, const char *what);
    /* Where all memory comes from (store/mem.h), the heap's too; outlives the hub. NULL: the C library. */
    const struct mem *mem;
};

/* Makes a hub with an empty heap. NULL without memory. `settings` is copied. */
struct hub *hub_open(const struct hub_settings *settings, const struct hub_ops *ops);

/* Ends every session at once and frees the heap with all its objects. */
void hub_close(struct hub *hub);

/* Work that waits for nobody: dying queues. True while there is some; then call hub_work again, other sessions between
 * two calls. */
bool hub_has_work(struct hub *hub);

/* One slice of that work, round robin between its steps, then wakes the sessions whose requests are answered by it. */
void hub_work(struct hub *hub);

/* CPU time of this thread: how long others had to wait for it at least, whatever else the machine does. hub.c */
uint64_t hub_cpu_ns(void);

/* A round of the loop, between two looks at the network, took so much CPU time: stats tell the longest. */
void hub_note_round(struct hub *hub, uint64_t ns);

/* Milliseconds from now after which hub_tick is to be called, a quarter of a second at most: something waits for a
 * time, or what has been made since the last collection of cycles may hold some, however little it is. UINT64_MAX:
 * nothing does. */
uint64_t hub_tick_ms(struct hub *hub);
void hub_tick(struct hub *hub);

/* New limits, from a configuration read again. What exists beyond them stays. */
void hub_configure(struct hub *hub, const struct hub_settings *settings);

/* Writes a dump of the hub's state, one line a call, through `line` (SIGUSR2). */
void hub_dump(struct hub *hub, void (*line)(void *context, const char *text), void *context);

/* The whole-heap verifier: 0 differences in a sound heap; each is described through `line` (may be NULL). */
uint64_t hub_check(struct hub *hub, void (*line)(void *context, const char *text), void *context);

/* Open sessions. */
uint64_t hub_session_count(const struct hub *hub);

#endif
