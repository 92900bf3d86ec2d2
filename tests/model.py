#!/usr/bin/python3
"""model.py - random requests of several sessions, against a model (heap_model.py) that knows nothing but semantics.md.

A script is a list of rounds:

  ("open", session, space)         a new session, at work in its own namespace or in a shared one
  ("solo", session, [Call...])     one session sends its calls at once; answers and events must be the model's, in order
  ("duel", {session: [Call...]})   all do so at the same time, each with what it alone can reach; some say bye
  ("visit",)                       every object is looked at from every session: identity, type, content, references,
                                   weakrefs; and the daemon must have as many objects of each type as the model

A script that fails is made smaller and printed.

HEAPD_MODEL_SEED and HEAPD_MODEL_RUNS: other runs than those of `make check`.
"""
import os
import random
import time
import traceback
from collections import Counter

import harness
from harness import Daemon, Ref, wait_until
from heap_model import SCALARS, Given, Heap, Var
from model_operations import Call, Chooser, is_separate, own_objects, vars_in
from model_requests import Request

SEED = int(os.environ.get("HEAPD_MODEL_SEED", "1"))
RUNS = int(os.environ.get("HEAPD_MODEL_RUNS", "30"))
ROUNDS = 60           # of one run
CALLS = 12            # of one round, at most
VISIT_EVERY = 6       # rounds
MINIMISE_SECONDS = 40
UNKNOWN = 1 << 50     # a handle that nobody was given
NAMES = {"a": None, "b": None, "c": "team"}  # of sessions, and the namespaces they work in


BYE = Call("bye", [], Var())


class Differs(Exception):
    """The daemon did not do what the model did."""


def check(is_so, *words):
    if not is_so:
        raise Differs(" ".join(map(str, words)))


class Runner:
    """Runs a script against a daemon and the model."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.heap = Heap()
        self.control = daemon.client(refs="ext")
        self.clients = {}   # name of a session -> its client
        self.sessions = {}  # and its model
        self.ids = {}       # object ids seen
        self.base = self.count_live()  # by type, before the first session

    # -- to the wire

    def encode(self, param):
        if isinstance(param, Var):
            return Ref(param.number or UNKNOWN, None, None)
        if isinstance(param, list):
            return [self.encode(x) for x in param]
        if isinstance(param, dict):
            return {self.encode(key): x.number if key == "into" else self.encode(x) for key, x in param.items()}
        return param

    # -- what comes back

    def same(self, expected, got):
        if isinstance(expected, Given):
            return self.is_given(expected, got)
        if isinstance(expected, list):
            return isinstance(got, list) and len(got) == len(expected) and all(map(self.same, expected, got))
        if isinstance(expected, dict):
            return isinstance(got, dict) and self.same(list(expected), list(got)) and all(
                map(self.same, expected.values(), got.values()))
        return type(expected) is type(got) and expected == got

    def is_given(self, expected, got):
        if not isinstance(got, Ref) or got.type != expected.obj.type:
            return False
        if expected.var.number is None:
            expected.var.number = got.handle
        return got.handle == expected.var.number and self.is_same_object(expected.obj, got.id)

    def is_same_object(self, obj, id):
        if obj.id is None:
            obj.id = id
        return obj.id == id and self.ids.setdefault(id, obj) is obj

    def is_answer(self, expected, error, result):
        kind, value = expected
        if kind == "error":
            return error is not None and error.split(" ")[0] in value.split(" ")
        return error is None and self.same(value, result)

    def receive(self, name):
        message = self.clients[name].receive()
        check(message is not None, name, "the connection ended")
        return message

    def expect(self, name, item, call=None):
        """One item of the model's stream must be the next that comes."""
        message = self.receive(name)
        if item[0] == "dead":
            numbers = [var.number for var in item[2]]
            check(message[0] == 2 and message[1] == "dead" and message[2][1:] == [item[1], numbers],
                  f"{name}: after {call}: expected dead {item[1]} {numbers}, got {message}")
            return
        check(message[0] == 1 and self.is_answer(item[1], *message[2:]),
              f"{name}.{call}: expected {item[1]}, got {message}")

    # -- rounds

    def is_sendable(self, name, call):
        """Whether the numbers of the handles are known that it is about; in a script made smaller they may not be."""
        handles = self.sessions[name].handles
        return all(var.number is not None or var not in handles for var in vars_in(call.params))

    def ask_model(self, name, call):
        Request(self.heap, self.sessions[name], call.method, call.params, call.var).run()

    def send(self, name, calls):
        client = self.clients[name]
        frames = []
        for call in calls:
            client.msgid += 1
            frames.append(client.encode([0, client.msgid, call.method, [self.encode(x) for x in call.params]]))
        client.send(b"".join(frames))

    def solo(self, name, calls):
        session = self.sessions[name]
        asked = []
        for call in calls:
            if self.is_sendable(name, call):
                self.ask_model(name, call)
                asked.append(call)
        self.send(name, asked)
        items = iter(session.stream)
        session.stream = []
        for call in asked:
            for item in items:
                self.expect(name, item, call)
                if item[0] == "response":
                    break
        self.hear_events()

    def hear_events(self):
        """The events that others owe to a session come no later than its next response."""
        for name, session in self.sessions.items():
            if session.stream:
                self.send_ping(name)
                while session.stream:
                    self.expect(name, session.stream.pop(0), "ping()")

    def send_ping(self, name):
        client = self.clients[name]
        client.msgid += 1
        client.send(client.encode([0, client.msgid, "ping", []]))
        self.sessions[name].stream.append(("response", ("value", None)))

    def duel(self, parts):
        """All sessions at once. The model takes one after the other: no answer can depend on the order. Only which
        session's step kills what several held, and so the order of events and their cause, does."""
        ending = [name for name, calls in parts.items() if None in calls]
        own = {name: own_objects(self.heap, self.sessions[name]) for name in parts}
        parts = {name: self.separate(name, calls, own[name]) for name, calls in parts.items()}
        for name, calls in parts.items():
            self.send(name, calls + [BYE] * (name in ending))
        for name in ending:
            self.heap.end(self.sessions[name])
        for name, calls in parts.items():
            self.hear_all(name, calls, name in ending)
        self.hear_events()

    def separate(self, name, calls, own):
        """Runs in the model those calls that touch only what is the session's own, and returns them."""
        taken = []
        for call in calls:
            if call and self.is_sendable(name, call) and is_separate(self.sessions[name], call, own):
                self.ask_model(name, call)
                own.update(self.heap.made)
                taken.append(call)
        return taken

    def hear_all(self, name, calls, is_ending):
        session = self.sessions[name]
        expected = [var for item in session.stream if item[0] == "dead" for var in item[2]]
        answers = [item for item in session.stream if item[0] == "response"]
        session.stream = []
        heard = []
        for call, item in zip(calls, answers):
            self.hear_answer(name, heard, item, call)
        if is_ending:
            self.hear_answer(name, heard, ("response", ("value", None)), BYE)
            check(self.clients[name].receive() is None, name, "is not closed after bye")
            del self.sessions[name], self.clients[name]
            return
        self.wait_for_ends()
        self.send_ping(name)
        self.hear_answer(name, heard, session.stream.pop(), "ping()")
        expected = sorted(var.number for var in expected)
        check(sorted(heard) == expected, name, "expected deaths", expected, "got", sorted(heard))

    def hear_answer(self, name, heard, item, call):
        while True:
            message = self.receive(name)
            if message[0] == 1:
                check(self.is_answer(item[1], *message[2:]),
                      f"{name}.{call} at once: expected {item[1]}, got {message}")
                return
            heard += message[2][2]

    def wait_for_ends(self):
        def are_over():
            stats = self.control.call("stats")
            return stats["sessions"]["active"] == len(self.heap.sessions) + 1 and stats["server"]["working"] == 0
        wait_until(are_over, "the end of the sessions that said bye")

    def open(self, name, space):
        self.sessions[name] = self.heap.open(space)
        self.clients[name] = self.daemon.client(refs="ext", **({"namespace": space} if space else {}))

    def run_round(self, round):
        kind, *rest = round
        if kind == "open":
            if rest[0] not in self.sessions:
                self.open(*rest)
        elif kind == "solo":
            if rest[0] in self.sessions:
                self.solo(*rest)
        elif kind == "visit":
            self.visit()
        else:
            self.duel({name: calls for name, calls in rest[0].items() if name in self.sessions})
            self.wait_for_ends()

    # -- visits

    def count_live(self):
        types = dict(self.control.call("stats", "objects")["objects"]["types"])
        del types["namespace"]
        return Counter(types)

    def check_live(self):
        expected = Counter(obj.type for obj in self.heap.live)
        got = self.count_live()
        got.subtract(self.base)
        check(+got == expected and not -got, "live objects: expected", expected, "got", +got, "less", -got)

    def visit(self):
        for name in self.sessions:
            Visit(self, name).run()
        self.check_live()

    def finish(self):
        """Drops all but garbage cycles, which must be what is left."""
        for space_name, space in self.heap.spaces.items():
            if space_name != "builtins":
                for key in list(space.names):
                    self.control.call("unbind", [space_name, key])
                    self.heap.unref(space.names.pop(key))
                    self.heap.finish_step()
        self.hear_events()
        for name in list(self.sessions):
            self.clients[name].close()
            self.heap.end(self.sessions.pop(name))
            self.wait_for_ends()
            self.hear_events()
        self.check_live()
        self.daemon.base["objects.live"] += len(self.heap.live)


class Visit:
    """Looks at every object that a session reaches, through handles that it opens for that and counts."""

    def __init__(self, runner, name):
        self.runner, self.name = runner, name
        self.client, self.session = runner.clients[name], runner.sessions[name]
        self.numbers = {}          # object -> a handle
        self.opened = []           # handles of the visit
        self.counts = Counter()    # of them, for each object
        self.next = 1 << 30
        self.requests, self.expected = [], []

    def ask(self, expected, method, *params):
        self.requests.append((method, params))
        self.expected.append(expected)

    def open(self, obj, method, *params):
        """Opens a handle of an object whose place in another is known."""
        self.next += 1
        self.ask(("given", Given(obj, Var(self.next))), method, *params, {"into": self.next})
        self.counts[obj] += 1
        self.opened.append(self.next)
        if obj not in self.numbers:
            self.numbers[obj] = self.next
            self.todo.append(obj)

    def open_roots(self):
        self.todo = []
        for var, obj in self.session.handles.items():
            if obj not in self.numbers:
                self.numbers[obj] = var.number
                self.todo.append(obj)
        spaces = {"session": self.session.own, **self.runner.heap.spaces}
        for space_name, space in spaces.items():
            if space_name != "builtins":
                for key, obj in space.names.items():
                    self.open(obj, "get", [space_name, key])
                if space_name == "session":
                    self.ask(("value", list(space.names)), "names", space_name)

    def open_items(self, handle, method, items):
        self.next += 1
        number = self.next
        self.requests.append(("call", (handle, method, [], {"into": number, "result": "none"})))
        self.expected.append(("value", None))
        for i, x in enumerate(items):
            self.open(x, "call", number, "get", [i])
        self.ask(("value", 1), "release", number)

    def open_content(self, obj):
        handle = self.numbers[obj]
        if obj.type in ("list", "tuple"):
            self.ask(("value", len(obj.items)), "call", handle, "len", [])
            for i, x in enumerate(obj.items):
                self.open(x, "call", handle, "get", [i])
        elif obj.type == "dict":
            self.open_items(handle, "keys", [key for key, _ in obj.entries.values()])
            self.open_items(handle, "values", [value for _, value in obj.entries.values()])
        elif obj.type == "set":
            self.open_items(handle, "items", [key for key, _ in obj.entries.values()])
        elif obj.type == "object":
            self.open(obj.cls, "getattr", handle, "__class__")
            for name, x in obj.attrs.items():
                self.open(x, "getattr", handle, name)
        elif obj.type == "class" and not obj.is_immortal:
            for name, x in obj.attrs.items():
                self.open(x, "getattr", handle, name)
        elif obj.type == "method":
            self.open(obj.bound, "getattr", handle, "__self__")
        elif obj.type == "weakref" and obj.target is not None:
            self.open(obj.target, "deref", handle)
        elif obj.type == "weakref":
            self.ask(("value", None), "deref", handle)
        elif obj.type in SCALARS:
            self.ask(("value", obj.value), "read", handle)

    def ask_counts(self):
        for obj, handle in self.numbers.items():
            count = None if obj.is_immortal else obj.count + self.counts[obj]
            self.ask(("value", count), "refcount", handle)
            self.ask(("value", len(obj.weak)), "weakrefs", handle)
            self.ask(("value", obj.type), "type", handle)

    def flush(self):
        """Handles are opened and told in one go: what is asked together is small enough to be sent together."""
        answers = self.client.pipeline([(method, list(params)) for method, params in self.requests])
        for request, expected, (error, result) in zip(self.requests, self.expected, answers):
            check(self.runner.is_answer(expected, error, result),
                  f"visit by {self.name}: {request}: expected {expected}, got",
                  error or result)
        self.requests, self.expected = [], []

    def run(self):
        self.open_roots()
        while self.todo:
            self.open_content(self.todo.pop())
            if len(self.requests) > 300:
                self.flush()
        self.ask_counts()
        self.ask(("value", len(self.opened)), "release", *self.opened)
        self.flush()
        check(not self.client.events, self.name, "was told without a cause:", self.client.events)


# -- scripts ---------------------------------------------------------------------------------------------------------


def plan_round(rng, runner):
    """(the round for the script, the round to run): the calls of a solo are made up as the model goes on."""
    for name, space in NAMES.items():
        if name not in runner.sessions:
            return (("open", name, space),) * 2
    if rng.random() < 0.3:
        parts = {}
        for name, session in runner.sessions.items():
            chooser = Chooser(rng, runner.heap, session)
            parts[name] = [call for _ in range(rng.randrange(2 * CALLS)) for call in chooser.choose()]
        if rng.random() < 0.3:
            parts[rng.choice(list(NAMES))].append(None)
        return (("duel", parts),) * 2
    name = rng.choice(list(NAMES))
    calls = []

    def plan():
        for _ in range(rng.randrange(1, CALLS)):
            for call in Chooser(rng, runner.heap, runner.sessions[name]).choose():
                calls.append(call)
                yield call
    return ("solo", name, calls), ("solo", name, plan())


def run_random(daemon, rng, script):
    runner = Runner(daemon)
    for number in range(ROUNDS):
        kept, round = plan_round(rng, runner)
        script.append(kept)
        runner.run_round(round)
        if number % VISIT_EVERY == VISIT_EVERY - 1:
            script.append(("visit",))
            runner.visit()
    script.append(("visit",))
    runner.visit()
    runner.finish()


def calls_of(round):
    lists = {"solo": lambda: [round[2]], "duel": lambda: round[1].values()}.get(round[0], lambda: [])()
    return [call for calls in lists for call in calls if call]


def run_script(daemon, script):
    for call in (call for round in script for call in calls_of(round)):
        for var in [call.var, *vars_in(call.params)]:
            var.forget()
    runner = Runner(daemon)
    for round in script:
        runner.run_round(round)
    runner.finish()


def failure_of(run, config):
    """What went wrong in a run against a daemon of its own, or None."""
    daemon = Daemon(config=config)
    try:
        run(daemon)
        daemon.stop()
        return None
    except Exception:
        return f"{traceback.format_exc()}stderr of the daemon:\n{daemon.stderr()}"
    finally:
        daemon.close_clients()
        daemon.kill()


def minimise(script, config):
    """The script without what it does not need to fail, as far as the time goes: rounds first, then calls."""
    end = time.monotonic() + MINIMISE_SECONDS

    def fails(candidate):
        return time.monotonic() < end and failure_of(lambda daemon: run_script(daemon, candidate), config) is not None

    script = shrink(script, fails)
    for at, round in enumerate(script):
        if round[0] == "solo":
            calls = shrink(round[2], lambda less: fails([*script[:at], ("solo", round[1], less), *script[at + 1:]]))
            script[at] = ("solo", round[1], calls)
        elif round[0] == "duel":
            for name in round[1]:
                calls = shrink(round[1][name], lambda less: fails([*script[:at], ("duel", {**round[1], name: less}),
                                                                   *script[at + 1:]]))
                round[1][name] = calls
    return script


def shrink(items, fails):
    """Leaves out ever smaller pieces as long as it still fails."""
    size = max(1, len(items) // 2)
    while size:
        at = 0
        while at < len(items):
            less = items[:at] + items[at + size:]
            if fails(less):
                items = less
            else:
                at += size
        size //= 2
    return items


def show(script):
    for kind, *rest in script:
        if kind == "solo":
            yield from (f"{rest[0]}: {call}" for call in rest[1])
        elif kind == "duel":
            yield from (f"{name} at once: {call or 'bye()'}" for name, calls in rest[0].items() for call in calls)
        else:
            yield " ".join(map(str, (kind, *rest)))


def agree(config):
    for number in range(RUNS):
        seed = f"{SEED}.{number}"
        script = []
        failure = failure_of(lambda daemon: run_random(daemon, random.Random(seed), script), config)
        if failure:
            small = minimise(script, config)
            again = failure_of(lambda daemon: run_script(daemon, small), config)
            raise Differs(f"run {number} of HEAPD_MODEL_SEED={SEED}\n{again or failure}\n" + "\n".join(show(small)))


print(f"# HEAPD_MODEL_SEED={SEED} HEAPD_MODEL_RUNS={RUNS}")


@harness.test_own
def sessions_agree_with_the_model_when_one_reference_is_dropped_at_a_time():
    agree({"slice_objects": 1})


@harness.test_own
def sessions_agree_with_the_model_in_slices_of_the_default_size():
    agree(None)


harness.run()
