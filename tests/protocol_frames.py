"""protocol_frames.py - protocol.md, section 1 and 2: frames, the envelope, order, bad frames, half-close, bye."""
import re
import struct

from harness import pack, run, test, unique, unpack, wait_until


def bad_frame(server, data, msgid=None):
    """These bytes end the connection; the reason is told by msgid if that could be read, else by `bye`."""
    client = server.client()
    client.send(data)
    message = client.receive()
    if msgid is None:
        assert message[:2] == [2, "bye"] and message[2][0] == 1, message
        text = message[2][1]
    else:
        kind, got, text, result = message
        assert (kind, got, result) == (1, msgid, None), message
    assert re.match(r"BAD_FRAME \S", text), text
    assert client.receive() is None
    return text


# -- requests --------------------------------------------------------------------------------------------------------


@test
def a_request_is_answered_with_its_msgid(server):
    client = server.client()
    client.send(pack([0, 7, "ping", [5]]))
    assert client.frame() == b"\x94\x01\x07\xc0\x05"


@test
def the_first_frame_may_be_any_request(server):
    assert server.client().call("type", "list") == "class"


@test
def every_msgid_of_32_bits_comes_back(server):
    client = server.client()
    for msgid in (0, 1, 0x7F, 0x80, 0xFF, 0x100, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF):
        client.send(pack([0, msgid, "ping", []]))
        assert client.frame() == pack([1, msgid, None, None])


@test
def any_encoding_of_a_number_is_that_number(server):
    client = server.client()
    for type in (b"\x00", b"\xcc\x00", b"\xcd\0\0", b"\xce\0\0\0\0", b"\xd0\x00", b"\xd3" + bytes(8)):
        for msgid in (b"\x05", b"\xcc\x05", b"\xcd\0\x05", b"\xce\0\0\0\x05", b"\xcf" + bytes(7) + b"\x05", b"\xd0\x05",
                      b"\xd1\0\x05", b"\xd2\0\0\0\x05", b"\xd3" + bytes(7) + b"\x05"):
            client.send(b"\x94" + type + msgid + b"\xa4ping\x91\x01")
            assert client.frame() == pack([1, 5, None, 1])
    for type in (b"\x02", b"\xcc\x02", b"\xd1\0\x02"):
        client.send(b"\x93" + type + b"\xa4ping\x90")
    assert client.is_silent()


@test
def any_encoding_of_an_array_or_str_is_that_one(server):
    client = server.client()
    for array in (b"\x94", b"\xdc\x00\x04", b"\xdd\x00\x00\x00\x04"):
        for method in (b"\xa4ping", b"\xd9\x04ping", b"\xda\x00\x04ping", b"\xdb\x00\x00\x00\x04ping"):
            for params in (b"\x91\x01", b"\xdc\x00\x01\x01", b"\xdd\x00\x00\x00\x01\x01"):
                client.send(array + b"\x00\x05" + method + params)
                assert client.frame() == pack([1, 5, None, 1])


@test
def a_method_may_be_a_bin(server):
    client = server.client()
    for method in (b"\xc4\x04ping", b"\xc5\x00\x04ping", b"\xc6\x00\x00\x00\x04ping"):
        client.send(b"\x94\x00\x05" + method + b"\x91\x01")
        assert client.frame() == pack([1, 5, None, 1])
        client.send(b"\x93\x02" + method + b"\x90")
    assert client.is_silent()


@test
def pipelined_responses_come_in_order(server):
    client = server.client()
    client.send(b"".join(pack([0, n, "ping", [n * 3]]) for n in range(5000)))
    for n in range(5000):
        assert client.frame() == pack([1, n, None, n * 3])


@test
def equal_msgids_are_answered_in_order(server):
    client = server.client()
    client.send(b"".join(pack([0, 9, "ping", [n]]) for n in range(10)))
    assert [unpack(client.frame())[3] for _ in range(10)] == list(range(10))


@test
def requests_of_one_connection_run_in_the_order_sent(server):
    client = server.client()
    client.request("bind", "x", 1)
    client.request("get", "x")
    client.request("bind", "x", 2)
    client.request("get", "x")
    client.request("unbind", "x")
    last = client.request("get", "x")
    answers = [client.receive()[2:] for _ in range(last)]
    assert answers[:5] == [[None, True], [None, 1], [None, True], [None, 2], [None, True]]
    assert answers[5][0].startswith("NO_NAME ")


@test
def frames_may_arrive_cut_anywhere(server):
    frames = pack([0, 1, "bind", ["x", {"k": [1, 2.5, "ä", b"\x00"]}]]) + pack([0, 2, "read", ["x"]])
    expected = pack([1, 1, None, True]) + pack([1, 2, None, {"k": [1, 2.5, "ä", b"\x00"]}])
    client = server.client()
    for cut in range(1, len(frames)):
        client.send(frames[:cut])
        client.send(frames[cut:])
        assert client.frame() + client.frame() == expected


@test
def a_frame_may_arrive_byte_by_byte(server):
    client = server.client()
    value = [[n, str(n), {"k": n}] for n in range(300)]
    for byte in pack([0, 1, "ping", []]) + pack([0, 2, "bind", ["x", value]]) + pack([0, 3, "read", ["x"]]):
        client.send(bytes([byte]))
    assert client.frame() == pack([1, 1, None, None])
    assert client.frame() == pack([1, 2, None, True])
    assert client.frame() == pack([1, 3, None, value])


# -- notifications and responses -------------------------------------------------------------------------------------


@test
def a_notification_runs_and_answers_nothing(server):
    client = server.client()
    client.notify("bind", "x", 5)
    assert client.is_silent()
    assert client.call("get", "x") == 5


@test
def an_error_of_a_notification_is_not_sent(server):
    client = server.client()
    client.notify("get", "unbound")
    client.notify("no such method")
    client.notify("bind")
    assert client.is_silent()


@test
def a_producer_as_notification_gives_no_handle(server):
    client = server.client()
    client.notify("new", [1, 2])
    client.notify("call", "list", "new")
    assert client.is_silent()
    assert client.call("release", 2 ** 31, 2 ** 31 + 1) == 0


@test
def a_producer_as_notification_keeps_into(server):
    client = server.client()
    client.notify("new", [1, 2], {"into": 5})
    assert client.call("read", 5) == [1, 2]


@test
def a_response_that_nobody_waits_for_is_ignored(server):
    client = server.client()
    for response in ([1, 0, None, None], [1, 0xFFFFFFFF, "ERROR", None], [1, 5, {"a": [1]}, [[[]]]],
                     [1, 2, [0, "x"], 3]):
        client.send(pack(response))
    assert client.is_silent()


@test
def no_event_reaches_a_client_that_did_not_ask(server):
    client = server.client()
    client.call("bind", "x", [])
    client.call("weakref", "x")
    client.call("unbind", "x")
    assert client.is_silent() and client.events == []


# -- errors ----------------------------------------------------------------------------------------------------------


@test
def an_error_is_a_code_a_space_and_a_sentence_that_names_the_offender(server):
    client = server.client()
    assert client.fails("NO_NAME", "get", "nobody") == "NO_NAME name 'nobody' is not bound"
    assert "'frobnicate'" in client.fails("NO_METHOD", "frobnicate")
    assert "12345" in client.fails("NO_HANDLE", "get", 12345)
    assert "'wrong'" in client.fails("BAD_ARGS", "get", "list", {"wrong": 1})


@test
def an_error_leaves_the_connection_alive(server):
    client = server.client()
    client.fails("NO_METHOD", "")
    client.fails("BAD_ARGS", "bind", "x")
    client.fails("VALUE", "stats", "no such section")
    assert client.call("ping", 1) == 1


@test
def a_method_name_of_any_bytes_is_an_error_of_valid_UTF8(server):
    client = server.client()
    for name in (b"\xff\xfe", b"\x00", b"ping\x00", "ä".encode() * 99, b"\xe2\x82", b"x" * 70000, b"%s%n%d"):
        client.send(b"\x94\x00\x01\xdb" + struct.pack(">I", len(name)) + name + b"\x90")
        kind, msgid, error, result = client.receive()  # decodes strictly
        assert error.startswith("NO_METHOD "), error
    assert client.call("ping", 1) == 1


@test
def errors_as_pairs_are_zero_and_the_text(server):
    client = server.client(errors="pair")
    client.send(pack([0, 9, "get", ["nobody"]]))
    assert client.receive() == [1, 9, [0, "NO_NAME name 'nobody' is not bound"], None]
    client.call("hello", {"errors": "text"})
    client.fails("NO_NAME", "get", "nobody")


@test
def errors_as_pairs_hold_for_BAD_FRAME_too(server):
    client = server.client(errors="pair")
    client.send(b"\x94\x00\x05\xc1")
    kind, msgid, (zero, text), result = client.receive()
    assert (kind, msgid, zero, result) == (1, 5, 0, None) and text.startswith("BAD_FRAME ")
    assert client.receive() is None


# -- bad frames ------------------------------------------------------------------------------------------------------


@test
def what_is_no_envelope_is_BAD_FRAME(server):
    for frame in (None, False, True, 0, -1, 3.5, b"bin", {}, {0: 1}, [], [0], [0, 1], [0, 1, 2, 3, 4],
                  [3, 1, "ping", []],
                  [-1, "ping", []], ["0", 1, "ping", []], [None, 1, "ping", []], [2, 1, "ping", []], [0, "ping", []],
                  [1, 2, 3], [2.0, "ping", []], [[0], 1, "ping", []]):
        data = pack(frame)
        if data[0] in range(0x20, 0x7F) or data[0] in (0x16, 0x0A, 0x0D):
            continue  # somebody who speaks something else
        bad_frame(server, data)


@test
def a_msgid_that_is_none_is_BAD_FRAME(server):
    for msgid in (pack(-1), pack(2 ** 32), pack(2 ** 64 - 1), pack(-2 ** 63), pack(None), pack("1"), pack(1.0),
                  pack([1]),
                  pack(True)):
        bad_frame(server, b"\x94\x00" + msgid + b"\xa4ping\x90")


@test
def a_method_that_is_no_str_is_BAD_FRAME_with_the_msgid(server):
    for method in (None, 1, True, 1.5, [], {}):
        bad_frame(server, pack([0, 77, method, []]), 77)
        bad_frame(server, pack([2, method, []]))


@test
def params_that_are_no_array_are_BAD_FRAME_with_the_msgid(server):
    for params in (None, 1, "x", b"x", {}, {1: 2}, 1.5):
        bad_frame(server, pack([0, 0x12345678, "ping", params]), 0x12345678)
        bad_frame(server, pack([2, "ping", params]))


@test
def bytes_that_are_no_MessagePack_are_BAD_FRAME(server):
    bad_frame(server, b"\xc1")
    bad_frame(server, b"\x94\xc1")
    bad_frame(server, b"\x94\x00\xc1")
    bad_frame(server, b"\x94\x00\x05\xc1", 5)
    bad_frame(server, b"\x94\x00\x05\xa4ping\xc1", 5)
    bad_frame(server, b"\x94\x00\x05\xa4ping\x91\xc1", 5)
    bad_frame(server, b"\x94\x00\x05\xa4ping\x91\x92\x01\xc1", 5)


@test
def a_bad_frame_runs_nothing_and_nothing_behind_it(server):
    witness = server.client()
    witness.call("bind", "jobs", [])
    client = server.client()
    client.send(pack([0, 1, "ping", [1]]) + b"\x94\x00\x02\xa4ping\x92\x01\xc1" + pack([0, 3, "ping", [3]]))
    assert client.frame() == pack([1, 1, None, 1])
    kind, msgid, error, result = client.receive()
    assert msgid == 2 and error.startswith("BAD_FRAME ")
    assert client.receive() is None


# -- ends ------------------------------------------------------------------------------------------------------------


@test
def requests_that_arrived_whole_before_a_half_close_run(server):
    client = server.client()
    client.send(b"".join(pack([0, n, "bind", ["x", n]]) for n in range(1000)) + pack([0, 1000, "get", ["x"]]))
    client.half_close()
    for n in range(1000):
        assert client.frame() == pack([1, n, None, True])
    assert client.frame() == pack([1, 1000, None, 999])
    assert client.frame() is None


@test
def a_frame_that_a_half_close_cuts_is_dropped(server):
    client = server.client()
    client.send(pack([0, 1, "ping", [1]]) + pack([0, 2, "ping", [2]])[:-1])
    client.half_close()
    assert client.frame() == pack([1, 1, None, 1])
    assert client.frame() is None


@test
def an_empty_connection_is_closed_without_a_word(server):
    client = server.client()
    client.half_close()
    assert client.rest() == b""


@test
def bye_answers_nil_and_ends_the_session_at_once(server):
    client = server.client()
    client.send(pack([0, 1, "bye", []]) + pack([0, 2, "ping", []]))
    assert client.frame() == pack([1, 1, None, None])
    assert client.frame() is None


@test
def bye_as_notification_closes_without_an_answer(server):
    client = server.client()
    client.notify("bye")
    assert client.frame() is None


@test
def bye_takes_no_parameters(server):
    client = server.client()
    client.fails("BAD_ARGS", "bye", 1)
    assert client.call("ping", 1) == 1


@test
def the_end_of_a_session_drops_its_names_and_handles(server):
    name = ["global", unique("shared")]
    watcher, client = server.client(), server.client()
    watcher.call("bind", name, {})
    client.call("bind", "x", {"@": name})
    client.call("hold", name)
    assert watcher.call("refcount", name) == 3
    client.call("bye")
    assert client.receive() is None
    wait_until(lambda: watcher.call("refcount", name) == 1, "the end of the session")
    watcher.call("unbind", name)


@test
def names_of_a_session_are_its_own(server):
    one, other = server.client(), server.client()
    one.call("bind", "x", 1)
    other.fails("NO_NAME", "get", "x")
    other.fails("NO_NAME", "get", ["session", "x"])
    assert one.call("get", ["session", "x"]) == 1


@test
def a_handle_of_another_session_means_nothing(server):
    one, other = server.client(), server.client()
    handle = one.call("new", [1]).handle
    other.fails("NO_HANDLE", "get", handle)
    assert other.call("release", handle) == 0
    assert one.call("read", handle) == [1]


run()
