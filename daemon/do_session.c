/* do_session.c - hello, ping, bye. */
#include <string.h>

#include "daemon/call.h"
#include "daemon/convert.h"
#include "daemon/limits.h"
#include "store/kinds/sequence.h"

#define HELLO_ROOM 4096 /* bytes of its answer, at most */

enum hd_err do_ping(struct call *call)
{
    return call->args[0].is_given ? reply_object(call, call->args[0].o) : reply_nil(call);
}

enum hd_err do_bye(struct call *call)
{
    call->session->is_over = true;
    session_wake(call->session);
    return reply_nil(call);
}

/* -- hello -------------------------------------------------------------------------------------------------------- */

/* [method, prefix...]: a str and scalars; nil ends the dress. */
static enum hd_err check_dress(struct call *call, struct obj *dress)
{
    const struct list *list = list_of(dress);
    bool fits = dress->type == OBJ_NIL || (dress->type == OBJ_LIST && list->len > 0 && list->items[0]->type == OBJ_STR);

    for (uint32_t i = 1; fits && dress->type == OBJ_LIST && i < list->len; i++)
        fits = convert_is_scalar(list->items[i]);
    if (!fits)
        return heap_fail(call->heap, HD_BAD_ARGS, "hello: option 'events' takes [method, prefix...], the prefix of "
                         "plain values");
    return HD_OK;
}

/* What holds for every hello. `session` is the one that it is about. */
static enum hd_err check_hello(struct call *call, const struct session *session)
{
    const struct opts *opts = &call->opts;
    uint64_t levels = opts_number(opts, RPC_OPTION_LEVELS, HD_DEPTH_SENT);
    bool is_first = !session->said_hello;

    if (opts_has(opts, RPC_OPTION_NAMESPACE) && !is_first)
        return heap_fail(call->heap, HD_BAD_ARGS, "hello: only the first one of a session may have 'namespace'");
    if (opts_has(opts, RPC_OPTION_LINGER) && !is_first)
        return heap_fail(call->heap, HD_BAD_ARGS, "hello: only the first one of a session may have 'linger'");
    if (levels < 8 || levels > HD_DEPTH_MAX)
        return heap_fail(call->heap, HD_BAD_ARGS, "hello: option 'depth' takes 8 ... %d", HD_DEPTH_MAX);
    return opts_has(opts, RPC_OPTION_EVENTS) ? check_dress(call, opts->v[RPC_OPTION_EVENTS].o) : HD_OK;
}

static bool option_is(const struct opts *opts, enum rpc_option option, const char *text)
{
    return opts->v[option].len == strlen(text) && memcmp(opts->v[option].text, text, strlen(text)) == 0;
}

/* The namespace to work in, made if it is missing; owned. */
static enum hd_err find_space(struct call *call, struct obj **out)
{
    const struct opts *opts = &call->opts;
    const char *name = opts->v[RPC_OPTION_NAMESPACE].text;
    size_t len = opts->v[RPC_OPTION_NAMESPACE].len;
    struct obj *space;
    struct obj *old;
    enum hd_err err;

    if (option_is(opts, RPC_OPTION_NAMESPACE, "session")) {
        *out = obj_ref(call->session->own);
        return HD_OK;
    }
    if (option_is(opts, RPC_OPTION_NAMESPACE, "builtins"))
        return heap_fail(call->heap, HD_DENIED, "namespace 'builtins' is read-only");
    space = names_peek(call->heap, &call->hub->spaces, name, len);
    if (space != NULL) {
        *out = obj_ref(space);
        return HD_OK;
    }
    err = space_new(call->heap, name, len, &space);
    if (err == HD_OK)
        err = names_bind(call->heap, &call->hub->spaces, name, len, space, &old);
    else
        space = NULL;
    if (err != HD_OK)
        obj_unref(call->heap, &space);
    else
        *out = space;
    return err;
}

/* The namespace will not be worked in after all. */
static void leave_space(struct call *call, struct obj **space)
{
    struct obj *o = *space;

    obj_unref(call->heap, space);
    if (o != NULL && o != call->session->own)
        hub_drop_unused_space(call->hub, space_of(o));
}

/* A copy of the client's name; NULL without the option. */
static enum hd_err copy_name(struct call *call, struct name **out)
{
    size_t len = call->opts.v[RPC_OPTION_NAME].len;

    *out = NULL;
    if (!opts_has(&call->opts, RPC_OPTION_NAME))
        return HD_OK;
    if (len > 1024)
        return heap_fail(call->heap, HD_LIMIT, "hello: a client's name has at most 1024 bytes");
    *out = name_new(call->heap, call->opts.v[RPC_OPTION_NAME].text, len);
    return *out != NULL ? HD_OK : heap_no_memory(call->heap);
}

/* Everything that can fail comes before: from here on the settings are taken over. */
static void take_settings(struct call *call, struct session *session, struct name *name)
{
    const struct opts *opts = &call->opts;
    struct manner *manner = &session->manner;

    if (name != NULL) {
        name_free(call->heap, session->client);
        session->client = name;
    }
    if (opts_has(opts, RPC_OPTION_REFS))
        manner->refs = opts->v[RPC_OPTION_REFS].number == 0 ? DIALECT_MAP : DIALECT_EXT;
    if (opts_has(opts, RPC_OPTION_ERRORS))
        manner->errors_as_pair = opts->v[RPC_OPTION_ERRORS].number == 1;
    if (opts_has(opts, RPC_OPTION_RAW))
        manner->raw_bytes = opts->v[RPC_OPTION_RAW].number == 1;
    if (opts_has(opts, RPC_OPTION_LEVELS))
        manner->depth = (uint32_t)opts->v[RPC_OPTION_LEVELS].number;
    if (opts_has(opts, RPC_OPTION_EVENTS)) {
        obj_unref(call->heap, &manner->event_dress);
        if (opts->v[RPC_OPTION_EVENTS].o->type == OBJ_LIST)
            manner->event_dress = obj_ref(opts->v[RPC_OPTION_EVENTS].o);
    }
    session->said_hello = true;
}

static void pack_hello(struct call *call, struct buf *out, const struct session *session, unsigned more)
{
    pack_map(out, 5 + more);
    pack_cstr(out, "server");
    pack_cstr(out, "heapd");
    pack_cstr(out, "version");
    pack_cstr(out, HEAPD_VERSION);
    pack_cstr(out, "protocol");
    pack_uint(out, HD_PROTOCOL_VERSION);
    pack_cstr(out, "session");
    pack_uint(out, session->number);
    pack_cstr(out, "limits");
    limits_pack(call->hub, out);
}

static void pack_promise(struct buf *out, const struct linger *linger)
{
    char text[TOKEN_TEXT];

    token_text(&linger->token, text);
    pack_cstr(out, "token");
    pack_str(out, text, TOKEN_TEXT);
    pack_cstr(out, "linger");
    pack_float(out, (double)linger->ms / 1000);
}

static void reply_hello(struct call *call)
{
    const struct session *session = call->session;
    struct buf *out = reply_begin(call);

    if (out == NULL)
        return;
    pack_hello(call, out, session, session->linger != NULL ? 2 : 0);
    if (session->linger != NULL)
        pack_promise(out, session->linger);
}

/* A new session, or one that changes its settings. */
static enum hd_err begin(struct call *call, struct name *name)
{
    const struct opts *opts = &call->opts;
    struct session *session = call->session;
    struct obj *space = NULL;
    enum hd_err err = HD_OK;

    if (opts_has(opts, RPC_OPTION_NAMESPACE))
        err = find_space(call, &space);
    if (err == HD_OK && opts_has(opts, RPC_OPTION_LINGER) && call->is_request) /* else nobody would know the token */
        err = linger_begin(session, opts->v[RPC_OPTION_LINGER].seconds);
    if (err != HD_OK) {
        leave_space(call, &space);
        return err;
    }
    if (space != NULL) {
        obj_unref(call->heap, &session->space);
        session->space = space;
    }
    take_settings(call, session, name);
    reply_hello(call);
    return HD_OK;
}

/* -- resume ------------------------------------------------------------------------------------------------------- */

/* The lingering session that is meant. */
static enum hd_err find_resumed(struct call *call, struct session **out)
{
    const union opt *text = &call->opts.v[RPC_OPTION_RESUME];
    struct session *session = NULL;
    struct token token = {{0}};

    if (token_parse(&token, text->text, text->len))
        session = linger_find(call->hub, &token);
    if (session == NULL || !peer_has_user_of(&session->peer, &call->session->peer))
        return call_deny_token(call, "no session of yours lingers under this token: it never did, or its time is over");
    if (session == call->session)
        return heap_fail(call->heap, HD_BAD_ARGS, "hello: this session cannot resume itself");
    *out = session;
    return HD_OK;
}

static enum hd_err check_resume(struct call *call, const struct session *session)
{
    const struct opts *opts = &call->opts;
    const struct keep *responses = &session->linger->responses;
    uint64_t answered = opts_number(opts, RPC_OPTION_ANSWERED, session->answers);

    if (opts_number(opts, RPC_OPTION_SEEN, 0) > session->seq)
        return heap_fail(call->heap, HD_BAD_ARGS, "hello: option 'seen' is beyond the last event (%llu)",
                         (unsigned long long)session->seq);
    if (answered > session->answers)
        return heap_fail(call->heap, HD_BAD_ARGS, "hello: option 'answered' is beyond the last response (%llu)",
                         (unsigned long long)session->answers);
    if (answered + 1 < responses->first)
        return heap_fail(call->heap, HD_LIMIT, "hello: responses up to %llu are forgotten altogether; resume without "
                         "'answered'", (unsigned long long)responses->first - 1);
    return check_hello(call, session);
}

static void reply_resume(struct call *call, struct session *session)
{
    struct buf *out = &call->session->out;
    uint64_t seen = opts_number(&call->opts, RPC_OPTION_SEEN, session->linger->seen);

    linger_seen(session, seen);
    linger_replay_events(session, seen, out);
    call->reply_at = out->len;
    if (reply_begin(call) != NULL) {
        pack_hello(call, out, session, 4);
        pack_promise(out, session->linger);
        pack_cstr(out, "resumed");
        pack_bool(out, true);
        pack_cstr(out, "executed");
        pack_uint(out, session->requests);
    }
    if (!opts_has(&call->opts, RPC_OPTION_ANSWERED))
        return;
    linger_answered(session, call->opts.v[RPC_OPTION_ANSWERED].number);
    linger_replay_responses(session, call->opts.v[RPC_OPTION_ANSWERED].number, out);
}

/* The session goes on with this connection once the request is answered. Everything that can fail comes before. */
static enum hd_err resume(struct call *call, struct name *name, struct session *session)
{
    enum hd_err err;

    if (session->is_detached)
        events_flush(session);
    err = linger_reserve(session, &call->session->out, HELLO_ROOM);
    if (err != HD_OK)
        return err;
    takers_cancel(session); /* of its old connection */
    take_settings(call, session, name);
    reply_resume(call, session);
    call->session->successor = session;
    return HD_OK;
}

static enum hd_err check_any_hello(struct call *call, struct session **resumed)
{
    const struct opts *opts = &call->opts;
    enum hd_err err;

    if (opts_has(opts, RPC_OPTION_RESUME)) {
        err = find_resumed(call, resumed);
        return *resumed != NULL ? check_resume(call, *resumed) : err;
    }
    if (opts_has(opts, RPC_OPTION_SEEN) || opts_has(opts, RPC_OPTION_ANSWERED))
        return heap_fail(call->heap, HD_BAD_ARGS, "hello: options 'seen' and 'answered' belong to 'resume'");
    return check_hello(call, call->session);
}

enum hd_err do_hello(struct call *call)
{
    struct session *resumed = NULL;
    struct name *name = NULL;
    enum hd_err err = check_any_hello(call, &resumed);

    if (err == HD_OK && !buf_reserve(&call->session->out, HELLO_ROOM))
        err = reply_check(call);
    if (err == HD_OK)
        err = copy_name(call, &name);
    if (err == HD_OK)
        err = resumed != NULL ? resume(call, name, resumed) : begin(call, name);
    if (err != HD_OK)
        name_free(call->heap, name);
    return err;
}
