/*
 * repl.c - see repl.h.
 *
 * The line editor asks for each key by read_key, which waits for the terminal and for the server at once. So events
 * show while a line is being typed, above it.
 */
#include "client/cli/repl.h"

#include <histedit.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "client/cli/complete.h"
#include "client/cli/history_file.h"
#include "client/cli/lexer.h"
#include "protocol/pack.h"

struct repl {
    struct console *console;
    EditLine *editor;
    struct history_file history;
    struct buf text;      /* lines of a statement whose brackets are open */
    long brackets;
    bool is_abandoned;    /* the line that is typed, by Ctrl-C */
    struct complete complete;
};

/* Set by signals. */
static volatile sig_atomic_t window_changed;
static volatile sig_atomic_t was_continued;

static void on_signal(int number)
{
    if (number == SIGINT)
        server_interrupted = 1;
    else if (number == SIGWINCH)
        window_changed = 1;
    else
        was_continued = 1;
}

/* -- the connection ----------------------------------------------------------------------------------------------- */

static bool is_connected(const struct repl *repl)
{
    return hd_state(repl->console->server.link) == HD_OPEN;
}

/* False: the server says why. */
static bool connect_again(struct repl *repl)
{
    struct server *server = &repl->console->server;
    bool may_resume = hd_can_resume(server->link);

    if (may_resume && server_resume(server)) {
        console_notice(repl->console, "connected again: the session goes on, its names and handles are there");
        return true;
    }
    if (may_resume && server->status != HD_DENIED)
        return false; /* it may still be there */
    if (!server_connect(server))
        return false;
    complete_forget(&repl->complete);
    console_notice(repl->console,
                   "connected again: this is a new session, the old one's names and handles are gone");
    return true;
}

/* Tells of the loss, and tries to do something about it. */
static void recover(struct repl *repl)
{
    struct server *server = &repl->console->server;
    const char *reason = server->farewell != NULL ? server->farewell : hd_error(server->link);
    char text[SERVER_ERROR_MAX + 80];

    snprintf(text, sizeof text, "connection lost: %s", reason);
    console_notice(repl->console, text);
    if (connect_again(repl))
        return;
    snprintf(text, sizeof text, "no new connection: %s; the next line tries again", server->error);
    console_notice(repl->console, text);
}

/* Before a statement. */
static bool ensure_connection(struct repl *repl)
{
    if (is_connected(repl) || connect_again(repl))
        return true;
    console_complain(repl->console, "");
    return false;
}

/* -- keys --------------------------------------------------------------------------------------------------------- */

/* Makes room for lines above the one that is typed. */
static void leave_line(void)
{
    fputs("\r\033[K", stdout);
}

static void show_again(struct repl *repl)
{
    fflush(stdout);
    el_set(repl->editor, EL_REFRESH);
}

/* What came from the server shows above the line that is typed. `was_connected`: before it came. */
static void deal_with_server(struct repl *repl, bool was_connected)
{
    bool is_lost = was_connected && !is_connected(repl);

    if (!is_lost && !console_has_news(repl->console))
        return;
    leave_line();
    if (is_lost)
        recover(repl);
    else
        console_tell(repl->console);
    show_again(repl);
}

static void deal_with_signals(struct repl *repl)
{
    if (window_changed)
        el_resize(repl->editor);
    if (was_continued) {
        el_set(repl->editor, EL_PREP_TERM, 1);
        show_again(repl);
    }
    window_changed = was_continued = 0;
}

/* Waits until a key can be read; false after Ctrl-C. `waiting` is the mask of signals to wait with. */
static bool wait_for_key(struct repl *repl, const sigset_t *waiting)
{
    bool was_connected = is_connected(repl);

    do {
        deal_with_server(repl, was_connected);
        deal_with_signals(repl);
        was_connected = is_connected(repl);
        repl->is_abandoned = server_interrupted;
        server_interrupted = 0;
    } while (!repl->is_abandoned && !server_wait(&repl->console->server, STDIN_FILENO, waiting));
    return !repl->is_abandoned;
}

/* The signals are blocked but while waiting, so none is missed between a look at its flag and the wait. */
static bool wait_with_signals(struct repl *repl)
{
    sigset_t blocked;
    sigset_t before;
    bool is_ready;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGWINCH);
    sigaddset(&blocked, SIGCONT);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    is_ready = wait_for_key(repl, &before);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return is_ready;
}

/* The editor's source of characters: 1, or what ends the line: 0 at the end of input, -1. */
static int read_key(EditLine *editor, wchar_t *key)
{
    struct repl *repl;
    mbstate_t state = {0};
    char byte;
    ssize_t count;

    el_get(editor, EL_CLIENTDATA, &repl);
    for (;;) {
        if (!wait_with_signals(repl))
            return -1;
        count = read(STDIN_FILENO, &byte, 1);
        if (count <= 0)
            return count == 0 ? 0 : -1;
        switch (mbrtowc(key, &byte, 1, &state)) {
        case (size_t)-2: /* more bytes to come */
            break;
        case (size_t)-1:
            memset(&state, 0, sizeof state);
            break;
        default:
            return 1;
        }
    }
}

/* -- the editor --------------------------------------------------------------------------------------------------- */

static char *prompt(EditLine *editor)
{
    static char first[] = "heapd> ";
    static char further[] = "  ...> ";
    struct repl *repl;

    el_get(editor, EL_CLIENTDATA, &repl);
    return repl->text.len == 0 ? first : further;
}

/* The key Tab. */
static unsigned char on_tab(EditLine *editor, int key)
{
    struct repl *repl;
    const LineInfo *line = el_line(editor);
    struct buf shown;
    unsigned char refresh = CC_REFRESH;
    char *rest;

    (void)key;
    el_get(editor, EL_CLIENTDATA, &repl);
    if (!is_connected(repl))
        return CC_ERROR;
    buf_init(&shown, SIZE_MAX, NULL);
    rest = complete_line(&repl->complete, &repl->console->server, line->buffer, (size_t)(line->cursor - line->buffer),
                         &shown);
    if (rest != NULL && rest[0] != '\0')
        el_insertstr(editor, rest);
    else if (shown.len == 0 || shown.failed)
        refresh = CC_ERROR;
    if (shown.len > 0 && !shown.failed) {
        fputc('\n', stdout);
        fwrite(shown.bytes, 1, shown.len, stdout);
        fflush(stdout);
        refresh = CC_REDISPLAY;
    }
    free(rest);
    buf_fini(&shown);
    return refresh;
}

static bool open_editor(struct repl *repl)
{
    repl->editor = el_init("heap-cli", stdin, stdout, stderr);
    if (repl->editor == NULL || !history_file_open(&repl->history))
        return server_fail(&repl->console->server, HD_OUT_OF_MEMORY, "out of memory");
    el_set(repl->editor, EL_CLIENTDATA, repl);
    el_set(repl->editor, EL_PROMPT, prompt);
    el_set(repl->editor, EL_EDITOR, "emacs");
    el_set(repl->editor, EL_HIST, history, repl->history.lines);
    el_set(repl->editor, EL_GETCFN, read_key);
    el_wset(repl->editor, EL_ADDFN, L"heap-complete", L"complete a name", on_tab); /* el_set would leak copies */
    el_set(repl->editor, EL_BIND, "^I", "heap-complete", NULL);
    el_set(repl->editor, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_source(repl->editor, NULL);
    return true;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal}; /* no SA_RESTART: waits end */

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGWINCH, &action, NULL);
    sigaction(SIGCONT, &action, NULL);
    (void)signal(SIGHUP, SIG_IGN); /* the terminal's end is that of its input: no session stays behind */
}

/* -- lines -------------------------------------------------------------------------------------------------------- */

static void run_text(struct repl *repl)
{
    struct console *console = repl->console;
    bool is_done;

    history_file_add(&repl->history, repl->text.bytes, repl->text.len);
    if (!ensure_connection(repl))
        return;
    is_done = console_run(console, repl->text.bytes, repl->text.len);
    if (!is_done)
        console_complain(console, "");
    if (!is_connected(repl))
        recover(repl);
}

static void forget_text(struct repl *repl)
{
    buf_clear(&repl->text);
    repl->brackets = 0;
}

/* A whole line: runs it, unless its brackets are open. */
static void take_line(struct repl *repl, const char *line, size_t len)
{
    buf_append(&repl->text, line, len);
    repl->brackets += lexer_brackets(line, len);
    if (repl->brackets > 0 && !repl->text.failed)
        return;
    if (repl->text.failed)
        fputs("OUT_OF_MEMORY out of memory\n", stderr);
    else if (strspn(line, " \t\n") < len || repl->text.len > len)
        run_text(repl);
    forget_text(repl);
}

enum hd_status repl_run(struct console *console)
{
    struct repl repl = {.console = console};
    enum hd_status status = HD_OK;
    const char *line;
    int len;

    catch_signals();
    buf_init(&repl.text, SIZE_MAX, NULL);
    if (!open_editor(&repl)) {
        console_complain(console, "");
        status = HD_OUT_OF_MEMORY;
    }
    while (status == HD_OK) {
        repl.is_abandoned = false;
        el_set(repl.editor, EL_PREP_TERM, 1); /* before the prompt: keys typed at its sight are echoed once */
        line = el_gets(repl.editor, &len);
        if (line != NULL && len > 0) {
            take_line(&repl, line, (size_t)len);
            continue;
        }
        fputc('\n', stdout);
        if (!repl.is_abandoned)
            break;
        forget_text(&repl);
    }
    if (repl.editor != NULL)
        el_end(repl.editor);
    history_file_close(&repl.history);
    complete_forget(&repl.complete);
    buf_fini(&repl.text);
    return status;
}
