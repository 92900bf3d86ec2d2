/* console.c - see console.h. */
#include "client/cli/console.h"

#include <stdlib.h>
#include <string.h>

#include "client/cli/eval.h"
#include "client/cli/help.h"
#include "client/cli/look.h"
#include "client/cli/parser.h"
#include "client/cli/print.h"
#include "client/cli/report.h"
#include "client/cli/text.h"

/* -- showing ------------------------------------------------------------------------------------------------------ */

static void write_line(FILE *file, struct buf *line)
{
    buf_append(line, "\n", 1);
    if (!line->failed)
        fwrite(line->bytes, 1, line->len, file);
    fflush(file);
}

bool console_show(struct console *console, const struct hd_value *value, const char *method)
{
    struct buf line;
    bool is_done;

    if (hd_kind(value) == HD_NIL && !console->is_json)
        return true;
    buf_init(&line, SIZE_MAX, NULL);
    if (console->is_json)
        is_done = print_json(&console->server, &line, value);
    else if (method != NULL && report_suits(method))
        is_done = report_print(&console->server, &line, value);
    else
        is_done = print_repr(&console->server, &line, value);
    if (is_done)
        write_line(stdout, &line);
    buf_fini(&line);
    return is_done;
}

void console_notice(const struct console *console, const char *text)
{
    struct buf line;

    buf_init(&line, SIZE_MAX, NULL);
    text_put(&line, "! ");
    text_put_safe(&line, text, strlen(text));
    write_line(console->is_json ? stderr : stdout, &line);
    buf_fini(&line);
}

static void tell_death(const struct console *console, const struct watch *watch)
{
    char text[300];

    if (watch->name[0] != '\0')
        snprintf(text, sizeof text, "%.200s died (%s)", watch->name, watch->cause);
    else
        snprintf(text, sizeof text, "weakref #%llu died (%s)", (unsigned long long)watch->id, watch->cause);
    console_notice(console, text);
}

bool console_has_news(const struct console *console)
{
    if (console->server.notices != NULL)
        return true;
    for (const struct watch *watch = console->server.watches; watch != NULL; watch = watch->next)
        if (watch->died != 0)
            return true;
    return false;
}

void console_tell(struct console *console)
{
    struct notice *notice;
    struct watch *watch;

    while ((notice = server_take_notice(&console->server)) != NULL) {
        console_notice(console, notice->text);
        free(notice);
    }
    while ((watch = server_take_dead(&console->server)) != NULL) {
        tell_death(console, watch);
        free(watch);
    }
    server_forget(&console->server);
}

void console_complain(const struct console *console, const char *prefix)
{
    struct buf line;

    buf_init(&line, SIZE_MAX, NULL);
    buf_append(&line, prefix, strlen(prefix));
    text_put_safe(&line, console->server.error, strlen(console->server.error));
    write_line(stderr, &line);
    buf_fini(&line);
}

/* -- statements --------------------------------------------------------------------------------------------------- */

/* help, help(x): the topic, "" for none; NULL if the expression is another one. */
static const char *help_topic(const struct node *node)
{
    const struct node *word = node->kind == NODE_CALL ? node->first : node;

    if (word->kind != NODE_NAME || strcmp(word->text, "help") != 0)
        return NULL;
    if (node->kind == NODE_NAME || node->count == 1)
        return "";
    word = word->next;
    return word->kind == NODE_NAME || word->kind == NODE_ATTR ? word->text : "";
}

/* The method whose answer the expression is; NULL if it is none. */
static const char *called_method(const struct node *node)
{
    return node->kind == NODE_CALL && node->first->kind == NODE_NAME ? node->first->text : NULL;
}

static bool run_expression(struct console *console, const struct statement *statement)
{
    const char *topic = help_topic(statement->value);
    struct ref ref;

    if (topic != NULL)
        return help_show(stdout, topic) ||
               server_fail(&console->server, HD_NO_METHOD, "there is no method '%s'", topic);
    if (look_is_call(statement->value) && !console->is_json)
        return look_run_call(console, statement->value);
    return eval(&console->server, statement->value, WANT_VALUE, &ref) && eval_fetch(&console->server, &ref) &&
           console_show(console, ref.value, called_method(statement->value));
}

/* The name that a weakref would get: that of the first target that is one. */
static const char *watched_name(const struct statement *statement)
{
    const struct node *target = statement->targets;

    while (target != NULL && target->kind != NODE_NAME)
        target = target->next;
    return target != NULL ? target->text : NULL;
}

static bool run_assign(struct server *server, const struct statement *statement)
{
    const struct node *value = statement->value;
    struct ref ref;

    if (value->kind == NODE_CALL ? !eval_call(server, value, WANT_OBJECT, watched_name(statement), &ref)
                                 : !eval(server, value, WANT_OBJECT, &ref))
        return false;
    if (statement->targets->next != NULL && !eval_target(server, &ref)) /* one object for all of them */
        return false;
    for (const struct node *target = statement->targets; target != NULL; target = target->next) {
        struct place place;

        if (!place_of(server, target, &place) || !place_set(server, &place, &ref))
            return false;
    }
    return true;
}

static bool run_augment(struct server *server, const struct statement *statement)
{
    struct place place;
    struct ref left;
    struct ref right;
    struct ref result;

    return place_of(server, statement->targets, &place) && place_get(server, &place, WANT_OBJECT, &left) &&
           eval(server, statement->value, WANT_OBJECT, &right) &&
           eval_operate(server, statement->op, &left, &right, true, WANT_OBJECT, &result) &&
           place_set(server, &place, &result);
}

static bool run_delete(struct server *server, const struct statement *statement)
{
    for (const struct node *target = statement->targets; target != NULL; target = target->next) {
        struct place place;

        if (!place_of(server, target, &place) || !place_delete(server, &place))
            return false;
    }
    return true;
}

static bool run_class(struct server *server, const struct statement *statement)
{
    struct hd_call *call = server_call(server, "class");
    struct place place;
    struct ref class;

    if (call != NULL)
        hd_put_str(call, statement->targets->text);
    return eval_finish(server, call, WANT_OBJECT, &class) && place_of(server, statement->targets, &place) &&
           place_set(server, &place, &class);
}

static bool run_statement(struct console *console, const struct statement *statement)
{
    switch (statement->kind) {
    case STATEMENT_ASSIGN:
        return run_assign(&console->server, statement);
    case STATEMENT_AUGMENT:
        return run_augment(&console->server, statement);
    case STATEMENT_DELETE:
        return run_delete(&console->server, statement);
    case STATEMENT_CLASS:
        return run_class(&console->server, statement);
    default:
        return run_expression(console, statement);
    }
}

/* Columns count characters, from 1. */
static size_t column_of(const char *text, size_t at)
{
    size_t column = 1;

    for (size_t i = 0; i < at; i++)
        column = text[i] == '\n' ? 1 : column + (((unsigned char)text[i] & 0xc0) != 0x80);
    return column;
}

static bool run_all(struct console *console, struct arena *arena, const char *text, size_t len)
{
    struct server *server = &console->server;
    struct statement *statement;
    struct parse_error error;
    bool is_done = true;

    if (!parse(arena, text, len, &statement, &error)) {
        server->status = HD_USAGE;
        snprintf(server->error, sizeof server->error, "SYNTAX column %zu: %s", column_of(text, error.at), error.text);
        return false;
    }
    for (; is_done && statement != NULL; statement = statement->next) {
        is_done = run_statement(console, statement);
        server_forget(server);
    }
    return is_done;
}

bool console_run(struct console *console, const char *text, size_t len)
{
    struct server *server = &console->server;
    struct arena arena = {0};
    enum hd_status status;
    char error[SERVER_ERROR_MAX];
    bool is_done;

    hd_poll(server->link, 0); /* what has come already is told before what comes of this */
    console_tell(console);
    is_done = run_all(console, &arena, text, len);
    status = server->status;
    arena_clear(&arena);
    memcpy(error, server->error, sizeof error);
    console_tell(console);
    server_prune_watches(server);
    server_forget(server);
    server->status = status; /* of the statements, not of what came after them */
    memcpy(server->error, error, sizeof error);
    return is_done;
}
