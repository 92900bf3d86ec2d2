/* look.c - see look.h. */
#include "client/cli/look.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/eval.h"
#include "client/cli/graphviz.h"
#include "client/cli/oneshot.h"
#include "client/cli/picture.h"
#include "client/cli/text.h"

#define NODES_SHOWN 200 /* objects in a picture, if not told otherwise */
#define INDENT_MAX 40   /* levels of a chain that are indented */

static const char usage[] = "usage: heap-cli graph TARGET [--svg FILE | --dot] [--depth N] [--limit N]";

/* What is to be done. */
struct look {
    bool is_graph;
    bool is_dot;
    const char *svg;        /* file; NULL: none */
    char path[PATH_MAX];    /* its name, where it has to be copied */
    uint64_t depth, limit;  /* 0: not given */
    bool has_depth;
    const char *title;
    const char *word;       /* the target as a word, or */
    const struct ref *ref;  /* as it was evaluated */
};

bool look_knows(const char *word)
{
    return strcmp(word, "why") == 0 || strcmp(word, "graph") == 0;
}

/* A request about the target. NULL: out of memory. */
static struct hd_call *call_about(struct server *server, const struct look *look, const char *method)
{
    struct hd_call *call = server_call(server, method);

    if (call != NULL && look->ref != NULL)
        eval_put(server, call, look->ref);
    else if (call != NULL)
        oneshot_put_place(call, look->word, NULL);
    return call;
}

static bool write_out(struct server *server, const struct buf *out)
{
    if (out->failed)
        return server_fail(server, HD_OUT_OF_MEMORY, "out of memory");
    fwrite(out->bytes, 1, out->len, stdout);
    fflush(stdout);
    return true;
}

/* -- why ---------------------------------------------------------------------------------------------------------- */

/* " (session 5 worker 127.0.0.1:50312)": who it is, if that may be asked. */
static void put_session(struct server *server, struct buf *out, const struct hd_value *number)
{
    const struct hd_value *sessions = server_ask(server, "sessions", NULL);

    text_put(out, " (session %llu", (unsigned long long)hd_uint(number));
    for (size_t i = 0; i < hd_len(sessions); i++) {
        const struct hd_value *row = hd_at(sessions, i);

        if (hd_uint(hd_get(row, "session")) != hd_uint(number))
            continue;
        text_put(out, hd_len(hd_get(row, "name")) > 0 ? " " : "");
        text_put_safe(out, hd_str(hd_get(row, "name")), hd_len(hd_get(row, "name")));
        text_put(out, " ");
        text_put_safe(out, hd_str(hd_get(row, "address")), hd_len(hd_get(row, "address")));
    }
    text_put(out, ")");
}

/* "name global.jobs", "a handle (session 5)", "a name that you may not read" */
static void put_root(struct server *server, struct buf *out, const struct hd_value *row)
{
    const struct hd_value *name = hd_get(row, "name");
    const struct hd_value *session = hd_get(row, "session");
    const char *kind = hd_str(hd_get(row, "kind"));

    if (hd_kind(name) != HD_NONE) {
        text_put(out, "name ");
        text_put_safe(out, hd_str(hd_at(name, 0)), hd_len(hd_at(name, 0)));
        text_put(out, ".");
        text_put_safe(out, hd_str(hd_at(name, 1)), hd_len(hd_at(name, 1)));
    } else if (strcmp(kind, "root") == 0) {
        text_put(out, "the server: it never dies");
    } else {
        text_put(out, strcmp(kind, "pin") == 0 ? "a request or an offer" : "a %s", kind);
        text_put(out, hd_kind(session) == HD_NONE ? " of another session" : "");
    }
    if (hd_kind(session) != HD_NONE)
        put_session(server, out, session);
    text_put(out, "\n");
}

/* A line for the object that the row before holds; `slot`: NULL below a root. */
static void put_held(struct buf *out, size_t depth, const struct hd_value *slot, const struct hd_value *object)
{
    for (size_t i = 0; i < depth && i < INDENT_MAX; i++)
        text_put(out, "   ");
    text_put(out, "\u2514\u2500 ");
    if (slot != NULL) {
        picture_put_slot(out, slot);
        text_put(out, " ");
    }
    picture_put_name(out, object);
}

static void put_chain(struct server *server, struct buf *out, const struct hd_value *chain,
                      const struct hd_value *info, uint64_t count)
{
    size_t len = hd_len(chain);

    put_root(server, out, hd_at(chain, 0));
    for (size_t i = 1; i < len; i++) {
        put_held(out, i - 1, i > 1 ? hd_at(chain, i - 1) : NULL, hd_at(chain, i));
        text_put(out, hd_kind(hd_get(hd_at(chain, i), "container")) == HD_NONE ? "  (out of your reach)\n" : "\n");
    }
    if (strcmp(hd_str(hd_get(hd_at(chain, 0), "kind")), "root") == 0)
        return;
    put_held(out, len - 1, len > 1 ? hd_at(chain, len - 1) : NULL, info);
    text_put(out, "  refs=%llu\n", (unsigned long long)count);
}

/* The handles that this client holds for the moment are no reason. */
static bool show_why(struct server *server, const struct look *look)
{
    struct hd_call *call = call_about(server, look, "path");
    const struct hd_value *chain, *info;
    uint64_t count, held;
    struct buf out;
    bool is_done;

    if (call != NULL)
        hd_put(call, "{sb}", "others", 1);
    chain = server_finish(server, call);
    call = chain != NULL ? call_about(server, look, "info") : NULL;
    info = call != NULL ? server_finish(server, call) : NULL;
    if (info == NULL)
        return false;
    count = hd_uint(hd_get(info, "refcount"));
    held = server_held(server, hd_uint(hd_get(info, "id")));
    buf_init(&out, SIZE_MAX, NULL);
    if (hd_kind(chain) == HD_NIL)
        text_put(&out, "only handles of this session hold it, or garbage\n");
    else
        put_chain(server, &out, chain, info, count >= held ? count - held : 0);
    is_done = write_out(server, &out);
    buf_fini(&out);
    return is_done;
}

/* -- graph -------------------------------------------------------------------------------------------------------- */

static const struct hd_value *ask_graph(struct server *server, const struct look *look)
{
    struct hd_call *call = call_about(server, look, "graph");

    if (call == NULL)
        return NULL;
    if (look->has_depth)
        hd_put(call, "{susu}", "limit", look->limit, "depth", look->depth);
    else
        hd_put(call, "{su}", "limit", look->limit);
    return server_finish(server, call);
}

static bool draw(struct server *server, const struct look *look, const struct picture *picture)
{
    struct buf out;
    bool is_done = true;

    buf_init(&out, SIZE_MAX, NULL);
    if (look->is_dot || look->svg != NULL)
        picture_put_dot(picture, &out, look->title);
    else if (!picture_put_tree(picture, &out))
        out.failed = true;
    if (look->svg != NULL)
        is_done = out.failed ? server_fail(server, HD_OUT_OF_MEMORY, "out of memory")
                             : graphviz_run(server, out.bytes, out.len, look->svg);
    else
        is_done = write_out(server, &out);
    buf_fini(&out);
    return is_done;
}

/* What this client itself holds is no part of the picture. */
static void leave_out_own(struct server *server, struct picture *picture)
{
    for (uint32_t i = 0; i < picture->node_count; i++) {
        uint64_t held = server_held(server, picture->nodes[i].id);

        picture->nodes[i].refs -= held < picture->nodes[i].refs ? held : picture->nodes[i].refs;
    }
}

static bool show_graph(struct server *server, const struct look *look)
{
    const struct hd_value *graph = ask_graph(server, look);
    struct picture picture;
    bool is_done;

    if (graph == NULL)
        return false;
    is_done = picture_open(&picture, graph) || server_fail(server, HD_OUT_OF_MEMORY, "out of memory");
    if (is_done) {
        leave_out_own(server, &picture);
        is_done = draw(server, look, &picture);
    }
    picture_close(&picture);
    return is_done;
}

static bool show(struct server *server, const struct look *look)
{
    return look->is_graph ? show_graph(server, look) : show_why(server, look);
}

/* -- as words ----------------------------------------------------------------------------------------------------- */

static bool take_number(const char *text, uint64_t *number)
{
    char *end;

    *number = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0';
}

/* One option of `graph`; *word is left at the last word that belongs to it. */
static bool take_option(struct look *look, char ***word)
{
    const char *name = **word;

    if (strcmp(name, "--dot") == 0) {
        look->is_dot = true;
        return true;
    }
    if (*++*word == NULL)
        return false;
    if (strcmp(name, "--svg") == 0) {
        look->svg = **word;
        return true;
    }
    if (strcmp(name, "--limit") == 0)
        return take_number(**word, &look->limit);
    look->has_depth = strcmp(name, "--depth") == 0;
    return look->has_depth && take_number(**word, &look->depth);
}

bool look_run(struct console *console, char **words)
{
    struct look look = {.is_graph = strcmp(words[0], "graph") == 0, .limit = NODES_SHOWN};
    bool is_good = true;
    bool is_done;

    for (words++; is_good && *words != NULL; words++) {
        if (strncmp(*words, "--", strlen("--")) == 0)
            is_good = look.is_graph && take_option(&look, &words);
        else if (look.word == NULL)
            look.word = look.title = *words;
        else
            is_good = false;
        if (!is_good)
            break;
    }
    if (!is_good || look.word == NULL)
        return server_fail(&console->server, HD_USAGE, "%s", look.is_graph ? usage : "usage: heap-cli why TARGET");
    is_done = show(&console->server, &look);
    server_forget(&console->server);
    return is_done;
}

/* -- as a call ---------------------------------------------------------------------------------------------------- */

bool look_is_call(const struct node *node)
{
    return node->kind == NODE_CALL && node->first->kind == NODE_NAME && look_knows(node->first->text);
}

static bool take_keyword(struct server *server, struct look *look, const struct node *argument)
{
    bool is_number = argument->kind == NODE_INT && !argument->is_negative;

    if (look->is_graph && strcmp(argument->keyword, "svg") == 0 && argument->kind == NODE_STR &&
        argument->len < sizeof look->path) {
        memcpy(look->path, argument->text, argument->len);
        look->path[argument->len] = '\0';
        look->svg = look->path;
    } else if (look->is_graph && strcmp(argument->keyword, "limit") == 0 && is_number) {
        look->limit = argument->number;
    } else if (look->is_graph && strcmp(argument->keyword, "depth") == 0 && is_number) {
        look->has_depth = true;
        look->depth = argument->number;
    } else {
        return server_fail(server, HD_TYPE, "%s() takes no such argument: '%s'", look->is_graph ? "graph" : "why",
                           argument->keyword);
    }
    return true;
}

bool look_run_call(struct console *console, const struct node *node)
{
    struct server *server = &console->server;
    struct look look = {.is_graph = strcmp(node->first->text, "graph") == 0, .limit = NODES_SHOWN, .title = "heap"};
    const struct node *argument = node->first->next;
    struct ref ref;

    if (argument == NULL || argument->keyword != NULL)
        return server_fail(server, HD_TYPE, "%s() takes an object", node->first->text);
    if (argument->kind == NODE_NAME)
        look.title = argument->text;
    look.ref = &ref;
    if (!eval(server, argument, WANT_OBJECT, &ref) || !eval_target(server, &ref))
        return false;
    for (argument = argument->next; argument != NULL; argument = argument->next)
        if (argument->keyword == NULL ? !server_fail(server, HD_TYPE, "%s() takes one object", node->first->text)
                                      : !take_keyword(server, &look, argument))
            return false;
    return show(server, &look);
}
