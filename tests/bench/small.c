/*
 * small.c - what the heap's share of one small request costs: a look-up, a binding, a method call.
 *
 *   small [OPERATION|all] [TIMES] [KEYS]     all, 1000000 times, over 10000 names
 *
 * Names are drawn at random as the load generator does it. Every line is nanoseconds of CPU time for one operation,
 * less what drawing the names takes. Instructions are counted by running one operation twice and taking the
 * difference:
 *
 *   valgrind --tool=callgrind small get 10000; valgrind --tool=callgrind small get 110000
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/attr.h"
#include "store/kind.h"
#include "store/kinds/atoms.h"
#include "store/kinds/dict.h"
#include "store/kinds/sequence.h"
#include "store/names.h"
#include "store/step.h"

#define KEY_SIZE 16

static struct heap *heap;
static struct step step;
static struct names names;
static struct obj *dict, *list;

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void must(enum hd_err err)
{
    if (err == HD_OK)
        return;
    fprintf(stderr, "small: %s\n", heap->error_text);
    exit(1);
}

/* "key:" and twelve digits. */
static void write_key(char *key, uint64_t number)
{
    memcpy(key, "key:", 4);
    for (int i = KEY_SIZE - 1; i >= 4; i--, number /= 10)
        key[i] = (char)('0' + number % 10);
}

/* What dies in an operation is freed at its end, as after a request. */
static void end_step(void)
{
    while (!step_is_empty(&step) && !step_run(heap, &step, 256))
        continue;
}

/* -- operations: one small request each, but for its way in and out ------------------------------------------------ */

static void do_nothing(const char *key)
{
    (void)key;
}

static void do_get(const char *key)
{
    struct obj *o = names_peek(heap, &names, key, KEY_SIZE);

    if (o == NULL)
        exit(1);
    obj_ref(o);
    obj_unref(heap, &o);
}

static void do_bind(const char *key)
{
    struct obj *value = NULL;
    struct obj *old = NULL;

    must(str_new(heap, "xyz", 3, &value));
    must(names_bind(heap, &names, key, KEY_SIZE, value, &old));
    obj_unref(heap, &old);
    obj_unref(heap, &value);
    end_step();
}

static void do_bind_new(const char *key)
{
    struct obj *value = NULL;
    struct obj *old = NULL;
    char name[KEY_SIZE];

    memcpy(name, key, KEY_SIZE);
    name[0] = 'K';
    must(int_new(heap, 1000, &value));
    must(names_bind(heap, &names, name, KEY_SIZE, value, &old));
    obj_unref(heap, &value);
    old = names_unbind(heap, &names, name, KEY_SIZE);
    obj_unref(heap, &old);
    end_step();
}

static void call(struct obj *o, const char *name, struct obj *arg)
{
    struct obj_call found;
    struct obj *result = NULL;

    must(obj_find_call(heap, o, name, strlen(name), &found));
    must(kind_call(heap, found.row, found.self, &arg, 1, &result));
    obj_unref(heap, &result);
}

static void do_append(const char *key)
{
    struct obj *one = heap->small_ints[1 - HEAP_SMALL_INT_MIN];

    (void)key;
    call(list, "append", one);
}

static void do_add(const char *key)
{
    struct obj *key_obj = NULL;

    must(str_new(heap, key, KEY_SIZE, &key_obj));
    call(dict, "add", key_obj);
    obj_unref(heap, &key_obj);
    end_step();
}

static const struct operation {
    const char *name;
    void (*run)(const char *key);
} operations[] = {
    {"nothing", do_nothing}, {"get", do_get}, {"bind", do_bind}, {"bind-new", do_bind_new}, {"append", do_append},
    {"add", do_add},
};

#define OPERATIONS (sizeof operations / sizeof operations[0])

/* -- measuring ---------------------------------------------------------------------------------------------------- */

static void fill(uint64_t keys)
{
    char key[KEY_SIZE];

    names_init(&names);
    must(dict_new(heap, OBJ_DICT, 0, &dict));
    must(list_new(heap, 0, &list));
    for (uint64_t i = 0; i < keys; i++) {
        struct obj *value = NULL;
        struct obj *old = NULL;
        struct obj *key_obj = NULL;

        write_key(key, i);
        must(int_new(heap, (int64_t)(1000 + i), &value));
        must(names_bind(heap, &names, key, KEY_SIZE, value, &old));
        must(str_new(heap, key, KEY_SIZE, &key_obj));
        must(dict_set(heap, dict, key_obj, value));
        obj_unref(heap, &key_obj);
        obj_unref(heap, &value);
    }
}

/* Nanoseconds of all of them. */
static uint64_t measure(const struct operation *operation, uint64_t times, uint64_t keys)
{
    uint64_t seed = 1;
    uint64_t start = now_ns();

    for (uint64_t i = 0; i < times; i++) {
        char key[KEY_SIZE];

        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407; /* Knuth's MMIX */
        write_key(key, (seed >> 33) % keys);
        operation->run(key);
    }
    return now_ns() - start;
}

static void report(const struct operation *operation, uint64_t times, uint64_t keys)
{
    uint64_t drawing = measure(&operations[0], times, keys);
    uint64_t all = measure(operation, times, keys);

    printf("%-10s %10llu names %8.1f ns each\n", operation->name, (unsigned long long)keys,
           ((double)all - (double)drawing) / (double)times);
}

int main(int argc, char **argv)
{
    const char *wanted = argc > 1 ? argv[1] : "all";
    uint64_t times = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
    uint64_t keys = argc > 3 ? strtoull(argv[3], NULL, 10) : 10000;
    struct heap_config config = {.memory_limit = UINT64_MAX, .work_limit = UINT64_MAX / 2};
    size_t all = SIZE_MAX;

    heap = times > 0 && keys > 0 ? heap_open(&config) : NULL;
    if (heap == NULL)
        return 2;
    step_init(&step, WEAK_COUNT);
    heap->step = &step;
    fill(keys);
    for (size_t i = 1; i < OPERATIONS; i++)
        if (strcmp(wanted, "all") == 0 || strcmp(wanted, operations[i].name) == 0)
            report(&operations[i], times, keys);
    names_drop(heap, &names, &all);
    obj_unref(heap, &dict);
    obj_unref(heap, &list);
    end_step();
    heap->step = NULL;
    heap_close(heap);
    return 0;
}
