/* do_session.c - hello, ping, bye. */
#include <string.h>

#include "daemon/call.h"
#include "daemon/convert.h"
#include "daemon/limits.h"
#include "store/kinds/sequence.h"

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

/* [method, prefix...]: a str and scalars; nil ends the dress. */
static enum hd_err check_dress(struct call *call, struct obj *dress)
{
    const struct list *list = list_of(dress);
    bool fits = dress->type == OBJ_NIL || (dress->type == OBJ_LIST && list->len > 0 && list->items[0]->type == OBJ_STR);

    for (uint32_t i = 1; fits && dress->type == OBJ_LIST && i < list->len; i++)
        fits = convert_is_scalar(list->items[i]);
    if (!fits)
        return heap_fail(call->heap, HD_BAD_ARGS, "hello: option 'events' takes [method, prefix...], the prefix of plain "
                         "values");
    return HD_OK;
}

static enum hd_err check_hello(struct call *call)
{
    const struct opts *opts = &call->opts;
    uint64_t levels = opts_number(opts, RPC_OPTION_LEVELS, HD_DEPTH_SENT);

    if (opts_has(opts, RPC_OPTION_NAMESPACE) && call->session->said_hello)
        return heap_fail(call->heap, HD_BAD_ARGS, "hello: a second hello may not change the namespace");
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
    limits_pack(call->hub, out);
    return HD_OK;
}
