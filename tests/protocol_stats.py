"""protocol_stats.py - stats: its sections and counters; slowlog."""
import time

from harness import Daemon, pack, run, test_own

ADMIN = {"admin_from": "loopback"}
SECTIONS = {"server", "objects", "sessions", "memory", "gc", "requests", "events"}


def method(client, name):
    return client.call("stats", "requests")["requests"]["methods"].get(name)


@test_own
def stats_is_a_map_of_sections_and_of_one_section_that_one_alone():
    with Daemon() as server:
        client = server.client()
        everything = client.call("stats")
        assert set(everything) == SECTIONS
        for section in SECTIONS:
            one = client.call("stats", section)
            assert list(one) == [section] and one[section].keys() >= everything[section].keys()
        for name in ("", "nonsense", "object", "s" * 1000):
            client.fails("VALUE", "stats", name)
        client.fails("BAD_ARGS", "stats", 5)


@test_own
def counters_of_objects_sessions_and_memory_follow_what_happens():
    with Daemon() as server:
        client, other = server.client(), server.client()
        before = client.call("stats")
        client.call("bind", "x", [[1000 + n] for n in range(100)])
        other.call("hold", "list")
        after = client.call("stats")
        assert after["objects"]["live"] - before["objects"]["live"] == 201
        assert after["objects"]["types"]["list"] - before["objects"]["types"]["list"] == 101
        assert after["memory"]["bytes"] > before["memory"]["bytes"]
        assert after["sessions"]["names"] - before["sessions"]["names"] == 1
        assert after["sessions"]["handles"] - before["sessions"]["handles"] == 1
        assert after["sessions"]["active"] == 2
        assert after["requests"]["total"] - before["requests"]["total"] == 3
        client.call("unbind", "x")
        end = client.call("stats")
        assert end["objects"]["live"] == before["objects"]["live"]
        assert end["objects"]["died"] - before["objects"]["died"] == 201


@test_own
def requests_are_counted_by_method_with_errors_and_a_histogram():
    with Daemon() as server:
        client = server.client()
        assert method(client, "bind") is None
        for n in range(100):
            client.call("bind", "x", n)
        for n in range(10):
            client.fails("NO_NAME", "get", "nothing")
        client.notify("get", "nothing")
        client.fails("BAD_ARGS", "bind")
        bind, get = method(client, "bind"), method(client, "get")
        assert (bind["calls"], bind["errors"]) == (101, 1) and (get["calls"], get["errors"]) == (11, 11)
        for row in (bind, get):
            assert sum(row["us"].values()) == row["calls"], row
            assert set(row["us"]) <= {str(1 << n) for n in range(32)}
            slowest = max(int(key) for key in row["us"])
            assert row["longest_us"] < slowest and (slowest == 1 or row["longest_us"] >= slowest // 2)


@test_own
def errors_are_counted_by_code():
    with Daemon() as server:
        client = server.client()
        client.fails("NO_METHOD", "nonsense")
        for n in range(3):
            client.fails("VALUE", "stats", "nonsense")
        client.fails("DENIED", "slowlog")
        bad = server.client()
        bad.send(pack([0, 1, "ping", 5]))
        bad.rest()
        requests = client.call("stats", "requests")["requests"]
        assert requests["codes"] == {"NO_METHOD": 1, "VALUE": 3, "DENIED": 1, "BAD_FRAME": 1}, requests
        assert requests["errors"] == 5 and requests["bad_frames"] == 1


@test_own
def slowlog_is_for_administrators():
    with Daemon() as server:
        server.client().fails("DENIED", "slowlog")


@test_own
def slowlog_tells_the_slowest_requests_with_method_session_objects_and_time():
    with Daemon(config={**ADMIN, "slowlog_us": 0}) as server:
        admin, client = server.client(), server.client()
        number = client.call("hello", {})["session"]
        client.call("bind", "x", list(range(500000)))
        client.call("call", "x", "count", [5])
        rows = admin.call("slowlog", 1000)
        for row in rows:
            assert list(row) == ["method", "session", "objects", "us", "at"] and abs(row["at"] - time.time()) < 600
        assert [row["us"] for row in rows] == sorted((row["us"] for row in rows), reverse=True)
        bound, = (row for row in rows if row["method"] == "bind")
        counted, = (row for row in rows if row["method"] == "call")
        for row in (bound, counted):
            assert row["session"] == number and row["objects"] >= 500000, row
        slowest, = admin.call("slowlog", 1)  # it may be the one that asked before
        assert slowest["us"] >= rows[0]["us"] and len(admin.call("slowlog")) <= 10
        longest = method(client, "bind")["longest_us"]
        assert longest == bound["us"] and sum(method(client, "bind")["us"].values()) == 1


@test_own
def slowlog_keeps_what_took_slowlog_us_only():
    with Daemon(config={**ADMIN, "slowlog_us": "1G"}) as server:
        client = server.client()
        client.call("bind", "x", list(range(500000)))
        assert client.call("slowlog") == []
        client.call("config_set", "slowlog_us", 0)
        client.call("ping")
        assert {row["method"] for row in client.call("slowlog")} == {"config_set", "ping"}


@test_own
def slowlog_is_bounded():
    with Daemon(config={**ADMIN, "slowlog_us": 0}) as server:
        client = server.client()
        for n in range(300):
            client.call("ping")
        assert len(client.call("slowlog", 1000)) == 128


run()
