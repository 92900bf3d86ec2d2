"""daemon.py - the process: command line, configuration file, listeners, signals, log, descriptors."""
import contextlib
import ctypes
import fcntl
import json
import os
import re
import resource
import signal
import socket
import stat
import struct
import subprocess
import tempfile

from harness import DEADLINE, HEAPD, Client, Daemon, Skip, run, test_own, wait_until

LINE = r"heapd: [^\n]+\n"


def heapd(*options):
    """Runs it to its end; (status, standard output, standard error)."""
    done = subprocess.run([HEAPD, *options], stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE, text=True)
    return done.returncode, done.stdout, done.stderr


def refuses_to_start(status, *options):
    """One clear line and a non-zero exit; returns the line."""
    got, out, err = heapd(*options)
    assert (got, out) == (status, "") and re.fullmatch(LINE, err), (options, got, out, err)
    return err


@contextlib.contextmanager
def directory():
    with tempfile.TemporaryDirectory(prefix="heapd-test-") as path:
        yield path


def has_loopback_6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as sock:
            sock.bind(("::1", 0))
        return True
    except OSError:
        return False


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def logged(server, text):
    wait_until(lambda: text in server.stderr(), f"{text!r} in the log")


# -- command line ----------------------------------------------------------------------------------------------------


@test_own
def version_says_the_version():
    status, out, err = heapd("--version")
    assert status == 0 and re.fullmatch(r"heapd \d+\.\d+\S*\n", out) and err == "", (status, out, err)


@test_own
def help_names_every_setting():
    status, out, err = heapd("--help")
    assert status == 0 and err == ""
    for option in ("config listen unix insecure-listen admin-from memory-limit log-level log-format idle-timeout "
                   "limits-frame limits-sessions slice-objects version help").split():
        assert f"--{option}" in out, option


@test_own
def a_bad_option_is_one_clear_line_and_exit_2():
    for options in (["--frobnicate"], ["-x"], ["stray"], ["--listen"], ["--config"], ["--log-level", "loud"],
                    ["--log-format", "xml"], ["--memory-limit", "much"], ["--memory-limit", "-1"],
                    ["--memory-limit", "1"],
                    ["--limits-frame", "1.5M"], ["--limits-depth", "63"], ["--limits-depth", "1025"],
                    ["--limits-work", "99999999999999999999"], ["--admin-from", "everywhere"],
                    ["--idle-timeout", "soon"],
                    ["--slice-objects", "0"], ["--insecure-listen=maybe"], ["--version=1"], ["--limits-frame", ""]):
        assert options[0].split("=")[0].strip("-").split("-")[-1] in refuses_to_start(2, *options)


@test_own
def a_bad_file_is_one_clear_line_with_its_name_and_line():
    with directory() as path:
        name = os.path.join(path, "heapd.conf")
        for line, text in ((1, "nonsense\n"), (2, "log_level = info\nno_such_setting = 1\n"), (1, "log_level = loud\n"),
                           (3, "; comment\n\nmemory_limit = -5\n"), (2, "[limits]\nframes = 1M\n"),
                           (2, "[limits]\nframe=1\n"),
                           (1, "limits.depth = 5\n"), (1, "[limits\n"), (1, "log_level = in\0fo\n"),
                           (1, "log_level = " + "x" * 10000 + "\n"), (1, "insecure_listen = perhaps\n")):
            with open(name, "w") as file:
                file.write(text)
            assert f"{name}:{line}:" in refuses_to_start(2, "--config", name), text
        assert path + "/missing" in refuses_to_start(2, "--config", path + "/missing")
        assert path in refuses_to_start(2, "--config", path)


# -- listeners -------------------------------------------------------------------------------------------------------


@test_own
def each_listener_is_told_on_a_line_of_its_own_in_order():
    listen = ["127.0.0.1:0", "localhost:0"] + (["[::1]:0"] if has_loopback_6() else [])
    with Daemon("--unix", "DIRECTORY/one", "--unix", "DIRECTORY/two", listen=listen[:1]) as server:
        assert [address.split(":")[0] for address in server.addresses] == ["127.0.0.1", "unix", "unix"]
        clients = [server.client(address) for address in server.addresses]
        clients[0].call("bind", ["global", "x"], [1])
        for client in clients:
            assert client.call("read", ["global", "x"]) == [1]
        clients[1].call("unbind", ["global", "x"])
    with Daemon(listen=[listen[0], listen[-1], listen[0]]) as server:
        ports = [int(address.rsplit(":", 1)[1]) for address in server.addresses]
        assert len(set(ports)) == 3 and 0 not in ports
        for address in server.addresses:
            assert server.client(address).call("ping", 1) == 1


@test_own
def a_port_in_use_is_one_clear_line_and_exit_1():
    with Daemon() as server:
        assert server.address in refuses_to_start(1, "--listen", server.address)
        assert server.client().call("ping", 1) == 1


@test_own
def an_address_that_is_none_is_one_clear_line_and_exit_1():
    for address in ("localhost", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "::1:5000", ":0", "[::1]",
                    "256.1.1.1:0",
                    "no-such-host.invalid:0", "192.0.2.1:0"):
        refuses_to_start(1, "--listen", address)


@test_own
def an_address_that_others_reach_needs_insecure_listen():
    assert "--insecure-listen" in refuses_to_start(1, "--listen", "0.0.0.0:0")
    assert "--insecure-listen" in refuses_to_start(1, "--listen", "127.0.0.1:0", "--listen", "[::]:0")
    with Daemon("--insecure-listen", listen=["0.0.0.0:0"]) as server:
        port = server.address.rsplit(":", 1)[1]
        assert server.client(f"127.0.0.1:{port}").call("ping", 1) == 1


@test_own
def a_unix_socket_is_the_users_alone_and_goes_at_the_end():
    with directory() as path:
        name = os.path.join(path, "socket")
        with Daemon("--unix", name, listen=()) as server:
            mode = os.stat(name).st_mode
            assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600
            assert server.address == f"unix:{name}" and server.client().call("ping", 1) == 1
        assert os.listdir(path) == []


@test_own
def a_stale_socket_file_is_replaced():
    with directory() as path:
        name = os.path.join(path, "socket")
        with socket.socket(socket.AF_UNIX) as left_over:
            left_over.bind(name)
        with Daemon("--unix", name, listen=()) as server:
            assert server.client().call("ping", 1) == 1
        killed = Daemon("--unix", name, listen=())
        killed.kill()
        assert os.path.exists(name)
        with Daemon("--unix", name, listen=()) as server:
            assert server.client().call("ping", 1) == 1


@test_own
def a_socket_file_that_somebody_listens_on_is_left_alone():
    with directory() as path:
        name = os.path.join(path, "socket")
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(name)
            other.listen()
            assert name in refuses_to_start(1, "--unix", name)
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(name)
        with Daemon("--unix", name, listen=()) as server:
            assert name in refuses_to_start(1, "--unix", name)
            assert server.client().call("ping", 1) == 1


@test_own
def a_file_that_is_no_socket_is_left_alone():
    with directory() as path:
        name = os.path.join(path, "file")
        with open(name, "w") as file:
            file.write("precious")
        assert name in refuses_to_start(1, "--unix", name)
        with open(name) as file:
            assert file.read() == "precious"
        refuses_to_start(1, "--unix", path)
        refuses_to_start(1, "--unix", os.path.join(path, "no such directory", "socket"))
        refuses_to_start(1, "--unix", os.path.join(path, "x" * 120))


@test_own
def by_default_it_listens_on_loopback_and_on_a_unix_socket_in_XDG_RUNTIME_DIR():
    six = has_loopback_6()
    with directory() as path:
        try:
            server = Daemon(listen=(), environment={**os.environ, "XDG_RUNTIME_DIR": path}, before=own_network,
                            listeners=3 if six else 2, reach=-1)
        except subprocess.SubprocessError:
            raise Skip("no network namespace to be had") from None
        with server:
            expected = ["127.0.0.1:4327"] + ["[::1]:4327"] * six + [f"unix:{path}/heapd.sock"]
            assert server.addresses == expected
            assert server.client().call("ping", 1) == 1


def own_network():
    """A network of its own with a loopback interface that is up: fixed ports are free there."""
    libc = ctypes.CDLL(None, use_errno=True)
    new_user, new_network = 0x10000000, 0x40000000
    if libc.unshare(new_network) != 0 and libc.unshare(new_user | new_network) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    get_flags, set_flags, up = 0x8913, 0x8914, 1
    with socket.socket() as sock:
        request = fcntl.ioctl(sock, get_flags, struct.pack("16sh22x", b"lo", 0))
        (flags,) = struct.unpack_from("16xh", request)
        fcntl.ioctl(sock, set_flags, struct.pack("16sh22x", b"lo", flags | up))


# -- configuration file ----------------------------------------------------------------------------------------------


@test_own
def every_setting_may_stand_in_the_file():
    with Daemon(listen=(), listeners=2, config="""
# a comment
listen = 127.0.0.1:0
listen = 127.0.0.1:0   ; another

insecure_listen = no
admin_from = loopback
log_level = debug
log_format = json
idle_timeout = 1000
request_timeout = 5.5
output_timeout = 3
memory_limit = 128M
slice_objects = 100
limits.frame = 2M
[limits]
    depth = 100
    work = 1K
read = 1000000
handles = 1001
names = 1002
output = 64K
sessions = 50
""") as server:
        limits = server.client().call("hello", {})["limits"]
        for name, value in (("frame", 2 << 20), ("depth", 100), ("work", 1024), ("read", 1000000), ("handles", 1001),
                            ("names", 1002), ("output", 65536), ("sessions", 50), ("memory_limit", 128 << 20)):
            assert limits[name] == value, (name, limits)
        assert json.loads(server.stderr().splitlines()[0])["level"] == "debug"


@test_own
def the_command_line_goes_before_the_file():
    config = "limits.work = 7000\nlimits.names = 9\nunix = /nonexistent/socket\n"
    with Daemon("--limits-work", "5000", config=config) as server:
        limits = server.client().call("hello", {})["limits"]
        assert (limits["work"], limits["names"]) == (5000, 9)


@test_own
def SIGHUP_reads_the_file_again():
    with Daemon(config={"limits.names": 5, "log_level": "info"}) as server:
        client = server.client()
        client.call("bind", "x", 1)
        server.write_config({"limits.names": 1, "limits.frame": "1M", "log_level": "info"})
        server.signal(signal.SIGHUP)
        logged(server, "settings read again")
        limits = client.call("hello", {})["limits"]
        assert (limits["names"], limits["frame"]) == (1, 1 << 20)
        client.fails("LIMIT", "bind", "y", 1)
        assert client.call("get", "x") == 1


@test_own
def SIGHUP_is_all_or_nothing():
    with Daemon(config={"limits.names": 5}) as server:
        client = server.client()
        before = client.call("hello", {})["limits"]
        wrong_lines = ("limits.frame = much", "what = 1", "admin_from = none", "insecure_listen = yes")
        for number, wrong in enumerate(wrong_lines, 1):
            server.write_config(f"limits.names = 6\n{wrong}\n")
            server.signal(signal.SIGHUP)
            wait_until(lambda: server.stderr().count("nothing was changed") == number, "the refusal")
            assert client.call("hello", {})["limits"] == before
        os.unlink(server.config_path)
        server.signal(signal.SIGHUP)
        wait_until(lambda: server.stderr().count("nothing was changed") == number + 1, "the refusal")
        assert client.call("hello", {})["limits"] == before


@test_own
def SIGHUP_without_a_file_does_no_harm():
    with Daemon() as server:
        server.signal(signal.SIGHUP)
        logged(server, "no file")
        assert server.client().call("ping", 1) == 1


# -- the end ---------------------------------------------------------------------------------------------------------


@test_own
def SIGTERM_and_SIGINT_say_bye_to_every_session_and_exit_0():
    for number in (signal.SIGTERM, signal.SIGINT):
        with Daemon("--unix", "DIRECTORY/socket") as server:
            clients = [Client(address) for address in server.addresses * 10]
            for n, client in enumerate(clients):
                client.call("bind", "x", [n, [n]])
            server.signal(number)
            for client in clients:
                name, (seq, reason) = client.event()
                assert (name, seq) == ("bye", 1) and reason
                assert client.receive() is None
                client.close()
            assert server.wait() == 0


def calls_of(server, method):
    methods = server.client().call("stats", "requests")["requests"]["methods"]
    return methods[method]["calls"] if method in methods else 0


@test_own
def what_is_pending_is_written_before_the_end():
    with Daemon() as server:
        client = Client(server.address)
        client.call("bind", "x", "s" * 8000000)
        client.send(client.encode([0, 99, "read", ["x"]]))
        wait_until(lambda: calls_of(server, "read") == 1, "the read")
        server.close_clients()
        server.signal(signal.SIGTERM)
        assert client.receive() == [1, 99, None, "s" * 8000000]
        assert client.event()[0] == "bye" and client.receive() is None
        client.close()
        assert server.wait() == 0


@test_own
def a_second_signal_does_not_wait():
    with Daemon() as server:
        client = Client(server.address)
        client.call("bind", "x", "s" * 16000000)
        for n in range(3):
            client.request("read", "x")  # and never reads
        wait_until(lambda: calls_of(server, "read") >= 1, "the read")
        server.close_clients()
        server.signal(signal.SIGTERM)
        server.signal(signal.SIGTERM)
        server.signal(signal.SIGINT)
        assert server.wait() == 0
        client.close()


@test_own
def signals_until_the_very_end_change_nothing():
    with Daemon() as server:
        client = Client(server.address)
        for n in range(10):
            client.call("bind", ["global", f"x{n}"], [0.5] * 100000)
        while server.process.poll() is None:
            server.signal(signal.SIGTERM)
        assert server.wait() == 0
        client.close()


# -- the log ---------------------------------------------------------------------------------------------------------


@test_own
def SIGUSR2_writes_the_state_to_the_log():
    with Daemon("--log-level", "error") as server:
        client = server.client()
        for n in range(77):
            client.call("hold", "list")
        assert server.stderr() == ""
        server.signal(signal.SIGUSR2)
        logged(server, "handles=77")
        assert client.call("ping", 1) == 1


def log_of_strange_names(*options):
    """A log with every sort of character in it: the file that SIGHUP reads again is called so."""
    with directory() as path:
        name = os.path.join(path, 'evil\n2026 error "fake" \\ \x1b[31m\x07\x7f\u0085 \xe4')
        open(name, "w").close()
        with Daemon("--config", name, *options) as server:
            server.signal(signal.SIGHUP)
            logged(server, "settings read again")
            server.client().call("ping")
            return name, server.stderr()


@test_own
def log_lines_are_text_with_control_characters_escaped():
    name, log = log_of_strange_names("--log-level", "debug")
    for line in log.splitlines():
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (error|warning|info|debug) ", line), line
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", log)
    assert r'evil\n2026 error "fake" \\ \x1b[31m\x07\x7f\xc2\x85 ' + "\xe4" in log


@test_own
def log_lines_are_JSON_if_asked():
    name, log = log_of_strange_names("--log-level", "debug", "--log-format", "json")
    rows = [json.loads(line) for line in log.splitlines()]
    assert rows and all(set(row) == {"time", "level", "message"} for row in rows)
    assert any(name.split("\u0085")[0] in row["message"] for row in rows)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", log)


@test_own
def the_level_decides_what_is_written():
    with Daemon("--log-level", "error") as quiet, Daemon("--log-level", "debug") as loud:
        for server in (quiet, loud):
            server.client().call("ping")
        assert quiet.stderr() == "" and "session" in loud.stderr()


# -- descriptors -----------------------------------------------------------------------------------------------------


@test_own
def connections_that_went_give_their_descriptors_back():
    with Daemon() as server:
        server.settle()
        before = descriptors(server)
        for client in [server.client() for _ in range(300)]:
            client.call("ping")
        assert descriptors(server) >= before + 299  # one that settle() used may have been there
        server.close_clients()
        wait_until(lambda: descriptors(server) <= before, "the descriptors")


@test_own
def without_descriptors_it_goes_on_serving_and_recovers():
    with Daemon() as server:
        client = server.client()
        client.call("bind", "x", 1)
        hard = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)[1]
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (descriptors(server), hard))
        for _ in range(5):
            with contextlib.suppress(OSError):
                server.client()
            assert client.call("get", "x") == 1
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (hard, hard))
        server.close_clients()

        def is_served():
            try:
                return server.client().call("ping", 1) == 1
            except (OSError, AssertionError):
                return False

        wait_until(is_served, "a connection to be served again")
        server.close_clients()


@test_own
def with_few_descriptors_there_are_few_sessions_and_no_harm():
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    with Daemon(before=few) as server:
        clients = [Client(server.address) for _ in range(100)]
        for client in clients[:20]:
            assert client.call("ping", 1) == 1
        for client in clients:
            client.close()
        wait_until(lambda: descriptors(server) < 40, "the descriptors")
        assert server.client().call("ping", 1) == 1


@test_own
def an_open_file_does_not_end_up_as_a_standard_stream():
    closed = subprocess.Popen(["/bin/sh", "-c", 'exec "$0" --listen 127.0.0.1:0 <&- 2>&-', HEAPD],
                              stdout=subprocess.PIPE, text=True)
    try:
        address = closed.stdout.readline().split()[-1]
        for descriptor in (0, 2):
            assert os.readlink(f"/proc/{closed.pid}/fd/{descriptor}") == "/dev/null"
        client = Client(address)
        assert client.call("ping", 1) == 1
        client.close()
    finally:
        closed.terminate()
        closed.stdout.close()
        assert closed.wait(timeout=DEADLINE) == 0


run()
