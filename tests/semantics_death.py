#!/usr/bin/python3
"""semantics_death.py - docs/semantics.md, sentence by sentence: reclamation, two sessions, weak references, proxies."""
import resource

from harness import Daemon, run, test, test_own, unique, wait_until


def make(client, type, *args):
    return client.call("call", ["builtins", type], "new", list(args))


def watch(client, target):
    return client.call("weakref", target, {"notify": True})


def told(client):
    """The deaths told so far: [(cause, handles)...]."""
    client.call("ping")
    events, client.events = client.events, []
    assert all(name == "dead" for name, _ in events)
    return [(cause, handles) for _, (_, cause, handles) in events]


def watched(client, target):
    """Watches every container and object that a target leads to, breadth first: the handles of their weakrefs."""
    weakrefs, queue, seen = [], [target], set()
    while queue:
        ref = queue.pop(0)
        if ref.id not in seen:
            seen.add(ref.id)
            weakrefs.append(watch(client, ref).handle)
            queue += [x for x in client.call("referents", ref) if hasattr(x, "handle") and x.type != "class"]
        if ref is not target:
            client.call("release", ref)
    return weakrefs


# -- reclamation -----------------------------------------------------------------------------------------------------


@test
def at_zero_an_object_is_dead_and_its_weakrefs_are_cleared_with_cause_and_time(server):
    client = server.client()
    x = client.call("new", [])
    weak, proxy = client.call("weakref", x), client.call("proxy", x)
    client.call("release", x)
    info = client.call("info", weak)
    assert info["cause"] == "count" and info["died"] > 0 and client.call("deref", weak) is None
    assert "count" in client.fails("DEAD", "read", proxy)


@test
def a_container_dies_before_its_content_first_to_last_and_breadth_first(server):
    client = server.client()
    o = make(client, "object")
    for name in "ba":
        client.call("setattr", o, name, [name, [name]])
    literals = [[1, [2]], [[3], 4], {"k": [5]}], {"x": [[1]], "y": [], "z": [[2]]}
    shapes = [o, make(client, "tuple", [[1], [[2]], [3]]), *(client.call("new", literal) for literal in literals)]
    for root in shapes:
        weakrefs = watched(client, root)
        client.call("release", root)
        assert told(client) == [("count", weakrefs)]


@test
def what_a_container_is_made_to_drop_dies_in_the_same_order(server):
    client = server.client()
    xs = client.call("new", [[n, [n]] for n in range(12)])
    weakrefs = watched(client, xs)[1:]
    client.of(xs, "clear")
    assert told(client) == [("count", weakrefs)]
    d = client.call("new", {f"k{n}": [n, [n]] for n in range(12)})
    weakrefs = watched(client, d)[1:]
    client.of(d, "clear")
    assert told(client) == [("count", weakrefs)]


@test
def events_are_published_at_the_end_of_the_step_when_nothing_is_half_dead(server):
    client = server.client()
    root = client.call("new", [[n] for n in range(100)])
    weakrefs = watched(client, root)
    release = client.request("release", root)
    deref = [client.request("deref", weak) for weak in weakrefs]
    assert client.receive() == [2, "dead", [1, "count", weakrefs]]
    assert client.answer(release) == 1
    assert [client.answer(request) for request in deref] == [None] * len(weakrefs)


@test
def what_is_still_held_elsewhere_lives_on(server):
    client, other = server.client(), server.client()
    name = ["global", unique("kept")]
    client.call("bind", name, [1])
    root = client.call("new", [{"@": name}, [2]])
    kept = other.call("get", name)
    weakrefs = watched(client, root)
    client.call("unbind", name)
    client.call("release", root)
    assert told(client) == [("count", [weakrefs[0], weakrefs[2]])]
    assert other.call("read", kept) == [1] and other.call("refcount", kept) == 1
    other.call("release", kept)
    assert told(client) == [("count", [weakrefs[1]])]


def deep_list(client, doublings):
    """A list nested 2^doublings deep: a pair of its ends is copied deeply, and the copy hung into the bottom."""
    top = client.call("new", [])
    bottom = client.call("hold", top)
    for _ in range(doublings):
        pair = client.call("new", [top, bottom])
        copy = client.call("deepcopy", pair)
        top2, bottom2 = client.of(copy, "get", 0), client.of(copy, "get", 1)
        client.of(bottom, "append", top2)
        client.call("release", pair, copy, top2, bottom)
        bottom = bottom2
    client.call("release", bottom)
    return top


@test_own
def depth_is_no_limit_of_copies_and_deaths():
    def small_stack():
        resource.setrlimit(resource.RLIMIT_STACK, (1 << 20, 1 << 20))

    with Daemon(before=small_stack) as server:
        client = server.client()
        top = deep_list(client, 17)
        weak = watch(client, top)
        assert server.gauges(client)["objects.live"] > 1 << 17
        copy = client.call("deepcopy", top)
        assert client.of(copy, "eq", top) is True and client.of(copy, "repr") == "[" * (1 << 17) + "]" * (1 << 17)
        client.call("release", top, copy)
        assert told(client) == [("count", [weak.handle])]
        client.call("release", weak)


# -- two sessions ----------------------------------------------------------------------------------------------------


@test_own
def all_that_a_request_dooms_is_dead_before_its_response_is_sent():
    with Daemon(config={"slice_objects": 1}) as server:
        client, other = server.client(), server.client()
        client.call("bind", ["global", "x"], [[n] for n in range(5000)])
        last = other.call("call", ["global", "x"], "get", [-1])
        weak = other.call("weakref", last)
        other.call("release", last)
        live = server.gauges(other)["objects.live"]
        assert client.call("unbind", ["global", "x"]) is True
        other.request("deref", weak)
        assert other.receive()[3] is None
        assert server.gauges(other)["objects.live"] <= live - 5001


@test_own
def no_client_waits_for_anothers_doomed_graph():
    """A small death, its event included, never waits behind a large one."""
    with Daemon(config={"slice_objects": 1}) as server:
        client, other = server.client(), server.client()
        root = client.call("new", [[] for _ in range(50000)])
        small = other.call("new", [[]])
        weak = watch(other, small)
        with server.held_still():
            large = client.request("release", root)
            death = other.request("release", small)
            after = other.request("stats")
        assert other.receive() == [2, "dead", [1, "count", [weak.handle]]]
        assert other.answer(death) == 1
        stats = other.answer(after)
        assert stats["server"]["working"] == 1 and stats["objects"]["live"] > 40000  # the large one is still at it
        assert client.answer(large) == 1


@test_own
def until_its_container_drops_it_a_doomed_object_lives_for_others_who_may_keep_it():
    with Daemon(config={"slice_objects": 1}) as server:
        client, other = server.client(), server.client()
        client.call("bind", ["global", "x"], [[n] for n in range(50000)])
        last = other.call("call", ["global", "x"], "get", [-1])
        weak = watch(other, last)
        other.call("release", last)
        client.call("ping")  # whoever spoke last is looked at first
        with server.held_still():
            unbind = client.request("unbind", ["global", "x"])
            other.request("deref", weak, {"into": 1})
            after = other.request("stats", "server")
        assert other.receive()[3].id == last.id
        assert other.answer(after)["server"]["working"] == 1
        assert client.answer(unbind) is True
        assert other.call("read", 1) == [49999] and other.call("refcount", 1) == 1 and told(other) == []
        other.call("release", 1)
        assert told(other) == [("count", [weak.handle])]


@test_own
def the_end_of_a_session_drops_everything_that_it_held_in_slices():
    with Daemon(config={"slice_objects": 1}) as server:
        client, other = server.client(), server.client()
        base = server.gauges(other)
        for n in range(300):
            client.call("bind", f"name {n}", [[n] for _ in range(20)])
            client.call("new", {"a": [n]})
        client.call("bind", ["global", "kept"], [1])
        weak = watch(other, ["global", "kept"])
        with server.held_still():
            client.close()
            polls = [other.request("stats") for _ in range(200)]
        live = [other.answer(poll)["objects"]["live"] for poll in polls]
        assert live == sorted(live, reverse=True) and live[-1] > base["objects.live"] + 2000  # served in between
        server.clients.remove(client)
        wait_until(lambda: server.gauges(other)["sessions.active"] == 1, "the end of the session")
        gauges = server.gauges(other)
        assert gauges["objects.live"] == base["objects.live"] - 1 + 2 and gauges["sessions.names"] == 1
        assert other.call("read", ["global", "kept"]) == [1]
        other.call("unbind", ["global", "kept"])
        assert told(other) == [("count", [weak.handle])]


@test_own
def a_million_objects_of_one_session_hold_up_nobody():
    """They are copied ten thousand at a time, dropped at once, and another's requests are answered in between."""
    with Daemon() as server:
        client, other = server.client(), server.client()
        base = other.call("stats", "objects")["objects"]
        part = client.call("new", [[] for _ in range(10000)])
        client.call("new", [], {"into": 1})
        copies = [("call", [1, "append", [part]])] + [("deepcopy", [part, {"into": 2 + n}]) for n in range(99)]
        copies += [("call", [1, "append", [{"@": 2 + n}]]) for n in range(99)]
        assert all(error is None for error, _ in client.pipeline(copies))
        client.call("release", part, *range(2, 101))
        made = other.call("stats", "objects")["objects"]
        assert made["made"] - base["made"] > 1000000 and made["live"] - base["live"] > 1000000
        with server.held_still():
            drop = client.request("release", 1)
            pings = [other.request("stats", "objects") for _ in range(100)]
        lives = [other.answer(ping)["objects"]["live"] for ping in pings]
        assert lives[-1] > made["live"] - 1000000 / 2, lives  # all were answered while most were still to die
        assert client.answer(drop) == 1
        after = other.call("stats", "objects")["objects"]
        assert after["died"] - base["died"] > 1000000 and after["live"] == base["live"]


# -- weak references -------------------------------------------------------------------------------------------------


@test
def deref_gives_the_object_held_or_nil(server):
    client = server.client()
    x = client.call("new", [7])
    weak = client.call("weakref", x)
    held = client.call("deref", weak)
    assert held.id == x.id and held.handle != x.handle and client.call("refcount", x) == 2
    client.call("release", x)
    assert client.call("read", held) == [7]
    client.call("release", held)
    assert client.call("deref", weak) is None


@test
def plain_weakrefs_and_proxies_of_a_living_object_are_one_and_notifying_ones_are_not(server):
    client, other = server.client(), server.client()
    name = ["global", unique("watched")]
    client.call("bind", name, [])
    for method in ("weakref", "proxy"):
        ids = {session.call(method, name).id for session in (client, other, client)}
        assert len(ids) == 1
    assert len({watch(session, name).id for session in (client, other, client)}) == 3
    assert client.call("weakrefs", name) == 5
    plain = client.call("weakref", name)
    client.call("unbind", name)
    client.call("bind", name, [])
    assert client.call("weakref", name).id != plain.id
    client.call("unbind", name)


@test
def weakrefs_are_equal_while_both_targets_live_and_are_equal_else_by_identity(server):
    client = server.client()
    a, b, c = (client.call("new", value) for value in ([1], [1], [2]))
    wa, wb, wc = watch(client, a), watch(client, b), watch(client, c)
    assert client.of(wa, "eq", wb) is True and client.of(wa, "eq", wc) is False
    client.call("release", b)
    assert client.of(wa, "eq", wb) is False and client.of(wb, "eq", wb) is True
    client.call("release", a)
    assert client.of(wa, "eq", wb) is False and client.of(wa, "ne", wb) is True


@test
def a_weakref_hashes_as_its_target_and_keeps_the_hash_if_it_was_asked_before(server):
    client = server.client()
    asked, other = client.call("new", "target one"), client.call("new", "target two")
    weak, never = client.call("weakref", asked), client.call("weakref", other)
    hash = client.of(asked, "hash")
    assert client.of(weak, "hash") == hash
    client.call("release", asked, other)
    assert client.of(weak, "hash") == hash
    client.fails("TYPE", "call", never, "hash")
    client.fails("TYPE", "call", client.call("weakref", client.call("new", [])), "hash")


@test
def every_mortal_object_can_be_weakly_referred_to(server):
    client = server.client()
    cls = client.call("class", "X")
    xs = client.call("new", [])
    mortal = [client.call("new", value) for value in (300, 1.5, "text", b"bytes", {})]
    mortal += [xs, make(client, "tuple", [1]), make(client, "set"), cls, client.of(cls, "new")]
    mortal += [client.call("getattr", xs, "len"), client.call("weakref", xs), client.call("proxy", xs)]
    weakrefs = [watch(client, target).handle for target in mortal]
    for target in mortal[::-1]:
        client.call("release", target)
    assert sorted(handle for _, handles in told(client) for handle in handles) == sorted(weakrefs)


@test
def notices_of_one_object_come_latest_first_and_the_dead_ask_for_none(server):
    client = server.client()
    x = client.call("new", [])
    first, second, third = (watch(client, x) for _ in range(3))
    client.call("release", second)
    client.call("release", x)
    assert told(client) == [("count", [third.handle, first.handle])]


@test
def a_weakref_in_the_graph_that_dies_tells_nobody(server):
    client = server.client()
    x = client.call("new", [])
    weak = watch(client, x)
    keeper = client.call("new", [weak])
    client.call("release", weak)
    client.call("release", x)
    assert told(client) == [] and client.call("deref", client.of(keeper, "get", 0)) is None


# -- proxies ---------------------------------------------------------------------------------------------------------


@test
def calls_attributes_and_reads_of_a_proxy_go_to_its_target_and_once_it_is_dead_are_DEAD(server):
    client = server.client()
    o = client.of(client.call("class", "X"), "new")
    client.call("setattr", o, "a", 1)
    proxy = client.call("proxy", o)
    assert client.call("setattr", proxy, "b", [2]) is True and client.call("getattr", proxy, "a") == 1
    assert client.of(proxy, "add", "a") == 2 and client.call("delattr", proxy, "a") is True
    assert client.call("read", client.call("getattr", proxy, "__dict__")) == {"b": [2]}
    xs = client.call("new", [1])
    view = client.call("proxy", xs)
    client.of(view, "append", 2)
    assert client.call("read", view) == client.call("read", xs) == [1, 2]
    client.call("release", o, xs)
    for method, *params in (("call", "len", []), ("getattr", "a"), ("setattr", "a", 1), ("delattr", "a"), ("read",)):
        client.fails("DEAD", method, proxy, *params)


@test
def a_proxy_is_not_its_target(server):
    client = server.client()
    x = client.call("new", [])
    proxy = client.call("proxy", x)
    assert client.call("is", proxy, x) is False and client.call("type", proxy) == "proxy"
    assert client.call("id", proxy) != client.call("id", x)
    client.fails("TYPE", "call", proxy, "hash")
    client.fails("TYPE", "deref", proxy)


@test
def the_roundabout_way_to_the_object_is_a_bound_methods_self(server):
    client = server.client()
    x = client.call("new", [])
    proxy = client.call("proxy", x)
    method = client.call("getattr", proxy, "append")
    assert method.type == "method" and client.call("refcount", x) == 2  # its self is x itself, and counted
    assert client.call("is", client.call("getattr", method, "__self__"), x)
    client.call("release", x)
    client.of(method, "call", 5)
    assert client.call("read", proxy) == [5]


@test
def a_living_proxy_stands_for_its_target_as_an_argument_and_is_stored_as_itself(server):
    client = server.client()
    x = client.call("new", [1])
    proxy = client.call("proxy", x)
    xs = client.call("new", [[0], x])
    assert client.of(x, "eq", proxy) is True and client.of(xs, "contains", proxy) is True
    assert client.of(xs, "index", proxy) == 1 and client.of(xs, "count", proxy) == 1
    client.of(xs, "append", proxy)
    assert client.of(xs, "get", -1).type == "proxy"
    client.call("release", client.call("copy", xs))
    client.of(xs, "clear")
    client.call("release", x)
    client.fails("DEAD", "call", xs, "index", [proxy])


run()
