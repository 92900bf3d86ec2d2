"""protocol_names.py - protocol.md: names, namespaces, targets, handles, and `into`."""
import random

from harness import ext_handle, ext_name, run, test, unique, wait_until

# -- bind and unbind -------------------------------------------------------------------------------------------------


@test
def bind_answers_true_and_the_name_refers_to_the_value(server):
    client = server.client()
    assert client.call("bind", "a", 12345) is True
    assert client.call("get", "a") == 12345 and client.call("refcount", "a") == 1


@test
def binding_a_reference_counts_it(server):
    client = server.client()
    client.call("bind", "a", 12345)
    client.call("bind", "b", {"@": "a"})
    assert client.call("is", "a", "b") and client.call("refcount", "a") == 2
    client.call("unbind", "a")
    assert client.call("refcount", "b") == 1
    before = client.call("stats", "objects")["objects"]["live"]
    client.call("unbind", "b")
    assert client.call("stats", "objects")["objects"]["live"] == before - 1


@test
def a_plain_str_as_value_is_a_literal_and_no_name(server):
    client = server.client()
    client.call("bind", "a", 1)
    client.call("bind", "b", "a")
    assert client.call("get", "b") == "a"


@test
def an_empty_str_is_a_good_name(server):
    client = server.client()
    client.call("bind", "", 5)
    assert client.call("get", "") == 5 and client.call("get", ["session", ""]) == 5
    assert client.call("names") == [""]
    client.call("unbind", "")


@test
def any_text_is_a_good_name(server):
    client = server.client()
    names = ["ä", "\x00", "a\nb", "x" * 70000, "😀", "a.b", "@"]
    for name in names:
        client.call("bind", name, name)
    for name in names:
        assert client.call("get", name) == name
    assert client.call("names") == names


@test
def a_name_may_be_a_NAME_or_its_map_form(server):
    client = server.client()
    for n, name in enumerate((ext_name("a"), {"@": "a"}, ext_name(["session", "a"]), {"@": ["session", "a"]},
                              ["session", "a"])):
        client.call("bind", name, n)
        assert client.call("get", "a") == n and client.call("unbind", name) is True


@test
def unbind_of_what_is_not_bound_is_NO_NAME(server):
    client = server.client()
    client.fails("NO_NAME", "unbind", "a")
    client.fails("NO_NAME", "unbind", ["global", unique("nobody")])
    client.fails("NO_NAME", "unbind", ["no such namespace", "a"])
    client.fails("NO_NAME", "unbind", "list")  # that one is bound in builtins


@test
def rebinding_drops_the_old_object_after_the_new_binding_stands(server):
    client = server.client()
    client.call("bind", "a", [1])
    weak = client.call("weakref", "a")
    client.call("bind", "a", [{"@": "a"}])  # the new one holds the old one
    assert client.call("deref", weak, {"into": 1}).type == "list"
    client.call("release", 1)
    client.call("bind", "a", 5)
    assert client.call("deref", weak) is None and client.call("get", "a") == 5


@test
def rebinding_to_the_same_object_keeps_it(server):
    client = server.client()
    client.call("bind", "a", [1])
    id = client.call("id", "a")
    assert client.call("bind", "a", {"@": "a"}) is True
    assert client.call("id", "a") == id and client.call("refcount", "a") == 1


@test
def bind_if_absent_present_or_bound_to_this_object(server):
    client = server.client()
    assert client.call("bind", "a", 1, {"if": "present"}) is False
    client.fails("NO_NAME", "get", "a")
    assert client.call("bind", "a", 1, {"if": "absent"}) is True
    assert client.call("bind", "a", 2, {"if": "absent"}) is False and client.call("get", "a") == 1
    assert client.call("bind", "a", [2], {"if": "present"}) is True
    held = client.call("get", "a")
    other = client.call("new", [2])
    assert client.call("bind", "a", 3, {"if": other}) is False and client.call("read", "a") == [2]
    for form in (held, held.handle, ext_handle(held.handle), {"@": [held.handle, held.id, held.type]}):
        assert client.call("bind", "a", held, {"if": form}) is True
    assert client.call("bind", "a", 4, {"if": held}) is True and client.call("get", "a") == 4
    assert client.call("bind", "b", 4, {"if": held}) is False  # bound to nothing
    assert client.call("refcount", held) == 1
    client.fails("NO_HANDLE", "bind", "a", 5, {"if": 99})


@test
def the_condition_of_bind_looks_where_the_name_is_to_be_bound(server):
    client = server.client()
    assert client.call("bind", "list", 1, {"if": "present"}) is False
    assert client.call("bind", "list", 1, {"if": "absent"}) is True


@test
def unbind_if_bound_to_this_object(server):
    client = server.client()
    client.call("bind", "a", [1])
    held, other = client.call("get", "a"), client.call("new", [1])
    assert client.call("unbind", "a", {"if": other}) is False and client.call("read", "a") == [1]
    assert client.call("unbind", "a", {"if": held}) is True
    client.fails("NO_NAME", "unbind", "a", {"if": held})
    client.call("bind", "a", [1])
    client.fails("BAD_ARGS", "unbind", "a", {"if": "present"})
    client.fails("BAD_ARGS", "unbind", "a", {"if": "absent"})


@test
def builtins_cannot_be_changed(server):
    client = server.client()
    client.fails("DENIED", "bind", ["builtins", "list"], 1)
    client.fails("DENIED", "bind", ["builtins", "new one"], 1)
    client.fails("DENIED", "unbind", ["builtins", "list"])
    assert client.call("type", "list") == "class"


@test
def a_bad_name_is_BAD_ARGS(server):
    client = server.client()
    for name in (None, 1, 1.5, True, b"x", {}, [], ["a"], ["a", "b", "c"], ["a", 1], [1, "a"], [["a"], "b"], {"@": 1}):
        client.fails("BAD_ARGS", "bind", name, 5)
        client.fails("BAD_ARGS", "unbind", name)
    assert client.call("names") == []


# -- looking up ------------------------------------------------------------------------------------------------------


@test
def get_of_an_unbound_name_is_NO_NAME(server):
    client = server.client()
    assert client.fails("NO_NAME", "get", "a") == "NO_NAME name 'a' is not bound"
    client.fails("NO_NAME", "get", ["global", unique("a")])
    client.fails("NO_NAME", "get", ["no such namespace", "a"])


@test
def a_name_is_looked_up_in_the_session_then_global_then_builtins(server):
    client, other = server.client(), server.client()
    name = unique("scope")
    client.call("bind", ["global", name], "global")
    assert client.call("get", name) == other.call("get", name) == "global"
    client.call("bind", name, "session")
    assert client.call("get", name) == "session" and other.call("get", name) == "global"
    for form in ({"@": name}, ext_name(name)):  # as a target, and in a literal
        assert client.call("get", form) == client.call("ping", form) == "session"
        assert other.call("get", form) == other.call("ping", form) == "global"
    assert client.call("get", ["global", name]) == "global"
    client.call("unbind", name)
    client.call("unbind", ["global", name])
    assert client.call("get", "list").type == "class"
    client.call("bind", "list", 5)
    assert client.call("get", "list") == 5 and other.call("get", "list").type == "class"
    client.call("bind", ["global", "weakset"], "global")
    assert client.call("get", "weakset") == client.call("get", {"@": "weakset"}) == "global"
    client.call("unbind", ["global", "weakset"])


@test
def a_name_with_its_namespace_is_looked_up_there_alone(server):
    client = server.client()
    client.fails("NO_NAME", "get", ["session", "list"])
    client.fails("NO_NAME", "get", ["global", "list"])
    assert client.call("get", ["builtins", "list"]).type == "class"
    client.call("bind", "x", 1)
    client.fails("NO_NAME", "get", ["global", "x"])


@test
def every_form_of_a_target(server):
    client = server.client()
    ref = client.call("new", [1])
    client.call("bind", "x", ref)
    for target in ("x", ["session", "x"], ref.handle, ext_handle(ref.handle), ext_name("x"), ext_name(["session", "x"]),
                   {"@": "x"}, {"@": ref.handle}, {"@": [ref.handle, ref.id, ref.type]}):
        assert client.call("id", target) == ref.id, target
    for target in (None, True, 1.5, -1, b"x", {}, [], ["x"], [1, "x"], ["a", "b", "c"], {"x": 1}):
        client.fails("BAD_ARGS", "id", target)


@test
def builtins_hold_the_types(server):
    client = server.client()
    names = client.call("names", "builtins")
    assert set(names) >= {"list", "tuple", "dict", "set", "object", "int", "float", "str", "bytes"}
    for name in names:
        assert client.call("type", name) == "class" and client.call("refcount", name) is None
        assert client.call("info", name)["class"] is not None


# -- names -----------------------------------------------------------------------------------------------------------


@test
def names_come_in_the_order_of_binding_and_rebinding_moves_none(server):
    client = server.client()
    for name in ("c", "a", "b"):
        client.call("bind", name, 1)
    assert client.call("names") == client.call("names", "session") == ["c", "a", "b"]
    client.call("bind", "c", 2)
    assert client.call("names") == ["c", "a", "b"]
    client.call("unbind", "c")
    client.call("bind", "c", 3)
    assert client.call("names") == ["a", "b", "c"]


@test
def names_can_be_paged(server):
    client = server.client()
    for n in range(10):
        client.call("bind", f"n{n}", n)
    assert client.call("names", {"limit": 3}) == ["n0", "n1", "n2"]
    assert client.call("names", "session", {"after": "n2", "limit": 3}) == ["n3", "n4", "n5"]
    assert client.call("names", {"after": "n9"}) == [] and client.call("names", {"limit": 0}) == []
    assert client.call("names", {"after": "n7", "limit": 100}) == ["n8", "n9"]
    client.fails("NO_NAME", "names", {"after": "gone"})


@test
def names_can_be_matched_by_a_glob(server):
    client = server.client()
    names = ["apple", "ape", "b", "a*b", "äpfel", "[x]", "", "a" * 500]
    for name in names:
        client.call("bind", name, 1)

    def matching(glob, **options):
        return client.call("names", {"match": glob, **options})

    assert matching("*") == names
    assert matching("ap*") == ["apple", "ape"] and matching("*e") == ["apple", "ape"]
    assert matching("?") == ["b"] and matching("?pfel") == ["äpfel"]
    assert matching("[a-b]*") == ["apple", "ape", "b", "a*b", "a" * 500]
    assert matching("ape") == ["ape"] and matching("") == [""] and matching("[[]x]") == ["[x]"]
    assert matching("a[*]b") == ["a*b"] and matching("zzz*") == []
    assert matching("*a" * 200 + "b") == []  # in linear time
    assert matching("*e", limit=1) == ["apple"] and matching("*", after="[x]") == ["", "a" * 500]


@test
def names_of_a_namespace_that_is_not_there_is_NO_NAME(server):
    client = server.client()
    client.fails("NO_NAME", "names", "no such namespace")
    for namespace in (1, None, b"session", ["session"]):
        client.fails("BAD_ARGS", "names", namespace)


@test
def namespaces_tell_name_size_durable_and_access(server):
    client = server.client()
    client.call("bind", "x", 1)
    rows = {row["name"]: row for row in client.call("namespaces")}
    assert rows["session"] == {"name": "session", "size": 1, "durable": False, "access": "write"}
    assert rows["builtins"]["access"] == "read" and rows["builtins"]["size"] == len(client.call("names", "builtins"))
    assert rows["global"]["access"] == "write"


@test
def hello_makes_a_shared_namespace_that_goes_when_empty_and_unused(server):
    shared = unique("space")
    one, other = server.client(namespace=shared), server.client(namespace=shared)
    one.call("bind", "x", [1])
    assert other.call("read", "x") == [1] and other.call("names") == ["x"] and one.call("names", "session") == []
    assert server.client().call("read", [shared, "x"]) == [1]
    one.call("bye")
    one.rest()
    assert other.call("read", "x") == [1]  # names in a shared namespace stay
    other.call("unbind", "x")
    other.call("bye")
    other.rest()
    client = server.client()

    def is_gone():
        return shared not in [row["name"] for row in client.call("namespaces")]

    wait_until(is_gone, "the empty namespace to go")


@test
def a_namespace_with_names_stays_when_nobody_works_in_it(server):
    shared = unique("kept")
    client = server.client(namespace=shared)
    client.call("bind", "x", 1)
    client.call("bye")
    client.rest()
    client = server.client()
    assert client.call("get", [shared, "x"]) == 1
    client.call("hello", {"namespace": shared})
    client.call("unbind", "x")


@test
def a_namespace_that_nobody_works_in_goes_with_its_last_name(server):
    shared = unique("left")
    client, other = server.client(namespace=shared), server.client()
    client.call("bind", "x", 1)
    client.call("bye")
    client.rest()
    other.call("unbind", [shared, "x"])
    wait_until(lambda: shared not in [row["name"] for row in other.call("namespaces")], "the namespace to go")


@test
def a_second_hello_may_not_change_the_namespace(server):
    shared = unique("second")
    client = server.client(refs="map")
    client.fails("BAD_ARGS", "hello", {"namespace": shared})
    client = server.client(namespace=shared)
    client.fails("BAD_ARGS", "hello", {"namespace": shared})
    client.hello(name="still fine")


@test
def nobody_works_in_builtins(server):
    server.client().fails("DENIED", "hello", {"namespace": "builtins"})


@test
def the_namespace_called_session_is_ones_own(server):
    one, other = server.client(namespace="session"), server.client()
    one.call("bind", "x", 1)
    other.fails("NO_NAME", "get", ["session", "x"])


# -- handles ---------------------------------------------------------------------------------------------------------


@test
def handles_count_up_from_two_to_the_31_and_are_never_given_again(server):
    client = server.client()
    seen = [client.call("new", []).handle for _ in range(5)]
    assert seen[0] == 2 ** 31 and seen == sorted(set(seen))
    assert client.call("release", *seen) == 5
    assert client.call("new", []).handle > seen[-1]


@test
def each_handle_is_a_count_of_its_own(server):
    client = server.client()
    client.call("bind", "x", [])
    one, other = client.call("hold", "x"), client.call("get", "x")
    assert one.handle != other.handle and one.id == other.id and client.call("refcount", "x") == 3
    assert client.call("release", one) == 1 and client.call("refcount", "x") == 2
    client.fails("NO_HANDLE", "get", one)
    assert client.call("release", one) == 0 and client.call("refcount", "x") == 2


@test
def hold_keeps_scalars_too(server):
    client = server.client()
    client.call("bind", "n", 12345)
    ref = client.call("hold", "n")
    assert ref.type == "int" and client.call("get", ref) == 12345 and client.call("refcount", "n") == 2
    assert client.call("hold", "n", {"result": "value"}) == 12345


@test
def release_counts_what_was_held_and_skips_the_rest(server):
    client = server.client()
    a, b = client.call("new", []), client.call("new", [])
    unknown = client.call("stats", "requests")["requests"]["unknown_releases"]
    assert client.call("release") == 0
    assert client.call("release", a.handle, 99, ext_handle(b.handle), a.handle, 2 ** 53 - 1, 0, 2 ** 64 - 1) == 2
    assert client.call("stats", "requests")["requests"]["unknown_releases"] >= unknown + 5


@test
def release_takes_every_form_of_a_handle(server):
    client = server.client()
    for form in (lambda ref: ref.handle, lambda ref: ext_handle(ref.handle), lambda ref: {"@": ref.handle},
                 lambda ref: {"@": [ref.handle, ref.id, ref.type]}):
        assert client.call("release", form(client.call("new", []))) == 1


@test
def release_with_a_bad_parameter_releases_nothing(server):
    client = server.client()
    ref = client.call("new", [1])
    for bad in ("x", None, -1, 1.5, [ref.handle], b"x", {}, ext_name("list")):
        client.fails("BAD_ARGS", "release", ref, bad)
    for bad in ([], [ref.handle], [ref.handle, 1], [ref.handle, 1, "list", 2], ["x", 1, "list"]):
        client.fails("BAD_ARGS", "release", {"@": bad})
        client.fails("BAD_ARGS", "release", {"@": bad}, ref)
    assert client.call("read", ref) == [1]


@test
def a_release_as_notification_releases(server):
    client = server.client()
    client.call("bind", "x", [])
    refs = [client.call("hold", "x") for _ in range(100)]
    client.notify("release", *refs)
    assert client.call("refcount", "x") == 1


@test
def an_unknown_handle_is_NO_HANDLE(server):
    client = server.client()
    for handle in (0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 53, 2 ** 64 - 1):
        client.fails("NO_HANDLE", "get", handle)
        client.fails("NO_HANDLE", "id", ext_handle(handle))


# -- into ------------------------------------------------------------------------------------------------------------


@test
def a_chain_of_requests_needs_no_waiting(server):
    client = server.client()
    client.request("new", {"k": [1, 2]}, {"into": 1})
    client.request("call", 1, "get", ["k"], {"into": 2})
    client.request("copy", 2, {"into": 3})
    client.request("bind", "x", {"@": 3})
    client.request("release", 1, 2, 3)
    last = client.request("read", "x")
    answers = [client.receive() for _ in range(6)]
    assert [answer[2] for answer in answers] == [None] * 6
    assert [answers[n][3].handle for n in range(3)] == [1, 2, 3]
    assert answers[3][3] is True and answers[4][3] == 3 and answers[5][1:] == [last, None, [1, 2]]


@test
def into_may_be_used_again_after_release(server):
    client = server.client()
    for n in range(3):
        assert client.call("new", [n], {"into": 2 ** 31 - 1}).handle == 2 ** 31 - 1
        assert client.call("read", 2 ** 31 - 1) == [n]
        assert client.call("release", 2 ** 31 - 1) == 1


@test
def into_a_handle_in_use_is_HANDLE_IN_USE_and_changes_nothing(server):
    client = server.client()
    client.call("new", [1], {"into": 7})
    client.call("bind", "x", [])
    for method, *params in (("new", [2]), ("get", "x"), ("hold", "x"), ("call", "x", "append", [5]), ("class", "C"),
                            ("getattr", "x", "len"), ("weakref", "x"), ("proxy", "x"), ("copy", "x"),
                            ("deepcopy", "x")):
        assert "7" in client.fails("HANDLE_IN_USE", method, *params, {"into": 7})
    assert client.call("read", 7) == [1] and client.call("read", "x") == []
    assert client.call("refcount", "x") == 1 and client.call("weakrefs", "x") == 0


@test
def into_out_of_range_is_BAD_ARGS(server):
    client = server.client()
    for into in (0, -1, 2 ** 31, 2 ** 53, 1.5, "7", None, True, {"@": 7}):
        client.fails("BAD_ARGS", "new", [], {"into": into})
    for into in (1, 2 ** 31 - 1):
        assert client.call("new", [], {"into": into}).handle == into


@test
def into_of_a_failed_request_stays_free(server):
    client = server.client()
    client.fails("NO_NAME", "get", "nobody", {"into": 7})
    client.fails("NO_ATTR", "getattr", "list", "nothing", {"into": 7})
    client.fails("LIMIT", "new", deep(40), {"into": 7, "result": "value"})
    assert client.call("new", [], {"into": 7}).handle == 7


def deep(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


@test
def into_is_for_producers_only(server):
    client = server.client()
    for method, *params in (("ping", 1), ("bind", "x", 1), ("names",), ("read", "list"), ("id", "list"),
                            ("refcount", "list"), ("is", "list", "list"), ("type", "list"), ("weakrefs", "list")):
        client.fails("BAD_ARGS", method, *params, {"into": 7})


# -- many names: the server looks ahead in what it has read -------------------------------------------------------------

MANY = 70000


def some_requests(rng, count):
    """Of all kinds, on few of many names and keys, so that they meet; whose answers tell no ids and make no handles."""
    def name():
        return f"name:{rng.randrange(50):06}" if rng.random() < 0.9 else f"name:{rng.randrange(2 * MANY):06}"

    def request():
        target = rng.choice(("d", "d", "d", "e", name()))
        return rng.choice((
            ("get", [name()]), ("get", [name()]), ("bind", [name(), rng.randrange(10**6)]), ("bind", [name(), name()]),
            ("unbind", [name()]), ("unbind", [name()]), ("type", [name()]), ("ping", []),
            ("call", [target, "add", [name()]]), ("call", [target, "get", [name(), -1]]),
            ("call", [target, "set", [name(), name()]]), ("call", [target, "pop", [name(), None]]),
            ("call", [target, "get", [rng.randrange(9), 7]]), ("call", [target, "len", []]), ("call", [target, "len"]),
            ("call", [target, name(), [name()]]), ("call", [name()]), ("call", []),
            ("bind", ["e", {"@": rng.choice(("d", "f", "xs", "small"))}]),
            ("call", ["xs", "append", [name()]]), ("call", ["xs", "pop", []]),
        ))

    return [request() for _ in range(count)]


def bind_many(client):
    names = [f"name:{i:06}" for i in range(MANY)]
    assert all(error is None for error, _ in client.pipeline([("bind", [name, i]) for i, name in enumerate(names)]))
    client.call("bind", "d", {name: i for i, name in enumerate(names)})
    client.call("bind", "f", {name: -i for i, name in enumerate(names)})
    client.call("bind", "e", {"@": "d"})
    client.call("bind", "small", {"name:000001": 5})
    client.call("bind", "xs", [1])


@test
def a_pipeline_among_many_names_is_answered_like_its_requests_one_by_one(server):
    rng = random.Random(4)
    together, alone = server.client(), server.client()
    bind_many(together)
    bind_many(alone)
    for _ in range(12):
        requests = some_requests(rng, rng.choice((2, 3, 16, 17, 100)))
        answers = together.pipeline(requests)
        for request, answer in zip(requests, answers):
            assert alone.response(alone.request(request[0], *request[1])) == answer, request
    assert together.call("names") == alone.call("names")
    for name in ("d", "f", "e", "xs", "small"):
        assert together.call("read", name) == alone.call("read", name)


@test
def a_target_that_is_called_again_is_looked_for_again(server):
    client, other = server.client(), server.client()
    name = unique("t")

    def count():
        return client.of(name, "len")

    client.call("bind", ["global", name], [1])
    assert count() == count() == 1
    client.call("bind", name, [1, 2])  # its own goes first
    assert count() == count() == 2
    client.call("bind", name, [1, 2, 3])
    assert count() == 3
    client.call("unbind", name)
    assert count() == count() == 1
    client.call("bind", "x", [])
    assert count() == 1  # found behind names of its own
    client.call("unbind", "x")
    other.call("unbind", ["global", name])
    client.fails("NO_NAME", "call", name, "len", [])
    client.call("bind", "y" + name, [1, 2, 3, 4])  # it may stand where the other stood
    client.fails("NO_NAME", "call", name, "len", [])
    ref = client.call("new", [1, 2, 3, 4, 5])
    client.call("bind", name, ref, {"weak": True})
    assert count() == count() == 5
    client.call("release", ref)
    client.fails("NO_NAME", "call", name, "len", [])


run()
