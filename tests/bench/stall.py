#!/usr/bin/python3
"""How long everybody else waits while one client's large graph dies, is collected or copied, beside Redis.

    ./dev bench stall [--objects 1000000] [--json FILE]

One client does something large; another one, a process of its own, sends pings one after the other all the while. Told are its
longest wait and the 99th percentile of all, beside those of an idle server just before. The server runs on one core, the rest on
the other.
"""
import argparse
import multiprocessing
import socket
import sys
import time

import lab

PART = 10_000  # objects copied by one request


def pings(address, is_rpc, stop, results):
    """Pings until it is told to stop; answers the waits in microseconds."""
    wire = lab.Wire(address)
    waits = []
    while not stop.is_set():
        begun = time.perf_counter_ns()
        if is_rpc:
            wire.call("ping")
        else:
            wire.command("PING")
        waits.append((time.perf_counter_ns() - begun) / 1000)
    results.put(waits)


def waits_during(address, is_rpc, work):
    """[how long `work` took in ms, waits of the pinging client meanwhile]."""
    stop, results = multiprocessing.Event(), multiprocessing.Queue()
    process = multiprocessing.Process(target=pings, args=(address, is_rpc, stop, results))
    process.start()
    time.sleep(0.3)  # the pinging client is under way; this one measures nothing
    begun = time.perf_counter()
    work()
    took = (time.perf_counter() - begun) * 1000
    stop.set()
    waits = results.get()
    process.join()
    return took, waits


# -- heapd -----------------------------------------------------------------------------------------------------------


def make_graph(wire, objects, name, is_ring=False):
    """A list of lists of `PART` lists with an int each; as a ring, every inner list holds the whole."""
    wire.call("bind", "part", [[n] for n in range(PART // 2)])
    wire.call("bind", name, [])
    for _ in range(objects // PART):
        wire.call("deepcopy", "part", {"into": 1})
        if is_ring:
            wire.call("call", 1, "append", [{"@": name}])
        wire.call("call", name, "append", [{"@": 1}])
        wire.call("release", 1)
    wire.call("unbind", "part")


def heapd_cases(address, objects):
    wire = lab.Wire(address)

    yield "idle", lambda: time.sleep(1)
    make_graph(wire, objects, "graph")
    yield "unbind of the graph", lambda: wire.call("unbind", "graph")
    make_graph(wire, objects, "graph")
    yield "clear of the list", lambda: wire.call("call", "graph", "clear")
    wire.call("unbind", "graph")
    make_graph(wire, objects, "live")
    yield "gc, all alive", lambda: wire.call("gc")
    make_graph(wire, objects, "ring", True)
    wire.call("unbind", "ring")
    yield "gc of as many in cycles", lambda: wire.call("gc")
    other = lab.Wire(address)
    make_graph(other, objects, "graph")

    def end():
        other.sock.shutdown(socket.SHUT_RDWR)  # the pinging process has a copy of the descriptor
        while wire.call("stats", "sessions")["sessions"]["active"] > 2:
            time.sleep(0.001)

    yield "the end of a session that held it", end
    yield "collector: longest slice, us", wire.call("gc_info")["longest_slice_us"]


# -- Redis -----------------------------------------------------------------------------------------------------------


def fill_hash(wire, objects):
    for start in range(0, objects, PART):
        words = ["HSET", "graph"]
        for n in range(start, start + PART):
            words += [n, n]
        wire.command(*words)


def redis_cases(address, objects):
    wire = lab.Wire(address)

    yield "idle", lambda: time.sleep(1)
    fill_hash(wire, objects)
    yield "DEL of a hash of as many fields", lambda: wire.command("DEL", "graph")
    fill_hash(wire, objects)
    yield "UNLINK of it", lambda: wire.command("UNLINK", "graph")
    fill_hash(wire, objects)
    yield "COPY of it", lambda: wire.command("COPY", "graph", "copy")


def measure(server, cases, objects):
    rows, name = [], server.name
    for case, work in cases(server.address, objects):
        if not callable(work):
            print(f"| {name} | {case} | | | {work} |")
            rows.append({"server": name, "case": case, "value": work})
            continue
        took, waits = waits_during(server.address, server.protocol == "rpc", work)
        waits.sort()
        p99 = waits[len(waits) * 99 // 100]
        rows.append({"server": name, "case": case, "ms": took, "pings": len(waits), "p99_us": p99, "longest_us": waits[-1]})
        print(f"| {name} | {case} | {took:,.1f} | {p99:,.0f} | {waits[-1]:,.0f} |", flush=True)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--objects", type=int, default=1_000_000)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    print(f"{options.objects:,} objects; microseconds that another client's pings waited\n")
    print("| server | meanwhile | it took, ms | 99th percentile | longest |\n| --- | --- | ---: | ---: | ---: |")
    with lab.Heapd() as heapd, lab.Redis() as redis:
        lab.stay_off_the_servers()
        rows = measure(heapd, heapd_cases, options.objects) + measure(redis, redis_cases, options.objects)
    lab.save(options.json, rows=rows)


if __name__ == "__main__":
    sys.exit(main())
