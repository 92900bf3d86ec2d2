"""terminal.py - a program on a pseudo terminal, and what it shows there."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

from harness import DEADLINE

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()=>][0-9A-B]?|\a|\x0f")


class Terminal:
    """Runs `command` with its standard streams on a terminal of 24 lines of 100 columns."""

    def __init__(self, command, environment=None):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        environment = {**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", **(environment or {})}
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment,
                                        preexec_fn=self._take_terminal, close_fds=True)
        os.close(slave)
        self.shown = ""  # since the last wait

    @staticmethod
    def _take_terminal():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def type(self, keys):
        os.write(self.master, keys.encode())

    def enter(self, line):
        self.type(line + "\n")

    def expect(self, text):
        """Waits until `text` is shown; returns all that was shown from the last wait up to it."""
        end = time.monotonic() + DEADLINE
        while text not in self.shown:
            assert time.monotonic() < end, f"{text!r} was never shown, but {self.shown!r}"
            if not self._read(end - time.monotonic()):
                raise AssertionError(f"it ended without {text!r}; it showed {self.shown!r}")
        before, _, self.shown = self.shown.partition(text)
        return before + text

    def _read(self, seconds):
        ready, _, _ = select.select([self.master], [], [], max(0, seconds))
        if not ready:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:  # EIO: nobody has the other end
            return False
        self.shown = ESCAPES.sub("", self.shown + data.decode(errors="replace")).replace("\r", "")
        return bool(data)

    def wait(self):
        """The exit status, once it has ended by itself."""
        end = time.monotonic() + DEADLINE
        while self._read(end - time.monotonic()):
            assert time.monotonic() < end, f"it did not end; it showed {self.shown!r}"
        return self.process.wait(timeout=DEADLINE)

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        os.close(self.master)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
