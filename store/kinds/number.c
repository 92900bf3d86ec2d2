/*
 * number.c - arithmetic of int and float, as in Python 3.11 within 64 bits.
 *
 * A bool is an int. With a float on either side both are floats. What leaves 64 bits is OVERFLOW, a float that leaves
 * its range is inf, a zero divisor VALUE.
 */
#include "store/kinds/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/kinds/atoms.h"
#include "store/kinds/methods.h"

/* The value of a bool, int or float as a float. */
static bool as_float(const struct obj *o, double *value)
{
    if (o->type != OBJ_FLOAT && o->type != OBJ_INT && o->type != OBJ_BOOL)
        return false;
    *value = o->type == OBJ_FLOAT ? float_value(o) : (double)int_value(o);
    return true;
}

static enum hd_err overflows(struct heap *heap, const char *what)
{
    return heap_fail(heap, HD_OVERFLOW, "%s leaves 64 bits", what);
}

static enum hd_err divides_by_zero(struct heap *heap)
{
    return heap_fail(heap, HD_VALUE, "division by zero");
}

static enum hd_err no_number(struct heap *heap, const char *wanted, const struct obj *o)
{
    return heap_fail(heap, HD_TYPE, "%s is wanted, not %s", wanted, obj_type_name(o->type));
}

/* -- of ints ------------------------------------------------------------------------------------------------------ */

static enum hd_err add_ints(struct heap *heap, int64_t a, int64_t b, struct obj **out)
{
    int64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? overflows(heap, "a sum") : int_new(heap, sum, out);
}

static enum hd_err sub_ints(struct heap *heap, int64_t a, int64_t b, struct obj **out)
{
    int64_t difference;

    return __builtin_sub_overflow(a, b, &difference) ? overflows(heap, "a difference") : int_new(heap, difference, out);
}

static enum hd_err mul_ints(struct heap *heap, int64_t a, int64_t b, struct obj **out)
{
    int64_t product;

    return __builtin_mul_overflow(a, b, &product) ? overflows(heap, "a product") : int_new(heap, product, out);
}

/* True if C's division of a by b, which rounds to zero, is one above Python's, which rounds down. */
static bool rounds_up(int64_t a, int64_t b)
{
    return a % b != 0 && (a < 0) != (b < 0);
}

static enum hd_err floordiv_ints(struct heap *heap, int64_t a, int64_t b, struct obj **out)
{
    if (b == 0)
        return divides_by_zero(heap);
    if (b == -1)
        return sub_ints(heap, 0, a, out); /* INT64_MIN / -1 is undefined in C */
    return int_new(heap, a / b - (rounds_up(a, b) ? 1 : 0), out);
}

static enum hd_err mod_ints(struct heap *heap, int64_t a, int64_t b, struct obj **out)
{
    if (b == 0)
        return divides_by_zero(heap);
    if (b == -1)
        return int_new(heap, 0, out);
    return int_new(heap, a % b + (rounds_up(a, b) ? b : 0), out);
}

static enum hd_err pow_floats(struct heap *heap, double a, double b, struct obj **out);

/* By repeated squaring. A square that overflows is an error only if it is still to be used. */
static enum hd_err pow_ints(struct heap *heap, int64_t a, int64_t b, struct obj **out)
{
    int64_t power = 1;

    if (b < 0)
        return pow_floats(heap, (double)a, (double)b, out);
    for (; b > 0; b >>= 1) {
        if ((b & 1) != 0 && __builtin_mul_overflow(power, a, &power))
            return overflows(heap, "a power");
        if (b > 1 && __builtin_mul_overflow(a, a, &a))
            return overflows(heap, "a power");
    }
    return int_new(heap, power, out);
}

static enum hd_err and_ints(struct heap *heap, int64_t a, int64_t b, struct obj **out)
{
    return int_new(heap, a & b, out);
}

static enum hd_err or_ints(struct heap *heap, int64_t a, int64_t b, struct obj **out)
{
    return int_new(heap, a | b, out);
}

static enum hd_err xor_ints(struct heap *heap, int64_t a, int64_t b, struct obj **out)
{
    return int_new(heap, a ^ b, out);
}

static enum hd_err lshift_ints(struct heap *heap, int64_t a, int64_t b, struct obj **out)
{
    if (b < 0)
        return heap_fail(heap, HD_VALUE, "negative shift count");
    if (a == 0)
        return int_new(heap, 0, out);
    if (b > 62)
        return a == -1 && b == 63 ? int_new(heap, INT64_MIN, out) : overflows(heap, "a shifted int");
    return mul_ints(heap, a, INT64_C(1) << b, out);
}

static enum hd_err rshift_ints(struct heap *heap, int64_t a, int64_t b, struct obj **out)
{
    if (b < 0)
        return heap_fail(heap, HD_VALUE, "negative shift count");
    if (b > 63)
        b = 63;
    return int_new(heap, a < 0 ? ~(~a >> b) : a >> b, out);
}

/* -- of floats ---------------------------------------------------------------------------------------------------- */

static enum hd_err add_floats(struct heap *heap, double a, double b, struct obj **out)
{
    return float_new(heap, a + b, out);
}

static enum hd_err sub_floats(struct heap *heap, double a, double b, struct obj **out)
{
    return float_new(heap, a - b, out);
}

static enum hd_err mul_floats(struct heap *heap, double a, double b, struct obj **out)
{
    return float_new(heap, a * b, out);
}

static enum hd_err div_floats(struct heap *heap, double a, double b, struct obj **out)
{
    return b == 0 ? divides_by_zero(heap) : float_new(heap, a / b, out);
}

/* The remainder with the sign of b, which a zero has too. */
static double remainder_of(double a, double b)
{
    double rest = fmod(a, b);

    if (rest == 0)
        return copysign(0.0, b);
    return (rest < 0) != (b < 0) ? rest + b : rest;
}

static enum hd_err mod_floats(struct heap *heap, double a, double b, struct obj **out)
{
    return b == 0 ? divides_by_zero(heap) : float_new(heap, remainder_of(a, b), out);
}

/* CPython's _float_div_mod: the quotient of what the remainder leaves is whole, or nearly so. */
static enum hd_err floordiv_floats(struct heap *heap, double a, double b, struct obj **out)
{
    double rest = fmod(a, b);
    double quotient, whole;

    if (b == 0)
        return divides_by_zero(heap);
    quotient = (a - rest) / b;
    if (rest != 0 && (rest < 0) != (b < 0))
        quotient -= 1;
    if (quotient == 0)
        return float_new(heap, copysign(0.0, a / b), out);
    whole = floor(quotient);
    return float_new(heap, quotient - whole > 0.5 ? whole + 1 : whole, out);
}

/* C's pow answers every special case as Python does, but for the two that Python refuses. */
static enum hd_err pow_floats(struct heap *heap, double a, double b, struct obj **out)
{
    if (a == 0 && b < 0 && isfinite(b))
        return heap_fail(heap, HD_VALUE, "0 cannot be raised to a negative power");
    if (a < 0 && isfinite(a) && isfinite(b) && b != floor(b))
        return heap_fail(heap, HD_VALUE, "a negative number cannot be raised to a fraction");
    return float_new(heap, pow(a, b), out);
}

/* -- binary methods ----------------------------------------------------------------------------------------------- */

typedef enum hd_err int_op_fn(struct heap *heap, int64_t a, int64_t b, struct obj **out);
typedef enum hd_err float_op_fn(struct heap *heap, double a, double b, struct obj **out);

static enum hd_err compute_floats(struct heap *heap, struct obj *a, struct obj *b, float_op_fn *floats,
                                  struct obj **out)
{
    double x, y;

    if (!as_float(a, &x) || !as_float(b, &y))
        return no_number(heap, "a number", as_float(a, &x) ? b : a);
    return floats(heap, x, y, out);
}

static inline enum hd_err compute(struct heap *heap, struct obj *a, struct obj *b, int_op_fn *ints, float_op_fn *floats,
                                  struct obj **out)
{
    int64_t x, y;

    if (obj_as_int(heap, a, &x) && obj_as_int(heap, b, &y))
        return ints(heap, x, y, out);
    return compute_floats(heap, a, b, floats, out);
}

/* Of ints only. */
static enum hd_err compute_ints(struct heap *heap, struct obj *a, struct obj *b, int_op_fn *ints, struct obj **out)
{
    int64_t x, y;

    if (!obj_as_int(heap, a, &x) || !obj_as_int(heap, b, &y))
        return no_number(heap, "an int", obj_as_int(heap, a, &x) ? b : a);
    return ints(heap, x, y, out);
}

/* Bits of two bools make a bool. */
static enum hd_err compute_bits(struct heap *heap, struct obj *a, struct obj *b, int_op_fn *ints, struct obj **out)
{
    enum hd_err err = compute_ints(heap, a, b, ints, out);

    if (err == HD_OK && a->type == OBJ_BOOL && b->type == OBJ_BOOL)
        *out = bool_obj(heap, int_value(*out) != 0); /* what it was is a small int, immortal */
    return err;
}

#define METHOD(name, expression) \
    enum hd_err name(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs, \
                     struct obj **result) \
    { \
        (void)args; \
        (void)nargs; \
        return expression; \
    }
#define BINARY(name) \
    METHOD(int_method_##name, compute(heap, self, args[0], name##_ints, name##_floats, result)) \
    METHOD(float_method_##name, compute(heap, self, args[0], name##_ints, name##_floats, result))

BINARY(add)
BINARY(sub)
BINARY(mul)
BINARY(floordiv)
BINARY(mod)
BINARY(pow)
METHOD(float_method_div, compute_floats(heap, self, args[0], div_floats, result))
METHOD(int_method_and, compute_bits(heap, self, args[0], and_ints, result))
METHOD(int_method_or, compute_bits(heap, self, args[0], or_ints, result))
METHOD(int_method_xor, compute_bits(heap, self, args[0], xor_ints, result))
METHOD(int_method_lshift, compute_ints(heap, self, args[0], lshift_ints, result))
METHOD(int_method_rshift, compute_ints(heap, self, args[0], rshift_ints, result))

/* -- unary methods ------------------------------------------------------------------------------------------------ */

METHOD(int_method_neg, sub_ints(heap, 0, int_value(self), result))
METHOD(int_method_abs, int_value(self) < 0 ? sub_ints(heap, 0, int_value(self), result)
                                           : int_new(heap, int_value(self), result))
METHOD(int_method_not, int_new(heap, ~int_value(self), result))
METHOD(float_method_neg, float_new(heap, -float_value(self), result))
METHOD(float_method_abs, float_new(heap, fabs(float_value(self)), result))

/* -- rounding ----------------------------------------------------------------------------------------------------- */

#define ROUND_DIGITS_MAX 323 /* more change no double (CPython's NDIGITS_MAX) */
#define ROUND_DIGITS_MIN (-308)
#define ROUND_TEXT 700       /* 309 digits, the point, ROUND_DIGITS_MAX digits */

/*
 * To a multiple of 10^tens. The digits before the point are known exactly, so the text with as many as shall stay is
 * rounded once, by snprintf, which looks at the exact value (halves to even).
 */
static double round_to_tens(double value, int tens)
{
    char text[ROUND_TEXT];
    int len = snprintf(text, sizeof text, "%.0f", trunc(fabs(value)));
    bool is_above_half = text[0] > '5' || (text[0] == '5' && (text[1 + strspn(text + 1, "0")] != '\0' ||
                                                              value != trunc(value)));

    if (len > tens)
        (void)snprintf(text, sizeof text, "%.*e", len - tens - 1, value);
    else if (len == tens && is_above_half)
        (void)snprintf(text, sizeof text, "%s1e%d", value < 0 ? "-" : "", tens);
    else
        return copysign(0.0, value);
    return strtod(text, NULL);
}

static double round_to(double value, int64_t digits)
{
    char text[ROUND_TEXT];

    if (!isfinite(value) || digits > ROUND_DIGITS_MAX)
        return value;
    if (digits < ROUND_DIGITS_MIN)
        return copysign(0.0, value);
    if (digits < 0)
        return round_to_tens(value, (int)-digits);
    (void)snprintf(text, sizeof text, "%.*f", (int)digits, value);
    return strtod(text, NULL);
}

enum hd_err number_to_int(struct heap *heap, double value, struct obj **out)
{
    if (isnan(value))
        return heap_fail(heap, HD_VALUE, "NaN is no int");
    if (!float_fits_int(value))
        return overflows(heap, isinf(value) ? "infinity" : "a float as an int");
    return int_new(heap, (int64_t)value, out);
}

enum hd_err float_method_round(struct heap *heap, struct obj *self, struct obj *const *args, unsigned nargs,
                               struct obj **result)
{
    int64_t digits;

    if (nargs == 0 || args[0]->type == OBJ_NIL)
        return number_to_int(heap, nearbyint(float_value(self)), result);
    if (!obj_as_int(heap, args[0], &digits))
        return no_number(heap, "an int", args[0]);
    return float_new(heap, round_to(float_value(self), digits), result);
}

/* -- for others --------------------------------------------------------------------------------------------------- */

enum hd_err number_count(struct heap *heap, struct obj *old, struct obj *n, struct obj **sum)
{
    old = old != NULL ? old : heap->small_ints[0 - HEAP_SMALL_INT_MIN];
    n = n != NULL ? n : heap->small_ints[1 - HEAP_SMALL_INT_MIN];
    return compute(heap, old, n, add_ints, add_floats, sum);
}

static enum number_order order_floats(double a, double b)
{
    return a < b ? NUMBER_LESS : a > b ? NUMBER_GREATER : a == b ? NUMBER_EQUAL : NUMBER_UNORDERED;
}

static enum number_order order_ints(int64_t a, int64_t b)
{
    return a < b ? NUMBER_LESS : a > b ? NUMBER_GREATER : NUMBER_EQUAL;
}

/* Exact: an int above 2^53 is not rounded to a float first. */
static enum number_order order_int_float(int64_t a, double b)
{
    if (isnan(b))
        return NUMBER_UNORDERED;
    if (!float_fits_int(b))
        return b > 0 ? NUMBER_LESS : NUMBER_GREATER;
    if (a != (int64_t)b)
        return order_ints(a, (int64_t)b);
    return order_floats(0, b - trunc(b));
}

enum number_order number_compare(const struct obj *a, const struct obj *b)
{
    static const enum number_order reversed[] = {
        [NUMBER_LESS] = NUMBER_GREATER, [NUMBER_EQUAL] = NUMBER_EQUAL,
        [NUMBER_GREATER] = NUMBER_LESS, [NUMBER_UNORDERED] = NUMBER_UNORDERED,
    };

    if (a->type != OBJ_FLOAT && b->type != OBJ_FLOAT)
        return order_ints(int_value(a), int_value(b));
    if (a->type != OBJ_FLOAT)
        return order_int_float(int_value(a), float_value(b));
    if (b->type != OBJ_FLOAT)
        return reversed[order_int_float(int_value(b), float_value(a))];
    return order_floats(float_value(a), float_value(b));
}
