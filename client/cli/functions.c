/*
 * functions.c - what f(...) means.
 *
 * A method of the wire is a function here, by its row of methods.def: positional arguments are its parameters, keywords
 * its options. Such names, and the few of Python's own below, are functions whatever is bound to them.
 */
#include <string.h>

#include "client/cli/eval.h"
#include "protocol/rpc.h"

/* Functions that are methods of their argument. */
static const char *const method_functions[] = {"len", "repr", "hash", "abs", "round"};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static size_t count_keywords(const struct node *arguments)
{
    size_t count = 0;

    for (; arguments != NULL; arguments = arguments->next)
        count += arguments->keyword != NULL;
    return count;
}

/* -- methods of objects ------------------------------------------------------------------------------------------- */

/* The position of a parameter in a list like "sub, start, stop"; -1 if it is not there. */
static int position_in(const char *parameters, const char *name)
{
    int position = 0;

    for (const char *at = parameters; *at != '\0'; position++) {
        size_t len = strcspn(at, ",");

        if (len == strlen(name) && memcmp(at, name, len) == 0)
            return position;
        at += len;
        at += strspn(at, ", ");
    }
    return -1;
}

/* The position of a method's parameter in any type that has it. */
static int position_of(const char *method, const char *parameter)
{
    static const struct {
        const char *method;
        const char *parameters;
    } rows[] = {
#define TYPE_METHOD(type, name, least, most, parameters, summary) {#name, parameters},
#define TYPE_METHOD_PEEK(type, name, least, most, parameters, summary) {#name, parameters},
#include "protocol/type_methods.def"
#undef TYPE_METHOD
#undef TYPE_METHOD_PEEK
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        if (strcmp(rows[i].method, method) == 0 && position_in(rows[i].parameters, parameter) >= 0)
            return position_in(rows[i].parameters, parameter);
    return -1;
}

/* On the wire methods have positions only: a keyword must name the parameter that comes next. */
static bool check_keywords(struct server *server, const char *method, const struct node *arguments)
{
    int position = 0;

    for (const struct node *argument = arguments; argument != NULL; argument = argument->next, position++)
        if (argument->keyword != NULL && position_of(method, argument->keyword) != position)
            return server_fail(server, HD_TYPE, "%s() has no parameter '%s' at this position", method,
                               argument->keyword);
    return true;
}

static bool call_of(struct server *server, struct ref *target, const char *method, const struct node *arguments,
                    enum want want, struct ref *out)
{
    struct hd_call *call;
    size_t nargs = 0;

    for (const struct node *argument = arguments; argument != NULL; argument = argument->next)
        nargs++;
    if (!check_keywords(server, method, arguments))
        return false;
    call = eval_begin_method(server, target, method, nargs);
    for (const struct node *argument = arguments; call != NULL && argument != NULL; argument = argument->next)
        if (!eval_put_node(server, call, argument)) {
            hd_call_free(call);
            return false;
        }
    return eval_finish(server, call, want, out);
}

static bool deref(struct server *server, const struct ref *weakref, enum want want, struct ref *out)
{
    struct hd_call *call = server_call(server, "deref");

    if (call != NULL)
        eval_put(server, call, weakref);
    return eval_finish(server, call, want, out);
}

/* X(...), m(...), w(): a class, a bound method, a weakref. */
static bool call_object(struct server *server, struct ref *callee, const struct node *arguments, enum want want,
                        struct ref *out)
{
    enum type_code type = eval_type(server, callee);

    switch (type) {
    case TYPE_UNKNOWN:
        return false;
    case TYPE_CLASS:
        return call_of(server, callee, "new", arguments, want, out);
    case TYPE_METHOD:
    case TYPE_PROXY:
        return call_of(server, callee, "call", arguments, want, out);
    case TYPE_WEAKREF:
        return arguments == NULL ? deref(server, callee, want, out)
                                 : server_fail(server, HD_TYPE, "a weakref takes no arguments");
    default:
        return server_fail(server, HD_TYPE, "%s cannot be called", hd_type_name((unsigned)type));
    }
}

/* o.m(...): the server finds methods, and attributes that can be called; one that is a weakref is dereferenced here. */
static bool call_attribute(struct server *server, const struct node *node, enum want want, struct ref *out)
{
    const struct node *callee = node->first;
    struct place place;
    struct ref value;

    if (!place_of(server, callee, &place))
        return false;
    if (place.is_name)
        return place_get(server, &place, WANT_OBJECT, &value) && call_object(server, &value, callee->next, want, out);
    if (call_of(server, &place.base, callee->text, callee->next, want, out))
        return true;
    if (server->status != HD_TYPE || callee->next != NULL || !place_get(server, &place, WANT_OBJECT, &value))
        return false;
    if (eval_type(server, &value) == TYPE_WEAKREF)
        return deref(server, &value, want, out);
    return call_of(server, &place.base, callee->text, NULL, want, out); /* fails as before */
}

/* -- methods of the wire ------------------------------------------------------------------------------------------ */

static bool bad_argument(struct server *server, const struct rpc_method *method, const char *name, const char *wants)
{
    return server_fail(server, HD_BAD_ARGS, "%s: %s is %s", method->name, name, wants);
}

/* A target: a name or an object. A literal becomes an object, so that refcount("a") is that of a str. */
static bool put_target(struct server *server, struct hd_call *call, const struct node *node)
{
    struct ref ref;

    return eval(server, node, WANT_OBJECT, &ref) && eval_target(server, &ref) && eval_put(server, call, &ref);
}

/* A word: a str, or a bare name, which is not looked up. */
static bool put_word(struct hd_call *call, const struct node *node)
{
    if (node->kind != NODE_STR && node->kind != NODE_NAME)
        return false;
    hd_put_text(call, node->text, node->len);
    return true;
}

/* What is bound or unbound: a, "a", ns.a, ["ns", "a"] */
static bool put_binding(struct hd_call *call, const struct node *node)
{
    if (node->kind == NODE_ATTR) {
        hd_put_array(call, 2);
        if (!put_word(call, node->first))
            return false;
        hd_put_text(call, node->text, node->len);
        return true;
    }
    if (node->kind != NODE_LIST && node->kind != NODE_TUPLE)
        return put_word(call, node);
    hd_put_array(call, node->count);
    for (const struct node *child = node->first; child != NULL; child = child->next)
        if (!put_word(call, child))
            return false;
    return true;
}

/* An array of values: a list as it is written, or the elements of a list object. */
static bool put_values(struct server *server, struct hd_call *call, const struct node *node)
{
    struct ref ref;
    const struct hd_value *elements;

    if (!eval(server, node, WANT_OBJECT, &ref))
        return false;
    if (ref.kind == REF_LITERAL || (ref.kind == REF_VALUE && hd_kind(ref.value) != HD_HANDLE))
        return eval_put(server, call, &ref);
    if (ref.kind == REF_NAME && eval_type(server, &ref) == TYPE_UNKNOWN)
        return false;
    elements = server_ask(server, "read", "v{si}", ref.value, "depth", 1);
    if (elements != NULL)
        hd_put_value(call, elements);
    return elements != NULL;
}

/* More arguments than there are rows are put as values: the server refuses them. */
static bool put_argument(struct server *server, struct hd_call *call, const struct rpc_method *method,
                         const struct rpc_arg *arg, const struct node *node)
{
    if (arg == NULL)
        return eval_put_node(server, call, node);
    switch (arg->kind) {
    case RPC_TARGET:
        return put_target(server, call, node);
    case RPC_BINDING:
        return put_binding(call, node) || bad_argument(server, method, arg->name, "a name, \"name\" or namespace.name");
    case RPC_NAME:
        return put_word(call, node) || bad_argument(server, method, arg->name, "a name or a str");
    case RPC_VALUES:
        return put_values(server, call, node);
    default:
        return eval_put_node(server, call, node);
    }
}

static const struct node *find_keyword(const struct node *arguments, const char *keyword)
{
    while (arguments != NULL && (arguments->keyword == NULL || strcmp(arguments->keyword, keyword) != 0))
        arguments = arguments->next;
    return arguments;
}

/* The options: those of the expression, `result` if an object is wanted, `notify` if the weakref gets a name. */
static bool put_options(struct server *server, struct hd_call *call, const struct rpc_method *method,
                        const struct node *arguments, enum want want, bool is_watched)
{
    bool adds_result = want == WANT_OBJECT && (method->options >> RPC_OPTION_RESULT & 1) != 0 &&
                       find_keyword(arguments, "result") == NULL;
    bool adds_notify = is_watched && find_keyword(arguments, "notify") == NULL;
    size_t count = count_keywords(arguments) + adds_result + adds_notify;

    if (count == 0)
        return true;
    hd_put_map(call, count);
    if (adds_result)
        hd_put(call, "ss", "result", "handle");
    if (adds_notify)
        hd_put(call, "sb", "notify", 1);
    for (const struct node *argument = arguments; argument != NULL; argument = argument->next) {
        if (argument->keyword == NULL)
            continue;
        hd_put_str(call, argument->keyword);
        if (!eval_put_node(server, call, argument))
            return false;
    }
    return true;
}

static bool put_all(struct server *server, struct hd_call *call, const struct rpc_method *method,
                    const struct node *arguments, enum want want, bool is_watched)
{
    size_t index = 0;

    for (const struct node *argument = arguments; argument != NULL && argument->keyword == NULL;
         argument = argument->next, index++)
        if (!put_argument(server, call, method, rpc_arg_at(method, index), argument))
            return false;
    return put_options(server, call, method, arguments, want, is_watched);
}

/* Keeps the handle that the death will be told under. */
static bool watch(struct server *server, const struct ref *weakref, const char *name)
{
    const struct hd_value *value = weakref->value;

    if (hd_kind(value) != HD_HANDLE || !server_watch(server, hd_handle(value), hd_handle_id(value), name))
        return hd_kind(value) != HD_HANDLE;
    server_disown(server, value);
    return true;
}

static bool is_true(const struct node *node)
{
    return node != NULL && node->kind == NODE_BOOL && node->number != 0;
}

static bool call_rpc(struct server *server, const struct rpc_method *method, const struct node *arguments,
                     enum want want, const char *watched, struct ref *out)
{
    const struct node *notify = find_keyword(arguments, "notify");
    bool takes_notify = (method->options >> RPC_OPTION_NOTIFY & 1) != 0;
    struct hd_call *call = server_call(server, method->name);

    if (call == NULL)
        return false;
    if (!put_all(server, call, method, arguments, want, takes_notify && watched != NULL)) {
        hd_call_free(call);
        return false;
    }
    if (!eval_finish(server, call, WANT_VALUE, out))
        return false;
    if (find_keyword(arguments, "into") != NULL)
        server_disown(server, out->value); /* the user has chosen the handle to use it */
    if (!takes_notify || !(is_true(notify) || (notify == NULL && watched != NULL)))
        return true;
    return watch(server, out, watched != NULL ? watched : "");
}

/* The id of an object, if this client may hold handles of it; else 0. */
static bool id_if_held(struct server *server, const struct ref *object, uint64_t *id)
{
    struct hd_call *call;
    struct ref answer;

    *id = 0;
    if (object->kind == REF_VALUE)
        *id = hd_handle_id(object->value);
    if (object->kind == REF_VALUE || !server_holds_any(server))
        return true;
    call = server_call(server, "id");
    if (call != NULL)
        eval_put(server, call, object);
    if (!eval_finish(server, call, WANT_VALUE, &answer))
        return false;
    *id = hd_uint(answer.value);
    return true;
}

/* refcount(x): without the handles that this client holds, be it for the statement or to tell of a death. */
static bool call_refcount(struct server *server, const struct node *argument, struct ref *out)
{
    struct ref object;
    struct hd_call *call;
    uint64_t id;

    if (!eval(server, argument, WANT_OBJECT, &object) || !eval_target(server, &object))
        return false;
    call = server_call(server, "refcount");
    if (call != NULL)
        eval_put(server, call, &object);
    if (!eval_finish(server, call, WANT_VALUE, out) || !id_if_held(server, &object, &id))
        return false;
    if (hd_kind(out->value) == HD_INT)
        *out = (struct ref){.kind = REF_COUNT, .count = hd_int(out->value) - (int64_t)server_held(server, id)};
    return true;
}

/* -- calls -------------------------------------------------------------------------------------------------------- */

/* len(x) and its sisters. */
static bool call_method_function(struct server *server, const struct node *node, enum want want, struct ref *out)
{
    const struct node *argument = node->first->next;
    struct ref object;

    if (argument == NULL || argument->keyword != NULL)
        return server_fail(server, HD_TYPE, "%s() takes an object", node->first->text);
    return eval(server, argument, WANT_OBJECT, &object) &&
           call_of(server, &object, node->first->text, argument->next, want, out);
}

static bool is_method_function(const char *name)
{
    for (size_t i = 0; i < COUNT(method_functions); i++)
        if (strcmp(method_functions[i], name) == 0)
            return true;
    return false;
}

bool eval_call(struct server *server, const struct node *node, enum want want, const char *watched, struct ref *out)
{
    const struct node *callee = node->first;
    const struct node *arguments = callee->next;
    const struct rpc_method *method = NULL;
    struct ref object;

    if (callee->kind == NODE_ATTR)
        return call_attribute(server, node, want, out);
    if (callee->kind == NODE_NAME)
        method = rpc_find(callee->text, callee->len);
    if (method == &rpc_methods[RPC_refcount] && node->count == 2 && arguments->keyword == NULL)
        return call_refcount(server, arguments, out);
    if (method != NULL)
        return call_rpc(server, method, arguments, want, watched, out);
    if (callee->kind == NODE_NAME && is_method_function(callee->text))
        return call_method_function(server, node, want, out);
    return eval(server, callee, WANT_OBJECT, &object) && call_object(server, &object, arguments, want, out);
}
