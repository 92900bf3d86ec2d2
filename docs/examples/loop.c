/*
 * loop.c - heapd in an event loop of one's own, here poll(): a list dies, and this client is told.
 *
 *     cc loop.c $(pkg-config --cflags --libs heapd) -o loop
 *
 * Nothing here waits but the loop. Four requests are on their way at once; the server runs them in order.
 */
#include <heapd.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

struct scene {
    uint64_t weakref; /* the handle of our weak reference */
    bool is_over;
};

/* Answers come here. The call is ours to free; what it holds goes with it. */
static void be_answered(struct hd_call *call, void *context)
{
    struct scene *scene = context;

    if (hd_call_status(call) != HD_OK) {
        fprintf(stderr, "%s\n", hd_call_error(call));
        scene->is_over = true;
    } else if (hd_kind(hd_call_result(call)) == HD_HANDLE) {
        scene->weakref = hd_handle(hd_call_result(call));
        printf("a %s is held\n", hd_type_name(hd_handle_type(hd_call_result(call))));
    }
    hd_call_free(call);
}

/* Events come here: dead [seq, cause, [handle...]]. */
static void be_told(struct hd_link *link, const char *event, const struct hd_value *params, void *context)
{
    struct scene *scene = context;

    if (strcmp(event, "dead") != 0 || hd_uint(hd_at(hd_at(params, 2), 0)) != scene->weakref)
        return;
    printf("its target died (%s)\n", hd_str(hd_at(params, 1)));
    hd_release(link, scene->weakref);
    scene->is_over = true;
}

static void request(struct hd_link *link, struct scene *scene, const char *method, const char *format, ...)
{
    struct hd_call *call = hd_call_new(link, method);
    va_list args;

    if (call == NULL) {
        scene->is_over = true;
        return;
    }
    va_start(args, format);
    hd_put_va(call, format, args);
    va_end(args);
    if (hd_call_send(call, 5000, be_answered, scene) != HD_OK) {
        fprintf(stderr, "%s\n", hd_error(link));
        hd_call_free(call);
        scene->is_over = true;
    }
}

int main(int argc, char **argv)
{
    struct hd_link *link = hd_link_new(NULL);
    struct scene scene = {0, false};

    if (link == NULL || hd_connect_start(link, argc > 1 ? argv[1] : NULL, 5000) != HD_OK) {
        fprintf(stderr, "%s\n", hd_error(link));
        hd_link_free(link);
        return 1;
    }
    hd_on_event(link, be_told, &scene);
    request(link, &scene, "bind", "s[iii]", "xs", 1, 2, 3);
    request(link, &scene, "weakref", "s{sb}", "xs", "notify", 1);
    request(link, &scene, "call", "ss[i]", "xs", "append", 4);
    request(link, &scene, "unbind", "s", "xs");

    while (!scene.is_over || hd_wants_write(link)) {
        struct pollfd ready = {.fd = hd_fd(link)};

        ready.events = (short)((hd_wants_read(link) ? POLLIN : 0) | (hd_wants_write(link) ? POLLOUT : 0));
        poll(&ready, 1, hd_timeout_ms(link));
        if (hd_process(link, ready.revents & (POLLIN | POLLERR | POLLHUP),
                       ready.revents & (POLLOUT | POLLERR | POLLHUP)) != HD_OK) {
            fprintf(stderr, "%s\n", hd_error(link));
            break;
        }
    }
    hd_link_free(link);
    return scene.weakref == 0;
}
