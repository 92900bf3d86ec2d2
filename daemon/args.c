/* args.c - decoding parameters and options by their rows. */
#include "daemon/args.h"

#include <stdio.h>
#include <string.h>

#include "daemon/convert.h"
#include "store/kinds/atoms.h"
#include "store/kinds/sequence.h"

/* -- options ------------------------------------------------------------------------------------------------------ */

static enum hd_err bad_option(struct call *call, enum rpc_option option, const char *wants)
{
    return heap_fail(call->heap, HD_BAD_ARGS, "%s: option '%s' takes %s", call->method->name,
                     rpc_option_rows[option].name, wants);
}

/* Index of a str among `words`, in *choice; BAD_ARGS naming `wants`. */
static enum hd_err read_choice(struct call *call, struct reader *reader, enum rpc_option option,
                               const char *const *words, unsigned count, const char *wants, unsigned *choice)
{
    struct wire wire = read_next(reader);

    for (unsigned i = 0; i < count; i++)
        if (wire_is_str(&wire, words[i])) {
            *choice = i;
            return HD_OK;
        }
    return bad_option(call, option, wants);
}

static enum hd_err read_result(struct call *call, struct reader *reader, enum rpc_option option)
{
    static const char *const words[] = {"auto", "handle", "value", "none"};
    unsigned choice = RESULT_AUTO;
    enum hd_err err = read_choice(call, reader, option, words, 4, "auto, handle, value or none", &choice);

    call->opts.result = (enum result_mode)choice;
    return err;
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

static enum hd_err read_bool(struct call *call, struct reader *reader, enum rpc_option option)
{
    struct wire wire = read_next(reader);

    if (wire.kind != WIRE_BOOL)
        return bad_option(call, option, "true or false");
    if (option == RPC_OPTION_NOTIFY)
        call->opts.notify = wire.boolean;
    else
        call->opts.deep = wire.boolean;
    return HD_OK;
}

static enum hd_err read_uint(struct call *call, struct reader *reader, enum rpc_option option)
{
    struct wire wire = read_next(reader);

    if (wire.kind != WIRE_UINT || wire.uint > (uint64_t)HD_HANDLE_MAX)
        return bad_option(call, option, "an int, 0 or more");
    if (option == RPC_OPTION_LEVELS)
        call->opts.levels = wire.uint;
    else if (option == RPC_OPTION_LIMIT)
        call->opts.limit = wire.uint;
    else
        call->opts.after = wire.uint;
    return HD_OK;
}

static enum hd_err read_word_pair(struct call *call, struct reader *reader, enum rpc_option option)
{
    static const char *const refs[] = {"map", "ext"};
    static const char *const errors[] = {"text", "pair"};
    static const char *const raw[] = {"text", "bytes"};
    unsigned choice = 0;
    enum hd_err err;

    if (option == RPC_OPTION_REFS) {
        err = read_choice(call, reader, option, refs, 2, "map or ext", &choice);
        call->opts.refs = choice == 0 ? DIALECT_MAP : DIALECT_EXT;
    } else if (option == RPC_OPTION_ERRORS) {
        err = read_choice(call, reader, option, errors, 2, "text or pair", &choice);
        call->opts.errors_as_pair = choice == 1;
    } else {
        err = read_choice(call, reader, option, raw, 2, "text or bytes", &choice);
        call->opts.raw_bytes = choice == 1;
    }
    return err;
}

/* [method, prefix...]: a str and scalars; nil ends the dress. */
static enum hd_err read_events(struct call *call, struct reader *reader, enum rpc_option option)
{
    struct obj *dress;
    struct list *list;
    enum hd_err err = convert_value(call->session, reader, &dress);

    if (err != HD_OK)
        return err;
    obj_unref(call->heap, &call->opts.events); /* of a repeated key the last value wins */
    call->opts.events = dress;                 /* released with the call */
    if (dress->type == OBJ_NIL)
        return HD_OK;
    list = list_of(dress);
    if (dress->type != OBJ_LIST || list->len == 0 || list->items[0]->type != OBJ_STR)
        return bad_option(call, option, "[method, prefix...]");
    for (uint32_t i = 1; i < list->len; i++)
        if (!convert_is_scalar(list->items[i]))
            return bad_option(call, option, "[method, prefix...], the prefix of plain values");
    return HD_OK;
}

static enum hd_err read_option(struct call *call, struct reader *reader)
{
    struct wire key = read_next(reader);
    enum rpc_option option;
    const struct rpc_option_row *row =
        key.kind == WIRE_STR ? rpc_find_option(call->method, key.bytes, key.len, &option) : NULL;

    if (row == NULL)
        return heap_fail(call->heap, HD_BAD_ARGS, "%s: unknown option '%.*s'", call->method->name,
                         key.kind == WIRE_STR ? (int)(key.len < 60 ? key.len : 60) : 1,
                         key.kind == WIRE_STR ? key.bytes : "?");
    call->opts.given |= UINT32_C(1) << option;
    switch (row->kind) {
    case RPC_KIND_RESULT:
        return read_result(call, reader, option);
    case RPC_KIND_INTO:
        return read_into(call, reader, option);
    case RPC_KIND_BOOL:
        return read_bool(call, reader, option);
    case RPC_KIND_UINT:
        return read_uint(call, reader, option);
    case RPC_KIND_TEXT:
        return convert_text(call->session, reader, row->name, &call->opts.text[option], &call->opts.text_len[option]);
    case RPC_KIND_EVENTS:
        return read_events(call, reader, option);
    default:
        return read_word_pair(call, reader, option);
    }
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

static enum hd_err read_options(struct call *call, struct reader *reader)
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

/* -- arguments ---------------------------------------------------------------------------------------------------- */

static enum hd_err read_values(struct call *call, struct reader *reader, struct arg *arg, const char *name)
{
    struct wire array = read_next(reader);
    enum hd_err err;

    if (array.kind != WIRE_ARRAY)
        return heap_fail(call->heap, HD_BAD_ARGS, "%s: '%s' is an array", call->method->name, name);
    err = heap_work(call->heap, array.len);
    if (err != HD_OK || array.len == 0)
        return err;
    arg->items = hub_alloc(call->hub, array.len * sizeof *arg->items);
    if (arg->items == NULL)
        return heap_no_memory(call->heap);
    arg->capacity = array.len;
    while (err == HD_OK && arg->count < array.len) {
        err = convert_value(call->session, reader, &arg->items[arg->count]);
        if (err == HD_OK)
            arg->count++;
    }
    return err;
}

/* A str; or, as with all values, a reference to one. */
static enum hd_err read_name(struct call *call, struct reader *reader, struct arg *arg, const char *name)
{
    struct wire wire = read_peek(reader);
    char what[64];
    enum hd_err err;

    if (wire.kind == WIRE_EXT || wire.kind == WIRE_MAP) {
        err = convert_value(call->session, reader, &arg->o);
        if (err != HD_OK)
            return err;
        if (arg->o->type != OBJ_STR)
            return heap_fail(call->heap, HD_BAD_ARGS, "%s: '%s' is a str", call->method->name, name);
        arg->text = text_of(arg->o)->bytes;
        arg->text_len = text_of(arg->o)->len;
        return HD_OK;
    }
    snprintf(what, sizeof what, "%s: '%s'", call->method->name, name);
    return convert_text(call->session, reader, what, &arg->text, &arg->text_len);
}

static enum hd_err read_arg(struct call *call, struct reader *reader, const struct rpc_arg *row, struct arg *arg)
{
    arg->is_given = true;
    switch (row->kind) {
    case RPC_TARGET:
        return convert_target(call->session, reader, &arg->o);
    case RPC_VALUE:
        return convert_value(call->session, reader, &arg->o);
    case RPC_BINDING:
        return convert_binding(call->session, reader, &arg->binding);
    case RPC_NAME:
        return read_name(call, reader, arg, row->name);
    case RPC_VALUES:
        return read_values(call, reader, arg, row->name);
    case RPC_HANDLE:
    default:
        return convert_handle(call->session, reader, &arg->number);
    }
}

static enum hd_err wrong_count(struct call *call, unsigned least, unsigned most, uint32_t count)
{
    if (least == most)
        return heap_fail(call->heap, HD_BAD_ARGS, "%s takes %u parameter%s%s, %u given", call->method->name, least,
                         least == 1 ? "" : "s", call->method->options != 0 ? " and options" : "", count);
    return heap_fail(call->heap, HD_BAD_ARGS, "%s takes %u to %u parameters%s, %u given", call->method->name, least,
                     most, call->method->options != 0 ? " and options" : "", count);
}

/* In the map dialect {"@": ...} is a reference, never options. */
static bool is_options(const struct call *call, const struct reader *reader)
{
    struct reader ahead = *reader;
    struct wire map = read_next(&ahead);
    struct wire key = read_peek(&ahead);

    return map.kind == WIRE_MAP &&
           !(call->session->manner.refs == DIALECT_MAP && map.len == 1 && wire_is_str(&key, "@"));
}

/* Whether the last optional argument is left out and options stand in its place. */
static bool options_come_early(const struct call *call, const struct rpc_arg *row, const struct reader *reader,
                               uint32_t left)
{
    return row->is_optional && call->method->options != 0 && left == 1 && row->kind != RPC_VALUE &&
           is_options(call, reader);
}

static enum hd_err read_all(struct call *call, struct reader *reader, uint32_t count)
{
    const struct rpc_method *method = call->method;
    unsigned rows = rpc_arg_count(method);
    unsigned least = 0;
    enum hd_err err = HD_OK;
    unsigned i;

    for (i = 0; i < rows; i++)
        least += !method->args[i].is_optional;
    if (count < least)
        return wrong_count(call, least, rows, count);
    for (i = 0; err == HD_OK && i < rows && count > 0 && !method->args[i].is_rest; i++) {
        if (options_come_early(call, &method->args[i], reader, count))
            break;
        err = read_arg(call, reader, &method->args[i], &call->args[i]);
        count--;
    }
    if (err != HD_OK)
        return err;
    if (rows > 0 && method->args[rows - 1].is_rest) {
        call->rest = *reader;
        call->rest_count = count;
        return HD_OK;
    }
    if (count > 1 || (count == 1 && (method->options == 0 || read_peek(reader).kind != WIRE_MAP)))
        return wrong_count(call, least, rows, count + i);
    return count == 1 ? read_options(call, reader) : HD_OK;
}

enum hd_err args_read(struct call *call, struct reader *reader, uint32_t count)
{
    enum hd_err err;

    call->opts.levels = call->opts.limit = UINT64_MAX;
    err = read_all(call, reader, count);
    if (err != HD_OK)
        args_release(call);
    return err;
}

void args_release(struct call *call)
{
    for (unsigned i = 0; i < RPC_ARGS_MAX; i++) {
        struct arg *arg = &call->args[i];

        obj_unref(call->heap, &arg->o);
        for (uint32_t n = 0; n < arg->count; n++)
            obj_unref(call->heap, &arg->items[n]);
        hub_free(call->hub, arg->items, arg->capacity * sizeof *arg->items);
        arg->items = NULL;
        arg->count = arg->capacity = 0;
    }
    obj_unref(call->heap, &call->opts.events);
}
