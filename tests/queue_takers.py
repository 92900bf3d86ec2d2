"""queue_takers.py - semantics.md and protocol.md: the type `queue`, and `take`, which waits."""
import random
import time

from harness import Daemon, Failure, Ref, pack, run, test, test_alone, test_own, unique, wait_until


def queue(client, name="q"):
    held = client.of("queue", "new")
    client.call("bind", name, held)
    client.call("release", held)
    return name


def shared(client):
    """A queue that all sessions reach; the caller unbinds it."""
    return queue(client, ["global", unique("queue")])


def waiting(server, count):
    """Waits until so many calls wait in all."""
    client = server.client()
    wait_until(lambda: client.call("stats", "sessions")["sessions"]["waiting"] == count, f"{count} waiting calls")


def take(client, target, *args):
    """Sends a take; its msgid."""
    return client.request("call", target, "take", list(args))


# -- what needs no wait ----------------------------------------------------------------------------------------------


@test
def what_is_put_first_is_taken_first(server):
    client = server.client()
    q = queue(client)
    for i in range(1000):
        assert client.of(q, "put", i) is None
    assert client.of(q, "len") == 1000
    assert [client.of(q, "take") for _ in range(1000)] == list(range(1000)) and client.of(q, "len") == 0


@test
def puts_and_takes_in_turn_keep_the_order(server):
    client = server.client()
    q = queue(client)
    generator = random.Random(5)
    put = taken = 0
    for _ in range(300):
        count = generator.randrange(200)
        client.pipeline([("call", [q, "put", [put + i]]) for i in range(count)])
        put += count
        for error, item in client.pipeline([("call", [q, "take", []])] * generator.randrange(put - taken + 1)):
            assert error is None and item == taken
            taken += 1
    assert client.of(q, "len") == put - taken


@test
def a_queue_has_a_type_a_class_a_length_and_its_elements(server):
    client = server.client()
    q = queue(client)
    assert client.call("type", q) == "queue" and client.call("getattr", q, "__class__").type == "class"
    client.of(q, "put", [])
    client.of(q, "put", "x")
    info = client.call("info", q)
    assert (info["type"], info["len"], info["tracked"]) == ("queue", 2, True)
    first, second = client.call("referents", q)
    assert first.type == "list" and second == "x"
    assert client.call("is", first, client.of(q, "take")) is True
    assert client.of(q, "repr") == f"<queue object #{client.call('id', q)}>"
    assert client.of(q, "eq", {"@": q}) is True and client.of(q, "eq", client.of("queue", "new")) is False
    assert isinstance(client.of(q, "hash"), int)
    assert isinstance(client.call("read", q), Ref) and isinstance(client.call("get", q), Ref)


@test
def an_element_is_counted_and_told_as_a_referrer(server):
    client = server.client()
    q = queue(client)
    client.call("bind", "x", [])
    client.of(q, "put", {"@": "x"})
    client.of(q, "put", {"@": "x"})
    assert client.call("refcount", "x") == 3
    rows = [row for row in client.call("referrers", "x") if row["kind"] == "element"]
    assert len(rows) == 2 and all(row["type"] == "queue" for row in rows)
    client.call("release", *(row["container"] for row in rows))
    client.call("call", q, "take", [], {"result": "none"})
    assert client.call("refcount", "x") == 2
    client.call("unbind", q)
    assert client.call("refcount", "x") == 1


@test
def a_queue_makes_cycles_that_are_collected(server):
    client = server.client()
    q = queue(client)
    client.of(q, "put", [{"@": q}])
    weak = client.call("weakref", q, {"notify": True})
    client.call("unbind", q)
    client.call("gc")
    assert client.event()[1][1:] == ["cycle", [weak.handle]]


@test
def a_queue_cannot_be_copied_or_dumped(server):
    client = server.client()
    q = queue(client)
    client.call("bind", "l", [[{"@": q}]])
    for method in ("copy", "deepcopy", "dump"):
        client.fails("TYPE", method, q)
    client.fails("TYPE", "deepcopy", "l")
    client.fails("TYPE", "dump", "l")
    assert client.call("copy", "l").type == "list"


@test
def wrong_arguments_are_TYPE_and_VALUE(server):
    client = server.client()
    q = queue(client)
    client.fails("TYPE", "call", "queue", "new", [[1]])
    for method, args in (("put", []), ("put", [1, 2]), ("take", [1, 2]), ("take", ["1"]), ("take", [[]]), ("len", [1]),
                         ("close", [1])):
        client.fails("TYPE", "call", q, method, args)
    for timeout in (-1, -0.5, float("nan"), float("-inf")):
        client.fails("VALUE", "call", q, "take", [timeout])
    client.fails("NO_ATTR", "call", q, "get", [])
    assert client.of(q, "len") == 0


@test
def an_empty_queue_without_a_wait_is_TIMEOUT(server):
    client = server.client()
    q = queue(client)
    for nothing in (0, 0.0, False):
        client.fails("TIMEOUT", "call", q, "take", [nothing])
    client.of(q, "put", 5)
    assert client.of(q, "take", 0) == 5


@test
def a_closed_queue_gives_what_is_in_it_and_takes_nothing_in(server):
    client = server.client()
    q = queue(client)
    client.of(q, "put", 1)
    client.of(q, "put", 2)
    assert client.of(q, "close") is None and client.of(q, "close") is None
    client.fails("VALUE", "call", q, "put", [3])
    assert client.of(q, "take") == 1 and client.of(q, "take", 0) == 2
    client.fails("CANCELLED", "call", q, "take", [])
    client.fails("CANCELLED", "call", q, "take", [0])
    client.fails("CANCELLED", "call", q, "take", [5])


@test
def an_item_whose_answer_cannot_be_sent_stays(server):
    client = server.client()
    q = queue(client)
    client.call("bind", "ring", [])
    client.of("ring", "append", {"@": "ring"})
    client.of(q, "put", {"@": "ring"})
    client.of(q, "put", 5)
    client.fails("CYCLE", "call", q, "take", [], {"result": "value"})
    client.call("hold", q, {"into": 7})
    client.fails("HANDLE_IN_USE", "call", q, "take", [], {"into": 7})
    assert client.of(q, "len") == 2
    assert client.call("is", "ring", client.call("call", q, "take", [], {"into": 8})) is True
    assert client.call("call", q, "take", [], {"result": "none"}) is None and client.of(q, "len") == 0
    client.of("ring", "clear")


# -- waiting ---------------------------------------------------------------------------------------------------------


@test
def a_waiting_take_answers_when_something_is_put(server):
    taker, putter = server.client(), server.client()
    q = shared(putter)
    msgid = take(taker, q)
    waiting(server, 1)
    putter.of(q, "put", [1, 2])
    item = taker.answer(msgid)
    assert taker.call("read", item) == [1, 2] and putter.of(q, "len") == 0
    putter.call("unbind", q)


@test
def it_holds_up_neither_its_connection_nor_anybody_else(server):
    client = server.client()
    q = queue(client)
    msgid = take(client, q)
    assert client.call("ping", 5) == 5 and client.of(q, "len") == 0
    client.send(client.encode([0, 900, "call", [q, "put", ["x"]]]))
    assert client.frame() == pack([1, msgid, None, "x"])  # caused by the put, so before its answer
    assert client.frame() == pack([1, 900, None, None])


@test
def takers_of_all_sessions_are_served_in_the_order_they_came(server):
    putter = server.client()
    q = shared(putter)
    takers = [server.client() for _ in range(5)]
    calls = []
    for i in range(20):
        taker = takers[i * 7 % 5]
        calls.append((taker, take(taker, q)))
        waiting(server, i + 1)
    for i in range(20):
        putter.notify("call", q, "put", [i])
    for i, (taker, msgid) in enumerate(calls):
        assert taker.answer(msgid) == i
    putter.call("unbind", q)


@test
def nobody_who_comes_later_is_served_before(server):
    first, second, putter = server.client(), server.client(), server.client()
    q = shared(putter)
    msgid = take(first, q)
    waiting(server, 1)
    second.fails("TIMEOUT", "call", q, "take", [0])
    putter.of(q, "put", 1)
    putter.of(q, "put", 2)
    assert second.of(q, "take", 0) == 2 and first.answer(msgid) == 1
    putter.call("unbind", q)


@test
def time_out_comes_after_its_seconds_and_the_shortest_first(server):
    client = server.client()
    q = queue(client)
    times = {100: 0.4, 101: 0.05, 102: 0.2, 103: 0.1, 104: 0.3}
    begun = time.monotonic()
    client.send(b"".join(client.encode([0, msgid, "call", [q, "take", [seconds]]]) for msgid, seconds in times.items()))
    for msgid, seconds in sorted(times.items(), key=lambda item: item[1]):
        error, _ = client.response(msgid)
        assert error.startswith("TIMEOUT ") and time.monotonic() - begun >= seconds
    client.of(q, "put", 5)
    assert client.of(q, "take") == 5  # none of them has it


@test
def nil_and_infinity_are_no_limit(server):
    client = server.client()
    q = queue(client)
    calls = [take(client, q, None), take(client, q, float("inf")), take(client, q, 1e300), take(client, q)]
    for i in range(4):
        client.notify("call", q, "put", [i])
    for i, msgid in enumerate(calls):
        assert client.answer(msgid) == i


@test
def close_cancels_all_who_wait(server):
    client, other = server.client(), server.client()
    q = shared(client)
    calls = [(other, take(other, q)), (other, take(other, q, 50))]
    waiting(server, 2)
    calls.append((client, take(client, q)))
    client.notify("call", q, "close", [])
    for waiter, msgid in calls:
        error, _ = waiter.response(msgid)
        assert error.startswith("CANCELLED ")
    client.call("unbind", q)


@test
def a_waiting_call_counts_as_a_reference_to_its_queue_and_argument(server):
    client, other = server.client(), server.client()
    q = shared(client)
    client.call("bind", ["global", q[1] + "t"], 1000.5)
    other.request("call", q, "take", [{"@": ["global", q[1] + "t"]}])
    waiting(server, 1)
    assert client.call("refcount", q) == 2 and client.call("refcount", ["global", q[1] + "t"]) == 2
    assert "pin" in [row["kind"] for row in client.call("referrers", q)]
    weak = client.call("weakref", q, {"notify": True})
    client.call("unbind", q)
    client.call("gc")
    assert client.call("deref", weak).type == "queue" and client.events == []
    client.call("unbind", ["global", q[1] + "t"])
    other.call("bye")


@test
def a_taker_that_ends_takes_nothing_and_lets_its_queue_go(server):
    client = server.client()
    q = shared(client)
    for end in ("close", "bye", "half"):
        gone, stays = server.client(), server.client()
        take(gone, q)
        waiting(server, 1)
        msgid = take(stays, q)
        waiting(server, 2)
        if end == "bye":
            gone.notify("bye")
        elif end == "half":
            gone.half_close()
        else:
            gone.close()
        waiting(server, 1)
        client.of(q, "put", end)
        assert stays.answer(msgid) == end
    weak = client.call("weakref", q, {"notify": True})
    client.call("unbind", q)
    assert client.event()[1][1:] == ["count", [weak.handle]]


@test
def after_a_half_close_waiting_calls_are_cancelled(server):
    client = server.client()
    q = queue(client)
    first = take(client, q)
    client.call("ping")
    client.half_close()
    error, _ = client.response(first)
    assert error.startswith("CANCELLED ") and client.receive() is None


@test
def a_take_that_arrived_with_the_half_close_does_not_wait(server):
    client = server.client()
    q = queue(client)
    client.send(client.encode([0, 1, "ping", []]) + client.encode([0, 2, "call", [q, "take", []]]))
    client.half_close()
    assert client.frame() == pack([1, 1, None, None])
    assert client.receive()[2].startswith("CANCELLED ") and client.receive() is None


@test
def a_notification_takes_and_keeps_with_into(server):
    client = server.client()
    q = queue(client)
    client.notify("call", q, "take", [], {"into": 5})
    client.notify("call", q, "take", [])
    client.call("bind", "x", [])
    weak = client.call("weakref", "x", {"notify": True})
    client.of(q, "put", ["kept"])
    client.of(q, "put", {"@": "x"})
    assert client.call("read", 5) == ["kept"] and client.of(q, "len") == 0
    client.call("unbind", "x")
    assert client.event()[1][2] == [weak.handle]


@test
def options_hold_for_the_late_answer(server):
    client = server.client()
    q = queue(client)
    calls = [client.request("call", q, "take", [], options)
             for options in ({"into": 5}, {"result": "value"}, {"result": "none"}, {"result": "handle"}, {"into": 6})]
    client.call("hold", q, {"into": 6})
    for item in ("a", [[1]], [2], 3, "stays"):
        client.notify("call", q, "put", [item])
    kept = client.answer(calls[0])
    assert (kept.handle, kept.type) == (5, "str") and client.answer(calls[1]) == [[1]]
    assert client.answer(calls[2]) is None and client.answer(calls[3]).type == "int"
    error, _ = client.response(calls[4])
    assert error.startswith("HANDLE_IN_USE ") and client.of(q, "take", 0) == "stays"


@test
def an_item_that_one_taker_cannot_get_goes_to_the_next(server):
    client, other = server.client(), server.client()
    q = shared(client)
    client.call("bind", "ring", [])
    client.of("ring", "append", {"@": "ring"})
    refused = client.request("call", q, "take", [], {"result": "value"})
    waiting(server, 1)
    msgid = take(other, q)
    waiting(server, 2)
    client.notify("call", q, "put", [{"@": "ring"}])
    error, _ = client.response(refused)
    assert error.startswith("CYCLE ") and other.answer(msgid).type == "list"
    client.of("ring", "clear")
    client.call("unbind", q)


@test
def a_bound_method_and_a_proxy_wait_as_well(server):
    client = server.client()
    q = queue(client)
    method = client.call("getattr", q, "take")
    proxy = client.call("proxy", q)
    calls = [client.request("call", method, "call", []), take(client, proxy)]
    client.notify("call", q, "put", [1])
    client.notify("call", proxy, "put", [2])
    assert [client.answer(msgid) for msgid in calls] == [1, 2]


@test
def a_put_dies_with_its_item_in_a_queue_that_nobody_holds(server):
    client = server.client()
    q = queue(client)
    client.call("bind", "x", [])
    weak = client.call("weakref", "x", {"notify": True})
    client.of(q, "put", {"@": "x"})
    client.call("unbind", "x")
    client.call("unbind", q)
    assert client.event()[1][1:] == ["count", [weak.handle]]


@test_own
def waiting_calls_are_bounded():
    with Daemon(config={"limits.waiting": 3}) as server:
        client, other = server.client(), server.client()
        assert client.hello()["limits"]["waiting"] == 3
        q = shared(client)
        calls = [take(client, q) for _ in range(3)]
        client.fails("LIMIT", "call", q, "take", [])
        client.fails("TIMEOUT", "call", q, "take", [0])
        msgid = take(other, q)  # each session has its own
        waiting(server, 4)
        for i in range(4):
            other.notify("call", q, "put", [i])
        assert [client.answer(call) for call in calls] == [0, 1, 2] and other.answer(msgid) == 3
        client.call("unbind", q)


@test_own
def who_waits_is_not_idle():
    with Daemon(config={"admin_from": "loopback"}) as server:
        client, idle = server.client(), server.client()
        msgid = take(client, queue(client), 1.2)
        with server.idle_timeout():
            assert idle.event()[0] == "bye"
            error, _ = client.response(msgid)
            assert error.startswith("TIMEOUT ")


@test_own
def time_in_which_the_server_stood_still_is_not_charged():
    with Daemon() as server:
        client, other = server.client(), server.client()
        q = shared(client)
        msgid = take(client, q, 2.5)
        waiting(server, 1)
        with server.held_still():
            time.sleep(3)
            put = other.request("call", q, "put", ["in time"])
        assert client.answer(msgid) == "in time" and other.answer(put) is None
        client.call("unbind", q)


@test_own
def a_daemon_that_ends_says_bye_to_those_who_wait():
    with Daemon() as server:
        client = server.client()
        q = queue(client)
        take(client, q)
        client.call("ping")
        server.signal(15)
        assert client.receive()[:2] == [2, "bye"] and client.receive() is None
        server.wait()


# -- a model ---------------------------------------------------------------------------------------------------------


class Model:
    """A queue by the sentences of semantics.md: items, and calls that wait for them."""

    def __init__(self):
        self.items, self.takers, self.is_closed = [], [], False

    def take(self, who, can_wait):
        if self.items:
            return self.items.pop(0)
        if self.is_closed:
            return "CANCELLED"
        if not can_wait:
            return "TIMEOUT"
        self.takers.append(who)
        return None

    def put(self, item):
        if self.is_closed:
            return "VALUE"
        self.items.append(item)
        return None

    def served(self):
        """Who is answered now, and how."""
        pairs = []
        while self.takers and self.items:
            pairs.append((self.takers.pop(0), self.items.pop(0)))
        while self.takers and self.is_closed:
            pairs.append((self.takers.pop(0), "CANCELLED"))
        return pairs


def outcome(client, msgid):
    error, result = client.response(msgid)
    return error.split(" ")[0] if error is not None else result


@test
def random_puts_and_takes_of_several_sessions_go_as_in_a_model(server):
    generator = random.Random(41)
    for _ in range(12):
        clients = [server.client() for _ in range(4)]
        q = shared(clients[0])
        model = Model()
        for step in range(250):
            client = generator.choice(clients)
            action = generator.random()
            if action < 0.45:
                can_wait = generator.random() < 0.7
                msgid = take(client, q) if can_wait else take(client, q, 0)
                expected = model.take((client, msgid), can_wait)
                if expected is not None:
                    assert outcome(client, msgid) == expected
                else:
                    client.call("ping")
                continue
            is_close = action > 0.995
            expected = None if is_close else model.put(step)
            if is_close:
                model.is_closed = True
            msgid = client.request("call", q, "close" if is_close else "put", [] if is_close else [step])
            pairs = model.served()
            for (taker, call), item in pairs:
                if taker is client:
                    assert outcome(taker, call) == item
            assert outcome(client, msgid) == expected
            for (taker, call), item in pairs:
                if taker is not client:
                    assert outcome(taker, call) == item
            assert client.of(q, "len") == len(model.items)
            if len(clients) > 2 and generator.random() < 0.01:
                gone = clients.pop(generator.randrange(1, len(clients)))
                gone.call("bye")
                model.takers = [taker for taker in model.takers if taker[0] is not gone]
                waiting(server, len(model.takers))
        clients[0].call("unbind", q)
        for client in clients:
            client.call("bye")
        waiting(server, 0)


run()
