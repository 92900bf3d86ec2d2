/* resume.c - sessions that go on after their connection is lost. */
#include "client/link.h"

#include <string.h>

void hd_set_linger(struct hd_link *link, double seconds)
{
    link->linger_s = seconds > 0 ? seconds : 0;
}

bool hd_can_resume(const struct hd_link *link)
{
    return link->state == HD_CLOSED && link->token[0] != '\0';
}

void resume_forget(struct hd_link *link)
{
    memset(link->token, 0, sizeof link->token);
    link->seen = link->answered = 0;
    link->is_resuming = false;
}

void resume_greeted(struct hd_link *link, const struct hd_value *hello)
{
    const struct hd_value *token = hd_get(hello, "token");

    if (hd_kind(token) == HD_STR && hd_len(token) < sizeof link->token)
        memcpy(link->token, hd_str(token), hd_len(token) + 1);
}

size_t resume_options(const struct hd_link *link)
{
    if (link->is_resuming)
        return 3;
    return link->linger_s > 0 ? 1 : 0;
}

void resume_put(struct hd_link *link, struct hd_call *hello)
{
    if (link->is_resuming)
        hd_put(hello, "sssusu", "resume", link->token, "seen", link->seen, "answered", link->answered);
    else if (link->linger_s > 0)
        hd_put(hello, "sd", "linger", link->linger_s);
}

void resume_count(struct hd_link *link, const struct hd_call *answered)
{
    if (!link->is_resuming || answered == NULL || answered != link->greeting)
        link->answered++;
}

void resume_leave(struct hd_link *link)
{
    if (link->token[0] != '\0' && link->state == HD_OPEN && hd_notify(link, "bye", NULL) == HD_OK)
        frames_write(link);
    resume_forget(link);
}
