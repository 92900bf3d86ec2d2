/* test_cli_parser.c - expressions and statements of heap-cli as trees, written down as (operator operands...). */
#include "client/cli/parser.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/lexer.h"
#include "client/cli/text.h"
#include "tests/suite.h"

/* -- trees as text ------------------------------------------------------------------------------------------------ */

static void put_node(struct buf *out, const struct node *node);

static void put_children(struct buf *out, const char *name, const struct node *node)
{
    text_put(out, "(%s", name);
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        text_put(out, " ");
        if (child->keyword != NULL)
            text_put(out, "%s=", child->keyword);
        put_node(out, child);
    }
    text_put(out, ")");
}

static void put_leaf(struct buf *out, const struct node *node)
{
    switch (node->kind) {
    case NODE_BOOL:
        text_put(out, "%s", node->number != 0 ? "True" : "False");
        break;
    case NODE_INT:
        text_put(out, "%s%llu", node->is_negative ? "-" : "", (unsigned long long)node->number);
        break;
    case NODE_FLOAT:
        text_put_float(out, node->real);
        break;
    case NODE_STR:
        text_put_str(out, node->text, node->len);
        break;
    case NODE_BYTES:
        text_put_bytes(out, node->text, node->len);
        break;
    case NODE_NAME:
        buf_append(out, node->text, node->len);
        break;
    default:
        text_put(out, "None");
    }
}

/* Trees of tests are small: recursion will do. */
static void put_node(struct buf *out, const struct node *node)
{
    static const char *const names[] = {
        [NODE_LIST] = "list", [NODE_TUPLE] = "tuple", [NODE_SET] = "set", [NODE_DICT] = "dict", [NODE_ITEM] = "item",
        [NODE_SLICE] = "slice", [NODE_CALL] = "call", [NODE_IS] = "is", [NODE_IN] = "in", [NODE_NOT] = "not",
        [NODE_AND] = "and", [NODE_OR] = "or",
    };
    char name[40];

    if (node->kind <= NODE_NAME) {
        put_leaf(out, node);
        return;
    }
    if (node->kind == NODE_ATTR)
        snprintf(name, sizeof name, ".%s", node->text);
    else
        snprintf(name, sizeof name, "%s", node->kind == NODE_METHOD   ? node->text
                                          : node->kind == NODE_BINARY ? node->op->sign
                                                                      : names[node->kind]);
    put_children(out, name, node);
}

static void put_statement(struct buf *out, const struct statement *statement)
{
    static const char *const names[] = {"", "=", "", "del", "class"};

    if (statement->kind != STATEMENT_EXPRESSION)
        text_put(out, "%s%s ", statement->op != NULL ? statement->op->sign : "",
                 statement->op != NULL ? "=" : names[statement->kind]);
    for (const struct node *target = statement->targets; target != NULL; target = target->next) {
        put_node(out, target);
        text_put(out, target->next != NULL || statement->value != NULL ? " " : "");
    }
    if (statement->value != NULL)
        put_node(out, statement->value);
}

/* The text parses to these statements, separated by "; ". */
static void parses_n(const char *text, size_t len, const char *expected)
{
    struct arena arena = {0};
    struct statement *statement;
    struct parse_error error = {0};
    struct buf out;

    buf_init(&out, 100000, NULL);
    ck_assert_msg(parse(&arena, text, len, &statement, &error), "%s: %s", text, error.text);
    for (; statement != NULL; statement = statement->next) {
        put_statement(&out, statement);
        text_put(&out, statement->next != NULL ? "; " : "");
    }
    buf_append(&out, "", 1);
    ck_assert_str_eq(out.bytes, expected);
    buf_fini(&out);
    arena_clear(&arena);
}

static void parses(const char *text, const char *expected)
{
    parses_n(text, strlen(text), expected);
}

static void refuses_n(const char *text, size_t len, size_t at, const char *why)
{
    struct arena arena = {0};
    struct statement *statement;
    struct parse_error error = {0};

    ck_assert_msg(!parse(&arena, text, len, &statement, &error), "%s was parsed", text);
    ck_assert_msg(strstr(error.text, why) != NULL, "%s: %s", text, error.text);
    ck_assert_uint_eq(error.at, at);
    arena_clear(&arena);
}

static void refuses(const char *text, size_t at, const char *why)
{
    refuses_n(text, strlen(text), at, why);
}

/* -- literals ----------------------------------------------------------------------------------------------------- */

START_TEST(numbers_are_those_of_python)
{
    parses("0", "0");
    parses("00", "0");
    parses("1_000", "1000");
    parses("0x_fF", "255");
    parses("0o17", "15");
    parses("0B101", "5");
    parses("18446744073709551615", "18446744073709551615");
    parses("-9223372036854775808", "-9223372036854775808");
    parses("- -5", "5");
    parses("-0", "0");
    parses("1.", "1.0");
    parses(".5e1", "5.0");
    parses("1e-5", "1e-05");
    parses("1_0.2_5", "10.25");
    parses("-2.5", "-2.5");
    parses("1e999", "inf");
    refuses("18446744073709551616", 0, "beyond 64 bits");
    refuses("017", 0, "octal");
    refuses("1__0", 0, "no number");
    refuses("1_", 0, "no number");
    refuses("0x", 0, "no number");
    refuses("0x_", 0, "no number");
    refuses("0b2", 0, "no number");
    refuses("1e", 0, "no number");
    refuses("1.2.3", 0, "no number");
    refuses("5x", 0, "no number");
    refuses("1e5_", 0, "no number");
}
END_TEST

START_TEST(strings_have_the_escapes_of_python)
{
    parses("'a\\n\\t\\r\\\\\\'\\\"'", "'a\\n\\t\\r\\\\\\'\"'");
    parses("\"it's\"", "\"it's\"");
    parses("'\\a\\b\\f\\v'", "'\\x07\\x08\\x0c\\x0b'");
    parses("'\\101\\60\\x41\\u00e9\\U0001f600'", "'A0A\xc3\xa9\xf0\x9f\x98\x80'");
    parses("'\\0'", "'\\x00'");
    parses("'\\400'", "'\xc4\x80'");
    parses("'\\q\\8'", "'\\\\q\\\\8'");
    parses("b'\\x00\\xff\\377\\u00e9'", "b'\\x00\\xff\\xff\\\\u00e9'");
    parses("r'\\n\\''", "\"\\\\n\\\\'\"");
    parses("rb'\\x' bR'\\0'", "b'\\\\x\\\\0'");
    parses("u'x' 'y' \"z\"", "'xyz'");
    parses("'''x'''", "'x'");
    parses("''", "''");
    parses_n(BYTES("'a\0b'"), "'a\\x00b'");
    refuses("'\\x4'", 0, "too few hexadecimal");
    refuses("'\\u123'", 0, "too few hexadecimal");
    refuses("'\\ud800'", 0, "no Unicode");
    refuses("'\\U00110000'", 0, "no Unicode");
    refuses("'\\N{DIGIT ONE}'", 0, "no names");
    refuses("b'\xc3\xa9'", 0, "ASCII");
    refuses("'a", 0, "not closed");
    refuses("'a\nb'", 0, "not closed");
    refuses("'\\", 0, "not closed");
    refuses("'a' b'b'", 4, "a string stands");
    refuses("f'x'", 1, "a string stands");
}
END_TEST

START_TEST(containers_nest)
{
    parses("[]", "(list)");
    parses("[1, [2,], {'k': (3,)},]", "(list 1 (list 2) (dict 'k' (tuple 3)))");
    parses("()", "(tuple)");
    parses("(1)", "1");
    parses("(1,)", "(tuple 1)");
    parses("(1, 2,)", "(tuple 1 2)");
    parses("1, 2", "(tuple 1 2)");
    parses("1,", "(tuple 1)");
    parses("{}", "(dict)");
    parses("{1}", "(set 1)");
    parses("{1, 2,}", "(set 1 2)");
    parses("{1: 2, 3: 4,}", "(dict 1 2 3 4)");
    parses("[1,\n 2, # two\n\n 3]", "(list 1 2 3)");
    parses("None, True, False", "(tuple None True False)");
    refuses("[1 2]", 3, "']'");
    refuses("[1", 2, "ends where ']'");
    refuses("[,]", 1, "an expression");
    refuses("{1: 2, 3}", 8, "':'");
    refuses("{1, 2: 3}", 5, "'}'");
    refuses("(1", 2, "')'");
    refuses(")", 0, "an expression");
}
END_TEST

/* -- expressions -------------------------------------------------------------------------------------------------- */

START_TEST(operators_bind_as_in_python)
{
    parses("1 + 2 * 3", "(+ 1 (* 2 3))");
    parses("(1 + 2) * 3", "(* (+ 1 2) 3)");
    parses("1 - 2 - 3", "(- (- 1 2) 3)");
    parses("2 ** 3 ** 2", "(** 2 (** 3 2))");
    parses("-2 ** 2", "(neg (** 2 2))");
    parses("2 ** -1", "(** 2 -1)");
    parses("-a.b[0]", "(neg (item (.b a) 0))");
    parses("~a", "(not a)");
    parses("+a", "a");
    parses("a | b ^ c & d << e + f // g", "(| a (^ b (& c (<< d (+ e (// f g))))))");
    parses("a % b / c", "(/ (% a b) c)");
    parses("a < b + 1", "(lt a (+ b 1))");
    parses("a == b, a != b, a <= b, a > b, a >= b", "(tuple (eq a b) (ne a b) (le a b) (gt a b) (ge a b))");
    parses("a is b", "(is a b)");
    parses("a is not b", "(not (is a b))");
    parses("a in b", "(in a b)");
    parses("a not in b", "(not (in a b))");
    parses("not a in b", "(not (in a b))");
    parses("not not a", "(not (not a))");
    parses("not not not a", "(not a)");
    parses("a or b and not c == d", "(or a (and b (not (eq c d))))");
    parses("a and b and c", "(and (and a b) c)");
    refuses("a < b < c", 6, "no chain");
    refuses("a is b in c", 7, "no chain");
    refuses("a not b", 6, "'in'");
    refuses("1 +", 3, "ends where an expression");
    refuses("* 1", 0, "an expression");
    refuses("a !b", 2, "means nothing");
    refuses("a ? b", 2, "means nothing");
}
END_TEST

START_TEST(attributes_items_slices_and_calls_chain)
{
    parses("a.b.c", "(.c (.b a))");
    parses("a.is.class", "(.class (.is a))");
    parses("a[1][-1].b()", "(call (.b (item (item a 1) -1)))");
    parses("a[1, 2]", "(item a (tuple 1 2))");
    parses("a[1,]", "(item a (tuple 1))");
    parses("a[:]", "(slice a None None None)");
    parses("a[1:]", "(slice a 1 None None)");
    parses("a[:2]", "(slice a None 2 None)");
    parses("a[1:2:-1]", "(slice a 1 2 -1)");
    parses("a[::2]", "(slice a None None 2)");
    parses("f()()", "(call (call f))");
    parses("f(1, x, k=2, l=[3],)", "(call f 1 x k=2 l=(list 3))");
    parses("bind('a', x, if='absent')", "(call bind 'a' x if='absent')");
    parses("is(a, b)", "(call is a b)");
    parses("class('X')", "(call class 'X')");
    parses("'a'.upper()", "(call (.upper 'a'))");
    parses("1 .neg()", "(call (.neg 1))");
    refuses("a.", 2, "the name of an attribute");
    refuses("a.5", 1, "the end of the statement");
    refuses("a[]", 2, "an index");
    refuses("a[1:2:3:4]", 7, "']'");
    refuses("f(k=1, 2)", 7, "without a keyword");
    refuses("f(a.b=1)", 5, "',' or ')'");
    refuses("f(1", 3, "')'");
    refuses("f(if)", 4, "'='");
    refuses("f(x=if)", 4, "an expression");
}
END_TEST

/* -- statements --------------------------------------------------------------------------------------------------- */

START_TEST(statements_are_separated_by_semicolons_and_lines)
{
    parses("", "");
    parses(" \t\n;;\n# nothing", "");
    parses("a; b\nc # d\n\n", "a; b; c");
    parses("a\r\nb", "a; b");
    refuses("a b", 2, "the end of the statement");
    refuses("a = 1 b = 2", 6, "the end of the statement");
    refuses("for x in y", 0, "an expression");
    refuses("if", 0, "an expression");
}
END_TEST

START_TEST(names_attributes_and_items_are_assigned_and_deleted)
{
    parses("a = 1", "= a 1");
    parses("a = b = []", "= a b (list)");
    parses("a.b = c[0] = d", "= (.b a) (item c 0) d");
    parses("a = 1, 2", "= a (tuple 1 2)");
    parses("a += 1; b -= 2; c *= 3; d /= 4; e //= 5; f %= 6; g **= 7",
           "+= a 1; -= b 2; *= c 3; /= d 4; //= e 5; %= f 6; **= g 7");
    parses("a |= b; a &= b; a ^= b; a <<= b; a >>= b", "|= a b; &= a b; ^= a b; <<= a b; >>= a b");
    parses("del a", "del a");
    parses("del a.b, c[0], d", "del (.b a) (item c 0) d");
    parses("\xc3\xa9t\xc3\xa9 = 1", "= \xc3\xa9t\xc3\xa9 1");
    refuses("1 = a", 0, "can be assigned to");
    refuses("a() = 1", 0, "can be assigned to");
    refuses("a = 1 = b", 4, "can be assigned to");
    refuses("a, b = 1, 2", 0, "can be assigned to");
    refuses("a[1:] = 2", 0, "a slice");
    refuses("1 += 2", 0, "can be assigned to");
    refuses("a =", 3, "an expression");
    refuses("a += 1 += 2", 7, "the end of the statement");
    refuses("None = 1", 0, "can be assigned to");
    refuses("del", 3, "an expression");
    refuses("del 5", 4, "can be assigned to");
    refuses("del a[1:]", 4, "a slice");
}
END_TEST

START_TEST(classes_are_declared_by_name)
{
    parses("class X", "class X");
    parses("class X: pass", "class X");
    refuses("class", 5, "the name of a class");
    refuses("class None", 6, "the name of a class");
    refuses("class X: x = 1", 9, "'pass'");
    refuses("class X(Y)", 7, "the end of the statement");
}
END_TEST

/* -- depth -------------------------------------------------------------------------------------------------------- */

/* `count` times `piece`, behind `before`; for the caller to free. */
static char *repeated(const char *before, const char *piece, size_t count)
{
    size_t len = strlen(piece);
    char *text = malloc(strlen(before) + len * count + 1);
    char *at;

    ck_assert_ptr_nonnull(text);
    at = stpcpy(text, before);
    for (size_t i = 0; i < count; i++)
        at = stpcpy(at, piece);
    return text;
}

START_TEST(whatever_nests_is_refused_when_it_is_too_deep)
{
    static const struct {
        const char *before;
        const char *piece;
    } cases[] = {{"", "("},    {"", "["},    {"", "{"},      {"", "{1:"},   {"", "-"},      {"", "~"},
                 {"a", "+a"},  {"a", ".b"},  {"a", "[0]"},   {"a", "()"},   {"a", "(a"},    {"a", "[a"},
                 {"a", "**a"}, {"a", "**-a"}, {"a", " or a"}, {"a", " and a"}, {"", "a(b="}, {"a", "<<a"}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = repeated(cases[i].before, cases[i].piece, 100000);
        struct arena arena = {0};
        struct statement *statement;
        struct parse_error error = {0};

        ck_assert(!parse(&arena, text, strlen(text), &statement, &error));
        ck_assert_str_eq(error.text, "the expression is nested too deep");
        arena_clear(&arena);
        free(text);
    }
}
END_TEST

START_TEST(width_is_no_depth)
{
    char *text = repeated("[", "[1],", 100000);
    struct arena arena = {0};
    struct statement *statement;
    struct parse_error error = {0};

    text[strlen(text) - 1] = ']';
    ck_assert(parse(&arena, text, strlen(text), &statement, &error));
    ck_assert_uint_eq(statement->value->count, 100000);
    ck_assert_uint_eq(statement->value->depth, 3);
    arena_clear(&arena);
    free(text);
}
END_TEST

START_TEST(ninety_brackets_are_not_too_deep)
{
    char *text = repeated("", "[", 90);
    char *whole = repeated(text, "]", 90);
    struct arena arena = {0};
    struct statement *statement;
    struct parse_error error = {0};

    ck_assert(parse(&arena, whole, strlen(whole), &statement, &error));
    ck_assert_uint_eq(statement->value->depth, 90);
    arena_clear(&arena);
    free(whole);
    free(text);
}
END_TEST

/* -- hostile text ------------------------------------------------------------------------------------------------- */

START_TEST(no_text_breaks_the_parser)
{
    static const char *const pieces[] = {"a", "1", "'", "\"", "b'", "[", "]", "(", ")", "{", "}", ",", ":", ".", "=",
                                         "+", "-", "**", " not ", " in ", " is ", "del ", "class ", "\n", ";", "\\",
                                         "\xc3\xa9", "\xff", "#", "0x", "1e", "//=", " and ", "_", "\\x", "r'"};
    unsigned long long state = 42;

    for (int round = 0; round < 20000; round++) {
        char text[200] = "";
        struct arena arena = {0};
        struct statement *statement;
        struct parse_error error = {0};

        for (int i = 0; i < 20; i++)
            strcat(text, pieces[suite_random(&state, sizeof pieces / sizeof *pieces)]);
        if (!parse(&arena, text, strlen(text), &statement, &error)) {
            ck_assert_uint_gt(strlen(error.text), 0);
            ck_assert_uint_le(error.at, strlen(text));
        }
        lexer_brackets(text, strlen(text));
        arena_clear(&arena);
    }
}
END_TEST

START_TEST(open_brackets_are_counted_by_line)
{
    ck_assert_int_eq(lexer_brackets(BYTES("xs = [1, (2")), 2);
    ck_assert_int_eq(lexer_brackets(BYTES("3)]")), -2);
    ck_assert_int_eq(lexer_brackets(BYTES("'[' # (")), 0);
    ck_assert_int_eq(lexer_brackets(BYTES("[ '")), 1);
    ck_assert_int_eq(lexer_brackets(BYTES("")), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        numbers_are_those_of_python,
        strings_have_the_escapes_of_python,
        containers_nest,
        operators_bind_as_in_python,
        attributes_items_slices_and_calls_chain,
        statements_are_separated_by_semicolons_and_lines,
        names_attributes_and_items_are_assigned_and_deleted,
        classes_are_declared_by_name,
        whatever_nests_is_refused_when_it_is_too_deep,
        width_is_no_depth,
        ninety_brackets_are_not_too_deep,
        no_text_breaks_the_parser,
        open_brackets_are_counted_by_line,
        NULL,
    };

    return suite_run("cli parser", tests);
}
