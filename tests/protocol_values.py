"""protocol_values.py - protocol.md, section 3: literals, what is sent for them, both dialects, and hello."""
import math
import struct

import msgpack

from harness import Ref, ext_handle, ext_name, pack, run, test, unpack

NAN = float("nan")


def same(client, encoded, expected):
    """The value with this encoding is kept, and sent back as `expected`."""
    client.send(b"\x94\x00\x01\xa4bind\x92\xa1x" + encoded)
    assert client.frame() == pack([1, 1, None, True])
    client.send(pack([0, 2, "read", ["x"]]))
    answer = client.frame()
    assert answer == b"\x94\x01\x02\xc0" + expected, (encoded, answer)


def read_frame(client, target, *opts):
    """The bytes of a read value."""
    client.send(pack([0, 3, "read", [target, *opts]]))
    frame = client.frame()
    assert frame.startswith(b"\x94\x01\x03\xc0"), frame
    return frame[4:]


def nested(levels, core=None):
    """`levels` lists within each other, the innermost one empty or around `core`."""
    value = [] if core is None else [core]
    for _ in range(levels - 1):
        value = [value]
    return value


def ext(ref):
    return ext_handle(ref.handle)


# -- scalars ---------------------------------------------------------------------------------------------------------


@test
def scalars_come_back_as_they_went(server):
    client = server.client()
    for value in (None, False, True, 0, -1, 2 ** 63 - 1, -2 ** 63, 0.0, 1.5, -1e308, math.inf, -math.inf, "",
                  "äöü€😀",
                  "\x00", b"", bytes(range(256)), "x" * 70000, b"y" * 70000):
        assert client.call("ping", value) == value
        assert client.call("bind", "x", value) is True
        for method in ("get", "read"):
            got = client.call(method, "x")
            assert got == value and type(got) is type(value), (value, got)


@test
def NaN_and_minus_zero_come_back(server):
    client = server.client()
    assert math.isnan(client.call("ping", NAN))
    assert math.copysign(1, client.call("ping", -0.0)) == -1


@test
def ints_are_sent_in_the_shortest_encoding(server):
    client = server.client()
    for value in [0, *(sign * (1 << n) + d for n in range(63) for d in (-1, 0, 1) for sign in (1, -1)), 2 ** 63 - 1,
                  -2 ** 63]:
        if value >= 0:
            same(client, b"\xcf" + struct.pack(">Q", value), pack(value))
        same(client, b"\xd3" + struct.pack(">q", value), pack(value))


@test
def strs_and_bins_are_sent_in_the_shortest_encoding(server):
    client = server.client()
    for size in (0, 1, 31, 32, 255, 256, 65535, 65536):
        same(client, b"\xdb" + struct.pack(">I", size) + b"s" * size, pack("s" * size))
        same(client, b"\xc6" + struct.pack(">I", size) + b"b" * size, pack(b"b" * size))


@test
def arrays_and_maps_are_sent_in_the_shortest_encoding(server):
    client = server.client()
    for size in (0, 1, 15, 16, 65535, 65536):
        same(client, b"\xdd" + struct.pack(">I", size) + b"\x01" * size, pack([1] * size))
        keys = [f"{n:06}" for n in range(size)]
        same(client, b"\xdf" + struct.pack(">I", size) + b"".join(pack(key) + b"\xcc\x07" for key in keys),
             pack({key: 7 for key in keys}))


@test
def a_float_of_32_bits_is_a_float(server):
    same(server.client(), b"\xca\x3f\xc0\x00\x00", pack(1.5))


@test
def an_int_beyond_64_bits_is_OVERFLOW(server):
    client = server.client()
    client.fails("OVERFLOW", "ping", 2 ** 63)
    client.fails("OVERFLOW", "bind", "x", [1, {"k": 2 ** 64 - 1}])
    client.fails("NO_NAME", "get", "x")


@test
def a_str_that_is_no_UTF8_is_VALUE(server):
    client = server.client()
    for text in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"ok\x80",
                 b"\xf8\x88\x80\x80\x80"):
        raw = bytes([0xA0 + len(text)]) + text
        for literal in (raw, b"\x91" + raw, b"\x81\xa1k" + raw, b"\x81" + raw + b"\x01"):
            client.send(b"\x94\x00\x01\xa3new\x91" + literal)
            kind, msgid, error, result = client.receive()
            assert error.startswith("VALUE "), (text, error)


@test
def with_raw_bytes_such_a_str_is_a_bytes_object(server):
    client = server.client(raw="bytes")
    client.send(b"\x94\x00\x01\xa4ping\x91\xa2\xff\xfe")
    assert client.frame() == b"\x94\x01\x01\xc0\xc4\x02\xff\xfe"
    client.send(b"\x94\x00\x02\xa4bind\x92\xa1x\x92\xa1\xff\xa1a")
    client.receive()
    assert client.call("read", "x") == [b"\xff", "a"]
    client.call("hello", {"raw": "text"})
    client.send(b"\x94\x00\x03\xa4ping\x91\xa2\xff\xfe")
    assert client.receive()[2].startswith("VALUE ")


@test
def small_ints_are_shared_and_immortal_others_are_new(server):
    client = server.client()
    for value in (-5, 0, 256):
        client.call("bind", "a", value)
        client.call("bind", "b", value)
        assert client.call("is", "a", "b") and client.call("refcount", "a") is None
    for value in (-6, 257, 1.0, "text", b"bytes", [], {}):
        client.call("bind", "a", value)
        client.call("bind", "b", value)
        assert not client.call("is", "a", "b") and client.call("refcount", "a") == 1


@test
def nil_bools_and_empty_str_and_bytes_are_immortal(server):
    client = server.client()
    for value in (None, False, True, "", b""):
        client.call("bind", "a", value)
        client.call("bind", "b", value)
        assert client.call("is", "a", "b") and client.call("refcount", "a") is None


# -- dicts -----------------------------------------------------------------------------------------------------------


@test
def equal_keys_of_different_types_are_one_key_and_the_first_stays(server):
    client = server.client(refs="ext")
    client.send(b"\x94\x00\x01\xa3new\x91\x84\x01\xa1a\xcb" + struct.pack(">d", 1.0) + b"\xa1b\xc3\xa1c\xa1k\xa1d")
    ref = client.receive()[3]
    assert read_frame(client, ext(ref)) == b"\x82\x01\xa1c\xa1k\xa1d"


@test
def a_repeated_key_has_its_last_value_and_first_place(server):
    client = server.client()
    client.send(b"\x94\x00\x01\xa4bind\x92\xa1x\x83\xa1a\x01\xa1b\x02\xa1a\x03")
    client.receive()
    assert read_frame(client, "x") == b"\x82\xa1a\x03\xa1b\x02"


@test
def a_str_is_no_bytes_as_a_key(server):
    client = server.client(refs="ext")
    value = {"k": 1, b"k": 2, None: 3, True: 4, 1.5: 5, 0: 6}
    assert client.call("read", client.call("new", value)) == value


@test
def an_unhashable_key_is_TYPE(server):
    client = server.client(refs="ext")
    for key in (b"\x90", b"\x80", b"\x91\x01"):
        client.send(b"\x94\x00\x01\xa3new\x91\x81" + key + b"\x01")
        assert client.receive()[2].startswith("TYPE ")
    client.fails("TYPE", "new", {ext(client.call("new", [])): 1})


# -- dialect map -----------------------------------------------------------------------------------------------------


@test
def without_hello_a_reference_is_a_map_of_one_key(server):
    client = server.client()
    client.send(pack([0, 1, "new", [[1]]]))
    answer = unpack(client.frame())[3]
    (handle, id, type), = answer.values()
    assert list(answer) == ["@"] and type == "list" and handle >= 2 ** 31
    assert client.call("id", handle) == id


@test
def every_form_of_a_reference_is_accepted_in_map(server):
    client = server.client()
    ref = client.call("new", [1])
    client.call("bind", "x", ref)
    for form in ({"@": ref.handle}, {"@": [ref.handle, ref.id, "list"]}, {"@": "x"}, {"@": ["session", "x"]},
                 ext_handle(ref.handle), ext_name("x"), ext_name(["session", "x"]),
                 msgpack.ExtType(1, pack(ref.handle) + pack(ref.id) + pack(6))):
        assert client.call("id", form) == ref.id  # as a target
        client.call("bind", "l", [form])  # within a literal
        assert client.call("id", client.of("l", "get", 0)) == ref.id, form
        client.call("bind", "y", form)
        assert client.call("is", "x", "y")


@test
def references_may_stand_at_any_depth(server):
    client = server.client()
    client.call("bind", "b", {"deep": 1})
    seven = client.call("new", [], {"into": 7})
    client.call("bind", "x", [1, {"@": 7}, {"x": {"@": "b"}, "y": [[{"@": 7}]]}])
    assert client.call("refcount", seven) == 3 and client.call("refcount", "b") == 2
    assert client.call("is", client.of("x", "get", 1), seven)


@test
def a_dict_with_other_keys_is_pairs_both_ways_in_map(server):
    client = server.client()
    pairs = {"@pairs": [[1, "a"], [None, []], [1.5, {"@pairs": [[True, 2]]}], [b"k", {"s": 1}], ["s", 3]]}
    client.call("bind", "x", pairs)
    assert client.call("type", "x") == "dict" and client.of("x", "len") == 5
    assert client.call("read", "x") == pairs


@test
def pairs_of_strs_are_a_plain_dict(server):
    client = server.client()
    client.call("bind", "x", {"@pairs": [["a", 1], ["b", 2]]})
    assert client.call("read", "x") == {"a": 1, "b": 2}
    client.call("bind", "x", {"@pairs": []})
    assert client.call("read", "x") == {}


@test
def a_key_that_begins_with_at_is_written_with_one_more(server):
    client = server.client()
    for written, real in (("@@", "@"), ("@@x", "@x"), ("@@pairs", "@pairs"), ("@@@", "@@"), ("@@@@x", "@@@x")):
        client.call("bind", "x", {written: 5})
        assert client.call("read", "x") == {written: 5}
        keys = client.call("read", client.of("x", "keys"))
        assert keys == [real], keys


@test
def only_a_dict_of_one_key_is_escaped(server):
    client = server.client()
    for value in ({"@": 1, "b": 2}, {"@x": [1], "@pairs": 2}, {"a@": 1}):
        client.call("bind", "x", value)
        assert client.call("read", "x") == value


@test
def a_malformed_at_form_is_BAD_ARGS(server):
    client = server.client()
    for form in ({"@x": 1}, {"@pair": []}, {"@": None}, {"@": 1.5}, {"@": -1}, {"@": []}, {"@": [1]}, {"@": ["a", 1]},
                 {"@": [1, 2, 3, 4]}, {"@": {}}, {"@": b"x"}, {"@": True}, {"@pairs": 1}, {"@pairs": {}},
                 {"@pairs": [1]}, {"@pairs": [[1]]}, {"@pairs": [[1, 2, 3]]}, {"@pairs": [{}]}):
        client.fails("BAD_ARGS", "new", form)
        client.fails("BAD_ARGS", "new", [[1], form])


@test
def a_reference_to_nothing_fails_within_a_literal_too(server):
    client = server.client()
    client.fails("NO_HANDLE", "new", [1, {"@": 77}])
    client.fails("NO_NAME", "new", {"k": {"@": "nobody"}})
    client.fails("NO_NAME", "new", {"k": {"@": ["no such namespace", "x"]}})


@test
def escapes_are_undone_in_options_too(server):
    client = server.client()
    client.fails("BAD_ARGS", "get", "list", {"@@into": 5})  # the option is called @into
    assert isinstance(client.call("get", "list", {"@pairs": [["into", 5]]}), Ref)
    assert client.call("type", 5) == "class"
    for pairs in (1, [1], [["into"]], [["into", 6, 7]], [[6, "into"]]):
        client.fails("BAD_ARGS", "get", "list", {"@pairs": pairs})
    client.fails("BAD_ARGS", "get", "list", {"@": 5})


# -- dialect ext -----------------------------------------------------------------------------------------------------


@test
def in_ext_a_reference_is_an_extension_of_three_uints(server):
    client = server.client(refs="ext")
    client.send(pack([0, 1, "new", [[1]], ]))
    answer = unpack(client.frame())[3]
    assert answer.code == 1
    unpacker = msgpack.Unpacker()
    unpacker.feed(answer.data)
    handle, id, type = unpacker
    assert type == 6 and answer.data == pack(handle) + pack(id) + pack(type)  # shortest too
    assert client.call("id", ext_handle(handle)) == id


@test
def in_ext_maps_with_at_are_plain_dicts(server):
    client = server.client(refs="ext")
    for value in ({"@": 1}, {"@": "x"}, {"@@": 1}, {"@pairs": [[1, 2]]}, {"@x": 1}, {1: 2, b"k": "v", None: []}):
        client.call("bind", "x", value)
        assert client.call("read", "x") == value
        assert client.of("x", "len") == len(value)
    client.fails("BAD_ARGS", "get", {"@": "x"})


@test
def in_ext_a_dict_with_a_tuple_among_its_keys_travels_as_HANDLE(server):
    client = server.client(refs="ext")
    pair = client.of("tuple", "new", [1, 2])
    client.call("bind", "d", {pair: 1})
    got = client.call("read", "d")
    assert isinstance(got, Ref) and got.type == "dict" and got.id == client.call("id", "d")
    in_map = server.client()
    in_map.call("bind", "d", {"@pairs": [[in_map.of("tuple", "new", [1, 2]), 1]]})
    assert in_map.call("read", "d") == {"@pairs": [[[1, 2], 1]]}


@test
def other_extension_types_are_BAD_ARGS(server):
    for refs in ("map", "ext"):
        client = server.client(refs=refs)
        for code in (0, 3, 4, 127, -1, -128):
            client.send(b"\x94\x00\x01\xa4ping\x91\xd4" + struct.pack(">b", code) + b"\x01")
            assert client.receive()[2].startswith("BAD_ARGS ")
        for code, payload in ((1, b""), (1, b"\xc0"), (1, b"\xff"), (1, b"\xa1x"), (1, b"\xcf"), (2, b""), (2, b"\x01"),
                              (2, b"\x91\xa1x"), (2, b"\x92\xa1x\x01"), (2, b"\xa5x"), (2, b"\xc1"),
                              (2, b"\x93\xa1a\xa1b\xa1c"), (2, b"\x92" * 30)):
            client.fails("BAD_ARGS", "ping", msgpack.ExtType(code, payload))
            client.fails("BAD_ARGS", "get", msgpack.ExtType(code, payload))


# -- results ---------------------------------------------------------------------------------------------------------


@test
def scalars_travel_by_value_and_all_else_as_HANDLE(server):
    client = server.client()
    for value in (None, True, 12345, 2.5, "s", b"b"):
        assert client.call("ping", value) == value
    for value in ([], {}, [1], {"k": 1}):
        assert isinstance(client.call("ping", value), Ref)
    assert client.call("ping", {"@": "list"}).type == "class"


@test
def result_handle_value_and_none(server):
    client = server.client()
    client.call("bind", "x", [1, [2]])
    client.call("bind", "n", 12345)
    assert client.call("get", "x", {"result": "value"}) == [1, [2]]
    assert client.call("get", "x", {"result": "none"}) is None
    assert client.call("get", "x", {"result": "auto"}).type == "list"
    assert client.call("get", "n", {"result": "handle"}).type == "int"
    assert client.call("get", "n", {"result": "value"}) == 12345
    assert client.call("new", [3], {"result": "value"}) == [3]
    assert client.call("hold", "n").type == "int"
    assert client.call("get", "x", {"result": "value", "into": 4}) == [1, [2]]
    assert client.call("get", "n", {"result": "none", "into": 5}) is None
    assert client.call("is", 4, "x") and client.call("is", 5, "n")


@test
def every_producer_takes_result_and_into(server):
    client = server.client()
    client.call("bind", "x", [1])
    client.call("bind", "w", client.call("weakref", "x"))
    number = 0
    for method, *params in (("get", "x"), ("hold", "x"), ("new", [2]), ("call", "x", "get", [0]),
                            ("getattr", "x", "len"),
                            ("class", "C"), ("weakref", "x"), ("proxy", "x"), ("deref", "w"), ("copy", "x"),
                            ("deepcopy", "x")):
        number += 1
        answer = client.call(method, *params, {"into": number})
        assert answer.handle == number, (method, answer)  # a scalar too: auto answers the HANDLE
        assert client.call("id", number) == answer.id
        assert client.call(method, *params, {"result": "none"}) is None
    assert client.call("release", *range(1, number + 1)) == number


@test
def into_keeps_nil_and_other_scalars(server):
    client = server.client()
    assert client.call("get", {"@": client.call("new", None, {"into": 1}).handle}) is None
    assert client.call("call", {"@": client.call("new", {}).handle}, "get", ["missing"], {"into": 2}).type == "nil"
    assert client.call("type", 2) == "nil" and client.call("release", 1, 2) == 2


# -- depth -----------------------------------------------------------------------------------------------------------


@test
def thirty_one_levels_are_sent_inside_the_response_and_no_more(server):
    client = server.client()
    client.call("bind", "x", nested(31))
    assert client.call("read", "x") == nested(31)
    client.call("bind", "y", nested(32))
    client.fails("LIMIT", "read", "y")
    client.fails("LIMIT", "get", "y", {"result": "value"})
    assert client.call("read", "y", {"depth": 29})  # the rest as a HANDLE, itself two levels deep


@test
def hello_raises_the_depth_sent(server):
    client = server.client(depth=41)
    client.call("bind", "x", nested(40))
    client.send(pack([0, 1, "read", ["x"]]))
    assert client.frame() == b"\x94\x01\x01\xc0" + b"\x91" * 39 + b"\x90"
    client.call("bind", "y", nested(41))
    client.fails("LIMIT", "read", "y")


@test
def pairs_and_references_count_with_the_levels_they_take(server):
    client = server.client()
    client.call("bind", "x", nested(28, {"@pairs": [[1, 2]]}))  # with the envelope 32 levels
    assert client.call("read", "x") == nested(28, {"@pairs": [[1, 2]]})
    client.call("bind", "x", nested(29, {"@pairs": [[1, 2]]}))
    client.fails("LIMIT", "read", "x")
    client.call("bind", "x", [{"@pairs": [[1, 2]]}] * 20)  # and gives them back
    assert client.call("read", "x") == [{"@pairs": [[1, 2]]}] * 20
    client.call("bind", "x", nested(29, {"@": "list"}))  # {"@": [handle, ...]} takes two
    assert client.call("read", "x")
    client.call("bind", "x", nested(30, {"@": "list"}))
    client.fails("LIMIT", "read", "x")


@test
def read_with_depth_gives_the_rest_as_HANDLE(server):
    client = server.client()
    client.call("bind", "x", [1, [2, [3]], {"k": {"l": 4}}])
    assert client.call("read", "x", {"depth": 0}).type == "list"
    one, inner, mapping = client.call("read", "x", {"depth": 1})
    assert (one, inner.type, mapping.type) == (1, "list", "dict")
    one, (two, deep), mapping = client.call("read", "x", {"depth": 2})
    assert (two, deep.type, mapping["k"].type) == (2, "list", "dict")
    assert client.call("read", "x", {"depth": 3}) == [1, [2, [3]], {"k": {"l": 4}}]
    assert client.call("release", inner, mapping["k"], deep) == 3


# -- hello -----------------------------------------------------------------------------------------------------------


@test
def hello_tells_server_version_protocol_session_and_limits(server):
    answer = server.client().call("hello", {"name": "a test"})
    assert answer["server"] == "heapd" and answer["protocol"] == 1 and isinstance(answer["version"], str)
    assert answer["session"] > 0
    assert set(answer["limits"]) >= {"frame", "depth", "work", "read", "handles", "names", "session_bytes", "output",
                                     "events", "sessions", "lingering", "waiting", "idle_timeout", "memory_limit"}


@test
def hello_refuses_what_it_does_not_know(server):
    client = server.client()
    for settings in ({"refs": "json"}, {"refs": 1}, {"errors": "both"}, {"raw": True}, {"depth": "deep"}, {"depth": -1},
                     {"depth": 10 ** 6}, {"events": []}, {"events": "m"}, {"events": [1]}, {"events": ["m", []]},
                     {"name": 5}, {"namespace": 7}, {"nonsense": 1}, {"linger": -1}, {"resume": 5}, {"user": "x"}, {1: 2}):
        client.fails("BAD_ARGS", "hello", settings)
    client.fails("BAD_ARGS", "hello", 1)
    client.fails("BAD_ARGS", "hello", {}, {})
    assert client.call("new", []).type == "list"  # nothing has changed


@test
def a_refused_hello_changes_no_setting(server):
    client = server.client()
    client.fails("BAD_ARGS", "hello", {"refs": "ext", "errors": "pair", "nonsense": 1})
    client.fails("NO_NAME", "get", "nobody")
    assert isinstance(client.call("new", []), Ref)


@test
def a_second_hello_changes_settings(server):
    client = server.client(refs="ext", errors="pair")
    client.hello(refs="map", errors="text")
    client.fails("NO_NAME", "get", "nobody")
    assert client.call("new", []).type == "list"


run()
