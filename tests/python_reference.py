"""python_reference.py - what CPython answers to each row of protocol/type_methods.def.

LIKE[type, method] is a function of Python objects: the first is the self, which it changes as Python's method would.
What it raises is the error, by CODES. The deviations of docs/semantics.md are here and nowhere else:

  - ints have 64 bits: beyond them OVERFLOW;
  - a float that overflows is inf, where Python's ** and round() raise;
  - no complex numbers: a negative number to a fraction is VALUE;
  - the digits that int and float read are those of ASCII;
  - pairs of items and popitem are lists of two, keys, values, items and slices are lists;
  - sets keep the order of insertion (Set), and `pop` takes the first element.
"""
import copy
import math
import operator

CODES = ((TypeError, "TYPE"), (IndexError, "INDEX"), (KeyError, "KEY"), (ZeroDivisionError, "VALUE"),
         (ValueError, "VALUE"), (OverflowError, "OVERFLOW"), (AttributeError, "NO_ATTR"))

INT_MIN, INT_MAX = -(1 << 63), (1 << 63) - 1


class Set(set):
    """A set that is iterated and printed in order of insertion. Comparing and hashing are those of set."""

    def __init__(self, items=()):
        self.order = dict.fromkeys(items)
        super().__init__(self.order)

    def __iter__(self):
        return iter(list(self.order))

    def __deepcopy__(self, memo):
        return Set(copy.deepcopy(x, memo) for x in self)

    def __repr__(self):
        return "{" + ", ".join(map(repr, self)) + "}" if self else "set()"

    def add(self, x):
        super().add(x)
        self.order.setdefault(x)

    def discard(self, x):
        super().discard(x)
        if not isinstance(x, set):
            self.order.pop(x, None)

    def remove(self, x):
        super().remove(x)
        del self.order[x]

    def pop(self):
        if not self.order:
            raise KeyError("pop from an empty set")
        first = next(iter(self.order))
        self.remove(first)
        return first

    def clear(self):
        super().clear()
        self.order.clear()


class Thing:
    """An instance of heapd's class `object`: attributes, identity, nothing else."""

    def __repr__(self):
        return f"<object object #{id(self)}>"  # heapd's own id there


class Bound:
    """A bound method of heapd's, by the name of its row."""

    def __init__(self, self_, method):
        self.self, self.method = self_, method

    def __repr__(self):
        return f"{self.self!r}.{self.method}"


# The builtin classes, and what each stands for here.
CLASSES = {"list": list, "tuple": tuple, "dict": dict, "set": Set, "object": Thing, "bool": bool, "int": int,
           "float": float, "str": str, "bytes": bytes}

TYPES = {type(None): "nil", bool: "bool", int: "int", float: "float", str: "str", bytes: "bytes", list: "list",
         tuple: "tuple", dict: "dict", Set: "set", Thing: "object", type: "class", Bound: "method"}


def type_name(value):
    return TYPES[type(value)]


def answer(type, method, self, args):
    """("error", code) or ("value", result)."""
    try:
        return "value", LIKE[type, method](self, *args)
    except tuple(error for error, _ in CODES) as error:
        return "error", next(code for kind, code in CODES if isinstance(error, kind))


# -- numbers ---------------------------------------------------------------------------------------------------------


def is_number(x):
    return isinstance(x, (int, float))


def fit(x):
    """A result as heapd can keep it."""
    if isinstance(x, complex):
        raise ValueError("a complex number")
    if isinstance(x, int) and not INT_MIN <= x <= INT_MAX:
        raise OverflowError("beyond 64 bits")
    return x


def arithmetic(operation):
    def run(a, b):
        if not is_number(b):
            raise TypeError("not a number")
        return fit(operation(a, b))
    return run


def bitwise(operation):
    return lambda a, b: fit(operation(a, b)) if isinstance(b, int) else fail(TypeError)


def fail(error):
    raise error("")


def power(a, b):
    if isinstance(a, int) and isinstance(b, int) and b > 64 and abs(a) > 1:
        raise OverflowError("without computing it")
    try:
        return a ** b
    except OverflowError:
        if a < 0 and not float(b).is_integer():
            raise ValueError("a complex number")
        return -math.inf if a < 0 and math.fmod(b, 2) != 0 else math.inf


def shift_left(a, n):
    if n < 0:
        raise ValueError("negative shift count")
    if n > 64:
        return fit(a << 64)
    return a << n


def round_to(x, *digits):
    try:
        return fit(round(x, *digits))
    except OverflowError:
        if digits and digits[0] is not None and math.isfinite(x):
            return math.copysign(math.inf, x)
        raise


def count_up(old, n):
    """The new value of an atomic counter."""
    if not is_number(old) or not is_number(n):
        raise TypeError("not a number")
    return fit(old + n)


def add_to_entry(d, key, n=1):
    d[key] = count_up(d.get(key, 0), n)
    return d[key]


def add_to_attribute(o, name, n=1):
    if not isinstance(name, str):
        raise TypeError("not a str")
    o.__dict__[name] = count_up(o.__dict__.get(name, 0), n)
    return o.__dict__[name]


# -- containers ------------------------------------------------------------------------------------------------------


def at(self, index):
    if not isinstance(index, int):
        raise TypeError("not an int")
    return self[index]


def put(self, key, value):
    self[key] = value


def delete(self, key):
    del self[key]


def cut(self, start=None, stop=None, step=None):
    part = self[start:stop:step]
    return list(part) if isinstance(part, tuple) else part


def sort(self, *reverse):
    self.sort(**({"reverse": reverse[0]} if reverse else {}))


def update(self, other):
    self.update(dict(other))  # all pairs are looked at before one is set


def algebra(operation, order):
    """A method of set that makes one: Python's result, in the order of insertion."""
    def run(self, other):
        found = {x: x for x in operation(set(self), set(other) if isinstance(other, set) else other)}
        return Set(found[x] for x in order(self, other) if x in found)
    return run


def scan(self, cursor, n):
    """A piece of what is in a container that nothing was removed from: its cursors are positions."""
    if not isinstance(cursor, int) or not isinstance(n, int):
        raise TypeError("not an int")
    if cursor < 0 or n < 1:
        raise ValueError("no place to go on from")
    entries = [list(item) for item in self.items()] if isinstance(self, dict) else list(self)
    return [cursor + n if cursor + n < len(entries) else None, entries[cursor:cursor + n]]


def both(self, other):
    return [*self, *other]


def first(self, other):
    return self


# -- all rows --------------------------------------------------------------------------------------------------------


def new(kind, *args):
    return fit(kind(*args))


def call_bound(bound, *args):
    kind = "int" if isinstance(bound.self, bool) else type_name(bound.self)
    return LIKE[kind, bound.method](bound.self, *args)


LIKE = {}


def rows(types, methods):
    for type in types.split():
        for name, function in methods.items():
            LIKE[type, name] = function


rows("any", {"eq": operator.eq, "ne": operator.ne, "lt": operator.lt, "le": operator.le, "gt": operator.gt,
             "ge": operator.ge, "hash": hash, "repr": repr})
rows("int float", {"add": arithmetic(operator.add), "sub": arithmetic(operator.sub), "mul": arithmetic(operator.mul),
                   "floordiv": arithmetic(operator.floordiv), "mod": arithmetic(operator.mod),
                   "pow": arithmetic(power), "neg": lambda x: fit(-x), "abs": lambda x: fit(abs(x))})
rows("int", {"and": bitwise(operator.and_), "or": bitwise(operator.or_), "xor": bitwise(operator.xor),
             "not": lambda x: ~x, "lshift": bitwise(shift_left), "rshift": bitwise(operator.rshift)})
rows("float", {"div": arithmetic(operator.truediv), "round": round_to})
rows("str bytes list tuple dict set", {"len": len})
rows("str bytes list tuple", {"get": at, "slice": cut})
rows("str bytes", {"find": lambda s, *args: s.find(*args), "concat": operator.add})
rows("str", {name: getattr(str, name) for name in ("count", "split", "join", "upper", "lower", "strip", "replace",
                                                   "startswith", "endswith")})
rows("str list tuple dict set", {"contains": operator.contains})
rows("list dict set", {"scan": scan})
rows("list tuple", {"index": lambda xs, *args: xs.index(*args), "count": lambda xs, x: xs.count(x)})
rows("list", {"set": put, "append": list.append, "extend": list.extend, "insert": list.insert, "pop": list.pop,
              "remove": list.remove, "reverse": list.reverse, "sort": sort, "clear": list.clear, "del": delete})
rows("dict", {"get": dict.get, "get_item": operator.getitem, "set": put, "has": operator.contains, "del": delete,
              "pop": dict.pop, "popitem": lambda d: list(d.popitem()), "setdefault": dict.setdefault, "update": update,
              "keys": list, "values": lambda d: list(d.values()), "items": lambda d: [list(x) for x in d.items()],
              "clear": dict.clear, "add": add_to_entry})
rows("set", {"has": operator.contains, "add": Set.add, "discard": Set.discard, "remove": Set.remove, "pop": Set.pop,
             "clear": Set.clear, "union": algebra(set.union, both), "intersection": algebra(set.intersection, first),
             "difference": algebra(set.difference, first),
             "symmetric_difference": algebra(set.symmetric_difference, both), "issubset": set.issubset,
             "issuperset": set.issuperset, "items": list})
rows("object", {"add": add_to_attribute})
rows("class", {"new": new})
rows("method", {"call": call_bound, "__call__": call_bound})
