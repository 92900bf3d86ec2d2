# protocol/: the language between the two sides. No libuv, nothing of the store.
noinst_LIBRARIES += libprotocol.a
protocol_sources = \
	protocol/err.c protocol/err.h protocol/errors.def protocol/events.def protocol/feed.h protocol/limits.h \
	protocol/pack.h protocol/read.h protocol/types.def
libprotocol_a_SOURCES = $(protocol_sources)
