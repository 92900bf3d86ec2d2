/*
 * tests/grammar.h - requests that look valid, made from choices: random numbers in a test, the bytes of an input in a
 * fuzzer.
 *
 * Methods, arguments and options come from the tables of protocol/, so a new row is covered by itself.
 */
#ifndef HEAPD_TESTS_GRAMMAR_H
#define HEAPD_TESTS_GRAMMAR_H

#include "protocol/pack.h"

/* Where choices come from. */
struct grammar {
    /* A number 0 ... below - 1. */
    unsigned (*choose)(void *context, unsigned below);
    void *context;
    struct buf *out;
};

/* Packs one request, or now and then a notification. */
void grammar_request(struct grammar *grammar);

#endif
