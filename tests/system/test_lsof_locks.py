# SPDX-License-Identifier: MIT
"""Lock letters, however the locks are found out: by the files' own fdinfo, or the kernel's table of all locks."""

import sys

import pytest

from golden import House, needs_lsof

pytestmark = needs_lsof

PROGRAM = r"""
import fcntl, os, sys
n, directory, kept = int(sys.argv[1]), sys.argv[2], []

def opened(name, flags=os.O_RDWR | os.O_CREAT):
    kept.append(os.open(os.path.join(directory, name), flags, 0o600))
    return kept[-1]

os.mkfifo(os.path.join(directory, "fifo"))
for name in ["many-%d" % i for i in range(n)]:
    opened(name)
unlocked = [opened("posix"), opened("flock"), opened("read")]
fcntl.lockf(opened("posix"), fcntl.LOCK_EX)
fcntl.flock(opened("flock"), fcntl.LOCK_EX)
fcntl.lockf(opened("read"), fcntl.LOCK_SH, 7, 3)
fcntl.flock(opened(".", os.O_RDONLY), fcntl.LOCK_SH)
fcntl.flock(opened("fifo", os.O_RDWR), fcntl.LOCK_EX)
os.chdir(directory)
for fd in unlocked:
    print("unlocked-%d" % fd, fd)
print("pid", os.getpid())
print("ready", flush=True)
sys.stdin.read()
"""

# Its flock(2) is a child's alone; what it has of that file it has opened since.
GIVEN_AWAY = r"""
import fcntl, os, sys
n, path = int(sys.argv[1]), os.path.join(sys.argv[2], "given")
taken = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
fcntl.flock(taken, fcntl.LOCK_EX)
reader, writer = os.pipe()
if os.fork() == 0:
    os.close(writer)
    os.read(reader, 1)
    os._exit(0)
os.close(taken)
print("file", os.open(path, os.O_RDWR))
print("pid", os.getpid())
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def house():
    place = House()
    yield place
    place.close()


def start(house, program, n):
    return house.start_in(house.enter, "-c", program, str(n), program=sys.executable)


@pytest.mark.parametrize("n", [0, 200, 700])
def test_a_lock_is_shown_at_every_descriptor_of_its_file(house, n):
    """Of few files, and of more than are asked one by one."""
    made = start(house, PROGRAM, n)
    listing = house.compare("-nP", "-p", str(made.pid))

    letters = [row[3][-1] for row in listing.rows()]
    assert (letters.count("W"), letters.count("R")) == (5, 2)
    house.compare("-F", "-p", str(made.pid))
    house.compare("-o", "-a", "-d", "fd", "-p", str(made.pid))
    house.compare("-a", "-d", ",".join(str(fd) for fd in made.fds.values()), "-p", str(made.pid))
    house.compare("-a", "-d", "cwd,mem", "-p", str(made.pid))


def test_locks_of_some_processes_of_several(house):
    made = [start(house, PROGRAM, 0), start(house, "import sys\n" + PROGRAM.replace("LOCK_EX", "LOCK_SH"), 0)]

    house.compare("-nP", "-p", ",".join(str(one.pid) for one in made))


def test_a_lock_that_another_process_keeps_is_not_this_ones(house):
    """The difference: lsof goes by who has taken it."""
    made = start(house, GIVEN_AWAY, 0)
    fd = str(made.fds["file"])

    assert f"{fd}uW" in [row[3] for row in house.lsof("-p", str(made.pid)).rows()]
    assert f"{fd}u" in [row[3] for row in house.hotstart("-p", str(made.pid)).rows()]
    house.compare("-a", "-p", str(made.pid), "-d", fd)
