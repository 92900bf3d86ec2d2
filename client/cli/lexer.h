/*
 * client/cli/lexer.h - the words of an expression, as Python spells them.
 *
 * A lexer is a cursor over text that it does not own. Tokens of strs, bytes and numbers come decoded. A line break is
 * white space within brackets and ends a statement elsewhere, as `;` does.
 */
#ifndef HEAPD_CLIENT_CLI_LEXER_H
#define HEAPD_CLIENT_CLI_LEXER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/cli/arena.h"

enum token_kind {
    TOKEN_END,    /* of the text */
    TOKEN_BREAK,  /* ; or a line break outside brackets */
    TOKEN_NAME,   /* .text: an identifier; keywords too */
    TOKEN_INT,    /* .number */
    TOKEN_FLOAT,  /* .real */
    TOKEN_STR,    /* .text: decoded, UTF-8 */
    TOKEN_BYTES,  /* .text: decoded */
    TOKEN_SIGN,   /* .text: an operator or bracket, the longest that fits */
    TOKEN_BAD     /* lexer->error says why */
};

struct token {
    enum token_kind kind;
    const char *text; /* in the source, or in the arena if decoded */
    size_t len;
    size_t at;        /* where it begins in the source, a byte offset */
    union {
        uint64_t number;
        double real;
    };
};

struct lexer {
    const char *start;
    const char *at;
    const char *end;
    unsigned brackets;    /* open now */
    struct arena *arena;  /* for decoded strs */
    const char *error;    /* for TOKEN_BAD: a static phrase */
};

void lexer_start(struct lexer *lexer, struct arena *arena, const char *text, size_t len);

/* Takes the next token. After TOKEN_END and TOKEN_BAD it comes again. */
struct token lexer_next(struct lexer *lexer);

/* Whether the token is a name or sign with this spelling. */
bool token_is(const struct token *token, const char *spelling);

/* How many more brackets `line` opens than it closes: with more than none, the statement goes on in the next line. */
long lexer_brackets(const char *line, size_t len);

#endif
