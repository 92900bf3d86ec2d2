#!/bin/sh
# The manual pages name every option that --help names, with its argument, and no other. Writes TAP.
set -u
docs=${TOP_SRCDIR:-$(dirname "$0")/..}/docs
count=0
failed=0

# compare PROGRAM PAGE
compare()
{
    count=$((count + 1))
    help=$("$1" --help | sed -n 's/^  *\(-., \)\{0,1\}--\([a-z-]*\)\( \([^ ]*\)\)\{0,1\}.*/\2 \4/p' | sed 's/ $//' | sort)
    manual=$(sed -n 's/\\-/-/g; s/"//g; s/^\.BI* *\(-., \)\{0,1\}--\([a-z-]*\)\( *[^ ]*\)\{0,1\}$/\2\3/p' "$docs/$2" |
        tr -s ' ' | sort)
    if [ -n "$help" ] && [ "$help" = "$manual" ]; then
        echo "ok $count - $2 names the options of --help"
        return
    fi
    failed=1
    echo "not ok $count - $2 names the options of --help"
    printf '# --help:\n%s\n# %s:\n%s\n' "$help" "$2" "$manual" | sed '/^#/!s/^/#   /'
}

compare "${HEAPD:-build/heapd}" heapd.8
compare "${HEAP_CLI:-build/heap-cli}" heap-cli.1

echo "1..$count"
exit $failed
