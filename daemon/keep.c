/* keep.c - see keep.h. */
#include "daemon/keep.h"

static struct kept *head_at(const struct keep *keep, uint64_t number)
{
    return (struct kept *)(void *)(keep->heads.bytes + keep->heads.sent) + (number - keep->first);
}

void keep_init(struct keep *keep, uint64_t next, const struct buf_memory *memory)
{
    keep->first = keep->next = keep->whole = next;
    buf_init(&keep->heads, SIZE_MAX / 2, memory);
    buf_init(&keep->bytes, SIZE_MAX / 2, memory);
}

void keep_fini(struct keep *keep)
{
    buf_fini(&keep->heads);
    buf_fini(&keep->bytes);
}

/* Takes away the bytes of the oldest record that has some. */
static void drop_bytes(struct keep *keep)
{
    struct kept *kept = head_at(keep, keep->whole++);

    if (kept->is_whole)
        buf_taken(&keep->bytes, kept->len);
    kept->is_whole = false;
}

static void forget_first(struct keep *keep)
{
    if (keep->whole == keep->first)
        drop_bytes(keep);
    buf_taken(&keep->heads, sizeof(struct kept));
    keep->first++;
}

void keep_forget(struct keep *keep, uint64_t number)
{
    while (keep->first < number && keep->first < keep->next)
        forget_first(keep);
}

static void forget_all(struct keep *keep)
{
    buf_clear(&keep->heads);
    buf_clear(&keep->bytes);
    keep->first = keep->whole = keep->next;
}

/* Room for the bytes, if there may be. */
static bool make_room(struct keep *keep, size_t len, uint64_t most_bytes)
{
    if (len > most_bytes)
        return false;
    while (buf_pending(&keep->bytes) + len > most_bytes)
        drop_bytes(keep);
    buf_compact(&keep->bytes);
    if (buf_reserve(&keep->bytes, len))
        return true;
    buf_rewind(&keep->bytes, keep->bytes.len); /* forgets the failure */
    return false;
}

void keep_add(struct keep *keep, const struct kept *kept, const char *bytes, uint64_t most, uint64_t most_bytes)
{
    struct kept head = *kept;

    while (keep->next - keep->first >= most && keep->first < keep->next)
        forget_first(keep);
    head.is_whole = bytes != NULL && make_room(keep, head.len, most_bytes);
    buf_compact(&keep->heads);
    if (!buf_reserve(&keep->heads, sizeof head)) {
        keep->next++;
        forget_all(keep);
        return;
    }
    buf_append(&keep->heads, &head, sizeof head);
    if (head.is_whole)
        buf_append(&keep->bytes, bytes, head.len);
    keep->next++;
}

void keep_lose(struct keep *keep, uint64_t count, uint64_t most)
{
    if (count >= most) {
        keep->next += count;
        forget_all(keep);
        return;
    }
    for (; count > 0; count--)
        keep_add(keep, &(struct kept){0}, NULL, most, UINT64_MAX);
}

const struct kept *keep_next(const struct keep *keep, struct keep_walk *walk)
{
    const struct kept *kept;

    if (walk->number == 0) {
        *walk = (struct keep_walk){.number = keep->first};
    } else {
        kept = head_at(keep, walk->number++);
        walk->at += kept->is_whole ? kept->len : 0;
    }
    if (walk->number == keep->next)
        return NULL;
    walk->bytes = keep->bytes.bytes + keep->bytes.sent + walk->at;
    return head_at(keep, walk->number);
}
