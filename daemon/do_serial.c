/* do_serial.c - graphs as bytes, and back. */
#include "daemon/call.h"
#include "daemon/convert.h"
#include "daemon/freeze.h"
#include "store/kinds/atoms.h"
#include "store/serial.h"

/* -- dump, in slices if it is long (freeze.h) ---------------------------------------------------------------------- */

struct dumping {
    struct hub *hub;
    struct dump *dump;       /* NULL once it is done: */
    struct serial_blob blob; /* what it gave, */
    enum hd_err err;
    size_t packed;           /* and how much of it stands in the answer */
    struct buf answer;
};

static bool run_dump(void *state, size_t budget)
{
    struct dumping *d = state;
    struct dump *dump = d->dump;

    if (dump == NULL)
        return d->err != HD_OK || reply_append_some(&d->answer, d->blob.bytes, d->blob.len, &d->packed, budget);
    if (!serial_dump_run(dump, budget))
        return false;
    d->err = serial_dump_result(dump, &d->blob);
    if (d->err != HD_OK)
        return true;
    serial_dump_close(dump);
    d->dump = NULL;
    reply_front(&d->answer);
    pack_bin_head(&d->answer, d->blob.len);
    buf_reserve(&d->answer, d->blob.len);
    return false;
}

static enum hd_err answer_dump(struct call *call, void *state)
{
    struct dumping *d = state;

    return d->err != HD_OK ? serial_dump_result(d->dump, &d->blob) : reply_adopt(call, &d->answer);
}

static void close_dump(void *state)
{
    struct dumping *d = state;

    if (d->dump != NULL)
        serial_dump_close(d->dump);
    serial_blob_free(d->hub->heap, &d->blob);
    buf_fini(&d->answer);
    hub_free(d->hub, d, sizeof *d);
}

static void dump_roots(void *state, void (*visit)(void *arg, struct obj *o), void *arg)
{
    struct dumping *d = state;

    if (d->dump != NULL)
        serial_dump_roots(d->dump, visit, arg);
}

static const struct long_work dump_work = {true, run_dump, answer_dump, close_dump, close_dump, dump_roots};

enum hd_err do_dump(struct call *call)
{
    struct dumping *d = hub_alloc(call->hub, sizeof *d);
    enum hd_err err;

    if (d == NULL)
        return heap_no_memory(call->heap);
    *d = (struct dumping){.hub = call->hub};
    buf_init(&d->answer, SIZE_MAX / 2, &call->hub->streams);
    err = serial_dump_open(call->heap, call->args[0].o, call->hub->settings.limit_read, &d->dump);
    if (err == HD_OK)
        return freeze_run(call, &dump_work, d);
    hub_free(call->hub, d, sizeof *d);
    return err;
}

/* -- load, in slices if it is long: nobody else comes to what is being made ---------------------------------------- */

struct loader {
    struct session *session;
    struct loading *loading;
    struct obj *blob; /* owned: its bytes are read until the end */
    struct serial_classes classes;
    bool by_name;
};

/* What a name is bound to, by the rule of targets. */
static struct obj *find_by_name(void *context, const char *name, size_t len)
{
    struct session *session = context;
    struct binding binding = {.name = name, .name_len = len};
    struct obj *found = NULL;

    return names_lookup(session, &binding, &found) == HD_OK ? found : NULL;
}

static bool run_load(void *state, size_t budget)
{
    const struct loader *loader = state;

    return serial_load_run(loader->loading, loader->by_name ? SIZE_MAX : budget);
}

/* A graph with a cycle in it would not die of an answer that cannot be sent: it is taken apart. */
static enum hd_err answer_load(struct call *call, void *state)
{
    const struct loader *loader = state;
    struct serial_loaded loaded;
    struct obj *root;
    enum hd_err err = serial_load_result(loader->loading, &loaded);

    if (err != HD_OK)
        return err;
    root = obj_ref(loaded.root);
    err = reply_object_take(call, &root);
    if (err == HD_OK)
        serial_keep(call->heap, &loaded);
    else
        serial_undo(call->heap, &loaded);
    return err;
}

static void free_loader(struct loader *loader)
{
    struct hub *hub = loader->session->hub;

    obj_unref(hub->heap, &loader->blob);
    hub_free(hub, loader, sizeof *loader);
}

static void close_load(void *state)
{
    struct loader *loader = state;

    serial_load_close(loader->loading);
    free_loader(loader);
}

static void cancel_load(void *state)
{
    struct loader *loader = state;

    serial_load_cancel(loader->loading);
    free_loader(loader);
}

static void load_roots(void *state, void (*visit)(void *arg, struct obj *o), void *arg)
{
    const struct loader *loader = state;

    visit(arg, loader->blob);
    serial_load_roots(loader->loading, visit, arg);
}

static const struct long_work load_work = {false, run_load, answer_load, close_load, cancel_load, load_roots};

enum hd_err do_load(struct call *call)
{
    struct obj *blob = call->args[0].o;
    struct loader *loader;
    enum hd_err err;

    if (blob->type != OBJ_BYTES)
        return heap_fail(call->heap, HD_BAD_ARGS, "load: 'blob' is a bin, not %s", obj_type_name(blob->type));
    loader = hub_alloc(call->hub, sizeof *loader);
    if (loader == NULL)
        return heap_no_memory(call->heap);
    *loader = (struct loader){.session = call->session, .blob = obj_ref(blob), .classes = {find_by_name, call->session},
                              .by_name = opts_number(&call->opts, RPC_OPTION_CLASSES, 0) == 1};
    err = serial_load_open(call->heap, text_of(blob)->bytes, text_of(blob)->len,
                           loader->by_name ? &loader->classes : NULL, &loader->loading);
    if (err != HD_OK) {
        free_loader(loader);
        return err;
    }
    if (call->opts.result == RESULT_AUTO)
        call->opts.result = RESULT_HANDLE;
    return freeze_run(call, &load_work, loader);
}
