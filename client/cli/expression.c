/*
 * expression.c - expressions, by recursive descent through the levels of precedence.
 *
 * Recursion is bounded twice: the nesting of brackets and prefix operators is counted, and no node may stand on more
 * than TREE_DEPTH_MAX levels of others, however it was built.
 */
#include <string.h>

#include "client/cli/parsing.h"

static struct node *parse_expression(struct parser *p);

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define LEVEL_UNARY 7 /* between * and ** */

static const struct {
    const char *sign;
    const char *method;
} orders[] = {
#define ORDER(sign, method) {sign, method},
#include "client/cli/operators.def"
}, unaries[] = {
#define UNARY(sign, method) {sign, method},
#include "client/cli/operators.def"
};

/* -- atoms -------------------------------------------------------------------------------------------------------- */

/* Strings that stand side by side are one. */
static struct node *parse_string(struct parser *p)
{
    struct node *node = parsing_make(p, p->token.kind == TOKEN_STR ? NODE_STR : NODE_BYTES, p->token.at);
    enum token_kind kind = p->token.kind;

    if (node == NULL)
        return NULL;
    node->text = p->token.text;
    node->len = p->token.len;
    for (parsing_advance(p); p->token.kind == kind; parsing_advance(p)) {
        char *both = arena_alloc(p->arena, node->len + p->token.len + 1);

        if (both == NULL)
            return parsing_no_memory(p);
        memcpy(both, node->text, node->len);
        memcpy(both + node->len, p->token.text, p->token.len);
        node->text = both;
        node->len += p->token.len;
    }
    if (p->token.kind == TOKEN_STR || p->token.kind == TOKEN_BYTES)
        return parsing_unexpected(p, "no other kind of string");
    return node;
}

static struct node *parse_number(struct parser *p)
{
    struct node *node = parsing_make(p, p->token.kind == TOKEN_INT ? NODE_INT : NODE_FLOAT, p->token.at);

    if (node == NULL)
        return NULL;
    if (p->token.kind == TOKEN_INT)
        node->number = p->token.number;
    else
        node->real = p->token.real;
    parsing_advance(p);
    return node;
}

/* A name, None, True or False; also `is(...)`, `class(...)` and help(is), which mean methods of the wire. */
static struct node *parse_word(struct parser *p)
{
    struct token word = p->token;
    struct node *node;

    if (parsing_at_word(p, "None") || parsing_at_word(p, "True") || parsing_at_word(p, "False")) {
        node = parsing_make(p, parsing_at_word(p, "None") ? NODE_NONE : NODE_BOOL, p->token.at);
        if (node != NULL)
            node->number = parsing_at_word(p, "True");
        parsing_advance(p);
        return node;
    }
    if (!parsing_is_keyword(&word))
        return parsing_take_name(p);
    if (!parsing_at_word(p, "is") && !parsing_at_word(p, "class"))
        return parsing_unexpected(p, "an expression");
    node = parsing_take_name(p);
    return parsing_at_sign(p, "(") || parsing_at_sign(p, ")") ? node : parsing_unexpected(p, "'('");
}

/* Elements up to the closing sign, which is taken. */
static struct node *parse_elements(struct parser *p, struct node *node, const char *close)
{
    struct children children;

    if (node == NULL)
        return NULL;
    children = parsing_children(node);
    while (!parsing_at_sign(p, close)) {
        if (!parsing_add(p, &children, parse_expression(p)))
            return NULL;
        if (!parsing_accept(p, ","))
            break;
    }
    return parsing_expect(p, close) ? node : NULL;
}

/* ( ): an empty tuple, or what is in it. */
static struct node *parse_parenthesis(struct parser *p)
{
    size_t at = p->token.at;
    struct node *inner;

    parsing_advance(p);
    inner = parsing_at_sign(p, ")") ? parsing_make(p, NODE_TUPLE, at) : parse_values(p);
    return inner != NULL && parsing_expect(p, ")") ? inner : NULL;
}

/* { }: a dict, or a set if no colon follows its first element. */
static struct node *parse_braces(struct parser *p)
{
    struct node *node = parsing_make(p, NODE_DICT, p->token.at);
    struct children children;

    if (node == NULL)
        return NULL;
    children = parsing_children(node);
    parsing_advance(p);
    while (!parsing_at_sign(p, "}")) {
        if (!parsing_add(p, &children, parse_expression(p)))
            return NULL;
        if (node->count == 1 && !parsing_at_sign(p, ":"))
            node->kind = NODE_SET;
        if (node->kind == NODE_DICT && (!parsing_expect(p, ":") || !parsing_add(p, &children, parse_expression(p))))
            return NULL;
        if (!parsing_accept(p, ","))
            break;
    }
    return parsing_expect(p, "}") ? node : NULL;
}

static struct node *parse_atom(struct parser *p)
{
    size_t at = p->token.at;

    switch (p->token.kind) {
    case TOKEN_NAME:
        return parse_word(p);
    case TOKEN_INT:
    case TOKEN_FLOAT:
        return parse_number(p);
    case TOKEN_STR:
    case TOKEN_BYTES:
        return parse_string(p);
    default:
        break;
    }
    if (parsing_at_sign(p, "("))
        return parse_parenthesis(p);
    if (parsing_at_sign(p, "{"))
        return parse_braces(p);
    if (parsing_accept(p, "["))
        return parse_elements(p, parsing_make(p, NODE_LIST, at), "]");
    return parsing_unexpected(p, "an expression");
}

/* -- what follows an atom ----------------------------------------------------------------------------------------- */

static struct node *parse_attribute(struct parser *p, struct node *base)
{
    if (p->token.kind != TOKEN_NAME)
        return parsing_unexpected(p, "the name of an attribute");
    return parsing_take_text(p, parsing_join(p, NODE_ATTR, base, NULL, false));
}

/* One of start, stop and step, which may be left out. */
static struct node *parse_bound(struct parser *p)
{
    if (parsing_at_sign(p, ":") || parsing_at_sign(p, "]"))
        return parsing_make(p, NODE_NONE, p->token.at);
    return parse_values(p);
}

/* Behind '['. */
static struct node *parse_subscript(struct parser *p, struct node *base)
{
    struct node *index = parse_bound(p);
    struct node *slice;
    struct children children;

    if (index == NULL)
        return NULL;
    if (!parsing_at_sign(p, ":")) {
        if (index->at == p->token.at)
            return parsing_unexpected(p, "an index");
        return parsing_expect(p, "]") ? parsing_join(p, NODE_ITEM, base, index, true) : NULL;
    }
    slice = parsing_make(p, NODE_SLICE, base->at);
    if (slice == NULL)
        return NULL;
    children = parsing_children(slice);
    if (!parsing_add(p, &children, base) || !parsing_add(p, &children, index))
        return NULL;
    while (slice->count < 4) {
        struct node *bound = parsing_accept(p, ":") ? parse_bound(p) : parsing_make(p, NODE_NONE, p->token.at);

        if (!parsing_add(p, &children, bound))
            return NULL;
    }
    return parsing_expect(p, "]") ? slice : NULL;
}

/* An expression, or keyword=expression. `if` begins no expression: it is the keyword of an option. */
static struct node *parse_argument(struct parser *p)
{
    struct token word = p->token;
    bool is_if = parsing_at_word(p, "if");
    struct node *argument = is_if ? parsing_take_name(p) : parse_expression(p);

    if (argument == NULL || (!is_if && !parsing_at_sign(p, "=")))
        return argument;
    if (argument->kind != NODE_NAME || argument->at != word.at || !parsing_at_sign(p, "="))
        return parsing_unexpected(p, is_if ? "'='" : "',' or ')'");
    parsing_advance(p);
    argument = parse_expression(p);
    if (argument == NULL)
        return NULL;
    argument->keyword = arena_copy(p->arena, word.text, word.len);
    return argument->keyword != NULL ? argument : parsing_no_memory(p);
}

/* Behind '('. */
static struct node *parse_call(struct parser *p, struct node *callee)
{
    struct node *node = parsing_make(p, NODE_CALL, callee->at);
    struct children children;
    bool has_keywords = false;

    if (node == NULL)
        return NULL;
    children = parsing_children(node);
    if (!parsing_add(p, &children, callee))
        return NULL;
    while (!parsing_at_sign(p, ")")) {
        struct node *argument = parse_argument(p);

        if (!parsing_add(p, &children, argument))
            return NULL;
        if (has_keywords && argument->keyword == NULL) {
            parsing_fail(p, argument->at, "an argument without a keyword follows one with a keyword");
            return NULL;
        }
        has_keywords = argument->keyword != NULL;
        if (!parsing_accept(p, ","))
            break;
    }
    return parsing_expect(p, ")") ? node : NULL;
}

struct node *parse_postfix(struct parser *p)
{
    struct node *node = parse_atom(p);

    while (node != NULL && !p->failed) {
        if (parsing_accept(p, "."))
            node = parse_attribute(p, node);
        else if (parsing_accept(p, "["))
            node = parse_subscript(p, node);
        else if (parsing_accept(p, "("))
            node = parse_call(p, node);
        else
            return node;
    }
    return NULL;
}

/* -- operators ---------------------------------------------------------------------------------------------------- */

static struct node *parse_unary(struct parser *p);

/* a ** b: binds tighter than a sign on its left, looser than one on its right. */
static struct node *parse_power(struct parser *p)
{
    struct node *left = parse_postfix(p);
    const struct op *op = parsing_op(&p->token);
    struct node *node;

    if (left == NULL || op == NULL || op->level < LEVEL_UNARY)
        return left;
    parsing_advance(p);
    if (!parsing_enter(p))
        return NULL;
    node = parsing_join(p, NODE_BINARY, left, parse_unary(p), true);
    p->nesting--;
    if (node != NULL)
        node->op = op;
    return node;
}

/* -5 is a number, not an operation. */
static bool is_number(const struct node *node)
{
    return node->kind == NODE_INT || node->kind == NODE_FLOAT;
}

static struct node *negate(struct node *number)
{
    if (number->kind == NODE_INT)
        number->is_negative = !number->is_negative && number->number > 0;
    else
        number->real = -number->real;
    return number;
}

static struct node *parse_unary(struct parser *p)
{
    struct token sign = p->token;
    struct node *operand;

    if (!parsing_at_sign(p, "-") && !parsing_at_sign(p, "+") && !parsing_at_sign(p, "~"))
        return parse_power(p);
    if (!parsing_enter(p))
        return NULL;
    parsing_advance(p);
    operand = parse_unary(p);
    p->nesting--;
    if (operand == NULL || token_is(&sign, "+"))
        return operand;
    if (token_is(&sign, "-") && is_number(operand))
        return negate(operand);
    for (size_t i = 0; i < COUNT(unaries); i++)
        if (token_is(&sign, unaries[i].sign))
            operand = parsing_join_method(p, unaries[i].method, operand, NULL);
    return operand;
}

/* Binary operators of `level` and above. */
static struct node *parse_binary(struct parser *p, unsigned level)
{
    struct node *left = parse_unary(p);
    const struct op *op;

    while (left != NULL && (op = parsing_op(&p->token)) != NULL && op->level >= level) {
        parsing_advance(p);
        left = parsing_join(p, NODE_BINARY, left, parse_binary(p, op->level + 1), true);
        if (left != NULL)
            left->op = op;
    }
    return left;
}

static const char *order_of(const struct token *token)
{
    for (size_t i = 0; i < COUNT(orders); i++)
        if (token->kind == TOKEN_SIGN && token_is(token, orders[i].sign))
            return orders[i].method;
    return NULL;
}

static bool is_comparison(const struct parser *p)
{
    return order_of(&p->token) != NULL || parsing_at_word(p, "is") || parsing_at_word(p, "in") ||
           parsing_at_word(p, "not");
}

static struct node *negated_if(struct parser *p, bool is_negated, struct node *node)
{
    return is_negated ? parsing_join(p, NODE_NOT, node, NULL, false) : node;
}

static struct node *parse_is(struct parser *p, struct node *left)
{
    bool is_negated;

    parsing_advance(p);
    is_negated = parsing_at_word(p, "not");
    if (is_negated)
        parsing_advance(p);
    return negated_if(p, is_negated, parsing_join(p, NODE_IS, left, parse_binary(p, 1), true));
}

static struct node *parse_in(struct parser *p, struct node *left)
{
    bool is_negated = parsing_at_word(p, "not");

    if (is_negated)
        parsing_advance(p);
    if (!parsing_at_word(p, "in"))
        return parsing_unexpected(p, "'in'");
    parsing_advance(p);
    return negated_if(p, is_negated, parsing_join(p, NODE_IN, left, parse_binary(p, 1), true));
}

static struct node *parse_comparison(struct parser *p)
{
    struct node *left = parse_binary(p, 1);
    const char *method = order_of(&p->token);

    if (left == NULL || !is_comparison(p))
        return left;
    if (method != NULL) {
        struct node *right;

        parsing_advance(p);
        right = parse_binary(p, 1);
        left = right != NULL ? parsing_join_method(p, method, left, right) : NULL;
    } else {
        left = parsing_at_word(p, "is") ? parse_is(p, left) : parse_in(p, left);
    }
    if (left != NULL && is_comparison(p)) {
        parsing_fail(p, p->token.at, "comparisons make no chain here; write a < b and b < c");
        return NULL;
    }
    return left;
}

static struct node *parse_not(struct parser *p)
{
    bool is_negated = false;

    while (parsing_at_word(p, "not")) {
        is_negated = !is_negated;
        parsing_advance(p);
        if (!is_negated && !parsing_at_word(p, "not")) /* not not x: whether x is true */
            return negated_if(p, true, negated_if(p, true, parse_comparison(p)));
    }
    return negated_if(p, is_negated, parse_comparison(p));
}

static struct node *parse_and(struct parser *p)
{
    struct node *left = parse_not(p);

    while (left != NULL && parsing_at_word(p, "and")) {
        parsing_advance(p);
        left = parsing_join(p, NODE_AND, left, parse_not(p), true);
    }
    return left;
}

static struct node *parse_expression(struct parser *p)
{
    struct node *left;

    if (!parsing_enter(p))
        return NULL;
    left = parse_and(p);
    while (left != NULL && parsing_at_word(p, "or")) {
        parsing_advance(p);
        left = parsing_join(p, NODE_OR, left, parse_and(p), true);
    }
    p->nesting--;
    return p->failed ? NULL : left;
}

/* What may follow a comma that is the last. */
static bool ends_values(const struct parser *p)
{
    return parsing_at_end(p) || parsing_at_sign(p, ")") || parsing_at_sign(p, "]") || parsing_at_sign(p, "=");
}

struct node *parse_values(struct parser *p)
{
    struct node *first = parse_expression(p);
    struct node *tuple;
    struct children children;

    if (first == NULL || !parsing_at_sign(p, ","))
        return first;
    tuple = parsing_make(p, NODE_TUPLE, first->at);
    if (tuple == NULL)
        return NULL;
    children = parsing_children(tuple);
    if (!parsing_add(p, &children, first))
        return NULL;
    while (parsing_accept(p, ",") && !ends_values(p))
        if (!parsing_add(p, &children, parse_expression(p)))
            return NULL;
    return tuple;
}
