/* place.c - names, attributes and items: reading, assigning and deleting them. */
#include "client/cli/eval.h"

/* a.b, where a is the name of a namespace. */
static bool is_in_namespace(struct server *server, const struct node *node)
{
    return node->kind == NODE_ATTR && node->first->kind == NODE_NAME &&
           server_is_namespace(server, node->first->text, node->first->len);
}

bool place_of(struct server *server, const struct node *node, struct place *place)
{
    *place = (struct place){.node = node, .name = node->text, .is_name = true};
    if (node->kind == NODE_NAME)
        return true;
    if (is_in_namespace(server, node)) {
        place->space = node->first->text;
        return true;
    }
    place->is_name = false;
    if (!eval(server, node->first, WANT_OBJECT, &place->base))
        return false;
    return node->kind == NODE_ATTR || eval(server, node->first->next, WANT_OBJECT, &place->index);
}

/* A request about an attribute, `method` being getattr or one of its sisters. */
static struct hd_call *begin_attribute(struct server *server, struct place *place, const char *method)
{
    struct hd_call *call;

    if (!eval_target(server, &place->base))
        return NULL;
    call = server_call(server, method);
    if (call == NULL)
        return NULL;
    eval_put(server, call, &place->base);
    hd_put_str(call, place->name);
    return call;
}

/* A request about an item. */
static struct hd_call *begin_item(struct server *server, struct place *place, const char *method, size_t nargs)
{
    struct hd_call *call = eval_begin_method(server, &place->base, method, nargs);

    if (call == NULL || eval_put(server, call, &place->index))
        return call;
    hd_call_free(call);
    return NULL;
}

static struct hd_call *begin_name(struct server *server, const struct place *place, const char *method)
{
    struct hd_call *call = server_call(server, method);

    if (call == NULL)
        return NULL;
    if (place->space != NULL)
        hd_put(call, "[ss]", place->space, place->name);
    else
        hd_put_str(call, place->name);
    return call;
}

/* d[k] of a dict fails for a missing key, which its `get` does not; sequences have no get_item. */
static bool get_item(struct server *server, struct place *place, enum want want, struct ref *out)
{
    enum type_code type = place->base.kind == REF_NAME ? TYPE_UNKNOWN : eval_type(server, &place->base);

    if (type == TYPE_LIST || type == TYPE_TUPLE || type == TYPE_STR || type == TYPE_BYTES)
        return eval_finish(server, begin_item(server, place, "get", 1), want, out);
    if (eval_finish(server, begin_item(server, place, "get_item", 1), want, out))
        return true;
    return server->status == HD_NO_ATTR && eval_finish(server, begin_item(server, place, "get", 1), want, out);
}

bool place_get(struct server *server, struct place *place, enum want want, struct ref *out)
{
    if (!place->is_name && place->node->kind == NODE_ITEM)
        return get_item(server, place, want, out);
    if (!place->is_name)
        return eval_finish(server, begin_attribute(server, place, "getattr"), want, out);
    *out = (struct ref){.kind = REF_NAME, .space = place->space, .name = place->name};
    return true;
}

bool place_set(struct server *server, struct place *place, const struct ref *value)
{
    struct hd_call *call;

    if (place->is_name)
        call = begin_name(server, place, "bind");
    else if (place->node->kind == NODE_ATTR)
        call = begin_attribute(server, place, "setattr");
    else
        call = begin_item(server, place, "set", 2);
    if (call == NULL)
        return false;
    if (!eval_put(server, call, value)) {
        hd_call_free(call);
        return false;
    }
    return server_finish(server, call) != NULL;
}

bool place_delete(struct server *server, struct place *place)
{
    struct hd_call *call;

    if (place->is_name)
        call = begin_name(server, place, "unbind");
    else if (place->node->kind == NODE_ATTR)
        call = begin_attribute(server, place, "delattr");
    else
        call = begin_item(server, place, "del", 1);
    return server_finish(server, call) != NULL;
}
