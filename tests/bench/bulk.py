#!/usr/bin/python3
"""What the heap's own work costs for each object of a large graph, beside CPython on the same graphs.

    ./dev bench bulk [--objects 1000000] [--largest 10000000] [--rounds 3] [--json FILE]

heapd is tests/bench/bulk.c: the heap in one process, without a socket. CPython is /usr/bin/python3 with copy.deepcopy, pickle
(protocol 5), weakref and gc; its collector is off but where it is measured. Both do the same, on one core, in turns; told
is the least CPU time of all rounds, in nanoseconds for each object. `Growth` is the largest graph against one of 10,000.

nodes     a list of instances with two attributes, each a list with an int; in a ring the lists hold the instance too
points    a list of instances with an int, a float and references to two earlier ones
records   a list of dicts with an int, a str, a float, a list of two strs, and references to two earlier ones

Dumps and loads count what a dump numbers: an object that is met again counts once.
"""
import argparse
import collections
import copy
import gc
import json
import os
import pickle
import random
import subprocess
import sys
import time
import weakref

import lab

PYTHON = "/usr/bin/python3"
SMALLEST = 10_000
GROWTH = 1.3
GOALS = {  # nanoseconds; None: only told
    "make": None, "deep copy": 80, "drop": 35, "gc pass over live ones": 20, "gc of dead cycles": 90,
    "make a weak reference": 60, "tell a death": 100, "dump nodes": 100, "load nodes": 120, "dump points": 100,
    "load points": 120, "dump records": 100, "load records": 120, "drop points": 35, "drop records": 35}


# -- CPython -----------------------------------------------------------------------------------------------------------


class Node:
    pass


class Watched:
    __slots__ = ("__weakref__",)


def nodes(count, is_ring=False):
    made = []
    for i in range(count // 5):
        node = Node()
        node.left, node.right = [1000 + i], [1000 + i]
        if is_ring:
            node.left.append(node)
            node.right.append(node)
        made.append(node)
    return made


def points(count):
    made, rng = [], random.Random(1)
    for i in range(count // 3):
        point = Node()
        point.x, point.y = 1000 + i, i * 0.25
        point.left, point.right = rng.choice(made or [None]), rng.choice(made or [None])
        made.append(point)
    return made


def records(count):
    made, rng, tags = [], random.Random(1), [f"tag {i}" for i in range(100)]
    for i in range(count // 5):
        made.append({"id": 1000 + i, "name": f"record number {i}", "score": i * 0.5, "tags": [tags[i % 100], tags[i % 7]],
                     "left": rng.choice(made or [None]), "right": rng.choice(made or [None])})
    return made


def spent(work):
    """What it took, for all objects, and what it gave."""
    start = time.process_time_ns()
    result = work()
    return time.process_time_ns() - start, result


def python_figures(count):
    told = {}
    gc.disable()
    sys.setrecursionlimit(100_000)
    told["make"], graph = spent(lambda: nodes(count))
    told["deep copy"], held = spent(lambda: [copy.deepcopy(graph)])
    told["drop"], _ = spent(held.clear)
    told["gc pass over live ones"], _ = spent(gc.collect)
    del graph
    nodes(count, True)
    told["gc of dead cycles"], _ = spent(gc.collect)
    watched, deaths = [Watched() for _ in range(count)], collections.deque()
    told["make a weak reference"], refs = spent(lambda: [weakref.ref(o, deaths.append) for o in watched])
    told["tell a death"], _ = spent(watched.clear)
    assert len(deaths) == len(refs) == count
    del refs, deaths
    for make in (nodes, points, records):
        graph = make(count)
        told["dump " + make.__name__], data = spent(lambda: pickle.dumps(graph, protocol=5))
        del graph
        told["load " + make.__name__], held = spent(lambda: [pickle.loads(data)])
        told["drop " + make.__name__], _ = spent(held.clear)
    return {what: ns / count for what, ns in told.items()}


# -- both in turns -----------------------------------------------------------------------------------------------------


def heapd_figures(sizes):
    """{(what, size): ns}"""
    command = [os.path.join(lab.PROGRAMS, "bulk"), *map(str, sizes)]
    done = subprocess.run(lab.pinned(0, command), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    figures, size = {}, None
    for line in done.stdout.splitlines():
        what, _, rest = line.partition("  ")
        if what == next(iter(GOALS)):
            size = sizes[0] if size is None else sizes[sizes.index(size) + 1]
        figures[what, size] = float(rest.split()[2])
    return figures


def peer_figures(count):
    command = [PYTHON, os.path.abspath(__file__), "--peer", str(count)]
    done = subprocess.run(lab.pinned(0, command), stdout=subprocess.PIPE, text=True, check=True)
    return {(what, "CPython"): ns for what, ns in json.loads(done.stdout).items()}


def measure(options, sizes):
    least = {}
    for done in range(options.rounds):
        print(f"round {done + 1} of {options.rounds}", file=sys.stderr)
        for figures in (heapd_figures(sizes), peer_figures(options.objects)):
            for key, ns in figures.items():
                least[key] = min(ns, least.get(key, ns))
    return least


def judged(row):
    if row["goal"] is None:
        return ""
    missed = [] if row["heapd"] <= row["goal"] else ["goal missed"]
    if row["growth"] > GROWTH:
        missed.append("grows")
    return ", ".join(missed) or "met"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=1_000_000)
    parser.add_argument("--largest", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--peer", type=int, help=argparse.SUPPRESS)  # this process is the CPython that is measured
    options = parser.parse_args()
    if options.peer:
        json.dump(python_figures(options.peer), sys.stdout)
        return
    sizes = sorted({SMALLEST, options.objects, options.largest})
    least = measure(options, sizes)
    rows = []
    for what, goal in GOALS.items():
        ns = [least[what, size] for size in sizes]
        row = {"what": what, "heapd": least[what, options.objects], "cpython": least[what, "CPython"], "goal": goal,
               "sizes": dict(zip(sizes, ns)), "growth": ns[-1] / ns[0]}
        rows.append({**row, "verdict": judged(row)})
    print(lab.markdown(
        ["ns for each object", *(f">heapd, {size:,}" for size in sizes), f">CPython, {options.objects:,}", ">ratio", ">goal",
         ">growth", ""],
        [[row["what"], *(f"{ns:.1f}" for ns in row["sizes"].values()), f"{row['cpython']:.0f}",
          f"{row['cpython'] / row['heapd']:.1f}", "" if row["goal"] is None else f"≤ {row['goal']}", f"{row['growth']:.2f}",
          row["verdict"]] for row in rows]))
    lab.save(options.json, rows=rows)


main()
