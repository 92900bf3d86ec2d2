"""client_install.py - what `make install` gives to those who write clients: the examples of docs/ are compiled against
it, by pkg-config alone, and run on a live daemon."""
import os
import re
import shutil
import subprocess
import tempfile

from harness import run, Skip, test, test_own

TOP = os.environ["TOP_SRCDIR"]
BUILD = os.environ["TOP_BUILDDIR"]
CC = os.environ.get("CC", "cc").split()
FLAGS = os.environ.get("HEAPD_LDFLAGS", "").split()  # a library under ASan needs programs under ASan
STRICT = ["-Wall", "-Wextra", "-Werror", "-pedantic"]

stage = tempfile.TemporaryDirectory(prefix="heapd-install-")


def command(*words, **options):
    """The command's standard output; fails with all it said if it fails."""
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          **options)
    assert done.returncode == 0, f"{' '.join(words)}: {done.returncode}\n{done.stdout}"
    return done.stdout


def installed(*suffix):
    """The one file below the stage whose path ends so."""
    found = [os.path.join(at, name) for at, _, names in os.walk(stage.name) for name in names
             if os.path.join(at, name).endswith(os.path.join(*suffix))]
    assert len(found) == 1, (suffix, found)
    return found[0]


def install():
    quiet = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    command("make", "-C", BUILD, "install", f"DESTDIR={stage.name}", env=quiet)


def pkg_config(*options):
    environment = dict(os.environ, PKG_CONFIG_SYSROOT_DIR=stage.name,
                       PKG_CONFIG_PATH=os.path.dirname(installed("pkgconfig", "heapd.pc")))
    return command("pkg-config", *options, "heapd", env=environment).split()


def compile_example(name):
    program = os.path.join(stage.name, name)
    command(*CC, "-std=c11", *STRICT, *FLAGS, os.path.join(TOP, "docs/examples", name + ".c"),
            *pkg_config("--cflags", "--libs"), "-o", program)
    return program


def run_example(name, address):
    library = os.path.dirname(os.path.realpath(installed("libheapd.so")))
    return command(compile_example(name), address, env=dict(os.environ, LD_LIBRARY_PATH=library))


@test
def ten_lines_are_a_program(server):
    assert run_example("hello", server.address) == "the answer is 42\n"


@test
def another_loop_serves_a_link(server):
    assert run_example("loop", server.address) == "a weakref is held\nits target died (count)\n"


@test_own
def an_example_without_a_daemon_says_so_and_fails():
    library = os.path.dirname(os.path.realpath(installed("libheapd.so")))
    for name in ("hello", "loop"):
        done = subprocess.run([compile_example(name), "/nowhere/heapd.sock"], capture_output=True, text=True,
                              env=dict(os.environ, LD_LIBRARY_PATH=library))
        assert done.returncode == 1, done
        assert done.stderr == "UNREACHABLE unix:/nowhere/heapd.sock: No such file or directory\n", done


@test_own
def the_header_stands_alone_in_c_and_in_cxx():
    header = installed("heapd.h")
    command(*CC, "-std=c99", *STRICT, "-fsyntax-only", "-x", "c", header)
    cxx = shutil.which("c++")
    if cxx is None:
        raise Skip("no C++ compiler")
    command(cxx, "-std=c++11", *STRICT, "-fsyntax-only", "-x", "c++", header)


@test_own
def the_library_exports_what_the_header_declares_and_nothing_else():
    with open(installed("heapd.h")) as file:
        declared = set(re.findall(r"\b(hd_\w+)\(", re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)))
    lines = command("nm", "-D", "--defined-only", os.path.realpath(installed("libheapd.so"))).splitlines()
    exported = {line.split()[2] for line in lines if line.split()[1] != "A"}
    assert exported == declared, exported ^ declared


install()
run()
