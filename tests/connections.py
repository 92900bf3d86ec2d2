"""connections.py - many of them: accepted, told, forgotten; and what the loop does for one."""
import contextlib
import ctypes
import os
import resource
import signal
import socket
import time

import msgpack
from harness import DEADLINE, Client, Daemon, Skip, run, test, test_own, wait_until

PIDFD_OPEN, PIDFD_GETFD = 434, 438  # system calls, the same numbers on every machine


def sockets_of(pid):
    """Copies of all its sockets."""
    libc = ctypes.CDLL(None, use_errno=True)
    process = libc.syscall(PIDFD_OPEN, pid, 0)
    if process < 0:
        raise Skip("pidfd_open is not allowed")
    found = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        if os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:"):
            copy = libc.syscall(PIDFD_GETFD, process, int(name), 0)
            if copy < 0:
                os.close(process)
                raise Skip("pidfd_getfd is not allowed")
            found.append(socket.socket(fileno=copy))
    os.close(process)
    return found


def its_end_of(client, sockets):
    for sock in sockets:
        with contextlib.suppress(OSError):
            if sock.getpeername() == client.sock.getsockname():
                return sock
    raise AssertionError("the server has no such connection")


@test_own
def a_tcp_connection_sends_at_once_and_notices_a_client_that_is_gone():
    with Daemon() as server:
        client = server.client()
        client.call("ping")
        sockets = sockets_of(server.process.pid)
        try:
            sock = its_end_of(client, sockets)
            options = [sock.getsockopt(socket.IPPROTO_TCP, name) for name in (
                socket.TCP_NODELAY, socket.TCP_KEEPIDLE, socket.TCP_USER_TIMEOUT)]
            assert options == [1, 60, 30000], options
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        finally:
            for sock in sockets:
                sock.close()


# -- sleeping --------------------------------------------------------------------------------------------------------


def rounds_of_the_loop(server):
    """As the daemon logs it when it is asked: the answer is a round or two by itself."""
    before = server.stderr().count(", round ")
    server.signal(signal.SIGUSR2)
    wait_until(lambda: server.stderr().count(", round ") > before, "the state in the log")
    return int(server.stderr().rsplit(", round ", 1)[1].split()[0])


def is_asleep(server):
    return rounds_of_the_loop(server) + 5 > rounds_of_the_loop(server)


def is_awake(server, client):
    client.call("ping")
    return rounds_of_the_loop(server) + 50 < rounds_of_the_loop(server)


@test_own
def a_daemon_whose_clients_are_silent_sleeps():
    with Daemon() as server:
        client = server.client()
        client.call("ping")
        wait_until(lambda: is_asleep(server), "a loop that sleeps")
        assert not is_awake(server, client)


@test_own
def busy_poll_keeps_the_loop_awake_after_each_request_and_no_longer():
    with Daemon("--busy-poll-us", "300000") as server:
        client = server.client()
        wait_until(lambda: is_awake(server, client), "a loop that is awake")
        wait_until(lambda: is_asleep(server), "a loop that sleeps again")
        wait_until(lambda: is_awake(server, client), "a loop that is awake")


@test_own
def busy_poll_can_be_set_while_the_daemon_runs():
    with Daemon("--admin-from", "loopback") as server:
        client = server.client()
        assert client.call("config_get", "busy*") == {"busy_poll_us": 0}
        client.call("config_set", "busy_poll_us", 1000000)
        assert client.call("config_get", "busy*") == {"busy_poll_us": 1000000}
        wait_until(lambda: is_awake(server, client), "a loop that is awake")
        client.call("config_set", "busy_poll_us", 0)
        client.fails("VALUE", "config_set", "busy_poll_us", 1000001)
        wait_until(lambda: is_asleep(server), "a loop that sleeps")


@test_own
def busy_poll_changes_no_answer():
    requests = [("bind", ["x", [1, 2]]), ("call", ["x", "append", [3]]), ("read", ["x"]), ("ping", [])]
    with Daemon("--busy-poll-us", "50") as server:
        clients = [server.client() for _ in range(20)]
        for _ in range(20):
            for client in clients:
                assert client.pipeline(requests) == [(None, True), (None, None), (None, [1, 2, 3]), (None, None)]


run()
