/*
 * protocol/rpc.h - the table of methods as data: what dispatch checks, what api() tells, what documents are made from.
 */
#ifndef HEAPD_PROTOCOL_RPC_H
#define HEAPD_PROTOCOL_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rpc_flag { RPC_READ = 1, RPC_WRITE = 2, RPC_PRODUCES = 4, RPC_ADMIN = 8, RPC_ALONE = 16 };

enum rpc_arg_kind { RPC_TARGET, RPC_VALUE, RPC_BINDING, RPC_NAME, RPC_VALUES, RPC_HANDLE, RPC_CALLS };

#define RPC_ARGS_MAX 3

struct rpc_arg {
    const char *name;
    const char *summary;
    enum rpc_arg_kind kind;
    bool is_optional;
    bool is_rest; /* any number, last */
};

enum rpc_option {
#define OPTION(NAME, name, KIND, summary) RPC_OPTION_##NAME,
#include "protocol/options.def"
#undef OPTION
    RPC_OPTIONS
};

enum rpc_option_kind {
    RPC_KIND_BOOL,    /* true or false */
    RPC_KIND_UINT,    /* 0 ... 2^53-1 */
    RPC_KIND_SECONDS, /* int or float, 0 or more */
    RPC_KIND_TEXT,    /* a str */
    RPC_KIND_VALUE,   /* any value; a reference leads to its object */
    RPC_KIND_INTO,    /* a handle that is free */
    RPC_KIND_CONDITION, /* one of its words, or a reference */
    /* one of the words of rpc_option_words */
    RPC_KIND_RESULT, RPC_KIND_REFS, RPC_KIND_RAW, RPC_KIND_ERRORS, RPC_KIND_CLASSES
};

/* The words that an option of this kind may be, NULL-terminated; NULL for other kinds. */
const char *const *rpc_option_words(enum rpc_option_kind kind);

/* "bool", "uint", "map|ext", ... */
const char *rpc_option_kind_name(enum rpc_option_kind kind);

struct rpc_option_row {
    const char *name;
    const char *summary;
    enum rpc_option_kind kind;
};

/* Index: enum rpc_option. */
extern const struct rpc_option_row rpc_option_rows[RPC_OPTIONS];

enum rpc_number {
#define METHOD(name, since, flags, args, options, result, errors, summary) RPC_##name,
#include "protocol/methods.def"
#undef METHOD
    RPC_METHODS
};

struct rpc_method {
    const char *name;
    size_t name_len;
    const char *result;
    const char *errors;  /* codes, separated by spaces */
    const char *summary;
    uint64_t options;    /* bit n: enum rpc_option n */
    uint8_t flags;       /* enum rpc_flag */
    uint8_t since;
    uint8_t arg_count;   /* rows of args in use, optional ones and a rest included */
    uint8_t arg_least;   /* of those, how many must be given */
    struct rpc_arg args[RPC_ARGS_MAX]; /* name NULL behind the last */
};

/* Index: enum rpc_number. */
extern const struct rpc_method rpc_methods[RPC_METHODS];

/* The method with this name, or NULL. */
const struct rpc_method *rpc_find(const char *name, size_t len);

/*
 * The same by an index, for whoever asks a million times a second. A name of up to 16 bytes is two words, which may
 * overlap: its first eight bytes and its last (four each of a shorter one). With its length they are all of it.
 */
#define RPC_PLACES 256u
#define RPC_NAME_MAX 16u

struct rpc_words {
    uint64_t first, last;
};

struct rpc_index {
    struct {
        struct rpc_words words;
        uint32_t len;
        uint32_t number; /* of the method, + 1; 0: nothing stands here */
    } at[RPC_PLACES];
};

_Static_assert(RPC_METHODS < RPC_PLACES / 2, "an index that is at most half full");

void rpc_index_init(struct rpc_index *index);
/* The method's enum rpc_number, or RPC_METHODS. */
unsigned rpc_index_find(const struct rpc_index *index, const char *name, size_t len);

/* The row of argument number `index`, from 0: beyond the last row that of a rest, else NULL. */
const struct rpc_arg *rpc_arg_at(const struct rpc_method *method, size_t index);

/* "target", "value", ... */
const char *rpc_arg_kind_name(enum rpc_arg_kind kind);

/* Whether a method takes the option, and its row: NULL if not. */
const struct rpc_option_row *rpc_find_option(const struct rpc_method *method, const char *name, size_t len,
                                             enum rpc_option *option);

#endif
