/* daemon/server.c - see server.h. */
#include "daemon/server.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "daemon/conn.h"
#include "daemon/hub.h"
#include "daemon/listen.h"
#include "daemon/pace.h"
#include "daemon/panic.h"

/* Descriptors kept for everything that is no session: listeners, the loop, refused connections being told so. */
#define DESCRIPTORS_KEPT UINT64_C(64)

static const int signal_numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR2};

#define SIGNAL_COUNT (sizeof(signal_numbers) / sizeof(signal_numbers[0]))

struct server {
    uv_loop_t loop;
    bool has_loop;
    bool is_stopping;
    struct config config;
    const struct command_line *line;
    uint64_t session_cap; /* by descriptors */
    struct hub *hub;
    struct pace pace;
    struct conns conns;
    struct listeners listeners;
    uv_signal_t signals[SIGNAL_COUNT];
    uv_poll_t grower;
};

/* -- Descriptors --------------------------------------------------------------------------------------------------- */

/* As many as the sessions need, if the system allows; returns how many sessions that makes. */
static uint64_t reserve_descriptors(uint64_t sessions, uint64_t *descriptors)
{
    struct rlimit limit;
    uint64_t kept;

    *descriptors = 1024;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return *descriptors - DESCRIPTORS_KEPT;
    /* Not all that it allows: libuv's table is as long as the highest descriptor, and "unlimited" can be 2^30. */
    *descriptors = sessions + 2 * DESCRIPTORS_KEPT;
    if (limit.rlim_max != RLIM_INFINITY && *descriptors > limit.rlim_max)
        *descriptors = limit.rlim_max;
    limit.rlim_cur = *descriptors;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0)
        *descriptors = limit.rlim_cur;
    kept = *descriptors >= 4 * DESCRIPTORS_KEPT ? DESCRIPTORS_KEPT : *descriptors / 4;
    return *descriptors - kept;
}

/*
 * libuv aborts when its table of watchers cannot grow for want of memory. Watching the highest descriptor there can be,
 * once, makes the table as long as it will ever be.
 */
static bool grow_watchers(struct server *server, uint64_t descriptors, struct config_error *error)
{
    int low = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int high = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, (int)descriptors - 1);
    bool is_grown = high >= 0 && uv_poll_init(&server->loop, &server->grower, high) == 0;

    if (is_grown) {
        uv_poll_start(&server->grower, UV_READABLE, NULL);
        uv_poll_stop(&server->grower);
        uv_close((uv_handle_t *)&server->grower, NULL);
        uv_run(&server->loop, UV_RUN_NOWAIT);
    }
    if (high >= 0)
        close(high);
    if (low >= 0)
        close(low);
    if (!is_grown)
        snprintf(error->text, sizeof(error->text), "cannot use descriptor %llu: are so many allowed?",
                 (unsigned long long)descriptors - 1);
    return is_grown;
}

/* -- Signals ------------------------------------------------------------------------------------------------------- */

static struct hub_settings bounded_settings(const struct server *server, const struct config *config)
{
    struct hub_settings settings = config->hub;

    if (settings.limit_sessions > server->session_cap)
        settings.limit_sessions = server->session_cap;
    return settings;
}

static void tell_bound(const struct server *server)
{
    if (server->config.hub.limit_sessions > server->session_cap)
        log_line(LOG_INFO, "limits.sessions is %llu, as there are no more descriptors",
                 (unsigned long long)server->session_cap);
}

/* Runs with these settings from now on; the server's own copy is the caller's to set. */
static void apply(struct server *server)
{
    struct hub_settings settings = bounded_settings(server, &server->config);

    log_setup(server->config.log_level, server->config.log_format);
    hub_configure(server->hub, &settings);
    conns_configure(&server->conns);
    pace_configure(&server->pace, server->config.busy_poll_us);
    tell_bound(server);
}

/* hub_ops.configure: the lists of `config` are those that the server has. */
static void configure(void *context, const struct config *config, const char *what)
{
    const struct conns *conns = context;
    struct server *server = conns->context;

    server->config = *config;
    apply(server);
    log_line(LOG_INFO, "%s", what);
}

/* All or nothing: whatever is wrong, everything stays as it is. */
static void reload(struct server *server)
{
    struct config_error error;
    struct config config;
    const char *fixed;

    if (server->line->file == NULL) {
        log_line(LOG_WARNING, "SIGHUP: there is no file to read again (--config)");
        return;
    }
    if (!config_load(&config, server->line, &error)) {
        log_line(LOG_ERROR, "nothing was changed: %s", error.text);
        return;
    }
    fixed = config_fixed_difference(&server->config, &config);
    if (fixed != NULL) {
        log_line(LOG_ERROR, "nothing was changed: '%s' needs a restart", fixed);
        config_fini(&config);
        return;
    }
    config_fini(&server->config);
    server->config = config;
    apply(server);
    log_line(LOG_INFO, "settings read again from %s", server->line->file);
}

static void dump_line(void *context, const char *text)
{
    (void)context;
    log_answer("%s", text);
}

static void dump(struct server *server)
{
    log_answer("heapd %s: %llu connections, %llu accepted since the start, room for %llu, %zu listeners, round %llu",
               HEAPD_VERSION, (unsigned long long)server->conns.count, (unsigned long long)server->conns.accepted,
               (unsigned long long)server->conns.most, server->listeners.count,
               (unsigned long long)server->pace.round);
    hub_dump(server->hub, dump_line, NULL);
}

/* All but the signals': they stay until the heap is freed. */
static void close_handles(struct server *server)
{
    conns_close(&server->conns);
    pace_close(&server->pace);
}

/* The first time in order, the second time at once. */
static void stop(struct server *server, const char *signal_name)
{
    if (server->is_stopping) {
        conns_abort(&server->conns);
        return;
    }
    log_line(LOG_INFO, "%s: ending %llu connections", signal_name, (unsigned long long)server->conns.count);
    server->is_stopping = true;
    server->pace.hub = NULL; /* the end of the process is no death: nothing dies any more */
    listeners_close(&server->listeners);
    conns_stop(&server->conns, "the server is shutting down");
    if (server->conns.count == 0)
        close_handles(server);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct server *server = handle->data;

    switch (number) {
    case SIGHUP:
        if (!server->is_stopping)
            reload(server);
        break;
    case SIGUSR2:
        dump(server);
        break;
    default:
        stop(server, number == SIGTERM ? "SIGTERM" : "SIGINT");
        break;
    }
}

/* They do not keep the loop: it ends when everything else is closed. */
static void init_signals(struct server *server)
{
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        uv_signal_init(&server->loop, &server->signals[i]);
        uv_unref((uv_handle_t *)&server->signals[i]);
        server->signals[i].data = server;
    }
}

/* Until everything is open, a signal ends the process at once: it has nothing to tell anybody. */
static void start_signals(struct server *server)
{
    for (size_t i = 0; i < SIGNAL_COUNT; i++)
        uv_signal_start(&server->signals[i], on_signal, signal_numbers[i]);
}

/* Blocked first: one more SIGTERM, now that nobody handles it, would make an orderly end a death by signal. */
static void close_signals(struct server *server)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < SIGNAL_COUNT; i++)
        sigaddset(&set, signal_numbers[i]);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    for (size_t i = 0; i < SIGNAL_COUNT; i++)
        uv_close((uv_handle_t *)&server->signals[i], NULL);
}

/* A connection was freed. */
static void on_room(void *context)
{
    struct server *server = context;

    if (!server->is_stopping)
        listeners_resume(&server->listeners);
    else if (server->conns.count == 0)
        close_handles(server);
}

/* -- Start and end ------------------------------------------------------------------------------------------------- */

static void describe_server(void *context, char *text, unsigned long size)
{
    const struct server *server = context;

    snprintf(text, size, "%llu connections, %llu accepted, round %llu%s", (unsigned long long)server->conns.count,
             (unsigned long long)server->conns.accepted, (unsigned long long)server->pace.round,
             server->is_stopping ? ", stopping" : "");
}

static bool open_hub(struct server *server, struct config_error *error)
{
    struct hub_ops ops = {.wake = conn_wake,
                          .moved = conn_moved,
                          .context = &server->conns,
                          .config = &server->config,
                          .configure = configure};
    struct hub_settings settings = bounded_settings(server, &server->config);

    server->hub = hub_open(&settings, &ops);
    server->conns.hub = server->hub;
    server->pace.hub = server->hub;
    if (server->hub == NULL)
        snprintf(error->text, sizeof(error->text), "no memory for a heap");
    return server->hub != NULL;
}

/* Everything that is on the loop; what fails later is closed by server_close. */
static bool open_loop(struct server *server, struct config_error *error)
{
    int status = uv_loop_init(&server->loop);

    if (status != 0) {
        snprintf(error->text, sizeof(error->text), "no event loop: %s", uv_strerror(status));
        return false;
    }
    server->has_loop = true;
    pace_open(&server->pace, &server->loop);
    pace_configure(&server->pace, server->config.busy_poll_us);
    conns_open(&server->conns, &server->loop, NULL, &server->pace, &server->config);
    server->conns.on_room = on_room;
    server->conns.context = server;
    listeners_init(&server->listeners, &server->loop, &server->conns, &server->pace);
    init_signals(server);
    return true;
}

struct server *server_open(const struct command_line *line, struct config *config, struct config_error *error)
{
    struct server *server = calloc(1, sizeof(*server));
    uint64_t descriptors;

    if (server == NULL) {
        config_fini(config);
        snprintf(error->text, sizeof(error->text), "no memory");
        return NULL;
    }
    server->config = *config;
    server->line = line;
    server->session_cap = reserve_descriptors(config->hub.limit_sessions, &descriptors);
    /* Refused clients are told so: half of what is kept may be such connections. */
    server->conns.most = server->session_cap + (descriptors - server->session_cap) / 2;
    if (!open_loop(server, error) || !grow_watchers(server, descriptors, error) || !open_hub(server, error) ||
        !listeners_open(&server->listeners, &server->config, error)) {
        server_close(server);
        return NULL;
    }
    panic_set_hook(describe_server, server);
    start_signals(server);
    return server;
}

void server_run(struct server *server)
{
    tell_bound(server);
    listeners_announce(&server->listeners, stdout);
    uv_run(&server->loop, UV_RUN_DEFAULT);
}

void server_close(struct server *server)
{
    panic_set_hook(NULL, NULL);
    if (server->has_loop) {
        server->is_stopping = true;
        listeners_close(&server->listeners);
        conns_abort(&server->conns);
        close_handles(server);
        uv_run(&server->loop, UV_RUN_DEFAULT);
        listeners_fini(&server->listeners);
        hub_close(server->hub); /* of a large heap, it takes its time */
        close_signals(server);
        uv_run(&server->loop, UV_RUN_DEFAULT);
        INVARIANT(uv_loop_close(&server->loop) == 0, "every handle of the loop is closed");
    }
    config_fini(&server->config);
    free(server);
}
