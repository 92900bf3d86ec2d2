/*
 * store/kinds/object.h - classes, their instances, and bound methods.
 *
 * Instances of one class share their key layout: the class keeps the attribute names in the order in which instances
 * first set them, an instance keeps only values, in that order (as CPython's key-sharing dicts do, PEP 412). An
 * instance that sets its attributes in another order, deletes one that is not its last, or has more than
 * CLASS_LAYOUT_MAX gets a table of its own (OBJ_OWN_NAMES).
 */
#ifndef HEAPD_STORE_KINDS_OBJECT_H
#define HEAPD_STORE_KINDS_OBJECT_H

#include "store/heap.h"
#include "store/kind.h"
#include "store/names.h"

#define CLASS_LAYOUT_MAX 30

struct class {
    struct obj head;
    struct name *name;          /* owned */
    struct names attributes;    /* of the class itself; instances see them too */
    struct name **layout;       /* names of instances' attributes, owned; CLASS_LAYOUT_MAX slots, or NULL while empty */
    uint8_t layout_len;
    uint8_t makes;              /* enum obj_type of what `new` makes */
};

struct instance {
    struct obj head;            /* aux: values in use, unless OBJ_OWN_NAMES */
    struct class *class;        /* owned reference */
    union {
        struct obj **values;    /* capacity by object_values_capacity(aux); NULL while empty */
        struct names *names;    /* OBJ_OWN_NAMES */
    };
};

struct method {
    struct obj head;
    struct obj *self;           /* owned; for a bound method of a class's type the class object */
    const struct method_row *row;
};

/* A new class for instances. `name` is UTF-8. */
enum hd_err class_new(struct heap *heap, const char *name, size_t len, struct obj **out);
/* Frees the names that a class owns, its own and those of its layout. */
void class_fini(struct heap *heap, struct class *class);
const char *class_name(const struct obj *class_or_instance, size_t *len);

/* An instance of a class, without attributes. */
enum hd_err object_new(struct heap *heap, struct obj *class, struct obj **out);

/*
 * The same for as many attributes as `n`, if instances of its class had so many: their slots are there and empty, which
 * object_has_slot then tells of one, and which whoever fills them takes from `values`. Filling them first to last, each
 * name at the place that it has, is setting them. A slot may stay empty.
 */
enum hd_err object_new_sized(struct heap *heap, struct obj *class, unsigned n, struct obj **out);
bool object_has_slot(const struct obj *o, unsigned place, const char *name, size_t len);

/* Sets, finds, removes an attribute. object_set takes a new reference to value; object_peek borrows, NULL if missing;
 * object_remove gives the reference to the caller, NULL if missing. */
enum hd_err object_set(struct heap *heap, struct obj *o, const char *name, size_t len, struct obj *value);
struct obj *object_peek(struct heap *heap, const struct obj *o, const char *name, size_t len);
struct obj *object_remove(struct heap *heap, struct obj *o, const char *name, size_t len);

/* Attributes in order: how many, and the i-th (0 ...) at a cursor that starts at 0; false at the end. */
uint64_t object_length(const struct obj *o);
bool object_next(const struct obj *o, uint64_t *cursor, const char **name, size_t *len, struct obj **value);

/* A bound method. */
enum hd_err method_new(struct heap *heap, struct obj *self, const struct method_row *row, struct obj **out);

static inline struct instance *instance_of(struct obj *o)
{
    return (struct instance *)o;
}

static inline struct class *class_of(struct obj *o)
{
    return (struct class *)o;
}

static inline struct method *method_of(struct obj *o)
{
    return (struct method *)o;
}

#endif
