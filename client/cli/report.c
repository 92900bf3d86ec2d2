/* report.c - see report.h. */
#include "client/cli/report.h"

#include <string.h>

#include "client/cli/print.h"
#include "client/cli/text.h"

#define LEVELS_MAX 4  /* of sections; what lies deeper stands in its line */
#define COLUMNS_MAX 16
#define INDENT ((size_t)2)

struct report {
    struct server *server;
    struct buf *out;
    struct buf cell; /* the text of one value */
    bool failed;
};

bool report_suits(const char *method)
{
    static const char *const methods[] = {"stats", "slowlog", "sessions", "config_get", "gc_info"};

    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (strcmp(method, methods[i]) == 0)
            return true;
    return false;
}

static bool is_container(const struct hd_value *value)
{
    return hd_kind(value) == HD_MAP || hd_kind(value) == HD_ARRAY;
}

/* -- cells -------------------------------------------------------------------------------------------------------- */

/* A str without its quotes. */
static void put_scalar(struct report *report, const struct hd_value *value)
{
    if (hd_kind(value) == HD_STR)
        text_put_safe(&report->cell, hd_str(value), hd_len(value));
    else if (!print_repr(report->server, &report->cell, value))
        report->failed = true;
}

static bool is_number(const struct hd_value *value)
{
    return hd_kind(value) == HD_UINT || hd_kind(value) == HD_INT || hd_kind(value) == HD_FLOAT;
}

static bool is_zero(const struct hd_value *value)
{
    return is_number(value) && hd_float(value) == 0;
}

/* "list 3, dict 1": a map of counts, those that are not 0. */
static void put_counts(struct report *report, const struct hd_value *map)
{
    const char *comma = "";

    for (size_t i = 0; i < hd_len(map); i++) {
        if (is_zero(hd_map_value(map, i)))
            continue;
        text_put(&report->cell, "%s", comma);
        put_scalar(report, hd_map_key(map, i));
        text_put(&report->cell, " ");
        put_scalar(report, hd_map_value(map, i));
        comma = ", ";
    }
}

/* The value's text in `cell`; how many columns of a terminal it takes, if it is ASCII. */
static size_t make_cell(struct report *report, const struct hd_value *value)
{
    bool is_counts = hd_kind(value) == HD_MAP && hd_len(value) > 0;

    buf_clear(&report->cell);
    for (size_t i = 0; is_counts && i < hd_len(value); i++)
        is_counts = !is_container(hd_map_value(value, i));
    if (is_counts)
        put_counts(report, value);
    else
        put_scalar(report, value);
    return report->cell.len;
}

static void put_spaces(struct report *report, size_t count)
{
    for (; count > 0; count--)
        buf_append(report->out, " ", 1);
}

/* The value, in so many columns at least, at their right or their left end. */
static void put_cell(struct report *report, const struct hd_value *value, size_t width, bool is_right)
{
    size_t len = make_cell(report, value);
    size_t spaces = len < width ? width - len : 0;

    put_spaces(report, is_right ? spaces : 0);
    buf_append(report->out, report->cell.bytes, len);
    put_spaces(report, is_right ? 0 : spaces);
}

/* -- tables ------------------------------------------------------------------------------------------------------- */

static const struct hd_value *row_at(const struct hd_value *rows, size_t i)
{
    return hd_kind(rows) == HD_MAP ? hd_map_value(rows, i) : hd_at(rows, i);
}

/* Whether all elements are maps of as many keys: a table, whose columns are the first one's keys. */
static bool is_table(const struct hd_value *rows)
{
    for (size_t i = 0; i < hd_len(rows); i++)
        if (hd_kind(row_at(rows, i)) != HD_MAP || hd_len(row_at(rows, i)) != hd_len(row_at(rows, 0)))
            return false;
    return hd_len(rows) > 0 && hd_len(row_at(rows, 0)) <= COLUMNS_MAX;
}

/* Rows of a map begin with their keys; `column` counts from those, -1. */
static const struct hd_value *table_cell(const struct hd_value *rows, size_t row, int column)
{
    return column < 0 ? hd_map_key(rows, row) : hd_map_value(row_at(rows, row), (size_t)column);
}

static size_t measure_column(struct report *report, const struct hd_value *rows, int column)
{
    size_t width = column < 0 ? 0 : make_cell(report, hd_map_key(row_at(rows, 0), (size_t)column));

    for (size_t i = 0; i < hd_len(rows); i++) {
        size_t len = make_cell(report, table_cell(rows, i, column));

        width = len > width ? len : width;
    }
    return width;
}

/* A line's column; line 0 has the heads, width 0 is the last column. Numbers stand at the right. */
static void put_column(struct report *report, const struct hd_value *rows, size_t line, int column, size_t width)
{
    bool is_right = is_number(table_cell(rows, 0, column));

    if (line > 0)
        put_cell(report, table_cell(rows, line - 1, column), width, is_right);
    else if (column < 0)
        put_spaces(report, width);
    else
        put_cell(report, hd_map_key(row_at(rows, 0), (size_t)column), width, is_right);
    put_spaces(report, width > 0 ? INDENT : 0);
}

static void put_table(struct report *report, const struct hd_value *rows, size_t indent)
{
    int first = hd_kind(rows) == HD_MAP ? -1 : 0;
    int columns = (int)hd_len(row_at(rows, 0));
    size_t widths[COLUMNS_MAX + 1];

    for (int c = first; c < columns; c++)
        widths[c + 1] = measure_column(report, rows, c);
    for (size_t i = 0; i <= hd_len(rows); i++) { /* 0: the heads */
        put_spaces(report, indent);
        for (int c = first; c < columns; c++)
            put_column(report, rows, i, c, c + 1 < columns ? widths[c + 1] : 0);
        buf_append(report->out, "\n", 1);
    }
}

/* -- sections ----------------------------------------------------------------------------------------------------- */

static bool is_section(const struct hd_value *value, unsigned level)
{
    if (level >= LEVELS_MAX || hd_len(value) == 0)
        return false;
    if (hd_kind(value) == HD_ARRAY)
        return is_table(value);
    if (hd_kind(value) != HD_MAP)
        return false;
    for (size_t i = 0; i < hd_len(value); i++)
        if (is_container(hd_map_value(value, i)))
            return true;
    return level == 0; /* deeper, counts stand in their line */
}

static size_t measure_keys(struct report *report, const struct hd_value *map)
{
    size_t width = 0;

    for (size_t i = 0; i < hd_len(map); i++) {
        size_t len = make_cell(report, hd_map_key(map, i));

        width = len > width ? len : width;
    }
    return width;
}

/* Recursion ends at LEVELS_MAX. */
static void put_map(struct report *report, const struct hd_value *map, unsigned level)
{
    size_t width = measure_keys(report, map);

    for (size_t i = 0; i < hd_len(map); i++) {
        const struct hd_value *value = hd_map_value(map, i);

        put_spaces(report, INDENT * level);
        if (!is_section(value, level)) {
            put_cell(report, hd_map_key(map, i), width + INDENT, false);
            put_cell(report, value, 0, false);
            buf_append(report->out, "\n", 1);
            continue;
        }
        put_cell(report, hd_map_key(map, i), 0, false);
        buf_append(report->out, "\n", 1);
        if (hd_kind(value) == HD_ARRAY || (level > 0 && is_table(value)))
            put_table(report, value, INDENT * (level + 1));
        else
            put_map(report, value, level + 1);
    }
}

bool report_print(struct server *server, struct buf *out, const struct hd_value *value)
{
    struct report report = {.server = server, .out = out};

    buf_init(&report.cell, SIZE_MAX, NULL);
    if (hd_kind(value) == HD_ARRAY && is_table(value))
        put_table(&report, value, 0);
    else if (hd_kind(value) == HD_MAP && hd_len(value) > 0)
        put_map(&report, value, 0);
    else
        report.failed = !print_repr(server, out, value);
    if (out->len > 0 && out->bytes[out->len - 1] == '\n')
        buf_rewind(out, out->len - 1);
    report.failed = report.failed || report.cell.failed;
    buf_fini(&report.cell);
    return !report.failed;
}
