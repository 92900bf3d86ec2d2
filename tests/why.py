"""why.py - who holds an object, why it is alive, what a session is shown of it, and the recount of every reference."""
import collections
import random
import select

from harness import Daemon, Ref, run, test, test_own, wait_until

ADMIN = {"admin_from": "loopback"}


def kinds(rows):
    return sorted(row["kind"] for row in rows)


def release(client, rows):
    """Gives back the handles that came in rows."""
    handles = [value.handle for row in rows or () for value in row.values() if isinstance(value, Ref)]
    assert client.call("release", *handles) == len(handles)


def tidy(client):
    """Takes away what outlives the sessions."""
    for name in client.call("names", "global"):
        client.call("unbind", ["global", name])


# -- rows ------------------------------------------------------------------------------------------------------------


@test
def a_name_is_told_with_its_namespace(server):
    client = server.client()
    x = client.call("new", [1])
    client.call("bind", "x", x)
    client.call("release", x.handle)
    rows = client.call("referrers", "x")
    assert len(rows) == 1 and rows[0]["kind"] == "name" and rows[0]["name"] == ["session", "x"], rows
    assert client.call("path", "x") == rows


@test
def a_handle_is_told_with_its_session(server):
    client = server.client()
    number = client.call("hello", {})["session"]
    x = client.call("new", [1])
    rows = client.call("referrers", x)
    assert rows == [{"kind": "handle", "session": number, "type": "list", "id": x.id}], rows
    assert client.call("path", x) == rows


@test
def each_kind_of_slot_is_told(server):
    client = server.client()
    x = client.call("call", ["builtins", "tuple"], "new", [[1000]])
    cls = client.call("class", "Node")
    item = client.call("call", cls, "new")
    holders = {
        "slot": client.call("new", [0, x]),
        "entry": client.call("new", {"k": x}),
        "key": client.call("new", {}),
        "element": client.call("call", ["builtins", "set"], "new", [[x]]),
        "attribute": item,
    }
    client.call("call", holders["key"], "set", [x, 5])
    client.call("setattr", item, "a", x)
    rows = {row["kind"]: row for row in client.call("referrers", x)}
    assert sorted(rows) == sorted([*holders, "handle"]), rows
    for kind, holder in holders.items():
        row = rows[kind]
        assert (row["container"].id, row["id"], row["type"]) == (holder.id, holder.id, holder.type), row
    assert rows["slot"]["index"] == 1
    assert rows["entry"]["key"] == "k"
    assert rows["attribute"]["attribute"] == "a"
    assert set(rows["key"]) == set(rows["element"]) == {"kind", "container", "type", "id"}, rows


@test
def classes_and_bound_methods_hold_too(server):
    client = server.client()
    cls = client.call("class", "Node")
    item = client.call("call", cls, "new")
    method = client.call("getattr", cls, "new")
    rows = {row["kind"]: row for row in client.call("referrers", cls)}
    assert sorted(rows) == ["class", "handle", "self"], rows
    assert rows["class"]["id"] == item.id and rows["self"]["id"] == method.id


@test
def both_slots_of_an_entry_are_told(server):
    client = server.client()
    key = client.call("call", ["builtins", "tuple"], "new", [[1000]])
    holder = client.call("new", {})
    client.call("call", holder, "set", [key, key])
    rows = client.call("referrers", key)
    assert kinds(rows) == ["entry", "handle", "key"]
    entry = [row for row in rows if row["kind"] == "entry"][0]
    assert entry["key"].id == key.id


@test
def a_row_for_every_slot(server):
    client = server.client()
    x = client.call("new", 1000)
    holder = client.call("new", [x] * 1000)
    rows = client.call("referrers", x)
    assert len(rows) == 1001 and client.call("refcount", x) == 1001
    assert sorted(row["index"] for row in rows if row["kind"] == "slot") == list(range(1000))
    assert {row["id"] for row in rows if row["kind"] == "slot"} == {holder.id}


@test
def a_limit_is_kept(server):
    client = server.client()
    x = client.call("new", 1000)
    client.call("bind", "xs", [x] * 500)
    for limit in (0, 1, 63, 64, 65, 499):
        rows = client.call("referrers", x, {"limit": limit})
        assert len(rows) == limit
        release(client, rows)
    assert len(client.call("referrers", x, {"limit": 5000})) == 501


@test
def what_refers_weakly_is_no_referrer(server):
    client = server.client()
    client.call("bind", "x", [1])
    client.call("weakref", "x")
    client.call("proxy", "x")
    assert kinds(client.call("referrers", "x")) == ["name"]


@test
def an_immortal_has_a_root_of_its_own(server):
    client = server.client()
    client.call("bind", "no", None)
    assert client.call("path", "no") == [{"kind": "root", "type": "nil", "id": client.call("id", "no")}]
    assert ["session", "no"] in [row.get("name") for row in client.call("referrers", "no")]


@test
def an_object_on_offer_is_pinned(server):
    client = server.client()
    x = client.call("new", [1])
    token = client.call("offer", x)
    rows = client.call("referrers", x)
    assert kinds(rows) == ["handle", "pin"] and "session" not in [row for row in rows if row["kind"] == "pin"][0]
    assert kinds(client.call("path", x, {"others": True})) == ["pin"]
    client.call("claim", token)


@test_own
def the_answer_takes_its_handles_back_if_it_cannot_be_sent():
    with Daemon(config={"limits.handles": 10}) as server:
        client = server.client()
        client.call("bind", "x", 1000)
        client.call("bind", "holders", [[{"@": "x"}] for _ in range(20)])
        client.fails("LIMIT", "referrers", "x")
        assert client.call("stats", "sessions")["sessions"]["handles"] == 0
        assert len(client.call("referrers", "x", {"limit": 10})) == 10


@test_own
def more_referrers_than_limits_work_are_not_told():
    with Daemon(config={"limits.work": 1000}) as server:
        client = server.client()
        x = client.call("new", 1000)
        client.call("bind", "a", [x] * 600)
        client.call("bind", "b", [x] * 600)
        client.fails("LIMIT", "referrers", x)
        assert len(client.call("referrers", x, {"limit": 999})) == 999


# -- info with holders -----------------------------------------------------------------------------------------------


@test
def info_counts_holders(server):
    client = server.client()
    other = server.client()
    x = client.call("new", [1])
    client.call("bind", "x", x)
    client.call("bind", ["global", "why x"], x)
    client.call("bind", "holder", [x, x, {"k": x}])
    held = other.call("get", ["global", "why x"])
    info = client.call("info", x, {"holders": True})
    assert (info["bindings"], info["handles"], info["containers"]) == (2, 2, 3), info
    assert info["refcount"] == 7 and info["id"] == x.id and info["len"] == 1
    plain = client.call("info", x)
    assert {key: info[key] for key in plain} == plain
    other.call("release", held)
    client.call("unbind", ["global", "why x"])


# -- path ------------------------------------------------------------------------------------------------------------


@test
def a_chain_leads_from_a_name_down(server):
    client = server.client()
    client.call("bind", "top", [0, {"k": [[1000]]}])
    inner = client.call("call", "top", "get", [1])
    middle = client.call("call", inner, "get", ["k"])
    target = client.call("call", middle, "get", [0])
    client.call("release", inner, middle)
    chain = client.call("path", target, {"others": True})
    assert [row["kind"] for row in chain] == ["name", "slot", "entry", "slot"], chain
    assert chain[0]["name"] == ["session", "top"]
    assert [row.get("index", row.get("key")) for row in chain[1:]] == [1, "k", 0]
    assert [row["container"].id for row in chain[1:]] == [client.call("id", "top"), inner.id, middle.id]
    assert [row["kind"] for row in client.call("path", target)] == ["handle"]


@test
def of_two_chains_the_shorter_is_told(server):
    client = server.client()
    target = client.call("new", [1000])
    client.call("bind", "far", [[[[target]]]])
    client.call("bind", "near", [target])
    for _ in range(3):
        chain = client.call("path", target, {"others": True})
        assert chain[0]["name"] == ["session", "near"] and len(chain) == 2


@test
def what_only_garbage_holds_has_no_chain(server):
    client = server.client()
    ring = client.call("new", [])
    client.call("call", ring, "append", [ring])
    assert client.call("path", ring, {"others": True}) is None
    assert len(client.call("path", ring)) == 1
    client.call("call", ring, "clear")


@test_own
def a_chain_can_be_long():
    with Daemon(config=ADMIN) as server:
        client = server.client()
        bottom = client.call("new", [])
        top = bottom
        for _ in range(5000):
            above = client.call("new", [top])
            if top is not bottom:
                client.call("release", top)
            top = above
        client.call("bind", "top", top)
        client.call("release", top)
        chain = client.call("path", bottom, {"others": True})
        assert len(chain) == 5001 and chain[0]["name"] == ["session", "top"]
        assert all(row["kind"] == "slot" and row["index"] == 0 for row in chain[1:])


@test_own
def a_chain_that_changes_is_searched_again():
    """A session moves an object from one list to the other all the time; each chain answered is one of the two."""
    with Daemon(config={"slice_objects": 1}) as server:
        asker, other = server.client(), server.client()
        asker.call("bind", "ballast", [[] for _ in range(2000)])
        other.call("bind", ["global", "a"], [[0]])
        other.call("bind", ["global", "b"], [])
        x = asker.call("call", ["global", "a"], "get", [0])
        lists = {asker.call("id", ["global", name]): name for name in "ab"}
        request = asker.request("path", x, {"others": True})
        answers = collections.Counter()
        moves = 0
        while answers.total() < 20:
            here, there = ("a", "b") if moves % 2 == 0 else ("b", "a")
            got = other.call("call", ["global", here], "get", [0])
            other.call("call", ["global", there], "append", [got])
            other.call("call", ["global", here], "pop", [], {"result": "none"})
            other.call("release", got)
            moves += 1
            if select.select([asker.sock], [], [], 0)[0]:
                chain = asker.answer(request)
                if chain[-1]["kind"] == "slot":  # else it was found while the other session held it
                    assert lists[chain[-1]["container"].id] == chain[0]["name"][1], chain
                    assert len(chain) == 2
                answers[chain[-1]["kind"]] += 1
                request = asker.request("path", x, {"others": True})
        asker.answer(request)
        tidy(asker)


# -- what a session is shown -----------------------------------------------------------------------------------------


def stage(server):
    """Two sessions that share a list under a global name; one holds it in ways that the other cannot see."""
    owner, asker = server.client(), server.client()
    x = owner.call("new", [1])
    owner.call("bind", ["global", "shared"], x)
    owner.call("bind", "private", x)
    owner.call("bind", "secret", {"key": x})
    return owner, asker, x


@test
def what_the_asker_cannot_reach_is_told_by_kind_type_and_id(server):
    owner, asker, x = stage(server)
    rows = asker.call("referrers", ["global", "shared"])
    hidden = [row for row in rows if row.get("name") != ["global", "shared"]]
    assert kinds(hidden) == ["entry", "handle", "name"], rows
    for row in hidden:
        assert set(row) == {"kind", "type", "id"}, row
    assert [row["id"] for row in hidden if row["kind"] == "entry"] == [owner.call("id", "secret")]
    owner.call("unbind", ["global", "shared"])


@test
def the_owner_sees_them(server):
    owner, asker, x = stage(server)
    rows = owner.call("referrers", x)
    assert ["session", "private"] in [row.get("name") for row in rows]
    entry = [row for row in rows if row["kind"] == "entry"][0]
    assert entry["key"] == "key" and entry["container"].id == owner.call("id", "secret")
    owner.call("unbind", ["global", "shared"])


@test
def what_is_shared_later_is_shown(server):
    owner, asker, x = stage(server)
    owner.call("bind", ["global", "secret"], {"@": "secret"})
    entry = [row for row in asker.call("referrers", ["global", "shared"]) if row["kind"] == "entry"][0]
    assert entry["container"].id == owner.call("id", "secret") and entry["key"] == "key"
    owner.call("unbind", ["global", "shared"])
    owner.call("unbind", ["global", "secret"])


@test
def looking_gives_no_handles(server):
    owner, asker, x = stage(server)
    asker.call("referrers", ["global", "shared"])
    asker.call("path", ["global", "shared"])
    row = [row for row in owner.call("stats", "sessions").items()]
    assert asker.call("info", ["global", "shared"], {"holders": True})["handles"] == 1, row
    owner.call("unbind", ["global", "shared"])


@test
def of_a_chain_through_others_links_only_kinds_are_told(server):
    owner, asker = server.client(), server.client()
    x = owner.call("new", [1])
    owner.call("bind", "deep", [[x]])
    token = owner.call("offer", x)
    owner.call("release", x)
    got = asker.call("claim", token)
    chain = asker.call("path", got, {"others": True})
    assert [row["kind"] for row in chain] == ["name", "slot", "slot"]
    assert all(set(row) == {"kind", "type", "id"} for row in chain), chain


@test_own
def an_administrator_sees_all():
    with Daemon(config=ADMIN) as server:
        owner, asker, x = stage(server)
        number = owner.call("hello", {})["session"]
        rows = asker.call("referrers", ["global", "shared"])
        assert {"kind": "handle", "session": number, "type": "list", "id": x.id} in rows
        private = [row for row in rows if row.get("name") == ["session", "private"]]
        assert len(private) == 1 and private[0]["session"] == number
        entry = [row for row in rows if row["kind"] == "entry"][0]
        assert entry["key"] == "key" and asker.call("read", entry["container"]) == {"key": [1]}
        tidy(asker)


# -- graph -----------------------------------------------------------------------------------------------------------


@test
def a_graph_has_nodes_and_edges_cycles_and_weak_ones_too(server):
    client = server.client()
    client.call("bind", "x", [1000, {"k": "text"}, None])
    x, ids = client.call("id", "x"), client.call("referents", "x")[1].id
    client.call("call", "x", "append", [{"@": "x"}])
    weak = client.call("weakref", "x")
    client.call("call", "x", "append", [weak])
    graph = client.call("graph", "x")
    nodes = {node["id"]: node for node in graph["nodes"]}
    assert graph["nodes"][0]["id"] == x and len(nodes) == len(graph["nodes"]) == 7
    assert (nodes[x]["type"], nodes[x]["refcount"], nodes[x]["len"]) == ("list", 2, 5)
    assert sorted(repr(node["value"]) for node in nodes.values() if "value" in node) == ["'k'", "'text'", "1000", "None"]
    edges = {(edge["from"], edge.get("index", edge.get("key", edge["kind"]))): edge for edge in graph["edges"]}
    assert len(edges) == len(graph["edges"]) == 8
    assert edges[x, 3]["to"] == x and edges[x, 1]["to"] == ids and nodes[edges[ids, "k"]["to"]]["value"] == "text"
    assert [edge for edge in graph["edges"] if edge["weak"]] == [
        {"from": weak.id, "to": x, "kind": "target", "weak": True}]
    assert not any(node["more"] for node in nodes.values())
    client.call("call", "x", "clear")


@test
def a_graph_is_cut_at_depth_and_limit(server):
    client = server.client()
    client.call("bind", "x", [[[[1000]]], [2000]])
    sizes = [len(client.call("graph", "x", {"depth": depth})["nodes"]) for depth in range(5)]
    assert sizes == [1, 3, 5, 6, 7], sizes
    graph = client.call("graph", "x", {"limit": 2})
    assert len(graph["nodes"]) == 2 and len(graph["edges"]) == 1
    assert [node["more"] for node in graph["nodes"]] == [True, True]
    client.fails("BAD_ARGS", "graph", "x", {"limit": 0})


@test
def weak_entries_are_weak_edges(server):
    client = server.client()
    x = client.call("new", [1000])
    for type, fill in (("weakdict", ("set", ["k", x])), ("weakkeydict", ("set", [x, 5])), ("weakset", ("add", [x]))):
        holder = client.call("call", ["builtins", type], "new")
        client.call("call", holder, *fill)
        edges = [edge for edge in client.call("graph", holder)["edges"] if edge["to"] == x.id]
        assert len(edges) == 1 and edges[0]["weak"], edges
        assert kinds(client.call("referrers", x)) == ["handle"]


@test_own
def a_graph_stays_within_limits_work():
    with Daemon(config={"limits.work": 1000}) as server:
        client = server.client()
        client.call("bind", "x", [[] for _ in range(600)])
        client.call("bind", "y", [[] for _ in range(600)])
        client.call("call", "x", "append", [{"@": "y"}])
        client.fails("LIMIT", "graph", "x")


# -- verify ----------------------------------------------------------------------------------------------------------


@test
def verify_is_for_administrators(server):
    server.client().fails("DENIED", "verify")


@test_own
def a_sound_heap_is_checked_whole():
    with Daemon(config=ADMIN) as server:
        client = server.client()
        client.call("bind", "x", [[n, str(n), {"k": n + 0.5}] for n in range(1000)])
        ring = client.call("new", [])
        client.call("call", ring, "append", [ring])
        verdict = client.call("verify")
        live = client.call("stats", "objects")["objects"]["live"]
        assert verdict == {"objects": live, "checked": live, "differences": []}, verdict
        client.call("call", ring, "clear")


@test_own
def verify_finds_nothing_while_others_write():
    with Daemon(config={**ADMIN, "slice_objects": 1}) as server:
        asker, writer = server.client(), server.client()
        asker.call("bind", "ballast", [[n + 1000] for n in range(300)])
        rng = random.Random(7)
        writer.call("bind", "l", [[n] for n in range(200)])
        writer.call("bind", "d", {str(n): [n] for n in range(200)})
        writes = [
            lambda: ("call", ["l", "pop", [0], {"result": "none"}]),
            lambda: ("call", ["l", "append", [{"@": "d"}]]),
            lambda: ("call", ["l", "insert", [rng.randrange(100), [rng.randrange(1000)]]]),
            lambda: ("call", ["l", "reverse", []]),
            lambda: ("bind", ["copy", {"@": "l"}]),
            lambda: ("copy", ["l", {"into": 1}]),
            lambda: ("release", [1]),
            lambda: ("bind", ["l", [{"@": "l"}, {"@": "d"}]]),
            lambda: ("bind", ["l", [[n] for n in range(100)]]),
            lambda: ("call", ["d", "set", [str(rng.randrange(200)), {"@": "l"}]]),
            lambda: ("call", ["d", "clear", []]),
            lambda: ("gc", []),
        ]
        for _ in range(10):
            request = asker.request("verify")
            while not select.select([asker.sock], [], [], 0)[0]:
                writer.pipeline([rng.choice(writes)() for _ in range(5)])
            verdict = asker.answer(request)
            assert verdict["differences"] == [], verdict
            assert 300 < verdict["checked"] <= verdict["objects"], verdict
        for name in "l", "d":
            writer.call("call", name, "clear")
        writer.call("unbind", "copy")
        writer.call("gc")


@test_own
def verify_reserves_its_memory_first():
    with Daemon(config={**ADMIN, "memory_limit": "16M"}) as server:
        client = server.client()
        client.call("bind", "x", [[] for _ in range(100000)])
        blocks = 0
        while client.response(client.request("bind", f"block {blocks}", b"x" * (1 << 20)))[0] is None:
            blocks += 1
        client.fails("NO_MEMORY", "verify")
        for n in range(4):
            client.call("unbind", f"block {n}")
        assert client.call("verify")["differences"] == []


# -- against a model -------------------------------------------------------------------------------------------------


class Model:
    """Lists and dicts that several sessions hold and fill, with counting rules of its own."""

    def __init__(self, clients, rng):
        self.clients, self.rng = clients, rng
        self.slots = {}    # id -> {index or key: id}
        self.types = {}
        self.handles = [{} for _ in clients]  # number -> id
        self.names = {}    # (session's place or None for global, name) -> id
        self.next = 1

    def count(self, id):
        return sum(list(slots.values()).count(id) for slots in self.slots.values()) + \
            sum(list(handles.values()).count(id) for handles in self.handles) + list(self.names.values()).count(id)

    def reap(self):
        while dead := [id for id in self.slots if self.count(id) == 0]:
            for id in dead:
                del self.slots[id]

    def hold(self, place, id, number):
        self.handles[place][number] = id

    def make(self):
        place = self.rng.randrange(len(self.clients))
        kind = self.rng.choice([[], {}])
        self.next += 1
        ref = self.clients[place].call("new", kind, {"into": self.next})
        self.slots[ref.id], self.types[ref.id] = {}, ref.type
        self.hold(place, ref.id, self.next)

    def link(self):
        place = self.rng.randrange(len(self.clients))
        if not self.handles[place]:
            return
        (parent, up), (child, down) = (self.rng.choice(list(self.handles[place].items())) for _ in range(2))
        slots = self.slots[up]
        if self.types[up] == "list":
            index = self.rng.randrange(len(slots) + 1)
            self.clients[place].call("call", parent, "insert", [index, Ref(child, 0, "")])
            items = list(slots.values())
            items.insert(index, down)
            self.slots[up] = dict(enumerate(items))
        else:
            key = self.rng.choice("abcdefgh")
            self.clients[place].call("call", parent, "set", [key, Ref(child, 0, "")])
            slots[key] = down

    def cut(self):
        place = self.rng.randrange(len(self.clients))
        full = [(number, id) for number, id in self.handles[place].items() if self.slots[id]]
        if not full:
            return
        number, id = self.rng.choice(full)
        key = self.rng.choice(list(self.slots[id]))
        self.clients[place].call("call", number, "del", [key])
        del self.slots[id][key]
        if self.types[id] == "list":
            self.slots[id] = dict(enumerate(self.slots[id].values()))

    def bind(self):
        place = self.rng.randrange(len(self.clients))
        if not self.handles[place]:
            return
        number, id = self.rng.choice(list(self.handles[place].items()))
        where, name = self.rng.choice([place, None]), self.rng.choice("uvwxyz")
        self.clients[place].call("bind", ["global" if where is None else "session", name], Ref(number, 0, ""))
        self.names[where, name] = id

    def fetch(self):
        """A handle of what a name that the session can read, or something below it, is."""
        place = self.rng.randrange(len(self.clients))
        names = [key for key in self.names if key[0] in (None, place)]
        if not names:
            return
        where, name = key = self.rng.choice(names)
        self.next += 1
        self.clients[place].call("get", ["global" if where is None else "session", name], {"into": self.next})
        id = self.names[key]
        while self.slots[id] and self.rng.random() < 0.7:
            key = self.rng.choice(list(self.slots[id]))
            above, self.next = self.next, self.next + 1
            self.clients[place].call("call", above, "get", [key], {"into": self.next})
            self.clients[place].call("release", above)
            id = self.slots[id][key]
        self.hold(place, id, self.next)

    def release(self):
        place = self.rng.randrange(len(self.clients))
        if self.handles[place]:
            number = self.rng.choice(list(self.handles[place]))
            self.clients[place].call("release", number)
            del self.handles[place][number]

    def change(self):
        self.rng.choice([self.make, self.link, self.link, self.link, self.bind, self.fetch, self.cut, self.release,
                         self.release])()
        self.reap()

    def rows(self, target):
        """What refers to an object, as an administrator is told."""
        rows = collections.Counter()
        for id, slots in self.slots.items():
            for key, child in slots.items():
                rows["slot" if self.types[id] == "list" else "entry", id, key] += child == target
        for place, handles in enumerate(self.handles):
            rows["handle", place] += list(handles.values()).count(target)
        for key, id in self.names.items():
            rows["name", key] += id == target
        return +rows

    def reach(self, roots):
        """The length of the shortest chain to each object, by breadth."""
        lengths, wave, length = {}, set(roots), 1
        while wave:
            lengths |= dict.fromkeys(wave, length)
            wave = {child for id in wave for child in self.slots[id].values()} - set(lengths)
            length += 1
        return lengths


class Told:
    """What the daemon tells about the objects of a model, in the model's terms."""

    def __init__(self, model, numbers):
        self.model, self.numbers = model, numbers

    def row(self, row):
        kind = row["kind"]
        if kind == "handle":
            return kind, self.numbers.index(row["session"])
        if kind == "name":
            space, name = row["name"]
            return kind, (None if space == "global" else self.numbers.index(row["session"]), name)
        assert row["container"].id == row["id"]
        return kind, row["id"], row["index"] if kind == "slot" else row["key"]

    def links(self, chain, target):
        """Each row of a chain holds the object that the next one tells."""
        for row, below in zip(chain, [*[row["id"] for row in chain[1:]], target]):
            assert self.row(row) in self.model.rows(below), (row, below)


def play(seed, admin, steps):
    rng = random.Random(seed)
    config = {"admin_from": "loopback" if admin else "none", "slice_objects": rng.choice([1, 2, 7, 100]),
              "gc.enabled": 0}
    with Daemon(config=config) as server:
        clients = [server.client() for _ in range(3)]
        numbers = [client.call("hello", {"refs": "map"})["session"] for client in clients]
        model = Model(clients, rng)
        told = Told(model, numbers)
        for _ in range(steps):
            model.change()
            place = rng.randrange(3)
            if rng.random() < 0.3 and model.handles[place]:
                ask(model, told, place, admin)
        tidy(clients[0])
        for client, handles in zip(clients, model.handles):
            client.call("release", *handles)
            for name in client.call("names"):
                client.call("unbind", name)
        clients[0].call("gc")


def ask(model, told, place, admin):
    client = model.clients[place]
    number, target = model.rng.choice(list(model.handles[place].items()))
    count = client.call("refcount", number)
    rows = client.call("referrers", number)
    expected = model.rows(target)
    mine = [id for key, id in model.names.items() if key[0] in (None, place)] + list(model.handles[place].values())
    seen = model.reach(mine)
    assert len(rows) == expected.total() == count, (rows, expected)
    for row in rows:
        is_shown = admin or (seen.get(row["id"]) if "slot" in row["kind"] or row["kind"] == "entry" else
                             set(row) != {"kind", "type", "id"})
        if is_shown:
            assert told.row(row) in expected, (row, expected)
        else:
            assert set(row) == {"kind", "type", "id"}, row
    if admin:
        assert collections.Counter(map(told.row, rows)) == expected, (rows, expected)
    release(client, rows)
    others = model.reach([*model.names.values(), *(id for at, handles in enumerate(model.handles) if at != place
                                                   for id in handles.values())])
    chain = client.call("path", number, {"others": True})
    assert (len(chain) if chain else None) == others.get(target), (chain, others.get(target))
    if admin and chain:
        told.links(chain, target)
    release(client, chain)
    assert len(client.call("path", number)) == 1


@test_own
def referrers_and_path_are_those_of_a_model():
    for seed in range(20):
        play(seed, True, 250)


@test_own
def what_is_shown_is_what_a_model_says_is_in_reach():
    for seed in range(20, 40):
        play(seed, False, 250)


run()
