/* heap.c - opening and closing a heap, its immortal objects, its error text and its work budget. */
#include "store/heap.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "store/kind.h"
#include "store/kinds/atoms.h"
#include "store/kinds/object.h"
#include "store/kinds/sequence.h"
#include "store/step.h"

static uint64_t clock_ns(void *context)
{
    struct timespec now;

    (void)context;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* -- objects ------------------------------------------------------------------------------------------------------ */

const char *obj_type_name(unsigned type)
{
    static const char *const names[OBJ_TYPES] = {
#define TYPE(code, NAME, name, container, meaning) [OBJ_##NAME] = #name,
#include "protocol/types.def"
#undef TYPE
    };
    return type < OBJ_TYPES ? names[type] : "free";
}

static enum pool_use use_of(unsigned type)
{
    return obj_type_is_container(type) ? POOL_CONTAINER : POOL_DATA;
}

struct obj *heap_new(struct heap *heap, enum obj_type type, size_t size)
{
    enum pool_use use = use_of(type);
    struct obj *o = pool_alloc(heap->pool, size, use);

    if (o == NULL)
        return NULL;
    *o = (struct obj){.count = 1, .type = (uint8_t)type, .id = heap->next_id++ & OBJ_ID_MAX};
    heap->live[type]++;
    heap->made++;
    if (use == POOL_CONTAINER)
        heap->containers++;
    return o;
}

/* The collector's stack names the block, and frees it. */
static __attribute__((noinline)) void bury(struct obj *o, size_t size)
{
    o->type = OBJ_BURIED;
    o->count = (uint32_t)size;
}

void heap_free(struct heap *heap, struct obj *o, size_t size)
{
    enum pool_use use = use_of(o->type);

    heap->live[o->type]--;
    if (use == POOL_CONTAINER)
        heap->containers--;
    if ((o->flags & OBJ_GREY) != 0)
        bury(o, size);
    else
        pool_free(heap->pool, o, size, use);
}

/* -- errors and work ---------------------------------------------------------------------------------------------- */

void heap_set_error(struct heap *heap, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(heap->error_text, sizeof heap->error_text, format, args);
    va_end(args);
}

enum hd_err heap_count_full(struct heap *heap, const struct obj *o)
{
    return heap_fail(heap, HD_LIMIT, "%s #%llu has as many references as an object can have", obj_type_name(o->type),
                     (unsigned long long)o->id);
}

enum hd_err heap_no_memory(struct heap *heap)
{
    if (pool_was_stopped(heap->pool))
        return heap_fail(heap, HD_LIMIT, "the session would cost more than limits.session_bytes");
    return heap_fail(heap, HD_NO_MEMORY, "the heap is at its memory limit");
}

enum hd_err heap_work_over(struct heap *heap)
{
    return heap_fail(heap, HD_LIMIT, "the request would touch more than limits.work (%llu) objects or elements",
                     (unsigned long long)heap->work_limit);
}

/* -- immortals ---------------------------------------------------------------------------------------------------- */

static struct obj *immortal_new(struct heap *heap, enum obj_type type, size_t size)
{
    struct obj *o = heap_new(heap, type, size);

    if (o == NULL)
        return NULL;
    o->flags = OBJ_IMMORTAL;
    heap->live[type]--; /* `live` counts the mortal ones */
    heap->containers -= obj_type_is_container(type);
    memset(o + 1, 0, size - sizeof *o);
    return o;
}

static void immortal_free(struct heap *heap, struct obj *o, size_t size)
{
    if (o != NULL)
        pool_free(heap->pool, o, size, use_of(o->type));
}

static bool make_small_ints(struct heap *heap)
{
    for (int i = 0; i < HEAP_SMALL_INTS; i++) {
        struct obj *o = immortal_new(heap, OBJ_INT, sizeof(struct obj));

        if (o == NULL)
            return false;
        int_set(o, HEAP_SMALL_INT_MIN + i);
        heap->small_ints[i] = o;
    }
    return true;
}

static bool make_classes(struct heap *heap)
{
    for (unsigned type = 0; type < OBJ_TYPES; type++) {
        struct obj *o = immortal_new(heap, OBJ_CLASS, sizeof(struct class));

        if (o == NULL)
            return false;
        heap->classes[type] = class_of(o);
        heap->classes[type]->makes = (uint8_t)type;
        heap->classes[type]->name = name_new(heap, obj_type_name(type), strlen(obj_type_name(type)));
        if (heap->classes[type]->name == NULL)
            return false;
    }
    return true;
}

static bool make_immortals(struct heap *heap)
{
    heap->nil = immortal_new(heap, OBJ_NIL, sizeof(struct obj));
    heap->yes = immortal_new(heap, OBJ_BOOL, sizeof(struct obj));
    heap->no = immortal_new(heap, OBJ_BOOL, sizeof(struct obj));
    heap->empty_str = immortal_new(heap, OBJ_STR, sizeof(struct text));
    heap->empty_bytes = immortal_new(heap, OBJ_BYTES, sizeof(struct text));
    heap->empty_tuple = immortal_new(heap, OBJ_TUPLE, sizeof(struct tuple));
    if (heap->nil == NULL || heap->yes == NULL || heap->no == NULL || heap->empty_str == NULL ||
        heap->empty_bytes == NULL || heap->empty_tuple == NULL)
        return false;
    int_set(heap->yes, 1);
    int_set(heap->no, 0);
    heap->empty_str->flags |= OBJ_ASCII;
    return make_small_ints(heap) && make_classes(heap);
}

static void free_classes(struct heap *heap)
{
    for (unsigned type = 0; type < OBJ_TYPES; type++) {
        if (heap->classes[type] == NULL)
            continue;
        class_fini(heap, heap->classes[type]);
        immortal_free(heap, &heap->classes[type]->head, sizeof(struct class));
    }
}

static void free_immortals(struct heap *heap)
{
    immortal_free(heap, heap->nil, sizeof(struct obj));
    immortal_free(heap, heap->yes, sizeof(struct obj));
    immortal_free(heap, heap->no, sizeof(struct obj));
    immortal_free(heap, heap->empty_str, sizeof(struct text));
    immortal_free(heap, heap->empty_bytes, sizeof(struct text));
    immortal_free(heap, heap->empty_tuple, sizeof(struct tuple));
    for (int i = 0; i < HEAP_SMALL_INTS; i++)
        immortal_free(heap, heap->small_ints[i], sizeof(struct obj));
    free_classes(heap);
}

/* -- the whole ---------------------------------------------------------------------------------------------------- */

struct heap *heap_open(const struct heap_config *config)
{
    const struct mem *mem = config->mem != NULL ? config->mem : &mem_libc;
    struct heap *heap = mem->zero(mem->context, sizeof *heap);

    if (heap == NULL)
        return NULL;
    heap->mem = mem;
    heap->next_id = 1;
    heap->work_limit = heap->work_left = config->work_limit;
    heap->now_ns = config->now_ns != NULL ? config->now_ns : clock_ns;
    heap->now_context = config->now_context;
    heap->letters = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    kind_index_init(&heap->methods);
    table_init(&heap->weak_heads);
    heap->pool = pool_open(mem, config->memory_limit);
    if (heap->pool == NULL || getrandom(heap->hash_key, sizeof heap->hash_key, 0) != sizeof heap->hash_key ||
        !make_immortals(heap)) {
        heap_close(heap);
        return NULL;
    }
    return heap;
}

/* -- what only cycles hold ---------------------------------------------------------------------------------------- */

struct leftovers {
    struct obj **at; /* a reference to each; NULL while they are counted */
    size_t len;
};

static bool gather(void *arg, void *block)
{
    struct leftovers *left = arg;
    struct obj *o = block;

    if ((o->flags & (OBJ_IMMORTAL | OBJ_DYING)) != 0 || kind_of(o)->drop == NULL)
        return true;
    if (left->at != NULL)
        left->at[left->len] = obj_ref(o);
    left->len++;
    return true;
}

/* Empties containers that outlived everything that could reach them, so that they die; without memory for that they go
 * with the pool. What has lost a count stays, and LeakSanitizer tells of it. */
static void drop_leftovers(struct heap *heap)
{
    struct leftovers left = {0};
    struct step step;

    pool_each_container(heap->pool, gather, &left);
    if (left.len == 0)
        return;
    left.at = heap->mem->resize(heap->mem->context, NULL, 0, left.len * sizeof(struct obj *));
    if (left.at == NULL)
        return;
    left.len = 0;
    pool_each_container(heap->pool, gather, &left);
    step_init(&step, WEAK_COUNT);
    heap->step = &step;
    for (size_t i = 0; i < left.len; i++) {
        size_t all = SIZE_MAX;
        uint64_t cursor = 0;

        kind_of(left.at[i])->drop(heap, left.at[i], &cursor, &all);
    }
    for (size_t i = 0; i < left.len; i++)
        obj_unref(heap, &left.at[i]);
    (void)step_run(heap, &step, SIZE_MAX);
    heap->step = NULL;
    heap->mem->release(heap->mem->context, left.at, left.len * sizeof(struct obj *));
}

void heap_close(struct heap *heap)
{
    const struct mem *mem;

    if (heap == NULL)
        return;
    mem = heap->mem;
    if (heap->pool != NULL) {
        drop_leftovers(heap);
        free_immortals(heap);
        table_fini(heap->pool, &heap->weak_heads);
        pool_close(heap->pool);
    }
    if (heap->letters != (locale_t)0)
        freelocale(heap->letters);
    mem->release(mem->context, heap, sizeof *heap);
}
