#!/usr/bin/python3
"""types_like_python.py - every method of every builtin type answers as CPython's does.

For each row of protocol/type_methods.def, the cases of python_cases.py are run by python_reference.py and through the
wire, and compared: result or error, and, where self can change, self afterwards. An error must have changed nothing.
A row without cases fails, and so do cases without a row.
"""
import math
import os
import random
import re
import struct

import harness
from harness import Ref
from python_cases import CASES
from python_reference import CLASSES, LIKE, Bound, Set, Thing, answer, type_name

CHUNK = 250   # cases between two waits for answers
SHOWN = 8     # differences told of one row
MUTABLE = (list, dict, Set, Thing)
SCALARS = (type(None), bool, int, float, str, bytes)
CLASS_OF = {kind: name for name, kind in CLASSES.items()}


def rows():
    """{(type, method): (least, most)} as type_methods.def has them, INT_ROWS(type) spelled out."""
    path = os.path.join(os.environ.get("TOP_SRCDIR", "."), "protocol/type_methods.def")
    with open(path) as file:
        text = file.read()
    macro = re.search(r"#define INT_ROWS\(type\)(.*?[^\\])\n", text, re.DOTALL)
    text = re.sub(r"/\*.*?\*/", "", text.replace(macro.group(0), ""), flags=re.DOTALL)
    text = re.sub(r"^INT_ROWS\((\w+)\)", lambda m: macro.group(1).replace("(type,", f"({m.group(1)},"), text,
                  flags=re.M)
    found = re.findall(r"TYPE_METHOD(?:_PEEK|_KEY)?\(\s*(\w+),\s*(\w+),\s*(\d+),\s*(\d+)", text)
    # Python's weak containers refuse what ours take, lists and ints: tests/weak_containers.py has a model of its own for
    # them, and tests/queue_takers.py for queues, which wait as requests do
    return {(type, name): (int(least), int(most)) for type, name, least, most in found if not type.startswith("weak") and type != "queue"}


# -- to the wire -----------------------------------------------------------------------------------------------------


class Chunk:
    """Requests that are sent together, and what is to be done with each answer."""

    def __init__(self, client):
        self.client = client
        self.requests = []
        self.checks = []
        self.handle = 0
        self.memo = {}       # id(value) -> (value, its Ref)
        self.things = {}     # object id of the heap -> Thing

    def ask(self, check, method, *params):
        self.requests.append((method, list(params)))
        self.checks.append(check)

    def make(self, value, method, *params):
        """A reference to what this producer makes; it is what `value` is from now on."""
        self.handle += 1
        ref = Ref(self.handle, None, None)
        self.memo[id(value)] = value, ref
        self.ask(lambda error, made: self.made(value, error, made), method, *params, {"into": self.handle})
        return ref

    def made(self, value, error, ref):
        assert error is None, f"making {value!r}: {error}"
        if isinstance(value, Thing):
            self.things[ref.id] = value

    def ref(self, value):
        """A reference to the object that stands for `value`."""
        if id(value) in self.memo:
            return self.memo[id(value)][1]
        if isinstance(value, Bound):
            return self.make(value, "getattr", self.ref(value.self), value.method)
        if isinstance(value, type):
            return self.make(value, "get", ["builtins", CLASS_OF[value]])
        if isinstance(value, Thing):
            return self.make_thing(value)
        if isinstance(value, (tuple, Set)):
            return self.make(value, "call", ["builtins", type_name(value)], "new", [[self.wire(x) for x in value]])
        return self.make(value, "new", self.literal(value))

    def make_thing(self, thing):
        ref = self.make(thing, "call", ["builtins", "object"], "new", [])
        for name, value in vars(thing).items():
            self.ask(lambda error, _: None, "setattr", ref, name, self.wire(value))
        return ref

    def literal(self, value):
        if isinstance(value, list):
            return [self.wire(x) for x in value]
        if isinstance(value, dict):
            return {self.wire(key): self.wire(x) for key, x in value.items()}
        return value

    def wire(self, value):
        """What stands for `value` in a literal. NaN is a reference: only it is equal to itself in a container."""
        is_nan = isinstance(value, float) and math.isnan(value)
        if id(value) not in self.memo and not is_nan and isinstance(value, SCALARS + (list, dict)):
            return self.literal(value)
        return self.ref(value)

    def run(self):
        requests = self.requests + [("release", [Ref(n, None, None) for n in range(1, self.handle + 1)])]
        answers = self.client.pipeline(requests)
        for check, (error, result) in zip(self.checks, answers):
            check(error, result)


# -- comparing -------------------------------------------------------------------------------------------------------


def bits(x):
    return struct.pack("<d", x) if x == x else b"nan"


def same(expected, got, things):
    """Whether a value that was read is the expected one, to the type and the bit. Tuples and sets are read as arrays."""
    if isinstance(expected, (list, tuple, Set)):
        return isinstance(got, list) and len(got) == len(expected) and all(
            same(x, y, things) for x, y in zip(expected, got))
    if isinstance(expected, dict):
        if not all(isinstance(key, SCALARS) for key in expected):
            return isinstance(got, Ref) and got.type == "dict"  # no map can have such keys
        return isinstance(got, dict) and same(list(expected), list(got), things) and same(
            list(expected.values()), list(got.values()), things)
    if isinstance(expected, Thing):
        return isinstance(got, Ref) and things.get(got.id) is expected
    if not isinstance(expected, SCALARS):
        return isinstance(got, Ref) and got.type == type_name(expected)
    if isinstance(expected, float):
        return isinstance(got, float) and bits(expected) == bits(got)
    if isinstance(expected, str) and isinstance(got, str):
        got = re.sub(r"(?<=<object object #)(\d+)", lambda m: str(id(things.get(int(m.group())))), got)
    return type(expected) is type(got) and expected == got


def has_addresses(value):
    """Whether Python's repr would tell of more than value and shape."""
    if isinstance(value, (list, tuple, Set)):
        return any(map(has_addresses, value))
    if isinstance(value, dict):
        return has_addresses(list(value)) or has_addresses(list(value.values()))
    return isinstance(value, (type, Bound))


class Row:
    """The cases of one row, and what differed."""

    def __init__(self, type, method, client):
        self.type, self.method = type, method
        self.client = client
        self.chunk = Chunk(client)
        self.count = 0
        self.differences = []
        self.hashes = {}  # value -> (its hash, the value)

    def differ(self, about, expected, got):
        self.differences.append(f"{about}: Python {expected}, heapd {got}")

    def check_read(self, about, value, ref):
        """Asks for the value of a reference, and for its repr, which tells list, tuple and set apart."""
        things = self.chunk.things
        self.chunk.ask(lambda error, got: error is None and same(value, got, things) or self.differ(about, value,
                                                                                                    error or got),
                       "read", ref)
        text = repr(value)
        if not has_addresses(value):
            self.chunk.ask(lambda error, got: same(text, got, things) or self.differ(about + " in repr", text,
                                                                                     error or got),
                           "call", ref, "repr", [])

    def check_hash(self, about, value):
        def check(error, got):
            if type(got) is not int:
                self.differ(about, "an int", error or got)
            elif value == value and self.hashes.setdefault(value, (got, value))[0] != got:
                self.differ(about, f"the hash of {self.hashes[value][1]!r}", got)
        return check

    def check_call(self, about, kind, value):
        """What the answer of a call must be, as a function of it."""
        things = self.chunk.things

        def check(error, got):
            if kind == "error":
                error is not None and error.split(" ")[0] == value or self.differ(about, value, error or repr(got))
            elif isinstance(value, SCALARS):
                error is None and same(value, got, things) or self.differ(about, repr(value), error or repr(got))
            else:
                error is None and isinstance(got, Ref) and got.type == type_name(value) or self.differ(
                    about, repr(value), error or repr(got))
        return check

    def run_case(self, self_, args):
        about = f"{self_!r}.{self.method}({', '.join(map(repr, args))})"[:300]
        chunk = self.chunk
        target = chunk.ref(self_)
        params = [target, self.method, [chunk.wire(x) for x in args]]
        before = repr(self_), has_addresses(self_)
        kind, value = answer(self.type, self.method, self_, args)
        if self.method == "hash" and kind == "value":
            chunk.ask(self.check_hash(about, self_), "call", *params)
        elif kind == "error" or isinstance(value, SCALARS):
            chunk.ask(self.check_call(about, kind, value), "call", *params)
        else:
            chunk.handle += 1
            chunk.ask(self.check_call(about, kind, value), "call", *params, {"into": chunk.handle})
            self.check_result(about, value, Ref(chunk.handle, None, None))
        if isinstance(self_, MUTABLE):
            self.check_self(about + " and then self", self_, target, kind, before)
        self.count += 1

    def check_result(self, about, value, ref):
        if isinstance(value, SCALARS + (list, tuple, dict, Set)):
            self.check_read(about, value, ref)

    def check_self(self, about, self_, target, kind, before):
        text, has_more = before
        if isinstance(self_, Thing):
            self.chunk.handle += 1
            self.chunk.ask(lambda error, got: None, "getattr", target, "__dict__", {"into": self.chunk.handle})
            self.check_read(about, vars(self_), Ref(self.chunk.handle, None, None))
        elif kind == "value":
            self.check_read(about, self_, target)
        elif not has_more:
            things = self.chunk.things
            self.chunk.ask(lambda error, got: same(text, got, things) or self.differ(about, text, error or got),
                           "call", target, "repr", [])

    def finish_chunk(self):
        self.chunk.run()
        self.chunk = Chunk(self.client)

    def run_all(self, least, most):
        rng = random.Random(f"{self.type}.{self.method}")
        for self_, args in CASES[self.type, self.method](rng):
            self.run_case(self_, args)
            if self.count % CHUNK == 0:
                self.finish_chunk()
        self.run_wrong_counts(rng, least, most)
        self.finish_chunk()
        shown = "\n".join(self.differences[:SHOWN])
        assert not self.differences, f"{len(self.differences)} of {self.count} differ:\n{shown}"

    def run_wrong_counts(self, rng, least, most):
        """Too few and too many arguments are TYPE, as Python's TypeError."""
        self_ = next(iter(CASES[self.type, self.method](rng)))[0]
        target = self.chunk.ref(self_)
        for count in [*range(least), most + 1, most + 5]:
            if count < 255:
                about = f"{self_!r}.{self.method} with {count} arguments"
                self.chunk.ask(self.check_call(about, "error", "TYPE"), "call", target, self.method, [1] * count)
                self.count += 1


# -- tests -----------------------------------------------------------------------------------------------------------


def test_of_row(type, method, least, most):
    def claim(server):
        row = Row(type, method, server.client(refs="ext"))
        row.run_all(least, most)
        print(f"# {type}.{method}: {row.count} cases")

    claim.__name__ = f"{type}_{method}_answers_as_python_does"
    harness.test(claim)


@harness.test_own
def every_row_of_type_methods_def_has_cases():
    assert set(ROWS) == set(CASES) == set(LIKE), set(ROWS) ^ set(CASES) | set(ROWS) ^ set(LIKE)


ROWS = rows()
for (kind, name), (fewest, largest) in ROWS.items():
    if (kind, name) in CASES:
        test_of_row(kind, name, fewest, largest)
harness.run()
