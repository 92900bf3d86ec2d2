/*
 * bulk.c - what the heap's own work costs per object: making, copying, dropping, collecting, weak references.
 *
 *   bulk [OBJECTS...]     sizes of the graph; 1000000 without
 *
 * One process, no socket, the allocator that users get. Every line is nanoseconds of CPU time per object of the graph:
 * a list of instances with two attributes, each a list with an int. tests/bench/bulk.py puts CPython's figures beside
 * it.
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
#include "store/kinds/object.h"
#include "store/kinds/sequence.h"
#include "store/weak.h"

static struct heap *heap;
static struct gc *gc;
static struct step step;
static struct obj *root;  /* what the collector is shown; NULL: nothing */
static struct obj *class;
static struct obj *refs;  /* a list of weak references, or NULL */

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
}

/* -- graphs: five objects a node ---------------------------------------------------------------------------------- */

static struct obj *make_node(uint64_t number, bool is_ring)
{
    struct obj *node, *inner, *number_obj;

    must(object_new(heap, class, &node));
    for (unsigned i = 0; i < 2; i++) {
        must(list_new(heap, 0, &inner));
        must(int_new(heap, (int64_t)(1000 + number), &number_obj));
        must(list_reserve(heap, inner, 1 + is_ring));
        list_push_take(inner, &number_obj);
        if (is_ring) {
            struct obj *back = obj_ref(node);

            list_push_take(inner, &back);
        }
        must(object_set(heap, node, i == 0 ? "left" : "right", i == 0 ? 4 : 5, inner));
        obj_unref(heap, &inner);
    }
    return node;
}

#define NODE_OBJECTS 5

static struct obj *make_graph(uint64_t objects, bool is_ring)
{
    struct obj *list;

    must(list_new(heap, 0, &list));
    for (uint64_t i = 0; i < objects / NODE_OBJECTS; i++) {
        struct obj *node = make_node(i, is_ring);

        must(list_reserve(heap, list, 1));
        list_push_take(list, &node);
    }
    return list;
}

static void drop(struct obj **o)
{
    obj_unref(heap, o);
    while (!step_run(heap, &step, 256))
        continue;
}

static uint64_t longest_ns; /* part of a collection that looks at 256 references */

static void collect(void)
{
    bool has_ended = false;

    for (gc_start(gc); !has_ended;) {
        uint64_t start = now_ns();

        has_ended = gc_run(gc, 256);
        start = now_ns() - start;
        longest_ns = start > longest_ns ? start : longest_ns;
    }
}

/* -- measures ----------------------------------------------------------------------------------------------------- */

static void report(const char *what, uint64_t objects, uint64_t start)
{
    printf("%-34s %10llu objects %8.1f ns each\n", what, (unsigned long long)objects,
           (double)(now_ns() - start) / (double)objects);
    fflush(stdout);
}

static void measure_graph(uint64_t n)
{
    struct obj *copy = NULL;
    uint64_t start = now_ns();

    root = make_graph(n, false);
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

    root = make_graph(n, true);
    drop(&root);
    start = now_ns();
    collect();
    report("gc of dead cycles", n, start);
    printf("%-34s %31.1f us\n", "longest part of 256", (double)longest_ns / 1000);
}

static void measure_weakrefs(uint64_t n)
{
    struct obj *objects, *weak;
    uint64_t start;
    struct mailbox *mailbox = mailbox_new(heap, heap);

    must(list_new(heap, n, &objects));
    must(list_new(heap, n, &refs));
    for (uint64_t i = 0; i < n; i++) {
        struct obj *o;

        must(list_new(heap, 0, &o));
        list_push_take(objects, &o);
    }
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
    report("die and be told", n, start);
    drop(&refs);
    mailbox_unref(heap, &mailbox);
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
        open_heap();
        measure_graph(n);
        measure_cycles(n);
        measure_weakrefs(n);
        drop(&class);
        gc_close(gc);
        heap->step = NULL;
        heap_close(heap);
    }
    getrusage(RUSAGE_SELF, &usage);
    printf("%-34s %28ld MiB\n", "most memory", usage.ru_maxrss / 1024);
    return 0;
}
