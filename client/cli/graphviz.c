/* graphviz.c - see graphviz.h. */
#include "client/cli/graphviz.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Starts `dot` with the pipe as its standard input; an errno, 0 if it runs. */
static int start(const char *path, const int ends[2], pid_t *pid)
{
    char option[] = "-Tsvg";
    char output[] = "-o";
    char name[] = "dot";
    char *arguments[] = {name, option, output, (char *)(uintptr_t)path, NULL};
    posix_spawn_file_actions_t actions;
    int failure = posix_spawn_file_actions_init(&actions);

    if (failure != 0)
        return failure;
    failure = posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
    if (failure == 0)
        failure = posix_spawn_file_actions_addclose(&actions, ends[1]);
    if (failure == 0)
        failure = posix_spawnp(pid, name, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return failure;
}

/* What ends early takes no more; its exit status tells. */
static void feed(int fd, const char *text, size_t len)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction old;
    ssize_t count = 1;

    sigaction(SIGPIPE, &ignore, &old);
    while (len > 0 && (count > 0 || errno == EINTR)) {
        count = write(fd, text, len);
        if (count > 0) {
            text += count;
            len -= (size_t)count;
        }
    }
    sigaction(SIGPIPE, &old, NULL);
}

static bool wait_for(struct server *server, pid_t pid, const char *path)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
           server_fail(server, HD_CANCELLED, "dot could not make %s", path);
}

bool graphviz_run(struct server *server, const char *text, size_t len, const char *path)
{
    int ends[2];
    pid_t pid;
    int failure;

    if (pipe(ends) != 0)
        return server_fail(server, HD_CANCELLED, "cannot talk to dot: %s", strerror(errno));
    failure = start(path, ends, &pid);
    close(ends[0]);
    if (failure == 0)
        feed(ends[1], text, len);
    close(ends[1]);
    if (failure == ENOENT)
        return server_fail(server, HD_CANCELLED,
                           "there is no `dot`: it comes with Graphviz (Debian: apt install graphviz)");
    if (failure != 0)
        return server_fail(server, HD_CANCELLED, "cannot start dot: %s", strerror(failure));
    return wait_for(server, pid, path);
}
