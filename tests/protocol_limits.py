"""protocol_limits.py - protocol.md, section 6: each limit at its value and one beyond, which changes nothing."""
import select
import struct

from harness import Daemon, ext_name, pack, run, test_own, wait_until


def ping_of(size, msgid=1):
    """A whole frame of so many bytes."""
    body = size - 14
    return b"\x94\x00" + bytes([msgid]) + b"\xa4ping\x91\xc6" + struct.pack(">I", body) + bytes(body)


def nested(levels):
    return b"\x91" * (levels - 1) + b"\x90"


@test_own
def hello_tells_the_limits_that_are_set():
    settings = {"limits.frame": "1M", "limits.depth": 100, "limits.work": 12345, "limits.read": 54321,
                "limits.handles": 77, "limits.names": 78, "limits.output": "96K", "limits.sessions": 5,
                "memory_limit": "64M"}
    with Daemon(config=settings) as server:
        limits = server.client().call("hello", {})["limits"]
        expected = {"frame": 1 << 20, "depth": 100, "work": 12345, "read": 54321, "handles": 77, "names": 78,
                    "output": 96 << 10, "sessions": 5, "memory_limit": 64 << 20}
        assert {name: limits[name] for name in expected} == expected, limits


@test_own
def a_frame_of_the_limit_passes_and_one_byte_more_is_BAD_FRAME():
    with Daemon(config={"limits.frame": 1000}) as server:
        client = server.client()
        for _ in range(3):
            client.send(ping_of(1000))
            assert client.receive() == [1, 1, None, bytes(986)]
        client.send(ping_of(1001))
        kind, msgid, error, result = client.receive()
        assert msgid == 1 and error.startswith("BAD_FRAME ") and client.receive() is None
        client = server.client()
        values = 1000 - 12
        client.send(b"\x94\x00\x02\xa4ping\x91\xdc" + struct.pack(">H", values) + b"\xc0" * values)
        assert client.receive()[:3] == [1, 2, None]
        client.send(b"\x94\x00\x02\xa4ping\x91\xdc" + struct.pack(">H", values + 1) + b"\xc0" * (values + 1))
        assert client.receive()[2].startswith("BAD_FRAME ")


@test_own
def a_claim_that_cannot_fit_is_BAD_FRAME_at_once():
    with Daemon(config={"limits.frame": 1000}) as server:
        for head in (b"\xdb\0\0\x04\x00", b"\xc5\x03\xe0", b"\xdd\0\0\x04\x00", b"\xdf\0\0\x02\x00",
                     b"\xc8\x03\xe0\x01"):
            client = server.client()
            client.send(b"\x94\x00\x05\xa4ping\x91" + head)  # and waits
            kind, msgid, error, result = client.receive()
            assert msgid == 5 and error.startswith("BAD_FRAME ") and client.receive() is None


@test_own
def nesting_of_the_limit_passes_and_one_level_more_is_BAD_FRAME():
    for limit in (64, 128, 1024):
        with Daemon(config={"limits.depth": limit}) as server:
            client = server.client()
            client.send(b"\x94\x00\x05\xa4bind\x92\xa1x" + nested(limit - 2))  # the envelope and the params are levels
            assert client.receive() == [1, 5, None, True]
            client.send(b"\x94\x00\x06\xa4bind\x92\xa1x" + nested(limit - 1))
            kind, msgid, error, result = client.receive()
            assert msgid == 6 and error.startswith("BAD_FRAME ") and client.receive() is None


@test_own
def work_of_the_limit_is_done_and_one_element_more_is_LIMIT():
    with Daemon(config={"limits.work": 1000}) as server:
        client = server.client()
        client.call("bind", "x", list(range(1000)))
        client.fails("LIMIT", "bind", "x", list(range(1001)))
        client.fails("LIMIT", "new", {str(n): n for n in range(501)})
        client.fails("LIMIT", "call", "x", "append", [[0] * 1000])
        assert client.of("x", "len") == 1000
        client.call("bind", "y", {str(n): n for n in range(500)})
        client.call("bind", "small", list(range(900)))
        for method in ("read", "copy", "deepcopy"):
            client.call(method, "small")
        client.of("x", "extend", list(range(400)))
        before = client.call("stats", "objects")
        client.fails("LIMIT", "read", "x")
        client.fails("LIMIT", "copy", "x")
        client.fails("LIMIT", "deepcopy", "x")
        client.fails("LIMIT", "sizeof", "x", {"deep": True})
        client.fails("LIMIT", "referents", "x")
        client.fails("LIMIT", "get", "x", {"result": "value"})
        for method, *args in (("repr",), ("sort",), ("reverse",), ("slice",), ("index", -1), ("count", -1)):
            client.fails("LIMIT", "call", "x", method, args)
        after = client.call("stats", "objects")
        assert before["objects"]["live"] == after["objects"]["live"]
        assert client.of("x", "len") == 1400 and client.of("x", "get", -1) == 399


@test_own
def a_read_of_the_limit_is_sent_and_one_byte_more_is_LIMIT():
    with Daemon(config={"limits.read": 1000}) as server:
        client = server.client()
        client.call("bind", "x", "s" * 997)
        assert len(client.call("read", "x")) == 997
        client.call("bind", "x", "s" * 998)
        client.fails("LIMIT", "read", "x")
        client.fails("LIMIT", "get", "x", {"result": "value"})
        client.call("bind", "x", [b"b" * 200] * 4 + [b"b" * 188, None])
        assert len(pack(client.call("read", "x"))) == 1000
        client.of("x", "append", None)
        client.fails("LIMIT", "read", "x")
        client.fails("LIMIT", "get", "x", {"result": "value", "into": 5})
        client.fails("NO_HANDLE", "get", 5)


@test_own
def a_dump_of_the_limit_is_sent_and_one_byte_more_is_LIMIT():
    with Daemon(config={"admin_from": "loopback"}) as server:
        client = server.client()
        client.call("bind", "x", [[n, "text" * n] for n in range(100)])
        size = len(client.call("dump", "x"))
        client.call("config_set", "limits.read", size)
        assert len(client.call("dump", "x")) == size
        client.call("config_set", "limits.read", size - 1)
        client.fails("LIMIT", "dump", "x")


@test_own
def a_graph_beyond_the_limit_of_a_read_is_LIMIT():
    with Daemon(config={"admin_from": "loopback"}) as server:
        client = server.client()
        client.call("bind", "x", [[n] for n in range(100)])
        size = len(pack(client.call("graph", "x")))
        client.call("config_set", "limits.read", size + 100)
        assert len(pack(client.call("graph", "x"))) == size
        client.call("config_set", "limits.read", size - 100)
        client.fails("LIMIT", "graph", "x")


@test_own
def handles_of_the_limit_are_given_and_one_more_is_LIMIT():
    with Daemon(config={"limits.handles": 10}) as server:
        client = server.client()
        client.call("bind", "x", [])
        refs = [client.call("hold", "x") for _ in range(10)]
        before = client.call("stats")
        for method, *params in (("hold", "x"), ("get", "x"), ("new", []), ("copy", "x"), ("weakref", "x"),
                                ("class", "C"),
                                ("getattr", "x", "len"), ("proxy", "x"), ("ping", []), ("new", [], {"into": 5})):
            client.fails("LIMIT", method, *params)
        client.call("bind", "objects", [{"@": "list"}] * 3)
        client.fails("LIMIT", "read", "objects")
        client.call("unbind", "objects")
        after = client.call("stats")
        assert before["objects"]["live"] == after["objects"]["live"]
        assert after["sessions"]["handles"] == 10 and client.call("refcount", "x") == 11
        client.call("bind", "full", [[1]])
        for method, args, options in (("pop", [], {}), ("append", [2], {"into": 5}), ("clear", [], {"result": "handle"})):
            client.fails("LIMIT", "call", "full", method, args, options)
        assert client.call("read", "full") == [[1]]
        client.call("release", refs[0])
        assert client.call("new", [1], {"into": 5}).handle == 5
        client.fails("LIMIT", "hold", "x")
        assert server.client().call("new", []).type == "list"  # of each session


@test_own
def names_of_the_limit_are_bound_and_one_more_is_LIMIT():
    with Daemon(config={"limits.names": 5}) as server:
        client = server.client()
        for n in range(5):
            client.call("bind", f"n{n}", n)
        client.fails("LIMIT", "bind", "n5", [])
        client.call("bind", "n0", "again")
        client.call("unbind", "n1")
        client.call("bind", "n5", 5)
        assert client.call("names") == ["n0", "n2", "n3", "n4", "n5"]


@test_own
def one_session_more_than_the_limit_is_told_and_closed():
    with Daemon(config={"limits.sessions": 3}) as server:
        clients = [server.client()]
        wait_until(lambda: clients[0].call("stats", "sessions")["sessions"]["active"] == 1, "the others to end")
        clients += [server.client() for _ in range(2)]
        for client in clients:
            client.call("ping")
        extra = server.client()
        name, (seq, reason) = extra.event()
        assert (name, seq) == ("bye", 1) and "sessions" in reason and extra.receive() is None
        assert clients[0].call("stats", "sessions")["sessions"]["refused"] == 1
        clients.pop().call("bye")
        wait_until(lambda: clients[0].call("stats", "sessions")["sessions"]["active"] == 2, "the end of a session")
        assert server.client().call("ping", 1) == 1


@test_own
def sessions_leave_64_descriptors_free():
    import resource

    with Daemon(before=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (300, 300)),
                config={"admin_from": "loopback"}) as server:
        client = server.client()
        assert client.call("hello", {})["limits"]["sessions"] == 300 - 64
        client.call("config_set", "limits.sessions", 1000)
        assert client.call("config_get", "limits.sessions") == {"limits.sessions": 300 - 64}
        client.call("config_set", "limits.sessions", 2)
        second, third = server.client(), server.client()
        assert second.call("ping", 1) == 1 and third.event()[0] == "bye" and third.receive() is None


@test_own
def who_sends_nothing_for_the_idle_timeout_is_told_and_closed():
    with Daemon(config={"admin_from": "loopback"}) as server, server.idle_timeout():
        client = server.client()
        name, (seq, reason) = client.event()
        assert (name, seq) == ("bye", 1) and "idle" in reason and client.receive() is None


@test_own
def a_client_that_does_not_read_is_not_read_from_and_loses_nothing():
    with Daemon(config={"limits.output": "64K", "limits.read": "64K"}) as server:
        client, other = server.client(), server.client()
        client.call("bind", "x", "s" * 10000)
        count = 5000  # 50 MB of answers
        requests = b"".join(pack([0, n, "read", ["x"]]) for n in range(count))
        sent = client.sock.send(requests)
        before = server.memory()
        for _ in range(100):
            assert other.call("ping", 1) == 1
        assert server.memory() - before < server.slack()
        for n in range(count):
            if sent < len(requests) and select.select([], [client.sock], [], 0)[1]:
                sent += client.sock.send(requests[sent:sent + 65536])
            assert client.frame() == pack([1, n, None, "s" * 10000])


@test_own
def looking_at_the_keys_of_a_dict_is_work_each_time():
    with Daemon(config={"limits.work": 1000}) as server:
        client = server.client(refs="ext")
        client.call("bind", "d", {str(n): n for n in range(100)})
        key = client.call("call", "tuple", "new", [[1]])
        client.of("d", "set", key, None)
        client.call("bind", "x", [ext_name("d")] * 9)
        assert [ref.type for ref in client.call("read", "x")] == ["dict"] * 9
        client.of("x", "append", ext_name("d"))
        before = server.gauges(client)
        client.fails("LIMIT", "read", "x")
        assert server.gauges(client) == before


@test_own
def one_response_may_be_larger_than_the_output_also_if_it_had_to_wait():
    with Daemon(config={"limits.output": "64K", "slice_objects": 1}) as server:
        client, text = server.client(), "s" * 20_000_000
        for doomed in (0, 100):
            client.call("bind", "xs", [[text, [[n] for n in range(doomed)]]])
            request = client.request("call", "xs", "pop", [], {"result": "value"})
            wait_until(lambda: server.client().call("stats", "server")["server"]["working"] == 0, "the end of the step")
            assert client.answer(request)[0] == text
            assert client.call("ping", 1) == 1


@test_own
def deaths_that_wait_to_be_told_are_no_pending_output():
    with Daemon(config={"limits.output": 65536}) as server:
        client, other = server.client(), server.client()
        count = 30000
        client.call("bind", ["global", "x"], [[] for _ in range(count)])
        weaks = []
        for n in range(0, count, 1000):
            requests = [("call", [["global", "x"], "get", [at], {"into": 1 + at % 1000}]) for at in range(n, n + 1000)]
            requests += [("weakref", [1 + at, {"notify": True}]) for at in range(1000)]
            weaks += [result.handle for _, result in client.pipeline(requests)[1000:]]
            client.call("release", *range(1, 1001))
        other.call("unbind", ["global", "x"])  # the client does not read: 5 bytes for each would be too many for it
        assert other.call("ping") is None
        assert client.call("ping", 1) == 1
        frames = [params[2] for _, params in client.events]
        assert sum(frames, []) == weaks and max(map(len, frames)) == 4096
        client.call("release", *weaks)


@test_own
def a_client_that_takes_nothing_is_closed():
    with Daemon(config={"output_timeout": "0.1"}) as server:
        client, other = server.client(), server.client()
        client.call("bind", "x", "s" * 1000000)
        client.send(b"".join(pack([0, n, "read", ["x"]]) for n in range(100)))
        wait_until(lambda: other.call("stats", "sessions")["sessions"]["active"] == 1, "the end of that session")
        assert "does not read" in server.stderr()


@test_own
def a_client_that_took_nothing_is_told_why_if_it_reads_again_soon():
    with Daemon(config={"output_timeout": "0.1"}) as server:
        client = server.client()
        client.call("bind", "x", "s" * 1000000)
        client.send(b"".join(pack([0, n, "read", ["x"]]) for n in range(100)))
        wait_until(lambda: "does not read" in server.stderr(), "the time-out")
        message, answers = client.receive(), 0
        while message[0] == 1:
            assert message == [1, answers, None, "s" * 1000000]
            message, answers = client.receive(), answers + 1
        assert 0 < answers < 100 and message[:2] == [2, "bye"] and "does not read" in message[2][1], message
        assert client.receive() is None


@test_own
def a_request_that_is_begun_and_not_completed_in_time_ends_the_session():
    with Daemon(config={"request_timeout": "0.1"}) as server:
        client = server.client()
        client.send(pack([0, 1, "ping", []])[:-1])
        name, (seq, reason) = client.event()
        assert name == "bye" and "request" in reason and client.receive() is None
        client = server.client()
        client.send(b"GET")  # nor does somebody else stay
        client.rest()


@test_own
def at_the_memory_limit_requests_fail_and_change_nothing():
    with Daemon(config={"memory_limit": "32M"}) as server:
        client, other = server.client(), server.client()
        client.call("bind", "x", [])
        small = other.call("hold", "list")
        stored = 0
        while True:
            message = client.response(client.request("call", "x", "append", ["s" * 100000]))
            if message[0] is not None:
                break
            stored += 1
        assert message[0].startswith("NO_MEMORY ") and 200 < stored <= 335, (message, stored)
        before = other.call("stats")
        client.fails("NO_MEMORY", "new", [b"b" * 1000000])
        client.fails("NO_MEMORY", "bind", "y", [[0] * 1000] * 200)
        after = other.call("stats")
        assert after["objects"]["live"] == before["objects"]["live"]
        assert after["memory"]["bytes"] <= before["memory"]["bytes"] and after["memory"]["reserved"] <= 32 << 20
        assert client.of("x", "len") == stored and other.call("ping", 1) == 1
        for size in (10000, 1000, 10):
            while client.response(client.request("new", "s" * size))[0] is None:
                pass  # until not even that has room
        assert other.call("release", small) == 1
        assert client.of("x", "pop", 0) == "s" * 100000
        client.call("unbind", "x")
        client.call("new", ["s" * 1000000] * 20)
        assert server.memory() < (32 << 20) + 2 * server.slack()


@test_own
def beyond_session_bytes_requests_are_LIMIT_and_change_nothing():
    with Daemon(config={"limits.session_bytes": "2M", "admin_from": "loopback"}) as server:
        client, other = server.client(), server.client()
        number = client.call("hello", {})["session"]
        client.call("bind", "x", [])
        stored = 0
        while client.response(client.request("call", "x", "append", ["s" * 10000]))[0] is None:
            stored += 1
        assert 190 <= stored <= 210, stored
        before = other.call("stats")
        client.fails("LIMIT", "call", "x", "append", ["s" * 10000])
        client.fails("LIMIT", "bind", "y", "s" * 100000)
        client.fails("LIMIT", "read", "x")  # there is no room for the answer either
        after = other.call("stats")
        assert after["objects"] == before["objects"] | {"made": after["objects"]["made"], "died": after["objects"]["died"]}
        assert client.of("x", "len") == stored
        row, = (row for row in other.call("sessions") if row["session"] == number)
        assert (2 << 20) - 100000 < row["bytes"] <= 2 << 20, row
        other.call("bind", "y", "s" * 1000000)  # each session has its own
        client.call("unbind", "x")
        client.call("bind", "y", "s" * 1000000)


@test_own
def what_dies_in_slices_is_taken_off_session_bytes():
    with Daemon(config={"limits.session_bytes": "2M", "slice_objects": 10}) as server:
        client = server.client()
        for _ in range(10):
            client.call("bind", "x", [[n] for n in range(20000)])
            client.call("unbind", "x")
        client.call("bind", "x", [[n] for n in range(20000)])
        client.fails("LIMIT", "bind", "y", [[n] for n in range(20000)])


run()
