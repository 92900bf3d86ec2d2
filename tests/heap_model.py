"""heap_model.py - the heap as docs/semantics.md and docs/protocol.md describe it, in the plainest way.

Counts are kept by hand, one for each name, slot, key, value, element, attribute, class of an instance, self of a bound
method and handle; none for weak names, and for what an entry of a weak container refers to weakly. What falls to zero is dead at once and drops what it refers to in turn, first come first served.
Garbage cycles stay in `live` until `collect` is asked for.

Params of requests are plain values in which Var stands for a handle. They are answered with what the client must see:
("error", code), ("value", x) or ("given", Given).
"""
from collections import deque

SCALARS = ("nil", "bool", "int", "float", "str", "bytes")
CONTAINERS = ("list", "tuple", "dict", "set")
WEAK_CONTAINERS = ("weakdict", "weakkeydict", "weakset")
BUILTINS = ("list", "tuple", "dict", "set", "object", "bool", "int", "float", "str", "bytes", *WEAK_CONTAINERS, "queue")
LEVELS_SENT = 32


class Fails(Exception):
    """An error answer, by its code."""


class Var:
    """A handle of a session: chosen by the client, or given by the server and known when its answer has come."""

    def __init__(self, number=None):
        self.is_chosen = number is not None
        self.number = number
        self.turn = None  # of those that the server has chosen for the session: which one

    def forget(self):
        """Before a script runs again."""
        if not self.is_chosen:
            self.number = self.turn = None

    def __repr__(self):
        return f"h{self.number}"


class Given:
    """A HANDLE in an answer: the object, and the Var that becomes known."""

    def __init__(self, obj, var):
        self.obj, self.var = obj, var

    def __repr__(self):
        return f"<{self.obj.type} {self.var}>"


class Entry:
    """Of a weak container: what it refers to weakly, and strongly (None in a weakset)."""

    def __init__(self, table, n, target, strong):
        self.table, self.n, self.target, self.strong = table, n, target, strong
        target.entries_to.append(self)


class Obj:
    """type, count, and by type: value; items (list, tuple, queue); entries {key's norm: [key, value]} (dict, set: value
    None), or {norm: Entry} (weak containers); attrs {name: object} and cls (object, class); bound, name (method); target,
    notify (weakref, proxy)."""

    def __init__(self, type, **content):
        self.type = type
        self.count = 0
        self.is_immortal = False
        self.is_dead = False
        self.weak = []      # weakrefs and proxies to it, latest last
        self.weak_names = []    # (space, name) of weak bindings
        self.entries_to = []    # of weak containers that refer to it, latest last
        self.id = None      # the server's, once seen
        self.__dict__.update(content)

    def content(self):
        """Of a container, to be put back."""
        return {name: self.__dict__[name].copy() for name in ("items", "entries") if name in self.__dict__}

    def refs(self):
        """What it refers to, in the order in which it drops them."""
        if self.type in ("list", "tuple", "queue"):
            return list(self.items)
        if self.type in WEAK_CONTAINERS:
            return [entry.strong for entry in self.entries.values() if entry.strong is not None]
        if self.type in ("dict", "set"):
            return [x for entry in self.entries.values() for x in entry if x is not None]
        if self.type == "object":
            return [*self.attrs.values(), self.cls]
        if self.type == "class":
            return list(self.attrs.values())
        return [self.bound] if self.type == "method" else []

    def __repr__(self):
        return f"<{self.type} {self.value!r}>" if self.type in SCALARS else f"<{self.type} #{self.id}>"


class Space:
    def __init__(self):
        self.names = {}
        self.weak = set()  # of the names

    def strong(self):
        return [obj for name, obj in self.names.items() if name not in self.weak]

    def take(self, name):
        """Removes a name; answers what it referred to, None if it did so weakly."""
        obj = self.names.pop(name)
        if name not in self.weak:
            return obj
        self.weak.remove(name)
        obj.weak_names.remove((self, name))
        return None


class Session:
    def __init__(self, space=None):
        self.own = Space()
        self.space = space or self.own
        self.handles = {}       # Var -> Obj, in any order
        self.given = 0          # Vars the server has chosen
        self.chosen = {}        # number -> Var, of those that the client has ever chosen
        self.stream = []        # what this client must receive: ("response", answer) and ("dead", cause, [Var])

    def handles_by_number(self):
        chosen = [var for var in self.handles if var.is_chosen]
        given = [var for var in self.handles if not var.is_chosen]
        return sorted(chosen, key=lambda var: var.number) + sorted(given, key=lambda var: var.turn)


class Heap:
    def __init__(self):
        self.live = set()
        self.made = []          # by this request
        self.dying = deque()
        self.told = []          # notifying weakrefs cleared in this step
        self.atoms = {}
        self.spaces = {"global": Space(), "builtins": Space()}
        self.sessions = []
        self.classes = {}
        for name in (*BUILTINS, "nil", "class", "method", "weakref", "proxy", "namespace"):
            self.classes[name] = Obj("class", name=name, attrs={})
            self.classes[name].is_immortal = True
        for name in BUILTINS:
            self.spaces["builtins"].names[name] = self.classes[name]

    # -- counting

    def make(self, type, **content):
        obj = Obj(type, **content)
        self.live.add(obj)
        self.made.append(obj)
        for x in obj.refs():
            self.ref(x)
        return obj

    def ref(self, obj):
        assert not obj.is_dead
        obj.count += 1
        return obj

    def unref(self, obj):
        obj.count -= 1
        if obj.count == 0 and not obj.is_immortal and not obj.is_dead:
            self.die(obj)

    def die(self, obj):
        obj.is_dead = True
        for weak in reversed(obj.weak):
            weak.target = None
            if weak.notify:
                self.told.append(weak)
        obj.weak = []
        self.expire(obj)
        if obj.type in ("weakref", "proxy") and obj.target is not None:
            obj.target.weak.remove(obj)
        self.live.discard(obj)
        self.dying.append(obj)

    def expire(self, obj):
        """Weak names and entries of weak containers go with it; what an entry kept is dropped in its turn."""
        for space, name in list(obj.weak_names):
            space.take(name)
        for entry in reversed(obj.entries_to):
            del entry.table.entries[entry.n]
            if entry.strong is not None:
                self.dying.append(Obj("list", items=[entry.strong]))
        obj.entries_to = []
        self.drop_unused_spaces()

    def finish_step(self, cause="count"):
        while self.dying:
            self.drop(self.dying.popleft())
        self.publish(cause)

    def drop(self, obj):
        if obj.type in WEAK_CONTAINERS:
            while obj.entries:
                self.remove_weak(next(iter(obj.entries.values())))
        else:
            for x in obj.refs():
                self.unref(x)

    def publish(self, cause):
        frames = {}
        for weak in self.told:
            session, var = weak.notify
            if not weak.is_dead and session.handles.get(var) is weak:
                frames.setdefault(session, []).append(var)
        self.told = []
        for session, handles in frames.items():
            session.stream.append(("dead", cause, handles))

    # -- atoms and containers

    def atom(self, value):
        is_small = isinstance(value, int) and -5 <= value <= 256
        if value is None or isinstance(value, bool) or is_small or value in ("", b""):
            key = type(value), value
            if key not in self.atoms:
                self.atoms[key] = Obj(atom_type(value), value=value)
                self.atoms[key].is_immortal = True
            return self.atoms[key]
        return self.make(atom_type(value), value=value)

    def tuple(self, items):
        if items:
            return self.make("tuple", items=items)
        if "()" not in self.atoms:
            self.atoms["()"] = Obj("tuple", items=[])
            self.atoms["()"].is_immortal = True
        return self.atoms["()"]

    def instance(self, cls):
        return self.make("object", attrs={}, cls=cls)

    def set_entry(self, obj, key, value):
        """As a dict or set does it: the first key stays, the old value is dropped when the new one stands."""
        n = norm(key)
        if n not in obj.entries:
            obj.entries[n] = [self.ref(key), self.ref(value) if value is not None else None]
            return
        old = obj.entries[n][1]
        if value is not None:
            obj.entries[n][1] = self.ref(value)
            self.unref(old)

    def remove_entry(self, obj, n):
        """Takes an entry out; gives its references to the caller."""
        return obj.entries.pop(n)

    # -- weak containers

    def remove_weak(self, entry):
        del entry.table.entries[entry.n]
        entry.target.entries_to.remove(entry)
        if entry.strong is not None:
            self.unref(entry.strong)

    def clear_weak(self, obj):
        """It is empty at once; its entries die like a container of their own."""
        rest = Obj(obj.type, entries=obj.entries)
        obj.entries = {}
        for entry in rest.entries.values():
            entry.table = rest
        self.dying.append(rest)

    # -- sessions

    def open(self, space_name=None):
        space = self.spaces.setdefault(space_name, Space()) if space_name else None
        session = Session(space)
        self.sessions.append(session)
        return session

    def end(self, session):
        """Names in order of binding, handles by number, then what thereby died."""
        self.sessions.remove(session)
        for name in list(session.own.names):
            obj = session.own.take(name) if name in session.own.names else None
            if obj is not None:
                self.unref(obj)
        for var in session.handles_by_number():
            self.unref(session.handles.pop(var))
        self.drop_unused_spaces()
        self.finish_step("session")

    def drop_unused_spaces(self):
        """A shared namespace that is empty, and in which nobody works, goes."""
        in_use = [session.space for session in self.sessions]
        for name, space in list(self.spaces.items()):
            if name not in ("global", "builtins") and not space.names and space not in in_use:
                del self.spaces[name]

    # -- what is reachable

    def collect(self):
        """What no root leads to dies at once: weakrefs of it are cleared, and what lives on loses its references."""
        roots = [space.strong() for space in self.spaces.values()]
        roots += [[*session.handles.values(), *session.own.strong(), *session.space.strong()] for session in self.sessions]
        alive = self.reach(x for found in roots for x in found)
        self.bury(self.live - alive)
        self.finish_step("cycle")

    def bury(self, garbage):
        """Objects to which nothing but each other refers die together."""
        for obj in garbage:
            obj.is_dead = True
            self.live.discard(obj)
            self.told += [weak for weak in obj.weak if weak.notify]
            for weak in obj.weak:
                weak.target = None
            self.expire(obj)
        for obj in garbage:
            if obj.type in WEAK_CONTAINERS:
                for entry in obj.entries.values():
                    entry.target.entries_to.remove(entry)
            for x in obj.refs():
                x.count -= not x.is_dead
            if obj.type in ("weakref", "proxy") and obj.target is not None:
                obj.target.weak.remove(obj)

    def roots(self, session):
        return [*session.handles.values(), *session.own.names.values(), *session.space.names.values()]

    def reach(self, roots):
        seen = set()
        todo = list(roots)
        while todo:
            obj = todo.pop()
            if obj not in seen:
                seen.add(obj)
                todo += obj.refs()
        return seen


def atom_type(value):
    return "nil" if value is None else type(value).__name__


def norm(key):
    """What equal keys have in common. TYPE for what cannot be one."""
    if key.type in SCALARS:
        is_number = key.type in ("bool", "int", "float")
        return "number" if is_number else key.type, key.value
    if key.type == "tuple":
        return ("tuple", *map(norm, key.items))
    if key.type in ("list", "dict", "set", "proxy", *WEAK_CONTAINERS):
        raise Fails("TYPE")
    if key.type == "method":
        return "method", id(key.bound), key.name
    assert key.type in ("object", "class", "queue"), "weakrefs are no keys here: their hash may go"
    return "identity", id(key)
