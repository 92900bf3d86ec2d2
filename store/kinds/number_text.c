/* number_text.c - numbers to texts and back, as CPython 3.11 does it. */
#include "store/kinds/number_text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "store/kinds/atoms.h"
#include "store/kinds/text.h"
#include "store/kinds/utf8.h"

/* -- floats as texts ---------------------------------------------------------------------------------------------- */

/* "%.*e" gives the nearest decimal of so many digits. Just above a power of two the gap to the next double is twice
 * that below, so a decimal a little farther up may read back where the nearest does not. */
static bool reads_back(double value, char *text)
{
    char *last = strchr(text, 'e') - 1;
    int exponent;

    if (strtod(text, NULL) == value)
        return true;
    if (*last == '9' || frexp(value, &exponent) != 0.5)
        return false;
    *last = (char)(*last + 1);
    return strtod(text, NULL) == value;
}

/* "d.ddde-dd" with the fewest digits that read back. Of a normal double every decimal of up to 15 digits comes back as
 * it was, so 15 are tried first: a shorter one shows as zeros at their end. */
static void shortest(double value, char text[FLOAT_TEXT])
{
    int digits = value < DBL_MIN ? 0 : DBL_DIG - 1;

    do
        (void)snprintf(text, FLOAT_TEXT, "%.*e", digits++, value);
    while (digits < DBL_DECIMAL_DIG && !reads_back(value, text));
}

/* The digits of "d.ddde-dd" alone, in place, without zeros at their end; gives the place of the point, before which
 * stand so many of them. */
static int take_digits(char *text)
{
    char *e = strchr(text, 'e');
    int point = (int)strtol(e + 1, NULL, 10) + 1;

    *e = '\0';
    if (text[1] == '.')
        memmove(text + 1, text + 2, strlen(text + 2) + 1);
    for (size_t len = strlen(text); len > 1 && text[len - 1] == '0'; len--)
        text[len - 1] = '\0';
    return point;
}

/* CPython's format_float_short with 'r': an exponent below 1e-4 and from 1e16 on. */
static int lay_out(const char *digits, int point, char *out, size_t size)
{
    int len = (int)strlen(digits);
    const char *rest = len > 1 ? digits + 1 : "";

    if (point <= -4 || point > 16)
        return snprintf(out, size, "%c%s%se%c%02d", digits[0], len > 1 ? "." : "", rest, point > 0 ? '+' : '-',
                        abs(point - 1));
    if (point <= 0)
        return snprintf(out, size, "0.%.*s%s", -point, "000", digits);
    if (point >= len)
        return snprintf(out, size, "%s%.*s.0", digits, point - len, "000000000000000");
    return snprintf(out, size, "%.*s.%s", point, digits, digits + point);
}

size_t float_to_text(double value, char text[FLOAT_TEXT])
{
    char digits[FLOAT_TEXT];
    size_t sign = signbit(value) && !isnan(value) ? 1 : 0;

    text[0] = '-';
    if (!isfinite(value))
        return sign + (size_t)snprintf(text + sign, FLOAT_TEXT - sign, isnan(value) ? "nan" : "inf");
    shortest(fabs(value), digits);
    return sign + (size_t)lay_out(digits, take_digits(digits), text + sign, FLOAT_TEXT - sign);
}

/* -- texts as numbers --------------------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* CPython looks for all of Unicode's white space only in a str that is not ASCII. */
static bool is_space(const struct obj *o, const char *at)
{
    if (o->type == OBJ_STR && (o->flags & OBJ_ASCII) == 0)
        return utf8_is_space(utf8_decode(at));
    return *at == ' ' || (*at >= '\t' && *at <= '\r');
}

/* Without the white space around. */
static struct span trim(struct obj *o)
{
    const char *at = text_of(o)->bytes;
    const char *end = at + text_of(o)->len;
    const char *last;

    while (at < end && is_space(o, at))
        at += o->type == OBJ_STR ? utf8_width(*at) : 1;
    while (at < end) {
        for (last = end - 1; o->type == OBJ_STR && !utf8_is_first(*last);)
            last--;
        if (!is_space(o, last))
            break;
        end = last;
    }
    return (struct span){at, (size_t)(end - at)};
}

static char next_char(const struct span *span)
{
    if (span->len == 0)
        return '\0';
    return *span->at;
}

static void skip(struct span *span, size_t n)
{
    span->at += n;
    span->len -= n;
}

/* Takes a sign; true for a minus. */
static bool take_sign(struct span *span)
{
    char c = next_char(span);

    if (c == '-' || c == '+')
        skip(span, 1);
    return c == '-';
}

static enum hd_err no_number(struct heap *heap, struct obj *o, const char *what)
{
    if (o->type == OBJ_BYTES)
        return heap_fail(heap, HD_VALUE, "%u bytes that spell no %s", text_of(o)->len, what);
    return heap_fail(heap, HD_VALUE, "'%.*s' spells no %s", (int)utf8_offset(text_of(o)->bytes, text_of(o)->len, 40),
                     text_of(o)->bytes, what);
}

/* -- int ---------------------------------------------------------------------------------------------------------- */

/* The value of a digit; 36 for what is none in any base. */
static unsigned digit_value(char c)
{
    if (is_digit(c))
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'z')
        return (unsigned)(c - 'a') + 10;
    return c >= 'A' && c <= 'Z' ? (unsigned)(c - 'A') + 10 : 36;
}

static unsigned base_of_prefix(const struct span *span)
{
    if (span->len < 2 || span->at[0] != '0')
        return 0;
    switch (span->at[1]) {
    case 'x':
    case 'X':
        return 16;
    case 'o':
    case 'O':
        return 8;
    case 'b':
    case 'B':
        return 2;
    default:
        return 0;
    }
}

/* Takes a prefix that fits the base, behind which one underscore may stand, and settles base 0. */
static unsigned take_prefix(struct span *span, unsigned base)
{
    unsigned named = base_of_prefix(span);

    if (named == 0 || (base != 0 && base != named))
        return base == 0 ? 10 : base;
    skip(span, 2);
    if (next_char(span) == '_')
        skip(span, 1);
    return named;
}

/* Digits with single underscores between them, to the end. *over: they are beyond 64 bits. */
static bool read_digits(struct span span, unsigned base, uint64_t *size, bool *over)
{
    bool after_digit = false;

    *size = 0;
    *over = false;
    for (; span.len > 0; skip(&span, 1)) {
        unsigned digit = digit_value(*span.at);

        if (*span.at == '_' && after_digit) {
            after_digit = false;
            continue;
        }
        if (digit >= base)
            return false;
        after_digit = true;
        *over = *over || __builtin_mul_overflow(*size, base, size) || __builtin_add_overflow(*size, digit, size);
    }
    return after_digit;
}

enum hd_err int_from_text(struct heap *heap, struct obj *text, unsigned base, struct obj **out)
{
    struct span span = trim(text);
    bool is_negative = take_sign(&span);
    bool is_bare_zero = base == 0 && next_char(&span) == '0' && base_of_prefix(&span) == 0;
    uint64_t most = (uint64_t)INT64_MAX + (is_negative ? 1 : 0);
    uint64_t size;
    bool over;
    enum hd_err err = text_work(heap, text_of(text)->len);

    if (err != HD_OK)
        return err;
    base = take_prefix(&span, base);
    /* in base 0 as in a program: 010 is refused, 00 is not */
    if (!read_digits(span, base, &size, &over) || (is_bare_zero && size != 0))
        return no_number(heap, text, "int");
    if (over || size > most)
        return heap_fail(heap, HD_OVERFLOW, "an int of %zu digits is beyond 64 bits", span.len);
    return int_new(heap, is_negative ? (int64_t)(0 - size) : (int64_t)size, out);
}

/* -- float -------------------------------------------------------------------------------------------------------- */

static bool is_word(struct span span, const char *word)
{
    return span.len == strlen(word) && strncasecmp(span.at, word, span.len) == 0;
}

/* True for digits [. digits] [e [sign] digits], with digits before the point or behind it. */
static bool is_decimal(const char *at)
{
    size_t before = strspn(at, "0123456789");
    size_t behind = 0;

    at += before;
    if (*at == '.') {
        behind = strspn(at + 1, "0123456789");
        at += 1 + behind;
    }
    if (before + behind > 0 && (*at == 'e' || *at == 'E')) {
        at += at[1] == '+' || at[1] == '-' ? 2 : 1;
        before = strspn(at, "0123456789");
        at += before;
    }
    return before + behind > 0 && *at == '\0';
}

/* Copies without underscores, terminated; false if one does not stand between two digits, or a zero byte is there. */
static bool copy_digits(struct span span, char *to)
{
    for (size_t i = 0; i < span.len; i++) {
        char c = span.at[i];

        if (c == '\0' || (c == '_' && (i == 0 || !is_digit(span.at[i - 1]) || i + 1 == span.len ||
                                       !is_digit(span.at[i + 1]))))
            return false;
        if (c != '_')
            *to++ = c;
    }
    *to = '\0';
    return true;
}

static enum hd_err read_decimal(struct heap *heap, struct span span, double *value, bool *is_one)
{
    char *copy = pool_alloc(heap->pool, span.len + 1, POOL_DATA);

    if (copy == NULL)
        return heap_no_memory(heap);
    *is_one = copy_digits(span, copy) && is_decimal(copy);
    if (*is_one)
        *value = strtod(copy, NULL);
    pool_free(heap->pool, copy, span.len + 1, POOL_DATA);
    return HD_OK;
}

enum hd_err float_from_text(struct heap *heap, struct obj *text, struct obj **out)
{
    struct span span = trim(text);
    bool is_negative = take_sign(&span);
    bool is_one = true;
    double value = 0;
    enum hd_err err = text_work(heap, text_of(text)->len);

    if (err == HD_OK && (is_word(span, "inf") || is_word(span, "infinity")))
        value = HUGE_VAL;
    else if (err == HD_OK && is_word(span, "nan"))
        value = NAN;
    else if (err == HD_OK)
        err = read_decimal(heap, span, &value, &is_one);
    if (err != HD_OK)
        return err;
    if (!is_one)
        return no_number(heap, text, "float");
    return float_new(heap, is_negative ? -value : value, out);
}
