/* reply.c - the ways to answer a request. */
#include <string.h>

#include "daemon/call.h"
#include "daemon/convert.h"
#include "store/kinds/atoms.h"

/* A response, [1, msgid, nil, result], up to its result; of a step of a batch that is nothing. Takes at most
 * FRONT_ROOM bytes. */
#define FRONT_ROOM (3 + PUT_NUMBER)

static inline char *put_front(const struct call *call, char *at)
{
    if (call->is_step)
        return at;
    memcpy(at, "\x94\x01", 2);
    at = put_uint(at + 2, call->msgid);
    *at = (char)0xc0;
    return at + 1;
}

/* Behind the front of a response, with `more` bytes of room: NULL for a notification, or without room. What is written
 * there is taken by end_at. */
static inline char *begin_at(const struct call *call, size_t more)
{
    struct buf *out = &call->session->out;

    if (!call->is_request || !buf_reserve(out, FRONT_ROOM + more))
        return NULL;
    return put_front(call, out->bytes + out->len);
}

static inline void end_at(const struct call *call, const char *end)
{
    struct buf *out = &call->session->out;

    out->len = (size_t)(end - out->bytes);
}

struct buf *reply_begin(struct call *call)
{
    char *at = begin_at(call, 0);

    if (at != NULL)
        end_at(call, at);
    return call->is_request ? &call->session->out : NULL;
}

/* A whole answer of one byte. */
static inline enum hd_err reply_byte(const struct call *call, unsigned char byte)
{
    char *at = begin_at(call, 1);

    if (at == NULL)
        return HD_OK;
    *at = (char)byte;
    end_at(call, at + 1);
    return HD_OK;
}

static inline enum hd_err reply_int(const struct call *call, int64_t value)
{
    char *at = begin_at(call, PUT_NUMBER);

    if (at != NULL)
        end_at(call, put_int(at, value));
    return HD_OK;
}

/* Levels around the result: the envelope, and the array of a batch. */
static uint32_t nesting_of(const struct call *call)
{
    return call->is_step ? 2 : 1;
}

enum hd_err reply_nil(struct call *call)
{
    return reply_byte(call, 0xc0);
}

enum hd_err reply_bool(struct call *call, bool value)
{
    return reply_byte(call, value ? 0xc3 : 0xc2);
}

enum hd_err reply_uint(struct call *call, uint64_t value)
{
    char *at = begin_at(call, PUT_NUMBER);

    if (at != NULL)
        end_at(call, put_uint(at, value));
    return HD_OK;
}

enum hd_err reply_text(struct call *call, const char *text)
{
    struct buf *out = reply_begin(call);

    if (out != NULL)
        pack_cstr(out, text);
    return HD_OK;
}

/* -- one object --------------------------------------------------------------------------------------------------- */

/* Whether the result travels as HANDLE, and so is kept. */
static bool wants_handle(const struct call *call, const struct obj *o)
{
    switch (call->opts.result) {
    case RESULT_HANDLE:
        return true;
    case RESULT_AUTO:
        return call->opts.into != 0 || !convert_is_scalar(o);
    default:
        return false;
    }
}

/* Room for the handle that the result needs, if it needs one. */
static enum hd_err reserve_handle(struct call *call, const struct obj *o)
{
    struct session *session = call->session;
    uint64_t most = session->hub->settings.limit_handles;

    if (!wants_handle(call, o) && call->opts.into == 0)
        return HD_OK;
    if (!call->is_request && call->opts.into == 0)
        return HD_OK; /* the answer goes nowhere: nobody would know the number */
    if (session->handles.count >= most)
        return heap_fail(call->heap, HD_LIMIT, "the session holds limits.handles (%llu) handles",
                         (unsigned long long)most);
    call->is_reserved = true;
    return handles_reserve(call->heap, &session->handles, call->opts.into);
}

enum hd_err reply_reserve_asked(struct call *call)
{
    /* a method whose answer is no scalar makes it first, or changes nothing */
    return reserve_handle(call, call->heap->nil);
}

static enum hd_err pack_result(struct call *call, struct obj *o)
{
    struct buf *out = reply_begin(call);

    if (out == NULL)
        return HD_OK;
    if (call->opts.result == RESULT_NONE) {
        pack_nil(out);
    } else if (wants_handle(call, o)) {
        convert_pack_handle(call->session, out, call->kept, o);
    } else if (call->opts.result == RESULT_AUTO) {
        convert_pack_scalar(out, o);
    } else {
        return convert_pack_value(call->session, out, o, UINT64_MAX, nesting_of(call), SIZE_MAX, &(bool){false});
    }
    return HD_OK;
}

static void forget_kept(struct call *call)
{
    struct obj *held;

    if (call->kept == 0)
        return;
    held = handles_remove(call->heap, &call->session->handles, call->kept);
    obj_unref(call->heap, &held);
    call->kept = 0;
}

enum hd_err reply_check(const struct call *call)
{
    const struct buf *out = &call->session->out;

    if (!out->failed)
        return HD_OK;
    if (out->over_limit)
        return heap_fail(call->heap, HD_LIMIT, "the response is larger than may be pending");
    return heap_no_memory(call->heap);
}

/* Any object, by the result rule and the call's options. */
__attribute__((noinline)) static enum hd_err reply_kept(struct call *call, struct obj *o)
{
    bool keeps = call->opts.into != 0 || (call->is_request && wants_handle(call, o));
    enum hd_err err = reserve_handle(call, o);
    struct obj *held;

    if (err == HD_OK && keeps) {
        held = obj_ref(o);
        call->kept = handles_put_take(call->heap, &call->session->handles, call->opts.into, &held);
    }
    if (err == HD_OK)
        err = pack_result(call, o);
    if (err == HD_OK)
        err = reply_check(call);
    if (err != HD_OK)
        forget_kept(call);
    return err;
}

/* A scalar without wishes, what most answers are: nothing has to be reserved or kept. */
static inline enum hd_err reply_scalar(struct call *call, const struct obj *o)
{
    struct buf *out;

    if (o->type == OBJ_INT)
        return reply_int(call, int_value(o));
    if (o->type == OBJ_NIL)
        return reply_byte(call, 0xc0);
    out = reply_begin(call);
    if (out == NULL)
        return HD_OK;
    convert_pack_scalar(out, o);
    return reply_check(call);
}

enum hd_err reply_object(struct call *call, struct obj *o)
{
    if (call->opts.result == RESULT_AUTO && call->opts.into == 0 && convert_is_scalar(o))
        return reply_scalar(call, o);
    return reply_kept(call, o);
}

void reply_undo(struct call *call, uint64_t first)
{
    buf_rewind(&call->session->out, call->reply_at);
    forget_kept(call);
    convert_close_handles(call->session, first);
}

/* -- answers that were packed elsewhere --------------------------------------------------------------------------- */

void reply_front(struct buf *answer)
{
    static const char room[FRONT_ROOM];

    buf_append(answer, room, sizeof room);
}

#define PACKED_AT_ONCE ((size_t)256) /* bytes for one reference of the budget */

bool reply_append_some(struct buf *answer, const char *bytes, size_t len, size_t *done, size_t budget)
{
    size_t left = len - *done;
    size_t more = left / PACKED_AT_ONCE > budget ? budget * PACKED_AT_ONCE : left;

    buf_append(answer, bytes + *done, more);
    *done += more;
    return *done == len;
}

/* The two change their storage. */
static void exchange(struct buf *a, struct buf *b)
{
    struct buf old = *a;

    a->bytes = b->bytes;
    a->len = b->len;
    a->capacity = b->capacity;
    b->bytes = old.bytes;
    b->len = old.len;
    b->capacity = old.capacity;
}

enum hd_err reply_adopt(struct call *call, struct buf *answer)
{
    struct buf *out = reply_begin(call);
    size_t front;

    if (out == NULL)
        return HD_OK;
    if (answer->failed)
        return heap_no_memory(call->heap);
    if (out->failed || call->reply_at > 0 || call->is_step || answer->len > out->limit) {
        buf_append(out, answer->bytes + FRONT_ROOM, answer->len - FRONT_ROOM);
        return reply_check(call);
    }
    front = out->len;
    memcpy(answer->bytes + FRONT_ROOM - front, out->bytes, front);
    exchange(out, answer);
    call->reply_at = out->sent = FRONT_ROOM - front;
    return HD_OK;
}
