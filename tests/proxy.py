"""proxy.py - a bad network between clients and a server."""
import random
import select
import socket
import struct
import threading

from harness import DEADLINE, dial


class Proxy(threading.Thread):
    """Carries bytes between clients and the server, one connection at a time: in pieces of random size, one direction
    before the other as it likes, and, unless it is kind, after a random number of bytes not at all."""

    def __init__(self, server, seed, is_kind=False):
        super().__init__(daemon=True)
        self.random = random.Random(seed)
        self.server = server
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.is_kind = is_kind
        self.carried = None

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = dial(self.server)
            for sock in (client, server):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.carried = (client, server)
            self.carry(client, server)
            self.carried = None
            if self.random.random() < 0.5:
                for sock in (client, server):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
            client.close()
            server.close()

    def carry(self, client, server):
        left = self.random.choice((50, 500, 3000, 20000))
        left = self.random.randrange(1, left)
        while True:
            ready, _, _ = select.select([client, server], [], [], DEADLINE)
            for source in ready:
                if len(ready) == 2 and self.random.random() < 0.3:
                    continue  # later
                target = server if source is client else client
                try:
                    data = source.recv(self.random.choice((1, 7, 100, 5000)))
                    if not data:
                        return
                    if not self.is_kind:
                        data = data[:left]
                        left -= len(data)
                    target.sendall(data)
                except OSError:
                    return
                if left <= 0 and not self.is_kind:
                    return

    def cut(self):
        """Ends the connection that it carries, if there is one, now."""
        for sock in self.carried or ():
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        """No further connection."""
        self.listener.close()
