# daemon/: the heap on the network. One line a module.
noinst_LIBRARIES += libdaemon.a
libdaemon_a_SOURCES = \
	$(daemon_hub_sources) $(daemon_network_sources)

# The server but for the network. One line a module.
daemon_hub_sources = \
	daemon/api.c \
	daemon/args.c daemon/args.h \
	daemon/call.h \
	daemon/collect.c daemon/collect.h \
	daemon/config.def \
	daemon/convert.h \
	daemon/convert_in.c \
	daemon/convert_out.c \
	daemon/dispatch.c \
	daemon/do_batch.c \
	daemon/do_call.c \
	daemon/do_config.c \
	daemon/do_deepcopy.c \
	daemon/do_gc.c \
	daemon/do_graph.c \
	daemon/do_memory.c \
	daemon/do_names.c \
	daemon/do_objects.c \
	daemon/do_offer.c \
	daemon/do_path.c \
	daemon/do_referrers.c \
	daemon/do_serial.c \
	daemon/do_session.c \
	daemon/do_sessions.c \
	daemon/do_verify.c \
	daemon/do_watch.c \
	daemon/events.c \
	daemon/foresee.c daemon/foresee.h \
	daemon/fair_clock.h \
	daemon/freeze.c daemon/freeze.h \
	daemon/glob.c daemon/glob.h \
	daemon/holding.c daemon/holding.h \
	daemon/hub.c daemon/hub.h \
	daemon/job.c daemon/job.h \
	daemon/keep.c daemon/keep.h \
	daemon/limits.c daemon/limits.h \
	daemon/linger.c daemon/linger.h \
	daemon/long_call.c daemon/long_call.h \
	daemon/offer.c daemon/offer.h \
	daemon/options.c \
	daemon/peer.c daemon/peer.h \
	daemon/quota.c daemon/quota.h \
	daemon/reading.c \
	daemon/reply.c \
	daemon/roots.c daemon/roots.h \
	daemon/rows.c daemon/rows.h \
	daemon/session.c daemon/session.h \
	daemon/session_end.c \
	daemon/settings.c daemon/settings.h \
	daemon/sight.c daemon/sight.h \
	daemon/state.h \
	daemon/stats.c daemon/stats.def \
	daemon/stranger.c daemon/stranger.h \
	daemon/taker.c daemon/taker.h \
	daemon/targets.c \
	daemon/tidy.c daemon/tidy.h \
	daemon/timing.c daemon/timing.h \
	daemon/token.c daemon/token.h \
	daemon/watch.c daemon/watch.h

# The network and the process.
daemon_network_sources = \
	daemon/command_line.c \
	daemon/config.c daemon/config.h \
	daemon/conn.c daemon/conn.h \
	daemon/deadline.c daemon/deadline.h \
	daemon/listen.c daemon/listen.h \
	daemon/log.c daemon/log.h \
	daemon/pace.c daemon/pace.h \
	daemon/panic.c daemon/panic.h \
	daemon/peer_socket.c daemon/peer_socket.h \
	daemon/server.c daemon/server.h \
	daemon/socket_file.c daemon/socket_file.h

bin_PROGRAMS += heapd
heapd_SOURCES = daemon/main.c
heapd_LDADD = $(DAEMON_LIBS) $(NETWORK_LIBS)
