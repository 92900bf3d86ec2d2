"""model_operations.py - random requests that mean something: what model.py does next.

A Chooser looks at the model for what its session holds and makes a request of it, as Call: method, params and the Var
that the server's choice of a handle will be known by.
"""
from heap_model import WEAK_CONTAINERS, Var

# Methods whose first parameters may be names.
NAMING = "bind unbind get hold read type is copy deepcopy weakref proxy".split()
GLOBALS = ["global", "jobs"], ["global", "x"], ["global", "y"]
ATTRIBUTES = ("a", "b", "c", "")
METHODS = {  # and what the arguments are: i index, v value, k key, c container, n number, s attribute name, o bound,
            # w what may be referred to weakly, t seconds
    "list": "len: get:i set:iv append:v append:v extend:c insert:iv pop: pop:i del:i clear: reverse: slice:oo",
    "tuple": "len: get:i slice:oo",
    "dict": "len: get:k get:kv get_item:k set:kv set:kv has:k del:k pop:k pop:kv popitem: setdefault:kv update:c keys: "
            "values: items: clear: add:k add:kn",
    "set": "len: has:k add:k add:k discard:k remove:k pop: clear: union:c intersection:c difference:c items:",
    "object": "add:s add:sn nothing:",
    "class": "new:",
    "method": "call:v call: call:i",
    "weakref": "nothing:",
    "weakdict": "len: get:k get:kw set:kw set:kw has:k del:k keys: values: clear:",
    "weakkeydict": "len: get:w get:wv set:wv set:wv has:w del:w keys: values: clear:",
    "weakset": "len: has:w add:w add:w discard:w remove:w items: clear:",
    "queue": "len: put:v put:v take:t take:t close:",
}


class Call:
    def __init__(self, method, params, var):
        self.method, self.params, self.var = method, params, var

    def __repr__(self):
        return f"{self.method}({', '.join(map(repr, self.params))})" + (f" -> {self.var}" if self.var.number is None
                                                                        else "")


class Chooser:
    def __init__(self, rng, heap, session):
        self.rng, self.heap, self.session = rng, heap, session
        self.known = [var for var in session.handles if var.number is not None]

    def vars(self, *types):
        return [var for var in self.known if not types or self.session.handles[var].type in types]

    def some_var(self, *types):
        found = self.vars(*types) or self.known
        return self.rng.choice(found) if found else Var(1 << 40)

    def target(self, *types):
        names = [name for name in self.session.space.names]
        if names and not types and self.rng.random() < 0.2:
            return self.rng.choice(names)
        return self.rng.choice(GLOBALS) if self.rng.random() < 0.05 else self.some_var(*types)

    def name(self):
        if self.rng.random() < 0.25:
            return self.rng.choice(GLOBALS)
        return self.rng.choice(["a", "b", "c", "d", "", "ä", "jobs"])

    def atom(self):
        return self.rng.choice([None, True, False, 0, 1, -5, 256, 257, 1000, -6, 2.5, 1.0, "", "a", "long str", b"",
                                b"bytes"])

    def key(self):
        if self.rng.random() < 0.15 and self.vars("object"):
            return self.some_var("object")
        return self.rng.choice([None, True, 0, 1, 1.0, 2, 300, "a", "b", "", b"a", 1000])

    def value(self, depth=3):
        shape = self.rng.randrange(8)
        if shape < 3 and self.known:
            return self.rng.choice(self.known)
        if shape == 3 and depth > 0:
            return [self.value(depth - 1) for _ in range(self.rng.randrange(4))]
        if shape == 4 and depth > 0:
            return {self.key(): self.value(depth - 1) for _ in range(self.rng.randrange(3))}
        return self.atom()

    def options(self, more=None):
        """How the result is to come; many have a number of the client's choice, so that later ones need not wait."""
        opts = dict(more or {})
        way = self.rng.random()
        if way < 0.5:
            number = self.rng.randrange(1, 1 << 31 if way < 0.1 else 1 << 10)
            opts["into"] = self.session.chosen.setdefault(number, Var(number))
        elif way < 0.55:
            opts["result"] = self.rng.choice(["none", "handle", "value"])
        return [opts] if opts else []

    # -- requests

    def call(self):
        target = self.target("list", "dict", "set", "object", "class", "method", "proxy", "tuple", *WEAK_CONTAINERS, "queue")
        obj = self.peek(target)
        rows = METHODS.get(obj.type, "nothing:").split()
        name, kinds = self.rng.choice(rows).split(":")
        return "call", [target, name, [self.argument(kind, obj) for kind in kinds], *self.options()]

    def peek(self, target):
        """The object of a target, through proxies; nil if there is none."""
        if isinstance(target, Var):
            obj = self.session.handles.get(target)
        elif isinstance(target, list):
            obj = self.heap.spaces[target[0]].names.get(target[1])
        else:
            obj = self.session.space.names.get(target)
        while obj is not None and obj.type == "proxy":
            obj = obj.target
        return obj if obj is not None else self.heap.atom(None)

    def argument(self, kind, obj):
        if kind == "i":
            return self.rng.choice([0, 0, -1, 1, 2, 5, -3, "a"])
        if kind == "o":
            return self.rng.choice([None, 0, 1, -1, 2])
        if kind == "t":
            return self.rng.choice([0, 0, 0, 0.0, "a"])
        if kind == "w":  # neither proxy nor weakref: their hashes go
            kinds = ("list", "dict", "set", "object", "class", "queue", *WEAK_CONTAINERS)
            return self.some_var(*kinds) if self.vars(*kinds) and self.rng.random() < 0.9 else self.rng.choice([1, 1000, "x"])
        if kind == "n":
            return self.rng.choice([1, 1000, 2.5])
        if kind == "s":
            return self.rng.choice(ATTRIBUTES)
        if kind == "k":
            return [] if self.rng.random() < 0.03 else self.key()
        if kind == "c":
            same = {"dict": ("dict",), "set": ("dict", "set")}.get(obj.type, ("list", "tuple", "dict", "set"))
            return self.some_var(*same) if self.vars(*same) else {}
        has_keys = obj.type == "method" and obj.bound.type in ("dict", "set")
        return self.key() if has_keys else self.value()

    def make_builtin(self):
        kind = self.rng.choice(["list", "tuple", "set", "dict", "object", "queue", *WEAK_CONTAINERS])
        argument = {"dict": "dict", "set": "dict", "list": "list", "tuple": "list"}.get(kind)
        args = [self.some_var(argument)] if argument and self.vars(argument) else []
        return "call", [["builtins", kind], "new", args, *self.options()]

    def new(self):
        return "new", [self.value(4), *self.options()]

    def class_(self):
        return "class", [self.rng.choice(["X", "Y", ""]), *self.options()]

    def bind(self):
        return "bind", [self.name(), self.value(), *([{"weak": True}] if self.rng.random() < 0.2 else [])]

    def unbind(self):
        bound = list(self.session.space.names)
        return "unbind", [self.rng.choice(bound) if bound and self.rng.random() < 0.6 else self.name()]

    def get(self):
        return "get", [self.target(), *self.options()]

    def hold(self):
        return "hold", [self.target(), *self.options()]

    def release(self):
        return "release", [self.some_var() for _ in range(self.rng.randrange(1, 5))]

    def read(self):
        return "read", [self.target()]

    def getattr(self):
        target = self.some_var("object", "class", "method", "list", "proxy")
        name = self.rng.choice([*ATTRIBUTES, "__class__", "__dict__", "__self__", "__name__", "append", "new", "call"])
        return "getattr", [target, name, *self.options()]

    def setattr(self):
        return "setattr", [self.some_var("object", "class", "proxy"), self.rng.choice(ATTRIBUTES), self.value()]

    def delattr(self):
        target = self.some_var("object", "class")
        names = list(getattr(self.peek(target), "attrs", {}))
        return "delattr", [target, self.rng.choice(names if names and self.rng.random() < 0.8 else ATTRIBUTES)]

    def weakref(self):
        target = self.rng.choice(GLOBALS) if self.rng.random() < 0.3 else self.target()
        return "weakref", [target, *self.options({"notify": True} if self.rng.random() < 0.7 else None)]

    def proxy(self):
        return "proxy", [self.target(), *self.options()]

    def deref(self):
        return "deref", [self.some_var("weakref"), *self.options()]

    def copy(self):
        return "copy", [self.target(), *self.options()]

    def deepcopy(self):
        return "deepcopy", [self.target(), *self.options()]

    def ask(self):
        method = self.rng.choice(["refcount", "refcount", "weakrefs", "type", "is", "ping"])
        params = {"is": [self.target(), self.target()], "ping": [self.value()]}.get(method, [self.target()])
        return method, params

    def family(self):
        """Containers that hold each other, each with weakrefs that tell; at most the last still with a handle."""
        members = []
        for _ in range(self.rng.randrange(2, 9)):
            kept = [var for var in members if self.rng.random() < 0.5]
            members.append(self.chosen_var())
            yield from self.rng.choice([self.list_of, self.list_of, self.dict_of, self.object_of])(members[-1], kept)
            for _ in range(self.rng.choice([0, 1, 1, 1, 3])):
                yield "weakref", [members[-1], {"notify": True, "into": self.chosen_var()}]
        if self.rng.random() < 0.4:
            yield "bind", [self.rng.choice(GLOBALS), self.rng.choice(members)]
        if self.rng.random() < 0.5:
            yield "setattr", [self.rng.choice(members), "back", members[-1]]
            yield "call", [self.rng.choice(members), "append", [members[-1]]]
        yield "release", self.rng.sample(members, len(members) - self.rng.randrange(2))

    def weak_family(self):
        """A weak container of objects that hold each other, some by what their entries keep; most are let go of."""
        kind, table, members = self.rng.choice(WEAK_CONTAINERS), self.chosen_var(), []
        yield "call", [["builtins", kind], "new", [], {"into": table}]
        for _ in range(self.rng.randrange(2, 7)):
            kept = [var for var in members if self.rng.random() < 0.25]
            members.append(self.chosen_var())
            yield from self.object_of(members[-1], kept)
            for _ in range(self.rng.choice([0, 1, 1, 2])):
                yield "weakref", [members[-1], {"notify": True, "into": self.chosen_var()}]
        for member in members:
            other = self.rng.choice([*members, [1000], "a"])
            args = {"weakset": [member], "weakkeydict": [member, other],
                    "weakdict": [other if isinstance(other, Var) else "k", member]}[kind]
            yield "call", [table, "add" if kind == "weakset" else "set", args]
        if self.rng.random() < 0.5:
            yield "bind", [self.name(), self.rng.choice(members), {"weak": True}]
        if self.rng.random() < 0.3:
            yield "bind", [self.name(), table]
        if self.rng.random() < 0.3:
            yield "setattr", [members[0], "table", table]
        let_go = [var for var in members if self.rng.random() < 0.7]
        yield "release", self.rng.sample(let_go, len(let_go)) + [table] * (self.rng.random() < 0.5)

    def list_of(self, var, kept):
        yield "new", [kept, {"into": var}]

    def dict_of(self, var, kept):
        yield "new", [dict(enumerate(kept)), {"into": var}]

    def object_of(self, var, kept):
        yield "call", [["builtins", "object"], "new", [], {"into": var}]
        for name, member in zip("abcd", kept):
            yield "setattr", [var, name, member]

    def chosen_var(self):
        """A number that is not in use, nor was before."""
        while True:
            number = self.rng.randrange(1, 1 << 31)
            if number not in self.session.chosen:
                return self.session.chosen.setdefault(number, Var(number))

    def choose(self):
        """What to do next: one call or more."""
        held = len(self.session.handles)
        makers = ["new", "call", "call", "call", "call", "call", "call", "call", "make_builtin", "setattr", "weakref",
                  "proxy", "deref", "copy",
                  "deepcopy", "getattr", "bind", "get", "hold", "class_", "read", "ask", "ask"]
        droppers = ["release", "release", "unbind", "delattr"]
        if self.rng.random() < 0.02:
            return [Call("gc", [], Var())]
        if self.rng.random() < 0.06:
            return [Call(method, params, Var()) for method, params in self.family()]
        if self.rng.random() < 0.03:
            return [Call(method, params, Var()) for method, params in self.weak_family()]
        way = self.rng.choice(droppers if self.rng.random() < (0.15 if held < 60 else 0.5) else makers)
        method, params = getattr(self, way)()
        return [Call(method, params, Var())]


# -- requests of sessions that run at the same time ------------------------------------------------------------------


def vars_in(param):
    if isinstance(param, Var):
        yield param
    elif isinstance(param, (list, tuple)):
        for x in param:
            yield from vars_in(x)
    elif isinstance(param, dict):
        for key, x in param.items():
            if key != "into":
                yield from vars_in(key)
                yield from vars_in(x)


def own_objects(heap, session):
    """What only this session reaches."""
    others = [space.names.values() for space in heap.spaces.values()]
    others += [heap.roots(other) for other in heap.sessions if other is not session]
    shared = heap.reach(x for roots in others for x in roots)
    return heap.reach(heap.roots(session)) - shared - entangled(heap)


def entangled(heap):
    """What goes, or changes, with the death of something that a weak container or name refers to; and what leads there."""
    found = {obj for obj in heap.live if obj.type in WEAK_CONTAINERS or obj.entries_to or obj.weak_names}
    found |= {entry.strong for obj in found if obj.type in WEAK_CONTAINERS for entry in obj.entries.values()} - {None}
    more = found
    while more:
        more = {obj for obj in heap.live - found if not found.isdisjoint(obj.refs())}
        found |= more
    return found


def targets_of(session, call):
    """The objects that a call names; None if one of them is not found in the session's own tables."""
    found = [session.handles.get(var) for var in vars_in(call.params)]
    if call.method == "call" and isinstance(call.params[0], (str, list)):
        return found if call.params[0] == ["builtins", "object"] else None
    for param in call.params[:2] if call.method in NAMING else []:
        if isinstance(param, str) and (param in session.own.names or call.method not in ("bind", "unbind")):
            found.append(session.own.names.get(param))
        elif isinstance(param, list) and param[:1] in (["global"], ["builtins"]):
            return None
    return None if None in found else found


def is_separate(session, call, own):
    """Whether a call's answer and effect cannot depend on what others do meanwhile: it touches only `own`."""
    if session.space is not session.own or call.method in ("ping", "weakrefs", "refcount"):
        return False  # what garbage refers to has a count that a collection may lower
    targets = targets_of(session, call)
    if targets is None or call.params[-1:] == [{"weak": True}]:
        return False
    if call.method == "release" and any(obj.type == "weakref" and obj.target and obj.notify for obj in targets):
        return False  # a collection may just have told it
    return all(is_own(obj, own, call.method == "release") for obj in targets)


def is_own(obj, own, may_be_watched=False):
    """Whether it, and what it leads to at once, is the session's alone; others may have weakrefs to it."""
    if obj.is_immortal:
        return True
    if obj not in own or not may_be_watched and any(weak not in own for weak in obj.weak):
        return False
    if obj.type in ("weakref", "proxy"):
        return obj.target is None or is_own(obj.target, own)
    if obj.type == "method":
        return is_own(obj.bound, own)
    if obj.type == "object":
        return all(x.type not in ("method", "class") or is_own(x, own) for x in obj.attrs.values())
    return True
