/* targets.c - names, handles and references on the wire become the objects that they mean. */
#include <string.h>

#include "daemon/convert.h"
#include "store/compare.h"
#include "store/kinds/utf8.h"

/* -- handles ------------------------------------------------------------------------------------------------------ */

static enum hd_err peek_handle(struct session *session, uint64_t number, struct obj **out)
{
    struct obj *o = handles_peek(&session->handles, number);

    if (o == NULL)
        return heap_fail(session->hub->heap, HD_NO_HANDLE, "handle %llu is not held by this session",
                         (unsigned long long)number);
    *out = obj_ref(o);
    return HD_OK;
}

/* The payload of HANDLE: the handle; the id and type code that the server adds are not looked at. */
static enum hd_err handle_in_ext(struct session *session, const struct wire *wire, uint64_t *number)
{
    struct reader payload = {wire->bytes, wire->bytes + wire->len};
    struct wire first = read_next(&payload);

    if (first.kind != WIRE_UINT)
        return heap_fail(session->hub->heap, HD_BAD_ARGS, "the payload of HANDLE is a MessagePack uint");
    *number = first.uint;
    return HD_OK;
}

/* -- names -------------------------------------------------------------------------------------------------------- */

static enum hd_err bad_name(struct heap *heap)
{
    return heap_fail(heap, HD_BAD_ARGS, "a name is a str or [namespace, name]");
}

static enum hd_err check_utf8(struct heap *heap, const struct wire *wire, const char *what)
{
    bool ascii;

    if (!utf8_valid(wire->bytes, wire->len, &ascii))
        return heap_fail(heap, HD_VALUE, "%s is not UTF-8", what);
    return HD_OK;
}

static enum hd_err str_of(struct heap *heap, struct reader *reader, const char **text, size_t *len)
{
    struct wire wire = read_next(reader);

    if (wire.kind != WIRE_STR)
        return bad_name(heap);
    *text = wire.bytes;
    *len = wire.len;
    return check_utf8(heap, &wire, "a name");
}

/* A str or [namespace, name]. */
static enum hd_err read_binding(struct heap *heap, struct reader *reader, struct binding *binding)
{
    struct reader behind = *reader;
    struct wire wire = read_next(&behind);
    enum hd_err err;

    binding->space = NULL;
    binding->space_len = 0;
    if (wire.kind != WIRE_ARRAY)
        return str_of(heap, reader, &binding->name, &binding->name_len);
    if (wire.len != 2)
        return bad_name(heap);
    *reader = behind;
    err = str_of(heap, reader, &binding->space, &binding->space_len);
    return err == HD_OK ? str_of(heap, reader, &binding->name, &binding->name_len) : err;
}

static enum hd_err binding_in_ext(struct heap *heap, const struct wire *wire, struct binding *binding)
{
    struct reader payload = {wire->bytes, wire->bytes + wire->len};

    return read_binding(heap, &payload, binding);
}

/* Takes the map and its key if the next value is {"@": ...} in the map dialect. */
static bool take_at(struct session *session, struct reader *reader)
{
    struct reader ahead = *reader;
    struct wire map = read_next(&ahead);
    struct wire key;

    if (session->manner.refs != DIALECT_MAP || map.kind != WIRE_MAP || map.len != 1)
        return false;
    key = read_next(&ahead);
    if (!wire_is_str(&key, "@"))
        return false;
    *reader = ahead;
    return true;
}

enum hd_err convert_any_binding(struct session *session, struct reader *reader, struct binding *binding)
{
    struct heap *heap = session->hub->heap;
    struct reader behind = *reader;
    struct wire wire = read_next(&behind);

    if (wire.kind == WIRE_EXT && wire.ext == HD_EXT_NAME) {
        *reader = behind;
        return binding_in_ext(heap, &wire, binding);
    }
    if (wire.kind == WIRE_MAP)
        take_at(session, reader);
    return read_binding(heap, reader, binding);
}

static bool space_is(const struct binding *binding, const char *name)
{
    return strlen(name) == binding->space_len && memcmp(name, binding->space, binding->space_len) == 0;
}

enum hd_err names_space_named(struct session *session, const struct binding *binding, struct space **out)
{
    struct hub *hub = session->hub;
    struct obj *space;

    if (space_is(binding, "session")) {
        *out = space_of(session->own);
        return HD_OK;
    }
    space = names_peek(hub->heap, &hub->spaces, binding->space, binding->space_len);
    if (space == NULL)
        return heap_fail(hub->heap, HD_NO_NAME, "there is no namespace '%.*s'",
                         (int)(binding->space_len < 100 ? binding->space_len : 100), binding->space);
    *out = space_of(space);
    return HD_OK;
}

static struct obj *look_in(const struct hub *hub, const struct space *space, const struct binding *binding)
{
    return names_peek(hub->heap, &space->names, binding->name, binding->name_len);
}

enum hd_err names_lookup(struct session *session, const struct binding *binding, struct obj **out)
{
    struct hub *hub = session->hub;
    struct space *space;
    struct obj *o;
    enum hd_err err = names_space(session, binding, &space);

    if (err != HD_OK)
        return err;
    o = look_in(hub, space, binding);
    if (o == NULL && binding->space == NULL)
        o = look_in(hub, space_of(hub->global), binding);
    if (o == NULL && binding->space == NULL)
        o = look_in(hub, space_of(hub->builtins), binding);
    if (o == NULL)
        return heap_fail(hub->heap, HD_NO_NAME, "name '%.*s' is not bound%s%.*s",
                         (int)(binding->name_len < 100 ? binding->name_len : 100), binding->name,
                         binding->space == NULL ? "" : " in ",
                         (int)(binding->space_len < 60 ? binding->space_len : 60),
                         binding->space == NULL ? "" : binding->space);
    *out = obj_ref(o);
    return HD_OK;
}

/* -- references --------------------------------------------------------------------------------------------------- */

enum hd_err convert_ext(struct session *session, const struct wire *wire, struct obj **out)
{
    struct heap *heap = session->hub->heap;
    struct binding binding;
    uint64_t number = 0;
    enum hd_err err;

    switch (wire->ext) {
    case HD_EXT_HANDLE:
        err = handle_in_ext(session, wire, &number);
        return err == HD_OK ? peek_handle(session, number, out) : err;
    case HD_EXT_NAME:
        err = binding_in_ext(heap, wire, &binding);
        return err == HD_OK ? names_lookup(session, &binding, out) : err;
    default:
        return heap_fail(heap, HD_BAD_ARGS, "extension type %d is no reference", wire->ext);
    }
}

static enum hd_err bad_at(struct heap *heap)
{
    return heap_fail(heap, HD_BAD_ARGS, "{\"@\": ...} takes a handle, [handle, id, type], a name or [namespace, name]");
}

/* [handle, id, type], as the server sent it: what is behind the handle is not looked at. */
static enum hd_err take_handle_array(struct session *session, struct reader *reader, struct wire *number)
{
    struct wire array = read_next(reader);

    if (array.kind != WIRE_ARRAY || array.len != 3)
        return bad_at(session->hub->heap);
    *number = read_next(reader);
    for (int rest = 2; rest > 0; rest--)
        if (!read_skip(reader))
            return bad_at(session->hub->heap);
    return number->kind == WIRE_UINT ? HD_OK : bad_at(session->hub->heap);
}

enum hd_err convert_at(struct session *session, struct reader *reader, struct obj **out)
{
    struct heap *heap = session->hub->heap;
    struct wire wire = read_peek(reader);
    struct binding binding;
    enum hd_err err;

    if (wire.kind == WIRE_STR || (wire.kind == WIRE_ARRAY && wire.len == 2)) {
        err = read_binding(heap, reader, &binding);
        if (err == HD_BAD_ARGS)
            return bad_at(heap);
        return err == HD_OK ? names_lookup(session, &binding, out) : err;
    }
    if (wire.kind == WIRE_UINT)
        read_next(reader);
    else if ((err = take_handle_array(session, reader, &wire)) != HD_OK)
        return err;
    return peek_handle(session, wire.uint, out);
}

static enum hd_err bad_target(struct heap *heap)
{
    return heap_fail(heap, HD_BAD_ARGS, "a target is a name, [namespace, name], a handle or a reference");
}

static inline struct obj *peek_in(struct heap *heap, struct obj *space, uint32_t hash, const char *name, size_t len)
{
    return names_peek_hashed(heap, &space_of(space)->names, hash, name, len, &space_of(space)->recent);
}

struct obj *convert_find_name(const struct session *session, const char *name, size_t len)
{
    const struct hub *hub = session->hub;
    uint32_t hash = heap_hash_bytes(hub->heap, name, len);
    struct obj *o = peek_in(hub->heap, session->space, hash, name, len);

    if (o == NULL)
        o = peek_in(hub->heap, hub->global, hash, name, len);
    if (o == NULL)
        o = peek_in(hub->heap, hub->builtins, hash, name, len);
    return o;
}

enum hd_err convert_target(struct session *session, struct reader *reader, struct obj **out)
{
    struct heap *heap = session->hub->heap;
    struct reader behind = *reader;
    struct wire wire = read_next(&behind);
    struct binding binding;
    enum hd_err err;

    switch (wire.kind) {
    case WIRE_UINT:
        *reader = behind;
        return peek_handle(session, wire.uint, out);
    case WIRE_EXT:
        *reader = behind;
        return convert_ext(session, &wire, out);
    case WIRE_STR:
    case WIRE_ARRAY:
        err = read_binding(heap, reader, &binding);
        if (err == HD_BAD_ARGS)
            return bad_target(heap);
        return err == HD_OK ? names_lookup(session, &binding, out) : err;
    default:
        return take_at(session, reader) ? convert_at(session, reader, out) : bad_target(heap);
    }
}

enum hd_err convert_handle(struct session *session, struct reader *reader, uint64_t *number)
{
    struct heap *heap = session->hub->heap;
    struct reader ahead = *reader;
    struct wire wire = read_next(&ahead);
    bool is_at;

    if (wire.kind == WIRE_UINT) { /* nearly always */
        *reader = ahead;
        *number = wire.uint;
        return HD_OK;
    }
    is_at = take_at(session, reader);
    wire = read_peek(reader);
    if (is_at && wire.kind == WIRE_ARRAY) {
        enum hd_err err = take_handle_array(session, reader, &wire);

        if (err != HD_OK)
            return err;
    } else {
        read_next(reader);
    }
    if (wire.kind == WIRE_EXT && wire.ext == HD_EXT_HANDLE)
        return handle_in_ext(session, &wire, number);
    if (wire.kind != WIRE_UINT)
        return heap_fail(heap, HD_BAD_ARGS, "a handle is a uint or a HANDLE");
    *number = wire.uint;
    return HD_OK;
}

enum hd_err convert_text(struct session *session, struct reader *reader, const char *what, const char **text,
                         size_t *len)
{
    struct heap *heap = session->hub->heap;
    struct wire wire = read_next(reader);

    if (wire.kind != WIRE_STR)
        return heap_fail(heap, HD_BAD_ARGS, "%s is a str", what);
    *text = wire.bytes;
    *len = wire.len;
    return check_utf8(heap, &wire, what);
}
