/* token.c - see token.h. */
#include "daemon/token.h"

#include <string.h>
#include <sys/random.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

bool token_make(struct token *token)
{
    return getrandom(token->bytes, TOKEN_BYTES, 0) == TOKEN_BYTES;
}

void token_text(const struct token *token, char text[TOKEN_TEXT])
{
    const unsigned char *from = token->bytes;

    for (size_t i = 0; i < TOKEN_TEXT; i += 4, from += 3) {
        unsigned bits = (unsigned)from[0] << 16 | (unsigned)from[1] << 8 | from[2];

        for (unsigned n = 0; n < 4; n++)
            text[i + n] = letters[bits >> (18 - 6 * n) & 63];
    }
}

bool token_parse(struct token *token, const char *text, size_t len)
{
    unsigned char *to = token->bytes;

    if (len != TOKEN_TEXT)
        return false;
    for (size_t i = 0; i < TOKEN_TEXT; i += 4, to += 3) {
        unsigned bits = 0;

        for (unsigned n = 0; n < 4; n++) {
            const char *letter = memchr(letters, text[i + n], sizeof letters - 1);

            if (letter == NULL)
                return false;
            bits = bits << 6 | (unsigned)(letter - letters);
        }
        to[0] = (unsigned char)(bits >> 16);
        to[1] = (unsigned char)(bits >> 8);
        to[2] = (unsigned char)bits;
    }
    return true;
}

bool token_equals(const struct token *a, const struct token *b)
{
    unsigned differs = 0;

    for (size_t i = 0; i < TOKEN_BYTES; i++)
        differs |= (unsigned)(a->bytes[i] ^ b->bytes[i]);
    return differs == 0;
}
