"""model_types.py - the methods of the builtin types, as the model (heap_model.py) knows them.

<type>_<method> gives an object, or a plain value that becomes one; a method that takes references out of self gives
([references], result). What it raises is the answer, and nothing has changed then.
"""
from heap_model import WEAK_CONTAINERS, Entry, Fails, norm

ATOMS = {"bool": False, "int": 0, "float": 0.0, "str": "", "bytes": b""}


class TypeMethods:
    def index_of(self, obj, index, is_insert=False):
        if index.type not in ("int", "bool"):
            raise Fails("TYPE")
        i, n = int(index.value), len(obj.items)
        i = i + n if i < 0 else i
        if is_insert:
            return max(0, min(i, n))
        if not 0 <= i < n:
            raise Fails("INDEX")
        return i

    def list_len(self, xs):
        return len(xs.items)

    def list_get(self, xs, index):
        return xs.items[self.index_of(xs, index)]

    def list_set(self, xs, index, x):
        i = self.index_of(xs, index)
        old, xs.items[i] = xs.items[i], self.heap.ref(x)
        self.heap.unref(old)

    def list_append(self, xs, x):
        xs.items.append(self.heap.ref(x))

    def elements(self, obj):
        if obj.type in ("list", "tuple"):
            return list(obj.items)
        if obj.type in ("dict", "set"):
            return [key for key, _ in obj.entries.values()]
        if obj.type in ("str", "bytes"):
            return [self.heap.atom(x) for x in obj.value]
        raise Fails("TYPE")

    def pairs(self, obj):
        """[key, value]s of a dict, or of anything with pairs in it. All are looked at first."""
        obj = self.through(obj)
        if obj.type == "dict":
            return list(obj.entries.values())
        found = []
        for x in self.elements(obj):
            found.append(self.elements(self.through(x)))
            if len(found[-1]) != 2:
                raise Fails("VALUE")
            norm(found[-1][0])
        return found

    def list_extend(self, xs, other):
        xs.items += [self.heap.ref(x) for x in self.elements(self.through(other))]

    def list_insert(self, xs, index, x):
        xs.items.insert(self.index_of(xs, index, True), self.heap.ref(x))

    def list_pop(self, xs, index=None):
        x = xs.items.pop(self.index_of(xs, index or self.heap.atom(-1)))
        return [x], x

    def list_del(self, xs, index):
        self.heap.unref(xs.items.pop(self.index_of(xs, index)))

    def list_clear(self, xs):
        items, xs.items = xs.items, []
        for x in items:
            self.heap.unref(x)

    def list_reverse(self, xs):
        xs.items.reverse()

    def list_slice(self, xs, start=None, stop=None, step=None):
        bounds = [self.bound_of(x) for x in (start, stop, step)]
        if bounds[2] == 0:
            raise Fails("VALUE")
        return self.heap.make("list", items=xs.items[slice(*bounds)])

    def bound_of(self, x):
        if x is not None and x.type not in ("nil", "int", "bool"):
            raise Fails("TYPE")
        return None if x is None else x.value

    tuple_len, tuple_get, tuple_slice = list_len, list_get, list_slice

    def dict_len(self, d):
        return len(d.entries)

    def dict_get(self, d, key, default=None):
        n = norm(key)
        return d.entries[n][1] if n in d.entries else default

    def dict_get_item(self, d, key):
        n = norm(key)
        if n not in d.entries:
            raise Fails("KEY")
        return d.entries[n][1]

    def dict_set(self, d, key, value):
        self.heap.set_entry(d, key, value)

    def dict_has(self, d, key):
        return norm(key) in d.entries

    def dict_del(self, d, key):
        n = norm(key)
        if n not in d.entries:
            raise Fails("KEY")
        for x in self.heap.remove_entry(d, n):
            self.heap.unref(x)

    def dict_pop(self, d, key, default=None):
        n = norm(key) if d.entries else None  # CPython looks at no key of an empty dict
        if n not in d.entries:
            if default is None:
                raise Fails("KEY")
            return default
        key, value = self.heap.remove_entry(d, n)
        self.heap.unref(key)
        return [value], value

    def dict_popitem(self, d):
        if not d.entries:
            raise Fails("KEY")
        key, value = self.heap.remove_entry(d, list(d.entries)[-1])
        return [key, value], self.heap.make("list", items=[key, value])

    def dict_setdefault(self, d, key, default=None):
        n = norm(key)
        if n not in d.entries:
            self.heap.set_entry(d, key, default or self.heap.atom(None))
        return d.entries[n][1]

    def dict_update(self, d, other):
        for key, value in self.pairs(other):
            self.heap.set_entry(d, key, value)

    def dict_keys(self, d):
        return self.heap.make("list", items=[key for key, _ in d.entries.values()])

    def dict_values(self, d):
        return self.heap.make("list", items=[value for _, value in d.entries.values()])

    def dict_items(self, d):
        return self.heap.make("list", items=[self.heap.make("list", items=list(entry)) for entry in d.entries.values()])

    def dict_clear(self, d):
        entries, d.entries = d.entries, {}
        for entry in entries.values():
            for x in entry:
                self.heap.unref(x)

    def dict_add(self, d, key, by=None):
        n = norm(key)
        old = d.entries[n][1] if n in d.entries else None
        made = self.sum(old, by)
        self.heap.set_entry(d, key, made)
        return made

    def sum(self, old, by):
        for x in (old, by):
            if x is not None and x.type not in ("int", "float", "bool"):
                raise Fails("TYPE")
        return self.heap.atom((old.value if old else 0) + (by.value if by else 1))

    def object_add(self, obj, name, by=None):
        if name.type != "str":
            raise Fails("TYPE")
        made = self.sum(self.attribute(obj, name.value), by)
        old = obj.attrs.get(name.value)
        obj.attrs[name.value] = self.heap.ref(made)
        if old:
            self.heap.unref(old)
        return made

    def set_len(self, s):
        return len(s.entries)

    set_has, dict_contains, set_contains = dict_has, dict_has, dict_has

    def set_add(self, s, x):
        self.heap.set_entry(s, x, None)

    def set_discard(self, s, x):
        n = norm(x)
        if n in s.entries:
            self.heap.unref(self.heap.remove_entry(s, n)[0])

    def set_remove(self, s, x):
        if norm(x) not in s.entries:
            raise Fails("KEY")
        self.set_discard(s, x)

    def set_pop(self, s):
        if not s.entries:
            raise Fails("KEY")
        x = self.heap.remove_entry(s, next(iter(s.entries)))[0]
        return [x], x

    def set_clear(self, s):
        self.dict_clear_keys(s)

    def dict_clear_keys(self, s):
        entries, s.entries = s.entries, {}
        for key, _ in entries.values():
            self.heap.unref(key)

    def make_set(self, elements):
        s = self.heap.make("set", entries={})
        for x in elements:
            self.heap.set_entry(s, x, None)
        return s

    def set_union(self, s, other):
        others = self.elements(self.through(other))
        for x in others:
            norm(x)
        return self.make_set([*self.elements(s), *others])

    def set_intersection(self, s, other):
        others = {norm(x) for x in self.elements(self.through(other))}
        return self.make_set(x for x in self.elements(s) if norm(x) in others)

    def set_difference(self, s, other):
        others = {norm(x) for x in self.elements(self.through(other))}
        return self.make_set(x for x in self.elements(s) if norm(x) not in others)

    def set_items(self, s):
        return self.heap.make("list", items=self.elements(s))

    # -- weak containers

    def weak_norm(self, obj, key):
        """How an entry is found: by value, or by identity in a weakkeydict and for what is unhashable in a weakset."""
        if obj.type == "weakkeydict":
            return "identity", id(key)
        try:
            return norm(key)
        except Fails:
            if obj.type == "weakdict":
                raise
            return "identity", id(key)

    def mortal(self, obj):
        if obj.is_immortal:
            raise Fails("TYPE")
        return obj

    def set_weak(self, obj, key, target, strong):
        self.mortal(target)
        n = self.weak_norm(obj, key)
        entry = obj.entries.get(n)
        if entry is None:
            obj.entries[n] = Entry(obj, n, target, strong and self.heap.ref(strong))
        elif obj.type == "weakdict" and entry.target is not target:
            entry.target.entries_to.remove(entry)
            target.entries_to.append(entry)
            entry.target = target
        elif obj.type == "weakkeydict":
            old, entry.strong = entry.strong, self.heap.ref(strong)
            self.heap.unref(old)

    def copy_weak(self, obj):
        made = self.heap.make(obj.type, entries={})
        for entry in obj.entries.values():
            made.entries[entry.n] = Entry(made, entry.n, entry.target, entry.strong and self.heap.ref(entry.strong))
        return made

    def weak_pair(self, obj, entry):
        return (entry.strong, entry.target) if obj.type == "weakdict" else (entry.target, entry.strong)

    def weakdict_set(self, d, key, value):
        self.set_weak(d, key, value, key)

    def weakkeydict_set(self, d, key, value):
        self.set_weak(d, key, key, value)

    def weakset_add(self, s, x):
        self.set_weak(s, x, x, None)

    def weakdict_len(self, d):
        return len(d.entries)

    def weakdict_get(self, d, key, default=None):
        entry = d.entries.get(self.weak_norm(d, key))
        return (default or self.heap.atom(None)) if entry is None else self.weak_pair(d, entry)[1]

    def weakkeydict_get(self, d, key, default=None):
        return self.weakdict_get(d, self.mortal(key), default)

    def weakdict_has(self, d, key):
        return self.weak_norm(d, key) in d.entries

    def weakdict_del(self, d, key):
        entry = d.entries.get(self.weak_norm(d, key))
        if entry is None:
            raise Fails("KEY")
        self.heap.remove_weak(entry)

    def weakkeydict_del(self, d, key):
        self.weakdict_del(d, self.mortal(key))

    weakset_remove = weakkeydict_del

    def weakset_discard(self, s, x):
        entry = s.entries.get(self.weak_norm(s, self.mortal(x)))
        if entry is not None:
            self.heap.remove_weak(entry)

    def weakdict_keys(self, d):
        return self.heap.make("list", items=[self.weak_pair(d, entry)[0] for entry in d.entries.values()])

    def weakdict_values(self, d):
        return self.heap.make("list", items=[self.weak_pair(d, entry)[1] for entry in d.entries.values()])

    def weakdict_clear(self, d):
        self.heap.clear_weak(d)

    weakkeydict_len = weakset_len = weakdict_len
    weakkeydict_has = weakset_has = weakdict_has
    weakkeydict_keys = weakset_items = weakdict_keys
    weakkeydict_values = weakdict_values
    weakkeydict_clear = weakset_clear = weakdict_clear

    # -- queues

    def queue_len(self, q):
        return len(q.items)

    def queue_put(self, q, x):
        if q.is_closed:
            raise Fails("VALUE")
        q.items.append(self.heap.ref(x))

    def queue_take(self, q, seconds):
        if seconds.type not in ("int", "float", "bool"):
            raise Fails("TYPE")
        if q.items:
            x = q.items.pop(0)
            return [x], x
        raise Fails("CANCELLED" if q.is_closed else "TIMEOUT")

    def queue_close(self, q):
        q.is_closed = True

    # -- classes

    def class_new(self, cls, *args):
        if not cls.is_immortal or cls.name == "object":
            if args:
                raise Fails("TYPE")
            return self.heap.instance(cls)
        if cls.name in ATOMS and not args:
            return self.heap.atom(ATOMS[cls.name])
        if cls.name in WEAK_CONTAINERS and not args:
            return self.heap.make(cls.name, entries={})
        if cls.name == "queue" and not args:
            return self.heap.make("queue", items=[], is_closed=False)
        if cls.name not in ("tuple", "list", "set", "dict"):
            raise Fails("TYPE")
        arg = self.through(args[0]) if args else None
        if cls.name == "tuple":
            return arg if arg is not None and arg.type == "tuple" else self.heap.tuple(self.elements(arg) if arg else
                                                                                       [])
        if cls.name == "list":
            return self.heap.make("list", items=self.elements(arg) if arg else [])
        if cls.name == "set":
            elements = self.elements(arg) if arg else []
            for x in elements:
                norm(x)
            return self.make_set(elements)
        pairs = self.pairs(arg) if arg else []
        made = self.heap.make("dict", entries={})
        for key, value in pairs:
            self.heap.set_entry(made, key, value)
        return made

    def method_call(self, method, *args):
        raise AssertionError("do_call has unwrapped it")
