# client/: the C library, and heap-cli on top of it. libclient.a is the library as programs and tests here link it.
client_sources = \
	client/ask.c client/call.c client/endpoint.c client/endpoint.h client/handle.c client/link.c client/link.h \
	client/put.c client/receive.c client/status.c client/status.h client/stream.c client/url.c client/url.h \
	client/value.c client/value.h
cli_sources =

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
