/* url.c - see url.h. */
#include "client/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/limits.h"

/* Copies `len` bytes and ends them; false if they do not fit. */
static bool copy_part(char *to, size_t size, const char *from, size_t len)
{
    if (len >= size || memchr(from, '\0', len) != NULL)
        return false;
    memcpy(to, from, len);
    to[len] = '\0';
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes %XX in `text`, to its end; false if it does not fit, or a % is followed by something else or by 00. */
static bool decode(char *to, size_t size, const char *text)
{
    size_t len = 0;

    for (; *text != '\0'; text++) {
        char c = *text;
        if (c == '%') {
            int high = hex_digit(text[1]), low = high < 0 ? -1 : hex_digit(text[2]);
            if (low < 0 || high * 16 + low == 0)
                return false;
            c = (char)(high * 16 + low);
            text += 2;
        }
        if (len + 1 >= size)
            return false;
        to[len++] = c;
    }
    to[len] = '\0';
    return true;
}

static bool is_port(const char *text)
{
    size_t len = strlen(text);

    if (len < 1 || len > 5 || strspn(text, "0123456789") != len)
        return false;
    return atoi(text) >= 1 && atoi(text) <= 65535;
}

/* HOST, HOST:PORT, [ADDR6], [ADDR6]:PORT: the first `len` bytes of `text`. */
static const char *parse_host(struct url *url, const char *text, size_t len)
{
    const char *host = text, *end = text + len, *colon;

    if (len > 0 && *text == '[') {
        host = text + 1;
        colon = memchr(text, ']', len);
        if (colon == NULL)
            return "'[' without ']'";
        len = (size_t)(colon - host);
        colon++;
    } else {
        colon = memchr(text, ':', len);
        if (colon == NULL)
            colon = end;
        else if (memchr(colon + 1, ':', (size_t)(end - colon - 1)) != NULL)
            return "an IPv6 address is written in brackets: [::1]:" HD_DEFAULT_PORT;
        len = (size_t)(colon - host);
    }
    if (len == 0)
        return "there is no host";
    if (!copy_part(url->host, sizeof url->host, host, len))
        return "the host's name is too long";
    if (colon == end)
        (void)snprintf(url->port, sizeof url->port, HD_DEFAULT_PORT);
    else if (*colon != ':' || !copy_part(url->port, sizeof url->port, colon + 1, (size_t)(end - colon - 1)) ||
        !is_port(url->port))
        return "the port is a number, 1 ... 65535";
    return NULL;
}

/* HOST:PORT/NAMESPACE, behind heapd:// */
static const char *parse_heapd(struct url *url, const char *text)
{
    size_t len = strcspn(text, "/");
    const char *wrong;

    if (memchr(text, '@', len) != NULL)
        return "a user and a password are not understood";
    wrong = parse_host(url, text, len);
    if (wrong != NULL || text[len] == '\0')
        return wrong;
    if (strpbrk(text + len + 1, "/?#") != NULL || !decode(url->space, sizeof url->space, text + len + 1))
        return "behind the host stands one namespace, at most 255 bytes";
    return NULL;
}

static const char *parse_path(struct url *url, const char *text, bool is_encoded)
{
    bool fits = is_encoded ? decode(url->path, sizeof url->path, text)
                           : copy_part(url->path, sizeof url->path, text, strlen(text));

    url->is_unix = true;
    if (!fits)
        return "the path of a Unix socket has at most 107 bytes";
    return url->path[0] == '\0' ? "there is no path" : NULL;
}

/* The rest of `text` behind `prefix`; NULL if it begins with something else. */
static const char *behind(const char *text, const char *prefix)
{
    size_t len = strlen(prefix);

    return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

const char *url_parse(struct url *url, const char *text)
{
    const char *rest;

    *url = (struct url){0};
    if ((rest = behind(text, "heapd://")) != NULL)
        return parse_heapd(url, rest);
    if ((rest = behind(text, "heapd+unix://")) != NULL)
        return *rest == '/' ? parse_path(url, rest, true) : "a path begins with /: heapd+unix:///run/heapd/heapd.sock";
    if ((rest = behind(text, "unix:")) != NULL)
        return parse_path(url, rest, false);
    if (*text == '/')
        return parse_path(url, text, false);
    if (strstr(text, "://") != NULL)
        return "the scheme is heapd:// or heapd+unix://";
    if (strchr(text, '/') != NULL)
        return "a path begins with /";
    return parse_host(url, text, strlen(text));
}

/* In a directory that anybody can write to, the socket's own one must be ours: else somebody else may answer there. */
static bool is_ours(const char *directory)
{
    struct stat stat;

    return lstat(directory, &stat) == 0 && S_ISDIR(stat.st_mode) && stat.st_uid == geteuid();
}

bool url_default_socket(struct url *url)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    char directory[URL_PATH_MAX] = "/run/heapd";
    int len;

    *url = (struct url){.is_unix = true};
    if (runtime != NULL && *runtime == '/') {
        len = snprintf(url->path, sizeof url->path, "%s/heapd.sock", runtime);
        return len < (int)sizeof url->path;
    }
    if (geteuid() != 0) {
        (void)snprintf(directory, sizeof directory, "/tmp/heapd-%lu", (unsigned long)geteuid());
        if (!is_ours(directory))
            return false;
    }
    len = snprintf(url->path, sizeof url->path, "%s/heapd.sock", directory);
    return len < (int)sizeof url->path;
}
