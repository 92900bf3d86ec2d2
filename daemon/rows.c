/* rows.c - see rows.h. */
#include "daemon/rows.h"

#include "daemon/convert.h"
#include "store/kinds/namespace.h"

static struct session *find_session(struct session **at, uint64_t number)
{
    while (*at != NULL && (*at)->number > number)
        *at = (*at)->next;
    return *at != NULL && (*at)->number == number ? *at : NULL;
}

struct pins {
    const struct obj *o;
    bool are_met;
};

static void meet(void *arg, const struct root *root)
{
    struct pins *pins = arg;

    pins->are_met |= root->o == pins->o;
}

bool rows_root_holds(struct hub *hub, struct session **at, const struct held_root *root, const struct obj *o,
                     struct session **session)
{
    struct pins pins = {o, false};

    *session = root->session == 0 ? NULL : find_session(at, root->session);
    if (root->session != 0 && *session == NULL)
        return false;
    if (root->handle != 0)
        return handles_peek(&(*session)->handles, root->handle) == o;
    roots_pins(hub, *session, meet, &pins);
    return pins.are_met;
}

/* -- packing ------------------------------------------------------------------------------------------------------ */

static void begin_row(struct buf *out, const char *kind, const struct obj *o, uint32_t more)
{
    pack_map(out, 3 + more);
    pack_cstr(out, "kind");
    pack_cstr(out, kind);
    pack_cstr(out, "type");
    pack_cstr(out, obj_type_name(o->type));
    pack_cstr(out, "id");
    pack_uint(out, o->id);
}

static void pack_session(struct buf *out, uint64_t number)
{
    pack_cstr(out, "session");
    pack_uint(out, number);
}

void rows_pack_immortal(struct call *call, const struct obj *o)
{
    begin_row(&call->session->out, "root", o, 0);
}

void rows_pack_root(struct call *call, const struct session *session, uint64_t handle, const struct obj *o)
{
    struct buf *out = &call->session->out;
    bool is_seen = session != NULL && (session == call->session || call->session->peer.is_admin);

    begin_row(out, handle != 0 ? "handle" : "pin", o, is_seen);
    if (is_seen)
        pack_session(out, session->number);
}

/* Whose private namespace it is; NULL for a shared one. */
static const struct session *owner_of(const struct hub *hub, const struct obj *space)
{
    const struct session *session = hub->sessions;

    while (session != NULL && session->own != space)
        session = session->next;
    return session;
}

static void pack_name_row(struct call *call, struct obj *container, const struct slot *slot, bool is_seen)
{
    struct buf *out = &call->session->out;
    const struct space *space = space_of(container);
    const struct session *owner = is_seen && space->is_private ? owner_of(call->hub, container) : NULL;

    begin_row(out, "name", slot->target, is_seen ? 1 + (owner != NULL) : 0);
    if (!is_seen)
        return;
    pack_cstr(out, "name");
    pack_array(out, 2);
    pack_str(out, space->name->bytes, space->name->len);
    pack_str(out, slot->name, slot->name_len);
    if (owner != NULL)
        pack_session(out, owner->number);
}

bool rows_has_index(const struct obj *container, const struct slot *slot)
{
    return slot->kind == SLOT_ELEMENT && (container->type == OBJ_LIST || container->type == OBJ_TUPLE);
}

const char *rows_kind(const struct obj *container, const struct slot *slot)
{
    static const char *const names[] = {
        [SLOT_ELEMENT] = "element",     [SLOT_ENTRY] = "entry", [SLOT_KEY] = "key",
        [SLOT_ATTRIBUTE] = "attribute", [SLOT_CLASS] = "class", [SLOT_SELF] = "self",
    };

    if (container->type == OBJ_NAMESPACE)
        return "name";
    if (container->type == OBJ_WEAKREF || container->type == OBJ_PROXY)
        return "target";
    if (rows_has_index(container, slot))
        return "slot";
    return names[slot->kind];
}

/* An object by value if it is a scalar, else as a new HANDLE. */
static enum hd_err pack_object(struct call *call, struct obj *o)
{
    struct buf *out = &call->session->out;
    uint64_t handle;
    enum hd_err err;

    if (convert_is_scalar(o)) {
        convert_pack_scalar(out, o);
        return HD_OK;
    }
    err = convert_open_handle(call->session, o, &handle);
    if (err == HD_OK)
        convert_pack_handle(call->session, out, handle, o);
    return err;
}

enum hd_err rows_pack_slot(struct call *call, struct obj *container, const struct slot *slot, bool is_seen)
{
    struct buf *out = &call->session->out;
    bool has_index = rows_has_index(container, slot);
    bool has_key = slot->kind == SLOT_ENTRY && slot->key != NULL;
    bool has_name = slot->kind == SLOT_ATTRIBUTE;
    enum hd_err err;

    if (container->type == OBJ_NAMESPACE) {
        pack_name_row(call, container, slot, is_seen);
        return HD_OK;
    }
    begin_row(out, rows_kind(container, slot), container, is_seen ? 1 + (has_index || has_key || has_name) : 0);
    if (!is_seen)
        return HD_OK;
    pack_cstr(out, "container");
    err = pack_object(call, container);
    if (err != HD_OK)
        return err;
    if (has_index) {
        pack_cstr(out, "index");
        pack_uint(out, slot->index);
    } else if (has_name) {
        pack_cstr(out, "attribute");
        pack_str(out, slot->name, slot->name_len);
    } else if (has_key) {
        pack_cstr(out, "key");
        err = pack_object(call, slot->key);
    }
    return err;
}
