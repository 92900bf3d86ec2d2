/* json.c - jansson's tree, walked with a stack of its own. */
#include "client/cli/json.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "client/cli/base64.h"

#define LEVELS_MAX 256 /* more than a server accepts by default */

/* A container whose content is being put. */
struct level {
    json_t *container; /* borrowed */
    size_t next;       /* of an array */
    void *entry;       /* of an object: the next one */
    bool is_value;     /* of an object: the key has been put */
    bool is_pairs;     /* an array of [key, value] */
};

struct putter {
    struct server *server;
    struct hd_call *call;
    unsigned depth;
    struct level levels[LEVELS_MAX];
};

static bool fail(struct putter *p, const char *text)
{
    return server_fail(p->server, HD_USAGE, "%s", text);
}

static bool push(struct putter *p, json_t *container, bool is_pairs)
{
    if (p->depth == LEVELS_MAX)
        return fail(p, "the JSON is nested too deep");
    p->levels[p->depth++] = (struct level){.container = container,
                                           .entry = json_is_object(container) ? json_object_iter(container) : NULL,
                                           .is_pairs = is_pairs};
    return true;
}

/* -- what begins with @ ------------------------------------------------------------------------------------------- */

/* A str without NUL in it, as names are. NULL if it is none. */
static const char *plain_text(const json_t *value)
{
    const char *text = json_string_value(value);

    return text != NULL && strlen(text) == json_string_length(value) ? text : NULL;
}

/* {"@": value} */
static bool put_reference(struct putter *p, json_t *value)
{
    const json_t *first = json_is_array(value) ? json_array_get(value, 0) : value;
    const char *name = plain_text(first);

    if (json_is_integer(first) && json_integer_value(first) >= 0 && json_array_size(value) != 2) {
        hd_put_handle(p->call, (uint64_t)json_integer_value(first));
    } else if (name != NULL && json_is_string(value)) {
        hd_put_name(p->call, NULL, name);
    } else if (name != NULL && json_array_size(value) == 2 && plain_text(json_array_get(value, 1)) != NULL) {
        hd_put_name(p->call, name, plain_text(json_array_get(value, 1)));
    } else {
        return fail(p, "{\"@\": ...} takes a handle, [handle, id, type], a name or [namespace, name]");
    }
    return true;
}

static bool put_bytes(struct putter *p, const json_t *value)
{
    struct buf bytes;
    bool is_base64;

    buf_init(&bytes, SIZE_MAX, NULL);
    is_base64 = json_is_string(value) && base64_decode(&bytes, json_string_value(value), json_string_length(value));
    if (is_base64 && !bytes.failed)
        hd_put_bytes(p->call, bytes.len > 0 ? bytes.bytes : "", bytes.len);
    is_base64 = is_base64 && !bytes.failed;
    buf_fini(&bytes);
    return is_base64 || fail(p, "{\"@bytes\": ...} takes a str of base64");
}

static bool put_float(struct putter *p, const json_t *value)
{
    const char *text = plain_text(value);

    if (text != NULL && strcmp(text, "nan") == 0)
        hd_put_float(p->call, (double)NAN);
    else if (text != NULL && (strcmp(text, "inf") == 0 || strcmp(text, "-inf") == 0))
        hd_put_float(p->call, text[0] == '-' ? -(double)INFINITY : (double)INFINITY);
    else
        return fail(p, "{\"@float\": ...} takes \"inf\", \"-inf\" or \"nan\"");
    return true;
}

static bool put_pairs(struct putter *p, json_t *value)
{
    for (size_t i = 0; i < json_array_size(value); i++)
        if (json_array_size(json_array_get(value, i)) != 2)
            return fail(p, "{\"@pairs\": ...} takes an array of [key, value]");
    if (!json_is_array(value))
        return fail(p, "{\"@pairs\": ...} takes an array of [key, value]");
    hd_put_map(p->call, json_array_size(value));
    return push(p, value, true);
}

/* A map of one key that begins with @. */
static bool put_special(struct putter *p, json_t *map, const char *key)
{
    json_t *value = json_object_get(map, key);

    if (strcmp(key, "@") == 0)
        return put_reference(p, value);
    if (strcmp(key, "@bytes") == 0)
        return put_bytes(p, value);
    if (strcmp(key, "@float") == 0)
        return put_float(p, value);
    if (strcmp(key, "@pairs") == 0)
        return put_pairs(p, value);
    if (key[1] != '@')
        return fail(p, "a key that begins with @ is written with one more: {\"@@key\": ...}");
    hd_put_map(p->call, 1);
    hd_put_str(p->call, key + 1);
    if (!push(p, map, false))
        return false;
    p->levels[p->depth - 1].is_value = true;
    return true;
}

/* -- the walk ----------------------------------------------------------------------------------------------------- */

static bool put_map(struct putter *p, json_t *map)
{
    const char *key = json_object_iter_key(json_object_iter(map));

    if (json_object_size(map) == 1 && key[0] == '@')
        return put_special(p, map, key);
    hd_put_map(p->call, json_object_size(map));
    return push(p, map, false);
}

static bool put_value(struct putter *p, json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return put_map(p, value);
    case JSON_ARRAY:
        hd_put_array(p->call, json_array_size(value));
        return push(p, value, false);
    case JSON_STRING:
        hd_put_text(p->call, json_string_value(value), json_string_length(value));
        return true;
    case JSON_INTEGER:
        hd_put_int(p->call, json_integer_value(value));
        return true;
    case JSON_REAL:
        hd_put_float(p->call, json_real_value(value));
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        hd_put_bool(p->call, json_is_true(value));
        return true;
    default:
        hd_put_nil(p->call);
        return true;
    }
}

/* The next value in the container; NULL at its end. Puts the key before it. */
static json_t *next_in_map(struct putter *p, struct level *level)
{
    json_t *value;

    if (level->entry == NULL)
        return NULL;
    if (!level->is_value)
        hd_put_text(p->call, json_object_iter_key(level->entry), json_object_iter_key_len(level->entry));
    level->is_value = false;
    value = json_object_iter_value(level->entry);
    level->entry = json_object_iter_next(level->container, level->entry);
    return value;
}

static json_t *next_in(struct putter *p, struct level *level)
{
    size_t at;

    if (json_is_object(level->container))
        return next_in_map(p, level);
    at = level->next++;
    return level->is_pairs ? json_array_get(json_array_get(level->container, at / 2), at % 2)
                           : json_array_get(level->container, at);
}

static bool put_all(struct putter *p, json_t *root)
{
    bool is_fine = put_value(p, root);

    while (is_fine && p->depth > 0) {
        json_t *value = next_in(p, &p->levels[p->depth - 1]);

        if (value == NULL)
            p->depth--;
        else
            is_fine = put_value(p, value);
    }
    return is_fine;
}

bool json_put(struct server *server, struct hd_call *call, const char *text)
{
    struct putter p; /* its levels are set as they are opened */
    json_error_t error;
    json_t *root = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    bool is_fine;

    if (root == NULL)
        return server_fail(server, HD_USAGE, "no JSON: %s (column %d): %.60s", error.text, error.column, text);
    p.server = server;
    p.call = call;
    p.depth = 0;
    is_fine = put_all(&p, root);
    json_decref(root);
    return is_fine;
}
