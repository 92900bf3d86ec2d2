"""python_cases.py - the arguments with which types_like_python.py calls each method.

CASES[type, method] is a function of a random.Random that gives (self, arguments) tuples. Every case has containers
of its own.
"""
import copy
import itertools
import math

from python_reference import CLASSES, Bound, Set, Thing

MOST = 400  # cases of one row; larger products are sampled

INF, NAN, OTHER_NAN = math.inf, math.nan, float("nan")
THING, OTHER_THING = Thing(), Thing()

INTS = [0, 1, -1, 2, 3, -3, 5, -5, -6, 7, 10, 63, 64, 65, 255, 256, 257, 1000003, 1 << 31, -(1 << 31), 1 << 32, 1 << 53,
        (1 << 53) + 1, -(1 << 53) - 1, 1 << 62, -(1 << 62), (1 << 63) - 1, -(1 << 63), -(1 << 63) + 1, 3037000500]
BOOLS = [True, False]
FLOATS = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 3.7, 0.1, 1 / 3, 2.675, 1e16, 123456789.125, 2.0 ** 53,
          2.0 ** 63, -(2.0 ** 63), 1e21, 1e22, 1e-5, 1e-4, 1e300, -1e308, 1.7976931348623157e308, 5e-324,
          INF, -INF, NAN]
NUMBERS = INTS + BOOLS + FLOATS

STRS = ["", "a", "b", "ab", "ba", "aa", "aaa", "abcabcabc", "A", "Straße", "äöü", "aäa", "日本語", "x😀y😀", "😀", " ",
        " a  b\tc\n", "\x1c\x85\xa0\u2003x\u3000", "a,b,,c,", ",", ",,", "\x00", "a\x00b", "\u2028", "\u0301e", "ﬁ",
        "ǅ", "İi", "ΑΣ", "ΣΑΣΑ", "'", '"', "'\"\\", "\x7f\x80\xad\ufeff\U000e0001",
        "\U0010ffff", "x" * 300]
BYTESES = [b"", b"a", b"ab", b"aba", b"abab", b"\x00", b"\xff\xfe", b"'", b'"', b"'\"", b"\n\t\\\x7f",
           bytes(range(256))]

WRONG = [None, 1.5, "a", b"a", [], {}, (), THING]
INDICES = [0, 1, 2, -1, -2, -3, -4, 5, -5, 1 << 31, -(1 << 31), (1 << 63) - 1, -(1 << 63), True, False, None, 1.0,
           "0", [0]]
BOUNDS = [None, 0, 1, 2, 3, -1, -2, -3, 100, -100, (1 << 63) - 1, -(1 << 63), True]
STEPS = [None, 1, -1, 2, -2, 3, -3, 0, 100, (1 << 63) - 1, -(1 << 63)]
BAD_BOUNDS = [1.0, "1", b"1", [], THING]

TUPLES = [(), (1,), (1, 2), (2, 1), (1, "a", None), ((1, 2), (3,)), (1.0, True, 1), (NAN,), (NAN, OTHER_NAN),
          ("a", b"a"),
          ([],), ([1], {}), (0, 0.0, False, -0.0), (1, 2, 3, 4, 5)]
LISTS = [[], [1], [1, 2], [2, 1], [1, 2, 3], [3, 1, 2, 1], ["a", "b", "a"], [1.0, True, 1, "1"], [NAN],
         [NAN, OTHER_NAN, 1],
         [None, [], {}, ()], [[1, [2, [3]]]], [[1], [1.0], [True]], [THING, OTHER_THING], [0, -0.0, False, 0.0],
         [300, 300, -7, 1 << 62], list(range(40)), ["a", b"a"]]
KEYS = [None, True, False, 0, 1, 1.0, -1, 2, 0.0, -0.0, 1.5, 300, (1 << 63) - 1, 2.0 ** 63, 2.0 ** 53, 1 << 53, "",
        "a", b"a",
        b"", "1", (), (1,), (1.0, "a"), ((1,), 2), NAN, OTHER_NAN, INF, THING]
UNHASHABLE = [[], [1], {}, {1: 2}, ([],), (2, ({},)), (Set(),)]
DICTS = [{}, {1: "one"}, {1.0: 1, 2: 2.0}, {True: [], False: {}}, {"a": 1, "b": 2, "c": 3}, {"a": 300.5, b"a": 7},
         {None: None, (): (), (1, "a"): [1]}, {NAN: 1, OTHER_NAN: 2}, {THING: 1}, {0: 0, 1: [1], 2: {2: {}}},
         {n: n * n for n in range(30)}, {"n": 5, 1: 2.5, 2: (1 << 63) - 1}]
SETS = [Set(), Set([1]), Set([1, 2]), Set([2, 1]), Set([1.0, 2]), Set([True, 2, "a"]), Set([3, 1, 2]),
        Set(["a", b"a", None]),
        Set([NAN]), Set([(1, 2), ()]), Set([THING]), Set(range(30))]
# What has items, and what has none.
ITEMS = [*LISTS, *TUPLES, *DICTS, *SETS, "", "ab", "日a", b"", b"a\xff", 5, None, 1.5, True, THING]
THINGS = [THING, OTHER_THING]
VALUES = [None, *BOOLS, *INTS[::3], *FLOATS[::3], NAN, OTHER_NAN, *STRS[:12], *BYTESES[:5], *TUPLES, *LISTS, *DICTS,
          *SETS, *THINGS, int, list]
PAIRS = [*DICTS, [], [[1, 2]], [(1, 2), ["a", "b"]], [[1, 2], [1.0, 3]], ((1, []), (2, {})), ["ab", "cd"], [b"ab"],
         [{1: 2, 3: 4}], [Set([1, 2])], Set([(1, 2)]), [[1]], [[1, 2,
                                                                3]], [[]], [5], [None], 5, None, "", "ab", "a", b"ab",
         [[[], 1]], [[1, 2], [[], 3]], ["abc"], True, Set()]

# -- making cases ----------------------------------------------------------------------------------------------------


def fresh(value):
    """A copy with containers of its own; NaNs and things keep their identity."""
    memo = {id(x): x for x in (NAN, OTHER_NAN, THING, OTHER_THING)}
    return copy.deepcopy(value, memo)


def some(rng, pools, most=MOST):
    """Up to `most` combinations of one value of each pool."""
    if math.prod(map(len, pools)) <= most:
        yield from itertools.product(*pools)
    else:
        for _ in range(most):
            yield [rng.choice(pool) for pool in pools]


def cases(*ways):
    """Of each way, [self pool, argument pool...], up to MOST cases."""
    def make(rng):
        for pools in ways:
            for self, *args in some(rng, pools):
                yield fresh(self), [fresh(x) for x in args]
    return make


def with_itself(make):
    """And each self as its own argument."""
    def more(rng):
        for self, args in make(rng):
            yield self, args
            if len(args) == 1:
                self = fresh(self)
                yield self, [self]
    return more


def nested(rng, depth=4):
    """A value of random shape; equal ones and such that differ in one place come up often enough."""
    shape = rng.randrange(8) if depth > 0 else 0
    size = rng.randrange(4)
    if shape == 1:
        return [nested(rng, depth - 1) for _ in range(size)]
    if shape == 2:
        return tuple(nested(rng, depth - 1) for _ in range(size))
    if shape == 3:
        return {hashable(rng, depth - 1): nested(rng, depth - 1) for _ in range(size)}
    if shape == 4:
        return Set(hashable(rng, depth - 1) for _ in range(size))
    return rng.choice([None, True, 0, 1, 1.0, 2, -0.0, 0.5, NAN, "", "a", "ä", b"", b"a", 300, 1 << 60])


def hashable(rng, depth):
    if depth > 0 and rng.random() < 0.3:
        return tuple(hashable(rng, depth - 1) for _ in range(rng.randrange(3)))
    return rng.choice([None, True, False, 0, 1, 1.0, 2, "", "a", "ä", b"a", 300, 300.0])


def nested_pairs(rng):
    """Two nested values: the same, a copy, or others."""
    for _ in range(MOST):
        a = nested(rng)
        yield a, [rng.choice([a, fresh(a), nested(rng), [fresh(a)]])]


def both_ways(make, more):
    return lambda rng: itertools.chain(make(rng), more(rng))


COMPARED = both_ways(cases([VALUES, VALUES], [NUMBERS, NUMBERS], [STRS, STRS], [BYTESES, BYTESES], [LISTS, LISTS],
                           [TUPLES, TUPLES], [SETS, SETS], [DICTS, DICTS]), nested_pairs)

# -- strings and sequences -------------------------------------------------------------------------------------------

SUBS = ["", "a", "b", "ab", "aa", "ä", "😀", "\x00", ",", "語", "c", " "]
SEQUENCES = {"str": STRS, "bytes": BYTESES, "list": LISTS, "tuple": TUPLES}


def searches(selves, subs, wrong):
    return cases([selves, subs], [selves, subs, BOUNDS], [selves, subs, BOUNDS, BOUNDS],
                 [selves, subs, BAD_BOUNDS, BOUNDS],
                 [selves, subs, BOUNDS, BAD_BOUNDS], [selves, wrong])


def slices(selves):
    return cases([selves], [selves, BOUNDS], [selves, BOUNDS, BOUNDS], [selves, BOUNDS, BOUNDS, STEPS],
                 [selves, BAD_BOUNDS], [selves, BOUNDS, BAD_BOUNDS], [selves, BOUNDS, BOUNDS, BAD_BOUNDS])


def lists_of(pool, most):
    return [list(pool[i:i + n]) for n in range(most) for i in range(0, len(pool), 3)]


JOINED = [*lists_of(STRS, 4), *map(tuple, lists_of(STRS, 3)), {"a": 1, "b": 2}, Set(["x", "y"]), ["a", 1], [b"a"],
          [None], "abc",
          "日本", 5, None, b"ab", {}, {1: "a"}]

ORDERED = [[], *lists_of(INTS, 9), *lists_of(FLOATS[:-1], 9), *lists_of(STRS, 6), *lists_of(BYTESES, 4),
           [1, 1.0, True, 0, False],
           [3, 2.5, -1, True], [[2], [1], [1, 0], []], [(1, "a"), (0, "b"), (1, "a", 0)], [1, "a"], ["a", 1, 2], [None],
           [None, None], [{}, {}], [{}], [[1], (1,)], ["a", b"a"], [b"b", b"a"], [(1, 2), (1, "a")], [THING],
           [THING, OTHER_THING], list(range(500, 0, -1)), [n * 7919 % 1000 for n in range(1000)],
           [(n % 3, n) for n in range(50)], [float(n % 7) if n % 2 else n % 7 for n in range(100)]]

CASES = {("any", name): COMPARED for name in "eq ne lt le gt ge".split()}
for name in "hash repr".split():
    CASES["any", name] = both_ways(cases([VALUES], [NUMBERS], [STRS], [BYTESES], [KEYS], [UNHASHABLE]),
                                   lambda rng: ((nested(rng), []) for _ in range(MOST)))
for kind, selves in (("int", INTS + BOOLS), ("float", FLOATS)):
    for name in "add sub mul floordiv mod pow".split():
        CASES[kind, name] = cases([selves, INTS], [selves, NUMBERS], [selves, FLOATS], [selves, WRONG])
    for name in "neg abs".split():
        CASES[kind, name] = cases([selves])
for name in "and or xor".split():
    CASES["int", name] = cases([INTS + BOOLS, INTS + BOOLS], [INTS + BOOLS, NUMBERS], [INTS + BOOLS, WRONG])
for name in "lshift rshift".split():
    CASES["int", name] = cases([INTS + BOOLS, INTS + BOOLS], [INTS + BOOLS, list(range(66))], [INTS + BOOLS, WRONG])
CASES["int", "not"] = cases([INTS + BOOLS])
CASES["float", "div"] = CASES["float", "mul"]
CASES["float", "round"] = cases([FLOATS], [FLOATS, [None, 0, 1, 2, 3, 16, 22, 308, 400, -1, -2, -16, -308, -400, True,
                                                    1 << 62,
                                                    -(1 << 63)]], [FLOATS, [1.0, "1", []]])

for kind, selves in SEQUENCES.items():
    CASES[kind, "len"] = cases([selves])
    CASES[kind, "get"] = cases([selves, INDICES], [selves, list(range(-42, 42))])
    CASES[kind, "slice"] = slices(selves)
for kind in ("str", "list", "tuple"):
    CASES[kind, "contains"] = with_itself(cases([SEQUENCES[kind], VALUES], [SEQUENCES[kind], SUBS]))
CASES["str", "find"] = searches(STRS, SUBS + STRS, WRONG)
CASES["str", "count"] = searches(STRS, SUBS + STRS, WRONG)
CASES["str", "startswith"] = searches(STRS, SUBS + STRS + [("a", "ä"), ()], WRONG + [("a", 1)])
CASES["str", "endswith"] = searches(STRS, SUBS + STRS + [("c", "ü"), ()], WRONG + [("a", 1)])
CASES["bytes", "find"] = searches(BYTESES, [*BYTESES, b"b", b"ba", 97, 0, 255, True], [*WRONG, -1, 256, 1 << 62])
CASES["str", "split"] = cases([STRS], [STRS, [None, *SUBS]], [STRS, [None, *SUBS],
                                                              [-1, 0, 1, 2, 100, True, -(1 << 63)]],
                              [STRS, WRONG[1:]], [STRS, SUBS, [None, 1.0, "1"]])
CASES["str", "join"] = with_itself(cases([["", ",", "😀ä"], JOINED]))
CASES["str", "strip"] = cases([STRS], [STRS, [None, *SUBS, "abc", "x ", "\xa0 "]], [STRS, WRONG[1:]])
CASES["str", "replace"] = cases([STRS, SUBS, SUBS], [STRS, SUBS, SUBS, [-1, 0, 1, 2, 100, True, -(1 << 63)]],
                                [STRS, WRONG, SUBS], [STRS, SUBS, WRONG], [STRS, SUBS, SUBS, [None, 1.0, "1"]])
for kind, selves in (("str", STRS), ("bytes", BYTESES)):
    CASES[kind, "concat"] = with_itself(cases([selves, STRS + BYTESES], [selves, WRONG]))
LETTERS = [chr(c) for c in [*range(0x250), *range(0x370, 0x600), *range(0x1c80, 0x1cc0), *range(0x1e00, 0x2000),
                            *range(0x2100, 0x2190), *range(0x2c00, 0x2e00), *range(0xa640, 0xa7f8), *range(0xab30,
                                                                                                           0xabc0),
                            *range(0xfb00, 0xfb18), *range(0x10400, 0x10450), *range(0x1e900, 0x1e944)]]
WORDS = ["".join(LETTERS[i:i + 24]) for i in range(0, len(LETTERS), 24)]
for name in ("upper", "lower"):
    CASES["str", name] = cases([STRS], [WORDS], [[word[::-1] for word in WORDS]],
                               [["aΣ", "Σ", "aΣ.", "aΣb", "a'Σ", "aΣ\u0301"]])

# -- lists, tuples, dicts, sets --------------------------------------------------------------------------------------

FOUND = [*KEYS, *UNHASHABLE, *LISTS[:8]]
for kind in ("list", "tuple"):
    selves = SEQUENCES[kind]
    CASES[kind, "count"] = cases([selves, FOUND])
    CASES[kind, "index"] = cases([selves, FOUND], [selves, FOUND, BOUNDS], [selves, FOUND, BOUNDS, BOUNDS],
                                 [selves, FOUND, BAD_BOUNDS])
CASES["list", "set"] = cases([LISTS, INDICES, VALUES])
CASES["list", "append"] = cases([LISTS, VALUES])
CASES["list", "extend"] = with_itself(cases([LISTS, ITEMS]))
CASES["list", "insert"] = cases([LISTS, INDICES, VALUES], [LISTS, BAD_BOUNDS, VALUES])
CASES["list", "pop"] = cases([LISTS], [LISTS, INDICES])
CASES["list", "del"] = cases([LISTS, INDICES])
CASES["list", "remove"] = cases([LISTS, FOUND])
CASES["list", "sort"] = cases([ORDERED], [ORDERED, [True, False, 1, 0]], [ORDERED, [None, "a", 1.5]])
CASES["list", "reverse"] = CASES["list", "clear"] = cases([LISTS])

ANY_KEYS = KEYS + UNHASHABLE
for name in "get_item has contains del get pop setdefault".split():
    CASES["dict", name] = cases([DICTS, ANY_KEYS], [DICTS, DICTS])
for name in "get pop setdefault".split():
    CASES["dict", name] = both_ways(CASES["dict", name], cases([DICTS, ANY_KEYS, VALUES]))
CASES["dict", "set"] = cases([DICTS, ANY_KEYS, VALUES])
CASES["dict", "update"] = with_itself(cases([DICTS, PAIRS]))
CASES["dict", "add"] = cases([DICTS, ANY_KEYS], [DICTS, ["a", "n", 1, 2, "new"], NUMBERS], [DICTS, ANY_KEYS, WRONG])
for name in "len keys values items clear popitem".split():
    CASES["dict", name] = cases([DICTS])

for name in "has contains add discard remove".split():
    CASES["set", name] = cases([SETS, ANY_KEYS], [SETS, SETS], [SETS, VALUES])
for name in "union intersection difference symmetric_difference issubset issuperset".split():
    CASES["set", name] = with_itself(cases([SETS, SETS], [SETS, ITEMS], [SETS, UNHASHABLE]))
for name in "len items clear pop".split():
    CASES["set", name] = cases([SETS])

for kind, selves in (("list", LISTS), ("dict", DICTS), ("set", SETS)):
    CASES[kind, "scan"] = cases([selves, [0, 1, 2, 5, True, 1 << 31, 1 << 62], [1, 2, 100, True, 1 << 62]],
                                [selves, [*WRONG, -1, -1 << 62], [1]], [selves, [0], [*WRONG, 0, -1]])

# -- objects, classes, methods ---------------------------------------------------------------------------------------


def things_that_count(rng):
    for name, old, *n in some(rng, [["n", "", "ä"], [None, 0, 5, 2.5, True, (1 << 63) - 1, "a"], NUMBERS + WRONG]):
        thing = Thing()
        thing.other = 1
        if old is not None:
            thing.__dict__[name] = old
        yield thing, [name, *n]
        yield fresh(thing), [name]
    for name in WRONG:
        yield Thing(), [name] if name != "a" else [5]


NUMERALS = ["0", " 12 ", "-7", "+5", "1_000", "1__0", "_1", "1_", "", " ", "x", "0x10", "0b1", "1.5", "1e5", ".5",
            "5.", "-.5e-3", "inf", "-Infinity", "nan", "1e400", "1e-400", "9223372036854775807",
            "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "00", "0_0", "\u30005\n", "1 2",
            "--1", "0.1", "1e", "0x", "z"]
CONSTRUCTED = [*VALUES, *NUMBERS, *NUMERALS, *ITEMS, *PAIRS, [255, 0], [256], [-1], (1, 2)]
SMALL = [x for x in CONSTRUCTED if not (isinstance(x, int) and x > 5000)]
ONE_ARGUMENT = [kind for name, kind in CLASSES.items() if name not in ("bytes", "object")]


def constructed(rng):
    for kind in ONE_ARGUMENT:
        for x in CONSTRUCTED:
            yield kind, [fresh(x)]
    for x in SMALL:
        yield bytes, [fresh(x)]
    for kind in CLASSES.values():
        yield kind, []
    yield Thing, [1]
    for text in NUMERALS:
        for base in (0, 2, 8, 10, 16, 36, 37, 1, -1, True, None, "10", 16.0):
            yield int, [text, base]
    yield int, [5, 10]
    for kind in (str, bytes):
        for x in ("", "ä", b"", b"a\xc3\xa4", b"\xff", 5, None):
            for encoding in ("utf-8", None, 8):
                yield kind, [x, encoding]


def bound_calls(rng):
    for type, name in rng.sample(sorted(CASES), len(CASES)):
        if type not in ("any", "class"):
            for self, args in itertools.islice(CASES[type, name](rng), 8):
                yield Bound(self, name), args


CASES["object", "add"] = things_that_count
CASES["class", "new"] = constructed
CASES["method", "call"] = CASES["method", "__call__"] = bound_calls
