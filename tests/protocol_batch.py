"""protocol_batch.py - protocol.md: `batch`, many calls as one atomic step."""
import random

from harness import Daemon, Ref, pack, run, test, test_own, unique, wait_until


def batch(client, *steps):
    return client.call("batch", [[method, list(params)] for method, *params in steps])


def refused(client, code, k, *steps):
    """The batch fails with this code at step k; its text."""
    text = client.fails(code, "batch", [[method, list(params)] for method, *params in steps])
    assert text.endswith(f" (at step {k})"), text
    return text


# -- results ---------------------------------------------------------------------------------------------------------


@test
def it_answers_the_result_of_each_step_in_order(server):
    client = server.client()
    results = batch(client, ("bind", "a", [1, 2]), ("call", "a", "append", [3]), ("call", "a", "len"), ("read", "a"),
                    ("get", "a"), ("type", "a"), ("unbind", "a"), ("names",), ("release",))
    assert results[:4] == [True, None, 3, [1, 2, 3]] and results[5:] == ["list", True, [], 0]
    assert client.call("read", results[4]) == [1, 2, 3]


@test
def an_empty_batch_is_an_empty_array(server):
    assert batch(server.client()) == []


@test
def its_frame_is_one_response_in_both_dialects(server):
    client = server.client()
    client.send(pack([0, 77, "batch", [[["ping", [5]], [b"ping", []]]]]))
    assert client.frame() == pack([1, 77, None, [5, None]])
    client.hello(refs="ext")
    made, again = batch(client, ("new", [1]), ("new", [2]))
    assert isinstance(made, Ref) and client.call("read", made) == [1] and client.call("read", again) == [2]


@test
def later_steps_use_what_earlier_ones_kept(server):
    client = server.client()
    results = batch(client, ("new", [1], {"into": 1}), ("bind", "a", {"@": 1}), ("call", 1, "append", [2]),
                    ("get", "a", {"result": "value"}), ("release", 1))
    assert results[3] == [1, 2] and client.call("refcount", "a") == 1


@test
def options_hold_for_each_step(server):
    client = server.client()
    results = batch(client, ("new", [1], {"result": "none"}), ("new", 5, {"result": "value"}),
                    ("bind", "a", 1, {"if": "present"}), ("ping", [[1]]))
    assert results[:3] == [None, 5, False] and isinstance(results[3], Ref)
    assert client.call("stats", "sessions")["sessions"]["handles"] == 1


@test
def a_notification_runs_and_answers_nothing(server):
    client = server.client()
    client.notify("batch", [["bind", ["a", [1]]], ["new", [[2]]], ["hold", ["a", {"into": 3}]]])
    assert client.is_silent() and client.call("read", 3) == [1]
    client.notify("batch", [["bind", ["b", 1]], ["get", ["nobody"]], ["bind", ["c", 1]]])
    assert client.is_silent() and client.call("names") == ["a", "b"]


@test
def results_are_nested_one_level_deeper(server):
    client = server.client()
    deep = 5
    for _ in range(30):
        deep = [deep]
    client.call("bind", "a", deep)
    assert batch(client, ("read", "a")) == [deep]
    client.call("bind", "b", [deep])
    assert client.call("read", "b") == [deep]
    refused(client, "LIMIT", 0, ("read", "b"))


# -- failing ---------------------------------------------------------------------------------------------------------


@test
def it_stops_at_the_first_error_and_earlier_steps_stand(server):
    client = server.client()
    text = refused(client, "NO_NAME", 2, ("bind", "a", 1), ("bind", "b", 2), ("get", "nobody"), ("bind", "c", 3))
    assert "nobody" in text and client.call("names") == ["a", "b"]


@test
def what_a_failed_batch_was_given_numbers_for_is_released_and_into_is_kept(server):
    client = server.client()
    client.call("bind", "x", [])
    weak = client.call("weakref", "x", {"notify": True})
    refused(client, "NO_NAME", 3, ("get", "x"), ("new", [{"@": "x"}]), ("new", [1], {"into": 5}), ("get", "nobody"))
    assert client.call("stats", "sessions")["sessions"]["handles"] == 2
    assert client.call("read", 5) == [1] and client.call("refcount", "x") == 1
    client.call("unbind", "x")
    assert client.event()[1][1:] == ["count", [weak.handle]]


@test
def every_kind_of_error_names_its_step(server):
    client = server.client()
    refused(client, "NO_METHOD", 1, ("ping",), ("nonsense",))
    refused(client, "BAD_ARGS", 1, ("ping",), ("bind", "a"))
    refused(client, "BAD_ARGS", 0, ("bind", "a", 1, {"nonsense": 1}))
    refused(client, "NO_HANDLE", 0, ("get", 99))
    refused(client, "VALUE", 0, ("call", "int", "new", ["x"]))
    refused(client, "HANDLE_IN_USE", 1, ("new", [], {"into": 5}), ("new", [], {"into": 5}))
    refused(client, "NO_NAME", 0, ("get", "long" * 1000))
    for step in (5, [], ["ping"], ["ping", [], 1], ["ping", {}], [5, []], [None, []]):
        assert client.fails("BAD_ARGS", "batch", [["ping", []], step]).endswith(" (at step 1)")
    client.fails("BAD_ARGS", "batch")
    client.fails("BAD_ARGS", "batch", 5)
    client.fails("BAD_ARGS", "batch", [], [])


@test
def an_error_as_a_pair_names_the_step_too(server):
    client = server.client(errors="pair")
    error, _ = client.response(client.request("batch", [["get", ["nobody"]]]))
    assert error[0] == 0 and error[1].endswith(" (at step 0)")


@test
def what_may_not_stand_in_a_batch_is_BAD_ARGS(server):
    client = server.client()
    client.call("bind", "a", [])
    client.call("bind", "q", client.of("queue", "new"))
    client.of("q", "put", 5)
    for step in (("hello", {}), ("bye",), ("batch", []), ("gc",), ("path", "a"), ("referrers", "a"), ("verify",),
                 ("info", "a", {"holders": True}), ("call", "q", "take"), ("call", "q", "take", [0])):
        refused(client, "BAD_ARGS", 1, ("ping",), step)
    assert client.of("q", "len") == 1 and client.call("info", "a")["refcount"] == 1


@test_own
def the_work_limit_is_one_for_all_steps():
    with Daemon(config={"limits.work": 1000}) as server:
        client = server.client()
        client.call("bind", "l", list(range(400)))
        assert client.of("l", "repr") and batch(client, ("read", "l"), ("read", "l"))[1] == list(range(400))
        refused(client, "LIMIT", 3, ("read", "l"), ("bind", "a", 1), ("read", "l"), ("read", "l"))
        assert client.call("get", "a") == 1
        client.fails("LIMIT", "batch", [["ping", []]] * 1001)


@test_own
def results_that_are_too_large_together_are_LIMIT():
    with Daemon(config={"limits.output": 65536, "limits.read": 65536}) as server:
        client = server.client()
        client.call("bind", "s", "x" * 60000)
        assert batch(client, ("get", "s"))[0] == "x" * 60000
        text = client.fails("LIMIT", "batch", [["get", ["s"]]] * 10)
        assert "(at step" in text and client.call("ping", 1) == 1


# -- deaths and events -----------------------------------------------------------------------------------------------


@test
def events_are_told_once_at_the_end_before_the_response(server):
    client = server.client()
    client.call("watch", "*", {"glob": True})
    for name in "ab":
        client.call("bind", name, [])
        client.call("weakref", name, {"notify": True, "into": ord(name)})
    client.events.clear()
    client.send(pack([0, 900, "batch", [[["unbind", ["a"]], ["unbind", ["b"]], ["bind", ["c", True]]]]]))
    assert [client.receive()[2][2:4] for _ in range(3)] == [["a", "unbound"], ["b", "unbound"], ["c", "bound"]]
    assert client.receive()[1:] == ["dead", [6, "count", [97, 98]]]
    assert client.frame() == pack([1, 900, None, [True] * 3])


@test
def events_of_a_failed_batch_come_before_its_error(server):
    client = server.client()
    client.call("bind", "a", [])
    weak = client.call("weakref", "a", {"notify": True})
    client.send(pack([0, 901, "batch", [[["unbind", ["a"]], ["get", ["a"]]]]]))
    assert client.frame() == pack([2, "dead", [1, "count", [weak.handle]]])
    assert client.receive()[:2] == [1, 901]


@test
def what_a_step_dooms_is_dead_for_the_next_one(server):
    client = server.client()
    client.call("bind", "a", [[1000]])
    inner = client.call("weakref", client.of("a", "get", 0))
    client.call("release", 2 ** 31)
    assert batch(client, ("deref", inner, {"result": "none"}), ("unbind", "a"), ("deref", inner))[2] is None


@test
def ten_thousand_objects_die_between_steps_and_the_rest_after_the_last(server):
    client = server.client()
    client.pipeline([("bind", ["a", []])] + [("call", ["a", "append", [[i]]]) for i in range(12000)])
    elements = {}
    for at in (9000, 11000):
        element = client.of("a", "get", at)
        elements[at] = client.call("weakref", element, {"notify": True})
        client.call("release", element)
    early, late = batch(client, ("unbind", "a"), ("deref", elements[9000]), ("deref", elements[11000], {"into": 7}))[1:]
    assert early is None and late.type == "list"
    assert client.event()[1][1:] == ["count", [elements[9000].handle]]
    client.call("release", 7)
    assert client.event()[1][1:] == ["count", [elements[11000].handle]]


@test
def nobody_sees_a_batch_half_done(server):
    name = ["global", unique("pair")]
    writer, reader = server.client(), server.client()
    writer.call("bind", name, [0, 0])
    sent = []
    for i in range(1, 300):
        sent.append(writer.request("batch", [["call", [name, "set", [0, i]]], ["call", [name, "set", [1, i]]]]))
        first, second = reader.call("read", name)
        assert first == second
    for msgid in sent:
        assert writer.answer(msgid) == [None, None]
    writer.call("unbind", name)


@test
def who_waits_for_a_queue_is_served_when_the_batch_is_done(server):
    client, taker = server.client(), server.client()
    q = ["global", unique("queue")]
    client.call("bind", q, client.of("queue", "new"))
    msgids = [taker.request("call", q, "take", []) for _ in range(2)]
    wait_until(lambda: client.call("stats", "sessions")["sessions"]["waiting"] == 2, "two waiting calls")
    assert batch(client, ("call", q, "put", [1]), ("call", q, "put", [2]), ("call", q, "put", [3]),
                 ("call", q, "len"))[3] == 3
    assert [taker.answer(msgid) for msgid in msgids] == [1, 2] and client.of(q, "len") == 1
    client.call("unbind", q)


@test_own
def ten_wrong_tokens_end_the_connection_in_batches_too():
    with Daemon() as server:
        client = server.client()
        for _ in range(9):
            client.fails("DENIED", "batch", [["claim", ["0" * 32]]])
        client.request("batch", [["bind", ["a", 1]], ["claim", ["0" * 32]]])
        assert client.receive()[1] == "bye"
        assert client.receive()[2].startswith("DENIED ") and client.receive() is None


# -- a model ---------------------------------------------------------------------------------------------------------


@test
def random_batches_do_what_their_calls_do_one_by_one(server):
    generator = random.Random(3)
    together, alone = server.client(), server.client()
    names = "abc"

    def step():
        name = generator.choice(names)
        return generator.choice((
            ["bind", [name, generator.randrange(1000)]], ["bind", [name, [generator.randrange(1000)]]],
            ["unbind", [name]], ["get", [name, {"result": "value"}]], ["refcount", [name]],
            ["call", [name, "append", [5]]], ["call", [name, "pop", []]], ["names", []], ["type", [name]],
            ["bind", [name, {"@": generator.choice(names)}]]))

    for _ in range(1500):
        steps = [step() for _ in range(generator.randrange(6))]
        error, results = together.response(together.request("batch", steps))
        expected = []
        for k, (method, params) in enumerate(steps):
            wrong, result = alone.response(alone.request(method, *params))
            if wrong is not None:
                assert error.split(" ")[0] == wrong.split(" ")[0] and error.endswith(f" (at step {k})")
                break
            expected.append(result)
        else:
            assert error is None and results == expected
        assert together.call("names") == alone.call("names")


run()
