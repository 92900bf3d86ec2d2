"""protocol_copies.py - copies in slices: others are served meanwhile, and the copy is of one instant all the same."""
import contextlib
import operator
import random

from harness import Daemon, Ref, pack, run, test_own, wait_until

MANY = 60000  # references of a graph that keeps a copy going on for long, one a slice


class Stage(Daemon):
    """A daemon with small slices, whose clients are administrators; what is left in `global` goes with it."""

    def __init__(self, slice_objects, **config):
        super().__init__(config={"slice_objects": slice_objects, "admin_from": "loopback", **config})

    def __exit__(self, kind, error, trace):
        if kind is None:
            client = self.client()
            for name in client.call("names", "global"):
                client.call("unbind", ["global", name])
            self.close_clients()
            client = self.client()
            wait_until(lambda: client.call("stats", "sessions")["sessions"]["active"] == 1, "the sessions to end")
            client.call("gc")
        super().__exit__(kind, error, trace)


def begin(client, method, *params):
    """Sends a request that comes to be run right behind a ping: it has begun when the ping is answered."""
    client.msgid += 2
    client.send(client.encode([0, client.msgid - 1, "ping", []]) + client.encode([0, client.msgid, method, list(params)]))
    assert client.answer(client.msgid - 1) is None
    return client.msgid


@contextlib.contextmanager
def at_once(server, first):
    """What is sent meanwhile comes at once: what `first` sends before the rest, as whoever spoke last is looked at first."""
    first.call("ping")
    with server.held_still():
        yield


def look(client):
    """Asks how many sessions have a request that is not done: it goes on in slices, or waits. working() takes the answer."""
    return client.request("stats", "server")


def working(client, request):
    return client.answer(request)["server"]["working"]


def session_left_nothing(server, other, base, end):
    """Once it has ended, there are as many sessions and objects as in `base`."""
    wait_until(lambda: server.gauges(other)["sessions.active"] == base["sessions.active"], "the session's end")
    other.call("gc")
    assert server.gauges(other)["objects.live"] == base["objects.live"], end


def large(client, name="x"):
    client.call("bind", ["global", name], [[n] for n in range(MANY // 2)])


@test_own
def others_are_served_while_a_copy_goes_on():
    with Stage(1) as server:
        client, other = server.client(), server.client()
        large(client)
        requests = [(("ping", 1), 1)] * 100 + [
            (("bind", "mine", [1, 2]), True), (("bind", ["global", "y"], 5), True), (("unbind", ["global", "y"]), True),
            (("call", "x", "len"), MANY // 2), (("call", "mine", "get", [0]), 1),
            (("batch", [["ping", [1]], ["get", [["global", "x"], {"result": "none"}]]]), [1, None])]
        with at_once(server, client):
            copying = client.request("deepcopy", "x", {"into": 1})
            asked = [(other.request(*request), expected) for request, expected in requests]
            after = look(other)
        for request, expected in asked:
            assert other.answer(request) == expected
        assert working(other, after) == 1
        assert client.answer(copying).handle == 1
        assert client.call("read", 1) == [[n] for n in range(MANY // 2)]


LONG = [("deepcopy", "x", {"into": 1}), ("dump", "x"), ("read", "x"), ("get", "x", {"result": "value"}),
        ("call", "x", "repr"), ("call", "x", "eq", [{"@": "same"}]), ("call", "x", "le", [{"@": "same"}])]


@test_own
def others_are_served_whatever_is_long():
    with Stage(1) as server:
        client, other, witness = server.client(), server.client(), server.client()
        large(client)
        large(client, "same")
        for params in LONG:
            with at_once(server, client):
                request = client.request(*params)
                write = other.request("call", "x", "set", [0, [0]])
                after = look(witness)
            assert working(witness, after) == 2, params  # the write waits
            client.answer(request)
            assert other.answer(write) is None
            client.call("release", 1)


@test_own
def what_is_made_meanwhile_may_be_changed_meanwhile():
    with Stage(1) as server:
        client, other = server.client(), server.client()
        large(client)
        with at_once(server, client):
            copying = client.request("deepcopy", "x", {"into": 1})
            asked = [other.request("bind", "mine", [1]), other.request("call", "mine", "append", [2]),
                     other.request("read", "mine")]
            after = look(other)
        assert [other.answer(request) for request in asked] == [True, None, [1, 2]]
        assert working(other, after) == 1
        client.answer(copying)


def writers(client):
    """[(what changes, request that changes it, how it reads afterwards)] of things in the graph `g`, one of each kind."""
    client.call("class", "C", {"into": 1})
    client.call("bind", ["global", "C"], Ref(1, 0, ""))
    for n in range(2, 10):
        client.call("call", Ref(1, 0, ""), "new", [], {"into": n})
    named = [Ref(n, 0, "") for n in range(2, 10)]
    for ref in named:
        client.call("setattr", ref, "a", 1)
    client.call("bind", ["global", "l"], [1, 2, 3])
    client.call("bind", ["global", "d"], {"k": 1, "n": 5})
    client.call("call", "set", "new", [[1, 2, 3]], {"into": 11})
    client.call("bind", ["global", "s"], Ref(11, 0, ""))
    client.call("bind", ["global", "o"], named[0])
    client.call("getattr", "l", "append", {"into": 12})
    client.call("bind", ["global", "m"], Ref(12, 0, ""))
    client.call("proxy", "l", {"into": 13})
    client.call("bind", ["global", "p"], Ref(13, 0, ""))
    return [
        ("call", "l", "append", [4]), ("call", "l", "extend", [[5, 6]]), ("call", "l", "insert", [0, 9]), ("call", "l", "pop"),
        ("call", "l", "set", [0, 7]), ("call", "l", "remove", [2]), ("call", "l", "reverse"), ("call", "l", "sort"),
        ("call", "l", "del", [0]), ("call", "p", "append", [8]), ("call", "m", "call", [10]), ("call", "l", "clear"),
        ("call", "d", "set", ["x", 1]), ("call", "d", "del", ["k"]), ("call", "d", "add", ["n"]), ("call", "d", "update", [{"z": 1}]),
        ("call", "d", "setdefault", ["q", 1]), ("call", "d", "popitem"), ("call", "d", "pop", ["n"]), ("call", "d", "clear"),
        ("call", "s", "add", [9]), ("call", "s", "discard", [1]), ("call", "s", "remove", [2]), ("call", "s", "pop"), ("call", "s", "clear"),
        ("setattr", "o", "b", 2), ("call", "o", "add", ["a"]), ("delattr", "o", "a"), ("setattr", "C", "c", 3),
        ("batch", [["setattr", ["o", "e", 5]], ["call", ["l", "append", [11]]]]),
    ]


@test_own
def every_write_waits_for_the_copy_and_then_is_done():
    with Stage(3) as server:
        client, other, witness = server.client(), server.client(), server.client()
        large(client)
        requests = writers(client)
        graph = [{"@": name} for name in ("l", "d", "s", "o")]
        client.call("bind", ["global", "g"], [{"@": "x"}] + graph)
        for request in requests:
            before = [client.call("read", name) for name in ("l", "d", "s")]
            with at_once(server, client):
                copying = client.request("deepcopy", "g", {"into": 100})
                writing = other.request(*request)
                after = look(witness)
            assert working(witness, after) == 2, request
            client.answer(copying)
            copy = [client.call("read", ref) for ref in client.call("referents", 100)[1:4]]
            assert copy == before, (request, copy, before)
            error, _ = other.response(writing)
            assert error is None, (request, error)
            client.call("release", 100)


@test_own
def a_read_is_the_same_whatever_others_write_meanwhile():
    with Stage(3) as server:
        client, other = server.client(), server.client()
        large(client)
        requests = writers(client)
        client.call("bind", ["global", "g"], [{"@": "x"}] + [{"@": name} for name in ("l", "d", "s")])
        for request in requests:
            if request[1] in ("o", "C"):
                continue
            before = client.call("read", "g")
            with at_once(server, client):
                reading = client.request("read", "g")
                writing = other.request(*request)
            assert client.answer(reading) == before, request
            error, _ = other.response(writing)
            assert error is None, (request, error)
            assert client.call("read", "g") != before, request


@test_own
def repr_and_comparisons_are_of_one_instant_whatever_others_write_meanwhile():
    with Stage(3) as server:
        client, other, third, asker = [server.client() for _ in range(4)]
        large(client)
        requests = writers(client)
        client.call("bind", ["global", "g"], [{"@": "x"}] + [{"@": name} for name in ("l", "d", "s")])
        for request in requests:
            if request[1] in ("o", "C"):
                continue
            before = client.of("g", "repr")
            client.call("bind", ["global", "same"], client.call("deepcopy", "g", {"into": 100}))
            client.call("release", 100)
            with at_once(server, client):
                asking = [client.request("call", "g", "repr"), third.request("call", "g", "eq", [{"@": "same"}]),
                          asker.request("call", "g", "ge", [{"@": "same"}])]
                writing = other.request(*request)
            answers = [one.answer(msgid) for one, msgid in zip((client, third, asker), asking)]
            assert answers == [before, True, True], (request, answers[1:])
            error, _ = other.response(writing)
            assert error is None, (request, error)
            assert client.of("g", "repr") != before, request
            assert client.of("g", "ne", {"@": "same"}) is True, request


@test_own
def repr_in_slices_is_that_in_one_go():
    with Stage(1) as server:
        client, other = server.client(), server.client()
        large(client)
        client.call("bind", "é", "ä")
        client.call("bind", ["global", "deep"], [])
        for n in range(3000):  # deeper than a slice ends
            client.call("bind", ["global", "deep"], [n, {"@": "deep"}, "é" if n % 2 else b"\x00"])
        client.call("call", "tuple", "new", [[1.5, {"@": "deep"}]], {"into": 1})
        client.call("weakref", "x", {"into": 2})
        client.call("call", "set", "new", [[1, "two", None]], {"into": 3})
        client.call("bind", ["global", "g"], [Ref(1, 0, ""), {"k": {"@": "x"}}, Ref(2, 0, ""), Ref(3, 0, "")])
        client.of("g", "append", {"@": "g"})
        client.call("bind", ["global", "loop"], [{"@": "x"}])
        client.of("loop", "append", {"@": "loop"})
        for name in ("deep", "g", "loop", "x"):
            (expected,) = client.call("batch", [["call", [name, "repr"]]])
            with at_once(server, client):
                sliced = [client.request("call", name, "repr"), other.request("call", name, "repr"),
                          other.request("call", "x", "repr")]
            assert client.answer(sliced[0]) == expected and other.answer(sliced[1]) == expected, name
            assert len(other.answer(sliced[2])) > MANY
            assert client.of(client.call("call", name, "repr", [], {"result": "handle", "into": 9}), "len") == len(expected)
            client.call("release", 9)
        for name in ("g", "loop"):
            client.of(name, "clear")


def random_value(rng, depth=0):
    """A value that travels, whose like comes up again."""
    kind = rng.randrange(6 if depth < 4 else 3)
    if kind < 3:
        return rng.choice([rng.randrange(3), 1.0, "a", "b"]) if kind < 2 else rng.randrange(2)
    if kind == 5:
        return {rng.choice("abc"): random_value(rng, depth + 1) for _ in range(rng.randrange(3))}
    return [random_value(rng, depth + 1) for _ in range(rng.randrange(4))]


@test_own
def comparisons_in_slices_are_those_of_python():
    rng = random.Random(5)
    told = {True: 0, False: 0, "TYPE": 0}
    with Stage(1) as server:
        client = server.client()
        for _ in range(1500):
            a = [random_value(rng) for _ in range(3)]
            b = a[:2] + [random_value(rng)] if rng.random() < 0.5 else [random_value(rng) for _ in range(3)]
            client.call("bind", "a", a)
            for op in ("eq", "ne", "lt", "le", "gt", "ge"):
                try:
                    expected = getattr(operator, op)(a, b)
                except TypeError:
                    expected = "TYPE"
                error, result = client.response(client.request("call", "a", op, [b]))
                result = result if error is None else error.split()[0]
                assert result == expected, (a, op, b, error, result)
                told[expected] += 1
    assert min(told.values()) > 100, told


@test_own
def sets_in_slices_are_compared_as_in_python():
    with Stage(1) as server:
        client = server.client()
        sets = [set(range(n)) for n in (0, 1, 50)] + [set(range(1, 51)), {None, "a", (1, 2)}, {"a", None, (1, 2)}]
        for at, one in enumerate(sets):
            client.call("call", "tuple", "new", [[1, 2]], {"into": 99})
            client.call("call", "set", "new", [[Ref(99, 0, "") if item == (1, 2) else item for item in one]], {"into": at + 1})
            client.call("release", 99)
        for i, a in enumerate(sets):
            for j, b in enumerate(sets):
                for op in ("eq", "ne", "lt", "le", "gt", "ge"):
                    expected = getattr(operator, op)(a, b)
                    got = [client.of(i + 1, op, Ref(j + 1, 0, "")), client.call("new", [Ref(i + 1, 0, "")], {"into": 50})]
                    got[1] = client.of(50, op, [Ref(j + 1, 0, "")])
                    client.call("release", 50)
                    in_list = expected if op in ("eq", "ne") else getattr(operator, op)([a], [b])
                    assert got == [expected, in_list], (a, op, b, got)


@test_own
def a_long_look_beyond_a_limit_says_so_and_lets_writers_go_on():
    with Stage(7) as server:
        client, other = server.client(), server.client()
        large(client)
        large(client, "same")
        client.call("config_set", "limits.work", MANY // 3)
        for params in (("call", "x", "repr"), ("call", "x", "eq", [{"@": "same"}])):
            with at_once(server, client):
                looking = client.request(*params)
                write = other.request("call", "x", "set", [0, [0]])
            error, _ = client.response(looking)
            assert error.startswith("LIMIT ") and "limits.work" in error, error
            assert other.answer(write) is None


@test_own
def a_client_that_leaves_in_the_middle_of_a_look_lets_writers_go_on():
    with Stage(1) as server:
        writer, witness = server.client(), server.client()
        large(writer)
        large(writer, "same")
        for params in (("call", "x", "repr"), ("call", "x", "eq", [{"@": "same"}])):
            client = server.client()
            with at_once(server, client):
                client.request(*params)
                write = writer.request("call", "x", "set", [0, [0]])
                after = look(witness)
            assert working(witness, after) == 2, params
            client.close()
            assert writer.answer(write) is None
            assert witness.call("verify")["differences"] == []


@test_own
def what_dies_meanwhile_is_told_as_it_was_when_it_was_met():
    """A graph with weak references: all of them are looked at in one instant."""
    with Stage(1) as server:
        client, other = server.client(), server.client()
        large(client)
        other.call("bind", "target", [1])
        client.call("bind", ["global", "weak"], [])
        for _ in range(50):
            other.call("weakref", "target", {"into": 1})
            other.call("call", ["global", "weak"], "append", [Ref(1, 0, "")])
            other.call("release", 1)
        client.call("bind", ["global", "g"], [{"@": "x"}, {"@": "weak"}, {"@": "x"}])
        client.call("bind", ["global", "same"], [{"@": "x"}, {"@": "weak"}, {"@": "x"}])
        with at_once(server, client):
            looking = client.request("call", "g", "repr")
            unbinding = other.request("unbind", "target")
        text = client.answer(looking)
        assert other.answer(unbinding) is True
        assert text.count("; dead>") in (0, 50) and text.count("<weakref ") == 50
        assert client.of("weak", "repr").count("; dead>") == 50


@test_own
def a_long_read_gives_handles_that_are_released_one_by_one():
    with Stage(3) as server:
        client = server.client()
        client.call("call", "object", "new", [], {"into": 1})
        client.call("bind", ["global", "x"], [[Ref(1, 0, "")] for _ in range(6000)])
        handles = client.call("stats", "sessions")["sessions"]["handles"]
        read = client.call("read", "x")
        assert len({ref.handle for (ref,) in read}) == 6000 and len({ref.id for (ref,) in read}) == 1
        assert client.call("release", *[ref.handle for (ref,) in read]) == 6000
        assert client.call("stats", "sessions")["sessions"]["handles"] == handles


@test_own
def a_long_read_that_fails_opens_no_handles_even_if_others_come_meanwhile():
    with Stage(3) as server:
        client, other = server.client(), server.client()
        client.call("call", "object", "new", [], {"into": 1})
        client.call("call", "queue", "new", [], {"into": 2})
        client.call("bind", ["global", "q"], Ref(2, 0, ""))
        client.call("bind", ["global", "x"], [[Ref(1, 0, "")] for _ in range(6000)])
        client.of("x", "append", {"@": "x"})
        handles = client.call("stats", "sessions")["sessions"]["handles"]
        taking = client.request("call", "q", "take")
        with at_once(server, client):
            reading = client.request("read", "x")
            put = other.request("call", "q", "put", [[7]])
        taken = client.answer(taking)
        error, _ = client.response(reading)
        assert other.answer(put) is None
        assert error.startswith("CYCLE "), error
        assert client.call("stats", "sessions")["sessions"]["handles"] == handles + 1
        assert client.call("read", taken.handle) == [7]


@test_own
def large_dicts_travel_in_the_form_that_their_keys_ask_for():
    with Stage(5) as server:
        client, ext = server.client(), server.client(refs="ext")
        many = {f"key {n}": n for n in range(6000)}
        client.call("bind", ["global", "d"], many)
        assert client.call("read", "d") == many == ext.call("read", "d")
        client.of("d", "set", 5, "five")
        pairs = [[key, value] for key, value in many.items()] + [[5, "five"]]
        assert client.call("read", "d") == {"@pairs": pairs}
        assert ext.call("read", "d") == {**many, 5: "five"}
        client.call("call", "tuple", "new", [[1, 2]], {"into": 1})
        client.call("call", "d", "set", [Ref(1, 0, ""), "tuple"])
        assert client.call("read", "d") == {"@pairs": pairs + [[[1, 2], "tuple"]]}
        assert ext.call("read", "d").type == "dict"


@test_own
def a_dump_is_the_same_whatever_others_write_meanwhile():
    with Stage(3) as server:
        client, other = server.client(), server.client()
        large(client)
        requests = writers(client)
        client.call("weakref", "l", {"into": 200})
        client.call("bind", ["global", "g"], [{"@": "x"}, Ref(200, 0, "")] + [{"@": name} for name in ("l", "d", "s", "o")])
        for request in requests:
            before = client.call("dump", "g")
            with at_once(server, client):
                dumping = client.request("dump", "g")
                writing = other.request(*request)
            assert client.answer(dumping) == before, request
            error, _ = other.response(writing)
            assert error is None, (request, error)
            assert client.call("dump", "g") != before, request


class Model:
    """A graph of lists, dicts, sets and tuples as Python's, and the same in the server; random changes to both."""

    def __init__(self, client, rng):
        self.client, self.rng, self.serial = client, rng, 0
        self.made = []  # [(name, Python object)]
        for _ in range(12):
            self.make()

    def literal(self):
        return self.rng.choice([self.rng.randrange(1000), "text", None, 1.5])

    def value(self):
        """(Python value, what to send for it): a literal, or something that is there."""
        if self.made and self.rng.random() < 0.5:
            name, value = self.rng.choice(self.made)
            return value, {"@": name}
        value = self.literal()
        return value, value

    def make(self):
        self.serial += 1
        name = f"v{self.serial}"
        kind = self.rng.choice(["list", "dict", "set"])
        if kind == "set":
            self.client.call("call", "set", "new", [[1, 2]], {"into": 1})
            self.client.call("bind", ["global", name], Ref(1, 0, ""))
            self.client.call("release", 1)
            self.made.append((name, {1, 2}))
        else:
            value = [] if kind == "list" else {}
            self.client.call("bind", ["global", name], value)
            self.made.append((name, value))

    def change(self):
        """(the request, a function that does the same here), of the graph as it stands when it is called."""
        name, target = self.rng.choice(self.made)
        value, sent = self.value()
        if isinstance(target, list):
            if target and self.rng.random() < 0.4:
                at = self.rng.randrange(len(target))
                return ("call", name, "set", [at, sent]), lambda: target.__setitem__(at, value)
            if target and self.rng.random() < 0.3:
                return ("call", name, "pop", [], {"result": "none"}), target.pop
            return ("call", name, "append", [sent]), lambda: target.append(value)
        if isinstance(target, dict):
            key = f"k{self.rng.randrange(6)}"
            if key in target and self.rng.random() < 0.3:
                return ("call", name, "del", [key]), lambda: target.pop(key)
            return ("call", name, "set", [key, sent]), lambda: target.__setitem__(key, value)
        number = self.rng.randrange(9)
        if self.rng.random() < 0.5:
            return ("call", name, "discard", [number]), lambda: target.discard(number)
        return ("call", name, "add", [number]), lambda: target.add(number)


def shape(value, seen=None):
    """A graph of Python objects by value, with what is met again as a number: equal for graphs of one shape."""
    seen = {} if seen is None else seen
    if not isinstance(value, (list, dict, set)):
        return value
    if id(value) in seen:
        return ("again", seen[id(value)])
    seen[id(value)] = len(seen)
    if isinstance(value, set):
        return ("set", sorted(value))
    if isinstance(value, dict):
        return ("dict", [(key, shape(value[key], seen)) for key in value])
    return ("list", [shape(item, seen) for item in value])


def fetch(client, ref, seen):
    """What is behind a reference as Python objects, sharing and cycles kept, by the objects' ids."""
    if not isinstance(ref, Ref):
        return ref
    if ref.id in seen:
        return seen[ref.id]
    value = seen[ref.id] = {"list": list, "dict": dict, "set": set}[ref.type]()
    if ref.type == "set":
        value.update(client.call("call", ref, "items", [], {"result": "value"}))
        return value
    items = client.call("referents", ref)
    if ref.type == "list":
        value.extend(fetch(client, item, seen) for item in items)
    else:
        for key, item in zip(items[::2], items[1::2]):
            value[key] = fetch(client, item, seen)
    return value


@test_own
def a_copy_is_of_one_instant_whatever_others_write_meanwhile():
    for seed in range(6):
        rng = random.Random(seed)
        with Stage(rng.choice([1, 2, 5])) as server:
            client, other = server.client(), server.client()
            model = Model(client, rng)
            for _ in range(12):
                for _ in range(10):
                    request, change = model.change()
                    client.call(*request)
                    change()
                root = [value for _, value in model.made]
                client.call("bind", ["global", "g"], [{"@": name} for name, _ in model.made])
                expected = shape(root)
                sent = []
                with at_once(server, client):  # the writes find the copy begun
                    copying = client.request("deepcopy", "g", {"into": 100})
                    for _ in range(8):
                        request, change = model.change()
                        sent.append(other.request(*request))
                        change()
                copy = client.answer(copying)
                assert all(other.response(waiting)[0] is None for waiting in sent)
                assert shape(fetch(client, copy, {})) == expected, seed
                assert shape(fetch(client, client.call("hold", "g"), {})) == shape(root), seed
                client.call("unbind", ["global", "g"])
                client.call("release", 100)
            assert client.call("verify")["differences"] == []


@test_own
def who_waits_to_write_goes_before_the_next_long_copy():
    with Stage(1) as server:
        first, second, writer, witness = [server.client() for _ in range(4)]
        large(first)
        large(first, "y")
        with at_once(server, first):
            one = first.request("deepcopy", "x", {"into": 1})
            write = writer.request("call", "y", "append", [1])
            two = second.request("deepcopy", "y", {"into": 1})
            after = look(witness)
        assert working(witness, after) == 3
        first.answer(one)
        assert writer.answer(write) is None
        second.answer(two)
        assert second.of(1, "len") == MANY // 2 + 1


@test_own
def an_administrator_is_shown_no_copy_half_made():
    for method, options in (("referrers", {"limit": 1}), ("path", {"others": True})):
        with Stage(1) as server:
            client, admin = server.client(), server.client()
            client.call("bind", ["global", "before"], [[] for _ in range(100)])  # what comes to lie there is met first
            client.call("bind", "big", [5000] + [1] * MANY)
            client.call("bind", ["global", "o"], {"@": "big"})
            admin.call("call", "o", "get", [0], {"into": 9, "result": "handle"})
            admin.call("unbind", ["global", "o"])
            client.call("bind", "x", [[]] * 10 + [{"@": "big"}])
            client.call("unbind", ["global", "before"])
            copying = begin(client, "deepcopy", "x", {"into": 2})
            lists = [row["container"] for row in admin.call(method, Ref(9, 0, ""), options) if "container" in row]
            lengths = [admin.of(ref, "len") for ref in lists]
            assert lengths and set(lengths) <= {11, MANY + 1}, (method, lengths)
            admin.call("release", *[ref.handle for ref in lists], 9)
            client.answer(copying)


@test_own
def a_resume_that_changes_the_dialect_changes_no_request_that_is_under_way():
    with Stage(1) as server:
        client, other = server.client(), server.client()
        hello = client.hello(linger=60)
        client.call("call", "object", "new", [], {"into": 1})
        client.call("bind", ["global", "x"], [[] for _ in range(MANY // 4)])
        client.of("x", "append", {5: 6})
        reading = begin(client, "read", "x")
        ext = server.client(resume=hello["token"], refs="ext")
        ext.dialect = "map"
        assert ext.answer(reading)[-1] == {"@pairs": [[5, 6]]}
        ext.hello(refs="map")
        copying = begin(other, "deepcopy", "x", {"into": 1})
        writing = begin(ext, "call", "x", "append", [Ref(1, 0, "")])
        last = server.client(resume=hello["token"], refs="ext")
        other.answer(copying)
        assert last.answer(writing) is None
        assert last.of("x", "get", -1).type == "object"
        last.call("bye")


@test_own
def two_long_copies_go_on_side_by_side():
    with Stage(1) as server:
        first, second, writer, witness = [server.client() for _ in range(4)]
        large(first)
        with at_once(server, first):
            one = first.request("deepcopy", "x", {"into": 1})
            two = second.request("deepcopy", "x", {"into": 1})
            write = writer.request("call", "x", "append", [1])
            after = look(witness)
        assert working(witness, after) == 3
        first.answer(one)
        second.answer(two)
        assert writer.answer(write) is None
        assert [c.of(1, "len") for c in (first, second)] == [MANY // 2] * 2 and first.of("x", "len") == MANY // 2 + 1


@test_own
def what_the_longer_of_two_copies_reads_stays_frozen_when_the_other_ends():
    with Stage(1) as server:
        first, second = server.client(), server.client()
        large(first)
        first.call("bind", ["global", "y"], [[n] for n in range(MANY // 8)])
        with at_once(server, second):
            two = second.request("deepcopy", "x", {"into": 1})
            one = first.request("deepcopy", "y", {"into": 1})
            between = look(first)  # when the shorter one has ended
            write = first.request("call", "x", "append", [1])
        first.answer(one)
        assert working(first, between) == 1
        second.answer(two)
        assert first.answer(write) is None
        assert second.of(1, "len") == MANY // 2 and second.of("x", "len") == MANY // 2 + 1


@test_own
def writers_go_on_when_the_copying_session_ends():
    with Stage(1) as server:
        writer, admin = server.client(), server.client()
        base = server.gauges(writer)
        for end in ("close", "kill", "half close"):
            client = server.client()
            large(client)
            number = client.call("hello", {})["session"]
            begin(client, "deepcopy", "x", {"into": 1})
            write = begin(writer, "call", "x", "append", [1])
            if end == "close":
                client.close()
            elif end == "kill":
                admin.call("kill", number)
            else:
                client.half_close()
            assert writer.answer(write) is None
            assert writer.of("x", "len") == MANY // 2 + 1
            client.close()
            writer.call("unbind", ["global", "x"])
            session_left_nothing(server, writer, base, end)


@test_own
def a_writer_that_leaves_while_it_waits_is_forgotten_or_has_written():
    with Stage(1) as server:
        client, writer = server.client(), server.client()
        large(client)
        request = begin(client, "deepcopy", "x", {"into": 1})
        begin(writer, "call", "x", "append", [1])
        writer.close()
        client.answer(request)
        wait_until(lambda: client.call("stats", "sessions")["sessions"]["active"] == 1, "the writer's end")
        assert client.of("x", "len") in (MANY // 2, MANY // 2 + 1) and client.of(1, "len") == MANY // 2


@test_own
def requests_behind_a_write_that_waits_keep_their_order():
    with Stage(1) as server:
        client, other = server.client(), server.client()
        client.call("bind", ["global", "l"], [])
        large(client)
        request = begin(client, "deepcopy", "x", {"into": 1})
        other.send(b"".join(pack([2, "call", ["l", "append", [n]]]) for n in range(100)) + pack([0, 9, "read", ["l"]]))
        client.answer(request)
        assert other.receive() == [1, 9, None, list(range(100))]


@test_own
def a_long_copy_beyond_a_limit_leaves_nothing_and_lets_writers_go_on():
    with Stage(7, **{"limits.work": MANY}) as server:
        client, other = server.client(), server.client()
        client.call("bind", ["global", "ring"], [[n] for n in range(MANY // 4)])
        for part in ("a", "b"):
            client.call("bind", ["global", part], [[{"@": "ring"}, n] for n in range(MANY // 6)])
            client.of("ring", "append", {"@": part})
        live = client.call("stats", "objects")["objects"]["live"]
        copying = begin(client, "deepcopy", "ring", {"into": 1})
        write = begin(other, "call", "ring", "append", [1])
        error, _ = client.response(copying)
        assert error.startswith("LIMIT "), error
        assert other.answer(write) is None
        assert client.call("stats", "objects")["objects"]["live"] == live
        client.call("bind", "n", 1, {"if": "absent"})
        assert client.call("new", [], {"into": 1}).handle == 1


def ring_as_dump(client):
    """Binds to `dump` one whose load takes long: lists in a list that holds itself, too."""
    client.call("bind", ["global", "ring"], [[n] for n in range(MANY // 2)])
    client.of("ring", "append", {"@": "ring"})
    client.call("bind", ["global", "dump"], client.call("dump", "ring"))


LOAD = ("load", {"@": ["global", "dump"]}, {"into": 1})


def clear(client, *targets):
    for target in targets:
        client.of(target, "clear")


@test_own
def a_load_goes_on_in_slices_and_nobody_waits_for_it():
    with Stage(1) as server:
        client, other = server.client(), server.client()
        ring_as_dump(client)
        with at_once(server, client):
            loading = client.request(*LOAD)
            write = other.request("call", "ring", "append", [5])
            batch = other.request("batch", [["call", ["ring", "append", [6]]], ["ping", [1]]])
            looking = look(other)
            verify = other.request("verify")
        assert other.answer(write) is None and other.answer(batch) == [None, 1]
        assert working(other, looking) == 1
        assert other.answer(verify)["differences"] == []
        assert other.call("gc")["collected"] == 0
        assert client.answer(loading).handle == 1
        assert client.of(1, "len") == MANY // 2 + 1 and client.of("ring", "len") == MANY // 2 + 3
        assert client.call("is", 1, client.of(1, "get", -1)) is True
        assert client.call("verify")["differences"] == []
        clear(client, "ring", 1)


@test_own
def a_load_waits_as_a_copy_behind_those_who_wait_to_write():
    with Stage(1) as server:
        client, copier, writer, other = [server.client() for _ in range(4)]
        ring_as_dump(client)
        with at_once(server, copier):
            copying = copier.request("deepcopy", "ring", {"into": 1})
            write = writer.request("call", "ring", "append", [1])
            loading = client.request(*LOAD)
            looking = look(other)
        assert working(other, looking) == 3
        copier.answer(copying)
        assert writer.answer(write) is None
        client.answer(loading)
        assert [client.of(1, "len"), copier.of(1, "len"), client.of("ring", "len")] == [MANY // 2 + 1] * 2 + [MANY // 2 + 2]
        clear(client, "ring", 1)
        clear(copier, 1)


@test_own
def an_administrator_is_shown_no_graph_half_loaded():
    with Stage(1) as server:
        client, admin = server.client(), server.client()
        client.call("bind", "x", [None] + [[n] for n in range(MANY // 2)])
        client.call("bind", ["global", "dump"], client.call("dump", "x"))
        client.call("unbind", "x")
        admin.call("bind", "none", None)
        live = admin.call("stats", "objects")["objects"]["live"]
        loading = begin(client, *LOAD)
        wait_until(lambda: admin.call("stats", "objects")["objects"]["live"] > live, "the first objects of the load")
        lists = [row["container"] for row in admin.call("referrers", "none") if "container" in row]
        assert [admin.of(ref, "len") for ref in lists] == [MANY // 2 + 1]
        assert client.answer(loading).handle == 1
        admin.call("release", *[ref.handle for ref in lists])


@test_own
def the_bytes_of_a_load_live_until_it_is_done():
    with Stage(1) as server:
        client, other = server.client(), server.client()
        ring_as_dump(client)
        loading = begin(client, *LOAD)
        other.call("unbind", ["global", "dump"])
        assert client.answer(loading).handle == 1
        assert client.of(1, "len") == MANY // 2 + 1
        clear(client, "ring", 1)


@test_own
def a_client_that_leaves_in_the_middle_of_a_load_leaves_nothing():
    with Stage(1) as server:
        other = server.client()
        ring_as_dump(other)
        clear(other, "ring")
        base = server.gauges(other)
        for end in ("close", "kill"):
            client = server.client()
            number = client.call("hello", {})["session"]
            begin(client, *LOAD)
            if end == "close":
                client.close()
            else:
                other.call("kill", number)
            session_left_nothing(server, other, base, end)


@test_own
def a_long_load_beyond_a_limit_leaves_nothing():
    with Stage(7) as server:
        client = server.client()
        ring_as_dump(client)
        clear(client, "ring")
        live = client.call("stats", "objects")["objects"]["live"]
        for limit in (MANY, 2 * MANY):
            client.call("config_set", "limits.work", limit)
            error, _ = client.response(begin(client, *LOAD))
            assert (error is None) == (limit > MANY) and (error is None or error.startswith("LIMIT ")), error
            if error is not None:
                assert client.call("stats", "objects")["objects"]["live"] == live
        clear(client, 1)


@test_own
def a_load_whose_answer_cannot_be_sent_leaves_nothing():
    with Stage(3) as server:
        client = server.client()
        ring_as_dump(client)
        live = client.call("stats", "objects")["objects"]["live"]
        error, _ = client.response(begin(client, "load", {"@": "dump"}, {"result": "value"}))
        assert error.startswith("CYCLE "), error
        assert client.call("stats", "objects")["objects"]["live"] == live
        clear(client, "ring")


@test_own
def a_session_that_is_resumed_gets_the_answer_of_its_load():
    with Stage(1) as server:
        client = server.client()
        ring_as_dump(client)
        hello = client.call("hello", {"linger": 60})
        loading = begin(client, *LOAD)
        client.close()
        again = server.client()
        resumed = again.call("hello", {"resume": hello["token"], "answered": loading - 1})
        assert resumed["resumed"] is True and resumed["executed"] == loading, (resumed, loading)
        assert again.answer(loading).handle == 1
        assert again.of(1, "len") == MANY // 2 + 1
        clear(again, "ring", 1)
        again.call("bye")


@test_own
def a_load_in_a_batch_is_done_in_one_go():
    with Stage(1) as server:
        client = server.client()
        ring_as_dump(client)
        ref, length = client.call("batch", [["load", [{"@": "dump"}, {"into": 1}]], ["call", [1, "len"]]])
        assert ref.handle == 1 and length == MANY // 2 + 1
        clear(client, "ring", 1)


@test_own
def verify_and_gc_find_nothing_while_a_copy_goes_on():
    with Stage(20) as server:
        client, other = server.client(), server.client()
        large(client)
        client.of("x", "append", {"@": "x"})
        for n in range(3):
            client.call("call", "tuple", "new", [[[n], {"@": "x"}]], {"into": 7})
            client.of("x", "append", Ref(7, 0, ""))
            client.call("release", 7)
        request = begin(client, "deepcopy", "x", {"into": 1})
        assert other.call("verify")["differences"] == []
        assert other.call("gc")["collected"] == 0
        client.answer(request)
        assert client.call("verify")["differences"] == []


if __name__ == "__main__":
    run()
