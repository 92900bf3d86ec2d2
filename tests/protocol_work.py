"""protocol_work.py - protocol.md, fine print, work: what happens at one instant is bounded, what is large goes in pieces."""
import itertools
import random

from harness import Daemon, run, test, test_own

WORK = 1000
PIECE = WORK // 4
LARGE = 100 * WORK  # elements of the list: moving them is cheap, many are moved for a unit of work
MANY = 3 * WORK     # entries of the dict and the set


def make_large(client):
    """A list, a dict, a set and texts, all too large for one request, made in pieces."""
    client.call("bind", "list", [])
    client.call("bind", "dict", {})
    client.call("bind", "set", client.call("call", "set", "new", []))
    client.pipeline([("call", ["list", "extend", [list(range(n, n + PIECE))]]) for n in range(0, LARGE, PIECE)] +
                    [("call", ["dict", "set", [n, n]]) for n in range(MANY)] +
                    [("call", ["set", "add", [n]]) for n in range(MANY)])
    client.call("bind", "text", "a," * MANY)


REQUESTS = [
    ("read", "list"), ("read", "dict"), ("read", "set"), ("copy", "list"), ("copy", "dict"), ("copy", "set"),
    ("deepcopy", "list"), ("deepcopy", "dict"), ("dump", "list"), ("sizeof", "list", {"deep": True}),
    ("referents", "list"), ("get", "list", {"result": "value"}),
]
CALLS = [
    ("list", "repr"), ("list", "sort"), ("list", "reverse"), ("list", "slice"), ("list", "slice", 0, None, 2),
    ("list", "index", -1), ("list", "count", -1), ("list", "contains", -1), ("list", "remove", -1),
    ("list", "insert", 0, 1), ("list", "pop", 0), ("list", "del", 0), ("list", "extend", {"@": "list"}),
    ("list", "extend", {"@": "dict"}), ("dict", "repr"), ("dict", "keys"), ("dict", "values"), ("dict", "items"),
    ("dict", "scan", 0, MANY), ("set", "repr"), ("set", "items"), ("set", "union", {"@": "set"}),
    ("set", "intersection", {"@": "set"}), ("set", "difference", {"@": "set"}),
    ("set", "symmetric_difference", {"@": "set"}), ("set", "issubset", {"@": "set"}),
    ("set", "issuperset", {"@": "set"}), ("text", "split", ","), ("text", "join", {"@": "list"}),
]


@test_own
def every_method_at_one_instant_is_bounded_and_beyond_it_changes_nothing():
    with Daemon(config={"limits.work": WORK}) as server:
        client = server.client()
        make_large(client)
        before = client.call("stats", "objects")["objects"]
        for method, *params in REQUESTS:
            client.fails("LIMIT", method, *params)
        for target, method, *args in CALLS:
            client.fails("LIMIT", "call", target, method, args)
        for one, other in (("list", "list2"), ("dict", "dict2")):
            client.call("bind", other, [] if one == "list" else {})
            client.fails("LIMIT", "call", other, "extend" if one == "list" else "update", [{"@": one}])
            assert client.of(other, "len") == 0
            client.call("unbind", other)
        assert client.call("stats", "objects")["objects"]["live"] == before["live"]
        assert [client.of(name, "len") for name in ("list", "dict", "set")] == [LARGE, MANY, MANY]
        assert client.of("list", "get", 0) == 0 and client.of("list", "get", -1) == LARGE - 1


@test_own
def containers_are_compared_within_the_limit():
    with Daemon(config={"limits.work": WORK}) as server:
        client = server.client()
        make_large(client)
        for name in ("list", "dict", "set"):
            client.call("bind", "twin", {"@": name})
            assert client.of(name, "eq", {"@": "twin"}) is True  # it is the same: nothing is to be looked at
        client.call("bind", "a", [])
        client.call("bind", "b", [])
        for n in range(0, 2 * WORK, PIECE):
            for name in ("a", "b"):
                client.of(name, "extend", list(range(n, n + PIECE)))
        for method in ("eq", "ne", "lt", "ge"):
            client.fails("LIMIT", "call", "a", method, [{"@": "b"}])


@test_own
def sizes_are_checked_before_anything_is_allocated():
    with Daemon() as server:
        client = server.client()
        client.call("bind", "x", "a" * 1000000)
        before = server.memory("VmHWM")
        error = client.response(client.request("call", "x", "replace", ["a", "b" * 1000000]))[0]
        assert error.split(" ")[0] in ("LIMIT", "NO_MEMORY"), error
        client.call("bind", "xs", ["b" * 100] * 100000)
        error = client.response(client.request("call", "x", "join", [{"@": "xs"}]))[0]
        assert error.split(" ")[0] in ("LIMIT", "NO_MEMORY"), error
        assert server.memory("VmHWM") < before + server.slack()


@test
def a_cycle_is_told_before_a_limit_that_would_be_met_later(server):
    client = server.client()
    client.call("bind", "deep", [])
    for _ in range(40):
        client.call("bind", "deep", [{"@": "deep"}])
    ring = client.call("new", [1])
    client.of(ring, "append", ring)
    client.fails("CYCLE", "read", client.call("new", [ring, {"@": "deep"}]))
    client.fails("LIMIT", "read", client.call("new", [{"@": "deep"}, ring]))
    client.of(ring, "clear")


@test
def globs_match_in_linear_time(server):
    client = server.client()
    client.call("bind", "a" * 1000, 1)
    client.call("bind", "a" * 1000 + "b", 2)
    assert client.call("names", {"match": "a*" * 400 + "b"}) == ["a" * 1000 + "b"]
    assert client.call("names", {"match": "[a-z]*" * 400 + "c"}) == []
    assert client.call("names", {"match": "*" * 1000}) == ["a" * 1000, "a" * 1000 + "b"]
    assert client.call("names", {"match": "?" * 1000 + "*"}) == ["a" * 1000, "a" * 1000 + "b"]


def scan(client, name, n, between):
    """All that a walk from cursor 0 gives, in pieces of n; `between` may change things between the pieces."""
    cursor, found = 0, []
    while cursor is not None:
        cursor, entries = client.call("call", name, "scan", [cursor, n], {"result": "value"})
        found += entries
        between()
    return found


@test
def a_scan_gives_all_in_order(server):
    client = server.client()
    client.call("bind", "xs", list(range(1000)))
    client.call("bind", "d", [])
    client.call("bind", "d", {f"k{n}": n for n in range(1000)})
    client.call("bind", "s", client.call("call", "set", "new", [list(range(1000))]))
    for n in (1, 7, 1000, 5000):
        if n > 1:
            assert scan(client, "xs", n, lambda: None) == list(range(1000))
        assert scan(client, "d", n, lambda: None) == [[f"k{n}", n] for n in range(1000)]
        assert scan(client, "s", n, lambda: None) == list(range(1000))
    assert client.of("s", "scan", 0, 3).type == "list"
    client.call("bind", "empty", {})
    assert client.call("call", "empty", "scan", [0, 5], {"result": "value"}) == [None, []]


def changes(client, rng, name, fresh, doomed):
    """Between the pieces others come and go, so many that the table is rebuilt under the scan."""
    def between():
        requests = []
        for key in itertools.islice(fresh, rng.randrange(300)):
            doomed.append(key)
            requests.append(("call", [name, "set" if name == "d" else "add", [key, key][:1 + (name == "d")]]))
        for _ in range(min(len(doomed), rng.randrange(300))):
            key = doomed.pop(rng.randrange(len(doomed)))
            requests.append(("call", [name, "del" if name == "d" else "remove", [key]]))
        for error, _ in client.pipeline(requests):
            assert error is None, error
    return between


@test
def what_stays_throughout_is_seen_exactly_once_whatever_comes_and_goes(server):
    client = server.client()
    for seed in range(6):
        rng = random.Random(seed)
        stay = rng.sample(range(5000), 1000)
        doomed = [key for key in range(5000) if key not in set(stay)][:2000]
        keys = stay + doomed
        rng.shuffle(keys)
        client.call("bind", "d", {})
        client.of("d", "update", [[key, key] for key in keys])
        client.call("bind", "s", client.call("call", "set", "new", [keys]))
        for name in ("d", "s"):
            fresh = iter(range(10000, 14000))
            found = scan(client, name, rng.choice([10, 50]), changes(client, rng, name, fresh, list(doomed)))
            seen = [entry[0] if name == "d" else entry for entry in found]
            assert len(seen) == len(set(seen)), f"seed {seed}: {name} gives one twice"
            assert set(stay) <= set(seen), f"seed {seed}: {name} leaves out {sorted(set(stay) - set(seen))[:5]}"


run()
