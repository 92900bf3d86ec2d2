/* ask.c - one call after another. */
#include "client/link.h"

/* The call is over: what hd_error says of it. A lost connection has said it already. */
static enum hd_status tell(struct hd_link *link, struct hd_call *call)
{
    if (call->status != HD_OK && call->status != HD_LOST)
        link->error = call->text;
    return call->status;
}

enum hd_status hd_ask_va(struct hd_link *link, int timeout_ms, const char *method, const char *format, va_list args)
{
    struct hd_call *call;
    enum hd_status status;

    if (link->callbacks > 0)
        return link_fail(link, HD_USAGE, "hd_ask in a callback");
    if (link->asked != NULL && link->error == link->asked->text)
        link->error = link->text;
    hd_call_free(link->asked);
    link->asked = call = hd_call_new(link, method);
    if (call == NULL)
        return link_fail(link, HD_OUT_OF_MEMORY, "no room for a request");
    hd_put_va(call, format, args);
    status = hd_call_send(call, timeout_ms, NULL, NULL);
    if (status != HD_OK)
        return status;
    hd_call_wait(call);
    return tell(link, call);
}

enum hd_status hd_ask(struct hd_link *link, int timeout_ms, const char *method, const char *format, ...)
{
    enum hd_status status;
    va_list args;

    va_start(args, format);
    status = hd_ask_va(link, timeout_ms, method, format, args);
    va_end(args);
    return status;
}

const struct hd_value *hd_answer(const struct hd_link *link)
{
    return link->asked != NULL ? hd_call_result(link->asked) : NULL;
}
