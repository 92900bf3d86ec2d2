"""connections.py - many of them: accepted, told, forgotten; and what the loop does for one."""
import contextlib
import ctypes
import os
import resource
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


run()
