/*
 * store/fetch.h - for functions that ask for memory ahead of its use, and do nothing else: gcc takes such a function
 * for one without effect and removes its calls, unless it is inline.
 */
#ifndef HEAPD_STORE_FETCH_H
#define HEAPD_STORE_FETCH_H

#define FETCHES inline __attribute__((always_inline))

#endif
