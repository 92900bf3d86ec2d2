/*
 * client/cli/server.h - the server, as the command line talks to it: one request after another, on one link.
 *
 * What a statement is answered is kept, with every handle in it, until server_forget, which gives the handles back. So
 * an expression may use what it has got as long as it runs, and holds nothing afterwards.
 *
 * Functions that fail say false or NULL and leave `status` and `error`, "CODE a sentence".
 */
#ifndef HEAPD_CLIENT_CLI_SERVER_H
#define HEAPD_CLIENT_CLI_SERVER_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/heapd.h"

#define SERVER_ERROR_MAX 2000

/* Exit statuses of heap-cli. */
enum { EXIT_DONE, EXIT_ERROR, EXIT_USAGE, EXIT_LOST, EXIT_REFUSED, EXIT_TIMED_OUT };

/* A weak reference made with `notify` and the handle that it is told under. */
struct watch {
    struct watch *next;
    uint64_t handle;
    uint64_t id;    /* of the weakref */
    uint64_t died;  /* deaths are numbered from 1; 0 while the target lives */
    char cause[16]; /* of its death */
    char name[];    /* what it was bound to; "" for one without a name */
};

/* What becomes of watched names, as a line for people. */
struct notice {
    struct notice *next;
    char text[];
};

/* Ids of the objects whose handles are kept: as many entries as handles. */
struct held {
    uint64_t *ids; /* owned */
    size_t count;
    size_t capacity;
    bool is_sorted;
};

struct server {
    struct hd_link *link;
    const char *address;      /* for hd_connect, NULL: the default */
    int timeout_ms;           /* of a request */
    struct kept *kept;        /* answers of the statement that runs */
    struct held held;
    struct watch *watches;
    uint64_t deaths;          /* that were noticed */
    struct notice *notices, *last_notice; /* that are to be told, in order */
    struct hd_call *namespaces; /* the answer to namespaces(), NULL: not known */
    char *farewell;           /* owned: the reason of a `bye`; NULL: none came */
    enum hd_status status;
    char error[SERVER_ERROR_MAX];
};

/* Set by SIGINT where it shall abandon what runs; whoever reacts clears it. */
extern volatile sig_atomic_t server_interrupted;

/* Makes a server that is not connected; false without memory. */
bool server_open(struct server *server, const char *address, int timeout_ms);
void server_close(struct server *server);

/* From the next connection on: a session outlives its connection for so long. */
#define SERVER_LINGER_S 30

/* Connects, or connects again: watches and whatever the old session knew are forgotten. */
bool server_connect(struct server *server);

/* Goes on with the session whose connection was lost (hd_can_resume); false: the server says why. HD_DENIED: it is
 * gone. */
bool server_resume(struct server *server);

/* Sets `status` and `error`; answers false, for `return`. */
bool server_fail(struct server *server, enum hd_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What heap-cli exits with after this status. */
int server_exit_status(enum hd_status status);

/* -- requests ----------------------------------------------------------------------------------------------------- */

/* Begins a request; NULL without memory. It goes to server_finish, or to hd_call_free. */
struct hd_call *server_call(struct server *server, const char *method);

/* Sends a request (consumed) and waits for its answer, which is kept until server_forget. NULL: it failed. SIGINT makes
 * it fail with HD_CANCELLED. */
const struct hd_value *server_finish(struct server *server, struct hd_call *call);

/* Both in one, with parameters as hd_put takes them. */
const struct hd_value *server_ask(struct server *server, const char *method, const char *format, ...);

/* Waits until `fd` can be read, whatever that gives: true. False after a signal, or after something came from the
 * server, which is dealt with. `signals` is the mask to wait with, NULL: as it is. */
bool server_wait(struct server *server, int fd, const sigset_t *signals);

/* Takes the last answer's handle out of what server_forget gives back: from now on it is the caller's. */
void server_disown(struct server *server, const struct hd_value *answer);

/* Gives every kept answer and handle back, and has the releases sent. */
void server_forget(struct server *server);

/* How many handles this client holds of the object: those kept, and those of watches. */
uint64_t server_held(struct server *server, uint64_t id);

/* Whether it holds any handle at all. */
bool server_holds_any(const struct server *server);

/* Whether there is a namespace of this name, and nothing else that the name stands for. */
bool server_is_namespace(struct server *server, const char *name, size_t len);

/* -- events ------------------------------------------------------------------------------------------------------- */

/* Watches a weakref of this handle, whose holder the watch becomes. `name` is copied. */
bool server_watch(struct server *server, uint64_t handle, uint64_t id, const char *name);

/* Drops the watches of weakrefs that nobody else refers to any more: who deleted a weakref wants no notice. */
void server_prune_watches(struct server *server);

/* Takes the first death that is to be told out of the list, and gives its handle back; the caller frees it with free().
 * NULL: there is none. */
struct watch *server_take_dead(struct server *server);

/* Takes the first notice; the caller frees it with free(). NULL: there is none. */
struct notice *server_take_notice(struct server *server);

#endif
