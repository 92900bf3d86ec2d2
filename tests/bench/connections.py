#!/usr/bin/python3
"""What costs by the connection: coming and going, staying, one request at a time, telling many, dropping, starting.

    ./dev bench connections [--rounds 7] [--first] [--json FILE]

heapd beside Redis in the same run, each on the first core, the load on another; they take turns, and go first in turns.
Figures are medians over the rounds, ratios those of each round's pair. CPU is the server's own, of all its threads.
With `--first` (for root) servers and load go before all other processes, which then disturb them little.
"""
import argparse
import os
import statistics
import sys
import time

import lab

NOISE = 0.15  # spread of the middle half of Redis' own rounds above which a rate means little here
OTHERS = 0.2  # cores that others took, above which a time that was missed means little
SESSIONS = 10_000
BUSY_POLL_US = 100


class Case:
    """One row: `measure(server)` answers a dict with `rate` and `cpu_us`; the goals are the least of heapd's rate and of
    its thrift, as multiples of Redis', the most of its CPU, in microseconds, and of connections that were dropped."""

    def __init__(self, what, measure, ours="heapd", rate=None, thrift=None, cpu_us=None, dropped=None):
        self.what, self.measure, self.ours = what, measure, ours
        self.least = {"ratio": rate, "cpu_ratio": thrift}
        self.most = {"cpu_us": cpu_us, "dropped": dropped}

    def judge(self, row):
        """(the goals in words, whether they are met)"""
        words = {"ratio": "rate ≥ {}×", "cpu_ratio": "CPU ratio ≥ {}", "cpu_us": "CPU ≤ {} µs", "dropped": "{} dropped"}
        goals = {name: goal for name, goal in {**self.least, **self.most}.items() if goal is not None}
        is_met = all(row[name] >= goal if name in self.least else row[name] <= goal for name, goal in goals.items())
        return ", ".join(words[name].format(goal) for name, goal in goals.items()), is_met


def crowd(op, **arguments):
    words = [word for name, value in arguments.items() for word in (f"--{name}", value)]
    return lambda server: server.load("--op", op, *words, program="crowd")


def one_at_a_time(server):
    result = server.load("--op", "get", "--connections", 1, "--depth", 1, "--keys", 1000, "--requests", 30_000)
    return {**result, "rate": result["rps"]}


CASES = [
    Case("connect, ping, close; 50 at once", crowd("come", connections=50, count=20_000), rate=0.95, thrift=0.95),
    Case(f"{SESSIONS:,} connect, then each pings", crowd("stay", connections=SESSIONS), dropped=0),
    Case("`get`, one connection, one at a time", one_at_a_time),
    Case(f"the same with busy_poll_us = {BUSY_POLL_US}", one_at_a_time, ours="busy", rate=1.5),
    Case("an event to 1,000 sessions", crowd("tell", connections=1000, count=100), rate=1, thrift=1),
    Case("the same, 32 causes at once", crowd("tell", connections=1000, count=320, depth=32), rate=1, thrift=1),
    Case("`release` by notification, one handle each", crowd("drop", count=1_000_000), cpu_us=0.15),
    Case("the same, 1,000 handles each", crowd("drop", count=1_000_000, depth=1000), cpu_us=0.15),
]


# -- rounds ------------------------------------------------------------------------------------------------------------


def dropped_connections():
    """Connections whose first packet the kernel threw away, of all listeners of this machine."""
    with open("/proc/net/netstat", encoding="ascii") as file:
        lines = [line.split() for line in file]
    names, values = next((a, b) for a, b in zip(lines, lines[1:]) if a[0] == b[0] == "TcpExt:")
    return int(values[names.index("ListenDrops")])


def measured(case, server):
    drops = dropped_connections()
    return {**case.measure(server), "dropped": dropped_connections() - drops}


def measure(servers, rounds):
    """For each case, (heapd's results, Redis' results), in rounds."""
    results = [([], []) for _ in CASES]
    for number in range(rounds):
        for case, (ours, theirs) in zip(CASES, results):
            pair = [(ours, servers[case.ours]), (theirs, servers["redis"])]
            for kept, server in pair if number % 2 == 0 else reversed(pair):
                kept.append(measured(case, server))
        print(f"bench: round {number + 1} of {rounds}", file=sys.stderr)
    return results


def row_of(case, ours, theirs):
    row = {"what": case.what, "rate": statistics.median(one["rate"] for one in ours),
           "redis_rate": statistics.median(one["rate"] for one in theirs),
           "ratio": statistics.median(a["rate"] / b["rate"] for a, b in zip(ours, theirs)),
           "cpu_us": statistics.median(one["cpu_us"] for one in ours),
           "redis_cpu_us": statistics.median(one["cpu_us"] for one in theirs),
           "cpu_ratio": statistics.median(b["cpu_us"] / a["cpu_us"] for a, b in zip(ours, theirs)),
           "dropped": sum(one["dropped"] for one in ours), "noise": lab.spread([one["rate"] for one in theirs])}
    row["goal"], row["met"] = case.judge(row)
    return row


# -- what is no rate ---------------------------------------------------------------------------------------------------


def start_ms(start):
    begun = time.perf_counter()
    with start():
        return (time.perf_counter() - begun) * 1000


def idle_cpu_us(server):
    """CPU in the second that begins a millisecond after the last answer."""
    wire = server.wire()
    for _ in range(100):
        wire.call("ping")
    time.sleep(0.001)
    begun = server.cpu()
    time.sleep(1)
    used = server.cpu() - begun
    wire.close()
    return used * 1e6


def singles(busy, rounds):
    """[(what, unit, heapd's, Redis', the most that is allowed)...]"""
    starts = [(start_ms(lab.Heapd), start_ms(lab.Redis)) for _ in range(3 * rounds)]
    yield ("start to ready", "ms", *map(statistics.median, zip(*starts)), 15)
    yield (f"CPU of an idle second, busy_poll_us = {BUSY_POLL_US}", "µs",
           statistics.median(idle_cpu_us(busy) for _ in range(rounds)), None, 1000)


# -- the tables --------------------------------------------------------------------------------------------------------


def verdict(is_met, is_noisy):
    return "met" if is_met else "too noisy" if is_noisy else "**missed**"


def show(rows, others):
    print(lab.markdown(["what", ">a second", ">Redis", ">ratio", ">CPU µs", ">Redis", ">ratio", "goal", ""],
                       [[row["what"], f"{row['rate']:,.0f}", f"{row['redis_rate']:,.0f}", f"{row['ratio']:.2f}",
                         f"{row['cpu_us']:.2f}", f"{row['redis_cpu_us']:.2f}", f"{row['cpu_ratio']:.2f}", row["goal"],
                         row["goal"] and verdict(row["met"], row["noise"] > NOISE or others > OTHERS)] for row in rows]))


def show_singles(rows, others):
    print(lab.markdown(["what", ">heapd", ">Redis", ">goal", ""],
                       [[what, f"{ours:,.1f} {unit}", f"{theirs:,.1f} {unit}" if theirs is not None else "",
                         f"≤ {most} {unit}", verdict(ours <= most, others > OTHERS)]
                        for what, unit, ours, theirs, most in rows]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--first", action="store_true", help="before all other processes: needs root")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    if options.first:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    lab.allow_many_files()
    lab.stay_off_the_servers()
    # crowd connects from many addresses of loopback, as one has too few ports
    with (lab.Heapd() as heapd, lab.Heapd("--busy-poll-us", str(BUSY_POLL_US)) as busy,
          lab.Redis("--protected-mode", "no", "--maxclients", str(SESSIONS + 100)) as redis):
        servers = {"heapd": heapd, "busy": busy, "redis": redis}
        weather = lab.Weather(*servers.values())
        for server in servers.values():
            server.load("--fill", "--keys", 1000)
        rows = [row_of(case, *results) for case, results in zip(CASES, measure(servers, options.rounds))]
        other_load = 0 if options.first else weather.other_load()
        others = list(singles(busy, options.rounds))
    others_text = "the rest of the machine waited" if options.first else f"others took {other_load:.2f} of them"
    print(f"\nMedians of {options.rounds} rounds on {len(lab.CORES)} cores; {others_text}\n")
    show(rows, other_load)
    print()
    show_singles(others, other_load)
    lab.save(options.json, rows=rows, other_load=other_load,
             singles=[dict(zip(("what", "unit", "heapd", "redis", "goal"), row)) for row in others])


if __name__ == "__main__":
    main()
