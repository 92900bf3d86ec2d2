/* daemon/main.c - heapd: the command line, and the daemon's start and end. */
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "daemon/config.h"
#include "daemon/log.h"
#include "daemon/server.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* A socket must never get the number of a standard stream, or the log would go to a client. */
static void occupy_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", O_RDWR) != fd)
            _exit(EXIT_FAILED);
    }
}

/*
 * Large blocks are mapped: the system moves them without copying when they grow, and zeroes what is touched of them. By
 * default glibc learns to keep ever larger ones in its own heap, up to 32 MiB, where both take milliseconds at once.
 */
static void map_large_blocks(void)
{
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
}

static int complain(const struct config_error *error, int status)
{
    fprintf(stderr, "heapd: %s\n", error->text);
    return status;
}

static int serve(const struct command_line *line)
{
    struct config_error error;
    struct config config;
    struct server *server;

    if (!config_load(&config, line, &error))
        return complain(&error, EXIT_USAGE);
    log_setup(config.log_level, config.log_format);
    server = server_open(line, &config, &error);
    if (server == NULL)
        return complain(&error, EXIT_FAILED);
    server_run(server);
    server_close(server);
    return EXIT_DONE;
}

int main(int argc, char **argv)
{
    struct command_line line;
    struct config_error error;
    int status = EXIT_DONE;

    signal(SIGPIPE, SIG_IGN);
    occupy_standard_streams();
    map_large_blocks();
    umask(077);
    switch (command_line_parse(&line, argc, argv, &error)) {
    case COMMAND_SERVE:
        status = serve(&line);
        break;
    case COMMAND_HELP:
        command_line_help(stdout);
        break;
    case COMMAND_VERSION:
        printf("heapd %s\n", HEAPD_VERSION);
        break;
    case COMMAND_WRONG:
        status = complain(&error, EXIT_USAGE);
        break;
    }
    command_line_fini(&line);
    uv_library_shutdown();
    return status;
}
