#!/usr/bin/python3
"""model.py - random requests of several sessions, against a model (heap_model.py) that knows nothing but semantics.md.

A script is a list of rounds:

  ("open", session, space)         a new session, at work in its own namespace or in a shared one
  ("solo", session, [Call...])     one session sends its calls at once; answers and events must be the model's, in order
  ("duel", {session: [Call...]})   all do so at the same time, each with what it alone can reach; some say bye
  ("visit",)                       every object is looked at from every session: identity, type, content, references,
                                   weakrefs; and the daemon must have as many objects of each type as the model

Cycles are collected when a call asks for it, never else. A script that fails is made smaller and printed.

HEAPD_MODEL_SEED and HEAPD_MODEL_RUNS: other runs than those of `make check`.
"""
import os
import random
import time
import traceback

import harness
from harness import Daemon
from model_operations import Chooser, vars_in
from model_runner import Runner
from model_visit import Differs

SEED = int(os.environ.get("HEAPD_MODEL_SEED", "1"))
RUNS = int(os.environ.get("HEAPD_MODEL_RUNS", "30"))
ROUNDS = 60           # of one run
CALLS = 12            # of one round, at most
VISIT_EVERY = 6       # rounds
MINIMISE_SECONDS = 40
NAMES = {"a": None, "b": None, "c": "team"}  # of sessions, and the namespaces they work in

# -- scripts ---------------------------------------------------------------------------------------------------------


def plan_round(rng, runner):
    """(the round for the script, the round to run): the calls of a solo are made up as the model goes on."""
    for name, space in NAMES.items():
        if name not in runner.sessions:
            return (("open", name, space),) * 2
    if rng.random() < 0.3:
        parts = {}
        for name, session in runner.sessions.items():
            chooser = Chooser(rng, runner.heap, session)
            parts[name] = [call for _ in range(rng.randrange(2 * CALLS)) for call in chooser.choose()]
        if rng.random() < 0.3:
            parts[rng.choice(list(NAMES))].append(None)
        return (("duel", parts),) * 2
    name = rng.choice(list(NAMES))
    calls = []

    def plan():
        for _ in range(rng.randrange(1, CALLS)):
            for call in Chooser(rng, runner.heap, runner.sessions[name]).choose():
                calls.append(call)
                yield call
    return ("solo", name, calls), ("solo", name, plan())


def run_random(daemon, rng, script):
    runner = Runner(daemon)
    for number in range(ROUNDS):
        kept, round = plan_round(rng, runner)
        script.append(kept)
        runner.run_round(round)
        if number % VISIT_EVERY == VISIT_EVERY - 1:
            script.append(("visit",))
            runner.visit()
    script.append(("visit",))
    runner.visit()
    runner.finish()


def calls_of(round):
    lists = {"solo": lambda: [round[2]], "duel": lambda: round[1].values()}.get(round[0], lambda: [])()
    return [call for calls in lists for call in calls if call]


def run_script(daemon, script):
    for call in (call for round in script for call in calls_of(round)):
        for var in [call.var, *vars_in(call.params)]:
            var.forget()
    runner = Runner(daemon)
    for round in script:
        runner.run_round(round)
    runner.finish()


def failure_of(run, config):
    """What went wrong in a run against a daemon of its own, or None."""
    daemon = Daemon(config=config)
    try:
        run(daemon)
        daemon.stop()
        return None
    except Exception:
        return f"{traceback.format_exc()}stderr of the daemon:\n{daemon.stderr()}"
    finally:
        daemon.close_clients()
        daemon.kill()


def minimise(script, config):
    """The script without what it does not need to fail, as far as the time goes: rounds first, then calls."""
    end = time.monotonic() + MINIMISE_SECONDS

    def fails(candidate):
        return time.monotonic() < end and failure_of(lambda daemon: run_script(daemon, candidate), config) is not None

    script = shrink(script, fails)
    for at, round in enumerate(script):
        if round[0] == "solo":
            calls = shrink(round[2], lambda less: fails([*script[:at], ("solo", round[1], less), *script[at + 1:]]))
            script[at] = ("solo", round[1], calls)
        elif round[0] == "duel":
            for name in round[1]:
                calls = shrink(round[1][name], lambda less: fails([*script[:at], ("duel", {**round[1], name: less}),
                                                                   *script[at + 1:]]))
                round[1][name] = calls
    return script


def shrink(items, fails):
    """Leaves out ever smaller pieces as long as it still fails."""
    size = max(1, len(items) // 2)
    while size:
        at = 0
        while at < len(items):
            less = items[:at] + items[at + size:]
            if fails(less):
                items = less
            else:
                at += size
        size //= 2
    return items


def show(script):
    for kind, *rest in script:
        if kind == "solo":
            yield from (f"{rest[0]}: {call}" for call in rest[1])
        elif kind == "duel":
            yield from (f"{name} at once: {call or 'bye()'}" for name, calls in rest[0].items() for call in calls)
        else:
            yield " ".join(map(str, (kind, *rest)))


def agree(config):
    for number in range(RUNS):
        seed = f"{SEED}.{number}"
        script = []
        failure = failure_of(lambda daemon: run_random(daemon, random.Random(seed), script), config)
        if failure:
            small = minimise(script, config)
            again = failure_of(lambda daemon: run_script(daemon, small), config)
            raise Differs(f"run {number} of HEAPD_MODEL_SEED={SEED}\n{again or failure}\n" + "\n".join(show(small)))


print(f"# HEAPD_MODEL_SEED={SEED} HEAPD_MODEL_RUNS={RUNS}")


@harness.test_own
def sessions_agree_with_the_model_when_one_reference_is_dropped_at_a_time():
    agree({"slice_objects": 1, "gc.enabled": 0})


@harness.test_own
def sessions_agree_with_the_model_in_slices_of_the_default_size():
    agree({"gc.enabled": 0})


harness.run()
