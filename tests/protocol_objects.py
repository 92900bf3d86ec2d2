"""protocol_objects.py - protocol.md: making, reading, calling; attributes and classes; what is known of objects."""
from harness import Ref, ext_name, run, test

SCALARS = (None, True, 7, 12345, 2.5, "text", b"bytes")


def bound(client, name, value):
    client.call("bind", name, value)
    return name


def ring(client, name):
    """A list that contains itself."""
    bound(client, name, [])
    client.of(name, "append", {"@": name})
    return name


def cut(client, name):
    client.of(name, "clear")


# -- ping, new, read -------------------------------------------------------------------------------------------------


@test
def ping_without_a_parameter_answers_nil(server):
    client = server.client()
    assert client.call("ping") is None
    client.fails("BAD_ARGS", "ping", 1, 2)


@test
def ping_with_a_reference_answers_by_the_result_rule(server):
    client = server.client()
    bound(client, "x", [])
    assert client.call("ping", {"@": "x"}).id == client.call("id", "x")
    assert client.call("ping", ext_name(bound(client, "n", 12345))) == 12345


@test
def new_makes_an_anonymous_object_held_once(server):
    client = server.client()
    ref = client.call("new", [1, 2])
    assert ref.type == "list" and client.call("refcount", ref) == 1 and client.call("read", ref) == [1, 2]
    for value in SCALARS:
        assert isinstance(client.call("new", value), Ref)


@test
def new_of_a_reference_is_another_handle_of_that_object(server):
    client = server.client()
    one = client.call("new", [])
    other = client.call("new", one)
    assert one.id == other.id and one.handle != other.handle


@test
def read_copies_the_whole_value_out(server):
    client = server.client()
    value = {"list": [1, [2, [3]]], "dict": {"k": {}}, "nil": None, "bin": b"\x00", "float": 0.5}
    assert client.call("read", bound(client, "x", value)) == value
    before = client.call("stats", "sessions")["sessions"]["handles"]
    client.call("read", "x")
    assert client.call("stats", "sessions")["sessions"]["handles"] == before


@test
def read_gives_a_tuple_as_an_array_and_a_set_in_its_order(server):
    client = server.client()
    assert client.call("read", client.of("tuple", "new", [1, [2]])) == [1, [2]]
    assert client.call("read", client.of("set", "new", [3, 1, 2, 1])) == [3, 1, 2]


@test
def read_gives_what_has_no_literal_form_as_HANDLE(server):
    client = server.client()
    cls = client.call("class", "C")
    obj = client.of(cls, "new")
    method = client.call("getattr", bound(client, "l", []), "append")
    weak, proxy = client.call("weakref", obj), client.call("proxy", obj)
    got = client.call("read", bound(client, "x", [cls, obj, method, weak, proxy]))
    assert [ref.type for ref in got] == ["class", "object", "method", "weakref", "proxy"]
    assert client.call("id", got[1]) == obj.id and client.call("release", *got) == 5


@test
def read_of_a_cycle_is_CYCLE_and_opens_no_handles(server):
    client = server.client()
    ring(client, "r")
    client.call("bind", "x", [client.call("class", "C"), {"@": "r"}])
    before = client.call("stats", "sessions")["sessions"]["handles"]
    client.fails("CYCLE", "read", "r")
    client.fails("CYCLE", "read", "x")
    client.fails("CYCLE", "get", "x", {"result": "value"})
    assert client.call("stats", "sessions")["sessions"]["handles"] == before
    bound(client, "shared", [1])
    assert client.call("read", bound(client, "twice", [{"@": "shared"}, {"@": "shared"}])) == [[1], [1]]  # no cycle
    assert client.call("read", "r", {"depth": 1})[0].type == "list"
    cut(client, "r")


@test
def read_of_a_scalar_is_the_scalar(server):
    client = server.client()
    for value in SCALARS:
        assert client.call("read", bound(client, "x", value)) == value


# -- call ------------------------------------------------------------------------------------------------------------


@test
def call_runs_a_method_and_answers_its_result(server):
    client = server.client()
    bound(client, "x", [1])
    assert client.call("call", "x", "append", [2]) is None
    assert client.call("call", "x", "len") == client.call("call", "x", "len", []) == 2
    assert client.call("call", "x", "len", {"result": "handle"}).type == "int"
    assert client.call("call", "x", "get", [1], {"into": 5}).handle == 5


@test
def errors_of_a_method_are_those_of_Python(server):
    client = server.client()
    bound(client, "l", [1, 2])
    bound(client, "d", {"a": 1})
    client.fails("NO_ATTR", "call", "l", "frobnicate")
    client.fails("TYPE", "call", "l", "append")  # wrong number of arguments
    client.fails("TYPE", "call", "l", "append", [1, 2])
    client.fails("INDEX", "call", "l", "get", [2])
    client.fails("INDEX", "call", "l", "get", [-3])
    client.fails("TYPE", "call", "l", "get", ["0"])
    client.fails("VALUE", "call", "l", "index", [7])
    client.fails("KEY", "call", "d", "get_item", ["b"])
    client.fails("TYPE", "call", "d", "get", [[]])
    client.fails("OVERFLOW", "call", bound(client, "n", 2 ** 62), "mul", [4])
    client.fails("VALUE", "call", "n", "floordiv", [0])
    client.fails("TYPE", "call", "n", "add", ["1"])
    assert client.call("read", "l") == [1, 2] and client.call("read", "d") == {"a": 1}


@test
def parameters_of_call_that_are_wrong_are_BAD_ARGS(server):
    client = server.client()
    bound(client, "x", [])
    for params in ((), ("x",), ("x", 5), ("x", None), ("x", b"len"), ("x", "len", 1), ("x", "len", "no"),
                   ("x", "len", [], 5), ("x", "len", [], {}, {}), ("x", "len", [], {"what": 1}), ("x", "len", None)):
        client.fails("BAD_ARGS", "call", *params)


@test
def arguments_of_call_may_be_references(server):
    client = server.client()
    bound(client, "x", [])
    bound(client, "y", [1])
    client.of("x", "append", {"@": "y"})
    assert client.call("refcount", "y") == 2
    assert client.call("is", client.of("x", "get", 0), "y")


@test
def the_method_may_be_a_reference_to_a_str(server):
    client = server.client()
    bound(client, "m", "len")
    assert client.call("call", bound(client, "x", [1, 2]), {"@": "m"}) == 2
    client.fails("BAD_ARGS", "call", "x", {"@": "x"})


@test
def a_method_whose_result_cannot_be_sent_changes_nothing(server):
    client = server.client()
    ring(client, "r")
    bound(client, "x", [{"@": "r"}])
    client.fails("CYCLE", "call", "x", "pop", [], {"result": "value"})
    assert client.of("x", "len") == 1
    bound(client, "d", {"k": {"@": "r"}})
    for method, args in (("pop", ["k"]), ("popitem", []), ("setdefault", ["k"])):
        client.fails("CYCLE", "call", "d", method, args, {"result": "value"})
    assert client.of("d", "len") == 1
    cut(client, "r")


# -- attributes and classes ------------------------------------------------------------------------------------------


@test
def an_object_has_attributes(server):
    client = server.client()
    client.call("class", "Point", {"into": 1})
    client.call("call", 1, "new", [], {"into": 2})
    assert client.call("setattr", 2, "x", 5) is True
    assert client.call("getattr", 2, "x") == 5
    assert client.call("setattr", 2, "x", [1]) is True
    assert client.call("getattr", 2, "x").type == "list"
    assert client.call("delattr", 2, "x") is True
    client.fails("NO_ATTR", "getattr", 2, "x")
    client.fails("NO_ATTR", "delattr", 2, "x")


@test
def an_attribute_counts(server):
    client = server.client()
    obj = client.of(client.call("class", "C"), "new")
    bound(client, "x", [])
    client.call("setattr", obj, "a", {"@": "x"})
    client.call("setattr", obj, "b", {"@": "x"})
    assert client.call("refcount", "x") == 3
    client.call("delattr", obj, "a")
    client.call("release", obj)
    assert client.call("refcount", "x") == 1


@test
def an_empty_str_is_a_good_attribute(server):
    client = server.client()
    obj = client.of(client.call("class", ""), "new")
    client.call("setattr", obj, "", 5)
    assert client.call("getattr", obj, "") == 5


@test
def every_other_attribute_name_is_plain_data(server):
    client = server.client()
    obj = client.of(client.call("class", "C"), "new")
    for name in ("__init__", "__getattr__", "__call__", "__eq__", "__del__", "__copy", "eq", "ä", "a" * 1000):
        client.call("setattr", obj, name, name)
        assert client.call("getattr", obj, name) == name


@test
def getattr_of_a_method_gives_a_bound_method(server):
    client = server.client()
    bound(client, "x", [1])
    method = client.call("getattr", "x", "append")
    assert method.type == "method" and client.call("refcount", "x") == 2
    client.of(method, "call", 2)
    client.of(method, "__call__", 3)
    assert client.call("read", "x") == [1, 2, 3]
    assert client.call("is", client.call("getattr", method, "__self__"), "x")
    assert client.call("getattr", method, "__name__") == "append"
    client.call("release", method)
    client.fails("TYPE", "call", client.call("getattr", "x", "append"), "call", [])


@test
def special_attributes_are_read_only(server):
    client = server.client()
    cls = client.call("class", "C")
    obj = client.of(cls, "new")
    client.call("setattr", obj, "a", 1)
    assert client.call("is", client.call("getattr", obj, "__class__"), cls)
    assert client.call("read", client.call("getattr", obj, "__dict__")) == {"a": 1}
    assert client.call("is", client.call("getattr", bound(client, "l", []), "__class__"), "list")
    assert client.call("getattr", cls, "__name__") == "C" and client.call("getattr", "list", "__name__") == "list"
    for name in ("__class__", "__dict__", "__self__", "__name__"):
        client.fails("NO_ATTR", "setattr", obj, name, 1)
        client.fails("NO_ATTR", "delattr", obj, name)
        client.fails("NO_ATTR", "setattr", "l", name, 1)
    client.fails("NO_ATTR", "getattr", "l", "__dict__")
    client.fails("NO_ATTR", "getattr", obj, "__self__")


@test
def dict_of_an_object_is_a_new_dict(server):
    client = server.client()
    obj = client.of(client.call("class", "C"), "new")
    copy = client.call("getattr", obj, "__dict__")
    client.of(copy, "set", "a", 1)
    client.fails("NO_ATTR", "getattr", obj, "a")


@test
def what_has_no_attributes_refuses_them(server):
    client = server.client()
    for value in ([], {}, 12345, "s"):
        client.fails("TYPE", "setattr", bound(client, "x", value), "a", 1)
        client.fails("TYPE", "delattr", "x", "a")
        client.fails("NO_ATTR", "getattr", "x", "a")
    client.fails("TYPE", "setattr", "list", "a", 1)


@test
def a_class_makes_instances_that_hold_it(server):
    client = server.client()
    cls = client.call("class", "C")
    assert cls.type == "class" and client.call("refcount", cls) == 1
    obj = client.of(cls, "new")
    assert client.call("refcount", cls) == 2 and client.call("type", obj) == "object"
    assert client.call("info", obj)["class"] == "C"
    client.fails("TYPE", "call", cls, "new", [1])
    client.call("release", obj)
    assert client.call("refcount", cls) == 1


@test
def two_classes_of_one_name_are_two(server):
    client = server.client()
    assert not client.call("is", client.call("class", "C"), client.call("class", "C"))


@test
def class_has_no_further_options(server):
    client = server.client()
    client.fails("BAD_ARGS", "class", "C", {"methods": {}})
    client.fails("BAD_ARGS", "class")
    client.fails("BAD_ARGS", "class", 5)


@test
def builtin_classes_make_values(server):
    client = server.client()
    assert client.call("read", client.of("list", "new", {"@": client.of("tuple", "new", [1, 2]).handle})) == [1, 2]
    assert client.call("type", client.of("set", "new", [1, 2])) == "set"
    assert client.call("read", client.of("dict", "new", [["a", 1]])) == {"a": 1}
    assert client.call("type", client.of("object", "new")) == "object"
    assert client.of("int", "new", "12") == 12 and client.of("float", "new", 1) == 1.0
    assert client.of("str", "new", 5) == "5" and client.of("bytes", "new", [1, 2]) == b"\x01\x02"


# -- identity --------------------------------------------------------------------------------------------------------


@test
def is_takes_two_targets(server):
    client = server.client()
    bound(client, "a", [])
    bound(client, "b", {"@": "a"})
    assert client.call("is", "a", "b") is True
    assert client.call("is", "a", bound(client, "c", [])) is False
    client.fails("BAD_ARGS", "is", "a")
    client.fails("BAD_ARGS", "is", "a", "b", "c")


@test
def ids_are_never_reused(server):
    client = server.client()
    seen = set()
    for _ in range(200):
        ref = client.call("new", [])
        assert ref.id == client.call("id", ref) and ref.id not in seen
        seen.add(ref.id)
        client.call("release", ref)


@test
def type_names_the_type(server):
    client = server.client()
    for value, name in ((None, "nil"), (True, "bool"), (7, "int"), (1.5, "float"), ("s", "str"), (b"b", "bytes"),
                        ([], "list"),
                        ({}, "dict")):
        assert client.call("type", bound(client, "x", value)) == name


# -- what is known ---------------------------------------------------------------------------------------------------


@test
def refcount_does_not_count_the_request_itself(server):
    client = server.client()
    bound(client, "a", 12345)
    assert client.call("refcount", "a") == client.call("refcount", ["session", "a"]) == 1
    handle = client.call("hold", "a")
    assert client.call("refcount", handle) == client.call("refcount", {"@": handle.handle}) == 2  # the handle counts


@test
def info_tells_what_is_listed(server):
    client = server.client()
    bound(client, "x", [1, 2, 3])
    client.call("weakref", "x")
    info = client.call("info", "x")
    assert info == {"id": client.call("id", "x"), "type": "list", "class": "list", "refcount": 1, "weakrefs": 1,
                    "bytes": client.call("sizeof", "x"), "len": 3, "tracked": True}
    info = client.call("info", bound(client, "n", 7))
    assert info["refcount"] is None and info["len"] is None and info["tracked"] is False


@test
def sizeof_deep_counts_all_that_only_it_keeps_alive(server):
    client = server.client()
    bound(client, "x", [[12345], [12345]])
    own, deep = client.call("sizeof", "x"), client.call("sizeof", "x", {"deep": True})
    inner = client.of("x", "get", 0)
    part = client.call("sizeof", inner, {"deep": True})
    assert 0 < own < deep and client.call("sizeof", "x", {"deep": True}) == deep - part  # the handle holds a part
    client.call("release", inner)
    assert client.call("sizeof", "x", {"deep": True}) == deep


@test
def an_int_takes_24_bytes_at_most_and_an_empty_list_56(server):
    client = server.client()
    assert client.call("sizeof", bound(client, "n", 12345)) == 16
    assert client.call("sizeof", bound(client, "m", 1 << 62)) == 24
    assert client.call("sizeof", bound(client, "l", [])) <= 56


@test
def referents_are_the_objects_it_refers_to_in_order(server):
    client = server.client()
    bound(client, "x", [1, "a", [2]])
    one, text, inner = client.call("referents", "x")
    assert (one, text, inner.type) == (1, "a", "list")
    assert client.call("referents", "x", {"limit": 1}) == [1]
    assert client.call("referents", "x", {"after": 1, "limit": 1}) == ["a"]
    assert client.call("referents", "x", {"after": 99}) == []
    assert client.call("referents", bound(client, "d", {"k": 1})) == ["k", 1]
    assert client.call("referents", bound(client, "n", 5)) == []


@test
def a_weakref_refers_to_nothing(server):
    client = server.client()
    bound(client, "x", [1])
    assert client.call("referents", client.call("weakref", "x")) == []
    obj = client.of(client.call("class", "C"), "new")
    client.call("setattr", obj, "a", 5)
    kinds = client.call("referents", obj)
    assert 5 in kinds and any(isinstance(ref, Ref) and ref.type == "class" for ref in kinds)
    (self,) = client.call("referents", client.call("getattr", "x", "append"))
    assert client.call("is", self, "x")


# -- server ----------------------------------------------------------------------------------------------------------


@test
def api_describes_every_method_option_error_event_and_type(server):
    client = server.client()
    api = client.call("api")
    assert set(api) >= {"methods", "options", "errors", "events", "types"}
    assert set(api["methods"]) >= set("hello ping bye bind unbind get hold release names namespaces new read call "
                                      "getattr setattr delattr class is id type weakref proxy deref weakrefs copy "
                                      "deepcopy refcount info sizeof referents api stats".split())
    assert set(api["events"]) >= {"dead", "bye"} and "NO_NAME" in api["errors"]
    assert set(api["types"]) >= {"nil", "list", "object", "weakref"}
    for name, method in api["methods"].items():
        code = client.response(client.request(name, *[None] * 20))[0] if name not in ("release",) else "BAD_ARGS x"
        assert code.startswith("BAD_ARGS "), (name, code)


@test
def stats_has_its_sections_and_one_alone_comes_under_its_name(server):
    client = server.client()
    stats = client.call("stats")
    assert set(stats) >= {"server", "objects", "sessions", "memory", "gc", "requests", "events"}
    assert stats["objects"]["live"] > 0 and stats["sessions"]["active"] >= 1 and stats["memory"]["bytes"] > 0
    for section in stats:
        alone = client.call("stats", section)
        assert list(alone) == [section] and set(alone[section]) == set(stats[section])
    client.fails("VALUE", "stats", "nothing")
    client.fails("BAD_ARGS", "stats", 5)


KEYS = ["", "k", "key", "0123456", "01234567", "k" * 16, "k" * 17, "k" * 31, "k" * 32, "k" * 200, "a\0b", "\u00fc",
        "\u00fc" * 15, "true", "1"]


@test
def a_str_by_which_a_method_of_dict_looks_up_is_a_key_like_others(server):
    client = server.client()
    bound(client, "d", {})
    model = {}
    for turn in range(3):
        for key in KEYS:
            assert client.of("d", "has", key) == client.of("d", "contains", key) == (key in model)
            model[key] = model.get(key, 0) + turn + 1
            assert client.of("d", "add", key, turn + 1) == model[key]
            assert client.of("d", "get", key) == client.of("d", "get_item", key) == model[key]
    assert client.call("read", "d") == model
    for key in KEYS[::2]:
        client.of("d", "del", key)
        del model[key]
        assert client.of("d", "get", key, "none") == "none"
        client.fails("KEY", "call", "d", "get_item", [key])
        client.of("d", "set", key, key)
        model[key] = key
    assert list(client.call("read", "d").items()) == list(model.items())


@test
def a_str_by_which_other_methods_look_up_too(server):
    client = server.client()
    client.call("bind", "s", client.call("call", "set", "new", []))
    for key in KEYS:
        assert client.of("s", "has", key) is False
        client.of("s", "add", key)
        client.of("s", "add", key)
        assert client.of("s", "contains", key) is True
    assert client.of("s", "len") == len(KEYS)
    client.of("s", "discard", KEYS[1])
    client.of("s", "remove", KEYS[2])
    assert sorted(client.call("call", "s", "items", [], {"result": "value"})) == sorted(KEYS[:1] + KEYS[3:])


run()
