/* args.c - decoding parameters and options by their rows. */
#include "daemon/args.h"

#include <string.h>

#include "daemon/convert.h"
#include "store/kinds/atoms.h"
#include "store/kinds/sequence.h"

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
    arg->items = array.len <= ARG_FEW ? call->few : hub_alloc(call->hub, array.len * sizeof *arg->items);
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

/* They are read when they run. */
static enum hd_err find_calls(struct call *call, struct reader *reader, const char *name)
{
    struct wire array = read_next(reader);

    if (array.kind != WIRE_ARRAY)
        return heap_fail(call->heap, HD_BAD_ARGS, "%s: '%s' is an array", call->method->name, name);
    call->rest = *reader;
    call->rest_count = array.len;
    for (uint32_t i = 0; i < array.len; i++)
        read_skip(reader);
    return HD_OK;
}

static enum hd_err bad_text(struct call *call, enum hd_err err, const char *name)
{
    return heap_fail(call->heap, err, "%s: '%s' is %s", call->method->name, name,
                     err == HD_VALUE ? "not UTF-8" : "a str");
}

/* A str; or, as with all values, a reference to one. */
static enum hd_err read_name(struct call *call, struct reader *reader, struct arg *arg, const char *name)
{
    struct wire wire = read_peek(reader);
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
    err = convert_text(call->session, reader, name, &arg->text, &arg->text_len);
    return err == HD_OK ? HD_OK : bad_text(call, err, name);
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
    case RPC_CALLS:
        return find_calls(call, reader, row->name);
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
    unsigned rows = method->arg_count;
    unsigned least = method->arg_least;
    enum hd_err err = HD_OK;
    unsigned i;

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
    return count == 1 ? options_read(call, reader) : HD_OK;
}

enum hd_err args_read(struct call *call, struct reader *reader, uint32_t count)
{
    enum hd_err err;

    for (unsigned i = 0; i < call->method->arg_count; i++)
        call->args[i] = (struct arg){0};
    err = read_all(call, reader, count);
    if (err != HD_OK)
        args_release(call);
    return err;
}

static void release_values(struct call *call, struct arg *arg)
{
    for (uint32_t n = 0; n < arg->count; n++)
        obj_unref(call->heap, &arg->items[n]);
    if (arg->items != call->few)
        hub_free(call->hub, arg->items, arg->capacity * sizeof *arg->items);
}

void args_release(struct call *call)
{
    const struct rpc_method *method = call->method;

    for (unsigned i = 0; i < method->arg_count; i++) {
        obj_unref(call->heap, &call->args[i].o);
        if (method->args[i].kind == RPC_VALUES)
            release_values(call, &call->args[i]);
    }
    if (call->opts.given != 0)
        options_release(call);
}
