"""model_runner.py - runs the rounds of a script (model.py) against a daemon and the model, and compares the answers."""
from collections import Counter

from harness import Ref, wait_until
from heap_model import Given, Heap, Var
from model_operations import Call, is_separate, own_objects, vars_in
from model_requests import Request
from model_visit import Visit, check

UNKNOWN = 1 << 50  # a handle that nobody was given
BYE = Call("bye", [], Var())


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
        if kind == "collected":
            return error is None and result["uncollectable"] == 0
        if kind == "error":
            return error is not None and error.split(" ")[0] in value.split(" ")
        return error is None and self.same(value, result)

    def receive(self, name):
        message = self.clients[name].receive()
        check(message is not None, name, "the connection ended")
        return message

    def expect(self, name, item, call=None):
        """One item of the model's stream must be the next that comes."""
        if item[:2] == ("dead", "cycle"):
            self.expect_collected(name, [var.number for var in item[2]])
            return
        message = self.receive(name)
        if item[0] == "dead":
            numbers = [var.number for var in item[2]]
            check(message[0] == 2 and message[1] == "dead" and message[2][1:] == [item[1], numbers],
                  f"{name}: after {call}: expected dead {item[1]} {numbers}, got {message}")
            return
        check(message[0] == 1 and self.is_answer(item[1], *message[2:]),
              f"{name}.{call}: expected {item[1]}, got {message}")

    def expect_collected(self, name, numbers):
        """All that was collected is told, in an order of the collector's."""
        left = set(numbers)
        while left:
            message = self.receive(name)
            check(message[0] == 2 and message[1] == "dead" and left.issuperset(message[2][2]),
                  f"{name}: expected the collected {sorted(left)}, got {message}")
            left -= set(message[2][2])

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
        collects = any(call and call.method == "gc" for calls in parts.values() for call in calls)
        own = {name: own_objects(self.heap, self.sessions[name]) for name in parts}
        parts = {name: self.separate(name, calls, own[name]) for name, calls in parts.items()}
        for name, calls in parts.items():
            self.send(name, calls + [BYE] * (name in ending))
        for name in ending:
            self.heap.end(self.sessions[name])
        heard = {name: self.hear_answers(name, calls, name in ending) for name, calls in parts.items()}
        self.wait_for_ends()
        if collects:  # once more, for what became garbage while they ran
            self.collect()
        for name in self.sessions:
            self.hear_deaths(name, heard.get(name, []))

    def collect(self):
        self.heap.collect()
        self.control.call("gc")

    def separate(self, name, calls, own):
        """Runs in the model those calls that touch only what is the session's own, and returns them."""
        taken = []
        for call in calls:
            if call and call.method == "gc":
                self.sessions[name].stream.append(("response", ("collected", None)))
                taken.append(call)
                continue
            reached = own & self.heap.reach(self.heap.roots(self.sessions[name]))  # garbage may go at any time
            if call and self.is_sendable(name, call) and is_separate(self.sessions[name], call, reached):
                self.ask_model(name, call)
                own.update(self.heap.made)
                taken.append(call)
        return taken

    def hear_answers(self, name, calls, is_ending):
        """Compares the answers; returns the handles of the deaths that were told meanwhile."""
        session = self.sessions[name]
        answers = [item for item in session.stream if item[0] == "response"]
        session.stream = [item for item in session.stream if item[0] == "dead"]
        heard = []
        for call, item in zip(calls, answers):
            self.hear_answer(name, heard, item, call)
        if is_ending:
            self.hear_answer(name, heard, ("response", ("value", None)), BYE)
            check(self.clients[name].receive() is None, name, "is not closed after bye")
            del self.sessions[name], self.clients[name]
        return heard

    def hear_deaths(self, name, heard):
        """What was told up to now must be what the model tells, in any order."""
        session = self.sessions[name]
        expected = sorted(var.number for _, _, handles in session.stream for var in handles)
        session.stream = []
        self.send_ping(name)
        self.hear_answer(name, heard, session.stream.pop(), "ping()")
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
        """Drops everything, garbage cycles last: nothing must be left."""
        for space_name, space in list(self.heap.spaces.items()):
            if space_name != "builtins":
                while space.names:
                    key = next(iter(space.names))
                    self.control.call("unbind", [space_name, key])
                    obj = space.take(key)
                    if obj is not None:
                        self.heap.unref(obj)
                    self.heap.finish_step()
        self.hear_events()
        for name in list(self.sessions):
            self.clients[name].close()
            self.heap.end(self.sessions.pop(name))
            self.wait_for_ends()
            self.hear_events()
        self.check_live()
        self.collect()
        self.check_live()
