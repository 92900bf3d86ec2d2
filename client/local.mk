# client/: the C library, and heap-cli on top of it. libclient.a is the library as programs and tests of this tree link it.
client_sources =
cli_sources =

noinst_LIBRARIES += libclient.a libcli.a
libclient_a_SOURCES = $(client_sources)
libcli_a_SOURCES = $(cli_sources)

include_HEADERS += client/heapd.h
