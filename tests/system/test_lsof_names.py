# SPDX-License-Identifier: MIT
"""Files, sockets and mapped files with names that a terminal would obey or a parser would trip over."""

import shlex
import sys

import pytest

from golden import House, NOBODY, needs_lsof, needs_root

pytestmark = needs_lsof

NAMES = ["sp ace", "new\nline", "uml-äö", "bad-\udcff\udc80", "back\\slash", "x (deleted)", "ctl\x01\x7f",
         "q'\"uote", "*", "日本", "-dash", "a,b", "é", "emoji😀", ":c:o"]

PROGRAM = r"""
import fcntl, mmap, os, socket, sys
names, directory, kept = eval(sys.argv[1]), sys.argv[2], []
for name in names + ["gone" + name for name in names]:
    file = open(os.path.join(directory, name), "w+b")
    file.write(b"x" * 4096)
    file.flush()
    kept += [file, mmap.mmap(file.fileno(), 4096, mmap.MAP_PRIVATE)]
    if name.startswith("gone"):
        os.unlink(file.name)
os.mkdir(os.path.join(directory, "sub dir"))
os.chdir(os.path.join(directory, "sub dir"))
os.symlink("sp ace", os.path.join(directory, "link"))
kept.append(os.open(os.path.join(directory, "link"), os.O_PATH | os.O_NOFOLLOW))
for name in ["s1", "ä.sock", "b\x01s"]:
    kept.append(socket.socket(socket.AF_UNIX))
    kept[-1].bind(os.path.join(directory, name))
    kept[-1].listen()
for name in ["\0abs", "\0aä", "\0x\x01y"]:
    kept.append(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    kept[-1].bind(name + str(os.getpid()))
listener = socket.create_server(("127.0.0.1", 0))
clients = [socket.create_connection(listener.getsockname()) for _ in range(5)]
servers = [listener.accept()[0] for _ in range(3)]
servers[0].close()
clients[1].close()
servers[2].send(b"z" * 100)
big = open(os.path.join(directory, "big"), "wb")
big.truncate(1 << 40)
big.seek((1 << 40) - 7)
fcntl.lockf(kept[0], fcntl.LOCK_EX)
fcntl.lockf(kept[4], fcntl.LOCK_EX, 10, 5)
print("pid", os.getpid())
print("ready", flush=True)
sys.stdin.read()
"""

CASES = """
-p PID
-nP -p PID -F
-p PID -F0
-p PID -o15
-p PID -Tqs -a -i
-p PID -a -i -sTCP:CLOSE_WAIT
-p PID -a -i -sTCP:^CLOSE_WAIT,^FIN_WAIT2
-p PID -a -U
'DIR/sp ace' DIR/link
-a -p PID DIR/s1 DIR/ä.sock
-a -p PID 'DIR/sub dir'
-a -p PID +d DIR -V
-a -p PID -x l +d DIR
-a -p PID +d DIR// -x
-a -p PID +L1
-p PID -a -d DEL -F
-w -p PID -a -d DEL -s
-p PID -a -d mem +L
-R -g -l -o -p PID +fg
-E -p PID -a -d fd
-c '/^py/' -a -p PID -d cwd
"""


@pytest.fixture(scope="module")
def house():
    place = House()
    yield place
    place.close()


@pytest.fixture(scope="module")
def made(house):
    return house.start_in([*house.enter, "env", "LC_ALL=C.UTF-8"], "-c", PROGRAM, repr(NAMES), program=sys.executable)


@pytest.mark.parametrize("line", [line for line in CASES.splitlines() if line])
@pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
def test_odd_names_are_lsofs(house, made, line, locale):
    words = [word.replace("PID", str(made.pid)).replace("DIR", made.directory) for word in shlex.split(line)]

    house.compare(*words, env={"LC_ALL": locale})


@needs_root
@pytest.mark.parametrize("arguments", [[], ["-F"], ["-V", "-i"], ["-a", "-d", "mem"]])
def test_odd_names_of_somebody_else(house, made, arguments):
    house.compare("-p", str(made.pid), *arguments, user=NOBODY, cwd="/")
