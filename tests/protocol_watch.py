"""protocol_watch.py - protocol.md: `watch`, `unwatch` and the event `name`; what becomes of it under a slow reader."""
import fnmatch
import random

from harness import Daemon, ext_name, pack, run, test, test_own, unique, wait_until


def told(client):
    """The events that came before the answer to a ping, which are names: each without its number."""
    client.call("ping")
    events, client.events = client.events, []
    assert all(name == "name" for name, _ in events), events
    return [params[1:] for _, params in events]


# -- what is told ----------------------------------------------------------------------------------------------------


@test
def a_watched_name_tells_that_it_is_bound_and_unbound(server):
    client = server.client()
    assert client.call("watch", "a") is True
    client.call("bind", "a", [1])
    one = client.call("id", "a")
    client.call("bind", "a", [2])
    two = client.call("id", "a")
    client.call("unbind", "a")
    assert told(client) == [["session", "a", "bound", one], ["session", "a", "bound", two],
                            ["session", "a", "unbound", two]]


@test
def the_event_is_the_frame_of_the_protocol_and_comes_before_the_response(server):
    client = server.client()
    client.call("watch", "a")
    client.send(pack([0, 500, "bind", ["a", True]]))
    event = client.receive()
    assert event[:2] == [2, "name"] and event[2][:4] == [1, "session", "a", "bound"] and isinstance(event[2][4], int)
    assert client.frame() == pack([1, 500, None, True])
    client.send(pack([0, 501, "unbind", ["a"]]))
    assert client.frame() == pack([2, "name", [2, "session", "a", "unbound", event[2][4]]])
    assert client.frame() == pack([1, 501, None, True])


@test
def rebinding_to_the_same_object_tells_bound(server):
    client = server.client()
    client.call("bind", "a", [])
    client.call("watch", "a")
    client.call("bind", "a", {"@": "a"})
    assert told(client) == [["session", "a", "bound", client.call("id", "a")]]


@test
def a_refused_condition_and_a_failed_request_tell_nothing(server):
    client = server.client()
    client.call("bind", "a", [])
    client.call("watch", "a")
    client.call("watch", "b")
    other = client.call("new", [])
    assert client.call("bind", "a", 1, {"if": "absent"}) is False
    assert client.call("bind", "b", 1, {"if": "present"}) is False
    assert client.call("unbind", "a", {"if": other}) is False
    client.fails("NO_NAME", "unbind", "b")
    client.fails("NO_NAME", "bind", "b", {"@": "nobody"})
    assert told(client) == []


@test
def a_name_watched_twice_is_told_once(server):
    client = server.client()
    for options in ({}, {}, {"glob": True}):
        client.call("watch", "a", options)
    client.call("watch", "*", {"glob": True})
    client.call("watch", "[a-c]", {"glob": True})
    client.call("watch", ["session", "a"])
    client.call("watch", ext_name("a"))
    client.call("bind", "a", 1)
    assert len(told(client)) == 1


@test
def what_a_watched_name_is_bound_to_already_is_not_told(server):
    client = server.client()
    client.call("bind", "a", [])
    client.call("watch", "a")
    assert told(client) == []


@test
def a_glob_tells_every_name_that_matches(server):
    client = server.client()
    client.call("watch", "job:[0-9]?", {"glob": True})
    for name in ("job:1", "job:12", "job:1x", "job:x1", "jobs:12", "job:123", "job:1ä"):
        client.call("bind", name, 5)
    assert [params[1] for params in told(client)] == ["job:12", "job:1x", "job:1ä"]


@test
def without_glob_the_star_is_a_letter(server):
    client = server.client()
    client.call("watch", "*")
    client.call("bind", "a", 5)
    client.call("bind", "*", 5)
    assert [params[1] for params in told(client)] == ["*"]


@test
def the_empty_name_can_be_watched(server):
    client = server.client()
    client.call("watch", "")
    client.call("bind", "", 5)
    assert [params[1:3] for params in told(client)] == [["", "bound"]]


@test
def unwatch_ends_the_name_and_the_glob_of_that_text(server):
    client = server.client()
    client.call("watch", "a*", {"glob": True})
    client.call("watch", "a*")
    client.call("watch", "ab")
    assert client.call("unwatch", "a*") is True
    for name in ("a*", "ab", "ac"):
        client.call("bind", name, 5)
    assert [params[1] for params in told(client)] == ["ab"]
    assert client.call("unwatch", "a*") is False and client.call("unwatch", "ab") is True
    client.call("bind", "ab", 6)
    assert told(client) == []


@test
def events_of_one_step_come_in_order_and_its_deaths_after_them(server):
    client = server.client()
    client.call("watch", "*", {"glob": True})
    client.call("bind", "a", [])
    client.call("weakref", "a", {"notify": True, "into": 7})
    client.events.clear()
    client.send(pack([0, 600, "bind", ["a", 5]]) + pack([0, 601, "unbind", ["a"]]))
    first = client.receive()[2]
    assert first[:4] == [2, "session", "a", "bound"]
    assert client.receive()[1:] == ["dead", [3, "count", [7]]]
    assert client.frame() == pack([1, 600, None, True])
    assert client.receive()[2] == [4, "session", "a", "unbound", first[4]]
    assert client.frame() == pack([1, 601, None, True])


# -- to whom ---------------------------------------------------------------------------------------------------------


@test
def other_sessions_are_told_no_later_than_with_their_next_response(server):
    name = unique("name")
    owner, watcher, stranger = server.client(), server.client(), server.client()
    watcher.call("watch", ["global", name])
    owner.call("bind", ["global", name], [])
    id = owner.call("id", ["global", name])
    assert told(watcher) == [["global", name, "bound", id]]
    owner.call("unbind", ["global", name])
    assert watcher.event() == ["name", [2, "global", name, "unbound", id]]
    assert told(owner) == [] and told(stranger) == []


@test
def a_name_without_a_namespace_is_watched_where_the_session_works(server):
    space, name = unique("space"), unique("name")
    client, other = server.client(namespace=space), server.client(namespace=space)
    client.call("watch", name)
    other.call("bind", name, 5)
    other.call("bind", ["session", name], 5)
    client.call("bind", ["session", name], 5)
    assert [params[:3] for params in told(client)] == [[space, name, "bound"]]
    other.call("unbind", name)


@test
def a_private_namespace_is_watched_by_its_own_session_only(server):
    client, other = server.client(), server.client()
    client.call("watch", "*", {"glob": True})
    other.call("watch", ["session", "*"], {"glob": True})
    client.call("bind", "a", 5)
    assert [params[:3] for params in told(client)] == [["session", "a", "bound"]] and told(other) == []


@test
def a_namespace_that_is_not_there_is_NO_NAME(server):
    client = server.client()
    client.fails("NO_NAME", "watch", [unique("nowhere"), "a"])
    client.fails("NO_NAME", "unwatch", [unique("nowhere"), "a"])
    for wrong in (5, None, {}, ["a"], ["global", "a", "b"], ["global", 5]):
        client.fails("BAD_ARGS", "watch", wrong)
    client.fails("BAD_ARGS", "watch", "a", {"glob": 1})
    client.fails("BAD_ARGS", "watch", "a", {"globs": True})
    client.fails("BAD_ARGS", "watch")


@test
def a_watched_namespace_stays_though_it_is_empty(server):
    space = unique("space")
    watcher, maker = server.client(), server.client()
    maker.hello(namespace=space)
    watcher.call("watch", [space, "*"], {"glob": True})
    maker.call("bye")
    other = server.client()
    other.call("bind", [space, "a"], 5)
    other.call("unbind", [space, "a"])
    assert [params[:3] for params in told(watcher)] == [[space, "a", "bound"], [space, "a", "unbound"]]
    assert watcher.call("unwatch", [space, "*"]) is True
    wait_until(lambda: space not in [row["name"] for row in other.call("namespaces")], "the end of the namespace")


@test
def a_session_that_ends_watches_no_more(server):
    name = ["global", unique("name")]
    watcher, client = server.client(), server.client()
    watcher.call("watch", name)
    watcher.call("watch", ["global", name[1] + "*"], {"glob": True})
    watcher.call("bye")
    for _ in range(3):
        client.call("bind", name, [])
        client.call("unbind", name)


@test
def names_are_told_in_the_dress_that_hello_chose(server):
    client = server.client(events=["call_function", "OnHeapd", 5])
    client.call("watch", "a")
    client.send(pack([0, 700, "bind", ["a", None]]))
    message = client.receive()
    assert message[1] == "call_function" and message[2][:2] == ["OnHeapd", 5]
    assert message[2][2][:5] == ["name", 1, "session", "a", "bound"]


# -- weak bindings ---------------------------------------------------------------------------------------------------


@test
def a_binding_that_expires_within_a_batch_is_told_before_what_follows(server):
    client = server.client()
    client.call("watch", "w")
    client.call("bind", "x", [])
    id = client.call("id", "x")
    client.call("bind", "w", {"@": "x"}, {"weak": True})
    client.call("batch", [["unbind", ["x"]], ["bind", ["w", True]], ["unbind", ["w"]]])
    assert [params[2] for params in told(client)] == ["bound", "expired", "bound", "unbound"] and id > 0


@test_own
def a_binding_that_expires_in_slices_is_told_before_it_is_bound_again_by_others():
    with Daemon(config={"slice_objects": 1}) as server:
        owner, client = server.client(), server.client()
        client.call("watch", ["global", "w"])
        owner.call("bind", "list", [[]] + [[i] for i in range(20000)])
        inner = owner.of("list", "get", 0)
        owner.call("bind", ["global", "w"], inner, {"weak": True})
        owner.call("release", inner)
        msgid = owner.request("unbind", "list")
        wait_until(lambda: "w" not in client.call("names", "global"), "the expiry")
        client.call("bind", ["global", "w"], 5)
        client.call("unbind", ["global", "w"])
        assert owner.answer(msgid) is True
        assert [params[2] for params in told(client)] == ["bound", "expired", "bound", "unbound"]


# -- bounds ----------------------------------------------------------------------------------------------------------


@test_own
def what_a_slow_reader_does_not_take_is_kept_up_to_a_bound_and_then_told_as_lost():
    with Daemon(config={"limits.output": 65536}) as server:
        slow, client = server.client(), server.client()
        name = ["global", "n" * 1000]
        slow.call("watch", name)
        seen, changes = 0, 20000  # more than what two sockets take
        requests = [("bind", [name, i]) for i in range(changes)]
        for at in range(0, changes, 1000):
            client.pipeline(requests[at:at + 1000])
        lost = 0
        while seen + lost < changes:
            event, params = slow.event()
            if event == "lost":
                assert params[1] > 0 and params[0] == seen + lost + params[1]
                lost += params[1]
            else:
                seen += 1
                assert event == "name" and params[0] == seen + lost
        assert lost > 0 and slow.call("ping", 1) == 1
        client.call("unbind", name)


@test_own
def watches_are_bounded():
    with Daemon(config={"limits.names": 100}) as server:
        client = server.client()
        for i in range(100):
            client.call("watch", f"n{i}")
        client.fails("LIMIT", "watch", "one more")
        assert client.call("watch", "n5") is True  # nothing new
        client.call("unwatch", "n5")
        assert client.call("watch", "one more") is True


@test
def globs_are_bounded_in_number_and_length(server):
    client = server.client()
    client.fails("LIMIT", "watch", "*" * 1025, {"glob": True})
    answers = client.pipeline([("watch", [f"{i}*", {"glob": True}]) for i in range(1001)])
    assert all(error is None for error, _ in answers[:1000]) and answers[1000][0].startswith("LIMIT ")
    assert client.call("watch", "a*") is True  # no glob


# -- a model ---------------------------------------------------------------------------------------------------------


class Model:
    """What each session is owed, by the sentences of protocol.md."""

    def __init__(self, sessions):
        self.watches = [set() for _ in range(sessions)]
        self.owed = [[] for _ in range(sessions)]
        self.bound = {}

    def change(self, space, name, what, id):
        for watches, owed in zip(self.watches, self.owed):
            if any(where == space and (fnmatch.fnmatchcase(name, text) if is_glob else name == text)
                   for where, text, is_glob in watches):
                owed.append([space, name, what, id])


@test
def random_watching_and_binding_tells_what_a_model_tells(server):
    generator = random.Random(20)
    spaces = [unique("space"), unique("space")]
    clients = [server.client(namespace=generator.choice(spaces)) for _ in range(4)]
    for space in spaces:
        clients.append(server.client(namespace=space))
    model = Model(len(clients))
    texts = ["a", "b", "ab", "a*", "*", "[ab]", "?b", ""]
    names = ["a", "b", "ab", "", "cb", "*"]
    for step in range(4000):
        at = generator.randrange(len(clients))
        client, space = clients[at], generator.choice(spaces)
        name, text = generator.choice(names), generator.choice(texts)
        action = generator.random()
        if action < 0.08:
            is_glob = generator.random() < 0.5
            client.call("watch", [space, text], {"glob": is_glob})
            model.watches[at].add((space, text, is_glob))
        elif action < 0.14:
            had = {(space, text, False), (space, text, True)} & model.watches[at]
            assert client.call("unwatch", [space, text]) is bool(had)
            model.watches[at] -= had
        elif action < 0.6:
            client.call("bind", [space, name], [step])
            model.bound[space, name] = client.call("id", [space, name])
            model.change(space, name, "bound", model.bound[space, name])
        elif (space, name) in model.bound:
            client.call("unbind", [space, name])
            model.change(space, name, "unbound", model.bound.pop((space, name)))
        if generator.random() < 0.05:
            at = generator.randrange(len(clients))
            assert told(clients[at]) == model.owed[at], step
            model.owed[at] = []
    for client, owed in zip(clients, model.owed):
        assert told(client) == owed
    for space, name in model.bound:
        clients[0].call("unbind", [space, name])


run()
