/* help.c - see help.h. */
#include "client/cli/help.h"

#include <stdlib.h>
#include <string.h>

#include "client/cli/text.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define NAME_WIDTH 12

static const struct {
    const char *type;
    const char *name;
    const char *parameters;
    const char *summary;
} type_rows[] = {
#define TYPE_METHOD(type, name, least, most, parameters, summary) {#type, #name, parameters, summary},
#define TYPE_METHOD_PEEK(type, name, least, most, parameters, summary) {#type, #name, parameters, summary},
#include "protocol/type_methods.def"
#undef TYPE_METHOD
#undef TYPE_METHOD_PEEK
};

static const char general[] =
    "Expressions are Python's; objects live on the server.\n"
    "  a = 12345            b = a            a is b           del a\n"
    "  xs = [1, {\"k\": b\"\\x00\"}]              xs.append(a)     xs[1][\"k\"] = 3\n"
    "  class X              o = X()          o.data = [1, 2]  o.data.len()\n"
    "  w = weakref(o)       w()              p = proxy(o)     copy(o), deepcopy(o)\n"
    "  refcount(a)          info(a)          global.jobs = [] (shared by all sessions)\n"
    "  why(a)               graph(a)         graph(a, svg=\"a.svg\", depth=3)\n"
    "  len() repr() hash() abs() round()     += and the like, and, or, not, in, is\n"
    "An object shows as <X object #17 refs=2>: its id, and how many references there are.\n"
    "Tab completes; Ctrl-C abandons a line, Ctrl-D leaves.\n"
    "\n"
    "help(METHOD) tells more about a method of an object, or about one of these functions (options are keywords):\n";

void help_signature(struct buf *out, const struct rpc_method *method)
{
    const char *separator = "";
    unsigned count = method->arg_count;

    text_put(out, "%s(", method->name);
    for (unsigned i = 0; i < count; i++) {
        const struct rpc_arg *arg = &method->args[i];

        text_put(out, "%s%s%s%s", separator, arg->is_rest ? "*" : "", arg->name,
                 arg->is_optional && !arg->is_rest ? "?" : "");
        separator = ", ";
    }
    for (unsigned i = 0; i < RPC_OPTIONS; i++) {
        if ((method->options >> i & 1) == 0)
            continue;
        text_put(out, "%s%s=", separator, rpc_option_rows[i].name);
        separator = ", ";
    }
    text_put(out, ")");
}

bool help_type_signatures(struct buf *out, const char *method)
{
    size_t start = out->len;

    for (size_t i = 0; i < COUNT(type_rows); i++)
        if (strcmp(type_rows[i].name, method) == 0)
            text_put(out, "%s%s.%s(%s)", out->len > start ? "\n" : "", type_rows[i].type, method,
                     type_rows[i].parameters);
    return out->len > start;
}

static void show_all(FILE *out)
{
    fputs(general, out);
    for (unsigned i = 0; i < RPC_METHODS; i++)
        fprintf(out, "  %-*s %s\n", NAME_WIDTH, rpc_methods[i].name, rpc_methods[i].summary);
}

static void show_signature(FILE *out, const struct rpc_method *method)
{
    struct buf line;

    buf_init(&line, SIZE_MAX, NULL);
    help_signature(&line, method);
    if (!line.failed)
        fprintf(out, "%.*s\n", (int)line.len, line.bytes);
    buf_fini(&line);
}

static bool show_method(FILE *out, const struct rpc_method *method)
{
    if (method == NULL)
        return false;
    show_signature(out, method);
    fprintf(out, "    %s\n", method->summary);
    for (unsigned i = 0; i < method->arg_count; i++)
        fprintf(out, "    %-*s %s%s\n", NAME_WIDTH, method->args[i].name, method->args[i].summary,
                method->args[i].is_optional ? " (may be left out)" : "");
    for (unsigned i = 0; i < RPC_OPTIONS; i++)
        if ((method->options >> i & 1) != 0)
            fprintf(out, "    %s=%-*s %s\n", rpc_option_rows[i].name,
                    NAME_WIDTH - 1 - (int)strlen(rpc_option_rows[i].name), "", rpc_option_rows[i].summary);
    fprintf(out, "    -> %s\n", method->result);
    if (method->errors[0] != '\0')
        fprintf(out, "    errors: %s\n", method->errors);
    return true;
}

static bool show_type_methods(FILE *out, const char *name)
{
    bool is_found = false;

    for (size_t i = 0; i < COUNT(type_rows); i++) {
        if (strcmp(type_rows[i].name, name) != 0)
            continue;
        is_found = true;
        fprintf(out, "%s.%s(%s)\n    %s\n", type_rows[i].type, name, type_rows[i].parameters, type_rows[i].summary);
    }
    return is_found;
}

bool help_show(FILE *out, const char *topic)
{
    bool is_found = true;

    if (topic[0] == '\0') {
        show_all(out);
    } else {
        is_found = show_method(out, rpc_find(topic, strlen(topic)));
        is_found = show_type_methods(out, topic) || is_found;
    }
    fflush(out);
    return is_found;
}
