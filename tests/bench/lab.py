"""lab.py - what the benchmarks share: servers on a core of their own, a connection, noise, tables, a file of results.

    with lab.Heapd() as server, lab.Redis() as peer:        both on the first core, each with a directory of its own
        lab.stay_off_the_servers()                          this process, and what it starts from now on
        wire = server.wire()
        wire.call("bind", "x", 1)                           one request, its result
        peer.wire().command("SET", "x", 1)
        server.cpu(), server.memory()                       seconds of all its threads, bytes by /proc

A server that is not used stands still: measure one after the other, in turns.
"""
import datetime
import json
import os
import platform
import pwd
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import msgpack

HEAPD = os.environ.get("HEAPD", "build/heapd")
PROGRAMS = os.path.join(os.path.dirname(HEAPD), "tests/bench")  # load, echo, bulk
CORES = sorted(os.sched_getaffinity(0))  # the first is the servers', the others are the load's


def pinned(core, command):
    """The command on one core: 0 for servers, 1 for load. On a machine with one core, anywhere."""
    return command if len(CORES) < 2 else ["taskset", "-c", str(CORES[core]), *command]


def stay_off_the_servers():
    os.sched_setaffinity(0, CORES[1:] or CORES)


# -- connections -------------------------------------------------------------------------------------------------------


class Wire:
    """One connection: call() and notify() speak MessagePack-RPC, command() and commands() RESP."""

    def __init__(self, address):
        if address.startswith("unix:"):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.connect(address[len("unix:"):])
        else:
            host, port = address.rsplit(":", 1)
            self.sock = socket.create_connection((host, int(port)))
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.unpacker = msgpack.Unpacker(strict_map_key=False, max_buffer_size=0)
        self.replies = self.sock.makefile("rb")
        self.events = []  # notifications that came before a response

    def close(self):
        self.replies.close()
        self.sock.close()

    def notify(self, method, *params):
        self.sock.sendall(msgpack.packb([2, method, params]))

    def call(self, method, *params):
        return self.calls([(method, params)])[0]

    def calls(self, requests):
        """Sends [(method, params)...] at once; the result of each."""
        self.sock.sendall(b"".join(msgpack.packb([0, i, method, params])
                                   for i, (method, params) in enumerate(requests)))
        return [self.result() for _ in requests]

    def result(self):
        while True:
            message = self.message()
            if message[0] == 1:
                assert message[2] is None, message[2]
                return message[3]
            self.events.append(message)

    def message(self):
        """The next message of a heapd, of any kind."""
        while True:
            for message in self.unpacker:
                return message
            data = self.sock.recv(1 << 16)
            assert data, "the server closed the connection"
            self.unpacker.feed(data)

    def command(self, *words):
        return self.commands([words])[0]

    def commands(self, commands):
        """Sends [(word...)...] at once; the reply to each."""
        self.sock.sendall(b"".join(resp_command(words) for words in commands))
        return [self.reply() for _ in commands]

    def reply(self):
        """The next reply of a Redis: bytes, an int, a list, or None."""
        line = self.replies.readline()
        assert line and line[:1] != b"-", line
        if line[:1] == b"+":
            return line[1:-2]
        number = int(line[1:])
        if line[:1] == b":":
            return number
        if number < 0:
            return None
        return self.replies.read(number + 2)[:-2] if line[:1] == b"$" else [self.reply() for _ in range(number)]


def resp_command(words):
    words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


# -- servers -----------------------------------------------------------------------------------------------------------


class Server:
    """A process with a directory of its own, gone at the end. `address` is HOST:PORT or unix:PATH."""

    name, protocol = "", ""

    @staticmethod
    def is_there():
        return True

    def knows(self, op):
        """Whether it has an operation of ops.c."""
        return True

    def begin(self, command):
        self.process = subprocess.Popen(pinned(0, command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True, preexec_fn=allow_many_files)
        self.pid = self.process.pid

    def start(self, command, sign):
        """The rest of its first line with `sign` in it, which tells that it is ready."""
        self.begin(command)
        for line in self.process.stdout:
            if sign in line:
                return line.split(sign)[1].strip()
        self.stop()
        raise SystemExit(f"bench: this did not start: {' '.join(command)}")

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="heapd-bench-")

    def path(self, name):
        return os.path.join(self.directory.name, name)

    def wire(self):
        return Wire(self.address)

    def load(self, *arguments, program="load"):
        """What tests/bench/load, or another program of the kind, measured on it, as a dict; None for a --fill."""
        command = [os.path.join(PROGRAMS, program), "--address", self.address, "--protocol", self.protocol, "--pid",
                   str(self.pid), *map(str, arguments)]
        done = subprocess.run(pinned(1, command), stdout=subprocess.PIPE, text=True, check=True, timeout=300)
        return json.loads(done.stdout) if done.stdout else None

    def cpu(self):
        """Seconds that its threads have run, by the scheduler's own clock."""
        nanoseconds = 0
        for thread in os.listdir(f"/proc/{self.pid}/task"):
            with open(f"/proc/{self.pid}/task/{thread}/schedstat", encoding="ascii") as file:
                nanoseconds += int(file.read().split()[0])
        return nanoseconds / 1e9

    def memory(self, field="VmRSS"):
        """Bytes."""
        with open(f"/proc/{self.pid}/status", encoding="utf-8") as file:
            for line in file:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) * 1024
        raise KeyError(field)

    def end(self):
        """The process ends; its directory is still there."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.communicate()

    def stop(self):
        self.end()
        self.process.stdout.close()
        self.directory.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.stop()


def allow_many_files():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def free_port():
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Heapd(Server):
    """`options` as on its command line; `settings` is a dict as in its file; `before`: words in front, as of valgrind.
    DIRECTORY in such a word is its own."""

    name, protocol = "heapd", "rpc"

    def __init__(self, *options, unix=False, settings=None, program=HEAPD, before=()):
        super().__init__()
        command = [word.replace("DIRECTORY", self.directory.name) for word in before] + [program]
        command += [*(["--unix", self.path("socket")] if unix else ["--listen", "127.0.0.1:0"]), *options]
        if settings:
            with open(self.path("heapd.conf"), "w", encoding="utf-8") as file:
                file.writelines(f"{name} = {value}\n" for name, value in settings.items())
            command += ["--config", self.path("heapd.conf")]
        self.address = self.start(command, " ready on ")


class Redis(Server):
    name, protocol = "redis", "resp"

    def __init__(self, *options, unix=False):
        super().__init__()
        port = 0 if unix else free_port()
        command = ["redis-server", "--save", "", "--appendonly", "no", "--bind", "127.0.0.1", "--port", str(port),
                   "--dir", self.path(""), *(["--unixsocket", self.path("socket")] if unix else []), *options]
        self.start(command, "eady to accept connections")
        self.address = f"unix:{self.path('socket')}" if unix else f"127.0.0.1:{port}"


class Echo(Server):
    """echo.c: what libuv and the kernel take for bytes in and bytes out."""

    name, protocol = "echo", "echo"

    def __init__(self, unix=False):
        super().__init__()
        command = [os.path.join(PROGRAMS, "echo"), *([self.path("socket")] if unix else [])]
        self.address = self.start(command, " ready on ")

    def knows(self, op):
        return op != "fill-keys"


class Memcached(Server):
    """With one thread, as the others have; it says on no line that it is ready."""

    name, protocol = "memcached", "text"

    def __init__(self, unix=False):
        super().__init__()
        port = free_port()
        where = ["-s", self.path("socket")] if unix else ["-l", "127.0.0.1", "-p", str(port)]
        self.address = f"unix:{self.path('socket')}" if unix else f"127.0.0.1:{port}"
        self.begin(["memcached", "-U", "0", "-t", "1", "-m", "4096", "-c", "20000", "-u", pwd.getpwuid(os.getuid()).pw_name,
                    *where])
        for _ in range(1000):
            try:
                self.wire().close()
                return
            except OSError:
                time.sleep(0.01)
        self.stop()
        raise SystemExit("bench: memcached did not start")

    @staticmethod
    def is_there():
        return shutil.which("memcached") is not None

    def knows(self, op):
        return op in ("fill-keys", "get", "bind")


# -- noise -------------------------------------------------------------------------------------------------------------


class Weather:
    """What the machine did beside what is measured, since this was made."""

    def __init__(self, *servers):
        self.servers = servers
        self.began, self.ticks, self.own = time.monotonic(), machine_ticks(), self.own_seconds()

    def own_seconds(self):
        me = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(usage.ru_utime + usage.ru_stime for usage in me) + sum(server.cpu() for server in self.servers)

    def other_load(self):
        """Cores that others took: other processes, or the host (steal). 0 on a quiet machine."""
        seconds = time.monotonic() - self.began
        busy = (machine_ticks() - self.ticks) / os.sysconf("SC_CLK_TCK")
        return max(0.0, (busy - (self.own_seconds() - self.own)) / seconds)


def machine_ticks():
    """Of all cores: user, nice, system, irq, softirq, steal."""
    with open("/proc/stat", encoding="ascii") as file:
        fields = [int(word) for word in file.readline().split()[1:9]]
    return sum(fields[:3]) + sum(fields[5:8])


def spread(values):
    """Width of the middle half of rounds of one server, as a part of their median."""
    if len(values) < 4:
        return (max(values) - min(values)) / statistics.median(values)
    low, _, high = statistics.quantiles(values, n=4)
    return (high - low) / statistics.median(values)


# -- results -----------------------------------------------------------------------------------------------------------


def markdown(heads, rows):
    """A table. Heads with a `>` in front are for numbers; cells are str()."""
    lines = [[head.lstrip(">") for head in heads], ["---:" if head.startswith(">") else "---" for head in heads]]
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in lines + rows)


def first_line(*command):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    except OSError:
        return None
    return done.stdout.partition("\n")[0]


def machine():
    """Where and with what it was measured."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return {"date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "cpu": models[0] if models else platform.machine(), "cores": len(CORES), "kernel": platform.release(),
            "heapd": first_line(HEAPD, "--version"), "redis": first_line("redis-server", "--version"),
            "memcached": first_line("memcached", "--version"),
            "python": platform.python_version()}


def save(path, **results):
    """Writes the machine-readable file, if a path was asked for."""
    if path:
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"machine": machine(), "arguments": sys.argv[1:], **results}, file, indent=1)
