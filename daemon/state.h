/*
 * daemon/state.h - what a hub and a session consist of. For the files of daemon/ that are the server's logic; the
 * network side (conn, server, main) sees hub.h and session.h only.
 */
#ifndef HEAPD_DAEMON_STATE_H
#define HEAPD_DAEMON_STATE_H

#include "daemon/collect.h"
#include "daemon/fair_clock.h"
#include "daemon/hub.h"
#include "daemon/linger.h"
#include "daemon/offer.h"
#include "daemon/quota.h"
#include "daemon/roots.h"
#include "daemon/session.h"
#include "daemon/settings.h"
#include "daemon/taker.h"
#include "daemon/tidy.h"
#include "daemon/timing.h"
#include "daemon/watch.h"
#include "protocol/feed.h"
#include "protocol/pack.h"
#include "protocol/rpc.h"
#include "store/handle.h"
#include "store/heap.h"
#include "store/kinds/namespace.h"
#include "store/names.h"
#include "store/step.h"
#include "store/weak.h"

#define SESSION_MAGIC UINT32_C(0x73657373)

/* Events of one session that are in the table events.def. */
enum event {
#define EVENT(name, params, meaning) EVENT_##name,
#include "protocol/events.def"
#undef EVENT
    EVENTS
};

/* What the server counts; stats() tells it. */
struct counters {
    uint64_t requests;        /* taken up, notifications included */
    uint64_t notifications;
    uint64_t responses;       /* that clients sent: ignored */
    uint64_t errors;          /* answered, or of notifications */
    uint64_t bad_frames;
    uint64_t strangers;       /* connections that spoke something else */
    uint64_t sessions;        /* opened since the start */
    uint64_t refused;         /* at limits.sessions */
    uint64_t unknown_releases;
    uint64_t bytes_in, bytes_out;
    uint64_t events[EVENTS];
    uint64_t codes[HD_ERR_COUNT];
};

struct hub {
    struct heap *heap;
    const uint64_t *heap_bytes;    /* handed out by the heap's pool */
    const struct mem *mem;
    struct buf_memory buffers;     /* the same, for buffers that keep what they have */
    struct buf_memory streams;     /* the same, for those of sessions: an idle one has none */
    struct buf_spare spare;        /* of streams */
    struct hub_settings settings;
    struct hub_ops ops;
    struct rpc_index methods;
    struct names spaces;           /* shared namespaces by name: each a struct space, counted */
    struct obj *global, *builtins; /* borrowed from `spaces` */
    struct session *sessions;      /* all open ones, latest first */
    uint64_t session_count;
    uint64_t next_number;
    uint64_t joined;               /* sessions that joined the ring of work, in all */
    struct session *working;       /* ring of sessions with a step to run; the one whose turn it is */
    struct root_walk *root_walks;  /* under way */
    struct collector collector;    /* of cycles */
    struct tidy tidy;
    bool is_collectors_turn;
    uint64_t longest_round_ns;     /* hub_note_round */
    struct offers offers;
    uint64_t long_works;           /* under way (freeze.h), */
    uint64_t freezes;              /* those of them that freeze, */
    uint64_t frozen_writers;       /* and requests that wait to change something */
    struct takers takers;          /* calls that wait */
    struct lingerings lingerings;
    struct step step;              /* of deaths that no session causes: offers whose time is over */
    struct fair_clock fair;
    uint64_t started_ns;
    uint64_t next_batch;           /* numbers the steps that tell deaths */
    uint64_t changes;              /* of watched names, since the start */
    struct buf scratch;            /* for putting events before a response */
    struct counters counters;
    struct timing timing;
    uint64_t scan_stack[HD_DEPTH_MAX];
    uint64_t told[HD_DEAD_FRAME_MAX]; /* handles of the `dead` event being packed */
};

enum dialect { DIALECT_MAP, DIALECT_EXT };

/* What `hello` settles; the defaults are those of a session that never said hello. */
struct manner {
    enum dialect refs;
    bool errors_as_pair;
    bool raw_bytes;
    uint32_t depth;               /* levels of nesting sent */
    struct obj *event_dress;      /* list [method, prefix...], owned; NULL: events travel under their own names */
};

/* A frame of which only the beginning has come: the scan goes on with it. */
struct partial {
    struct feed feed;
    uint64_t stack[];
};

/* Changes of watched names that wait to be told, in order; at most limits.events of them, and limits.output bytes. */
struct kept_names {
    struct kept_name *first, *last;
    uint64_t count, bytes;
    uint64_t lost;                /* beyond that: told as lost, behind the last one */
};

/* A request that goes on in slices (daemon/job.h). */
struct job {
    const struct job_kind *kind; /* NULL: none */
    void *state;
    uint64_t into;
    uint32_t msgid;
    uint8_t number;              /* of its method: enum rpc_number */
    uint8_t result;              /* enum result_mode */
    bool is_request;
    struct manner manner;        /* of the session when the request came; its event_dress is not held */
};

/* How far the end of a session has come. */
enum session_end { END_NOT, END_WATCHES, END_NAMES, END_HANDLES, END_DYING, END_DONE };

struct session {
    uint32_t magic;
    struct hub *hub;
    struct session *next, *prev;            /* all sessions */
    uint64_t joined;                        /* hub->joined when it came into the ring */
    struct session *next_working, *prev_working; /* ring, while its step has work */
    uint64_t number;
    struct name *client;                    /* what hello calls it; owned, or NULL */
    struct peer peer;
    struct manner manner;
    struct obj *own;                        /* namespace `session`, owned */
    struct obj *space;                      /* the one plain names are bound in, owned */
    struct handles handles;
    int64_t grown;                          /* bytes by which the heap grew in its steps; quota.h */
    struct step step;                       /* of the request that runs, or of the end */
    struct job job;                         /* of the request that waits, if it needs slices of its own */
    struct timed_pause timed;               /* of the request that waits */
    struct taker_list takers;               /* its calls that wait, */
    uint64_t waiting;                       /* and their number */
    struct mailbox *mailbox;                /* made with the first weakref that notifies */
    struct weak_queue deaths;               /* to be told */
    struct session_watches watches;
    struct kept_names names;                /* to be told */
    uint64_t last_change;                   /* of hub->changes, that it was told */
    uint64_t seq;                           /* events told */
    struct buf in;                          /* bytes that came and have not been run */
    struct buf out;
    struct buf held;                        /* the response that waits for its step */
    struct partial *partial;
    uint64_t requests;                      /* frames taken up */
    uint64_t answers;                       /* responses given */
    struct linger *linger;                  /* if it is to outlive its connection, else NULL */
    struct session *successor;              /* whom its connection goes to, once the request is answered */
    size_t last_response;                   /* bytes of the newest response: limits.output allows one above it */
    void *user;
    enum session_end end;
    unsigned wrong_tokens;                  /* that came on this connection */
    bool is_paused;                         /* a request waits for its step */
    bool is_over;                           /* nothing more is read or run */
    bool is_eof;                            /* the client sends no more */
    bool is_cut;                            /* over for no other reason than that */
    bool is_detached;                       /* lingers, without a connection */
    bool said_hello;
    bool is_stranger;                       /* speaks something else: its first bytes are gathered */
    bool is_woken;                          /* ops.wake was called */
    bool is_working;                        /* in the hub's ring */
    bool is_closed;                         /* the connection let go of it */
    bool is_drained_for;                    /* the collector waits until its step is empty */
};

/* -- between the files ------------------------------------------------------------------------------------------- */

/* Puts the session's step into the ring of hub_work. hub.c */
void hub_add_working(struct hub *hub, struct session *session);

/* True if nothing is in a dying queue any more of what was there when hub->joined was `since`; UINT64_MAX: nothing at
 * all. hub.c */
bool hub_is_drained(const struct hub *hub, uint64_t since);

/* A shared namespace that is empty and that nobody works in goes, but `global` and `builtins`. hub.c */
void hub_drop_unused_space(struct hub *hub, struct space *space);

/* The session's step is done: tells its deaths to all who asked. events.c */
void events_publish(struct hub *hub, struct step *step);

/* A watched name has changed: keeps that until it can be told. events.c */
void events_keep_name(struct session *session, const struct name *space, const char *name, size_t len,
                      enum name_change change, uint64_t id);

/* Forgets kept changes of names, at most *budget of them (counting down); true when none is left. events.c */
bool events_drop_names(struct session *session, size_t *budget);

/* Whether something waits to be told. */
static inline bool events_wait(const struct session *session)
{
    return session->deaths.first != NULL || session->names.first != NULL || session->names.lost > 0;
}

/* Writes what waits to be told as long as the output has room. events.c */
void events_flush(struct session *session);

/* Bytes of name events that are kept until the client takes them. events.c */
uint64_t events_kept_bytes(const struct session *session);

/* An event being packed: where its frame begins in the output, and its parameters behind seq. */
struct told {
    size_t at, params_at;
    enum event event;
    uint32_t params;
};

/* Begins an event: seq is counted, `params` values must follow, then events_end. events.c */
struct told events_begin(struct session *session, enum event event, uint32_t params);
void events_end(struct session *session, const struct told *told);

/* The frame of an event up to its seq. events.c */
void events_pack_front(struct buf *out, const struct manner *manner, enum event event, uint32_t params, uint64_t seq);

/* The limits of its buffers follow the hub's settings. session.c */
void session_configure(struct session *session);

/* The session has output, work or an end for its connection. session.c */
void session_wake(struct session *session);

/* Runs the request of a whole, well-formed frame. `call` is one for all requests of a turn (call_init): what they set
 * of it is set back. What dies goes to heap->step, which is the session's. dispatch.c */
struct call;
void dispatch_frame(struct call *call, const struct envelope *envelope);

/* The handler of a request that waited, now that its time has come. dispatch.c */
struct call;
enum hd_err dispatch_again(struct call *call, const struct envelope *envelope);

/* What comes after a handler, or after the answer of a job: the error reply, and the deaths that were caused.
 * dispatch.c */
void dispatch_finish(struct call *call, enum hd_err err);

/* A response that is an error, in the session's manner: `text` begins with the code. dispatch.c */
void dispatch_pack_error(const struct session *session, struct buf *out, uint32_t msgid, const char *text, size_t len);

/* An error in the place of what was packed of a response; nothing for a notification. dispatch.c */
void dispatch_error(struct call *call, enum hd_err err);

/* Ends it for good, whether it lingers or not: what it held is dropped by hub_work. session.c */
void session_end(struct session *session);

/* Forgets how far an incomplete frame was scanned. session.c */
void session_free_partial(struct session *session);

/* A response stands at the end of the output, from `at` on, and gave the handle `into` (0: none). */
static inline void session_answered(struct session *session, size_t at, uint64_t into)
{
    session->answers++;
    if (session->linger != NULL)
        linger_keep_response(session, at, into);
}

/* Ends the session if its output could not be kept, or too much of it waits. session.c */
void session_check_output(struct session *session);

/* A slice of work: calls `part` with a budget of references again and again until it answers true, `us` microseconds
 * are over, or slice_objects references are spent. hub.c */
bool hub_slice(struct hub *hub, uint64_t us, bool (*part)(void *arg, size_t budget), void *arg);

/* A slice of a dying queue; true when it is empty. hub.c */
bool hub_run_step(struct hub *hub, struct step *step);

/* A step that was run to its end: publishes, and lets a held response go. session.c */
void session_step_done(struct session *session);

/* Drops a part of what an ended session held; true when nothing is left. session_end.c */
bool session_end_some(struct session *session);

/* Frees the memory of a session that holds nothing any more. session.c */
void session_free(struct session *session);

/* Milliseconds on the clock that clients are measured by. hub.c */
uint64_t hub_now_ms(struct hub *hub);

/* All settings as they stand: *config is a copy, its lists are not. False: the hub knows its own only. do_config.c */
bool hub_config(const struct hub *hub, struct config *config);

/* Memory from the hub's source, beside the heap's limit: NULL if there is none. `size` > 0, as allocated. hub.c */
void *hub_alloc(const struct hub *hub, size_t size);
void hub_free(const struct hub *hub, void *block, size_t size);

#endif
