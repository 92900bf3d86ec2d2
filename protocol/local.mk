# protocol/: the language between the two sides. No libuv, nothing of the store.
noinst_LIBRARIES += libprotocol.a
protocol_sources = \
	protocol/err.c protocol/err.h protocol/errors.def protocol/events.def protocol/feed.c protocol/feed.h \
	protocol/limits.h protocol/methods.def protocol/options.def protocol/pack.c protocol/pack.h protocol/quick.c \
	protocol/quick.h protocol/read.c protocol/read.h protocol/rpc.c protocol/rpc.h protocol/type_methods.def protocol/types.def
libprotocol_a_SOURCES = $(protocol_sources)
