"""protocol_slices.py - protocol.md, section 1: what takes long is done in slices; nobody else waits for it."""
from harness import Daemon, pack, run, test_own, wait_until

MANY = 200000


@test_own
def others_are_served_while_a_large_graph_dies():
    with Daemon(config={"slice_objects": 1}) as server:
        client, other = server.client(), server.client()
        client.call("bind", "x", [[] for _ in range(MANY)])
        with server.held_still():
            request = client.request("unbind", "x")
            polls = [other.request("stats", "objects") for _ in range(1000)]
        live = [other.answer(poll)["objects"]["live"] for poll in polls]
        assert live == sorted(live, reverse=True) and live[-1] > MANY / 2, live  # all were answered before it was dead
        assert client.answer(request) is True


@test_own
def the_response_waits_until_all_it_doomed_is_dead():
    with Daemon(config={"slice_objects": 7}) as server:
        client = server.client()
        client.call("bind", "tail", [])
        weak = client.call("weakref", "tail", {"notify": True})
        client.call("bind", "x", [[n] for n in range(50000)] + [{"@": "tail"}])
        client.call("unbind", "tail")
        live = client.call("stats", "objects")["objects"]["live"]
        client.request("unbind", "x")
        last = client.request("stats", "objects")
        assert client.receive() == [2, "dead", [1, "count", [weak.handle]]]
        assert client.receive()[3] is True
        assert client.answer(last)["objects"]["live"] < live - 50000


@test_own
def a_doomed_object_is_alive_for_others_until_its_container_drops_it():
    with Daemon(config={"slice_objects": 1}) as server:
        client, other = server.client(), server.client()
        client.call("bind", ["global", "x"], [[n] for n in range(MANY)])
        last = other.call("call", ["global", "x"], "get", [-1])
        weak = other.call("weakref", last)
        other.call("release", last)
        with server.held_still():
            request = client.request("unbind", ["global", "x"])
            other.request("deref", weak, {"into": 1})
        assert other.receive()[3].type == "list"
        assert client.answer(request) is True
        assert other.call("read", 1) == [MANY - 1] and other.call("refcount", 1) == 1


@test_own
def requests_behind_a_sliced_one_wait_and_run_in_order():
    with Daemon(config={"slice_objects": 10}) as server:
        client = server.client()
        client.call("bind", "x", [[n] for n in range(MANY // 10)])
        client.send(pack([0, 1, "unbind", ["x"]]) + pack([0, 2, "bind", ["x", 5]]) + pack([2, "bind", ["x", 6]]) +
                    pack([0, 3, "get", ["x"]]))
        assert [client.receive() for _ in range(3)] == [[1, 1, None, True], [1, 2, None, True], [1, 3, None, 6]]


@test_own
def a_half_close_waits_for_the_sliced_request():
    with Daemon(config={"slice_objects": 10}) as server:
        client = server.client()
        client.call("bind", "x", [[n] for n in range(MANY // 10)])
        client.send(pack([0, 1, "unbind", ["x"]]) + pack([0, 2, "ping", [7]]))
        client.half_close()
        assert [client.receive() for _ in range(3)] == [[1, 1, None, True], [1, 2, None, 7], None]


@test_own
def bye_behind_a_sliced_request_ends_after_it():
    with Daemon(config={"slice_objects": 10}) as server:
        client = server.client()
        client.call("bind", "x", [[n] for n in range(MANY // 10)])
        client.send(pack([0, 1, "unbind", ["x"]]) + pack([0, 2, "bye", []]) + pack([0, 3, "ping", []]))
        assert [client.receive() for _ in range(3)] == [[1, 1, None, True], [1, 2, None, None], None]


@test_own
def a_client_that_leaves_in_the_middle_leaves_nothing():
    with Daemon(config={"slice_objects": 10}) as server:
        for _ in range(5):
            client = server.client()
            client.call("bind", "x", [[n] for n in range(MANY // 10)])
            with server.held_still():
                client.request("unbind", "x")
                client.request("bind", "y", [[n] for n in range(1000)])
                client.close()


@test_own
def the_end_of_a_large_session_is_sliced_too():
    with Daemon(config={"slice_objects": 1}) as server:
        client, other = server.client(), server.client()
        client.call("bind", "x", [[] for _ in range(MANY)])
        with server.held_still():
            client.notify("bye")
            polls = [other.request("stats", "objects") for _ in range(1000)]
        live = [other.answer(poll)["objects"]["live"] for poll in polls]
        assert live == sorted(live, reverse=True) and live[-1] > MANY / 2, live
        wait_until(lambda: other.call("stats", "objects")["objects"]["live"] < 100, "the rest to die")


@test_own
def small_deaths_do_not_wait_behind_a_large_one():
    with Daemon(config={"slice_objects": 1}) as server:
        large, small = server.client(), server.client()
        large.call("bind", "x", [[] for _ in range(MANY)])
        small.call("bind", "x", [1, [2]])
        weak = small.call("weakref", "x", {"notify": True})
        with server.held_still():
            request = large.request("unbind", "x")
            small.request("unbind", "x")
            poll = small.request("stats", "objects")
        assert small.receive() == [2, "dead", [1, "count", [weak.handle]]]
        assert small.receive()[3] is True
        assert small.answer(poll)["objects"]["live"] > MANY / 2
        assert large.answer(request) is True


run()
