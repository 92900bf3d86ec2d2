/*
 * client/cli/parser.h - text becomes statements.
 *
 * The grammar is that part of Python's which works on objects: assignments (a, a.b, a[i]; also += and its sisters),
 * del, `class X`, and expressions without comprehensions, lambda and if. Nesting is bounded by TREE_DEPTH_MAX.
 */
#ifndef HEAPD_CLIENT_CLI_PARSER_H
#define HEAPD_CLIENT_CLI_PARSER_H

#include "client/cli/arena.h"
#include "client/cli/tree.h"

struct parse_error {
    size_t at; /* byte offset in the text */
    char text[200];
};

/*
 * Parses all of the text; *first is NULL if there is nothing but blanks and comments. The text must live as long as the
 * arena does. False, and an error, if it is none of the language or there is no memory.
 */
bool parse(struct arena *arena, const char *text, size_t len, struct statement **first, struct parse_error *error);

#endif
