/* do_names.c - names and handles. */
#include <string.h>

#include "daemon/call.h"
#include "daemon/convert.h"
#include "daemon/glob.h"
#include "store/kinds/atoms.h"
#include "store/kinds/sequence.h"

/* -- names -------------------------------------------------------------------------------------------------------- */

/* The namespace of a name to be changed. */
static inline enum hd_err writable_space(struct call *call, const struct binding *binding, struct space **out)
{
    enum hd_err err = names_space(call->session, binding, out);

    if (err == HD_OK && (*out)->is_readonly)
        return heap_fail(call->heap, HD_DENIED, "namespace '%.*s' is read-only", (int)(*out)->name->len,
                         (*out)->name->bytes);
    return err;
}

/* What the name is bound to in the namespace, borrowed; NULL: nothing. */
static struct obj *peek_bound(const struct call *call, const struct space *space, const struct binding *binding)
{
    return names_peek(call->heap, &space->names, binding->name, binding->name_len);
}

/* Private names count against limits.names; so do those that are put into one shared namespace. */
static enum hd_err check_room(struct call *call, const struct space *space, const struct binding *binding)
{
    uint64_t most = call->hub->settings.limit_names;

    if (names_count(&space->names) < most || peek_bound(call, space, binding) != NULL)
        return HD_OK;
    return heap_fail(call->heap, HD_LIMIT, "namespace '%.*s' holds limits.names (%llu) names", (int)space->name->len,
                     space->name->bytes, (unsigned long long)most);
}

/* Whether what the name is bound to now (NULL: nothing) is what the option `if` asks for. */
static bool condition_holds(const struct call *call, const struct obj *bound)
{
    switch (call->opts.condition) {
    case IF_ABSENT:
        return bound == NULL;
    case IF_PRESENT:
        return bound != NULL;
    case IF_BOUND_TO:
        return bound == call->opts.v[RPC_OPTION_IF].o;
    default:
        return true;
    }
}

enum hd_err do_bind(struct call *call)
{
    const struct binding *binding = &call->args[0].binding;
    struct obj *value = call->args[1].o;
    struct space *space;
    struct obj *old;
    enum hd_err err = writable_space(call, binding, &space);

    if (err == HD_OK && call->opts.condition != IF_ALWAYS &&
        !condition_holds(call, peek_bound(call, space, binding)))
        return reply_bool(call, false);
    if (err == HD_OK)
        err = check_room(call, space, binding);
    if (err == HD_OK && opts_flag(&call->opts, RPC_OPTION_WEAK))
        err = names_bind_weak(call->heap, &space->names, &space->head, binding->name, binding->name_len,
                              value, &old);
    else if (err == HD_OK)
        err = names_bind_take(call->heap, &space->names, binding->name, binding->name_len,
                              &call->args[1].o, &old);
    if (err != HD_OK)
        return err;
    watch_tell(call->hub, space, binding->name, binding->name_len, NAME_BOUND, value->id);
    obj_unref(call->heap, &old);
    return reply_bool(call, true);
}

enum hd_err do_unbind(struct call *call)
{
    const struct binding *binding = &call->args[0].binding;
    struct space *space;
    struct obj *bound;
    enum hd_err err = writable_space(call, binding, &space);

    if (err != HD_OK)
        return err;
    if (call->opts.condition == IF_ABSENT || call->opts.condition == IF_PRESENT)
        return heap_fail(call->heap, HD_BAD_ARGS, "unbind: option 'if' takes a HANDLE");
    bound = peek_bound(call, space, binding);
    if (bound == NULL)
        return heap_fail(call->heap, HD_NO_NAME, "name '%.*s' is not bound in %.*s",
                         (int)(binding->name_len < 100 ? binding->name_len : 100), binding->name,
                         (int)(space->name->len < 60 ? space->name->len : 60), space->name->bytes);
    if (!condition_holds(call, bound))
        return reply_bool(call, false);
    watch_tell(call->hub, space, binding->name, binding->name_len, NAME_UNBOUND, bound->id);
    bound = names_unbind(call->heap, &space->names, binding->name, binding->name_len);
    obj_unref(call->heap, &bound);
    hub_drop_unused_space(call->hub, space);
    return reply_bool(call, true);
}

/* Position behind the name in `after`; a name that is not bound: NO_NAME, for nobody can tell where it was. */
static enum hd_err start_position(struct call *call, const struct names *names, uint32_t *position)
{
    const char *after = call->opts.v[RPC_OPTION_AFTERNAME].text;
    size_t len = call->opts.v[RPC_OPTION_AFTERNAME].len;

    *position = 0;
    if (!opts_has(&call->opts, RPC_OPTION_AFTERNAME))
        return HD_OK;
    *position = names_find(call->heap, names, after, len);
    if (*position == TABLE_NONE)
        return heap_fail(call->heap, HD_NO_NAME, "name '%.*s' is not bound: cannot go on behind it",
                         (int)(len < 100 ? len : 100), after);
    (*position)++;
    return HD_OK;
}

static bool is_wanted(const struct call *call, const struct name *name)
{
    return !opts_has(&call->opts, RPC_OPTION_MATCH) ||
           glob_matches(call->opts.v[RPC_OPTION_MATCH].text, call->opts.v[RPC_OPTION_MATCH].len, name->bytes,
                        name->len);
}

/* Goes through the names from `position`; packs them if `out` is not NULL. Answers how many there are. */
static enum hd_err walk_names(struct call *call, const struct names *names, uint32_t position, struct buf *out,
                              uint64_t *count)
{
    uint64_t most = opts_number(&call->opts, RPC_OPTION_LIMIT, UINT64_MAX);
    const struct name *name;
    struct obj *value;

    *count = 0;
    while (*count < most && names_next(names, &position, &name, &value)) {
        enum hd_err err = heap_work(call->heap, out == NULL);

        if (err != HD_OK)
            return err;
        if (!is_wanted(call, name))
            continue;
        if (value == NULL && names_peek(call->heap, names, name->bytes, name->len) == NULL)
            continue; /* a weak binding whose object is condemned */
        (*count)++;
        if (out != NULL)
            pack_str(out, name->bytes, name->len);
    }
    return HD_OK;
}

enum hd_err do_names(struct call *call)
{
    struct binding binding = {.space = call->args[0].text, .space_len = call->args[0].text_len};
    struct space *space;
    struct buf *out;
    uint32_t position;
    uint64_t count;
    enum hd_err err = names_space(call->session, &binding, &space);

    if (err == HD_OK)
        err = start_position(call, &space->names, &position);
    if (err == HD_OK)
        err = walk_names(call, &space->names, position, NULL, &count);
    if (err != HD_OK)
        return err;
    out = reply_begin(call);
    if (out == NULL)
        return HD_OK;
    pack_array(out, count);
    return walk_names(call, &space->names, position, out, &count);
}

static void pack_space(struct buf *out, const struct space *space)
{
    pack_map(out, 4);
    pack_cstr(out, "name");
    pack_str(out, space->name->bytes, space->name->len);
    pack_cstr(out, "size");
    pack_uint(out, names_count(&space->names));
    pack_cstr(out, "durable");
    pack_bool(out, false);
    pack_cstr(out, "access");
    pack_cstr(out, space->is_readonly ? "read" : "write");
}

enum hd_err do_namespaces(struct call *call)
{
    const struct names *spaces = &call->hub->spaces;
    struct buf *out = reply_begin(call);
    const struct name *name;
    struct obj *space;

    if (out == NULL)
        return HD_OK;
    pack_array(out, (size_t)names_count(spaces) + 1);
    pack_space(out, space_of(call->session->own));
    for (uint32_t at = 0; names_next(spaces, &at, &name, &space);)
        pack_space(out, space_of(space));
    return HD_OK;
}

/* -- handles ------------------------------------------------------------------------------------------------------ */

enum hd_err do_get(struct call *call)
{
    if (call->opts.result == RESULT_VALUE && call->opts.into == 0)
        return reply_value(call, call->args[0].o, UINT64_MAX);
    return reply_object(call, call->args[0].o);
}

enum hd_err do_hold(struct call *call)
{
    if (call->opts.result == RESULT_AUTO)
        call->opts.result = RESULT_HANDLE;
    return reply_object(call, call->args[0].o);
}

/* All numbers are read before any handle goes: a bad one changes nothing. */
static enum hd_err check_handles(struct call *call)
{
    struct reader ahead = call->rest;
    uint64_t number;
    enum hd_err err = HD_OK;

    for (uint32_t i = 0; err == HD_OK && i < call->rest_count; i++)
        err = convert_handle(call->session, &ahead, &number);
    return err;
}

enum hd_err do_release(struct call *call)
{
    uint64_t held = 0;
    enum hd_err err = check_handles(call);

    if (err != HD_OK)
        return err;
    for (uint32_t i = 0; i < call->rest_count; i++) {
        uint64_t number = 0;
        struct obj *o;

        convert_handle(call->session, &call->rest, &number);
        o = handles_remove(call->heap, &call->session->handles, number);
        held += o != NULL;
        obj_unref(call->heap, &o);
    }
    call->hub->counters.unknown_releases += call->rest_count - held;
    return reply_uint(call, held);
}
