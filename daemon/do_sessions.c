/* do_sessions.c - sessions and kill: who is here, and out with them. For administrators. */
#include <string.h>

#include "daemon/call.h"
#include "store/kinds/atoms.h"

static void pack_row(struct buf *out, const struct session *session)
{
    char text[PEER_TEXT];

    pack_map(out, 8);
    pack_cstr(out, "session");
    pack_uint(out, session->number);
    pack_cstr(out, "name");
    if (session->client != NULL)
        pack_str(out, session->client->bytes, session->client->len);
    else
        pack_nil(out);
    pack_cstr(out, "address");
    peer_text(&session->peer, text);
    pack_cstr(out, text);
    pack_cstr(out, "user");
    if (peer_user_text(&session->peer, text))
        pack_cstr(out, text);
    else
        pack_nil(out);
    pack_cstr(out, "handles");
    pack_uint(out, session->handles.count);
    pack_cstr(out, "names");
    pack_uint(out, names_count(&space_of(session->own)->names));
    pack_cstr(out, "bytes");
    pack_uint(out, quota_cost(session));
    pack_cstr(out, "lingering");
    pack_bool(out, session->is_detached);
}

/* Those that end are not listed. */
static bool is_alive(const struct session *session)
{
    return !session->is_closed && !session->is_over;
}

/* The first one, NULL if there is none, and how many there are. */
static const struct session *find_first(const struct hub *hub, size_t *count)
{
    const struct session *first = NULL;

    *count = 0;
    for (const struct session *session = hub->sessions; session != NULL; session = session->next)
        if (is_alive(session)) {
            first = session; /* the list begins with the latest */
            ++*count;
        }
    return first;
}

enum hd_err do_sessions(struct call *call)
{
    size_t count;
    const struct session *session = find_first(call->hub, &count);
    enum hd_err err = heap_work(call->heap, count);
    struct buf *out = err == HD_OK ? reply_begin(call) : NULL;

    if (out == NULL)
        return err;
    pack_array(out, count);
    for (; session != NULL; session = session->prev)
        if (is_alive(session))
            pack_row(out, session);
    return HD_OK;
}

enum hd_err do_kill(struct call *call)
{
    struct session *session = call->hub->sessions;
    int64_t number;

    if (call->args[0].o->type != OBJ_INT)
        return heap_fail(call->heap, HD_BAD_ARGS, "kill: 'session' is an int");
    number = int_value(call->args[0].o);
    while (session != NULL && ((int64_t)session->number != number || !is_alive(session)))
        session = session->next;
    if (session == NULL)
        return heap_fail(call->heap, HD_VALUE, "there is no session %lld", (long long)number);
    if (session == call->session && call->is_step)
        return heap_fail(call->heap, HD_BAD_ARGS, "kill: a session cannot end itself within a batch");
    session_bye(session, "ended by an administrator");
    if (session == call->session)
        call->reply_at = session->out.len; /* the answer stands behind it */
    return reply_bool(call, true);
}
