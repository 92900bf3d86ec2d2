/*
 * client/cli/visit.h - going through a value that came from the server, however deep, without recursion.
 */
#ifndef HEAPD_CLIENT_CLI_VISIT_H
#define HEAPD_CLIENT_CLI_VISIT_H

#include "client/heapd.h"

#define VISIT_DEPTH_MAX 1024 /* the protocol's own limit of nesting */

enum visit_step {
    VISIT_SCALAR,  /* what is no array and no map, and those that lie too deep */
    VISIT_OPEN,    /* an array or map: its content comes next */
    VISIT_CLOSE,   /* its end */
    VISIT_END
};

struct visit {
    unsigned depth; /* containers that are open */
    struct {
        const struct hd_value *value;
        size_t next; /* elements, or keys and values, that were begun */
    } open[VISIT_DEPTH_MAX];
    const struct hd_value *root; /* NULL once it was begun */
};

/* The value must not change before the walk is over. */
void visit_start(struct visit *visit, const struct hd_value *value);

/* The next step and its value. At VISIT_CLOSE the container is no longer open. */
enum visit_step visit_next(struct visit *visit, const struct hd_value **value);

#endif
