/* serial_bytes.c - reading the MessagePack forms of a dump. All widths are taken, whatever a writer chose. */
#include "store/serial_bytes.h"

#define SEALED_AT_ONCE ((size_t)256)

bool serial_seal_some(struct siphash *hash, const char *bytes, size_t len, size_t *budget, uint64_t *seal)
{
    size_t parts = (len - hash->at) / SEALED_AT_ONCE;

    if (parts > *budget) {
        siphash_some(hash, bytes, hash->at + *budget * SEALED_AT_ONCE);
        *budget = 0;
        return false;
    }
    *budget -= parts;
    *seal = siphash_end(hash, bytes, len);
    return true;
}

static const struct serial_value bad = {.form = SERIAL_BAD};

/* Takes a big-endian number of `size` bytes; false if the bytes end before. */
static bool take(struct serial_reader *reader, unsigned size, uint64_t *value)
{
    if (serial_left(reader) < size)
        return false;
    *value = serial_fetch(reader->at, size);
    reader->at += size;
    return true;
}

static struct serial_value take_text(struct serial_reader *reader, enum serial_form form, uint64_t len)
{
    struct serial_value value = {.form = form, .len = (uint32_t)len, .bytes = (const char *)reader->at};

    if (serial_left(reader) < len)
        return bad;
    reader->at += len;
    return value;
}

/* A str, bin, array or map whose length is a number of `size` bytes. */
static struct serial_value take_sized(struct serial_reader *reader, enum serial_form form, unsigned size)
{
    uint64_t len;

    if (!take(reader, size, &len))
        return bad;
    if (form == SERIAL_STR || form == SERIAL_BIN)
        return take_text(reader, form, len);
    return (struct serial_value){.form = form, .len = (uint32_t)len};
}

static struct serial_value take_uint(struct serial_reader *reader, unsigned size)
{
    uint64_t value;

    if (!take(reader, size, &value) || value > INT64_MAX)
        return bad;
    return (struct serial_value){.form = SERIAL_INT, .sint = (int64_t)value};
}

static struct serial_value take_int(struct serial_reader *reader, unsigned size)
{
    unsigned unused_bits = 64 - 8 * size;
    uint64_t value;

    if (!take(reader, size, &value))
        return bad;
    /* the shift back extends the sign */
    return (struct serial_value){.form = SERIAL_INT, .sint = (int64_t)(value << unused_bits) >> unused_bits};
}

static struct serial_value take_float(struct serial_reader *reader, unsigned size)
{
    struct serial_value value = {.form = SERIAL_FLOAT};
    uint64_t bits;
    uint32_t bits32;
    float narrow;

    if (!take(reader, size, &bits))
        return bad;
    if (size == 8) {
        memcpy(&value.real, &bits, sizeof bits);
    } else {
        bits32 = (uint32_t)bits;
        memcpy(&narrow, &bits32, sizeof bits32);
        value.real = (double)narrow;
    }
    return value;
}

/* The payload of INDEX: one uint, and nothing behind it. */
static struct serial_value take_index(struct serial_reader payload)
{
    struct serial_value value = bad;
    unsigned char head;

    if (payload.at == payload.end)
        return bad;
    head = *payload.at++;
    if (head < 0x80)
        value = (struct serial_value){.form = SERIAL_INT, .sint = head};
    else if (head >= 0xcc && head <= 0xcf)
        value = take_uint(&payload, 1u << (head - 0xcc));
    if (value.form != SERIAL_INT || serial_left(&payload) > 0 || value.sint > UINT32_MAX)
        return bad;
    return (struct serial_value){.form = SERIAL_INDEX, .len = (uint32_t)value.sint};
}

/* INDEX or KIND, with a payload of `len` bytes behind the type. */
static struct serial_value take_ext(struct serial_reader *reader, uint64_t len)
{
    struct serial_reader payload;
    uint64_t type;

    if (!take(reader, 1, &type) || serial_left(reader) < len)
        return bad;
    payload = (struct serial_reader){reader->at, reader->at + len};
    reader->at += len;
    if (type == HD_EXT_INDEX)
        return take_index(payload);
    if (type != HD_EXT_KIND || len != 1)
        return bad;
    return (struct serial_value){.form = SERIAL_KIND, .len = *payload.at};
}

/* Heads from 0xc0 to 0xdf. */
static struct serial_value take_long(struct serial_reader *reader, unsigned char head)
{
    uint64_t len;

    switch (head) {
    case 0xc0:
        return (struct serial_value){.form = SERIAL_NIL};
    case 0xc2:
    case 0xc3:
        return (struct serial_value){.form = SERIAL_BOOL, .sint = head & 1};
    case 0xc4:
    case 0xc5:
    case 0xc6:
        return take_sized(reader, SERIAL_BIN, 1u << (head - 0xc4));
    case 0xc7:
        return take(reader, 1, &len) ? take_ext(reader, len) : bad;
    case 0xca:
    case 0xcb:
        return take_float(reader, head == 0xca ? 4 : 8);
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf:
        return take_uint(reader, 1u << (head - 0xcc));
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3:
        return take_int(reader, 1u << (head - 0xd0));
    case 0xd4:
    case 0xd5:
        return take_ext(reader, 1u << (head - 0xd4));
    case 0xd9:
    case 0xda:
    case 0xdb:
        return take_sized(reader, SERIAL_STR, 1u << (head - 0xd9));
    case 0xdc:
    case 0xdd:
        return take_sized(reader, SERIAL_ARRAY, head == 0xdc ? 2 : 4);
    case 0xde:
    case 0xdf:
        return take_sized(reader, SERIAL_MAP, head == 0xde ? 2 : 4);
    default:
        return bad;
    }
}

struct serial_value serial_read(struct serial_reader *reader)
{
    unsigned char head;

    if (reader->at == reader->end)
        return bad;
    head = *reader->at++;
    if (head < 0x80)
        return (struct serial_value){.form = SERIAL_INT, .sint = head};
    if (head < 0x90)
        return (struct serial_value){.form = SERIAL_MAP, .len = head & 0x0f};
    if (head < 0xa0)
        return (struct serial_value){.form = SERIAL_ARRAY, .len = head & 0x0f};
    if (head < 0xc0)
        return take_text(reader, SERIAL_STR, head & 0x1f);
    if (head >= 0xe0)
        return (struct serial_value){.form = SERIAL_INT, .sint = (signed char)head};
    return take_long(reader, head);
}
