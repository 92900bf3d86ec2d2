#!/bin/sh
# docs/heapd.8 names every option that heapd --help names, with its argument, and no other. Writes TAP.
set -u
heapd=${HEAPD:-build/heapd}
page=${TOP_SRCDIR:-$(dirname "$0")/..}/docs/heapd.8

help=$("$heapd" --help | sed -n 's/^  --\([a-z-]*\)\( \([^ ]*\)\)\{0,1\}.*/\1 \3/p' | sed 's/ $//' | sort)
manual=$(sed -n 's/\\-/-/g; s/"//g; s/^\.BI* --\([a-z-]*\)\( *[^ ]*\)\{0,1\}$/\1\2/p' "$page" | tr -s ' ' | sort)

echo "1..1"
if [ -n "$help" ] && [ "$help" = "$manual" ]; then
    echo "ok 1 - the manual page names the options of --help"
else
    echo "not ok 1 - the manual page names the options of --help"
    printf '# --help:\n%s\n# heapd.8:\n%s\n' "$help" "$manual" | sed '/^#/!s/^/#   /'
    exit 1
fi
