#!/usr/bin/python3
"""How long everybody else waits while one client's large graph dies, is collected or copied, beside Redis.

    ./dev bench stall [--objects 1000000] [--json FILE]

One client does something large; another one, a process of its own, sends pings one after the other all the while. Told are its
longest wait and the 99th percentile of all, beside those of an idle server just before. The server runs on one core, the rest on
the other.
"""
import argparse
import json
import multiprocessing
import os
import socket
import sys
import tempfile
import time

import msgpack

from bench import start_heapd, start_redis

PART = 10_000  # objects copied by one request


class Wire:
    """One connection, MessagePack-RPC or RESP by what is sent."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.sock = socket.create_connection((host, int(port)))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.unpacker = msgpack.Unpacker(strict_map_key=False)

    def rpc(self, method, *params):
        self.sock.sendall(msgpack.packb([0, 1, method, list(params)]))
        while True:
            for message in self.unpacker:
                if message[0] == 1:
                    assert message[2] is None, message[2]
                    return message[3]
            self.unpacker.feed(self.sock.recv(1 << 16))

    def resp(self, *words):
        parts = [f"*{len(words)}\r\n".encode()]
        for word in words:
            word = str(word).encode()
            parts.append(b"$%d\r\n%s\r\n" % (len(word), word))
        self.sock.sendall(b"".join(parts))
        answer = self.sock.recv(1 << 16)
        assert answer[:1] in b"+:$*", answer
        return answer


def pings(address, is_rpc, stop, results):
    """Pings until it is told to stop; answers the waits in microseconds."""
    wire = Wire(address)
    waits = []
    while not stop.is_set():
        begun = time.perf_counter_ns()
        if is_rpc:
            wire.rpc("ping")
        else:
            wire.resp("PING")
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
    wire.rpc("bind", "part", [[n] for n in range(PART // 2)])
    wire.rpc("bind", name, [])
    for _ in range(objects // PART):
        wire.rpc("deepcopy", "part", {"into": 1})
        if is_ring:
            wire.rpc("call", 1, "append", [{"@": name}])
        wire.rpc("call", name, "append", [{"@": 1}])
        wire.rpc("release", 1)
    wire.rpc("unbind", "part")


def heapd_cases(address, objects):
    wire = Wire(address)

    yield "idle", lambda: time.sleep(1)
    make_graph(wire, objects, "graph")
    yield "unbind of the graph", lambda: wire.rpc("unbind", "graph")
    make_graph(wire, objects, "graph")
    yield "clear of the list", lambda: wire.rpc("call", "graph", "clear")
    wire.rpc("unbind", "graph")
    make_graph(wire, objects, "live")
    yield "gc, all alive", lambda: wire.rpc("gc")
    make_graph(wire, objects, "ring", True)
    wire.rpc("unbind", "ring")
    yield "gc of as many in cycles", lambda: wire.rpc("gc")
    other = Wire(address)
    make_graph(other, objects, "graph")

    def end():
        other.sock.shutdown(socket.SHUT_RDWR)  # the pinging process has a copy of the descriptor
        while wire.rpc("stats", "sessions")["sessions"]["active"] > 2:
            time.sleep(0.001)

    yield "the end of a session that held it", end
    yield "collector: longest slice, us", wire.rpc("gc_info")["longest_slice_us"]


# -- Redis -----------------------------------------------------------------------------------------------------------


def fill_hash(wire, objects):
    for start in range(0, objects, PART):
        words = ["HSET", "graph"]
        for n in range(start, start + PART):
            words += [n, n]
        wire.resp(*words)


def redis_cases(address, objects):
    wire = Wire(address)

    yield "idle", lambda: time.sleep(1)
    fill_hash(wire, objects)
    yield "DEL of a hash of as many fields", lambda: wire.resp("DEL", "graph")
    fill_hash(wire, objects)
    yield "UNLINK of it", lambda: wire.resp("UNLINK", "graph")
    fill_hash(wire, objects)
    yield "COPY of it", lambda: wire.resp("COPY", "graph", "copy")


def measure(name, server, cases, objects):
    rows = []
    for case, work in cases(server.address, objects):
        if not callable(work):
            print(f"| {name} | {case} | | | {work} |")
            rows.append({"server": name, "case": case, "value": work})
            continue
        took, waits = waits_during(server.address, name == "heapd", work)
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
    cores = sorted(os.sched_getaffinity(0))
    heapd = os.environ.get("HEAPD", "build/heapd")
    print(f"{options.objects:,} objects; microseconds that another client's pings waited\n")
    print("| server | meanwhile | it took, ms | 99th percentile | longest |\n| --- | --- | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as directory:
        servers = [("heapd", start_heapd(heapd, directory, False), heapd_cases)]
        servers.append(("redis", start_redis(directory, False), redis_cases))
        os.sched_setaffinity(0, cores[1:] or cores)
        try:
            rows = [row for name, server, cases in servers for row in measure(name, server, cases, options.objects)]
        finally:
            for _, server, _ in servers:
                server.stop()
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)


if __name__ == "__main__":
    sys.exit(main())
