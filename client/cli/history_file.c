/* history_file.c - see history_file.h. */
#include "client/cli/history_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINES_MAX 2000

/* Makes the directories above the file that are missing. */
static void make_directories(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
}

/* NULL if the environment names no place. */
static char *find_path(void)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    char *path = NULL;
    int len = -1;

    if (state != NULL && state[0] == '/')
        len = asprintf(&path, "%s/heapd/history", state);
    else if (home != NULL && home[0] == '/')
        len = asprintf(&path, "%s/.local/state/heapd/history", home);
    return len >= 0 ? path : NULL;
}

bool history_file_open(struct history_file *file)
{
    HistEvent event;

    *file = (struct history_file){.lines = history_init()};
    if (file->lines == NULL)
        return false;
    history(file->lines, &event, H_SETSIZE, LINES_MAX);
    history(file->lines, &event, H_SETUNIQUE, 1);
    file->path = find_path();
    if (file->path != NULL)
        history(file->lines, &event, H_LOAD, file->path);
    return true;
}

void history_file_close(struct history_file *file)
{
    if (file->lines != NULL)
        history_end(file->lines);
    free(file->path);
    *file = (struct history_file){0};
}

/* Into a new file that then takes the place of the old one: what is read is never half written. */
static void save(struct history_file *file)
{
    HistEvent event;
    char *fresh;
    int fd;
    FILE *stream;

    if (asprintf(&fresh, "%s.%ld", file->path, (long)getpid()) < 0)
        return;
    make_directories(file->path);
    fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    stream = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (stream != NULL) {
        bool is_saved = history(file->lines, &event, H_SAVE_FP, stream) >= 0;

        if ((fclose(stream) != 0 || !is_saved || rename(fresh, file->path) != 0))
            unlink(fresh);
    } else if (fd >= 0) {
        close(fd);
        unlink(fresh);
    }
    free(fresh);
}

void history_file_add(struct history_file *file, const char *text, size_t len)
{
    HistEvent event;
    char *line = strndup(text, len);

    if (line == NULL)
        return;
    for (char *at = line; *at != '\0'; at++) /* a statement of several lines comes back as one */
        if (*at == '\n')
            *at = at[1] != '\0' ? ' ' : '\0';
    if (line[strspn(line, " \t")] != '\0')
        history(file->lines, &event, H_ENTER, line);
    free(line);
    if (file->path != NULL)
        save(file);
}
