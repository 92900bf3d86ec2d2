/* quota.c - see quota.h. */
#include "daemon/quota.h"

#include "daemon/state.h"

uint64_t quota_cost(const struct session *session)
{
    uint64_t tables = session->handles.bytes;
    uint64_t grown = session->grown > 0 ? (uint64_t)session->grown : 0; /* below 0: it let die what others made */

    return (grown > tables ? grown : tables) + buf_pending(&session->in) + buf_pending(&session->out) +
           buf_pending(&session->held) + events_kept_bytes(session) + linger_size(session);
}

/* Bytes that are left; UINT64_MAX without a limit. */
static uint64_t measure_left(const struct session *session)
{
    uint64_t limit = session->hub->settings.limit_session_bytes;
    uint64_t cost = limit != 0 ? quota_cost(session) : 0;

    if (limit == 0)
        return UINT64_MAX;
    return cost < limit ? limit - cost : 0;
}

bool quota_allows(const struct session *session, uint64_t more)
{
    return more <= measure_left(session);
}

bool quota_begin(struct session *session)
{
    struct buf *out = &session->out;
    uint64_t left, room;

    if (session->hub->settings.limit_session_bytes == 0)
        return false;
    left = measure_left(session);
    room = left > QUOTA_REPLY_ROOM ? left : QUOTA_REPLY_ROOM;
    pool_set_ceiling(session->hub->heap->pool, left);
    if (room < out->limit - out->len)
        out->limit = out->len + room;
    return true;
}

void quota_end(struct session *session)
{
    pool_end_ceiling(session->hub->heap->pool);
    session_configure(session);
}
