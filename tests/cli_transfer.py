#!/usr/bin/python3
"""cli_transfer.py - heap-cli dump and load: files, pipes between two servers, and no bytes on a terminal."""
import os
import pty
import subprocess
import tempfile

from harness import DEADLINE, Daemon, run, test, test_own, unique

HEAP_CLI = os.environ.get("HEAP_CLI", "build/heap-cli")


def command(server, *words):
    address = server.address
    where = ["--unix", address[len("unix:"):]] if address.startswith("unix:") else ["-H", address]
    return [HEAP_CLI, *where, *words]


def cli(server, *words, **streams):
    """(exit status, standard output, standard error)"""
    done = subprocess.run(command(server, *words), timeout=DEADLINE, env={**os.environ, "HEAPD_URL": ""},
                          **{"input": b"", "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams})
    return done.returncode, done.stdout, done.stderr.decode()


@test
def a_dump_goes_to_a_file_and_comes_back_under_another_name(server):
    client = server.client()
    name, other = unique("graph"), unique("copy")
    ring = client.call("new", [1, {"a": [b"\x00\n\r"]}])
    client.of(ring, "append", ring)
    client.call("bind", ["global", name], ring)
    with tempfile.TemporaryFile() as file:
        assert cli(server, "dump", name, stdout=file) == (0, None, "")
        file.seek(0)
        assert file.read() == client.call("dump", ring)
        for target in (other, "global:" + other):
            file.seek(0)
            done = subprocess.run(command(server, "load", target), stdin=file, capture_output=True, timeout=DEADLINE)
            assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), done
            made = client.call("get", ["global", other])
            assert client.call("is", made, client.of(made, "get", 2)) and not client.call("is", made, ring)
            client.of(made, "clear")
    client.of(ring, "clear")
    for each in (name, other):
        client.call("unbind", ["global", each])


@test_own
def a_pipe_carries_a_graph_from_one_server_to_another():
    with Daemon() as here, Daemon() as there:
        client = here.client()
        kept = client.call("class", "Job")
        jobs = client.call("new", [client.call("call", kept, "new") for _ in range(2000)])
        client.call("bind", ["global", "jobs"], jobs)
        out = subprocess.Popen(command(here, "dump", "global:jobs"), stdout=subprocess.PIPE)
        done = subprocess.run(command(there, "load", "jobs", "--classes=by name"), stdin=out.stdout, timeout=DEADLINE,
                              capture_output=True)
        out.stdout.close()
        assert out.wait(timeout=DEADLINE) == 0 and (done.returncode, done.stderr) == (0, b""), done
        other = there.client()
        assert other.call("dump", "jobs") == client.call("dump", jobs)
        other.call("unbind", ["global", "jobs"])
        client.call("unbind", ["global", "jobs"])


@test
def classes_by_name_are_those_that_are_bound(server):
    client = server.client()
    of, name = unique("Class"), unique("made")
    client.call("bind", ["global", of], client.call("class", of))
    blob = client.call("dump", client.call("call", ["global", of], "new"))
    for words, is_found in (([], False), (["--classes", "by name"], True), (["--classes=new"], False)):
        assert cli(server, "load", name, *words, input=blob) == (0, b"", "")
        assert client.call("is", client.call("getattr", name, "__class__"), ["global", of]) == is_found
    client.call("unbind", ["global", of])
    client.call("unbind", ["global", name])


@test
def what_fails_says_why_and_binds_nothing(server):
    client = server.client()
    name = unique("nothing")
    for status, error, words, stdin in (
            (1, "NO_NAME", ["dump", name], b""), (2, "usage", ["dump"], b""), (2, "usage", ["dump", "a", "b"], b""),
            (2, "usage", ["load"], b""), (2, "usage", ["load", "a", "b"], b""),
            (2, "usage", ["load", "a", "--classes"], b""),
            (1, "VALUE", ["load", name], b""), (1, "VALUE", ["load", name], b"no dump"),
            (1, "BAD_ARGS", ["load", name, "--classes", "odd"], client.call("dump", client.call("new", [1])))):
        got = cli(server, *words, input=stdin)
        assert got[:2] == (status, b"") and error in got[2], (words, got)
    client.fails("NO_NAME", "get", name)


@test
def no_bytes_go_to_a_terminal_or_come_from_one(server):
    client = server.client()
    name = unique("graph")
    client.call("bind", ["global", name], [1])
    main, side = pty.openpty()
    try:
        status, _, errors = cli(server, "dump", name, stdout=side)
        assert status == 2 and "terminal" in errors, errors
        done = subprocess.run(command(server, "load", name), stdin=side, capture_output=True, timeout=DEADLINE)
        assert done.returncode == 2 and b"terminal" in done.stderr, done
    finally:
        os.close(main)
        os.close(side)
    client.call("unbind", ["global", name])


run()
