/* read.c - MessagePack values in place. */
#include "protocol/read.h"

#include <endian.h>
#include <string.h>

static const struct wire nothing = {.kind = WIRE_END};

/* A big-endian number of 1, 2, 4 or 8 bytes. */
static uint64_t number_at(const char *at, unsigned size)
{
    uint16_t of_two;
    uint32_t of_four;
    uint64_t of_eight;

    switch (size) {
    case 1:
        return (unsigned char)*at;
    case 2:
        memcpy(&of_two, at, sizeof of_two);
        return be16toh(of_two);
    case 4:
        memcpy(&of_four, at, sizeof of_four);
        return be32toh(of_four);
    default:
        memcpy(&of_eight, at, sizeof of_eight);
        return be64toh(of_eight);
    }
}

static bool has(const struct reader *reader, uint64_t bytes)
{
    return (uint64_t)(reader->end - reader->at) >= bytes;
}

/* Takes a number that follows a header; false if the bytes end before. */
static bool take_number(struct reader *reader, unsigned size, uint64_t *value)
{
    if (!has(reader, size))
        return false;
    *value = number_at(reader->at, size);
    reader->at += size;
    return true;
}

static struct wire take_payload(struct reader *reader, enum wire_kind kind, uint64_t len, int8_t ext)
{
    struct wire wire = {.kind = kind, .ext = ext, .len = (uint32_t)len, .bytes = reader->at};

    if (!has(reader, len))
        return nothing;
    reader->at += len;
    return wire;
}

/* A str, bin, array or map whose length is a number of `size` bytes. */
static struct wire take_sized(struct reader *reader, enum wire_kind kind, unsigned size)
{
    uint64_t len;

    if (!take_number(reader, size, &len))
        return nothing;
    if (kind == WIRE_ARRAY || kind == WIRE_MAP)
        return (struct wire){.kind = kind, .len = (uint32_t)len};
    return take_payload(reader, kind, len, 0);
}

static struct wire take_ext(struct reader *reader, unsigned size_bytes, uint64_t len)
{
    int8_t type;

    if (size_bytes > 0 && !take_number(reader, size_bytes, &len))
        return nothing;
    if (!has(reader, 1))
        return nothing;
    type = (int8_t)*reader->at++;
    return take_payload(reader, WIRE_EXT, len, type);
}

static struct wire take_uint(struct reader *reader, unsigned size)
{
    struct wire wire = {.kind = WIRE_UINT};

    return take_number(reader, size, &wire.uint) ? wire : nothing;
}

static struct wire take_sint(struct reader *reader, unsigned size)
{
    struct wire wire = {.kind = WIRE_UINT};
    unsigned unused_bits = 64 - 8 * size;

    if (!take_number(reader, size, &wire.uint))
        return nothing;
    wire.sint = (int64_t)(wire.uint << unused_bits) >> unused_bits; /* extends the sign */
    if (wire.sint < 0)
        wire.kind = WIRE_INT;
    return wire;
}

static struct wire take_float(struct reader *reader, unsigned size)
{
    struct wire wire = {.kind = WIRE_FLOAT};
    uint64_t bits;
    uint32_t bits32;
    float narrow;

    if (!take_number(reader, size, &bits))
        return nothing;
    if (size == 8) {
        memcpy(&wire.real, &bits, sizeof bits);
    } else {
        bits32 = (uint32_t)bits;
        memcpy(&narrow, &bits32, sizeof bits32);
        wire.real = (double)narrow;
    }
    return wire;
}

struct wire read_long(struct reader *reader, unsigned char head)
{
    switch (head) {
    case 0xc0:
        return (struct wire){.kind = WIRE_NIL};
    case 0xc2:
    case 0xc3:
        return (struct wire){.kind = WIRE_BOOL, .boolean = head == 0xc3};
    case 0xc4:
    case 0xc5:
    case 0xc6:
        return take_sized(reader, WIRE_BIN, 1u << (head - 0xc4));
    case 0xc7:
    case 0xc8:
    case 0xc9:
        return take_ext(reader, 1u << (head - 0xc7), 0);
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
        return take_sint(reader, 1u << (head - 0xd0));
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
        return take_ext(reader, 0, UINT64_C(1) << (head - 0xd4));
    case 0xd9:
    case 0xda:
    case 0xdb:
        return take_sized(reader, WIRE_STR, 1u << (head - 0xd9));
    case 0xdc:
    case 0xdd:
        return take_sized(reader, WIRE_ARRAY, 2u << (head - 0xdc));
    case 0xde:
    case 0xdf:
        return take_sized(reader, WIRE_MAP, 2u << (head - 0xde));
    default:
        return nothing;
    }
}

bool read_skip(struct reader *reader)
{
    for (uint64_t owed = 1; owed > 0; owed--) {
        struct wire wire = read_next(reader);

        if (wire.kind == WIRE_END)
            return false;
        if (wire.kind == WIRE_ARRAY)
            owed += wire.len;
        if (wire.kind == WIRE_MAP)
            owed += (uint64_t)wire.len * 2;
    }
    return true;
}

bool wire_is_str(const struct wire *wire, const char *text)
{
    return wire->kind == WIRE_STR && strlen(text) == wire->len && memcmp(wire->bytes, text, wire->len) == 0;
}
