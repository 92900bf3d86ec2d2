"""harness.py - what the integration tests share: a daemon, clients that speak raw bytes or requests, and TAP.

A test is a function whose name is its claim. It passes if it returns.

    @test                                   gets the daemon of its file, or the running one that HEAPD_TEST_ADDR
    def ping_echoes(server):                (HOST:PORT or unix:PATH) names; it leaves nothing behind there
        assert server.client().call("ping", 5) == 5

    @test_alone                             the same, but what others do there would disturb it: skipped then
    @test_own                               takes nothing, starts its daemons itself: `with Daemon(...) as server`

    run()                                   the last line; arguments of the program: run what has one in its name

After each test its clients are closed, and the daemon must then hold no more objects, handles, names and sessions than
before. A daemon is ended with SIGTERM, and must exit with 0 and without a word of a sanitizer. Nothing here sleeps but
between two looks at what is waited for; DEADLINE ends every wait.
"""
import contextlib
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

import msgpack

DEADLINE = 60  # seconds; only a hang comes near it
HEAPD = os.environ.get("HEAPD", "build/heapd")
SHARED = os.environ.get("HEAPD_TEST_ADDR")

HANDLE, NAME = 1, 2  # extension types


def wait_until(claim, what):
    """Looks until claim() is true and returns what it gave; fails with `what` after DEADLINE."""
    end = time.monotonic() + DEADLINE
    while True:
        value = claim()
        if value:
            return value
        assert time.monotonic() < end, f"still waiting for {what}"
        time.sleep(0.002)


# -- values ----------------------------------------------------------------------------------------------------------


class Ref:
    """A reference from the server, in either dialect. As a parameter it means the object of its handle."""

    def __init__(self, handle, id, type):
        self.handle, self.id, self.type = handle, id, type

    def __repr__(self):
        return f"Ref({self.handle}, {self.id}, {self.type!r})"


TYPE_NAMES = ("nil bool int float str bytes list tuple dict set object class method weakref proxy namespace weakdict "
              "weakkeydict weakset queue hosted").split()


def pack(value, default=None):
    return msgpack.packb(value, default=default, use_bin_type=True)


def unpack(frame, **hooks):
    return msgpack.unpackb(frame, raw=False, strict_map_key=False, **hooks)


def ext_handle(number):
    return msgpack.ExtType(HANDLE, pack(number))


def ext_name(name):
    return msgpack.ExtType(NAME, pack(name))


def refs_in_maps(value):
    if len(value) == 1 and isinstance(value.get("@"), list) and len(value["@"]) == 3:
        return Ref(*value["@"])
    return value


def refs_in_ext(code, payload):
    if code != HANDLE:
        return msgpack.ExtType(code, payload)
    unpacker = msgpack.Unpacker()
    unpacker.feed(payload)
    handle, id, type = unpacker
    return Ref(handle, id, TYPE_NAMES[type])


# -- clients ---------------------------------------------------------------------------------------------------------


def dial(address, source=None):
    """A socket connected to HOST:PORT, [HOST]:PORT or unix:PATH, from the address `source` if one is given."""
    if address.startswith("unix:"):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(DEADLINE)
        sock.connect(address[len("unix:"):])
        return sock
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host.strip("[]"), int(port)), DEADLINE, (source, 0) if source else None)


class Failure(Exception):
    """An error response; str() is its text."""

    @property
    def code(self):
        return str(self).split(" ", 1)[0]


class Client:
    """One connection. `events` keeps the notifications that came while a response was awaited."""

    def __init__(self, address, source=None):
        self.sock = dial(address, source)
        if self.sock.family != socket.AF_UNIX:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.dialect = "map"
        self.msgid = 0
        self.events = []
        self.input = bytearray()
        self.scanner = msgpack.Unpacker(max_buffer_size=0)  # finds where frames end
        self.taken = 0  # bytes of the stream before self.input

    def close(self):
        self.sock.close()

    # bytes

    def send(self, data):
        self.sock.sendall(data)

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    def rest(self):
        """Every byte until the server closes. A reset is a close as well: the server need not read what it dropped."""
        while self._fill():
            pass
        data, self.input = bytes(self.input), bytearray()
        return data

    def _fill(self):
        try:
            data = self.sock.recv(1 << 18)
        except ConnectionResetError:
            return False
        self.scanner.feed(data)
        self.input += data
        return bool(data)

    def frame(self):
        """The bytes of the next message, None at the end of the connection."""
        while True:
            try:
                self.scanner.skip()
                break
            except msgpack.OutOfData:
                if not self._fill():
                    assert not self.input, f"the connection ended within a frame: {bytes(self.input[:100])!r}"
                    return None
        end = self.scanner.tell() - self.taken
        frame = bytes(self.input[:end])
        del self.input[:end]
        self.taken += end
        return frame

    def is_silent(self):
        """Whether the server has answered everything: a ping comes back, and nothing came before it."""
        assert self.input == b"", bytes(self.input)
        frame = pack([0, 0xFFFFFFFF, "ping", []])
        self.send(frame)
        return self.frame() == pack([1, 0xFFFFFFFF, None, None])

    # messages

    def encode(self, message):
        def reference(value):
            assert isinstance(value, Ref), repr(value)
            return {"@": value.handle} if self.dialect == "map" else ext_handle(value.handle)

        return pack(message, reference)

    def receive(self):
        """The next message, None at the end of the connection."""
        frame = self.frame()
        if frame is None:
            return None
        return unpack(frame, object_hook=refs_in_maps if self.dialect == "map" else None, ext_hook=refs_in_ext)

    def request(self, method, *params):
        """Sends without waiting; response() takes the msgid that this returns."""
        self.msgid += 1
        self.send(self.encode([0, self.msgid, method, list(params)]))
        return self.msgid

    def notify(self, method, *params):
        self.send(self.encode([2, method, list(params)]))

    def response(self, msgid):
        """[error, result] of the next response, which must be this one's."""
        while True:
            message = self.receive()
            assert message is not None, "the connection ended instead of a response"
            if message[0] == 2:
                self.events.append(message[1:])
                continue
            kind, got, error, result = message
            assert (kind, got) == (1, msgid), message
            assert error is None or result is None, message
            return error, result

    def answer(self, msgid):
        error, result = self.response(msgid)
        if error is not None:
            raise Failure(error)
        return result

    def call(self, method, *params):
        return self.answer(self.request(method, *params))

    def pipeline(self, requests):
        """Sends all of [(method, params)...] at once; their [(error, result)...]."""
        first = self.msgid + 1
        self.msgid += len(requests)
        self.send(b"".join(self.encode([0, first + i, method, params]) for i, (method, params) in enumerate(requests)))
        return [self.response(first + i) for i in range(len(requests))]

    def fails(self, code, method, *params):
        """The request is answered with this code; returns the whole text."""
        error, result = self.response(self.request(method, *params))
        assert isinstance(error, str), f"{method}{params}: expected {code}, got the result {result!r}"
        assert re.fullmatch(code + r" \S.*", error, re.DOTALL), f"{method}{params}: expected {code}, got {error!r}"
        return error

    def hello(self, **settings):
        result = self.call("hello", settings)
        self.dialect = settings.get("refs", self.dialect)
        return result

    def event(self):
        """The next event, [name, params]."""
        if not self.events:
            message = self.receive()
            assert message is not None, "the connection ended instead of an event"
            assert message[0] == 2 and len(message) == 3, message
            self.events.append(message[1:])
        return self.events.pop(0)

    def of(self, target, method, *args):
        """A method of an object."""
        return self.call("call", target, method, list(args))


# -- daemons ---------------------------------------------------------------------------------------------------------

GAUGES = (("objects", "live"), ("sessions", "active"), ("sessions", "handles"), ("sessions", "names"),
          ("server", "working"))


class Server:
    """A running daemon at `address`."""

    def __init__(self, address):
        self.address = address
        self.clients = []

    def client(self, address=None, **settings):
        """A new connection, closed by the end of the test; hello is sent if there are settings."""
        client = Client(address or self.address)
        self.clients.append(client)
        if settings:
            client.hello(**settings)
        return client

    def close_clients(self):
        while self.clients:
            self.clients.pop().close()

    @contextlib.contextmanager
    def idle_timeout(self, seconds=0.05):
        """Who is idle for so long meanwhile is ended. The clients must be administrators; the one here waits for an item,
        which is not idle, so that it can take the setting back: nobody else is then ended for a pause of this machine."""
        admin = self.client()
        admin.request("call", admin.call("call", "queue", "new"), "take")
        admin.call("config_set", "idle_timeout", seconds)
        try:
            yield
        finally:
            admin.call("config_set", "idle_timeout", 0)

    def gauges(self, client):
        stats = client.call("stats")
        return {f"{section}.{name}": stats[section][name] for section, name in GAUGES}

    def admitted(self):
        """A client that has a session; None if there is no room for one yet."""
        client = Client(self.address)
        client.send(pack([0, 0, "ping", []]))
        if client.receive() == [1, 0, None, None]:
            return client
        client.close()
        return None

    def settle(self, base=None):
        """Waits until nobody else is connected and returns the gauges, which must then be those of `base`."""
        client = wait_until(self.admitted, "a session")
        try:
            wait_until(lambda: self.gauges(client)["sessions.active"] == 1, "the end of every other session")
            gauges = self.gauges(client)
        finally:
            client.close()
        assert base in (None, gauges), f"left behind: {base} became {gauges}"
        return gauges


class Daemon(Server):
    """A daemon of its own: `options` as on the command line, `config` a dict of settings or a text for its file.

    `listen` are its TCP listeners; port 0 is a free port. DIRECTORY in an option is its own directory, that goes with
    it. `listeners` is how many ready lines to wait for, if it is told of them otherwise; `reach` the one to talk to.
    `before` runs in the new process.
    """

    def __init__(self, *options, config=None, listen=("127.0.0.1:0",), environment=None, before=None, listeners=None,
                 reach=0):
        self.directory = tempfile.mkdtemp(prefix="heapd-test-")
        self.errors = open(os.path.join(self.directory, "stderr"), "w+b")
        self.config_path = os.path.join(self.directory, "heapd.conf")
        command = [HEAPD]
        for address in listen:
            command += ["--listen", address]
        if config is not None:
            self.write_config(config)
            command += ["--config", self.config_path]
        command += [option.replace("DIRECTORY", self.directory) for option in options]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.errors,
                                        env=environment, preexec_fn=before)
        if listeners is None:
            listeners = len(listen) + options.count("--unix")
        try:
            self.addresses = self._read_addresses(listeners)
            super().__init__(self.addresses[reach])
            self.base = self.settle()
        except BaseException:
            self.kill()
            raise

    def _read_addresses(self, count):
        text = b""
        end = time.monotonic() + DEADLINE
        while text.count(b"\n") < count:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            data = os.read(self.process.stdout.fileno(), 4096) if ready else b""
            assert data, f"not ready but {text!r}; on stderr: {self.stderr()}"
            text += data
        addresses = re.findall(r"^heapd \S+ ready on (.+)\n", text.decode(), re.MULTILINE)
        assert len(addresses) == text.count(b"\n") == count, text
        return addresses

    def write_config(self, config):
        if isinstance(config, dict):
            config = "".join(f"{name} = {value}\n" for name, value in config.items())
        with open(self.config_path, "w") as file:
            file.write(config)

    def stderr(self):
        with open(self.errors.name, errors="replace") as file:
            return file.read()

    def memory(self, field="VmRSS"):
        """Bytes, by /proc."""
        with open(f"/proc/{self.process.pid}/status") as file:
            for line in file:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) * 1024
        raise AssertionError(f"no {field}")

    def slack(self):
        """Bytes that it may take beyond what a test has it keep; a sanitizer's quarantine takes more."""
        is_sanitized = self.memory("VmSize") > 1 << 40
        return (400 if is_sanitized else 32) << 20

    def signal(self, number):
        self.process.send_signal(number)

    @contextlib.contextmanager
    def held_still(self):
        """The daemon stands still meanwhile: what is sent to it by several clients is there when it goes on."""
        self.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.signal(signal.SIGCONT)

    def wait(self):
        """Its exit status, after it has ended by itself or by a signal that was sent."""
        return self.process.wait(timeout=DEADLINE)

    def stop(self):
        """The orderly end: nothing is left behind, SIGTERM, status 0, no complaint."""
        self.close_clients()
        if self.process.poll() is None:
            self.settle(self.base)
            self.signal(signal.SIGTERM)
        status = self.wait()
        complaint = re.search(r"Sanitizer|runtime error:|panic|INTERNAL", self.stderr())
        assert status == 0 and not complaint, f"exit status {status}, on stderr: {self.stderr()}"

    def kill(self):
        self.process.kill()
        self.process.wait()
        self._clean()

    def _clean(self):
        self.process.stdout.close()
        self.errors.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            try:
                self.stop()
            except BaseException:
                self.kill()
                raise
            self._clean()
        else:
            self.close_clients()
            print(comment(f"stderr of the daemon:\n{self.stderr()}"))
            self.kill()


# -- TAP -------------------------------------------------------------------------------------------------------------

tests = []  # of (function, takes the file's daemon, runs beside others)


def test(function):
    tests.append((function, True, True))
    return function


def test_alone(function):
    tests.append((function, True, False))
    return function


def test_own(function):
    tests.append((function, False, False))
    return function


def comment(text):
    return "\n".join("# " + line for line in text.splitlines())


def unique(name):
    """A name for a shared namespace that no other run uses."""
    return f"test-{os.getpid()}-{name}"


def run_shared(function, server):
    base = None if SHARED else server.settle()
    try:
        function(server)
    finally:
        server.close_clients()
    if base:
        server.settle(base)


class Skip(Exception):
    """Raised by a test that this machine cannot run; says why."""


def run_one(function, takes_server, is_social, server):
    """(passed, remark) of one test."""
    if SHARED and not is_social:
        return True, " # SKIP needs a daemon of its own"
    try:
        if takes_server:
            run_shared(function, server())
        else:
            function()
    except Skip as reason:
        return True, f" # SKIP {reason}"
    except Exception:
        print(comment(traceback.format_exc()))
        return False, ""
    return True, ""


def run(**daemon):
    """Runs the tests of the file, in order, and exits. The keywords go to the file's daemon."""
    chosen = [row for row in tests if not sys.argv[1:] or any(word in row[0].__name__ for word in sys.argv[1:])]
    servers = []
    failed = False

    def server():
        if not servers:
            servers.append(Server(SHARED) if SHARED else Daemon(**daemon))
        return servers[0]

    print(f"1..{len(chosen)}")
    for number, (function, takes_server, is_social) in enumerate(chosen, 1):
        passed, remark = run_one(function, takes_server, is_social, server)
        print(f"{'ok' if passed else 'not ok'} {number} - {function.__name__}{remark}", flush=True)
        failed |= not passed
    for one in servers:
        if isinstance(one, Daemon):
            failed |= not ends_well(one)
    sys.exit(failed)


def ends_well(daemon):
    """The end of the file's daemon. It is no test of its own: it fails the program."""
    try:
        with daemon:
            pass
    except Exception:
        print(comment(traceback.format_exc()))
        print("Bail out! the daemon did not end as it should")
        return False
    return True
