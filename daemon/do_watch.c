/* do_watch.c - watching names. */
#include "daemon/call.h"
#include "daemon/convert.h"

enum hd_err do_watch(struct call *call)
{
    const struct binding *binding = &call->args[0].binding;
    struct space *space;
    enum hd_err err = names_space(call->session, binding, &space);

    if (err == HD_OK)
        err = watch_add(call->session, space, binding->name, binding->name_len,
                        opts_flag(&call->opts, RPC_OPTION_GLOB));
    return err == HD_OK ? reply_bool(call, true) : err;
}

enum hd_err do_unwatch(struct call *call)
{
    const struct binding *binding = &call->args[0].binding;
    struct space *space;
    enum hd_err err = names_space(call->session, binding, &space);

    if (err != HD_OK)
        return err;
    return reply_bool(call, watch_remove(call->session, space, binding->name, binding->name_len));
}
