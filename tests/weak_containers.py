"""weak_containers.py - weakdict, weakkeydict and weakset do what Python's weakref module does.

The model is Python itself: WeakValueDictionary, WeakKeyDictionary and WeakSet of objects that live on both sides for as long as the
test holds them. Random operations of several sessions; after each, both sides hold the same in the same order.
"""
import gc
import random
import weakref

from harness import Daemon, Ref, run, test, test_own

SLOTS = 12
STEPS = 250
KINDS = {"weakdict": weakref.WeakValueDictionary, "weakkeydict": weakref.WeakKeyDictionary, "weakset": weakref.WeakSet}


class Thing:
    """An instance of a class: compared by identity on both sides."""


class Text(str):
    """A str that can be weakly referred to: compared by value on both sides."""
    __hash__ = str.__hash__


def name_of(x):
    """What tells two values apart on both sides."""
    if isinstance(x, (Thing, Text)):
        return x.id if isinstance(x, Thing) else str(x)
    return x.id if isinstance(x, Ref) else x


class Pair:
    """One container, here and there."""

    def __init__(self, model, kind):
        self.model = model
        self.kind = kind
        self.here = KINDS[kind]()
        self.there = model.client().call("call", kind, "new")

    def held_here(self):
        if self.kind == "weakset":
            return sorted(map(name_of, self.here), key=str)
        return [(name_of(key), name_of(value)) for key, value in list(self.here.items())]

    def held_there(self):
        items = self.model.values(self.there, "items")
        if self.kind == "weakset":
            return sorted(items, key=str)
        return [tuple(pair) for pair in items]

    def scanned_there(self):
        cursor, found = 0, []
        while cursor is not None:
            cursor, some = self.model.values(self.there, "scan", cursor, 2)
            found += some
        return sorted(found, key=str) if self.kind == "weakset" else [tuple(pair) for pair in found]

    def check(self):
        here = self.held_here()
        assert self.held_there() == here, (self.kind, self.held_there(), here)
        assert self.scanned_there() == here
        assert self.model.client().of(self.there, "len") == len(here) == len(self.here)


class Model:
    def __init__(self, server, seed):
        self.random = random.Random(seed)
        self.clients = [server.client(refs="ext") for _ in range(2)]
        self.clients[0].call("bind", "C", self.clients[0].call("class", "C"))
        self.slots = [None] * SLOTS  # of [here, there]
        self.pairs = [Pair(self, kind) for kind in KINDS for _ in range(2)]

    def client(self):
        return self.clients[0]

    def values(self, target, method, *args):
        """The result of a method, by value; objects are told by their ids, and let go."""
        result = self.client().call("call", target, method, list(args), {"result": "value"})
        refs = []

        def plain(x):
            if isinstance(x, list):
                return [plain(item) for item in x]
            if isinstance(x, Ref):
                refs.append(x)
            return name_of(x)

        result = plain(result)
        if refs:
            self.client().call("release", *refs)
        return result

    def make(self):
        is_text = self.random.random() < 0.3
        if is_text:
            here = Text(f"text {self.random.randrange(6)}")
            there = self.client().call("new", str(here))
        else:
            here = Thing()
            there = self.client().call("call", "C", "new")
        here.id = there.id
        is_cycle = not is_text and self.random.random() < 0.3
        if is_cycle:
            here.me = here
            self.client().call("setattr", there, "me", there)
        return [here, there]

    def drop(self, slot):
        if self.slots[slot] is None:
            return
        there = self.slots[slot][1]
        self.slots[slot] = None
        self.client().call("release", there)

    def some(self):
        slot = self.random.randrange(SLOTS)
        if self.slots[slot] is None:
            self.slots[slot] = self.make()
        return slot

    def key_for(self, kind):
        """A slot, or a plain key of a weakdict."""
        if kind == "weakdict" and self.random.random() < 0.7:
            return self.random.choice([1, 1.0, True, "k", "key", None, 2.5, b"k"])
        return self.slots[self.some()]

    def both(self, pair, method, *args):
        """Calls a method there, and `here` gives what Python does; both must agree."""
        here = [arg[0] if isinstance(arg, list) else arg for arg in args]
        there = [arg[1] if isinstance(arg, list) else arg for arg in args]
        try:
            wanted = name_of(call_here(pair.here, method, *here))
        except KeyError:
            self.client().fails("KEY", "call", pair.there, method, there)
            return
        got = self.values(pair.there, method, *there)
        assert got == wanted, (pair.kind, method, got, wanted)

    def change(self):
        pair = self.random.choice(self.pairs)
        if pair.kind == "weakset":
            method = self.random.choice(["add", "add", "add", "has", "contains", "discard", "remove"])
            self.both(pair, method, self.slots[self.some()])
            return
        method = self.random.choice(["set", "set", "set", "get", "get_item", "has", "contains", "del", "pop"])
        key = self.key_for(pair.kind)
        if pair.kind == "weakkeydict":
            while isinstance(key[0], Text):  # ours are compared by identity, Python's by value
                key = self.slots[self.some()]
        self.both(pair, method, key, *([self.slots[self.some()]] if method == "set" else []))

    def step(self):
        chance = self.random.random()
        if chance < 0.70:
            self.change()
        elif chance < 0.97:
            self.drop(self.random.randrange(SLOTS))
        elif chance < 0.98:
            pair = self.random.choice(self.pairs)
            pair.here.clear()
            self.client().of(pair.there, "clear")
        else:
            self.replace_by_copy(self.random.choice(self.pairs))

    def replace_by_copy(self, pair):
        pair.here = pair.here.copy()
        copy = self.client().call(self.random.choice(["copy", "deepcopy"]), pair.there)
        assert self.client().of(copy, "eq", pair.there) is True
        self.client().call("release", pair.there)
        pair.there = copy

    def play(self, steps):
        gc.freeze()  # what is there now is no business of the collections to come
        for _ in range(steps):
            self.step()
            gc.collect()
            self.client().call("gc")
            for pair in self.pairs:
                pair.check()

    def end(self):
        """Nothing is left on either side."""
        self.client().call("release", *[pair.there for pair in self.pairs], *[slot[1] for slot in self.slots if slot])
        self.client().call("unbind", "C")
        self.client().call("gc")


def call_here(container, method, *args):
    calls = {"set": lambda: container.__setitem__(*args), "has": lambda: args[0] in container,
             "contains": lambda: args[0] in container, "get_item": lambda: container[args[0]],
             "del": lambda: container.__delitem__(*args)}
    return calls[method]() if method in calls else getattr(container, method)(*args)


@test
def random_operations_leave_what_python_leaves(server):
    for seed in range(3):
        model = Model(server, seed)
        model.play(STEPS)
        model.end()


@test_own
def in_slices_of_one_and_with_the_collector_running_too():
    with Daemon(config={"slice_objects": 1, "gc.growth": 1, "admin_from": "loopback"}) as server:
        model = Model(server, 77)
        model.play(150)
        assert model.client().call("verify")["differences"] == []
        model.end()


# -- what has no counterpart in Python ---------------------------------------------------------------------------------


@test
def they_are_made_by_builtin_classes_and_have_types_of_their_own(server):
    client = server.client(refs="ext")
    for kind in KINDS:
        made = client.call("call", kind, "new")
        assert made.type == kind and client.call("type", made) == kind
        assert client.call("call", made, "repr") == f"<{kind} object #{made.id}>"
        client.fails("TYPE", "call", made, "hash")
        info = client.call("info", made)
        assert info["len"] == 0 and info["tracked"] is True and info["class"] == kind
        assert client.call("read", made).id == made.id
        client.fails("TYPE", "dump", made)
        client.fails("TYPE", "call", made, "lt", [made])
        assert client.call("call", made, "eq", [made]) is True


@test
def they_can_be_filled_when_they_are_made(server):
    client = server.client()
    x, y = client.call("new", []), client.call("new", [])
    made = client.call("call", "weakdict", "new", [{"a": x, "b": y}])
    assert client.of(made, "len") == 2 and client.of(made, "get", "b").id == y.id
    assert client.of(client.call("call", "weakdict", "new", [[["a", x]]]), "has", "a") is True
    assert client.of(client.call("call", "weakkeydict", "new", [[[x, 1000], [y, 2000]]]), "get", y) == 2000
    assert client.of(client.call("call", "weakset", "new", [[x, y, x]]), "len") == 2
    assert client.of(client.call("call", "weakdict", "new", [made]), "len") == 2
    client.fails("TYPE", "call", "weakset", "new", [5])
    client.fails("TYPE", "call", "weakset", "new", [[5]])
    client.fails("TYPE", "call", "weakdict", "new", [{"a": None}])
    client.fails("VALUE", "call", "weakdict", "new", [[[1, 2, 3]]])


@test
def entries_do_not_count_and_what_they_hold_strongly_does(server):
    client = server.client()
    key, value = client.call("new", [1]), client.call("new", [2])
    wd, wk, ws = (client.call("call", kind, "new") for kind in KINDS)
    client.of(wd, "set", "k", value)
    client.of(wk, "set", key, value)
    client.of(ws, "add", value)
    assert client.call("refcount", value) == 2 and client.call("refcount", key) == 1
    assert client.call("weakrefs", key) == 0
    held, = client.call("referents", wk)
    assert held.id == value.id
    client.call("release", held)
    assert client.call("referents", ws) == []
    assert client.call("sizeof", wk) < client.call("sizeof", wk, {"deep": True}) + 1
    client.call("release", key)
    assert client.call("refcount", value) == 1 and client.of(wk, "len") == 0
    client.call("release", value)
    assert [client.of(x, "len") for x in (wd, wk, ws)] == [0, 0, 0]


@test
def a_weakdict_keeps_its_keys_and_drops_them_with_the_values(server):
    client = server.client()
    client.call("class", "K", {"into": 1})
    key, value = client.call("call", 1, "new"), client.call("new", [])
    wd = client.call("call", "weakdict", "new")
    client.of(wd, "set", key, value)
    assert client.call("refcount", key) == 2
    held, = client.call("referents", wd)
    assert held.id == key.id
    client.call("release", held)
    client.call("release", value)
    assert client.call("refcount", key) == 1


@test
def immortals_are_refused_where_the_reference_is_weak(server):
    client = server.client()
    x = client.call("new", [])
    wd, wk, ws = (client.call("call", kind, "new") for kind in KINDS)
    for immortal in (None, True, 5, "", b""):
        client.fails("TYPE", "call", wd, "set", ["k", immortal])
        client.fails("TYPE", "call", wk, "set", [immortal, x])
        client.fails("TYPE", "call", ws, "add", [immortal])
        client.fails("TYPE", "call", ws, "remove", [immortal])
        assert client.of(wk, "has", immortal) is False and client.of(ws, "has", immortal) is False
    client.fails("TYPE", "call", wd, "set", [[], x])
    assert client.of(wk, "set", [1], x) is None and client.of(wk, "len") == 0  # a fresh literal is gone at once


@test
def lists_are_elements_of_a_weakset_by_identity(server):
    client = server.client()
    x, same = client.call("new", [1]), client.call("new", [1])
    ws = client.call("call", "weakset", "new")
    client.of(ws, "add", x)
    client.of(ws, "add", x)
    assert client.of(ws, "has", same) is False
    client.of(ws, "add", same)
    assert client.of(ws, "len") == 2
    client.fails("KEY", "call", ws, "remove", [[1]])


@test
def equal_keys_of_a_weakkeydict_are_two_if_they_are_two_objects(server):
    client = server.client()
    x, same = client.call("hold", client.call("new", 1000)), client.call("hold", client.call("new", 1000))
    d = client.call("call", "weakkeydict", "new")
    client.of(d, "set", x, "x")
    assert client.of(d, "has", same) is False
    client.of(d, "set", same, "same")
    assert client.of(d, "len") == 2 and client.of(d, "get", x) == "x" and client.of(d, "get", same) == "same"


@test
def a_pop_that_cannot_be_sent_takes_nothing(server):
    client = server.client()
    client.call("bind", "x", [])
    client.of("x", "append", {"@": "x"})
    wd = client.call("call", "weakdict", "new")
    client.of(wd, "set", "k", {"@": "x"})
    client.fails("CYCLE", "call", wd, "pop", ["k"], {"result": "value"})
    assert client.of(wd, "len") == 1
    popped = client.of(wd, "pop", "k")
    assert popped.id == client.call("id", "x") and client.of(wd, "len") == 0
    assert client.of(wd, "pop", "k", 7) == 7
    client.call("unbind", "x")
    client.call("release", popped)
    client.call("gc")


@test
def a_chain_of_entries_that_hold_each_other_vanishes_with_its_first_key(server):
    client = server.client()
    wk = client.call("call", "weakkeydict", "new")
    first = key = client.call("new", [])
    for _ in range(300):
        following = client.call("new", [])
        client.of(wk, "set", key, following)
        if key is not first:
            client.call("release", key)
        key = following
    client.call("release", key)
    assert client.of(wk, "len") == 300
    client.call("release", first)
    assert client.of(wk, "len") == 0


@test
def a_scan_goes_on_while_members_vanish(server):
    client = server.client()
    ws = client.call("call", "weakset", "new")
    members = [client.call("new", [n]) for n in range(100)]
    for member in members:
        client.of(ws, "add", member)
    seen, cursor = [], 0
    while cursor is not None:
        cursor, some = client.call("call", ws, "scan", [cursor, 7], {"result": "value"})
        seen += [value[0] for value in some]
        if len(members) > 50:
            client.call("release", members.pop(0), members.pop())
    stayed = [client.call("read", member)[0] for member in members]
    assert [n for n in seen if n in stayed] == stayed and len(seen) == len(set(seen))


@test
def a_container_may_hold_itself(server):
    client = server.client()
    ws = client.call("call", "weakset", "new")
    client.of(ws, "add", ws)
    assert client.of(ws, "len") == 1
    wk = client.call("call", "weakkeydict", "new")
    client.of(wk, "set", ws, wk)
    client.call("release", ws, wk)
    client.call("gc")


run()
