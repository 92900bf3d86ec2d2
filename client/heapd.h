/*
 * heapd.h - the C client of heapd, the shared object heap.
 *
 * A link is one connection, which is one session of the server. Ten lines are a program:
 *
 *     struct hd_link *link = hd_link_new(NULL);
 *
 *     if (link != NULL && hd_connect(link, NULL, 5000) == HD_OK &&
 *         hd_ask(link, 1000, "bind", "si", "answer", 42) == HD_OK &&
 *         hd_ask(link, 1000, "get", "s", "answer") == HD_OK)
 *         printf("%lld\n", (long long)hd_int(hd_answer(link)));
 *     else
 *         fprintf(stderr, "%s\n", hd_error(link));
 *     hd_link_free(link);
 *
 * Threads. The library has no global state and starts no thread. A link, with its calls, is used by one thread at a
 * time; different links are independent. A value does not change: any thread may read it while its owner is kept.
 * Callbacks run in the thread and inside the function that reads the network (hd_process, hd_poll, hd_flush,
 * hd_call_wait, hd_ask, hd_connect) or that ends the connection (hd_disconnect, hd_link_free), never inside another.
 *
 * Time. A `timeout_ms` counts milliseconds from the call of the function; HD_FOREVER waits as long as it takes.
 *
 * Signals. SIGPIPE is never raised. A signal that interrupts a wait only ends hd_poll early.
 *
 * Names that begin with hd_ or HD_ are the library's.
 */
#ifndef HEAPD_H
#define HEAPD_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HD_FOREVER (-1)

struct hd_link;  /* a connection */
struct hd_call;  /* a request and, later, its answer */
struct hd_value; /* a value that came from the server, read-only */

/* -- What went wrong ----------------------------------------------------------------------------------------------- */

/* What a function or a call came to. Numbers never change. */
enum hd_status {
    HD_OK = 0,

    /* The server's codes (docs/protocol.md, section 2); the call's error text has its sentence. */
    HD_BAD_FRAME = 1,
    HD_NO_METHOD,
    HD_BAD_ARGS,
    HD_NO_NAME,
    HD_NO_HANDLE,
    HD_HANDLE_IN_USE,
    HD_NO_ATTR,
    HD_DEAD,
    HD_TYPE,
    HD_INDEX,
    HD_KEY,
    HD_VALUE,
    HD_OVERFLOW,
    HD_CYCLE,
    HD_LIMIT,
    HD_NO_MEMORY,
    HD_DENIED,
    HD_TIMEOUT,
    HD_CANCELLED,
    HD_SCRIPT,
    HD_INTERNAL,

    /* The library's own. */
    HD_USAGE = 100,   /* a function was used otherwise than it says here, or an address is none */
    HD_UNREACHABLE,   /* no connection: nobody listens there, no such host */
    HD_LOST,          /* the connection is over; for a call: hd_call_was_sent says whether it may have run */
    HD_EXPIRED,       /* the timeout passed before the answer came; likewise */
    HD_OUT_OF_MEMORY, /* here, not on the server */
    HD_UNKNOWN,       /* the server answered with a code that this library does not know */
    HD_WAITING        /* a call that has no answer yet, or was not sent */
};

/* "NO_NAME"; "OK" for HD_OK. Never NULL. */
const char *hd_status_name(enum hd_status status);

/* -- Memory -------------------------------------------------------------------------------------------------------- */

/*
 * Where a link takes all its memory from: like realloc, with the old size; size 0 frees and answers NULL. Every
 * allocation may fail: what needed it answers HD_OUT_OF_MEMORY and has changed nothing; if it was needed to read what
 * the server sends, the connection is lost. (Only looking up a host name takes memory behind this one's back, in the C
 * library.)
 */
struct hd_memory {
    void *(*resize)(void *context, void *old, size_t old_size, size_t size);
    void *context;
};

/* -- Links --------------------------------------------------------------------------------------------------------- */

/* Makes a link that is not connected. `memory` is copied, NULL is the C library's. NULL: out of memory. */
struct hd_link *hd_link_new(const struct hd_memory *memory);

/* Disconnects and frees. Calls that were not freed are lost and must still be freed. NULL is fine. Not in callbacks. */
void hd_link_free(struct hd_link *link);

/* What this client is called, for people who list sessions. Copied; used by the next hello. NULL: no name. */
enum hd_status hd_set_name(struct hd_link *link, const char *name);

/* The longest frame that is read, in bytes (128 MiB by default). A value takes up to 17 times its bytes of memory. */
void hd_set_frame_limit(struct hd_link *link, size_t bytes);

/*
 * Connects and says hello: the session speaks the `ext` dialect, and answers may nest 1,000 levels. `address` is one of
 *   HOST, HOST:PORT, [ADDR6]:PORT    TCP; the port is 4327 by default
 *   heapd://HOST:PORT/NAMESPACE      TCP, to work in a shared namespace; port and namespace may be left out
 *   heapd+unix:///PATH, unix:PATH, /PATH    a Unix socket
 *   NULL                             $HEAPD_URL if it is set; else the Unix socket that heapd makes by default, and if
 *                                    nobody listens there 127.0.0.1:4327
 * The timeout is for all of it, but for looking up a host name. A link that was lost or disconnected may be connected
 * again: that is a new session, which knows no private name of the old one, and no handle: do not release those in it,
 * as their numbers may be given out again.
 * Errors: HD_USAGE (also when connected already), HD_UNREACHABLE, HD_EXPIRED, HD_LOST, HD_OUT_OF_MEMORY, or what the
 * server answered to hello. hd_error has the sentence.
 */
enum hd_status hd_connect(struct hd_link *link, const char *address, int timeout_ms);

/*
 * The same without waiting, for an event loop. Calls may be sent at once: they go out when hello has been answered.
 * hd_state tells when that is; hd_process answers the error if it fails, and the calls are lost.
 */
enum hd_status hd_connect_start(struct hd_link *link, const char *address, int timeout_ms);

/*
 * Asks the server, with the next hd_connect, to keep the session for so many seconds if the connection breaks; 0, the
 * default: not. Whether it will, `linger` in hd_hello tells. Such a session is ended by hd_disconnect and hd_link_free,
 * which tell the server so, if that is possible at once.
 */
void hd_set_linger(struct hd_link *link, double seconds);

/* Whether a connection was lost whose session lingers, as far as is known here. */
bool hd_can_resume(const struct hd_link *link);

/*
 * Connects again to where the link was connected, and goes on with the session that lingers there: its names, handles
 * and settings are as they were, and events that did not come are told now. Calls that were lost stay lost; of those
 * that ran the answers are thrown away, and the handles in them released. `executed` in hd_hello tells how many
 * requests ran, hello and notifications included. Errors as of hd_connect; after HD_DENIED the session is gone, after
 * HD_UNREACHABLE, HD_EXPIRED and HD_LOST it may be tried again.
 */
enum hd_status hd_resume(struct hd_link *link, int timeout_ms);

/* The same without waiting, as hd_connect_start. */
enum hd_status hd_resume_start(struct hd_link *link, int timeout_ms);

/* Ends the connection at once; every call that waits is lost. Fine when there is none. */
void hd_disconnect(struct hd_link *link);

enum hd_state { HD_CLOSED, HD_CONNECTING, HD_OPEN };

enum hd_state hd_state(const struct hd_link *link);

/* "127.0.0.1:4327", "unix:/run/heapd/heapd.sock": who is, or was last, connected or tried. "" before. */
const char *hd_peer(const struct hd_link *link);

/* The answer to hello, a map: server, version, protocol, session, limits; token and linger; resumed and executed. NULL
 * unless HD_OPEN. Until disconnected. */
const struct hd_value *hd_hello(const struct hd_link *link);

/*
 * Why the last function that failed on this link did: "CODE a sentence". Once it is lost: why the connection ended.
 * "" before any failure; of NULL: that there was no memory for a link. Valid until the next function on this link.
 */
const char *hd_error(const struct hd_link *link);

/* -- Asking: one call after another -------------------------------------------------------------------------------- */

/*
 * Sends a request and waits for its answer. `format` and what follows are its parameters (hd_put). Events that come
 * meanwhile are told. The answer belongs to the link until the next hd_ask on it, or hd_link_free.
 */
enum hd_status hd_ask(struct hd_link *link, int timeout_ms, const char *method, const char *format, ...);
enum hd_status hd_ask_va(struct hd_link *link, int timeout_ms, const char *method, const char *format, va_list args);

/* What the last hd_ask was answered; NULL if it failed. */
const struct hd_value *hd_answer(const struct hd_link *link);

/* Queues a notification: the server runs it and answers nothing, no result and no error. Errors as of hd_call_send. */
enum hd_status hd_notify(struct hd_link *link, const char *method, const char *format, ...);

/* -- Calls: many at once ------------------------------------------------------------------------------------------- */

/*
 * Called once, when a call is over: answered, expired or lost. It may send other calls and free any call, this one too,
 * but one that is being waited for; it may not wait.
 */
typedef void (*hd_call_fn)(struct hd_call *call, void *context);

/* Begins a request; parameters follow with hd_put. The caller owns the call until hd_call_free. NULL: out of memory. */
struct hd_call *hd_call_new(struct hd_link *link, const char *method);

/*
 * Queues the request behind those before it; it goes out with the next hd_flush, hd_poll, hd_process or wait. Any
 * number may be on their way; the server runs them in order. Afterwards no parameter can be added.
 * `done` may be NULL (wait with hd_call_wait, or look at hd_call_status). On an error it is not called.
 * Errors: HD_USAGE (sent before; parameters that are incomplete or wrong, or more than the server reads in one frame),
 * HD_OUT_OF_MEMORY, HD_LOST (not connected).
 */
enum hd_status hd_call_send(struct hd_call *call, int timeout_ms, hd_call_fn done, void *context);

/* Waits until the call is over and answers its status. Not in callbacks (HD_USAGE). */
enum hd_status hd_call_wait(struct hd_call *call);

/* HD_WAITING until the call is over. */
enum hd_status hd_call_status(const struct hd_call *call);

/* The result; NULL before, and after an error. It belongs to the call. */
const struct hd_value *hd_call_result(const struct hd_call *call);

/* "CODE a sentence", as the server sent it or of the library's own; "" if there is no error. It belongs to the call. */
const char *hd_call_error(const struct hd_call *call);

/* False: the request has not left whole; when the call is over: it did not run and will not. True: it may have run. */
bool hd_call_was_sent(const struct hd_call *call);

/*
 * Frees a call. One that waits is abandoned: a request that has not begun to leave is withdrawn; else its answer will
 * be thrown away, and the handles in it released. (So it is with one that expired.) NULL is fine.
 */
void hd_call_free(struct hd_call *call);

/* -- Parameters ---------------------------------------------------------------------------------------------------- */

/*
 * Each puts one value behind those before. An error (out of memory, more than 65,535 parameters, a str of 4 GiB) is
 * kept and told by hd_call_send.
 */
void hd_put_nil(struct hd_call *call);
void hd_put_bool(struct hd_call *call, bool value);
void hd_put_int(struct hd_call *call, int64_t value);
void hd_put_uint(struct hd_call *call, uint64_t value);
void hd_put_float(struct hd_call *call, double value);
void hd_put_str(struct hd_call *call, const char *text);
void hd_put_text(struct hd_call *call, const char *bytes, size_t len); /* a str, UTF-8 */
void hd_put_bytes(struct hd_call *call, const void *bytes, size_t len);
void hd_put_array(struct hd_call *call, size_t len); /* the next `len` values are its elements */
void hd_put_map(struct hd_call *call, size_t len);   /* the next `len` pairs of values are its entries */

/* References, at any depth: the object of a handle, or what a name is bound to; `space` NULL: found as targets are. */
void hd_put_handle(struct hd_call *call, uint64_t handle);
void hd_put_name(struct hd_call *call, const char *space, const char *name);

/* A copy of a value that came; a HANDLE in it refers to the object. */
void hd_put_value(struct hd_call *call, const struct hd_value *value);

/*
 * Puts several values. Each letter of `format` takes what stands behind it from the arguments:
 *   n                   nil              s  const char *          str
 *   b  int              bool             t  const char *, size_t  str of so many bytes
 *   i  int              int              y  const void *, size_t  bytes
 *   l  int64_t          int              h  uint64_t              the object of a handle
 *   u  uint64_t         int              N  const char *          what a name is bound to
 *   d  double           float            v  const struct hd_value *
 *   [ ... ]  array      { ... }  map of keys and values in turn
 * Blanks are passed over; NULL is no format, and puts nothing. C checks no types here: write (int64_t)x, (uint64_t)x.
 *     hd_put(call, "s [ils] {ss}", "numbers", 1, (int64_t)2, "three", "if", "absent");
 */
void hd_put(struct hd_call *call, const char *format, ...);
void hd_put_va(struct hd_call *call, const char *format, va_list args);

/* -- Values -------------------------------------------------------------------------------------------------------- */

/*
 * A value is part of a tree that belongs to a call, to hd_answer, or to the time of an event's callback. All these
 * functions take any kind and NULL, which is of kind HD_NONE: what has no such thing answers 0, false, "" or NULL.
 */
enum hd_kind {
    HD_NONE, /* there is no value */
    HD_NIL,
    HD_BOOL,
    HD_INT,
    HD_UINT, /* an int above INT64_MAX */
    HD_FLOAT,
    HD_STR,
    HD_BYTES,
    HD_ARRAY,
    HD_MAP,
    HD_HANDLE, /* a reference to an object of the server; this session holds it until hd_release */
    HD_EXT     /* another extension type: bytes */
};

enum hd_kind hd_kind(const struct hd_value *value);

bool hd_bool(const struct hd_value *value);
int64_t hd_int(const struct hd_value *value);    /* of HD_UINT: INT64_MAX; of HD_BOOL: 0 or 1 */
uint64_t hd_uint(const struct hd_value *value);  /* of a negative int: 0 */
double hd_float(const struct hd_value *value);   /* an int will do */
const char *hd_str(const struct hd_value *value); /* of HD_STR, HD_BYTES, HD_EXT: hd_len bytes, and '\0' behind them */

/* Bytes of a str, bytes or ext; elements of an array; pairs of a map. */
size_t hd_len(const struct hd_value *value);

/* Elements, keys and values by number, from 0, in one step; NULL beyond the end. */
const struct hd_value *hd_at(const struct hd_value *array, size_t index);
const struct hd_value *hd_map_key(const struct hd_value *map, size_t index);
const struct hd_value *hd_map_value(const struct hd_value *map, size_t index);

/* The value of a key that is a str, looked for one by one. */
const struct hd_value *hd_get(const struct hd_value *map, const char *key);

/* The parts of a HANDLE: its number, the id and the type of its object. */
uint64_t hd_handle(const struct hd_value *value);
uint64_t hd_handle_id(const struct hd_value *value);
unsigned hd_handle_type(const struct hd_value *value);

/* The number of an ext's type. */
int hd_ext_type(const struct hd_value *value);

/* "list"; "unknown" for a type code that this library does not know. */
const char *hd_type_name(unsigned type);

/* -- Handles ------------------------------------------------------------------------------------------------------- */

/*
 * Gives a handle back. It is collected, and goes out in one notification with others, before the next request, or by
 * itself with hd_flush, hd_poll or hd_process. Without a session there is nothing to do; when one lingers, it goes out
 * after hd_resume.
 */
enum hd_status hd_release(struct hd_link *link, uint64_t handle);

/* The same for every handle in a value. Nothing is released if that fails (HD_OUT_OF_MEMORY). */
enum hd_status hd_release_all(struct hd_link *link, const struct hd_value *value);

/* A number for the option `into` that this connection has not used yet: 1, 2, ... */
uint64_t hd_choose_handle(struct hd_link *link);

/* -- Events -------------------------------------------------------------------------------------------------------- */

/*
 * Called for each event, in the order in which they came and between the answers among which they came: "dead" with
 * [seq, cause, [handle...]], "bye" with [seq, reason], and whatever a later server tells. `params` is an array, until
 * the callback returns. What holds for callbacks of calls holds here.
 */
typedef void (*hd_event_fn)(struct hd_link *link, const char *event, const struct hd_value *params, void *context);

/* NULL: events are thrown away. */
void hd_on_event(struct hd_link *link, hd_event_fn told, void *context);

/* -- Without a loop ------------------------------------------------------------------------------------------------ */

/*
 * Sends what waits, waits until something comes or `timeout_ms` are over (0: looks only), and deals with it.
 * Errors: HD_LOST; when it was connecting, those of hd_connect; HD_USAGE in callbacks.
 */
enum hd_status hd_poll(struct hd_link *link, int timeout_ms);

/* Sends everything that waits. HD_EXPIRED: the server did not take it in time; the rest waits. Else as hd_poll. */
enum hd_status hd_flush(struct hd_link *link, int timeout_ms);

/* -- In another event loop ----------------------------------------------------------------------------------------- */

/*
 * Before each wait of the loop, ask all four; when the descriptor is ready, or the time has come, hd_process. It never
 * blocks. The descriptor may change while connecting.
 */
int hd_fd(const struct hd_link *link); /* -1: not connected */
bool hd_wants_read(const struct hd_link *link);
bool hd_wants_write(const struct hd_link *link);
int hd_timeout_ms(const struct hd_link *link); /* until hd_process must be called though nothing came; -1: never */

/* Writes, reads, tells of what came and of what expired. Errors as of hd_poll. */
enum hd_status hd_process(struct hd_link *link, bool readable, bool writable);

#ifdef __cplusplus
}
#endif

#endif
