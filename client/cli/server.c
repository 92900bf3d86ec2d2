/* server.c - see server.h. */
#include "client/cli/server.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/visit.h"

#define LOOK_MS 250 /* a signal that comes just before a wait is seen after so long */

/* An answer that is kept. */
struct kept {
    struct kept *next;
    struct hd_call *call; /* owned */
    bool is_disowned;     /* its handle has another holder */
};

volatile sig_atomic_t server_interrupted;

/* -- failures ----------------------------------------------------------------------------------------------------- */

bool server_fail(struct server *server, enum hd_status status, const char *format, ...)
{
    int len = snprintf(server->error, sizeof server->error, "%s ", hd_status_name(status));
    va_list args;

    server->status = status;
    va_start(args, format);
    vsnprintf(server->error + len, sizeof server->error - (size_t)len, format, args);
    va_end(args);
    return false;
}

/* As the library or the server said it: with its code. */
static void fail_with(struct server *server, enum hd_status status, const char *text)
{
    server->status = status;
    snprintf(server->error, sizeof server->error, "%s", text);
}

static void no_memory(struct server *server)
{
    server_fail(server, HD_OUT_OF_MEMORY, "out of memory");
}

int server_exit_status(enum hd_status status)
{
    switch (status) {
    case HD_OK:
        return EXIT_DONE;
    case HD_USAGE:
        return EXIT_USAGE;
    case HD_UNREACHABLE:
    case HD_LOST:
        return EXIT_LOST;
    case HD_DENIED:
        return EXIT_REFUSED;
    case HD_EXPIRED:
    case HD_TIMEOUT:
        return EXIT_TIMED_OUT;
    default:
        return EXIT_ERROR;
    }
}

/* -- events ------------------------------------------------------------------------------------------------------- */

/* Only marks the watch: whoever goes through the list may be waiting just now. */
static void mark_dead(struct server *server, uint64_t handle, const char *cause)
{
    for (struct watch *watch = server->watches; watch != NULL; watch = watch->next) {
        if (watch->handle != handle || watch->died != 0)
            continue;
        watch->died = ++server->deaths;
        snprintf(watch->cause, sizeof watch->cause, "%s", cause);
    }
}

/* Without memory nothing is told. */
static void add_notice(struct server *server, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add_notice(struct server *server, const char *format, ...)
{
    char text[300];
    struct notice *notice;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    notice = malloc(sizeof *notice + strlen(text) + 1);
    if (notice == NULL)
        return;
    notice->next = NULL;
    strcpy(notice->text, text);
    if (server->notices == NULL)
        server->notices = notice;
    else
        server->last_notice->next = notice;
    server->last_notice = notice;
}

/* [seq, namespace, name, change, id] */
static void notice_name(struct server *server, const struct hd_value *params)
{
    for (size_t i = 1; i <= 3; i++)
        if (hd_kind(hd_at(params, i)) != HD_STR)
            return;
    add_notice(server, "%.100s.%.100s %.20s (#%llu)", hd_str(hd_at(params, 1)), hd_str(hd_at(params, 2)),
               hd_str(hd_at(params, 3)), (unsigned long long)hd_uint(hd_at(params, 4)));
}

static void on_event(struct hd_link *link, const char *event, const struct hd_value *params, void *context)
{
    struct server *server = context;
    const struct hd_value *told = hd_at(params, 2);

    (void)link;
    if (strcmp(event, "dead") == 0 && hd_kind(hd_at(params, 1)) == HD_STR) {
        for (size_t i = 0; i < hd_len(told); i++)
            mark_dead(server, hd_uint(hd_at(told, i)), hd_str(hd_at(params, 1)));
    } else if (strcmp(event, "name") == 0) {
        notice_name(server, params);
    } else if (strcmp(event, "lost") == 0) {
        add_notice(server, "%llu events are lost", (unsigned long long)hd_uint(hd_at(params, 1)));
    } else if (strcmp(event, "bye") == 0 && hd_kind(hd_at(params, 1)) == HD_STR) {
        free(server->farewell);
        server->farewell = strdup(hd_str(hd_at(params, 1)));
    }
}

/* -- connecting --------------------------------------------------------------------------------------------------- */

bool server_open(struct server *server, const char *address, int timeout_ms)
{
    *server = (struct server){.address = address, .timeout_ms = timeout_ms};
    server->link = hd_link_new(NULL);
    if (server->link == NULL || hd_set_name(server->link, "heap-cli") != HD_OK) {
        hd_link_free(server->link);
        server->link = NULL;
        return server_fail(server, HD_OUT_OF_MEMORY, "out of memory");
    }
    hd_on_event(server->link, on_event, server);
    return true;
}

static void free_watches(struct server *server)
{
    while (server->watches != NULL) {
        struct watch *next = server->watches->next;

        free(server->watches);
        server->watches = next;
    }
}

struct notice *server_take_notice(struct server *server)
{
    struct notice *notice = server->notices;

    if (notice != NULL)
        server->notices = notice->next;
    return notice;
}

static void free_notices(struct server *server)
{
    struct notice *notice;

    while ((notice = server_take_notice(server)) != NULL)
        free(notice);
}

static void forget_namespaces(struct server *server)
{
    hd_call_free(server->namespaces);
    server->namespaces = NULL;
}

static void free_kept(struct server *server)
{
    while (server->kept != NULL) {
        struct kept *next = server->kept->next;

        hd_call_free(server->kept->call);
        free(server->kept);
        server->kept = next;
    }
    server->held.count = 0;
}

/* Waits until the connection that was begun is open; false: it failed, or SIGINT came. */
static bool wait_until_open(struct server *server, enum hd_status status)
{
    while (hd_state(server->link) == HD_CONNECTING && !server_interrupted)
        status = hd_poll(server->link, LOOK_MS);
    if (hd_state(server->link) == HD_OPEN)
        return true;
    if (hd_state(server->link) == HD_CLOSED) {
        fail_with(server, status, hd_error(server->link));
        return false;
    }
    server_interrupted = 0;
    hd_disconnect(server->link);
    return server_fail(server, HD_CANCELLED, "interrupted while connecting");
}

bool server_connect(struct server *server)
{
    free_watches(server);
    forget_namespaces(server);
    free_kept(server);
    free(server->farewell);
    server->farewell = NULL;
    hd_disconnect(server->link);
    return wait_until_open(server, hd_connect_start(server->link, server->address, server->timeout_ms));
}

bool server_resume(struct server *server)
{
    return wait_until_open(server, hd_resume_start(server->link, server->timeout_ms));
}

void server_close(struct server *server)
{
    free_kept(server);
    forget_namespaces(server);
    hd_link_free(server->link);
    free_watches(server);
    free_notices(server);
    free(server->farewell);
    free(server->held.ids);
    *server = (struct server){0};
}

/* -- what is held ------------------------------------------------------------------------------------------------- */

static bool hold_id(struct held *held, uint64_t id)
{
    if (held->count == held->capacity) {
        size_t capacity = held->capacity > 0 ? held->capacity * 2 : 64;
        uint64_t *ids = realloc(held->ids, capacity * sizeof *ids);

        if (ids == NULL)
            return false;
        held->ids = ids;
        held->capacity = capacity;
    }
    held->ids[held->count++] = id;
    held->is_sorted = false;
    return true;
}

static bool hold_all(struct server *server, const struct hd_value *answer)
{
    struct visit visit;
    const struct hd_value *value;
    enum visit_step step;

    visit_start(&visit, answer);
    while ((step = visit_next(&visit, &value)) != VISIT_END)
        if (step == VISIT_SCALAR && hd_kind(value) == HD_HANDLE && !hold_id(&server->held, hd_handle_id(value)))
            return false;
    return true;
}

static void drop_id(struct held *held, uint64_t id)
{
    for (size_t i = 0; i < held->count; i++)
        if (held->ids[i] == id) {
            held->ids[i] = held->ids[--held->count];
            held->is_sorted = false;
            return;
        }
}

static int compare_ids(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

/* Where the first id that is not below `id` stands. */
static size_t find_id(const struct held *held, uint64_t id)
{
    size_t low = 0;
    size_t high = held->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (held->ids[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint64_t server_held(struct server *server, uint64_t id)
{
    struct held *held = &server->held;
    uint64_t count = 0;

    if (!held->is_sorted && held->count > 0) {
        qsort(held->ids, held->count, sizeof *held->ids, compare_ids);
        held->is_sorted = true;
    }
    for (size_t i = find_id(held, id); i < held->count && held->ids[i] == id; i++)
        count++;
    for (const struct watch *watch = server->watches; watch != NULL; watch = watch->next)
        count += watch->id == id;
    return count;
}

bool server_holds_any(const struct server *server)
{
    return server->held.count > 0 || server->watches != NULL;
}

/* -- requests ----------------------------------------------------------------------------------------------------- */

struct hd_call *server_call(struct server *server, const char *method)
{
    struct hd_call *call = hd_call_new(server->link, method);

    if (call == NULL)
        no_memory(server);
    return call;
}

/* Waits for the answer, or for SIGINT. */
static enum hd_status wait_for(struct server *server, struct hd_call *call)
{
    while (hd_call_status(call) == HD_WAITING) {
        if (server_interrupted) {
            server_interrupted = 0;
            server_fail(server, HD_CANCELLED, "interrupted; the request may have run");
            return HD_CANCELLED;
        }
        hd_poll(server->link, LOOK_MS);
    }
    if (hd_call_status(call) != HD_OK)
        fail_with(server, hd_call_status(call), hd_call_error(call));
    return hd_call_status(call);
}

/* Keeps the answer. On failure the call is still the caller's. */
static bool keep(struct server *server, struct hd_call *call)
{
    struct kept *kept = calloc(1, sizeof *kept);

    if (kept == NULL || !hold_all(server, hd_call_result(call))) {
        free(kept);
        hd_release_all(server->link, hd_call_result(call));
        no_memory(server);
        return false;
    }
    kept->call = call;
    kept->next = server->kept;
    server->kept = kept;
    return true;
}

/* Sends and waits; false leaves the call to the caller, and why in the server. */
static bool run(struct server *server, struct hd_call *call)
{
    enum hd_status status = hd_call_send(call, server->timeout_ms, NULL, NULL);

    if (status != HD_OK) {
        fail_with(server, status, hd_error(server->link));
        return false;
    }
    return wait_for(server, call) == HD_OK;
}

const struct hd_value *server_finish(struct server *server, struct hd_call *call)
{
    const struct hd_value *result = NULL;

    if (call == NULL)
        return NULL;
    if (run(server, call) && keep(server, call))
        result = hd_call_result(call);
    else
        hd_call_free(call);
    if (result == NULL && server->status == HD_NO_NAME)
        forget_namespaces(server); /* a namespace may have come into being since they were asked for */
    return result;
}

const struct hd_value *server_ask(struct server *server, const char *method, const char *format, ...)
{
    struct hd_call *call = server_call(server, method);
    va_list args;

    if (call == NULL)
        return NULL;
    va_start(args, format);
    hd_put_va(call, format, args);
    va_end(args);
    return server_finish(server, call);
}

bool server_wait(struct server *server, int fd, const sigset_t *signals)
{
    struct hd_link *link = server->link;
    struct pollfd fds[2] = {{.fd = fd, .events = POLLIN}, {.fd = hd_fd(link)}};
    int timeout_ms = hd_timeout_ms(link);
    struct timespec timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000000L};
    bool is_readable;

    fds[1].events = (short)((hd_wants_read(link) ? POLLIN : 0) | (hd_wants_write(link) ? POLLOUT : 0));
    if (ppoll(fds, 2, timeout_ms >= 0 ? &timeout : NULL, signals) < 0)
        return false;
    is_readable = (fds[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0;
    if (is_readable || (fds[1].revents & POLLOUT) != 0 || fds[0].revents == 0)
        hd_process(link, is_readable, (fds[1].revents & POLLOUT) != 0);
    return fds[0].revents != 0;
}

void server_disown(struct server *server, const struct hd_value *answer)
{
    for (struct kept *kept = server->kept; kept != NULL; kept = kept->next)
        if (hd_call_result(kept->call) == answer && !kept->is_disowned) {
            kept->is_disowned = true;
            drop_id(&server->held, hd_handle_id(answer));
        }
}

void server_forget(struct server *server)
{
    bool has_handles = server->held.count > 0;

    for (const struct kept *kept = server->kept; kept != NULL; kept = kept->next)
        if (!kept->is_disowned)
            hd_release_all(server->link, hd_call_result(kept->call));
    free_kept(server);
    if (has_handles)
        hd_flush(server->link, server->timeout_ms); /* what fails here fails the next request too */
}

/* -- namespaces --------------------------------------------------------------------------------------------------- */

static bool is_listed(struct server *server, const char *name, size_t len)
{
    const struct hd_value *rows;

    if (server->namespaces == NULL) {
        server->namespaces = server_call(server, "namespaces");
        if (server->namespaces == NULL || !run(server, server->namespaces)) {
            forget_namespaces(server);
            return false;
        }
    }
    rows = hd_call_result(server->namespaces);
    for (size_t i = 0; i < hd_len(rows); i++) {
        const struct hd_value *row = hd_get(hd_at(rows, i), "name");

        if (hd_len(row) == len && hd_kind(row) == HD_STR && memcmp(hd_str(row), name, len) == 0)
            return true;
    }
    return false;
}

bool server_is_namespace(struct server *server, const char *name, size_t len)
{
    static const char *const always[] = {"session", "global", "builtins"};
    struct hd_call *call;
    bool is_free;

    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        if (strlen(always[i]) == len && memcmp(always[i], name, len) == 0)
            return true;
    if (!is_listed(server, name, len))
        return false;
    call = server_call(server, "type");
    if (call == NULL)
        return false;
    hd_put_text(call, name, len);
    is_free = !run(server, call) && server->status == HD_NO_NAME;
    hd_call_free(call);
    return is_free;
}

/* -- deaths ------------------------------------------------------------------------------------------------------- */

bool server_watch(struct server *server, uint64_t handle, uint64_t id, const char *name)
{
    size_t size = strlen(name) + 1;
    struct watch *watch = calloc(1, sizeof *watch + size);

    if (watch == NULL)
        return server_fail(server, HD_OUT_OF_MEMORY, "out of memory");
    watch->handle = handle;
    watch->id = id;
    memcpy(watch->name, name, size);
    watch->next = server->watches;
    server->watches = watch;
    return true;
}

/* Whether somebody besides this client's own handles refers to the weakref. */
static bool is_wanted(struct server *server, const struct watch *watch)
{
    const struct hd_value *count = server_ask(server, "refcount", "h", watch->handle);

    return count == NULL || hd_uint(count) > server_held(server, watch->id);
}

/* Takes the watch, to which `link` leads, out of the list, and gives its handle back. */
static void end_watch(struct server *server, struct watch **link, const struct watch *watch)
{
    *link = watch->next;
    hd_release(server->link, watch->handle);
}

void server_prune_watches(struct server *server)
{
    struct watch **link = &server->watches;
    struct watch *watch;

    while ((watch = *link) != NULL) {
        if (watch->died != 0 || is_wanted(server, watch)) {
            link = &watch->next;
            continue;
        }
        end_watch(server, link, watch);
        free(watch);
    }
}

/* The link to the watch that died first, NULL if none has. */
static struct watch **first_death(struct server *server)
{
    struct watch **first = NULL;

    for (struct watch **link = &server->watches; *link != NULL; link = &(*link)->next)
        if ((*link)->died != 0 && (first == NULL || (*link)->died < (*first)->died))
            first = link;
    return first;
}

struct watch *server_take_dead(struct server *server)
{
    struct watch **link;

    while ((link = first_death(server)) != NULL) {
        struct watch *watch = *link;
        bool is_told = is_wanted(server, watch);

        end_watch(server, link, watch);
        if (is_told)
            return watch;
        free(watch);
    }
    return NULL;
}
