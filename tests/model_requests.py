"""model_requests.py - what each request does to the model's heap (heap_model.py), and how it is answered.

A failing request changes nothing: whatever can fail is looked at before anything is stored.
"""
import inspect

from heap_model import CONTAINERS, LEVELS_SENT, SCALARS, WEAK_CONTAINERS, Fails, Given, Obj, Var
from model_types import TypeMethods


class Request(TypeMethods):
    """One request of a session while it runs. What it uses is pinned, and let go at its end."""

    def __init__(self, heap, session, method, params, var):
        self.heap, self.session, self.method = heap, session, method
        self.params, self.var = params, var
        self.pins = []

    def run(self):
        self.heap.made = []
        try:
            self.check_into()
            answer = getattr(self, "do_" + self.method)(*self.params)
        except Fails as failure:
            answer = "error", str(failure)
        for obj in self.pins:
            self.heap.unref(obj)
        for obj in self.heap.made:
            if obj.count == 0 and not obj.is_dead:
                self.heap.die(obj)  # nobody has taken it
        self.heap.finish_step()
        if answer[0] == "error":
            self.heap.bury([obj for obj in self.heap.made if not obj.is_dead])  # a cycle that nobody was given
        self.session.stream.append(("response", answer))

    def check_into(self):
        """A handle in use is seen before anything is done, but it may be that a parameter is wrong, too."""
        opts = self.params[-1] if self.params else None
        if isinstance(opts, dict) and opts.get("into") in self.session.handles:
            raise Fails("HANDLE_IN_USE NO_HANDLE NO_NAME")

    # -- parameters

    def pin(self, obj):
        self.pins.append(self.heap.ref(obj))
        return obj

    def target(self, param):
        if isinstance(param, Var):
            if param not in self.session.handles:
                raise Fails("NO_HANDLE")
            return self.pin(self.session.handles[param])
        return self.pin(self.look_up(param))

    def look_up(self, name):
        if isinstance(name, list):
            spaces = [self.space(name[0])]
            name = name[1]
        else:
            spaces = [self.session.space, self.heap.spaces["global"], self.heap.spaces["builtins"]]
        for space in spaces:
            if name in space.names:
                return space.names[name]
        raise Fails("NO_NAME")

    def space(self, name):
        if name == "session":
            return self.session.own
        if name not in self.heap.spaces:
            raise Fails("NO_NAME")
        return self.heap.spaces[name]

    def binding(self, name):
        return (self.space(name[0]), name[1]) if isinstance(name, list) else (self.session.space, name)

    def value(self, param):
        """The object of a literal, pinned; its inner objects belong to it alone."""
        return self.pin(self.build(param))

    def build(self, param):
        if isinstance(param, Var):
            if param not in self.session.handles:
                raise Fails("NO_HANDLE")
            return self.session.handles[param]
        if isinstance(param, list):
            return self.heap.make("list", items=[self.build(x) for x in param])
        if isinstance(param, dict):
            obj = self.heap.make("dict", entries={})
            for key, x in param.items():
                self.heap.set_entry(obj, self.build(key), self.build(x))
            return obj
        return self.heap.atom(param)

    def through(self, obj):
        """What a proxy stands for."""
        while obj.type == "proxy":
            if obj.target is None:
                raise Fails("DEAD")
            obj = obj.target
        return obj

    # -- answers

    def reply(self, obj, opts=None):
        """One object by the result rule."""
        opts = opts or {}
        result, into = opts.get("result", "auto"), opts.get("into")
        self.pin(obj)
        travels = result == "handle" or (result == "auto" and (into or obj.type not in SCALARS))
        answer = None
        if result == "value":
            answer = self.read_value(obj)
        elif result == "auto" and not travels:
            answer = obj.value
        if travels or into:
            var = self.keep(obj, into)
            if travels:
                return "given", Given(obj, var)
        return "value", answer

    def keep(self, obj, into=None, is_asked=True):
        """A new handle. The Var of the request itself names it if the server chooses; else a nameless one does."""
        var = into or (self.var if is_asked else Var())
        if not into:
            self.session.given += 1
            var.turn = self.session.given
        self.session.handles[var] = self.heap.ref(obj)
        return var

    def read_value(self, obj):
        """By value, in a session that speaks ext; handles are opened only when all has gone well."""
        self.check_read(obj, 1, [])
        return self.read_tree(obj)

    def travels_by_value(self, obj):
        has_odd_key = obj.type == "dict" and any(key.type not in SCALARS for key, _ in obj.entries.values())
        return obj.type in CONTAINERS and not has_odd_key

    def check_read(self, obj, nesting, path):
        if obj in path:
            raise Fails("CYCLE")
        if not self.travels_by_value(obj):
            return
        if nesting + 1 > LEVELS_SENT:
            raise Fails("LIMIT")
        for x in obj.refs():
            self.check_read(x, nesting + 1, [*path, obj])

    def read_tree(self, obj):
        if obj.type in SCALARS:
            return obj.value
        if not self.travels_by_value(obj):
            return Given(obj, self.keep(obj, is_asked=False))
        if obj.type == "dict":
            return {key.value: self.read_tree(x) for key, x in obj.entries.values()}
        return [self.read_tree(x) for x in obj.refs()]

    # -- session and names

    def do_ping(self, x=None):
        return self.reply(self.value(x))

    def do_bind(self, name, value, opts=None):
        value = self.value(value)
        space, name = self.binding(name)
        is_weak = (opts or {}).get("weak", False)
        if space is self.heap.spaces["builtins"]:
            raise Fails("DENIED")
        if is_weak and value.is_immortal:
            raise Fails("TYPE")
        old = space.names.get(name)
        if name in space.weak:
            space.weak.remove(name)
            old.weak_names.remove((space, name))
            old = None
        space.names[name] = value
        if is_weak:
            space.weak.add(name)
            value.weak_names.append((space, name))
        else:
            self.heap.ref(value)
        if old:
            self.heap.unref(old)
        return "value", True

    def do_unbind(self, name):
        space, name = self.binding(name)
        if space is self.heap.spaces["builtins"]:
            raise Fails("DENIED")
        if name not in space.names:
            raise Fails("NO_NAME")
        obj = space.take(name)
        if obj:
            self.heap.unref(obj)
        self.heap.drop_unused_spaces()
        return "value", True

    def do_names(self, space="session"):
        return "value", list(self.space(space).names)

    def do_get(self, target, opts=None):
        return self.reply(self.target(target), opts)

    def do_hold(self, target, opts=None):
        return self.reply(self.target(target), {"result": "handle", **(opts or {})})

    def do_release(self, *handles):
        held = [var for var in dict.fromkeys(handles) if var in self.session.handles]
        for var in held:
            self.heap.unref(self.session.handles.pop(var))
        return "value", len(held)

    # -- objects

    def do_new(self, literal, opts=None):
        return self.reply(self.value(literal), {"result": "handle", **(opts or {})})

    def do_read(self, target):
        return "value", self.read_value(self.through(self.target(target)))

    def do_class(self, name, opts=None):
        return self.reply(self.heap.make("class", name=name, attrs={}), opts)

    def do_is(self, a, b):
        return "value", self.target(a) is self.target(b)

    def do_type(self, x):
        return "value", self.target(x).type

    def attribute(self, obj, name):
        """Data of an object or its class, or None."""
        if obj.type == "object" and name not in obj.attrs:
            obj = obj.cls
        return obj.attrs.get(name) if obj.type in ("object", "class") else None

    def do_getattr(self, target, name, opts=None):
        obj = self.through(self.target(target))
        return self.reply(self.get_attribute(obj, name), opts)

    def get_attribute(self, obj, name):
        if name == "__class__":
            return obj.cls if obj.type == "object" else self.heap.classes[obj.type]
        if name == "__dict__" and obj.type == "object":
            made = self.heap.make("dict", entries={})
            for key, value in obj.attrs.items():
                self.heap.set_entry(made, self.heap.atom(key), value)
            return made
        if name == "__self__" and obj.type == "method":
            return obj.bound
        if name == "__name__" and obj.type in ("method", "class"):
            return self.heap.atom(obj.name)
        value = self.attribute(obj, name)
        if value is not None:
            return value
        if not hasattr(self, f"{obj.type}_{name}"):
            raise Fails("NO_ATTR")
        return self.heap.make("method", bound=obj, name=name)

    def writable(self, obj, name):
        obj = self.through(obj)
        if name in ("__class__", "__dict__", "__self__", "__name__"):
            raise Fails("NO_ATTR")
        if obj.type not in ("object", "class") or obj.is_immortal:
            raise Fails("TYPE")
        return obj

    def do_setattr(self, target, name, value):
        obj, value = self.target(target), self.value(value)
        obj = self.writable(obj, name)
        old = obj.attrs.get(name)
        obj.attrs[name] = self.heap.ref(value)
        if old:
            self.heap.unref(old)
        return "value", True

    def do_delattr(self, target, name):
        obj = self.writable(self.target(target), name)
        if name not in obj.attrs:
            raise Fails("NO_ATTR")
        self.heap.unref(obj.attrs.pop(name))
        return "value", True

    # -- weak references

    def weak(self, type, target, opts):
        target = self.target(target)
        if target.is_immortal:
            raise Fails("TYPE")
        wants_notice = (opts or {}).get("notify")
        for weak in target.weak:
            if weak.type == type and not weak.notify and not wants_notice:
                return weak
        weak = self.heap.make(type, target=target, notify=None)
        target.weak.append(weak)
        return weak

    def do_weakref(self, target, opts=None):
        opts = dict(opts or {})
        weak = self.weak("weakref", target, opts)
        if opts.get("notify"):
            weak.notify = (self.session, opts.get("into") or self.var)
        return self.reply(weak, opts)

    def do_proxy(self, target, opts=None):
        return self.reply(self.weak("proxy", target, opts), opts)

    def do_deref(self, target, opts=None):
        weak = self.target(target)
        if weak.type != "weakref":
            raise Fails("TYPE")
        return self.reply(weak.target or self.heap.atom(None), opts)

    def do_weakrefs(self, target):
        return "value", len(self.target(target).weak)

    # -- copies

    def do_copy(self, target, opts=None):
        obj = self.target(target)
        if obj.type == "list":
            obj = self.heap.make("list", items=list(obj.items))
        elif obj.type in ("dict", "set"):
            obj = self.heap.make(obj.type, entries={n: list(entry) for n, entry in obj.entries.items()})
        elif obj.type == "object":
            obj = self.heap.make("object", attrs=dict(obj.attrs), cls=obj.cls)
        elif obj.type in WEAK_CONTAINERS:
            obj = self.copy_weak(obj)
        elif obj.type == "queue":
            raise Fails("TYPE")
        return self.reply(obj, opts)

    def do_deepcopy(self, target, opts=None):
        memo = {}
        return self.reply(self.deep(self.target(target), memo), opts)

    def is_shared(self, obj):
        """What a deep copy shares: all but containers and objects, and tuples of only such."""
        return all(map(self.is_shared, obj.items)) if obj.type == "tuple" else obj.type not in (
            *CONTAINERS, *WEAK_CONTAINERS, "object", "queue")

    def deep(self, obj, memo):
        if self.is_shared(obj):
            return obj
        if obj in memo:
            return memo[obj]
        if obj.type == "queue":
            raise Fails("TYPE")
        if obj.type in WEAK_CONTAINERS:
            memo[obj] = self.copy_weak(obj)
            return memo[obj]
        if obj.type in ("list", "tuple"):
            made = memo[obj] = self.heap.make(obj.type, items=[])
            for x in obj.items:
                made.items.append(self.heap.ref(self.deep(x, memo)))
        elif obj.type == "object":
            made = memo[obj] = self.heap.instance(obj.cls)
            for name, x in obj.attrs.items():
                made.attrs[name] = self.heap.ref(self.deep(x, memo))
        else:
            made = memo[obj] = self.heap.make(obj.type, entries={})
            for key, x in obj.entries.values():
                self.heap.set_entry(made, self.deep(key, memo), self.deep(x, memo) if x is not None else None)
        return made

    # -- memory

    def do_refcount(self, target):
        obj = self.target(target)
        return "value", None if obj.is_immortal else obj.count - 1

    def do_gc(self):
        self.heap.collect()
        return "collected", None

    # -- calls

    def do_call(self, target, method, args=(), opts=None):
        obj = self.target(target)
        args = [self.value(x) for x in args]
        obj = self.through(obj)
        attribute = self.attribute(obj, method)
        if attribute is not None:
            if attribute.type not in ("method", "class"):
                raise Fails("TYPE")
            obj, method = self.pin(attribute), "new" if attribute.type == "class" else "call"
        while obj.type == "method" and method == "call":
            obj, method = obj.bound, obj.name
        run = getattr(self, f"{obj.type}_{method}", None)
        if run is None:
            raise Fails("NO_ATTR")
        self.pin(obj)
        self.check_arity(run, args)
        before = obj.content()
        result = run(obj, *args)
        if isinstance(result, tuple):
            return self.reply_taken(obj, before, *result, opts)
        return self.reply(result if isinstance(result, Obj) else self.heap.atom(result), opts)

    def reply_taken(self, obj, before, taken, result, opts):
        """What was taken out is the request's now; if the answer cannot be sent nothing has been."""
        after = obj.content()
        obj.__dict__.update(before)
        answer = self.reply(result, opts)
        obj.__dict__.update(after)
        self.pins += taken
        return answer

    def check_arity(self, run, args):
        try:
            inspect.signature(run).bind(None, *args)
        except TypeError:
            raise Fails("TYPE") from None
