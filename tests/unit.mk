# tests/unit.mk: the unit tests in C, on libcheck. A test is one line in `unit_tests`, and what it is made of below.
unit_tests += \
	tests/test_client_bytes \
	tests/test_client_calls \
	tests/test_client_memory \
	tests/test_feed \
	tests/test_pack \
	tests/test_pool \
	tests/test_read \
	tests/test_table

suite_sources = tests/suite.c tests/suite.h
meter_sources = tests/meter.c tests/meter.h

tests_test_feed_SOURCES = tests/test_feed.c $(suite_sources)
tests_test_feed_CFLAGS = $(TEST_CFLAGS)
tests_test_feed_LDADD = $(PROTOCOL_TEST_LIBS)

tests_test_pack_SOURCES = tests/test_pack.c $(suite_sources)
tests_test_pack_CFLAGS = $(TEST_CFLAGS)
tests_test_pack_LDADD = $(PROTOCOL_TEST_LIBS)

tests_test_read_SOURCES = tests/test_read.c $(suite_sources)
tests_test_read_CFLAGS = $(TEST_CFLAGS)
tests_test_read_LDADD = $(PROTOCOL_TEST_LIBS)

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
