/*
 * tests/rig.h - one heap under test: its memory is counted and can be failed, what the test holds is known to the
 * verifier.
 *
 * A test opens it, keeps what it makes, and closes it: closing drops what is kept and finds every object and every byte
 * gone.
 */
#ifndef HEAPD_TESTS_RIG_H
#define HEAPD_TESTS_RIG_H

#include "store/heap.h"
#include "store/step.h"
#include "tests/meter.h"
#include "tests/suite.h"

#define RIG_KEPT 64

struct rig {
    struct meter meter;
    struct heap *heap;
    struct step step;             /* heap->step */
    struct obj *kept[RIG_KEPT];   /* owned */
    unsigned kept_count;
};

extern struct rig rig;

void rig_open(void);

/* Drops what is kept, lets everything die, and checks that nothing is left. */
void rig_close(void);

/* Takes over an owned reference until rig_drop or rig_close. Returns it. */
struct obj *rig_keep(struct obj *o);

/* Drops a kept reference. What dies with it is queued, not freed. */
void rig_drop(struct obj *o);

/* Frees what is queued. */
void rig_run(void);

/* The verifier finds nothing. */
void rig_check(void);

/* Mortal objects alive. */
uint64_t rig_live(void);

/* New, kept objects. */
struct obj *rig_int(int64_t value);
struct obj *rig_str(const char *text);
struct obj *rig_list(unsigned count, struct obj *const *items);

/* A list with the items given as arguments, none of them NULL. */
#define RIG_LIST(...)                                                                                                 \
    rig_list(sizeof((struct obj *const[]){__VA_ARGS__}) / sizeof(struct obj *), (struct obj *const[]){__VA_ARGS__})

/* Calls a builtin method that must succeed; its result is kept. */
struct obj *rig_call(struct obj *self, const char *method, unsigned nargs, struct obj *const *args);

#endif
