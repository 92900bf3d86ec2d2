"""dump_graphs.py - random graphs for the tests of dump and load: as Nodes of dump_format.py, and built on a server."""
from tests.dump_format import Node, atom, is_immortal

SCALARS = (None, True, False, 0, 1, -1, 127, 128, 256, 257, -5, -6, -32, -33, -128, -129, 65535, 65536, -32769,
           1 << 31, 1 << 32, -(1 << 31) - 1, (1 << 63) - 1, -(1 << 63), 0.0, -0.0, 1.5, float("inf"),
           "", "a", "é" * 20, "x" * 31, "x" * 32, "y" * 300, b"", b"z", b"z" * 300)


def random_name(random):
    return random.choice(("", "a", "b", "left", "right", "ü", "n" * 40)) + str(random.randrange(8))


class Graph:
    """`nodes` in an order in which they can be made: what is immutable is made of earlier ones."""

    def __init__(self, random, size, has_weakrefs=True):
        self.random = random
        self.nodes = []
        self.weakly = {}  # target -> its only weakref: two plain ones would be one object
        self.keys = 0
        kinds = ["atom", "list", "dict", "set", "tuple", "class", "object"] + ["weakref"] * has_weakrefs
        for _ in range(size):
            self.nodes.append(self.new(random.choice(kinds)))
        for node in self.nodes:
            self.fill(node)

    def any(self, *kinds):
        return self.random.choice([n for n in self.nodes if n.kind in kinds or not kinds] or [None])

    def new(self, kind):
        if kind == "atom":
            return atom(self.random.choice(SCALARS))
        if kind == "tuple":
            return Node(kind, [self.random.choice(self.nodes) for _ in range(self.random.randrange(4)) if self.nodes])
        if kind == "class":
            return Node(kind, name=random_name(self.random))
        if kind == "object":
            of = self.any("class")
            return Node(kind, [of]) if of else Node("list")
        if kind == "weakref":
            mortal = [n for n in self.nodes if not is_immortal(n) and n not in self.weakly]
            node = Node(kind)
            if not mortal:
                return Node("list")
            node.target = self.random.choice(mortal)
            self.weakly[node.target] = node
            return node
        return Node(kind)

    def is_hashable(self, node):
        """By identity, at the end: tuples could be equal to others."""
        while node.kind == "weakref":
            node = node.target
        return node.kind in ("object", "class")

    def key(self):
        """A key that is equal to no other: a number or text of its own, or what is told by identity."""
        self.keys += 1
        own = atom(self.random.choice((1000 + self.keys, f"key {self.keys}")))
        if self.random.random() < 0.5:
            return own
        node = self.random.choice(self.nodes)
        return node if self.is_hashable(node) else own

    def fill(self, node):
        random = self.random
        if node.kind == "list":
            node.items = [random.choice(self.nodes) for _ in range(random.randrange(6))]
        elif node.kind == "set":
            node.items = list(dict.fromkeys(self.key() for _ in range(random.randrange(6))))
        elif node.kind == "dict":
            for key in dict.fromkeys(self.key() for _ in range(random.randrange(6))):
                node.items += [key, random.choice(self.nodes)]
        elif node.kind in ("object", "class"):
            for name in dict.fromkeys(random_name(random) for _ in range(random.randrange(5))):
                node.items += [name, random.choice(self.nodes)]

    def tuple_key(self):
        """Adds a dict whose keys are tuples of numbers that no other has."""
        node = Node("dict")
        for _ in range(self.random.randrange(1, 12)):
            self.keys += 1
            node.items += [Node("tuple", [atom(1000 + self.keys), atom("x")]), self.random.choice(self.nodes)]
        self.nodes.append(node)


def build(client, nodes):
    """Makes the graph on the server, each node a handle of this client; gives Node -> handle."""
    handle_of = {}

    def ref(node):
        if node not in handle_of:
            make(node)
        return {"@": handle_of[node]}

    def make(node):
        into = {"into": len(handle_of) + 1}
        handle_of[node] = into["into"]
        if node.kind == "atom":
            client.call("new", node.value, into)
        elif node.kind in ("list", "dict"):
            client.call("new", [] if node.kind == "list" else {}, into)
        elif node.kind in ("set", "tuple"):
            del handle_of[node]
            items = [ref(item) for item in node.items] if node.kind == "tuple" else []
            into = {"into": len(handle_of) + 1}
            handle_of[node] = into["into"]
            client.call("call", ["builtins", node.kind], "new", [items], into)
        elif node.kind == "class":
            client.call("class", node.name, into)
        elif node.kind == "object":
            client.call("call", handle_of[node.items[0]], "new", [], into)
        elif node.kind == "weakref":
            client.call("weakref", handle_of[node.target], into)

    for node in nodes:
        ref(node)
    for node in nodes:
        handle = handle_of[node]
        items = node.items
        if node.kind == "list":
            for item in items:
                client.call("call", handle, "append", [ref(item)])
        elif node.kind == "set":
            for item in items:
                client.call("call", handle, "add", [ref(item)])
        elif node.kind == "dict":
            for key, value in zip(items[::2], items[1::2]):
                client.call("call", handle, "set", [ref(key), ref(value)])
        elif node.kind in ("object", "class"):
            pairs = items[node.kind == "object":]
            for name, value in zip(pairs[::2], pairs[1::2]):
                client.call("setattr", handle, name, ref(value))
    return handle_of
