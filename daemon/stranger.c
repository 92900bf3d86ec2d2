/* stranger.c - other protocols on the port. */
#include "daemon/stranger.h"

#include <stdio.h>
#include <string.h>

#include "protocol/pack.h"

#define SENTENCE "this is heapd, a server of shared objects: speak MessagePack-RPC to it, or start heap-cli"
#define FIRST_LINE 16 /* bytes that are waited for when no line ends */

static bool is_tls(const char *bytes, size_t len)
{
    return len > 0 && bytes[0] == 0x16; /* a handshake record */
}

bool stranger_begins(const char *bytes, size_t len)
{
    unsigned char first = len > 0 ? (unsigned char)bytes[0] : 0;

    return is_tls(bytes, len) || (first >= 0x20 && first < 0x7f) || first == '\r' || first == '\n';
}

bool stranger_is_clear(const char *bytes, size_t len)
{
    return is_tls(bytes, len) || len >= FIRST_LINE || memchr(bytes, '\n', len) != NULL;
}

static bool is_http(const char *bytes, size_t len)
{
    static const char *const verbs[] = {"GET ", "POST ", "PUT ", "HEAD ", "OPTIONS ", "DELETE ", "PATCH ", "CONNECT ",
                                        "TRACE ", "PRI * "};

    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (len >= strlen(verbs[i]) && memcmp(bytes, verbs[i], strlen(verbs[i])) == 0)
            return true;
    return false;
}

static bool is_redis(const char *bytes, size_t len)
{
    return (len > 0 && bytes[0] == '*') || (len >= 4 && strncasecmp(bytes, "PING", 4) == 0);
}

static void answer_http(struct buf *out)
{
    char text[512];
    int len = snprintf(text, sizeof text,
                       "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
                       "Content-Length: %zu\r\nConnection: close\r\n\r\n" SENTENCE "\n",
                       sizeof SENTENCE);

    buf_append(out, text, (size_t)len);
}

void stranger_answer(const char *bytes, size_t len, struct buf *out)
{
    static const char alert[] = {0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x28}; /* fatal, handshake_failure */

    if (is_tls(bytes, len))
        buf_append(out, alert, sizeof alert);
    else if (is_http(bytes, len))
        answer_http(out);
    else if (is_redis(bytes, len))
        buf_append(out, "-ERR " SENTENCE "\r\n", sizeof "-ERR " SENTENCE "\r\n" - 1);
    else
        buf_append(out, SENTENCE "\r\n", sizeof SENTENCE "\r\n" - 1);
}
