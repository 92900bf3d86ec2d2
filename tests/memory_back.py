#!/usr/bin/python3
"""memory_back.py - what was dropped goes back to the system: resident memory is soon what it was at the start.

No time is measured: each test waits until it is so. Beside a sanitizer, which keeps what was freed, everything is
skipped.
"""
import sys

from harness import Client, Daemon, run, test_own, wait_until

MANY = 100000
PART = 1000
SLACK = 2 << 20  # bytes: less than all that the tests make


def parts():
    return (range(start, start + PART) for start in range(0, MANY, PART))


def goes_back(make, drop):
    """make(client) takes more than SLACK, and after drop(client) no more than that is left."""
    with Daemon() as server:
        client = server.client()
        client.call("ping")
        begin = server.memory()
        make(client)
        assert server.memory() > begin + 2 * SLACK, "this makes too little to tell"
        drop(client)
        wait_until(lambda: server.memory() < begin + SLACK, f"{server.memory()} bytes to become {begin}")


def succeed(client, requests):
    for error, _ in client.pipeline(requests):
        assert error is None, error


def make_lists(client):
    client.call("bind", "kept", [])
    for part in parts():
        client.call("call", "kept", "extend", [[[i, "text"] for i in part]])


@test_own
def a_large_graph():
    goes_back(make_lists, lambda client: client.call("unbind", "kept"))


@test_own
def a_large_graph_of_which_every_second_object_went_first():
    def drop(client):
        for part in parts():
            succeed(client, [("call", ["kept", "set", [i, None]]) for i in part if i % 2 == 0])
        client.call("unbind", "kept")

    goes_back(make_lists, drop)


@test_own
def a_dict_of_which_little_is_left():
    def make(client):
        client.call("bind", "kept", {})
        for part in parts():
            client.call("call", "kept", "update", [{i: None for i in part}])

    def drop(client):
        for part in parts():
            succeed(client, [("call", ["kept", "pop", [i], {"result": "none"}]) for i in part if i % 1000 != 7])

    goes_back(make, drop)


@test_own
def names_that_go_one_by_one():
    def make(client):
        for part in parts():
            succeed(client, [("bind", [f"name {i}", 1000 + i]) for i in part])

    def drop(client):
        for part in parts():
            succeed(client, [("unbind", [f"name {i}"]) for i in part])

    goes_back(make, drop)


@test_own
def handles():
    def make(client):
        for part in parts():
            succeed(client, [("new", [[i], {"into": i + 1}]) for i in part])

    def drop(client):
        for part in parts():
            client.call("release", *(i + 1 for i in part))

    goes_back(make, drop)


@test_own
def sessions_with_what_they_held():
    clients = []

    def make(client):
        host, port = client.sock.getpeername()
        for i in range(500):
            clients.append(Client(f"{host}:{port}"))
            clients[-1].call("bind", "kept", [[i, "text"] for i in range(200)])

    def drop(client):
        for one in clients[::2] + clients[1::2]:
            one.close()

    goes_back(make, drop)


@test_own
def one_large_request_and_one_large_response():
    def make(client):
        client.call("bind", "kept", ["some text" * 10] * MANY)
        client.call("read", "kept")

    goes_back(make, lambda client: client.call("unbind", "kept"))


def has_pool():
    with Daemon() as server:
        return server.client().call("stats", "memory")["memory"]["arenas"] > 0


if not has_pool():
    print("1..0 # SKIP objects come from malloc here")
    sys.exit(0)
run()
