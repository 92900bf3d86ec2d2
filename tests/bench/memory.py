#!/usr/bin/python3
"""What a million objects, a name and an idle session take in heapd, beside CPython and Redis, and what is given back.

    ./dev bench memory [--objects 1000000] [--sessions 10000] [--json FILE]

Everything is resident memory by /proc, of a process that was started for the one measurement; page tables, socket
buffers and what else the kernel keeps are not in it. `Objects` are in one list, whose slot is counted, and refer to
shared elements, which are not; CPython is /usr/bin/python3. Redis has no objects within objects: there each has a key
of its own, of 16 bytes, as in `names`. A goal is a part of what CPython takes in this run, or bytes.

`Given back` is how much more is resident than at the start, after everything was made and dropped again.
"""
import argparse
import os
import subprocess
import time

import lab

PYTHON = "/usr/bin/python3"
PART = 1000  # requests or elements sent at once
LOOKS = 400  # two minutes
MIB = 1 << 20


def key_of(number):
    return f"key:{number:012}"


def parts(count, part=PART):
    return (range(start, min(start + part, count)) for start in range(0, count, part))


def resident(server):
    """Bytes, once the server has nothing more to do: when they have not changed for a second and a half."""
    seen = []
    for _ in range(LOOKS):
        time.sleep(0.3)
        seen = seen[-4:] + [server.memory()]
        if len(seen) == 5 and len(set(seen)) == 1:
            return seen[0]
    raise SystemExit(f"bench: the memory of {server.name} does not come to rest: {seen}")


def opened(server):
    """A connection that the server has answered."""
    wire = server.wire()
    if server.protocol == "rpc":
        wire.call("ping")
    else:
        wire.command("PING")
    return wire


def grown(make_server, work, count):
    """Bytes, divided by the count, that a new server has more after work(wire, count)."""
    with make_server() as server:
        wire = opened(server)
        before = resident(server)
        work(wire, count)
        return (resident(server) - before) / count


def row(what, goal, heapd, python=None, redis=None, unit="bytes"):
    return {"what": what, "goal": goal, "unit": unit, "heapd": heapd, "python": python, "redis": redis,
            "met": heapd <= goal}


# -- objects -----------------------------------------------------------------------------------------------------------


def python_bytes(objects, expression, before):
    """What each `expression` of i costs CPython, in a list."""
    program = f"""
import gc
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * {os.sysconf("SC_PAGE_SIZE")}
{before}
def make():
    kept = []
    for i in range({objects}):
        kept.append({expression})
    return kept
gc.disable()
began = resident()
kept = make()
print((resident() - began) / {objects})
"""
    done = subprocess.run([PYTHON, "-c", program], stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout)


def listed(literal):
    """Binds a list of literals of i."""
    def make(wire, objects):
        wire.call("bind", "kept", [])
        for part in parts(objects):
            wire.call("call", "kept", "extend", [[literal(i) for i in part]])
    return make


def make_instances(wire, objects):
    wire.call("bind", "kept", [])
    wire.call("class", "Point", {"into": 1})
    for part in parts(objects):
        requests = []
        for _ in part:
            requests += [("call", [1, "new", [], {"into": 2}]), ("setattr", [2, "a", 1]), ("setattr", [2, "b", 2]),
                         ("call", ["kept", "append", [{"@": 2}]]), ("release", [2])]
        wire.calls(requests)


def each(command):
    """One command for each i."""
    def fill(wire, objects):
        for part in parts(objects):
            wire.commands([command(i) for i in part])
    return fill


def push(element):
    def fill(wire, objects):
        for part in parts(objects):
            wire.command("RPUSH", "kept", *(element(i) for i in part))
    return fill


INSTANCE = """
class Point:
    def __init__(self):
        self.a = 1
        self.b = 2
"""

def ints(number):
    return number + 1000


def small_ints(number):
    return number % 100


OBJECTS = [  # what, heapd, CPython with what before, Redis, goal: a part of what CPython takes, or bytes
    ("int, each another", listed(ints), ("i + 1000", ""), each(lambda i: ("SET", key_of(i), 10000 + i)), 0.8),
    ("str of 16 bytes", listed(key_of), ("f'key:{i:012}'", ""), each(lambda i: ("SET", key_of(i), key_of(i))), 0.6),
    ("list of one element", listed(lambda i: [1]), ("[1]", ""), each(lambda i: ("RPUSH", key_of(i), 1)), 0.6),
    ("dict of one key", listed(lambda i: {"a": 1}), ("{'a': 1}", ""), each(lambda i: ("HSET", key_of(i), "a", 1)), 0.6),
    ("instance with two attributes", make_instances, ("Point()", INSTANCE),
     each(lambda i: ("HSET", key_of(i), "a", 1, "b", 2)), 0.6),
    ("element of one list, a small int", listed(small_ints), ("i % 100", ""), push(small_ints), 9),
    ("element of one list, each another int", listed(ints), ("i + 1000", ""), push(ints), 32),
]


def object_rows(objects):
    for what, ours, python, theirs, goal in OBJECTS:
        python = python_bytes(objects, *python)
        yield row(what, goal * python if goal < 1 else goal, grown(lab.Heapd, ours, objects), python,
                  grown(lab.Redis, theirs, objects))


# -- names and sessions ------------------------------------------------------------------------------------------------


def bind_ints(wire, names):
    for part in parts(names):
        wire.calls([("bind", [key_of(i), 10000 + i]) for i in part])


def name_rows(names):
    yield row("name of 16 bytes with an int", 80, grown(lab.Heapd, bind_ints, names), None,
              grown(lab.Redis, each(lambda i: ("SET", key_of(i), 10000 + i)), names))


def idle_sessions(make_server, sessions):
    """Bytes of each before its first request, and after it."""
    with make_server() as server:
        watcher = opened(server)
        begin = resident(server)
        wires = [server.wire() for _ in range(sessions)]
        before = resident(server) - begin
        for wire in wires:
            wire.call("ping") if server.protocol == "rpc" else wire.command("PING")
        after = resident(server) - begin
        for wire in wires + [watcher]:
            wire.close()
        return before / sessions, after / sessions


def session_rows(sessions):
    ours = idle_sessions(lab.Heapd, sessions)
    theirs = idle_sessions(lambda: lab.Redis("--maxclients", str(sessions + 100)), sessions)
    yield row("idle session before its first request", 2048, ours[0], None, theirs[0])
    yield row("idle session after its first request", 4096, ours[1], None, theirs[1])


# -- given back --------------------------------------------------------------------------------------------------------


def drop_name(wire, objects):
    wire.call("unbind", "kept")


def drop_halves(wire, objects):
    """Every second object, and then the rest."""
    for part in parts(objects // 2):
        wire.calls([("call", ["kept", "set", [2 * i, None]]) for i in part])
    drop_name(wire, objects)


def fill_dict(wire, objects):
    wire.call("bind", "kept", {})
    for part in parts(objects):
        wire.call("call", "kept", "update", [{key_of(i): ints(i) for i in part}])


def pop_keys(wire, objects):
    for part in parts(objects):
        wire.calls([("call", ["kept", "del", [key_of(i)], {"result": "none"}]) for i in part])


def drop_names(wire, names):
    for part in parts(names):
        wire.calls([("unbind", [key_of(i)]) for i in part])


def hold_handles(wire, handles):
    for part in parts(handles):
        wire.calls([("new", [[], {"into": i + 1}]) for i in part])


def release_handles(wire, handles):
    for part in parts(handles):
        wire.call("release", *(i + 1 for i in part))


def make_ring(wire, objects):
    """Garbage in a cycle, once nobody names it."""
    listed(lambda i: [1])(wire, objects)
    wire.call("call", "kept", "append", [{"@": "kept"}])


def drop_ring(wire, objects):
    drop_name(wire, objects)
    wire.call("gc")


def read_all(wire, objects):
    """A response of several MiB, and a request as large."""
    listed(key_of)(wire, objects)
    wire.call("bind", "copy", wire.call("read", "kept"))


def drop_all(wire, objects):
    wire.call("unbind", "copy")
    drop_name(wire, objects)


GRAPHS = [
    ("a list of lists", listed(lambda i: [1]), drop_name),
    ("a list of strs, every second first", listed(key_of), drop_halves),
    ("a list of instances, every second first", make_instances, drop_halves),
    ("a dict, key by key", fill_dict, pop_keys),
    ("names, one by one", bind_ints, drop_names),
    ("handles of lists", hold_handles, release_handles),
    ("cycles, collected", make_ring, drop_ring),
    ("strs, and all of them in one response and one request", read_all, drop_all),
]


def given_back(make, drop, objects):
    with lab.Heapd() as server:
        wire = opened(server)
        begin = resident(server)
        make(wire, objects)
        most = resident(server)
        drop(wire, objects)
        return begin, most, resident(server)


def sessions_given_back(sessions):
    """Sessions with a list of their own; every second one ends, and then the others."""
    with lab.Heapd() as server:
        watcher = opened(server)
        begin = resident(server)
        wires = [server.wire() for _ in range(sessions)]
        for i, wire in enumerate(wires):
            wire.call("bind", "kept", [[i, 1000 + i]] * 20)
        most = resident(server)
        for wire in wires[::2] + wires[1::2]:
            wire.close()
        while watcher.call("stats", "sessions")["sessions"]["active"] > 1:
            time.sleep(0.01)
        return begin, most, resident(server)


def given_back_rows(objects, sessions):
    cases = [(what, given_back(make, drop, objects)) for what, make, drop in GRAPHS]
    cases.append((f"{sessions:,} sessions, every second first", sessions_given_back(sessions)))
    for what, (begin, most, after) in cases:
        yield {**row(what, max(begin / 10, 2e6), after - begin), "begin": begin, "most": most}


# -- the tables --------------------------------------------------------------------------------------------------------


def number(value):
    return "" if value is None else f"{value:,.1f}"


def verdict(row):
    return "met" if row["met"] else "**missed**"


def part_of(row, other):
    """heapd's share of what the other one takes, in words."""
    return "" if row[other] is None else f"{row['heapd'] / row[other]:.2f}"


def show_sizes(rows):
    print(lab.markdown(["each of them", ">heapd", ">CPython", ">part", ">Redis", ">goal", ""],
                       [[row["what"], number(row["heapd"]), number(row["python"]), part_of(row, "python"),
                         number(row["redis"]), f"≤ {number(row['goal'])}", verdict(row)] for row in rows]))


def show_given_back(rows):
    def mib(value):
        return f"{value / MIB:,.1f}"

    print(lab.markdown(["made and dropped", ">at the start", ">with everything", ">more than at the start", ">goal", ""],
                       [[row["what"], mib(row["begin"]), mib(row["most"]), mib(row["heapd"]), f"≤ {mib(row['goal'])}",
                         verdict(row)] for row in rows]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=1_000_000)
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--json", metavar="FILE", default=os.path.join(os.path.dirname(lab.HEAPD), "memory.json"))
    options = parser.parse_args()
    lab.allow_many_files()
    lab.stay_off_the_servers()
    sizes = [*object_rows(options.objects), *name_rows(options.objects), *session_rows(options.sessions)]
    print(f"\nResident bytes, averages over {options.objects:,} objects and names, {options.sessions:,} sessions\n")
    show_sizes(sizes)
    back = list(given_back_rows(options.objects, options.sessions))
    print("\nResident MiB\n")
    show_given_back(back)
    missed = [row["what"] for row in sizes + back if not row["met"]]
    print(f"\nGoals: {len(sizes + back) - len(missed)} met, {len(missed)} missed{': ' if missed else ''}{', '.join(missed)}.")
    lab.save(options.json, sizes=sizes, given_back=back)


if __name__ == "__main__":
    main()
