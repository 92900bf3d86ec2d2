#!/bin/sh
# docs/methods.md is what the tables say. Writes TAP.
set -u
builddir=${TOP_BUILDDIR:-build}
page=${TOP_SRCDIR:-$(dirname "$0")/..}/docs/methods.md
made=$(mktemp)
trap 'rm -f "$made"' EXIT

"$builddir/docs/methods_page" >"$made"
echo "1..1"
if diff "$page" "$made" | sed 's/^/# /' >&2 && cmp -s "$page" "$made"; then
    echo "ok 1 - docs/methods.md is what the tables say"
else
    echo "not ok 1 - docs/methods.md is what the tables say"
    echo "# make -C build methods-page writes it anew"
    exit 1
fi
