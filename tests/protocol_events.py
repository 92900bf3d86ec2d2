"""protocol_events.py - protocol.md, section 4 and 7: `dead` and `bye`, their order and their dress."""
from harness import Daemon, pack, run, test, test_own, unique


def watched(client, target, **options):
    return client.call("weakref", target, {"notify": True, **options})


def dead(client, *refs, cause="count", seq=None):
    """The next event is one frame that tells these deaths in this order."""
    name, params = client.event()
    assert name == "dead" and params[1:] == [cause, [ref.handle for ref in refs]], (name, params, refs)
    assert seq in (None, params[0]), params
    return params[0]


# -- when ------------------------------------------------------------------------------------------------------------


@test
def a_death_is_told_before_the_response_that_caused_it(server):
    client = server.client()
    client.call("bind", "x", [])
    weak = watched(client, "x")
    client.send(pack([0, 500, "unbind", ["x"]]))
    assert client.frame() == pack([2, "dead", [1, "count", [weak.handle]]])
    assert client.frame() == pack([1, 500, None, True])


@test
def every_way_to_drop_the_last_reference_tells(server):
    client = server.client()
    steps = (
        ("unbind", lambda: client.call("unbind", "x")),
        ("rebind", lambda: client.call("bind", "x", 5)),
        ("clear", lambda: client.of("l", "clear")),
        ("pop", lambda: client.call("call", "l", "pop", [], {"result": "none"})),
        ("delattr", lambda: client.call("delattr", "o", "a")),
        ("setattr", lambda: client.call("setattr", "o", "a", 5)),
        ("release", lambda: client.call("release", 9)),
        ("dict", lambda: client.of("d", "del", "k")),
    )
    client.call("class", "C", {"into": 8})
    for name, step in steps:
        client.call("bind", "x", [])
        client.call("bind", "l", [{"@": "x"}] if name in ("clear", "pop") else [])
        client.call("bind", "d", {"k": {"@": "x"}} if name == "dict" else {})
        client.call("bind", "o", {"@": client.of(8, "new").handle})
        if "attr" in name:
            client.call("setattr", "o", "a", {"@": "x"})
        if name == "release":
            client.call("hold", "x", {"into": 9})
        weak = watched(client, "x")
        if name not in ("unbind", "rebind"):
            client.call("unbind", "x")
        assert client.events == []
        step()
        dead(client, weak)


@test
def a_notification_that_dooms_tells_before_the_next_response(server):
    client = server.client()
    client.call("bind", "x", [])
    weak = watched(client, "x")
    client.notify("unbind", "x")
    client.send(pack([0, 600, "ping", []]))
    assert client.frame() == pack([2, "dead", [1, "count", [weak.handle]]])
    assert client.frame() == pack([1, 600, None, None])


@test
def another_sessions_death_is_told_no_later_than_the_next_response(server):
    name = ["global", unique("shared")]
    owner, watcher = server.client(), server.client()
    owner.call("bind", name, [])
    weak = watched(watcher, name)
    owner.call("unbind", name)
    watcher.call("ping")
    assert watcher.events == [["dead", [1, "count", [weak.handle]]]]


@test
def a_death_reaches_an_idle_client(server):
    name = ["global", unique("shared")]
    owner, watcher = server.client(), server.client()
    owner.call("bind", name, [])
    weak = watched(watcher, name)
    owner.call("unbind", name)
    dead(watcher, weak)


@test
def if_the_target_dies_between_request_and_answer_the_event_comes_first(server):
    client = server.client()
    client.send(pack([0, 1, "new", [[], {"into": 1}]]) + pack([0, 2, "weakref", [1, {"notify": True, "into": 2}]]) +
                pack([0, 3, "release", [1]]))
    for _ in range(2):
        assert client.receive()[0] == 1
    assert client.receive() == [2, "dead", [1, "count", [2]]]
    assert client.receive() == [1, 3, None, 1]


@test
def seq_counts_from_1_without_a_gap(server):
    client = server.client()
    for seq in range(1, 50):
        client.call("bind", "x", [])
        weak = watched(client, "x")
        client.call("unbind", "x")
        dead(client, weak, seq=seq)


@test
def a_weakref_without_notify_tells_nothing(server):
    client = server.client()
    client.call("bind", "x", [])
    client.call("weakref", "x")
    client.call("weakref", "x", {"notify": False})
    client.call("proxy", "x")
    client.call("unbind", "x")
    assert client.is_silent() and client.events == []


@test
def a_weakref_that_dies_before_its_target_tells_nobody(server):
    client = server.client()
    client.call("bind", "x", [])
    client.call("release", watched(client, "x"))
    assert client.call("weakrefs", "x") == 0
    client.call("unbind", "x")
    assert client.is_silent() and client.events == []


@test
def a_weakref_that_is_kept_under_another_handle_only_tells_nothing(server):
    client = server.client()
    client.call("bind", "x", [])
    weak = watched(client, "x")
    client.call("bind", "w", weak)
    client.call("release", weak)
    assert client.call("weakrefs", "x") == 1
    client.call("unbind", "x")
    assert client.is_silent() and client.events == []
    assert client.call("deref", "w") is None


@test
def a_weakref_whose_number_was_chosen_is_told_by_it(server):
    client = server.client()
    client.call("bind", "x", [])
    watched(client, "x", into=77)
    client.call("unbind", "x")
    assert client.event() == ["dead", [1, "count", [77]]]


@test
def deref_is_nil_once_the_death_is_told(server):
    client = server.client()
    client.call("bind", "x", [])
    weak = watched(client, "x")
    client.request("unbind", "x")
    dead(client, weak)
    client.receive()
    assert client.call("deref", weak) is None and client.call("info", weak)["cause"] == "count"


@test
def the_session_that_made_it_is_told_and_no_other(server):
    name = ["global", unique("shared")]
    one, other = server.client(), server.client()
    one.call("bind", name, [])
    weak = watched(one, name)
    other.call("weakref", name)
    other.call("unbind", name)
    dead(one, weak)
    assert other.is_silent() and other.events == []


# -- order -----------------------------------------------------------------------------------------------------------


@test
def one_frame_tells_all_that_one_request_killed_container_first(server):
    client = server.client()
    client.call("bind", "a", [])
    client.call("bind", "b", [])
    client.call("bind", "x", [{"@": "a"}, {"@": "b"}])
    b, a, x = watched(client, "b"), watched(client, "a"), watched(client, "x")
    client.call("unbind", "a")
    client.call("unbind", "b")
    client.call("unbind", "x")
    dead(client, x, a, b)


@test
def several_weakrefs_of_one_object_are_told_latest_first(server):
    client = server.client()
    client.call("bind", "x", [])
    refs = [watched(client, "x") for _ in range(5)]
    client.call("unbind", "x")
    dead(client, *reversed(refs))


@test
def content_dies_first_to_last_and_breadth_first(server):
    client = server.client()
    for name in ("a1", "a2", "b1"):
        client.call("bind", name, [])
    client.call("bind", "a", [{"@": "a1"}, {"@": "a2"}])
    client.call("bind", "b", {"k": {"@": "b1"}})
    client.call("bind", "x", [{"@": "a"}, {"@": "b"}])
    order = ("x", "a", "b", "a1", "a2", "b1")
    refs = {name: watched(client, name) for name in order}
    for name in reversed(order):
        client.call("unbind", name)
    dead(client, *(refs[name] for name in order))


@test
def in_one_release_all_roots_die_first_in_order(server):
    client = server.client()
    client.call("bind", "inner", [])
    roots = [client.call("new", [{"@": "inner"}] if n == 0 else [n]) for n in range(3)]
    refs = [watched(client, root) for root in roots]
    inner = watched(client, "inner")
    client.call("unbind", "inner")
    client.call("release", *roots)
    dead(client, *refs, inner)


@test
def a_frame_tells_4096_deaths_at_most(server):
    client = server.client()
    count = 2 * 4096 + 5
    client.call("bind", "x", [[] for _ in range(count)])
    elements = client.call("read", "x", {"depth": 1})
    for element in elements:
        client.request("weakref", element, {"notify": True})
    refs = [client.answer(client.msgid - count + 1 + n) for n in range(count)]
    client.call("release", *elements)
    client.call("unbind", "x")
    told = [client.events.pop(0)[1] for _ in range(3)]
    assert [seq for seq, _, _ in told] == [1, 2, 3] and {cause for _, cause, _ in told} == {"count"}
    assert [len(handles) for _, _, handles in told] == [4096, 4096, 5]
    assert sum((handles for _, _, handles in told), []) == [ref.handle for ref in refs]
    assert client.events == []


@test
def the_end_of_a_session_tells_cause_session(server):
    watcher, owner = server.client(), server.client()
    name = ["global", unique("shared")]
    owner.call("bind", "x", [])
    owner.call("bind", name, {"@": "x"})
    weak = watched(watcher, name)
    watcher.call("unbind", name)
    owner.call("bye")
    dead(watcher, weak, cause="session")
    assert watcher.call("info", weak)["cause"] == "session"


@test
def a_broken_connection_is_the_end_of_a_session_too(server):
    watcher, owner = server.client(), server.client()
    name = ["global", unique("shared")]
    owner.call("bind", name, owner.call("new", []))
    weak = watched(watcher, name)
    watcher.call("unbind", name)
    owner.close()
    dead(watcher, weak, cause="session")


@test
def a_session_ends_with_its_names_in_order_of_binding_then_its_handles_by_number(server):
    watcher, owner = server.client(), server.client()
    names = [["global", unique(f"n{n}")] for n in range(5)]
    for name in names:
        watcher.call("bind", name, [])
    for name, own in zip((names[2], names[0]), ("second", "first")):
        owner.call("bind", own, {"@": name})
    for number, name in ((7, names[4]), (3, names[1]), (5, names[3])):
        owner.call("hold", name, {"into": number})
    refs = [watched(watcher, name) for name in names]
    for name in names:
        watcher.call("unbind", name)
    assert watcher.events == []
    owner.call("bye")
    dead(watcher, refs[2], refs[0], refs[1], refs[3], refs[4], cause="session")


# -- dress -----------------------------------------------------------------------------------------------------------


@test
def events_can_be_dressed_for_another_method(server):
    client = server.client(events=["nvim_call_function", "OnHeapd", 5, None])
    client.call("bind", "x", [])
    weak = watched(client, "x")
    client.send(pack([0, 1000, "unbind", ["x"]]))
    assert client.receive() == [2, "nvim_call_function", ["OnHeapd", 5, None, ["dead", 1, "count", [weak.handle]]]]
    assert client.receive() == [1, 1000, None, True]


@test
def a_dress_without_prefix_and_no_dress_any_more(server):
    client = server.client(events=["m"])
    for dressed in (True, False):
        client.call("bind", "x", [])
        weak = watched(client, "x")
        client.call("unbind", "x")
        name, params = client.event()
        if dressed:
            assert (name, params) == ("m", [["dead", 1, "count", [weak.handle]]])
            client.call("hello", {"events": None})
        else:
            assert (name, params) == ("dead", [2, "count", [weak.handle]])


# -- bye -------------------------------------------------------------------------------------------------------------


@test_own
def the_end_of_the_daemon_sends_bye_to_every_session_after_what_it_is_owed(server=None):
    with Daemon() as server:
        plain, dressed, idle = server.client(), server.client(events=["m", 1]), server.client()
        for client in (plain, dressed):
            client.call("bind", "x", [])
        weak = watched(plain, "x")
        plain.notify("unbind", "x")
        plain.call("ping")
        clients = list(server.clients)
        server.clients.clear()
        server.process.terminate()
        assert dressed.receive()[:2] == [2, "m"] and dressed.receive() is None
        dead(plain, weak, seq=1)
        name, (seq, reason) = plain.event()
        assert (name, seq) == ("bye", 2) and reason and plain.receive() is None
        assert idle.receive()[1] == "bye" and idle.receive() is None
        for client in clients:
            client.close()
        assert server.wait() == 0


@test_own
def an_idle_session_is_told_bye():
    with Daemon(config={"admin_from": "loopback"}) as server:
        client = server.client()
        with server.idle_timeout():
            name, (seq, reason) = client.event()
            assert (name, seq) == ("bye", 1) and "idle" in reason
            assert client.receive() is None


run()
