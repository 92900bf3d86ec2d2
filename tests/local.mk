# tests/: every test program writes TAP on standard output; `make check` runs them, `./dev test` counts their lines.
#
# A unit test: one line in `unit_tests`, and NAME_SOURCES, NAME_LDADD below it. libcheck writes TAP by itself (see the
# environment below), so its main is only srunner_run_all(runner, CK_ENV) and the exit status.
# A script: one line in `script_tests`; .py runs under /usr/bin/python3, .sh under sh.
# One line a test, in alphabetical order.
unit_tests =
script_tests = \
	tests/cli.py \
	tests/cli_bench.py \
	tests/cli_look.py \
	tests/cli_terminal.py \
	tests/cli_transfer.py \
	tests/client_install.py \
	tests/connections.py \
	tests/conformance.py \
	tests/containers_like_python.py \
	tests/daemon.py \
	tests/documents.py \
	tests/hostile.py \
	tests/includes.sh \
	tests/load_generator.py \
	tests/manpage.sh \
	tests/memory_back.py \
	tests/memory_page.py \
	tests/methods_page.sh \
	tests/model.py \
	tests/other_clients.py \
	tests/protocol_copies.py \
	tests/protocol_config.py \
	tests/protocol_batch.py \
	tests/protocol_errors.py \
	tests/protocol_events.py \
	tests/protocol_frames.py \
	tests/protocol_gc.py \
	tests/protocol_limits.py \
	tests/protocol_names.py \
	tests/protocol_objects.py \
	tests/protocol_slices.py \
	tests/protocol_sessions.py \
	tests/protocol_stats.py \
	tests/protocol_values.py \
	tests/protocol_watch.py \
	tests/protocol_weak.py \
	tests/queue_takers.py \
	tests/protocol_weak_names.py \
	tests/weak_containers.py \
	tests/protocol_work.py \
	tests/replay.py \
	tests/resume.py \
	tests/semantics.py \
	tests/semantics_death.py \
	tests/serial.py \
	tests/types_like_python.py \
	tests/why.py

include tests/unit.mk

check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests) $(script_tests)
EXTRA_DIST += $(script_tests) tests/fake_server.py tests/harness.py tests/proxy.py tests/tap.py tests/terminal.py
# What the scripts import.
EXTRA_DIST += tests/dump_format.py tests/dump_graphs.py tests/fixtures
EXTRA_DIST += tests/heap_model.py tests/model_operations.py tests/model_requests.py \
	tests/model_runner.py tests/model_types.py tests/model_visit.py \
	tests/python_cases.py tests/python_reference.py

TEST_EXTENSIONS = .py .sh
TAP_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
LOG_DRIVER = $(TAP_DRIVER)
PY_LOG_DRIVER = $(TAP_DRIVER)
SH_LOG_DRIVER = $(TAP_DRIVER)
PY_LOG_COMPILER = /usr/bin/python3
SH_LOG_COMPILER = $(SHELL)

# HEAPD and HEAP_CLI are the programs just built, TOP_SRCDIR and TOP_BUILDDIR absolute paths of the two trees.
AM_TESTS_ENVIRONMENT = \
	HEAPD='$(abs_top_builddir)/heapd'; export HEAPD; \
	HEAP_CLI='$(abs_top_builddir)/heap-cli'; export HEAP_CLI; \
	TOP_SRCDIR='$(abs_top_srcdir)'; export TOP_SRCDIR; \
	TOP_BUILDDIR='$(abs_top_builddir)'; export TOP_BUILDDIR; \
	CC='$(CC)'; export CC; \
	HEAPD_LDFLAGS='$(HEAPD_LDFLAGS)'; export HEAPD_LDFLAGS; \
	CK_TAP_LOG_FILE_NAME=-; export CK_TAP_LOG_FILE_NAME; \
	CK_VERBOSITY=silent; export CK_VERBOSITY; \
	CK_DEFAULT_TIMEOUT=120; export CK_DEFAULT_TIMEOUT; \
	PYTHONDONTWRITEBYTECODE=1; export PYTHONDONTWRITEBYTECODE; \
	PYTHONPATH='$(abs_top_srcdir)'; export PYTHONPATH;

# What a unit test links.
PROTOCOL_TEST_LIBS = libprotocol.a $(MSGPACK_LIBS) $(CHECK_LIBS)
STORE_TEST_LIBS = libstore.a libprotocol.a $(MSGPACK_LIBS) $(CHECK_LIBS) -lm
HUB_TEST_LIBS = $(DAEMON_LIBS) $(CHECK_LIBS)
DAEMON_TEST_LIBS = $(DAEMON_LIBS) $(NETWORK_LIBS) $(CHECK_LIBS)
LINK_TEST_LIBS = $(CLIENT_LIBS) $(CHECK_LIBS)
CLIENT_TEST_LIBS = libcli.a $(CLIENT_LIBS) $(CLI_LIBS) $(CHECK_LIBS)
TEST_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)

# libFuzzer programs (./dev fuzz), with CC=clang --enable-fuzz: add to `fuzzers`, link with LINK_FUZZER. Their first inputs
# are in tests/corpus/NAME/.
LINK_FUZZER = $(AM_LDFLAGS) -fsanitize=fuzzer
fuzzers = tests/fuzz_feed tests/fuzz_load tests/fuzz_session tests/fuzz_statement

tests_fuzz_feed_SOURCES = tests/fuzz_feed.c
tests_fuzz_feed_LDFLAGS = $(LINK_FUZZER)
tests_fuzz_feed_LDADD = libprotocol.a $(MSGPACK_LIBS)

tests_fuzz_load_SOURCES = tests/fuzz_load.c
tests_fuzz_load_LDFLAGS = $(LINK_FUZZER)
tests_fuzz_load_LDADD = libstore.a libprotocol.a $(MSGPACK_LIBS) -lm

tests_fuzz_session_SOURCES = tests/fuzz_session.c tests/grammar.c tests/grammar.h $(meter_sources)
tests_fuzz_session_LDFLAGS = $(LINK_FUZZER)
tests_fuzz_session_LDADD = $(DAEMON_LIBS)

tests_fuzz_statement_SOURCES = tests/fuzz_statement.c
tests_fuzz_statement_LDFLAGS = $(LINK_FUZZER)
tests_fuzz_statement_LDADD = libcli.a libprotocol.a $(MSGPACK_LIBS)

EXTRA_DIST += tests/corpus tests/mutants/mutants.py tests/mutants/run.py

if FUZZ
noinst_PROGRAMS += $(fuzzers)
endif

include tests/bench/local.mk
