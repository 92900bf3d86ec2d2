"""cli.py - heap-cli without a terminal: expressions, one-shots, JSON, exit statuses."""
import json
import os
import select
import signal
import socket
import subprocess

from fake_server import FakeServer
from harness import DEADLINE, Daemon, run, test, test_own, unique

HEAP_CLI = os.environ.get("HEAP_CLI", "build/heap-cli")


def where(address):
    return ["--unix", address[len("unix:"):]] if address.startswith("unix:") else ["-H", address]


def run_cli(address, *words, stdin=b"", **environment):
    """(exit status, standard output, standard error)"""
    command = [HEAP_CLI, *(where(address) if address else []), *words]
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=DEADLINE,
                          env={**os.environ, "HEAPD_URL": "", **environment})
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def says(server, *statements):
    """What is printed for these statements, which must succeed."""
    status, out, errors = run_cli(server.address, *[word for text in statements for word in ("-e", text)])
    assert (status, errors) == (0, ""), (status, errors, out)
    return out.splitlines()


def ends(server, status, error, *words, stdin=b""):
    """The run ends with this status, says this on standard error, and nothing on standard output."""
    got = run_cli(server.address, *words, stdin=stdin)
    assert got[0] == status and got[1] == "" and error in got[2], got
    return got[2]


def one_shot(server, *words):
    status, out, errors = run_cli(server.address, *words)
    assert (status, errors) == (0, ""), (status, errors)
    return out


# -- expressions -----------------------------------------------------------------------------------------------------


@test
def names_refer_to_objects_and_count(server):
    assert says(server, "a = 12345", "b = a", "a is b", "refcount(a)", "del a", "refcount(b)") == ["True", "2", "1"]


@test
def values_print_as_python_prints_them(server):
    value = [1, {"k": b"\x00"}, 2.5, True, None, "it's", (1,), {2}, -0.0, 1e16, 1e-7, 'é"\n\x1b', b"'", {}, [], ()]
    assert says(server, f"xs = {value!r}", "xs") == [repr(value)]
    for scalar in (0.1, 0.0001, 1e22, 123456789012345680.0, 5e-324, -1.5, "é", "\x9b", "'\"", b"a\xff\\", 2**63 - 1,
                   -(2**63)):
        assert says(server, repr(scalar), f"[{scalar!r}]") == [repr(scalar), f"[{scalar!r}]"]
    assert says(server, "None", "float('inf')", "-float('nan')") == ["inf", "nan"]


@test
def containers_are_read_and_changed_by_item_slice_and_method(server):
    assert says(server, 'xs = [1, {"k": b"\\x00"}, 2.5, True, None]', "a = 5", "xs.append(a)", "xs[0]",
                'xs[1]["k"] = 3', "xs[1]", "len(xs), type(xs)", "repr(xs)", "5 in xs", "5 not in xs", "xs[1:3]",
                "xs[-1]") == [
        "1", "{'k': 3}", "(6, 'list')", "\"[1, {'k': 3}, 2.5, True, None, 5]\"", "True", "False", "[{'k': 3}, 2.5]",
        "5"]


@test
def objects_show_their_id_and_how_many_others_refer_to_them(server):
    shown, id, again = says(server, "class X", "o = X()", "o", "id(o)", "p = o", "o.data = [o]", "o", "o.data.clear()")
    assert shown == f"<X object #{id} refs=1>" and again == f"<X object #{id} refs=3>"


@test
def attributes_methods_weakrefs_and_proxies(server):
    assert says(server, "class X", "o = X()", "o.data = [1, 2, 3]", "o.data.len()", "w = weakref(o)", "w() is o",
                "p = proxy(o)", "p.data", "p.data is o.data", "p is o", "p.data.append.__self__ is o.data",
                "o.data += [4]", "o.data", "del o.data", "refcount(o)", "weakrefs(o)") == [
        "3", "True", "[1, 2, 3]", "True", "False", "True", "[1, 2, 3, 4]", "1", "2"]


@test
def copies_share_and_deep_copies_do_not(server):
    assert says(server, "class X", "x = X()", "x.data = []", "a = copy(x)", "b = deepcopy(x)", "a is x",
                "a.data is x.data", "b.data is x.data") == ["False", "True", "False"]


@test
def a_death_is_told_by_the_name_of_its_weakref(server):
    assert says(server, "class X", "o = X()", "w = weakref(o)", "refcount(w)", "del o", "w() is None") == [
        "1", "! w died (count)", "True"]


@test
def nobody_is_told_who_gave_the_weakref_up_or_did_not_ask(server):
    assert says(server, "class X", "o = X()", "w = weakref(o)", "del w", "weakrefs(o)", "v = weakref(o, notify=False)",
                "del o", "v() is None") == ["0", "True"]


@test
def temporary_handles_do_not_count(server):
    assert says(server, "class X", "o = X()", "xs = [[o], {}]", "refcount(xs[0])", "refcount(xs[0][0])", "refcount(o)",
                "refcount([])", "refcount(5)") == ["1", "2", "2", "0"]


@test
def shared_namespaces_are_prefixes(server):
    name = unique("jobs").replace("-", "_")
    assert says(server, f"global.{name} = [1]", f"global.{name}.append(2)", f"global.{name}[0] = 0", f"{name}",
                f"y = global.{name}", f"y is global.{name}", f"{name!r} in names(global)") == ["[0, 2]", "True", "True"]
    assert says(server, f"global.{name}", f"del global.{name}") == ["[0, 2]"]
    ends(server, 1, "NO_NAME", "-e", f"global.{name}")


@test
def a_namespace_of_the_address_can_be_named(server):
    space = unique("space").replace("-", "_")
    if server.address.startswith("unix:"):
        address = f"heapd+unix://{server.address[5:]}"
    else:
        address = f"heapd://{server.address}/{space}"
    status, out, _ = run_cli(None, "-e", "x = 1000", "-e", f"{space}.x", "-e", f"{space}.y = 5", "-e", "y",
                             "-e", "del x", "-e", "del y", HEAPD_URL=address)
    assert server.address.startswith("unix:") or (status, out) == (0, "1000\n5\n"), out


@test
def operators_are_those_of_python(server):
    for text in ("1 + 2", "7 // -2", "-7 % 3", "2 ** 10", "-2 ** 2", "2 ** 3 ** 2", "1 / 2", "7 / 7", "1 - 2 - 3",
                 "~5", "6 & 3 | 8 ^ 1", "1 << 4 >> 1", "1.5 * 4", "'a' + 'b'", "b'a' + b'b'", "[1] + [2, 3]", "1 < 2",
                 "2 <= 1", "1 == 1.0", "'a' != 'b'", "not []", "not not 3", "1 and 2", "0 and 1", "'' or 'x'",
                 "[] or 0", "None is None", "[] is not None", "{1, 2} | {3}", "{1, 2} & {2}", "{1, 2} - {2}",
                 "{1, 2} ^ {2, 3}", "(1 + 2) * 3", "'a' in 'abc'", "1 not in (1, 2)", "+5", "- -5", "-(3)", "abs(-3)",
                 "round(2.5)", "len('é')", "1 + 2 * 3 - 4", "True + 1", "'x'.upper()", "' a b '.split()",
                 "'a,b'.split(',')", "(1,)", "()", "1,", "{1: 'a', (1, 2): {3}}", "0x1f", "0o17", "0b11", "1_000",
                 ".5", "1e3", "'\\x41\\u00e9\\U0001F600\\n'", "b'\\x00\\101'", "r'\\n'", "'a' 'b'", "'''x'''",
                 "[1, 2, 3][::-1]", "'abc'[1:]", "[[1, 2], [3]][0][1]", "{'a': 1}['a']", "str(5)", "int('7')",
                 "list((1, 2))", "dict([[1, 2]])", "float(3)"):
        assert says(server, text) == [repr(eval(text))], text


@test
def assignments_of_every_kind(server):
    assert says(server, "a = b = []", "a is b", "a += [1]", "b", "n = 5", "n -= 2", "n *= n", "n", "d = {}", "d[1] = 2",
                "d[1] += 3", "d", "del d[1], a", "d; n", "x = 1, 2", "x", "s = 'a'; s += 'b'; s", "# nothing", "") == [
        "True", "[1]", "9", "{1: 5}", "{}", "9", "(1, 2)", "'ab'"]


@test
def methods_of_the_wire_are_functions_with_options_as_keywords(server):
    assert says(server, "xs = [1, [2], 'x']", "info(xs)['type']", "referents(xs)", "referents(xs, limit=1)", "read(xs)",
                "call(xs, 'append', [5])", "names()", "names(match='y*')", "is(xs, xs)", "hold(xs)",
                "get(xs, result='value')", "sizeof(xs) > 0", "ping(5)", "bind(ys, xs)", "unbind('ys')",
                "stats('server')['server'].len() > 0", "ns = [3, 1]", "ns.sort(reverse=True)", "ns",
                "getattr(xs, 'len')()", "getattr(xs, len).__name__") == [
        "'list'", "[1, [2], 'x']", "[1]", "[1, [2], 'x']", "['xs']", "[]", "True", "[1, [2], 'x', 5]",
        "[1, [2], 'x', 5]", "True", "5", "True", "True", "True", "[3, 1]", "4", "'len'"]
    assert says(server, "class('K')")[0].startswith("<class 'K'")


@test
def errors_are_code_and_text_on_standard_error(server):
    assert ends(server, 1, "NO_NAME name 'nope' is not bound\n", "-e", "nope").startswith("NO_NAME ")
    for code, text in (("INDEX", "[1][5]"), ("KEY", "{}['a']"), ("TYPE", "{[]: 1}"), ("NO_ATTR", "[].nope()"),
                       ("BAD_ARGS", "info()"), ("BAD_ARGS", "info(5, 6)"), ("BAD_ARGS", "info(5, nope=1)"),
                       ("TYPE", "[1]()"), ("OVERFLOW", "9223372036854775807 + 1"), ("OVERFLOW", "18446744073709551615"),
                       ("VALUE", "1 // 0"), ("TYPE", "weakref(5)"), ("TYPE", "1 < 'a'"), ("TYPE", "[1] + 2"),
                       ("NO_METHOD", "help(nope)")):
        assert ends(server, 1, code, "-e", text).startswith(code + " "), text


@test
def what_cannot_be_parsed_is_told_with_its_column(server):
    for text, column in (("1 +", 4), ("x = = 1", 5), ("[1, 2", 6), ("'abc", 1), ("1 2", 3), ("a.5", 2),
                         ("f(a=1, 2)", 8), ("5 = a", 1), ("del 5", 5), ("a[1:2] = 3", 1), ("é $", 3), ("1 < 2 < 3",
                         7), ("x[]", 3),
                         ("0123", 1), ("12ab", 1), ("'\\xz'", 1), ("b'é'", 1), ("99999999999999999999", 1),
                         ("for x in y", 1), ("a b", 3), ("{1: 2, 3}", 9), ("class", 6), ("(1, 2", 6)):
        assert ends(server, 2, f"SYNTAX column {column}: ", "-e", text).startswith("SYNTAX"), text


@test
def depth_is_bounded_by_an_error(server):
    for text in ("(" * 100000, "[" * 100000 + "]" * 100000, "-" * 100001 + "x", "not " * 1000 + "~" * 1000 + "1",
                 "+".join(["1"] * 5000), "a" + ".b" * 5000, "a" + "[0]" * 5000, "f" + "()" * 5000,
                 "2" + "**2" * 5000, "1" + " and 1" * 5000):
        ends(server, 2, "nested too deep", stdin=text.encode())
    assert says(server, "len([" + "1, " * 5000 + "])", "+".join(["1"] * 150)) == ["5000", "150"]


@test
def arbitrary_text_is_refused_or_run_and_never_crashes(server):
    state = 12345
    words = ["a", "1", "'x'", "[", "]", "(", ")", "{", "}", ",", ":", ".", "=", "+", "-", "**", "not", "in", "is",
             "del", "class", "x.y", "\n", ";", "\\", "\"", "b'", "\0", "é", "#", "0x", "1e", "and", "len", "help"]
    for _ in range(40):
        lines = []
        for _ in range(25):
            text = ""
            for _ in range(12):
                state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
                text += words[(state >> 33) % len(words)] + " " * ((state >> 60) & 1)
            lines.append(text)
        status, _, errors = run_cli(server.address, "--keep-going", stdin="\n".join(lines).encode())
        assert status in (0, 1, 2) and "Sanitizer" not in errors, (status, errors, lines)


# -- standard input --------------------------------------------------------------------------------------------------


@test
def statements_come_from_standard_input_and_stop_at_the_first_error(server):
    text = b"a = 1\na\nxs = [1,\n  2,\n]\nnope\n3\n"
    status, out, errors = run_cli(server.address, stdin=text)
    assert (status, out, errors) == (1, "1\n", "heap-cli: line 6: NO_NAME name 'nope' is not bound\n")
    status, out, errors = run_cli(server.address, "--keep-going", stdin=text + b"(\n")
    assert (status, out) == (1, "1\n3\n") and "line 6: NO_NAME" in errors and "line 8: SYNTAX" in errors, (out, errors)
    assert run_cli(server.address, stdin=b"") == (0, "", "")
    assert run_cli(server.address, stdin=b"1\n2") == (0, "1\n2\n", "")


def talk(address, *words):
    return subprocess.Popen([HEAP_CLI, *where(address), *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, env={**os.environ, "HEAPD_URL": ""})


def line_of(process):
    ready, _, _ = select.select([process.stdout], [], [], DEADLINE)
    assert ready, "nothing came"
    return process.stdout.readline().decode()


@test
def events_are_told_while_it_waits_for_statements(server):
    client = server.client()
    name = unique("dying").replace("-", "_")
    client.call("bind", ["global", name], [])
    process = talk(server.address)
    process.stdin.write(f"w = weakref({name})\n1\n".encode())
    process.stdin.flush()
    assert line_of(process) == "1\n"
    client.call("unbind", ["global", name])
    assert line_of(process) == "! w died (count)\n"
    out, errors = process.communicate(timeout=DEADLINE)
    assert (process.returncode, out, errors) == (0, b"", b"")


# -- one-shots -------------------------------------------------------------------------------------------------------


@test
def every_method_is_a_command_of_its_own(server):
    name = "global:" + unique("jobs")
    assert one_shot(server, "bind", name, "[1,2]") == "True\n"
    assert one_shot(server, "call", name, "append", "4") == ""
    assert one_shot(server, "get", name) == "[1, 2, 4]\n"
    assert one_shot(server, "call", name, "index", "4") == "2\n"
    assert one_shot(server, "type", name) == "'list'\n"
    assert one_shot(server, "refcount", name) == "1\n"
    assert name[7:] in json.loads(one_shot(server, "--json", "names", "global"))
    assert json.loads(one_shot(server, "names", "global", "--match", name[7:], "--limit=1", "--json")) == [name[7:]]
    assert json.loads(one_shot(server, "--json", "info", name))["len"] == 3
    assert json.loads(one_shot(server, "get", name, "--json", "--result", "value")) == [1, 2, 4]
    assert json.loads(one_shot(server, "--json", "stats", "objects"))["objects"]["live"] > 0
    assert "refcount" in json.loads(one_shot(server, "--json", "api"))["methods"]
    assert one_shot(server, "unbind", name) == "True\n"
    ends(server, 1, "NO_NAME", "get", name)


@test
def rpc_takes_its_parameters_as_json(server):
    assert one_shot(server, "rpc", "ping", "[1, null, true, -5, 2.5, \"x\"]") == "[1, None, True, -5, 2.5, 'x']\n"
    name = unique("rpc")
    assert one_shot(server, "rpc", "bind", json.dumps(["global", name]), '{"a": {"@": "list"}}') == "True\n"
    keys = one_shot(server, "rpc", "call", json.dumps(["global", name]), '"keys"', "[]", '{"result": "value"}')
    assert keys == "['a']\n"
    assert one_shot(server, "rpc", "unbind", json.dumps(["global", name])) == "True\n"
    ends(server, 1, "NO_METHOD", "rpc", "nosuch")
    ends(server, 2, "no JSON", "rpc", "ping", "[1")
    ends(server, 2, "rpc takes", "rpc")


@test
def json_says_what_it_cannot_say_in_maps_of_one_key(server):
    for text in ('{"@bytes": "AAH/"}', '{"@bytes": ""}', '{"@bytes": "AA=="}', '{"@float": "inf"}',
                 '{"@float": "-inf"}', '{"@float": "nan"}', '{"@pairs": [[1, "a"], [{"@bytes": "AA=="}, null]]}',
                 '{"@@": 1}', '{"@@x": [1]}',
                 '{"@x": 1, "y": 2}', "{}", "[]", '[{"@@@bytes": 5}]', '"\\u0000\\u00e9\\ud83d\\ude00"',
                 "-9223372036854775808", "9223372036854775807", "1e+300", "0.1", "[[[[]]]]",
                 '{"a": {"b": [true, false, null]}}'):
        shown = one_shot(server, "--json", "rpc", "ping", text)
        assert json.loads(shown) == json.loads(text), (text, shown)
    reference = json.loads(one_shot(server, "--json", "rpc", "get", '{"@": ["builtins", "list"]}'))
    assert list(reference) == ["@"] and reference["@"][2] == "class"
    for text in ('{"@": 1.5}', '{"@": []}', '{"@": ["a"]}', '{"@bytes": "A"}', '{"@bytes": "A==="}', '{"@bytes": 5}',
                 '{"@bytes": "AA=A"}', '{"@float": "x"}', '{"@pairs": [[1]]}', '{"@pairs": 5}', '{"@x": 1}',
                 "99999999999999999999", "[" * 300 + "]" * 300, "nan", ""):
        ends(server, 2, "USAGE", "rpc", "ping", text)


@test
def json_of_expressions(server):
    status, out, errors = run_cli(server.address, "--json", "-e", "[1, {'a': b'x'}]", "-e", "None", "-e", "(1, 'é')",
                                  "-e", "{1: 2}", "-e", "class X; o = X()", "-e", "w = weakref(o)", "-e", "[o]", "-e",
                                  "del o")
    lines = [json.loads(line) for line in out.splitlines()]
    assert status == 0 and lines[:4] == [[1, {"a": {"@bytes": "eA=="}}], None, [1, "é"], {"@pairs": [[1, 2]]}], out
    assert lines[4][0]["@"][2] == "object" and errors == "! w died (count)\n", errors
    status, out, errors = run_cli(server.address, "--json", "--keep-going", "-e", "xs = [[]]", "-e", "xs[0] = xs",
                                  "-e", "xs", "-e", "xs.clear()")
    assert (status, out) == (1, "null\n") and errors.startswith("CYCLE list "), (status, out, errors)


# -- the command line ------------------------------------------------------------------------------------------------


@test
def a_command_line_that_is_none_is_told_so(server):
    for words in (["--nope"], ["-x"], ["nosuch"], ["-e"], ["--timeout", "x", "ping"], ["-e", "1", "ping"], ["--unix"],
                  ["names", "--nope", "1"], ["names", "--limit"], ["names", "--limit", "x"]):
        status, out, errors = run_cli(server.address, *words)
        assert (status, out) == (2, "") and errors.count("\n") == 1, (words, errors)


@test_own
def help_and_version_need_no_server():
    status, out, errors = run_cli(None, "--help")
    assert (status, errors) == (0, "") and out.startswith("usage: heap-cli")
    status, out, errors = run_cli(None, "--version")
    assert (status, errors) == (0, "") and out.startswith("heap-cli ")


@test
def help_tells_of_every_method(server):
    general = "\n".join(says(server, "help"))
    for name in json.loads(one_shot(server, "--json", "api"))["methods"]:
        assert f"\n  {name} " in general, name
        assert says(server, f"help({name})")[0].startswith(f"{name}("), name
    assert says(server, "help(xs.append)")[0] == "list.append(x)"


@test_own
def the_address_comes_from_options_then_the_environment_then_the_default_places():
    with Daemon("--unix", "DIRECTORY/heapd.sock", listen=()) as daemon, Daemon() as other:
        path = os.path.join(daemon.directory, "heapd.sock")
        one_shot(daemon, "bind", "global:which", '"first"')
        one_shot(other, "bind", "global:which", '"other"')
        daemon.base = other.base = None
        for words, environment, which in (
                (["--unix", path], {}, "first"), (["-H", other.address], {}, "other"),
                ([], {"HEAPD_URL": f"heapd://{other.address}"}, "other"),
                ([], {"HEAPD_URL": f"heapd+unix://{path}"}, "first"),
                (["-H", other.address], {"HEAPD_URL": f"heapd+unix://{path}"}, "other"),
                ([], {"XDG_RUNTIME_DIR": daemon.directory}, "first")):
            got = run_cli(None, *words, "get", "global:which", **environment)
            assert got == (0, f"'{which}'\n", ""), (words, environment, got)


@test_own
def exit_statuses_tell_what_went_wrong():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # and does not listen
        assert run_cli("127.0.0.1:%d" % closed.getsockname()[1], "ping")[0] == 3
    assert run_cli("1.2.3.4.5:x", "ping")[0] in (2, 3)
    with FakeServer(hello=lambda server, msgid: server.fail(msgid, "DENIED who are you")) as server:
        status, out, errors = run_cli(server.address, "ping")
        assert (status, out, errors) == (4, "", "DENIED who are you\n")
    with FakeServer(answer=lambda server, msgid, method, params: None) as server:
        status, out, errors = run_cli(server.address, "--timeout", "0.2", "ping")
        assert (status, out) == (5, "") and errors.startswith("EXPIRED "), errors
    with FakeServer(answer=lambda server, msgid, method, params: server.hang_up()) as server:
        status, out, errors = run_cli(server.address, "-e", "a", "-e", "b", "--keep-going")
        assert (status, out) == (3, "") and errors.startswith("LOST ") and errors.count("\n") == 1, errors


@test_own
def what_a_hostile_server_says_cannot_reach_the_terminal_as_itself():
    evil = "\x1b]0;title\x07\x9b31m\u202e\u200b\r\n"
    shown = "\\x1b]0;title\\x07\\x9b31m\\u202e\\u200b\\r\\n"
    with FakeServer(answer=lambda server, msgid, method, params: server.fail(msgid, "VALUE " + evil)) as server:
        assert run_cli(server.address, "ping") == (1, "", f"VALUE {shown}\n")
    value = [evil, {evil: evil.encode()}]
    with FakeServer(answer=lambda server, msgid, method, params: server.result(msgid, value)) as server:
        status, out, errors = run_cli(server.address, "ping")
        assert status == 0 and all(byte >= " " and byte != "\x7f" for byte in out[:-1]), out
        status, out, errors = run_cli(server.address, "--json", "ping")
        assert status == 0 and json.loads(out)[0] == evil and out.isascii(), out
    for bad in (b"\x93\x02\xa3bye", b"\xc1", b"\x94\x01\x02\xc0" + b"\x91" * 5000, b"HTTP/1.1 400 Bad\r\n\r\n",
                b"\xdd\xff\xff\xff\xff"):
        with FakeServer(answer=lambda server, msgid, method, params: (server.send(bad), server.hang_up())) as server:
            status, out, errors = run_cli(server.address, "ping")
            assert (status, out) == (3, "") and "Sanitizer" not in errors, (bad, errors)


@test_own
def a_broken_pipe_ends_it_quietly():
    with Daemon() as daemon:
        process = subprocess.Popen([HEAP_CLI, *where(daemon.address), "--json", "api"], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        process.stdout.close()
        errors = process.stderr.read()
        assert process.wait(timeout=DEADLINE) in (-signal.SIGPIPE, 0) and errors == b"", errors
        process.stderr.close()


# -- reports ---------------------------------------------------------------------------------------------------------


@test_own
def what_the_server_tells_of_itself_is_laid_out_for_people():
    with Daemon("--admin-from", "loopback", "--slowlog-us", "0") as server:
        assert one_shot(server, "config_get", "limits.de*") == "limits.depth  128\n"
        assert says(server, "x = [1]", "config_get('slice_*')") == ["slice_us       500", "slice_objects  100000"]
        lines = one_shot(server, "stats").splitlines()
        assert lines[0] == "server" and "objects" in lines and "  methods" in lines, lines
        assert any(line.startswith("  types") and line.endswith("namespace 3") for line in lines), lines
        table = lines[lines.index("  methods") + 1:]
        assert table[0].split() == ["calls", "errors", "longest_us", "us"] and table[1].split()[:3] == ["hello", "3", "0"]
        assert table[0].index("calls") + len("calls") == table[1].index(" 3 ") + len(" 3"), table
        slow = one_shot(server, "slowlog", "2").splitlines()
        assert slow[0].split() == ["method", "session", "objects", "us", "at"] and len(slow) == 3, slow
        assert one_shot(server, "slowlog", "0") == "[]\n" and one_shot(server, "config_get", "nothing") == "{}\n"
        assert json.loads(one_shot(server, "--json", "config_get", "limits.depth")) == {"limits.depth": 128}
        assert one_shot(server, "rpc", "config_get", '"limits.depth"') == "{'limits.depth': 128}\n"


run()
