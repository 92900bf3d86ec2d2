/* glob.c - matching with one remembered star: only the last one ever needs to take more. */
#include "daemon/glob.h"

#include <stdint.h>

struct span {
    const char *at, *end;
};

/* Takes one code point of UTF-8 that is known to be well formed; a broken byte stands for itself. */
static uint32_t take(struct span *span)
{
    unsigned char first = (unsigned char)*span->at++;
    uint32_t point = first < 0xc0 ? first : first < 0xe0 ? first & 0x1f : first < 0xf0 ? first & 0x0f : first & 0x07;

    while (first >= 0xc0 && span->at < span->end && ((unsigned char)*span->at & 0xc0) == 0x80)
        point = point << 6 | ((unsigned char)*span->at++ & 0x3f);
    return point;
}

/* Behind '[': whether the set holds `point`. Leaves `pattern` behind ']', or at the end if there is none. */
static bool set_holds(struct span *pattern, uint32_t point)
{
    bool is_negated = pattern->at < pattern->end && (*pattern->at == '!' || *pattern->at == '^');
    bool holds = false;

    if (is_negated)
        pattern->at++;
    for (bool is_first = true; pattern->at < pattern->end && (is_first || *pattern->at != ']'); is_first = false) {
        uint32_t low = take(pattern);
        uint32_t high = low;

        if (pattern->end - pattern->at >= 2 && pattern->at[0] == '-' && pattern->at[1] != ']') {
            pattern->at++;
            high = take(pattern);
        }
        holds = holds || (point >= low && point <= high);
    }
    if (pattern->at < pattern->end)
        pattern->at++;
    return holds != is_negated;
}

/* Matches one element of the pattern that is no star against one code point. */
static bool element_matches(struct span *pattern, uint32_t point)
{
    uint32_t element = take(pattern);

    if (element == '?')
        return true;
    return element == '[' ? set_holds(pattern, point) : element == point;
}

bool glob_matches(const char *pattern_bytes, size_t pattern_len, const char *text_bytes, size_t len)
{
    struct span pattern = {pattern_bytes, pattern_bytes + pattern_len};
    struct span text = {text_bytes, text_bytes + len};
    struct span star = {0};       /* behind the last star */
    struct span star_text = {0};  /* what it has not taken */

    while (text.at < text.end) {
        struct span element = pattern;

        if (pattern.at < pattern.end && *pattern.at == '*') {
            pattern.at++;
            star = pattern;
            star_text = text;
            continue;
        }
        if (pattern.at < pattern.end && element_matches(&element, take(&text))) {
            pattern = element;
            continue;
        }
        if (star.at == NULL)
            return false;
        take(&star_text);
        pattern = star;
        text = star_text;
    }
    while (pattern.at < pattern.end && *pattern.at == '*')
        pattern.at++;
    return pattern.at == pattern.end;
}
