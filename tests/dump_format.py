"""dump_format.py - dumps read and written by docs/dump-format.md, not by the server's code: what tests compare with.

A graph is made of Nodes. encode(root) gives the bytes that the server must give for it, decode(bytes) the graph, and
same(a, b) tells whether two graphs have one shape: same kinds and values, in order, and the same sharing and cycles.
"""
import struct

MAGIC = b"\x89HEAPD\r\n"
TUPLE, SET, OBJECT, CLASS, WEAKREF, BUILTIN = 7, 9, 10, 11, 13, 0
NUMBER_OF = {"tuple": TUPLE, "set": SET, "object": OBJECT, "class": CLASS, "weakref": WEAKREF, "builtin": BUILTIN}


class Node:
    """kind: atom list tuple set dict object class builtin weakref.

    items: the elements in order; of a dict its keys and values in turn; of an object its class, then name, value, ...;
    of a class name, value, ...: names are plain strs, all else Nodes.
    """

    def __init__(self, kind, items=(), value=None, name=None):
        self.kind, self.items, self.value, self.name = kind, list(items), value, name
        self.target = None     # of a weakref; None: dead
        self.is_hashed = False

    def __repr__(self):
        return f"<{self.kind} {self.value if self.kind == 'atom' else self.name or len(self.items)}>"


def atom(value):
    return Node("atom", value=value)


def is_immortal(node):
    """What every heap has once: it is written anew each time."""
    if node.kind == "tuple":
        return not node.items
    if node.kind != "atom":
        return False
    value = node.value
    if isinstance(value, int):
        return isinstance(value, bool) or -5 <= value <= 256
    return value in (None, "", b"")


# -- SipHash-1-3 with a key of zeros -----------------------------------------------------------------------------------

BITS = (1 << 64) - 1


def rotate(x, by):
    return (x << by | x >> (64 - by)) & BITS


def sip_round(a, b, c, d):
    a = (a + b) & BITS
    c = (c + d) & BITS
    b = rotate(b, 13) ^ a
    d = rotate(d, 16) ^ c
    a = rotate(a, 32)
    c = (c + b) & BITS
    a = (a + d) & BITS
    b = rotate(b, 17) ^ c
    d = rotate(d, 21) ^ a
    return a, b, rotate(c, 32), d


def checksum(data):
    state = (0x736f6d6570736575, 0x646f72616e646f6d, 0x6c7967656e657261, 0x7465646279746573)
    whole = len(data) // 8 * 8
    words = list(struct.unpack(f"<{whole // 8}Q", data[:whole]))
    words.append(int.from_bytes(data[whole:], "little") | (len(data) & 255) << 56)
    for word in words:
        a, b, c, d = state
        a, b, c, d = sip_round(a, b, c, d ^ word)
        state = (a ^ word, b, c, d)
    a, b, c, d = state
    state = (a, b, c ^ 255, d)
    for _ in range(3):
        state = sip_round(*state)
    return struct.pack(">Q", state[0] ^ state[1] ^ state[2] ^ state[3])


def frame(body, objects, depth, version=1):
    """A body as a dump, with a head that says so and the right checksum."""
    data = MAGIC + struct.pack(">IIIIQ", version, objects, depth, 0, len(body)) + body
    return data + checksum(data)


# -- writing -----------------------------------------------------------------------------------------------------------


def pack_uint(value):
    for top, head, form in ((0x7f, None, "B"), (0xff, 0xcc, ">B"), (0xffff, 0xcd, ">H"), (0xffffffff, 0xce, ">I")):
        if value <= top:
            return (b"" if head is None else bytes([head])) + struct.pack(form, value)
    return b"\xcf" + struct.pack(">Q", value)


def pack_int(value):
    if value >= 0:
        return pack_uint(value)
    if value >= -32:
        return struct.pack(">b", value)
    for least, head, form in ((-1 << 7, 0xd0, ">b"), (-1 << 15, 0xd1, ">h"), (-1 << 31, 0xd2, ">i")):
        if value >= least:
            return bytes([head]) + struct.pack(form, value)
    return b"\xd3" + struct.pack(">q", value)


def pack_head(len, short, most, heads):
    """A head with a length: in itself up to `most`, else behind the first of `heads` (size, head) that takes it."""
    if len <= most:
        return bytes([short | len])
    size, head = next((size, head) for size, head in heads if len < 1 << 8 * size)
    return bytes([head]) + len.to_bytes(size, "big")


def pack_str(text):
    data = text.encode()
    return pack_head(len(data), 0xa0, 31, ((1, 0xd9), (2, 0xda), (4, 0xdb))) + data


def pack_array(len):
    return pack_head(len, 0x90, 15, ((2, 0xdc), (4, 0xdd)))


def pack_index(number):
    payload = pack_uint(number)
    head = {1: b"\xd4\x03", 2: b"\xd5\x03"}.get(len(payload)) or bytes([0xc7, len(payload), 3])
    return head + payload


def pack_atom(value):
    if value is None or isinstance(value, bool):
        return {None: b"\xc0", False: b"\xc2", True: b"\xc3"}[value]
    if isinstance(value, int):
        return pack_int(value)
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, str):
        return pack_str(value)
    return pack_head(len(value), 0, -1, ((1, 0xc4), (2, 0xc5), (4, 0xc6))) + value


def pack_begin(node):
    if node.kind == "list":
        return pack_array(len(node.items))
    if node.kind == "dict":
        return pack_head(len(node.items) // 2, 0x80, 15, ((2, 0xde), (4, 0xdf)))
    extra = node.kind in ("class", "builtin", "weakref")
    data = pack_array(1 + extra + len(node.items)) + bytes([0xd4, 4, NUMBER_OF[node.kind]])
    if node.kind == "weakref":
        return data + pack_atom(node.is_hashed)
    return data + pack_str(node.name) if extra else data


def encode(root):
    numbers, body, deepest, objects = {}, bytearray(), 0, 0
    links = []
    stack = [iter([root])]
    while stack:
        node = next(stack[-1], None)
        if node is None:
            stack.pop()
            continue
        if isinstance(node, str):
            body += pack_str(node)
            continue
        if node in numbers:
            body += pack_index(numbers[node])
            continue
        if not is_immortal(node):
            numbers[node] = objects
        objects += 1
        body += pack_atom(node.value) if node.kind == "atom" else pack_begin(node)
        if node.kind == "weakref" and node.target is not None:
            links.append(node)
        if node.kind not in ("atom", "builtin", "weakref"):
            stack.append(iter(node.items))
            deepest = max(deepest, len(stack) - 1)
    links = [node for node in links if node.target in numbers]
    body += pack_array(2 * len(links))
    for node in links:
        body += pack_uint(numbers[node]) + pack_uint(numbers[node.target])
    return frame(bytes(body), objects, deepest)


# -- reading -----------------------------------------------------------------------------------------------------------


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        assert self.at + count <= len(self.data), "the dump ends early"
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, size, signed=False):
        return int.from_bytes(self.take(size), "big", signed=signed)

    def token(self):
        """The next value: (form, value or length)."""
        head = self.number(1)
        if head < 0x80 or head >= 0xe0:
            return "atom", head if head < 0x80 else head - 256
        if head < 0xa0:
            return ("map" if head < 0x90 else "array"), head & 15
        if head < 0xc0:
            return "atom", self.take(head & 31).decode()
        if head in (0xc0, 0xc2, 0xc3):
            return "atom", {0xc0: None, 0xc2: False, 0xc3: True}[head]
        if head in (0xc4, 0xc5, 0xc6):
            return "atom", self.take(self.number(1 << head - 0xc4))
        if head == 0xcb:
            return "atom", struct.unpack(">d", self.take(8))[0]
        if 0xcc <= head <= 0xd3:
            return "atom", self.number(1 << (head - 0xcc) % 4, head >= 0xd0)
        if head in (0xc7, 0xd4, 0xd5):
            size = self.number(1) if head == 0xc7 else head - 0xd3
            code, payload = self.number(1), Reader(self.take(size))
            assert code in (3, 4), f"extension type {code}"
            return ("index" if code == 3 else "kind"), payload.token()[1]
        if head in (0xd9, 0xda, 0xdb):
            return "atom", self.take(self.number(1 << head - 0xd9)).decode()
        assert 0xdc <= head <= 0xdf, f"byte {head:#x}"
        return ("array" if head < 0xde else "map"), self.number(4 if head & 1 else 2)


def read_begin(reader, count):
    """What an array is; gives the node and how many items follow."""
    at = reader.at
    form, code = reader.token() if count else ("", 0)
    if form != "kind":
        reader.at = at
        return Node("list"), count
    node = Node(next(kind for kind, number in NUMBER_OF.items() if number == code))
    count -= 1
    if node.kind in ("class", "builtin", "weakref"):
        value = reader.token()[1]
        node.name, node.is_hashed = (None, value) if node.kind == "weakref" else (value, False)
        count -= 1
    return node, count


def wants_name(node):
    behind = len(node.items) - (node.kind == "object")
    return node.kind in ("object", "class") and behind >= 0 and behind % 2 == 0


def decode(data):
    assert data[:8] == MAGIC, "magic"
    version, objects, depth, zero, size = struct.unpack(">IIIIQ", data[8:32])
    assert (version, zero, size) == (1, 0, len(data) - 40), "head"
    assert data[-8:] == checksum(data[:-8]), "checksum"
    reader, nodes, deepest = Reader(data[32:-8]), [], 0
    top = Node("list")
    stack = [(top, 1)]  # a node and how many items it will have
    while stack:
        parent, count = stack[-1]
        if len(parent.items) == count:
            stack.pop()
            continue
        form, value = reader.token()
        if wants_name(parent):
            parent.items.append(value)
            continue
        if form == "index":
            parent.items.append(nodes[value])
            continue
        count = 2 * value if form == "map" else 0
        node = Node("dict") if form == "map" else atom(value)
        if form == "array":
            node, count = read_begin(reader, value)
        nodes.append(node)
        parent.items.append(node)
        if node.kind not in ("atom", "builtin", "weakref"):
            stack.append((node, count))
            deepest = max(deepest, len(stack) - 1)
    form, count = reader.token()
    assert form == "array", "links"
    for _ in range(count // 2):
        weakref = nodes[reader.token()[1]]
        weakref.target = nodes[reader.token()[1]]
    assert reader.at == len(reader.data) and len(nodes) == objects and deepest == depth, "claims"
    return top.items[0]


# -- comparing ---------------------------------------------------------------------------------------------------------


def equal_atoms(a, b):
    return type(a) is type(b) and (a == b or a != a and b != b) and str(a) == str(b)


def same(a, b):
    """One walk over both; whatever is met is paired once and for all. Immortals are met in any number."""
    pair_of, back, work = {}, {}, [(a, b)]
    while work:
        a, b = work.pop()
        if isinstance(a, str) or isinstance(b, str):
            if a != b:
                return False
            continue
        if is_immortal(a) and is_immortal(b) or a.kind == b.kind == "builtin":
            if a.kind != b.kind or a.name != b.name or a.kind == "atom" and not equal_atoms(a.value, b.value):
                return False
            continue
        if a in pair_of or b in back:
            if pair_of.get(a) is not b or back.get(b) is not a:
                return False
            continue
        pair_of[a], back[b] = b, a
        if a.kind != b.kind or a.name != b.name or len(a.items) != len(b.items):
            return False
        if a.kind == "atom" and not equal_atoms(a.value, b.value):
            return False
        if (a.target is None) != (b.target is None):
            return False
        if a.target is not None:
            work.append((a.target, b.target))
        work.extend(zip(a.items, b.items))
    return True
