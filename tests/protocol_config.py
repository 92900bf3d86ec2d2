"""protocol_config.py - config_get and config_set: every setting as it stands, and changed while the daemon runs."""
import signal

from harness import Daemon, pack, run, test, test_own, wait_until

ADMIN = {"admin_from": "loopback"}
EXAMPLES = {"log_level": "warning", "log_format": "json", "idle_timeout": 3600, "request_timeout": 31.5,
            "output_timeout": 11, "gc.enabled": 0, "limits.session_bytes": 1 << 30,
            "busy_poll_us": 20}  # of the others: a number near the old one
FIXED = ("listen", "unix", "insecure_listen", "admin_from")


@test
def config_is_for_administrators(server):
    client = server.client()
    client.fails("DENIED", "config_get")
    client.fails("DENIED", "config_get", "limits.work")
    client.fails("DENIED", "config_set", "limits.work", 5)
    client.fails("DENIED", "config_set", "nonsense", 5)


@test_own
def config_get_tells_every_setting_in_its_own_kind():
    settings = {**ADMIN, "limits.work": "12K", "limits.read": "1M", "idle_timeout": "2.5", "log_level": "debug",
                "request_timeout": 20}
    with Daemon(config=settings) as server:
        found = server.client().call("config_get")
        expected = {"limits.work": 12 << 10, "limits.read": 1 << 20, "idle_timeout": 2.5, "log_level": "debug",
                    "request_timeout": 20, "insecure_listen": False, "listen": ["127.0.0.1:0"], "unix": [],
                    "admin_from": "loopback", "output_timeout": 10, "limits.session_bytes": 0}
        assert {name: found[name] for name in expected} == expected, found


@test_own
def config_get_takes_a_glob():
    with Daemon(config=ADMIN) as server:
        client = server.client()
        everything = client.call("config_get")
        assert client.call("config_get", "*") == everything
        limits = {name: value for name, value in everything.items() if name.startswith("limits.")}
        assert client.call("config_get", "limits.*") == limits and len(limits) >= 11
        assert client.call("config_get", "limits.wor[a-m]") == {"limits.work": everything["limits.work"]}
        assert client.call("config_get", "log_level") == {"log_level": "info"}
        assert client.call("config_get", "nonsense") == {} == client.call("config_get", "")
        client.fails("BAD_ARGS", "config_get", 5)
        client.fails("BAD_ARGS", "config_get", "*", "*")


@test_own
def every_live_setting_can_be_set_and_is_told_as_it_was_set():
    with Daemon(config=ADMIN) as server:
        client = server.client()
        before = client.call("config_get")
        for name, value in before.items():
            if name in FIXED:
                continue
            new = EXAMPLES.get(name, value - 1 if isinstance(value, int) else None)
            assert client.call("config_set", name, new) is True, name
            before[name] = new
            assert client.call("config_get") == before, name


@test_own
def what_needs_a_restart_cannot_be_set():
    with Daemon(config=ADMIN) as server:
        client = server.client()
        before = client.call("config_get")
        for name, value in (("listen", "127.0.0.1:0"), ("unix", "/tmp/x"), ("insecure_listen", True),
                            ("admin_from", "none")):
            client.fails("DENIED", "config_set", name, value)
        assert client.call("config_get") == before


@test_own
def a_bad_value_or_an_unknown_name_changes_nothing():
    with Daemon(config=ADMIN) as server:
        client = server.client()
        before = client.call("config_get")
        for name, value in (("nonsense", 5), ("", 5), ("n" * 1000, 5), ("limits", 5), ("limits.work\0", 5),
                            ("limits.work", 0), ("limits.work", -1), ("limits.work", 1 << 40), ("limits.work", "many"),
                            ("limits.work", ""), ("limits.work", "5\0"), ("limits.work", "5" * 1000), ("limits.work", True),
                            ("limits.work", 1.5), ("limits.depth", 63), ("limits.depth", 1025), ("log_level", "loud"),
                            ("log_level", 1), ("idle_timeout", -1), ("idle_timeout", float("inf")),
                            ("idle_timeout", float("nan")), ("idle_timeout", 1e300), ("output_timeout", 0.001)):
            client.fails("VALUE", "config_set", name, value)
        for params in ((), ("limits.work",), ("limits.work", [5]), ("limits.work", None), ("limits.work", {"a": 1}),
                       (5, 5), ("limits.work", 5, 5), ("limits.work", 5, {})):
            client.fails("BAD_ARGS", "config_set", *params)
        assert client.call("config_get") == before


@test_own
def values_are_written_as_in_the_file():
    with Daemon(config=ADMIN) as server:
        client = server.client()
        for name, value, told in (("limits.read", "1M", 1 << 20), ("limits.work", "2K", 2048), ("limits.work", 5, 5),
                                  ("idle_timeout", "2.5", 2.5), ("idle_timeout", 2.25, 2.25), ("idle_timeout", 3, 3),
                                  ("idle_timeout", 0, 0)):
            client.call("config_set", name, value)
            assert client.call("config_get", name) == {name: told}


@test_own
def what_is_set_holds_at_once_for_sessions_that_are_open():
    with Daemon(config=ADMIN) as server:
        admin, client = server.client(), server.client()
        client.call("bind", "x", list(range(100)))
        admin.call("config_set", "limits.work", 50)
        client.fails("LIMIT", "copy", "x")
        admin.call("config_set", "limits.work", 5000)
        client.call("copy", "x")
        admin.call("config_set", "limits.read", 64)
        client.fails("LIMIT", "read", "x")
        admin.call("config_set", "limits.read", "200M")
        admin.call("config_set", "limits.frame", "200M")
        client.call("bind", "big", "s" * (90 << 20))
        assert len(client.call("read", "big")) == 90 << 20
        client.call("unbind", "big")
        admin.call("config_set", "memory_limit", "1M")
        client.fails("NO_MEMORY", "bind", "big", "s" * (2 << 20))
        admin.call("config_set", "limits.handles", 1)
        client.fails("LIMIT", "hold", "x")  # it has the copy
        admin.call("config_set", "limits.frame", 100)
        client.send(pack([0, 5, "ping", ["s" * 100]]))
        assert client.receive()[2].startswith("BAD_FRAME ") and client.receive() is None


@test_own
def a_limit_of_frames_holds_for_those_that_came_together_with_it():
    with Daemon(config=ADMIN) as server:
        admin = server.client()
        admin.send(pack([0, 1, "config_set", ["limits.frame", 100]]) + pack([0, 2, "ping", ["s" * 50]]) +
                   pack([0, 3, "ping", ["s" * 100]]) + pack([0, 4, "ping", []]))
        assert admin.receive()[:3] == [1, 1, None]
        assert admin.receive() == [1, 2, None, "s" * 50]
        kind, msgid, error, result = admin.receive()
        assert msgid == 3 and error.startswith("BAD_FRAME ") and admin.receive() is None


@test_own
def an_idle_timeout_that_is_set_reaches_those_who_are_idle_already():
    with Daemon(config=ADMIN) as server:
        client = server.client()
        client.call("ping")
        with server.idle_timeout():
            name, (seq, reason) = client.event()
            assert name == "bye" and "idle" in reason and client.receive() is None


@test_own
def hello_tells_limits_as_they_were_set():
    with Daemon(config=ADMIN) as server:
        client = server.client()
        limits = client.call("hello", {})["limits"]
        assert limits["session_bytes"] is None and limits["idle_timeout"] is None and limits["output_timeout"] == 10
        client.call("config_set", "limits.session_bytes", "1G")
        client.call("config_set", "idle_timeout", 1.5)
        limits = client.call("hello", {})["limits"]
        assert limits["session_bytes"] == 1 << 30 and limits["idle_timeout"] == 1.5
        settings = client.call("config_get", "limits.*")
        assert {"limits." + name: value for name, value in limits.items() if "limits." + name in settings} == settings


@test_own
def what_was_set_is_logged_and_lasts_until_the_file_is_read_again():
    with Daemon(config={**ADMIN, "limits.work": 777}) as server:
        client = server.client()
        client.call("config_set", "limits.work", 55)
        wait_until(lambda: "limits.work = 55, set by session" in server.stderr(), "the line in the log")
        server.signal(signal.SIGHUP)
        wait_until(lambda: client.call("config_get", "limits.work") == {"limits.work": 777}, "the file")


run()
