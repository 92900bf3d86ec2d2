/* fake.c - a server that does what a test tells it. */
#include "tests/fake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Only a hang comes near it. */
#define PATIENCE_MS 60000

static void *metered_resize(void *context, void *old, size_t old_size, size_t size)
{
    struct meter *meter = context;

    if (size > 0)
        return meter->mem.resize(meter, old, old_size, size);
    meter->mem.release(meter, old, old_size);
    return NULL;
}

static void listen_somewhere(struct fake *fake)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;

    fake->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fake->listener, 0);
    ck_assert_int_eq(bind(fake->listener, (struct sockaddr *)&address, len), 0);
    ck_assert_int_eq(listen(fake->listener, 8), 0);
    ck_assert_int_eq(getsockname(fake->listener, (struct sockaddr *)&address, &len), 0);
    snprintf(fake->address, sizeof fake->address, "127.0.0.1:%u", ntohs(address.sin_port));
}

struct hd_memory fake_memory(struct fake *fake)
{
    return (struct hd_memory){metered_resize, &fake->meter};
}

void fake_open(struct fake *fake)
{
    struct hd_memory memory = fake_memory(fake);

    *fake = (struct fake){.fd = -1};
    meter_init(&fake->meter);
    buf_init(&fake->got, SIZE_MAX / 2, NULL);
    listen_somewhere(fake);
    fake->link = hd_link_new(&memory);
    ck_assert_ptr_nonnull(fake->link);
}

void fake_close(struct fake *fake)
{
    hd_link_free(fake->link);
    ck_assert_uint_eq(fake->meter.bytes, 0);
    fake_hang_up(fake);
    close(fake->listener);
    buf_fini(&fake->got);
}

void fake_hang_up(struct fake *fake)
{
    if (fake->fd >= 0)
        close(fake->fd);
    fake->fd = -1;
}

void fake_connect(struct fake *fake, const char *address)
{
    static const int on = 1;

    ck_assert_int_eq(hd_connect_start(fake->link, address != NULL ? address : fake->address, PATIENCE_MS), HD_OK);
    while (!hd_wants_read(fake->link))
        ck_assert_int_eq(hd_poll(fake->link, PATIENCE_MS), HD_OK);
    fake->fd = accept(fake->listener, NULL, NULL);
    ck_assert_int_ge(fake->fd, 0);
    setsockopt(fake->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ck_assert_int_eq(hd_poll(fake->link, 0), HD_OK);
}

void fake_greet(struct fake *fake)
{
    fake_connect(fake, NULL);
    fake_send(fake, BYTES("\x94\x01\x00\xc0\x81\xa6limits\x82\xa5"
                          "frame\xce\x00\x10\x00\x00\xa5"
                          "depth\x40"));
    ck_assert_int_eq(hd_state(fake->link), HD_OPEN);
    fake_receive(fake);
    buf_clear(&fake->got);
}

void fake_reset(struct fake *fake)
{
    const struct linger at_once = {.l_onoff = 1};

    ck_assert_int_eq(setsockopt(fake->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    fake_hang_up(fake);
}

void fake_send_unseen(struct fake *fake, const char *bytes, size_t len)
{
    ck_assert_int_eq(send(fake->fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
}

enum hd_status fake_send(struct fake *fake, const char *bytes, size_t len)
{
    fake_send_unseen(fake, bytes, len);
    return hd_poll(fake->link, PATIENCE_MS);
}

static void begin_answer(struct buf *frame, unsigned msgid)
{
    buf_init(frame, SIZE_MAX / 2, NULL);
    pack_array(frame, 4);
    pack_uint(frame, 1);
    pack_uint(frame, msgid);
}

static void end_answer(struct fake *fake, struct buf *frame)
{
    ck_assert_int_eq(fake_send(fake, frame->bytes, frame->len), HD_OK);
    buf_fini(frame);
}

void fake_answer(struct fake *fake, unsigned msgid, const char *value, size_t len)
{
    struct buf frame;

    begin_answer(&frame, msgid);
    pack_nil(&frame);
    buf_append(&frame, value, len);
    end_answer(fake, &frame);
}

void fake_fail(struct fake *fake, unsigned msgid, const char *error)
{
    struct buf frame;

    begin_answer(&frame, msgid);
    pack_cstr(&frame, error);
    pack_nil(&frame);
    end_answer(fake, &frame);
}

/* Whether bytes of the client may still be in the kernel: it keeps what was not acknowledged; a link that is closed
 * can no longer be asked. */
static bool more_may_come(const struct fake *fake)
{
    int left = 0;

    return hd_fd(fake->link) < 0 || (ioctl(hd_fd(fake->link), SIOCOUTQ, &left) == 0 && left > 0);
}

void fake_receive(struct fake *fake)
{
    static const int on = 1;
    struct pollfd ready = {.fd = fake->fd, .events = POLLIN};
    char room[65536];
    ssize_t count;
    bool has_more = true;

    while (has_more) {
        has_more = more_may_come(fake);
        setsockopt(fake->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
        while ((count = recv(fake->fd, room, sizeof room, MSG_DONTWAIT)) > 0)
            buf_append(&fake->got, room, (size_t)count);
        if (count == 0 || errno != EAGAIN)
            return;
        if (has_more)
            poll(&ready, 1, 1);
    }
}

void fake_expect(struct fake *fake, const char *bytes, size_t len)
{
    fake_receive(fake);
    ck_assert_uint_eq(fake->got.len, len);
    if (len > 0)
        ck_assert_mem_eq(fake->got.bytes, bytes, len);
    buf_clear(&fake->got);
}

void fake_expect_request(struct fake *fake, unsigned msgid, const char *method, unsigned count, const char *params,
                         size_t len)
{
    const char header[] = {(char)0xdc, (char)(count >> 8), (char)count};
    struct buf frame;

    buf_init(&frame, SIZE_MAX / 2, NULL);
    pack_array(&frame, 4);
    pack_uint(&frame, 0);
    pack_uint(&frame, msgid);
    pack_cstr(&frame, method);
    buf_append(&frame, header, sizeof header);
    buf_append(&frame, params, len);
    fake_expect(fake, frame.bytes, frame.len);
    buf_fini(&frame);
}

struct hd_call *fake_call(struct fake *fake, const char *method, int timeout_ms)
{
    struct hd_call *call = hd_call_new(fake->link, method);

    ck_assert_ptr_nonnull(call);
    ck_assert_int_eq(hd_call_send(call, timeout_ms, NULL, NULL), HD_OK);
    ck_assert_int_eq(hd_flush(fake->link, PATIENCE_MS), HD_OK);
    return call;
}

static void note(struct trace *trace, const char *word)
{
    size_t len = strlen(trace->text);

    (void)snprintf(trace->text + len, sizeof trace->text - len, "%s;", word);
}

void trace_status(struct hd_call *call, void *context)
{
    note(context, hd_status_name(hd_call_status(call)));
}

void trace_event(struct hd_link *link, const char *event, const struct hd_value *params, void *context)
{
    (void)link;
    note(context, event);
    if (strcmp(event, "dead") == 0)
        note(context, hd_str(hd_at(params, 1)));
}
