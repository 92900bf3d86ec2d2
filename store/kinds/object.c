/*
 * object.c - classes, instances and bound methods.
 *
 * Invariant: an instance without OBJ_OWN_NAMES has `aux` value slots in use, for the first `aux` names of its class's
 * layout; a slot whose attribute was deleted is NULL (deleting never allocates).
 */
#include "store/kinds/object.h"

#include <assert.h>
#include <string.h>

#include "store/kinds/atoms.h"

/* -- classes ------------------------------------------------------------------------------------------------------ */

enum hd_err class_new(struct heap *heap, const char *name, size_t len, struct obj **out)
{
    struct name *copy;
    struct class *class;

    if (len > NAME_MAX_BYTES)
        return heap_fail(heap, HD_LIMIT, "a name has at most %u bytes", NAME_MAX_BYTES);
    copy = name_new(heap, name, len);
    if (copy == NULL)
        return heap_no_memory(heap);
    class = (struct class *)heap_new(heap, OBJ_CLASS, sizeof *class);
    if (class == NULL) {
        name_free(heap, copy);
        return heap_no_memory(heap);
    }
    class->name = copy;
    names_init(&class->attributes);
    class->layout = NULL;
    class->layout_len = 0;
    class->makes = OBJ_OBJECT;
    *out = &class->head;
    return HD_OK;
}

const char *class_name(const struct obj *o, size_t *len)
{
    const struct class *class = o->type == OBJ_OBJECT ? ((const struct instance *)o)->class : (const struct class *)o;

    *len = class->name->len;
    return class->name->bytes;
}

/* Place of a name in the layout, or layout_len. */
static unsigned layout_find(const struct class *class, const char *name, size_t len)
{
    unsigned i = 0;

    while (i < class->layout_len && !name_is(class->layout[i], name, len))
        i++;
    return i;
}

/* Adds a name to the layout; false without memory. */
static bool layout_add(struct heap *heap, struct class *class, const char *name, size_t len)
{
    struct name *copy;

    if (class->layout == NULL) {
        class->layout = pool_zero(heap->pool, CLASS_LAYOUT_MAX * sizeof *class->layout);
        if (class->layout == NULL)
            return false;
    }
    copy = name_new(heap, name, len);
    if (copy == NULL)
        return false;
    class->layout[class->layout_len++] = copy;
    return true;
}

/* -- an instance's values ----------------------------------------------------------------------------------------- */

/* Slots that `n` values are given: 0, 2, 4, 8, 16, 30. */
static unsigned values_capacity(unsigned n)
{
    unsigned capacity = 2;

    if (n == 0)
        return 0;
    while (capacity < n)
        capacity *= 2;
    return capacity < CLASS_LAYOUT_MAX ? capacity : CLASS_LAYOUT_MAX;
}

static size_t values_size(unsigned n)
{
    return values_capacity(n) * sizeof(struct obj *);
}

static void free_values(struct heap *heap, struct instance *instance)
{
    pool_free(heap->pool, instance->values, values_size(instance->head.aux), POOL_DATA);
    instance->values = NULL;
    instance->head.aux = 0;
}

static bool owns_names(const struct obj *o)
{
    return (o->flags & OBJ_OWN_NAMES) != 0;
}

enum hd_err object_new(struct heap *heap, struct obj *class, struct obj **out)
{
    struct instance *instance;

    if (!obj_can_ref(class))
        return heap_count_full(heap, class);
    instance = (struct instance *)heap_new(heap, OBJ_OBJECT, sizeof *instance);
    if (instance == NULL)
        return heap_no_memory(heap);
    instance->class = class_of(obj_ref(class));
    instance->values = NULL;
    *out = &instance->head;
    return HD_OK;
}

/* Slots of deleted attributes are as good as those of attributes to come. */
enum hd_err object_new_sized(struct heap *heap, struct obj *class, unsigned n, struct obj **out)
{
    struct obj **values;
    enum hd_err err = object_new(heap, class, out);

    if (err != HD_OK || n == 0 || n > class_of(class)->layout_len)
        return err;
    values = pool_zero(heap->pool, values_size(n));
    if (values == NULL) {
        obj_unref(heap, out);
        return heap_no_memory(heap);
    }
    instance_of(*out)->values = values;
    (*out)->aux = (uint16_t)n;
    return HD_OK;
}

bool object_has_slot(const struct obj *o, unsigned place, const char *name, size_t len)
{
    const struct instance *instance = (const struct instance *)o;

    return place < o->aux && !owns_names(o) && instance->values[place] == NULL &&
           name_is(instance->class->layout[place], name, len);
}

/* Gives the instance a table of its own, with what it has. */
static enum hd_err own_names(struct heap *heap, struct instance *instance)
{
    struct names *names = pool_zero(heap->pool, sizeof *names);
    struct obj *none;
    enum hd_err err = names == NULL ? heap_no_memory(heap) : HD_OK;

    for (unsigned i = 0; err == HD_OK && i < instance->head.aux; i++) {
        const struct name *name = instance->class->layout[i];

        if (instance->values[i] != NULL)
            err = names_bind(heap, names, name->bytes, name->len, instance->values[i], &none);
    }
    if (err != HD_OK) {
        size_t all = SIZE_MAX;

        if (names != NULL) {
            names_drop(heap, names, &all); /* the values live on in the instance: nothing dies here */
            pool_free(heap->pool, names, sizeof *names, POOL_DATA);
        }
        return err;
    }
    for (unsigned i = 0; i < instance->head.aux; i++)
        obj_unref(heap, &instance->values[i]); /* the table holds them now */
    free_values(heap, instance);
    instance->names = names;
    instance->head.flags |= OBJ_OWN_NAMES;
    return HD_OK;
}

/* Appends a value under the next name of the layout. */
static enum hd_err append_value(struct heap *heap, struct instance *instance, struct obj *value)
{
    unsigned n = instance->head.aux;
    struct obj **values = instance->values;

    if (values_capacity(n + 1) != values_capacity(n)) {
        values = pool_resize(heap->pool, values, values_size(n), values_size(n + 1));
        if (values == NULL)
            return heap_no_memory(heap);
        instance->values = values;
    }
    values[n] = obj_ref(value);
    instance->head.aux = (uint16_t)(n + 1);
    return HD_OK;
}

static enum hd_err set_in_table(struct heap *heap, struct instance *instance, const char *name, size_t len,
                                struct obj *value)
{
    struct obj *old;
    enum hd_err err;

    if (!owns_names(&instance->head)) {
        err = own_names(heap, instance);
        if (err != HD_OK)
            return err;
    }
    err = names_bind(heap, instance->names, name, len, value, &old);
    if (err == HD_OK)
        obj_unref(heap, &old);
    return err;
}

/* True if no attribute behind `place` is set: then setting it there keeps the order of insertion. */
static bool is_behind_all(const struct instance *instance, unsigned place)
{
    for (unsigned i = place + 1; i < instance->head.aux; i++)
        if (instance->values[i] != NULL)
            return false;
    return true;
}

enum hd_err object_set(struct heap *heap, struct obj *o, const char *name, size_t len, struct obj *value)
{
    struct instance *instance = instance_of(o);
    struct class *class = instance->class;
    struct obj *old;
    unsigned place;

    if (!obj_can_ref(value))
        return heap_count_full(heap, value);
    if (owns_names(o))
        return set_in_table(heap, instance, name, len, value);
    place = layout_find(class, name, len);
    if (place < o->aux && (instance->values[place] != NULL || is_behind_all(instance, place))) {
        old = instance->values[place];
        instance->values[place] = obj_ref(value);
        obj_unref(heap, &old);
        return HD_OK;
    }
    if (len > NAME_MAX_BYTES)
        return heap_fail(heap, HD_LIMIT, "a name has at most %u bytes", NAME_MAX_BYTES);
    if (place == class->layout_len && place == o->aux && place < CLASS_LAYOUT_MAX &&
        !layout_add(heap, class, name, len))
        return heap_no_memory(heap);
    if (place == o->aux && place < class->layout_len)
        return append_value(heap, instance, value);
    return set_in_table(heap, instance, name, len, value);
}

struct obj *object_peek(struct heap *heap, const struct obj *o, const char *name, size_t len)
{
    const struct instance *instance = (const struct instance *)o;
    unsigned place;

    if (owns_names(o))
        return names_peek(heap, instance->names, name, len);
    place = layout_find(instance->class, name, len);
    return place < o->aux ? instance->values[place] : NULL;
}

struct obj *object_remove(struct heap *heap, struct obj *o, const char *name, size_t len)
{
    struct instance *instance = instance_of(o);
    struct obj *value;
    unsigned place;

    if (owns_names(o))
        return names_unbind(heap, instance->names, name, len);
    place = layout_find(instance->class, name, len);
    if (place >= o->aux)
        return NULL;
    value = instance->values[place];
    instance->values[place] = NULL;
    return value;
}

bool object_next(const struct obj *o, uint64_t *cursor, const char **name, size_t *len, struct obj **value)
{
    const struct instance *instance = (const struct instance *)o;
    const struct name *found = NULL;

    if (owns_names(o)) {
        uint32_t at = (uint32_t)*cursor;

        if (!names_next(instance->names, &at, &found, value))
            return false;
        *cursor = at;
    } else {
        while (*cursor < o->aux && instance->values[*cursor] == NULL)
            (*cursor)++;
        if (*cursor >= o->aux)
            return false;
        found = instance->class->layout[*cursor];
        *value = instance->values[(*cursor)++];
    }
    *name = found->bytes;
    *len = found->len;
    return true;
}

uint64_t object_length(const struct obj *o)
{
    const struct instance *instance = (const struct instance *)o;
    uint64_t length = 0;

    if (owns_names(o))
        return names_count(instance->names);
    for (unsigned i = 0; i < o->aux; i++)
        length += instance->values[i] != NULL;
    return length;
}

/* -- bound methods ------------------------------------------------------------------------------------------------ */

enum hd_err method_new(struct heap *heap, struct obj *self, const struct method_row *row, struct obj **out)
{
    struct method *method;

    if (!obj_can_ref(self))
        return heap_count_full(heap, self);
    method = (struct method *)heap_new(heap, OBJ_METHOD, sizeof *method);
    if (method == NULL)
        return heap_no_memory(heap);
    method->self = obj_ref(self);
    method->row = row;
    *out = &method->head;
    return HD_OK;
}

/* -- the kind `object` -------------------------------------------------------------------------------------------- */

/* Values in the class's layout are few: they go in one, whatever the budget. */
static bool traverse_values(struct obj *o, size_t *budget, slot_fn *visit, void *arg)
{
    struct slot slot = {.kind = SLOT_ATTRIBUTE};
    uint64_t cursor = 0;

    for (; object_next(o, &cursor, &slot.name, &slot.name_len, &slot.target); *budget -= *budget > 0)
        if (!visit(arg, &slot))
            return false;
    return true;
}

static bool traverse_object(struct obj *o, uint64_t *cursor, size_t *budget, slot_fn *visit, void *arg)
{
    bool is_through = owns_names(o) ? names_traverse(instance_of(o)->names, cursor, budget, visit, arg)
                                    : traverse_values(o, budget, visit, arg);

    return is_through && visit(arg, &(struct slot){.kind = SLOT_CLASS, .target = &instance_of(o)->class->head});
}

static bool drop_values(struct heap *heap, struct instance *instance, uint64_t *cursor, size_t *budget)
{
    for (; *cursor < instance->head.aux && *budget > 0; (*cursor)++, (*budget)--)
        obj_unref(heap, &instance->values[*cursor]);
    return *cursor == instance->head.aux;
}

static bool drop_object(struct heap *heap, struct obj *o, uint64_t *cursor, size_t *budget)
{
    struct instance *instance = instance_of(o);

    /* the layout is the class's: values first, the class last, as Python drops them */
    return owns_names(o) ? names_drop(heap, instance->names, budget) : drop_values(heap, instance, cursor, budget);
}

static void free_object(struct heap *heap, struct obj *o)
{
    struct instance *instance = instance_of(o);
    struct obj *class = &instance->class->head;

    if (owns_names(o))
        pool_free(heap->pool, instance->names, sizeof *instance->names, POOL_DATA);
    else
        free_values(heap, instance);
    obj_unref(heap, &class);
    heap_free(heap, o, sizeof *instance);
}

static size_t bytes_of_object(const struct obj *o)
{
    const struct instance *instance = (const struct instance *)o;
    size_t bytes = pool_rounded(sizeof *instance);

    if (owns_names(o))
        return bytes + pool_rounded(sizeof *instance->names) + names_bytes(instance->names);
    return instance->values == NULL ? bytes : bytes + pool_rounded(values_size(o->aux));
}

const struct kind kind_object = {traverse_object, drop_object, free_object, bytes_of_object, object_length};

/* -- the kind `class` --------------------------------------------------------------------------------------------- */

static bool traverse_class(struct obj *o, uint64_t *cursor, size_t *budget, slot_fn *visit, void *arg)
{
    return names_traverse(&class_of(o)->attributes, cursor, budget, visit, arg);
}

static bool drop_class(struct heap *heap, struct obj *o, uint64_t *cursor, size_t *budget)
{
    (void)cursor;
    return names_drop(heap, &class_of(o)->attributes, budget);
}

void class_fini(struct heap *heap, struct class *class)
{
    for (unsigned i = 0; i < class->layout_len; i++)
        name_free(heap, class->layout[i]);
    pool_free(heap->pool, class->layout, CLASS_LAYOUT_MAX * sizeof *class->layout, POOL_DATA);
    name_free(heap, class->name);
}

static void free_class(struct heap *heap, struct obj *o)
{
    class_fini(heap, class_of(o));
    heap_free(heap, o, sizeof(struct class));
}

static size_t bytes_of_class(const struct obj *o)
{
    const struct class *class = (const struct class *)o;
    size_t bytes = pool_rounded(sizeof *class) + pool_rounded(sizeof(struct name) + class->name->len);

    if (class->layout != NULL)
        bytes += pool_rounded(CLASS_LAYOUT_MAX * sizeof *class->layout);
    for (unsigned i = 0; i < class->layout_len; i++)
        bytes += pool_rounded(sizeof(struct name) + class->layout[i]->len);
    return bytes + names_bytes(&class->attributes);
}

const struct kind kind_class = {traverse_class, drop_class, free_class, bytes_of_class, NULL};

/* -- the kind `method` -------------------------------------------------------------------------------------------- */

static bool traverse_method(struct obj *o, uint64_t *cursor, size_t *budget, slot_fn *visit, void *arg)
{
    (void)cursor;
    (void)budget;
    return visit(arg, &(struct slot){.kind = SLOT_SELF, .target = method_of(o)->self});
}

static bool drop_method(struct heap *heap, struct obj *o, uint64_t *cursor, size_t *budget)
{
    (void)cursor;
    (void)budget;
    obj_unref(heap, &method_of(o)->self);
    return true;
}

static void free_method(struct heap *heap, struct obj *o)
{
    heap_free(heap, o, sizeof(struct method));
}

static size_t bytes_of_method(const struct obj *o)
{
    (void)o;
    return pool_rounded(sizeof(struct method));
}

const struct kind kind_method = {traverse_method, drop_method, free_method, bytes_of_method, NULL};
