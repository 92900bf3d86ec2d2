/* test_client_live.c - the client library on a live daemon. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/heapd.h"
#include "tests/suite.h"

/* Only a hang comes near it. */
#define PATIENCE_MS 60000

struct daemon {
    pid_t pid;
    char address[64];
};

static void run_daemon(int out, const char *option, const char *address)
{
    const char *program = getenv("HEAPD") != NULL ? getenv("HEAPD") : "./heapd";

    dup2(out, STDOUT_FILENO);
    execl(program, program, option, address, "--log-level", "error", (char *)NULL);
    _exit(127);
}

/* A daemon of one's own that listens where the option says, --listen or --unix, and only there. */
static void start_daemon(struct daemon *daemon, const char *option, const char *address)
{
    int ends[2];
    FILE *lines;

    ck_assert_int_eq(pipe(ends), 0);
    daemon->pid = fork();
    ck_assert_int_ge(daemon->pid, 0);
    if (daemon->pid == 0)
        run_daemon(ends[1], option, address);
    close(ends[1]);
    lines = fdopen(ends[0], "r");
    ck_assert_int_eq(fscanf(lines, "heapd %*s ready on %63s", daemon->address), 1);
    fclose(lines);
}

/* A daemon, and a link to it. */
static struct hd_link *open_daemon(struct daemon *daemon)
{
    struct hd_link *link = hd_link_new(NULL);

    start_daemon(daemon, "--listen", "127.0.0.1:0");
    ck_assert_msg(hd_connect(link, daemon->address, PATIENCE_MS) == HD_OK, "%s", hd_error(link));
    return link;
}

/* It has been told to end. */
static void await_end(const struct daemon *daemon)
{
    int status;

    ck_assert_int_eq(waitpid(daemon->pid, &status, 0), daemon->pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void close_daemon(const struct daemon *daemon, struct hd_link *link)
{
    hd_link_free(link);
    kill(daemon->pid, SIGTERM);
    await_end(daemon);
}

/* An hd_ask that must succeed. */
static const struct hd_value *ask(struct hd_link *link, const char *method, const char *format, ...)
{
    va_list args;
    enum hd_status status;

    va_start(args, format);
    status = hd_ask_va(link, PATIENCE_MS, method, format, args);
    va_end(args);
    ck_assert_msg(status == HD_OK, "%s: %s", method, hd_error(link));
    return hd_answer(link);
}

START_TEST(hello_tells_the_server_and_its_limits)
{
    struct daemon daemon;
    struct hd_link *link = open_daemon(&daemon);

    ck_assert_str_eq(hd_str(hd_get(hd_hello(link), "server")), "heapd");
    ck_assert_uint_gt(hd_uint(hd_get(hd_get(hd_hello(link), "limits"), "frame")), 0);
    ck_assert_str_eq(hd_peer(link), daemon.address);
    ck_assert_int_eq(hd_connect(link, daemon.address, PATIENCE_MS), HD_USAGE);
    close_daemon(&daemon, link);
}
END_TEST

START_TEST(a_released_handle_no_longer_counts_for_the_next_request)
{
    struct daemon daemon;
    struct hd_link *link = open_daemon(&daemon);
    uint64_t handle;

    ask(link, "bind", "s[]", "xs");
    handle = hd_handle(ask(link, "get", "s", "xs"));
    ck_assert_int_eq(hd_int(ask(link, "refcount", "s", "xs")), 2);
    ck_assert_int_eq(hd_release(link, handle), HD_OK);
    ck_assert_int_eq(hd_int(ask(link, "refcount", "s", "xs")), 1);
    close_daemon(&daemon, link);
}
END_TEST

START_TEST(values_of_every_kind_come_back_as_they_went)
{
    struct daemon daemon;
    struct hd_link *link = open_daemon(&daemon);
    const struct hd_value *all;

    ask(link, "bind", "s [n b i l d t y [] {ss}]", "all", 1, -7, INT64_MIN, 0.25, "a\0b", (size_t)3, "\xff\x00",
        (size_t)2, "k", "v");
    all = ask(link, "read", "s", "all");
    ck_assert_uint_eq(hd_len(all), 9);
    ck_assert_int_eq(hd_kind(hd_at(all, 0)), HD_NIL);
    ck_assert(hd_bool(hd_at(all, 1)));
    ck_assert_int_eq(hd_int(hd_at(all, 2)), -7);
    ck_assert_int_eq(hd_int(hd_at(all, 3)), INT64_MIN);
    ck_assert_double_eq(hd_float(hd_at(all, 4)), 0.25);
    ck_assert_mem_eq(hd_str(hd_at(all, 5)), "a\0b", 4);
    ck_assert_mem_eq(hd_str(hd_at(all, 6)), "\xff\x00", 3);
    ck_assert_int_eq(hd_kind(hd_at(all, 7)), HD_ARRAY);
    ck_assert_str_eq(hd_str(hd_get(hd_at(all, 8), "k")), "v");
    close_daemon(&daemon, link);
}
END_TEST

START_TEST(a_list_nested_nine_hundred_deep_is_built_and_read)
{
    struct daemon daemon;
    struct hd_link *link = open_daemon(&daemon);
    const struct hd_value *at;
    int levels = 1;

    ask(link, "bind", "s[]", "nest");
    for (int i = 1; i < 900; i++)
        ask(link, "bind", "s[N]", "nest", "nest");
    for (at = ask(link, "read", "s", "nest"); hd_len(at) == 1; at = hd_at(at, 0))
        levels++;
    ck_assert_int_eq(levels, 900);
    close_daemon(&daemon, link);
}
END_TEST

START_TEST(megabytes_go_and_come_back)
{
    enum { COUNT = 300000 };
    struct daemon daemon;
    struct hd_link *link = open_daemon(&daemon);
    struct hd_call *call = hd_call_new(link, "ping");
    struct hd_call *bind = hd_call_new(link, "bind");
    const struct hd_value *numbers;

    hd_put_str(bind, "numbers");
    hd_put_array(bind, COUNT);
    for (int i = 0; i < COUNT; i++)
        hd_put_int(bind, i * 1000003LL);
    ck_assert_int_eq(hd_call_send(bind, PATIENCE_MS, NULL, NULL), HD_OK);
    ck_assert_int_eq(hd_call_send(call, PATIENCE_MS, NULL, NULL), HD_OK);
    ck_assert_int_eq(hd_call_wait(call), HD_OK);
    ck_assert_int_eq(hd_call_status(bind), HD_OK);
    numbers = ask(link, "read", "s", "numbers");
    ck_assert_uint_eq(hd_len(numbers), COUNT);
    for (size_t i = 0; i < COUNT; i++)
        ck_assert(hd_int(hd_at(numbers, i)) == (int64_t)i * 1000003);
    hd_call_free(bind);
    hd_call_free(call);
    close_daemon(&daemon, link);
}
END_TEST

START_TEST(a_chain_of_dependent_calls_waits_for_nothing)
{
    struct daemon daemon;
    struct hd_link *link = open_daemon(&daemon);
    uint64_t list = hd_choose_handle(link), copy = hd_choose_handle(link);

    ck_assert_int_eq(hd_notify(link, "new", "[iii]{su}", 1, 2, 3, "into", list), HD_OK);
    ck_assert_int_eq(hd_notify(link, "copy", "h{su}", list, "into", copy), HD_OK);
    ck_assert_int_eq(hd_notify(link, "call", "hs[h]", copy, "append", list), HD_OK);
    ck_assert_int_eq(hd_int(ask(link, "call", "hs", copy, "len")), 4);
    ck_assert_int_eq(hd_int(ask(link, "refcount", "h", list)), 2);
    close_daemon(&daemon, link);
}
END_TEST

START_TEST(the_address_names_the_namespace_to_work_in)
{
    struct daemon daemon;
    struct hd_link *link = open_daemon(&daemon), *other = hd_link_new(NULL);
    char url[96];

    snprintf(url, sizeof url, "heapd://%s/jobs", daemon.address);
    ck_assert_int_eq(hd_connect(other, url, PATIENCE_MS), HD_OK);
    ask(other, "bind", "si", "next", 7);
    ck_assert_int_eq(hd_int(ask(link, "get", "[ss]", "jobs", "next")), 7);
    ck_assert_int_eq(hd_ask(link, PATIENCE_MS, "get", "s", "next"), HD_NO_NAME);
    ck_assert_int_eq(strncmp(hd_error(link), "NO_NAME ", 8), 0);
    hd_link_free(other);
    close_daemon(&daemon, link);
}
END_TEST

START_TEST(the_unix_socket_is_found_without_an_address)
{
    char directory[] = "/tmp/heapd-test-XXXXXX", path[64];
    struct daemon daemon;
    struct hd_link *link = hd_link_new(NULL);

    ck_assert_ptr_nonnull(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/heapd.sock", directory);
    start_daemon(&daemon, "--unix", path);
    unsetenv("HEAPD_URL");
    setenv("XDG_RUNTIME_DIR", directory, 1);
    ck_assert_msg(hd_connect(link, NULL, PATIENCE_MS) == HD_OK, "%s", hd_error(link));
    ck_assert_str_eq(hd_peer(link), daemon.address);
    ck_assert_int_eq(hd_int(ask(link, "ping", "i", 5)), 5);
    close_daemon(&daemon, link);
    ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

static void note_seq(struct hd_link *link, const char *event, const struct hd_value *params, void *context)
{
    (void)link;
    ck_assert_str_eq(event, "bye");
    *(uint64_t *)context = hd_uint(hd_at(params, 0));
}

START_TEST(a_daemon_that_ends_says_bye_and_the_link_says_why_it_is_lost)
{
    struct daemon daemon;
    struct hd_link *link = open_daemon(&daemon);
    uint64_t seq = 0;

    hd_on_event(link, note_seq, &seq);
    kill(daemon.pid, SIGTERM);
    while (hd_poll(link, PATIENCE_MS) == HD_OK)
        continue;
    ck_assert_uint_eq(seq, 1);
    ck_assert_ptr_nonnull(strstr(hd_error(link), "ended the session: "));
    await_end(&daemon);
    ck_assert_int_eq(hd_connect(link, daemon.address, PATIENCE_MS), HD_UNREACHABLE);
    hd_link_free(link);
}
END_TEST

/* -- sessions that linger ----------------------------------------------------------------------------------------- */

/* A daemon, and a link whose session lingers there. */
static struct hd_link *open_lingering(struct daemon *daemon, double seconds)
{
    struct hd_link *link = hd_link_new(NULL);

    start_daemon(daemon, "--listen", "127.0.0.1:0");
    hd_set_linger(link, seconds);
    ck_assert_int_eq(hd_connect(link, daemon->address, PATIENCE_MS), HD_OK);
    ck_assert_double_eq(hd_float(hd_get(hd_hello(link), "linger")), seconds);
    ck_assert(!hd_can_resume(link));
    return link;
}

/* Breaks the connection; what had left arrives. */
static void cut(struct hd_link *link)
{
    ck_assert_int_eq(shutdown(hd_fd(link), SHUT_RDWR), 0);
    while (hd_poll(link, PATIENCE_MS) == HD_OK)
        continue;
    ck_assert(hd_can_resume(link));
}

static uint64_t session_stat(struct hd_link *link, const char *row)
{
    return hd_uint(hd_get(hd_get(ask(link, "stats", "s", "sessions"), "sessions"), row));
}

START_TEST(a_session_goes_on_with_its_names_and_handles)
{
    struct daemon daemon;
    struct hd_link *link = open_lingering(&daemon, 60);
    uint64_t handle;

    ask(link, "bind", "s [i]", "xs", 5);
    handle = hd_handle(ask(link, "get", "s", "xs"));
    for (unsigned i = 0; i < 3; i++) {
        cut(link);
        ck_assert_int_eq(hd_resume(link, PATIENCE_MS), HD_OK);
        ck_assert(hd_bool(hd_get(hd_hello(link), "resumed")));
        ck_assert_int_eq(hd_int(hd_at(ask(link, "read", "h", handle), 0)), 5);
        ck_assert_int_eq(hd_int(ask(link, "refcount", "s", "xs")), 2);
    }
    ck_assert_int_eq(hd_resume(link, PATIENCE_MS), HD_USAGE);
    close_daemon(&daemon, link);
}
END_TEST

START_TEST(handles_in_answers_that_were_lost_are_given_back_and_so_are_those_released_meanwhile)
{
    struct daemon daemon;
    struct hd_link *link = open_lingering(&daemon, 60);
    struct hd_call *calls[10];
    uint64_t handle;

    ask(link, "bind", "s[]", "xs");
    handle = hd_handle(ask(link, "get", "s", "xs"));
    for (unsigned i = 0; i < 10; i++) {
        calls[i] = hd_call_new(link, "get");
        hd_put(calls[i], "s", "xs");
        ck_assert_int_eq(hd_call_send(calls[i], HD_FOREVER, NULL, NULL), HD_OK);
    }
    ck_assert_int_eq(hd_flush(link, PATIENCE_MS), HD_OK);
    cut(link);
    hd_release(link, handle);
    for (unsigned i = 0; i < 10; i++) {
        if (hd_call_status(calls[i]) == HD_OK)
            hd_release_all(link, hd_call_result(calls[i]));
        else
            ck_assert(hd_call_status(calls[i]) == HD_LOST && hd_call_was_sent(calls[i]));
        hd_call_free(calls[i]);
    }
    ck_assert_int_eq(hd_resume(link, PATIENCE_MS), HD_OK);
    ck_assert_uint_ge(hd_uint(hd_get(hd_hello(link), "executed")), 3);
    while (session_stat(link, "handles") > 0) /* answers that were kept come behind that to hello */
        continue;
    ck_assert_int_eq(hd_int(ask(link, "refcount", "s", "xs")), 1);
    close_daemon(&daemon, link);
}
END_TEST

static void note_told(struct hd_link *link, const char *event, const struct hd_value *params, void *context)
{
    char *text = context;

    (void)link;
    sprintf(text + strlen(text), "%s %llu;", event, (unsigned long long)hd_uint(hd_at(params, 0)));
}

START_TEST(events_that_did_not_come_are_told_after_a_resume_and_none_twice)
{
    struct daemon daemon;
    struct hd_link *link = open_lingering(&daemon, 60);
    struct hd_link *other = hd_link_new(NULL);
    char text[200] = "";

    ck_assert_int_eq(hd_connect(other, daemon.address, PATIENCE_MS), HD_OK);
    hd_on_event(link, note_told, text);
    for (unsigned i = 0; i < 3; i++) {
        ask(link, "bind", "[ss] []", "global", "x");
        ask(link, "weakref", "s {sb}", "x", "notify", 1);
        if (i > 0)
            cut(link);
        ask(other, "unbind", "[ss]", "global", "x");
        if (i > 0)
            ck_assert_int_eq(hd_resume(link, PATIENCE_MS), HD_OK);
        ask(link, "ping", NULL);
    }
    ck_assert_str_eq(text, "dead 1;dead 2;dead 3;");
    hd_link_free(other);
    close_daemon(&daemon, link);
}
END_TEST

START_TEST(a_link_that_is_freed_leaves_no_session_behind)
{
    struct daemon daemon;
    struct hd_link *link = open_lingering(&daemon, 60);
    struct hd_link *other = hd_link_new(NULL);

    ck_assert_int_eq(hd_connect(other, daemon.address, PATIENCE_MS), HD_OK);
    hd_link_free(link);
    while (session_stat(other, "active") > 1)
        ck_assert_uint_eq(session_stat(other, "lingering"), 0);
    close_daemon(&daemon, other);
}
END_TEST

START_TEST(a_session_that_is_gone_is_DENIED_and_the_link_connects_anew)
{
    struct daemon daemon;
    struct hd_link *link = open_lingering(&daemon, 0.25);
    struct hd_link *other = hd_link_new(NULL);

    ck_assert_int_eq(hd_connect(other, daemon.address, PATIENCE_MS), HD_OK);
    cut(link);
    while (session_stat(other, "active") > 1)
        continue;
    ck_assert_int_eq(hd_resume(link, PATIENCE_MS), HD_DENIED);
    ck_assert(!hd_can_resume(link));
    ck_assert_int_eq(hd_resume(link, PATIENCE_MS), HD_USAGE);
    ck_assert_int_eq(hd_connect(link, daemon.address, PATIENCE_MS), HD_OK);
    ck_assert_int_eq(hd_kind(hd_get(hd_hello(link), "resumed")), HD_NONE);
    hd_link_free(other);
    close_daemon(&daemon, link);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        hello_tells_the_server_and_its_limits,
        a_released_handle_no_longer_counts_for_the_next_request,
        values_of_every_kind_come_back_as_they_went,
        a_list_nested_nine_hundred_deep_is_built_and_read,
        megabytes_go_and_come_back,
        a_chain_of_dependent_calls_waits_for_nothing,
        the_address_names_the_namespace_to_work_in,
        the_unix_socket_is_found_without_an_address,
        a_daemon_that_ends_says_bye_and_the_link_says_why_it_is_lost,
        a_session_goes_on_with_its_names_and_handles,
        handles_in_answers_that_were_lost_are_given_back_and_so_are_those_released_meanwhile,
        events_that_did_not_come_are_told_after_a_resume_and_none_twice,
        a_link_that_is_freed_leaves_no_session_behind,
        a_session_that_is_gone_is_DENIED_and_the_link_connects_anew,
        NULL,
    };

    return suite_run("client live", tests);
}
