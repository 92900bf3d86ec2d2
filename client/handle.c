/* handle.c - handles on their way back: collected, and released many at a time. */
#include "client/link.h"

#include <string.h>

/* So many go into one notification; when so many are collected they are queued without being asked for. */
#define BATCH ((size_t)1024)

/* Nobody holds anything then. */
static bool has_no_session(const struct hd_link *link)
{
    return link->state != HD_OPEN && link->token[0] == '\0';
}

static void collect(struct hd_link *link, uint64_t handle)
{
    buf_append(&link->releases, &handle, sizeof handle);
}

/* Room for `count` handles more; false without memory. */
static bool reserve(struct hd_link *link, size_t count)
{
    bool has_room = buf_reserve(&link->releases, count * sizeof(uint64_t));

    buf_rewind(&link->releases, link->releases.len); /* forgets a failure: nothing was written */
    return has_room;
}

/* A notification with the first handles that were collected. */
static struct frame *batch(struct hd_link *link, size_t count)
{
    struct frame *frame = frame_new(&link->memory, 0);

    if (frame == NULL)
        return NULL;
    pack_array(&frame->bytes, 3);
    pack_uint(&frame->bytes, 2);
    pack_cstr(&frame->bytes, "release");
    pack_array(&frame->bytes, count);
    for (size_t i = 0; i < count; i++) {
        uint64_t handle;
        memcpy(&handle, link->releases.bytes + link->releases.sent + i * sizeof handle, sizeof handle);
        pack_uint(&frame->bytes, handle);
    }
    if (!frame->bytes.failed)
        return frame;
    frame_free(frame);
    return NULL;
}

bool handles_queue(struct hd_link *link)
{
    size_t waiting;

    while ((waiting = buf_pending(&link->releases) / sizeof(uint64_t)) > 0) {
        size_t count = waiting < BATCH ? waiting : BATCH;
        struct frame *frame = batch(link, count);

        if (frame == NULL)
            return false;
        TAILQ_INSERT_TAIL(&link->out, frame, link);
        buf_taken(&link->releases, count * sizeof(uint64_t));
    }
    return true;
}

/* Many are queued at once. If that fails they are still collected. */
static void queue_many(struct hd_link *link)
{
    if (link->state == HD_OPEN && buf_pending(&link->releases) >= BATCH * sizeof(uint64_t))
        handles_queue(link);
}

enum hd_status hd_release(struct hd_link *link, uint64_t handle)
{
    if (has_no_session(link))
        return HD_OK;
    if (!reserve(link, 1))
        return link_fail(link, HD_OUT_OF_MEMORY, "no room to release a handle");
    collect(link, handle);
    queue_many(link);
    return HD_OK;
}

/* Counts the handles of a value; collects them if told to. */
static size_t visit_handles(struct hd_link *link, const struct hd_value *value, bool to_collect)
{
    const struct hd_value *at;
    struct walk walk;
    size_t count = 0;

    walk_start(&walk, value);
    while ((at = walk_next(&walk)) != NULL) {
        if (hd_kind(at) != HD_HANDLE)
            continue;
        count++;
        if (to_collect)
            collect(link, hd_handle(at));
    }
    return count;
}

enum hd_status hd_release_all(struct hd_link *link, const struct hd_value *value)
{
    if (has_no_session(link))
        return HD_OK;
    if (!reserve(link, visit_handles(link, value, false)))
        return link_fail(link, HD_OUT_OF_MEMORY, "no room to release handles");
    visit_handles(link, value, true);
    queue_many(link);
    return HD_OK;
}

/* The same in a frame, where they come by one after another, whatever they are nested in. */
static size_t visit_frame(struct hd_link *link, const char *frame, size_t len, bool to_collect)
{
    struct reader reader = {frame, frame + len};
    struct handle_parts parts;
    struct wire wire;
    size_t count = 0;

    while ((wire = read_next(&reader)).kind != WIRE_END) {
        if (!value_is_handle(&wire, &parts))
            continue;
        count++;
        if (to_collect)
            collect(link, parts.part[0]);
    }
    return count;
}

bool handles_collect(struct hd_link *link, const char *frame, size_t len)
{
    if (has_no_session(link))
        return true;
    if (!reserve(link, visit_frame(link, frame, len, false)))
        return false;
    visit_frame(link, frame, len, true);
    queue_many(link);
    return true;
}

uint64_t hd_choose_handle(struct hd_link *link)
{
    return link->next_into <= (uint64_t)HD_HANDLE_CLIENT_MAX ? link->next_into++ : 0;
}
