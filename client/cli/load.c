/* load.c - connections with operations on their way, in one loop. */
#include "client/cli/load.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/clock.h"

#define LOOK_MS 100 /* between looks at what has timed out */

/* Keeps the first failure, and begins nothing more. */
static void fail(struct load *load, enum hd_status status, const char *text)
{
    if (!load->is_ending || load->server->status == HD_OK)
        server_fail(load->server, status, "%s", text);
    load->is_ending = true;
}

/* -- operations --------------------------------------------------------------------------------------------------- */

static void begin(struct slot *slot)
{
    struct load *load = slot->load;
    enum hd_status status;

    load->on_their_way++;
    slot->begun_ns = clock_ns();
    status = load->op->begin(slot);
    if (status != HD_OK)
        fail(load, status, hd_error(slot->link));
}

/* The operation is over: another one takes its place. */
static void end(struct slot *slot)
{
    struct load *load = slot->load;
    enum hd_status status = HD_OK;

    latency_add(&load->latency, clock_ns() - slot->begun_ns);
    load->on_their_way--;
    if (load->op->end != NULL)
        status = load->op->end(slot);
    if (status != HD_OK)
        fail(load, status, hd_error(slot->link));
    if (!load->is_ending)
        begin(slot);
}

/* True if the call was answered without an error. */
static bool take_answer(struct hd_call *call, struct slot *slot)
{
    enum hd_status status = hd_call_status(call);

    if (status != HD_OK)
        fail(slot->load, status, hd_call_error(call));
    hd_call_free(call);
    return status == HD_OK;
}

static void on_last_answer(struct hd_call *call, void *context)
{
    if (take_answer(call, context))
        end(context);
}

static void on_answer(struct hd_call *call, void *context)
{
    (void)take_answer(call, context);
}

static enum hd_status send_call(struct slot *slot, struct hd_call *call, hd_call_fn done)
{
    enum hd_status status = HD_OUT_OF_MEMORY;

    if (call != NULL)
        status = hd_call_send(call, slot->load->server->timeout_ms, done, slot);
    if (status != HD_OK)
        hd_call_free(call);
    return status;
}

enum hd_status load_send_last(struct slot *slot, struct hd_call *call)
{
    return send_call(slot, call, on_last_answer);
}

enum hd_status load_send(struct slot *slot, struct hd_call *call)
{
    return send_call(slot, call, on_answer);
}

/* A slot's handles follow from its number, so a death leads to its slot. */
static void set_slot(struct load *load, unsigned number)
{
    unsigned of_link = number % load->depth;

    load->slots[number] =
        (struct slot){.load = load, .link = load->links[number / load->depth], .handle = 1 + 2 * (uint64_t)of_link};
}

static void on_event(struct hd_link *link, const char *event, const struct hd_value *params, void *context)
{
    struct load *load = context;
    const struct hd_value *dead = hd_at(params, 2);

    if (strcmp(event, "bye") == 0)
        fail(load, HD_LOST, hd_str(hd_at(params, 1)));
    if (strcmp(event, "dead") != 0 || load->slots == NULL)
        return;
    for (size_t i = 0; i < hd_len(dead); i++) {
        uint64_t of_link = (hd_uint(hd_at(dead, i)) - 2) / 2;

        for (unsigned c = 0; c < load->connections && of_link < load->depth; c++)
            if (load->links[c] == link)
                end(&load->slots[(size_t)c * load->depth + of_link]);
    }
}

/* -- the loop ----------------------------------------------------------------------------------------------------- */

static int milliseconds_until(uint64_t end_ns)
{
    uint64_t now = clock_ns();

    return now >= end_ns ? 0 : (int)((end_ns - now) / 1000000) + 1;
}

/* Waits until something can be read or written, but not beyond the end. */
static void wait_for_links(struct load *load, struct pollfd *fds, uint64_t end_ns)
{
    int wait_ms = load->is_ending ? LOOK_MS : milliseconds_until(end_ns);

    for (unsigned i = 0; i < load->connections; i++)
        fds[i] = (struct pollfd){
            .fd = hd_fd(load->links[i]),
            .events = (short)((hd_wants_read(load->links[i]) ? POLLIN : 0) |
                              (hd_wants_write(load->links[i]) ? POLLOUT : 0))};
    if (poll(fds, load->connections, wait_ms < LOOK_MS ? wait_ms : LOOK_MS) < 0) /* a signal: nothing is ready */
        for (unsigned i = 0; i < load->connections; i++)
            fds[i].revents = 0;
}

/* False: a connection is lost, or SIGINT came. */
static bool process_links(struct load *load, const struct pollfd *fds)
{
    for (unsigned i = 0; i < load->connections; i++) {
        bool readable = (fds[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0;
        enum hd_status status = hd_process(load->links[i], readable, (fds[i].revents & POLLOUT) != 0);

        if (status != HD_OK) {
            fail(load, status, hd_error(load->links[i]));
            return false;
        }
    }
    if (!server_interrupted)
        return true;
    server_interrupted = 0;
    fail(load, HD_CANCELLED, "interrupted");
    return false;
}

static bool run_loop(struct load *load, uint64_t end_ns)
{
    struct pollfd *fds = calloc(load->connections, sizeof *fds);
    bool is_up = true;

    if (fds == NULL)
        return server_fail(load->server, HD_OUT_OF_MEMORY, "out of memory");
    while (is_up && load->on_their_way > 0 && (!load->is_ending || load->server->status == HD_OK)) {
        wait_for_links(load, fds, end_ns);
        is_up = process_links(load, fds);
        load->is_ending = load->is_ending || clock_ns() >= end_ns;
    }
    free(fds);
    return load->server->status == HD_OK;
}

static bool prepare(struct load *load)
{
    if (load->op->prepare == NULL)
        return true;
    for (unsigned i = 0; i < load->connections; i++) {
        enum hd_status status = load->op->prepare(load->links[i], load->server->timeout_ms);

        if (status != HD_OK)
            return server_fail(load->server, status, "%s", hd_error(load->links[i]));
    }
    return true;
}

bool load_run(struct load *load, const struct load_op *op, unsigned depth, double seconds)
{
    unsigned count = load->connections * depth;
    uint64_t begun_ns;
    bool is_done;

    free(load->slots);
    load->slots = calloc(count, sizeof *load->slots);
    if (load->slots == NULL)
        return server_fail(load->server, HD_OUT_OF_MEMORY, "out of memory");
    load->op = op;
    load->depth = depth;
    load->latency = (struct latency){0};
    load->is_ending = false;
    if (!prepare(load))
        return false;
    for (unsigned i = 0; i < count; i++)
        set_slot(load, i);
    begun_ns = clock_ns();
    for (unsigned i = 0; i < count && !load->is_ending; i++)
        begin(&load->slots[i]);
    is_done = run_loop(load, begun_ns + (uint64_t)(seconds * 1e9));
    load->seconds = (double)(clock_ns() - begun_ns) / 1e9;
    return is_done;
}

/* -- connections -------------------------------------------------------------------------------------------------- */

static bool open_link(struct load *load, struct hd_link **link)
{
    enum hd_status status;

    *link = hd_link_new(NULL);
    if (*link == NULL || hd_set_name(*link, "heap-cli bench") != HD_OK)
        return server_fail(load->server, HD_OUT_OF_MEMORY, "out of memory");
    hd_on_event(*link, on_event, load);
    status = hd_connect(*link, load->server->address, load->server->timeout_ms);
    return status == HD_OK || server_fail(load->server, status, "%s", hd_error(*link));
}

bool load_open(struct load *load, struct server *server, unsigned connections)
{
    *load = (struct load){.server = server, .links = calloc(connections, sizeof(struct hd_link *))};
    if (load->links == NULL)
        return server_fail(server, HD_OUT_OF_MEMORY, "out of memory");
    for (; load->connections < connections; load->connections++)
        if (!open_link(load, &load->links[load->connections])) {
            load->connections++; /* it is to be freed, too */
            return false;
        }
    return true;
}

void load_close(struct load *load)
{
    load->is_ending = true;
    for (unsigned i = 0; i < load->connections; i++)
        hd_link_free(load->links[i]); /* what was on its way is lost, and freed by its callback */
    free(load->links);
    free(load->slots);
}
