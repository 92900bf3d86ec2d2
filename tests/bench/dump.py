#!/usr/bin/python3
"""Dump and load beside Python's pickle (protocol 5): the same graphs, on this machine, in one run.

    ./dev bench dump [--objects N] [--rounds N] [--json FILE]

records   a list of dicts with a number, a name, a float, a list of two strs, and references to two earlier records
lists     lists of lists of numbers
objects   instances of one class with four attributes, two of them references to earlier instances

Figures are nanoseconds for each object that the dump numbers, over all rounds: heapd's own CPU time, with the reading
or writing of the blob on its socket, and pickle's CPU time in this process with the collector off.
"""
import argparse
import gc
import os
import pickle
import random
import struct
import sys
import time

import lab

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from dump_format import Node, encode  # noqa: E402


class Point:
    pass


# -- graphs ------------------------------------------------------------------------------------------------------------


def records(objects, rng):
    made, tags = [], [f"tag {i}" for i in range(100)]
    for i in range(objects // 8):
        made.append({"id": 1000 + i, "name": f"record number {i}", "score": i * 0.5,
                     "tags": [tags[i % 100], tags[i % 7]], "left": rng.choice(made or [None]),
                     "right": rng.choice(made or [None])})
    return made


def lists(objects, rng):
    return [[[1000 + i, -i], [i % 100, 70000 + i, None]] for i in range(objects // 8)]


def objects(objects, rng):
    made = []
    for i in range(objects // 3):
        point = Point()
        point.x, point.y = 1000 + i, i * 0.25
        point.left = rng.choice(made or [None])
        point.right = rng.choice(made or [None])
        made.append(point)
    return made


GRAPHS = {"records": records, "lists": lists, "objects": objects}


def nodes_of(root):
    """The graph of Python objects as that of dump_format.py: what is one object there is one here."""
    node_of, work = {}, []
    of_class = Node("class", name="Point")

    def node(value):
        if isinstance(value, bool) or value is None or isinstance(value, (int, float, str)):
            kind = "atom"
        else:
            kind = {list: "list", tuple: "tuple", dict: "dict"}.get(type(value), "object")
        if id(value) not in node_of:
            node_of[id(value)] = Node(kind, value=value if kind == "atom" else None)
            if kind != "atom":
                work.append(value)
        return node_of[id(value)]

    top = node(root)
    while work:
        value = work.pop()
        into = node_of[id(value)]
        if into.kind in ("list", "tuple"):
            into.items = [node(item) for item in value]
        elif into.kind == "dict":
            into.items = [node(each) for pair in value.items() for each in pair]
        else:
            into.items = [of_class]
            for name, item in vars(value).items():
                into.items += [name, node(item)]
    return top


# -- measuring ---------------------------------------------------------------------------------------------------------


def measure(rounds, clock, step, after=lambda result: None):
    """Seconds of one step, over all rounds."""
    spent = 0
    for _ in range(rounds):
        begin = clock()
        result = step()
        spent += clock() - begin
        after(result)
    return spent / rounds


def heapd_figures(blob, rounds):
    with lab.Heapd(settings={"limits.work": "100M", "limits.frame": "1G", "limits.read": "1G"}) as server:
        wire = server.wire()

        def forget(made):
            wire.call("release", made)

        made = wire.call("load", blob)["@"][0]
        dump = measure(rounds, server.cpu, lambda: wire.call("dump", made))
        forget(made)
        load = measure(rounds, server.cpu, lambda: wire.call("load", blob)["@"][0], forget)
        return dump, load


def pickle_figures(root, rounds):
    data = pickle.dumps(root, protocol=5)
    gc.disable()
    dump = measure(rounds, time.process_time, lambda: pickle.dumps(root, protocol=5))
    load = measure(rounds, time.process_time, lambda: pickle.loads(data))
    gc.enable()
    return dump, load, len(data)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--json")
    options = parser.parse_args()
    sys.setrecursionlimit(100_000)
    rows = []
    print("            objects   dump ns  pickle   load ns  pickle       bytes      pickle")
    for name, make in GRAPHS.items():
        root = make(options.objects, random.Random(1))
        blob = encode(nodes_of(root))
        count = struct.unpack(">I", blob[12:16])[0]
        ours = heapd_figures(blob, options.rounds)
        theirs = pickle_figures(root, options.rounds)
        ns = [round(seconds * 1e9 / count, 1) for seconds in (ours[0], theirs[0], ours[1], theirs[1])]
        print(f"{name:8} {count:9} {ns[0]:9} {ns[1]:7} {ns[2]:9} {ns[3]:7} {len(blob):11} {theirs[2]:11}", flush=True)
        rows.append({"graph": name, "objects": count, "dump_ns": ns[0], "pickle_dump_ns": ns[1], "load_ns": ns[2],
                     "pickle_load_ns": ns[3], "bytes": len(blob), "pickle_bytes": theirs[2]})
    lab.save(options.json, rows=rows)


main()
