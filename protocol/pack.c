/* pack.c - an output buffer; short forms by hand, the others by msgpack-c's packer writing into it. */
#include "protocol/pack.h"

#include <msgpack.h>
#include <stdlib.h>

#define BUF_FIRST ((size_t)256)
#define BUF_KEPT ((size_t)65536) /* storage that an empty buffer keeps */

static void *libc_resize(void *context, void *old, size_t old_size, size_t size)
{
    (void)context;
    (void)old_size;
    if (size > 0)
        return realloc(old, size);
    free(old);
    return NULL;
}

static const struct buf_memory libc_memory = {.resize = libc_resize};

/* -- the buffer --------------------------------------------------------------------------------------------------- */

void buf_init(struct buf *buf, size_t limit, const struct buf_memory *memory)
{
    *buf = (struct buf){.limit = limit, .memory = memory != NULL ? memory : &libc_memory};
}

void buf_fini(struct buf *buf)
{
    if (buf->bytes != NULL)
        buf->memory->resize(buf->memory->context, buf->bytes, buf->capacity, 0);
    *buf = (struct buf){.limit = buf->limit, .memory = buf->memory};
}

void buf_move(struct buf *buf)
{
    memmove(buf->bytes, buf->bytes + buf->sent, buf->len - buf->sent);
    buf->len -= buf->sent;
    buf->sent = 0;
}

/* Takes the storage that another buffer left, if it may hold so much. */
static void take_spare(struct buf *buf)
{
    struct buf_spare *spare = buf->memory->spare;

    if (spare == NULL || spare->bytes == NULL || spare->capacity > buf->limit)
        return;
    buf->bytes = spare->bytes;
    buf->capacity = spare->capacity;
    spare->bytes = NULL;
}

void buf_leave(struct buf *buf)
{
    struct buf_spare *spare = buf->memory->spare;

    if (spare == NULL)
        return;
    if (spare->bytes != NULL || buf->capacity > BUF_KEPT) {
        buf_trim(buf);
        return;
    }
    *spare = (struct buf_spare){buf->bytes, buf->capacity};
    buf->bytes = NULL;
    buf->capacity = 0;
}

void buf_spare_fini(const struct buf_memory *memory)
{
    struct buf_spare *spare = memory->spare;

    if (spare->bytes != NULL)
        memory->resize(memory->context, spare->bytes, spare->capacity, 0);
    spare->bytes = NULL;
}

static bool grow(struct buf *buf, size_t wanted)
{
    size_t capacity = buf->capacity < BUF_FIRST ? BUF_FIRST : buf->capacity * 2;
    char *bytes;

    if (capacity < wanted)
        capacity = wanted;
    if (capacity > buf->limit)
        capacity = buf->limit;
    bytes = buf->memory->resize(buf->memory->context, buf->bytes, buf->capacity, capacity);
    if (bytes == NULL)
        return false;
    buf->bytes = bytes;
    buf->capacity = capacity;
    return true;
}

bool buf_grow(struct buf *buf, size_t more)
{
    if (buf->failed)
        return false;
    if (more > buf->limit || buf->len > buf->limit - more) {
        buf->failed = buf->over_limit = true;
        return false;
    }
    if (buf->capacity == 0)
        take_spare(buf);
    if (more > buf->capacity - buf->len && !grow(buf, buf->len + more))
        buf->failed = true;
    return !buf->failed;
}

void buf_append(struct buf *buf, const void *bytes, size_t len)
{
    if (len == 0 || !buf_reserve(buf, len))
        return;
    memcpy(buf->bytes + buf->len, bytes, len);
    buf->len += len;
}

void buf_trim(struct buf *buf)
{
    if (buf->len == 0)
        buf_fini(buf);
}

void buf_taken(struct buf *buf, size_t n)
{
    buf->sent += n;
    if (buf->sent < buf->len)
        return;
    buf->len = buf->sent = 0;
    if (buf->capacity > BUF_KEPT)
        buf_trim(buf);
    else
        buf_leave(buf);
}

void buf_rewind(struct buf *buf, size_t len)
{
    buf->len = len;
    buf->failed = buf->over_limit = false;
}

void buf_clear(struct buf *buf)
{
    buf->sent = 0;
    buf_rewind(buf, 0);
}

/* -- packing ------------------------------------------------------------------------------------------------------ */

static int write_to_buf(void *data, const char *bytes, size_t len)
{
    buf_append(data, bytes, len);
    return 0;
}

static msgpack_packer packer_of(struct buf *buf)
{
    msgpack_packer packer;

    msgpack_packer_init(&packer, buf, write_to_buf);
    return packer;
}

/* msgpack-c would cut a length of 2^32 or more: refuse it as over the limit. */
static bool length_fits(struct buf *buf, size_t len)
{
    if (len <= UINT32_MAX)
        return true;
    buf->failed = buf->over_limit = true;
    return false;
}

char *put_negative(char *at, int64_t value)
{
    unsigned power = value >= INT8_MIN ? 0 : value >= INT16_MIN ? 1 : value >= INT32_MIN ? 2 : 3;
    uint64_t big_endian = htobe64((uint64_t)value << (64 - (8u << power)));

    if (value >= -32) {
        *at = (char)value;
        return at + 1;
    }
    *at = (char)(0xd0 + power);
    memcpy(at + 1, &big_endian, 1u << power);
    return at + 1 + (1u << power);
}

void pack_float(struct buf *buf, double value)
{
    msgpack_packer packer = packer_of(buf);

    msgpack_pack_double(&packer, value);
}

void pack_str_head(struct buf *buf, size_t len)
{
    msgpack_packer packer = packer_of(buf);

    if (len < 32)
        pack_byte(buf, (unsigned char)(0xa0 | len));
    else if (length_fits(buf, len))
        msgpack_pack_str(&packer, len);
}

void pack_str(struct buf *buf, const char *bytes, size_t len)
{
    pack_str_head(buf, len);
    buf_append(buf, bytes, len);
}

void pack_cstr(struct buf *buf, const char *text)
{
    pack_str(buf, text, strlen(text));
}

void pack_bin_head(struct buf *buf, size_t len)
{
    msgpack_packer packer = packer_of(buf);

    if (length_fits(buf, len))
        msgpack_pack_bin(&packer, len);
}

void pack_bin(struct buf *buf, const void *bytes, size_t len)
{
    pack_bin_head(buf, len);
    buf_append(buf, bytes, len);
}

void pack_ext(struct buf *buf, int8_t type, const void *bytes, size_t len)
{
    msgpack_packer packer = packer_of(buf);

    if (!length_fits(buf, len))
        return;
    msgpack_pack_ext(&packer, len, type);
    buf_append(buf, bytes, len);
}

void pack_array(struct buf *buf, size_t len)
{
    msgpack_packer packer = packer_of(buf);

    if (len < 16)
        pack_byte(buf, (unsigned char)(0x90 | len));
    else if (length_fits(buf, len))
        msgpack_pack_array(&packer, len);
}

void pack_map(struct buf *buf, size_t len)
{
    msgpack_packer packer = packer_of(buf);

    if (len < 16)
        pack_byte(buf, (unsigned char)(0x80 | len));
    else if (length_fits(buf, len))
        msgpack_pack_map(&packer, len);
}
