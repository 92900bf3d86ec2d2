/* args.c - decoding parameters and options by their rows. */
#include "daemon/args.h"

#include "daemon/convert.h"
#include "store/kinds/atoms.h"

/* -- arguments ---------------------------------------------------------------------------------------------------- */

/* Each reads the argument of a row. What it owns is `held` then, also if the rest of it fails. */

/* What stands in the argument is owned by the call. */
static inline void hold(struct call *call, struct arg *arg)
{
    call->held[call->held_count++] = &arg->o;
}

/* Takes what nearly every target is: a short name that is bound. */
static inline __attribute__((always_inline)) bool take_target(struct call *call, struct reader *reader, struct arg *arg)
{
    struct reader behind = *reader;
    struct obj *o;
    const char *name;
    size_t len;

    if (!read_short_str(&behind, &name, &len))
        return false;
    o = convert_find_name(call->session, name, len);
    if (o == NULL)
        return false;
    reader->at = behind.at;
    arg->o = obj_ref(o);
    hold(call, arg);
    return true;
}

static enum hd_err read_target(struct call *call, struct reader *reader, struct arg *arg)
{
    enum hd_err err;

    if (take_target(call, reader, arg))
        return HD_OK;
    err = convert_target(call->session, reader, &arg->o);
    if (err == HD_OK)
        hold(call, arg);
    return err;
}

static inline __attribute__((always_inline)) enum hd_err read_value(struct call *call, struct reader *reader,
                                                                    struct arg *arg)
{
    enum hd_err err = convert_value(call->session, reader, &arg->o);

    if (err == HD_OK)
        hold(call, arg);
    return err;
}

static enum hd_err not_array(struct call *call, const struct rpc_arg *row)
{
    return heap_fail(call->heap, HD_BAD_ARGS, "%s: '%s' is an array", call->method->name, row->name);
}

/* An array whose items are read when they are wanted: the last argument. */
static enum hd_err find_items(struct call *call, struct reader *reader, const struct rpc_arg *row)
{
    struct wire array = read_next(reader);

    if (array.kind != WIRE_ARRAY)
        return not_array(call, row);
    call->rest = *reader;
    call->rest_count = array.len;
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
        err = read_value(call, reader, arg);
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
    return convert_short_text(reader, &arg->text, &arg->text_len) ? HD_OK : read_long_name(call, reader, row, arg);
}

static enum hd_err read_arg(struct call *call, struct reader *reader, const struct rpc_arg *row, struct arg *arg)
{
    switch (row->kind) {
    case RPC_TARGET:
        return read_target(call, reader, arg);
    case RPC_NAME:
        return read_name(call, reader, row, arg);
    case RPC_VALUES:
    case RPC_CALLS:
        return find_items(call, reader, row);
    case RPC_VALUE:
        return read_value(call, reader, arg);
    case RPC_BINDING:
        return convert_binding(call->session, reader, &arg->binding);
    case RPC_HANDLE:
        return convert_handle(call->session, reader, &arg->number);
    }
    return HD_OK;
}

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

/* What find_items has found. */
static void pass_items(const struct call *call, struct reader *reader)
{
    for (uint32_t i = 0; i < call->rest_count; i++)
        read_skip(reader);
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
    if (given == rows)
        pass_items(call, reader);
    if (left > 1 || method->options == 0 || read_peek(reader).kind != WIRE_MAP)
        return wrong_count(call, method->arg_least, rows, given + left);
    return options_read(call, reader);
}

__attribute__((noinline)) static enum hd_err read_any(struct call *call, uint32_t count)
{
    const struct rpc_method *method = call->method;
    struct reader *reader = &call->reader;
    unsigned rows = method->arg_count;
    enum hd_err err = HD_OK;
    unsigned i;

    call->rest_count = 0;
    if (count < method->arg_least)
        return wrong_count(call, method->arg_least, rows, count);
    for (i = 0; i < rows && i < count; i++) {
        const struct rpc_arg *row = &method->args[i];

        if (row->is_optional && ends_before(call, row, reader, count - i))
            break;
        call->args[i].is_given = true;
        err = read_arg(call, reader, row, &call->args[i]);
        if (err != HD_OK)
            goto out;
    }
    for (unsigned missing = i; missing < rows; missing++)
        args_leave_out(&call->args[missing]);
    if (i < count)
        err = read_tail(call, reader, i, count - i);
out:
    if (err != HD_OK)
        args_release(call);
    return err;
}

/* -- the shortest way to what comes most -------------------------------------------------------------------------- */

/* These leave to read_any what they do not know. Functions of their own, for one of them has less to save than all. */

/* The one parameter of a method that takes a target. */
__attribute__((noinline)) static enum hd_err read_only_target(struct call *call)
{
    if (!take_target(call, &call->reader, &call->args[0]))
        return read_any(call, 1);
    return HD_OK;
}

/* The two of a `bind` without options. */
__attribute__((noinline)) static enum hd_err read_bind(struct call *call)
{
    enum hd_err err = convert_binding(call->session, &call->reader, &call->args[0].binding);

    return err == HD_OK ? read_value(call, &call->reader, &call->args[1]) : err;
}

/* The three of a `call` without options. */
__attribute__((noinline)) static enum hd_err read_call(struct call *call)
{
    struct reader reader = call->reader;
    struct arg *args = call->args;
    struct obj *o = NULL;
    const char *name;
    size_t len;

    if (read_short_str(&reader, &name, &len) && convert_short_text(&reader, &args[1].text, &args[1].text_len) &&
        read_short_array(&reader, &call->rest_count))
        o = convert_peek_name(call->session, name, len);
    if (o == NULL)
        return read_any(call, 3);
    args[0].o = obj_ref(o);
    hold(call, &args[0]);
    call->rest = reader;
    return HD_OK;
}

enum hd_err args_read_some(struct call *call, uint32_t count)
{
    const struct rpc_method *method = call->method;

    call->rest_count = 0;
    if (count == 1 && method->arg_count == 1 && method->args[0].kind == RPC_TARGET)
        return read_only_target(call);
    if (count == 3 && call->number == RPC_call)
        return read_call(call);
    if (count == 2 && call->number == RPC_bind)
        return read_bind(call);
    return read_any(call, count);
}
