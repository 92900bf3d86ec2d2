"""protocol_errors.py - every method's errors, from api() and from a table: the right code, and nothing changed."""
import msgpack

from harness import Failure, ext_handle, ext_name, run, test_alone

GOOD = {"target": "list_", "value": 1, "binding": "fresh", "name": "len", "values": [], "handle": 1, "calls": []}
WRONG = {
    "target": (None, True, 1.5, -1, b"x", {}, [], ["a"], ["a", "b", "c"], [1, "a"], {"k": 1}, {"@": None}, {"@": 1.5},
               {"@x": 1}),
    "binding": (None, True, 1, 1.5, b"x", {}, [], ["a"], [1, "a"], ["a", 1], {"@": 5}, {"k": "v"}),
    "name": (None, True, 1, 1.5, b"x", [], ["a"], {"@": "list_"}, {"k": 1}),
    "values": (None, True, 1, 1.5, "x", b"x"),
    "handle": (None, True, 1.5, -1, "x", b"x", [1], {}, {"@": "list_"}),
    "calls": (None, True, 1, 1.5, "x", b"x", {}, {"@": "list_"}, [1], [[]], [["ping"]], [["ping", 1]], [["ping", [], 1]], [[1, []]]),
    "value": (),
}
WRONG_OPTION = {
    "result": ("all", 1, None, []), "into": (0, -1, 2 ** 31, "1", None, 1.5), "notify": (1, "yes", None),
    "deep": (1, "yes", None), "depth": (-1, "1", None, 1.5, 2 ** 53), "after": (None, 1.5, [], b"x"),
    "limit": (-1, "1", None, 1.5), "match": (1, None, b"*"), "name": (1, None), "namespace": (1, None),
    "refs": ("xml", 1), "errors": (0, "both"), "raw": (True, "x"), "events": (1, [], [1], ["m", []]),
    "classes": ("old", "", 1, None), "if": ("maybe", "", None, True, 1.5, [], b"absent"),
    "enabled": (1, None), "thresholds": (1, [1], [0, 1], [1, -1], ["a", 1]), "slice_us": (0, -1, 2000000, None),
    "glob": (1, None), "holders": (1, None), "others": (1, None), "weak": (1, None),
    "ttl": (-1, "1", None, 100000), "linger": (-1, "1", None, []), "resume": (1, None, b"x"),
    "seen": (-1, "1", None, 1.5, 0), "answered": (-1, "1", None, 1.5, 0),
}


class Room:
    """A session with one object of each sort, and what must be as before after a failed request."""

    def __init__(self, server):
        self.client = client = server.client()
        client.call("bind", "list_", [1, [2]])
        client.call("bind", "dict_", {"a": 1})
        client.call("bind", "int_", 12345)
        client.call("bind", "str_", "text")
        client.call("bind", "tuple_", client.of("tuple", "new", [1, 2]))
        client.call("bind", "set_", client.of("set", "new", [1, 2]))
        client.call("bind", "class_", client.call("class", "C"))
        client.call("bind", "object_", client.of("class_", "new"))
        client.call("setattr", "object_", "a", 5)
        client.call("bind", "method_", client.call("getattr", "list_", "append"))
        client.call("bind", "weakref_", client.call("weakref", "list_"))
        client.call("bind", "proxy_", client.call("proxy", "list_"))
        client.call("bind", "gone", [])
        client.call("bind", "dead_", client.call("proxy", "gone"))
        client.call("unbind", "gone")
        client.call("bind", "ring_", [])
        client.of("ring_", "append", {"@": "ring_"})
        client.call("bind", "huge_", 2 ** 62)
        client.call("release", *range(2 ** 31, 2 ** 31 + 20))
        client.call("new", [], {"into": 9})
        self.before = self.state()

    def state(self):
        client = self.client
        stats = client.call("stats")
        names = client.call("names")
        return {
            "live": stats["objects"]["types"], "handles": stats["sessions"]["handles"], "names": names,
            "counts": [client.call("refcount", name) for name in names],
            "weakrefs": [client.call("weakrefs", name) for name in names],
            "values": [client.call("read", name) for name in ("list_", "dict_", "tuple_", "set_", "int_", "str_")],
            "attributes": client.call("getattr", "object_", "__dict__", {"result": "value"}),
            "spaces": client.call("namespaces"),
        }

    def refuses(self, code, method, *params):
        text = self.client.fails(code, method, *params)
        now = self.state()
        assert now == self.before, (method, params, self.before, now)
        return text

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.client.of("ring_", "clear")


def good_params(row):
    return [GOOD[arg["kind"]] for arg in row["args"] if not arg["optional"] and not arg["rest"]]


@test_alone
def too_few_and_too_many_parameters_are_BAD_ARGS(server):
    with Room(server) as room:
        for name, row in room.client.call("api")["methods"].items():
            least = len(good_params(row))
            most = len(row["args"])
            if least > 0:
                assert name in room.refuses("BAD_ARGS", name, *good_params(row)[:-1])
            if not (row["args"] and row["args"][-1]["rest"]):
                filled = [GOOD[arg["kind"]] for arg in row["args"]]
                room.refuses("BAD_ARGS", name, *filled, 1)
                room.refuses("BAD_ARGS", name, *filled, {}, {})
                room.refuses("BAD_ARGS", name, *filled, *[1] * (300 - most))


@test_alone
def a_parameter_of_the_wrong_kind_is_BAD_ARGS(server):
    with Room(server) as room:
        for name, row in room.client.call("api")["methods"].items():
            for place, arg in enumerate(row["args"]):
                for wrong in WRONG[arg["kind"]]:
                    params = [GOOD[one["kind"]] for one in row["args"]]
                    params[place] = wrong
                    if wrong == {} and arg["optional"] and row["options"]:
                        continue  # no options
                    room.refuses("BAD_ARGS", name, *params)


@test_alone
def an_unknown_option_is_BAD_ARGS_that_names_it(server):
    with Room(server) as room:
        api = room.client.call("api")
        for name, row in api["methods"].items():
            if row["args"] and row["args"][-1]["rest"]:
                continue
            filled = [GOOD[arg["kind"]] for arg in row["args"]]
            text = room.refuses("BAD_ARGS", name, *filled, {"nonsense": 1})
            assert not row["options"] or "'nonsense'" in text, text
            for option in api["options"]:
                if option not in row["options"]:
                    room.refuses("BAD_ARGS", name, *filled, {option: 1})
            if row["options"]:
                for key in (1, None, b"into", [1]):
                    room.refuses("BAD_ARGS", name, *filled, {"@pairs": [[key, 1]]})


@test_alone
def an_option_of_the_wrong_kind_is_BAD_ARGS_that_names_it(server):
    with Room(server) as room:
        for name, row in room.client.call("api")["methods"].items():
            filled = [GOOD[arg["kind"]] for arg in row["args"]]
            for option in row["options"]:
                for wrong in WRONG_OPTION[option]:
                    assert option in room.refuses("BAD_ARGS", name, *filled, {option: wrong})


@test_alone
def every_target_may_be_missing(server):
    with Room(server) as room:
        for name, row in room.client.call("api")["methods"].items():
            for place, arg in enumerate(row["args"]):
                if arg["kind"] != "target":
                    continue
                for code, missing in (("NO_NAME", "nobody"), ("NO_NAME", ["session", "nobody"]),
                                      ("NO_NAME", ["nowhere", "x"]),
                                      ("NO_NAME", ext_name("nobody")), ("NO_NAME", {"@": "nobody"}), ("NO_HANDLE", 77),
                                      ("NO_HANDLE", ext_handle(77)), ("NO_HANDLE", {"@": 77}),
                                      ("NO_HANDLE", {"@": [77, 1, "list"]}), ("NO_HANDLE", 2 ** 64 - 1)):
                    params = [GOOD[one["kind"]] for one in row["args"]]
                    params[place] = missing
                    room.refuses(code, name, *params)


@test_alone
def every_value_may_be_wrong_at_any_depth(server):
    with Room(server) as room:
        bad = (("NO_NAME", {"@": "nobody"}), ("NO_HANDLE", {"@": 77}), ("OVERFLOW", 2 ** 63), ("BAD_ARGS", {"@x": 1}),
               ("BAD_ARGS", msgpack.ExtType(5, b"x")), ("TYPE", {"@pairs": [[[], 1]]}),
               ("TYPE", {"@pairs": [[{"@": "dict_"}, 1]]}))
        for name, row in room.client.call("api")["methods"].items():
            for place, arg in enumerate(row["args"]):
                if arg["kind"] not in ("value", "values"):
                    continue
                for code, wrong in bad:
                    for literal in (wrong, [1, wrong], {"k": [wrong]}, [[], {"k": {"l": wrong}}]):
                        params = [GOOD[one["kind"]] for one in row["args"]]
                        params[place] = [literal] if arg["kind"] == "values" else literal
                        room.refuses(code, name, *params)


@test_alone
def what_no_method_is_called_is_NO_METHOD(server):
    with Room(server) as room:
        for name in ("", "Ping", "ping ", "PING", "GC", "__class__", "pin", "pingg", "help", "gc_", "ping\x00"):
            room.refuses("NO_METHOD", name)
            room.refuses("NO_METHOD", name, 1, 2, 3)


TABLE = (
    ("DENIED", "bind", ["builtins", "list"], 1),
    ("DENIED", "bind", {"@": ["builtins", "x"]}, 1),
    ("DENIED", "unbind", ["builtins", "list"]),
    ("DENIED", "hello", {"namespace": "builtins"}),
    ("NO_NAME", "bind", ["nowhere", "x"], 1),
    ("NO_NAME", "unbind", "nobody"),
    ("NO_NAME", "unbind", ["nowhere", "x"]),
    ("NO_NAME", "names", "nowhere"),
    ("NO_NAME", "names", {"after": "nobody"}),
    ("BAD_ARGS", "hello", {"depth": 1}),
    ("BAD_ARGS", "hello", {"depth": 1025}),
    ("BAD_ARGS", "hello", {"namespace": "new-space", "nonsense": 1}),
    ("LIMIT", "hello", {"namespace": "new-space", "name": "x" * 100000}),
    ("HANDLE_IN_USE", "get", "list_", {"into": 9}),
    ("HANDLE_IN_USE", "hold", "list_", {"into": 9}),
    ("HANDLE_IN_USE", "new", [], {"into": 9}),
    ("HANDLE_IN_USE", "call", "list_", "clear", [], {"into": 9}),
    ("HANDLE_IN_USE", "getattr", "list_", "len", {"into": 9}),
    ("HANDLE_IN_USE", "class", "D", {"into": 9}),
    ("HANDLE_IN_USE", "weakref", "list_", {"into": 9, "notify": True}),
    ("HANDLE_IN_USE", "proxy", "list_", {"into": 9}),
    ("HANDLE_IN_USE", "deref", "weakref_", {"into": 9}),
    ("HANDLE_IN_USE", "copy", "list_", {"into": 9}),
    ("HANDLE_IN_USE", "deepcopy", "list_", {"into": 9}),
    ("CYCLE", "read", "ring_"),
    ("CYCLE", "get", "ring_", {"result": "value"}),
    ("CYCLE", "get", "ring_", {"result": "value", "into": 5}),
    ("CYCLE", "deepcopy", "ring_", {"result": "value"}),
    ("CYCLE", "copy", "ring_", {"result": "value", "into": 5}),
    ("CYCLE", "call", "ring_", "pop", [], {"result": "value"}),
    ("CYCLE", "new", [{"@": "ring_"}], {"result": "value"}),
    ("DEAD", "read", "dead_"),
    ("DEAD", "call", "dead_", "len"),
    ("DEAD", "call", "dead_", "append", [1]),
    ("DEAD", "call", "list_", "eq", [{"@": "dead_"}]),
    ("DEAD", "call", "list_", "contains", [{"@": "dead_"}]),
    ("DEAD", "call", "list_", "index", [{"@": "dead_"}]),
    ("DEAD", "call", "list_", "count", [{"@": "dead_"}]),
    ("DEAD", "getattr", "dead_", "a"),
    ("DEAD", "setattr", "dead_", "a", 1),
    ("DEAD", "delattr", "dead_", "a"),
    ("NO_ATTR", "call", "list_", "nothing"),
    ("NO_ATTR", "call", "list_", ""),
    ("NO_ATTR", "call", "object_", "nothing"),
    ("NO_ATTR", "call", "proxy_", "nothing"),
    ("NO_ATTR", "getattr", "object_", "nothing"),
    ("NO_ATTR", "getattr", "int_", "nothing"),
    ("NO_ATTR", "delattr", "object_", "nothing"),
    ("NO_ATTR", "setattr", "object_", "__class__", 1),
    ("NO_ATTR", "setattr", "object_", "__dict__", {}),
    ("NO_ATTR", "setattr", "method_", "__self__", 1),
    ("NO_ATTR", "delattr", "class_", "__name__"),
    ("TYPE", "setattr", "list_", "a", 1),
    ("TYPE", "delattr", "list_", "a"),
    ("TYPE", "setattr", "proxy_", "a", 1),
    ("TYPE", "setattr", "int", "a", 1),
    ("TYPE", "call", "object_", "a"),  # an int is not called
    ("TYPE", "call", "list_", "append"),
    ("TYPE", "call", "list_", "append", [1, 2]),
    ("TYPE", "call", "list_", "get", ["0"]),
    ("TYPE", "call", "list_", "sort"),
    ("TYPE", "call", "list_", "hash"),
    ("TYPE", "call", "proxy_", "hash"),
    ("TYPE", "call", "int_", "lt", ["x"]),
    ("TYPE", "call", "dict_", "set", [[], 1]),
    ("TYPE", "call", "dict_", "set", [{"@": "list_"}, 1]),
    ("TYPE", "call", "set_", "add", [{}]),
    ("TYPE", "call", "dict_", "update", [5]),
    ("TYPE", "call", "class_", "new", [1]),
    ("TYPE", "call", "method_", "call"),
    ("TYPE", "call", "str_", "join", [[1, "a"]]),
    ("TYPE", "call", "list_", "extend", [5]),
    ("TYPE", "weakref", "list"),
    ("TYPE", "weakref", "list", {"notify": True}),
    ("TYPE", "proxy", "list"),
    ("TYPE", "deref", "list_"),
    ("TYPE", "deref", "proxy_"),
    ("INDEX", "call", "list_", "get", [2]),
    ("INDEX", "call", "list_", "get", [-3]),
    ("INDEX", "call", "list_", "set", [2, 1]),
    ("INDEX", "call", "list_", "pop", [5]),
    ("INDEX", "call", "list_", "del", [-3]),
    ("INDEX", "call", "tuple_", "get", [2]),
    ("INDEX", "call", "str_", "get", [4]),
    ("KEY", "call", "dict_", "get_item", ["b"]),
    ("KEY", "call", "dict_", "del", ["b"]),
    ("KEY", "call", "dict_", "pop", ["b"]),
    ("KEY", "call", "set_", "remove", [3]),
    ("VALUE", "call", "list_", "remove", [7]),
    ("VALUE", "call", "list_", "index", [7]),
    ("VALUE", "call", "list_", "slice", [0, 1, 0]),
    ("VALUE", "call", "int_", "floordiv", [0]),
    ("VALUE", "call", "int_", "lshift", [-1]),
    ("VALUE", "call", "int", "new", ["x"]),
    ("VALUE", "call", "str_", "split", [""]),
    ("VALUE", "stats", "nothing"),
    ("OVERFLOW", "call", "huge_", "mul", [4]),
    ("OVERFLOW", "call", "huge_", "add", [{"@": "huge_"}]),
    ("OVERFLOW", "call", "int_", "lshift", [63]),
)


@test_alone
def each_row_of_the_table_answers_its_code_and_changes_nothing(server):
    with Room(server) as room:
        for code, method, *params in TABLE:
            room.refuses(code, method, *params)


@test_alone
def as_notifications_they_are_counted_and_change_nothing(server):
    with Room(server) as room:
        errors = room.client.call("stats", "requests")["requests"]["errors"]
        rows = [row for row in TABLE if row[0] != "CYCLE"]  # a result that goes nowhere may have one
        for code, method, *params in rows:
            room.client.notify(method, *params)
        assert room.client.is_silent()
        assert room.client.call("stats", "requests")["requests"]["errors"] == errors + len(rows)
        assert room.state() == room.before


@test_alone
def in_ext_the_errors_are_the_same(server):
    with Room(server) as room:
        room.client.hello(refs="ext")
        for code, method, *params in TABLE:
            if method == "hello":
                continue  # it would be the second
            try:
                room.client.call(method, *in_ext(params))
            except Failure as failure:
                assert failure.code == code, (failure, method, params)
            else:
                raise AssertionError((method, params))
        room.client.hello(refs="map")
        assert room.state() == room.before


def in_ext(value):
    """The same reference, as an extension type."""
    if isinstance(value, list):
        return [in_ext(element) for element in value]
    if isinstance(value, dict) and list(value) == ["@"]:
        return ext_name(value["@"])
    return value


run()
