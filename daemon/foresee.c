/*
 * foresee.c - what the requests of one read will look up.
 *
 * Guessed by the first parameter: a plain name, looked for where the session binds names; and of a `call` on what the
 * request before it has called too, the first argument, a str, if that is a large dict. Everything else takes its time.
 */
#include "daemon/foresee.h"

#include <string.h>

#include "daemon/convert.h"
#include "protocol/read.h"
#include "store/ahead.h"
#include "store/compare.h"
#include "store/kinds/dict.h"
#include "store/kinds/namespace.h"

struct str {
    const char *bytes; /* NULL: there is none */
    size_t len;
};

/* Takes a str of few bytes; what stands there is known to be whole. */
static inline struct str take_str(struct reader *reader)
{
    struct str str = {0};

    read_short_str(reader, &str.bytes, &str.len);
    return str;
}

static inline bool same_str(struct str a, struct str b)
{
    return a.bytes != NULL && b.bytes != NULL && a.len == b.len && bytes_are_same(a.bytes, b.bytes, a.len);
}

/* The first argument of call(target, method, [...]), if it is such a str; the reader is behind the target. */
static struct str first_argument(const struct envelope *call, struct reader *reader)
{
    uint32_t count;

    if (call->param_count != 3 || take_str(reader).bytes == NULL || !read_short_array(reader, &count))
        return (struct str){0};
    return take_str(reader);
}

static inline bool is_call(const struct envelope *request)
{
    return request->method_len == 4 && memcmp(request->method, "call", 4) == 0;
}

/* Where names of targets are, if they are many; else NULL. */
static const struct table *large_names(const struct session *session)
{
    const struct table *own = &space_of(session->space)->names.table;
    const struct table *global = &space_of(session->hub->global)->names.table;

    return ahead_is_worth(own) ? own : ahead_is_worth(global) ? global : NULL;
}

/* Whom the last call was for. */
struct callee {
    struct str name;
    struct obj *o; /* what it names, borrowed: nothing runs meanwhile */
};

/* The large dict that the request calls, NULL if it does something else. */
static const struct table *called_dict(const struct session *session, const struct envelope *request,
                                       struct str name, struct callee *callee)
{
    if (!is_call(request))
        return NULL;
    if (!same_str(name, callee->name))
        *callee = (struct callee){name, convert_peek_name(session, name.bytes, name.len)};
    if (callee->o == NULL || callee->o->type != OBJ_DICT || !ahead_is_worth(&dict_of(callee->o)->table))
        return NULL;
    return &dict_of(callee->o)->table;
}

/* False if there are fewer objects than a large dict has keys. */
static bool may_have_large_dict(const struct heap *heap)
{
    return heap->made - heap->died >= AHEAD_LEAST;
}

/* Begins a look-up, true; or there is none to begin. */
static bool begin(const struct session *session, const struct table *names, const struct envelope *request,
                  struct callee *callee, struct ahead *ahead)
{
    struct heap *heap = session->hub->heap;
    struct reader reader = {request->params, request->end};
    struct str text = {0};
    const struct table *table;

    if (request->param_count > 0)
        text = take_str(&reader);
    if (text.bytes == NULL)
        return false;
    table = called_dict(session, request, text, callee);
    if (table != NULL)
        text = first_argument(request, &reader);
    else
        table = names;
    if (table == NULL || text.bytes == NULL)
        return false;
    ahead_begin(ahead, table, heap_hash_bytes(heap, text.bytes, text.len));
    return true;
}

void foresee(const struct session *session, const struct envelope *requests, unsigned count)
{
    const struct table *names = large_names(session);
    struct ahead ahead[FORESEE_MOST];
    struct callee callee = {0};
    unsigned begun = 0;

    if (names == NULL && !may_have_large_dict(session->hub->heap))
        return;
    for (unsigned i = 0; i < count; i++)
        if (names != NULL || is_call(&requests[i]))
            begun += begin(session, names, &requests[i], &callee, &ahead[begun]);
    for (unsigned i = 0; i < begun; i++)
        ahead_entry(&ahead[i]);
    for (unsigned i = 0; i < begun; i++)
        ahead_content(&ahead[i]);
}
