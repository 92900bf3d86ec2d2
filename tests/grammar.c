/* grammar.c - requests that look valid, made from choices. */
#include "tests/grammar.h"

#include <stdio.h>
#include <string.h>

#include "protocol/limits.h"
#include "protocol/rpc.h"

#define LEVELS 4u /* of nesting in a value */

struct type_method {
    const char *type, *name;
    unsigned least, most;
};

static const struct type_method type_methods[] = {
#define TYPE_METHOD(type, name, least, most, arguments, summary) {#type, #name, least, most},
#define TYPE_METHOD_PEEK TYPE_METHOD
#include "protocol/type_methods.def"
#undef TYPE_METHOD
#undef TYPE_METHOD_PEEK
};

#define TYPE_METHODS ((unsigned)(sizeof type_methods / sizeof type_methods[0]))

static unsigned choose(struct grammar *g, unsigned below)
{
    return g->choose(g->context, below);
}

static bool one_in(struct grammar *g, unsigned n)
{
    return choose(g, n) == 0;
}

/* -- names and numbers -------------------------------------------------------------------------------------------- */

static void pack_one_of(struct grammar *g, const char *const *words, unsigned count)
{
    pack_cstr(g->out, words[choose(g, count)]);
}

/* Some have methods of many types, "" is a good name too, and the last one is never bound. */
static void pack_plain_name(struct grammar *g)
{
    static const char *const names[] = {"a",    "b",    "c",   "d",   "e",   "f",     "",      "list",
                                        "dict", "set",  "str", "int", "float", "bytes", "tuple", "missing"};

    pack_one_of(g, names, sizeof names / sizeof names[0] - (one_in(g, 8) ? 0 : 1));
}

static void pack_attribute(struct grammar *g)
{
    static const char *const names[] = {"x", "y", "z", "append", "__self__", "__class__", "__dict__", "__name__"};

    pack_one_of(g, names, sizeof names / sizeof names[0]);
}

static void pack_pair_name(struct grammar *g)
{
    static const char *const spaces[] = {"global", "session", "builtins", "other", "nowhere"};

    pack_array(g->out, 2);
    pack_one_of(g, spaces, sizeof spaces / sizeof spaces[0]);
    pack_plain_name(g);
}

/* Chosen ones, the server's first ones, and numbers at the ends. */
static uint64_t handle_number(struct grammar *g)
{
    static const uint64_t ends[] = {0, UINT64_C(0x7fffffff), UINT64_C(0x80000000), UINT64_C(1) << 53, UINT64_MAX};

    if (one_in(g, 20))
        return ends[choose(g, 5)];
    return one_in(g, 2) ? 1 + choose(g, 12) : (uint64_t)HD_HANDLE_SERVER_MIN + choose(g, 40);
}

static int64_t int_number(struct grammar *g)
{
    static const int64_t ends[] = {INT64_MAX, INT64_MIN, INT32_MAX, UINT32_MAX, -1, 256, 257, 1000000};

    return one_in(g, 8) ? ends[choose(g, 8)] : (int64_t)choose(g, 20) - 4;
}

/* -- values ------------------------------------------------------------------------------------------------------- */

static void pack_value(struct grammar *g, unsigned levels);

static void pack_reference(struct grammar *g)
{
    struct buf content;

    if (one_in(g, 3)) {
        buf_init(&content, 64, NULL);
        pack_uint(&content, handle_number(g));
        pack_ext(g->out, HD_EXT_HANDLE, content.bytes, content.len);
        buf_fini(&content);
        return;
    }
    pack_map(g->out, 1);
    pack_cstr(g->out, "@");
    if (one_in(g, 3))
        pack_uint(g->out, handle_number(g));
    else if (one_in(g, 3))
        pack_pair_name(g);
    else
        pack_plain_name(g);
}

static void pack_scalar(struct grammar *g)
{
    static const char *const texts[] = {"", "x", "k", "text", "na\xc3\xafve", "x y,z", "-12", "1e5", " 7 ", "inf",
                                        "\xff"};
    static const double reals[] = {0.0, -0.0, 1.0, 2.5, 1e308, -1e-300};

    switch (choose(g, 8)) {
    case 0:
        pack_nil(g->out);
        break;
    case 1:
        pack_bool(g->out, one_in(g, 2));
        break;
    case 2:
        pack_float(g->out, one_in(g, 10) ? 0.0 / reals[0] : reals[choose(g, 6)]);
        break;
    case 3:
        pack_one_of(g, texts, one_in(g, 20) ? 11 : 10);
        break;
    case 4:
        pack_bin(g->out, "bytes", choose(g, 6));
        break;
    default:
        pack_int(g->out, int_number(g));
    }
}

static void pack_container(struct grammar *g, unsigned levels)
{
    unsigned count = one_in(g, 10) ? choose(g, 40) : choose(g, 4);
    bool is_map = one_in(g, 3);

    if (is_map)
        pack_map(g->out, count);
    else
        pack_array(g->out, count);
    for (; count > 0; count--) {
        if (is_map)
            pack_scalar(g);
        pack_value(g, levels - 1);
    }
}

static void pack_value(struct grammar *g, unsigned levels)
{
    unsigned choice = choose(g, 10);

    if (choice < 3 && levels > 0)
        pack_container(g, levels);
    else if (choice < 6)
        pack_reference(g);
    else
        pack_scalar(g);
}

/* -- arguments ---------------------------------------------------------------------------------------------------- */

static void pack_target(struct grammar *g)
{
    switch (choose(g, 4)) {
    case 0:
        pack_uint(g->out, handle_number(g));
        break;
    case 1:
        pack_pair_name(g);
        break;
    case 2:
        pack_reference(g);
        break;
    default:
        pack_plain_name(g);
    }
}

static void pack_values(struct grammar *g, unsigned count)
{
    pack_array(g->out, count);
    for (; count > 0; count--)
        pack_value(g, LEVELS);
}

static void pack_params(struct grammar *g, const struct rpc_method *method);

/* Steps of a batch, but no batch: it would be refused, and be one level deeper each time. */
static void pack_calls(struct grammar *g)
{
    unsigned count = choose(g, 4);

    pack_array(g->out, count);
    for (unsigned i = 0; i < count; i++) {
        const struct rpc_method *method = &rpc_methods[choose(g, RPC_METHODS)];

        if (method == &rpc_methods[RPC_batch])
            method = &rpc_methods[RPC_ping];
        pack_array(g->out, 2);
        pack_cstr(g->out, method->name);
        pack_params(g, method);
    }
}

static void pack_argument(struct grammar *g, enum rpc_arg_kind kind)
{
    switch (kind) {
    case RPC_TARGET:
        pack_target(g);
        break;
    case RPC_VALUE:
        pack_value(g, LEVELS);
        break;
    case RPC_BINDING:
        if (one_in(g, 4))
            pack_pair_name(g);
        else
            pack_plain_name(g);
        break;
    case RPC_NAME:
        pack_attribute(g);
        break;
    case RPC_VALUES:
        pack_values(g, choose(g, 4));
        break;
    case RPC_HANDLE:
        pack_uint(g->out, handle_number(g));
        break;
    case RPC_CALLS:
        pack_calls(g);
        break;
    }
}

static void pack_event_dress(struct grammar *g)
{
    if (one_in(g, 3)) {
        pack_nil(g->out);
        return;
    }
    pack_array(g->out, 2);
    pack_cstr(g->out, "on_event");
    pack_scalar(g);
}

static void pack_word(struct grammar *g, const char *const *words)
{
    unsigned count = 0;

    while (words[count] != NULL)
        count++;
    pack_one_of(g, words, count);
}

static void pack_option(struct grammar *g, enum rpc_option_kind kind)
{
    static const char *const texts[] = {"", "a", "b*", "[a-c]", "global", "other"};

    switch (one_in(g, 20) ? RPC_KIND_VALUE : kind) { /* now and then of the wrong kind */
    case RPC_KIND_BOOL:
        pack_bool(g->out, !one_in(g, 3));
        break;
    case RPC_KIND_UINT:
        pack_uint(g->out, one_in(g, 4) ? 200 + choose(g, 900) : choose(g, 5));
        break;
    case RPC_KIND_INTO:
        pack_uint(g->out, 1 + choose(g, 12));
        break;
    case RPC_KIND_TEXT:
        pack_one_of(g, texts, 6);
        break;
    case RPC_KIND_SECONDS:
        pack_float(g->out, choose(g, 100) / 10.0);
        break;
    case RPC_KIND_VALUE:
        if (one_in(g, 2))
            pack_event_dress(g);
        else
            pack_scalar(g);
        break;
    default:
        pack_word(g, rpc_option_words(kind));
    }
}

/* A map of some of the method's options; each is chosen or not. */
static void pack_options(struct grammar *g, const struct rpc_method *method)
{
    uint64_t chosen = 0;
    unsigned count = 0;

    for (unsigned i = 0; i < RPC_OPTIONS; i++)
        if ((method->options >> i & 1) != 0 && one_in(g, 3)) {
            chosen |= UINT64_C(1) << i;
            count++;
        }
    pack_map(g->out, count);
    for (unsigned i = 0; i < RPC_OPTIONS; i++)
        if ((chosen >> i & 1) != 0) {
            pack_cstr(g->out, rpc_option_rows[i].name);
            pack_option(g, rpc_option_rows[i].kind);
        }
}

/* -- requests ----------------------------------------------------------------------------------------------------- */

/* How many of the method's rows are given: optional ones now and then not, a rest up to three times. */
static unsigned count_arguments(struct grammar *g, const struct rpc_method *method)
{
    unsigned count = method->arg_count;

    if (count > 0 && method->args[count - 1].is_rest)
        return count - 1 + choose(g, 4);
    while (count > 0 && method->args[count - 1].is_optional && one_in(g, 2))
        count--;
    return count;
}

static void pack_params(struct grammar *g, const struct rpc_method *method)
{
    unsigned count = count_arguments(g, method);
    unsigned rows = method->arg_count;
    bool has_options = method->options != 0 && one_in(g, 2);

    pack_array(g->out, count + has_options);
    for (unsigned i = 0; i < count; i++)
        pack_argument(g, method->args[i < rows ? i : rows - 1].kind);
    if (has_options)
        pack_options(g, method);
}

/* call(target, method of a type, as many values as it takes) */
static void pack_call(struct grammar *g)
{
    const struct type_method *method = &type_methods[choose(g, TYPE_METHODS)];
    unsigned most = method->most > 4 ? 4 : method->most;
    bool has_options = one_in(g, 3);

    pack_array(g->out, 3 + has_options);
    pack_target(g);
    pack_cstr(g->out, method->name);
    pack_values(g, method->least + choose(g, most - method->least + 1));
    if (has_options)
        pack_options(g, &rpc_methods[RPC_call]);
}

static const struct rpc_method *choose_method(struct grammar *g)
{
    const struct rpc_method *method = &rpc_methods[choose(g, RPC_METHODS)];

    return method == &rpc_methods[RPC_bye] && !one_in(g, 8) ? &rpc_methods[RPC_bind] : method;
}

void grammar_request(struct grammar *g)
{
    bool is_notification = one_in(g, 10);
    const struct rpc_method *method = one_in(g, 2) ? &rpc_methods[RPC_call] : choose_method(g);

    pack_array(g->out, is_notification ? 3 : 4);
    pack_uint(g->out, is_notification ? 2 : 0);
    if (!is_notification)
        pack_uint(g->out, 7);
    pack_cstr(g->out, method->name);
    if (method == &rpc_methods[RPC_call])
        pack_call(g);
    else
        pack_params(g, method);
}
