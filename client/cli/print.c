/* print.c - one walk over a value, in two styles. */
#include "client/cli/print.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "client/cli/base64.h"
#include "client/cli/text.h"
#include "client/cli/visit.h"

/* How a container is written. */
enum form {
    FORM_LIST,
    FORM_MAP,
    FORM_ESCAPED, /* JSON: a map whose only key gets one more @ */
    FORM_PAIRS    /* JSON: {"@pairs": [[key, value], ...]}, never empty */
};

struct printer {
    struct server *server;
    struct buf *out;
    bool is_json;
    struct visit visit;
    enum form forms[VISIT_DEPTH_MAX]; /* of the containers that are open */
};

/* -- objects, for people ------------------------------------------------------------------------------------------ */

/* refs=2, without those of this client. */
static void put_refs(struct printer *p, const struct hd_value *handle)
{
    const struct hd_value *count = server_ask(p->server, "refcount", "v", handle);
    uint64_t held = server_held(p->server, hd_handle_id(handle));

    if (hd_kind(count) == HD_INT && hd_uint(count) >= held)
        text_put(p->out, " refs=%llu", (unsigned long long)(hd_uint(count) - held));
}

/* What the server calls it, if that may be asked: a proxy would answer for its target. NULL: the type must do. */
static const struct hd_value *ask_repr(struct printer *p, const struct hd_value *handle)
{
    const struct hd_value *text;

    if (strcmp(hd_type_name(hd_handle_type(handle)), "proxy") == 0)
        return NULL;
    text = server_ask(p->server, "call", "vs", handle, "repr");
    return hd_kind(text) == HD_STR ? text : NULL;
}

/* [1, 2], or <X object #17 refs=2>: objects that have no literal form show how many references there are. */
static void put_object(struct printer *p, const struct hd_value *handle)
{
    const struct hd_value *text = ask_repr(p, handle);
    size_t len = hd_len(text);

    if (text == NULL) {
        text_put(p->out, "<%s #%llu", hd_type_name(hd_handle_type(handle)), (unsigned long long)hd_handle_id(handle));
    } else if (len > 1 && hd_str(text)[0] == '<' && hd_str(text)[len - 1] == '>') {
        text_put_safe(p->out, hd_str(text), len - 1);
    } else {
        text_put_safe(p->out, hd_str(text), len);
        return;
    }
    put_refs(p, handle);
    buf_append(p->out, ">", 1);
}

/* -- scalars ------------------------------------------------------------------------------------------------------ */

static void put_number(struct printer *p, const struct hd_value *value)
{
    if (hd_kind(value) == HD_UINT)
        text_put(p->out, "%llu", (unsigned long long)hd_uint(value));
    else if (hd_kind(value) == HD_INT)
        text_put(p->out, "%lld", (long long)hd_int(value));
    else
        text_put_float(p->out, hd_float(value));
}

static void put_repr(struct printer *p, const struct hd_value *value)
{
    switch (hd_kind(value)) {
    case HD_BOOL:
        text_put(p->out, "%s", hd_bool(value) ? "True" : "False");
        return;
    case HD_INT:
    case HD_UINT:
    case HD_FLOAT:
        put_number(p, value);
        return;
    case HD_STR:
        text_put_str(p->out, hd_str(value), hd_len(value));
        return;
    case HD_BYTES:
        text_put_bytes(p->out, hd_str(value), hd_len(value));
        return;
    case HD_HANDLE:
        put_object(p, value);
        return;
    case HD_EXT:
        text_put(p->out, "<ext %d: ", hd_ext_type(value));
        text_put_bytes(p->out, hd_str(value), hd_len(value));
        text_put(p->out, ">");
        return;
    case HD_ARRAY:
    case HD_MAP:
        text_put(p->out, "..."); /* too deep */
        return;
    default:
        text_put(p->out, "None");
    }
}

static int append(const char *bytes, size_t len, void *out)
{
    buf_append(out, bytes, len);
    return 0;
}

static void put_base64(struct printer *p, const struct hd_value *value)
{
    text_put(p->out, "{\"@bytes\": \"");
    base64_encode(p->out, hd_str(value), hd_len(value));
    text_put(p->out, "\"}");
}

/* A str, behind one more @ if `is_escaped`. One that is not UTF-8 comes from no server of ours; it goes as bytes. */
static void put_json_str(struct printer *p, const struct hd_value *value, bool is_escaped)
{
    struct buf escaped;
    json_t *text;

    buf_init(&escaped, SIZE_MAX, NULL);
    text_put(&escaped, is_escaped ? "@" : "");
    buf_append(&escaped, hd_str(value), hd_len(value));
    text = json_stringn(escaped.len > 0 ? escaped.bytes : "", escaped.len);
    if (text == NULL && !escaped.failed)
        put_base64(p, value);
    else if (json_dump_callback(text, append, p->out, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) != 0)
        p->out->failed = true;
    json_decref(text);
    buf_fini(&escaped);
}

static void put_json_number(struct printer *p, const struct hd_value *value)
{
    bool is_number = hd_kind(value) != HD_FLOAT || isfinite(hd_float(value));

    text_put(p->out, is_number ? "" : "{\"@float\": \"");
    put_number(p, value);
    text_put(p->out, is_number ? "" : "\"}");
}

static void put_json(struct printer *p, const struct hd_value *value)
{
    switch (hd_kind(value)) {
    case HD_BOOL:
        text_put(p->out, "%s", hd_bool(value) ? "true" : "false");
        return;
    case HD_INT:
    case HD_UINT:
    case HD_FLOAT:
        put_json_number(p, value);
        return;
    case HD_STR:
        put_json_str(p, value, false);
        return;
    case HD_BYTES:
    case HD_EXT:
        put_base64(p, value);
        return;
    case HD_HANDLE:
        text_put(p->out, "{\"@\": [%llu, %llu, \"%s\"]}", (unsigned long long)hd_handle(value),
                 (unsigned long long)hd_handle_id(value), hd_type_name(hd_handle_type(value)));
        return;
    default:
        text_put(p->out, "null");
    }
}

/* -- containers --------------------------------------------------------------------------------------------------- */

static enum form form_of(const struct printer *p, const struct hd_value *value)
{
    const struct hd_value *key = hd_map_key(value, 0);

    if (hd_kind(value) == HD_ARRAY)
        return FORM_LIST;
    for (size_t i = 0; p->is_json && i < hd_len(value); i++)
        if (hd_kind(hd_map_key(value, i)) != HD_STR)
            return FORM_PAIRS;
    if (p->is_json && hd_len(value) == 1 && hd_len(key) > 0 && hd_str(key)[0] == '@')
        return FORM_ESCAPED;
    return FORM_MAP;
}

/* What stands before value number `at` of a container: nothing, a comma, a colon. */
static void put_separator(struct printer *p, enum form form, size_t at)
{
    bool is_value = form != FORM_LIST && at % 2 == 1;

    if (is_value)
        text_put(p->out, form == FORM_PAIRS ? ", " : ": ");
    else if (at > 0)
        text_put(p->out, form == FORM_PAIRS ? "], " : ", ");
    if (form == FORM_PAIRS && !is_value)
        text_put(p->out, "[");
}

static void put_scalar(struct printer *p, const struct hd_value *value)
{
    unsigned depth = p->visit.depth;

    if (!p->is_json)
        put_repr(p, value);
    else if (depth > 0 && p->forms[depth - 1] == FORM_ESCAPED && p->visit.open[depth - 1].next == 1)
        put_json_str(p, value, true);
    else
        put_json(p, value);
}

static void put_step(struct printer *p, enum visit_step step, const struct hd_value *value)
{
    static const char *const opening[] = {"[", "{", "{", "{\"@pairs\": ["};
    static const char *const closing[] = {"]", "}", "}", "]]}"};
    unsigned around = p->visit.depth - (step == VISIT_OPEN); /* containers around the value */

    if (step == VISIT_CLOSE) {
        text_put(p->out, "%s", closing[p->forms[around]]);
        return;
    }
    if (around > 0)
        put_separator(p, p->forms[around - 1], p->visit.open[around - 1].next - 1);
    if (step == VISIT_SCALAR) {
        put_scalar(p, value);
        return;
    }
    p->forms[around] = form_of(p, value);
    text_put(p->out, "%s", opening[p->forms[around]]);
}

static bool print(struct server *server, struct buf *out, const struct hd_value *value, bool is_json)
{
    struct printer p; /* its walk and forms are set as it goes */
    enum visit_step step;

    p.server = server;
    p.out = out;
    p.is_json = is_json;
    visit_start(&p.visit, value);
    while (!out->failed && (step = visit_next(&p.visit, &value)) != VISIT_END)
        put_step(&p, step, value);
    return !out->failed || server_fail(server, HD_OUT_OF_MEMORY, "out of memory");
}

bool print_repr(struct server *server, struct buf *out, const struct hd_value *value)
{
    return print(server, out, value, false);
}

bool print_json(struct server *server, struct buf *out, const struct hd_value *value)
{
    if (hd_kind(value) == HD_HANDLE)
        value = server_ask(server, "read", "v", value);
    return value != NULL && print(server, out, value, true);
}
