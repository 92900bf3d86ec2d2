# docs/: what users and maintainers read.
dist_man_MANS += docs/heapd.8
examplesdir = $(docdir)/examples
dist_examples_DATA = docs/examples/hello.c docs/examples/loop.c
dist_doc_DATA += README.md docs/architecture.md docs/memory.md docs/methods.md docs/protocol.md docs/semantics.md \
	docs/tour.md

# docs/methods.md comes from the tables.
check_PROGRAMS += docs/methods_page
docs_methods_page_SOURCES = docs/methods_page.c
docs_methods_page_LDADD = libprotocol.a $(MSGPACK_LIBS)
methods-page: docs/methods_page$(EXEEXT)
	docs/methods_page$(EXEEXT) >$(top_srcdir)/docs/methods.md.new
	mv $(top_srcdir)/docs/methods.md.new $(top_srcdir)/docs/methods.md
.PHONY: methods-page
