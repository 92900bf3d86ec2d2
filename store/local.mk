# store/: the heap. No socket, no libuv, no frame.
noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	store/heap.h store/kind.h store/mem.c store/mem.h store/obj.h store/pool.h store/table.h
