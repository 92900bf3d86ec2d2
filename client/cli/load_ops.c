/* load_ops.c - the operations of heap-cli bench: a few that stand for what clients do. */
#include "client/cli/load.h"

#define SPACE "session" /* a name in it is the session's own, whatever namespace it works in */

/* A request with parameters as hd_put takes them; NULL without memory, for load_send. */
static struct hd_call *make_call(struct slot *slot, const char *method, const char *format, ...)
{
    struct hd_call *call = hd_call_new(slot->link, method);
    va_list args;

    if (call == NULL)
        return NULL;
    va_start(args, format);
    hd_put_va(call, format, args);
    va_end(args);
    return call;
}

static enum hd_status ping(struct slot *slot)
{
    return load_send_last(slot, make_call(slot, "ping", NULL));
}

static enum hd_status prepare_get(struct hd_link *link, int timeout_ms)
{
    return hd_ask(link, timeout_ms, "bind", "[ss] i", SPACE, "number", 1000);
}

static enum hd_status get(struct slot *slot)
{
    return load_send_last(slot, make_call(slot, "get", "[ss]", SPACE, "number"));
}

static enum hd_status bind(struct slot *slot)
{
    return load_send_last(slot, make_call(slot, "bind", "[ss] s", SPACE, "text", "some text"));
}

static enum hd_status prepare_add(struct hd_link *link, int timeout_ms)
{
    return hd_ask(link, timeout_ms, "bind", "[ss] {si}", SPACE, "counts", "key", 0);
}

static enum hd_status add(struct slot *slot)
{
    return load_send_last(slot, make_call(slot, "call", "[ss] s [s]", SPACE, "counts", "add", "key"));
}

static enum hd_status make(struct slot *slot)
{
    return load_send_last(slot, make_call(slot, "new", "[ii] {ss su}", 1, 2, "result", "none", "into", slot->handle));
}

static enum hd_status release(struct slot *slot)
{
    return hd_release(slot->link, slot->handle);
}

/* An object dies of which a weak reference is watched. */
static enum hd_status make_and_drop(struct slot *slot)
{
    enum hd_status status =
        load_send(slot, make_call(slot, "new", "[] {ss su}", "result", "none", "into", slot->handle));

    if (status == HD_OK)
        status = load_send(slot, make_call(slot, "weakref", "u {sb ss su}", slot->handle, "notify", 1, "result", "none",
                                           "into", slot->handle + 1));
    return status == HD_OK ? hd_release(slot->link, slot->handle) : status;
}

static enum hd_status release_weakref(struct slot *slot)
{
    return hd_release(slot->link, slot->handle + 1);
}

const struct load_op load_ops[] = {
    {"ping()", "", NULL, ping, NULL},
    {"get(name)", "of an int", prepare_get, get, NULL},
    {"bind(name, value)", "a str of 9 bytes", NULL, bind, NULL},
    {"call(dict, \"add\", [key])", "", prepare_add, add, NULL},
    {"new([1, 2]), release", "", NULL, make, release},
    {"new, weakref, release", "until the event `dead` comes", NULL, make_and_drop, release_weakref},
};

const unsigned load_op_count = sizeof load_ops / sizeof load_ops[0];
