#!/usr/bin/python3
"""run.py - plants bugs (mutants.py) one at a time in a copy of the source, and sees whether the tests find them.

    run.py [--jobs N] [WORD...]     those with a word in their file or text; run by ./dev stress

Each mutant is built, then its own tests run, then all fast ones, until one fails: it is killed. Exit status 1 if less than
95 % are, or if one does not apply any more.
"""
import argparse
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

from mutants import MUTANTS

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
WORK = os.path.join(TOP, "build", "mutants")
LEFT_OUT = shutil.ignore_patterns("build", "_build", ".git", "autom4te.cache", "__pycache__", "heapd-*")
TIMEOUT = 120  # seconds for one test program: a mutant that hangs is a killed one
SLOW = ("cli", "client", "replay", "documents", "memory_page", "manpage", "methods_page", "includes", "daemon", "like_python",
        "other_clients", "hostile", "model", "serial", "conformance")


class Stale(Exception):
    """The mutant is none any more."""


class Tree:
    """A copy of the source, built, in which one mutant at a time lives."""

    def __init__(self, number):
        self.path = os.path.join(WORK, str(number))
        self.build = os.path.join(self.path, "build")
        shutil.rmtree(self.path, ignore_errors=True)
        shutil.copytree(TOP, self.path, ignore=LEFT_OUT, symlinks=True)
        os.mkdir(self.build)
        self.must("../configure", "CFLAGS=-O1 -g0")
        self.must("make", "-j2", "all", *[f"tests/{name}" for name in UNITS])

    def command(self, *words, **options):
        return subprocess.run(words, cwd=self.build, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", **options)

    def must(self, *words):
        done = self.command(*words)
        if done.returncode:
            raise RuntimeError(f"{done.stdout}\nfailed: {' '.join(words)}")

    def source(self, name):
        return os.path.join(self.path, name)

    def plant(self, mutant):
        with open(self.source(mutant.file)) as file:
            self.kept = file.read()
        if self.kept.count(mutant.old) != 1:
            raise Stale(f"{self.kept.count(mutant.old)} places are {mutant.old!r}")
        self.write(mutant, self.kept.replace(mutant.old, mutant.new))

    def restore(self, mutant):
        self.write(mutant, self.kept)

    def write(self, mutant, text):
        with open(self.source(mutant.file), "w") as file:
            file.write(text)

    def built(self, test):
        """Builds what a test needs."""
        goals = [f"tests/{test}"] if not test.endswith(".py") else ["heapd", "heap-cli"]
        done = self.command("make", *goals)
        if done.returncode:
            raise Stale(f"does not compile:\n{done.stdout}")

    def fails(self, test):
        """How a test program fails, None if it passes."""
        self.built(test)
        program = [os.path.join(self.build, "tests", test)]
        if test.endswith(".py"):
            program = ["/usr/bin/python3", self.source(f"tests/{test}")]
        environment = {**os.environ, "HEAPD": f"{self.build}/heapd", "HEAP_CLI": f"{self.build}/heap-cli",
                       "TOP_SRCDIR": self.path, "TOP_BUILDDIR": self.build, "PYTHONPATH": self.path,
                       "PYTHONDONTWRITEBYTECODE": "1", "CK_TAP_LOG_FILE_NAME": "-", "CK_VERBOSITY": "silent",
                       "CK_DEFAULT_TIMEOUT": "60"}
        process = subprocess.Popen(program, cwd=self.build, env=environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors="replace",
                                   start_new_session=True)
        try:
            output, _ = process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            return "does not end"
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)  # daemons that it left behind, too
            except ProcessLookupError:
                pass
            process.wait()
        failed = re.search(r"^not ok \d+ - (?:\S+:\w+:)?(\w+)", output, re.MULTILINE)
        if failed:
            return failed[1]
        return f"exit status {process.returncode}" if process.returncode else None


def listed(path, variable):
    with open(os.path.join(TOP, path)) as file:
        block = re.search(rf"^{variable} \+?= *((?:.*\\\n)*.*)$", file.read(), re.MULTILINE)[1]
    return [os.path.basename(word) for word in block.replace("\\\n", " ").split()]


SCRIPTS = [name for name in listed("tests/local.mk", "script_tests") if name.endswith(".py")]
UNITS = listed("tests/unit.mk", "unit_tests")
FAST = [name for name in UNITS + SCRIPTS if not any(word in name for word in SLOW)]


class Run:
    def __init__(self, mutants, jobs):
        self.todo = queue.Queue()
        for mutant in mutants:
            self.todo.put(mutant)
        self.killed, self.survived, self.stale = [], [], []
        self.lock = threading.Lock()
        self.sound, self.broken = set(), set()  # tests that pass, and fail, without a mutant
        self.jobs = jobs

    def say(self, text):
        with self.lock:
            print(text, flush=True)

    def is_sound(self, tree, mutant, test):
        """Whether a test that has failed passes without the mutant. What does not finds nothing."""
        if test not in self.sound | self.broken:
            tree.restore(mutant)
            how = tree.fails(test)
            tree.plant(mutant)
            (self.broken if how else self.sound).add(test)
            if how:
                self.say(f"NO USE    {test} fails by itself: {how}")
        return test in self.sound

    def killer_of(self, tree, mutant):
        """(test program, test) that finds it, or None."""
        for test in [*mutant.tests, *[test for test in FAST if test not in mutant.tests]]:
            how = None if test in self.broken else tree.fails(test)
            if how and self.is_sound(tree, mutant, test):
                return test, how
        return None

    def try_one(self, tree, mutant):
        about = f"{mutant.file}: {mutant.what}"
        try:
            tree.plant(mutant)
            killer = self.killer_of(tree, mutant)
        except Stale as reason:
            self.stale.append(mutant)
            self.say(f"STALE     {about}: {reason}")
        else:
            (self.killed if killer else self.survived).append(mutant)
            self.say(f"killed    {about} ({killer[0]}: {killer[1]})" if killer else f"SURVIVED  {about}")
        tree.restore(mutant)

    def work(self, number):
        tree = Tree(number)
        while True:
            try:
                mutant = self.todo.get_nowait()
            except queue.Empty:
                break
            self.try_one(tree, mutant)
        shutil.rmtree(tree.path)

    def all(self):
        threads = [threading.Thread(target=self.work, args=(number,)) for number in range(self.jobs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS
              if not options.words or any(word in f"{mutant.file} {mutant.what}" for word in options.words)]
    run = Run(chosen, max(1, min(options.jobs, len(chosen))))
    begun = time.monotonic()
    run.all()
    tried = len(run.killed) + len(run.survived)
    share = 100 * len(run.killed) / tried if tried else 0
    print(f"mutants: {len(run.killed)} of {tried} killed ({share:.1f} %), {len(run.survived)} survived, "
          f"{len(run.stale)} do not apply; {time.monotonic() - begun:.0f} s")
    return bool(run.stale or run.broken) or share < 95


if __name__ == "__main__":
    sys.exit(main())
