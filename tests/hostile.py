"""hostile.py - bytes and graphs meant to hurt, and strangers on the port: the daemon answers, closes, goes on."""
import random
import struct

from harness import Daemon, pack, run, test, test_alone, test_own, unique, unpack

MEGABYTE = 1 << 20
CALL = b"\x94\x00\x05\xa4ping\x91"  # a request whose parameter comes next


def push(client, data):
    """Sends what the server may not want to hear to the end."""
    try:
        client.send(data)
    except OSError:
        pass


def conversation(server, data):
    """All that comes back for these bytes before the server closes."""
    client = server.client()
    push(client, data)
    return client.rest()


def is_bad_frame(answer, msgid=None):
    message = unpack(answer)
    text = message[2] if message[0] == 1 else message[2][1]
    return text.startswith("BAD_FRAME ") and message[:2] == ([2, "bye"] if msgid is None else [1, msgid])


def is_well(server):
    assert server.client().call("ping", 42) == 42


# -- claims ----------------------------------------------------------------------------------------------------------


@test
def every_header_with_a_huge_claim_is_refused_at_once(server):
    for size in (0xFFFFFFFF, 0x80000000, 0x7FFFFFFF, 0x10000000):
        for head in (b"\xdd", b"\xdf", b"\xdb", b"\xc6", b"\xc9"):
            claim = head + struct.pack(">I", size) + (b"\x01" if head == b"\xc9" else b"")
            assert is_bad_frame(conversation(server, CALL + claim), 5), claim
            assert is_bad_frame(conversation(server, CALL + b"\x91" + claim), 5), claim
            assert is_bad_frame(conversation(server, claim)), claim
            assert is_bad_frame(conversation(server, b"\x94\x00\x05" + claim), 5), claim
            assert is_bad_frame(conversation(server, b"\x94\x00\x05\xa4ping" + claim), 5), claim


@test
def claims_that_add_up_are_refused(server):
    ten_million = struct.pack(">I", 10000000)
    assert is_bad_frame(conversation(server, CALL + (b"\xdd" + ten_million) * 20), 5)
    assert is_bad_frame(conversation(server, CALL + (b"\xdf" + ten_million + b"\x01") * 20), 5)


@test_own
def memory_is_taken_for_bytes_that_came_and_not_for_claims():
    with Daemon() as server:
        is_well(server)
        before = server.memory()
        clients = [server.client() for _ in range(200)]
        for client in clients:
            client.send(CALL + b"\xc6" + struct.pack(">I", 60 * MEGABYTE) + bytes(1000))
        is_well(server)
        assert server.memory() - before < server.slack()


@test
def a_million_levels_are_refused(server):
    for level in (b"\x91", b"\x81\x01", b"\x81\xa1k", b"\xdc\x00\x01", b"\xdd\x00\x00\x00\x01"):
        assert is_bad_frame(conversation(server, CALL + level * 1000000), 5)
    assert is_bad_frame(conversation(server, b"\x91" * 1000000))
    assert is_bad_frame(conversation(server, b"\x94" * 1000000))


@test
def ten_million_values_are_LIMIT_and_the_session_lives(server):
    client = server.client()
    for frame in (b"\xdd" + struct.pack(">I", 10000000) + b"\xc0" * 10000000,
                  b"\xdd" + struct.pack(">I", 2500000) + b"\x90" * 2500000):
        client.send(CALL + frame)
        assert client.receive()[2].startswith("LIMIT ")
    assert client.call("ping", 1) == 1


# -- cut and broken frames -------------------------------------------------------------------------------------------


@test
def a_frame_cut_at_every_byte_runs_nothing(server):
    name = unique("cut")
    frame = pack([0, 70000, "bind", [["global", name], {"k": [1, 2.5, b"\x00", None, "text", -70000]}]])
    witness = server.client()
    for cut in range(len(frame)):
        client = server.client()
        client.send(frame[:cut])
        client.half_close()
        assert client.rest() == b""
        witness.fails("NO_NAME", "get", ["global", name])
    is_well(server)


@test
def the_byte_c1_anywhere_in_a_frame_never_runs_it_wrongly(server):
    frame = pack([0, 70000, "ping", [[1, 2.5, b"\x00", None, "text", {"k": 70000}]]])
    for place in range(len(frame)):
        client = server.client()
        client.send(frame[:place] + b"\xc1" + frame[place + 1:])
        client.half_close()
        answer = client.rest()
        assert answer == b"" or unpack(answer)[0] in (1, 2), answer
    is_well(server)


@test
def ten_thousand_broken_frames_do_no_harm(server):
    source = random.Random(4327)
    frames = [pack([0, 1, method, params]) for method, params in (
        ("ping", [{"k": [1, "ä", b"\x00", 1.5, -1]}]), ("bind", ["x", [[]]]),
        ("new", [[{"@": "list"}, {"@pairs": [[1, 2]]}]]),
        ("call", ["list", "new", [[1, 2]], {"into": 7}]), ("hello", [{"refs": "ext", "events": ["m", 1]}]),
        ("release", [1, 2, 3]), ("weakref", [7, {"notify": True}]), ("deepcopy", [7, {"result": "value"}]))]
    for _ in range(500):
        data = bytearray(b"".join(source.choice(frames) for _ in range(20)))
        for _ in range(source.randrange(1, 4)):
            place = source.randrange(len(data))
            change = source.randrange(3)
            if change == 0:
                data[place] = source.randrange(256)
            elif change == 1:
                del data[place:place + source.randrange(1, 9)]
            else:
                data[place:place] = bytes(source.randrange(256) for _ in range(source.randrange(1, 9)))
        client = server.client()
        push(client, bytes(data))
        client.half_close()
        client.rest()
        client.close()
    is_well(server)


@test
def a_large_frame_byte_by_byte_is_read(server):
    client = server.client()
    value = [[n, str(n)] for n in range(3000)]
    frame = pack([0, 1, "bind", ["x", value]])
    for byte in frame:
        client.send(bytes([byte]))
    assert client.frame() == pack([1, 1, None, True])
    assert client.call("read", "x") == value


@test_own
def ten_megabytes_of_any_one_byte_are_answered_and_closed():
    with Daemon() as server:
        is_well(server)
        before = server.memory()
        for byte in (0x00, 0xDD, 0xC1, 0xFF, 0x93, 0x94, 0x80, 0x41, 0x16, 0x0A, 0x7F):
            answer = conversation(server, bytes([byte]) * (10 * MEGABYTE))
            assert 0 < len(answer) < 1000, (byte, answer)
        is_well(server)
        assert server.memory() - before < server.slack()


# -- strangers -------------------------------------------------------------------------------------------------------


def frames_that_bind(name):
    return pack([0, 1, "bind", [["global", name], 1]]) + pack([2, "bind", [["global", name], 1]])


def nothing_ran(server, name):
    server.client().fails("NO_NAME", "get", ["global", name])


@test
def HTTP_is_told_in_HTTP(server):
    for request in (b"GET / HTTP/1.1\r\nHost: localhost:4327\r\n\r\n", b"GET /\n", b"HEAD / HTTP/1.0\r\n\r\n",
                    b"PUT /x HTTP/1.1\r\n\r\n", b"OPTIONS * HTTP/1.1\r\n\r\n", b"DELETE /x HTTP/1.1\r\n\r\n",
                    b"CONNECT a:1 HTTP/1.1\r\n\r\n", b"PATCH /x HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
        head, body = conversation(server, request).split(b"\r\n\r\n", 1)
        lines = head.split(b"\r\n")
        assert lines[0].startswith(b"HTTP/1.1 4") and b"Connection: close" in lines
        assert f"Content-Length: {len(body)}".encode() in lines
        assert b"heapd" in body and b"MessagePack-RPC" in body and body.count(b"\n") == 1


@test
def a_POST_with_valid_frames_in_its_body_runs_none(server):
    name = unique("posted")
    body = frames_that_bind(name)
    post = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    assert conversation(server, post).startswith(b"HTTP/1.1 4")
    for cut in (1, 4, 5, 15, 16, 17, len(post) - len(body), len(post) - len(body) + 1):
        client = server.client()
        push(client, post[:cut])
        push(client, post[cut:])
        assert client.rest().startswith(b"HTTP/1.1 4"), cut
    nothing_ran(server, name)


@test
def a_TLS_client_gets_an_alert_and_nothing_else(server):
    name = unique("tls")
    hello = bytes.fromhex("16030100c8010000c40303") + bytes(range(189)) + frames_that_bind(name)
    for data in (hello, hello[:1]):
        assert conversation(server, data) == bytes.fromhex("15030100020228")
    nothing_ran(server, name)


@test
def a_Redis_client_gets_an_error(server):
    name = unique("redis")
    for data in (b"*1\r\n$4\r\nPING\r\n", b"PING\r\n", b"ping\r\n", b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n"):
        answer = conversation(server, data + frames_that_bind(name))
        assert answer.startswith(b"-ERR ") and answer.endswith(b"\r\n") and b"heapd" in answer
    nothing_ran(server, name)


@test
def a_person_is_told_in_one_sentence(server):
    name = unique("telnet")
    for text in (b"hello\r\n", b"\r\n", b"\n", b"help\n", b"a long line that ends nowhere"):
        answer = conversation(server, text + frames_that_bind(name) if text.endswith(b"\n") else text)
        assert answer.count(b"\n") == 1 and answer.endswith(b"\r\n") and b"heapd" in answer, (text, answer)
    nothing_ran(server, name)


@test
def a_stranger_may_speak_slowly(server):
    for text, answer in ((b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 4"), (b"PING\r\n", b"-ERR "),
                         (b"hi\r\n", b"this is heapd")):
        client = server.client()
        for byte in text:
            push(client, bytes([byte]))
        assert client.rest().startswith(answer)


@test
def a_stranger_who_leaves_in_the_middle_of_a_word_is_answered(server):
    client = server.client()
    client.send(b"hel")
    client.half_close()
    assert b"heapd" in client.rest()


@test
def text_behind_a_frame_is_BAD_FRAME_and_no_stranger(server):
    client = server.client()
    client.send(pack([0, 1, "ping", [1]]) + b"GET / HTTP/1.1\r\n\r\n")
    assert client.frame() == pack([1, 1, None, 1])
    assert is_bad_frame(client.rest())


@test_alone
def strangers_and_bad_frames_are_counted(server):
    before = server.client().call("stats", "requests")["requests"]
    conversation(server, b"GET / HTTP/1.1\r\n\r\n")
    conversation(server, b"\xc1")
    after = server.client().call("stats", "requests")["requests"]
    assert after["strangers"] == before["strangers"] + 1 and after["bad_frames"] == before["bad_frames"] + 1


# -- graphs ----------------------------------------------------------------------------------------------------------


def nest(client, levels):
    """Binds `x` to a list nested so deep, made from inside out."""
    client.call("new", [], {"into": 1})
    batch = 1000
    for _ in range(0, levels, batch):
        client.send(b"".join(pack([2, "new", [[{"@": here}], {"into": 3 - here}]]) + pack([2, "release", [here]])
                             for here in (1, 2) * (batch // 2)))
        client.call("ping")
    client.call("bind", "x", {"@": 1})
    client.call("release", 1)


@test
def a_list_nested_a_hundred_thousand_deep_lives_and_dies_without_recursion(server):
    client = server.client()
    nest(client, 100000)
    client.fails("LIMIT", "read", "x")
    client.call("deepcopy", "x", {"into": 5})
    assert client.of("x", "eq", {"@": 5}) is True
    assert client.of("x", "repr").startswith("[[[[")
    assert client.call("sizeof", "x", {"deep": True}) > 100000 * 24
    weak = client.call("weakref", "x", {"notify": True})
    client.call("unbind", "x")
    assert client.events == [["dead", [1, "count", [weak.handle]]]]
    client.call("release", 5)


@test
def doubling_references_do_not_blow_up(server):
    client = server.client()
    client.call("bind", "x", ["lol"])
    client.call("bind", "y", ["lol"])
    for name in ("x", "y"):
        for _ in range(40):  # 2 ** 40 leaves by value
            client.call("bind", name, [{"@": name}, {"@": name}])
    client.fails("LIMIT", "read", "x", {"depth": 25})
    client.fails("LIMIT", "call", "x", "repr")
    client.fails("LIMIT", "call", "x", "eq", [{"@": "y"}])
    client.call("deepcopy", "x", {"into": 5})  # shares as the original does
    assert client.call("sizeof", 5, {"deep": True}) < 10000


@test
def a_ring_is_compared_and_shown_without_end(server):
    client = server.client()
    for name in ("x", "y"):
        client.call("bind", name, [1])
        client.of(name, "append", {"@": name})
    assert client.of("x", "repr") == "[1, [...]]"
    error, result = client.response(client.request("call", "x", "eq", [{"@": "y"}]))
    assert error is None or error.startswith("LIMIT ")
    for name in ("x", "y"):
        client.of(name, "clear")


@test_own
def a_hundred_thousand_names_and_handles_come_and_go():
    with Daemon() as server:
        client = server.client()
        for start in range(0, 100000, 1000):
            client.send(b"".join(pack([2, "bind", [f"name {n}", n]]) + pack([2, "hold", [f"name {n}", {"into": n + 1}]])
                                 for n in range(start, start + 1000)))
            client.call("ping")
        stats = client.call("stats", "sessions")["sessions"]
        assert (stats["names"], stats["handles"]) == (100000, 100000)
        client.call("bye")


run()
