"""model_visit.py - a look at every object that a session reaches, and at its counts: is it as in the model?"""
from collections import Counter

from heap_model import SCALARS, WEAK_CONTAINERS, Given, Var


class Differs(Exception):
    """The daemon did not do what the model did."""


def check(is_so, *words):
    if not is_so:
        raise Differs(" ".join(map(str, words)))


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
        elif obj.type == "weakset":
            self.open_items(handle, "items", [entry.target for entry in obj.entries.values()])
        elif obj.type in WEAK_CONTAINERS:
            pairs = [(entry.target, entry.strong)[::-1 if obj.type == "weakdict" else 1] for entry in obj.entries.values()]
            self.open_items(handle, "keys", [key for key, _ in pairs])
            self.open_items(handle, "values", [value for _, value in pairs])
        elif obj.type == "queue":
            self.ask(("value", len(obj.items)), "call", handle, "len", [])
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
