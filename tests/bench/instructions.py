#!/usr/bin/python3
"""How many instructions the daemon runs for one request, from bytes in to bytes out, and whether they are too many.

    ./dev bench instructions [--json FILE] [OPERATION...]

For each operation the release build runs twice under callgrind: one connection sends a few requests, and many, 64
at a time; the difference, divided, is what one costs in user space. What such a count does not see: the kernel, and
misses of caches. It is the same on every machine with the same compiler and libraries, and from run to run within
0.2 % (the keys of the hash functions are random).

Exit status 1 if an operation is over its budget; it is named. Whoever makes one cheaper lowers its budget, here: to
what was counted and 5 %, for other compilers. Whoever must make one dearer says why in the commit that raises it.
"""
import argparse
import re
import sys

import lab

BUDGETS = [  # operation of ops.c, what it is, instructions at most
    ("ping", "ping", 810),
    ("get", "get of an int by name", 1310),
    ("bind", "bind of a short str", 2140),
    ("add", 'call(d, "add", [key])', 3220),
    ("append", 'call(xs, "append", [1])', 2270),
    ("set", 'call(d, "set", [key, str])', 3690),
    ("item", 'call(xs, "get", [1])', 2230),
    ("read", "read of a list of two", 1670),
    ("new", "new list of two, dropped at once", 3450),
    ("hold", "hold, and release as a notification", 3610),
    ("getattr", "getattr of an int", 1600),
    ("setattr", "setattr of an int", 1730),
    ("weakref", "weakref, dropped at once", 2140),
    ("deref", "deref of a weakref", 2030),
    ("names", "names, the first two", 2430),
    ("type", "type of a name", 1270),
    ("refcount", "refcount of a name", 1160),
    ("batch", "batch of two type", 3430),
]
DEPTH = 64
FEW, MANY = 100 * DEPTH, 500 * DEPTH
KEYS = 1000


def instructions_of(op, requests):
    """Of a whole run of the daemon with so many requests."""
    callgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=DIRECTORY/counts"]
    with lab.Heapd(before=callgrind, settings={"gc.enabled": 0}) as server:  # it would run by the clock
        server.load("--fill", "--keys", KEYS)
        server.load("--op", op, "--depth", DEPTH, "--connections", 1, "--keys", KEYS, "--requests", requests)
        server.end()
        with open(server.path("counts"), encoding="utf-8") as file:
            return int(re.search(r"^(?:summary|totals): (\d+)", file.read(), re.MULTILINE).group(1))


def cost_of(op):
    return (instructions_of(op, MANY) - instructions_of(op, FEW)) / (MANY - FEW)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("operations", nargs="*", metavar="OPERATION", help=", ".join(op for op, _, _ in BUDGETS))
    options = parser.parse_args()
    for op in set(options.operations) - {op for op, _, _ in BUDGETS}:
        parser.error(f"there is no operation called {op}")
    over = []
    print("| operation | | instructions | at most |\n| --- | --- | ---: | ---: |", flush=True)
    rows = []
    for op, text, budget in BUDGETS:
        if options.operations and op not in options.operations:
            continue
        cost = cost_of(op)
        rows.append({"op": op, "instructions": cost, "budget": budget})
        print(f"| {op} | {text} | {cost:,.0f} | {budget:,} |", flush=True)
        if cost > budget:
            over.append(f"{op} ({text}) costs {cost:,.0f} instructions a request, and may cost {budget:,}")
    lab.save(options.json, rows=rows)
    print("\n".join(["", *over] if over else ["", "within the budgets"]))
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
