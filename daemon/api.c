/* api.c - api(): every method, option, error, event and type, made from the tables that dispatch them. */
#include <string.h>

#include "daemon/call.h"

/* Rows of the tables that are told, as data. */
struct type_row {
    const char *name, *summary;
    unsigned code;
};

struct type_method {
    const char *type, *name, *args, *summary;
    unsigned least, most;
};

static const struct type_row types[] = {
#define TYPE(code, NAME, name, is_container, meaning) {#name, meaning, code},
#include "protocol/types.def"
#undef TYPE
};

static const struct type_method type_methods[] = {
#define TYPE_METHOD(type, name, least, most, arguments, summary) {#type, #name, arguments, summary, least, most},
#define TYPE_METHOD_PEEK TYPE_METHOD
#include "protocol/type_methods.def"
#undef TYPE_METHOD
#undef TYPE_METHOD_PEEK
};

static const struct {
    const char *name, *params, *summary;
} events[] = {
#define EVENT(name, params, meaning) {#name, params, meaning},
#include "protocol/events.def"
#undef EVENT
};

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static void pack_pair(struct buf *out, const char *key, const char *value)
{
    pack_cstr(out, key);
    pack_cstr(out, value);
}

static void pack_flag(struct buf *out, const char *key, bool value)
{
    pack_cstr(out, key);
    pack_bool(out, value);
}

/* -- methods ------------------------------------------------------------------------------------------------------ */

static void pack_args(struct buf *out, const struct rpc_method *method)
{
    unsigned count = method->arg_count;

    pack_cstr(out, "args");
    pack_array(out, count);
    for (unsigned i = 0; i < count; i++) {
        pack_map(out, 5);
        pack_pair(out, "name", method->args[i].name);
        pack_pair(out, "kind", rpc_arg_kind_name(method->args[i].kind));
        pack_flag(out, "optional", method->args[i].is_optional);
        pack_flag(out, "rest", method->args[i].is_rest);
        pack_pair(out, "summary", method->args[i].summary);
    }
}

static void pack_options_of(struct buf *out, const struct rpc_method *method)
{
    pack_cstr(out, "options");
    pack_array(out, (size_t)__builtin_popcountll(method->options));
    for (unsigned i = 0; i < RPC_OPTIONS; i++)
        if ((method->options >> i & 1) != 0)
            pack_cstr(out, rpc_option_rows[i].name);
}

/* Words separated by spaces, as an array. */
static void pack_words(struct buf *out, const char *words)
{
    size_t count = 0;

    for (const char *at = words; *at != '\0'; at += strspn(at, " "), count++)
        at += strcspn(at, " ");
    pack_array(out, count);
    for (const char *at = words; *at != '\0'; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");

        pack_str(out, at, len);
        at += len;
    }
}

static void pack_flags(struct buf *out, const struct rpc_method *method)
{
    static const char *const names[] = {"read", "write", "produces", "admin", "alone"};

    pack_cstr(out, "flags");
    pack_array(out, (size_t)__builtin_popcount(method->flags));
    for (unsigned i = 0; i < COUNT(names); i++)
        if ((method->flags >> i & 1) != 0)
            pack_cstr(out, names[i]);
}

static void pack_methods(struct buf *out)
{
    pack_cstr(out, "methods");
    pack_map(out, RPC_METHODS);
    for (unsigned i = 0; i < RPC_METHODS; i++) {
        const struct rpc_method *method = &rpc_methods[i];

        pack_cstr(out, method->name);
        pack_map(out, 7);
        pack_args(out, method);
        pack_options_of(out, method);
        pack_pair(out, "result", method->result);
        pack_cstr(out, "errors");
        pack_words(out, method->errors);
        pack_flags(out, method);
        pack_pair(out, "summary", method->summary);
        pack_cstr(out, "since");
        pack_uint(out, method->since);
    }
}

/* -- the rest ----------------------------------------------------------------------------------------------------- */

/* Options of one name (names' `after` and referents') are told once. */
static bool is_repeated(unsigned option)
{
    for (unsigned i = 0; i < option; i++)
        if (strcmp(rpc_option_rows[i].name, rpc_option_rows[option].name) == 0)
            return true;
    return false;
}

static void pack_options(struct buf *out)
{
    unsigned count = 0;

    for (unsigned i = 0; i < RPC_OPTIONS; i++)
        count += !is_repeated(i);
    pack_cstr(out, "options");
    pack_map(out, count);
    for (unsigned i = 0; i < RPC_OPTIONS; i++) {
        if (is_repeated(i))
            continue;
        pack_cstr(out, rpc_option_rows[i].name);
        pack_map(out, 2);
        pack_pair(out, "kind", rpc_option_kind_name(rpc_option_rows[i].kind));
        pack_pair(out, "summary", rpc_option_rows[i].summary);
    }
}

static void pack_errors(struct buf *out)
{
    pack_cstr(out, "errors");
    pack_map(out, HD_ERR_COUNT - 1);
    for (unsigned i = 1; i < HD_ERR_COUNT; i++)
        pack_pair(out, hd_err_code((enum hd_err)i), hd_err_meaning((enum hd_err)i));
}

static void pack_events(struct buf *out)
{
    pack_cstr(out, "events");
    pack_map(out, COUNT(events));
    for (size_t i = 0; i < COUNT(events); i++) {
        pack_cstr(out, events[i].name);
        pack_map(out, 2);
        pack_pair(out, "params", events[i].params);
        pack_pair(out, "summary", events[i].summary);
    }
}

/* Methods of a row `owner` belong to the type; a bool has those of int, and all have those of `any`. */
static bool has_method(const char *type, const struct type_method *method)
{
    const char *owner = strcmp(type, "bool") == 0 ? "int" : type;

    return strcmp(method->type, owner) == 0 || strcmp(method->type, "any") == 0;
}

static void pack_type_methods(struct buf *out, const char *type)
{
    size_t count = 0;

    for (size_t i = 0; i < COUNT(type_methods); i++)
        count += has_method(type, &type_methods[i]);
    pack_map(out, count);
    for (size_t i = 0; i < COUNT(type_methods); i++) {
        const struct type_method *method = &type_methods[i];

        if (!has_method(type, method))
            continue;
        pack_cstr(out, method->name);
        pack_map(out, 4);
        pack_pair(out, "args", method->args);
        pack_cstr(out, "min");
        pack_uint(out, method->least);
        pack_cstr(out, "max");
        pack_uint(out, method->most);
        pack_pair(out, "summary", method->summary);
    }
}

static void pack_types(struct buf *out)
{
    pack_cstr(out, "types");
    pack_map(out, COUNT(types));
    for (size_t i = 0; i < COUNT(types); i++) {
        pack_cstr(out, types[i].name);
        pack_map(out, 3);
        pack_cstr(out, "code");
        pack_uint(out, types[i].code);
        pack_pair(out, "summary", types[i].summary);
        pack_cstr(out, "methods");
        pack_type_methods(out, types[i].name);
    }
}

enum hd_err do_api(struct call *call)
{
    struct buf *out = reply_begin(call);

    if (out == NULL)
        return HD_OK;
    pack_map(out, 7);
    pack_pair(out, "server", "heapd");
    pack_cstr(out, "protocol");
    pack_uint(out, HD_PROTOCOL_VERSION);
    pack_methods(out);
    pack_options(out);
    pack_errors(out);
    pack_events(out);
    pack_types(out);
    return HD_OK;
}
