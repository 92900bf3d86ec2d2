/* do_session.c - hello, ping, bye. */
#include <string.h>

#include "daemon/call.h"
#include "daemon/convert.h"
#include "daemon/limits.h"

enum hd_err do_ping(struct call *call)
{
    struct obj *x = call->args[0].is_given ? call->args[0].o : call->heap->nil;

    x = obj_ref(x);
    return reply_object_take(call, &x);
}

enum hd_err do_bye(struct call *call)
{
    call->session->is_over = true;
    session_wake(call->session);
    return reply_nil(call);
}

/* -- hello -------------------------------------------------------------------------------------------------------- */

static enum hd_err check_hello(struct call *call)
{
    const struct opts *opts = &call->opts;

    if (opts_has(opts, RPC_OPTION_NAMESPACE) && call->session->said_hello)
        return heap_fail(call->heap, HD_BAD_ARGS, "hello: a second hello may not change the namespace");
    if (opts_has(opts, RPC_OPTION_LEVELS) && (opts->levels < 8 || opts->levels > HD_DEPTH_MAX))
        return heap_fail(call->heap, HD_BAD_ARGS, "hello: option 'depth' takes 8 ... %d", HD_DEPTH_MAX);
    return HD_OK;
}

static bool option_is(const struct opts *opts, enum rpc_option option, const char *text)
{
    return opts->text_len[option] == strlen(text) && memcmp(opts->text[option], text, strlen(text)) == 0;
}

/* The namespace to work in, made if it is missing; owned. */
static enum hd_err find_space(struct call *call, struct obj **out)
{
    const struct opts *opts = &call->opts;
    const char *name = opts->text[RPC_OPTION_NAMESPACE];
    size_t len = opts->text_len[RPC_OPTION_NAMESPACE];
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

/* A copy of the client's name; NULL without the option. */
static enum hd_err copy_name(struct call *call, struct name **out)
{
    size_t len = call->opts.text_len[RPC_OPTION_NAME];

    *out = NULL;
    if (!opts_has(&call->opts, RPC_OPTION_NAME))
        return HD_OK;
    if (len > 1024)
        return heap_fail(call->heap, HD_LIMIT, "hello: a client's name has at most 1024 bytes");
    *out = name_new(call->heap, call->opts.text[RPC_OPTION_NAME], len);
    return *out != NULL ? HD_OK : heap_no_memory(call->heap);
}

/* Everything that can fail comes before: from here on the settings are taken over. */
static void take_settings(struct call *call, struct name *name, struct obj **space)
{
    const struct opts *opts = &call->opts;
    struct session *session = call->session;
    struct manner *manner = &session->manner;

    if (name != NULL) {
        name_free(call->heap, session->client);
        session->client = name;
    }
    if (opts_has(opts, RPC_OPTION_REFS))
        manner->refs = opts->refs;
    if (opts_has(opts, RPC_OPTION_ERRORS))
        manner->errors_as_pair = opts->errors_as_pair;
    if (opts_has(opts, RPC_OPTION_RAW))
        manner->raw_bytes = opts->raw_bytes;
    if (opts_has(opts, RPC_OPTION_LEVELS))
        manner->depth = (uint32_t)opts->levels;
    if (opts_has(opts, RPC_OPTION_EVENTS)) {
        obj_unref(call->heap, &manner->event_dress);
        if (opts->events->type == OBJ_LIST)
            manner->event_dress = obj_ref(opts->events);
    }
    if (*space != NULL) {
        obj_unref(call->heap, &session->space);
        session->space = *space;
        *space = NULL;
    }
    session->said_hello = true;
}

enum hd_err do_hello(struct call *call)
{
    struct obj *space = NULL;
    struct buf *out;
    struct name *name;
    enum hd_err err = check_hello(call);

    if (err == HD_OK)
        err = copy_name(call, &name);
    if (err != HD_OK)
        return err;
    if (opts_has(&call->opts, RPC_OPTION_NAMESPACE)) {
        err = find_space(call, &space);
        if (err != HD_OK) {
            name_free(call->heap, name);
            return err;
        }
    }
    take_settings(call, name, &space);
    out = reply_begin(call);
    if (out == NULL)
        return HD_OK;
    pack_map(out, 5);
    pack_cstr(out, "server");
    pack_cstr(out, "heapd");
    pack_cstr(out, "version");
    pack_cstr(out, HEAPD_VERSION);
    pack_cstr(out, "protocol");
    pack_uint(out, HD_PROTOCOL_VERSION);
    pack_cstr(out, "session");
    pack_uint(out, call->session->number);
    pack_cstr(out, "limits");
    limits_pack(&call->hub->settings, out);
    return HD_OK;
}
