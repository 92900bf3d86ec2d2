/* parsing.c - see parsing.h. */
#include "client/cli/parsing.h"

#include <stdio.h>
#include <string.h>

#define NESTING_MAX 100 /* each level takes up to eight frames of the C stack */

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct op ops[] = {
#define BINARY(level, sign, method, text_method, set_method) {sign, level, method, text_method, set_method},
#include "client/cli/operators.def"
};

/* The others of Python's words mean nothing here, and are refused where they would begin a statement. */
static const char *const keywords[] = {"None", "True", "False", "and", "or", "not", "is", "in", "del", "class", "for",
                                       "while", "if", "else", "def", "lambda", "import", "from", "return", "with"};

/* -- tokens and errors -------------------------------------------------------------------------------------------- */

void parsing_fail(struct parser *p, size_t at, const char *text)
{
    if (p->failed)
        return;
    p->failed = true;
    p->error->at = at;
    snprintf(p->error->text, sizeof p->error->text, "%s", text);
}

void *parsing_no_memory(struct parser *p)
{
    parsing_fail(p, p->token.at, "out of memory");
    return NULL;
}

void parsing_advance(struct parser *p)
{
    p->token = lexer_next(&p->lexer);
    if (p->token.kind == TOKEN_BAD)
        parsing_fail(p, p->token.at, p->lexer.error);
}

bool parsing_at_end(const struct parser *p)
{
    return p->token.kind == TOKEN_END || p->token.kind == TOKEN_BREAK;
}

void *parsing_unexpected(struct parser *p, const char *wanted)
{
    char text[sizeof p->error->text];
    int len = (int)(p->token.len < 40 ? p->token.len : 40);

    if (parsing_at_end(p))
        snprintf(text, sizeof text, "the statement ends where %s should be", wanted);
    else if (p->token.kind == TOKEN_STR || p->token.kind == TOKEN_BYTES)
        snprintf(text, sizeof text, "a string stands where %s should be", wanted);
    else
        snprintf(text, sizeof text, "'%.*s' stands where %s should be", len, p->token.text, wanted);
    parsing_fail(p, p->token.at, text);
    return NULL;
}

bool parsing_at_sign(const struct parser *p, const char *sign)
{
    return p->token.kind == TOKEN_SIGN && token_is(&p->token, sign);
}

bool parsing_at_word(const struct parser *p, const char *word)
{
    return p->token.kind == TOKEN_NAME && token_is(&p->token, word);
}

bool parsing_accept(struct parser *p, const char *sign)
{
    if (!parsing_at_sign(p, sign))
        return false;
    parsing_advance(p);
    return true;
}

bool parsing_expect(struct parser *p, const char *sign)
{
    char wanted[8];

    if (parsing_accept(p, sign))
        return true;
    snprintf(wanted, sizeof wanted, "'%s'", sign);
    parsing_unexpected(p, wanted);
    return false;
}

bool parsing_is_keyword(const struct token *token)
{
    for (size_t i = 0; i < COUNT(keywords); i++)
        if (token_is(token, keywords[i]))
            return true;
    return false;
}

/* -- nodes -------------------------------------------------------------------------------------------------------- */

struct node *parsing_make(struct parser *p, enum node_kind kind, size_t at)
{
    struct node *node = arena_alloc(p->arena, sizeof *node);

    if (node == NULL)
        return parsing_no_memory(p);
    node->kind = kind;
    node->at = at;
    node->depth = 1;
    return node;
}

struct children parsing_children(struct node *parent)
{
    return (struct children){parent, &parent->first};
}

bool parsing_add(struct parser *p, struct children *children, struct node *child)
{
    if (child == NULL)
        return false;
    if (child->depth >= TREE_DEPTH_MAX) {
        parsing_fail(p, child->at, "the expression is nested too deep");
        return false;
    }
    *children->last = child;
    children->last = &child->next;
    children->parent->count++;
    if (children->parent->depth <= child->depth)
        children->parent->depth = child->depth + 1;
    return true;
}

struct node *parsing_join(struct parser *p, enum node_kind kind, struct node *left, struct node *right, bool is_pair)
{
    struct children children;
    struct node *node;

    if (left == NULL || (is_pair && right == NULL))
        return NULL;
    node = parsing_make(p, kind, left->at);
    if (node == NULL)
        return NULL;
    children = parsing_children(node);
    if (!parsing_add(p, &children, left) || (is_pair && !parsing_add(p, &children, right)))
        return NULL;
    return node;
}

struct node *parsing_join_method(struct parser *p, const char *method, struct node *left, struct node *right)
{
    struct node *node = parsing_join(p, NODE_METHOD, left, right, right != NULL);

    if (node != NULL) {
        node->text = method;
        node->len = strlen(method);
    }
    return node;
}

struct node *parsing_take_text(struct parser *p, struct node *node)
{
    if (node == NULL)
        return NULL;
    node->text = arena_copy(p->arena, p->token.text, p->token.len);
    node->len = p->token.len;
    if (node->text == NULL)
        return parsing_no_memory(p);
    parsing_advance(p);
    return node;
}

struct node *parsing_take_name(struct parser *p)
{
    return parsing_take_text(p, parsing_make(p, NODE_NAME, p->token.at));
}

/* -- operators ---------------------------------------------------------------------------------------------------- */

const struct op *parsing_op(const struct token *token)
{
    for (size_t i = 0; i < COUNT(ops); i++)
        if (token->kind == TOKEN_SIGN && token_is(token, ops[i].sign))
            return &ops[i];
    return NULL;
}

bool parsing_enter(struct parser *p)
{
    if (p->nesting < NESTING_MAX) {
        p->nesting++;
        return true;
    }
    parsing_fail(p, p->token.at, "the expression is nested too deep");
    return false;
}
