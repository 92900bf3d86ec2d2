/* parser.c - statements; see parser.h. */
#include "client/cli/parsing.h"

static struct statement *make_statement(struct parser *p, enum statement_kind kind)
{
    struct statement *statement = arena_alloc(p->arena, sizeof *statement);

    if (statement == NULL)
        return parsing_no_memory(p);
    statement->kind = kind;
    return statement;
}

static bool check_target(struct parser *p, const struct node *node)
{
    if (node->kind == NODE_NAME || node->kind == NODE_ATTR || node->kind == NODE_ITEM)
        return true;
    parsing_fail(p, node->at,
                 node->kind == NODE_SLICE ? "a slice cannot be assigned to or deleted"
                                          : "only a name, an attribute or an item can be assigned to or deleted");
    return false;
}

/* a = b = value, the first target parsed. */
static struct statement *parse_assignment(struct parser *p, struct node *first)
{
    struct statement *statement = make_statement(p, STATEMENT_ASSIGN);
    struct node **last;

    if (statement == NULL)
        return NULL;
    last = &statement->targets;
    statement->value = first;
    while (parsing_accept(p, "=")) {
        if (!check_target(p, statement->value))
            return NULL;
        *last = statement->value;
        last = &(*last)->next;
        statement->value = parse_values(p);
        if (statement->value == NULL)
            return NULL;
    }
    return statement;
}

/* `+=` and its sisters: the operator, NULL if none comes next. */
static const struct op *augmenting_op(const struct parser *p)
{
    struct token sign = p->token;

    if (sign.kind != TOKEN_SIGN || sign.len < 2 || sign.text[sign.len - 1] != '=')
        return NULL;
    sign.len--;
    return parsing_op(&sign);
}

static struct statement *parse_simple(struct parser *p)
{
    struct node *first = parse_values(p);
    struct statement *statement;
    const struct op *op;

    if (first == NULL)
        return NULL;
    if (parsing_at_sign(p, "="))
        return parse_assignment(p, first);
    op = augmenting_op(p);
    statement = make_statement(p, op != NULL ? STATEMENT_AUGMENT : STATEMENT_EXPRESSION);
    if (statement == NULL)
        return NULL;
    statement->value = first;
    if (op == NULL)
        return statement;
    if (!check_target(p, first))
        return NULL;
    parsing_advance(p);
    statement->op = op;
    statement->targets = first;
    statement->value = parse_values(p);
    return statement->value != NULL ? statement : NULL;
}

static struct statement *parse_delete(struct parser *p)
{
    struct statement *statement = make_statement(p, STATEMENT_DELETE);
    struct node **last;

    if (statement == NULL)
        return NULL;
    last = &statement->targets;
    do {
        parsing_advance(p); /* del, or a comma */
        *last = parse_postfix(p);
        if (*last == NULL || !check_target(p, *last))
            return NULL;
        last = &(*last)->next;
    } while (parsing_at_sign(p, ","));
    return statement;
}

/* class X, also as Python must have it: class X: pass */
static struct statement *parse_class(struct parser *p)
{
    struct statement *statement = make_statement(p, STATEMENT_CLASS);

    if (statement == NULL)
        return NULL;
    if (p->token.kind != TOKEN_NAME || parsing_is_keyword(&p->token))
        return parsing_unexpected(p, "the name of a class");
    statement->targets = parsing_take_name(p);
    if (statement->targets == NULL)
        return NULL;
    if (parsing_accept(p, ":")) {
        if (!parsing_at_word(p, "pass"))
            return parsing_unexpected(p, "'pass'");
        parsing_advance(p);
    }
    return statement;
}

static struct statement *parse_statement(struct parser *p)
{
    struct lexer ahead = p->lexer;
    struct token second = lexer_next(&ahead);

    if (parsing_at_word(p, "del"))
        return parse_delete(p);
    if (!parsing_at_word(p, "class") || token_is(&second, "("))
        return parse_simple(p);
    parsing_advance(p);
    return parse_class(p);
}

bool parse(struct arena *arena, const char *text, size_t len, struct statement **first, struct parse_error *error)
{
    struct parser p = {.arena = arena, .error = error};
    struct statement **last = first;

    *first = NULL;
    lexer_start(&p.lexer, arena, text, len);
    parsing_advance(&p);
    while (!p.failed && p.token.kind != TOKEN_END) {
        if (p.token.kind == TOKEN_BREAK) {
            parsing_advance(&p);
            continue;
        }
        *last = parse_statement(&p);
        if (*last == NULL || p.failed)
            break;
        last = &(*last)->next;
        if (!parsing_at_end(&p))
            parsing_unexpected(&p, "the end of the statement");
    }
    return !p.failed;
}
