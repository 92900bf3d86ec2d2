#!/usr/bin/python3
"""semantics.py - docs/semantics.md, sentence by sentence: objects, what counts, copies, types and the fine print.

Deaths, weak references and proxies are in semantics_death.py; what each method of a builtin type answers is compared
with CPython in types_like_python.py.
"""
from harness import Daemon, run, test, test_own, unique

IMMORTAL = (None, True, False, -5, 0, 1, 256, "", b"")
MORTAL = (-6, 257, 1 << 62, 0.0, 1.5, "a", b"a", [], {})


def make(client, type, *args):
    return client.call("call", ["builtins", type], "new", list(args))


def count(client, target):
    return client.call("refcount", target)


# -- objects ---------------------------------------------------------------------------------------------------------


@test
def variable_size_types_hold_a_count_of_elements_and_fixed_size_types_a_value(server):
    client = server.client()
    sizes = {"str": ("añ日", 3), "bytes": (b"abc", 3), "list": ([1, 2], 2), "dict": ({"k": 1}, 1)}
    for type, (value, length) in sizes.items():
        info = client.call("info", client.call("new", value))
        assert (info["type"], info["len"]) == (type, length)
    assert client.call("info", make(client, "tuple", [1, 2]))["len"] == 2
    assert client.call("info", make(client, "set", [1, 2, 2]))["len"] == 2
    for value in (12345, 1.5, True):
        assert client.call("info", client.call("new", value))["len"] is None


@test
def containers_hold_references_and_never_copies(server):
    client = server.client()
    x = client.call("new", [1])
    holders = [client.call("new", [x]), client.call("new", {"k": x}), make(client, "tuple", [x])]
    for holder, key in zip(holders, (0, "k", 0)):
        assert client.of(holder, "get", key).id == x.id
    client.of(x, "append", 2)
    assert [client.call("read", holder) for holder in holders] == [[[1, 2]], {"k": [1, 2]}, [[1, 2]]]


@test
def an_id_is_unique_for_the_life_of_the_heap_and_never_reused(server):
    client = server.client()
    seen = []
    for _ in range(200):
        ref = client.call("new", [])
        seen.append(ref.id)
        client.call("release", ref)
    assert seen == sorted(set(seen))


@test
def nil_bools_small_ints_empty_texts_the_empty_tuple_and_builtin_types_are_immortal(server):
    client = server.client()
    immortal = [client.call("hold", client.call("new", value)) for value in IMMORTAL]
    immortal += [make(client, "tuple"), make(client, "tuple", [])]
    immortal += [["builtins", name] for name in "list tuple dict set object int float str bytes".split()]
    for target in immortal:
        assert count(client, target) is None, target
        client.fails("TYPE", "weakref", target)
    for value in MORTAL:
        assert count(client, client.call("new", value)) == 1, value


@test
def an_immortal_object_is_one_however_it_comes_about(server):
    client = server.client()
    held = {"result": "handle"}
    pairs = [(client.call("new", 5), client.call("call", client.call("new", 2), "add", [3], held)),
             (client.call("new", ""), client.call("call", client.call("new", "ab"), "slice", [1, 1], held)),
             (make(client, "tuple"), make(client, "tuple", []))]
    assert all(client.call("is", a, b) for a, b in pairs)
    assert not client.call("is", client.call("new", 257), client.call("new", 257))


@test
def binding_storing_and_passing_pass_the_reference(server):
    client = server.client()
    x = client.call("new", [])
    client.call("bind", "a", x)
    client.call("bind", "b", {"@": "a"})
    assert client.call("is", "a", "b") and client.call("is", "a", x)
    o = make(client, "object")
    client.call("setattr", o, "data", x)
    assert client.call("is", client.call("getattr", o, "data"), x)
    assert client.call("is", client.call("ping", x), x)
    xs = client.call("new", [])
    client.of(xs, "append", x)
    assert client.call("is", client.of(xs, "get", 0), x)


# -- what counts -----------------------------------------------------------------------------------------------------

COUNTED = {  # kind of holder: a function that makes one of x, and gives what to release or how to undo it
    "a strong name binding": lambda client, x: client.call("bind", "n", x) and "n",
    "a name in a shared namespace": lambda client, x: in_global(client, x),
    "a slot of a list": lambda client, x: client.call("new", [x]),
    "a slot of a tuple": lambda client, x: make(client, "tuple", [x]),
    "a value of a dict": lambda client, x: client.call("new", {"k": x}),
    "a key of a dict": lambda client, x: client.of("dict", "new", [[x, 1]]),
    "an element of a set": lambda client, x: make(client, "set", [x]),
    "an attribute": lambda client, x: with_attribute(client, x),
    "the self of a bound method": lambda client, x: client.call("getattr", x, "add"),
    "a handle": lambda client, x: client.call("hold", x),
}


def in_global(client, x):
    name = ["global", unique(f"semantics-{x.id}")]
    client.call("bind", name, x)
    return name


def with_attribute(client, x):
    o = make(client, "object")
    client.call("setattr", o, "a", x)
    return o


@test
def each_holder_counts_one_and_gives_it_back(server):
    client = server.client()
    for kind, hold in COUNTED.items():
        x = make(client, "object")
        assert count(client, x) == 1
        holder = hold(client, x)
        assert count(client, x) == 2, kind
        client.call("unbind" if isinstance(holder, (str, list)) else "release", holder)
        assert count(client, x) == 1, kind


@test
def each_slot_counts(server):
    client = server.client()
    x = client.call("new", [])
    xs = client.call("new", [x, x, x])
    assert count(client, x) == 4
    client.of(xs, "append", x)
    client.of(xs, "slice", 0, 2)
    assert count(client, x) == 7
    client.of(xs, "pop")
    client.of(xs, "del", 0)
    assert count(client, x) == 6  # pop gave a handle
    client.of(xs, "clear")
    assert count(client, x) == 4


@test
def an_instance_counts_its_class(server):
    client = server.client()
    cls = client.call("class", "X")
    instances = [client.of(cls, "new") for _ in range(3)]
    assert count(client, cls) == 4
    client.call("release", *instances)
    assert count(client, cls) == 1


@test
def weakrefs_and_proxies_are_not_counted(server):
    client = server.client()
    x = client.call("new", [])
    client.call("weakref", x)
    client.call("weakref", x, {"notify": True})
    client.call("proxy", x)
    assert count(client, x) == 1 and client.call("weakrefs", x) == 3


@test
def refcount_never_counts_the_request_that_asks(server):
    client = server.client()
    client.call("bind", "a", 12345)
    for target in ("a", {"@": "a"}, ["session", "a"]):
        assert count(client, target) == 1
    assert client.call("info", "a")["refcount"] == 1
    requests = [("refcount", ["a"])] * 50
    assert [result for _, result in client.pipeline(requests)] == [1] * 50


@test
def the_example_of_the_page(server):
    client = server.client()
    client.call("bind", "a", 12345)
    assert count(client, "a") == 1
    client.call("bind", "b", {"@": "a"})
    assert count(client, "a") == 2
    weak = client.call("weakref", "a")
    client.call("unbind", "a")
    assert count(client, "b") == 1
    client.call("unbind", "b")
    assert client.call("deref", weak) is None


@test
def counting_through_a_handle_counts_that_handle(server):
    client = server.client()
    client.call("bind", "x", [])
    handle = client.call("get", "x")
    assert count(client, handle) == count(client, "x") == 2
    client.call("release", handle)
    assert count(client, "x") == 1


# -- copies ----------------------------------------------------------------------------------------------------------


@test
def a_copy_is_a_new_container_with_the_same_references(server):
    client = server.client()
    x = make(client, "object")
    cls = client.call("class", "X")
    o = client.of(cls, "new")
    client.call("setattr", o, "a", x)
    originals = [client.call("new", [x, 1]), client.call("new", {"k": x}), client.of("dict", "new", [[x, 1]]),
                 make(client, "set", [x, 1]), o]
    for n, original in enumerate(originals, 2):
        copy = client.call("copy", original)
        assert copy.id != original.id and copy.type == original.type
        assert count(client, x) == len(originals) + n
    assert count(client, cls) == 3
    assert client.call("is", client.call("getattr", copy, "a"), x)


@test
def atoms_classes_and_tuples_are_their_own_copies(server):
    client = server.client()
    shared = [client.call("hold", client.call("new", value)) for value in (*IMMORTAL, 12345, 1.5, "text", b"bytes")]
    shared += [client.call("class", "X"), make(client, "tuple", [[]]), ["builtins", "list"]]
    for target in shared:
        assert client.call("is", client.call("copy", target, {"result": "handle"}), target), target


@test
def a_deep_copy_has_the_shape_of_the_original(server):
    client = server.client()
    x = client.call("new", [12345])
    ring = client.call("new", [x, x, {"x": x}])
    client.of(ring, "append", ring)
    pair = make(client, "tuple", [ring, x])
    copy = client.call("deepcopy", pair)
    ring2, x2 = client.of(copy, "get", 0), client.of(copy, "get", 1)
    inside = [client.of(ring2, "get", n) for n in (0, 1, 3)]
    assert [ref.id for ref in inside] == [x2.id, x2.id, ring2.id]
    assert client.of(client.of(ring2, "get", 2), "get", "x").id == x2.id
    assert not {ring.id, x.id, pair.id} & {ring2.id, x2.id, copy.id}
    for target in (ring, ring2):
        client.of(target, "clear")


@test
def a_deep_copy_shares_atoms_and_tuples_of_only_atoms(server):
    client = server.client()
    atom = client.call("hold", client.call("new", 12345))
    plain = make(client, "tuple", [atom, make(client, "tuple", ["a", atom])])
    mixed = make(client, "tuple", [[], atom])
    copy = client.call("deepcopy", client.call("new", [atom, plain, mixed]))
    same = [client.call("is", client.call("call", copy, "get", [n], {"result": "handle"}), original)
            for n, original in enumerate((atom, plain, mixed))]
    assert same == [True, True, False]
    assert client.call("is", client.call("deepcopy", plain), plain)


@test
def what_is_no_container_is_its_own_deep_copy(server):
    client = server.client()
    x = client.call("new", [])
    itself = [client.call("weakref", x), client.call("weakref", x, {"notify": True}), client.call("proxy", x),
              client.call("getattr", x, "append"), client.call("class", "X")]
    for target in itself:
        assert client.call("is", client.call("deepcopy", target), target), target
        copy = client.call("deepcopy", client.call("new", [target]))
        assert client.of(copy, "get", 0).id == target.id


@test
def a_deep_copy_of_an_instance_has_its_class_and_its_attributes_deep(server):
    client = server.client()
    cls = client.call("class", "X")
    o = client.of(cls, "new")
    client.call("setattr", o, "data", [1])
    client.call("setattr", o, "me", o)
    copy = client.call("deepcopy", o)
    assert client.call("getattr", copy, "me").id == copy.id != o.id
    assert client.call("getattr", copy, "__class__").id == cls.id
    client.of(client.call("getattr", copy, "data"), "append", 2)
    assert client.call("read", client.call("getattr", o, "data")) == [1]
    for target in (o, copy):
        client.call("delattr", target, "me")


@test
def objects_as_keys_are_found_in_the_deep_copy_by_their_copies(server):
    client = server.client()
    key = make(client, "object")
    pair = make(client, "tuple", [client.of("dict", "new", [[key, "value"]]), key])
    copy = client.call("deepcopy", pair)
    dict2, key2 = client.of(copy, "get", 0), client.of(copy, "get", 1)
    assert client.of(dict2, "get", key2) == "value" and client.of(dict2, "get", key) is None


@test
def a_copy_is_taken_at_one_instant(server):
    client, writer = server.client(), server.client()
    name = ["global", unique("at-one-instant")]
    up = list(range(500))
    client.call("bind", name, up)
    for _ in range(5):
        writing = [writer.request("call", name, "reverse", []) for _ in range(50)]
        copies = [client.request("deepcopy", name) for _ in range(20)]
        for copy in [client.answer(request) for request in copies]:
            assert client.call("read", copy) in (up, up[::-1])
            client.call("release", copy)
        assert [writer.answer(request) for request in writing] == [None] * 50
    client.call("unbind", name)


@test_own
def the_number_of_objects_is_a_limit_of_a_copy_and_beyond_it_nothing_is_made():
    with Daemon(config={"limits.work": 1000}) as server:
        client = server.client()
        parts = [client.call("new", [[] for _ in range(300)]) for _ in range(4)]
        for method, original in (("deepcopy", client.call("new", parts)), ("copy", long_list(client, 1001))):
            before = server.gauges(client)
            client.fails("LIMIT", method, original)
            assert server.gauges(client) == before


def long_list(client, length):
    xs = client.call("new", [])
    for at in range(0, length, 200):
        client.of(xs, "extend", list(range(min(200, length - at))))
    return xs


# -- types and their methods -----------------------------------------------------------------------------------------


@test
def results_that_are_new_containers_are_lists(server):
    client = server.client()
    d, t, s = client.call("new", {"a": 1}), make(client, "tuple", [1, 2]), make(client, "set", [1])
    made = [client.of(d, name) for name in ("keys", "values", "items", "popitem")]
    made += [client.of(t, "slice", 0, 1), client.of(s, "items"), client.of(client.call("new", "a b"), "split")]
    assert {ref.type for ref in made} == {"list"}
    assert client.of(client.of(client.call("new", {"k": 1}), "items"), "get", 0).type == "list"
    assert client.of(s, "union", [2]).type == "set"


@test
def dicts_and_sets_are_iterated_in_order_of_insertion(server):
    client = server.client()
    keys = [f"key {n * 7919 % 1000}" for n in range(300)]
    d, s = client.call("new", {}), make(client, "set")
    for key in keys:
        client.of(d, "set", key, None)
        client.of(s, "add", key)
    for key in keys[::3]:
        client.of(d, "del", key)
        client.of(s, "remove", key)
    client.of(d, "set", keys[1], "again")
    client.of(d, "set", keys[0], None)
    client.of(s, "add", keys[0])
    expected = [key for n, key in enumerate(keys) if n % 3] + [keys[0]]
    assert list(client.call("read", d)) == client.call("read", client.of(s, "items")) == expected


@test
def containers_are_equal_by_value_and_objects_by_identity(server):
    client = server.client()
    for type, args in (("list", [[1, [2]]]), ("tuple", [[1, 2]]), ("dict", [{"k": [1]}]), ("set", [[1, 2]])):
        assert client.of(make(client, type, *args), "eq", make(client, type, *args)) is True
    o, same = make(client, "object"), make(client, "object")
    assert client.of(o, "eq", o) is True and client.of(o, "eq", same) is False
    assert client.of(client.call("new", [o]), "eq", [same]) is False


@test
def cyclic_structures_are_compared_and_printed_and_nothing_hangs(server):
    client = server.client()
    a, b, d = client.call("new", [1]), client.call("new", [1]), client.call("new", {})
    client.of(a, "append", a)
    client.of(b, "append", b)
    client.of(d, "set", "me", d)
    assert client.of(a, "repr") == "[1, [...]]" and client.of(d, "repr") == "{'me': {...}}"
    assert client.of(a, "eq", a) is True
    client.fails("LIMIT", "call", a, "eq", [b])  # RecursionError in Python
    for target in (a, b, d):
        client.of(target, "clear")


@test
def a_counter_is_a_key_or_an_attribute_that_is_added_to(server):
    client = server.client()
    d, o = client.call("new", {"n": 40}), make(client, "object")
    assert [client.of(d, "add", "n", 2), client.of(d, "add", "new"), client.of(d, "add", "new", 2.5)] == [42, 1, 3.5]
    assert [client.of(o, "add", "n", 300), client.of(o, "add", "n"), client.call("getattr", o, "n")] == [300, 301, 301]
    client.of(d, "set", "text", "t")
    client.fails("TYPE", "call", d, "add", ["text"])
    client.of(d, "set", "big", (1 << 63) - 1)
    client.fails("OVERFLOW", "call", d, "add", ["big"])
    assert client.of(d, "get", "big") == (1 << 63) - 1


# -- fine print ------------------------------------------------------------------------------------------------------


@test
def keys_are_one_if_they_are_equal_and_NaN_is_found_only_by_identity(server):
    client = server.client()
    d = client.call("new", {})
    for n, key in enumerate((1, 1.0, True)):
        client.of(d, "set", key, n)
    assert client.of(d, "items").type == "list" and client.of(d, "len") == 1
    assert client.call("read", client.of(d, "keys")) == [1] and client.of(d, "get", True) == 2
    nan = client.call("new", float("nan"))
    client.of(d, "set", nan, "NaN")
    assert client.of(d, "get", nan) == "NaN" and client.of(d, "get", float("nan")) is None
    client.of(d, "set", make(client, "tuple", [1, "a"]), "tuple")
    assert client.of(d, "get", make(client, "tuple", [True, "a"])) == "tuple"
    client.fails("TYPE", "call", d, "set", [make(client, "tuple", [[]]), 1])


@test
def get_of_a_missing_key_is_nil_or_the_default_and_get_item_is_KEY(server):
    client = server.client()
    d = client.call("new", {"k": 1})
    assert [client.of(d, "get", "k"), client.of(d, "get", "x"), client.of(d, "get", "x", 7)] == [1, None, 7]
    assert client.of(d, "get_item", "k") == 1
    client.fails("KEY", "call", d, "get_item", ["x"])


@test
def repr_is_Pythons_without_addresses(server):
    client = server.client()
    values = [None, True, 1, 1.0, 1e22, "it's", 'a "b"', b"\x00'", [], [1, "a"], {"k": (None)}, {1: [2]}]
    for value in values:
        assert client.of(client.call("new", value), "repr") == repr(value)
    assert client.of(make(client, "tuple", [1]), "repr") == "(1,)" and client.of(make(client, "set"), "repr") == "set()"
    x = client.of(client.call("class", "X"), "new")
    assert client.of(x, "repr") == f"<X object #{x.id}>"
    for target in (client.call("class", "Y"), client.call("getattr", x, "eq"), client.call("weakref", x)):
        text = client.of(target, "repr")
        assert text.startswith("<") and text.endswith(">") and "0x" not in text


@test
def type_of_an_instance_is_object_and_its_class_is_in_info(server):
    client = server.client()
    x = client.of(client.call("class", "Point"), "new")
    assert client.call("type", x) == "object" and client.call("info", x)["class"] == "Point"
    assert client.call("info", client.call("new", 300))["class"] == "int"


@test
def special_attributes_are_read_only_and_every_other_name_is_plain_data(server):
    client = server.client()
    cls = client.call("class", "X")
    x = client.of(cls, "new")
    client.call("setattr", x, "a", 1)
    method = client.call("getattr", x, "add")
    assert client.call("getattr", method, "__self__").id == x.id and client.call("getattr", method, "__name__") == "add"
    assert client.call("getattr", x, "__class__").id == cls.id
    attributes = client.call("getattr", x, "__dict__")
    client.of(attributes, "set", "b", 2)
    assert client.call("read", client.call("getattr", x, "__dict__")) == {"a": 1}
    for name in ("__class__", "__dict__", "__self__", "__name__"):
        client.fails("NO_ATTR", "setattr", x, name, 1)
        client.fails("NO_ATTR", "delattr", x, name)
    for name in ("__init__", "__eq__", "", "__doc__", "new"):
        client.call("setattr", x, name, 7)
        assert client.call("getattr", x, name) == 7


run()
