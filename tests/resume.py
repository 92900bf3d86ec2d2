"""resume.py - sessions that outlive their connection: linger, resume, seen, answered, executed, lost.

First each sentence by itself; at the end clients that work through a proxy which cuts, delays and splits their streams
at random places: no handle is lost, no event is lost or told twice, no request runs twice.
"""
import os
import random
import re
import select
import socket
import struct
import time

import msgpack

from harness import DEADLINE, Client, Daemon, Ref, dial, pack, refs_in_maps, run, test_own, wait_until
from proxy import Proxy

ADMIN = {"admin_from": "loopback"}
SEEDS = range(1, 1 + int(os.environ.get("RESUME_SEEDS", "6")))


def rows(admin):
    return {row["session"]: row for row in admin.call("sessions")}


def lingers(admin, number):
    row = rows(admin).get(number)
    return row is not None and row["lingering"]


def lingering(server, seconds=60, **settings):
    """A client whose session lingers, and the answer to its hello."""
    client = server.client()
    return client, client.call("hello", {"linger": seconds, **settings})


def cut(server, admin, client, hello):
    """Breaks the connection; returns when the server knows."""
    client.close()
    wait_until(lambda: lingers(admin, hello["session"]), "a session without a connection")


def resume(server, hello, **options):
    client = server.client()
    return client, client.call("hello", {"resume": hello["token"], **options})


def finish(client):
    client.call("bye")
    assert client.receive() is None


# -- the promise -----------------------------------------------------------------------------------------------------


@test_own
def hello_promises_to_linger_with_a_token_and_no_longer_than_the_server_will():
    with Daemon(config={"linger_max": 100}) as server:
        a, hello = lingering(server, 20)
        assert re.fullmatch(r"[A-Za-z0-9_-]{22,}", hello["token"]) and hello["linger"] == 20 and "resumed" not in hello
        b, other = lingering(server, 1e12)
        assert other["linger"] == 100 and other["token"] != hello["token"]
        for seconds in (0, 0.0001):
            c, none = lingering(server, seconds)
            assert "token" not in none and "linger" not in none
        assert "token" not in server.client().call("hello", {})
        finish(a)
        finish(b)


@test_own
def the_token_is_in_no_listing_no_dump_and_no_log():
    with Daemon("--log-level", "debug", config=ADMIN) as server:
        a, hello = lingering(server)
        a.call("bind", "x", [])
        token = a.call("offer", "x")
        for method in ("sessions", "stats", "api", "names", "namespaces"):
            text = repr(a.call(method))
            assert hello["token"] not in text and token not in text
        before = len(server.stderr())
        server.signal(12)  # SIGUSR2
        wait_until(lambda: len(server.stderr()) > before, "the dump")
        assert hello["token"] not in server.stderr() and token not in server.stderr()
        a.call("claim", token)
        finish(a)


@test_own
def a_second_hello_with_linger_or_namespace_is_BAD_ARGS():
    with Daemon(config=ADMIN) as server:
        admin = server.client()
        a, hello = lingering(server)
        a.fails("BAD_ARGS", "hello", {"linger": 5})
        a.fails("BAD_ARGS", "hello", {"namespace": "n"})
        cut(server, admin, a, hello)
        b = server.client()
        b.fails("BAD_ARGS", "hello", {"resume": hello["token"], "linger": 5})
        b.fails("BAD_ARGS", "hello", {"resume": hello["token"], "namespace": "n"})
        assert b.call("hello", {"resume": hello["token"], "name": "again"})["resumed"] is True
        b.fails("BAD_ARGS", "hello", {"linger": 5})
        finish(b)


# -- what survives ---------------------------------------------------------------------------------------------------


@test_own
def names_handles_and_settings_survive_a_broken_connection():
    with Daemon(config=ADMIN) as server:
        admin = server.client()
        a, hello = lingering(server, namespace="room", name="worker", refs="ext", errors="pair")
        a.dialect = "ext"
        a.call("bind", ["session", "private"], [1])
        a.call("bind", "shared", [2])
        ref = a.call("new", [3])
        cut(server, admin, a, hello)
        row = rows(admin)[hello["session"]]
        assert (row["name"], row["handles"], row["names"], row["lingering"]) == ("worker", 1, 1, True)
        assert admin.call("names", "room") == ["shared"]
        b = server.client()
        b.dialect = "ext"
        answer = b.call("hello", {"resume": hello["token"]})
        assert answer["session"] == hello["session"] and answer["token"] == hello["token"]
        assert b.call("read", ref) == [3] and b.call("read", ["session", "private"]) == [1]
        assert b.call("read", "shared") == [2] and isinstance(b.call("get", "shared"), Ref)
        error, result = b.response(b.request("get", "nothing"))
        assert error[0] == 0 and error[1].startswith("NO_NAME ")
        finish(b)
        admin.call("unbind", ["room", "shared"])


@test_own
def the_resuming_hello_may_change_settings_and_kept_events_follow_them():
    with Daemon(config=ADMIN) as server:
        admin = server.client()
        a, hello = lingering(server, events=["old"])
        admin.call("bind", ["global", "x"], [1])
        weak = a.call("weakref", "x", {"notify": True})
        cut(server, admin, a, hello)
        admin.call("unbind", ["global", "x"])
        b, answer = resume(server, hello, events=["new", 5], name="changed")
        assert b.events == [["new", [5, ["dead", 1, "count", [weak.handle]]]]], b.events
        assert rows(admin)[hello["session"]]["name"] == "changed"
        finish(b)


@test_own
def no_death_is_told_and_nothing_drops_while_a_session_lingers():
    with Daemon(config=ADMIN) as server:
        admin = server.client()
        a, hello = lingering(server)
        admin.call("bind", ["global", "x"], [1])
        a.call("hold", "x")
        admin.call("bind", "mine", a.call("new", [1]) and [2])
        cut(server, admin, a, hello)
        assert admin.call("refcount", "x") == 2 and admin.events == []
        b, answer = resume(server, hello)
        finish(b)
        wait_until(lambda: admin.call("refcount", "x") == 1, "the end of what it held")
        admin.call("unbind", ["global", "x"])


@test_own
def expiry_drops_everything_once_with_the_cause_session():
    with Daemon(config=ADMIN) as server:
        admin = server.client()
        a, hello = lingering(server, 0.5)
        a.call("bind", ["global", "x"], a.call("new", ["both"]))
        ref = a.call("new", ["only"])
        a.call("bind", ["global", "bridge"], [ref])
        weak = admin.call("weakref", admin.call("call", "bridge", "get", [0]), {"notify": True})
        admin.call("release", *range(2 ** 31, 2 ** 31 + 1))
        a.call("unbind", ["global", "bridge"])
        assert admin.call("weakrefs", weak) == 0
        a.close()
        name, params = admin.event()
        assert (name, params) == ("dead", [1, "session", [weak.handle]]), params
        admin_names = admin.call("names", "global")
        assert admin_names == ["x"] and admin.call("stats", "sessions")["sessions"]["lingering"] == 0
        admin.call("unbind", ["global", "x"])
        b = server.client()
        b.fails("DENIED", "hello", {"resume": hello["token"]})
        assert admin.events == []


@test_own
def bye_ends_a_lingering_session_at_once_and_so_does_kill():
    with Daemon(config=ADMIN) as server:
        admin = server.client()
        a, hello = lingering(server)
        finish(a)
        wait_until(lambda: hello["session"] not in rows(admin), "its end")
        server.client().fails("DENIED", "hello", {"resume": hello["token"]})
        b, hello = lingering(server)
        assert admin.call("kill", hello["session"]) is True
        assert b.event()[0] == "bye" and b.receive() is None
        server.client().fails("DENIED", "hello", {"resume": hello["token"]})
        c, hello = lingering(server)
        cut(server, admin, c, hello)
        assert admin.call("kill", hello["session"]) is True and hello["session"] not in rows(admin)
        server.client().fails("DENIED", "hello", {"resume": hello["token"]})


@test_own
def requests_that_came_whole_before_a_half_close_run_and_then_the_session_lingers():
    with Daemon(config=ADMIN) as server:
        admin = server.client()
        a, hello = lingering(server)
        whole = b"".join(pack([0, 5 + n, "bind", [f"x{n}", n]]) for n in range(100))
        a.send(whole + pack([0, 6, "bind", ["y", 1]])[:-1])
        a.half_close()
        assert len([1 for _ in range(100) if a.receive()[2] is None]) == 100 and a.receive() is None
        wait_until(lambda: lingers(admin, hello["session"]), "a session without a connection")
        b, answer = resume(server, hello)
        assert answer["executed"] == 101 and len(b.call("names")) == 100
        finish(b)


# -- taking over -----------------------------------------------------------------------------------------------------


@test_own
def the_old_connection_is_closed_when_its_session_is_resumed():
    with Daemon(config=ADMIN) as server:
        a, hello = lingering(server)
        a.call("bind", "x", [1])
        b, answer = resume(server, hello)
        assert answer["resumed"] is True and a.receive() is None
        assert b.call("read", "x") == [1]
        c, answer = resume(server, hello)
        assert b.receive() is None and c.call("read", "x") == [1]
        c.fails("BAD_ARGS", "hello", {"resume": hello["token"]})
        finish(c)


@test_own
def what_the_new_connection_did_before_it_resumed_is_answered_and_then_gone():
    with Daemon(config=ADMIN) as server:
        admin = server.client()
        a, hello = lingering(server)
        b = server.client()
        requests = [("bind", ["x", [1]]), ("hello", [{"resume": hello["token"]}]), ("names", []), ("bye", [])]
        replies = b.pipeline(requests)
        assert replies[0] == (None, True) and replies[1][1]["resumed"] is True
        assert replies[2] == (None, []) and replies[3] == (None, None), replies
        wait_until(lambda: len(rows(admin)) == 1, "the end of all others")


@test_own
def executed_counts_every_request_and_notification_but_the_resuming_hello():
    with Daemon(config=ADMIN) as server:
        admin = server.client()
        a = server.client()
        a.call("ping")
        hello = a.call("hello", {"linger": 60})
        a.notify("bind", "x", 1)
        a.fails("NO_NAME", "get", "nothing")
        a.send(pack([1, 1, None, None]))  # a response is no request
        a.call("ping")
        for expected in (5, 6, 7):
            cut(server, admin, a, hello)
            a, answer = resume(server, hello)
            assert answer["executed"] == expected, (answer["executed"], expected)
            a.call("ping")
        finish(a)


@test_own
def an_unknown_token_is_DENIED_and_ten_wrong_ones_close_the_connection():
    with Daemon() as server:
        a, hello = lingering(server)
        b = server.client()
        wrong = hello["token"][:-1] + ("A" if hello["token"][-1] != "A" else "B")
        for token in ("", "x", wrong, hello["token"] + "A", "\u00e9" * 12) + ("y",) * 4:
            b.fails("DENIED", "hello", {"resume": token})
        assert b.call("ping", 1) == 1 and "token" not in b.call("hello", {})
        b.fails("DENIED", "claim", "z")
        assert b.events[0][0] == "bye" and b.receive() is None
        finish(a)


@test_own
def seen_and_answered_beyond_what_there_was_are_BAD_ARGS_and_change_nothing():
    with Daemon(config=ADMIN) as server:
        admin = server.client()
        a, hello = lingering(server)
        a.call("bind", "x", [])
        a.call("weakref", "x", {"notify": True})
        a.call("unbind", "x")
        cut(server, admin, a, hello)
        b = server.client()
        for options in ({"seen": 2}, {"seen": -1}, {"answered": 5}, {"answered": -1}, {"seen": 2 ** 60}):
            b.fails("BAD_ARGS", "hello", {"resume": hello["token"], **options})
        b.fails("BAD_ARGS", "hello", {"seen": 0})
        b.fails("BAD_ARGS", "hello", {"answered": 0})
        assert lingers(admin, hello["session"])
        assert b.call("hello", {"resume": hello["token"], "seen": 1, "answered": 4})["executed"] == 4 and b.events == []
        finish(b)


@test_own
def the_rights_of_a_resumed_session_are_those_of_its_connection():
    with Daemon("--unix", "DIRECTORY/socket", listeners=2) as server:
        path = f"unix:{server.directory}/socket"
        a = server.client(path)
        hello = a.call("hello", {"linger": 60})
        assert a.call("sessions")[0]["user"] == f"uid={os.getuid()}"
        server.client().fails("DENIED", "hello", {"resume": hello["token"]})  # of a user's session, by nobody
        b = server.client(path)
        assert b.call("hello", {"resume": hello["token"]})["resumed"]
        finish(b)


# -- events ----------------------------------------------------------------------------------------------------------


def make_victims(client, count, first=1):
    """Weakrefs 1 ... whose targets have names."""
    for n in range(first, first + count):
        client.call("bind", ["global", f"v{n}"], [n])
        client.call("weakref", f"v{n}", {"notify": True, "into": n})


def deaths(first, last):
    return [["dead", [n, "count", [n]]] for n in range(first, last + 1)]


@test_own
def events_after_seen_come_again_before_the_response():
    with Daemon(config=ADMIN) as server:
        admin = server.client()
        a, hello = lingering(server)
        make_victims(a, 9)
        for n in (1, 2, 3):
            a.call("unbind", ["global", f"v{n}"])
        assert a.events == deaths(1, 3)
        cut(server, admin, a, hello)
        for n in (4, 5, 6):
            admin.call("unbind", ["global", f"v{n}"])
        b, answer = resume(server, hello, seen=2)
        assert b.events == deaths(3, 6), b.events
        b.call("unbind", ["global", "v7"])
        assert b.events == deaths(3, 7)
        cut(server, admin, b, hello)
        c, answer = resume(server, hello, seen=7)
        assert c.events == []
        cut(server, admin, c, hello)
        d, answer = resume(server, hello)  # what was seen once stays seen
        assert d.events == [], d.events
        for n in (8, 9):
            d.call("unbind", ["global", f"v{n}"])
        finish(d)


@test_own
def events_at_the_limit_are_kept_and_one_more_is_lost():
    with Daemon(config={"limits.events": 5, **ADMIN}) as server:
        admin = server.client()
        for count, expected in ((5, deaths(1, 5)), (6, [["lost", [1, 1]]] + deaths(2, 6)),
                                (50, [["lost", [45, 45]]] + deaths(46, 50))):
            a, hello = lingering(server)
            make_victims(a, count)
            cut(server, admin, a, hello)
            for n in range(1, count + 1):
                admin.call("unbind", ["global", f"v{n}"])
            b, answer = resume(server, hello, seen=0)
            assert b.events == expected, b.events
            cut(server, admin, b, hello)
            c, answer = resume(server, hello, seen=count)
            assert c.events == []
            finish(c)


@test_own
def events_of_names_and_deaths_are_kept_in_their_order():
    with Daemon(config=ADMIN) as server:
        admin = server.client()
        a, hello = lingering(server)
        a.call("watch", ["global", "n*"], {"glob": True})
        make_victims(a, 1)
        cut(server, admin, a, hello)
        admin.call("bind", ["global", "n1"], 1)
        admin.call("unbind", ["global", "v1"])
        admin.call("bind", ["global", "n2"], 2)
        admin.call("unbind", ["global", "n1"])
        b, answer = resume(server, hello)
        told = [(name, params[:1] + params[2:4] if name == "name" else params) for name, params in b.events]
        assert told == [("name", [1, "n1", "bound"]), ("dead", [2, "count", [1]]), ("name", [3, "n2", "bound"]),
                        ("name", [4, "n1", "unbound"])], told
        admin.call("unbind", ["global", "n2"])
        finish(b)


@test_own
def changes_of_names_beyond_the_limit_are_lost_with_their_numbers():
    with Daemon(config={"limits.events": 5, **ADMIN}) as server:
        admin = server.client()
        a, hello = lingering(server)
        a.call("watch", ["global", "n"])
        cut(server, admin, a, hello)
        for n in range(20):
            admin.call("bind", ["global", "n"], n)
        b, answer = resume(server, hello)
        assert b.events[0] == ["lost", [15, 15]] and [params[0] for _, params in b.events[1:]] == list(range(16, 21))
        b.events = []
        admin.call("unbind", ["global", "n"])
        assert b.event()[1][0] == 21
        finish(b)


# -- responses -------------------------------------------------------------------------------------------------------


@test_own
def responses_after_answered_are_sent_again_in_order_behind_that_of_hello():
    with Daemon(config=ADMIN) as server:
        admin = server.client()
        a, hello = lingering(server)
        a.call("bind", "x", [1])
        first = a.request("hold", "x")
        a.request("get", "nothing")
        a.request("read", "x")
        a.notify("ping")
        a.request("ping")
        assert [a.receive()[1] for _ in range(4)] == [first, first + 1, first + 2, first + 3]  # and forgets them
        cut(server, admin, a, hello)
        b = server.client()
        b.msgid = 1000
        answer = b.call("hello", {"resume": hello["token"], "answered": 2})
        assert answer["executed"] == 7
        replies = [b.receive() for _ in range(4)]
        assert [reply[1] for reply in replies] == [first, first + 1, first + 2, first + 3]
        assert replies[0][3].type == "list" and replies[1][2].startswith("NO_NAME ") and replies[2][3] == [1]
        assert b.call("read", replies[0][3]) == [1] and rows(admin)[hello["session"]]["handles"] == 1
        cut(server, admin, b, hello)
        c = server.client()
        c.msgid = 2000
        c.call("hello", {"resume": hello["token"], "answered": 5})
        assert [c.receive()[1] for _ in range(2)] == [first + 3, 1002]
        finish(c)


@test_own
def a_response_at_the_limit_is_kept_and_one_byte_more_answers_LIMIT_and_gives_its_handles_back():
    with Daemon(config={"limits.kept": 1000, **ADMIN}) as server:
        admin = server.client()
        for size, is_kept in ((1000, True), (1001, False)):
            a, hello = lingering(server)
            body = "x" * (size - len(pack([1, 2, None, ""])) - 2)
            assert len(pack([1, 2, None, body])) == size
            a.call("ping", body)
            cut(server, admin, a, hello)
            b = server.client()
            b.call("hello", {"resume": hello["token"], "answered": 1})
            kind, msgid, error, result = b.receive()
            assert (kind, msgid) == (1, 2) and (result == body if is_kept else error.startswith("LIMIT "))
            finish(b)
        a, hello = lingering(server)
        a.call("bind", "x", [[n] for n in range(200)])
        a.call("read", "x", {"depth": 1})
        a.call("get", "x", {"into": 5})
        a.call("ping", "y" * 980)
        assert rows(admin)[hello["session"]]["handles"] == 201
        cut(server, admin, a, hello)
        b = server.client()
        b.call("hello", {"resume": hello["token"], "answered": 2})
        errors = [b.receive()[2] for _ in range(3)]
        assert errors[0].startswith("LIMIT ") and errors[1].startswith("LIMIT ") and errors[2] is None, errors
        assert rows(admin)[hello["session"]]["handles"] == 0
        b.call("get", "x", {"into": 5})
        finish(b)


@test_own
def a_request_in_slices_goes_on_without_a_connection():
    with Daemon(config={"slice_objects": 10, "gc.enabled": 0, **ADMIN}) as server:
        admin = server.client()
        a, hello = lingering(server)
        a.call("bind", "x", [[n, [n]] for n in range(30000)])
        with server.held_still():  # whoever spoke last is looked at first
            last = a.request("unbind", "x")
            look = admin.request("stats", "server")
            a.close()
        assert admin.answer(look)["server"]["working"] == 1
        cut(server, admin, a, hello)
        b = server.client()
        b.msgid = 100
        answer = b.call("hello", {"resume": hello["token"], "answered": 2})
        assert answer["executed"] == 3 and b.receive() == [1, last, None, True]
        finish(b)


def is_cancelled_without_effect(is_reset):
    with Daemon(config=ADMIN) as server:
        admin = server.client()
        admin.call("bind", ["global", "q"], admin.call("call", "queue", "new"))
        a, hello = lingering(server)
        waiting = a.request("call", "q", "take")
        a.request("ping", 1)
        assert a.receive()[3] == 1
        if is_reset:
            a.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        cut(server, admin, a, hello)
        admin.call("call", "q", "put", ["item"])
        assert admin.call("call", "q", "len") == 1
        b = server.client()
        b.msgid = 100
        b.call("hello", {"resume": hello["token"], "answered": 2})
        kind, msgid, error, result = b.receive()
        assert msgid == waiting and error.startswith("CANCELLED "), (msgid, error)
        assert b.call("call", "q", "take") == "item"
        waiting = b.request("call", "q", "take")  # and now the old connection does not even break
        c = server.client()
        c.msgid = 200
        assert b.request("ping") and b.receive()[2] is None
        c.call("hello", {"resume": hello["token"], "answered": 5})
        kind, msgid, error, result = c.receive()
        assert msgid == waiting and error.startswith("CANCELLED "), (msgid, error)
        admin.call("call", "q", "put", ["next"])
        assert c.call("call", "q", "take") == "next"
        finish(c)
        admin.call("unbind", ["global", "q"])


@test_own
def a_waiting_call_whose_connection_breaks_is_cancelled_without_effect():
    is_cancelled_without_effect(False)


@test_own
def a_waiting_call_whose_connection_is_reset_is_cancelled_without_effect():
    is_cancelled_without_effect(True)


@test_own
def who_takes_no_output_is_cut_off_and_may_resume():
    with Daemon(config={"output_timeout": "0.1", **ADMIN}) as server:
        admin = server.client()
        a, hello = lingering(server)
        a.call("bind", "x", "s" * 1000000)
        a.send(b"".join(pack([0, n, "read", ["x"]]) for n in range(100)))
        wait_until(lambda: lingers(admin, hello["session"]), "a session without a connection")
        b, answer = resume(server, hello)
        assert b.call("call", "x", "len") == 1000000
        finish(b)


# -- limits and time -------------------------------------------------------------------------------------------------


@test_own
def sessions_that_linger_end_at_their_limits():
    for limit in ("limits.lingering", "limits.lingering_address"):
        with Daemon(config={limit: 2, **ADMIN}) as server:
            a, first = lingering(server)
            b, second = lingering(server)
            c, third = lingering(server)
            assert "token" in first and "token" in second and "token" not in third
            finish(a)
            wait_until(lambda: first["session"] not in rows(c), "its end")
            d, fourth = lingering(server)
            assert "token" in fourth
            finish(b)
            finish(d)


@test_own
def each_address_has_its_own_limit_whatever_the_port():
    with Daemon("--unix", "DIRECTORY/sock", config={"limits.lingering_address": 1, **ADMIN}) as server:
        places = [(server.address, None), (server.address, "127.0.0.2"), (server.addresses[1], None)]
        firsts = [Client(*place) for place in places]
        others = [Client(*place) for place in places]
        try:
            assert all("token" in client.call("hello", {"linger": 60}) for client in firsts)
            assert not any("token" in client.call("hello", {"linger": 60}) for client in others)
            for client in firsts:
                finish(client)
        finally:
            for client in firsts + others:
                client.close()


@test_own
def what_is_kept_for_an_address_ends_at_its_limit():
    with Daemon(config={"limits.kept_address": "64K", **ADMIN}) as server:
        admin = server.client()
        clients = [lingering(server) for _ in range(4)]
        for client, _ in clients:
            for n in range(30):
                client.call("ping", "x" * 3000)
        assert sum(row["bytes"] for row in admin.call("sessions")) < 400000
        for client, _ in clients:
            assert client.call("ping", 1) == 1
            finish(client)


@test_own
def a_resume_needs_no_room_among_the_sessions():
    with Daemon(config={"limits.sessions": 2, **ADMIN}) as server:
        admin = server.client()
        wait_until(lambda: len(rows(admin)) == 1, "the end of all others")
        a, hello = lingering(server)
        cut(server, admin, a, hello)
        b, answer = resume(server, hello)
        assert answer["resumed"] is True
        finish(b)


@test_own
def time_in_which_the_server_stood_still_is_not_charged_to_a_lingering_session():
    with Daemon(config=ADMIN) as server:
        admin = server.client()
        a, hello = lingering(server, 2)
        cut(server, admin, a, hello)
        with server.held_still():
            time.sleep(2.5)  # what is tested is that this time does not count
            b = server.client()
            resumed = b.request("hello", {"resume": hello["token"]})
        assert b.answer(resumed)["resumed"] is True
        finish(b)


@test_own
def an_idle_session_is_told_bye_and_ends_lingering_or_not():
    with Daemon(config=ADMIN) as server:
        a, hello = lingering(server)
        with server.idle_timeout():
            assert a.event() == ["bye", [1, "idle for too long"]] and a.receive() is None
        server.client().fails("DENIED", "hello", {"resume": hello["token"]})


@test_own
def SIGTERM_says_bye_to_who_is_connected_and_forgets_who_lingers():
    with Daemon(config=ADMIN) as server:
        admin = server.client()
        a, hello = lingering(server)
        b, other = lingering(server)
        cut(server, admin, b, other)
        server.signal(15)
        assert a.event()[0] == "bye" and a.receive() is None
        assert server.wait() == 0


# -- a bad network ---------------------------------------------------------------------------------------------------


class Worker:
    """A client that resumes. It keeps what it asked until it is answered, and counts what came."""

    def __init__(self, server, seed):
        self.random = random.Random(seed)
        self.asked = []        # every request and notification after hello, in order
        self.waiting = []      # (index in asked, what to do with the response), in order
        self.sent = 0          # of asked
        self.answered = self.seen = 0
        self.token = None
        self.told = []         # events
        self.resumes = 0
        self.proxy = Proxy(server.address, seed)
        self.dial(server.address, {"linger": 600})
        self.proxy.start()
        self.again()

    # the connection

    def dial(self, address, options):
        self.sock = dial(address)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.unpacker = msgpack.Unpacker(raw=False, strict_map_key=False, object_hook=refs_in_maps)
        self.greeting = None
        self.sock.sendall(pack([0, 0, "hello", [options]]))
        while self.greeting is None:
            self.read()
        if self.token is None:
            self.token, self.session, self.answered = self.greeting["token"], self.greeting["session"], 1
        else:
            assert self.greeting["resumed"] is True and self.greeting["session"] == self.session
            assert self.greeting["executed"] - 1 <= len(self.asked)
            self.sent = self.greeting["executed"] - 1
            self.resumes += 1

    def read(self):
        data = self.sock.recv(65536)
        if not data:
            raise ConnectionResetError
        self.unpacker.feed(data)
        for message in self.unpacker:
            self.take(message)

    def take(self, message):
        if message[0] == 2:
            assert message[1] != "bye" and message[2][0] == self.seen + 1, (message, self.seen)
            self.seen += 1
            self.told.append(message[1:])
        elif self.greeting is None:
            assert message[1:3] == [0, None], message
            self.greeting = message[3]
        else:
            msgid, use = self.waiting.pop(0)
            assert message[1] == msgid, (message, msgid)
            self.answered += 1
            use(message[2], message[3])

    def again(self):
        while True:
            try:
                self.sock.close()
                self.dial(self.proxy.address, {"resume": self.token, "seen": self.seen, "answered": self.answered})
                return
            except OSError:
                continue

    # work

    def ask(self, use, method, *params):
        self.asked.append([0, len(self.asked) + 1, method, list(params)])
        self.waiting.append((len(self.asked), use))

    def notify(self, method, *params):
        self.asked.append([2, method, list(params)])

    def go_on(self, until):
        """Sends and reads until so few requests wait for their responses."""
        while self.sent < len(self.asked) or len(self.waiting) > until:
            try:
                count = self.random.randrange(1, 6)
                data = b"".join(pack(message) for message in self.asked[self.sent:self.sent + count])
                self.sent = min(len(self.asked), self.sent + count)
                self.sock.sendall(data)
                patience = 0 if self.sent < len(self.asked) else DEADLINE
                if self.waiting and select.select([self.sock], [], [], patience)[0]:
                    self.read()
            except OSError:
                self.again()


def expect(value):
    def use(error, result):
        assert error is None and result == value, (error, result, value)
    return use


def work(worker, count, resumes):
    """So many random requests, and more until it was resumed so often. Returns the handles that the session must hold at
    the end, and the order of deaths."""
    handles, victims, chosen, total, done = [], [], 0, 0, 0
    worker.ask(expect(True), "bind", "x", ["x"])
    worker.ask(expect(True), "bind", "d", {})
    worker.ask(expect(True), "bind", "big", "b" * 5000)
    while done < count or worker.resumes < resumes:
        done += 1
        what = worker.random.randrange(8)
        if what == 0:
            total += 1
            worker.ask(expect(total), "call", "d", "add", ["n", 1])
        elif what == 1:
            total += 1
            worker.notify("call", "d", "add", ["n", 1])
        elif what in (2, 3):
            worker.ask(lambda error, result: handles.append(result.handle), "hold", "x")
        elif what == 4 and handles:
            worker.notify("release", handles.pop(worker.random.randrange(len(handles))))
        elif what == 5:
            worker.ask(expect("b" * 5000), "read", "big")
        elif what == 6:
            chosen += 1
            worker.ask(expect(True), "bind", f"v{chosen}", [chosen])
            worker.ask(lambda error, result: error is None, "weakref", f"v{chosen}", {"notify": True, "into": chosen})
            worker.ask(expect(True), "unbind", f"v{chosen}")
            victims.append(chosen)
        else:
            worker.ask(lambda error, result: None, "get", "nothing")
        worker.go_on(worker.random.choice((0, 3, 10, 40)))
    worker.go_on(0)
    worker.proxy.is_kind = True
    worker.ask(expect(total), "call", "d", "get_item", ["n"])
    worker.ask(expect(1 + len(handles)), "refcount", "x")
    worker.go_on(0)
    return handles, victims


@test_own
def through_a_bad_network_nothing_is_lost_and_nothing_runs_twice():
    with Daemon(config=ADMIN) as server:
        admin = server.client()
        for seed in SEEDS:
            worker = Worker(server, seed)
            handles, victims = work(worker, 250, 10)
            assert worker.told == [["dead", [n, "count", [n]]] for n in victims], f"seed {seed}"
            row = rows(admin)[worker.session]
            assert row["handles"] == len(handles) + len(victims) and row["names"] == 3, f"seed {seed}: {row}"
            admin.call("kill", worker.session)
            worker.sock.close()
            worker.proxy.close()


if __name__ == "__main__":
    run()
