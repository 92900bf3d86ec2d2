/* visit.c - see visit.h. */
#include "client/cli/visit.h"

void visit_start(struct visit *visit, const struct hd_value *value)
{
    visit->depth = 0; /* what is open is set as it is opened */
    visit->root = value;
}

static enum visit_step begin(struct visit *visit, const struct hd_value *value)
{
    enum hd_kind kind = hd_kind(value);

    if ((kind != HD_ARRAY && kind != HD_MAP) || visit->depth == VISIT_DEPTH_MAX)
        return VISIT_SCALAR;
    visit->open[visit->depth].value = value;
    visit->open[visit->depth].next = 0;
    visit->depth++;
    return VISIT_OPEN;
}

enum visit_step visit_next(struct visit *visit, const struct hd_value **value)
{
    const struct hd_value *container;
    size_t at;

    if (visit->depth == 0) {
        *value = visit->root;
        visit->root = NULL;
        return *value != NULL ? begin(visit, *value) : VISIT_END;
    }
    container = visit->open[visit->depth - 1].value;
    at = visit->open[visit->depth - 1].next++;
    if (hd_kind(container) == HD_ARRAY)
        *value = hd_at(container, at);
    else
        *value = at % 2 == 0 ? hd_map_key(container, at / 2) : hd_map_value(container, at / 2);
    if (*value != NULL)
        return begin(visit, *value);
    *value = container;
    visit->depth--;
    return VISIT_CLOSE;
}
