#!/usr/bin/python3
"""memory_page.py - measures what docs/memory.md says that things cost.

    memory_page.py           TAP: the numbers of the page are those of this daemon
    memory_page.py --write   puts them into the page

A row of the page's tables is `| what | number | ... |`. In `Objects` what is an expression of heap-cli (statements may
stand before it), measured by sizeof; the other rows are those of `averages` and `resident` below. The pool's twin on
malloc rounds otherwise: then everything is skipped.
"""
import os
import re
import subprocess
import sys

from harness import Client, Daemon, wait_until

HEAP_CLI = os.environ.get("HEAP_CLI", "build/heap-cli")
TOP = os.environ.get("TOP_SRCDIR", os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
PAGE = os.path.join(TOP, "docs", "memory.md")
ROW = re.compile(r"^\| (.+?) \| (\d+) \|")
MANY = 10000
SESSIONS = 500


# -- objects ---------------------------------------------------------------------------------------------------------


def size_of(server, what):
    """Of an expression in backquotes, by heap-cli."""
    *before, expression = what.strip("`").split("; ")
    command = [HEAP_CLI, "-H", server.address]
    for statement in ["class X", "first = X()", "first.a = first.b = first.c = 0", "xs = []", *before,
                      f"sizeof({expression})"]:
        command += ["-e", statement]
    return int(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


# -- averages --------------------------------------------------------------------------------------------------------


def bytes_now(client):
    return client.call("stats", "memory")["memory"]["bytes"]


def average(client, requests):
    """Bytes that one of many requests leaves behind."""
    before = bytes_now(client)
    for error, _ in client.pipeline(requests):
        assert error is None, error
    return round((bytes_now(client) - before) / len(requests))


def of_list(client):
    client.call("bind", "v", [0] * MANY)
    return round(client.call("sizeof", "v") / MANY)


def of_dict(client):
    client.call("bind", "v", {f"{i}": 0 for i in range(MANY)})
    return round(client.call("sizeof", "v") / MANY)


def of_names(client, form):
    return average(client, [("bind", [form % i, None]) for i in range(MANY)])


def of_handles(client):
    return average(client, [("hold", ["list", {"into": i}]) for i in range(1, MANY + 1)])


def of_weakrefs(client, times):
    """The weakrefs are kept in a list with room for them, so that no handle is counted."""
    client.call("bind", "targets", [[] for _ in range(MANY)])
    client.call("bind", "kept", [None] * MANY * 2)
    for n in range(times):
        before = bytes_now(client)
        for i in range(MANY):
            target = client.of("targets", "get", i).handle
            weakref = client.call("weakref", target, {"notify": True}).handle
            client.of("kept", "set", n * MANY + i, {"@": weakref})
            client.call("release", target, weakref)
    return round((bytes_now(client) - before) / MANY)


averages = {
    "element of a large list": of_list,
    "entry of a large dict": of_dict,
    "a name of 7 bytes": lambda client: of_names(client, "n%06d"),
    "a name of 28 bytes": lambda client: of_names(client, "name-%023d"),
    "a handle": of_handles,
    "a weakref of an object that had none": lambda client: of_weakrefs(client, 1),
    "another weakref of the same object": lambda client: of_weakrefs(client, 2),
}


# -- resident memory: KiB, roughly -----------------------------------------------------------------------------------


def of_daemon(server):
    return server.memory() / 1024


def of_sessions(server, talk):
    before = server.memory()
    clients = [Client(server.address) for _ in range(SESSIONS)]
    watcher = server.client()
    wait_until(lambda: watcher.call("stats", "sessions")["sessions"]["active"] == SESSIONS + 1, "all sessions")
    for client in clients if talk else []:
        client.call("ping")
    after = server.memory()
    for client in clients:
        client.close()
    return (after - before) / 1024 / SESSIONS


resident = {
    "the daemon at its start": of_daemon,
    "an idle connection, before its first request": lambda server: of_sessions(server, False),
    "after its first request": lambda server: of_sessions(server, True),
}


# -- the page --------------------------------------------------------------------------------------------------------


def measure(what):
    """(number, whether it is a rough one); None if nobody measures this."""
    with Daemon() as server:
        if what.startswith("`"):
            return size_of(server, what), False
        if what in averages:
            return averages[what](server.client()), False
        if what in resident:
            return resident[what](server), True
    return None


def agrees(said, measured):
    number, is_rough = measured
    return said / 2 <= number <= said * 2 if is_rough else said == number


def has_pool():
    with Daemon() as server:
        return server.client().call("stats", "memory")["memory"]["arenas"] > 0


def rows(lines):
    """(index of the line, what, number) of each row that is measured."""
    skip = True  # the header's table counts the bytes of a struct, which a static assertion checks
    for at, line in enumerate(lines):
        skip = line == "## The header" if line.startswith("## ") else skip
        row = None if skip else ROW.match(line)
        if row:
            yield at, row[1], int(row[2])


def write(lines):
    for at, what, said in rows(lines):
        measured = measure(what)
        if not agrees(said, measured):
            lines[at] = lines[at].replace(f" | {said} | ", f" | {round(measured[0])} | ", 1)
            print(f"{what}: {said} -> {round(measured[0])}")
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def check(lines):
    table = list(rows(lines))
    failed = False
    print(f"1..{len(table)}")
    for number, (_, what, said) in enumerate(table, 1):
        measured = measure(what)
        passed = measured is not None and agrees(said, measured)
        failed |= not passed
        print(f"{'ok' if passed else 'not ok'} {number} - {what.replace('#', '')} costs {said}", flush=True)
        if not passed:
            print(f"# docs/memory.md says {said}, measured: {measured[0] if measured else 'by nobody'}", flush=True)
    return failed


def main():
    with open(PAGE, encoding="utf-8") as file:
        lines = file.read().splitlines()
    if not has_pool():
        print("1..0 # SKIP objects come from malloc here")
        return 0
    return write(lines) if sys.argv[1:] == ["--write"] else check(lines)


if __name__ == "__main__":
    sys.exit(main())
