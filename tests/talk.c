/* talk.c - a hub with sessions in memory. */
#include "tests/talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/feed.h"
#include "protocol/read.h"
#include "tests/notation.h"
#include "tests/suite.h"

#define AT_ONCE 1000000u /* requests that one feed may run */

struct talk talk;

static uint64_t look_at_clock(void *context)
{
    (void)context;
    talk.looks++;
    return talk.now_ns += talk.tick_ns;
}

static void note_move(void *context, struct session *from, struct session *to)
{
    (void)context;
    (void)from;
    talk.moved = to;
}

void talk_open(void (*change)(struct hub_settings *settings))
{
    struct hub_settings settings;
    struct hub_ops ops = {.now_ns = look_at_clock, .moved = note_move, .mem = &talk.meter.mem};

    meter_init(&talk.meter);
    talk.now_ns = 1;
    talk.tick_ns = talk.looks = 0;
    hub_settings_default(&settings);
    settings.memory_limit = UINT64_C(1) << 30;
    if (change != NULL)
        change(&settings);
    talk.hub = hub_open(&settings, &ops);
    ck_assert_ptr_nonnull(talk.hub);
    talk.answers = 0;
    talk_forget();
}

void talk_close(void)
{
    hub_close(talk.hub);
    ck_assert_uint_eq(talk.meter.bytes, 0);
}

struct session *talk_session(void)
{
    const struct peer peer = {.is_admin = true};
    struct session *session = session_open(talk.hub, &peer);

    ck_assert_ptr_nonnull(session);
    return session;
}

void talk_work(void)
{
    while (hub_has_work(talk.hub))
        hub_work(talk.hub);
}

void talk_end(struct session *session)
{
    session_close(session);
    talk_work();
}

/* -- reading ------------------------------------------------------------------------------------------------------ */

static void read_event(struct reader *reader)
{
    notation_print(talk.events, sizeof talk.events - 1, reader); /* its name */
    notation_print(talk.events, sizeof talk.events - 1, reader);
    strcat(talk.events, "\n");
}

static void read_response(struct reader *reader)
{
    struct wire error;

    talk.msgid = (uint32_t)read_next(reader).uint;
    error = read_peek(reader);
    talk.is_error = error.kind != WIRE_NIL;
    talk.answer[0] = '\0';
    if (error.kind == WIRE_STR) {
        snprintf(talk.answer, sizeof talk.answer, "%.*s", (int)error.len, error.bytes);
    } else if (talk.is_error) {
        notation_print(talk.answer, sizeof talk.answer, reader);
    } else {
        read_next(reader);
        notation_print(talk.answer, sizeof talk.answer, reader);
    }
    talk.answers++;
}

static void read_frame(const char *bytes, size_t len)
{
    struct reader reader = {bytes, bytes + len};

    read_next(&reader);
    if (read_next(&reader).uint == 2)
        read_event(&reader);
    else
        read_response(&reader);
}

unsigned talk_read(struct session *session)
{
    static uint64_t stack[HD_DEPTH_MAX];
    const struct feed_limits limits = {UINT64_C(1) << 32, HD_DEPTH_MAX};
    struct buf *out = session_output(session);
    unsigned before = talk.answers;

    while (buf_pending(out) > 0) {
        struct feed feed;

        feed_start(&feed, stack);
        if (feed_scan(&feed, &limits, out->bytes + out->sent, buf_pending(out)) != FEED_FRAME)
            ck_abort_msg("the session wrote what is no frame");
        read_frame(out->bytes + out->sent, feed.pos);
        buf_taken(out, feed.pos);
    }
    return talk.answers - before;
}

/* -- asking ------------------------------------------------------------------------------------------------------- */

void talk_send(struct session *session, const char *bytes, size_t len)
{
    session_feed(session, bytes, len, AT_ONCE);
}

void talk_send_call(struct session *session, const char *call)
{
    struct buf request;

    buf_init(&request, SIZE_MAX / 2, NULL);
    notation_pack_call(&request, 7, call);
    talk_send(session, request.bytes, request.len);
    buf_fini(&request);
}

const char *talk_ask(struct session *session, const char *call)
{
    unsigned answers = 0;

    talk.moved = NULL;
    talk_send_call(session, call);
    if (talk.moved != NULL)
        session = talk.moved;
    for (answers = talk_read(session); answers == 0; answers += talk_read(session)) {
        if (!hub_has_work(talk.hub) && session_state(session) != SESSION_PENDING)
            ck_abort_msg("%s is not answered", call);
        hub_work(talk.hub);
        session_run(session, AT_ONCE);
    }
    ck_assert_uint_eq(answers, 1);
    return talk.answer;
}

void talk_says(struct session *session, const char *call, const char *expected)
{
    const char *answer = talk_ask(session, call);
    size_t len = strlen(expected);
    bool is_beginning = len >= 3 && strcmp(expected + len - 3, "...") == 0;

    if (is_beginning ? strncmp(answer, expected, len - 3) != 0 : strcmp(answer, expected) != 0)
        ck_abort_msg("%s says %s, not %s", call, answer, expected);
}

static void print_line(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "# %s\n", text);
}

void talk_check(void)
{
    ck_assert_uint_eq(hub_check(talk.hub, print_line, NULL), 0);
}

unsigned long long talk_stat(struct session *session, const char *section, const char *row)
{
    char call[64];
    char key[64];
    const char *found;

    snprintf(call, sizeof call, "stats('%s')", section);
    snprintf(key, sizeof key, "'%s': ", row);
    found = strstr(talk_ask(session, call), key);
    if (found == NULL)
        ck_abort_msg("no %s in %s", row, talk.answer);
    return strtoull(found + strlen(key), NULL, 10);
}

void talk_forget(void)
{
    talk.events[0] = '\0';
}
