"""load_generator.py - the load generator of ./dev bench takes right answers, and no others."""
import json
import os
import subprocess

from fake_server import FakeServer
from harness import DEADLINE, Daemon, run, test_own

LOAD = os.path.join(os.environ.get("TOP_BUILDDIR", "build"), "tests/bench/load")
OPERATIONS = ("ping get bind add incr append set item read new hold getattr setattr weakref deref names type refcount "
              "batch").split()


def load(address, *words):
    """(exit status, what it measured, standard error)"""
    command = [LOAD, "--address", address, "--connections", "1", *map(str, words)]
    done = subprocess.run(command, capture_output=True, timeout=DEADLINE, text=True)
    return done.returncode, json.loads(done.stdout or "{}"), done.stderr


def refused(answer, depth=1):
    """What the generator says of a server that answers pings so."""
    fake = FakeServer(answer=answer)
    with fake:
        status, measured, errors = load(fake.address, "--op", "ping", "--requests", depth, "--depth", depth)
    assert (status, measured) == (1, {}), (status, measured)
    return errors


@test_own
def every_operation_gets_the_answers_that_it_expects():
    with Daemon() as server:
        assert load(server.address, "--fill", "--keys", 100) == (0, {}, "")
        for op in OPERATIONS:
            status, measured, errors = load(server.address, "--op", op, "--keys", 100, "--depth", 7, "--requests", 200,
                                            "--pid", server.process.pid)
            assert (status, errors, measured["requests"]) == (0, "", 200), (op, errors)
            assert 0 < measured["p50_us"] <= measured["p99_us"] <= measured["max_us"] * 1.1, measured
        client = server.client()
        client.call("hello", {"namespace": "bench"})
        for name in client.call("names", "bench"):
            client.call("unbind", ["bench", name])


@test_own
def an_answer_may_come_in_pieces():
    def answer(fake, msgid, method, params):
        frame = b"\x94\x01\xce" + msgid.to_bytes(4, "big") + b"\xc0\xc0"
        for i in range(len(frame)):
            fake.send(frame[i:i + 1])

    with FakeServer(answer=answer) as fake:
        status, measured, errors = load(fake.address, "--op", "ping", "--requests", 20, "--depth", 5)
    assert (status, measured.get("requests"), errors) == (0, 20, ""), (status, measured, errors)


@test_own
def a_wrong_value_ends_the_run():
    assert "a wrong reply" in refused(lambda fake, msgid, method, params: fake.result(msgid, False))


@test_own
def an_error_ends_the_run():
    assert "a wrong reply" in refused(lambda fake, msgid, method, params: fake.fail(msgid, "NO_NAME there is none"))


@test_own
def the_answer_to_another_request_ends_the_run():
    assert "a wrong reply" in refused(lambda fake, msgid, method, params: fake.result(msgid + 1, None), depth=2)


@test_own
def more_answers_than_requests_end_the_run():
    def answer(fake, msgid, method, params):
        frame = b"\x94\x01\xce" + msgid.to_bytes(4, "big") + b"\xc0\xc0"
        fake.send(frame + frame[:1])

    assert "more bytes" in refused(answer)


@test_own
def a_close_ends_the_run():
    assert "read" in refused(lambda fake, msgid, method, params: fake.hang_up())


run()
