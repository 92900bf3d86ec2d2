#!/usr/bin/python3
"""Requests per second of heapd beside Redis, measured side by side in one run.

    ./dev bench [--rounds N] [--connections N] [--keys N] [--depths 1,16,64] [--unix] [--json FILE]

Each server is pinned to one core and the load to another. A round measures every operation at every depth on both
servers, one right after the other; the servers take turns in going first. The table gives the medians over all rounds,
the median of the rounds' ratios, and each server's own CPU time per request, which holds on noisy machines as well.
"""
import argparse
import statistics
import subprocess
import sys

import lab

OPS = [  # operation of load.c, what it is on heapd, what it is on Redis
    ("ping", "ping", "PING"),
    ("get", "get of an int by name", "GET"),
    ("bind", "bind of a short str", "SET"),
    ("add", 'call(d, "add", [key])', "HINCRBY"),
    ("incr", 'call(d, "add", [key])', "INCR"),
    ("append", 'call(xs, "append", [1])', "RPUSH"),
]
REQUESTS = {1: 100_000, 16: 600_000, 64: 1_000_000}  # by depth: about a second each
NOISE = 0.15  # spread of the middle half of a peer's rounds above which figures of this machine mean little


def measure(options, servers):
    """{(op, depth): {server: [result of each round]}}"""
    results = {}
    for number in range(options.rounds):
        order = list(servers) if number % 2 == 0 else list(reversed(servers))
        for op, _, _ in OPS:
            for depth in options.depths:
                for name in order:
                    result = servers[name].load(
                        "--op", op, "--depth", str(depth), "--connections", str(options.connections),
                        "--keys", str(options.keys), "--requests", str(REQUESTS.get(depth, 600_000)))
                    results.setdefault((op, depth), {}).setdefault(name, []).append(result)
        print(f"bench: round {number + 1} of {options.rounds}", file=sys.stderr)
    return results


def median(rounds, field):
    return statistics.median(result[field] for result in rounds)


def summary(results):
    rows = []
    for (op, depth), by_server in results.items():
        ours, theirs = by_server["heapd"], by_server["redis"]
        rows.append({
            "op": op, "depth": depth,
            "heapd_rps": median(ours, "rps"), "redis_rps": median(theirs, "rps"),
            "ratio": statistics.median(a["rps"] / b["rps"] for a, b in zip(ours, theirs)),
            "heapd_cpu_us": median(ours, "cpu_us"), "redis_cpu_us": median(theirs, "cpu_us"),
            "cpu_ratio": statistics.median(b["cpu_us"] / a["cpu_us"] for a, b in zip(ours, theirs)),
            "heapd_p99_us": median(ours, "p99_us"), "redis_p99_us": median(theirs, "p99_us"),
            "noise": lab.spread([result["rps"] for result in theirs]),
        })
    return rows


def show(rows, options):
    names = {op: (ours, theirs) for op, ours, theirs in OPS}
    print(f"\n{options.connections} connections, {options.keys} keys at random, {options.rounds} rounds, medians; "
          f"{'Unix socket' if options.unix else 'TCP loopback'}; every answer checked\n")
    print("| heapd | Redis | depth | requests/s | of Redis | ratio | CPU µs | of Redis | ratio | p99 µs | of Redis |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for row in rows:
        ours, theirs = names[row["op"]]
        print(f"| {ours} | {theirs} | {row['depth']} | {row['heapd_rps']:,.0f} | {row['redis_rps']:,.0f} "
              f"| {row['ratio']:.2f} | {row['heapd_cpu_us']:.2f} | {row['redis_cpu_us']:.2f} | {row['cpu_ratio']:.2f} "
              f"| {row['heapd_p99_us']:.0f} | {row['redis_p99_us']:.0f} |")
    noisy = [row for row in rows if row["noise"] > NOISE]
    if noisy:
        print(f"\nThis machine was too noisy to judge {len(noisy)} of {len(rows)} rows by requests/s (Redis itself "
              f"varied by more than {NOISE:.0%}): go by CPU time there.")


def run_redis_benchmark(redis, options):
    """Redis' own generator on the same server, for comparison with what the table says."""
    if redis.address.startswith("unix:"):
        where = ["-s", redis.address[5:]]
    else:
        where = ["-h", *redis.address.split(":")[:1], "-p", redis.address.split(":")[1]]
    print("\nredis-benchmark on the same server:")
    for depth in options.depths:
        done = subprocess.run(
            lab.pinned(1, ["redis-benchmark", *where, "-c", str(options.connections), "-P", str(depth), "-r",
                       str(options.keys), "-n", str(REQUESTS.get(depth, 600_000)), "-t", "ping_mbulk,get,incr", "--csv"]),
            stdout=subprocess.PIPE, text=True, check=True, timeout=300)
        for line in done.stdout.splitlines()[1:]:
            test, rate = line.replace('"', "").split(",")[:2]
            print(f"  depth {depth:3}  {test:12} {float(rate):12,.0f} requests/s")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--depths", type=lambda text: [int(word) for word in text.split(",")], default=[1, 16, 64])
    parser.add_argument("--unix", action="store_true")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    with lab.Heapd(unix=options.unix) as heapd, lab.Redis(unix=options.unix) as redis:
        servers = {server.name: server for server in (heapd, redis)}
        for server in servers.values():
            server.load("--fill", "--keys", options.keys)
        results = measure(options, servers)
        rows = summary(results)
        show(rows, options)
        run_redis_benchmark(redis, options)
    lab.save(options.json, summary=rows, rounds=[{"op": op, "depth": depth, **by} for (op, depth), by in results.items()])


if __name__ == "__main__":
    main()
