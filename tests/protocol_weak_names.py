"""protocol_weak_names.py - protocol.md and semantics.md: weak bindings."""
from harness import Daemon, run, test, test_own, unique


def told(client):
    client.call("ping")
    events, client.events = client.events, []
    return [(name, params[1:]) for name, params in events]


@test
def a_weak_binding_does_not_count_and_goes_with_its_object(server):
    client = server.client()
    x = client.call("new", [1])
    assert client.call("bind", "w", x, {"weak": True}) is True
    assert client.call("refcount", x) == 1 and client.call("weakrefs", x) == 0
    got = client.call("get", "w")
    assert got.id == x.id and client.call("refcount", x) == 2
    client.call("release", x)
    assert client.call("names") == ["w"]
    client.call("release", got)
    assert client.call("names") == []
    client.fails("NO_NAME", "get", "w")
    client.fails("NO_NAME", "unbind", "w")


@test
def weak_false_is_an_ordinary_binding(server):
    client = server.client()
    assert client.call("bind", "a", [1], {"weak": False}) is True
    assert client.call("read", "a") == [1]


@test
def a_weak_binding_of_an_immortal_is_a_type_error_and_changes_nothing(server):
    client = server.client()
    client.call("bind", "a", 12345)
    for immortal in (None, True, 5, "", b""):
        client.fails("TYPE", "bind", "a", immortal, {"weak": True})
        client.fails("TYPE", "bind", "b", immortal, {"weak": True})
    assert client.call("get", "a") == 12345 and client.call("names") == ["a"]


@test
def of_a_fresh_literal_it_is_true_and_bound_and_expired_are_told(server):
    client = server.client()
    client.call("watch", "w")
    assert client.call("bind", "w", [1], {"weak": True}) is True
    (_, bound), (_, expired) = told(client)
    assert bound[:3] == ["session", "w", "bound"] and expired == ["session", "w", "expired", bound[3]]
    assert client.call("names") == []


@test
def watchers_are_told_expired_before_the_dead_frame_of_the_step_and_before_the_response(server):
    client, other = server.client(), server.client()
    name = unique("w")
    x = client.call("new", [])
    client.call("bind", ["global", name], x, {"weak": True})
    weak = client.call("weakref", x, {"notify": True})
    for watcher in (client, other):
        watcher.call("watch", ["global", name])
    client.send(client.encode([0, 900, "release", [x]]))
    assert client.receive()[1:] == ["name", [1, "global", name, "expired", x.id]]
    assert client.receive()[1:] == ["dead", [2, "count", [weak.handle]]]
    assert client.receive() == [1, 900, None, 1]
    assert told(other) == [("name", ["global", name, "expired", x.id])]


@test
def rebinding_strongly_or_weakly_keeps_the_place_and_counts_as_it_says(server):
    client = server.client()
    x, y = client.call("new", [1]), client.call("new", [2])
    client.call("bind", "a", x, {"weak": True})
    client.call("bind", "b", y)
    client.call("bind", "a", x)
    assert client.call("refcount", x) == 2
    client.call("bind", "a", y, {"weak": True})
    assert client.call("refcount", x) == 1 and client.call("refcount", y) == 2
    assert client.call("names") == ["a", "b"] and client.call("get", "a").id == y.id
    client.call("bind", "b", y, {"weak": True})
    assert client.call("refcount", y) == 2  # its handle, and that of the get
    client.call("unbind", "a")
    assert client.call("names") == ["b"]


@test
def making_the_only_reference_weak_drops_the_object(server):
    client = server.client()
    client.call("bind", "a", [1])
    assert client.call("bind", "a", {"@": "a"}, {"weak": True}) is True
    assert client.call("names") == []


@test
def a_name_that_expired_and_is_bound_again_stands_last(server):
    client = server.client()
    x = client.call("new", [])
    client.call("bind", "a", x, {"weak": True})
    client.call("bind", "b", 1)
    client.call("release", x)
    client.call("bind", "a", 2)
    assert client.call("names") == ["b", "a"]


@test
def conditions_see_what_a_weak_name_is_bound_to(server):
    client = server.client()
    x, y = client.call("new", []), client.call("new", [])
    assert client.call("bind", "a", x, {"weak": True, "if": "absent"}) is True
    assert client.call("bind", "a", y, {"weak": True, "if": "absent"}) is False
    assert client.call("bind", "a", y, {"weak": True, "if": x}) is True
    assert client.call("unbind", "a", {"if": x}) is False
    client.call("release", y)
    assert client.call("bind", "a", x, {"weak": True, "if": "present"}) is False
    assert client.call("bind", "a", x, {"weak": True, "if": "absent"}) is True


@test
def unbinding_a_weak_name_tells_unbound_and_leaves_the_object_alone(server):
    client = server.client()
    x = client.call("new", [])
    client.call("bind", "a", x, {"weak": True})
    client.call("watch", "a")
    assert client.call("unbind", "a") is True
    client.call("release", x)
    assert told(client) == [("name", ["session", "a", "unbound", x.id])]


@test
def many_names_of_one_object_expire_in_one_step(server):
    client = server.client()
    x = client.call("new", [])
    for n in range(100):
        client.call("bind", f"n{n}", x, {"weak": True})
    client.call("watch", "*", {"glob": True})
    client.call("release", x)
    assert sorted(params[1] for _, params in told(client)) == sorted(f"n{n}" for n in range(100))
    assert client.call("names") == []


@test
def a_weak_name_of_a_cycle_goes_with_gc(server):
    client = server.client()
    client.call("bind", "x", [])
    client.of("x", "append", {"@": "x"})
    client.call("bind", "w", {"@": "x"}, {"weak": True})
    client.call("watch", "w")
    client.call("unbind", "x")
    assert client.call("names") == ["w"]
    client.call("gc")
    assert client.call("names") == []
    assert [params[2] for _, params in told(client)] == ["expired"]


@test
def the_end_of_another_session_expires_a_shared_weak_name(server):
    client, owner = server.client(), server.client()
    name = unique("gone")
    client.call("watch", ["global", name])
    owner.call("bind", ["global", name], owner.call("new", []), {"weak": True})
    owner.call("bye")
    assert client.event()[1][3] == "bound" and client.event()[1][3] == "expired"
    client.fails("NO_NAME", "get", ["global", name])


@test_own
def a_shared_namespace_whose_last_name_expires_goes_if_nobody_uses_it():
    with Daemon() as server:
        client, owner = server.client(), server.client(namespace="team")
        x = client.call("new", [])
        client.call("bind", ["team", "w"], x, {"weak": True})
        owner.call("bye")
        assert "team" in [row["name"] for row in client.call("namespaces")]
        client.call("release", x)
        assert "team" not in [row["name"] for row in client.call("namespaces")]


@test_own
def in_slices_of_one_every_weak_name_expires_once():
    with Daemon(config={"slice_objects": 1, "admin_from": "loopback"}) as server:
        client, watcher = server.client(), server.client()
        watcher.call("watch", ["global", "*"], {"glob": True})
        client.call("bind", "x", [[n] for n in range(500)])
        for n in range(500):
            item = client.of("x", "get", n)
            client.call("bind", ["global", f"n{n}"], item, {"weak": True})
            client.call("release", item)
        assert client.call("verify")["differences"] == []
        client.call("unbind", "x")
        events = [params for _, params in told(watcher)]
        assert [params[1] for params in events if params[2] == "expired"] == [f"n{n}" for n in range(500)]
        assert client.call("names", "global") == []


@test_own
def a_session_that_ends_with_weak_names_of_its_own_leaves_nothing():
    with Daemon() as server:
        client = server.client()
        other = server.client()
        other.call("bind", ["global", "kept"], [])
        client.call("bind", "s", [[1], [2]])
        item = client.of("s", "get", 0)
        client.call("bind", "w1", item, {"weak": True})
        client.call("bind", "w2", {"@": ["global", "kept"]}, {"weak": True})
        client.call("bye")
        assert other.call("weakrefs", ["global", "kept"]) == 0
        assert other.call("refcount", ["global", "kept"]) == 1
        other.call("unbind", ["global", "kept"])


run()
