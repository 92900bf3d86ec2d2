"""cli_look.py - heap-cli's why, graph and top."""
import json
import os
import re
import signal
import stat
import subprocess
import tempfile

from harness import DEADLINE, Daemon, run, test, test_own
from terminal import Terminal

HEAP_CLI = os.environ.get("HEAP_CLI", "build/heap-cli")


def where(address):
    return ["--unix", address[len("unix:"):]] if address.startswith("unix:") else ["-H", address]


def run_cli(server, *words, **environment):
    """(exit status, standard output, standard error)"""
    done = subprocess.run([HEAP_CLI, *where(server.address), *words], capture_output=True, timeout=DEADLINE,
                          stdin=subprocess.DEVNULL, env={**os.environ, "HEAPD_URL": "", **environment})
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def shows(server, *words, **environment):
    """What is printed, without ids, line by line."""
    status, out, errors = run_cli(server, *words, **environment)
    assert (status, errors) == (0, ""), (status, errors, out)
    return re.sub(r"#\d+", "#", out).splitlines()


def statements(server, *texts):
    return shows(server, *[word for text in texts for word in ("-e", text)])


# -- why -------------------------------------------------------------------------------------------------------------


@test
def why_shows_the_chain_with_names_and_slots(server):
    shown = statements(server, "jobs = [0, {'k': [5000, 6000]}]", "class Job", "o = Job()", "o.todo = [jobs]",
                       "why(jobs[1]['k'])", "why(jobs)")
    assert shown[1:4] == ["└─ list #", "   └─ [1] dict #", "      └─ ['k'] list #  refs=1"], shown
    assert re.fullmatch(r"name session\.jobs \(session \d+.*\)", shown[0]), shown
    assert shown[5:] == ["└─ list #  refs=2"], shown


@test
def what_heap_cli_holds_itself_is_no_reason(server):
    assert statements(server, "why([1])") == ["only handles of this session hold it, or garbage"]
    assert statements(server, "why(5)") == ["the server: it never dies"]


@test
def why_tells_of_other_sessions_without_what_they_hide(server):
    owner = server.client()
    x = owner.call("new", [1])
    owner.call("bind", "secret", {"key": [x]})
    token = owner.call("offer", x)
    owner.call("release", x)
    shown = statements(server, f"why(claim('{token}'))")
    assert shown == ["a name of another session", "└─ dict #  (out of your reach)",
                     "   └─ (entry) list #  (out of your reach)", "      └─ (slot) list #  refs=1"], shown


@test_own
def an_administrator_is_told_who_it_is():
    with Daemon(config={"admin_from": "loopback"}) as server:
        owner = server.client()
        owner.call("hello", {"name": "worker \x1b[31m"})
        owner.call("bind", ["global", "x"], [[1]])
        held = owner.call("call", ["global", "x"], "get", [0])
        owner.call("unbind", ["global", "x"])
        other = server.client()
        other.call("bind", ["global", "all"], [])
        owner.call("call", ["global", "all"], "append", [held])
        shown = shows(server, "-e", "x = global.all[0]", "-e", "global.all.clear()", "-e", "why(x)", "-e", "del x")
        assert shown[0].startswith("a handle (session ") or shown[0].startswith("name session.x"), shown
        owner.call("unbind", ["global", "all"])


@test
def why_as_a_command(server):
    client = server.client()
    client.call("bind", ["global", "why me"], [1])
    assert shows(server, "why", "global:why me") == ["name global.why me", "└─ list #  refs=1"]
    client.call("unbind", ["global", "why me"])
    status, out, errors = run_cli(server, "why")
    assert (status, out) == (2, "") and "usage: heap-cli why TARGET" in errors
    assert run_cli(server, "why", "nothing")[0] == 1


# -- graph -----------------------------------------------------------------------------------------------------------


@test
def graph_is_a_tree_of_lines(server):
    shown = statements(server, "x = [1000, {'k': None}]", "x.append(x)", "w = weakref(x)", "x.append(w)", "graph(x)",
                       "x.clear()")
    assert shown == ["list #  refs=2", "├─ [0] 1000  refs=1", "├─ [1] dict #  refs=1", "│  ├─ (key) 'k'  refs=1",
                     "│  └─ ['k'] None", "├─ [2] list #  (a cycle)", "└─ [3] weakref #  refs=2",
                     "   └┄ (target) weak list #  (see above)"], shown


@test
def graph_is_cut_at_depth_and_limit(server):
    client = server.client()
    client.call("bind", ["global", "deep"], [[[[5000]]], 6000])
    assert shows(server, "graph", "global:deep", "--depth", "1") == [
        "list #  refs=1", "├─ [0] list #  refs=1  ...", "└─ [1] 6000  refs=1"]
    assert shows(server, "graph", "global:deep", "--limit", "1") == ["list #  refs=1  ..."]
    assert statements(server, "graph(global.deep, depth=0)") == ["list #  refs=1  ..."]
    client.call("unbind", ["global", "deep"])


@test
def a_long_list_is_no_endless_recursion(server):
    client = server.client()
    nested = []
    for _ in range(60):
        nested = [nested]
    client.call("bind", ["global", "deep"], nested)
    for _ in range(40):
        client.call("bind", ["global", "deep"], [{"@": ["global", "deep"]}])
    assert len(shows(server, "graph", "global:deep")) == 101
    client.call("unbind", ["global", "deep"])


@test
def dot_is_what_graphviz_reads(server):
    client = server.client()
    client.call("bind", ["global", "x"], ['<&">', {"k": 1000}])
    client.call("call", ["global", "x"], "append", [{"@": ["global", "x"]}])
    weak = client.call("weakref", ["global", "x"])
    client.call("call", ["global", "x"], "append", [weak])
    text = "\n".join(shows(server, "graph", "global:x", "--dot"))
    assert text.startswith("digraph heap {") and text.endswith("}")
    assert "&lt;&amp;&quot;&gt;" in text and '<&">' not in text
    assert len(re.findall(r"^  n\d+ \[", text, re.MULTILINE)) == 5  # the key stands on its edge
    assert len(re.findall(r"style=dashed", text)) == 1
    assert len(re.findall(r"penwidth=1.8", text)) == 1  # the list holds itself
    client.call("call", ["global", "x"], "clear")
    client.call("unbind", ["global", "x"])


def program(directory, name, text):
    path = os.path.join(directory, name)
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, stat.S_IRWXU)


@test
def svg_is_made_by_dot_without_a_shell(server):
    with tempfile.TemporaryDirectory(prefix="heapd-test-") as directory:
        program(directory, "dot", '#!/bin/sh\ncat >"$3.in"\nprintf "%s|" "$@" >"$3"\n')
        path = os.path.join(directory, "a $(touch b); c.svg")
        assert shows(server, "graph", "builtins:list", "--svg", path, PATH=f"{directory}:{os.environ['PATH']}") == []
        with open(path) as file:
            assert file.read() == f"-Tsvg|-o|{path}|"
        with open(path + ".in") as file:
            assert file.read().startswith("digraph heap {")
        assert statements_with(server, directory, f"graph(list, svg={path + '2'!r})") == []
        assert os.path.exists(path + "2")
        program(directory, "dot", "#!/bin/sh\nexit 3\n")
        status, out, errors = run_cli(server, "graph", "builtins:list", "--svg", path,
                                      PATH=f"{directory}:{os.environ['PATH']}")
        assert status == 1 and "dot could not make" in errors, errors


def statements_with(server, directory, text):
    return shows(server, "-e", text, PATH=f"{directory}:{os.environ['PATH']}")


@test
def without_graphviz_it_says_what_is_missing(server):
    status, out, errors = run_cli(server, "graph", "builtins:list", "--svg", "/tmp/x.svg", PATH="/nonexistent")
    assert status == 1 and "there is no `dot`" in errors and "apt install graphviz" in errors, errors


@test
def what_graph_takes_is_checked(server):
    for words in (["graph"], ["graph", "a", "b"], ["graph", "a", "--svg"], ["graph", "a", "--limit", "x"],
                  ["graph", "a", "--wide", "1"], ["why", "a", "--dot"], ["top", "x"]):
        status, out, errors = run_cli(server, *words)
        assert (status, out) == (2, "") and "usage: heap-cli" in errors, (words, errors)
    for text in ("graph()", "graph(list, 5)", "graph(list, wide=1)", "why(list, depth=1)"):
        status, out, errors = run_cli(server, "-e", text)
        assert status == 1 and errors.startswith("TYPE "), errors


@test
def as_json_a_graph_is_the_servers_answer(server):
    graph = json.loads(run_cli(server, "--json", "graph", "builtins:list")[1])
    assert set(graph) == {"nodes", "edges"} and graph["nodes"][0]["class"] == "list"


# -- top -------------------------------------------------------------------------------------------------------------


@test_own
def top_prints_a_table_once_without_a_terminal():
    with Daemon(config={"admin_from": "loopback"}) as server:
        client = server.client()
        client.call("hello", {"name": "somebody"})
        client.call("bind", "x", [[n + 1000] for n in range(1500)])
        lines = run_cli(server, "top")[1].splitlines()
        rows = [line.split() for line in lines]
        assert ["list", "1,501"] in rows and ["int", "1,500"] in rows, lines
        assert any(row[-1:] == ["somebody"] for row in rows), lines
        assert rows.index(["list", "1,501"]) < rows.index(["int", "1,500"])


@test
def top_lists_no_sessions_to_others(server):
    assert "SESSION" not in run_cli(server, "top")[1]


@test
def top_goes_on_until_q(server):
    with Terminal([HEAP_CLI, *where(server.address), "top"], {"HEAPD_URL": ""}) as terminal:
        terminal.expect("TYPE")
        terminal.expect("/s")
        terminal.expect("TYPE")
        terminal.type("q")
        assert terminal.wait() == 0


@test_own
def top_ends_with_the_connection():
    with Daemon() as server:
        with Terminal([HEAP_CLI, *where(server.address), "top"], {"HEAPD_URL": ""}) as terminal:
            terminal.expect("TYPE")
            server.signal(signal.SIGTERM)
            assert terminal.wait() == 3


run()
