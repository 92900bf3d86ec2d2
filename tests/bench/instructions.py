#!/usr/bin/python3
"""How many instructions the daemon runs for one request, from bytes in to bytes out, and whether they are too many.

    ./dev bench instructions [--json FILE] [OPERATION...]

For each operation the release build runs twice under callgrind: one connection sends a few requests, and many, 64
at a time; the difference, divided, is what one costs in user space. What such a count does not see: the kernel, and
misses of caches. It is the same on every machine with the same compiler and libraries, and from run to run within
0.2 % (the keys of the hash functions are random). The last rows are of requests that come one at a time, each with a
round of the loop: there, system calls are counted, too, and looks at the clock, which are calls under callgrind.

Exit status 1 if an operation is over its budget; it is named. Whoever makes one cheaper lowers its budget, here: to
what was counted and 5 %, for other compilers; a row that is far below says to what. Whoever must make one dearer says
why in the commit that raises it.
"""
import argparse
import math
import re
import sys

import lab

BUDGETS = [  # operation of ops.c, what it is, instructions at most
    ("ping", "ping", 380),
    ("get", "get of an int by name", 670),
    ("bind", "bind of a short str", 960),
    ("add", 'call(d, "add", [key])', 1_130),
    ("append", 'call(xs, "append", [1])', 870),
    ("set", 'call(d, "set", [key, str])', 1_430),
    ("item", 'call(xs, "get", [1])', 970),
    ("read", "read of a list of two", 1_250),
    ("new", "new list of two, dropped at once", 3_030),
    ("hold", "hold, and release as a notification", 3_110),
    ("getattr", "getattr of an int", 950),
    ("setattr", "setattr of an int", 1_060),
    ("weakref", "weakref, dropped at once", 1_800),
    ("deref", "deref of a weakref", 1_640),
    ("names", "names, the first two", 2_010),
    ("type", "type of a name", 800),
    ("refcount", "refcount of a name", 670),
    ("batch", "batch of two type", 2_380),
]
AMONG_MANY = [  # the same, with so many names that look-ups of a batch wait for memory together
    ("get", "get of an int by name, among 70,000", 820),
]
ONE_AT_A_TIME = [  # operation, what it is, instructions at most, system calls at most
    ("ping", "ping, one at a time", 2_010, 6.3),
    ("get", "get of an int by name, one at a time", 2_270, 6.3),
]
MARGIN = 1.05  # of a budget over what was counted
FAR_BELOW = 0.95
KEYS = 1000
MANY_KEYS = 70_000


def run_once(op, depth, keys, requests):
    """[instructions, calls] of a whole run of the daemon with so many requests."""
    callgrind = ["valgrind", "--tool=callgrind", "--collect-systime=nsec", "--callgrind-out-file=DIRECTORY/counts"]
    with lab.Heapd(before=callgrind, settings={"gc.enabled": 0}) as server:  # it would run by the clock
        server.load("--fill", "--keys", keys)
        server.load("--op", op, "--depth", depth, "--connections", 1, "--keys", keys, "--requests", requests)
        server.end()
        with open(server.path("counts"), encoding="utf-8") as file:
            totals = re.search(r"^(?:summary|totals): (\d+) (\d+)", file.read(), re.MULTILINE)
            return [int(count) for count in totals.groups()]


def cost_of(op, depth, keys):
    """[instructions, calls] of one request."""
    few, many = (6400, 32000) if depth > 1 else (1000, 5000)
    counts = zip(run_once(op, depth, keys, few), run_once(op, depth, keys, many))
    return [(most - least) / (many - few) for least, most in counts]


def measure(op, text, depth, keys, most, most_calls=None):
    """Prints a row; the row, and what is said if it is over its budget."""
    cost, calls = cost_of(op, depth, keys)
    seen = f"{calls:.2f}" if most_calls else ""
    lower = math.ceil(cost * MARGIN / 10) * 10
    hint = f"lower to {lower:,}" if lower < FAR_BELOW * most else ""
    print(f"| {op} | {text} | {cost:,.0f} | {most:,} | {seen} | {most_calls or ''} | {hint} |", flush=True)
    over = []
    if cost > most:
        over.append(f"{op} ({text}) costs {cost:,.0f} instructions a request, and may cost {most:,}")
    if most_calls and calls > most_calls:
        over.append(f"{op} ({text}) costs {calls:.2f} system calls a request, and may cost {most_calls}")
    return {"op": op, "depth": depth, "keys": keys, "instructions": cost, "budget": most, "calls": calls}, over


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("operations", nargs="*", metavar="OPERATION", help=", ".join(op for op, _, _ in BUDGETS))
    options = parser.parse_args()
    for op in set(options.operations) - {op for op, _, _ in BUDGETS}:
        parser.error(f"there is no operation called {op}")
    print("| operation | | instructions | at most | calls | at most | |\n| --- | --- | ---: | ---: | ---: | ---: | --- |")
    parts = [(64, KEYS, BUDGETS), (64, MANY_KEYS, AMONG_MANY), (1, KEYS, ONE_AT_A_TIME)]
    results = [measure(op, text, depth, keys, *budget) for depth, keys, rows in parts
               for op, text, *budget in rows if not options.operations or op in options.operations]
    lab.save(options.json, rows=[row for row, _ in results])
    over = [line for _, lines in results for line in lines]
    print("\n".join(["", *over] if over else ["", "within the budgets"]))
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
