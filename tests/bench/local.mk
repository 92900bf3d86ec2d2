# tests/bench/: what `./dev bench` runs. `make bench` builds the programs; one line each, in alphabetical order.
bench_programs = \
	tests/bench/bulk \
	tests/bench/crowd \
	tests/bench/echo \
	tests/bench/load \
	tests/bench/small

EXTRA_PROGRAMS += $(bench_programs)
check_PROGRAMS += tests/bench/load
# `all` is a make of its own: the programs wait for it, or both would build the same objects.
bench: all
	$(MAKE) $(AM_MAKEFLAGS) $(bench_programs)
.PHONY: bench

# The scripts, and what they import.
EXTRA_DIST += \
	tests/bench/bench.py \
	tests/bench/bulk.py \
	tests/bench/connections.py \
	tests/bench/instructions.py \
	tests/bench/lab.py \
	tests/bench/memory.py \
	tests/bench/stall.py

bench_wire = tests/bench/wire.c tests/bench/wire.h

tests_bench_bulk_SOURCES = tests/bench/bulk.c
tests_bench_bulk_LDADD = libstore.a libprotocol.a $(MSGPACK_LIBS) -lm

tests_bench_crowd_SOURCES = tests/bench/crowd.c $(bench_wire)
tests_bench_echo_SOURCES = tests/bench/echo.c
tests_bench_echo_LDADD = $(UV_LIBS)

tests_bench_load_SOURCES = tests/bench/load.c tests/bench/ops.c tests/bench/ops.h $(bench_wire)

tests_bench_small_SOURCES = tests/bench/small.c
tests_bench_small_LDADD = libstore.a libprotocol.a $(MSGPACK_LIBS) -lm
