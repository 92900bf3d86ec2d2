# daemon/: the heap on the network.
noinst_LIBRARIES += libdaemon.a
libdaemon_a_SOURCES = \
	daemon/hub.h daemon/session.h
