/* options.c - the last map of a request: its options, by the rows of options.def. */
#include <string.h>

#include "daemon/args.h"
#include "daemon/convert.h"

static enum hd_err bad_option(struct call *call, enum rpc_option option, const char *wants)
{
    return heap_fail(call->heap, HD_BAD_ARGS, "%s: option '%s' takes %s", call->method->name,
                     rpc_option_rows[option].name, wants);
}

/* "auto, handle, value or none" */
static enum hd_err bad_word(struct call *call, enum rpc_option option, const char *const *words)
{
    char wants[64] = "";

    for (unsigned i = 0; words[i] != NULL; i++) {
        const char *joint = i == 0 ? "" : words[i + 1] != NULL ? ", " : " or ";

        strncat(wants, joint, sizeof wants - strlen(wants) - 1);
        strncat(wants, words[i], sizeof wants - strlen(wants) - 1);
    }
    return bad_option(call, option, wants);
}

static enum hd_err read_word(struct call *call, struct reader *reader, enum rpc_option option)
{
    const char *const *words = rpc_option_words(rpc_option_rows[option].kind);
    struct wire wire = read_next(reader);

    for (unsigned i = 0; words[i] != NULL; i++)
        if (wire_is_str(&wire, words[i])) {
            call->opts.v[option].number = i;
            if (option == RPC_OPTION_RESULT)
                call->opts.result = (enum result_mode)i;
            return HD_OK;
        }
    return bad_word(call, option, words);
}

static enum hd_err read_into(struct call *call, struct reader *reader, enum rpc_option option)
{
    struct wire wire = read_next(reader);

    if (wire.kind != WIRE_UINT || wire.uint < 1 || wire.uint > (uint64_t)HD_HANDLE_CLIENT_MAX)
        return bad_option(call, option, "a handle, 1 ... 2147483647");
    call->opts.into = wire.uint;
    if (handles_peek(&call->session->handles, wire.uint) != NULL)
        return heap_fail(call->heap, HD_HANDLE_IN_USE, "handle %llu is in use", (unsigned long long)wire.uint);
    return HD_OK;
}

static enum hd_err read_flag(struct call *call, struct reader *reader, enum rpc_option option)
{
    struct wire wire = read_next(reader);

    if (wire.kind != WIRE_BOOL)
        return bad_option(call, option, "true or false");
    call->opts.v[option].flag = wire.boolean;
    return HD_OK;
}

static enum hd_err read_number(struct call *call, struct reader *reader, enum rpc_option option)
{
    struct wire wire = read_next(reader);

    if (wire.kind != WIRE_UINT || wire.uint > (uint64_t)HD_HANDLE_MAX)
        return bad_option(call, option, "an int, 0 or more");
    call->opts.v[option].number = wire.uint;
    return HD_OK;
}

static enum hd_err read_seconds(struct call *call, struct reader *reader, enum rpc_option option)
{
    struct wire wire = read_next(reader);
    double seconds = wire.kind == WIRE_UINT ? (double)wire.uint : wire.kind == WIRE_FLOAT ? wire.real : -1;

    if (!(seconds >= 0)) /* NaN is none either */
        return bad_option(call, option, "seconds, 0 or more");
    call->opts.v[option].seconds = seconds;
    return HD_OK;
}

/* Of a repeated key the last value wins. */
static enum hd_err read_value(struct call *call, struct reader *reader, enum rpc_option option)
{
    struct obj *o = NULL;
    enum hd_err err = convert_value(call->session, reader, &o);

    if (opts_has(&call->opts, option))
        obj_unref(call->heap, &call->opts.v[option].o);
    call->opts.v[option].o = o;
    return err;
}

/* A word, or what the name is to be bound to. Of a repeated key the last value wins. */
static enum hd_err read_condition(struct call *call, struct reader *reader, enum rpc_option option)
{
    struct wire wire = read_peek(reader);
    struct obj *o = NULL;
    enum hd_err err = HD_OK;

    if (wire.kind == WIRE_UINT || wire.kind == WIRE_EXT || wire.kind == WIRE_MAP) {
        call->opts.condition = IF_BOUND_TO;
        err = convert_target(call->session, reader, &o);
    } else {
        read_skip(reader);
        call->opts.condition = wire_is_str(&wire, "absent") ? IF_ABSENT : IF_PRESENT;
        if (!wire_is_str(&wire, "absent") && !wire_is_str(&wire, "present"))
            err = bad_option(call, option, "absent, present or a HANDLE");
    }
    if (opts_has(&call->opts, option))
        obj_unref(call->heap, &call->opts.v[option].o);
    call->opts.v[option].o = o;
    return err;
}

static enum hd_err read_by_kind(struct call *call, struct reader *reader, enum rpc_option option)
{
    union opt *opt = &call->opts.v[option];

    switch (rpc_option_rows[option].kind) {
    case RPC_KIND_BOOL:
        return read_flag(call, reader, option);
    case RPC_KIND_UINT:
        return read_number(call, reader, option);
    case RPC_KIND_SECONDS:
        return read_seconds(call, reader, option);
    case RPC_KIND_TEXT:
        return convert_text(call->session, reader, rpc_option_rows[option].name, &opt->text, &opt->len);
    case RPC_KIND_VALUE:
        return read_value(call, reader, option);
    case RPC_KIND_INTO:
        return read_into(call, reader, option);
    case RPC_KIND_CONDITION:
        return read_condition(call, reader, option);
    default:
        return read_word(call, reader, option);
    }
}

static enum hd_err read_option(struct call *call, struct reader *reader)
{
    struct wire key = read_next(reader);
    enum rpc_option option;
    enum hd_err err;

    if (key.kind != WIRE_STR || rpc_find_option(call->method, key.bytes, key.len, &option) == NULL)
        return heap_fail(call->heap, HD_BAD_ARGS, "%s: unknown option '%.*s'", call->method->name,
                         key.kind == WIRE_STR ? (int)(key.len < 60 ? key.len : 60) : 1,
                         key.kind == WIRE_STR ? key.bytes : "?");
    err = read_by_kind(call, reader, option);
    call->opts.given |= UINT64_C(1) << option;
    return err;
}

/* {"@pairs": [[name, value], ...]}, as the map dialect may write every dict; the reader is behind the map's header. */
static bool take_pairs(const struct call *call, struct reader *reader, struct wire *map)
{
    struct reader ahead = *reader;
    struct wire key = read_next(&ahead);
    struct wire pairs = read_next(&ahead);

    if (call->session->manner.refs != DIALECT_MAP || map->len != 1 || !wire_is_str(&key, "@pairs") ||
        pairs.kind != WIRE_ARRAY)
        return false;
    *map = pairs;
    *reader = ahead;
    return true;
}

enum hd_err options_read(struct call *call, struct reader *reader)
{
    struct wire map = read_next(reader);
    bool as_pairs = take_pairs(call, reader, &map);
    enum hd_err err = HD_OK;

    for (uint32_t i = 0; err == HD_OK && i < map.len; i++) {
        struct wire pair = as_pairs ? read_next(reader) : (struct wire){.kind = WIRE_ARRAY, .len = 2};

        if (pair.kind != WIRE_ARRAY || pair.len != 2)
            return heap_fail(call->heap, HD_BAD_ARGS, "{\"@pairs\": ...} takes an array of [name, value]");
        err = read_option(call, reader);
    }
    return err;
}

void options_release(struct call *call)
{
    struct opts *opts = &call->opts;

    for (uint64_t left = opts->given; left != 0; left &= left - 1) {
        enum rpc_option option = (enum rpc_option)__builtin_ctzll(left);

        if (rpc_option_rows[option].kind == RPC_KIND_VALUE || rpc_option_rows[option].kind == RPC_KIND_CONDITION)
            obj_unref(call->heap, &opts->v[option].o);
    }
    opts->given = 0;
    opts->into = 0;
    opts->condition = IF_ALWAYS;
}
