/* complete.c - see complete.h. */
#include "client/cli/complete.h"

#include <stdlib.h>
#include <string.h>

#include "client/cli/eval.h"
#include "client/cli/help.h"
#include "client/cli/lexer.h"
#include "client/cli/parser.h"
#include "client/cli/text.h"

#define NAMES_MAX 1000 /* of one namespace that are looked at */
#define WIDTH 80

/* Words of the language that make sense at the beginning of an operand or statement. */
static const char *const words[] = {"None", "True", "False", "not", "del ", "class ", "help", "len(", "repr(", "hash(",
                                    "abs(", "round("};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The words that fit, sorted and each once when they are shown. */
struct candidates {
    char **words; /* owned, and each */
    size_t count;
    size_t capacity;
    const char *prefix; /* what they begin with */
    size_t prefix_len;
};

void complete_forget(struct complete *complete)
{
    hd_call_free(complete->api);
    complete->api = NULL;
}

/* -- candidates --------------------------------------------------------------------------------------------------- */

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

/* What could be typed: names that are bound may be any text. */
static bool is_identifier(const char *text, size_t len)
{
    for (const char *at = text, *end = text + len; at < end;) {
        const char *before = at;
        uint32_t point;

        if (!is_name_byte(*at) || !text_take_point(&at, end, &point))
            return false;
        if (before == text && *before >= '0' && *before <= '9')
            return false;
    }
    return len > 0;
}

static bool reserve(struct candidates *c)
{
    size_t capacity = c->capacity > 0 ? c->capacity * 2 : 64;
    char **grown;

    if (c->count < c->capacity)
        return true;
    grown = realloc(c->words, capacity * sizeof *grown);
    if (grown == NULL)
        return false;
    c->words = grown;
    c->capacity = capacity;
    return true;
}

/* Adds `text` with `suffix` if it fits. Without memory there is one candidate less. */
static void add(struct candidates *c, const char *text, size_t len, const char *suffix)
{
    char *word;

    if (len < c->prefix_len || memcmp(text, c->prefix, c->prefix_len) != 0 || !reserve(c))
        return;
    if (asprintf(&word, "%.*s%s", (int)len, text, suffix) >= 0)
        c->words[c->count++] = word;
}

/* Adds a str that came from the server. */
static void add_value(struct candidates *c, const struct hd_value *text, const char *suffix)
{
    if (hd_kind(text) == HD_STR && is_identifier(hd_str(text), hd_len(text)))
        add(c, hd_str(text), hd_len(text), suffix);
}

static void add_keys(struct candidates *c, const struct hd_value *map, const char *suffix)
{
    for (size_t i = 0; i < hd_len(map); i++)
        add_value(c, hd_map_key(map, i), suffix);
}

static int compare_words(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Sorts, and drops what is there twice. */
static void tidy(struct candidates *c)
{
    size_t kept = 0;

    if (c->count == 0)
        return;
    qsort(c->words, c->count, sizeof *c->words, compare_words);
    for (size_t i = 0; i < c->count; i++) {
        if (kept > 0 && strcmp(c->words[i], c->words[kept - 1]) == 0)
            free(c->words[i]);
        else
            c->words[kept++] = c->words[i];
    }
    c->count = kept;
}

static void fini(struct candidates *c)
{
    for (size_t i = 0; i < c->count; i++)
        free(c->words[i]);
    free(c->words);
}

/* -- what the server knows ---------------------------------------------------------------------------------------- */

/* A part of api(): "methods", "types"; NULL if it cannot be had. */
static const struct hd_value *api_part(struct complete *complete, struct server *server, const char *part)
{
    if (complete->api == NULL) {
        complete->api = server_call(server, "api");
        if (complete->api == NULL || hd_call_send(complete->api, server->timeout_ms, NULL, NULL) != HD_OK ||
            hd_call_wait(complete->api) != HD_OK)
            complete_forget(complete);
    }
    return complete->api != NULL ? hd_get(hd_call_result(complete->api), part) : NULL;
}

/* The names of a namespace, NULL: the one in which the session works. */
static void add_names(struct candidates *c, struct server *server, const char *space)
{
    const struct hd_value *names;
    char *match = NULL;

    if (asprintf(&match, "%.*s*", (int)c->prefix_len, c->prefix) < 0)
        return;
    if (space != NULL)
        names = server_ask(server, "names", "s{sssi}", space, "match", match, "limit", NAMES_MAX);
    else
        names = server_ask(server, "names", "{sssi}", "match", match, "limit", NAMES_MAX);
    for (size_t i = 0; i < hd_len(names); i++)
        add_value(c, hd_at(names, i), "");
    free(match);
}

static void add_namespaces(struct candidates *c, struct server *server)
{
    const struct hd_value *rows = server_ask(server, "namespaces", NULL);

    for (size_t i = 0; i < hd_len(rows); i++)
        add_value(c, hd_get(hd_at(rows, i), "name"), ".");
}

/* -- attributes --------------------------------------------------------------------------------------------------- */

/* Whether looking it up changes nothing, and holds nothing up. */
static bool is_harmless(const struct node *node)
{
    switch (node->kind) {
    case NODE_NAME:
        return true;
    case NODE_ATTR:
        return is_harmless(node->first);
    case NODE_ITEM:
        return is_harmless(node->first) &&
               (node->first->next->kind == NODE_INT || node->first->next->kind == NODE_STR);
    default:
        return false;
    }
}

/* Where the expression that ends at `end`, a dot, begins: names, dots and indices. */
static const char *base_start(const char *line, const char *end)
{
    const char *at = end;

    while (at > line) {
        if (is_name_byte(at[-1]) || at[-1] == '.') {
            at--;
        } else if (at[-1] == ']') {
            while (at > line && at[-1] != '[')
                at--;
            if (at == line)
                return NULL;
            at--;
        } else {
            break;
        }
    }
    return at;
}

/* The attributes that an object has itself, and what every object of its type has. */
static void add_attributes(struct candidates *c, struct complete *complete, struct server *server, struct ref *object,
                           enum type_code type)
{
    const struct hd_value *types = api_part(complete, server, "types");
    const struct hd_value *dict;
    struct hd_call *call;
    struct ref attributes;

    add_keys(c, hd_get(hd_get(types, hd_type_name((unsigned)type)), "methods"), "(");
    if (c->prefix_len > 0) /* not unless they are asked for */
        add(c, "__class__", strlen("__class__"), "");
    if (type == TYPE_METHOD)
        add(c, "__self__", strlen("__self__"), "");
    if (type == TYPE_METHOD || type == TYPE_CLASS)
        add(c, "__name__", strlen("__name__"), "");
    if (type != TYPE_OBJECT)
        return;
    call = server_call(server, "getattr");
    if (call != NULL) {
        eval_put(server, call, object);
        hd_put_str(call, "__dict__");
    }
    if (!eval_finish(server, call, WANT_OBJECT, &attributes))
        return;
    dict = server_ask(server, "read", "v{si}", attributes.value, "depth", 1);
    add_keys(c, dict, "");
}

/* A proxy has what its target has, whose type its class tells. */
static enum type_code type_behind(struct server *server, struct ref *proxy)
{
    const struct hd_value *class = server_ask(server, "getattr", "vs", proxy->value, "__class__");
    const struct hd_value *name = class != NULL ? server_ask(server, "getattr", "vs", class, "__name__") : NULL;

    for (unsigned type = 0; hd_kind(name) == HD_STR && type < TYPE_OBJECT; type++)
        if (strcmp(hd_type_name(type), hd_str(name)) == 0)
            return (enum type_code)type;
    return name != NULL ? TYPE_OBJECT : TYPE_UNKNOWN;
}

/* Behind a dot at `end`. */
static void add_behind_dot(struct candidates *c, struct complete *complete, struct server *server, const char *line,
                           const char *end)
{
    struct arena arena = {0};
    struct statement *statement;
    struct parse_error error;
    struct ref object;
    const char *start = base_start(line, end);
    enum type_code type;

    if (start == NULL || !parse(&arena, start, (size_t)(end - start), &statement, &error) || statement == NULL ||
        statement->kind != STATEMENT_EXPRESSION || !is_harmless(statement->value)) {
        arena_clear(&arena);
        return;
    }
    if (statement->value->kind == NODE_NAME &&
        server_is_namespace(server, statement->value->text, statement->value->len)) {
        add_names(c, server, statement->value->text);
    } else if (eval(server, statement->value, WANT_OBJECT, &object)) {
        type = eval_type(server, &object);
        if (type == TYPE_PROXY)
            type = type_behind(server, &object);
        if (type != TYPE_UNKNOWN)
            add_attributes(c, complete, server, &object, type);
    }
    arena_clear(&arena);
}

/* -- calls -------------------------------------------------------------------------------------------------------- */

#define CALLS_MAX 32

/* The name before the innermost bracket that is open at the end of the line; 0 bytes if there is none. */
static struct token innermost_call(struct arena *arena, const char *line, size_t len)
{
    struct token open[CALLS_MAX];
    struct token nothing = {.kind = TOKEN_END};
    struct token before = nothing;
    struct token token;
    struct lexer lexer;
    size_t depth = 0;

    lexer_start(&lexer, arena, line, len);
    for (token = lexer_next(&lexer); token.kind != TOKEN_END && token.kind != TOKEN_BAD; token = lexer_next(&lexer)) {
        if (token.kind == TOKEN_SIGN && strchr("([{", *token.text) != NULL && depth < CALLS_MAX)
            open[depth++] = *token.text == '(' && before.kind == TOKEN_NAME ? before : nothing;
        else if (token.kind == TOKEN_SIGN && strchr(")]}", *token.text) != NULL && depth > 0)
            depth--;
        before = token;
    }
    return depth > 0 ? open[depth - 1] : nothing;
}

/* Behind an open bracket with nothing typed yet: how what stands before it is called. */
static void show_signature(const char *line, size_t len, const struct token *callee, struct buf *shown)
{
    const struct rpc_method *method = rpc_find(callee->text, callee->len);
    bool is_attribute = callee->text > line && callee->text[-1] == '.';
    char *name;

    if (len == 0 || line[len - 1] != '(' || callee->kind != TOKEN_NAME)
        return;
    name = strndup(callee->text, callee->len);
    if (name == NULL)
        return;
    if (method != NULL && !is_attribute)
        help_signature(shown, method);
    else if (is_attribute)
        help_type_signatures(shown, name);
    if (shown->len > 0)
        text_put(shown, "\n");
    free(name);
}

/* The options of the method whose call is open, as keywords. */
static void add_options(struct candidates *c, struct complete *complete, struct server *server,
                        const struct token *callee)
{
    const struct hd_value *options = NULL;
    char *name;

    if (callee->kind != TOKEN_NAME)
        return;
    name = strndup(callee->text, callee->len);
    if (name != NULL)
        options = hd_get(hd_get(api_part(complete, server, "methods"), name), "options");
    for (size_t i = 0; i < hd_len(options); i++)
        add_value(c, hd_at(options, i), "=");
    free(name);
}

/* -- the line ----------------------------------------------------------------------------------------------------- */

static void add_all(struct candidates *c, struct complete *complete, struct server *server, const struct token *callee)
{
    for (size_t i = 0; i < COUNT(words); i++)
        add(c, words[i], strlen(words[i]), "");
    add_options(c, complete, server, callee);
    add_keys(c, api_part(complete, server, "methods"), "(");
    add_names(c, server, NULL);
    add_names(c, server, "global");
    add_names(c, server, "builtins");
    add_namespaces(c, server);
}

/* What all candidates have in common behind the prefix; for the caller to free. */
static char *common_rest(const struct candidates *c)
{
    size_t common = strlen(c->words[0]);

    for (size_t i = 1; i < c->count; i++) {
        size_t same = 0;

        while (same < common && c->words[i][same] == c->words[0][same])
            same++;
        common = same;
    }
    while (common > c->prefix_len && common < strlen(c->words[0]) &&
           ((unsigned char)c->words[0][common] & 0xc0) == 0x80)
        common--; /* no half character */
    return strndup(c->words[0] + c->prefix_len, common - c->prefix_len);
}

/* The candidates in columns. */
static void show(const struct candidates *c, struct buf *shown)
{
    size_t widest = 0;
    size_t columns;

    for (size_t i = 0; i < c->count; i++)
        if (strlen(c->words[i]) > widest)
            widest = strlen(c->words[i]);
    columns = widest + 2 < WIDTH ? WIDTH / (widest + 2) : 1;
    for (size_t i = 0; i < c->count; i++) {
        bool is_last = i + 1 == c->count || (i + 1) % columns == 0;
        size_t len = strlen(c->words[i]);

        text_put_safe(shown, c->words[i], len);
        for (; !is_last && len < widest + 2; len++)
            buf_append(shown, " ", 1);
        if (is_last)
            buf_append(shown, "\n", 1);
    }
}

char *complete_line(struct complete *complete, struct server *server, const char *line, size_t len, struct buf *shown)
{
    struct candidates c = {0};
    struct arena arena = {0};
    struct token callee = innermost_call(&arena, line, len);
    size_t start = len;
    char *rest = NULL;

    while (start > 0 && is_name_byte(line[start - 1]))
        start--;
    c.prefix = line + start;
    c.prefix_len = len - start;
    if (start == len)
        show_signature(line, len, &callee, shown);
    if (start > 0 && line[start - 1] == '.')
        add_behind_dot(&c, complete, server, line, line + start - 1);
    else if (shown->len == 0)
        add_all(&c, complete, server, &callee);
    server_forget(server);
    tidy(&c);
    if (c.count > 0)
        rest = common_rest(&c);
    if (c.count > 1 && rest != NULL && rest[0] == '\0')
        show(&c, shown);
    fini(&c);
    arena_clear(&arena);
    return rest;
}
