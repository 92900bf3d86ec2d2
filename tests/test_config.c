/* test_config.c - the command line and the configuration file. */
#include "daemon/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/suite.h"

#define WORDS_MAX 8

static struct command_line line;
static struct config config;
static struct config_error error;
static char path[] = "/tmp/heapd-test-config-XXXXXX";

/* A file with this text, removed by drop_file. */
static void write_file(const char *text, size_t len)
{
    int fd;

    strcpy(path + strlen(path) - 6, "XXXXXX");
    fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
    close(fd);
}

/* Parses `heapd` and these words, up to a NULL. */
static enum command parse(const char *const *words)
{
    static char name[] = "heapd";
    char *argv[WORDS_MAX + 2] = {name};
    int argc = 1;

    for (; words[argc - 1] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
    return command_line_parse(&line, argc, argv, &error);
}

#define PARSE(...) parse((const char *const[WORDS_MAX + 1]){__VA_ARGS__})

/* Loads what the words say; the configuration is closed again by close_config. */
#define LOADS(...)                                                                                                    \
    do {                                                                                                              \
        ck_assert_int_eq(PARSE(__VA_ARGS__), COMMAND_SERVE);                                                          \
        ck_assert_msg(config_load(&config, &line, &error), "%s", error.text);                                         \
    } while (0)

static void close_config(void)
{
    config_fini(&config);
    command_line_fini(&line);
}

/* The words are refused, with this in the message. */
static void refused(const char *const *words, const char *part)
{
    if (parse(words) == COMMAND_SERVE)
        ck_assert(!config_load(&config, &line, &error));
    ck_assert_msg(strstr(error.text, part) != NULL, "'%s' has no '%s'", error.text, part);
    ck_assert_ptr_null(strchr(error.text, '\n'));
    command_line_fini(&line);
}

#define REFUSED(part, ...) refused((const char *const[WORDS_MAX + 1]){__VA_ARGS__}, part)

static void refused_file(const char *text, size_t len, const char *part)
{
    write_file(text, len);
    REFUSED(part, "--config", path);
    unlink(path);
}

START_TEST(without_words_everything_has_its_default)
{
    LOADS(NULL);
    ck_assert_uint_eq(config.listen.count, 0);
    ck_assert_uint_eq(config.unix_paths.count, 0);
    ck_assert_int_eq(config.admin_from, ADMIN_UNIX);
    ck_assert_uint_eq(config.idle_ms, 0);
    ck_assert_uint_eq(config.request_ms, 30000);
    ck_assert_uint_eq(config.output_ms, 10000);
    ck_assert_uint_eq(config.hub.limit_frame, UINT64_C(64) << 20);
    ck_assert_uint_eq(config.hub.limit_depth, 128);
    ck_assert_uint_eq(config.hub.limit_work, 2000000);
    ck_assert_uint_gt(config.hub.memory_limit, 0);
    close_config();
}
END_TEST

START_TEST(every_setting_may_stand_on_the_command_line)
{
    LOADS("--memory-limit", "64M", "--limits-depth=200", "--idle-timeout", "2.5", "--insecure-listen");
    ck_assert_uint_eq(config.hub.memory_limit, UINT64_C(64) << 20);
    ck_assert_uint_eq(config.hub.limit_depth, 200);
    ck_assert_uint_eq(config.idle_ms, 2500);
    ck_assert(config.insecure_listen);
    close_config();
}
END_TEST

START_TEST(listeners_are_gathered_in_order)
{
    LOADS("--listen", "127.0.0.1:0", "--listen", "[::1]:0", "--unix", "/tmp/x");
    ck_assert_uint_eq(config.listen.count, 2);
    ck_assert_str_eq(config.listen.items[1], "[::1]:0");
    ck_assert_str_eq(config.unix_paths.items[0], "/tmp/x");
    close_config();
}
END_TEST

START_TEST(help_and_version_are_commands)
{
    ck_assert_int_eq(PARSE("--help"), COMMAND_HELP);
    command_line_fini(&line);
    ck_assert_int_eq(PARSE("--version"), COMMAND_VERSION);
    command_line_fini(&line);
}
END_TEST

START_TEST(help_names_every_setting)
{
    char *text = NULL;
    size_t size = 0;
    size_t count;
    const struct setting *settings = settings_rows(&count);
    FILE *out = open_memstream(&text, &size);

    command_line_help(out);
    fclose(out);
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(strstr(text, settings[i].description) != NULL || strlen(settings[i].description) > 40,
                      "%s is not described", settings[i].name);
    ck_assert_ptr_nonnull(strstr(text, "--limits-frame BYTES"));
    for (const char *at = text; *at != '\0'; at += strcspn(at, "\n") + 1)
        ck_assert_uint_le(strcspn(at, "\n"), 120);
    free(text);
}
END_TEST

START_TEST(wrong_words_are_refused_with_their_name)
{
    REFUSED("--nonsense", "--nonsense");
    REFUSED("-x", "-x");
    REFUSED("needs a value", "--listen");
    REFUSED("stray", "stray");
    REFUSED("memory_limit", "--memory-limit", "lots");
    REFUSED("memory_limit", "--memory-limit", "-1");
    REFUSED("memory_limit", "--memory-limit", "1.5G");
    REFUSED("memory_limit", "--memory-limit", "99999999999G");
    REFUSED("memory_limit", "--memory-limit", "");
    REFUSED("out of range", "--limits-depth", "63");
    REFUSED("out of range", "--limits-depth", "1025");
    REFUSED("log_level", "--log-level", "loud");
    REFUSED("idle_timeout", "--idle-timeout", "soon");
    REFUSED("No such file", "--config", "/nowhere/heapd.conf");
}
END_TEST

START_TEST(a_file_sets_what_it_names_with_and_without_sections)
{
    write_file(BYTES("# a comment\nlog_level = warning\nlimits.work = 5K\n\n"
                     "[limits]\nframe = 1M ; of one frame\n  depth = 99\n"));
    LOADS("--config", path);
    ck_assert_uint_eq(config.hub.limit_work, 5120);
    ck_assert_uint_eq(config.hub.limit_frame, 1 << 20);
    ck_assert_uint_eq(config.hub.limit_depth, 99);
    close_config();
    unlink(path);
}
END_TEST

START_TEST(the_command_line_goes_before_the_file)
{
    write_file(BYTES("limits.depth = 99\nlisten = 127.0.0.1:1\nunix = /tmp/y\n"));
    LOADS("--config", path, "--limits-depth", "77", "--listen", "127.0.0.1:2");
    ck_assert_uint_eq(config.hub.limit_depth, 77);
    ck_assert_uint_eq(config.listen.count, 1);
    ck_assert_str_eq(config.listen.items[0], "127.0.0.1:2");
    ck_assert_uint_eq(config.unix_paths.count, 0);
    close_config();
    unlink(path);
}
END_TEST

START_TEST(a_bad_file_is_refused_with_its_line)
{
    refused_file(BYTES("log_level = info\nnonsense = 1\n"), ":2:");
    refused_file(BYTES("log_level = info\n\nlimits.depth = many\n"), ":3:");
    refused_file(BYTES("[limits]\nnonsense = 1\n"), "limits.nonsense");
    refused_file(BYTES("just words\n"), ":1:");
    refused_file(BYTES("log_level = in\0fo\n"), "zero byte");
}
END_TEST

START_TEST(a_line_that_is_too_long_is_refused_not_cut)
{
    static char text[5000];

    memset(text, 'x', sizeof text - 1);
    memcpy(text, "unix = /", 8);
    refused_file(text, sizeof text - 1, "too long");
}
END_TEST

START_TEST(a_change_that_needs_a_restart_is_named)
{
    struct config other;

    LOADS("--limits-depth", "100");
    other = config;
    command_line_fini(&line);
    LOADS("--limits-depth", "200", "--log-level", "debug");
    ck_assert_ptr_null(config_fixed_difference(&other, &config));
    config_fini(&config);
    command_line_fini(&line);
    LOADS("--admin-from", "none");
    ck_assert_str_eq(config_fixed_difference(&other, &config), "admin_from");
    config_fini(&config);
    command_line_fini(&line);
    LOADS("--listen", "127.0.0.1:0");
    ck_assert_str_eq(config_fixed_difference(&other, &config), "listen");
    close_config();
    config_fini(&other);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        without_words_everything_has_its_default,
        every_setting_may_stand_on_the_command_line,
        listeners_are_gathered_in_order,
        help_and_version_are_commands,
        help_names_every_setting,
        wrong_words_are_refused_with_their_name,
        a_file_sets_what_it_names_with_and_without_sections,
        the_command_line_goes_before_the_file,
        a_bad_file_is_refused_with_its_line,
        a_line_that_is_too_long_is_refused_not_cut,
        a_change_that_needs_a_restart_is_named,
        NULL,
    };

    return suite_run("config", tests);
}
