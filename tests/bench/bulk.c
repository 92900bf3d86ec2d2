/*
 * bulk.c - what the heap's own work costs per object: making, copying, dumping, loading, dropping, collecting, weak
 * references.
 *
 *   bulk [OBJECTS...]     sizes of the graphs; 1000000 without
 *
 * One process, no socket, the allocator that users get. Each line: what was measured, how many objects, nanoseconds of
 * CPU time for each of them; the best of several rounds for small graphs, all in a new heap. tests/bench/bulk.py puts
 * CPython's figures for the same graphs beside it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "store/attr.h"
#include "store/copy.h"
#include "store/gc.h"
#include "store/kind.h"
#include "store/kinds/atoms.h"
#include "store/kinds/dict.h"
#include "store/kinds/object.h"
#include "store/kinds/sequence.h"
#include "store/serial.h"
#include "store/serial_bytes.h"
#include "store/weak.h"

static struct heap *heap;
static struct gc *gc;
static struct step step;
static struct obj *root;  /* what the collector is shown; NULL: nothing */
static struct obj *class;
static struct obj *refs;  /* a list of weak references, or NULL */
static uint64_t seed;

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now); /* others on this machine do not count */
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void must(enum hd_err err)
{
    if (err == HD_OK)
        return;
    fprintf(stderr, "bulk: %s\n", heap->error_text);
    exit(1);
}

/* -- the heap ----------------------------------------------------------------------------------------------------- */

static void begin(void *context)
{
    (void)context;
}

static bool some(void *context, size_t *budget)
{
    (void)context;
    (void)budget;
    gc_root(gc, root);
    gc_root(gc, refs);
    gc_root(gc, class);
    return true;
}

static bool is_drained(void *context)
{
    (void)context;
    return true;
}

static void open_heap(void)
{
    struct heap_config config = {.memory_limit = UINT64_MAX, .work_limit = UINT64_MAX / 2};
    struct gc_roots roots = {begin, some, begin, is_drained, NULL};

    heap = heap_open(&config);
    gc = heap != NULL ? gc_open(heap, &roots) : NULL;
    if (gc == NULL)
        exit(1);
    step_init(&step, WEAK_COUNT);
    heap->step = &step;
    must(class_new(heap, "Node", 4, &class));
    seed = 1;
}

static void drop(struct obj **o)
{
    obj_unref(heap, o);
    while (!step_run(heap, &step, 256))
        continue;
}

static void close_heap(void)
{
    drop(&class);
    gc_close(gc);
    heap->step = NULL;
    heap_close(heap);
}

static void collect(void)
{
    gc_start(gc);
    while (!gc_run(gc, 256))
        continue;
}

/* -- graphs ------------------------------------------------------------------------------------------------------- */

static void push(struct obj *list, struct obj *item)
{
    must(list_reserve(heap, list, 1));
    list_push_take(list, &item);
}

static struct obj *new_list(uint64_t capacity)
{
    struct obj *list;

    must(list_new(heap, capacity, &list));
    return list;
}

static struct obj *new_int(uint64_t value)
{
    struct obj *o;

    must(int_new(heap, (int64_t)value, &o));
    return o;
}

static struct obj *new_str(const char *text, uint64_t number)
{
    char bytes[40];
    int len = snprintf(bytes, sizeof bytes, text, (unsigned long long)number);
    struct obj *o;

    must(str_new(heap, bytes, (size_t)len, &o));
    return o;
}

/* An element of `list` at random, with a new reference; nil if it is empty. */
static struct obj *earlier(struct obj *list)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407); /* Knuth's MMIX */
    return list_of(list)->len == 0 ? heap->nil : obj_ref(list_of(list)->items[(seed >> 33) % list_of(list)->len]);
}

static void set_attribute(struct obj *o, const char *name, struct obj *value)
{
    must(object_set(heap, o, name, strlen(name), value));
    obj_unref(heap, &value);
}

/* An instance with two attributes, each a list with an int; in a ring the lists hold the instance too. */
static void add_node(struct obj *list, uint64_t number, bool is_ring)
{
    struct obj *node;

    must(object_new(heap, class, &node));
    for (unsigned i = 0; i < 2; i++) {
        struct obj *inner = new_list(0);

        push(inner, new_int(1000 + number));
        if (is_ring)
            push(inner, obj_ref(node));
        set_attribute(node, i == 0 ? "left" : "right", inner);
    }
    push(list, node);
}

#define NODE_OBJECTS 5

static struct obj *make_nodes(uint64_t objects, bool is_ring)
{
    struct obj *list = new_list(0);

    for (uint64_t i = 0; i < objects / NODE_OBJECTS; i++)
        add_node(list, i, is_ring);
    return list;
}

/* Instances with an int, a float, and two references to earlier ones. */
static struct obj *make_points(uint64_t objects)
{
    struct obj *list = new_list(0);

    for (uint64_t i = 0; i < objects / 3; i++) {
        struct obj *point, *number;

        must(object_new(heap, class, &point));
        must(float_new(heap, (double)i * 0.25, &number));
        set_attribute(point, "x", new_int(1000 + i));
        set_attribute(point, "y", number);
        set_attribute(point, "left", earlier(list));
        set_attribute(point, "right", earlier(list));
        push(list, point);
    }
    return list;
}

static void set_entry(struct obj *dict, struct obj *key, struct obj *value)
{
    must(dict_set(heap, dict, key, value));
    obj_unref(heap, &value);
}

enum { KEYS = 6, TAGS = 100 };

/* A dict with a number, a name, a float, a list of two strs that many share, and references to two earlier ones. */
static struct obj *make_record(struct obj *list, uint64_t i, struct obj *const keys[], struct obj *const tags[])
{
    struct obj *record, *number;
    struct obj *pair = new_list(2);

    must(dict_new(heap, OBJ_DICT, 0, &record));
    must(float_new(heap, (double)i * 0.5, &number));
    push(pair, obj_ref(tags[i % TAGS]));
    push(pair, obj_ref(tags[i % 7]));
    set_entry(record, keys[0], new_int(1000 + i));
    set_entry(record, keys[1], new_str("record number %llu", i));
    set_entry(record, keys[2], number);
    set_entry(record, keys[3], pair);
    set_entry(record, keys[4], earlier(list));
    set_entry(record, keys[5], earlier(list));
    return record;
}

static struct obj *make_records(uint64_t objects)
{
    static const char *const names[KEYS] = {"id", "name", "score", "tags", "left", "right"};
    struct obj *list = new_list(0);
    struct obj *keys[KEYS];
    struct obj *tags[TAGS];

    for (unsigned i = 0; i < KEYS; i++)
        keys[i] = new_str(names[i], 0);
    for (unsigned i = 0; i < TAGS; i++)
        tags[i] = new_str("tag %llu", i);
    for (uint64_t i = 0; i < objects / 5; i++)
        push(list, make_record(list, i, keys, tags));
    for (unsigned i = 0; i < KEYS; i++)
        obj_unref(heap, &keys[i]);
    for (unsigned i = 0; i < TAGS; i++)
        obj_unref(heap, &tags[i]);
    return list;
}

/* -- measures ----------------------------------------------------------------------------------------------------- */

static struct figure {
    const char *what;
    double objects, ns; /* the least of all rounds, for each object */
} figures[32];

static void report(const char *what, uint64_t objects, uint64_t start)
{
    double ns = (double)(now_ns() - start) / (double)objects;
    struct figure *figure = figures;

    while (figure->what != NULL && strcmp(figure->what, what) != 0)
        figure++;
    if (figure->what == NULL || ns < figure->ns)
        *figure = (struct figure){what, (double)objects, ns};
}

static void measure_graph(uint64_t n)
{
    struct obj *copy = NULL;
    uint64_t start = now_ns();

    root = make_nodes(n, false);
    report("make", n, start);
    start = now_ns();
    must(obj_deepcopy(heap, root, &copy));
    report("deep copy", n, start);
    start = now_ns();
    drop(&copy);
    report("drop", n, start);
    start = now_ns();
    collect();
    report("gc pass over live ones", n, start);
    drop(&root);
}

static void measure_cycles(uint64_t n)
{
    uint64_t start;

    root = make_nodes(n, true);
    drop(&root);
    start = now_ns();
    collect();
    report("gc of dead cycles", n, start);
}

static void measure_weakrefs(uint64_t n)
{
    struct obj *objects = new_list(n);
    struct obj *weak;
    uint64_t start;
    struct mailbox *mailbox = mailbox_new(heap, heap);

    refs = new_list(n);
    for (uint64_t i = 0; i < n; i++)
        push(objects, new_list(0));
    start = now_ns();
    for (uint64_t i = 0; i < n; i++) {
        must(weak_new(heap, OBJ_WEAKREF, list_of(objects)->items[i], mailbox, &weak));
        list_push_take(refs, &weak);
    }
    report("make a weak reference", n, start);
    start = now_ns();
    drop(&objects);
    while (weak_queue_pop(&step.told[WEAK_COUNT]) != NULL)
        continue;
    report("tell a death", n, start);
    drop(&refs);
    mailbox_unref(heap, &mailbox);
}

/* Dumps, loads, and drops what was loaded, for each object that the dump numbers. Consumes the graph. */
static void measure_serial(const char *dump, const char *load, const char *death, struct obj *graph)
{
    struct serial_blob blob = {0};
    struct serial_loaded loaded;
    uint64_t n;
    uint64_t start = now_ns();

    must(serial_dump(heap, graph, UINT64_MAX / 2, &blob));
    n = serial_fetch(blob.bytes + 12, 4);
    report(dump, n, start);
    drop(&graph);
    start = now_ns();
    must(serial_load(heap, blob.bytes, blob.len, NULL, &loaded));
    graph = obj_ref(loaded.root);
    serial_keep(heap, &loaded);
    report(load, n, start);
    start = now_ns();
    drop(&graph);
    report(death, n, start);
    serial_blob_free(heap, &blob);
}

static void measure_all(uint64_t n)
{
    open_heap();
    measure_graph(n);
    measure_cycles(n);
    measure_weakrefs(n);
    measure_serial("dump nodes", "load nodes", "drop nodes", make_nodes(n, false));
    measure_serial("dump points", "load points", "drop points", make_points(n));
    measure_serial("dump records", "load records", "drop records", make_records(n));
    close_heap();
}

int main(int argc, char **argv)
{
    static const char *const preset[] = {"bulk", "1000000"};
    struct rusage usage;

    if (argc < 2) {
        argc = 2;
        argv = (char **)(uintptr_t)preset;
    }
    for (int i = 1; i < argc; i++) {
        uint64_t n = strtoull(argv[i], NULL, 10);

        if (n < NODE_OBJECTS)
            return 2;
        memset(figures, 0, sizeof figures);
        for (uint64_t done = 0; done == 0 || (done < 3000000 && done < 30 * n); done += n)
            measure_all(n);
        for (const struct figure *figure = figures; figure->what != NULL; figure++)
            printf("%-24s %10.0f objects %8.1f ns each\n", figure->what, figure->objects, figure->ns);
        fflush(stdout);
    }
    getrusage(RUSAGE_SELF, &usage);
    fprintf(stderr, "most memory: %ld MiB\n", usage.ru_maxrss / 1024);
    return 0;
}
