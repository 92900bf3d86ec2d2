/* daemon/glob.h - globs of names: *, ?, [a-z], [!a-z]. */
#ifndef HEAPD_DAEMON_GLOB_H
#define HEAPD_DAEMON_GLOB_H

#include <stdbool.h>
#include <stddef.h>

/* Whether all of `text` matches. Never backtracks beyond the last star: at most pattern_len * len steps. ? and [] stand
 * for one code point. */
bool glob_matches(const char *pattern, size_t pattern_len, const char *text, size_t len);

#endif
