#!/usr/bin/python3
"""How long everybody else waits while one client does something large, beside Redis.

    ./dev bench stall [--objects 1000000] [--live 10000000] [--only WORD] [--no-redis] [--first] [--json FILE]

One client does something large in a server that holds `--live` objects; another one, a process of its own, sends pings one after
the other all the while. Told are its longest wait and the 99th percentile of all, and the longest waits of the idle server
beside them. The server runs on one core, the rest on the other. On a machine that others use as well a wait may be theirs:
`--first` (for root) gives the server and the pings the highest priority that there is below real time, from which the kernel
takes 50 ms of each second. `longest round` is the server's own CPU time from one look at the network to the next, which holds anyway.
"""
import argparse
import multiprocessing
import os
import socket
import time

import lab
import msgpack

PART = 10_000  # objects copied by one request
FRAME = 500  # elements filled in by one notification
IDLE_S = 10  # as long as the longest case: the machine's own pauses are seldom


# -- pings ---------------------------------------------------------------------------------------------------------------


def pings(address, is_rpc, goes_first, stop, results):
    """Pings until it is told to stop; answers the waits in microseconds."""
    if goes_first:
        os.nice(-20)
    wire = lab.Wire(address)
    ask = (lambda: wire.call("ping")) if is_rpc else (lambda: wire.command("PING"))
    waits = []
    while not stop.is_set():
        begun = time.perf_counter_ns()
        ask()
        waits.append((time.perf_counter_ns() - begun) / 1000)
    results.put(waits)


def waits_during(address, is_rpc, goes_first, work):
    """[how long `work` took in ms, waits of the pinging client meanwhile]."""
    stop, results = multiprocessing.Event(), multiprocessing.Queue()
    process = multiprocessing.Process(target=pings, args=(address, is_rpc, goes_first, stop, results))
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
    wire.call("bind", "part", [[n] for n in range(1000, 1000 + PART // 2)])
    wire.call("bind", name, [])
    for _ in range(objects // PART):
        wire.call("deepcopy", "part", {"into": 1})
        if is_ring:
            wire.call("call", 1, "append", [{"@": name}])
        wire.call("call", name, "append", [{"@": 1}])
        wire.call("release", 1)
    wire.call("unbind", "part")


def fill(wire, count, frame):
    """Sends what `frame` makes of each range of numbers, as notifications, and waits until all have run."""
    pack = msgpack.Packer(autoreset=True).pack
    for start in range(0, count, FRAME):
        wire.sock.sendall(frame(pack, range(start, min(start + FRAME, count))))
    wire.call("ping")


def call_frame(method, make):
    return lambda pack, numbers: pack([2, "call", ["filled", method, [make(numbers)]]])


def many_frames(make):
    return lambda pack, numbers: b"".join([pack(make(n)) for n in numbers])


FILLS = [  # what is filled; how it is begun; its frames
    ("list", [], call_frame("extend", list)),
    ("dict", {}, call_frame("update", lambda numbers: dict.fromkeys(numbers, 1))),
    ("set", "set", many_frames(lambda n: [2, "call", ["filled", "add", [n]]])),
    ("namespace", None, many_frames(lambda n: [2, "bind", [f"name {n}", 1]])),
    ("handle table", None, many_frames(lambda n: [2, "hold", ["global x", {"into": n + 1}]])),
    ("attribute table", "object", many_frames(lambda n: [2, "setattr", ["filled", f"name {n}", 1]])),
]


def begin_fill(wire, start):
    wire.call("bind", "global x", [])
    if start in ("set", "object"):
        wire.call("call", start, "new", [], {"into": 1 << 30})
        wire.call("bind", "filled", {"@": 1 << 30})
        wire.call("release", 1 << 30)
    elif start is not None:
        wire.call("bind", "filled", start)


def end_session(wire, watcher):
    """The pinging process has a copy of the descriptor: the connection is shut, not only closed."""
    before = watcher.call("stats", "sessions")["sessions"]["active"]
    wire.sock.shutdown(socket.SHUT_RDWR)
    while watcher.call("stats", "sessions")["sessions"]["active"] >= before:
        time.sleep(0.001)


def heapd_cases(server, options):
    """(what happens, what to do): each is prepared before it is given, and measured."""
    wire = server.wire()
    make_graph(wire, options.live, "live")

    yield "idle", lambda: time.sleep(IDLE_S)
    for what in ("unbind of the graph", "clear of the list"):
        make_graph(wire, options.objects, "graph")
        yield what, lambda: wire.call(*(("unbind", "graph") if "unbind" in what else ("call", "graph", "clear")))
    wire.call("unbind", "graph")
    other = server.wire()
    make_graph(other, options.objects, "graph")
    yield "the end of a session that held it", lambda: end_session(other, wire)
    yield "gc, all alive", lambda: wire.call("gc")
    make_graph(wire, options.objects, "ring", True)
    wire.call("unbind", "ring")
    yield "gc of as many in cycles", lambda: wire.call("gc")
    make_graph(wire, options.objects, "graph")
    yield "deepcopy of it", lambda: wire.call("deepcopy", "graph")
    dump = []
    yield "dump of it", lambda: dump.append(wire.call("dump", "graph"))
    wire.call("bind", "dump", dump[0] if dump else wire.call("dump", "graph"))
    yield "load of the dump", lambda: wire.call("load", {"@": "dump"}, {"into": 3})
    wire.call("unbind", "dump")
    yield "read of it", lambda: wire.call("read", "graph")
    yield "repr of it", lambda: wire.call("call", "graph", "repr")
    wire.call("deepcopy", "graph", {"into": 2})
    yield "eq of it and its copy", lambda: wire.call("call", "graph", "eq", [{"@": 2}])
    for what, start, frame in FILLS:
        filler = server.wire()
        begin_fill(filler, start)
        yield f"filling a {what} to {options.live:,}", lambda: fill(filler, options.live, frame)
        yield f"the end of the session that held the {what}", lambda: end_session(filler, wire)


# -- Redis -----------------------------------------------------------------------------------------------------------


def fill_hash(wire, name, fields):
    for start in range(0, fields, PART):
        words = ["HSET", name]
        for n in range(start, start + PART):
            words += [n, n]
        wire.command(*words)


def redis_cases(server, options):
    wire = server.wire()

    yield "idle", lambda: time.sleep(IDLE_S)
    fill_hash(wire, "large", options.live)
    yield f"DEL of a hash of {options.live:,} fields", lambda: wire.command("DEL", "large")
    fill_hash(wire, "hash", options.objects)
    yield f"COPY of a hash of {options.objects:,} fields", lambda: wire.command("COPY", "hash", "copy")
    yield f"DEL of a hash of {options.objects:,} fields", lambda: wire.command("DEL", "copy")
    yield f"UNLINK of a hash of {options.objects:,} fields", lambda: wire.command("UNLINK", "hash")


# -- the table -------------------------------------------------------------------------------------------------------


def measure(server, cases, options):
    rows, idle = [], 0
    for case, work in cases(server, options):
        if case != "idle" and options.only not in case:
            continue
        took, waits = waits_during(server.address, server.protocol == "rpc", options.first, work)
        waits.sort()
        p99, longest = waits[len(waits) * 99 // 100], waits[-1]
        idle = longest if case == "idle" else idle
        rows.append({"server": server.name, "case": case, "ms": took, "pings": len(waits), "p99_us": p99,
                     "longest_us": longest, "beyond_idle_us": longest - idle})
        print(f"| {server.name} | {case} | {took:,.1f} | {p99:,.0f} | {longest:,.0f} | {(longest - idle) / 1000:,.1f} |", flush=True)
    return rows


def show_own_account(server):
    """What the server knows of itself: the longest slice, and its longest requests."""
    wire = server.wire()
    methods = wire.call("stats", "requests")["requests"]["methods"]
    longest = sorted(((row["longest_us"], name) for name, row in methods.items()), reverse=True)[:5]
    round_us = wire.call("stats", "server")["server"]["longest_round_us"]
    print(f"\n{server.name}: longest round {round_us} us of CPU; longest requests, from beginning to answer: "
          + ", ".join(f"{name} {us:,} us" for us, name in longest))
    return {"longest_round_us": round_us, "longest_requests": longest}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--objects", type=int, default=1_000_000, help="of the graph that dies or is copied")
    parser.add_argument("--live", type=int, default=10_000_000, help="objects beside it, and elements filled in")
    parser.add_argument("--only", default="", metavar="WORD", help="cases with this word in their name")
    parser.add_argument("--no-redis", action="store_true")
    parser.add_argument("--first", action="store_true", help="before all other processes: needs root")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    before = ("nice", "-n", "-20") if options.first else ()
    print(f"{options.objects:,} objects among {options.live:,}; microseconds that another client's pings waited\n")
    print("| server | meanwhile | it took, ms | 99th percentile | longest | beyond idle, ms |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    weather = lab.Weather()
    with lab.Heapd(before=before) as heapd:
        lab.stay_off_the_servers()
        rows, account = measure(heapd, heapd_cases, options), show_own_account(heapd)
    if not options.no_redis:
        with lab.Redis() as redis:
            rows += measure(redis, redis_cases, options)
    print(f"others used {weather.other_load():.2f} cores meanwhile")
    lab.save(options.json, rows=rows, account=account)


if __name__ == "__main__":
    main()
