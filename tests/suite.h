/*
 * tests/suite.h - running a suite of unit tests: libcheck writes TAP by itself when the environment asks for it
 * (tests/local.mk).
 */
#ifndef HEAPD_TESTS_SUITE_H
#define HEAPD_TESTS_SUITE_H

#include <check.h>
#include <stddef.h>

/* Registers the tests of a NULL-terminated list, runs them, and returns the exit status of the program. */
int suite_run(const char *name, const TTest *const *tests);

/* A string literal's bytes and their number, zeros inside included. */
#define BYTES(literal) (literal), (sizeof(literal) - 1)

/* Bounded numbers that are the same in every run (xorshift64*, S. Vigna 2016); *state starts at any value but 0. */
unsigned suite_random(unsigned long long *state, unsigned below);

#endif
