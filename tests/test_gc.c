/*
 * test_gc.c - the cycle collector against a naive model: random changes of a graph between slices of random length, and
 * after whole collections exactly what roots lead to is alive. HEAPD_GC_CHANGES and HEAPD_GC_SEED in the environment:
 * more of them, and others (./dev stress).
 */
#include "store/gc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/attr.h"
#include "store/check.h"
#include "store/kind.h"
#include "store/kinds/atoms.h"
#include "store/kinds/dict.h"
#include "store/kinds/object.h"
#include "store/kinds/sequence.h"
#include "store/kinds/weak_table.h"
#include "store/weak.h"
#include "tests/suite.h"

#ifdef HD_POOL_MALLOC
#define CHANGES 60000u
#else
#define CHANGES 400000u
#endif
#define ROOTS 24u
#define NODES_MAX 1500u
#define EDGES_MAX 220u

/* What the model knows of one container: where its references lead, in the order of its slots. */
struct node {
    struct obj *weak; /* a weak reference to it, held by the test; NULL: the place is free */
    unsigned type;
    unsigned len;
    unsigned edges[EDGES_MAX];
    bool is_reached;
};

#define NOBODY UINT32_MAX

static struct heap *heap;
static struct gc *gc;
static struct step step;
static struct node *nodes;
static unsigned roots[ROOTS];         /* nodes, or NOBODY */
static struct obj *held[ROOTS];       /* the same, as references */
static struct obj *class;
static unsigned shown;                /* how far the roots are shown: roots, then weak references */
static bool is_blocked;
static unsigned long long seed;

static unsigned below(unsigned n)
{
    return suite_random(&seed, n);
}

static unsigned long long number_in(const char *variable, unsigned long long otherwise)
{
    const char *text = getenv(variable);

    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

/* -- the collector's owner ---------------------------------------------------------------------------------------- */

static void begin(void *context)
{
    (void)context;
    shown = 0;
}

static bool some(void *context, size_t *budget)
{
    (void)context;
    for (; shown < ROOTS + NODES_MAX && *budget > 0; shown++, (*budget)--)
        gc_root(gc, shown < ROOTS ? held[shown] : nodes[shown - ROOTS].weak);
    gc_root(gc, class);
    return shown == ROOTS + NODES_MAX;
}

static void drain(void *context)
{
    (void)context;
    is_blocked = !step_is_empty(&step);
}

static bool is_drained(void *context)
{
    (void)context;
    return !is_blocked;
}

static void run_step(size_t budget)
{
    if (step_run(heap, &step, budget))
        is_blocked = false;
}

static void open_heap(void)
{
    struct heap_config config = {.memory_limit = UINT64_MAX, .work_limit = 1 << 20};
    struct gc_roots owner = {begin, some, drain, is_drained, NULL};

    heap = heap_open(&config);
    ck_assert_ptr_nonnull(heap);
    gc = gc_open(heap, &owner);
    ck_assert_ptr_nonnull(gc);
    step_init(&step, WEAK_COUNT);
    heap->step = &step;
    nodes = calloc(NODES_MAX, sizeof *nodes);
    ck_assert_int_eq(class_new(heap, "C", 1, &class), HD_OK);
    for (unsigned i = 0; i < ROOTS; i++)
        roots[i] = NOBODY;
    seed = 20261124;
}

/* -- the model ---------------------------------------------------------------------------------------------------- */

static void reach_all(void)
{
    static unsigned stack[NODES_MAX];
    unsigned depth = 0;

    for (unsigned i = 0; i < NODES_MAX; i++)
        nodes[i].is_reached = false;
    for (unsigned i = 0; i < ROOTS; i++)
        if (roots[i] != NOBODY && !nodes[roots[i]].is_reached) {
            nodes[roots[i]].is_reached = true;
            stack[depth++] = roots[i];
        }
    while (depth > 0) {
        const struct node *node = &nodes[stack[--depth]];

        for (unsigned i = 0; i < node->len; i++)
            if (!nodes[node->edges[i]].is_reached) {
                nodes[node->edges[i]].is_reached = true;
                stack[depth++] = node->edges[i];
            }
    }
}

static struct obj *object_of(unsigned node)
{
    return nodes[node].weak != NULL ? weak_target_peek(heap, nodes[node].weak) : NULL;
}

/* -- changes ------------------------------------------------------------------------------------------------------ */

static void set_root(unsigned root, unsigned node)
{
    struct obj *old = held[root];

    held[root] = node == NOBODY ? NULL : obj_ref(object_of(node));
    roots[root] = node;
    obj_unref(heap, &old);
}

/* A node that is reachable: a root, or some steps from one; NOBODY if the root is empty. */
static unsigned walk(void)
{
    unsigned node = roots[below(ROOTS)];

    for (unsigned steps = below(6); node != NOBODY && steps > 0 && nodes[node].len > 0; steps--)
        node = nodes[node].edges[below(nodes[node].len)];
    return node;
}

static unsigned free_place(void)
{
    for (unsigned tries = 0; tries < 200; tries++) {
        unsigned place = below(NODES_MAX);

        if (nodes[place].weak == NULL)
            return place;
        if (object_of(place) == NULL) {
            obj_unref(heap, &nodes[place].weak);
            return place;
        }
    }
    return NOBODY;
}

static struct obj *make(unsigned type, const unsigned *edges, unsigned len)
{
    struct obj *items[4];
    struct obj *o = NULL;

    for (unsigned i = 0; i < len; i++)
        items[i] = object_of(edges[i]);
    switch (type) {
    case OBJ_TUPLE:
        ck_assert_int_eq(tuple_new(heap, items, len, &o), HD_OK);
        break;
    case OBJ_DICT:
        ck_assert_int_eq(dict_new(heap, OBJ_DICT, 0, &o), HD_OK);
        break;
    case OBJ_OBJECT:
        ck_assert_int_eq(object_new(heap, class, &o), HD_OK);
        break;
    default:
        ck_assert_int_eq(list_new(heap, 0, &o), HD_OK);
    }
    return o;
}

static void make_node(void)
{
    static const unsigned types[] = {OBJ_LIST, OBJ_LIST, OBJ_TUPLE, OBJ_DICT, OBJ_OBJECT};
    unsigned place = free_place();
    unsigned type = types[below(5)];
    unsigned len = 0;
    unsigned edges[4];
    struct obj *o;

    if (place == NOBODY)
        return;
    for (unsigned i = 0; type == OBJ_TUPLE && i < 1 + below(4); i++) {
        unsigned to = walk();

        if (to != NOBODY)
            edges[len++] = to;
    }
    if (type == OBJ_TUPLE && len == 0)
        return; /* the empty tuple is immortal */
    o = make(type, edges, len);
    ck_assert_int_eq(weak_new(heap, OBJ_WEAKREF, o, NULL, &nodes[place].weak), HD_OK);
    nodes[place].type = type;
    nodes[place].len = len;
    memcpy(nodes[place].edges, edges, len * sizeof edges[0]);
    set_root(below(ROOTS), place);
    obj_unref(heap, &o);
}

static void call(struct obj *self, const char *name, struct obj *const *args, unsigned nargs)
{
    struct obj *result;

    heap_work_start(heap);
    ck_assert_int_eq(
        kind_call(heap, kind_find_method(heap, self->type, name, strlen(name)), self, args, nargs, &result), HD_OK);
    obj_unref(heap, &result);
}

/* The key or attribute of a node's n-th edge is unique: a counter that goes round would hit older ones. */
static void link_nodes(struct node *node, struct obj *o, unsigned to)
{
    static unsigned counter;
    char name[16];
    struct obj *key;
    struct obj *target = object_of(to);

    if (node->len == EDGES_MAX || node->type == OBJ_TUPLE)
        return;
    counter++;
    if (node->type == OBJ_LIST) {
        call(o, "append", &target, 1);
    } else if (node->type == OBJ_DICT) {
        ck_assert_int_eq(int_new(heap, 1000 + counter, &key), HD_OK);
        ck_assert_int_eq(dict_set(heap, o, key, target), HD_OK);
        obj_unref(heap, &key);
    } else {
        int len = snprintf(name, sizeof name, "a%u", counter);

        ck_assert_int_eq(obj_setattr(heap, o, name, (size_t)len, target), HD_OK);
    }
    node->edges[node->len++] = to;
}

static void link_some(void)
{
    unsigned from = walk();
    unsigned to = walk();

    if (from == NOBODY || to == NOBODY)
        return;
    for (unsigned times = below(8) == 0 ? 40 : 1; times > 0; times--)
        link_nodes(&nodes[from], object_of(from), to);
}

/* Removes one element of a list; the last entry of a dict. */
static void cut_one(void)
{
    unsigned from = walk();
    struct node *node = &nodes[from == NOBODY ? 0 : from];
    struct obj *index;
    unsigned at;

    if (from == NOBODY || node->len == 0)
        return;
    at = below(node->len);
    if (node->type == OBJ_LIST) {
        ck_assert_int_eq(int_new(heap, at, &index), HD_OK);
        call(object_of(from), below(2) == 0 ? "pop" : "del", &index, 1);
        obj_unref(heap, &index);
        memmove(&node->edges[at], &node->edges[at + 1], (node->len - at - 1) * sizeof node->edges[0]);
        node->len--;
    } else if (node->type == OBJ_DICT) {
        call(object_of(from), "popitem", NULL, 0);
        node->len--;
    }
}

static void turn_round(void)
{
    unsigned from = walk();
    struct node *node = &nodes[from == NOBODY ? 0 : from];

    if (from == NOBODY || node->type != OBJ_LIST)
        return;
    call(object_of(from), "reverse", NULL, 0);
    for (unsigned i = 0, j = node->len; i + 1 < j; i++) {
        unsigned other = node->edges[--j];

        node->edges[j] = node->edges[i];
        node->edges[i] = other;
    }
}

static void clear_one(void)
{
    unsigned from = walk();

    if (from == NOBODY || (nodes[from].type != OBJ_LIST && nodes[from].type != OBJ_DICT))
        return;
    call(object_of(from), "clear", NULL, 0);
    nodes[from].len = 0;
}

/* Whoever has a weak reference may bring back what nothing else holds, as long as it is there. */
static void revive(void)
{
    unsigned node = below(NODES_MAX);

    if (object_of(node) != NULL)
        set_root(below(ROOTS), node);
}

static void change_something(void)
{
    switch (below(16)) {
    case 0: case 1: case 2:
        make_node();
        break;
    case 3: case 4: case 5: case 6: case 7: case 8:
        link_some();
        break;
    case 9: case 10:
        cut_one();
        break;
    case 11:
        turn_round();
        break;
    case 12:
        clear_one();
        break;
    case 13:
        revive();
        break;
    default:
        set_root(below(ROOTS), below(3) == 0 ? NOBODY : walk());
    }
}

/* -- checks ------------------------------------------------------------------------------------------------------- */

static void print_difference(void *context, const char *text)
{
    (void)context;
    printf("# %s\n", text);
}

static void counts_are_right(void)
{
    struct check *check = check_begin(heap);

    ck_assert_ptr_nonnull(check);
    for (unsigned i = 0; i < ROOTS; i++)
        if (held[i] != NULL)
            check_root(check, held[i]);
    for (unsigned i = 0; i < NODES_MAX; i++)
        if (nodes[i].weak != NULL)
            check_root(check, nodes[i].weak);
    check_root(check, class);
    check_step(check, &step);
    check_step(check, gc_step(gc));
    ck_assert_uint_eq(check_end(check, print_difference, NULL), 0);
}

/* A whole collection after one that may be under way, and after all that is dying: it keeps alive what it still
 * holds. */
static void collect_all(void)
{
    uint64_t goal;

    while (!step_is_empty(&step))
        run_step(SIZE_MAX);
    goal = gc_stats(gc)->started + 1;
    while (gc_stats(gc)->ended < goal) {
        gc_start(gc);
        gc_run(gc, 1 + below(100));
        run_step(50);
    }
    while (!step_is_empty(&step))
        run_step(SIZE_MAX);
}

static void survivors_are_what_roots_lead_to(void)
{
    reach_all();
    for (unsigned i = 0; i < NODES_MAX; i++) {
        bool is_alive = nodes[i].weak != NULL && object_of(i) != NULL;

        ck_assert_msg(is_alive == (nodes[i].is_reached && nodes[i].weak != NULL), "node %u of type %u is %s", i,
                      nodes[i].type, is_alive ? "alive, and no root leads to it" : "gone, and a root leads to it");
    }
}

static void drop_roots(void)
{
    for (unsigned i = 0; i < ROOTS; i++)
        obj_unref(heap, &held[i]);
    for (unsigned i = 0; i < NODES_MAX; i++)
        obj_unref(heap, &nodes[i].weak);
    obj_unref(heap, &class);
}

/* Nothing is alive. */
static void close_empty_heap(void)
{
    for (unsigned type = 0; type < OBJ_TYPES; type++)
        ck_assert_uint_eq(heap->live[type], 0);
    heap->step = NULL;
    heap_close(heap);
    free(nodes);
}

static void close_heap(void)
{
    drop_roots();
    collect_all();
    gc_close(gc);
    close_empty_heap();
}

START_TEST(after_a_collection_exactly_what_roots_lead_to_is_alive)
{
    unsigned long long changes = number_in("HEAPD_GC_CHANGES", CHANGES);

    open_heap();
    seed = number_in("HEAPD_GC_SEED", seed);
    for (unsigned long long i = 1; i <= changes; i++) {
        change_something();
        if (below(4) == 0)
            run_step(1 + below(20));
        if (below(3) == 0 && gc_is_running(gc))
            gc_run(gc, 1 + below(below(10) == 0 ? 2000 : 30));
        if (below(500) == 0)
            gc_start(gc);
        if (i % 10000 == 0)
            counts_are_right();
        if (i % 2000 == 0) {
            collect_all();
            survivors_are_what_roots_lead_to();
        }
    }
    ck_assert_uint_gt(gc_stats(gc)->collected, changes / 1000);
    close_heap();
}
END_TEST

/* A chain of `n` lists of two, each holding the next twice and closed to a ring. */
static struct obj *make_ring(unsigned n)
{
    struct obj *first, *last, *next;

    ck_assert_int_eq(list_new(heap, 2, &first), HD_OK);
    last = obj_ref(first);
    for (unsigned i = 1; i < n; i++) {
        ck_assert_int_eq(list_new(heap, 2, &next), HD_OK);
        call(last, "append", &next, 1);
        call(last, "append", &next, 1);
        obj_unref(heap, &last);
        last = next;
    }
    call(last, "append", &first, 1);
    obj_unref(heap, &last);
    return first;
}

/* Appends a list that holds an empty one. */
static void append_pair(struct obj *to)
{
    struct obj *outer, *inner;

    ck_assert_int_eq(list_new(heap, 0, &outer), HD_OK);
    ck_assert_int_eq(list_new(heap, 0, &inner), HD_OK);
    call(outer, "append", &inner, 1);
    call(to, "append", &outer, 1);
    obj_unref(heap, &outer);
    obj_unref(heap, &inner);
}

/* More objects wait to be scanned than the stack holds: the next list of the chain always comes to lie on top. */
START_TEST(a_graph_wider_than_the_stack_is_marked_to_its_end)
{
    unsigned chain = 2500;
    unsigned width = 50;

    open_heap();
    for (unsigned i = 0; i < chain; i++) {
        struct obj *next = held[0];

        ck_assert_int_eq(list_new(heap, 0, &held[0]), HD_OK);
        for (unsigned j = 1; j < width; j++)
            append_pair(held[0]);
        if (next != NULL)
            call(held[0], "append", &next, 1);
        append_pair(held[0]); /* the last one takes the place of the list itself */
        obj_unref(heap, &next);
    }
    for (gc_start(gc); gc_is_running(gc);)
        gc_run(gc, 100000);
    ck_assert_uint_eq(heap->live[OBJ_LIST], (2 * width + 1) * chain);
    ck_assert_uint_eq(gc_stats(gc)->collected, 0);
    obj_unref(heap, &held[0]);
    close_heap();
}
END_TEST

/* Wherever the scan stands when elements move, none is passed over. */
static void moves_under_the_scan(const char *method, bool takes_index, unsigned left)
{
    struct obj *zero;

    ck_assert_int_eq(int_new(heap, 0, &zero), HD_OK);
    for (unsigned scanned = 0; scanned < 300; scanned++) {
        ck_assert_int_eq(list_new(heap, 0, &held[0]), HD_OK);
        for (unsigned i = 0; i < 100; i++)
            append_pair(held[0]);
        gc_start(gc);
        gc_run(gc, ROOTS + NODES_MAX + scanned);
        call(held[0], method, &zero, takes_index);
        for (unsigned slices = 0; gc_is_running(gc); slices++) {
            ck_assert_uint_lt(slices, 100);
            run_step(SIZE_MAX);
            gc_run(gc, 100000);
        }
        run_step(SIZE_MAX);
        ck_assert_uint_eq(heap->live[OBJ_LIST], left);
        ck_assert_uint_eq(gc_stats(gc)->collected, 0);
        obj_unref(heap, &held[0]);
        run_step(SIZE_MAX);
    }
}

START_TEST(a_list_that_changes_while_it_is_scanned_loses_nothing)
{
    open_heap();
    moves_under_the_scan("del", true, 199);
    moves_under_the_scan("reverse", false, 201);
    close_heap();
}
END_TEST

/* It is no block of a page, and where a page would begin there is none. */
START_TEST(a_text_too_long_for_a_page_is_passed_over)
{
    static char bytes[3000000];
    struct obj *list, *text;

    memset(bytes, 'x', sizeof bytes);
    open_heap();
    ck_assert_int_eq(list_new(heap, 0, &list), HD_OK);
    ck_assert_int_eq(bytes_new(heap, bytes, sizeof bytes, &text), HD_OK);
    call(list, "append", &text, 1);
    held[0] = list;
    held[1] = text;
    collect_all();
    ck_assert_uint_eq(heap->live[OBJ_BYTES], 1);
    obj_unref(heap, &held[0]);
    obj_unref(heap, &held[1]);
    close_heap();
}
END_TEST

START_TEST(a_long_ring_is_collected_when_its_root_goes)
{
    unsigned n = 300000;

    open_heap();
    held[0] = make_ring(n);
    collect_all();
    ck_assert_uint_eq(heap->live[OBJ_LIST], n);
    obj_unref(heap, &held[0]);
    ck_assert_uint_eq(heap->live[OBJ_LIST], n);
    collect_all();
    ck_assert_uint_eq(heap->live[OBJ_LIST], 0);
    ck_assert_uint_eq(gc_stats(gc)->by_type[OBJ_LIST], n);
    close_heap();
}
END_TEST

/* From the end of marking a condemned object is dead, though its turn has not come. */
START_TEST(a_weak_reference_to_a_condemned_object_answers_nothing)
{
    struct obj *ring, *weak;
    bool was_condemned = false;

    open_heap();
    ring = make_ring(3);
    ck_assert_int_eq(weak_new(heap, OBJ_WEAKREF, ring, NULL, &weak), HD_OK);
    held[0] = make_ring(20000);
    held[1] = weak;
    obj_unref(heap, &ring);
    for (gc_start(gc); !gc_run(gc, 1);) {
        struct obj *target = weak_link_target(&((struct weak *)weak)->link);

        if (target != NULL && gc_is_condemned(heap, target)) {
            was_condemned = true;
            ck_assert_ptr_null(weak_target_peek(heap, weak));
        }
    }
    ck_assert(was_condemned);
    ck_assert_ptr_null(weak_link_target(&((struct weak *)weak)->link));
    close_heap();
}
END_TEST

/* The members of a weakset and of a weakdict that are in a garbage ring: not there, though their turn has not come; and
 * a member set meanwhile under a key of one that is condemned stays. */
START_TEST(condemned_members_of_weak_containers_are_not_there)
{
    struct obj *ring, *set, *dict, *key, *value, *fresh;
    struct weak_entry *entry;
    bool was_condemned = false;

    open_heap();
    ring = make_ring(3);
    ck_assert_int_eq(weak_container_new(heap, OBJ_WEAKSET, &set), HD_OK);
    ck_assert_int_eq(weak_container_new(heap, OBJ_WEAKDICT, &dict), HD_OK);
    ck_assert_int_eq(weak_container_set(heap, set, ring, NULL), HD_OK);
    ck_assert_int_eq(weak_container_set(heap, dict, heap->yes, ring), HD_OK);
    ck_assert_int_eq(list_new(heap, 0, &fresh), HD_OK);
    held[0] = make_ring(20000);
    held[1] = set;
    held[2] = dict;
    held[3] = fresh;
    obj_unref(heap, &ring);
    for (gc_start(gc); !gc_run(gc, 1);) {
        uint32_t at = 0;

        if (was_condemned || weak_container_table(set)->live == 0 ||
            !gc_is_condemned(heap, ((struct weak_entry *)weak_container_table(set)->entries[0].key)->link.target))
            continue;
        was_condemned = true;
        ck_assert_uint_eq(weak_container_length(heap, set), 0);
        ck_assert(!weak_container_next(heap, set, &at, &key, &value));
        ck_assert_int_eq(weak_container_find(heap, dict, heap->yes, &entry), HD_OK);
        ck_assert_ptr_null(entry);
        ck_assert_int_eq(weak_container_set(heap, dict, heap->yes, fresh), HD_OK);
        ck_assert_uint_eq(weak_container_length(heap, dict), 1);
    }
    ck_assert(was_condemned);
    ck_assert_uint_eq(weak_container_table(set)->live, 0);
    ck_assert_uint_eq(weak_container_length(heap, dict), 1);
    close_heap();
}
END_TEST

/* Rings, each of which holds the next one, are garbage, some of them condemned and some not yet. */
START_TEST(a_collector_that_is_closed_while_it_condemns_reclaims_all_of_it)
{
    struct obj *rings[16];
    unsigned len = sizeof rings / sizeof rings[0];

    open_heap();
    drop_roots();
    for (unsigned i = 0; i < len; i++)
        rings[i] = make_ring(1000);
    for (unsigned i = 0; i < len; i++)
        call(rings[i], "append", &rings[(i + 1) % len], 1);
    for (unsigned i = 0; i < len; i++)
        obj_unref(heap, &rings[i]);
    run_step(SIZE_MAX);
    for (gc_start(gc); gc_stats(gc)->collected < len / 2 * 1000;)
        ck_assert(!gc_run(gc, 1));
    ck_assert(gc_is_condemning(gc));
    gc_close(gc);
    close_empty_heap();
}
END_TEST

START_TEST(a_collection_allocates_nothing)
{
    struct pool_stats before, after;
    uint64_t made;

    open_heap();
    held[0] = make_ring(1000);
    obj_unref(heap, &held[0]);
    pool_stats(heap->pool, &before);
    made = heap->made;
    collect_all();
    pool_stats(heap->pool, &after);
    ck_assert_uint_eq(heap->made, made);
    ck_assert_uint_lt(after.reserved, before.reserved);
    close_heap();
}
END_TEST

int main(void)
{
    return suite_run("gc", (const TTest *const[]){after_a_collection_exactly_what_roots_lead_to_is_alive,
                                                  a_graph_wider_than_the_stack_is_marked_to_its_end,
        a_list_that_changes_while_it_is_scanned_loses_nothing,
                                                  a_text_too_long_for_a_page_is_passed_over,
                                                  a_long_ring_is_collected_when_its_root_goes,
                                                  a_weak_reference_to_a_condemned_object_answers_nothing,
                                                  condemned_members_of_weak_containers_are_not_there,
                                                  a_collector_that_is_closed_while_it_condemns_reclaims_all_of_it,
                                                  a_collection_allocates_nothing, NULL});
}
