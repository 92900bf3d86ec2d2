/* args.c - decoding parameters and options by their rows. */
#include "daemon/args.h"

#include <string.h>

#include "daemon/convert.h"
#include "store/kinds/atoms.h"
#include "store/kinds/sequence.h"
#include "store/kinds/utf8.h"

/* -- arguments ---------------------------------------------------------------------------------------------------- */

/* Reads the argument of a row. What it owns is `held` then, also if the rest of it fails. */
typedef enum hd_err read_fn(struct call *call, struct reader *reader, const struct rpc_arg *row, struct arg *arg);

__attribute__((noinline)) static enum hd_err read_any_target(struct call *call, struct reader *reader, struct arg *arg)
{
    enum hd_err err = convert_target(call->session, reader, &arg->o);

    if (err == HD_OK)
        call->held[call->held_count++] = &arg->o;
    return err;
}

/* Nearly always a name that is bound. */
static enum hd_err read_target(struct call *call, struct reader *reader, const struct rpc_arg *row, struct arg *arg)
{
    struct reader behind = *reader;
    struct obj *o = NULL;
    const char *name;
    size_t len;

    (void)row;
    if (read_short_str(&behind, &name, &len))
        o = convert_peek_name(call->session, name, len);
    if (o == NULL)
        return read_any_target(call, reader, arg);
    reader->at = behind.at;
    arg->o = obj_ref(o);
    call->held[call->held_count++] = &arg->o;
    return HD_OK;
}

static enum hd_err read_value(struct call *call, struct reader *reader, const struct rpc_arg *row, struct arg *arg)
{
    enum hd_err err = convert_value(call->session, reader, &arg->o);

    (void)row;
    if (err == HD_OK)
        call->held[call->held_count++] = &arg->o;
    return err;
}

static enum hd_err read_binding(struct call *call, struct reader *reader, const struct rpc_arg *row, struct arg *arg)
{
    (void)row;
    return convert_binding(call->session, reader, &arg->binding);
}

static enum hd_err read_handle(struct call *call, struct reader *reader, const struct rpc_arg *row, struct arg *arg)
{
    (void)row;
    return convert_handle(call->session, reader, &arg->number);
}

static enum hd_err not_array(struct call *call, const struct rpc_arg *row)
{
    return heap_fail(call->heap, HD_BAD_ARGS, "%s: '%s' is an array", call->method->name, row->name);
}

static enum hd_err read_values(struct call *call, struct reader *reader, const struct rpc_arg *row, struct arg *arg)
{
    struct wire array = read_next(reader);
    enum hd_err err;

    arg->o = NULL;
    arg->items = NULL;
    arg->count = arg->capacity = 0;
    if (array.kind != WIRE_ARRAY)
        return not_array(call, row);
    err = heap_work(call->heap, array.len);
    if (err != HD_OK || array.len == 0)
        return err;
    arg->items = array.len <= ARG_FEW ? call->few : hub_alloc(call->hub, array.len * sizeof *arg->items);
    if (arg->items == NULL)
        return heap_no_memory(call->heap);
    arg->capacity = array.len;
    call->values = arg;
    while (err == HD_OK && arg->count < array.len) {
        err = convert_value(call->session, reader, &arg->items[arg->count]);
        if (err == HD_OK)
            arg->count++;
    }
    return err;
}

/* They are read when they run. */
static enum hd_err find_calls(struct call *call, struct reader *reader, const struct rpc_arg *row, struct arg *arg)
{
    struct wire array = read_next(reader);

    (void)arg;
    if (array.kind != WIRE_ARRAY)
        return not_array(call, row);
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
static enum hd_err read_long_name(struct call *call, struct reader *reader, const struct rpc_arg *row,
                                  struct arg *arg)
{
    struct wire wire = read_peek(reader);
    enum hd_err err;

    if (wire.kind == WIRE_EXT || wire.kind == WIRE_MAP) {
        err = read_value(call, reader, row, arg);
        if (err != HD_OK)
            return err;
        if (arg->o->type != OBJ_STR)
            return heap_fail(call->heap, HD_BAD_ARGS, "%s: '%s' is a str", call->method->name, row->name);
        arg->text = text_of(arg->o)->bytes;
        arg->text_len = text_of(arg->o)->len;
        return HD_OK;
    }
    err = convert_text(call->session, reader, row->name, &arg->text, &arg->text_len);
    return err == HD_OK ? HD_OK : bad_text(call, err, row->name);
}

static enum hd_err read_name(struct call *call, struct reader *reader, const struct rpc_arg *row, struct arg *arg)
{
    struct reader behind = *reader;

    if (!read_short_str(&behind, &arg->text, &arg->text_len) || !utf8_is_ascii(arg->text, arg->text_len))
        return read_long_name(call, reader, row, arg);
    reader->at = behind.at;
    return HD_OK;
}

static read_fn *const readers[] = {
    [RPC_TARGET] = read_target, [RPC_VALUE] = read_value,   [RPC_BINDING] = read_binding, [RPC_NAME] = read_name,
    [RPC_VALUES] = read_values, [RPC_HANDLE] = read_handle, [RPC_CALLS] = find_calls,
};

static enum hd_err wrong_count(struct call *call, unsigned least, unsigned most, uint32_t count)
{
    if (least == most)
        return heap_fail(call->heap, HD_BAD_ARGS, "%s takes %u parameter%s%s, %u given", call->method->name, least,
                         least == 1 ? "" : "s", call->method->options != 0 ? " and options" : "", count);
    return heap_fail(call->heap, HD_BAD_ARGS, "%s takes %u to %u parameters%s, %u given", call->method->name, least,
                     most, call->method->options != 0 ? " and options" : "", count);
}

/* A map. But in the map dialect {"@": ...} is a reference, never options. */
__attribute__((noinline)) static bool is_options(const struct call *call, const struct reader *reader)
{
    struct reader ahead = *reader;
    struct wire map = read_next(&ahead);
    struct wire key = read_peek(&ahead);

    return map.kind == WIRE_MAP &&
           !(call->session->manner.refs == DIALECT_MAP && map.len == 1 && wire_is_str(&key, "@"));
}

/* At a row that need not be given, `left` parameters before the end: whether the arguments end before it. The last
 * optional one may be left out, and options stand in its place. */
static inline bool ends_before(const struct call *call, const struct rpc_arg *row, const struct reader *reader,
                               uint32_t left)
{
    return row->is_rest || (left == 1 && call->method->options != 0 && row->kind != RPC_VALUE &&
                            read_is_map(reader) && is_options(call, reader));
}

/* The arguments from number `given` on are not given. */
static inline void leave_out(struct call *call, unsigned given)
{
    for (unsigned i = given; i < call->method->arg_count; i++) {
        call->args[i].o = NULL;
        call->args[i].is_given = false;
        call->args[i].binding = (struct binding){0};
    }
    call->rest_count = 0;
}

/* What stands behind `given` arguments: a rest, or options. */
__attribute__((noinline)) static enum hd_err read_tail(struct call *call, struct reader *reader, unsigned given,
                                                       uint32_t left)
{
    const struct rpc_method *method = call->method;
    unsigned rows = method->arg_count;

    if (rows > 0 && method->args[rows - 1].is_rest) {
        call->rest = *reader;
        call->rest_count = left;
        return HD_OK;
    }
    if (left > 1 || method->options == 0 || read_peek(reader).kind != WIRE_MAP)
        return wrong_count(call, method->arg_least, rows, given + left);
    return options_read(call, reader);
}

enum hd_err args_read(struct call *call, uint32_t count)
{
    const struct rpc_method *method = call->method;
    struct reader *reader = &call->reader;
    unsigned rows = method->arg_count;
    enum hd_err err = HD_OK;
    unsigned i;

    if (count < method->arg_least)
        return wrong_count(call, method->arg_least, rows, count);
    for (i = 0; i < rows && i < count; i++) {
        const struct rpc_arg *row = &method->args[i];

        if (row->is_optional && ends_before(call, row, reader, count - i))
            break;
        call->args[i].is_given = true;
        err = readers[row->kind](call, reader, row, &call->args[i]);
        if (err != HD_OK)
            goto out;
    }
    if (i < rows)
        leave_out(call, i);
    if (i < count)
        err = read_tail(call, reader, i, count - i);
out:
    if (err != HD_OK)
        args_release(call);
    return err;
}

void args_drop_values(struct call *call)
{
    struct arg *arg = call->values;

    for (uint32_t n = 0; n < arg->count; n++)
        obj_unref(call->heap, &arg->items[n]);
    if (arg->items != call->few)
        hub_free(call->hub, arg->items, arg->capacity * sizeof *arg->items);
    call->values = NULL;
}
