"""other_clients.py - clients that others wrote, each as it comes: python3-msgpack, Neovim, pynvim's msgpack_rpc."""
import contextlib
import json
import os
import shutil
import subprocess
import tempfile

import msgpack

from harness import DEADLINE, Failure, Skip, dial, run, test

# -- python3-msgpack with its defaults -------------------------------------------------------------------------------


class Stock:
    """MessagePack-RPC in a dozen lines."""

    def __init__(self, address):
        self.sock = dial(address)
        self.unpacker = msgpack.Unpacker()
        self.sent = 0
        self.events = []

    def __call__(self, method, *params):
        self.sent += 1
        self.sock.sendall(msgpack.packb([0, self.sent, method, params]))
        while True:
            for kind, *message in self.unpacker:
                if kind == 1:
                    msgid, error, result = message
                    assert msgid == self.sent and error is None, message
                    return result
                self.events.append(message)
            self.unpacker.feed(self.sock.recv(65536))


@test
def a_dozen_lines_of_Python_are_a_client(server):
    call = Stock(server.address)
    with contextlib.closing(call.sock):
        assert call("bind", "jobs", [1, {"k": b"\x00"}, 2.5, True, None, "ä"]) is True
        assert call("call", "jobs", "append", [{"@pairs": [[1, "one"], [None, "nil"]]}]) is None
        assert call("read", "jobs") == [1, {"k": b"\x00"}, 2.5, True, None, "ä",
                                        {"@pairs": [[1, "one"], [None, "nil"]]}]
        handle, id, type = call("get", "jobs")["@"]
        assert type == "list" and call("is", handle, "jobs") and call("refcount", "jobs") == 2
        weak = call("weakref", "jobs", {"notify": True})["@"][0]
        call("release", handle)
        call("unbind", "jobs")
        assert call.events == [["dead", [1, "count", [weak]]]]


@test
def with_extension_types_it_needs_a_hook_and_nothing_else(server):
    call = Stock(server.address)
    with contextlib.closing(call.sock):
        call("hello", {"refs": "ext", "name": "stock"})
        ref = call("new", [1])
        assert isinstance(ref, msgpack.ExtType) and ref.code == 1
        call("bind", "x", [ref, {"@": 5}])  # what came may go back as it is
        assert call("call", "x", "len") == 2 and call("refcount", ref) == 2
        assert call("read", "x", {"depth": 1})[0].code == 1
        assert call("read", "x") == [[1], {"@": 5}]


# -- Neovim ----------------------------------------------------------------------------------------------------------

VIM = r"""
let s:results = {}
let g:events = []
function! OnHeapd(...)
  call add(g:events, a:000)
endfunction
try
  let s:c = sockconnect(%(mode)s, %(address)s, {'rpc': v:true})
  let s:results.bound = rpcrequest(s:c, 'bind', 'jobs', [1, {'k': 'v'}, 2.5, v:true, v:null])
  let s:results.read = rpcrequest(s:c, 'read', 'jobs')
  let s:results.type = rpcrequest(s:c, 'type', 'jobs')
  call rpcrequest(s:c, 'call', 'jobs', 'append', ['last'])
  call rpcnotify(s:c, 'call', 'jobs', 'append', ['very last'])
  let s:results.len = rpcrequest(s:c, 'call', 'jobs', 'len')
  let s:handle = rpcrequest(s:c, 'get', 'jobs')
  let s:results.ref = s:handle
  let s:results.is = rpcrequest(s:c, 'is', s:handle, 'jobs')
  try
    call rpcrequest(s:c, 'get', 'nobody')
    let s:results.error = ''
  catch
    let s:results.error = v:exception
  endtry
  call rpcrequest(s:c, 'hello', {'events': ['nvim_call_function', 'OnHeapd'], 'errors': 'pair'})
  let s:weak = rpcrequest(s:c, 'weakref', 'jobs', {'notify': v:true})
  let s:results.weak = s:weak
  call rpcrequest(s:c, 'release', s:handle)
  call rpcnotify(s:c, 'unbind', 'jobs')
  call wait(%(deadline)d, {-> !empty(g:events)}, 10)
  let s:results.events = g:events
  try
    call rpcrequest(s:c, 'get', 'jobs')
    let s:results.pair = ''
  catch
    let s:results.pair = v:exception
  endtry
  let s:results.lua = luaeval('vim.rpcrequest(_A, "ping", {1, {2}})["@"] ~= nil', s:c)
  let s:results.deref = rpcrequest(s:c, 'deref', s:weak)
  call chanclose(s:c)
catch
  let s:results.exception = v:exception . ' ' . v:throwpoint
endtry
call writefile([json_encode(s:results)], %(file)s)
qall!
"""


def neovim(script, directory):
    environment = {**os.environ, "HOME": directory, "XDG_RUNTIME_DIR": directory, "XDG_STATE_HOME": directory,
                   "NVIM_LOG_FILE": os.path.join(directory, "log")}
    path = os.path.join(directory, "script.vim")
    with open(path, "w") as file:
        file.write(script)
    subprocess.run(["nvim", "--headless", "--clean", "-n", "-S", path], check=True, timeout=DEADLINE, env=environment,
                   stdin=subprocess.DEVNULL, capture_output=True)


@test
def Neovim_speaks_to_it_without_hello_and_is_told_of_deaths(server):
    if shutil.which("nvim") is None:
        raise Skip("no nvim")
    is_unix = server.address.startswith("unix:")
    with tempfile.TemporaryDirectory(prefix="heapd-test-") as directory:
        answers = os.path.join(directory, "answers")
        neovim(VIM % {"mode": "'pipe'" if is_unix else "'tcp'", "address": f"'{server.address.removeprefix('unix:')}'",
                      "deadline": DEADLINE * 1000, "file": f"'{answers}'"}, directory)
        with open(answers) as file:
            got = json.load(file)
    assert "exception" not in got, got
    assert got["bound"] is True and got["read"] == [1, {"k": "v"}, 2.5, True, None] and got["type"] == "list"
    assert got["len"] == 7 and got["ref"]["@"][2] == "list" and got["is"] is True
    assert "NO_NAME name 'nobody' is not bound" in got["error"] and "NO_NAME name 'jobs'" in got["pair"]
    assert got["events"] == [["dead", 1, "count", [got["weak"]["@"][0]]]]
    assert got["lua"] is True and got["deref"] is None


# -- pynvim ----------------------------------------------------------------------------------------------------------


@test
def pynvim_speaks_to_it_after_its_first_frame_of_a_bin_method(server):
    try:
        from pynvim.msgpack_rpc import socket_session, tcp_session
    except ImportError:
        raise Skip("no pynvim") from None
    if server.address.startswith("unix:"):
        session = socket_session(server.address.removeprefix("unix:"))
    else:
        host, port = server.address.rsplit(":", 1)
        session = tcp_session(host.strip("[]"), int(port))  # sends nvim_set_client_info by itself
    session.error_wrapper = Failure
    try:
        assert session.request("bind", "x", [1, "ä", {"k": None}]) is True
        assert session.request(b"read", "x") == [1, "ä", {"k": None}]
        try:
            session.request("get", "nobody")
        except Failure as error:
            assert str(error) == "NO_NAME name 'nobody' is not bound"
        else:
            raise AssertionError("no error")
        weak = session.request("weakref", "x", {"notify": True})["@"][0]
        session.request("unbind", "x", async_=True)
        assert session.next_message() == ("notification", "dead", [1, "count", [weak]])
        assert session.request("deref", weak) is None
        session.request("bye")  # its close() leaves the socket to the garbage collector
    finally:
        session.close()


run()
