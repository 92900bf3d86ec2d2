"""connections.py - many of them: accepted, told, forgotten; and what the loop does for one."""
import contextlib
import ctypes
import os
import resource
import signal
import socket

from harness import Daemon, Skip, pack, run, test, test_own, wait_until

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


PING, PONG = pack([0, 1, "ping", []]), pack([1, 1, None, None])


def room_for(wanted):
    """As many connections as this process and the queue of a listener have room for, at most `wanted`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with open("/proc/sys/net/core/somaxconn") as file:
        longest = int(file.read())
    return min(wanted, longest - 10, hard // 2 - 100)


# -- many ------------------------------------------------------------------------------------------------------------


def come_at_once(server, address, count):
    """They all connect and ask while nobody accepts."""
    with server.held_still():
        clients = [server.client(address) for _ in range(count)]
        for client in clients:
            client.send(PING)
    for client in clients:
        assert client.frame() == PONG
    assert clients[0].call("stats", "sessions")["sessions"]["active"] >= count  # the ends of others may be under way
    server.close_clients()


@test_own
def thousands_that_connect_at_once_all_find_room_in_the_queue():
    with Daemon("--unix", "DIRECTORY/sock") as server:
        for address in server.addresses:
            come_at_once(server, address, room_for(3000))


@test_own
def connections_that_come_and_go_leave_nothing():
    with Daemon() as server:
        for n in range(40):
            clients = [server.client() for _ in range(50)]
            for client in clients:
                client.send(PING + pack([0, 2, "bind", ["x", [n]]]))
            for client in clients[n % 50:]:
                assert client.frame() == PONG
            server.close_clients()  # some of them before their answers have come


# -- telling ---------------------------------------------------------------------------------------------------------


@test
def a_death_is_told_once_to_each_of_many_sessions(server):
    owner = server.client()
    owner.call("bind", ["global", "one"], [])
    owner.call("bind", ["global", "two"], [])
    clients = [server.client() for _ in range(200)]
    for client in clients:
        client.call("weakref", ["global", "one"], {"notify": True, "into": 1})
        client.call("weakref", ["global", "two"], {"notify": True, "into": 2})
    assert owner.pipeline([("unbind", [["global", "two"]]), ("unbind", [["global", "one"]])]) == [(None, True)] * 2
    for client in clients:
        assert client.event() == ["dead", [1, "count", [2]]]
        assert client.event() == ["dead", [2, "count", [1]]]
        assert client.is_silent()


# -- sockets ---------------------------------------------------------------------------------------------------------


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


def round_of_the_loop(server):
    """Its number, as the daemon logs it when it is asked."""
    before = server.stderr().count(", round ")
    server.signal(signal.SIGUSR2)
    wait_until(lambda: server.stderr().count(", round ") > before, "the state in the log")
    return int(server.stderr().rsplit(", round ", 1)[1].split()[0])


def is_asleep(server):
    """Ten answers take a round or two each; a loop that is awake makes thousands meanwhile."""
    begin = round_of_the_loop(server)
    for _ in range(10):
        end = round_of_the_loop(server)
    return end - begin < 100


def is_awake(server, client):
    client.call("ping")
    return not is_asleep(server)


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
