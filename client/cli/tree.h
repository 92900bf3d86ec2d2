/*
 * client/cli/tree.h - statements and expressions, as the parser hands them to who runs them.
 *
 * All of it lives in the arena of the parse; texts of strs may lie in the source.
 */
#ifndef HEAPD_CLIENT_CLI_TREE_H
#define HEAPD_CLIENT_CLI_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TREE_DEPTH_MAX 200 /* levels of nodes in one expression, which bounds every recursion over it */

enum node_kind {
    NODE_NONE,
    NODE_BOOL,    /* .number: 0 or 1 */
    NODE_INT,     /* .number, negated if .is_negative */
    NODE_FLOAT,   /* .real */
    NODE_STR,     /* .text */
    NODE_BYTES,   /* .text */
    NODE_NAME,    /* .text */
    NODE_LIST,    /* its elements */
    NODE_TUPLE,   /* its elements */
    NODE_SET,     /* its elements */
    NODE_DICT,    /* key, value, key, value, ... */
    NODE_ATTR,    /* base; .text */
    NODE_ITEM,    /* base, index */
    NODE_SLICE,   /* base, start, stop, step: NODE_NONE where left out */
    NODE_CALL,    /* what is called, then the arguments */
    NODE_METHOD,  /* operand, maybe another one; .text: the method that an operator stands for */
    NODE_BINARY,  /* left, right; .op */
    NODE_IS,      /* left, right */
    NODE_IN,      /* element, container */
    NODE_NOT,     /* operand */
    NODE_AND,     /* left, right */
    NODE_OR       /* left, right */
};

/* A binary operator (operators.def). */
struct op {
    const char *sign;
    unsigned level;          /* higher binds tighter */
    const char *method;
    const char *text_method; /* where the left side is a str or bytes; NULL: none of its own */
    const char *set_method;
};

struct node {
    enum node_kind kind;
    unsigned depth;          /* levels below and with this one */
    size_t at;               /* where it begins in the source */
    const char *text;        /* of names and methods: with a NUL behind it */
    size_t len;              /* of text */
    union {
        uint64_t number;
        double real;
    };
    bool is_negative;
    const struct op *op;
    struct node *first;      /* children */
    struct node *next;       /* the next child of the same parent */
    size_t count;            /* of children */
    const char *keyword;     /* of an argument `keyword=...`, else NULL */
};

enum statement_kind {
    STATEMENT_EXPRESSION, /* value */
    STATEMENT_ASSIGN,     /* targets = ... = value */
    STATEMENT_AUGMENT,    /* the one target op= value */
    STATEMENT_DELETE,     /* targets */
    STATEMENT_CLASS       /* the target, a NODE_NAME */
};

struct statement {
    enum statement_kind kind;
    struct node *targets; /* NODE_NAME, NODE_ATTR, NODE_ITEM; by .next */
    struct node *value;
    const struct op *op;
    struct statement *next;
};

#endif
