/* link.c - a link's life. */
#include "client/link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The nesting that hello asks for: all that the scanner takes, less what is above a result in a frame. */
#define DEPTH_ASKED 1000

/* Before hello has told: the documented defaults. */
#define SERVER_FRAME_LIMIT (UINT64_C(64) << 20)

#define FRAME_LIMIT ((size_t)128 << 20)
#define FRAME_LIMIT_MIN ((size_t)4096)
#define FRAME_LIMIT_MAX (SIZE_MAX / 4 < UINT32_MAX ? (uint64_t)(SIZE_MAX / 4) : (uint64_t)UINT32_MAX)

/* Bytes of frames that came before, and one read, may lie beside the longest frame. */
#define INPUT_LIMIT(frame_limit) ((frame_limit) * 2 + 65536)

/* -- time and errors ----------------------------------------------------------------------------------------------- */

int64_t link_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t link_deadline(int timeout_ms)
{
    return timeout_ms < 0 ? INT64_MAX : link_now_ms() + timeout_ms;
}

static void set_text(struct hd_link *link, enum hd_status status, const char *format, va_list args)
{
    int len = snprintf(link->text, sizeof link->text, "%s ", hd_status_name(status));

    (void)vsnprintf(link->text + len, sizeof link->text - (size_t)len, format, args);
    link->error = link->text;
}

enum hd_status link_fail(struct hd_link *link, enum hd_status status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    set_text(link, status, format, args);
    va_end(args);
    return status;
}

const char *hd_error(const struct hd_link *link)
{
    return link != NULL ? link->error : "OUT_OF_MEMORY no room for a link";
}

/* -- made and freed ------------------------------------------------------------------------------------------------ */

/* The C library's memory is what a buffer takes that is told of no other. */
static struct buf_memory choose_memory(const struct hd_memory *memory)
{
    struct buf plain;

    if (memory != NULL)
        return (struct buf_memory){.resize = memory->resize, .context = memory->context};
    buf_init(&plain, 0, NULL);
    return *plain.memory;
}

struct hd_link *hd_link_new(const struct hd_memory *memory)
{
    struct buf_memory chosen = choose_memory(memory);
    struct hd_link *link = chosen.resize(chosen.context, NULL, 0, sizeof *link);

    if (link == NULL)
        return NULL;
    *link = (struct hd_link){.memory = chosen, .fd = -1, .ended = HD_LOST, .bucket_count = BUCKETS_FIRST};
    link->error = link->text;
    link->buckets = link->first_buckets;
    TAILQ_INIT(&link->out);
    TAILQ_INIT(&link->all);
    TAILQ_INIT(&link->in_order);
    TAILQ_INIT(&link->by_time);
    TAILQ_INIT(&link->lost);
    buf_init(&link->in, 0, &link->memory);
    buf_init(&link->releases, SIZE_MAX / 2, &link->memory);
    hd_set_frame_limit(link, FRAME_LIMIT);
    return link;
}

static void free_text(struct hd_link *link, char **text)
{
    if (*text != NULL)
        link->memory.resize(link->memory.context, *text, strlen(*text) + 1, 0);
    *text = NULL;
}

void hd_link_free(struct hd_link *link)
{
    if (link == NULL)
        return;
    link->is_ending = true;
    resume_leave(link);
    link_close(link, HD_LOST, "the link was freed");
    hd_call_free(link->asked);
    calls_orphan(link);
    buf_fini(&link->in);
    buf_fini(&link->releases);
    free_text(link, &link->name);
    link->memory.resize(link->memory.context, link, sizeof *link, 0);
}

enum hd_status hd_set_name(struct hd_link *link, const char *name)
{
    char *copy = NULL;

    if (name != NULL) {
        copy = link->memory.resize(link->memory.context, NULL, 0, strlen(name) + 1);
        if (copy == NULL)
            return link_fail(link, HD_OUT_OF_MEMORY, "no room for a name");
        memcpy(copy, name, strlen(name) + 1);
    }
    free_text(link, &link->name);
    link->name = copy;
    return HD_OK;
}

void hd_set_frame_limit(struct hd_link *link, size_t bytes)
{
    uint64_t limit = bytes;

    if (limit < FRAME_LIMIT_MIN)
        limit = FRAME_LIMIT_MIN;
    if (limit > FRAME_LIMIT_MAX)
        limit = FRAME_LIMIT_MAX;
    link->frame_limit = (size_t)limit;
    link->in.limit = INPUT_LIMIT(link->frame_limit);
}

void hd_on_event(struct hd_link *link, hd_event_fn told, void *context)
{
    link->told = told;
    link->told_context = context;
}

enum hd_state hd_state(const struct hd_link *link)
{
    return link->state;
}

const char *hd_peer(const struct hd_link *link)
{
    return link->peer;
}

const struct hd_value *hd_hello(const struct hd_link *link)
{
    return link->state == HD_OPEN ? hd_call_result(link->greeting) : NULL;
}

/* -- closed -------------------------------------------------------------------------------------------------------- */

static void close_socket(struct hd_link *link)
{
    if (link->fd >= 0)
        close(link->fd);
    link->fd = -1;
    link->is_connected = link->is_blocked = false;
    link->write_error = 0;
}

/* Nothing stays of what was to leave and of what came. */
static void clear_streams(struct hd_link *link)
{
    struct frame *frame;

    while ((frame = TAILQ_FIRST(&link->out)) != NULL)
        frame_drop(link, frame);
    if (link->token[0] == '\0') { /* else they go out when it is resumed */
        buf_clear(&link->releases);
        buf_trim(&link->releases);
    }
    buf_clear(&link->in);
    buf_trim(&link->in);
}

void link_close(struct hd_link *link, enum hd_status status, const char *format, ...)
{
    struct hd_call *greeting = link->greeting;
    va_list args;

    if (link->state == HD_CLOSED)
        return;
    va_start(args, format);
    set_text(link, status, format, args);
    va_end(args);
    link->state = HD_CLOSED;
    link->ended = status;
    link->epoch++;
    close_socket(link);
    clear_streams(link);
    link->greeting = NULL;
    hd_call_free(greeting);
    calls_lose(link);
}

void hd_disconnect(struct hd_link *link)
{
    resume_leave(link);
    link_close(link, HD_LOST, "the link was disconnected");
}

/* -- connecting ---------------------------------------------------------------------------------------------------- */

/* Remembers why the current endpoint cannot be reached. */
static void note_failure(struct hd_link *link, int error)
{
    size_t len = strlen(link->tried);
    char text[128];

    (void)snprintf(link->tried + len, sizeof link->tried - len, "%s%s: %s", len > 0 ? "; " : "", link->peer,
                   strerror_r(error, text, sizeof text));
}

static void try_next_endpoint(struct hd_link *link)
{
    while (link->endpoints.next < link->endpoints.count) {
        const struct endpoint *endpoint = &link->endpoints.list[link->endpoints.next++];

        endpoint_text(endpoint, link->peer);
        link->fd = endpoint_open(endpoint, &link->is_connected);
        link->used = link->endpoints.next - 1;
        if (link->fd >= 0)
            return;
        note_failure(link, errno);
    }
    link_close(link, HD_UNREACHABLE, "%s", link->tried);
}

void link_connecting(struct hd_link *link)
{
    int error = endpoint_check(link->fd);

    if (error == EINPROGRESS)
        return;
    if (error == 0) {
        link->is_connected = true;
        return;
    }
    note_failure(link, error);
    close_socket(link);
    try_next_endpoint(link);
}

/* What the server reads; what it does not tell keeps its default. */
static void take_limits(struct hd_link *link, const struct hd_value *hello)
{
    const struct hd_value *limits = hd_get(hello, "limits");
    uint64_t frame = hd_uint(hd_get(limits, "frame"));
    uint64_t depth = hd_uint(hd_get(limits, "depth"));

    if (frame > 0)
        link->limits.frame = frame < FRAME_LIMIT_MAX ? frame : FRAME_LIMIT_MAX;
    if (depth > 0)
        link->limits.depth = (uint32_t)(depth < HD_DEPTH_MAX ? depth : HD_DEPTH_MAX);
}

static void be_greeted(struct hd_call *call, void *context)
{
    struct hd_link *link = context;
    const struct hd_value *hello = hd_call_result(call);
    enum hd_status status = hd_call_status(call);
    const char *sentence = strchr(hd_call_error(call), ' ');

    if (status != HD_OK) {
        if (status != HD_LOST && status != HD_EXPIRED)
            resume_forget(link); /* the server's own word */
        link_close(link, status, "%s", sentence != NULL ? sentence + 1 : hd_call_error(call));
    } else if (hd_kind(hello) != HD_MAP) {
        link_close(link, HD_LOST, "%s answered hello with something that is no map", link->peer);
    } else {
        link->state = HD_OPEN;
        link->deadline = INT64_MAX;
        take_limits(link, hello);
        resume_greeted(link, hello);
    }
}

static enum hd_status send_hello(struct hd_link *link, const char *space)
{
    struct hd_call *call = hd_call_new(link, "hello");

    if (call == NULL)
        return HD_OUT_OF_MEMORY;
    link->greeting = call;
    hd_put_map(call, 2 + (link->name != NULL) + (*space != '\0') + resume_options(link));
    hd_put(call, "sssi", "refs", "ext", "depth", DEPTH_ASKED);
    if (link->name != NULL)
        hd_put(call, "ss", "name", link->name);
    if (*space != '\0')
        hd_put(call, "ss", "namespace", space);
    resume_put(link, call);
    return hd_call_send(call, HD_FOREVER, be_greeted, link);
}

static enum hd_status find_endpoints(struct hd_link *link, const char *address, struct url *url)
{
    const char *wrong = url_parse(url, address);

    if (wrong != NULL)
        return link_fail(link, HD_USAGE, "'%s' is no address: %s", address, wrong);
    wrong = endpoints_add(&link->endpoints, url);
    if (wrong != NULL)
        return link_fail(link, HD_UNREACHABLE, "%s: %s", address, wrong);
    return HD_OK;
}

/* $HEAPD_URL, or the Unix socket and then TCP. */
static enum hd_status find_default_endpoints(struct hd_link *link, struct url *url)
{
    const char *address = getenv("HEAPD_URL");

    if (address != NULL && *address != '\0')
        return find_endpoints(link, address, url);
    if (url_default_socket(url))
        endpoints_add(&link->endpoints, url);
    return find_endpoints(link, "127.0.0.1:" HD_DEFAULT_PORT, url);
}

static void begin(struct hd_link *link, int timeout_ms)
{
    link->state = HD_CONNECTING;
    link->ended = HD_LOST;
    link->epoch++;
    link->deadline = link_deadline(timeout_ms);
    link->limits = (struct feed_limits){SERVER_FRAME_LIMIT, HD_DEPTH_DEFAULT};
    link->goodbye[0] = link->tried[0] = link->text[0] = '\0';
    link->error = link->text;
    if (!link->is_resuming) {
        link->next_into = 1;
        link->next_msgid = 0; /* else the answers of lost calls may come yet */
    }
    feed_start(&link->feed, link->feed_stack);
}

/* Tries the endpoints from the next one on. */
static enum hd_status start(struct hd_link *link, const char *space, int timeout_ms)
{
    enum hd_status status;

    begin(link, timeout_ms);
    status = send_hello(link, space);
    if (status != HD_OK)
        link_close(link, status, "no room for hello");
    else
        try_next_endpoint(link);
    return link->state == HD_CLOSED ? link->ended : HD_OK;
}

enum hd_status hd_connect_start(struct hd_link *link, const char *address, int timeout_ms)
{
    struct url url;
    enum hd_status status;

    if (link->state != HD_CLOSED || link->is_ending)
        return link_fail(link, HD_USAGE, "the link is connected already");
    link->endpoints.count = link->endpoints.next = 0;
    status = address != NULL ? find_endpoints(link, address, &url) : find_default_endpoints(link, &url);
    if (status != HD_OK)
        return status;
    resume_forget(link);
    buf_clear(&link->releases);
    return start(link, url.space, timeout_ms);
}

enum hd_status hd_resume_start(struct hd_link *link, int timeout_ms)
{
    if (!hd_can_resume(link) || link->is_ending)
        return link_fail(link, HD_USAGE, "there is no lost connection whose session lingers");
    link->endpoints.next = link->used;
    link->is_resuming = true;
    return start(link, "", timeout_ms);
}

/* Waits until the connection is open or has failed. */
static enum hd_status wait_until_open(struct hd_link *link, enum hd_status status)
{
    while (status == HD_OK && link->state == HD_CONNECTING)
        status = hd_poll(link, HD_FOREVER);
    return status;
}

enum hd_status hd_connect(struct hd_link *link, const char *address, int timeout_ms)
{
    if (link->callbacks > 0)
        return link_fail(link, HD_USAGE, "hd_connect in a callback");
    return wait_until_open(link, hd_connect_start(link, address, timeout_ms));
}

enum hd_status hd_resume(struct hd_link *link, int timeout_ms)
{
    if (link->callbacks > 0)
        return link_fail(link, HD_USAGE, "hd_resume in a callback");
    return wait_until_open(link, hd_resume_start(link, timeout_ms));
}
