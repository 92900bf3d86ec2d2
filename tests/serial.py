#!/usr/bin/python3
"""serial.py - dump and load: shape, classes, weak links, names of types, limits, and another server."""
import os
import random
import struct

from tests.dump_format import Node, Reader, atom, checksum, decode, encode, frame, pack_array, pack_index, pack_str, \
    same
from tests.dump_graphs import SCALARS, Graph, build
from tests.harness import *

KIND = {name: bytes([0xd4, 4, code]) for name, code in
        (("tuple", 7), ("set", 9), ("object", 10), ("class", 11), ("weakref", 13), ("builtin", 0))}
NO_LINKS = b"\x90"


def roundtrip(client, target):
    return client.call("load", client.call("dump", target))


# -- shape -------------------------------------------------------------------------------------------------------------


@test
def plain_values_come_back_as_they_were(server):
    client = server.client(refs="ext")
    for value in (None, True, 5, -(1 << 63), 1.5, "é" * 300, b"\x00\xff", [], {}, [1, [2, {"a": [None, b"x"]}]],
                  {1: 2, "b": {b"c": [3]}}, list(range(1000))):
        made = roundtrip(client, client.call("new", value))
        assert isinstance(made, Ref), made
        assert client.call("read", made) == value


@test
def the_bytes_are_those_of_the_documented_format(server):
    client = server.client()
    shared = Node("list", [atom(1000)])
    root = Node("list", [shared, shared, Node("dict", [atom("k"), Node("tuple", [atom(1), atom("two")])])])
    blob = client.call("dump", build(client, [shared, root.items[2].items[1], root.items[2], root])[root])
    assert blob == encode(root)
    assert blob[32:-8] == b"\x93\x91\xcd\x03\xe8\xd4\x03\x01\x81\xa1k\x93\xd4\x04\x07\x01\xa3two\x90", blob.hex()


@test
def a_list_in_itself_is_one_after_a_load(server):
    client = server.client()
    ring = client.call("new", [1])
    client.of(ring, "append", ring)
    made = roundtrip(client, ring)
    assert client.call("is", made, client.of(made, "get", 1))
    assert not client.call("is", made, ring)
    for each in (ring, made):
        client.of(each, "clear")


@test
def a_cycle_through_a_tuple_comes_back(server):
    client = server.client()
    inner = client.call("new", [])
    outer = client.call("call", ["builtins", "tuple"], "new", [[inner, 5]])
    client.of(inner, "append", outer)
    made = roundtrip(client, outer)
    assert client.call("type", made) == "tuple"
    again = client.of(client.of(made, "get", 0), "get", 0)
    assert client.call("is", made, again)
    for each in (inner, client.of(made, "get", 0)):
        client.of(each, "clear")


@test
def a_tuple_may_be_a_key_of_a_dict_that_it_leads_to(server):
    client = server.client()
    made_of = client.call("call", client.call("class", "C"), "new", [])
    key = client.call("call", ["builtins", "tuple"], "new", [[made_of, 5]])
    client.call("setattr", made_of, "by", {"@pairs": [[key, "found"]]})
    made = roundtrip(client, key)
    by = client.call("getattr", client.of(made, "get", 0), "by")
    assert client.of(by, "get", made) == "found"
    assert client.of(by, "get", key) is None
    client.call("delattr", made_of, "by")
    client.call("delattr", client.of(made, "get", 0), "by")


@test
def order_of_insertion_is_kept(server):
    client = server.client()
    names = [f"n{i * 7919 % 1000}" for i in range(1000)]
    dict_ = client.call("new", {name: i for i, name in enumerate(names)})
    client.of(dict_, "del", names[0])
    client.of(dict_, "set", names[0], 0)
    order = names[1:] + names[:1]
    assert client.call("read", client.of(roundtrip(client, dict_), "keys")) == order
    set_ = client.call("call", ["builtins", "set"], "new", [[3, 1, 2]])
    assert client.call("read", roundtrip(client, set_)) == [3, 1, 2]


@test
def an_equal_text_at_two_places_is_two_objects_or_one_as_before(server):
    client = server.client()
    one = client.call("hold", client.call("new", "text"))
    both = client.call("new", [one, one, "text"])
    made = roundtrip(client, both)
    ids = [client.call("id", client.call("call", made, "get", [i], {"result": "handle"})) for i in range(3)]
    assert ids[0] == ids[1] != ids[2]


def empty(client, kind, handle):
    if kind in ("list", "dict", "set"):
        client.call("call", handle, "clear")
    elif kind in ("object", "class"):
        for name in [text for text in attribute_names(client, handle)]:
            client.call("delattr", handle, name)


def attribute_names(client, handle):
    return [name for name in decode(client.call("dump", handle)).items if isinstance(name, str)]


def take_apart(client, root):
    """Empties all that can be reached, so that no cycle is left over."""
    seen, work = set(), [root]
    while work:
        ref = work.pop()
        if not isinstance(ref, Ref) or ref.id in seen or ref.type == "class" and client.call("refcount", ref) is None:
            continue
        seen.add(ref.id)
        held = client.call("referents", ref)
        empty(client, ref.type, ref)
        work += held


@test
def random_graphs_come_back_in_their_shape(server):
    seed = random.randrange(1 << 32)
    comment(f"seed {seed}")
    for round in range(60):
        rng = random.Random(seed + round)
        graph = Graph(rng, rng.randrange(2, 30), has_weakrefs=round % 2 == 1)
        if round % 3 == 0:
            graph.tuple_key()
        client = server.client()
        handles = build(client, graph.nodes)
        for root in rng.sample(graph.nodes, min(4, len(graph.nodes))):
            blob = client.call("dump", handles[root])
            assert same(decode(blob), decode(encode(root))), f"seed {seed} round {round}: the dump"
            made = client.call("load", blob)
            again = client.call("dump", made)
            assert same(decode(again), decode(blob)), f"seed {seed} round {round}: the load"
            if round % 2 == 0:
                assert blob == encode(root) == again, f"seed {seed} round {round}: the bytes"
            if round % 2 == 0 and not any(node.kind == "class" and node.items for node in graph.nodes):
                copied = client.call("deepcopy", handles[root], {"result": "handle"})
                copy = client.call("dump", copied)
                assert copy == blob, f"seed {seed} round {round}: the deep copy"
                take_apart(client, copied)
            take_apart(client, made)
        for node in graph.nodes:
            empty(client, node.kind, handles[node])
        client.close()


# -- classes -----------------------------------------------------------------------------------------------------------


def instance_of(client, name, **attributes):
    made = client.call("call", client.call("class", name), "new")
    for attribute, value in attributes.items():
        client.call("setattr", made, attribute, value)
    return made


@test
def a_class_is_made_anew_with_its_attributes_once_for_all_its_instances(server):
    client = server.client()
    of = client.call("class", "Point")
    client.call("setattr", of, "origin", [0, 0])
    pair = client.call("new", [client.call("call", of, "new"), client.call("call", of, "new")])
    made = roundtrip(client, pair)
    classes = [client.call("getattr", client.of(made, "get", i), "__class__") for i in (0, 1)]
    assert client.call("is", *classes) and not client.call("is", classes[0], of)
    assert client.call("read", client.call("getattr", client.of(made, "get", 0), "origin")) == [0, 0]
    assert client.call("info", client.of(made, "get", 1))["class"] == "Point"


@test
def attributes_keep_their_order_and_their_names(server):
    client = server.client()
    made = instance_of(client, "C", b=1, a=[2], c=3)
    client.call("delattr", made, "b")
    client.call("setattr", made, "b", 4)
    attributes = client.call("read", client.call("getattr", roundtrip(client, made), "__dict__"))
    assert list(attributes.items()) == [("a", [2]), ("c", 3), ("b", 4)]


@test
def builtin_classes_are_those_of_the_server(server):
    client = server.client()
    classes = client.call("new", [{"@": "list"}, {"@": "object"}, client.call("call", "object", "new")])
    made = roundtrip(client, classes)
    assert client.call("is", client.of(made, "get", 0), "list")
    assert client.call("is", client.call("getattr", client.of(made, "get", 2), "__class__"), "object")


@test
def by_name_a_class_is_the_one_bound_to_its_name(server):
    client = server.client()
    blob = client.call("dump", instance_of(client, "Point", x=1))
    by_name = {"classes": "by name"}
    first = client.call("load", blob, by_name)  # nothing is bound: a new class
    client.call("bind", "Point", client.call("class", "Point"))
    made = client.call("load", blob, by_name)
    assert client.call("is", client.call("getattr", made, "__class__"), "Point")
    assert not client.call("is", client.call("getattr", first, "__class__"), "Point")
    assert not client.call("is", client.call("getattr", client.call("load", blob), "__class__"), "Point")
    assert client.call("getattr", made, "x") == 1
    client.call("bind", "Point", [1])  # what is no class is none
    made = client.call("load", blob, by_name)
    assert client.call("info", made)["class"] == "Point"
    client.call("unbind", "Point")
    client.call("bind", ["global", "Point"], client.call("class", "Point"))  # the rule of targets
    made = client.call("load", blob, by_name)
    assert client.call("is", client.call("getattr", made, "__class__"), {"@": ["global", "Point"]})
    client.call("unbind", ["global", "Point"])


@test
def by_name_a_found_class_stays_as_it_is(server):
    client = server.client()
    old = client.call("class", "C")
    client.call("setattr", old, "version", 1)
    shared = client.call("new", [7])
    client.call("setattr", old, "shared", shared)
    blob = client.call("dump", client.call("new", [client.call("call", old, "new"), shared]))
    client.call("bind", "C", client.call("class", "C"))
    client.call("setattr", "C", "version", 2)
    made = client.call("load", blob, {"classes": "by name"})
    assert client.call("getattr", client.of(made, "get", 0), "version") == 2
    assert client.call("read", client.of(made, "get", 1)) == [7]
    client.fails("NO_ATTR", "getattr", "C", "shared")
    client.fails("BAD_ARGS", "load", blob, {"classes": "by number"})
    client.fails("BAD_ARGS", "load", blob, {"classes": 1})


@test
def by_name_no_builtin_type_stands_for_a_class(server):
    client = server.client()
    made = client.call("load", client.call("dump", instance_of(client, "list")), {"classes": "by name"})
    assert client.call("type", made) == "object"
    assert not client.call("is", client.call("getattr", made, "__class__"), "list")


# -- weak references ---------------------------------------------------------------------------------------------------


@test
def a_weakref_stays_a_link_if_its_target_is_in_the_dump(server):
    client = server.client()
    target = client.call("new", [1])
    for items in ([client.call("weakref", target), target], [target, client.call("weakref", target)]):
        made = roundtrip(client, client.call("new", items))
        weak, strong = (client.of(made, "get", i) for i in range(2))
        if weak.type != "weakref":
            weak, strong = strong, weak
        assert client.call("is", client.call("deref", weak), strong)
        assert client.call("weakrefs", strong) == 1
        assert client.call("is", client.call("weakref", strong), weak)
        assert client.call("refcount", strong) == 3  # the list, and two handles


@test
def a_weakref_to_what_is_elsewhere_is_dead_after_a_load(server):
    client = server.client()
    target = client.call("new", [1])
    weak = client.call("weakref", target)
    for root in (weak, client.call("new", [weak])):
        made = roundtrip(client, root)
        made = made if made.type == "weakref" else client.of(made, "get", 0)
        assert client.call("deref", made) is None
        assert client.call("info", made)["cause"] == "count"
    assert client.call("deref", weak) is not None


@test
def a_weak_link_dies_with_its_new_target_and_tells_nobody(server):
    client = server.client()
    target = client.call("new", [1])
    told = client.call("weakref", target, {"notify": True})
    made = roundtrip(client, client.call("new", [target, told]))
    weak = client.of(made, "get", 1)
    client.of(made, "set", 0, None)
    assert client.call("deref", weak) is None
    assert client.is_silent()


@test
def two_weakrefs_to_one_object_stay_two(server):
    client = server.client()
    target = client.call("new", [1])
    both = [client.call("weakref", target), client.call("weakref", target, {"notify": True})]
    made = roundtrip(client, client.call("new", both + [target]))
    a, b = (client.of(made, "get", i) for i in range(2))
    assert not client.call("is", a, b)
    assert client.call("call", a, "eq", [b])
    assert client.call("weakrefs", client.of(made, "get", 2)) == 2


@test
def a_weakref_that_was_a_key_is_one_again_dead_or_alive(server):
    client = server.client()
    target = client.call("call", "object", "new")
    weak = client.call("weakref", target)
    keys = client.call("new", {"@pairs": [[weak, "here"], [1, target]]})
    made = roundtrip(client, keys)
    again = client.call("weakref", client.of(made, "get", 1))
    assert client.of(made, "get", again) == "here"
    client.of(keys, "del", 1)
    made = roundtrip(client, keys)  # now nothing in the dump holds the target
    key = client.call("referents", made)[0]
    assert client.call("deref", key) is None
    assert client.of(made, "get", key) == "here"
    client.fails("TYPE", "call", roundtrip(client, client.call("weakref", client.call("new", [2]))), "hash")


# -- refused -----------------------------------------------------------------------------------------------------------


@test
def what_has_no_dump_is_told_by_its_type(server):
    client = server.client()
    target = client.call("new", [1])
    for what in (client.call("proxy", target), client.call("getattr", target, "append")):
        error = client.fails("TYPE", "dump", what)
        assert what.type in str(error)
        client.fails("TYPE", "dump", client.call("new", [1, [what]]))


@test
def a_dump_takes_one_target_and_a_load_one_bin(server):
    client = server.client()
    for params in ([], [[1], [2]], [None], [{"a": 1}]):
        client.fails("BAD_ARGS", "dump", *params)
    client.fails("NO_NAME", "dump", "nothing")
    client.fails("NO_HANDLE", "dump", 12345)
    blob = client.call("dump", client.call("new", [1]))
    for params in ([], ["text"], [5], [[1]], [blob, blob], [blob, {"deep": True}]):
        client.fails("BAD_ARGS", "load", *params)
    assert client.call("read", client.call("load", client.call("new", blob))) == [1]  # a reference to a bin is one


@test
def a_load_is_a_producer(server):
    client = server.client()
    blob = client.call("dump", client.call("new", [1, 2]))
    assert client.call("load", blob, {"result": "value"}) == [1, 2]
    assert client.call("load", blob, {"result": "none", "into": 77}) is None
    assert client.call("read", 77) == [1, 2]
    client.fails("HANDLE_IN_USE", "load", blob, {"into": 77})
    assert client.call("load", client.call("dump", client.call("new", 5)), {"result": "auto"}).type == "int"


@test
def an_answer_that_cannot_be_sent_leaves_no_graph(server):
    client = server.client()
    ring = client.call("new", [1])
    client.of(ring, "append", ring)
    blob = client.call("dump", ring)
    before = server.gauges(client)
    for _ in range(3):
        client.fails("CYCLE", "load", blob, {"result": "value"})
    assert server.gauges(client) == before
    client.of(ring, "clear")


# -- damage ------------------------------------------------------------------------------------------------------------


def refuses(client, blob, why="", code="VALUE"):
    before = client.call("stats", "objects")["objects"]["live"]
    error = client.fails(code, "load", blob)
    assert why in str(error), error
    assert client.call("stats", "objects")["objects"]["live"] == before


@test
def damage_is_told_apart(server):
    client = server.client()
    blob = client.call("dump", client.call("new", [1, "text"]))
    refuses(client, b"", "no dump")
    refuses(client, b"hello", "no dump")
    refuses(client, blob[:-1], "its head says")
    refuses(client, blob[:39], "cut off")
    refuses(client, blob[:20], "cut off")
    refuses(client, blob + b"x", "its head says")
    refuses(client, blob[:35] + b"\x00" + blob[36:], "checksum")
    refuses(client, frame(blob[32:-8], 3, 1, version=2), "version 2")
    refuses(client, blob.replace(b"\r\n", b"\n"), "no dump")


@test
def what_a_head_says_must_be_so(server):
    client = server.client()
    body = b"\x92\x01\x91\xc0" + NO_LINKS
    assert client.call("read", client.call("load", frame(body, 4, 2))) == [1, [None]]
    for objects, depth in ((0, 2), (3, 2), (5, 2), (4, 1), (4, 99), (1 << 31, 2), (4, (1 << 32) - 1)):
        refuses(client, frame(body, objects, depth))
    head = frame(body, 4, 2)[:20] + b"\x00\x00\x00\x01" + frame(body, 4, 2)[24:-8]
    refuses(client, head + checksum(head))


@test
def bodies_that_no_dump_has_are_refused(server):
    client = server.client()
    name = pack_str("C")
    a_class = pack_array(2) + KIND["class"] + name
    a_list = b"\x90"
    for objects, depth, body in (
            (1, 1, b""),
            (1, 1, b"\x91"),
            (1, 1, b"\x91\xd4\x03\x05"),                                      # no such number
            (1, 1, b"\xc1"), (1, 1, b"\xd4\x05\x00"), (1, 1, b"\xc7\x00\x03"),  # no value
            (1, 1, b"\xcf" + b"\xff" * 8),                                     # beyond 64 bits
            (1, 1, b"\xdd\xff\xff\xff\xff"), (1, 1, b"\xdf\x7f\xff\xff\xff"),  # promises
            (1, 1, b"\xdb\xff\xff\xff\xff"), (1, 1, b"\xc6\xff\xff\xff\xff"),
            (1, 1, b"\xa1\xff"),                                              # no UTF-8
            (1, 1, pack_array(1) + KIND["builtin"]),
            (1, 1, pack_array(2) + KIND["builtin"] + pack_str("no such type")),
            (1, 1, pack_array(2) + KIND["builtin"] + b"\x05"),
            (2, 2, pack_array(1) + KIND["object"]),
            (2, 2, pack_array(2) + KIND["object"] + a_list),                   # a class that is none
            (3, 2, pack_array(2) + KIND["object"] + pack_array(2) + KIND["builtin"] + pack_str("list")),
            (3, 2, pack_array(3) + KIND["object"] + a_class + pack_str("a")),  # half an attribute
            (4, 2, pack_array(6) + KIND["object"] + a_class + 2 * (pack_str("a") + b"\x01")),
            (3, 2, pack_array(4) + KIND["object"] + a_class + b"\x05\x01"),    # a name that is none
            (3, 2, pack_array(6) + KIND["class"] + name + 2 * (pack_str("a") + b"\x01")),
            (1, 1, pack_array(1) + KIND["class"]), (1, 1, pack_array(2) + KIND["class"] + b"\xa1\xff"),
            (2, 2, pack_array(2) + KIND["object"] + pack_index(0)),            # an object that is its own class
            (1, 1, pack_array(1) + KIND["weakref"]), (1, 1, pack_array(2) + KIND["weakref"] + b"\x05"),
            (1, 1, pack_array(1) + b"\xd4\x04\x63"),                           # a kind of the future
            (1, 1, b"\xd4\x04\x07"),                                          # a kind alone
            (5, 1, b"\x82\x01\x02\x01\x03"), (3, 1, b"\x82\x01\x02\xd4\x03\x01\x02"),  # keys twice
            (3, 1, pack_array(3) + KIND["set"] + b"\x01\xcb\x3f\xf0" + b"\x00" * 6),
            (3, 2, b"\x81" + a_list + b"\x01"),                                # an unhashable key
            (4, 3, b"\x81" + pack_array(2) + KIND["tuple"] + a_list + b"\x01"),
            (1, 1, pack_array(2) + KIND["tuple"] + pack_index(0)),             # tuples in themselves
            (2, 2, pack_array(2) + KIND["tuple"] + pack_array(2) + KIND["tuple"] + pack_index(0)),
            (3, 3, pack_array(3) + KIND["tuple"] + pack_array(1) + pack_array(2) + KIND["tuple"] + pack_index(0)
             + pack_index(2))):
        for links in (NO_LINKS, b"\x92\x00\x00"):
            refuses(client, frame(body + links, objects, depth))
    a_weakref = pack_array(2) + KIND["weakref"] + b"\xc2"
    for links in (b"", b"\xc0", b"\x91\x00", b"\x92\x00\x01", b"\x92\x01\x00", b"\x92\x00\x00",
                  b"\x94\x01\x00\x01\x00", b"\xdd\x80\x00\x00\x00", b"\x90\x90"):
        refuses(client, frame(b"\x91" + a_weakref + links, 2, 1) if links != b"\x92\x01\x00" else
                frame(b"\x92" + a_weakref + a_list + b"\x92\x01\x03", 3, 2))


# -- limits ------------------------------------------------------------------------------------------------------------


@test_own
def the_limits_hold_to_the_byte_and_the_object():
    with Daemon(config="limits.read = 4096\nlimits.work = 1000\n") as server:
        client = server.client()
        most = client.call("new", b"x" * (4096 - 40 - 4))
        blob = client.call("dump", most)
        assert len(blob) == 4096
        error = client.fails("LIMIT", "dump", client.call("new", b"x" * (4096 - 40 - 3)))
        assert "limits.read" in str(error)
        assert client.call("read", client.call("load", blob)) == b"x" * (4096 - 40 - 4)
        wide = client.call("new", [1] * 499)
        client.call("load", client.call("dump", wide))
        before = server.gauges(client)
        body = b"\xdc" + struct.pack(">H", 1000) + b"\x01" * 1000 + NO_LINKS
        error = client.fails("LIMIT", "load", frame(body, 1001, 1))
        assert "limits.work" in str(error)
        assert server.gauges(client) == before


@test
def a_graph_of_any_depth_goes_there_and_back(server):
    client = server.client()
    depth = 200000
    blob = frame(b"\x91" * depth + b"\xc0" + NO_LINKS, depth + 1, depth)
    made = client.call("load", blob)
    assert client.call("dump", made) == blob
    client.call("release", made)


# -- another server, and other times -----------------------------------------------------------------------------------


@test
def a_dump_loads_on_another_server(server):
    rng = random.Random(4)
    graph = Graph(rng, 60)
    root = Node("list", graph.nodes)
    client = server.client()
    blob = client.call("dump", build(client, graph.nodes + [root])[root])
    with Daemon() as other:
        there = other.client()
        made = there.call("load", blob)
        assert same(decode(there.call("dump", made)), root)
        take_apart(there, made)
        there.close()
    take_apart(client, client.call("load", blob))
    take_apart(client, client.call("get", len(graph.nodes) + 1))


def everything():
    """A graph with every kind and form of version 1; what the golden file holds."""
    point = Node("class", ["origin", atom(0)], name="Point")
    target = Node("object", [point, "x", atom(1.5), "é", atom("text")])
    linked, gone = Node("weakref"), Node("weakref")
    linked.target = target
    numbers = Node("list", [atom(value) for value in SCALARS])
    knot = Node("list")
    tuple_ = Node("tuple", [knot, atom("in a knot")])
    knot.items = [tuple_, knot]
    keys = Node("dict", [Node("tuple", [atom(1), atom("a")]), target, target, linked, atom(2.5), Node("dict")])
    own = Node("object", [Node("builtin", name="object"), "b", atom(1000), "a", Node("set", [atom(3), atom(1), point])])
    return Node("list", [numbers, knot, keys, own, linked, gone, Node("tuple"), Node("builtin", name="dict")])


@test
def the_golden_file_of_version_1_opens(server):
    path = os.path.join(os.environ.get("TOP_SRCDIR", "."), "tests/fixtures/dump-1.bin")
    with open(path, "rb") as file:
        golden = file.read()
    client = server.client()
    assert same(decode(golden), everything())
    made = client.call("load", golden)
    again = client.call("dump", made)
    assert same(decode(again), everything())
    take_apart(client, made)


run()
