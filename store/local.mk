# store/: the heap. No socket, no libuv, no frame. One line a module.
noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	store/ahead.h \
	store/attr.c store/attr.h \
	store/bytes.h \
	store/check.c store/check.h \
	store/compare.c store/compare.h \
	store/copy.c store/copy.h \
	store/deepcopy.c \
	store/fetch.h \
	store/gc.c store/gc.h \
	store/graph.c store/graph.h \
	store/handle.c store/handle.h \
	store/hash.c \
	store/heap.c store/heap.h \
	store/kind.c store/kind.h \
	store/ledger.c store/ledger.h \
	store/mem.c store/mem.h \
	store/memo.c store/memo.h \
	store/names.c store/names.h \
	store/obj.h \
	store/pool.c store/pool.h \
	store/pool_malloc.c \
	store/pool_page.h store/pool_trim.c store/pool_walk.c \
	store/recount.c store/recount.h \
	store/repr.c \
	store/serial.h \
	store/serial_bytes.c store/serial_bytes.h \
	store/serial_dump.c \
	store/serial_finish.c \
	store/serial_give.c \
	store/serial_load.c store/serial_loading.h \
	store/siphash.c \
	store/size.c store/size.h \
	store/step.c store/step.h \
	store/table.c store/table.h store/table_index.h \
	store/weak.c store/weak.h \
	store/why.c store/why.h \
	store/kinds/atoms.c store/kinds/atoms.h \
	store/kinds/builtin_new.c store/kinds/builtin_new.h \
	store/kinds/bytes_methods.c \
	store/kinds/dict.c store/kinds/dict.h \
	store/kinds/dict_methods.c \
	store/kinds/entries.c \
	store/kinds/iterate.c store/kinds/iterate.h \
	store/kinds/leaf.c \
	store/kinds/list_methods.c \
	store/kinds/list_sort.c \
	store/kinds/methods.h \
	store/kinds/namespace.c store/kinds/namespace.h \
	store/kinds/number.c store/kinds/number.h \
	store/kinds/number_text.c store/kinds/number_text.h \
	store/kinds/object.c store/kinds/object.h \
	store/kinds/queue.c store/kinds/queue.h \
	store/kinds/sequence.c store/kinds/sequence.h \
	store/kinds/sequence_methods.c \
	store/kinds/set_methods.c \
	store/kinds/slice.c \
	store/kinds/str_case.c \
	store/kinds/str_join.c \
	store/kinds/str_methods.c \
	store/kinds/str_search.c \
	store/kinds/str_split.c \
	store/kinds/text.c store/kinds/text.h \
	store/kinds/update.c \
	store/kinds/utf8.c store/kinds/utf8.h \
	store/kinds/vector.h \
	store/kinds/weak_methods.c \
	store/kinds/weak_table.c store/kinds/weak_table.h
