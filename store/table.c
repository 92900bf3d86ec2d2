/*
 * table.c - the ordered hash table and its rebuild.
 *
 * A rebuild walks the entries once, from left to right: each live one slides left over the holes before it and is
 * entered in a new index. `read` is the next position to look at, `write` where it goes; all between are holes.
 * Meanwhile
 * - entries below `write`, and those at or beyond `old_end` (inserted since), are in the new index;
 * - entries in [read, old_end) are in the old index only.
 * A lookup asks the new index, then the old one. The old one may name positions that have been left or filled with
 * another entry since: harmless, for what it names is compared before it is believed.
 */
#include "store/table_index.h"

#include <assert.h>
#include <string.h>

#include "store/pool.h"

#define REBUILD_STEP 16u       /* entries moved by one call: enough to end long before the next rebuild is due */
#define REBUILD_AT_ONCE 512u   /* up to so many positions a rebuild is done in one go */
#define ORDER_RENEW UINT32_C(0x80000000)
#define SPARSE 8u              /* so many times the room that is needed is too much, */
#define SPARSE_LEAST 1024u     /* in a table for so many entries at least */

void table_init(struct table *table)
{
    *table = (struct table){0};
}

static size_t entries_size(uint32_t capacity)
{
    return capacity * sizeof(struct table_entry);
}

static size_t slots_size(const struct slots *slots)
{
    return ((size_t)slots->mask + 1) * sizeof *slots->at;
}

static void slots_free(struct pool *pool, struct slots *slots)
{
    if (slots->at != NULL)
        pool_free(pool, slots->at, slots_size(slots), POOL_DATA);
    *slots = (struct slots){0};
}

static void index_free(struct pool *pool, struct table *table)
{
    if (table->index == NULL)
        return;
    table_unnote(pool, table);
    slots_free(pool, &table->index->now);
    slots_free(pool, &table->index->old);
    pool_free(pool, table->index, sizeof *table->index, POOL_DATA);
    table->index = NULL;
}

void table_fini(struct pool *pool, struct table *table)
{
    index_free(pool, table);
    if (table->entries != NULL)
        pool_free(pool, table->entries, entries_size(table->capacity), POOL_DATA);
    table_init(table);
}

/* -- slots -------------------------------------------------------------------------------------------------------- */

static uint32_t slot_of(const struct slots *slots, uint32_t hash, uint32_t position)
{
    return (hash & ~slots->places) | (position + 1);
}

static void slots_enter(struct slots *slots, uint32_t hash, uint32_t position)
{
    uint32_t i = hash & slots->mask;

    assert(position + 1 < slots->places);
    while (slots->at[i] != SLOT_EMPTY && slots->at[i] != SLOT_GONE)
        i = (i + 1) & slots->mask;
    if (slots->at[i] == SLOT_EMPTY)
        slots->fill++;
    slots->at[i] = slot_of(slots, hash, position);
}

/* The slot that names `position`, which must be in. */
static uint32_t *slots_locate(struct slots *slots, uint32_t hash, uint32_t position)
{
    uint32_t wanted = slot_of(slots, hash, position);
    uint32_t i = hash & slots->mask;

    while (slots->at[i] != wanted) {
        assert(slots->at[i] != SLOT_EMPTY);
        i = (i + 1) & slots->mask;
    }
    return &slots->at[i];
}

uint32_t table_find(const struct table *table, uint32_t hash, table_match_fn *match, void *arg)
{
    return table_find_inline(table, hash, match, arg);
}

/* -- rebuild ------------------------------------------------------------------------------------------------------ */

static void rebuild_end(struct pool *pool, struct table *table)
{
    struct table_index *index = table->index;

    table->used = index->write;
    if (index->renews_orders) {
        table->next_order = table->used;
        index->renewals++;
    }
    index->is_rebuilding = false;
    slots_free(pool, &index->old);
}

/* Moves the entry at index->read to its new place. */
static void rebuild_entry(struct table *table)
{
    struct table_index *index = table->index;
    struct table_entry *from = &table->entries[index->read];
    struct table_entry *to = &table->entries[index->write];

    if (from->key == NULL) {
        index->read++;
        return;
    }
    if (index->read >= index->old_end) {
        *slots_locate(&index->now, from->hash, index->read) = slot_of(&index->now, from->hash, index->write);
    } else {
        slots_enter(&index->now, from->hash, index->write);
        index->waiting--;
    }
    if (to != from) {
        *to = *from;
        from->key = NULL;
    }
    if (index->renews_orders)
        to->order = index->write;
    index->read++;
    index->write++;
}

static void rebuild_some(struct pool *pool, struct table *table, uint32_t budget)
{
    struct table_index *index = table->index;

    if (index == NULL || !index->is_rebuilding)
        return;
    for (; budget > 0 && index->read < table->used; budget--)
        rebuild_entry(table);
    if (index->read >= table->used)
        rebuild_end(pool, table);
}

/* A power of two of slots in which `entries` fill at most one half. */
static uint32_t mask_for(uint32_t entries)
{
    uint64_t slots = 16;

    while (slots < (uint64_t)entries * 2)
        slots *= 2;
    return slots > UINT64_C(0x80000000) ? UINT32_C(0x7fffffff) : (uint32_t)(slots - 1);
}

/* Positions go up to twice the entries, for then holes are closed; and before the rebuild has come to its end, beyond
 * those in use now. */
static uint32_t places_for(uint32_t mask, uint64_t used)
{
    uint64_t places = (uint64_t)mask * 2 + 1;

    while (places < used + used / REBUILD_STEP + REBUILD_AT_ONCE)
        places = places * 2 + 1;
    return places > UINT32_MAX ? UINT32_MAX : (uint32_t)places;
}

/* Begins a rebuild into an index that suits `entries`, and those that will come until the rebuild has passed all
 * holes. */
static bool rebuild_begin(struct pool *pool, struct table *table, uint32_t entries)
{
    struct table_index *index = table->index;
    struct slots fresh = {.mask = mask_for(entries + table->used / REBUILD_STEP)};

    fresh.places = places_for(fresh.mask, (uint64_t)table->used + entries);
    if (index != NULL && index->old.at != NULL && index->old.mask == fresh.mask)
        fresh.at = index->old.at; /* that was made ready for it */
    else
        fresh.at = pool_zero(pool, slots_size(&fresh));
    if (fresh.at == NULL)
        return false;
    if (index != NULL && index->old.at != fresh.at)
        slots_free(pool, &index->old);
    if (index == NULL) {
        index = pool_zero(pool, sizeof *index);
        if (index == NULL) {
            slots_free(pool, &fresh);
            return false;
        }
        table->index = index;
    }
    index->old = index->now;
    index->now = fresh;
    index->read = index->first; /* what taking from the front has left behind holds nothing */
    index->write = index->first = 0;
    index->old_end = table->used;
    index->waiting = table->live;
    index->is_rebuilding = true;
    index->renews_orders = table->next_order >= ORDER_RENEW;
    index->renewals += index->renews_orders;
    /* without an old index nothing may be left to it */
    rebuild_some(pool, table, index->old.at == NULL || table->used <= REBUILD_AT_ONCE ? UINT32_MAX : REBUILD_STEP);
    return true;
}

/*
 * Entries stand in an index at random: the first thousand that move into a large new one meet its pages all over, and
 * for the system to give them takes many milliseconds at once. So it is made ready before it is needed: a page for
 * every four of the last insertions before the rebuild.
 */
#define READY_LEAST ((size_t)1 << 20) /* bytes of an index for which that is done */
#define READY_PAGE ((size_t)4096)
#define READY_PACE 4u

static void make_ready(struct pool *pool, struct table_index *index, uint32_t more)
{
    struct slots next = {.mask = index->now.mask * 2 + 1};
    size_t size = slots_size(&next);
    uint64_t room = ((uint64_t)index->now.mask + 1) * 2 / 3 - index->now.fill;

    if (index->is_rebuilding || size < READY_LEAST || room > size / READY_PAGE * READY_PACE)
        return;
    if (index->old.at == NULL) {
        next.at = pool_zero(pool, size);
        if (next.at == NULL)
            return;
        index->old = next;
        index->ready = 0;
    }
    for (uint32_t pages = more / READY_PACE + 1; pages > 0 && index->ready < size; pages--) {
        *(volatile uint32_t *)&index->old.at[index->ready / sizeof *next.at] = SLOT_EMPTY;
        index->ready += READY_PAGE;
    }
}

/* -- room --------------------------------------------------------------------------------------------------------- */

/* Closes the holes of a table without an index. */
static void close_plain_holes(struct table *table)
{
    bool renews_orders = table->next_order >= ORDER_RENEW;
    uint32_t write = 0;

    for (uint32_t read = 0; read < table->used; read++) {
        if (table->entries[read].key == NULL)
            continue;
        table->entries[write] = table->entries[read];
        if (renews_orders)
            table->entries[write].order = write;
        write++;
    }
    table->used = write;
    if (renews_orders)
        table->next_order = write;
}

static bool reserve_entries(struct pool *pool, struct table *table, uint32_t more)
{
    uint64_t wanted = (uint64_t)table->used + more;
    uint64_t capacity = table->capacity;
    struct table_entry *moved;

    if (wanted <= capacity)
        return true;
    if (wanted > TABLE_MAX)
        return false;
    capacity += capacity < 64 ? capacity : capacity / 4;
    capacity = capacity < wanted ? wanted : capacity > TABLE_MAX ? TABLE_MAX : capacity;
    moved = pool_resize(pool, table->entries, entries_size(table->capacity), entries_size((uint32_t)capacity));
    if (moved == NULL)
        return false;
    table->entries = moved;
    table->capacity = (uint32_t)capacity;
    return true;
}

/* Gives back what a table that has shrunk no longer needs; if that fails, it keeps it. */
static void trim_entries(struct pool *pool, struct table *table, uint32_t more)
{
    uint32_t wanted = table->used + more;
    struct table_entry *moved;

    if (table->capacity <= 64 || wanted >= table->capacity / 4)
        return;
    wanted *= 2;
    moved = pool_resize(pool, table->entries, entries_size(table->capacity), entries_size(wanted));
    if (moved == NULL)
        return;
    table->entries = moved;
    table->capacity = wanted;
}

/* `more` entries, and `used` positions below them. */
static bool slots_have_room(const struct slots *slots, uint64_t used, uint64_t more)
{
    return (slots->fill + more) * 3 <= ((uint64_t)slots->mask + 1) * 2 && used + more < slots->places;
}

static bool reserve_index(struct pool *pool, struct table *table, uint32_t more)
{
    struct table_index *index = table->index;
    uint64_t after = (uint64_t)table->live + more;

    if (index == NULL)
        return table->used + (uint64_t)more <= TABLE_PLAIN_MAX || rebuild_begin(pool, table, (uint32_t)after);
    if (slots_have_room(&index->now, table->used, (uint64_t)more + index->waiting)) {
        make_ready(pool, index, more);
        return true;
    }
    rebuild_some(pool, table, UINT32_MAX); /* only a large `more` comes here with a rebuild under way */
    return slots_have_room(&index->now, table->used, more) || rebuild_begin(pool, table, (uint32_t)after);
}

/* Closes holes rather than grow, when there are more of them than entries, and numbers orders anew in time. Without
 * memory for that, things go on with what there is. */
static void tidy(struct pool *pool, struct table *table, uint32_t more)
{
    const struct table_index *index = table->index;
    bool is_due = table->next_order >= ORDER_RENEW;

    if (index == NULL && (is_due || (table->used > table->live && table->used + more > table->capacity)))
        close_plain_holes(table);
    if (index != NULL && !index->is_rebuilding && (is_due || table->used / 2 > table->live))
        (void)rebuild_begin(pool, table, table->live + more);
}

bool table_reserve(struct pool *pool, struct table *table, uint32_t more)
{
    if ((uint64_t)table->live + more > TABLE_MAX)
        return false;
    rebuild_some(pool, table, REBUILD_STEP);
    tidy(pool, table, more);
    if (!reserve_index(pool, table, more) || !reserve_entries(pool, table, more))
        return false;
    trim_entries(pool, table, more);
    return true;
}

uint32_t table_insert(struct pool *pool, struct table *table, uint32_t hash, void *key, struct obj *value)
{
    uint32_t position = table->used++;

    assert(key != NULL && position < table->capacity);
    table->entries[position] = (struct table_entry){key, value, hash, table->next_order++};
    table->live++;
    if (table->index != NULL)
        slots_enter(&table->index->now, hash, position);
    rebuild_some(pool, table, REBUILD_STEP);
    return table->index != NULL ? table_last(table) : position;
}

/* -- removal ------------------------------------------------------------------------------------------------------ */

static void index_remove(struct table_index *index, uint32_t hash, uint32_t position)
{
    bool is_old_only = index->is_rebuilding && position >= index->read && position < index->old_end;

    if (is_old_only)
        index->waiting--;
    else
        *slots_locate(&index->now, hash, position) = SLOT_GONE;
}

static bool has_sparse_vector(const struct table *table)
{
    return table->capacity >= SPARSE_LEAST && table->live <= table->capacity / SPARSE;
}

/* Storage that is worth giving back: of the vector, or of the index, which a rebuild leaves at least a quarter full. */
static bool is_sparse(const struct table *table)
{
    uint32_t mask = table->index->now.mask;

    return has_sparse_vector(table) || (mask >= 4 * SPARSE_LEAST && table->live <= mask / (2 * SPARSE));
}

static void note(struct pool *pool, struct table *table)
{
    struct pool_sparse *sparse = pool_sparse(pool);

    if (sparse->count == sizeof sparse->tables / sizeof sparse->tables[0])
        return;
    sparse->tables[sparse->count++] = table;
    table->index->is_noted = true;
}

/* Forgets holes at the end, or taking from there would be quadratic. A rebuild goes no further than what is left. */
static void trim_end(struct table *table)
{
    struct table_index *index = table->index;
    uint32_t least = index != NULL && index->is_rebuilding ? index->read : 0;

    while (table->used > least && table->entries[table->used - 1].key == NULL)
        table->used--;
    if (index != NULL && index->old_end > table->used)
        index->old_end = table->used;
}

void table_remove(struct pool *pool, struct table *table, uint32_t position)
{
    struct table_entry *entry = &table->entries[position];
    struct table_index *index = table->index;

    assert(position < table->used && entry->key != NULL);
    if (index != NULL)
        index_remove(index, entry->hash, position);
    entry->key = NULL;
    entry->value = NULL;
    table->live--;
    if (table->live == 0) {
        uint32_t order = table->next_order;

        table_fini(pool, table);
        table->next_order = order; /* a scan under way goes on behind what it has seen */
        return;
    }
    trim_end(table);
    if (index != NULL && position == index->first && (!index->is_rebuilding || position < index->write))
        index->first++;
    rebuild_some(pool, table, REBUILD_STEP);
    if (index != NULL && is_sparse(table) && !index->is_noted)
        note(pool, table);
}

/* -- shrinking ---------------------------------------------------------------------------------------------------- */

bool table_any_noted(struct pool *pool)
{
    return pool_sparse(pool)->count > 0;
}

void table_unnote(struct pool *pool, struct table *table)
{
    struct pool_sparse *sparse = pool_sparse(pool);
    unsigned at = 0;

    if (table->index == NULL || !table->index->is_noted)
        return;
    table->index->is_noted = false;
    while (sparse->tables[at] != table)
        at++;
    sparse->tables[at] = sparse->tables[--sparse->count];
}

/* Rebuilds it into an index for what is left, and cuts the vector. False: another step may do more. */
static bool shrink_some(struct pool *pool, struct table *table, uint32_t budget)
{
    struct table_index *index = table->index;

    if (!index->is_rebuilding && (!is_sparse(table) || !rebuild_begin(pool, table, table->live)))
        return true;
    rebuild_some(pool, table, budget);
    if (index->is_rebuilding)
        return false;
    trim_entries(pool, table, 0);
    return !is_sparse(table) || has_sparse_vector(table); /* which could not be cut */
}

bool table_shrink(struct pool *pool, uint32_t budget)
{
    struct pool_sparse *sparse = pool_sparse(pool);
    struct table *table = sparse->count > 0 ? sparse->tables[sparse->count - 1] : NULL;

    if (table == NULL)
        return false;
    if (shrink_some(pool, table, budget))
        table_unnote(pool, table);
    return true;
}

/* -- looking ------------------------------------------------------------------------------------------------------ */

/* Passes over what a rebuild has emptied: [write, read) holds nothing. */
static uint32_t skip_gap(const struct table_index *index, uint32_t position)
{
    if (index == NULL)
        return position;
    if (position < index->first)
        position = index->first;
    if (index->is_rebuilding && position >= index->write && position < index->read)
        position = index->read;
    return position;
}

/* All below the first live entry are holes: or taking from the front would be quadratic. */
static void remember_first(struct table_index *index, uint32_t position)
{
    index->first = index->is_rebuilding && position > index->write ? index->write : position;
}

uint32_t table_next(const struct table *table, uint32_t position)
{
    uint32_t start = position;

    for (position = skip_gap(table->index, position); position < table->used;
         position = skip_gap(table->index, position + 1))
        if (table->entries[position].key != NULL) {
            if (start == 0 && table->index != NULL)
                remember_first(table->index, position);
            return position;
        }
    return TABLE_NONE;
}

uint32_t table_last(const struct table *table)
{
    for (uint32_t position = table->used; position-- > 0;) {
        const struct table_index *index = table->index;

        if (index != NULL && index->is_rebuilding && position < index->read && position >= index->write) {
            position = index->write;
            continue;
        }
        if (table->entries[position].key != NULL)
            return position;
    }
    return TABLE_NONE;
}

/* -- cursors ------------------------------------------------------------------------------------------------------ */

bool table_is_renewing(const struct table *table)
{
    return table->index != NULL && table->index->is_rebuilding && table->index->renews_orders;
}

static uint32_t renewals(const struct table *table)
{
    return table->index != NULL ? table->index->renewals : 0;
}

uint64_t table_cursor(const struct table *table, uint32_t position)
{
    return (uint64_t)renewals(table) << 32 | table->entries[position].order;
}

/* First position in [low, high) whose order is at least `order`. Holes keep theirs, and orders increase. */
static uint32_t lower_bound(const struct table *table, uint32_t low, uint32_t high, uint32_t order)
{
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (table->entries[middle].order < order)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t table_seek(const struct table *table, uint64_t cursor)
{
    const struct table_index *index = table->index;
    uint32_t order = (uint32_t)cursor;
    uint32_t gap = index != NULL && index->is_rebuilding ? index->write : table->used;
    uint32_t position;

    if (cursor >> 32 > renewals(table)) /* the table has been empty since: nothing of then is left */
        return TABLE_NONE;
    if (cursor == 0 || cursor >> 32 < renewals(table) || table_is_renewing(table))
        return table_next(table, 0);
    position = lower_bound(table, 0, gap, order);
    if (position == gap && gap < table->used)
        position = lower_bound(table, index->read, table->used, order);
    return table_next(table, position);
}

size_t table_bytes(const struct table *table)
{
    size_t bytes = table->entries == NULL ? 0 : pool_rounded(entries_size(table->capacity));
    const struct table_index *index = table->index;

    if (index == NULL)
        return bytes;
    bytes += pool_rounded(sizeof *index) + pool_rounded(slots_size(&index->now));
    return index->old.at == NULL ? bytes : bytes + pool_rounded(slots_size(&index->old));
}

static bool check_found(const struct table *table, uint32_t position)
{
    const struct table_index *index = table->index;
    const struct slots *slots = &index->now;
    uint32_t i;

    if (index->is_rebuilding && position >= index->read && position < index->old_end)
        slots = &index->old;
    for (i = table->entries[position].hash & slots->mask; slots->at[i] != SLOT_EMPTY; i = (i + 1) & slots->mask)
        if (slots->at[i] == slot_of(slots, table->entries[position].hash, position))
            return true;
    return false;
}

int table_check(const struct table *table)
{
    uint32_t live = 0;
    uint32_t order = 0;
    bool is_renewing = table->index != NULL && table->index->is_rebuilding && table->index->renews_orders;

    if (table->used > table->capacity)
        return __LINE__;
    for (uint32_t i = 0; i < table->used; i++) {
        const struct table_entry *entry = &table->entries[i];

        if (entry->key == NULL)
            continue;
        if (live++ > 0 && entry->order <= order && !is_renewing)
            return __LINE__;
        order = entry->order;
        if (table->index != NULL && !check_found(table, i))
            return __LINE__;
    }
    return live == table->live ? 0 : __LINE__;
}
