#!/usr/bin/python3
"""replay.py - runs every transcript of the documents, and fails where the answers are not those that are printed there.

    replay.py [FILE...]     TAP; without files: README.md and docs/*.md
    replay.py --show FILE   plays one document to people: its text, with the answers as they come (./dev demo)

Transcripts are fenced blocks:

    ```heap         a heap-cli session: lines behind the prompt are typed, the others are what it answers. All blocks of
                    a document belong to one session; ```heap NAME is a second client of that name.
    ```console      a shell: `$ ` begins a command; heap-cli in it reaches the document's daemon.
    ```pycon        Python's own conversation, for comparison; all blocks of a document share their variables.
    ```python       a program; what follows `print(...)  # ` is what it prints there. 4327 is the document's daemon.

Each document has a fresh daemon. Ids of objects are the daemon's choice: `#17` in a document stands for one id, whatever
it is, as long as it is the same one wherever it says `#17`, `'id': 17`, or 17 to an `id(...)`. A line of `...` stands for
any lines. A block may begin with an event, which comes by itself, caused by another client, or with the answer to what the
same client typed last, in an earlier block: it had to wait. ^D ends a session.
"""
import code
import contextlib
import glob
import io
import os
import re
import subprocess
import sys
import threading
import time

from harness import HEAPD, DEADLINE, Daemon

HEAP_CLI = os.environ.get("HEAP_CLI", "build/heap-cli")
TOP = os.environ.get("TOP_SRCDIR", os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
PROMPTS = {"heap": "heapd> ", "console": "$ ", "pycon": ">>> "}
FURTHER = {"heap": "  ...> ", "pycon": "... "}  # a statement goes on
FENCE = re.compile(r"^```(heap|console|pycon|python)(?: (\w+))?$")
ID = re.compile(r"(?:#|'id': )(\d+)")
ID_ANSWER = re.compile(r"^(\d+)$")
PROMISE = re.compile(r"^print\(.*\)  # (.*)$")


# -- documents -------------------------------------------------------------------------------------------------------


LATER = None  # in place of an input


class Block:
    def __init__(self, kind, client, line):
        self.kind, self.client, self.line = kind, client or "one", line
        self.steps = []  # [input, [expected line]]...; no input: what was typed before answers now
        self.waits = False  # what was typed last answers in a later block

    def add(self, text):
        if self.kind == "python":
            return self.add_to_program(text)
        prompt, further = PROMPTS[self.kind], FURTHER.get(self.kind)
        if text.startswith(prompt) or text == prompt.rstrip():
            self.steps.append([text[len(prompt):], []])
        elif not self.steps and text.startswith("! "):
            self.steps.append(["", [text]])
        elif not self.steps and self.kind == "heap":
            self.steps.append([LATER, [text]])
        elif not self.steps:
            raise SystemExit(f"replay: a block begins with an answer: {text!r}")
        elif further and text.startswith(further) and not self.steps[-1][1]:
            self.steps[-1][0] += "\n" + text[len(further):]
        else:
            self.steps[-1][1].append(text)

    def add_to_program(self, text):
        """A program is one step."""
        if not self.steps:
            self.steps.append(["", []])
        self.steps[0][0] += text + "\n"
        self.steps[0][1] += PROMISE.findall(text)


def note_waits(blocks):
    """A block that begins with an answer: the client's block before it ends with what waits for it."""
    before = {}
    for block in blocks:
        if block.steps and block.steps[0][0] is LATER:
            before[block.kind, block.client].waits = True
        before[block.kind, block.client] = block


def parts_of(path):
    """The document as a list of lines of text and blocks."""
    parts, block = [], None
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file.read().splitlines(), 1):
            fence = FENCE.match(line)
            if block is not None and line == "```":
                parts.append(block)
                block = None
            elif block is not None:
                block.add(line)
            elif fence:
                block = Block(fence[1], fence[2], number)
            else:
                parts.append(line)
    note_waits([part for part in parts if isinstance(part, Block)])
    return parts


# -- those who type --------------------------------------------------------------------------------------------------


class Typist:
    """A heap-cli that reads statements. After each one it pings, so that events which are due have come, and prints a
    marker, so that the answer is known to be whole."""

    def __init__(self, daemon):
        self.process = subprocess.Popen([HEAP_CLI, "--keep-going", *where(daemon)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1)
        self.count = 0

    def type(self, statement):
        """The lines of the answer; nothing typed: those of the next event."""
        if statement is LATER:
            return self.answer()
        answer = self.type_once(statement)
        end = time.monotonic() + DEADLINE
        while not statement and not answer and time.monotonic() < end:
            answer = self.type_once(statement)
        return answer

    def type_once(self, statement):
        self.begin(statement)
        return self.answer()

    def begin(self, statement):
        """Types without waiting for the answer."""
        self.count += 1
        self.process.stdin.write(f"{statement}\nping()\n\"-- {self.count} --\"\n")
        self.process.stdin.flush()

    def answer(self):
        marker = f"-- {self.count} --"
        alarm = threading.Timer(DEADLINE, self.process.kill)
        alarm.start()
        answer = []
        for line in self.process.stdout:
            if line.rstrip("\n") == repr(marker):
                break
            answer.append(re.sub(r"^heap-cli: line \d+: ", "", line.rstrip("\n")))  # no prefix at a terminal
        else:
            answer.append("(heap-cli has gone)")
        alarm.cancel()
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.stdout.read()
        self.process.wait()


class Python:
    """Python's prompt."""

    def __init__(self):
        self.interpreter = code.InteractiveInterpreter({"__name__": "__main__"})

    def type(self, statement):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            self.interpreter.runsource(statement + "\n", symbol="single")
        return printed.getvalue().splitlines()

    def close(self):
        pass


def run(command, **options):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=DEADLINE, **options)
    return done.stdout.splitlines()


def where(daemon):
    address = daemon.address
    return ["--unix", address[len("unix:"):]] if address.startswith("unix:") else ["-H", address]


def url(daemon):
    address = daemon.address
    return f"heapd+unix://{address[5:]}" if address.startswith("unix:") else f"heapd://{address}"


class Players:
    """All who play in one document."""

    def __init__(self, daemon):
        self.daemon, self.typists = daemon, {}

    def play(self, block, text):
        if block.kind == "console":
            return self.shell(text)
        if block.kind == "python":
            return self.program(text)
        who = block.kind, block.client
        if text == "^D":
            self.typists.pop(who).close()
            return []
        if who not in self.typists:
            self.typists[who] = Python() if block.kind == "pycon" else Typist(self.daemon)
        if block.waits and text is block.steps[-1][0]:
            return self.typists[who].begin(text) or []
        return self.typists[who].type(text)

    def shell(self, command):
        path = os.pathsep.join([os.path.dirname(os.path.abspath(HEAP_CLI)), os.environ.get("PATH", "")])
        return run(["sh", "-c", command], env={**os.environ, "PATH": path, "HEAPD_URL": url(self.daemon)}, cwd=TOP)

    def program(self, text):
        host, port = self.daemon.address.rsplit(":", 1)
        return run([sys.executable, "-c", text.replace('("127.0.0.1", 4327)', repr((host, int(port))))])

    def close(self):
        for typist in self.typists.values():
            typist.close()


# -- comparing -------------------------------------------------------------------------------------------------------


class Ids:
    """Which id of the document is which one of the daemon."""

    def __init__(self):
        self.meant = {}

    def agree(self, pattern, expected, got):
        wanted = pattern.split(expected)
        found = pattern.split(got)
        if wanted[::2] != found[::2]:
            return False
        return all(self.meant.setdefault(a, b) == b for a, b in zip(wanted[1::2], found[1::2]))


def same(ids, pattern, expected, got):
    """Whether the lines agree; `...` takes as many as it must."""
    if not expected:
        return not got
    if expected[0] == "...":
        return any(same(ids, pattern, expected[1:], got[skip:]) for skip in range(len(got) + 1))
    return bool(got) and ids.agree(pattern, expected[0], got[0]) and same(ids, pattern, expected[1:], got[1:])


def play_document(path):
    """None if everything agrees, else what did not."""
    ids = Ids()
    with Daemon() as daemon:
        daemon.base = None  # a document may leave names in shared namespaces
        players = Players(daemon)
        try:
            for block in parts_of(path):
                for text, expected in block.steps if isinstance(block, Block) else []:
                    got = players.play(block, text)
                    if not same(ids, ID_ANSWER if (text or "").startswith("id(") else ID, expected, got):
                        return "\n".join([f"{path}, in the block of line {block.line}: {text}",
                                          *[f"  expected: {line}" for line in expected],
                                          *[f"  got:      {line}" for line in got]])
        finally:
            players.close()
    return None


def show_step(block, text):
    """What is typed, as it looks at the prompt."""
    name = "" if block.client == "one" else f"[{block.client}] "
    if text is LATER:
        return name
    first, further = PROMPTS.get(block.kind, ""), FURTHER.get(block.kind, "")
    for number, line in enumerate(text.splitlines()):
        print(f"    {name}{further if number else first}{line}", flush=True)
    return name


def show(path):
    with Daemon() as daemon:
        daemon.base = None
        players = Players(daemon)
        for part in parts_of(path):
            if not isinstance(part, Block):
                print(part)
                continue
            for text, _ in part.steps:
                name = show_step(part, text)
                for line in players.play(part, text):
                    print(f"    {name}{line}", flush=True)
        players.close()


def documents():
    paths = [os.path.join(TOP, "README.md"), *sorted(glob.glob(os.path.join(TOP, "docs", "*.md")))]
    return [path for path in paths if any(isinstance(part, Block) for part in parts_of(path))]


def main(arguments):
    if arguments[:1] == ["--show"]:
        show(arguments[1])
        return 0
    paths = arguments or documents()
    failed = 0
    print(f"1..{len(paths)}")
    for number, path in enumerate(paths, 1):
        trouble = play_document(path)
        failed += trouble is not None
        claim = f"the transcripts of {os.path.relpath(path, TOP)} are true"
        print(f"{'not ' if trouble else ''}ok {number} - {claim}", flush=True)
        for line in (trouble or "").splitlines():
            print(f"# {line}", flush=True)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
