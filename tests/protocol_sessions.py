"""protocol_sessions.py - protocol.md: offer and claim, sessions and kill, wrong tokens; what a standstill costs."""
import re
import time

from harness import Daemon, run, test, test_own, unique, wait_until

ADMIN = {"admin_from": "loopback"}


def row_of(admin, number):
    rows = [row for row in admin.call("sessions") if row["session"] == number]
    return rows[0] if rows else None


def number_of(client):
    return client.call("hello", {})["session"]


# -- offer and claim -------------------------------------------------------------------------------------------------


@test
def an_offer_is_claimed_once_by_whoever_has_the_token(server):
    a, b, c = server.client(), server.client(), server.client()
    a.call("bind", "x", [1])
    token = a.call("offer", "x")
    ref = b.call("claim", token)
    assert (ref.type, b.call("id", ref)) == ("list", a.call("id", "x"))
    c.fails("DENIED", "claim", token)
    assert a.call("refcount", "x") == 2


@test
def an_offer_holds_a_count_until_it_is_claimed(server):
    a, b = server.client(), server.client()
    a.call("bind", "x", [1])
    token = a.call("offer", "x")
    assert a.call("refcount", "x") == 2
    a.call("unbind", "x")
    ref = b.call("claim", token)
    assert b.call("read", ref) == [1] and b.call("refcount", ref) == 1


@test
def an_offer_outlives_the_session_that_made_it(server):
    a, b = server.client(), server.client()
    token = a.call("offer", a.call("new", ["kept"]))
    a.call("bye")
    assert a.receive() is None
    assert b.call("read", b.call("claim", token)) == ["kept"]


@test
def an_offer_whose_time_is_over_drops_its_count_and_is_DENIED(server):
    a, b = server.client(), server.client()
    ref = a.call("new", [1])
    weak = a.call("weakref", ref, {"notify": True})
    token = a.call("offer", ref, {"ttl": 0.3})
    a.call("release", ref)
    assert a.event() == ["dead", [1, "count", [weak.handle]]]
    b.fails("DENIED", "claim", token)
    a.fails("DENIED", "claim", token)


@test
def a_ttl_of_nothing_is_over_at_once(server):
    a = server.client()
    a.fails("DENIED", "claim", a.call("offer", a.call("new", [1]), {"ttl": 0}))


@test
def tokens_are_long_random_and_safe_in_urls(server):
    a = server.client()
    a.call("bind", "x", [])
    tokens = {a.call("offer", "x", {"ttl": 0.1}) for _ in range(200)}
    assert len(tokens) == 200
    for token in tokens:
        assert re.fullmatch(r"[A-Za-z0-9_-]{22,}", token), token
    for position in range(22):
        assert len({token[position] for token in tokens}) > 20
    wait_until(lambda: a.call("stats", "sessions")["sessions"]["offers"] == 0, "their end")


@test
def a_claim_takes_result_and_into(server):
    a, b = server.client(), server.client()
    for options, expected in (({"result": "value"}, 5000), ({"result": "none"}, None)):
        assert b.call("claim", a.call("offer", a.call("new", 5000)), options) == expected
    ref = b.call("claim", a.call("offer", a.call("new", 5000)), {"into": 9})
    assert ref.handle == 9 and b.call("get", 9) == 5000
    assert b.call("claim", a.call("offer", a.call("new", 5000))).type == "int"  # a HANDLE, also of a scalar


@test
def a_claim_that_fails_leaves_the_offer_open(server):
    a, b = server.client(), server.client()
    token = a.call("offer", a.call("new", [1]))
    b.call("new", [2], {"into": 1})
    b.fails("HANDLE_IN_USE", "claim", token, {"into": 1})
    b.fails("BAD_ARGS", "claim", token, {"ttl": 1})
    assert b.call("read", b.call("claim", token)) == [1]


@test
def a_wrong_ttl_or_token_is_BAD_ARGS(server):
    a = server.client()
    a.call("bind", "x", [])
    for ttl in (-1, "1", None, float("nan"), float("inf"), 1e9):
        a.fails("BAD_ARGS", "offer", "x", {"ttl": ttl})
    for token in (5, None, [], 1.5):
        a.fails("BAD_ARGS", "claim", token)
    assert a.call("refcount", "x") == 1


@test
def ten_wrong_tokens_close_the_connection(server):
    a = server.client()
    for _ in range(9):
        a.fails("DENIED", "claim", "A" * 24)
    assert a.call("ping", 1) == 1
    error = a.fails("DENIED", "claim", "")
    assert error and [name for name, _ in a.events] == ["bye"] and a.receive() is None


@test
def used_and_expired_tokens_count_as_wrong_but_not_for_who_made_or_claimed_them(server):
    a, b, c = server.client(), server.client(), server.client()
    used = a.call("offer", a.call("new", [1]))
    b.call("claim", used)
    expired = a.call("offer", a.call("new", [1]), {"ttl": 0})
    for _ in range(12):
        a.fails("DENIED", "claim", used)
        b.fails("DENIED", "claim", used)
        a.fails("DENIED", "claim", expired)
    for token in [used, expired] * 5:
        c.fails("DENIED", "claim", token)
    assert c.events[0][0] == "bye" and c.receive() is None


@test
def a_shared_list_can_travel_from_hand_to_hand_without_a_gap(server):
    clients = [server.client() for _ in range(5)]
    ref = clients[0].call("new", ["baton"])
    for giver, taker in zip(clients, clients[1:]):
        token = giver.call("offer", ref)
        giver.call("release", ref)
        ref = taker.call("claim", token)
    assert clients[-1].call("read", ref) == ["baton"] and clients[-1].call("refcount", ref) == 1


@test_own
def offers_end_at_their_limit():
    with Daemon(config={"limits.offers": 3}) as server:
        a = server.client()
        a.call("bind", "x", [])
        tokens = [a.call("offer", "x", {"ttl": 1000}) for _ in range(3)]
        a.fails("LIMIT", "offer", "x")
        assert a.call("refcount", "x") == 4 and a.call("stats", "sessions")["sessions"]["offers"] == 3
        a.call("claim", tokens[1])
        tokens[1] = a.call("offer", "x", {"ttl": 1000})
        a.fails("LIMIT", "offer", "x")
        for token in tokens:
            a.call("claim", token)


@test_own
def time_in_which_the_server_stood_still_is_not_charged_to_an_offer():
    with Daemon() as server:
        a, b = server.client(), server.client()
        token = a.call("offer", a.call("new", [1]), {"ttl": 2})
        with server.held_still():
            time.sleep(2.5)  # what is tested is that this time does not count
            claim = b.request("claim", token)
        assert b.call("read", b.answer(claim)) == [1]


@test_own
def time_in_which_the_server_stood_still_makes_nobody_idle():
    with Daemon(config={"idle_timeout": 2}) as server:
        a = server.client()
        a.call("ping")
        with server.held_still():
            time.sleep(2.5)
            ping = a.request("ping", 7)
        assert a.answer(ping) == 7
        assert a.event()[0] == "bye" and a.receive() is None  # two seconds after the last byte


# -- sessions and kill -----------------------------------------------------------------------------------------------


@test_own
def sessions_and_kill_are_for_administrators():
    with Daemon() as server:
        a = server.client()
        a.fails("DENIED", "sessions")
        a.fails("DENIED", "kill", 1)
        a.fails("DENIED", "kill", 10 ** 6)


@test_own
def the_daemons_own_user_is_an_administrator_on_the_unix_socket_unless_told_otherwise():
    for config, allowed in (({}, True), ({"admin_from": "none"}, False)):
        with Daemon("--unix", "DIRECTORY/socket", config=config, listeners=2) as server:
            a = server.client(f"unix:{server.directory}/socket")
            if allowed:
                assert [row["address"].split(":")[0] for row in a.call("sessions")] == ["unix"]
            else:
                a.fails("DENIED", "sessions")


@test_own
def sessions_tells_one_row_for_each_session_with_its_keys():
    with Daemon(config=ADMIN) as server:
        admin, a = server.client(name="admin"), server.client()
        a.call("hello", {"name": "worker"})
        a.call("bind", "x", [])
        a.call("bind", "y", [])
        a.call("hold", "x")
        row = row_of(admin, number_of(a))
        assert set(row) == set("session name address user handles names bytes lingering".split()), row
        assert row["name"] == "worker" and row["handles"] == 1 and row["names"] == 2 and row["bytes"] > 0
        assert row["address"] == "127.0.0.1:%d" % a.sock.getsockname()[1] and row["lingering"] is False
        numbers = [row["session"] for row in admin.call("sessions")]
        assert len(numbers) == 2 and numbers == sorted(numbers)


@test_own
def a_killed_session_gets_bye_and_holds_nothing_any_more():
    with Daemon(config=ADMIN) as server:
        admin, a = server.client(), server.client()
        shared = [unique("space"), "x"]
        admin.call("bind", ["global", "x"], [1])
        a.call("hold", "x")
        weak = admin.call("weakref", a.call("new", [1]) and "x", {"notify": True})
        number = number_of(a)
        assert admin.call("kill", number) is True
        assert a.event() == ["bye", [1, "ended by an administrator"]] and a.receive() is None
        wait_until(lambda: admin.call("refcount", "x") == 1, "the end of what it held")
        assert row_of(admin, number) is None
        admin.fails("VALUE", "kill", number)
        admin.call("unbind", ["global", "x"])
        assert admin.event() == ["dead", [1, "count", [weak.handle]]] and shared


@test_own
def kill_of_none_is_VALUE_and_of_no_int_BAD_ARGS():
    with Daemon(config=ADMIN) as server:
        admin = server.client()
        for number in (0, -1, 10 ** 6, 2 ** 62):
            admin.fails("VALUE", "kill", number)
        for number in ("1", None, 1.5, True, []):
            admin.fails("BAD_ARGS", "kill", number)
        admin.fails("BAD_ARGS", "kill")


@test_own
def an_administrator_can_kill_itself():
    with Daemon(config=ADMIN) as server:
        admin = server.client()
        assert admin.call("kill", number_of(admin)) is True
        assert admin.events[0][0] == "bye" and admin.receive() is None


@test_own
def a_session_is_killed_in_the_middle_of_a_long_request():
    with Daemon(config={"slice_objects": 10, "gc.enabled": 0, **ADMIN}) as server:
        admin, a = server.client(), server.client()
        number = number_of(a)
        a.call("bind", "x", [[n, [n]] for n in range(50000)])
        with server.held_still():  # whoever spoke last is looked at first
            a.request("unbind", "x")
            look = admin.request("stats", "server")
            kill = admin.request("kill", number)
        assert admin.answer(look)["server"]["working"] == 1 and admin.answer(kill) is True
        while a.receive() is not None:
            pass
        wait_until(lambda: admin.call("stats", "sessions")["sessions"]["active"] == 1, "its end")


if __name__ == "__main__":
    run()
