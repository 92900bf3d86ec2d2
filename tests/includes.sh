#!/bin/sh
# Who may include whom (docs/architecture.md): the folders' #include lines, one claim per folder. Writes TAP.
#
# A folder may include its own headers, what the table allows it, and system headers but those that are kept from it.
set -u
cd "${TOP_SRCDIR:-$(dirname "$0")/..}" || exit 1

count=0
failed=0

# report NAME OFFENDERS: one TAP line; fails if there are offenders.
report()
{
    count=$((count + 1))
    if [ -z "$2" ]; then
        echo "ok $count - $1"
    else
        failed=1
        echo "not ok $count - $1"
        printf '%s\n' "$2" | sed 's/^/# /'
    fi
}

# lines FOLDER: every #include line of the folder's C files, as file:line.
lines()
{
    find "$1" \( -name '*.c' -o -name '*.h' -o -name '*.def' \) -exec grep -HE '^[[:space:]]*#[[:space:]]*include' {} + \
        | sed 's/:[[:space:]]*#[[:space:]]*include[[:space:]]*/:/'
}

# rooted FOLDER ALLOWED: the quoted includes that do not match the extended regular expression ALLOWED.
rooted()
{
    lines "$1" | grep '"' | grep -vE ":\"($2)\""
}

# system FOLDER FORBIDDEN: the includes in angle brackets that match.
system()
{
    lines "$1" | grep -E ":<($2)"
}

report "store includes itself, protocol/err.h and protocol/limits.h, only" \
    "$(rooted store 'store/.*|protocol/(err|limits)\.h|protocol/errors\.def|protocol/types\.def|protocol/type_methods\.def')"
report "store includes no libuv and no socket" \
    "$(system store 'uv|sys/socket|sys/un|netinet|arpa|netdb')"
report "store includes no msgpack" "$(system store 'msgpack')"
report "protocol includes itself only" "$(rooted protocol 'protocol/.*')"
report "protocol includes no libuv and no socket" \
    "$(system protocol 'uv|sys/socket|sys/un|netinet|arpa|netdb')"
report "daemon includes daemon, store and protocol" "$(rooted daemon '(daemon|store|protocol)/.*')"
report "client includes client and protocol" "$(rooted client '(client|protocol)/.*')"
report "client includes no libuv" "$(system client 'uv')"
report "only daemon/convert.c knows both store values and wire values" \
    "$(for file in daemon/*.c; do
        [ "$file" = daemon/convert.c ] && continue
        grep -qE '"store/kinds/' "$file" && grep -qE '<msgpack|"protocol/pack\.h"' "$file" && echo "$file"
    done)"
report "only the network files of daemon include libuv" \
    "$(system daemon 'uv' | grep -vE '^daemon/(main|server|conn|listen|pace|deadline)\.[ch]:')"

echo "1..$count"
exit $failed
