# tests/unit.mk: the unit tests in C, on libcheck. One line a test in `unit_tests`; its source is tests/NAME.c unless
# NAME_SOURCES says more, and it links what NAME_LDADD says.
unit_tests += \
	tests/test_feed \
	tests/test_pack \
	tests/test_read

suite_sources = tests/suite.c tests/suite.h

tests_test_feed_SOURCES = tests/test_feed.c $(suite_sources)
tests_test_feed_CFLAGS = $(TEST_CFLAGS)
tests_test_feed_LDADD = $(PROTOCOL_TEST_LIBS)

tests_test_pack_SOURCES = tests/test_pack.c $(suite_sources)
tests_test_pack_CFLAGS = $(TEST_CFLAGS)
tests_test_pack_LDADD = $(PROTOCOL_TEST_LIBS)

tests_test_read_SOURCES = tests/test_read.c $(suite_sources)
tests_test_read_CFLAGS = $(TEST_CFLAGS)
tests_test_read_LDADD = $(PROTOCOL_TEST_LIBS)
