/*
 * store/serial_loading.h - a load while it runs: shared by serial_load.c, which reads and builds, serial_give.c, which
 * puts together, and serial_finish.c, which does what can only be done when everything is there.
 */
#ifndef HEAPD_STORE_SERIAL_LOADING_H
#define HEAPD_STORE_SERIAL_LOADING_H

#include "store/compare.h"
#include "store/serial.h"
#include "store/serial_bytes.h"

/* A container that is being filled. */
struct loading_frame {
    struct obj *o;            /* borrowed; NULL for an instance whose class has not come */
    union {
        struct obj *key;      /* dict: owned, waits for its value; or NULL */
        const char *name;     /* instance, class: of the attribute whose value comes next, in the blob; NULL: the
                               * slot at `place` waits for it */
    };
    union {
        uint32_t number;      /* of what is filled; of an instance only until its class has come */
        uint32_t name_len;
    };
    uint32_t left;            /* values to come; attributes count one */
    uint32_t model;           /* number + 1 of the dict that was open here last; 0: none was */
    uint16_t place;           /* instance: of the attribute that comes next, if it comes in the order of its class */
    uint8_t type;             /* enum obj_type */
    bool is_like;             /* dict: all keys until now are those of `model`, in its order */
    bool is_late;             /* dict, set: in loading.late */
};

/* A value that was read before its turn. */
struct loading_ahead {
    struct serial_value value;
    const unsigned char *end; /* behind it */
};

#define LOADING_AHEAD 32u /* a power of two */

/* Of a tuple or weakref, in `aux`, which neither uses. */
enum loading_mark {
    LOADING_NEW,
    LOADING_OPEN, /* being filled; later: the search for knots is inside it */
    LOADING_SEEN
};

/* A step of the search for knots. */
struct loading_visit {
    struct obj *o;
    uint32_t at; /* next element */
};

enum loading_stage {
    LOADING_HEAD,
    LOADING_SEAL,
    LOADING_GRAPH,
    LOADING_LINKS,
    LOADING_KNOTS,
    LOADING_KEYS,
    LOADING_GIVES_UP,
    LOADING_DONE
};

struct loading {
    struct heap *heap;
    const char *bytes;        /* the dump, of `len` bytes */
    size_t len;
    const struct serial_classes *classes;
    enum loading_stage stage;
    enum hd_err err;
    uint64_t work_left;
    struct siphash hash;      /* of the dump, so far */
    struct serial_reader in;  /* LOADING_AHEAD values further than `at` */
    const unsigned char *at;  /* behind the last value that was taken */
    struct loading_ahead ahead[LOADING_AHEAD];
    unsigned turn;            /* modulo LOADING_AHEAD: the place of the next value */
    struct serial_loaded out;
    uint32_t claimed;         /* objects, by the head of the dump: room in out.objects */
    size_t open_tuples;
    struct loading_frame *frames;
    size_t depth, most_depth; /* open ones; room, by the head of the dump */
    uint64_t owed;            /* values that heads have promised and that have not come */
    struct obj *orphan;       /* owned: made, and then there was no place for it */
    uint32_t links;           /* numbers in the array of weak links that have not come */
    bool has_links;           /* its head has come */
    bool has_knots;           /* a tuple or weakref may lead to itself: to be looked at */
    size_t next;              /* object, or late container, that is looked at next */
    struct loading_visit *search;
    size_t search_depth, search_capacity;
    struct obj **late;        /* borrowed: containers with keys that can be hashed only when all is there */
    size_t late_len, late_capacity;
    char text[HEAP_ERROR_TEXT]; /* of `err`: between slices others fail as well */
};

/* Takes the next value. */
struct serial_value loading_next(struct loading *l);

/* Gives `o`, consumed, to the innermost of `depth` open containers. What finds no place becomes the orphan: its number
 * leads to it, so it must not die here. serial_give.c */
enum hd_err loading_give(struct loading *l, size_t depth, struct obj *o);

static inline size_t loading_left(const struct loading *l)
{
    return (size_t)(l->in.end - l->at);
}

/* VALUE: what the blob says cannot be. */
enum hd_err loading_refuse(struct loading *l, const char *why);

/* Each takes about *budget steps, counting down, and goes to the next stage behind its last: the weak links; then
 * tuples and weakrefs are judged; then late keys are hashed, and the graph is sound. */
enum hd_err loading_link_some(struct loading *l, size_t *budget);
enum hd_err loading_search_some(struct loading *l, size_t *budget);
enum hd_err loading_hash_some(struct loading *l, size_t *budget);

/* Takes what was made apart, when the load has failed. */
void loading_give_up_some(struct loading *l, size_t *budget);

/* Drops all references that the load itself holds. */
void loading_let_go(struct loading *l);

#endif
