/*
 * client/cli/parsing.h - what the parts of the parser share: the next token, the first error, making nodes.
 *
 * Functions that make something answer NULL after an error; the parser then has failed, and keeps the first error.
 */
#ifndef HEAPD_CLIENT_CLI_PARSING_H
#define HEAPD_CLIENT_CLI_PARSING_H

#include "client/cli/lexer.h"
#include "client/cli/parser.h"

struct parser {
    struct lexer lexer;
    struct token token; /* the next one */
    struct arena *arena;
    struct parse_error *error;
    unsigned nesting;   /* brackets and prefix operators that are open */
    bool failed;
};

/* An expression, or several with commas between, which are a tuple. (expression.c) */
struct node *parse_values(struct parser *p);

/* An atom and what follows it: what may be deleted is one. */
struct node *parse_postfix(struct parser *p);

/* -- errors ------------------------------------------------------------------------------------------------------- */

void parsing_fail(struct parser *p, size_t at, const char *text);
void *parsing_no_memory(struct parser *p);

/* "')' stands where `wanted` should be" */
void *parsing_unexpected(struct parser *p, const char *wanted);

/* -- tokens ------------------------------------------------------------------------------------------------------- */

void parsing_advance(struct parser *p);
bool parsing_at_end(const struct parser *p); /* of a statement */
bool parsing_at_sign(const struct parser *p, const char *sign);
bool parsing_at_word(const struct parser *p, const char *word);

/* Takes the sign if it comes next. */
bool parsing_accept(struct parser *p, const char *sign);

/* The same; an error if it does not. */
bool parsing_expect(struct parser *p, const char *sign);

/* Whether it is a word that cannot be a name. */
bool parsing_is_keyword(const struct token *token);

/* The binary operator that the token is, or NULL. */
const struct op *parsing_op(const struct token *token);

/* Counts a level of nesting; false, with an error, beyond the last. Who enters leaves by counting `nesting` down. */
bool parsing_enter(struct parser *p);

/* -- nodes -------------------------------------------------------------------------------------------------------- */

struct node *parsing_make(struct parser *p, enum node_kind kind, size_t at);

/* A growing list of children: `last` is where the next one goes. */
struct children {
    struct node *parent;
    struct node **last;
};

struct children parsing_children(struct node *parent);

/* False, with an error, if the child is NULL or stands on too many others. */
bool parsing_add(struct parser *p, struct children *children, struct node *child);

/* A node with one child, or with two if `is_pair`; NULL if one of them is. */
struct node *parsing_join(struct parser *p, enum node_kind kind, struct node *left, struct node *right, bool is_pair);

/* A NODE_METHOD; `right` may be NULL. */
struct node *parsing_join_method(struct parser *p, const char *method, struct node *left, struct node *right);

/* Makes the token the node's text and takes it. NULL if the node is. */
struct node *parsing_take_text(struct parser *p, struct node *node);
struct node *parsing_take_name(struct parser *p);

#endif
