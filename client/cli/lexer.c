/* lexer.c - see lexer.h. Strings are decoded in literal.c. */
#include "client/cli/lexer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/literal.h"

void lexer_start(struct lexer *lexer, struct arena *arena, const char *text, size_t len)
{
    *lexer = (struct lexer){.start = text, .at = text, .end = text + len, .arena = arena};
}

bool token_is(const struct token *token, const char *spelling)
{
    return (token->kind == TOKEN_NAME || token->kind == TOKEN_SIGN) && strlen(spelling) == token->len &&
           memcmp(token->text, spelling, token->len) == 0;
}

/* The byte `n` ahead, 0 beyond the end. */
static char ahead(const struct lexer *lexer, size_t n)
{
    if ((size_t)(lexer->end - lexer->at) <= n)
        return '\0';
    return lexer->at[n];
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Bytes of a name: ASCII letters, digits, the underscore, and whatever is not ASCII. */
static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || (unsigned char)c >= 0x80;
}

static struct token bad(struct lexer *lexer, struct token token, const char *error)
{
    token.kind = TOKEN_BAD;
    lexer->error = error;
    return token;
}

static void skip_blank(struct lexer *lexer)
{
    for (; lexer->at < lexer->end; lexer->at++) {
        char c = *lexer->at;

        if (c == '#')
            while (lexer->at + 1 < lexer->end && lexer->at[1] != '\n')
                lexer->at++;
        else if (c != ' ' && c != '\t' && c != '\r' && c != '\f' && (c != '\n' || lexer->brackets == 0))
            return;
    }
}

/* -- numbers ------------------------------------------------------------------------------------------------------ */

/* The digits of a number without their underscores, NUL behind; NULL without memory. */
static char *plain_digits(struct lexer *lexer, const struct token *token)
{
    char *digits = arena_copy(lexer->arena, token->text, token->len);
    size_t len = 0;

    if (digits == NULL)
        return NULL;
    for (size_t i = 0; i < token->len; i++)
        if (token->text[i] != '_')
            digits[len++] = token->text[i];
    digits[len] = '\0';
    return digits;
}

/* Underscores stand between digits only. */
static bool underscores_fit(const struct token *token)
{
    for (size_t i = 0; i < token->len; i++)
        if (token->text[i] == '_' &&
            (i == 0 || i + 1 == token->len || !is_name_byte(token->text[i + 1]) || token->text[i + 1] == '_' ||
             !is_name_byte(token->text[i - 1])))
            return false;
    return true;
}

static struct token int_token(struct lexer *lexer, struct token token, int base)
{
    char *digits = plain_digits(lexer, &token);
    char *end;

    if (digits == NULL)
        return bad(lexer, token, "out of memory");
    if (base == 10 && digits[0] == '0' && strspn(digits, "0") != strlen(digits))
        return bad(lexer, token, "a number does not begin with 0; octal is written 0o17");
    errno = 0;
    token.kind = TOKEN_INT;
    token.number = strtoull(digits + (base == 10 ? 0 : 2), &end, base);
    if (*end != '\0' || end == digits + (base == 10 ? 0 : 2) || !underscores_fit(&token))
        return bad(lexer, token, "this is no number");
    return errno == ERANGE ? bad(lexer, token, "the number is beyond 64 bits") : token;
}

static struct token float_token(struct lexer *lexer, struct token token)
{
    char *digits = plain_digits(lexer, &token);
    char *end;

    if (digits == NULL)
        return bad(lexer, token, "out of memory");
    token.kind = TOKEN_FLOAT;
    token.real = strtod(digits, &end);
    if (*end != '\0' || end == digits || !underscores_fit(&token))
        return bad(lexer, token, "this is no number");
    return token;
}

/* 0x1f, 0o17, 0b11: the base, 10 for all others. */
static int base_of(const struct lexer *lexer)
{
    if (ahead(lexer, 0) != '0')
        return 10;
    switch (ahead(lexer, 1)) {
    case 'x':
    case 'X':
        return 16;
    case 'o':
    case 'O':
        return 8;
    case 'b':
    case 'B':
        return 2;
    default:
        return 10;
    }
}

static struct token take_number(struct lexer *lexer, struct token token)
{
    int base = base_of(lexer);
    bool is_float = false;

    while (is_name_byte(ahead(lexer, 0)) || (base == 10 && ahead(lexer, 0) == '.')) {
        char c = *lexer->at++;

        if (base != 10)
            continue;
        is_float = is_float || c == '.' || c == 'e' || c == 'E';
        if ((c == 'e' || c == 'E') && (ahead(lexer, 0) == '+' || ahead(lexer, 0) == '-'))
            lexer->at++;
    }
    token.len = (size_t)(lexer->at - token.text);
    return is_float ? float_token(lexer, token) : int_token(lexer, token, base);
}

/* -- strings ------------------------------------------------------------------------------------------------------ */

/* How many letters of a prefix (r, b, rb, u, ...) stand before a quote; -1 if this is no string. */
static int prefix_length(const struct lexer *lexer)
{
    int len = 0;

    while (len < 2 && ahead(lexer, (size_t)len) != '\0' && strchr("rRbBuU", ahead(lexer, (size_t)len)) != NULL)
        len++;
    return ahead(lexer, (size_t)len) == '"' || ahead(lexer, (size_t)len) == '\'' ? len : -1;
}

static struct token take_string(struct lexer *lexer, struct token token, int prefix)
{
    bool is_raw = false;
    bool is_bytes = false;
    char quote;
    const char *body;

    for (int i = 0; i < prefix; i++) {
        is_raw = is_raw || *lexer->at == 'r' || *lexer->at == 'R';
        is_bytes = is_bytes || *lexer->at == 'b' || *lexer->at == 'B';
        lexer->at++;
    }
    quote = *lexer->at++;
    body = lexer->at;
    while (lexer->at < lexer->end && *lexer->at != quote && *lexer->at != '\n')
        lexer->at += *lexer->at == '\\' && lexer->end - lexer->at > 1 ? 2 : 1;
    if (lexer->at >= lexer->end || *lexer->at != quote)
        return bad(lexer, token, "the string is not closed");
    token.kind = is_bytes ? TOKEN_BYTES : TOKEN_STR;
    token.len = (size_t)(lexer->at++ - body);
    token.text = body;
    lexer->error = literal_decode(lexer->arena, is_bytes, is_raw, &token.text, &token.len);
    return lexer->error == NULL ? token : bad(lexer, token, lexer->error);
}

/* -- signs -------------------------------------------------------------------------------------------------------- */

static struct token take_sign(struct lexer *lexer, struct token token)
{
    static const char *const signs[] = {"**=", "//=", "<<=", ">>=", "**", "//", "<<", ">>", "<=", ">=", "==",
                                        "!=",  "+=",  "-=",  "*=",  "/=", "%=", "&=", "|=", "^=", "+",  "-",
                                        "*",   "/",   "%",   "&",   "|",  "^",  "~",  "<",  ">",  "=",  "(",
                                        ")",   "[",   "]",   "{",   "}",  ",",  ":",  "."};
    size_t left = (size_t)(lexer->end - lexer->at);

    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        size_t len = strlen(signs[i]);

        if (len > left || memcmp(lexer->at, signs[i], len) != 0)
            continue;
        token.kind = TOKEN_SIGN;
        token.len = len;
        lexer->at += len;
        if (strchr("([{", *token.text) != NULL)
            lexer->brackets++;
        else if (strchr(")]}", *token.text) != NULL && lexer->brackets > 0)
            lexer->brackets--;
        return token;
    }
    return bad(lexer, token, "this character means nothing here");
}

struct token lexer_next(struct lexer *lexer)
{
    struct token token = {.kind = TOKEN_END, .len = 1};
    int prefix;

    skip_blank(lexer);
    token.text = lexer->at;
    token.at = (size_t)(lexer->at - lexer->start);
    if (lexer->at >= lexer->end) {
        token.len = 0;
        return token;
    }
    if (*lexer->at == ';' || *lexer->at == '\n') {
        lexer->at++;
        token.kind = TOKEN_BREAK;
        return token;
    }
    if (is_digit(*lexer->at) || (*lexer->at == '.' && is_digit(ahead(lexer, 1))))
        return take_number(lexer, token);
    prefix = prefix_length(lexer);
    if (prefix >= 0)
        return take_string(lexer, token, prefix);
    if (!is_name_byte(*lexer->at))
        return take_sign(lexer, token);
    while (is_name_byte(ahead(lexer, 0)))
        lexer->at++;
    token.kind = TOKEN_NAME;
    token.len = (size_t)(lexer->at - token.text);
    return token;
}

long lexer_brackets(const char *line, size_t len)
{
    struct arena arena = {0};
    struct lexer lexer;
    struct token token;
    long open = 0;

    lexer_start(&lexer, &arena, line, len);
    do {
        token = lexer_next(&lexer);
        if (token.kind == TOKEN_SIGN && strchr("([{", *token.text) != NULL)
            open++;
        else if (token.kind == TOKEN_SIGN && strchr(")]}", *token.text) != NULL)
            open--;
    } while (token.kind != TOKEN_END && token.kind != TOKEN_BAD);
    arena_clear(&arena);
    return open;
}
