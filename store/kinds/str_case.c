/*
 * str_case.c - the methods upper and lower of str.
 *
 * What one code point becomes is the C library's knowledge (towupper, towlower); where Unicode makes several of one
 * (SpecialCasing.txt, without what depends on a language), a table here says so. The glibc of Debian 12 and CPython
 * 3.11 both have Unicode 14, and agree on every code point.
 */
#include <stdlib.h>
#include <wctype.h>

#include "store/kinds/methods.h"
#include "store/kinds/text.h"
#include "store/kinds/utf8.h"

enum { CASE_MOST = 3 }; /* code points that one becomes */

/* Writes what the code point `c` at `at` in `text` becomes; how many they are. */
typedef size_t case_fn(locale_t letters, struct span text, const char *at, uint32_t c, uint32_t to[CASE_MOST]);

/* -- upper -------------------------------------------------------------------------------------------------------- */

struct special {
    uint32_t from;
    uint32_t to[CASE_MOST]; /* 0 where there are fewer */
};

/* In order. U+1F80 ... U+1FAF follow a rule and are not here. */
static const struct special specials[] = {
    {0x00df, {0x0053, 0x0053}}, {0x0149, {0x02bc, 0x004e}}, {0x01f0, {0x004a, 0x030c}},
    {0x0390, {0x0399, 0x0308, 0x0301}}, {0x03b0, {0x03a5, 0x0308, 0x0301}}, {0x0587, {0x0535, 0x0552}},
    {0x1e96, {0x0048, 0x0331}}, {0x1e97, {0x0054, 0x0308}}, {0x1e98, {0x0057, 0x030a}},
    {0x1e99, {0x0059, 0x030a}}, {0x1e9a, {0x0041, 0x02be}}, {0x1f50, {0x03a5, 0x0313}},
    {0x1f52, {0x03a5, 0x0313, 0x0300}}, {0x1f54, {0x03a5, 0x0313, 0x0301}}, {0x1f56, {0x03a5, 0x0313, 0x0342}},
    {0x1fb2, {0x1fba, 0x0399}}, {0x1fb3, {0x0391, 0x0399}}, {0x1fb4, {0x0386, 0x0399}},
    {0x1fb6, {0x0391, 0x0342}}, {0x1fb7, {0x0391, 0x0342, 0x0399}}, {0x1fbc, {0x0391, 0x0399}},
    {0x1fc2, {0x1fca, 0x0399}}, {0x1fc3, {0x0397, 0x0399}}, {0x1fc4, {0x0389, 0x0399}},
    {0x1fc6, {0x0397, 0x0342}}, {0x1fc7, {0x0397, 0x0342, 0x0399}}, {0x1fcc, {0x0397, 0x0399}},
    {0x1fd2, {0x0399, 0x0308, 0x0300}}, {0x1fd3, {0x0399, 0x0308, 0x0301}}, {0x1fd6, {0x0399, 0x0342}},
    {0x1fd7, {0x0399, 0x0308, 0x0342}}, {0x1fe2, {0x03a5, 0x0308, 0x0300}}, {0x1fe3, {0x03a5, 0x0308, 0x0301}},
    {0x1fe4, {0x03a1, 0x0313}}, {0x1fe6, {0x03a5, 0x0342}}, {0x1fe7, {0x03a5, 0x0308, 0x0342}},
    {0x1ff2, {0x1ffa, 0x0399}}, {0x1ff3, {0x03a9, 0x0399}}, {0x1ff4, {0x038f, 0x0399}},
    {0x1ff6, {0x03a9, 0x0342}}, {0x1ff7, {0x03a9, 0x0342, 0x0399}}, {0x1ffc, {0x03a9, 0x0399}},
    {0xfb00, {0x0046, 0x0046}}, {0xfb01, {0x0046, 0x0049}}, {0xfb02, {0x0046, 0x004c}},
    {0xfb03, {0x0046, 0x0046, 0x0049}}, {0xfb04, {0x0046, 0x0046, 0x004c}}, {0xfb05, {0x0053, 0x0054}},
    {0xfb06, {0x0053, 0x0054}}, {0xfb13, {0x0544, 0x0546}}, {0xfb14, {0x0544, 0x0535}},
    {0xfb15, {0x0544, 0x053b}}, {0xfb16, {0x054e, 0x0546}}, {0xfb17, {0x0544, 0x053d}},
};

static int compare_special(const void *key, const void *row)
{
    uint32_t a = *(const uint32_t *)key;
    uint32_t b = ((const struct special *)row)->from;

    return (a > b) - (a < b);
}

static size_t upper_of(locale_t letters, struct span text, const char *at, uint32_t c, uint32_t to[CASE_MOST])
{
    const struct special *special = NULL;
    size_t n = 0;

    (void)text;
    (void)at;
    if (c >= 0x1f80 && c <= 0x1faf) { /* Greek letters with an iota below, which becomes a letter of its own */
        to[0] = (c < 0x1f90 ? 0x1f08U : c < 0x1fa0 ? 0x1f28U : 0x1f68U) + (c & 7);
        to[1] = 0x399;
        return 2;
    }
    if (c >= specials[0].from)
        special = bsearch(&c, specials, sizeof specials / sizeof specials[0], sizeof specials[0], compare_special);
    if (special == NULL) {
        to[0] = towupper_l(c, letters);
        return 1;
    }
    for (; n < CASE_MOST && special->to[n] != 0; n++)
        to[n] = special->to[n];
    return n;
}

/* -- lower -------------------------------------------------------------------------------------------------------- */

/* Unicode's Case_Ignorable: marks and signs that do not end a word, here those that stand beside Latin and Greek
 * letters. CPython also knows those of other scripts; it matters only for a capital sigma right beside one. */
static const struct {
    uint16_t first, last;
} ignorable[] = {
    {0x0027, 0x0027}, {0x002e, 0x002e}, {0x003a, 0x003a}, {0x005e, 0x005e}, {0x0060, 0x0060}, {0x00a8, 0x00a8},
    {0x00ad, 0x00ad}, {0x00af, 0x00af}, {0x00b4, 0x00b4}, {0x00b7, 0x00b8}, {0x02b0, 0x036f}, {0x0374, 0x0375},
    {0x037a, 0x037a}, {0x0384, 0x0385}, {0x0387, 0x0387}, {0x0483, 0x0489}, {0x1ab0, 0x1ace}, {0x1d2c, 0x1d6a},
    {0x1d78, 0x1d78}, {0x1d9b, 0x1dff}, {0x1fbd, 0x1fbd}, {0x1fbf, 0x1fc1}, {0x1fcd, 0x1fcf}, {0x1fdd, 0x1fdf},
    {0x1fed, 0x1fef}, {0x1ffd, 0x1ffe}, {0x200b, 0x200f}, {0x2018, 0x2019}, {0x2024, 0x2024}, {0x2027, 0x2027},
    {0x202a, 0x202e}, {0x2060, 0x2064}, {0x2066, 0x206f}, {0x2071, 0x2071}, {0x207f, 0x207f}, {0x2090, 0x209c},
    {0x20d0, 0x20f0}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff},
};

static bool is_ignorable(uint32_t c)
{
    for (size_t i = 0; i < sizeof ignorable / sizeof ignorable[0]; i++)
        if (c >= ignorable[i].first && c <= ignorable[i].last)
            return true;
    return false;
}

static bool has_case(locale_t letters, uint32_t c)
{
    return iswupper_l(c, letters) || iswlower_l(c, letters);
}

/* True if a letter with case comes before `at`, ignorable code points aside. */
static bool follows_letter(locale_t letters, struct span text, const char *at)
{
    while (at > text.at) {
        uint32_t c;

        do
            at--;
        while (!utf8_is_first(*at));
        c = utf8_decode(at);
        if (!is_ignorable(c))
            return has_case(letters, c);
    }
    return false;
}

static bool precedes_letter(locale_t letters, struct span text, const char *at)
{
    while ((at += utf8_width(*at)) < text.at + text.len) {
        uint32_t c = utf8_decode(at);

        if (!is_ignorable(c))
            return has_case(letters, c);
    }
    return false;
}

/* A capital sigma at the end of a word becomes another letter than elsewhere. Each run of ignorable code points is
 * looked through by the sigmas at its two ends only. */
static size_t lower_of(locale_t letters, struct span text, const char *at, uint32_t c, uint32_t to[CASE_MOST])
{
    if (c == 0x130) { /* I with a dot */
        to[0] = 'i';
        to[1] = 0x307;
        return 2;
    }
    if (c == 0x3a3)
        to[0] = follows_letter(letters, text, at) && !precedes_letter(letters, text, at) ? 0x3c2 : 0x3c3;
    else
        to[0] = towlower_l(c, letters);
    return 1;
}

/* -- the methods -------------------------------------------------------------------------------------------------- */

/* How many bytes `text` becomes, which are written to `to` unless that is NULL. */
static size_t change_case(locale_t letters, struct span text, case_fn *change, char *to)
{
    char bytes[UTF8_MAX] = {0};
    size_t size = 0;

    for (const char *at = text.at; at < text.at + text.len; at += utf8_width(*at)) {
        uint32_t code_points[CASE_MOST];
        size_t n = change(letters, text, at, utf8_decode(at), code_points);

        for (size_t i = 0; i < n; i++)
            size += utf8_encode(code_points[i], to != NULL ? to + size : bytes);
    }
    return size;
}

static enum hd_err change_any(struct heap *heap, struct span span, case_fn *change, struct obj **out)
{
    struct text *text;
    size_t size;
    enum hd_err err;

    if (heap->letters == (locale_t)0)
        return heap_fail(heap, HD_INTERNAL, "the C library has no locale C.UTF-8: only ASCII can change its case");
    size = change_case(heap->letters, span, change, NULL);
    err = text_work(heap, size);
    if (err == HD_OK)
        err = text_new_raw(heap, OBJ_STR, size, &text);
    if (err != HD_OK)
        return err;
    change_case(heap->letters, span, change, text->bytes);
    str_seal(text);
    *out = &text->head;
    return HD_OK;
}

/* ASCII letters from `first` on, 26 of them, become those of the other case. */
static enum hd_err change_ascii(struct heap *heap, struct span span, char first, struct obj **out)
{
    struct text *text;
    enum hd_err err = text_new_raw(heap, OBJ_STR, span.len, &text);

    if (err != HD_OK)
        return err;
    for (size_t i = 0; i < span.len; i++)
        text->bytes[i] = (char)((unsigned char)(span.at[i] - first) < 26 ? span.at[i] ^ 0x20 : span.at[i]);
    str_seal(text);
    *out = &text->head;
    return HD_OK;
}

static enum hd_err method(struct heap *heap, struct obj *self, case_fn *change, char first, struct obj **result)
{
    struct span span = span_of(self);
    enum hd_err err = text_work(heap, span.len);

    if (err != HD_OK)
        return err;
    if (span.len == 0) {
        *result = obj_ref(self);
        return HD_OK;
    }
    if ((self->flags & OBJ_ASCII) != 0)
        return change_ascii(heap, span, first, result);
    return change_any(heap, span, change, result);
}

enum hd_err str_method_upper(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                             struct obj **result)
{
    (void)args;
    (void)nargs;
    return method(heap, self, upper_of, 'a', result);
}

enum hd_err str_method_lower(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                             struct obj **result)
{
    (void)args;
    (void)nargs;
    return method(heap, self, lower_of, 'A', result);
}
