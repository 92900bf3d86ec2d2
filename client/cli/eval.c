/* eval.c - see eval.h. Recursion is bounded by TREE_DEPTH_MAX. */
#include "client/cli/eval.h"

#include <string.h>

static struct ref value_ref(const struct hd_value *value)
{
    return (struct ref){.kind = REF_VALUE, .value = value};
}

static struct ref literal_ref(const struct node *node)
{
    return (struct ref){.kind = REF_LITERAL, .node = node};
}

/* -- parameters --------------------------------------------------------------------------------------------------- */

static bool put_int(struct server *server, struct hd_call *call, const struct node *node)
{
    if (!node->is_negative)
        hd_put_uint(call, node->number);
    else if (node->number <= (uint64_t)INT64_MAX + 1)
        hd_put_int(call, (int64_t)-node->number);
    else
        return server_fail(server, HD_OVERFLOW, "-%llu is beyond 64 bits", (unsigned long long)node->number);
    return true;
}

static bool put_literal(struct server *server, struct hd_call *call, const struct node *node)
{
    switch (node->kind) {
    case NODE_BOOL:
        hd_put_bool(call, node->number != 0);
        return true;
    case NODE_INT:
        return put_int(server, call, node);
    case NODE_FLOAT:
        hd_put_float(call, node->real);
        return true;
    case NODE_STR:
        hd_put_text(call, node->text, node->len);
        return true;
    case NODE_BYTES:
        hd_put_bytes(call, node->text, node->len);
        return true;
    case NODE_LIST:
        hd_put_array(call, node->count);
        break;
    case NODE_DICT:
        hd_put_map(call, node->count / 2);
        break;
    default:
        hd_put_nil(call);
    }
    for (const struct node *child = node->first; child != NULL; child = child->next)
        if (!eval_put_node(server, call, child))
            return false;
    return true;
}

bool eval_put(struct server *server, struct hd_call *call, const struct ref *ref)
{
    if (ref->kind == REF_LITERAL)
        return put_literal(server, call, ref->node);
    if (ref->kind == REF_NAME)
        hd_put_name(call, ref->space, ref->name);
    else if (ref->kind == REF_COUNT)
        hd_put_int(call, ref->count);
    else
        hd_put_value(call, ref->value);
    return true;
}

bool eval_put_node(struct server *server, struct hd_call *call, const struct node *node)
{
    struct ref ref;

    return eval(server, node, WANT_OBJECT, &ref) && eval_put(server, call, &ref);
}

bool eval_finish(struct server *server, struct hd_call *call, enum want want, struct ref *out)
{
    const struct hd_value *answer;

    if (call == NULL)
        return false;
    if (want == WANT_OBJECT)
        hd_put(call, "{ss}", "result", "handle");
    answer = server_finish(server, call);
    if (answer == NULL)
        return false;
    *out = value_ref(answer);
    return true;
}

/* -- targets ------------------------------------------------------------------------------------------------------ */

bool eval_target(struct server *server, struct ref *ref)
{
    struct hd_call *call;

    if (ref->kind == REF_NAME || (ref->kind == REF_VALUE && hd_kind(ref->value) == HD_HANDLE))
        return true;
    call = server_call(server, "new");
    if (call == NULL)
        return false;
    if (!eval_put(server, call, ref)) {
        hd_call_free(call);
        return false;
    }
    return eval_finish(server, call, WANT_OBJECT, ref);
}

static enum type_code type_of_literal(const struct node *node)
{
    switch (node->kind) {
    case NODE_BOOL:
        return TYPE_BOOL;
    case NODE_INT:
        return TYPE_INT;
    case NODE_FLOAT:
        return TYPE_FLOAT;
    case NODE_STR:
        return TYPE_STR;
    case NODE_BYTES:
        return TYPE_BYTES;
    case NODE_LIST:
        return TYPE_LIST;
    case NODE_DICT:
        return TYPE_DICT;
    default:
        return TYPE_NIL;
    }
}

static enum type_code type_of_value(const struct hd_value *value)
{
    switch (hd_kind(value)) {
    case HD_BOOL:
        return TYPE_BOOL;
    case HD_INT:
    case HD_UINT:
        return TYPE_INT;
    case HD_FLOAT:
        return TYPE_FLOAT;
    case HD_STR:
        return TYPE_STR;
    case HD_BYTES:
    case HD_EXT:
        return TYPE_BYTES;
    case HD_ARRAY:
        return TYPE_LIST;
    case HD_MAP:
        return TYPE_DICT;
    case HD_HANDLE:
        return (enum type_code)hd_handle_type(value);
    default:
        return TYPE_NIL;
    }
}

enum type_code eval_type(struct server *server, struct ref *ref)
{
    struct hd_call *call;

    if (ref->kind == REF_LITERAL)
        return type_of_literal(ref->node);
    if (ref->kind == REF_COUNT)
        return TYPE_INT;
    if (ref->kind == REF_NAME) {
        call = server_call(server, "hold");
        if (call != NULL)
            eval_put(server, call, ref);
        if (!eval_finish(server, call, WANT_OBJECT, ref))
            return TYPE_UNKNOWN;
    }
    return type_of_value(ref->value);
}

struct hd_call *eval_begin_method(struct server *server, struct ref *target, const char *method, size_t nargs)
{
    struct hd_call *call;

    if (!eval_target(server, target))
        return NULL;
    call = server_call(server, "call");
    if (call == NULL)
        return NULL;
    eval_put(server, call, target);
    hd_put_str(call, method);
    hd_put_array(call, nargs);
    return call;
}

/* target.method(arguments...), up to `nargs` of them from `arguments` on. */
static bool call_method(struct server *server, struct ref *target, const char *method, const struct ref *arguments,
                        size_t nargs, enum want want, struct ref *out)
{
    struct hd_call *call = eval_begin_method(server, target, method, nargs);

    for (size_t i = 0; call != NULL && i < nargs; i++)
        if (!eval_put(server, call, &arguments[i])) {
            hd_call_free(call);
            return false;
        }
    return eval_finish(server, call, want, out);
}

/* -- truth -------------------------------------------------------------------------------------------------------- */

static bool is_true_scalar(const struct hd_value *value)
{
    switch (hd_kind(value)) {
    case HD_BOOL:
        return hd_bool(value);
    case HD_INT:
        return hd_int(value) != 0;
    case HD_FLOAT:
        return hd_float(value) != 0;
    case HD_STR:
    case HD_BYTES:
    case HD_ARRAY:
    case HD_MAP:
        return hd_len(value) > 0;
    default:
        return hd_kind(value) != HD_NIL;
    }
}

bool eval_fetch(struct server *server, struct ref *ref)
{
    struct hd_call *call;

    if (ref->kind == REF_VALUE && hd_kind(ref->value) != HD_HANDLE)
        return true;
    if (!eval_target(server, ref))
        return false;
    call = server_call(server, "get");
    if (call != NULL)
        eval_put(server, call, ref);
    return eval_finish(server, call, WANT_VALUE, ref);
}

bool eval_truth(struct server *server, struct ref *ref, bool *is_true)
{
    struct ref object = *ref;
    struct ref len;

    if (!eval_fetch(server, &object))
        return false;
    *is_true = hd_kind(object.value) == HD_HANDLE || is_true_scalar(object.value);
    if (hd_kind(object.value) != HD_HANDLE)
        return true;
    if (!call_method(server, &object, "len", NULL, 0, WANT_VALUE, &len))
        return server->status == HD_NO_ATTR; /* what has no length is true */
    *is_true = is_true_scalar(len.value);
    return true;
}

/* -- operators ---------------------------------------------------------------------------------------------------- */

static const char *method_of(const struct op *op, enum type_code type)
{
    if ((type == TYPE_STR || type == TYPE_BYTES) && op->text_method != NULL)
        return op->text_method;
    return type == TYPE_SET && op->set_method != NULL ? op->set_method : op->method;
}

/* An int becomes the float that its quotient is counted from. */
static bool to_float(struct server *server, struct ref *ref)
{
    struct ref type = {.kind = REF_NAME, .space = "builtins", .name = "float"};
    struct ref number = *ref;

    return call_method(server, &type, "new", &number, 1, WANT_OBJECT, ref);
}

/* list + list: a copy that is extended, or the list itself in place. */
static bool join_lists(struct server *server, struct ref *left, struct ref *right, bool in_place, struct ref *out)
{
    struct hd_call *call;
    struct ref nothing;

    if (!in_place && eval_type(server, right) != TYPE_LIST)
        return server->status == HD_OK ? server_fail(server, HD_TYPE, "only a list can be added to a list") : false;
    *out = *left;
    if (!in_place) {
        if (!eval_target(server, left))
            return false;
        call = server_call(server, "copy");
        if (call != NULL)
            eval_put(server, call, left);
        if (!eval_finish(server, call, WANT_OBJECT, out))
            return false;
    }
    return call_method(server, out, "extend", right, 1, WANT_VALUE, &nothing);
}

bool eval_operate(struct server *server, const struct op *op, struct ref *left, struct ref *right, bool in_place,
                  enum want want, struct ref *out)
{
    enum type_code type;

    server->status = HD_OK;
    type = eval_type(server, left);
    if (type == TYPE_UNKNOWN)
        return false;
    if (type == TYPE_LIST && strcmp(op->sign, "+") == 0)
        return join_lists(server, left, right, in_place, out);
    if ((type == TYPE_INT || type == TYPE_BOOL) && strcmp(op->sign, "/") == 0 && !to_float(server, left))
        return false;
    return call_method(server, left, method_of(op, type), right, 1, want, out);
}

static bool eval_binary(struct server *server, const struct node *node, enum want want, struct ref *out)
{
    struct ref left;
    struct ref right;

    return eval(server, node->first, WANT_OBJECT, &left) && eval(server, node->first->next, WANT_OBJECT, &right) &&
           eval_operate(server, node->op, &left, &right, false, want, out);
}

/* -a, a < b: `text` is the method. */
static bool eval_method(struct server *server, const struct node *node, enum want want, struct ref *out)
{
    struct ref left;
    struct ref right;
    size_t nargs = node->count - 1;

    return eval(server, node->first, WANT_OBJECT, &left) &&
           (nargs == 0 || eval(server, node->first->next, WANT_OBJECT, &right)) &&
           call_method(server, &left, node->text, &right, nargs, nargs == 0 ? want : WANT_VALUE, out);
}

static bool eval_is(struct server *server, const struct node *node, struct ref *out)
{
    struct ref left;
    struct ref right;
    struct hd_call *call;

    if (!eval(server, node->first, WANT_OBJECT, &left) || !eval(server, node->first->next, WANT_OBJECT, &right) ||
        !eval_target(server, &left) || !eval_target(server, &right))
        return false;
    call = server_call(server, "is");
    if (call != NULL) {
        eval_put(server, call, &left);
        eval_put(server, call, &right);
    }
    return eval_finish(server, call, WANT_VALUE, out);
}

static bool eval_in(struct server *server, const struct node *node, struct ref *out)
{
    struct ref element;
    struct ref container;

    return eval(server, node->first, WANT_OBJECT, &element) &&
           eval(server, node->first->next, WANT_OBJECT, &container) &&
           call_method(server, &container, "contains", &element, 1, WANT_VALUE, out);
}

static struct ref bool_ref(bool value)
{
    static const struct node nodes[] = {{.kind = NODE_BOOL, .number = 0}, {.kind = NODE_BOOL, .number = 1}};

    return literal_ref(&nodes[value]);
}

static bool eval_not(struct server *server, const struct node *node, struct ref *out)
{
    struct ref operand;
    bool is_true;

    if (!eval(server, node->first, WANT_VALUE, &operand) || !eval_truth(server, &operand, &is_true))
        return false;
    *out = bool_ref(!is_true);
    return true;
}

/* `and`, `or`: the left side if it decides, else the right one. */
static bool eval_either(struct server *server, const struct node *node, enum want want, struct ref *out)
{
    bool is_true;

    if (!eval(server, node->first, want, out) || !eval_truth(server, out, &is_true))
        return false;
    if (is_true == (node->kind == NODE_OR))
        return true;
    return eval(server, node->first->next, want, out);
}

/* -- containers --------------------------------------------------------------------------------------------------- */

/* (1, 2) and {1, 2} have no literal form on the wire: builtins.tuple([1, 2]) */
static bool eval_constructed(struct server *server, const struct node *node, const char *class, struct ref *out)
{
    struct ref type = {.kind = REF_NAME, .space = "builtins", .name = class};
    struct node list = *node;
    struct ref elements = literal_ref(&list);

    list.kind = NODE_LIST;
    return call_method(server, &type, "new", &elements, 1, WANT_OBJECT, out);
}

static bool eval_slice(struct server *server, const struct node *node, enum want want, struct ref *out)
{
    struct ref base;
    struct ref bounds[3];
    size_t count = 0;

    if (!eval(server, node->first, WANT_OBJECT, &base))
        return false;
    for (const struct node *bound = node->first->next; bound != NULL; bound = bound->next)
        if (!eval(server, bound, WANT_OBJECT, &bounds[count++]))
            return false;
    return call_method(server, &base, "slice", bounds, count, want, out);
}

static bool eval_place(struct server *server, const struct node *node, enum want want, struct ref *out)
{
    struct place place;

    return place_of(server, node, &place) && place_get(server, &place, want, out);
}

bool eval(struct server *server, const struct node *node, enum want want, struct ref *out)
{
    switch (node->kind) {
    case NODE_NAME:
    case NODE_ATTR:
    case NODE_ITEM:
        return eval_place(server, node, want, out);
    case NODE_TUPLE:
        return eval_constructed(server, node, "tuple", out);
    case NODE_SET:
        return eval_constructed(server, node, "set", out);
    case NODE_SLICE:
        return eval_slice(server, node, want, out);
    case NODE_CALL:
        return eval_call(server, node, want, NULL, out);
    case NODE_METHOD:
        return eval_method(server, node, want, out);
    case NODE_BINARY:
        return eval_binary(server, node, want, out);
    case NODE_IS:
        return eval_is(server, node, out);
    case NODE_IN:
        return eval_in(server, node, out);
    case NODE_NOT:
        return eval_not(server, node, out);
    case NODE_AND:
    case NODE_OR:
        return eval_either(server, node, want, out);
    default:
        *out = literal_ref(node);
        return true;
    }
}
