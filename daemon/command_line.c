/* daemon/command_line.c - see config.h. Options and --help, made of the rows of config.def. */
#include <ctype.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config.h"

#define OPTION_NAME_MAX 40
#define HELP_COLUMN 32
#define HELP_WIDTH 100
#define MEGABYTE UINT64_C(1048576)

/* The options that are no settings. */
enum { OPTION_CONFIG = 1000, OPTION_HELP, OPTION_VERSION };

/* "limits.frame" -> "limits-frame" */
static void name_option(char *option, const char *setting)
{
    size_t i;

    for (i = 0; i < OPTION_NAME_MAX - 1 && setting[i] != '\0'; i++) {
        option[i] = setting[i];
        if (setting[i] == '_' || setting[i] == '.')
            option[i] = '-';
    }
    option[i] = '\0';
}

/* getopt's table: a row for each setting, whose `val` is its number, then the others. */
struct option_table {
    char (*names)[OPTION_NAME_MAX];
    struct option *options;
};

static bool open_table(struct option_table *table, const struct setting *settings, size_t count)
{
    static const struct option others[] = {
        {"config", required_argument, NULL, OPTION_CONFIG},
        {"help", no_argument, NULL, OPTION_HELP},
        {"version", no_argument, NULL, OPTION_VERSION},
        {NULL, 0, NULL, 0},
    };

    table->names = calloc(count, sizeof(table->names[0]));
    table->options = calloc(count + sizeof(others) / sizeof(others[0]), sizeof(table->options[0]));
    if (table->names == NULL || table->options == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        name_option(table->names[i], settings[i].name);
        table->options[i].name = table->names[i];
        table->options[i].has_arg = settings[i].kind == KIND_FLAG ? optional_argument : required_argument;
        table->options[i].val = (int)i;
    }
    memcpy(table->options + count, others, sizeof(others));
    return true;
}

static void close_table(struct option_table *table)
{
    free(table->names);
    free(table->options);
}

static enum command parse_options(struct command_line *line, int argc, char **argv, const struct option *options,
                                  const struct setting *settings, struct config_error *error)
{
    int which;

    optind = 0; /* GNU: starts over */
    opterr = 0;
    while ((which = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        switch (which) {
        case OPTION_CONFIG:
            line->file = optarg;
            break;
        case OPTION_HELP:
            return COMMAND_HELP;
        case OPTION_VERSION:
            return COMMAND_VERSION;
        case ':':
            snprintf(error->text, sizeof(error->text), "option '%s' needs a value", argv[optind - 1]);
            return COMMAND_WRONG;
        case '?':
            if (isgraph(optopt)) /* a letter, maybe in the midst of a word */
                snprintf(error->text, sizeof(error->text), "there is no option '-%c'", optopt);
            else
                snprintf(error->text, sizeof(error->text), "option '%s' is unknown or misused", argv[optind - 1]);
            return COMMAND_WRONG;
        default:
            line->overrides[line->count].setting = &settings[which];
            line->overrides[line->count++].value = optarg != NULL ? optarg : "yes";
            break;
        }
    }
    if (optind == argc)
        return COMMAND_SERVE;
    snprintf(error->text, sizeof(error->text), "'%s' is no option", argv[optind]);
    return COMMAND_WRONG;
}

enum command command_line_parse(struct command_line *line, int argc, char **argv, struct config_error *error)
{
    size_t count;
    const struct setting *settings = settings_rows(&count);
    struct option_table table;
    enum command command = COMMAND_WRONG;

    *line = (struct command_line){0};
    snprintf(error->text, sizeof(error->text), "no memory");
    line->overrides = calloc((size_t)argc + 1, sizeof(line->overrides[0]));
    if (open_table(&table, settings, count) && line->overrides != NULL)
        command = parse_options(line, argc, argv, table.options, settings, error);
    close_table(&table);
    return command;
}

void command_line_fini(struct command_line *line)
{
    free(line->overrides);
    *line = (struct command_line){0};
}

/* -- Help ---------------------------------------------------------------------------------------------------------- */

/* Prints `text` from HELP_COLUMN on, broken at blanks; the cursor stands in `column`. */
static void print_wrapped(FILE *out, int column, const char *text)
{
    if (column >= HELP_COLUMN) {
        fputc('\n', out);
        column = 0;
    }
    while (*text != '\0') {
        size_t room = HELP_WIDTH - HELP_COLUMN, len = strlen(text);
        if (len > room) {
            for (len = room; len > 1 && text[len] != ' '; len--)
                continue;
        }
        fprintf(out, "%*s%.*s\n", HELP_COLUMN - column, "", (int)len, text);
        text += len + (text[len] == ' ');
        column = 0;
    }
}

static void print_option(FILE *out, const char *name, const char *argument, const char *description)
{
    print_wrapped(out, fprintf(out, "  --%s%s%s", name, argument[0] != '\0' ? " " : "", argument), description);
}

/* " [64M]", or nothing for a setting without a default of its own. */
static void describe_preset(char *text, size_t size, const struct setting *setting)
{
    uint64_t number = setting->number;
    const char *unit = "";

    text[0] = '\0';
    if (number == 0) {
        if (setting->preset[0] != '\0' && setting->kind != KIND_FLAG)
            snprintf(text, size, " [%s]", setting->preset);
        return;
    }
    if (setting->kind == KIND_SIZE && number % MEGABYTE == 0) {
        number /= MEGABYTE;
        unit = "M";
    }
    snprintf(text, size, " [%llu%s]", (unsigned long long)number, unit);
}

void command_line_help(FILE *out)
{
    size_t count;
    const struct setting *settings = settings_rows(&count);

    fputs("usage: heapd [OPTION]...\n"
          "A shared object heap with the memory model of Python, on MessagePack-RPC.\n\n",
          out);
    print_option(out, "config", "FILE", "read settings from this file; the command line goes before it");
    print_option(out, "version", "", "say the version and exit");
    print_option(out, "help", "", "say this and exit");
    fputs("\nSettings, each also a line 'name = value' of the file ('limits.frame', or 'frame' under '[limits]').\n"
          "Sizes and counts take K, M and G. Those marked * take effect when SIGHUP has the file read again.\n\n",
          out);
    for (size_t i = 0; i < count; i++) {
        char name[OPTION_NAME_MAX], preset[40], text[600];
        name_option(name, settings[i].name);
        describe_preset(preset, sizeof(preset), &settings[i]);
        snprintf(text, sizeof(text), "%s%s%s", settings[i].description, preset, settings[i].is_live ? " *" : "");
        print_option(out, name, settings[i].argument, text);
    }
    fputs("\nSignals: SIGTERM and SIGINT end it in order, SIGHUP reads the file again, SIGUSR2 writes the state to the "
          "log.\n",
          out);
}
