/* watch.c - see watch.h. */
#include "daemon/watch.h"

#include "daemon/glob.h"
#include "daemon/state.h"
#include "store/compare.h"
#include "store/table.h"

/* A name or glob that is watched. */
struct watched {
    struct name *name;            /* owned */
    struct watch *first;          /* who watches it, latest first */
    struct watched *next, *prev;  /* globs only: all of the namespace */
    bool is_glob;
};

struct watch {
    struct session *session;
    struct space *space;
    struct watched *watched;
    struct watch *next, *prev;             /* of the session */
    struct watch *next_watcher, *prev_watcher; /* of what it watches */
};

struct watches {
    struct table table;    /* key: struct watched */
    struct watched *globs; /* latest first */
};

const char *name_change_text(enum name_change change)
{
    static const char *const texts[] = {"bound", "unbound", "expired"};

    return texts[change];
}

/* -- what is watched ---------------------------------------------------------------------------------------------- */

struct wanted {
    const char *bytes;
    size_t len;
    bool is_glob;
};

static bool is_wanted(void *arg, const void *key)
{
    const struct wanted *wanted = arg;
    const struct watched *watched = key;

    return watched->is_glob == wanted->is_glob && name_is(watched->name, wanted->bytes, wanted->len);
}

static uint32_t hash_of(struct heap *heap, const struct wanted *wanted)
{
    return heap_hash_bytes(heap, wanted->bytes, wanted->len) ^ (uint32_t)wanted->is_glob;
}

/* NULL: nobody watches it. */
static struct watched *find(struct heap *heap, const struct watches *watches, struct wanted *wanted)
{
    uint32_t position = TABLE_NONE;

    if (watches != NULL)
        position = table_find(&watches->table, hash_of(heap, wanted), is_wanted, wanted);
    return position != TABLE_NONE ? watches->table.entries[position].key : NULL;
}

/* The namespace's table, made if it is missing; NULL without memory. */
static struct watches *open_watches(struct hub *hub, struct space *space)
{
    if (space->watches != NULL)
        return space->watches;
    space->watches = hub_alloc(hub, sizeof *space->watches);
    if (space->watches != NULL) {
        table_init(&space->watches->table);
        space->watches->globs = NULL;
    }
    return space->watches;
}

/* A table in which nothing is left goes, and with it a namespace that nobody uses any more. */
static void close_watches(struct hub *hub, struct space *space)
{
    struct watches *watches = space->watches;

    if (watches == NULL || watches->table.live > 0)
        return;
    table_fini(hub->heap->pool, &watches->table);
    hub_free(hub, watches, sizeof *watches);
    space->watches = NULL;
    hub_drop_unused_space(hub, space);
}

static struct watched *add_watched(struct hub *hub, struct watches *watches, const struct wanted *wanted)
{
    struct pool *pool = hub->heap->pool;
    struct watched *watched = hub_alloc(hub, sizeof *watched);

    if (watched == NULL)
        return NULL;
    *watched = (struct watched){.name = name_new(hub->heap, wanted->bytes, wanted->len), .is_glob = wanted->is_glob};
    if (watched->name == NULL || !table_reserve(pool, &watches->table, 1)) {
        name_free(hub->heap, watched->name);
        hub_free(hub, watched, sizeof *watched);
        return NULL;
    }
    table_insert(pool, &watches->table, hash_of(hub->heap, wanted), watched, NULL);
    if (watched->is_glob) {
        watched->next = watches->globs;
        if (watched->next != NULL)
            watched->next->prev = watched;
        watches->globs = watched;
    }
    return watched;
}

static void remove_watched(struct hub *hub, struct watches *watches, struct watched *watched)
{
    struct wanted wanted = {watched->name->bytes, watched->name->len, watched->is_glob};
    uint32_t position = table_find(&watches->table, hash_of(hub->heap, &wanted), is_wanted, &wanted);

    table_remove(hub->heap->pool, &watches->table, position);
    if (watches->globs == watched)
        watches->globs = watched->next;
    if (watched->prev != NULL)
        watched->prev->next = watched->next;
    if (watched->next != NULL)
        watched->next->prev = watched->prev;
    name_free(hub->heap, watched->name);
    hub_free(hub, watched, sizeof *watched);
}

/* -- who watches -------------------------------------------------------------------------------------------------- */

static struct watch *find_watch(const struct session *session, const struct watched *watched)
{
    struct watch *watch = watched != NULL ? watched->first : NULL;

    while (watch != NULL && watch->session != session)
        watch = watch->next_watcher;
    return watch;
}

static void link_watch(struct watch *watch)
{
    struct session_watches *own = &watch->session->watches;
    struct watched *watched = watch->watched;

    watch->next = own->first;
    if (watch->next != NULL)
        watch->next->prev = watch;
    own->first = watch;
    watch->next_watcher = watched->first;
    if (watch->next_watcher != NULL)
        watch->next_watcher->prev_watcher = watch;
    watched->first = watch;
    own->count++;
    own->globs += watched->is_glob;
}

static void unlink_watch(struct watch *watch)
{
    struct session_watches *own = &watch->session->watches;
    struct watched *watched = watch->watched;

    if (watch->prev != NULL)
        watch->prev->next = watch->next;
    else
        own->first = watch->next;
    if (watch->next != NULL)
        watch->next->prev = watch->prev;
    if (watch->prev_watcher != NULL)
        watch->prev_watcher->next_watcher = watch->next_watcher;
    else
        watched->first = watch->next_watcher;
    if (watch->next_watcher != NULL)
        watch->next_watcher->prev_watcher = watch->prev_watcher;
    own->count--;
    own->globs -= watched->is_glob;
}

static enum hd_err check_room(const struct session *session, const struct wanted *wanted)
{
    struct hub *hub = session->hub;

    if (session->watches.count >= hub->settings.limit_names)
        return heap_fail(hub->heap, HD_LIMIT, "the session watches limits.names (%llu) names",
                         (unsigned long long)hub->settings.limit_names);
    if (wanted->len > (wanted->is_glob ? WATCH_GLOB_BYTES : NAME_MAX_BYTES))
        return heap_fail(hub->heap, HD_LIMIT, "a watched %s has at most %u bytes", wanted->is_glob ? "glob" : "name",
                         wanted->is_glob ? WATCH_GLOB_BYTES : NAME_MAX_BYTES);
    if (wanted->is_glob && session->watches.globs >= WATCH_GLOBS_MAX)
        return heap_fail(hub->heap, HD_LIMIT, "a session watches at most %d globs", WATCH_GLOBS_MAX);
    return HD_OK;
}

static enum hd_err add_watch(struct session *session, struct space *space, struct wanted *wanted)
{
    struct hub *hub = session->hub;
    struct watches *watches = open_watches(hub, space);
    struct watch *watch = hub_alloc(hub, sizeof *watch);
    struct watched *watched = find(hub->heap, watches, wanted);

    if (watches != NULL && watch != NULL && watched == NULL)
        watched = add_watched(hub, watches, wanted);
    if (watched == NULL || watch == NULL) {
        hub_free(hub, watch, sizeof *watch);
        close_watches(hub, space);
        return heap_no_memory(hub->heap);
    }
    *watch = (struct watch){.session = session, .space = space, .watched = watched};
    link_watch(watch);
    return HD_OK;
}

enum hd_err watch_add(struct session *session, struct space *space, const char *name, size_t len, bool is_glob)
{
    struct wanted wanted = {name, len, is_glob};
    enum hd_err err;

    if (find_watch(session, find(session->hub->heap, space->watches, &wanted)) != NULL)
        return HD_OK;
    err = check_room(session, &wanted);
    return err == HD_OK ? add_watch(session, space, &wanted) : err;
}

static void end_watch(struct watch *watch)
{
    struct hub *hub = watch->session->hub;
    struct space *space = watch->space;

    unlink_watch(watch);
    if (watch->watched->first == NULL)
        remove_watched(hub, space->watches, watch->watched);
    hub_free(hub, watch, sizeof *watch);
    close_watches(hub, space);
}

bool watch_remove(struct session *session, struct space *space, const char *name, size_t len)
{
    struct heap *heap = session->hub->heap;
    struct watch *found[2]; /* before one is ended: the namespace may go with its last watch */

    for (unsigned is_glob = 0; is_glob < 2; is_glob++) {
        struct wanted wanted = {name, len, is_glob != 0};

        found[is_glob] = find_watch(session, find(heap, space->watches, &wanted));
    }
    for (unsigned i = 0; i < 2; i++)
        if (found[i] != NULL)
            end_watch(found[i]);
    return found[0] != NULL || found[1] != NULL;
}

bool watch_drop(struct session *session, size_t *budget)
{
    while (session->watches.first != NULL && *budget > 0) {
        end_watch(session->watches.first);
        (*budget)--;
    }
    return session->watches.first == NULL;
}

/* -- telling ------------------------------------------------------------------------------------------------------ */

struct change {
    uint64_t number;
    const struct space *space;
    const char *name;
    size_t len;
    enum name_change what;
    uint64_t id;
};

/* Who watches a name in several ways is told once. */
static void tell_watchers(const struct watched *watched, const struct change *change)
{
    if (watched == NULL)
        return;
    for (struct watch *watch = watched->first; watch != NULL; watch = watch->next_watcher) {
        if (watch->session->last_change == change->number)
            continue;
        watch->session->last_change = change->number;
        events_keep_name(watch->session, change->space->name, change->name, change->len, change->what, change->id);
    }
}

void watch_expired(void *context, struct obj *space, const struct name *name, uint64_t id)
{
    watch_tell(context, space_of(space), name->bytes, name->len, NAME_EXPIRED, id);
}

void watch_tell_all(struct hub *hub, struct space *space, const char *name, size_t len, enum name_change what,
                    uint64_t id)
{
    struct change change = {++hub->changes, space, name, len, what, id};
    struct wanted wanted = {name, len, false};

    tell_watchers(find(hub->heap, space->watches, &wanted), &change);
    for (const struct watched *glob = space->watches->globs; glob != NULL; glob = glob->next)
        if (glob_matches(glob->name->bytes, glob->name->len, name, len))
            tell_watchers(glob, &change);
}
