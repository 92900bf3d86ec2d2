# client/: the C library, and heap-cli on top of it. libclient.a is the library as programs and tests here link it. One line a
# module.
client_sources = \
	client/ask.c \
	client/call.c \
	client/endpoint.c client/endpoint.h \
	client/handle.c \
	client/link.c client/link.h \
	client/put.c \
	client/receive.c \
	client/resume.c \
	client/status.c client/status.h \
	client/stream.c \
	client/url.c client/url.h \
	client/value.c client/value.h
cli_sources = \
	client/cli/arena.c client/cli/arena.h \
	client/cli/base64.c client/cli/base64.h \
	client/cli/bench.c client/cli/bench.h \
	client/cli/clock.h \
	client/cli/complete.c client/cli/complete.h \
	client/cli/console.c client/cli/console.h \
	client/cli/eval.c client/cli/eval.h \
	client/cli/expression.c \
	client/cli/functions.c \
	client/cli/graphviz.c client/cli/graphviz.h \
	client/cli/help.c client/cli/help.h \
	client/cli/history_file.c client/cli/history_file.h \
	client/cli/json.c client/cli/json.h \
	client/cli/latency.c client/cli/latency.h \
	client/cli/lexer.c client/cli/lexer.h \
	client/cli/literal.c client/cli/literal.h \
	client/cli/load.c client/cli/load.h client/cli/load_ops.c \
	client/cli/look.c client/cli/look.h \
	client/cli/oneshot.c client/cli/oneshot.h \
	client/cli/operators.def \
	client/cli/options.c client/cli/options.h \
	client/cli/parser.c client/cli/parser.h \
	client/cli/parsing.c client/cli/parsing.h \
	client/cli/picture.c client/cli/picture.h \
	client/cli/picture_dot.c \
	client/cli/picture_tree.c \
	client/cli/place.c \
	client/cli/print.c client/cli/print.h \
	client/cli/repl.c client/cli/repl.h \
	client/cli/report.c client/cli/report.h \
	client/cli/script.c client/cli/script.h \
	client/cli/server.c client/cli/server.h \
	client/cli/text.c client/cli/text.h \
	client/cli/top.c client/cli/top.h \
	client/cli/transfer.c client/cli/transfer.h \
	client/cli/tree.h \
	client/cli/visit.c client/cli/visit.h

noinst_LIBRARIES += libclient.a libcli.a
libclient_a_SOURCES = $(client_sources)
libcli_a_SOURCES = $(cli_sources)

# What is installed. It holds the few files of protocol/ that it needs, and exports its own names only.
lib_LTLIBRARIES += libheapd.la
libheapd_la_SOURCES = \
	$(client_sources) protocol/errors.def protocol/feed.c protocol/feed.h protocol/limits.h protocol/pack.c \
	protocol/pack.h protocol/read.c protocol/read.h protocol/types.def
libheapd_la_CFLAGS = -std=c11 $(HEAPD_CFLAGS) $(MSGPACK_CFLAGS)
libheapd_la_LDFLAGS = $(HEAPD_LDFLAGS) -version-info 0:0:0 -export-symbols-regex '^hd_' -no-undefined
libheapd_la_LIBADD = $(MSGPACK_LIBS)

include_HEADERS += client/heapd.h

pkgconfig_DATA = client/heapd.pc

bin_PROGRAMS += heap-cli
heap_cli_SOURCES = client/cli/main.c
heap_cli_LDADD = libcli.a $(CLIENT_LIBS) $(CLI_LIBS)
