/*
 * fuzz_statement.c - libFuzzer on heap-cli's lexer and parser.
 *
 * Whatever the text: it is parsed, or an error points into it. No node stands on more others than may be, and its
 * children are as many as it says.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/lexer.h"
#include "client/cli/parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is_true)
{
    if (!is_true)
        abort();
}

/* Bounded by TREE_DEPTH_MAX, which it checks. */
static void check_node(const struct node *node, unsigned depth)
{
    size_t count = 0;

    expect(depth <= TREE_DEPTH_MAX);
    for (const struct node *child = node->first; child != NULL; child = child->next, count++) {
        expect(child->depth < node->depth);
        check_node(child, depth + 1);
    }
    expect(count == node->count);
}

static void check_statement(const struct statement *statement)
{
    expect((statement->kind == STATEMENT_EXPRESSION) == (statement->targets == NULL));
    if (statement->value != NULL)
        check_node(statement->value, 1);
    for (const struct node *target = statement->targets; target != NULL; target = target->next)
        check_node(target, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct statement *statement;
    struct parse_error error = {0};
    char *text = malloc(size > 0 ? size : 1); /* malloc's own, so that a read beyond its end is seen */

    if (text == NULL)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    if (parse(&arena, text, size, &statement, &error)) {
        for (; statement != NULL; statement = statement->next)
            check_statement(statement);
    } else {
        expect(error.text[0] != '\0' && error.at <= size);
    }
    lexer_brackets(text, size);
    arena_clear(&arena);
    free(text);
    return 0;
}
