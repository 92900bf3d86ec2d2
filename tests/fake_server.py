"""fake_server.py - a server that answers as a test wants it to, for what a real one never does."""
import socket
import threading

import msgpack

from harness import DEADLINE

HELLO = {"server": "fake", "version": "0", "protocol": 1, "session": 1, "limits": {}}


class FakeServer:
    """Serves any number of connections, one after another, in a thread.

    `hello(server, msgid)` and `answer(server, msgid, method, params)` run for each request; they use result, fail,
    send, hang_up, or do nothing.
    """

    def __init__(self, hello=None, answer=None):
        self.hello = hello or (lambda server, msgid: server.result(msgid, HELLO))
        self.answer = answer
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(DEADLINE)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.peer = None
        self.is_over = False
        self.thread = threading.Thread(target=self._serve)

    def _serve(self):
        while not self.is_over:
            try:
                self.peer, _ = self.listener.accept()
            except OSError:
                return
            try:
                self._converse()
            except OSError:
                pass
            self.hang_up()

    def _converse(self):
        unpacker = msgpack.Unpacker(raw=False, strict_map_key=False)
        while self.peer is not None:
            data = self.peer.recv(65536)
            if not data:
                return
            unpacker.feed(data)
            for message in unpacker:
                if message[0] == 0 and message[2] == "hello":
                    self.hello(self, message[1])
                elif message[0] == 0:
                    self.answer(self, *message[1:])

    def send(self, data):
        if self.peer is not None:
            self.peer.sendall(data)

    def result(self, msgid, value):
        self.send(msgpack.packb([1, msgid, None, value], use_bin_type=True))

    def fail(self, msgid, text):
        self.send(msgpack.packb([1, msgid, text, None], use_bin_type=True))

    def hang_up(self):
        peer, self.peer = self.peer, None
        if peer is not None:
            peer.close()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        peer = self.peer
        if peer is not None:
            try:
                peer.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.thread.join(DEADLINE)
