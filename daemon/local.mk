# daemon/: the heap on the network.
noinst_LIBRARIES += libdaemon.a
libdaemon_a_SOURCES = \
	daemon/hub.h daemon/log.c daemon/log.h daemon/panic.c daemon/panic.h daemon/session.h
