# docs/: what users and maintainers read.
dist_man_MANS += docs/heapd.8 docs/heap-cli.1
examplesdir = $(docdir)/examples
dist_examples_DATA = docs/examples/hello.c docs/examples/loop.c
dist_doc_DATA += README.md docs/architecture.md docs/conformance.md docs/dump-format.md docs/memory.md docs/methods.md \
	docs/performance.md docs/protocol.md docs/semantics.md docs/tour.md
adrdir = $(docdir)/adr
dist_adr_DATA = docs/adr/0001-a-hub-without-sockets.md docs/adr/0002-collector.md \
	docs/adr/0003-frames-are-scanned-then-read-in-place.md \
	docs/adr/0004-handles-in-radix-trees.md \
	docs/adr/0005-one-table-that-rebuilds-itself-in-steps.md \
	docs/adr/0006-pages-by-size-and-use.md \
	docs/adr/0007-the-answer-comes-before-the-change.md \
	docs/adr/0008-a-death-notice-lives-in-its-weakref.md \
	docs/adr/0009-libraries-around-the-heap.md \
	docs/adr/0010-dumps-are-read-and-written-by-hand.md \
	docs/adr/0011-a-sample-of-quick-requests-is-timed.md \
	docs/adr/0012-a-resume-moves-the-connection.md docs/adr/0013-looking-while-others-write.md \
	docs/adr/0014-writes-wait-for-a-long-copy.md \
	docs/adr/0015-short-names-are-hashed-by-multiplying.md \
	docs/adr/README.md

# docs/methods.md comes from the tables, and protocol.md's list of what is not there yet shrinks with them.
check_PROGRAMS += docs/methods_page
docs_methods_page_SOURCES = docs/methods_page.c
docs_methods_page_LDADD = libprotocol.a $(MSGPACK_LIBS)
methods-page: docs/methods_page$(EXEEXT)
	docs/methods_page$(EXEEXT) >$(top_srcdir)/docs/methods.md.new
	mv $(top_srcdir)/docs/methods.md.new $(top_srcdir)/docs/methods.md
	TOP_SRCDIR=$(top_srcdir) /usr/bin/python3 $(top_srcdir)/tests/documents.py --shrink
.PHONY: methods-page
