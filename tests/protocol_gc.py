"""protocol_gc.py - semantics.md, cycle collection: what only garbage holds goes, told as every death is, and nobody waits."""
from harness import Daemon, Ref, run, test_own, wait_until

STILL = {"gc.enabled": 0}  # no collection but those that are asked for
SLICED = {**STILL, "slice_objects": 1}
SLICES = 3000  # containers: with SLICED, so many slices at least
MANY = 200000
TURN = 64  # requests of one session that are answered before the next round at most


def ring(client, size=3, first=1):
    """Lists each in the next one, the first in the last; held by `into` handles from `first` on."""
    for number in range(first, first + size):
        client.call("new", [Ref(number - 1, None, None)] if number > first else [], {"into": number})
    client.of(first, "append", Ref(first + size - 1, None, None))
    return list(range(first, first + size))


def live(client):
    return client.call("stats", "objects")["objects"]["live"]


@test_own
def a_cycle_stays_until_it_is_collected():
    with Daemon(config=STILL) as server:
        client = server.client()
        before = live(client)
        handles = ring(client)
        weak = client.call("weakref", handles[0])
        client.call("release", *handles)
        assert client.call("deref", weak, {"into": 50}).type == "list"
        client.call("release", 50)
        answer = client.call("gc")
        assert set(answer) >= {"collected", "uncollectable", "ns"} and answer["types"] == {"list": 3}, answer
        assert (answer["collected"], answer["uncollectable"]) == (3, 0) and answer["ns"] > 0
        assert client.call("deref", weak) is None
        client.call("release", weak.handle)
        assert live(client) == before
        assert client.call("gc")["collected"] == 0


@test_own
def a_cycle_of_several_sessions_goes_when_the_last_of_them_lets_go():
    with Daemon(config=STILL) as server:
        one, two = server.client(), server.client()
        one.call("bind", ["global", "a"], [])
        two.call("bind", ["global", "b"], [{"@": ["global", "a"]}])
        one.call("call", ["global", "a"], "append", [{"@": ["global", "b"]}])
        held = two.call("get", ["global", "a"])
        one.call("unbind", ["global", "a"])
        one.call("unbind", ["global", "b"])
        assert one.call("gc")["collected"] == 0
        two.call("release", held.handle)
        assert one.call("gc")["collected"] == 2


@test_own
def what_a_cycle_leads_to_goes_with_it_and_what_is_held_elsewhere_stays():
    with Daemon(config=STILL) as server:
        client = server.client()
        client.call("bind", "kept", ["kept"])
        before = live(client)
        handles = ring(client)
        client.of(handles[0], "append", [1000, {"k": "long enough"}])
        client.of(handles[0], "append", {"@": "kept"})
        assert client.call("refcount", "kept") == 2
        client.call("release", *handles)
        client.call("gc")
        assert live(client) == before
        assert client.call("refcount", "kept") == 1 and client.call("read", "kept") == ["kept"]


@test_own
def every_kind_of_container_can_be_in_a_cycle():
    with Daemon(config=STILL) as server:
        client = server.client()
        before = live(client)
        knot = client.call("new", [], {"into": 1})
        client.call("class", "X", {"into": 2})
        client.call("call", 2, "new", [], {"into": 3})
        client.call("setattr", 3, "knot", knot)
        client.call("setattr", 2, "instance", Ref(3, None, None))
        client.call("call", "tuple", "new", [[knot]], {"into": 4})
        client.call("new", {"knot": knot}, {"into": 5})
        client.call("call", "set", "new", [[Ref(3, None, None)]], {"into": 6})
        client.call("getattr", 1, "append", {"into": 7})
        for handle in range(2, 8):
            client.of(1, "append", Ref(handle, None, None))
        client.call("release", *range(1, 8))
        answer = client.call("gc")
        assert answer["types"] == {"list": 1, "class": 1, "object": 1, "tuple": 1, "dict": 1, "set": 1, "method": 1}, answer
        assert live(client) == before


@test_own
def deaths_of_a_cycle_are_told_with_cause_cycle_before_the_answer():
    with Daemon(config=STILL) as server:
        client, other = server.client(), server.client()
        handles = ring(client, 40)
        weak = client.call("weakref", handles[7], {"notify": True})
        client.call("bind", ["global", "c"], Ref(handles[8], None, None))
        of_other = other.call("weakref", ["global", "c"], {"notify": True})
        other.call("unbind", ["global", "c"])
        client.call("release", *handles)
        client.request("gc")
        assert client.receive() == [2, "dead", [1, "cycle", [weak.handle]]]
        assert client.receive()[3]["collected"] == 40
        assert other.event() == ["dead", [1, "cycle", [of_other.handle]]]
        info = client.call("info", weak)
        assert info["cause"] == "cycle" and info["died"] > 0


@test_own
def one_frame_tells_all_that_one_collection_killed():
    with Daemon(config=SLICED) as server:
        client = server.client()
        handles = ring(client, 100)
        weaks = {client.call("weakref", handle, {"notify": True}).handle for handle in handles}
        client.call("release", *handles)
        client.call("gc")
        name, (seq, cause, told) = client.event()
        assert (name, seq, cause) == ("dead", 1, "cycle") and set(told) == weaks and len(told) == 100


@test_own
def a_weakref_that_is_garbage_too_tells_nobody():
    with Daemon(config=STILL) as server:
        client = server.client()
        handles = ring(client)
        weak = client.call("weakref", handles[0], {"notify": True})
        client.of(handles[0], "append", weak)
        client.call("release", weak.handle, *handles)
        assert client.call("gc")["types"] == {"list": 3, "weakref": 1}
        assert client.is_silent() and not client.events


@test_own
def others_are_served_while_a_collection_runs():
    with Daemon(config=SLICED) as server:
        client, other = server.client(), server.client()
        client.call("bind", "kept", [[] for _ in range(SLICES)])
        with server.held_still():
            request = client.request("gc")
            behind = client.request("ping", 1)
            polls = [other.request("gc_info") for _ in range(3 * TURN)]  # it begins after the first turn
        infos = [other.answer(poll) for poll in polls]
        assert infos[-1]["running"] and infos[-1]["collections"] == infos[0]["collections"], infos[-1]
        assert client.answer(request)["collected"] == 0 and client.answer(behind) == 1


@test_own
def what_is_held_while_a_collection_runs_stays():
    with Daemon(config=SLICED) as server:
        client, other = server.client(), server.client()
        client.call("bind", ["global", "kept"], [[n] for n in range(SLICES)])
        client.call("bind", ["global", "to"], [])
        last = other.call("call", ["global", "kept"], "get", [-1])
        weak = other.call("weakref", last)
        other.call("release", last.handle)
        with server.held_still():
            request = client.request("gc")
            other.request("call", ["global", "to"], "append", [weak])  # a way to it that is not one
            other.request("deref", weak, {"into": 1})
            other.request("call", ["global", "kept"], "clear", [])
        assert client.answer(request)["collected"] == 0
        other.receive(), other.receive(), other.receive()
        assert other.call("read", 1) == [SLICES - 1]
        for name in ("kept", "to"):
            client.call("unbind", ["global", name])


@test_own
def a_gc_that_arrives_during_a_collection_runs_one_more_whole_one():
    with Daemon(config=SLICED) as server:
        client, other = server.client(), server.client()
        client.call("bind", "kept", [[] for _ in range(MANY)])
        before = other.call("gc_info")["collections"]
        client.call("ping")  # whoever spoke last is looked at first
        with server.held_still():
            first = client.request("gc")
            pings = [other.request("ping") for _ in range(TURN)]
            other.request("new", [], {"into": 1})  # made while the first one marks: it keeps it
            other.request("call", 1, "append", [{"@": 1}])
            other.request("release", 1)
            middle = other.request("gc_info")
            second = other.request("gc")
        for _ in range(len(pings) + 3):
            other.receive()
        info = other.answer(middle)
        assert info["running"] and info["collections"] == before, info
        assert client.answer(first)["collected"] == 0
        assert other.answer(second)["collected"] == 1
        assert other.call("gc_info")["collections"] == before + 2


def look_at_condemned_objects(server):
    """Makes a cycle and looks at it when it is collected; whether that was before all of it had gone."""
    client, other = server.client(), server.client()
    try:
        first = client.call("new", [], {"into": 1})
        client.of(first, "append", [[first] for _ in range(MANY)])
        last = client.of(client.of(first, "get", 0), "get", -1)
        client.call("bind", ["global", "ends"], [first, last])
        client.call("release", 2147483648, last.handle)
        ends = [other.of(["global", "ends"], "get", at) for at in (0, 1)]
        weaks = [other.call("weakref", end) for end in ends]
        proxies = [other.call("proxy", end) for end in ends]
        other.call("release", *[end.handle for end in ends])
        client.call("unbind", ["global", "ends"])
        client.call("release", 1)
        before = live(other)
        request = client.request("gc")
        wait_until(lambda: live(other) < before, "the first of them to go")
        with server.held_still():
            asked = [other.request("deref", weak) for weak in weaks]
            asked += [other.request("call", proxy, "len") for proxy in proxies]
            count = other.request("stats", "objects")
        answers = [other.response(msgid) for msgid in asked]
        assert answers[:2] == [(None, None)] * 2 and all(error.startswith("DEAD ") for error, _ in answers[2:]), answers
        assert client.answer(request)["collected"] == MANY + 2
        return before - MANY < other.answer(count)["objects"]["live"] < before
    finally:
        server.close_clients()


@test_own
def condemned_objects_are_dead_to_weakrefs_and_proxies_while_they_go_in_slices():
    with Daemon(config=SLICED) as server:
        wait_until(lambda: look_at_condemned_objects(server), "a look in the middle")


@test_own
def it_runs_by_itself_when_containers_have_grown_in_number():
    with Daemon(config={"gc.growth": 100, "gc.percent": 0}) as server:
        client = server.client()
        before = live(client)
        for _ in range(200):
            client.call("release", *ring(client))
        wait_until(lambda: client.call("gc_info")["collected"] >= 400, "a collection that nobody asked for")
        client.call("gc")
        assert live(client) == before


@test_own
def without_it_cycles_stay():
    with Daemon(config={"gc.growth": 100, "gc.percent": 0}) as server:
        client = server.client()
        assert client.call("gc_config", {"enabled": False})["enabled"] is False
        for _ in range(200):
            client.call("release", *ring(client))
        info = client.call("gc_info")
        assert not info["enabled"] and not info["running"] and info["collected"] == 0, info
        assert client.call("gc")["collected"] == 600


@test_own
def gc_info_tells_statistics_and_settings():
    with Daemon(config=STILL) as server:
        client = server.client()
        client.call("release", *ring(client, 5))
        client.call("gc")
        info = client.call("gc_info")
        assert set(info) >= {"enabled", "generations", "collections", "collected", "longest_slice_us"}, info
        assert info["collections"] == 1 and info["collected"] == 5 and info["enabled"] is False
        assert isinstance(info["longest_slice_us"], int)
        assert sum(row["collections"] for row in info["generations"]) == 1
        assert client.call("stats", "gc")["gc"]["collected"] == 5


@test_own
def gc_config_changes_what_it_is_given_or_nothing():
    with Daemon(config=STILL) as server:
        client = server.client()
        before = client.call("gc_config")
        assert set(before) == {"enabled", "thresholds", "slice_us"}
        now = client.call("gc_config", {"enabled": True, "thresholds": [5000, 20], "slice_us": 700})
        assert now == {"enabled": True, "thresholds": [5000, 20], "slice_us": 700} == client.call("gc_config")
        for wrong in ({"slice_us": 0}, {"thresholds": [0, 1]}, {"thresholds": [1]}, {"enabled": 1}, {"thresholds": "x"}):
            client.fails("BAD_ARGS", "gc_config", {"enabled": False, **wrong})
        assert client.call("gc_config") == now
        assert client.call("gc_config", {"slice_us": 300}) == {**now, "slice_us": 300}


@test_own
def what_a_waiting_call_holds_is_no_garbage_and_counted():
    with Daemon(config={**STILL, "admin_from": "loopback"}) as server:
        client, other = server.client(), server.client()
        queue = client.call("call", "queue", "new")
        weak = client.call("weakref", queue)
        client.call("bind", ["global", "q"], queue)
        waiting = other.request("call", ["global", "q"], "take", [60.5])
        wait_until(lambda: client.call("refcount", queue) == 3, "the call that waits")
        client.call("unbind", ["global", "q"])
        client.call("release", queue.handle)
        assert client.call("gc")["collected"] == 0
        assert client.call("verify")["differences"] == []
        client.call("deref", weak, {"into": 1})
        client.of(1, "put", "late")
        assert other.answer(waiting) == "late"


@test_own
def a_session_that_leaves_in_the_middle_of_its_gc_leaves_the_collection_to_itself():
    with Daemon(config=SLICED) as server:
        client, other = server.client(), server.client()
        client.call("release", *ring(client, SLICES))
        client.request("gc")
        client.close()
        wait_until(lambda: other.call("stats", "sessions")["sessions"]["active"] == 1, "the end of the session")
        other.call("gc")
        assert other.call("gc_info")["collected"] == SLICES


run()
