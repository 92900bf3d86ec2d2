/* taker.c - see taker.h. */
#include "daemon/taker.h"

#include <math.h>

#include "daemon/call.h"

#define ROOM 1024 /* bytes of an answer but for objects, which check by themselves */
#define NOT_DUE SIZE_MAX
#define FOREVER_S 1e9 /* thirty years */

struct taker {
    TAILQ_ENTRY(taker) in_queue;
    TAILQ_ENTRY(taker) in_session;
    struct session *session;
    struct queue *queue;     /* owned */
    struct obj *argument;    /* owned; NULL: none was given */
    uint64_t end_ms;         /* on the hub's fair clock */
    size_t due_at;           /* its place in takers.due, or NOT_DUE */
    uint64_t into;
    uint32_t msgid;
    enum result_mode result;
    bool is_request;
};

/* -- those with a time-out: a binary heap ------------------------------------------------------------------------- */

static void put_due(struct takers *takers, size_t at, struct taker *taker)
{
    takers->due[at] = taker;
    taker->due_at = at;
}

/* Finds the place of a taker on the way up from the free one, `at`. */
static void move_up(struct takers *takers, size_t at, struct taker *taker)
{
    for (; at > 0 && takers->due[(at - 1) / 2]->end_ms > taker->end_ms; at = (at - 1) / 2)
        put_due(takers, at, takers->due[(at - 1) / 2]);
    put_due(takers, at, taker);
}

static void move_down(struct takers *takers, size_t at, struct taker *taker)
{
    for (;;) {
        size_t child = 2 * at + 1;

        if (child + 1 < takers->due_count && takers->due[child + 1]->end_ms < takers->due[child]->end_ms)
            child++;
        if (child >= takers->due_count || takers->due[child]->end_ms >= taker->end_ms)
            break;
        put_due(takers, at, takers->due[child]);
        at = child;
    }
    put_due(takers, at, taker);
}

static size_t due_size(size_t capacity)
{
    return capacity * sizeof(struct taker *);
}

static bool reserve_due(struct hub *hub)
{
    struct takers *takers = &hub->takers;
    size_t capacity = takers->due_capacity == 0 ? 16 : takers->due_capacity * 2;
    struct taker **due;

    if (takers->due_count < takers->due_capacity)
        return true;
    due = hub->mem->resize(hub->mem->context, takers->due, due_size(takers->due_capacity), due_size(capacity));
    if (due == NULL)
        return false;
    takers->due = due;
    takers->due_capacity = capacity;
    return true;
}

static void remove_due(struct takers *takers, struct taker *taker)
{
    size_t at = taker->due_at;
    struct taker *last;

    if (at == NOT_DUE)
        return;
    last = takers->due[--takers->due_count];
    if (last == taker)
        return;
    if (at > 0 && takers->due[(at - 1) / 2]->end_ms > last->end_ms)
        move_up(takers, at, last);
    else
        move_down(takers, at, last);
}

/* -- waiting ------------------------------------------------------------------------------------------------------ */

static enum hd_err check_session(const struct session *session)
{
    const struct hub *hub = session->hub;

    if (session->is_eof)
        return heap_fail(hub->heap, HD_CANCELLED, "the connection's other end sends no more: nobody waits");
    if (session->waiting >= hub->settings.limit_waiting)
        return heap_fail(hub->heap, HD_LIMIT, "the session has limits.waiting (%llu) waiting calls",
                         (unsigned long long)hub->settings.limit_waiting);
    return HD_OK;
}

static void link_taker(struct hub *hub, struct taker *taker, double seconds)
{
    TAILQ_INSERT_TAIL(&taker->queue->takers, taker, in_queue);
    TAILQ_INSERT_TAIL(&taker->session->takers, taker, in_session);
    taker->session->waiting++;
    hub->takers.count++;
    if (isinf(seconds))
        return;
    taker->end_ms = hub_now_ms(hub) + (uint64_t)ceil(seconds * 1000) + 1; /* the clock shows whole milliseconds */
    move_up(&hub->takers, hub->takers.due_count++, taker);
}

enum hd_err taker_wait(struct call *call, struct queue *queue, double seconds, struct obj *argument)
{
    struct hub *hub = call->hub;
    struct taker *taker;
    enum hd_err err = check_session(call->session);

    if (err != HD_OK)
        return err;
    if (seconds > FOREVER_S)
        seconds = INFINITY;
    taker = hub_alloc(hub, sizeof *taker);
    if (taker == NULL || (!isinf(seconds) && !reserve_due(hub))) {
        hub_free(hub, taker, sizeof *taker);
        return heap_no_memory(hub->heap);
    }
    *taker = (struct taker){.session = call->session, .queue = queue, .due_at = NOT_DUE, .into = call->opts.into,
                            .msgid = call->msgid, .result = call->opts.result, .is_request = call->is_request};
    obj_ref(&queue->head);
    if (argument != NULL)
        taker->argument = obj_ref(argument);
    link_taker(hub, taker, seconds);
    return HD_OK;
}

/* The end of the wait: it leaves all lists and drops its pins. */
static void end_wait(struct taker *taker)
{
    struct hub *hub = taker->session->hub;
    struct obj *queue = &taker->queue->head;

    TAILQ_REMOVE(&taker->queue->takers, taker, in_queue);
    TAILQ_REMOVE(&taker->session->takers, taker, in_session);
    taker->session->waiting--;
    hub->takers.count--;
    remove_due(&hub->takers, taker);
    obj_unref(hub->heap, &taker->argument);
    obj_unref(hub->heap, &queue);
    hub_free(hub, taker, sizeof *taker);
}

/* -- answering ---------------------------------------------------------------------------------------------------- */

/* Answers with the item, if it can be sent, else with an error; what `session` is owed of events comes before. */
static enum hd_err answer(const struct taker *taker, enum hd_err err, struct obj *item)
{
    struct session *session = taker->session;
    struct hub *hub = session->hub;
    struct call call;

    events_flush(session);
    session_check_output(session);
    call_init(&call, session);
    call_set_method(&call, RPC_call);
    call.is_request = taker->is_request;
    call.msgid = taker->msgid;
    call.opts.result = taker->result;
    call.opts.into = taker->into;
    if (session->is_over || !buf_reserve(&session->out, ROOM)) {
        session_check_output(session);
        return HD_CANCELLED; /* the session is at its end */
    }
    heap_work_start(hub->heap);
    if (err == HD_OK) {
        struct obj *o = obj_ref(item);

        err = reply_object_take(&call, &o);
    }
    if (err != HD_OK)
        dispatch_error(&call, err);
    session->last_response = session->out.len - call.reply_at;
    if (call.is_request)
        session_answered(session, call.reply_at, call.kept);
    session_wake(session);
    return err;
}

/* The first taker gets the first item. One whose session is over, or whose answer cannot be sent, leaves it there. */
static void serve_one(struct hub *hub, struct queue *queue)
{
    struct taker *taker = TAILQ_FIRST(&queue->takers);
    struct obj *item;

    if (!taker->session->is_over && answer(taker, HD_OK, queue_peek(queue)) == HD_OK) {
        item = queue_take(hub->heap, queue);
        obj_unref(hub->heap, &item);
    }
    end_wait(taker);
}

static void refuse_one(struct hub *hub, struct taker *taker, enum hd_err err)
{
    if (err == HD_CANCELLED)
        heap_set_error(hub->heap, "queue #%llu was closed", (unsigned long long)taker->queue->head.id);
    else
        heap_set_error(hub->heap, "nothing came into queue #%llu in time", (unsigned long long)taker->queue->head.id);
    if (!taker->session->is_over)
        answer(taker, err, NULL);
    end_wait(taker);
}

void takers_notice(struct hub *hub, struct queue *queue)
{
    if (queue->is_served)
        return;
    queue->is_served = true;
    queue->next_served = NULL;
    if (hub->takers.served == NULL)
        hub->takers.served = queue;
    else
        hub->takers.served_last->next_served = queue;
    hub->takers.served_last = queue;
}

void takers_serve(struct hub *hub)
{
    struct queue *queue;

    while ((queue = hub->takers.served) != NULL) {
        struct obj *held = obj_ref(&queue->head); /* its takers' pins go */

        hub->takers.served = queue->next_served;
        queue->is_served = false;
        while (queue->len > 0 && !TAILQ_EMPTY(&queue->takers))
            serve_one(hub, queue);
        while (queue->is_closed && !TAILQ_EMPTY(&queue->takers))
            refuse_one(hub, TAILQ_FIRST(&queue->takers), HD_CANCELLED);
        obj_unref(hub->heap, &held);
    }
}

/* -- time --------------------------------------------------------------------------------------------------------- */

uint64_t takers_wait_ms(struct hub *hub)
{
    const struct takers *takers = &hub->takers;
    uint64_t now_ms;

    if (takers->due_count == 0)
        return UINT64_MAX;
    now_ms = hub_now_ms(hub);
    return takers->due[0]->end_ms > now_ms ? takers->due[0]->end_ms - now_ms : 0;
}

void takers_tick(struct hub *hub)
{
    hub->heap->step = &hub->step;
    while (takers_wait_ms(hub) == 0)
        refuse_one(hub, hub->takers.due[0], HD_TIMEOUT);
    hub->heap->step = NULL;
}

/* -- ends --------------------------------------------------------------------------------------------------------- */

void takers_cancel(struct session *session)
{
    struct hub *hub = session->hub;
    struct step *step = hub->heap->step; /* of a request that resumes this session */
    struct taker *taker;

    hub->heap->step = &hub->step;
    while ((taker = TAILQ_FIRST(&session->takers)) != NULL) {
        heap_set_error(hub->heap, "the connection's other end sends no more: nobody waits");
        if (!session->is_over)
            answer(taker, HD_CANCELLED, NULL);
        end_wait(taker);
    }
    hub->heap->step = step;
}

bool takers_drop(struct session *session, size_t *budget)
{
    for (; !TAILQ_EMPTY(&session->takers) && *budget > 0; (*budget)--)
        end_wait(TAILQ_FIRST(&session->takers));
    return TAILQ_EMPTY(&session->takers);
}

void takers_roots(const struct session *session, void (*visit)(void *arg, struct obj *o), void *arg)
{
    const struct taker *taker;

    TAILQ_FOREACH(taker, &session->takers, in_session) {
        visit(arg, &taker->queue->head);
        visit(arg, taker->argument);
    }
}

void takers_fini(struct hub *hub)
{
    hub_free(hub, hub->takers.due, due_size(hub->takers.due_capacity));
}
