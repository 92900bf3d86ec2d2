"""cli_bench.py - heap-cli bench: what it shows, what it takes, how it ends, and that it leaves nothing behind."""
import json
import os
import signal
import subprocess

from harness import DEADLINE, Daemon, run, test, test_alone, test_own

HEAP_CLI = os.environ.get("HEAP_CLI", "build/heap-cli")
QUICK = ("--seconds", "0.02")
OPERATIONS = ["ping()", "get(name)", "bind(name, value)", 'call(dict, "add", [key])', "new([1, 2]), release",
              "new, weakref, release"]


def command(server, *words):
    address = server.address
    to = ["--unix", address[len("unix:"):]] if address.startswith("unix:") else ["-H", address]
    return [HEAP_CLI, *to, "bench", *words]


def bench(server, *words):
    """(exit status, standard output, standard error)"""
    done = subprocess.run(command(server, *words), capture_output=True, timeout=DEADLINE, text=True)
    return done.returncode, done.stdout, done.stderr


def measured(server, *words):
    status, out, errors = bench(server, "--json", *QUICK, *words)
    assert (status, errors) == (0, ""), (status, errors)
    return json.loads(out)


@test
def each_operation_is_measured_one_at_a_time_and_many(server):
    status, out, errors = bench(server, *QUICK)
    assert (status, errors) == (0, "")
    lines = out.split("\n\n")[1].splitlines()
    assert lines[0].split("  ")[0] == "OPERATION"
    names = [line[:26].rstrip() for line in lines[1:]]
    assert names == [name for name in OPERATIONS for _ in range(2)], names
    for at_a_time, line in zip([1, 64] * 6, lines[1:]):
        cells = line[26:].replace(",", "").split()
        assert int(cells[0]) == at_a_time and cells[1].isdigit(), line  # "0" if the machine paused for a second
        assert 0 < float(cells[2]) <= float(cells[3]) <= float(cells[4]), line


@test
def as_json_it_is_one_object(server):
    told = measured(server)
    assert told["server"].endswith(server.address.replace("unix:", "")) and told["connections"] == 1
    assert [row["operation"] for row in told["rows"]] == [name for name in OPERATIONS for _ in range(2)]
    for row in told["rows"]:
        assert row["count"] > 0 and 0 < row["p50_us"] <= row["p99_us"] <= row["max_us"], row


@test
def several_connections_and_another_depth(server):
    told = measured(server, "--connections", "3", "--depth", "5")
    assert [row["at_a_time"] for row in told["rows"]] == [3, 15] * 6
    told = measured(server, "--depth", "1")
    assert [row["at_a_time"] for row in told["rows"]] == [1] * 6


@test_alone
def nothing_is_bound_in_the_namespace_that_is_worked_in(server):
    client = server.client(namespace="workshop")
    client.call("bind", "mine", 1)
    url = "" if server.address.startswith("unix:") else f"heapd://{server.address}/workshop"
    subprocess.run([HEAP_CLI, "bench", *QUICK], env={**os.environ, "HEAPD_URL": url}, check=True, timeout=DEADLINE,
                   stdout=subprocess.DEVNULL)
    assert client.call("names", "workshop") == ["mine"]
    client.call("unbind", "mine")


@test
def what_it_takes_is_checked(server):
    for words in (["x"], ["--seconds"], ["--seconds", "0"], ["--seconds", "x"], ["--depth", "0"], ["--depth", "1.5"],
                  ["--depth", "1025"], ["--connections", "1001"], ["--wide", "1"]):
        status, out, errors = bench(server, *words)
        assert (status, out) == (2, "") and "usage: heap-cli bench" in errors, (words, errors)


def ended_by(server, send_signal):
    """(exit status, output, errors) of one that would run for hours."""
    with subprocess.Popen(command(server, "--seconds", "1000"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as process:
        head = process.stdout.readline()
        send_signal(process)
        out, errors = process.communicate(timeout=DEADLINE)
        return process.returncode, head + out, errors


@test
def ctrl_c_ends_it_at_once(server):
    status, out, errors = ended_by(server, lambda process: process.send_signal(signal.SIGINT))
    assert status == 1 and out.startswith("heapd at ") and "CANCELLED interrupted" in errors, (status, out, errors)


@test_own
def it_ends_with_the_server():
    with Daemon() as server:
        status, _, errors = ended_by(server, lambda process: server.signal(signal.SIGTERM))
        assert status == 3 and "LOST" in errors, (status, errors)
        server.wait()


@test_own
def an_error_of_the_server_ends_it_with_its_sentence():
    with Daemon(config={"limits.handles": 3}) as server:
        status, out, errors = bench(server, *QUICK)
        assert status != 0 and errors.startswith("LIMIT "), (status, errors)
        assert "call(dict" in out, out


run()
