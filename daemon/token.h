/*
 * daemon/token.h - bearer secrets: who knows one may resume a session, or claim an offer.
 */
#ifndef HEAPD_DAEMON_TOKEN_H
#define HEAPD_DAEMON_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#define TOKEN_BYTES 18 /* 144 random bits */
#define TOKEN_TEXT 24  /* their text: base64url (RFC 4648, section 5), without padding */

struct token {
    unsigned char bytes[TOKEN_BYTES];
};

/* Fills it from getrandom; false if the system has no random bytes. */
bool token_make(struct token *token);

/* Its text, which is not terminated. */
void token_text(const struct token *token, char text[TOKEN_TEXT]);

/* False for a text that is no token's. */
bool token_parse(struct token *token, const char *text, size_t len);

/* Compares in a time that does not depend on what is in them. */
bool token_equals(const struct token *a, const struct token *b);

#endif
