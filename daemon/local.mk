# daemon/: the heap on the network.
noinst_LIBRARIES += libdaemon.a
libdaemon_a_SOURCES = \
	$(daemon_hub_sources) $(daemon_network_sources)

# The server but for the network.
daemon_hub_sources = \
	daemon/hub.h daemon/session.h

# The network and the process.
daemon_network_sources = \
	daemon/command_line.c daemon/config.c daemon/config.def daemon/config.h daemon/conn.c daemon/conn.h \
	daemon/deadline.c daemon/deadline.h daemon/listen.c daemon/listen.h daemon/log.c daemon/log.h \
	daemon/pace.c daemon/pace.h daemon/panic.c daemon/panic.h daemon/peer.c daemon/peer.h \
	daemon/server.c daemon/server.h daemon/socket_file.c daemon/socket_file.h
