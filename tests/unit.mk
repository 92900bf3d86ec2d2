# tests/unit.mk: the unit tests in C, on libcheck. A test is one line in `unit_tests`, and what it is made of below.
unit_tests += \
	tests/test_check \
	tests/test_cli_latency \
	tests/test_cli_parser \
	tests/test_cli_text \
	tests/test_client_bytes \
	tests/test_client_calls \
	tests/test_client_ends \
	tests/test_client_live \
	tests/test_client_memory \
	tests/test_config \
	tests/test_copy \
	tests/test_depth \
	tests/test_feed \
	tests/test_gc \
	tests/test_handle \
	tests/test_linger \
	tests/test_looks \
	tests/test_memo \
	tests/test_memory_failure \
	tests/test_names \
	tests/test_object \
	tests/test_pack \
	tests/test_pool \
	tests/test_read \
	tests/test_serial \
	tests/test_session \
	tests/test_session_limits \
	tests/test_step \
	tests/test_table \
	tests/test_tidy \
	tests/test_timing \
	tests/test_weak \
	tests/test_weak_containers \
	tests/test_why

suite_sources = tests/suite.c tests/suite.h
meter_sources = tests/meter.c tests/meter.h
rig_sources = tests/rig.c tests/rig.h $(meter_sources) $(suite_sources)
talk_sources = tests/talk.c tests/talk.h tests/notation.c tests/notation.h $(meter_sources) $(suite_sources)

# For tests that fail single allocations: the pool's twin, which asks struct mem for every block.
TWIN_SOURCES = store/pool_malloc.c
TWIN_CPPFLAGS = $(AM_CPPFLAGS) -DHD_POOL_MALLOC=1

tests_test_feed_SOURCES = tests/test_feed.c $(suite_sources)
tests_test_feed_CFLAGS = $(TEST_CFLAGS)
tests_test_feed_LDADD = $(PROTOCOL_TEST_LIBS)

tests_test_pack_SOURCES = tests/test_pack.c $(suite_sources)
tests_test_pack_CFLAGS = $(TEST_CFLAGS)
tests_test_pack_LDADD = $(PROTOCOL_TEST_LIBS)

tests_test_read_SOURCES = tests/test_read.c $(suite_sources)
tests_test_read_CFLAGS = $(TEST_CFLAGS)
tests_test_read_LDADD = $(PROTOCOL_TEST_LIBS)

tests_test_looks_SOURCES = tests/test_looks.c $(rig_sources) $(TWIN_SOURCES)
tests_test_looks_CPPFLAGS = $(TWIN_CPPFLAGS)
tests_test_looks_CFLAGS = $(TEST_CFLAGS)
tests_test_looks_LDADD = $(STORE_TEST_LIBS)

tests_test_memo_SOURCES = tests/test_memo.c $(meter_sources) $(suite_sources)
tests_test_memo_CFLAGS = $(TEST_CFLAGS)
tests_test_memo_LDADD = $(STORE_TEST_LIBS)

tests_test_pool_SOURCES = tests/test_pool.c $(meter_sources) $(suite_sources)
tests_test_pool_CFLAGS = $(TEST_CFLAGS)
tests_test_pool_LDADD = $(STORE_TEST_LIBS)

tests_test_table_SOURCES = tests/test_table.c $(meter_sources) $(suite_sources)
tests_test_table_CFLAGS = $(TEST_CFLAGS)
tests_test_table_LDADD = $(STORE_TEST_LIBS)

fake_sources = tests/fake.c tests/fake.h $(meter_sources) $(suite_sources)

tests_test_client_calls_SOURCES = tests/test_client_calls.c $(fake_sources)
tests_test_client_calls_CFLAGS = $(TEST_CFLAGS)
tests_test_client_calls_LDADD = $(LINK_TEST_LIBS)

tests_test_client_bytes_SOURCES = tests/test_client_bytes.c $(fake_sources)
tests_test_client_bytes_CFLAGS = $(TEST_CFLAGS)
tests_test_client_bytes_LDADD = $(LINK_TEST_LIBS)

tests_test_client_memory_SOURCES = tests/test_client_memory.c $(fake_sources)
tests_test_client_memory_CFLAGS = $(TEST_CFLAGS)
tests_test_client_memory_LDADD = $(LINK_TEST_LIBS)
tests_test_step_SOURCES = tests/test_step.c $(rig_sources)
tests_test_step_CFLAGS = $(TEST_CFLAGS)
tests_test_step_LDADD = $(STORE_TEST_LIBS)

tests_test_handle_SOURCES = tests/test_handle.c $(rig_sources) $(TWIN_SOURCES)
tests_test_handle_CPPFLAGS = $(TWIN_CPPFLAGS)
tests_test_handle_CFLAGS = $(TEST_CFLAGS)
tests_test_handle_LDADD = $(STORE_TEST_LIBS)

tests_test_names_SOURCES = tests/test_names.c $(rig_sources)
tests_test_names_CFLAGS = $(TEST_CFLAGS)
tests_test_names_LDADD = $(STORE_TEST_LIBS)

tests_test_object_SOURCES = tests/test_object.c $(rig_sources)
tests_test_object_CFLAGS = $(TEST_CFLAGS)
tests_test_object_LDADD = $(STORE_TEST_LIBS)

tests_test_weak_SOURCES = tests/test_weak.c $(rig_sources)
tests_test_weak_CFLAGS = $(TEST_CFLAGS)
tests_test_weak_LDADD = $(STORE_TEST_LIBS)

tests_test_weak_containers_SOURCES = tests/test_weak_containers.c $(rig_sources) $(TWIN_SOURCES)
tests_test_weak_containers_CPPFLAGS = $(TWIN_CPPFLAGS)
tests_test_weak_containers_CFLAGS = $(TEST_CFLAGS)
tests_test_weak_containers_LDADD = $(STORE_TEST_LIBS)

tests_test_copy_SOURCES = tests/test_copy.c $(rig_sources) $(TWIN_SOURCES)
tests_test_copy_CPPFLAGS = $(TWIN_CPPFLAGS)
tests_test_copy_CFLAGS = $(TEST_CFLAGS)
tests_test_copy_LDADD = $(STORE_TEST_LIBS)

tests_test_memory_failure_SOURCES = tests/test_memory_failure.c tests/grammar.c tests/grammar.h tests/script.c \
	tests/script.h $(talk_sources) $(TWIN_SOURCES)
tests_test_memory_failure_CPPFLAGS = $(TWIN_CPPFLAGS)
tests_test_memory_failure_CFLAGS = $(TEST_CFLAGS)
tests_test_memory_failure_LDADD = $(HUB_TEST_LIBS)

tests_test_session_SOURCES = tests/test_session.c tests/script.c tests/script.h $(talk_sources) $(TWIN_SOURCES)
tests_test_session_CPPFLAGS = $(TWIN_CPPFLAGS)
tests_test_session_CFLAGS = $(TEST_CFLAGS)
tests_test_session_LDADD = $(HUB_TEST_LIBS)

tests_test_client_live_SOURCES = tests/test_client_live.c $(suite_sources)
tests_test_client_live_CFLAGS = $(TEST_CFLAGS)
tests_test_client_live_LDADD = $(LINK_TEST_LIBS)

tests_test_config_SOURCES = tests/test_config.c $(suite_sources)
tests_test_config_CFLAGS = $(TEST_CFLAGS)
tests_test_config_LDADD = $(DAEMON_TEST_LIBS)

tests_test_client_ends_SOURCES = tests/test_client_ends.c $(fake_sources)
tests_test_client_ends_CFLAGS = $(TEST_CFLAGS)
tests_test_client_ends_LDADD = $(LINK_TEST_LIBS)

tests_test_depth_SOURCES = tests/test_depth.c $(rig_sources)
tests_test_depth_CFLAGS = $(TEST_CFLAGS)
tests_test_depth_LDADD = $(STORE_TEST_LIBS)

tests_test_session_limits_SOURCES = tests/test_session_limits.c tests/grammar.c tests/grammar.h tests/script.c \
	tests/script.h $(talk_sources) $(TWIN_SOURCES)
tests_test_session_limits_CPPFLAGS = $(TWIN_CPPFLAGS)
tests_test_session_limits_CFLAGS = $(TEST_CFLAGS)
tests_test_session_limits_LDADD = $(HUB_TEST_LIBS)

tests_test_linger_SOURCES = tests/test_linger.c tests/script.c tests/script.h $(talk_sources) $(TWIN_SOURCES)
tests_test_linger_CPPFLAGS = $(TWIN_CPPFLAGS)
tests_test_linger_CFLAGS = $(TEST_CFLAGS)
tests_test_linger_LDADD = $(HUB_TEST_LIBS)

tests_test_check_SOURCES = tests/test_check.c $(rig_sources)
tests_test_check_CFLAGS = $(TEST_CFLAGS)
tests_test_check_LDADD = $(STORE_TEST_LIBS)
tests_test_gc_SOURCES = tests/test_gc.c $(suite_sources)
tests_test_gc_CFLAGS = $(TEST_CFLAGS)
tests_test_gc_LDADD = $(STORE_TEST_LIBS)

tests_test_tidy_SOURCES = tests/test_tidy.c $(talk_sources)
tests_test_tidy_CFLAGS = $(TEST_CFLAGS)
tests_test_tidy_LDADD = $(HUB_TEST_LIBS)

tests_test_timing_SOURCES = tests/test_timing.c $(talk_sources)
tests_test_timing_CFLAGS = $(TEST_CFLAGS)
tests_test_timing_LDADD = $(HUB_TEST_LIBS)

tests_test_serial_SOURCES = tests/test_serial.c $(rig_sources)
tests_test_serial_CFLAGS = $(TEST_CFLAGS)
tests_test_serial_LDADD = $(STORE_TEST_LIBS)
tests_test_cli_latency_SOURCES = tests/test_cli_latency.c $(suite_sources)
tests_test_cli_latency_CFLAGS = $(TEST_CFLAGS)
tests_test_cli_latency_LDADD = $(CLIENT_TEST_LIBS)

tests_test_cli_parser_SOURCES = tests/test_cli_parser.c $(suite_sources)
tests_test_cli_parser_CFLAGS = $(TEST_CFLAGS)
tests_test_cli_parser_LDADD = $(CLIENT_TEST_LIBS)

tests_test_cli_text_SOURCES = tests/test_cli_text.c $(suite_sources)
tests_test_cli_text_CFLAGS = $(TEST_CFLAGS)
tests_test_cli_text_LDADD = $(CLIENT_TEST_LIBS)

tests_test_why_SOURCES = tests/test_why.c $(talk_sources)
tests_test_why_CFLAGS = $(TEST_CFLAGS)
tests_test_why_LDADD = $(HUB_TEST_LIBS)
