/* do_objects.c - making, reading, calling; attributes; weak references; copies. */
#include "daemon/call.h"
#include "daemon/convert.h"
#include "daemon/freeze.h"
#include "store/attr.h"
#include "store/copy.h"
#include "store/kinds/object.h"
#include "store/weak.h"

/* A producer's answer that travels as HANDLE unless the client asks otherwise. */
static enum hd_err reply_made(struct call *call, enum hd_err err, struct obj **o)
{
    return err == HD_OK ? reply_object_take(call, o) : err;
}

enum hd_err do_new(struct call *call)
{
    if (call->opts.result == RESULT_AUTO)
        call->opts.result = RESULT_HANDLE;
    return reply_object(call, call->args[0].o);
}

enum hd_err do_read(struct call *call)
{
    struct obj *o;
    enum hd_err err = obj_through(call->heap, call->args[0].o, &o);

    return err == HD_OK ? reply_value(call, o, opts_number(&call->opts, RPC_OPTION_LEVELS, UINT64_MAX)) : err;
}

/* -- attributes --------------------------------------------------------------------------------------------------- */

enum hd_err do_getattr(struct call *call)
{
    struct obj *value = NULL;
    enum hd_err err =
        obj_getattr(call->heap, call->args[0].o, call->args[1].text, call->args[1].text_len, &value);

    return reply_made(call, err, &value);
}

enum hd_err do_setattr(struct call *call)
{
    struct obj *o;
    enum hd_err err = obj_through(call->heap, call->args[0].o, &o);

    if (err == HD_OK && freeze_holds(call->heap, o))
        return freeze_wait_to_write(call);
    if (err == HD_OK)
        err = obj_setattr(call->heap, o, call->args[1].text, call->args[1].text_len, call->args[2].o);
    return err == HD_OK ? reply_bool(call, true) : err;
}

enum hd_err do_delattr(struct call *call)
{
    struct obj *o;
    enum hd_err err = obj_through(call->heap, call->args[0].o, &o);

    if (err == HD_OK && freeze_holds(call->heap, o))
        return freeze_wait_to_write(call);
    if (err == HD_OK)
        err = obj_delattr(call->heap, o, call->args[1].text, call->args[1].text_len);
    return err == HD_OK ? reply_bool(call, true) : err;
}

enum hd_err do_class(struct call *call)
{
    struct obj *class = NULL;
    enum hd_err err = class_new(call->heap, call->args[0].text, call->args[0].text_len, &class);

    return reply_made(call, err, &class);
}

/* -- identity ----------------------------------------------------------------------------------------------------- */

enum hd_err do_is(struct call *call)
{
    return reply_bool(call, call->args[0].o == call->args[1].o);
}

enum hd_err do_id(struct call *call)
{
    return reply_uint(call, call->args[0].o->id);
}

enum hd_err do_type(struct call *call)
{
    return reply_text(call, obj_type_name(call->args[0].o->type));
}

/* -- weak references ---------------------------------------------------------------------------------------------- */

static enum hd_err make_mailbox(struct call *call)
{
    struct session *session = call->session;

    if (session->mailbox == NULL)
        session->mailbox = mailbox_new(call->heap, session);
    return session->mailbox != NULL ? HD_OK : heap_no_memory(call->heap);
}

enum hd_err do_weakref(struct call *call)
{
    struct obj *o = NULL;
    struct weak *weak;
    bool notify = opts_flag(&call->opts, RPC_OPTION_NOTIFY);
    enum hd_err err = notify ? make_mailbox(call) : HD_OK;

    if (err == HD_OK)
        err = weak_new(call->heap, OBJ_WEAKREF, call->args[0].o, notify ? call->session->mailbox : NULL,
                       &o);
    if (err != HD_OK)
        return err;
    weak = (struct weak *)o;
    err = reply_object_take(call, &o);
    if (err == HD_OK && notify && call->kept != 0)
        weak->number = call->kept;
    return err;
}

enum hd_err do_proxy(struct call *call)
{
    struct obj *o = NULL;
    enum hd_err err = weak_new(call->heap, OBJ_PROXY, call->args[0].o, NULL, &o);

    return reply_made(call, err, &o);
}

enum hd_err do_deref(struct call *call)
{
    struct obj *o = call->args[0].o;
    struct obj *target;

    if (o->type != OBJ_WEAKREF)
        return heap_fail(call->heap, HD_TYPE, "deref takes a weakref, not %s", obj_type_name(o->type));
    target = weak_target_peek(call->heap, o);
    return reply_object(call, target != NULL ? target : call->heap->nil);
}

enum hd_err do_weakrefs(struct call *call)
{
    return reply_uint(call, weak_count(call->heap, call->args[0].o));
}

/* -- copies ------------------------------------------------------------------------------------------------------- */

enum hd_err do_copy(struct call *call)
{
    struct obj *copy = NULL;
    enum hd_err err = obj_copy(call->heap, call->args[0].o, &copy);

    return reply_made(call, err, &copy);
}
