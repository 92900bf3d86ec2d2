/* do_serial.c - graphs as bytes, and back. */
#include "daemon/call.h"
#include "daemon/convert.h"
#include "store/kinds/atoms.h"
#include "store/serial.h"

enum hd_err do_dump(struct call *call)
{
    struct serial_blob blob;
    struct buf *out;
    enum hd_err err = serial_dump(call->heap, call->args[0].o, call->hub->settings.limit_read, &blob);

    if (err != HD_OK)
        return err;
    out = reply_begin(call);
    if (out != NULL)
        pack_bin(out, blob.bytes, blob.len);
    serial_blob_free(call->heap, &blob);
    return HD_OK;
}

/* What a name is bound to, by the rule of targets. */
static struct obj *find_by_name(void *context, const char *name, size_t len)
{
    struct call *call = context;
    struct binding binding = {.name = name, .name_len = len};
    struct obj *found = NULL;

    return names_lookup(call->session, &binding, &found) == HD_OK ? found : NULL;
}

/* A graph with a cycle in it would not die of an answer that cannot be sent: it is taken apart. */
static enum hd_err reply_loaded(struct call *call, struct serial_loaded *loaded)
{
    struct obj *root = obj_ref(loaded->root);
    enum hd_err err = reply_object_take(call, &root);

    if (err == HD_OK)
        serial_keep(call->heap, loaded);
    else
        serial_undo(call->heap, loaded);
    return err;
}

enum hd_err do_load(struct call *call)
{
    struct serial_classes classes = {find_by_name, call};
    bool by_name = opts_number(&call->opts, RPC_OPTION_CLASSES, 0) == 1;
    struct text *blob = text_of(call->args[0].o);
    struct serial_loaded loaded;
    enum hd_err err;

    if (blob->head.type != OBJ_BYTES)
        return heap_fail(call->heap, HD_BAD_ARGS, "load: 'blob' is a bin, not %s", obj_type_name(blob->head.type));
    err = serial_load(call->heap, blob->bytes, blob->len, by_name ? &classes : NULL, &loaded);
    if (err != HD_OK)
        return err;
    if (call->opts.result == RESULT_AUTO)
        call->opts.result = RESULT_HANDLE;
    return reply_loaded(call, &loaded);
}
