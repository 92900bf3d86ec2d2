#!/usr/bin/python3
"""containers_like_python.py - large lists, dicts and sets, through thousands of changes, stay what CPython's would be.

Where types_like_python.py calls each method once on something small, here one container grows, is churned and shrinks,
so that its storage grows, has holes and is rebuilt. Each answer is compared, and between two phases all of the content,
in order.
"""
import random

from harness import run, test
from python_reference import Set, answer

CHUNK = 500
PHASES = (("grow", 10000), ("churn", 5000), ("shrink", 10000), ("grow", 5000), ("churn", 3000), ("shrink", 18000))


def scalar(rng):
    """What may be a key; equal ones of different types, and the same again, come up often."""
    n = rng.randrange(8000)
    return rng.choice([n, n, float(n), f"key {n}", f"ключ {n}", b"%d" % n, n + 0.5, n << 40, None, True])


def index(rng, xs):
    return rng.randrange(-len(xs) - 1, len(xs) + 1)


GROW = {
    list: lambda rng, xs: rng.choice([("append", scalar(rng)), ("insert", index(rng, xs), scalar(rng)),
                                      ("extend", [scalar(rng) for _ in range(rng.randrange(5))])]),
    dict: lambda rng, d: rng.choice([("set", scalar(rng), scalar(rng)), ("setdefault", scalar(rng), scalar(rng)),
                                     ("update", {scalar(rng): n for n in range(rng.randrange(5))})]),
    Set: lambda rng, s: rng.choice([("add", scalar(rng)), ("add", scalar(rng)), ("discard", scalar(rng))]),
}
SHRINK = {
    list: lambda rng, xs: rng.choice([("pop",), ("pop", index(rng, xs)), ("del", index(rng, xs)), ("pop", 0)]),
    dict: lambda rng, d: rng.choice([("popitem",), ("pop", scalar(rng)), ("del", scalar(rng)), ("pop", first(d), None),
                                     ("del", first(d))]),
    Set: lambda rng, s: rng.choice([("pop",), ("remove", scalar(rng)), ("discard", first(s)), ("pop",)]),
}
LOOK = {
    list: lambda rng, xs: rng.choice([("get", index(rng, xs)), ("len",), ("set", index(rng, xs), scalar(rng)), ("reverse",),
                                      ("index", scalar(rng), max(0, len(xs) - 100))]),
    dict: lambda rng, d: rng.choice([("get", scalar(rng)), ("get_item", scalar(rng)), ("has", scalar(rng)), ("len",),
                                     ("set", scalar(rng), scalar(rng))]),
    Set: lambda rng, s: rng.choice([("has", scalar(rng)), ("len",), ("add", scalar(rng))]),
}
WAYS = {"grow": (GROW, GROW, LOOK), "churn": (GROW, SHRINK, LOOK), "shrink": (SHRINK, SHRINK, LOOK)}


def first(container):
    return next(iter(container.order if isinstance(container, Set) else container), None)


def type_of(value):
    return "set" if isinstance(value, Set) else type(value).__name__


def content(client, mine):
    """What is in the container on the server, in order."""
    if isinstance(mine, list):
        return client.call("read", 1), mine
    if isinstance(mine, Set):
        return client.call("read", 1), list(mine)
    keys, values = client.of(1, "keys"), client.of(1, "values")
    read = client.call("read", keys), client.call("read", values)
    client.call("release", keys, values)
    return read, (list(mine), list(mine.values()))


def same(a, b):
    """Equal, to the type: 1 is not 1.0 here."""
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


def check(call, expected, error, result):
    kind, value = expected
    if kind == "error":
        assert error is not None and error.split(" ")[0] == value, f"{call}: expected {value}, got {error or result!r}"
    else:
        assert error is None and same(value, result), f"{call}: expected {value!r}, got {error or result!r}"


def run_chunk(client, rng, mine, ways):
    calls, expected = [], []
    for _ in range(CHUNK):
        name, *args = rng.choice(ways)[type(mine)](rng, mine)
        opts = [{"result": "value"}] if name == "popitem" else []  # a list of two
        calls.append(("call", [1, name, list(args), *opts]))
        expected.append(answer(type_of(mine), name, mine, args))
    for call, value, (error, result) in zip(calls, expected, client.pipeline(calls)):
        check(call, value, error, result)


def stays_like(server, mine):
    client = server.client(refs="ext")
    rng = random.Random(type_of(mine))
    client.call("call", ["builtins", type_of(mine)], "new", [], {"into": 1})
    largest = 0
    for phase, changes in PHASES:
        for _ in range(changes // CHUNK):
            run_chunk(client, rng, mine, WAYS[phase])
            assert client.of(1, "len") == len(mine)
        read, expected = content(client, mine)
        assert same(read, expected), phase
        largest = max(largest, len(mine))
    assert largest > 3000 and len(mine) < largest / 2, (largest, len(mine))


@test
def a_list_stays_like_pythons(server):
    stays_like(server, [])


@test
def a_dict_stays_like_pythons(server):
    stays_like(server, {})


@test
def a_set_stays_like_pythons(server):
    stays_like(server, Set())


run()
