"""protocol_weak.py - protocol.md: weak references, proxies and copies."""
from harness import run, test

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


# -- weak references -------------------------------------------------------------------------------------------------


@test
def a_weakref_does_not_count_and_is_cleared_by_death(server):
    client = server.client()
    bound(client, "x", [])
    weak = client.call("weakref", "x")
    assert weak.type == "weakref" and client.call("refcount", "x") == 1 and client.call("weakrefs", "x") == 1
    held = client.call("deref", weak)
    assert held.id == client.call("id", "x") and client.call("refcount", "x") == 2
    client.call("release", held)
    client.call("unbind", "x")
    assert client.call("deref", weak) is None


@test
def two_plain_weakrefs_of_one_living_object_are_the_same_object(server):
    client = server.client()
    bound(client, "x", [])
    assert client.call("is", client.call("weakref", "x"), client.call("weakref", "x"))
    assert client.call("weakrefs", "x") == 1
    assert client.call("is", client.call("proxy", "x"), client.call("proxy", "x"))
    assert client.call("weakrefs", "x") == 2


@test
def a_weakref_with_notify_is_its_own(server):
    client = server.client()
    bound(client, "x", [])
    plain, one, other = (client.call("weakref", "x", {"notify": notify}) for notify in (False, True, True))
    assert len({plain.id, one.id, other.id}) == 3 and client.call("weakrefs", "x") == 3


@test
def every_mortal_object_can_be_weakly_referred_to_and_no_immortal_one(server):
    client = server.client()
    for value in (12345, 2.5, "text", b"bytes", [], {}):
        bound(client, "x", value)
        assert client.call("deref", client.call("weakref", "x"), {"result": "handle"}).id == client.call("id", "x")
        client.call("proxy", "x")
    for value in (None, True, 7, "", b""):
        bound(client, "x", value)
        client.fails("TYPE", "weakref", "x")
        client.fails("TYPE", "weakref", "x", {"notify": True})
        client.fails("TYPE", "proxy", "x")
    client.fails("TYPE", "weakref", "list")


@test
def deref_of_a_scalar_target_is_the_scalar(server):
    client = server.client()
    assert client.call("deref", client.call("weakref", bound(client, "n", 12345))) == 12345


@test
def deref_takes_weakrefs_only(server):
    client = server.client()
    bound(client, "x", [])
    client.fails("TYPE", "deref", "x")
    client.fails("TYPE", "deref", client.call("proxy", "x"))


@test
def info_of_a_dead_weakref_tells_cause_and_time(server):
    client = server.client()
    weak = client.call("weakref", bound(client, "x", []))
    assert "cause" not in client.call("info", weak)
    client.call("unbind", "x")
    info = client.call("info", weak)
    assert info["cause"] == "count" and isinstance(info["died"], (int, float))


@test
def a_proxy_passes_call_getattr_setattr_delattr_and_read_on(server):
    client = server.client()
    obj = client.of(client.call("class", "C"), "new")
    proxy = client.call("proxy", obj)
    client.call("setattr", proxy, "a", 5)
    assert client.call("getattr", obj, "a") == client.call("getattr", proxy, "a") == 5
    client.call("delattr", proxy, "a")
    client.fails("NO_ATTR", "getattr", obj, "a")
    bound(client, "l", [1])
    proxy = client.call("proxy", "l")
    client.of(proxy, "append", 2)
    assert client.call("read", proxy) == client.call("read", "l") == [1, 2]


@test
def everything_else_is_about_the_proxy_itself(server):
    client = server.client()
    bound(client, "l", [1])
    proxy = client.call("proxy", "l")
    assert client.call("is", proxy, "l") is False and client.call("type", proxy) == "proxy"
    assert client.call("id", proxy) == proxy.id != client.call("id", "l")
    assert client.call("refcount", proxy) == 1 and client.call("info", proxy)["type"] == "proxy"
    assert client.call("weakrefs", proxy) == 0
    client.call("bind", "p", proxy)
    assert client.call("type", "p") == "proxy" and client.call("refcount", "l") == 1
    assert client.call("is", client.call("copy", proxy), proxy)
    assert client.call("is", client.call("deepcopy", proxy), proxy)
    assert client.call("type", client.call("weakref", proxy)) == "weakref" and client.call("weakrefs", proxy) == 1
    bound(client, "holder", [proxy])
    assert client.call("type", client.of("holder", "get", 0)) == "proxy"


@test
def a_living_proxy_as_argument_stands_for_its_target(server):
    client = server.client()
    bound(client, "l", [1])
    proxy = client.call("proxy", "l")
    bound(client, "outer", [[1], [2]])
    assert client.of("l", "eq", proxy) and client.of("outer", "contains", proxy)
    assert client.of("outer", "index", proxy) == 0 and client.of("outer", "count", proxy) == 1


@test
def a_proxy_has_no_hash_even_if_its_target_has_one(server):
    client = server.client()
    bound(client, "s", "text")
    proxy = client.call("proxy", "s")
    assert client.of(proxy, "len") == 4
    client.fails("TYPE", "call", proxy, "hash")
    client.call("unbind", "s")
    client.fails("DEAD", "call", proxy, "hash")


@test
def the_roundabout_way_from_a_proxy_to_the_object(server):
    client = server.client()
    bound(client, "l", [1])
    method = client.call("getattr", client.call("proxy", "l"), "append")
    assert client.call("is", client.call("getattr", method, "__self__"), "l")


@test
def a_dead_proxy_is_DEAD(server):
    client = server.client()
    obj = client.of(client.call("class", "C"), "new")
    proxy = client.call("proxy", obj)
    client.call("release", obj)
    text = client.fails("DEAD", "read", proxy)
    assert "count" in text  # the cause
    client.fails("DEAD", "call", proxy, "eq", [1])
    client.fails("DEAD", "getattr", proxy, "a")
    client.fails("DEAD", "setattr", proxy, "a", 1)
    client.fails("DEAD", "delattr", proxy, "a")
    bound(client, "l", [1])
    client.fails("DEAD", "call", "l", "contains", [proxy])
    assert client.call("type", proxy) == "proxy" and client.call("refcount", proxy) == 1


# -- copies ----------------------------------------------------------------------------------------------------------


@test
def copy_is_a_new_container_with_the_same_references(server):
    client = server.client()
    bound(client, "inner", [1])
    for value in ([{"@": "inner"}], {"k": {"@": "inner"}}):
        copy = client.call("copy", bound(client, "x", value))
        assert not client.call("is", copy, "x") and client.call("read", copy) == client.call("read", "x")
        assert client.call("refcount", "inner") == 3
        client.call("release", copy)
    for value in SCALARS:
        assert client.call("is", client.call("copy", bound(client, "x", value), {"result": "handle"}), "x")
    pair = client.of("tuple", "new", [[1]])
    assert client.call("is", client.call("copy", pair), pair)


@test
def copy_of_an_object_shares_its_attributes(server):
    client = server.client()
    obj = client.of(client.call("class", "C"), "new")
    client.call("setattr", obj, "data", [1])
    copy = client.call("copy", obj)
    assert not client.call("is", copy, obj)
    assert client.call("is", client.call("getattr", copy, "data"), client.call("getattr", obj, "data"))
    deep = client.call("deepcopy", obj)
    assert not client.call("is", client.call("getattr", deep, "data"), client.call("getattr", obj, "data"))
    assert client.call("is", client.call("getattr", deep, "__class__"), client.call("getattr", obj, "__class__"))


@test
def deepcopy_keeps_sharing_and_cycles(server):
    client = server.client()
    ring(client, "r")
    client.call("deepcopy", "r", {"into": 1})
    assert not client.call("is", 1, "r") and client.call("is", client.of(1, "get", 0), 1)
    bound(client, "shared", [1])
    client.call("deepcopy", bound(client, "x", [{"@": "shared"}, {"@": "shared"}]), {"into": 2})
    first, second = client.of(2, "get", 0), client.of(2, "get", 1)
    assert client.call("is", first, second) and not client.call("is", first, "shared")
    cut(client, "r")
    client.of(1, "clear")


@test
def deepcopy_shares_atoms(server):
    client = server.client()
    bound(client, "n", 12345)
    client.call("deepcopy", bound(client, "x", [{"@": "n"}]), {"into": 1})
    assert client.call("refcount", "n") == 3
    pair = client.of("tuple", "new", [1, "a"])
    assert client.call("is", client.call("deepcopy", pair), pair)
    weak = client.call("weakref", "n")
    assert client.call("is", client.call("deepcopy", weak), weak)


run()
