/*
 * daemon/call.h - one request while it runs: its decoded arguments, and the ways to answer.
 *
 * A handler is a function `do_<method>(struct call *)`: arguments in, one store call, one reply. It returns HD_OK after
 * it has called exactly one of the reply functions (none if the call waits, or goes on as a job), or an error whose
 * text is in heap->error_text; then nothing has changed.
 */
#ifndef HEAPD_DAEMON_CALL_H
#define HEAPD_DAEMON_CALL_H

#include "daemon/state.h"
#include "protocol/read.h"

/* A name as it came, in the frame. */
struct binding {
    const char *space; /* NULL: the session's own */
    size_t space_len;
    const char *name;
    size_t name_len;
};

struct arg {                          /* not given: no object, no text */
    struct obj *o;                    /* TARGET, VALUE, NAME by reference: owned, by call->held, if not taken over */
    bool is_given;
    union {                           /* by the kind of its row */
        struct binding binding;       /* BINDING */
        struct {
            const char *text;         /* NAME: UTF-8, not terminated */
            size_t text_len;
        };
        uint64_t number;              /* HANDLE */
    };
};

enum result_mode { RESULT_AUTO, RESULT_HANDLE, RESULT_VALUE, RESULT_NONE };
enum condition { IF_ALWAYS, IF_ABSENT, IF_PRESENT, IF_BOUND_TO };

/* One option as it was given, by its kind. */
union opt {
    bool flag;
    uint64_t number;  /* UINT; of a word: which one */
    double seconds;
    struct {
        const char *text; /* UTF-8, in the frame */
        size_t len;
    };
    struct obj *o;    /* VALUE, CONDITION (NULL but of IF_BOUND_TO): owned by the call */
};

struct opts {
    uint64_t given;          /* bit n: v[n] is set */
    enum result_mode result;
    uint64_t into;           /* 0: none */
    enum condition condition;
    union opt v[RPC_OPTIONS]; /* not set but those that are given */
};

struct call {
    struct hub *hub;
    struct session *session;
    struct heap *heap;
    const struct rpc_method *method; /* NULL: the one asked for is none */
    uint8_t number;           /* of the method: enum rpc_number */
    bool is_request;          /* false: a notification, whose answer goes nowhere */
    bool is_step;             /* of a batch: its answer is one value of the batch's */
    bool is_reserved;         /* room for a handle of the answer: given back after the handler if there is none */
    uint8_t held_count;
    uint32_t msgid;
    size_t reply_at;          /* where the response begins in the output */
    uint64_t kept;            /* the handle that the reply gave, 0 if none */
    struct reader reader;     /* while arguments are read: the next one */
    uint32_t rest_count;      /* of a method with a REST row, VALUES or CALLS: */
    struct reader rest;       /* these arguments, not yet read */
    struct arg args[RPC_ARGS_MAX]; /* set as far as the row has arguments */
    struct obj **held[RPC_ARGS_MAX]; /* the references that arguments own */
    struct opts opts;
};

/* A call without arguments and options. What is not set by it is set as it is used: this is done for each request. */
static inline void call_init(struct call *call, struct session *session)
{
    call->hub = session->hub;
    call->session = session;
    call->heap = session->hub->heap;
    call->method = NULL;
    call->is_request = call->is_step = call->is_reserved = false;
    call->held_count = 0;
    call->msgid = 0;
    call->reply_at = session->out.len;
    call->kept = 0;
    call->opts.given = 0;
    call->opts.result = RESULT_AUTO;
    call->opts.into = 0;
    call->opts.condition = IF_ALWAYS;
}

static inline void call_set_method(struct call *call, enum rpc_number number)
{
    call->number = (uint8_t)number;
    call->method = &rpc_methods[number];
}

static inline bool opts_has(const struct opts *opts, enum rpc_option option)
{
    return (opts->given >> option & 1) != 0;
}

static inline bool opts_flag(const struct opts *opts, enum rpc_option option)
{
    return opts_has(opts, option) && opts->v[option].flag;
}

static inline uint64_t opts_number(const struct opts *opts, enum rpc_option option, uint64_t preset)
{
    return opts_has(opts, option) ? opts->v[option].number : preset;
}

/* -- answers ----------------------------------------------------------------------------------------------------- */

/* The output buffer, with the response's envelope packed up to its result; NULL for a notification: pack nothing
 * then. */
struct buf *reply_begin(struct call *call);

enum hd_err reply_nil(struct call *call);
enum hd_err reply_bool(struct call *call, bool value);
enum hd_err reply_uint(struct call *call, uint64_t value);
enum hd_err reply_text(struct call *call, const char *text);

/* One object by the result rule and the call's options. LIMIT at limits.handles. The second consumes the reference. */
enum hd_err reply_object(struct call *call, struct obj *o);
static inline enum hd_err reply_object_take(struct call *call, struct obj **o)
{
    enum hd_err err = reply_object(call, *o);

    obj_unref(call->heap, o);
    return err;
}

/* An object by value in full, as `read` does, in slices if it is long; `levels` UINT64_MAX for all. Nothing must have
 * been done yet. reading.c */
enum hd_err reply_value(struct call *call, struct obj *o, uint64_t levels);

/* A large answer that is made in a buffer of its own: reply_front begins it, and packed behind that it becomes the
 * answer, without being copied if nothing else waits to be sent. `answer` is then still its owner's to end. LIMIT,
 * NO_MEMORY. */
void reply_front(struct buf *answer);
enum hd_err reply_adopt(struct call *call, struct buf *answer);

/* In slices: appends some of these bytes, from *done on, as many as go for `budget` references: true when all are
 * there. */
bool reply_append_some(struct buf *answer, const char *bytes, size_t len, size_t *done, size_t budget);

/* The same as reply_reserve, if the answer is asked to be something. */
enum hd_err reply_reserve_asked(struct call *call);

/* Before a method that changes something: room for the handle that its answer is asked to be. What is not used is given
 * back after the handler. */
static inline enum hd_err reply_reserve(struct call *call)
{
    return call->opts.result == RESULT_AUTO && call->opts.into == 0 ? HD_OK : reply_reserve_asked(call);
}

/* Whether the output holds all that was packed: LIMIT, NO_MEMORY. Looked at by reply_object and after the
 * handler. */
enum hd_err reply_check(const struct call *call);

/* Takes back an answer by reply_object that is not to be sent, and its handles: `first` is handles.next before
 * it. */
void reply_undo(struct call *call, uint64_t first);

/* -- batches ------------------------------------------------------------------------------------------------------ */

/* Runs the call that is a step of a batch: looks for its method, reads its parameters. dispatch.c */
enum hd_err dispatch_step(struct call *call, const struct envelope *envelope);

/* -- tokens ------------------------------------------------------------------------------------------------------- */

/* DENIED with this text for a token that opens nothing: after some the connection is closed. do_offer.c */
enum hd_err call_deny_token(struct call *call, const char *text);

/* The same for a batch, whose output is empty now: a step cannot close the connection. do_offer.c */
void call_end_guessing(struct call *call);

/* -- handlers ---------------------------------------------------------------------------------------------------- */

#define METHOD(name, since, flags, args, options, result, errors, summary) enum hd_err do_##name(struct call *call);
#include "protocol/methods.def"
#undef METHOD

#endif
