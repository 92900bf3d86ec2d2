#!/usr/bin/python3
"""Requests per second of heapd beside Redis, and beside a server that only reads and writes, side by side in one run.

    ./dev bench [--rounds N] [--requests N] [--connections N] [--keys N] [--depths 1,16,64] [--unix] [--markdown]
                [--json FILE] [OP...]

The server that is measured has one core and the load has another. A round measures every operation at every depth on
all servers, one right after the other; the servers take turns in going first. Figures are medians over all rounds,
ratios are medians of the rounds' ratios. Beside requests per second stands each server's own CPU time per request,
which holds on noisy machines as well. Every answer is checked, and keys are drawn at random, the same ones for all.
Memcached is measured, too, for what it knows, where it is installed.

A measurement in which a server or the load waited for its core is repeated, a few times; in all, there are at most as
many repeats as measurements. Where rounds of the same server still differ too much, and do not agree on which side of
the goal they are, or where most of them were disturbed, a row is not judged: the machine was too noisy. With --markdown
it measures over TCP and over a Unix socket, and prints the tables of docs/performance.md. All is written to a file for
machines, too (build/bench.json).

Operations: ping get bind add incr append set.
"""
import argparse
import contextlib
import os
import statistics
import subprocess
import sys

import lab

# What heapd must reach, as a multiple of Redis by depth: requests per second, and CPU time per request.
QUICK = ({1: 1.05, 16: 1.8, 64: 2.4}, {1: 1.05, 16: 1.8, 64: 2.4})
EVEN = ({1: 0.98, 16: 1.3, 64: 1.5}, {1: 1.0, 16: 1.3, 64: 1.5})
NONE = ({}, {})

OPS = [  # operation of ops.c, what it is on heapd, what it is on Redis, the goals
    ("ping", "ping", "PING", EVEN),
    ("get", "get of an int by name", "GET", QUICK),
    ("bind", "bind of a short str", "SET", QUICK),
    ("add", 'call(d, "add", [key])', "HINCRBY", QUICK),
    ("incr", 'call(d, "add", [key])', "INCR", NONE),
    ("append", 'call(xs, "append", [1])', "RPUSH", EVEN),
    ("set", 'call(d, "set", [key, str])', "HSET", NONE),
]
TITLES = {"heapd": "heapd", "redis": "Redis", "echo": "echo", "memcached": "memcached"}
REQUESTS = {1: 80_000, 16: 800_000, 64: 2_000_000}  # by depth: half a second to a second each
WAITED = 0.03  # part of a measurement for which a server or the load may wait for its core
REPEATS = 3  # of a measurement in which they waited longer
NOISE = 0.10  # spread of rounds of one server above which they must agree to be judged
WRECKED = 0.30  # median part of the time for which they waited above which requests per second are not judged
FULL = 0.97  # of its core: who takes so much is the limit


# -- measuring ---------------------------------------------------------------------------------------------------------


def requests(depth, options):
    return options.requests or REQUESTS.get(depth, 400_000)


def measure_once(server, op, depth, options):
    """The first undisturbed one of a few measurements, or the least disturbed one."""
    best, tries = None, 0
    while best is None or (best["waited"] > WAITED and tries <= REPEATS and options.repeats > 0):
        options.repeats -= tries > 0
        tries += 1
        result = server.load("--op", op, "--depth", depth, "--connections", options.connections, "--keys",
                             options.keys, "--requests", requests(depth, options))
        result["waited"] = max(result["server_wait"], result["load_wait"])
        if best is None or result["waited"] < best["waited"]:
            best = result
    return best


def measure(servers, options):
    """{(op, depth): {server: [result of each round]}}"""
    results = {}
    options.repeats = options.rounds * len(options.ops) * len(options.depths) * len(servers)
    for number in range(options.rounds):
        order = servers if number % 2 == 0 else servers[::-1]
        for op in options.ops:
            for depth in options.depths:
                for server in order:
                    if not server.knows(op):
                        continue
                    rounds = results.setdefault((op, depth), {}).setdefault(server.name, [])
                    rounds.append(measure_once(server, op, depth, options))
        print(f"bench: round {number + 1} of {options.rounds}", file=sys.stderr)
    return results


def redis_benchmark(redis, options):
    """{(test, depth): requests per second} by Redis' own generator on the same server, as a check on ours."""
    address = redis.address
    where = ["-s", address[5:]] if address.startswith("unix:") else ["-h", "127.0.0.1", "-p", address.split(":")[1]]
    rates = {}
    for depth in options.depths:
        done = subprocess.run(
            lab.pinned(1, ["redis-benchmark", *where, "-c", str(options.connections), "-P", str(depth), "-r",
                           str(options.keys), "-n", str(requests(depth, options)), "-t", "get,incr", "--csv"]),
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True, timeout=300)
        for line in done.stdout.splitlines()[1:]:
            test, rate = line.replace('"', "").split(",")[:2]
            rates[test, depth] = float(rate)
    return rates


def run(unix, options):
    """What one run over TCP or a Unix socket found: its rows, and every round."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(kind(unix=unix)) for kind in (lab.Heapd, lab.Redis, lab.Echo, lab.Memcached)
                   if kind.is_there()]
        for server in servers:
            if server.knows("fill-keys"):
                server.load("--fill", "--keys", options.keys)
        results = measure(servers, options)
        rates = redis_benchmark(servers[1], options)
    return {"socket": "unix" if unix else "tcp", "rows": [summary(*item) for item in results.items()],
            "redis_benchmark": [{"test": test, "depth": depth, "rps": rps} for (test, depth), rps in rates.items()],
            "rounds": [{"op": op, "depth": depth, **servers} for (op, depth), servers in results.items()]}


# -- judging -----------------------------------------------------------------------------------------------------------


def medians(rounds):
    row = {field: statistics.median(result[field] for result in rounds)
           for field in ("rps", "cpu_us", "load_cpu_us", "p50_us", "p99_us", "p999_us", "max_us", "waited")}
    for field in "rps", "cpu_us":
        row[field + "_spread"] = lab.spread([result[field] for result in rounds])
    return row


def verdict(ratios, goal, spreads, waited):
    """Of the rounds' ratios, how much each server's rounds differed, and for what part of the time they waited."""
    if goal is None or len(ratios) < 2:
        return ""
    low, middle, high = statistics.quantiles(ratios, n=4)
    if waited > WRECKED or (max(spreads) > NOISE and low < goal <= high):
        return "too noisy"
    return "met" if middle >= goal else "missed"


def judge(row, name, ratios, goal, figure, waited):
    row[name] = statistics.median(ratios)
    row[name + "_goal"] = goal
    spreads = [row[server][figure + "_spread"] for server in ("heapd", "redis")]
    row[name + "_verdict"] = verdict(ratios, goal, spreads, waited)


def summary(key, servers):
    op, depth = key
    ours, theirs = servers["heapd"], servers["redis"]
    row = {"op": op, "depth": depth, **{name: medians(rounds) for name, rounds in servers.items()}}
    rate_goals, cpu_goals = next(goals for name, _, _, goals in OPS if name == op)
    waited = max(row["heapd"]["waited"], row["redis"]["waited"])
    # A ratio above 1 is heapd's advantage in both.
    judge(row, "ratio", [a["rps"] / b["rps"] for a, b in zip(ours, theirs)], rate_goals.get(depth), "rps", waited)
    judge(row, "cpu_ratio", [b["cpu_us"] / a["cpu_us"] for a, b in zip(ours, theirs)], cpu_goals.get(depth), "cpu_us", 0)
    return row


def limited_by_load(row):
    """Whether the generator was at its limit, and heapd was not: heapd could do more."""
    seconds = {name: row["heapd"][name] * row["heapd"]["rps"] / 1e6 for name in ("cpu_us", "load_cpu_us")}
    return seconds["load_cpu_us"] > FULL > seconds["cpu_us"]


# -- telling -----------------------------------------------------------------------------------------------------------


def table(rows, heads, cells):
    texts = {op: f"{ours} / {theirs}" for op, ours, theirs, _ in OPS}
    return lab.markdown(["request", ">depth", *heads],
                        [[texts[row["op"]], row["depth"], *cells(row)] for row in rows])


def against_goals(rows, field, ratio, form):
    """A table of one figure of all servers, with heapd's ratio to Redis beside its goal."""
    names = [name for name in ("heapd", "redis", "echo", "memcached") if any(name in row for row in rows)]

    def cells(row):
        target = row[ratio + "_goal"]
        return [*(form.format(row[name][field]) if name in row else "" for name in names), f"**{row[ratio]:.2f}**",
                "" if target is None else f"{target:.2f}", row[ratio + "_verdict"]]

    return table(rows, [*(">" + TITLES[name] for name in names), ">ratio", ">goal", ""], cells)


def latency(row):
    fields = "p50_us", "p99_us", "p999_us", "max_us"
    return [f"{row[name][field]:,.0f}" for field in fields for name in ("heapd", "redis")]


def remarks(found, options):
    rows = found["rows"]
    for field, text in (("ratio", "requests per second"), ("cpu_ratio", "CPU time")):
        verdicts = [row[field + "_verdict"] for row in rows if row[field + "_verdict"]]
        noisy = verdicts.count("too noisy")
        if verdicts:
            yield f"Goals of {text}: {verdicts.count('met')} met, {verdicts.count('missed')} missed."
        if noisy:
            yield (f"This machine was too noisy to judge {noisy} of {len(verdicts)} rows by {text}: rounds of the same "
                   f"server differed by more than {NOISE:.0%} and did not agree on a side of the goal, or something else "
                   "had their cores.")
    waited = max(result["waited"] for row in found["rounds"] for name in ("heapd", "redis") for result in row[name])
    if waited > WAITED:
        yield (f"Other work ran on these cores: a server or the load waited for up to {waited:.0%} of a measurement, "
               f"{REPEATS} repeats included.")
    for row in filter(limited_by_load, rows):
        yield f"The generator was the limit in {row['op']} at depth {row['depth']}: heapd could do more."
    rates = ", ".join(f"{rate['test']} at depth {rate['depth']} {rate['rps'] / 1000:,.0f} k" for rate in
                      found["redis_benchmark"])
    yield f"redis-benchmark on the same Redis says: {rates} requests per second."


def show(found, options):
    rows = found["rows"]
    way = "a Unix socket" if found["socket"] == "unix" else "TCP loopback"
    print(f"\n{options.connections} connections over {way}, {options.keys:,} keys at random, every answer checked; "
          f"medians of {options.rounds} alternating rounds.\n")
    print("Requests per second:\n")
    print(against_goals(rows, "rps", "ratio", "{:,.0f}"))
    print("\nThe server's own CPU time per request, µs:\n")
    print(against_goals(rows, "cpu_us", "cpu_ratio", "{:.2f}"))
    print("\nLatency of a request, µs, heapd and Redis:\n")
    print(table(rows, [f">{name}{of}" for name in ("p50", "p99", "p99.9", "max") for of in ("", ", Redis")], latency))
    print()
    for line in remarks(found, options):
        print(f"- {line}")


def show_machine():
    at = lab.machine()
    print(f"{at['date']}: {at['cpu']}, {at['cores']} cores, Linux {at['kernel']}; {at['heapd']}, "
          f"Redis {at['redis'].split('v=')[1].split()[0]}.")
    if at["cores"] < 2:
        print("There is one core only: servers and load share it, and no figure here is that of a server alone.")


def main():
    names = [op for op, _, _, _ in OPS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, help="of one measurement, instead of a second's")
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--depths", type=lambda text: [int(word) for word in text.split(",")], default=[1, 16, 64])
    parser.add_argument("--unix", action="store_true", help="over a Unix socket instead of TCP")
    parser.add_argument("--markdown", action="store_true", help="over both, for docs/performance.md")
    parser.add_argument("--json", metavar="FILE", default=os.path.join(os.path.dirname(lab.HEAPD), "bench.json"))
    parser.add_argument("ops", nargs="*", metavar="OP")
    options = parser.parse_args()
    for op in set(options.ops) - set(names):
        parser.error(f"there is no operation called {op}")
    options.ops = options.ops or names
    show_machine()
    runs = []
    for unix in [False, True] if options.markdown else [options.unix]:
        runs.append(run(unix, options))
        show(runs[-1], options)
    lab.save(options.json, runs=runs)


if __name__ == "__main__":
    main()
