/*
 * store/serial_loading.h - a load while it runs: shared by serial_load.c, which reads and builds, and serial_finish.c,
 * which does what can only be done when everything is there.
 */
#ifndef HEAPD_STORE_SERIAL_LOADING_H
#define HEAPD_STORE_SERIAL_LOADING_H

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
};

/* A value that was read before its turn. */
struct loading_ahead {
    struct serial_value value;
    const unsigned char *end; /* behind it */
};

#define LOADING_AHEAD 32u /* a power of two */

struct loading {
    struct heap *heap;
    struct serial_reader in;  /* LOADING_AHEAD values further than `at` */
    const unsigned char *at;  /* behind the last value that was taken */
    struct loading_ahead ahead[LOADING_AHEAD];
    unsigned turn;            /* modulo LOADING_AHEAD: the place of the next value */
    const struct serial_classes *classes;
    struct serial_loaded *out;
    uint32_t claimed;         /* objects, by the head of the blob: room in out->objects, and in `more` */
    uint32_t *more;           /* by number: references that the object's count does not have yet */
    size_t open_tuples;
    struct loading_frame *frames;
    size_t depth, most_depth; /* open ones; room, by the head of the blob */
    uint64_t owed;            /* values that heads have promised and that have not come */
    struct obj *orphan;       /* owned: made, and then there was no place for it */
    bool has_late_keys;       /* keys that can be hashed only when all is there: their containers have OBJ_ON_PATH */
    bool has_knots;           /* a tuple or weakref may lead to itself: to be looked at */
};

/* Takes the next value. */
struct serial_value loading_next(struct loading *l);

static inline size_t loading_left(const struct loading *l)
{
    return (size_t)(l->in.end - l->at);
}

/* VALUE: what the blob says cannot be. */
enum hd_err loading_refuse(struct loading *l, const char *why);

/* Makes the weak links, and judges tuples and keys; then the graph is sound. */
enum hd_err loading_finish(struct loading *l);

#endif
