/*
 * store/names.h - from a name (any bytes that are UTF-8, the empty one too) to an object, in order of binding:
 * namespaces and attributes. In a namespace a binding may be weak: it does not count, and expires with its object.
 */
#ifndef HEAPD_STORE_NAMES_H
#define HEAPD_STORE_NAMES_H

#include "store/bytes.h"
#include "store/heap.h"
#include "store/kind.h"
#include "store/table.h"
#include "store/weak.h"

/* A name's bytes, in one small block. */
struct name {
    uint32_t len;
    char bytes[];
};

#define NAME_MAX_BYTES UINT32_C(0xffffff)

/* NULL without memory, or beyond NAME_MAX_BYTES. */
struct name *name_new(struct heap *heap, const char *bytes, size_t len);
void name_free(struct heap *heap, struct name *name);

static inline bool name_is(const struct name *name, const char *bytes, size_t len)
{
    return name->len == len && bytes_are_same(name->bytes, bytes, len);
}

struct names {
    /* key: struct name, owned; value: an owned reference, or an owned struct weak_name with bit 0 set */
    struct table table;
};

struct weak_name {
    struct weak_link link; /* WEAK_NAME; once expired, `next` is that of step->expired */
    struct names *names;   /* it stands in */
    struct obj *holder;    /* the namespace of these names; once expired, an owned reference */
    struct name *name;     /* of the table; once expired, owned */
    uint64_t id;           /* of the object */
};

void names_init(struct names *names);

/* Drops every binding in order, at most *budget of them (counting down); true when all are gone and storage is
 * freed. */
bool names_drop(struct heap *heap, struct names *names, size_t *budget);

/* What a name is bound to, borrowed; NULL if it is not. What it is bound to weakly: take a reference before anything is
 * dropped. */
struct obj *names_peek(struct heap *heap, const struct names *names, const char *bytes, size_t len);

/* The same with the name's hash by heap_hash_bytes, for whoever looks in several places; where it was found is told
 * too: good for names_peek_at. */
struct obj *names_peek_hashed(struct heap *heap, const struct names *names, uint32_t hash, const char *bytes,
                              size_t len, uint32_t *position);

/* The same where the name stood once, any number: borrowed; NULL if it does not stand there, or is bound weakly. */
static inline struct obj *names_peek_at(const struct names *names, uint32_t position, const char *bytes, size_t len)
{
    const struct table_entry *entry;

    if (position >= names->table.used)
        return NULL;
    entry = &names->table.entries[position];
    if (entry->key == NULL || !name_is(entry->key, bytes, len))
        return NULL;
    return ((uintptr_t)entry->value & 1) == 0 ? entry->value : NULL;
}

/*
 * Binds a name, in its old place if it was bound, weakly or not. Consumes *value if it succeeds. *old gets the owned
 * reference that was bound before, or NULL: the caller drops it after the new binding stands.
 */
enum hd_err names_bind_take(struct heap *heap, struct names *names, const char *bytes, size_t len, struct obj **value,
                            struct obj **old);

/* The same with a new reference to value. */
static inline enum hd_err names_bind(struct heap *heap, struct names *names, const char *bytes, size_t len,
                                     struct obj *value, struct obj **old)
{
    struct obj *own = obj_ref(value);
    enum hd_err err = names_bind_take(heap, names, bytes, len, &own, old);

    obj_unref(heap, &own); /* NULL, but of a failure */
    return err;
}

/* The same without counting, for names of the namespace `holder`. TYPE for an immortal value. */
enum hd_err names_bind_weak(struct heap *heap, struct names *names, struct obj *holder, const char *bytes, size_t len,
                            struct obj *value, struct obj **old);

/* The object of a weak binding dies in this step: it leaves its names at once, and waits in step->expired. In a
 * namespace that dies itself it is nobody's business any more. Never allocates, drops no reference. */
void weak_name_expire(struct heap *heap, struct weak_link *link, struct step *step);

/* The next one in step->expired. */
static inline struct weak_name *weak_name_next(const struct weak_name *weak)
{
    return (struct weak_name *)weak->link.next;
}

/* Takes the first out of step->expired, which is not empty, frees it, and gives its reference to the namespace to the
 * caller. */
struct obj *weak_name_forget(struct heap *heap, struct step *step);

/* Removes a binding and gives its reference to the caller; NULL if the name is not bound, or weakly. Never
 * allocates. */
struct obj *names_unbind(struct heap *heap, struct names *names, const char *bytes, size_t len);

/* Position of a name for names_next, or TABLE_NONE. */
uint32_t names_find(struct heap *heap, const struct names *names, const char *bytes, size_t len);

/* Iterates in order: *position starts at 0; false at the end. *value is NULL for a weak binding. */
bool names_next(const struct names *names, uint32_t *position, const struct name **name, struct obj **value);

/* The walk of struct kind's traverse over what the names are bound to, but not weakly: SLOT_ATTRIBUTE. */
bool names_traverse(const struct names *names, uint64_t *cursor, size_t *budget, slot_fn *visit, void *arg);

static inline uint32_t names_count(const struct names *names)
{
    return names->table.live;
}

size_t names_bytes(const struct names *names);

#endif
