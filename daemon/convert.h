/*
 * daemon/convert.h - the only place that knows both store values and wire values.
 */
#ifndef HEAPD_DAEMON_CONVERT_H
#define HEAPD_DAEMON_CONVERT_H

#include "daemon/call.h"
#include "store/kinds/atoms.h"
#include "store/kinds/utf8.h"

/* -- from the wire (convert_in.c, targets.c) --------------------------------------------------------------------- */

/* The same as convert_value, of any. */
enum hd_err convert_any_value(struct session *session, struct reader *reader, struct obj **out);

/* Builds the object of the next value: a literal makes new objects, references inside it lead to existing ones.
 * Iterative. On success *out is an owned reference. Errors: VALUE, TYPE, OVERFLOW, NO_NAME, NO_HANDLE, LIMIT,
 * NO_MEMORY, BAD_ARGS. In line for what most values are. */
static inline enum hd_err convert_value(struct session *session, struct reader *reader, struct obj **out)
{
    const char *text;
    size_t len;

    if (reader->at < reader->end && (unsigned char)*reader->at < 0x80)
        return int_new(session->hub->heap, *reader->at++, out);
    if (!session->manner.raw_bytes && read_short_str(reader, &text, &len))
        return str_new(session->hub->heap, text, len, out);
    return convert_any_value(session, reader, out);
}

/* The object of a target: a str is a name, a uint a handle, [ns, name], HANDLE, NAME; owned. BAD_ARGS for anything
 * else. */
enum hd_err convert_target(struct session *session, struct reader *reader, struct obj **out);

/* The object that a plain name leads to, looked for where targets are: borrowed; NULL if it is bound nowhere. */
struct obj *convert_find_name(const struct session *session, const char *name, size_t len);

/* The same, in line for the one that was found last: calls on one object often come one after another. */
static inline struct obj *convert_peek_name(const struct session *session, const char *name, size_t len)
{
    const struct space *own = space_of(session->space);
    const struct space *first = own->names.table.live > 0 ? own : space_of(session->hub->global);
    struct obj *o = names_peek_at(&first->names, first->recent, name, len);

    return o != NULL ? o : convert_find_name(session, name, len);
}

/* A reference in an ext value, or in the value behind the key "@" of the map dialect; owned. */
enum hd_err convert_ext(struct session *session, const struct wire *wire, struct obj **out);
enum hd_err convert_at(struct session *session, struct reader *reader, struct obj **out);

/* A number of a handle: uint, HANDLE, or in the map dialect {"@": ...}; held or not. BAD_ARGS. */
enum hd_err convert_handle(struct session *session, struct reader *reader, uint64_t *number);

/* Takes what nearly every name and key is, if that comes next: a str of fewer than 32 bytes, all ASCII. */
static inline __attribute__((always_inline)) bool convert_short_text(struct reader *reader, const char **text,
                                                                     size_t *len)
{
    struct reader behind = *reader;

    if (!read_short_str(&behind, text, len) || !utf8_is_ascii(*text, *len))
        return false;
    reader->at = behind.at;
    return true;
}

/* The same as convert_binding, of any. */
enum hd_err convert_any_binding(struct session *session, struct reader *reader, struct binding *binding);

/* A name to bind: a str, or [namespace, name], or NAME. BAD_ARGS, VALUE if it is not UTF-8. */
static inline enum hd_err convert_binding(struct session *session, struct reader *reader, struct binding *binding)
{
    if (!convert_short_text(reader, &binding->name, &binding->name_len))
        return convert_any_binding(session, reader, binding);
    binding->space = NULL;
    return HD_OK;
}

/* A str that is given as such. BAD_ARGS naming `what`, VALUE if it is not UTF-8. */
enum hd_err convert_text(struct session *session, struct reader *reader, const char *what, const char **text,
                         size_t *len);

/* The object that a name is bound to, looked up as protocol.md's targets are; owned. NO_NAME. */
enum hd_err names_lookup(struct session *session, const struct binding *binding, struct obj **out);

/* The same as names_space, of a binding that names one. */
enum hd_err names_space_named(struct session *session, const struct binding *binding, struct space **out);

/* The namespace of a binding; borrowed. NO_NAME if there is none of that name. */
static inline enum hd_err names_space(struct session *session, const struct binding *binding, struct space **out)
{
    if (binding->space != NULL)
        return names_space_named(session, binding, out);
    *out = space_of(session->space);
    return HD_OK;
}

/* -- to the wire (convert_out.c) --------------------------------------------------------------------------------- */

/* True if it travels by value: nil, bool, int, float, str, bytes. */
static inline bool convert_is_scalar(const struct obj *o)
{
    return o->type <= OBJ_BYTES;
}

void convert_pack_scalar(struct buf *buf, const struct obj *o);

/* A HANDLE in the session's dialect. */
void convert_pack_handle(struct session *session, struct buf *buf, uint64_t handle, const struct obj *o);

/* Gives the session a new handle of `o` (a new reference): LIMIT, NO_MEMORY. */
enum hd_err convert_open_handle(struct session *session, struct obj *o, uint64_t *handle);

/* Takes back the handles that the server gave from number `first` on: their answer is not sent. Never allocates. */
void convert_close_handles(struct session *session, uint64_t first);

/*
 * Packs the whole value of `o`, `levels` of it, at most `limits.read` bytes; what has no literal form and what lies
 * deeper travels as HANDLE. `depth` levels of nesting are used already. On failure nothing is left in the buffer and no
 * handle is open. CYCLE, LIMIT, NO_MEMORY, DEAD. If there are more than about `most` values in it, nothing is left
 * either, and *is_long is true.
 */
enum hd_err convert_pack_value(struct session *session, struct buf *buf, struct obj *o, uint64_t levels,
                               uint32_t depth, size_t most, bool *is_long);

/*
 * The same in slices, while nothing that was made before may be changed (store/copy.h says it in full, and what each of
 * these does). convert_pack_keep: the handles are the client's now; those of any other are closed again by
 * convert_pack_close. `buf` stays the caller's, with what was packed of a value that failed.
 */
struct packer;
struct packer *convert_pack_open(struct session *session, struct buf *buf, struct obj *o, uint64_t levels,
                                 uint32_t depth);
bool convert_pack_run(struct packer *packer, size_t budget);
enum hd_err convert_pack_result(struct packer *packer);
void convert_pack_keep(struct packer *packer);
void convert_pack_close(struct packer *packer);
void convert_pack_roots(struct packer *packer, void (*visit)(void *arg, struct obj *o), void *arg);

#endif
