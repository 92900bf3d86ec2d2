/*
 * fuzz_session.c - libFuzzer on sessions in memory: bytes in, bytes out, the verifier after each.
 *
 * The input is a row of commands. In the raw mode (first byte even) a command gives a session a piece of the input as
 * it is; in the structured mode the bytes are choices of tests/grammar.h, so that nearly every request is valid.
 * Between them the hub works, sessions end and begin, and allocations fail. What a session says must be whole,
 * well-formed frames; after the end of all, every object, handle and byte is gone.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/hub.h"
#include "daemon/session.h"
#include "protocol/feed.h"
#include "protocol/pack.h"
#include "tests/grammar.h"
#include "tests/meter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SESSIONS 3u
#define CHECK_EVERY 8u /* commands between two runs of the verifier */

struct input {
    const uint8_t *at, *end;
};

struct world {
    struct meter meter;
    struct hub *hub;
    struct session *sessions[SESSIONS];
    unsigned commands;
};

static void expect(bool is_true, const char *what)
{
    if (is_true)
        return;
    fprintf(stderr, "fuzz_session: %s\n", what);
    abort();
}

static uint8_t next_byte(struct input *input)
{
    return input->at < input->end ? *input->at++ : 0;
}

static unsigned choose_byte(void *context, unsigned below)
{
    unsigned number = next_byte(context);

    if (below > 256)
        number = number << 8 | next_byte(context);
    return number % below;
}

static uint64_t no_time(void *context)
{
    (void)context;
    return 1;
}

/* -- sessions ----------------------------------------------------------------------------------------------------- */

static void open_session(struct world *world, unsigned i)
{
    const struct peer peer = {.is_admin = true};

    world->sessions[i] = session_open(world->hub, &peer);
}

static void open_world(struct world *world, uint8_t choice)
{
    struct hub_settings settings;
    struct hub_ops ops = {.now_ns = no_time, .mem = &world->meter.mem};

    meter_init(&world->meter);
    hub_settings_default(&settings);
    settings.memory_limit = 8 << 20;
    settings.limit_frame = 65536;
    settings.limit_depth = HD_DEPTH_MIN;
    settings.limit_work = 5000;
    settings.limit_read = 100000;
    settings.limit_handles = 100;
    settings.limit_names = 50;
    settings.limit_output = choice & 1 ? 4096 : 1 << 20;
    settings.slice_objects = 1 + choice % 16;
    world->hub = hub_open(&settings, &ops);
    world->commands = 0;
    expect(world->hub != NULL, "no hub");
    for (unsigned i = 0; i < SESSIONS; i++)
        open_session(world, i);
}

/* A stranger is answered in its own tongue; everybody else in frames. */
static void read_frames(struct buf *out, bool is_stranger)
{
    static uint64_t stack[HD_DEPTH_MAX];
    const struct feed_limits limits = {UINT64_C(1) << 32, HD_DEPTH_MAX};

    while (!is_stranger && buf_pending(out) > 0) {
        struct feed feed;

        feed_start(&feed, stack);
        expect(feed_scan(&feed, &limits, out->bytes + out->sent, buf_pending(out)) == FEED_FRAME,
               "what a session says is no frame");
        buf_taken(out, feed.pos);
    }
    buf_taken(out, buf_pending(out));
}

static void listen(struct session *session)
{
    struct buf *out = session_output(session);
    unsigned char first = buf_pending(out) > 0 ? (unsigned char)out->bytes[out->sent] : 0;

    read_frames(out, first != 0x93 && first != 0x94);
}

static void print_line(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "# %s\n", text);
}

static void check(struct world *world)
{
    expect(hub_check(world->hub, print_line, NULL) == 0, "the heap is not sound");
}

static void end_session(struct world *world, unsigned i)
{
    if (world->sessions[i] != NULL)
        session_close(world->sessions[i]);
    open_session(world, i);
}

/* -- commands ----------------------------------------------------------------------------------------------------- */

static void feed_raw(struct session *session, struct input *input)
{
    size_t len = next_byte(input);
    size_t left = (size_t)(input->end - input->at);

    len = len < left ? len : left;
    session_feed(session, (const char *)input->at, len, 1 + (unsigned)(len % 5));
    input->at += len;
}

/* A request of the grammar, cut in two somewhere. */
static void feed_request(struct session *session, struct input *input)
{
    struct buf request;
    struct grammar grammar = {choose_byte, input, &request};
    size_t cut;

    buf_init(&request, SIZE_MAX / 2, NULL);
    grammar_request(&grammar);
    cut = next_byte(input) % (request.len + 1);
    session_feed(session, request.bytes, cut, 4);
    session_feed(session, request.bytes + cut, request.len - cut, 4);
    buf_fini(&request);
}

static void run_command(struct world *world, struct input *input, bool is_structured)
{
    uint8_t command = next_byte(input);
    unsigned i = command % SESSIONS;

    if (world->sessions[i] == NULL || session_state(world->sessions[i]) == SESSION_OVER || command >= 250)
        end_session(world, i);
    if (world->sessions[i] == NULL)
        return;
    if (command >= 240)
        meter_fail(&world->meter, 1 + next_byte(input) % 32, command % 2 == 0);
    else if (command >= 230)
        session_eof(world->sessions[i]);
    if (is_structured)
        feed_request(world->sessions[i], input);
    else
        feed_raw(world->sessions[i], input);
    meter_fail(&world->meter, 0, false);
    for (unsigned slices = command / SESSIONS % 8; slices > 0; slices--)
        hub_work(world->hub);
    session_run(world->sessions[i], 4);
    listen(world->sessions[i]);
    if (world->commands++ % CHECK_EVERY == 0)
        check(world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    struct world world;
    uint8_t mode = next_byte(&input);

    if (size < 2 || size > 8192)
        return 0;
    open_world(&world, mode >> 1);
    while (input.at < input.end && world.commands < 400)
        run_command(&world, &input, mode % 2 == 1);
    check(&world);
    hub_close(world.hub);
    expect(world.meter.bytes == 0, "bytes are left when the hub is closed");
    return 0;
}
