"""cli_terminal.py - heap-cli as people use it, on a pseudo terminal."""
import os
import shutil
import signal
import stat
import tempfile

from fake_server import FakeServer
from harness import DEADLINE, Daemon, run, test, test_own, unique, wait_until
from proxy import Proxy
from terminal import Terminal

HEAP_CLI = os.environ.get("HEAP_CLI", "build/heap-cli")
PROMPT = "heapd> "
CTRL_C, CTRL_D, TAB, UP = "\x03", "\x04", "\t", "\x1b[A"


class Conversation(Terminal):
    """heap-cli at its first prompt, with a state directory of its own unless one is given."""

    def __init__(self, address, state=None, words=()):
        self.own_state = tempfile.mkdtemp(prefix="heap-cli-test-") if state is None else None
        where = ["--unix", address[len("unix:"):]] if address.startswith("unix:") else ["-H", address]
        environment = {"XDG_STATE_HOME": state or self.own_state, "HEAPD_URL": "", "HOME": ""}
        super().__init__([HEAP_CLI, *where, *words], environment)
        self.expect(PROMPT)

    def close(self):
        super().close()
        if self.own_state:
            shutil.rmtree(self.own_state, ignore_errors=True)

    def ask(self, line):
        """What is shown for the line, up to the next prompt."""
        self.enter(line)
        shown = self.expect(PROMPT)
        return shown[shown.index("\n") + 1:-len(PROMPT)]

    def leave(self):
        self.type(CTRL_D)
        status = self.wait()
        assert status == 0, (status, self.shown)


# -- lines -----------------------------------------------------------------------------------------------------------


@test
def a_conversation(server):
    with Conversation(server.address) as one:
        assert one.ask("a = 12345") == ""
        assert one.ask("refcount(a)") == "1\n"
        assert one.ask("[a, None]; None") == "[12345, None]\n"
        assert one.ask("nope") == "NO_NAME name 'nope' is not bound\n"
        assert one.ask("1 +") == "SYNTAX column 4: the statement ends where an expression should be\n"
        assert one.ask("") == "" and one.ask("  # nothing") == ""
        assert "refcount" in one.ask("help") and one.ask("help(id)").startswith("id(x)\n")
        assert one.ask("'é\x1b'".replace("\x1b", "\\x1b")) == "'é\\x1b'\n"
        one.leave()


@test
def open_brackets_go_on_in_the_next_line(server):
    with Conversation(server.address) as one:
        one.enter("xs = [1,")
        one.expect("...> ")
        one.enter("{'a': (2,")
        one.expect("...> ")
        assert one.ask("3)}]") == ""
        assert one.ask("xs") == "[1, {'a': (2, 3)}]\n"
        one.leave()


@test
def ctrl_c_abandons_a_line_and_open_brackets(server):
    with Conversation(server.address) as one:
        one.type("a = 5 + nonsense")
        one.expect("nonsense")
        one.type(CTRL_C)
        one.expect(PROMPT)
        one.enter("b = [1,")
        one.expect("...> ")
        one.type("2")
        one.expect("2")
        one.type(CTRL_C)
        one.expect(PROMPT)
        assert one.ask("names()") == "[]\n"
        one.leave()


@test_own
def ctrl_c_abandons_a_request_that_runs():
    asked = []

    def answer(server, msgid, method, params):
        asked.append(method)
        if method != "get":
            server.result(msgid, 5)

    with FakeServer(answer=answer) as server, Conversation(server.address, words=["--timeout", "0"]) as one:
        one.enter("slow")
        wait_until(lambda: "get" in asked, "the request")
        one.type(CTRL_C)
        assert "CANCELLED interrupted" in one.expect(PROMPT)
        assert one.ask("ping(1)") == "5\n"
        one.leave()


@test
def ctrl_d_leaves_and_so_does_the_end_of_the_terminal(server):
    with Conversation(server.address) as one:
        one.leave()
    one = Conversation(server.address)
    os.close(one.master)
    one.process.wait(timeout=DEADLINE)
    shutil.rmtree(one.own_state)


# -- events ----------------------------------------------------------------------------------------------------------


@test
def deaths_are_told_above_the_line_that_is_typed(server):
    client = server.client()
    name = unique("dying").replace("-", "_")
    client.call("bind", ["global", name], [])
    with Conversation(server.address) as one:
        assert one.ask(f"w = weakref({name})") == ""
        one.type("w() is No")
        one.expect("w() is No")
        client.call("unbind", ["global", name])
        one.expect("! w died (count)\n")
        one.expect(PROMPT + "w() is No")
        assert one.ask("ne") == "True\n"
        one.leave()


@test
def what_becomes_of_watched_names_is_told(server):
    client = server.client()
    name = unique("watched").replace("-", "_")
    with Conversation(server.address) as one:
        assert one.ask(f'watch(["global", "{name}*"], glob=True)') == "True\n"
        client.call("bind", ["global", name + "1"], [])
        id = client.call("id", ["global", name + "1"])
        one.expect(f"! global.{name}1 bound (#{id})\n")
        one.expect(PROMPT)
        assert one.ask(f"del global.{name}1") == f"! global.{name}1 unbound (#{id})\n"
        one.leave()


@test
def ctrl_c_abandons_a_call_that_waits(server):
    with Conversation(server.address) as one:
        one.ask("q = queue()")
        one.enter("q.take()")
        client = server.client()
        wait_until(lambda: client.call("stats", "sessions")["sessions"]["waiting"] == 1, "the waiting call")
        one.type(CTRL_C)
        assert "CANCELLED interrupted" in one.expect(PROMPT)
        assert one.ask("len(q)") == "0\n"
        one.leave()


@test
def a_death_that_the_line_itself_caused_is_told_before_the_next_prompt(server):
    with Conversation(server.address) as one:
        for line in ("class X", "o = X()", "w = weakref(o)", "v = weakref(o)"):
            assert one.ask(line) == ""
        assert one.ask("del o") == "! v died (count)\n! w died (count)\n"
        one.leave()


# -- losing the connection -------------------------------------------------------------------------------------------


def stopped(daemon):
    daemon.signal(signal.SIGTERM)
    daemon.wait()


@test
def a_session_goes_on_after_its_connection_was_cut(server):
    proxy = Proxy(server.address, 1, is_kind=True)
    proxy.start()
    client = server.client()
    name = unique("dying").replace("-", "_")
    client.call("bind", ["global", name], [])
    with Conversation(proxy.address) as one:
        assert one.ask("a = [1]; b = a") == "" and one.ask(f"w = weakref({name})") == ""
        for n in range(3):
            proxy.cut()
            one.expect("! connection lost: ")
            one.expect("! connected again: the session goes on, its names and handles are there\n")
            one.expect(PROMPT)
            assert one.ask("refcount(a)") == "2\n"
        client.call("unbind", ["global", name])
        one.expect("! w died (count)\n")
        one.expect(PROMPT)
        one.leave()
    proxy.close()


@test_own
def a_lost_connection_is_told_and_made_again():
    directory = tempfile.mkdtemp(prefix="heap-cli-test-")
    path = os.path.join(directory, "heapd.sock")
    try:
        with Daemon("--unix", path, listen=()) as first, Conversation(f"unix:{path}") as one:
            assert one.ask("a = 12345") == ""
            stopped(first)
            one.expect("! connection lost: ")
            one.expect("! no new connection: ")
            one.expect(PROMPT)
            assert one.ask("a").startswith("UNREACHABLE ")
            with Daemon("--unix", path, listen=()) as second:
                shown = one.ask("a")
                assert "! connected again: this is a new session" in shown and "are gone\n" in shown, shown
                assert shown.endswith("NO_NAME name 'a' is not bound\n"), shown
                assert one.ask("a = 5; a") == "5\n"
                one.leave()
            del second
    finally:
        shutil.rmtree(directory)


@test
def bye_ends_the_session_and_the_next_one_begins(server):
    with Conversation(server.address) as one:
        assert one.ask("a = 1") == ""
        shown = one.ask("bye()")
        if "connected again" not in shown:  # the prompt came first, and comes once more after the words
            one.expect("! connected again")
            one.expect(PROMPT)
        assert "NO_NAME" in one.ask("a")
        one.leave()


# -- history ---------------------------------------------------------------------------------------------------------


@test
def lines_come_back_and_are_kept_in_a_private_file(server):
    state = tempfile.mkdtemp(prefix="heap-cli-test-")
    try:
        with Conversation(server.address, state) as one:
            assert one.ask("111 + 1") == "112\n"
            one.type(UP)
            one.expect("111 + 1")
            assert one.ask("") == "112\n"
            one.leave()
        path = os.path.join(state, "heapd", "history")
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600 and os.listdir(os.path.dirname(path)) == ["history"]
        assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700
        with Conversation(server.address, state) as one:
            one.type(UP)
            one.expect("111 + 1")
            assert one.ask("") == "112\n"
            one.leave()
    finally:
        shutil.rmtree(state)


# -- completion ------------------------------------------------------------------------------------------------------


@test
def names_complete_from_the_live_server(server):
    client = server.client()
    name = unique("completed").replace("-", "_")
    client.call("bind", ["global", name], [7])
    with Conversation(server.address) as one:
        one.type(name[:-3] + TAB)
        one.expect(name)
        assert one.ask("") == "[7]\n"
        one.type("glob" + TAB)
        one.expect("global.")
        one.type(name[:-3] + TAB)
        one.expect(name)
        assert one.ask("[0]") == "7\n"
        assert one.ask("mine = 1") == ""
        one.type("min" + TAB)
        one.expect("mine")
        assert one.ask("") == "1\n"
        one.leave()
    client.call("unbind", ["global", name])


@test
def functions_and_their_options_complete_and_show_their_signature(server):
    with Conversation(server.address) as one:
        one.type("refc" + TAB)
        one.expect("refcount(")
        one.type(TAB)
        one.expect("\nrefcount(target)\n")
        one.expect(PROMPT + "refcount(")
        assert one.ask("5)") == ""
        assert one.ask("xs = []") == ""
        one.type("weakref(xs, noti" + TAB)
        one.expect("notify=")
        assert one.ask("False)").startswith("<weakref #")
        one.type("re" + TAB)
        shown = one.expect(PROMPT + "re")
        assert all(word in shown for word in ("read(", "refcount(", "release(", "repr(")), shown
        one.type(CTRL_C)
        one.expect(PROMPT)
        one.leave()


@test
def methods_and_attributes_complete_by_the_object(server):
    with Conversation(server.address) as one:
        for line in ("class X", "o = X()", "o.colour = [3]", "xs = [[1], 's']", "p = proxy(o.colour)"):
            assert one.ask(line) == ""
        one.type("o.co" + TAB)
        one.expect("o.colour")
        one.type(".app" + TAB)
        one.expect(".append(")
        one.type(TAB)
        one.expect("list.append(x)\n")
        one.expect(PROMPT + "o.colour.append(")
        assert one.ask("4)") == ""
        one.type("xs[0].app" + TAB)
        one.expect("append(")
        assert one.ask("2)") == ""
        one.type("xs[1].upp" + TAB)
        one.expect("upper(")
        assert one.ask(")") == "'S'\n"
        one.type("p.app" + TAB)
        one.expect("append(")
        assert one.ask("5)") == ""
        one.type("o.colour.append.__se" + TAB)
        one.expect("__self__")
        assert one.ask("") == "[3, 4, 5]\n"
        assert one.ask("xs[0]") == "[1, 2]\n"
        one.leave()


@test
def completion_calls_nothing(server):
    with Conversation(server.address) as one:
        assert one.ask("xs = [1, 2]") == ""
        one.type("xs.pop()." + TAB + "x")
        one.expect("xs.pop().x")
        one.type(CTRL_C)
        one.expect(PROMPT)
        assert one.ask("xs") == "[1, 2]\n"
        one.leave()


run()
