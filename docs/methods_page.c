/*
 * methods_page.c - writes docs/methods.md on standard output, from the tables that dispatch requests.
 *
 * `make methods-page` runs it; tests/methods_page.sh fails when the page in the tree is not what it writes.
 */
#include <stdio.h>
#include <string.h>

#include "protocol/err.h"
#include "protocol/rpc.h"

struct type_method {
    const char *type, *name, *arguments, *summary;
    unsigned least, most;
};

static const struct type_method type_methods[] = {
#define TYPE_METHOD(type, name, least, most, arguments, summary) {#type, #name, arguments, summary, least, most},
#define TYPE_METHOD_PEEK TYPE_METHOD
#include "protocol/type_methods.def"
#undef TYPE_METHOD
#undef TYPE_METHOD_PEEK
};

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

/* A cell of a table: `|` would end it. */
static void put_cell(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|')
            putchar('\\');
        putchar(*text);
    }
}

/* -- methods of the wire ------------------------------------------------------------------------------------------ */

static void put_signature(const struct rpc_method *method)
{
    const char *comma = "";

    printf("%s(", method->name);
    for (unsigned i = 0; i < method->arg_count; i++) {
        const struct rpc_arg *arg = &method->args[i];

        printf("%s%s%s", comma, arg->name, arg->is_rest ? "..." : arg->is_optional ? "?" : "");
        comma = ", ";
    }
    printf("%s)", method->options != 0 ? (*comma != '\0' ? ", opts" : "opts") : "");
}

static void put_codes(const char *codes)
{
    while (*codes != '\0') {
        size_t len = strcspn(codes, " ");

        printf(" `%.*s`", (int)len, codes);
        codes += len + (codes[len] == ' ');
    }
}

static void put_method(const struct rpc_method *method)
{
    printf("\n### `");
    put_signature(method);
    printf("`\n\n%s. Result: %s.\n", method->summary, method->result);
    if (method->arg_count + (unsigned)__builtin_popcountll(method->options) > 0)
        printf("\n| | kind | |\n| --- | --- | --- |\n");
    for (unsigned i = 0; i < method->arg_count; i++) {
        printf("| `%s` | %s | ", method->args[i].name, rpc_arg_kind_name(method->args[i].kind));
        put_cell(method->args[i].summary);
        printf(" |\n");
    }
    for (unsigned i = 0; i < RPC_OPTIONS; i++) {
        if ((method->options >> i & 1) == 0)
            continue;
        printf("| `%s` | option | ", rpc_option_rows[i].name);
        put_cell(rpc_option_rows[i].summary);
        printf(" |\n");
    }
    if (*method->errors != '\0') {
        printf("\nErrors:");
        put_codes(method->errors);
        printf("\n");
    }
}

static void put_methods(void)
{
    printf("## Methods\n\n"
           "Any method may also answer `BAD_ARGS`, `NO_NAME`, `NO_HANDLE`, `NO_MEMORY`, `LIMIT` or `INTERNAL`. "
           "`?` marks what may be left out; options come in a last map. How arguments and results travel is told in "
           "[protocol.md](protocol.md).\n");
    for (unsigned i = 0; i < RPC_METHODS; i++)
        put_method(&rpc_methods[i]);
}

/* -- the rest ----------------------------------------------------------------------------------------------------- */

static void put_type_methods(void)
{
    const char *type = "";

    printf("\n## Methods of types\n\nAs `call` reaches them. Those of `any` hold for all types.\n");
    for (size_t i = 0; i < COUNT(type_methods); i++) {
        const struct type_method *row = &type_methods[i];

        if (strcmp(type, row->type) != 0)
            printf("\n### %s\n\n| method | arguments | |\n| --- | --- | --- |\n", row->type);
        type = row->type;
        printf("| `%s` | ", row->name);
        put_cell(row->arguments);
        if (row->least < row->most && row->most < 255)
            printf(" (%u to %u)", row->least, row->most);
        printf(" | ");
        put_cell(row->summary);
        printf(" |\n");
    }
}

static void put_events_and_errors(void)
{
    printf("\n## Events\n\n| event | parameters | |\n| --- | --- | --- |\n");
#define EVENT(name, params, meaning) printf("| `%s` | `%s` | %s |\n", #name, params, meaning);
#include "protocol/events.def"
#undef EVENT
    printf("\n## Errors\n\n| code | when |\n| --- | --- |\n");
    for (int err = HD_OK + 1; err < HD_ERR_COUNT; err++) {
        printf("| `%s` | ", hd_err_code((enum hd_err)err));
        put_cell(hd_err_meaning((enum hd_err)err));
        printf(" |\n");
    }
    printf("\n## Types\n\n| code | type | |\n| --- | --- | --- |\n");
#define TYPE(code, NAME, name, is_container, meaning) printf("| %d | `%s` | %s |\n", code, #name, meaning);
#include "protocol/types.def"
#undef TYPE
}

static void put_statistics(void)
{
    const char *section = "";
    static const struct {
        const char *section, *name, *meaning;
    } rows[] = {
#define STAT(section, name, expression, meaning) {#section, #name, meaning},
#include "daemon/stats.def"
#undef STAT
    };

    printf("\n## Statistics\n\nWhat `stats` tells, by section.\n");
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (strcmp(section, rows[i].section) != 0)
            printf("\n### %s\n\n| | |\n| --- | --- |\n", rows[i].section);
        section = rows[i].section;
        printf("| `%s` | ", rows[i].name);
        put_cell(rows[i].meaning);
        printf(" |\n");
    }
    printf("\nBesides, `objects` has a map `types` of how many objects of each type there are, and `requests` two "
           "maps: `codes`, how often each error was answered, and `methods`, for each method that was called `calls`, "
           "`errors`, `longest_us` and a histogram `us`: under `\"8\"` stands how many calls took less than 8 "
           "microseconds, and not less than 4.\n");
}

int main(void)
{
    printf("# heapd: methods, events, errors, types and statistics\n\n"
           "Made from the tables in `protocol/` and of `daemon/stats.def` by `make methods-page`; do not edit.\n\n");
    put_methods();
    put_type_methods();
    put_events_and_errors();
    put_statistics();
    return ferror(stdout) != 0;
}
