/*
 * daemon/roots.h - where references into the heap come from, besides other objects: the one list of them, for the
 * collector, the verifiers, and those who ask why something is alive. A new kind of holder is shown here.
 *
 * Names are no roots: they hang on their namespaces, which are objects.
 */
#ifndef HEAPD_DAEMON_ROOTS_H
#define HEAPD_DAEMON_ROOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hub;
struct session;
struct obj;

enum root_kind {
    ROOT_SPACE,  /* a shared namespace, held by the table of them */
    ROOT_HANDLE,
    ROOT_PIN     /* what a session, or a request of it that takes time, refers to besides; what is offered */
};

struct root {
    enum root_kind kind;
    struct session *session; /* NULL of ROOT_SPACE, and of what is offered */
    uint64_t handle;         /* of ROOT_HANDLE */
    struct obj *o;           /* borrowed */
};

typedef void root_fn(void *arg, const struct root *root);

/* A walk over all roots that stops and goes on. What stays meanwhile is shown once; what comes meanwhile need not be.
 */
struct root_walk {
    uint64_t spaces_at;
    bool spaces_are_shown;
    bool offers_are_shown;
    bool is_begun;           /* the pins of `at` are shown */
    struct session *only;    /* nobody else's handles and pins; NULL: everybody's */
    struct session *at;      /* NULL: all sessions are shown */
    uint64_t handle_at;      /* the last of its handles that was shown */
    struct root_walk *next;  /* of hub->root_walks */
};

/* Begins, or begins again. */
void roots_begin(struct hub *hub, struct root_walk *walk, struct session *only);

/* Shows further roots, about *budget of them (counting down); true when there is none left. */
bool roots_some(struct hub *hub, struct root_walk *walk, size_t *budget, root_fn *visit, void *arg);

/* After it the walk may be forgotten. Fine for one that was never begun. */
void roots_end(struct hub *hub, struct root_walk *walk);

/* The session is freed: walks go on behind it. */
void roots_forget(struct hub *hub, const struct session *session);

/* The pins of one session; NULL: those of none, which are what is offered. */
void roots_pins(struct hub *hub, struct session *session, root_fn *visit, void *arg);

#endif
