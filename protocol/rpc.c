/* rpc.c - methods.def and options.def as tables. */
#include "protocol/rpc.h"

#include <string.h>

const struct rpc_option_row rpc_option_rows[RPC_OPTIONS] = {
#define OPTION(NAME, name, KIND, summary) [RPC_OPTION_##NAME] = {#name, summary, RPC_KIND_##KIND},
#include "protocol/options.def"
#undef OPTION
};

const char *const *rpc_option_words(enum rpc_option_kind kind)
{
    static const char *const result[] = {"auto", "handle", "value", "none", NULL};
    static const char *const refs[] = {"map", "ext", NULL};
    static const char *const raw[] = {"text", "bytes", NULL};
    static const char *const errors[] = {"text", "pair", NULL};
    static const char *const classes[] = {"new", "by name", NULL};
    static const char *const conditions[] = {"absent", "present", NULL};

    switch (kind) {
    case RPC_KIND_RESULT:
        return result;
    case RPC_KIND_REFS:
        return refs;
    case RPC_KIND_RAW:
        return raw;
    case RPC_KIND_ERRORS:
        return errors;
    case RPC_KIND_CLASSES:
        return classes;
    case RPC_KIND_CONDITION:
        return conditions;
    default:
        return NULL;
    }
}

const char *rpc_option_kind_name(enum rpc_option_kind kind)
{
    static const char *const names[] = {
        [RPC_KIND_BOOL] = "bool",     [RPC_KIND_UINT] = "uint",
        [RPC_KIND_SECONDS] = "seconds", [RPC_KIND_TEXT] = "str",
        [RPC_KIND_VALUE] = "value",   [RPC_KIND_INTO] = "handle",
        [RPC_KIND_CONDITION] = "absent|present|handle",
        [RPC_KIND_RESULT] = "auto|handle|value|none", [RPC_KIND_REFS] = "map|ext",
        [RPC_KIND_RAW] = "text|bytes", [RPC_KIND_ERRORS] = "text|pair",
        [RPC_KIND_CLASSES] = "new|by name",
    };
    return names[kind];
}

/* How many arguments each method has, and how many of them must be given: its rows, counted. */
#define ARGS(...) 0 __VA_ARGS__
#define ARG(...) +1
#define OPT_ARG(...) +1
#define REST(...) +1
enum {
#define METHOD(name, since, flags, args, options, result, errors, summary) ARGS_OF_##name = args,
#include "protocol/methods.def"
#undef METHOD
};
#undef OPT_ARG
#undef REST
#define OPT_ARG(...)
#define REST(...)
enum {
#define METHOD(name, since, flags, args, options, result, errors, summary) LEAST_OF_##name = args,
#include "protocol/methods.def"
#undef METHOD
};
#undef ARGS
#undef ARG
#undef OPT_ARG
#undef REST

#define READ RPC_READ
#define WRITE RPC_WRITE
#define PRODUCES RPC_PRODUCES
#define ADMIN RPC_ADMIN
#define ALONE RPC_ALONE
#define O(NAME) (UINT64_C(1) << RPC_OPTION_##NAME)
#define ARGS(...) {__VA_ARGS__}
#define ARG(KIND, name, summary) {#name, summary, RPC_##KIND, false, false},
#define OPT_ARG(KIND, name, summary) {#name, summary, RPC_##KIND, true, false},
#define REST(KIND, name, summary) {#name, summary, RPC_##KIND, true, true},

const struct rpc_method rpc_methods[RPC_METHODS] = {
#define METHOD(name_, since_, flags_, args_, options_, result_, errors_, summary_) \
    [RPC_##name_] = {.name = #name_, .name_len = sizeof #name_ - 1, .result = result_, .errors = errors_, \
                     .summary = summary_, .options = options_, .flags = flags_, .since = since_, .args = args_, \
                     .arg_count = ARGS_OF_##name_, .arg_least = LEAST_OF_##name_},
#include "protocol/methods.def"
#undef METHOD
};

const struct rpc_arg *rpc_arg_at(const struct rpc_method *method, size_t index)
{
    unsigned count = method->arg_count;

    if (index < count)
        return &method->args[index];
    return count > 0 && method->args[count - 1].is_rest ? &method->args[count - 1] : NULL;
}

const struct rpc_method *rpc_find(const char *name, size_t len)
{
    for (unsigned i = 0; i < RPC_METHODS; i++)
        if (rpc_methods[i].name_len == len && memcmp(rpc_methods[i].name, name, len) == 0)
            return &rpc_methods[i];
    return NULL;
}

/* -- by name, quickly --------------------------------------------------------------------------------------------- */

/* Of a name of at most RPC_NAME_MAX bytes. */
static inline struct rpc_words words_of(const char *name, size_t len)
{
    struct rpc_words words = {0, 0};
    uint32_t first, last;

    if (len >= 8) {
        memcpy(&words.first, name, 8);
        memcpy(&words.last, name + len - 8, 8);
    } else if (len >= 4) {
        memcpy(&first, name, 4);
        memcpy(&last, name + len - 4, 4);
        words = (struct rpc_words){first, last};
    } else if (len > 0) { /* the last is the first, the second or the third */
        words.first = (unsigned char)name[0];
        words.last = (uint64_t)(unsigned char)name[len / 2] << 8 | (unsigned char)name[len - 1];
    }
    return words;
}

static inline unsigned place_of(struct rpc_words words)
{
    return (unsigned)((words.first ^ words.last << 7) * UINT64_C(0x9e3779b97f4a7c15) >> 56);
}

_Static_assert(RPC_PLACES == 256, "as many as eight bits of a hash name");

#define METHOD(name, since, flags, args, options, result, errors, summary) \
    _Static_assert(sizeof #name - 1 <= RPC_NAME_MAX, "a name that two words hold");
#include "protocol/methods.def"
#undef METHOD

void rpc_index_init(struct rpc_index *index)
{
    memset(index, 0, sizeof *index);
    for (unsigned i = 0; i < RPC_METHODS; i++) {
        struct rpc_words words = words_of(rpc_methods[i].name, rpc_methods[i].name_len);
        unsigned at = place_of(words);

        while (index->at[at].number != 0)
            at = (at + 1) % RPC_PLACES;
        index->at[at].words = words;
        index->at[at].len = (uint32_t)rpc_methods[i].name_len;
        index->at[at].number = i + 1;
    }
}

unsigned rpc_index_find(const struct rpc_index *index, const char *name, size_t len)
{
    struct rpc_words words;

    if (len > RPC_NAME_MAX)
        return RPC_METHODS;
    words = words_of(name, len);
    for (unsigned at = place_of(words); index->at[at].number != 0; at = (at + 1) % RPC_PLACES)
        if (index->at[at].words.first == words.first && index->at[at].words.last == words.last &&
            index->at[at].len == len)
            return index->at[at].number - 1;
    return RPC_METHODS;
}

const char *rpc_arg_kind_name(enum rpc_arg_kind kind)
{
    static const char *const names[] = {"target", "value", "binding", "name", "values", "handle", "calls"};

    return names[kind];
}

const struct rpc_option_row *rpc_find_option(const struct rpc_method *method, const char *name, size_t len,
                                             enum rpc_option *option)
{
    for (unsigned i = 0; i < RPC_OPTIONS; i++)
        if ((method->options >> i & 1) != 0 && strlen(rpc_option_rows[i].name) == len &&
            memcmp(rpc_option_rows[i].name, name, len) == 0) {
            *option = (enum rpc_option)i;
            return &rpc_option_rows[i];
        }
    return NULL;
}
